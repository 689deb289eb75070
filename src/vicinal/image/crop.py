"""Transforms that change the canvas: crops, padding and resizing."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core import affine
from vicinal.core.batch import Spec, changed, filled
from vicinal.core.space import SpaceLike
from vicinal.core.transform import Transform, option, parameter, register
from vicinal.core.warp import NONE, Warp
from vicinal.image.fields import Params, antialias_option, border_option, fill_option, interpolation_option, sides, size_option
from vicinal.image.resize import scaled, stretched

__all__ = ["CenterCrop", "Pad", "RandomCrop", "RandomResizedCrop", "Resize"]


@final
class _Room(NamedTuple):
    """(B, 2) windows of one size, by how many pixels each canvas is larger, the last of the places that a window has along each axis, how
    many these are, and (B,) where the window is larger than the canvas along some axis, None where it never is."""

    size: NDArray[np.int64]
    free: NDArray[np.float64]
    last: NDArray[np.float64]
    places: NDArray[np.float64]
    small: NDArray[np.bool_] | None


@lru_cache(maxsize=64)
def _room(spec: Spec, size: int | tuple[int, int]) -> _Room:
    """The room that is left on the canvases of a batch, which often are those of the last."""
    windows = sides(size, len(spec))
    windows.setflags(write=False)
    free = np.subtract(spec.size, windows, dtype=np.float64)
    small = np.any(free < 0, axis=1)
    return _Room(windows, free, np.abs(free), np.abs(free) + 1, small if small.any() else None)


def _crop(spec: Spec, room: _Room, start: NDArray, border: str, fill: float) -> Warp:
    """A window that begins at (B, 2) pixels, y before x; where the canvas is smaller, the border shows."""
    matrix = affine.identity(len(start))
    np.negative(start[:, ::-1], out=matrix[:, :2, 2])
    # Sample by sample: a canvas that is large enough needs no border, whatever its neighbours in the batch need.
    if room.small is None:
        return Warp.of(matrix, spec, room.size, None, fill)
    warp = Warp.of(matrix, spec, room.size, border, fill)
    return changed(warp, border=np.where(room.small, warp.border, np.int8(NONE)))


@register
@final
class CenterCrop(Transform):
    """The middle of the canvas; a smaller canvas is padded to the size.

    Example:
        >>> CenterCrop(size=2)(np.arange(16, dtype=np.uint8).reshape(4, 4), seed=0).tolist()
        [[5, 6], [9, 10]]
    """

    verb: ClassVar[str] = "move"
    example: ClassVar[Mapping[str, Any]] = {"size": 24}

    size: int | tuple[int, int] = size_option()
    border: str = border_option()
    fill: float = fill_option()

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        room = _room(spec, self.size)
        return [_crop(spec, room, np.floor(room.free * 0.5 + 0.5), self.border, self.fill)]


@register
@final
class RandomCrop(Transform):
    """A window anywhere on the canvas, every place equally likely; a smaller canvas is padded to the size.

    Example:
        >>> RandomCrop(size=(2, 3))(np.zeros((8, 8, 3), np.uint8), seed=0).shape
        (2, 3, 3)
    """

    verb: ClassVar[str] = "move"
    example: ClassVar[Mapping[str, Any]] = {"size": 24}

    size: int | tuple[int, int] = size_option()
    x: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)
    y: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)
    border: str = border_option()
    fill: float = fill_option()

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        room = _room(spec, self.size)
        share = np.empty(room.free.shape)
        share[:, 0], share[:, 1] = params["y"], params["x"]
        # The room is one pixel wider than the difference, so that the first and the last place are as likely as the others.
        start = np.minimum(np.floor(share * room.places), room.last)
        return [_crop(spec, room, start if room.small is None else np.copysign(start, room.free), self.border, self.fill)]


@register
@final
class RandomResizedCrop(Transform):
    """A window of random area and aspect ratio, resized to ``size``; the aspect gives way where the window would not fit.

    Args:
        size: the new canvas; scale: share of the area; ratio: width over height, drawn in the logarithm; x, y: where the window lies.

    The window that would not fit is shortened at once, where the paper tries ten times and then takes the centre: no draw is repeated.

    Example:
        >>> RandomResizedCrop(size=4)(np.zeros((8, 9, 3), np.uint8), seed=0).shape
        (4, 4, 3)
    """

    verb: ClassVar[str] = "move"
    version: ClassVar[int] = 2
    paper: ClassVar[str] = "Szegedy et al., Going deeper with convolutions, 2015"
    example: ClassVar[Mapping[str, Any]] = {"size": 32}

    size: int | tuple[int, int] = size_option()
    scale: SpaceLike = parameter(default=(0.08, 1.0), unit="shares of the area", low=0.0001, high=1, neutral=1)
    ratio: SpaceLike = parameter(default={"log": [3 / 4, 4 / 3]}, unit="times wider than high", low=0.01, high=100, neutral=1)
    x: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)
    y: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the free room", low=0, high=1)
    interpolation: str = interpolation_option()
    antialias: bool = antialias_option(True)

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        canvas, side, share = spec.size.astype(np.float64), np.empty((len(spec), 2)), np.empty((len(spec), 2))
        area = params["scale"] * canvas[:, 1] * canvas[:, 0]
        np.divide(area, params["ratio"], out=side[:, 0])
        np.multiply(area, params["ratio"], out=side[:, 1])
        side, share[:, 0], share[:, 1] = np.minimum(np.sqrt(side), canvas), params["y"], params["x"]
        size = sides(self.size, len(spec))
        matrix = stretched(size / side, (canvas - side) * share)
        return [Warp.of(matrix, spec, size, None, 0.0, self.interpolation, self.antialias)]


@register
@final
class Resize(Transform):
    """The whole canvas on a new one; averages over the footprint of a pixel where it shrinks.

    Example:
        >>> Resize(size=(2, 3))(np.zeros((8, 8, 3), np.uint8), seed=0).shape
        (2, 3, 3)
    """

    verb: ClassVar[str] = "move"
    version: ClassVar[int] = 2
    example: ClassVar[Mapping[str, Any]] = {"size": 24}

    size: int | tuple[int, int] = size_option()
    interpolation: str = interpolation_option()
    antialias: bool = antialias_option(True)

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        return [scaled(sides(self.size, len(spec)), spec, self.interpolation, self.antialias)]


def _is_margin(value: object) -> bool:
    margins = value if isinstance(value, tuple) else (value,)
    return len(margins) in (1, 4) and all(isinstance(m, int) and not isinstance(m, bool) and m >= 0 for m in margins)


@register
@final
class Pad(Transform):
    """A wider canvas.

    Args:
        by: pixels on every side, or (left, top, right, bottom).

    Example:
        >>> Pad(by=1)(np.ones((1, 1), np.uint8), seed=0).tolist()
        [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    """

    verb: ClassVar[str] = "move"
    example: ClassVar[Mapping[str, Any]] = {"by": 4}

    by: int | tuple[int, int, int, int] = option(
        expected="whole numbers of 0 or more: one, or (left, top, right, bottom)", admits=_is_margin, doc="pixels on each side"
    )
    border: str = border_option()
    fill: float = fill_option()

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        left, top, right, bottom = self.by if isinstance(self.by, tuple) and len(self.by) == 4 else np.resize(self.by, 4)
        size = spec.size + np.array([top + bottom, left + right])
        shift = affine.translation(filled(len(spec), left), top)
        return [Warp.of(shift, spec, size, self.border, self.fill)]
