"""Transforms that resize or pad by rules that depend on the shape of the canvas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core import affine
from vicinal.core.batch import Spec
from vicinal.core.space import SpaceLike
from vicinal.core.transform import Transform, parameter, register
from vicinal.core.warp import Warp
from vicinal.image.fields import (
    Params,
    antialias_option,
    border_option,
    fill_option,
    interpolation_option,
    side_option,
    sides,
    size_option,
)

__all__ = ["Letterbox", "LongestMaxSize", "PadIfNeeded", "RandomScale", "SmallestMaxSize"]


def scaled(size: NDArray, spec: Spec, interpolation: str, antialias: bool) -> Warp:
    """The whole canvas on another one of (B, 2) pixels."""
    return Warp.of(stretched(size / spec.size), spec, size, None, 0.0, interpolation, antialias)


def stretched(factor: NDArray, start: NDArray | None = None) -> NDArray[np.float64]:
    """(B, 3, 3) maps that scale by (B, 2) factors, y before x, what begins at (B, 2) pixels."""
    matrix = affine.identity(len(factor))
    flat = matrix.reshape(-1, 9)
    flat[:, 4::-4] = factor  # both of a kind at once: there are few samples, and every call costs as much as they do
    if start is not None:
        flat[:, 5::-3] = -start * factor
    return matrix


def rounded(size: NDArray) -> NDArray[np.int64]:
    """Whole pixels, at least one."""
    return np.maximum(size + 0.5, 1).astype(np.int64)


@register
@final
class LongestMaxSize(Transform):
    """Resize so that the longer side has ``size`` pixels; the aspect ratio stays.

    Example:
        >>> LongestMaxSize(size=4)(np.zeros((8, 16, 3), np.uint8), seed=0).shape
        (2, 4, 3)
    """

    verb: ClassVar[str] = "move"
    version: ClassVar[int] = 2
    example: ClassVar[Mapping[str, Any]] = {"size": 24}

    size: int = side_option()
    interpolation: str = interpolation_option()
    antialias: bool = antialias_option(True)

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        size = rounded(spec.size * (self.size / spec.size.max(1))[:, None])
        return [scaled(size, spec, self.interpolation, self.antialias)]


@register
@final
class SmallestMaxSize(Transform):
    """Resize so that the shorter side has ``size`` pixels; the aspect ratio stays.

    Example:
        >>> SmallestMaxSize(size=4)(np.zeros((8, 16, 3), np.uint8), seed=0).shape
        (4, 8, 3)
    """

    verb: ClassVar[str] = "move"
    version: ClassVar[int] = 2
    example: ClassVar[Mapping[str, Any]] = {"size": 24}

    size: int = side_option()
    interpolation: str = interpolation_option()
    antialias: bool = antialias_option(True)

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        size = rounded(spec.size * (self.size / spec.size.min(1))[:, None])
        return [scaled(size, spec, self.interpolation, self.antialias)]


@register
@final
class RandomScale(Transform):
    """Resize canvas and content by a factor (Scale keeps the canvas); the aspect ratio stays.

    Example:
        >>> RandomScale(factor=1.5)(np.zeros((8, 16, 3), np.uint8), seed=0).shape
        (12, 24, 3)
    """

    verb: ClassVar[str] = "move"
    version: ClassVar[int] = 2

    factor: SpaceLike = parameter(default={"log": [0.8, 1.25]}, unit="times", low=0.01, high=100, neutral=1)
    interpolation: str = interpolation_option()
    antialias: bool = antialias_option(True)

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        return [scaled(rounded(spec.size * params["factor"][:, None]), spec, self.interpolation, self.antialias)]


@register
@final
class Letterbox(Transform):
    """Resize to fit into ``size`` with the aspect ratio kept, centred, the rest filled: what detectors are fed.

    Example:
        >>> Letterbox(size=4, fill=1)(np.zeros((4, 8), np.uint8), seed=0).tolist()
        [[255, 255, 255, 255], [0, 0, 0, 0], [0, 0, 0, 0], [255, 255, 255, 255]]
    """

    verb: ClassVar[str] = "move"
    version: ClassVar[int] = 2
    example: ClassVar[Mapping[str, Any]] = {"size": 24}

    size: int | tuple[int, int] = size_option()
    border: str = border_option()
    fill: float = fill_option()
    interpolation: str = interpolation_option()
    antialias: bool = antialias_option(True)

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        size = sides(self.size, len(spec))
        inner = rounded(spec.size * (size / spec.size).min(1)[:, None])
        first = scaled(inner, spec, self.interpolation, self.antialias)
        # One warp: a second one would not know the canvas of samples that are not concerned.
        return [first.then(centred(size, spec.but(size=inner), self.border, self.fill))]


def centred(size: NDArray, spec: Spec, border: str, fill: float) -> Warp:
    """The canvas in the middle of another one of (B, 2) pixels."""
    top, left = ((size - spec.size) // 2).T
    return Warp.of(affine.translation(left, top), spec, size, border, fill)


@register
@final
class PadIfNeeded(Transform):
    """A canvas of at least ``size``: what is too small is padded evenly on both sides, nothing is cut.

    Example:
        >>> PadIfNeeded(size=(2, 3))(np.ones((4, 1), np.uint8), seed=0).tolist()
        [[0, 1, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0]]
    """

    verb: ClassVar[str] = "move"
    example: ClassVar[Mapping[str, Any]] = {"size": 64}

    size: int | tuple[int, int] = size_option()
    border: str = border_option()
    fill: float = fill_option()

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        return [centred(np.maximum(sides(self.size, len(spec)), spec.size), spec, self.border, self.fill)]
