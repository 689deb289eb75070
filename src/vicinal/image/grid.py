"""Erasing on a grid: squares at equal distances."""

from __future__ import annotations

from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.primitive import Effect, everywhere
from vicinal.core.space import SpaceLike
from vicinal.core.transform import Transform, option, parameter, register
from vicinal.image.fields import Params
from vicinal.image.move import cosine_sine
from vicinal.image.rectangles import content, content_option

__all__ = ["GridDropout", "GridMask"]


def _grid(unit: NDArray, hole: NDArray, angle: NDArray, params: Params, spec: Spec, fill: Any, where: str) -> Effect:
    """Squares of side ``hole``, one in each ``unit``, shifted by the parameters x and y and turned about the centre."""
    level, key = content(fill, params, spec, where)
    shift = np.stack([np.floor(params["x"] * unit), np.floor(params["y"] * unit)], 1)
    arguments = {"unit": unit, "hole": hole, "shift": shift, "turn": np.stack(cosine_sine(angle), 1), "level": level}
    return Effect("dropout.grid", everywhere(len(spec)), arguments if key is None else {**arguments, "key": key})


def _units(size: NDArray, unit: str, spec: Spec) -> NDArray[np.float64]:
    """(B,) whole pixels, at least 2: in one pixel there is nothing between all and nothing."""
    return np.maximum(np.rint(size * (spec.size.min(1) if unit == "share" else 1)), 2)


@register
@final
class GridDropout(Transform):
    """Erase a square in every unit of a grid; boxes, masks and keypoints stay.

    Args:
        size: the side of a unit; unit: "share" of the shorter side of the canvas, or "pixel"; ratio: how much of a unit's side is erased;
        x, y: the offset of the grid, as shares of a unit; fill: shares of the value range, one or one per channel, or "noise".

    Example:
        >>> int((GridDropout(size=4, unit="pixel", ratio=0.5)(np.ones((8, 8), np.uint8), seed=0) == 0).sum())
        16
    """

    verb: ClassVar[str] = "mix"
    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)
    paper: ClassVar[str] = "Chen et al., GridMask data augmentation, 2020"

    size: SpaceLike = parameter(default=(0.1, 0.2), unit="shares of the shorter side (or pixels)", low=0, high=100_000)
    unit: str = option(default="share", choices=("share", "pixel"), doc="what size is counted in")
    ratio: SpaceLike = parameter(default=0.5, unit="shares of a unit's side", low=0, high=1, neutral=0)
    x: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of a unit", low=0, high=1)
    y: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of a unit", low=0, high=1)
    fill: Any = content_option()

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        unit = _units(params["size"], self.unit, spec)
        hole = np.rint(unit * params["ratio"])
        return [_grid(unit, hole, np.zeros(len(spec)), params, spec, self.fill, "GridDropout")]


@register
@final
class GridMask(Transform):
    """Keep a grid of bars and erase the squares between them; boxes, masks and keypoints stay.

    Args:
        size: the side of a unit, d in the paper (96 to 224 of 224 pixels there); unit: "share" of the shorter side of the canvas, or
            "pixel"; ratio: how much of a unit's side is kept, r in the paper, so that 1 - (1 - r)^2 of the image stays; angle: the grid
            turns about the centre; x, y: the offset of the grid, as shares of a unit; fill: shares of the value range, one or one per
            channel, or "noise".

    Example:
        >>> int((GridMask(size=4, unit="pixel", ratio=0.75)(np.ones((8, 8), np.uint8), seed=0) == 0).sum())
        4
    """

    verb: ClassVar[str] = "mix"
    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)
    paper: ClassVar[str] = "Chen et al., GridMask data augmentation, 2020"

    size: SpaceLike = parameter(default=(0.43, 1.0), unit="shares of the shorter side (or pixels)", low=0, high=100_000)
    unit: str = option(default="share", choices=("share", "pixel"), doc="what size is counted in")
    ratio: SpaceLike = parameter(default=0.6, unit="shares of a unit's side", low=0, high=1, neutral=1)
    angle: SpaceLike = parameter(default=0.0, unit="degrees", low=-360, high=360)
    x: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of a unit", low=0, high=1)
    y: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of a unit", low=0, high=1)
    fill: Any = content_option()

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        unit = _units(params["size"], self.unit, spec)
        return [_grid(unit, unit - np.rint(unit * params["ratio"]), params["angle"], params, spec, self.fill, "GridMask")]
