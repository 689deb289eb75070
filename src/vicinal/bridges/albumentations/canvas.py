"""What Albumentations crops, resizes and pads."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from vicinal.bridges.albumentations.common import outside, sampling
from vicinal.bridges.settings import logarithmic, span
from vicinal.bridges.translate import Made, Near, NoCounterpart, Rule, Translation, made
from vicinal.core.compose import Compose

# Half a pixel less than the middle: an odd rest leaves the smaller half on the left, as whole-number division does.
_MIDDLE = 0.499999


def _crop(operation: Any) -> dict[str, Any]:
    if operation.pad_if_needed and operation.pad_position != "center":
        raise NoCounterpart("pad_if_needed elsewhere than around the centre")
    return {"size": (int(operation.height), int(operation.width)), **outside(operation)}


def _resize(operation: Any, walk: Translation) -> Made:
    size = (int(operation.height), int(operation.width))
    if operation.interpolation == 3:  # cv2.INTER_AREA
        return Near(made("Resize", size=size), "averages over the footprint by samples, where the original takes exact shares")
    if operation.area_for_downscale is not None:
        raise NoCounterpart("area_for_downscale")
    return made("Resize", size=size, antialias=False, **sampling(operation, border=False))


def _resized_crop(operation: Any, walk: Translation) -> Made:
    if operation.area_for_downscale is not None:
        raise NoCounterpart("area_for_downscale")
    node = made("RandomResizedCrop", size=tuple(map(int, operation.size)), scale=span(operation.scale),
                ratio=logarithmic(operation.ratio), antialias=False, **sampling(operation, border=False))  # fmt: skip
    return Near(node, "a window that does not fit is shortened, not drawn again, and is not cut to whole pixels")


def _pad(operation: Any, walk: Translation) -> Made:
    by = operation.padding
    sides = (by[0], by[1], by[0], by[1]) if isinstance(by, (tuple, list)) and len(by) == 2 else by
    return made("Pad", by=tuple(map(int, sides)) if isinstance(sides, (tuple, list)) else int(sides), **outside(operation))


def _max_size(name: str) -> Rule:
    """Longest or smallest side, enlarged or shrunk to one number of pixels."""

    def rule(operation: Any, walk: Translation) -> Made:
        size = operation.max_size
        if isinstance(size, (list, tuple)) and len(size) == 1:
            size = size[0]
        if not isinstance(size, int) or operation.area_for_downscale is not None:
            raise NoCounterpart("several sizes, or area_for_downscale")
        return made(name, size=size, antialias=False, **sampling(operation, border=False))

    return rule


def _pad_if_needed(operation: Any, walk: Translation) -> Made:
    if operation.min_height is None or operation.min_width is None or str(operation.position).rsplit(".")[-1].lower() != "center":
        raise NoCounterpart("padding to a multiple, or elsewhere than around the centre")
    return made("PadIfNeeded", size=(int(operation.min_height), int(operation.min_width)), **outside(operation))


def _window(operation: Any, walk: Translation) -> Made:
    """A fixed window: the canvas is shifted and cut in one warp."""
    if operation.pad_if_needed:
        raise NoCounterpart("pad_if_needed of a fixed window")
    size = (int(operation.y_max - operation.y_min), int(operation.x_max - operation.x_min))
    shift = made("Translate", x=-float(operation.x_min), y=-float(operation.y_min))
    return Compose((shift, made("RandomCrop", size=size, x=0, y=0)))


def _crop_and_pad(operation: Any, walk: Translation) -> Made:
    by = operation.px
    sides = [by] * 4 if isinstance(by, int) else list(by or ())
    if operation.keep_size or len(sides) != 4 or not all(isinstance(side, int) and side >= 0 for side in sides):
        raise NoCounterpart("a margin that is cut, drawn, in shares of the picture, or resized to the old canvas")
    top, right, bottom, left = sides
    return made("Pad", by=(left, top, right, bottom), **outside(operation))


def _around_mask(operation: Any, walk: Translation) -> Made:
    if operation.ignore_values or operation.ignore_channels:
        raise NoCounterpart("values or channels of the mask that are ignored")
    return made("CropNonEmptyMask", size=(int(operation.height), int(operation.width)))


def _around_boxes(operation: Any, walk: Translation) -> Made:
    if operation.erosion_rate:
        raise NoCounterpart("boxes that are eroded")
    size = (int(operation.height), int(operation.width))
    node = made("RandomSizedBBoxSafeCrop", size=size, antialias=False, **sampling(operation, border=False))
    return Near(node, "the window is not cut to whole pixels; without boxes it lies around a random point, where the original takes all")


def _random_scale(operation: Any, walk: Translation) -> Made:
    if operation.area_for_downscale is not None:
        raise NoCounterpart("area_for_downscale")
    factor = span([1 + float(end) for end in operation.scale_limit])
    node = made("RandomScale", factor=factor, antialias=False, **sampling(operation, border=False))
    return Near(node, "sides are rounded to whole pixels, where the original cuts them off")


RULES: MappingProxyType[str, Rule] = MappingProxyType({
    "CenterCrop": lambda op, walk: made("RandomCrop", x=_MIDDLE, y=_MIDDLE, **_crop(op)),
    "RandomCrop": lambda op, walk: made("RandomCrop", **_crop(op)),
    "Crop": _window,
    "CropAndPad": _crop_and_pad,
    "CropNonEmptyMaskIfExists": _around_mask,
    "RandomSizedBBoxSafeCrop": _around_boxes,
    "RandomResizedCrop": _resized_crop,
    "Resize": _resize,
    "RandomScale": _random_scale,
    "LongestMaxSize": _max_size("LongestMaxSize"),
    "SmallestMaxSize": _max_size("SmallestMaxSize"),
    "Pad": _pad,
    "PadIfNeeded": _pad_if_needed,
})  # fmt: skip
