"""Crops that look at the annotations before they cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core import affine
from vicinal.core.batch import Spec
from vicinal.core.draw import Draw
from vicinal.core.transform import Transform, register
from vicinal.core.warp import Warp
from vicinal.image.fields import (
    Params,
    antialias_option,
    border_option,
    fill_option,
    interpolation_option,
    sides,
    size_option,
)

if TYPE_CHECKING:
    pass

__all__ = ["CropNonEmptyMask", "RandomSizedBBoxSafeCrop"]


@register
@final
class RandomSizedBBoxSafeCrop(Transform):
    """A random window that holds every box whole, resized to ``size``; without boxes, a window around a random point.

    Each side of the window lies anywhere between the side of the canvas and that of the smallest box around all boxes.

    Example:
        >>> out = RandomSizedBBoxSafeCrop(size=4)(image=np.zeros((8, 8, 3), np.uint8), boxes=[[2, 2, 6, 6]], seed=0)
        >>> out["image"].shape, len(out["boxes"])
        ((4, 4, 3), 1)
    """

    verb: ClassVar[str] = "move"
    version: ClassVar[int] = 2
    looks: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"size": 32}

    size: int | tuple[int, int] = size_option()
    interpolation: str = interpolation_option()
    antialias: bool = antialias_option(True)

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        room, point = draw.units("room", 4), draw.units("point", 2)
        canvas = spec.size[:, ::-1]
        hull = np.full((len(spec), 4), np.nan) if spec.scene is None else spec.scene.hulls()
        hull = np.where(np.isnan(hull), np.tile(point * canvas, 2), hull)
        hull = np.clip(hull, 0, np.tile(canvas, 2))
        low, high = hull[:, :2] * room[:, :2], hull[:, 2:] + (canvas - hull[:, 2:]) * room[:, 2:]
        # At least a pixel, where boxes and point leave nothing.
        high = np.minimum(np.maximum(high, low + 1), canvas)
        return {"window": np.concatenate([np.minimum(low, high - 1), high], 1)}

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        window, size = params["window"], sides(self.size, len(spec))
        factor = size[:, ::-1] / (window[:, 2:] - window[:, :2])
        matrix = affine.identity(len(spec))
        matrix[:, [0, 1], [0, 1]], matrix[:, :2, 2] = factor, -window[:, :2] * factor
        return [Warp.of(matrix, spec, size, None, 0.0, self.interpolation, self.antialias)]


@register
@final
class CropNonEmptyMask(Transform):
    """A window that holds a random pixel of the mask that is not 0; without such a pixel, a window anywhere. Smaller canvases are padded.

    Example:
        >>> mask = np.zeros((9, 9), np.uint8)
        >>> mask[8, 8] = 1
        >>> int(CropNonEmptyMask(size=4)(image=np.zeros((9, 9, 3), np.uint8), mask=mask, seed=0)["mask"].sum())
        1
    """

    verb: ClassVar[str] = "move"
    looks: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"size": 24}

    size: int | tuple[int, int] = size_option()
    border: str = border_option()
    fill: float = fill_option()

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        pixel, place, anywhere = draw.unit("pixel"), draw.units("place", 2), draw.units("anywhere", 2)
        canvas, size = spec.size[:, ::-1], sides(self.size, len(spec))[:, ::-1]
        spot = np.full((len(spec), 2), np.nan) if spec.scene is None else spec.scene.spots(pixel)
        off = np.any(np.isnan(spot) | (spot < 0) | (spot >= canvas), axis=1, keepdims=True)
        spot = np.where(off, anywhere * canvas, spot)
        corner = np.floor(spot) - np.floor(place * size)
        room = np.maximum(canvas - size, 0)
        padded = np.floor((canvas - size) / 2)
        return {"corner": np.where(size > canvas, padded, np.clip(corner, 0, room))}

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        shift = affine.translation(*-params["corner"].T)
        return [Warp.of(shift, spec, sides(self.size, len(spec)), self.border, self.fill)]
