"""Crops that look at the annotations before they cut, and crops by the number of the view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core import affine
from vicinal.core.batch import Spec
from vicinal.core.compose import Compose, Group
from vicinal.core.draw import Draw
from vicinal.core.errors import ParameterError
from vicinal.core.transform import Transform, register
from vicinal.core.warp import Warp
from vicinal.image.fields import (
    Params,
    antialias_option,
    border_option,
    count_option,
    fill_option,
    interpolation_option,
    is_size,
    sides,
    size_option,
)

if TYPE_CHECKING:
    from vicinal.core.plan import Builder

__all__ = ["CornerCrop", "CropNonEmptyMask", "FiveCrop", "RandomSizedBBoxSafeCrop", "TenCrop"]


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


@register
@final
class CornerCrop(Transform):
    """A corner or the middle, by the number of the view: upper left, upper right, lower left, lower right, centre; then mirrored.

    Args:
        size: of the window; crops: 5, or 10 with the mirrored ones.

    Example:
        >>> [CornerCrop(size=1)(np.array([[1, 2], [3, 4]], np.uint8), seed=0, view=view).item() for view in range(4)]
        [1, 2, 3, 4]
    """

    verb: ClassVar[str] = "move"
    example: ClassVar[Mapping[str, Any]] = {"size": 24}

    size: int | tuple[int, int] = size_option()
    crops: int = count_option(5, 5, 10, "5, or 10 with the mirrored ones")
    border: str = border_option()
    fill: float = fill_option()

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        return {"place": draw.address.view % self.crops}

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        place, size = params["place"] % 5, sides(self.size, len(spec))
        x, y = np.array([0, 1, 0, 1, 0.5])[place], np.array([0, 0, 1, 1, 0.5])[place]
        left, top = (np.floor((spec.size[:, axis] - size[:, axis]) * at + 0.5) for axis, at in ((1, x), (0, y)))
        matrix = affine.translation(-left, -top)
        flip = params["place"] >= 5
        matrix[flip, 0] = -matrix[flip, 0]
        matrix[flip, 0, 2] += size[flip, 1]
        return [Warp.of(matrix, spec, size, self.border, self.fill)]


def _views_faults(node: FiveCrop | TenCrop) -> list[ParameterError]:
    if is_size(node.size):
        return []
    return [ParameterError(f"{type(node).__name__}.size", "a whole number of 1 or more, or (height, width)", repr(node.size), "size=224")]


@register
@final
class FiveCrop(Group):
    """Five views: the four corners and the centre, each followed by the operations that are given. Stands at the top of a policy.

    Args:
        of: what follows each crop; size: of the crops, in pixels.

    Example:
        >>> import vicinal as v
        >>> [crop.shape for crop in v.FiveCrop([v.Grayscale()], size=48)(np.zeros((80, 120, 3), np.uint8), seed=0)][:2]
        [(48, 48, 3), (48, 48, 3)]
    """

    size: int | tuple[int, int] = field(default=224, kw_only=True)
    crops: ClassVar[int] = 5

    def more_faults(self) -> list[ParameterError]:
        return _views_faults(self)

    @property
    def views(self) -> int | None:
        return self.crops

    def emit_root(self, build: Builder, on: NDArray[np.bool_]) -> None:
        self.emit(build, "", on)

    def emit(self, build: Builder, path: str, on: NDArray[np.bool_]) -> None:
        Compose((CornerCrop(size=self.size, crops=self.crops), *self.of)).emit(build, path, on)


@register
@final
class TenCrop(Group):
    """Ten views: FiveCrop, and the same mirrored left to right. Stands at the top of a policy.

    Args:
        of: what follows each crop; size: of the crops, in pixels.

    Example:
        >>> import vicinal as v
        >>> len(v.TenCrop([], size=48)(np.zeros((80, 120, 3), np.uint8), seed=0))
        10
    """

    size: int | tuple[int, int] = field(default=224, kw_only=True)
    crops: ClassVar[int] = 10

    def more_faults(self) -> list[ParameterError]:
        return _views_faults(self)

    @property
    def views(self) -> int | None:
        return self.crops

    def emit_root(self, build: Builder, on: NDArray[np.bool_]) -> None:
        self.emit(build, "", on)

    def emit(self, build: Builder, path: str, on: NDArray[np.bool_]) -> None:
        Compose((CornerCrop(size=self.size, crops=self.crops), *self.of)).emit(build, path, on)
