"""Erasing rectangles: annotations stay, since what is hidden is still there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.draw import Draw
from vicinal.core.primitive import Patch, everywhere
from vicinal.core.space import SpaceLike
from vicinal.core.transform import Transform, option, parameter, register
from vicinal.image.fields import Params
from vicinal.image.rectangles import content_option, patch, placed, rectangle

__all__ = ["CoarseDropout", "Cutout", "Erase", "RandomErasing"]


@register
@final
class Erase(Transform):
    """One value in a rectangle, which lies wholly on the canvas; boxes, masks and keypoints stay.

    Args:
        area: share of the canvas; ratio: width over height; x, y: where it lies, as shares of the free room; fill: its value.

    Example:
        >>> int(Erase(area=0.25, ratio=1, fill=1)(np.zeros((4, 4), np.uint8), seed=0).sum()) // 255
        4
    """

    verb: ClassVar[str] = "mix"
    bounded: ClassVar[bool] = True
    paper: ClassVar[str] = "Zhong et al., Random erasing data augmentation, 2020; DeVries and Taylor, Cutout, 2017"

    area: SpaceLike = parameter(default=(0.02, 0.33), unit="shares of the canvas", low=0, high=1, neutral=0)
    ratio: SpaceLike = parameter(default={"log": [0.3, 3.3]}, unit="times wider than high", low=0.01, high=100)
    x: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)
    y: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)
    fill: SpaceLike = parameter(default=0.0, unit="shares of the value range", low=0, high=1)

    def lower(self, params: Params, spec: Spec) -> list[Patch]:
        box = rectangle(params["area"], params, spec)[:, None]
        return [Patch(box, params["fill"][:, None], everywhere(len(spec)))]


@register
@final
class RandomErasing(Transform):
    """A rectangle of noise, or of one colour, which lies wholly on the canvas; boxes, masks and keypoints stay.

    Where the rectangle would not fit, the aspect ratio gives way at once; the paper draws again until one fits.

    Args:
        scale: share of the canvas; ratio: width over height; x, y: where it lies, as shares of the free room; fill: "noise", every value
            for itself and uniform, which the paper found to be best, or shares of the value range: one, or one per channel.

    Example:
        >>> out = RandomErasing(scale=0.25, ratio=1, fill=1.0)(np.zeros((4, 4), np.uint8), seed=0)
        >>> int((out == 255).sum())
        4
    """

    verb: ClassVar[str] = "mix"
    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)
    paper: ClassVar[str] = "Zhong et al., Random erasing data augmentation, 2020"

    scale: SpaceLike = parameter(default=(0.02, 0.4), unit="shares of the canvas", low=0, high=1, neutral=0)
    ratio: SpaceLike = parameter(default={"log": [0.3, 3.3]}, unit="times wider than high", low=0.01, high=100)
    x: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)
    y: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)
    fill: Any = content_option("noise")

    def lower(self, params: Params, spec: Spec) -> list[Patch]:
        return [patch(rectangle(params["scale"], params, spec)[:, None], self.fill, params, spec, "RandomErasing")]


@register
@final
class Cutout(Transform):
    """A square whose centre is any pixel, so that part of it may lie off the canvas; boxes, masks and keypoints stay.

    That squares are cut at the edges matters, says the paper: samples of which nearly all is visible are seen as well.

    Args:
        size: its side; unit: "pixel", or "share" of the shorter side of the canvas; x, y: its centre, as shares of the canvas;
        fill: shares of the value range, one or one per channel, or "noise".

    Example:
        >>> int((Cutout(size=2, x=0.5, y=0.5, fill=1.0)(np.zeros((4, 4), np.uint8), seed=0) == 255).sum())
        4
    """

    verb: ClassVar[str] = "mix"
    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)
    paper: ClassVar[str] = "DeVries and Taylor, Improved regularization of convolutional neural networks with cutout, 2017"
    example: ClassVar[Mapping[str, Any]] = {"size": 16}

    size: SpaceLike = parameter(unit="pixels (or shares of the shorter side)", low=0, high=100_000, neutral=0)
    unit: str = option(default="pixel", choices=("pixel", "share"), doc="what size is counted in")
    x: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the width", low=0, high=1)
    y: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the height", low=0, high=1)
    fill: Any = content_option()

    def lower(self, params: Params, spec: Spec) -> list[Patch]:
        side = np.rint(params["size"] * (spec.size.min(1) if self.unit == "share" else 1))
        left, top = (_pixel(params[axis], length) - side // 2 for axis, length in (("x", spec.width), ("y", spec.height)))
        box = np.stack([left, top, left + side, top + side], 1).clip(0, spec.size[:, [1, 0, 1, 0]])
        return [patch(box[:, None].astype(np.int64), self.fill, params, spec, "Cutout")]


def _pixel(share: NDArray, length: NDArray) -> NDArray[np.float64]:
    return np.minimum(np.floor(share * length), length - 1)


@register
@final
class CoarseDropout(Transform):
    """Several rectangles, each of its own size, which lie wholly on the canvas and may overlap; boxes, masks and keypoints stay.

    Args:
        holes: how many; height, width: of each, as shares of the canvas; x, y: where each lies, as shares of the free room;
        fill: shares of the value range, one or one per channel, or "noise".

    Example:
        >>> int((CoarseDropout(holes=1, height=0.5, width=0.25, fill=1.0)(np.zeros((4, 4), np.uint8), seed=0) == 255).sum())
        2
    """

    verb: ClassVar[str] = "mix"
    bounded: ClassVar[bool] = True
    paper: ClassVar[str] = "DeVries and Taylor, Improved regularization of convolutional neural networks with cutout, 2017"
    example: ClassVar[Mapping[str, Any]] = {"holes": (2, 8)}

    holes: SpaceLike = parameter(default=(1, 2), unit="whole numbers", low=0, high=64, neutral=0, integer=True)
    height: SpaceLike = parameter(default=(0.1, 0.2), unit="shares of the height", low=0, high=1, neutral=0)
    width: SpaceLike = parameter(default=(0.1, 0.2), unit="shares of the width", low=0, high=1, neutral=0)
    x: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)
    y: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)
    fill: Any = content_option()

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        holes = self.value(draw, "holes")
        # Of a longer row of numbers the first are the same, so a larger count leaves the other holes where they are.
        many = max(int(max(self.spaces()["holes"].ends())), 1)
        each = {name: self.spaces()[name].at(draw.units(name, many)) for name in ("height", "width", "x", "y")}
        return {"holes": holes, **each, "key": draw.key("key")}

    def lower(self, params: Params, spec: Spec) -> list[Patch]:
        there = np.arange(params["height"].shape[1]) < params["holes"][:, None]
        height, width = (np.rint(params[name] * side[:, None]) for name, side in (("height", spec.height), ("width", spec.width)))
        box = placed(width * there, height * there, params["x"], params["y"], spec)
        return [patch(box, self.fill, params, spec, "CoarseDropout")]
