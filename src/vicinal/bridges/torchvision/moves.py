"""What torchvision moves, crops, resizes and pads."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from vicinal.bridges.settings import BLURRED, SPREAD, logarithmic, share, span, turned
from vicinal.bridges.torchvision.common import centred, mode, sampling
from vicinal.bridges.translate import NOTHING, ORDERS, Made, Near, NoCounterpart, Rule, Translation, made
from vicinal.core.compose import Compose, OneOf
from vicinal.core.transform import Node

_BORDERS = MappingProxyType({"constant": "constant", "edge": "replicate", "symmetric": "reflect"})
_TRIANGLE = "averages over the footprint of a pixel where the original weighs it with a triangle"
_ROUNDED = "the other side is rounded to whole pixels, where the original cuts it off"


def _affine(operation: Any, walk: Translation) -> Made:
    """Angles run clockwise in RandomAffine and counter-clockwise in RandomRotation; here they run counter-clockwise."""
    shear = [float(end) for end in operation.shear or (0, 0)]
    shift = operation.translate or (0, 0)
    node = made("Affine", angle=turned(operation.degrees), scale=span(operation.scale or (1, 1)),
                shear_x=turned(shear[:2]), shear_y=turned(shear[2:] or (0, 0)),
                x=span((-shift[0], shift[0])), y=span((-shift[1], shift[1])), unit="share", **centred(operation))  # fmt: skip
    return Near(node, "shifts are not rounded to whole pixels") if any(shift) else node


def _size(value: Any) -> tuple[int, int]:
    sides: list[int] = [int(side) for side in (value if isinstance(value, (list, tuple)) else [value])]
    if len(sides) != 2:
        raise NoCounterpart("a size that keeps the aspect ratio")
    return sides[0], sides[1]


def _resize(operation: Any, walk: Translation) -> Made:
    size, smoothed = operation.size, bool(operation.antialias)
    if size is None or isinstance(size, int) or len(size) == 1:
        return _one_side(operation)
    node = made("Resize", size=_size(size), antialias=smoothed, **sampling(operation))
    if mode(operation) == "nearest":
        return Near(node, "the nearest pixel to the centre, where the original takes the one to the upper left")
    return Near(node, _TRIANGLE) if smoothed and mode(operation) == "bilinear" else node


def _one_side(operation: Any) -> Made:
    """The shorter side is given, or the longer one as max_size."""
    size, most = operation.size, operation.max_size
    if size is not None and most is not None:
        raise NoCounterpart("a shorter side, and a limit on the longer one")
    if size is None:
        node = made("LongestMaxSize", size=most, **_smoothing(operation))
    else:
        node = made("SmallestMaxSize", size=int(np.ravel(size)[0]), **_smoothing(operation))
    return Near(node, f"{_ROUNDED}; {_TRIANGLE}")


def _smoothing(operation: Any) -> dict[str, Any]:
    return {"antialias": bool(operation.antialias), **sampling(operation)}


def _random_side(operation: Any, walk: Translation) -> Made:
    return _any_of(range(operation.min_size, operation.max_size), operation)


def _shortest_side(operation: Any, walk: Translation) -> Made:
    if operation.max_size is not None:
        raise NoCounterpart("shorter sides, and a limit on the longer one")
    return _any_of(operation.min_size, operation)


def _any_of(sides: Sequence[int], operation: Any) -> Made:
    """One of several shorter sides."""
    if len(sides) > ORDERS:
        raise NoCounterpart(f"a choice among more than {ORDERS} sizes")
    nodes = [made("SmallestMaxSize", size=int(side), **_smoothing(operation)) for side in sides]
    return Near(OneOf(tuple(nodes)) if len(nodes) > 1 else nodes[0], f"{_ROUNDED}; {_TRIANGLE}")


def _scale_jitter(operation: Any, walk: Translation) -> Made:
    height, width = _size(operation.target_size)
    if height != width:
        raise NoCounterpart("a target that is no square")
    fitted = made("LongestMaxSize", size=height, **_smoothing(operation))
    node = Compose((fitted, made("RandomScale", factor=span(operation.scale_range), **_smoothing(operation))))
    return Near(node, f"sides are rounded to whole pixels before and after the random factor; {_TRIANGLE}")


def _resized_crop(operation: Any, walk: Translation) -> Made:
    node = made("RandomResizedCrop", size=_size(operation.size), scale=span(operation.scale), antialias=bool(operation.antialias),
                ratio=logarithmic(operation.ratio), **sampling(operation))  # fmt: skip
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


def _perspective(operation: Any, walk: Translation) -> Made:
    """Corners move inwards, evenly by up to d / 2 of a side: to and fro by d / 4, and all of it shrinks by d / 2."""
    held, by = centred(operation), float(operation.distortion_scale)
    smaller = 1 - by / 2
    node = Compose((made("Perspective", amount=by / 4 / smaller, **held), made("Scale", factor=smaller, **held)))
    return Near(node, "corners are not rounded to whole pixels")


def _elastic(operation: Any, walk: Translation) -> Made:
    """A uniform number has a variance of 1/3; displacements are alpha / side in halves of a side."""
    (sigma, other), (alpha, another) = operation.sigma, operation.alpha
    if sigma != other or alpha != another or sigma <= 0:
        raise NoCounterpart("another alpha or sigma along x than along y, or no blur")
    amplitude = float(alpha) / 2 / 3**0.5 * BLURRED / float(sigma)
    node = made("ElasticTransform", amplitude=amplitude, smoothness=SPREAD * float(sigma), **centred(operation))
    return Near(node, "the field is a spline, as smooth and as large as the original's, and is kept from folding over")


def _annotations(reason: str) -> Rule:
    """Operations on annotations alone."""
    return lambda operation, walk: Near(NOTHING, reason)


_CLIPPED = "annotations are treated by their own settings, v.Boxes(boxes, outside='clip')"
_FORMAT = "boxes come back in the format in which they came"


RULES: MappingProxyType[str, Rule] = MappingProxyType({
    "Identity": lambda op, walk: NOTHING,
    "RandomHorizontalFlip": lambda op, walk: made("HorizontalFlip"),
    "RandomVerticalFlip": lambda op, walk: made("VerticalFlip"),
    "RandomRotation": lambda op, walk: made("Rotate", angle=span(op.degrees), **centred(op)),
    "RandomAffine": _affine,
    "RandomPerspective": _perspective,
    "ElasticTransform": _elastic,
    "RandomResizedCrop": _resized_crop,
    "RandomCrop": _random_crop,
    "CenterCrop": _center_crop,
    "Resize": _resize,
    "RandomResize": _random_side,
    "RandomShortestSize": _shortest_side,
    "ScaleJitter": _scale_jitter,
    "Pad": lambda op, walk: _pad(op),
    "ClampBoundingBoxes": _annotations(_CLIPPED),
    "ClampKeyPoints": _annotations(_CLIPPED),
    "SanitizeBoundingBoxes": _annotations(_CLIPPED),
    "SanitizeKeyPoints": _annotations(_CLIPPED),
    "SetClampingMode": _annotations(_CLIPPED),
    "ConvertBoundingBoxFormat": _annotations(_FORMAT),
})  # fmt: skip
