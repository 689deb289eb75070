"""What Albumentations (2.0.8) calls things, and what they are called here. The library itself is never imported."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from vicinal.bridges.translate import (
    NOTHING,
    Last,
    Line,
    Made,
    Near,
    NoCounterpart,
    Rule,
    Translation,
    chance,
    in_any_order,
    made,
    share,
    span,
    turned,
)
from vicinal.core.compose import Compose, OneOf, SomeOf
from vicinal.core.transform import Node

_BORDERS = MappingProxyType({0: "constant", 1: "replicate", 2: "reflect"})
_INTERPOLATIONS = MappingProxyType({0: "nearest", 1: "linear"})
# Half a pixel less than the middle: an odd rest leaves the smaller half on the left, as whole-number division does.
_MIDDLE = 0.499999


def stays(operation: Any) -> bool:
    """True for operations that move nothing: those of images alone, and dropouts."""
    children = getattr(operation, "transforms", None)
    if children is not None:
        return all(stays(child) for child in children)
    alone = any(base.__name__ == "ImageOnlyTransform" for base in type(operation).__mro__)
    return alone or ".dropout." in f"{type(operation).__module__}."


def _sampling(operation: Any, *, border: bool = True) -> dict[str, Any]:
    """Interpolation, border and fill of an operation."""
    if operation.interpolation not in _INTERPOLATIONS:
        raise NoCounterpart("interpolation other than nearest and linear")
    return {"interpolation": _INTERPOLATIONS[operation.interpolation], **(_outside(operation) if border else {})}


def _outside(operation: Any) -> dict[str, Any]:
    if operation.border_mode not in _BORDERS:
        raise NoCounterpart("a border that mirrors without its edge pixel, or wraps around")
    return {"border": _BORDERS[operation.border_mode], "fill": share(operation.fill)}


def _rotate(operation: Any, walk: Translation) -> Made:
    if operation.crop_border:
        raise NoCounterpart("crop_border changes the size")
    return made("Rotate", angle=span(operation.limit), **_sampling(operation))


def _affine(operation: Any, walk: Translation) -> Made:
    """Scale, rotate, shear and shift, in this order: three maps here, which fuse into one."""
    if operation.fit_output or operation.balanced_scale:
        raise NoCounterpart("fit_output or balanced_scale")
    sampling, reasons = _sampling(operation), []
    scale, shear = operation.scale, operation.shear
    if scale["x"] != scale["y"] or (not operation.keep_ratio and scale["x"][0] != scale["x"][1]):
        reasons.append("one scale for both sides, where the original draws two")
    if any(shear["x"]) and any(shear["y"]):
        reasons.append("a shear along x, then along y, where the original adds them")
    parts = [made("Affine", angle=span(operation.rotate), scale=span(scale["x"]), **sampling)]
    if any(shear["x"]) or any(shear["y"]):
        parts.append(made("Shear", x=turned(shear["x"]), y=turned(shear["y"]), **sampling))
    parts.extend(_shifts(operation, sampling, reasons))
    node = parts[0] if len(parts) == 1 else Compose(tuple(parts))
    return Near(node, "; ".join(reasons)) if reasons else node


def _shifts(operation: Any, sampling: dict[str, Any], reasons: list[str]) -> list[Node]:
    if operation.translate_px is not None:
        ends = {axis: tuple(map(int, operation.translate_px[axis])) for axis in "xy"}
        whole = {axis: {"choice": list(range(low, high + 1))} for axis, (low, high) in ends.items() if (low, high) != (0, 0)}
        return [made("Translate", **whole, **sampling)] if whole else []
    shares = operation.translate_percent or {}
    if not any(any(ends) for ends in shares.values()):
        return []
    reasons.append("shifts are not cut to whole pixels")
    return [made("Translate", **{axis: span(ends) for axis, ends in shares.items()}, unit="share", **sampling)]


def _crop(operation: Any) -> dict[str, Any]:
    if operation.pad_if_needed and operation.pad_position != "center":
        raise NoCounterpart("pad_if_needed elsewhere than around the centre")
    return {"size": (int(operation.height), int(operation.width)), **_outside(operation)}


def _resize(operation: Any, walk: Translation) -> Made:
    size = (int(operation.height), int(operation.width))
    if operation.interpolation == 3:  # cv2.INTER_AREA
        return Near(made("Resize", size=size), "averages over the footprint by samples, where the original takes exact shares")
    if operation.area_for_downscale is not None:
        raise NoCounterpart("area_for_downscale")
    return made("Resize", size=size, antialias=False, **_sampling(operation, border=False))


def _resized_crop(operation: Any, walk: Translation) -> Made:
    if operation.area_for_downscale is not None:
        raise NoCounterpart("area_for_downscale")
    node = made("RandomResizedCrop", size=tuple(map(int, operation.size)), scale=span(operation.scale),
                ratio={"log": list(map(float, operation.ratio))}, antialias=False, **_sampling(operation, border=False))  # fmt: skip
    return Near(node, "a window that does not fit is shortened, not drawn again, and is not cut to whole pixels")


def _pad(operation: Any, walk: Translation) -> Made:
    by = operation.padding
    sides = (by[0], by[1], by[0], by[1]) if isinstance(by, (tuple, list)) and len(by) == 2 else by
    return made("Pad", by=tuple(map(int, sides)) if isinstance(sides, (tuple, list)) else int(sides), **_outside(operation))


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


def _gauss_noise(operation: Any, walk: Translation) -> Made:
    if any(operation.mean_range) or not operation.per_channel or operation.noise_scale_factor != 1:
        raise NoCounterpart("noise with a mean, shared by the channels, or drawn on a coarser grid")
    return made("GaussianNoise", std=span(operation.std_range))


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


def _compression(operation: Any, walk: Translation) -> Made:
    name = {"jpeg": "JpegCompression", "webp": "WebPCompression"}[str(operation.compression_type)]
    node = made(name, quality=_whole(operation.quality_range))
    return Near(node, "red and blue are encoded as red and blue, where the original swaps them")


def _whole(ends: Any) -> Any:
    low, high = (int(end) for end in ends)
    return low if low == high else (low, high)


def _coarse(operation: Any, walk: Translation) -> Made:
    sides = {"height": operation.hole_height_range, "width": operation.hole_width_range}
    if any(isinstance(end, int) for ends in sides.values() for end in ends):
        raise NoCounterpart("holes in pixels, not in shares of the picture")
    spans = {name: span(ends) for name, ends in sides.items()}
    node = made("CoarseDropout", holes=_whole(operation.num_holes_range), **spans, fill=share(operation.fill))
    return Near(node, "sides are rounded to whole pixels in another way, and boxes and masks stay")


def _erasing(operation: Any, walk: Translation) -> Made:
    node = made("Erase", area=span(operation.scale), ratio={"log": list(map(float, operation.ratio))}, fill=share(operation.fill))
    return Near(node, "a rectangle that does not fit is shortened, not drawn again, and boxes and masks stay")


def _rgb(operation: Any, walk: Translation) -> Made:
    limits = zip(("red", "green", "blue"), "rgb", strict=True)
    return made("RGBShift", **{name: span([end / 255 for end in getattr(operation, f"{short}_shift_limit")]) for name, short in limits})


def _gaussian_blur(operation: Any, walk: Translation) -> Made:
    if any(operation.blur_limit):
        raise NoCounterpart("a kernel of its own size, cut off wherever that is")
    return Near(made("GaussianBlur", sigma=span(operation.sigma_limit)), "the kernel reaches to 4 sigma, where the original stops at 3.5")


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


def _max_size(name: str) -> Rule:
    """Longest or smallest side, enlarged or shrunk to one number of pixels."""

    def rule(operation: Any, walk: Translation) -> Made:
        size = operation.max_size
        if isinstance(size, (list, tuple)) and len(size) == 1:
            size = size[0]
        if not isinstance(size, int) or operation.area_for_downscale is not None:
            raise NoCounterpart("several sizes, or area_for_downscale")
        return made(name, size=size, antialias=False, **_sampling(operation, border=False))

    return rule


def _pad_if_needed(operation: Any, walk: Translation) -> Made:
    if operation.min_height is None or operation.min_width is None or str(operation.position).rsplit(".")[-1].lower() != "center":
        raise NoCounterpart("padding to a multiple, or elsewhere than around the centre")
    return made("PadIfNeeded", size=(int(operation.min_height), int(operation.min_width)), **_outside(operation))


def _normalize(operation: Any, walk: Translation) -> Made:
    if operation.normalization != "standard" or operation.max_pixel_value != 255:
        raise NoCounterpart("statistics of the image itself, or another value range; it changes the dtype")
    mean, std = (value if isinstance(value, (int, float)) else tuple(map(float, value)) for value in (operation.mean, operation.std))
    return Last(made("Normalize", mean=mean, std=std))


RULES: MappingProxyType[str, Rule] = MappingProxyType({
    "NoOp": lambda op, walk: NOTHING,
    "HorizontalFlip": lambda op, walk: made("HorizontalFlip"),
    "VerticalFlip": lambda op, walk: made("VerticalFlip"),
    "Transpose": lambda op, walk: made("Transpose"),
    "RandomRotate90": lambda op, walk: made("RandomRotate90"),
    "D4": lambda op, walk: Compose((made("RandomRotate90"), made("HorizontalFlip", p=0.5))),
    "SquareSymmetry": lambda op, walk: Compose((made("RandomRotate90"), made("HorizontalFlip", p=0.5))),
    "Rotate": _rotate,
    "Affine": _affine,
    "ShiftScaleRotate": _affine,
    "CenterCrop": lambda op, walk: made("RandomCrop", x=_MIDDLE, y=_MIDDLE, **_crop(op)),
    "RandomCrop": lambda op, walk: made("RandomCrop", **_crop(op)),
    "RandomResizedCrop": _resized_crop,
    "Resize": _resize,
    "Pad": _pad,
    "RandomBrightnessContrast": _brightness_contrast,
    "RandomGamma": lambda op, walk: made("Gamma", exponent=span([end / 100 for end in op.gamma_limit])),
    "InvertImg": lambda op, walk: made("Invert"),
    "ToGray": _gray,
    "Posterize": _posterize,
    "Solarize": lambda op, walk: made("Solarize", threshold=span(op.threshold_range)),
    "HueSaturationValue": _hsv,
    "RGBShift": _rgb,
    "ColorJitter": _jitter,
    "ToSepia": lambda op, walk: made("Sepia"),
    "ChannelShuffle": lambda op, walk: made("ChannelShuffle"),
    "ChannelDropout": lambda op, walk: made("ChannelDropout", count=_whole(op.channel_drop_range), fill=share(op.fill)),
    "GaussNoise": _gauss_noise,
    "GaussianBlur": _gaussian_blur,
    "Blur": lambda op, walk: made("BoxBlur", size=_whole(op.blur_limit)),
    "MedianBlur": lambda op, walk: made("MedianBlur", size=_whole(op.blur_limit)),
    "Equalize": _equalize,
    "AutoContrast": _auto_contrast,
    "CLAHE": _clahe,
    "LongestMaxSize": _max_size("LongestMaxSize"),
    "SmallestMaxSize": _max_size("SmallestMaxSize"),
    "PadIfNeeded": _pad_if_needed,
    "CoarseDropout": _coarse,
    "Erasing": _erasing,
    "ImageCompression": _compression,
    "Normalize": _normalize,
    "ToTensorV2": lambda op, walk: Last(made("ToTensor"), "float32 values in an array, where the original keeps the dtype in a tensor"),
})  # fmt: skip


def _sequence(operation: Any, walk: Translation, where: str, forced: bool) -> Node:
    p = 1.0 if forced else chance(operation)
    if getattr(operation, "processors", None):
        walk.lines.append(Line(where, "note", "annotations are given with their format at each call: v.Boxes(boxes, format=...)"))
    return Compose(tuple(walk.all(operation.transforms, where, sure=p == 1)), p=p)


def _one_of(operation: Any, walk: Translation, where: str, forced: bool) -> Node:
    """The chosen one acts for sure; its own probability is its weight."""
    weights = tuple(chance(child) for child in operation.transforms)
    nodes = walk.either(operation.transforms, where, lambda one: type(one).__name__ not in _UNFORCED)
    return OneOf(tuple(nodes), weights=None if len(set(weights)) == 1 else weights, p=1.0 if forced else chance(operation))


_UNFORCED = ("SomeOf", "RandomOrder")  # they ask their own probability even where the group above has chosen them


def _some_of(operation: Any, walk: Translation, where: str, forced: bool) -> Node:
    if operation.replace:
        raise NoCounterpart("operations drawn with replacement")
    nodes = walk.all(operation.transforms, where, sure=False)
    if type(operation).__name__ == "RandomOrder":
        return in_any_order(nodes, operation.n, chance(operation))
    return SomeOf(tuple(nodes), n=int(operation.n), p=chance(operation))


def _one_or_other(operation: Any, walk: Translation, where: str, forced: bool) -> Node:
    nodes = walk.either(operation.transforms, where, lambda one: True)
    return OneOf(tuple(nodes), weights=(chance(operation), 1 - chance(operation)))


GROUPS: MappingProxyType[str, Callable[..., Node]] = MappingProxyType({
    "Compose": _sequence,
    "Sequential": _sequence,
    "ReplayCompose": _sequence,
    "OneOf": _one_of,
    "SomeOf": _some_of,
    "RandomOrder": _some_of,
    "OneOrOther": _one_or_other,
})  # fmt: skip
