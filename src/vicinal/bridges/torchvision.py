"""What torchvision (0.28, both generations of transforms) calls things, and what they are called here. The library is never imported."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np

from vicinal.bridges.translate import (
    NOTHING,
    Last,
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
from vicinal.core.compose import Compose, OneOf
from vicinal.core.transform import Node
from vicinal.policies.auto import LEVELS

_STAYS = frozenset({
    "AugMix", "ColorJitter", "GaussianBlur", "GaussianNoise", "JPEG", "RandomAdjustSharpness", "RandomAutocontrast",
    "RandomChannelPermutation", "RandomEqualize", "RandomErasing", "RandomGrayscale", "RandomInvert", "RandomPhotometricDistort",
    "RandomPosterize", "RandomSolarize",
})  # fmt: skip
_BORDERS = MappingProxyType({"constant": "constant", "edge": "replicate", "symmetric": "reflect"})


def stays(operation: Any) -> bool:
    """True for operations that move nothing."""
    children = getattr(operation, "transforms", None)
    if children is not None:
        return all(stays(child) for child in children)
    return type(operation).__name__ in _STAYS and type(operation).__module__.startswith("torchvision.")


def _mode(operation: Any) -> str:
    """The interpolation as a text, in whichever of its forms it was given."""
    held = operation.interpolation
    return str(getattr(held, "value", held)).lower()


def _sampling(operation: Any) -> dict[str, Any]:
    mode = {"nearest": "nearest", "nearest-exact": "nearest", "bilinear": "linear", "2": "linear", "0": "nearest"}.get(_mode(operation))
    if mode is None:
        raise NoCounterpart(f"interpolation {_mode(operation)!r}")
    return {"interpolation": mode}


def _centred(operation: Any) -> dict[str, Any]:
    if getattr(operation, "center", None) is not None or getattr(operation, "expand", False):
        raise NoCounterpart("a centre of its own, or expand")
    return {**_sampling(operation), "fill": share(operation.fill)}


def _affine(operation: Any, walk: Translation) -> Made:
    """Angles run clockwise in RandomAffine and counter-clockwise in RandomRotation; here they run counter-clockwise."""
    shear = [float(end) for end in operation.shear or (0, 0)]
    shift = operation.translate or (0, 0)
    node = made("Affine", angle=turned(operation.degrees), scale=span(operation.scale or (1, 1)),
                shear_x=turned(shear[:2]), shear_y=turned(shear[2:] or (0, 0)),
                x=span((-shift[0], shift[0])), y=span((-shift[1], shift[1])), unit="share", **_centred(operation))  # fmt: skip
    return Near(node, "shifts are not rounded to whole pixels") if any(shift) else node


def _size(value: Any) -> tuple[int, int]:
    sides = [int(side) for side in (value if isinstance(value, (list, tuple)) else [value])]
    if len(sides) != 2:
        raise NoCounterpart("a size that keeps the aspect ratio")
    return sides[0], sides[1]


def _resize(operation: Any, walk: Translation) -> Made:
    size, mode = _size(operation.size), _mode(operation)
    node = made("Resize", size=size, antialias=bool(operation.antialias), **_sampling(operation))
    if mode == "nearest":
        return Near(node, "the nearest pixel to the centre, where the original takes the one to the upper left")
    return Near(node, _TRIANGLE) if operation.antialias and mode == "bilinear" else node


_TRIANGLE = "averages over the footprint of a pixel where the original weighs it with a triangle"


def _resized_crop(operation: Any, walk: Translation) -> Made:
    node = made("RandomResizedCrop", size=_size(operation.size), scale=span(operation.scale), antialias=bool(operation.antialias),
                ratio={"log": list(map(float, operation.ratio))}, **_sampling(operation))  # fmt: skip
    return Near(node, f"a window that does not fit is shortened, not drawn again, and is not cut to whole pixels; {_TRIANGLE}")


def _padding(by: Any) -> Any:
    sides = [int(side) for side in by] if isinstance(by, (list, tuple)) else [int(by)]
    return sides[0] if len(sides) == 1 else tuple(sides * 2 if len(sides) == 2 else sides)


def _pad(operation: Any) -> Node:
    if operation.padding_mode not in _BORDERS:
        raise NoCounterpart("a border that mirrors without its edge pixel")
    return made("Pad", by=_padding(operation.padding), border=_BORDERS[operation.padding_mode], fill=share(operation.fill))


def _random_crop(operation: Any, walk: Translation) -> Made:
    crop = made("RandomCrop", size=_size(operation.size), fill=share(operation.fill))
    return crop if operation.padding is None else Compose((_pad(operation), crop))


def _center_crop(operation: Any, walk: Translation) -> Made:
    return Near(made("CenterCrop", size=_size(operation.size)), "an odd rest may put the window one pixel further")


def _grayscale(operation: Any, walk: Translation) -> Made:
    if getattr(operation, "num_output_channels", 3) != 3:
        raise NoCounterpart("one channel comes out")
    return made("Grayscale")


def _noise(operation: Any, walk: Translation) -> Made:
    if operation.mean or not operation.clip:
        raise NoCounterpart("noise with a mean, or without a clip")
    return made("GaussianNoise", std=float(operation.sigma))


def _erasing(operation: Any, walk: Translation) -> Made:
    value = operation.value
    if isinstance(value, str) or (isinstance(value, (list, tuple)) and len(set(value)) > 1):
        raise NoCounterpart("random values, or one for every channel")
    fill, before = float(value[0] if isinstance(value, (list, tuple)) else value), walk.normalisation()
    if before is not None:  # it erased with a normalised value; the same value before, averaged over the channels
        fill = float(np.mean(np.add(before.mean, fill * np.asarray(before.std))))
    if not 0 <= fill <= 1:
        raise NoCounterpart("a value outside [0, 1]")
    node = made("Erase", area=span(operation.scale), ratio={"log": list(map(float, operation.ratio))}, fill=fill)
    return Near(node, "a rectangle that does not fit is shortened, not drawn again")


def _jitter(operation: Any, walk: Translation) -> Made:
    """Factors are None where they are not asked for; hue is a share of the circle."""
    fields = {name: span(getattr(operation, name)) for name in ("brightness", "contrast", "saturation") if getattr(operation, name)}
    turn = {"hue": span([360 * end for end in operation.hue])} if operation.hue else {}
    node = made("ColorJitter", **fields, **turn)
    return Near(node, "contrast turns about mid-grey, not the mean of the picture") if operation.contrast else node


def _gaussian_blur(operation: Any, walk: Translation) -> Made:
    node = made("GaussianBlur", sigma=span(operation.sigma))
    return Near(node, f"the kernel reaches to 4 sigma, where the original has {operation.kernel_size[0]} pixels for every sigma")


def _sharpness(operation: Any, walk: Translation) -> Made:
    node = made("Sharpen", amount=float(operation.sharpness_factor) - 1)
    return Near(node, "the outermost pixels are sharpened as well")


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
        node = made(name, fill=share(operation.fill), **_sampling(operation), **more)
        return Near(node, "shears are about the centre, contrast about mid-grey, and shifts are not cut to whole pixels")

    return rule


RULES: MappingProxyType[str, Rule] = MappingProxyType({
    "Identity": lambda op, walk: NOTHING,
    "RandomHorizontalFlip": lambda op, walk: made("HorizontalFlip"),
    "RandomVerticalFlip": lambda op, walk: made("VerticalFlip"),
    "RandomRotation": lambda op, walk: made("Rotate", angle=span(op.degrees), **_centred(op)),
    "RandomAffine": _affine,
    "RandomResizedCrop": _resized_crop,
    "RandomCrop": _random_crop,
    "CenterCrop": _center_crop,
    "Resize": _resize,
    "Pad": lambda op, walk: _pad(op),
    "Grayscale": _grayscale,
    "RandomGrayscale": _grayscale,
    "RandomInvert": lambda op, walk: made("Invert"),
    "RandomPosterize": lambda op, walk: made("Posterize", bits=int(op.bits)),
    "RandomSolarize": lambda op, walk: made("Solarize", threshold=share(op.threshold)),
    "ColorJitter": _jitter,
    "GaussianBlur": _gaussian_blur,
    "RandomAdjustSharpness": _sharpness,
    "RandomEqualize": lambda op, walk: made("Equalize"),
    "RandomAutocontrast": lambda op, walk: made("AutoContrast"),
    "RandomChannelPermutation": lambda op, walk: made("ChannelShuffle"),
    "GaussianNoise": _noise,
    "RandomErasing": _erasing,
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


def _sequence(operation: Any, walk: Translation, where: str, forced: bool) -> Node:
    p = chance(operation) if type(operation).__name__ == "RandomApply" else 1.0
    return Compose(tuple(walk.all(operation.transforms, where, sure=p == 1)), p=p)


def _choice(operation: Any, walk: Translation, where: str, forced: bool) -> Node:
    weights = None if operation.p is None or len(set(operation.p)) == 1 else tuple(map(float, operation.p))
    return OneOf(tuple(walk.either(operation.transforms, where)), weights=weights)


def _any_order(operation: Any, walk: Translation, where: str, forced: bool) -> Node:
    nodes = walk.all(operation.transforms, where, sure=False)
    return in_any_order(nodes, len(nodes))


GROUPS: MappingProxyType[str, Callable[..., Node]] = MappingProxyType({
    "Compose": _sequence,
    "Sequential": _sequence,
    "RandomApply": _sequence,
    "RandomChoice": _choice,
    "RandomOrder": _any_order,
})  # fmt: skip
