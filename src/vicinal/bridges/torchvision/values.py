"""What torchvision does to values, and its casts."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np

from vicinal.bridges.settings import logarithmic, share, span, whole
from vicinal.bridges.torchvision.common import sampling
from vicinal.bridges.translate import Last, Made, Near, NoCounterpart, Rule, Translation, made
from vicinal.core.compose import Compose, OneOf
from vicinal.policies.auto import LEVELS

_MIDDLE = "contrast turns about mid-grey, not the mean of the picture"


def _grayscale(operation: Any, walk: Translation) -> Made:
    if getattr(operation, "num_output_channels", 3) != 3:
        raise NoCounterpart("one channel comes out")
    return made("Grayscale")


def _noise(operation: Any, walk: Translation) -> Made:
    if operation.mean or not operation.clip:
        raise NoCounterpart("noise with a mean, or without a clip")
    return made("GaussianNoise", std=float(operation.sigma))


def _erasing(operation: Any, walk: Translation) -> Made:
    """The ratio is height over width there, width over height here."""
    value = operation.value
    if value is None or isinstance(value, str) or (isinstance(value, (list, tuple)) and len(set(value)) > 1):
        raise NoCounterpart("random values, or one for every channel")
    fill, before = float(value[0] if isinstance(value, (list, tuple)) else value), walk.normalisation()
    if before is not None:  # it erased with a normalised value; the same value before, averaged over the channels
        fill = float(np.mean(np.add(before.mean, fill * np.asarray(before.std))))
    if not 0 <= fill <= 1:
        raise NoCounterpart("a value outside [0, 1]")
    node = made("Erase", area=span(operation.scale), ratio=logarithmic([1 / end for end in reversed(operation.ratio)]), fill=fill)
    return Near(node, "a rectangle that does not fit is shortened, not drawn again")


def _jitter(operation: Any, walk: Translation) -> Made:
    """Factors are None where they are not asked for; hue is a share of the circle."""
    fields = {name: span(getattr(operation, name)) for name in ("brightness", "contrast", "saturation") if getattr(operation, name)}
    turn = {"hue": span([360 * end for end in operation.hue])} if operation.hue else {}
    node = made("ColorJitter", **fields, **turn)
    return Near(node, _MIDDLE) if operation.contrast else node


def _gaussian_blur(operation: Any, walk: Translation) -> Made:
    node = made("GaussianBlur", sigma=span(operation.sigma))
    return Near(node, f"the kernel reaches to 4 sigma, where the original has {operation.kernel_size[0]} pixels for every sigma")


def _sharpness(operation: Any, walk: Translation) -> Made:
    node = made("Sharpen", amount=float(operation.sharpness_factor) - 1)
    return Near(node, "the outermost pixels are sharpened as well")


def _photometric(operation: Any, walk: Translation) -> Made:
    """Each part with probability p; contrast before or behind saturation and hue, equally likely."""
    p = float(operation.p)
    light = made("Contrast", gain=span(operation.brightness), pivot=0, p=p)
    contrast, saturation = made("Contrast", gain=span(operation.contrast), p=p), made("Saturation", gain=span(operation.saturation), p=p)
    hue = made("Hue", shift=span([360 * end for end in operation.hue]), p=p)
    orders = OneOf((Compose((contrast, saturation, hue)), Compose((saturation, hue, contrast))))
    return Near(Compose((light, orders, made("ChannelShuffle", p=p))), _MIDDLE, p=1)


def _jpeg(operation: Any, walk: Translation) -> Made:
    return Near(made("JpegCompression", quality=whole(operation.quality)), "another build of libjpeg may round another way")


def _mixed(name: str) -> Rule:
    """Mixing a batch with itself."""

    def rule(operation: Any, walk: Translation) -> Made:
        node = made(name, alpha=float(operation.alpha))
        return Near(node, "every sample draws its own share and partner, where a batch of the original has one share; labels go along")

    return rule


def _normalize(operation: Any, walk: Translation) -> Made:
    mean, std = (tuple(map(float, values)) for values in (operation.mean, operation.std))
    return Last(made("Normalize", mean=mean[0] if len(mean) == 1 else mean, std=std[0] if len(std) == 1 else std))


def _to_dtype(operation: Any, walk: Translation) -> Made:
    if not str(operation.dtype).endswith("float32") or not getattr(operation, "scale", True):
        raise NoCounterpart("a dtype other than float32, or values that are not scaled to [0, 1]")
    return Last(made("ToTensor"))


def _policy(name: str, **fields: Any) -> Rule:
    """A policy with tables: they are the same here; what its operations do differs in three places."""

    def rule(operation: Any, walk: Translation) -> Made:
        if getattr(operation, "num_magnitude_bins", LEVELS + 1) != LEVELS + 1:
            raise NoCounterpart(f"{operation.num_magnitude_bins} levels, not {LEVELS + 1}")
        more = {field: read(operation) for field, read in fields.items()}
        node = made(name, fill=share(operation.fill), **sampling(operation), **more)
        return Near(node, "shears are about the centre, contrast about mid-grey, and shifts are not cut to whole pixels")

    return rule


RULES: MappingProxyType[str, Rule] = MappingProxyType({
    "Grayscale": _grayscale,
    "RandomGrayscale": _grayscale,
    "RandomInvert": lambda op, walk: made("Invert"),
    "RandomPosterize": lambda op, walk: made("Posterize", bits=int(op.bits)),
    "RandomSolarize": lambda op, walk: made("Solarize", threshold=share(op.threshold)),
    "ColorJitter": _jitter,
    "RandomPhotometricDistort": _photometric,
    "GaussianBlur": _gaussian_blur,
    "RandomAdjustSharpness": _sharpness,
    "RandomEqualize": lambda op, walk: made("Equalize"),
    "RandomAutocontrast": lambda op, walk: made("AutoContrast"),
    "RandomChannelPermutation": lambda op, walk: made("ChannelShuffle"),
    "GaussianNoise": _noise,
    "RandomErasing": _erasing,
    "JPEG": _jpeg,
    "CutMix": _mixed("CutMix"),
    "MixUp": _mixed("MixUp"),
    "RandAugment": _policy("RandAugment", n=lambda op: int(op.num_ops), magnitude=lambda op: float(op.magnitude)),
    "TrivialAugmentWide": _policy("TrivialAugment"),
    "AutoAugment": _policy("AutoAugment", policy=lambda op: str(op.policy.value)),
    "Normalize": _normalize,
    "ToTensor": lambda op, walk: Last(made("ToTensor")),
    "ToDtype": _to_dtype,
    "ConvertImageDtype": _to_dtype,
    "ToImage": lambda op, walk: Last(None),
    "ToPureTensor": lambda op, walk: Last(None),
    "PILToTensor": lambda op, walk: Last(None),
    "ToPILImage": lambda op, walk: Last(None),
})  # fmt: skip
