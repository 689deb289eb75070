"""What Albumentations does to tones, colours and channels."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from vicinal.bridges.settings import share, span, whole
from vicinal.bridges.translate import Last, Made, Near, NoCounterpart, Rule, Translation, made
from vicinal.core.compose import Compose


def _brightness_contrast(operation: Any, walk: Translation) -> Made:
    if not operation.brightness_by_max or operation.ensure_safe_range:
        raise NoCounterpart("brightness_by_max=False or ensure_safe_range=True: it depends on the values of the image")
    dark = made("Brightness", by=span(operation.brightness_limit))
    gain = span([1 + end for end in operation.contrast_limit])
    flat = made("Contrast", gain=gain, pivot=0)
    if not any(operation.contrast_limit):
        return dark
    if not any(operation.brightness_limit):
        return flat
    return Near(Compose((flat, dark)), "values are clipped between contrast and brightness as well")


def _gray(operation: Any, walk: Translation) -> Made:
    if operation.method != "weighted_average" or operation.num_output_channels != 3:
        raise NoCounterpart(f"method={operation.method!r}, num_output_channels={operation.num_output_channels}")
    return made("Grayscale")


def _posterize(operation: Any, walk: Translation) -> Made:
    bits = operation.num_bits
    if isinstance(bits, list) or len(bits) != 2:
        raise NoCounterpart("bits of their own for every channel")
    low, high = map(int, bits)
    return made("Posterize", bits=low if low == high else (low, high))


def _hsv(operation: Any, walk: Translation) -> Made:
    """Hues run from 0 to 180 there, saturation and value to 255."""
    turn = span([2 * end for end in operation.hue_shift_limit])
    saturation, value = (span([end / 255 for end in ends]) for ends in (operation.sat_shift_limit, operation.val_shift_limit))
    node = made("HueSaturationValue", hue_shift=turn, saturation_shift=saturation, value_shift=value)
    return Near(node, "hue, saturation and value are not rounded to 8 bits on the way, and grey stays grey")


def _jitter(operation: Any, walk: Translation) -> Made:
    fields = {name: span(getattr(operation, name)) for name in ("brightness", "contrast", "saturation")}
    node = made("ColorJitter", **fields, hue=span([360 * end for end in operation.hue]))
    return Near(node, "contrast turns about mid-grey, not the mean of the picture")


def _rgb(operation: Any, walk: Translation) -> Made:
    limits = zip(("red", "green", "blue"), "rgb", strict=True)
    return made("RGBShift", **{name: span([end / 255 for end in getattr(operation, f"{short}_shift_limit")]) for name, short in limits})


def _equalize(operation: Any, walk: Translation) -> Made:
    if operation.mask is not None:
        raise NoCounterpart("a mask")
    node = made("Equalize", by="channel" if operation.by_channels else "luma")
    return Near(node, "the table is Pillow's, where the original's (OpenCV's, or one after Pillow's) lies a few levels beside it")


def _auto_contrast(operation: Any, walk: Translation) -> Made:
    if operation.ignore is not None:
        raise NoCounterpart("a value that is ignored")
    node = made("AutoContrast", cutoff=float(operation.cutoff))
    return node if operation.method == "pil" else Near(node, "the ends are found as Pillow does, where the original takes its own way")


def _clahe(operation: Any, walk: Translation) -> Made:
    across, down = operation.tile_grid_size
    if across != down:
        raise NoCounterpart("another number of tiles across than down")
    return made("CLAHE", clip=span(operation.clip_limit), tiles=int(across))


def _normalize(operation: Any, walk: Translation) -> Made:
    if operation.normalization != "standard" or operation.max_pixel_value != 255:
        raise NoCounterpart("statistics of the image itself, or another value range; it changes the dtype")
    mean, std = (value if isinstance(value, (int, float)) else tuple(map(float, value)) for value in (operation.mean, operation.std))
    return Last(made("Normalize", mean=mean, std=std))


def _tone_curve(operation: Any, walk: Translation) -> Made:
    """Heights of N(1/4, scale) and N(3/4, scale): four standard deviations have to fit between black and white."""
    scale = float(operation.scale)
    if 0 < scale <= 1 / 16:
        return made("ToneCurve", low={"normal": [0.25, scale]}, high={"normal": [0.75, scale]}, per_channel=bool(operation.per_channel))
    reach = min(scale * 3**0.5, 0.25)
    node = made(
        "ToneCurve",
        low=span((0.25 - reach, 0.25 + reach)),
        high=span((0.75 - reach, 0.75 + reach)),
        per_channel=bool(operation.per_channel),
    )
    return Near(node, "heights are uniform with the spread of the original's Gaussian, and at most 1/4 away")


RULES: MappingProxyType[str, Rule] = MappingProxyType({
    "RandomBrightnessContrast": _brightness_contrast,
    "RandomGamma": lambda op, walk: made("Gamma", exponent=span([end / 100 for end in op.gamma_limit])),
    "RandomToneCurve": _tone_curve,
    "InvertImg": lambda op, walk: made("Invert"),
    "Posterize": _posterize,
    "Solarize": lambda op, walk: made("Solarize", threshold=span(op.threshold_range)),
    "Equalize": _equalize,
    "AutoContrast": _auto_contrast,
    "CLAHE": _clahe,
    "ColorJitter": _jitter,
    "HueSaturationValue": _hsv,
    "RGBShift": _rgb,
    "ToGray": _gray,
    "ToSepia": lambda op, walk: made("Sepia"),
    "ChannelShuffle": lambda op, walk: made("ChannelShuffle"),
    "ChannelDropout": lambda op, walk: made("ChannelDropout", count=whole(op.channel_drop_range), fill=share(op.fill)),
    "Normalize": _normalize,
    "ToTensorV2": lambda op, walk: Last(made("ToTensor"), "float32 values in an array, where the original keeps the dtype in a tensor"),
})  # fmt: skip
