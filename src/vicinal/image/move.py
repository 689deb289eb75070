"""Transforms that move pixels: every one is a map between canvases, and annotations follow the same map."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core import affine
from vicinal.core.batch import Spec, some
from vicinal.core.space import SpaceLike
from vicinal.core.transform import Transform, option, parameter, register
from vicinal.core.warp import Warp
from vicinal.image.fields import Params, antialias_option, border_option, fill_option, interpolation_option, switch

__all__ = ["D4", "Affine", "HorizontalFlip", "RandomRotate90", "Rotate", "Scale", "Shear", "Translate", "Transpose", "VerticalFlip"]


def mirror(spec: Spec, axis: int) -> NDArray[np.float64]:
    """(B, 3, 3) reflections of the canvas along x (0) or y (1)."""
    matrix = affine.identity(len(spec))
    matrix[:, axis, axis] = -1
    matrix[:, axis, 2] = spec.size[:, 1 - axis]
    return matrix


@register
@final
class HorizontalFlip(Transform):
    """Mirror left and right.

    Example:
        >>> HorizontalFlip()(np.array([[1, 2, 3]], np.uint8), seed=0).tolist()
        [[3, 2, 1]]
    """

    verb: ClassVar[str] = "move"

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        return [Warp.of(mirror(spec, 0), spec)]


@register
@final
class VerticalFlip(Transform):
    """Mirror top and bottom.

    Example:
        >>> VerticalFlip()(np.array([[1], [2]], np.uint8), seed=0).tolist()
        [[2], [1]]
    """

    verb: ClassVar[str] = "move"

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        return [Warp.of(mirror(spec, 1), spec)]


@register
@final
class Transpose(Transform):
    """Swap rows and columns.

    Example:
        >>> Transpose()(np.array([[1, 2], [3, 4]], np.uint8), seed=0).tolist()
        [[1, 3], [2, 4]]
    """

    verb: ClassVar[str] = "move"

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        swap = np.tile(np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, 1]]), (len(spec), 1, 1))
        return [Warp.of(swap, spec, size=spec.size[:, ::-1])]


@register
@final
class RandomRotate90(Transform):
    """Turn by a multiple of 90 degrees, counter-clockwise as the image is shown; the canvas turns along.

    Example:
        >>> RandomRotate90(turns=1)(np.array([[1, 2]], np.uint8), seed=0).tolist()
        [[2], [1]]
    """

    verb: ClassVar[str] = "move"

    turns: SpaceLike = parameter(default={"choice": [0, 1, 2, 3]}, unit="quarter turns", low=0, high=3, neutral=0, integer=True)

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        return [symmetry(params["turns"].astype(np.int64), spec)]


# a, b, c and d of x' = a x + b y, y' = c x + d y
_SYMMETRIES = np.array(
    [(1, 0, 0, 1), (0, 1, -1, 0), (-1, 0, 0, -1), (0, -1, 1, 0), (-1, 0, 0, 1), (0, 1, 1, 0), (1, 0, 0, -1), (0, -1, -1, 0)]
).T


def symmetry(element: NDArray[np.int64], spec: Spec) -> Warp:
    """0 to 3 quarter turns counter-clockwise, or for 4 to 7 the same after a mirroring of left and right; the canvas turns along."""
    a, b, c, d = _SYMMETRIES.take(element, 1)
    matrix = np.zeros((len(spec), 3, 3))
    matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 0], matrix[:, 1, 1], matrix[:, 2, 2] = a, b, c, d, 1
    # Where an axis of the result runs against one of the source, the far side of the source comes to lie at 0.
    matrix[:, 0, 2] = (a < 0) * spec.width + (b < 0) * spec.height
    matrix[:, 1, 2] = (c < 0) * spec.width + (d < 0) * spec.height
    return Warp.of(matrix, spec, size=np.where((a == 0)[:, None], spec.size[:, ::-1], spec.size))


@register
@final
class D4(Transform):
    """One of the eight symmetries of the square: turned by quarter turns, mirrored or not; the canvas turns along.

    Args:
        element: 0 to 3 are quarter turns counter-clockwise, 4 to 7 the same after a mirroring of left and right.

    Example:
        >>> D4(element=6)(np.array([[1, 2], [3, 4]], np.uint8), seed=0).tolist()
        [[3, 4], [1, 2]]
    """

    verb: ClassVar[str] = "move"

    element: SpaceLike = parameter(default={"choice": list(range(8))}, unit="elements of the group", low=0, high=7, neutral=0, integer=True)

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        return [symmetry(params["element"].astype(np.int64), spec)]


@register
@final
class Rotate(Transform):
    """Turn about the centre of the canvas; positive angles are counter-clockwise as the image is shown.

    Args:
        expand: let the canvas grow (or shrink) until it holds the turned image whole; it keeps its size otherwise.

    Example:
        >>> Rotate(angle=(-15, 15))(np.zeros((8, 8, 3), np.uint8), seed=0).shape
        (8, 8, 3)
    """

    verb: ClassVar[str] = "move"
    example: ClassVar[Mapping[str, Any]] = {"angle": (-15, 15)}

    angle: SpaceLike = parameter(unit="degrees", low=-360, high=360, neutral=0)
    expand: bool = switch(False, "let the canvas hold the turned image whole")
    border: str = border_option()
    fill: float = fill_option()
    interpolation: str = interpolation_option()

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        cos, sin = cosine_sine(params["angle"])
        matrix = affine.planar(cos, sin, -sin, cos, spec.centre)
        if not self.expand:
            return [Warp.of(matrix, spec, None, self.border, self.fill, self.interpolation)]
        # A hair below, so that a right angle does not gain a pixel by rounding.
        turned = np.stack([abs(sin) * spec.width + abs(cos) * spec.height, abs(cos) * spec.width + abs(sin) * spec.height], 1)
        size = np.ceil(turned - 1e-6).astype(np.int64)
        matrix[:, :2, 2] += (size - spec.size)[:, ::-1] / 2
        return [Warp.of(matrix, spec, size, self.border, self.fill, self.interpolation)]


def cosine_sine(degrees: NDArray) -> tuple[NDArray, NDArray]:
    """(B,) cosines and sines, exact at multiples of 90 degrees."""
    radians = np.deg2rad(degrees)
    cos, sin = np.cos(radians), np.sin(radians)
    right = degrees % 90 == 0
    if some(right):
        cos, sin = np.where(right, np.rint(cos), cos), np.where(right, np.rint(sin), sin)
    return cos, sin


@register
@final
class Translate(Transform):
    """Shift by pixels, or by a share of the canvas; positive is right and down.

    Example:
        >>> Translate(x=1)(np.array([[1, 2, 3]], np.uint8), seed=0).tolist()
        [[0, 1, 2]]
    """

    verb: ClassVar[str] = "move"
    example: ClassVar[Mapping[str, Any]] = {"x": (-2, 2), "y": (-2, 2)}

    x: SpaceLike = parameter(default=0.0, unit="pixels (or shares of the width)", neutral=0)
    y: SpaceLike = parameter(default=0.0, unit="pixels (or shares of the height)", neutral=0)
    unit: str = option(default="pixel", choices=("pixel", "share"), doc="what x and y are counted in")
    border: str = border_option()
    fill: float = fill_option()
    interpolation: str = interpolation_option()

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        width, height = (spec.width, spec.height) if self.unit == "share" else (1, 1)
        matrix = affine.translation(params["x"] * width, params["y"] * height)
        return [Warp.of(matrix, spec, None, self.border, self.fill, self.interpolation)]


@register
@final
class Scale(Transform):
    """Enlarge (above 1) or shrink the content about the centre; the canvas keeps its size.

    Args:
        factor: of the area's square root; aspect: how much wider than high a square becomes.

    Example:
        >>> Scale(factor=(0.8, 1.25))(np.zeros((8, 8, 3), np.uint8), seed=0).shape
        (8, 8, 3)
    """

    verb: ClassVar[str] = "move"
    example: ClassVar[Mapping[str, Any]] = {"factor": (0.8, 1.25)}

    factor: SpaceLike = parameter(unit="times", low=0.01, high=100, neutral=1)
    aspect: SpaceLike = parameter(default=1.0, unit="times wider than high", low=0.01, high=100, neutral=1)
    border: str = border_option()
    fill: float = fill_option()
    interpolation: str = interpolation_option()
    antialias: bool = antialias_option(False)

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        root = np.sqrt(params["aspect"])
        matrix = affine.planar(params["factor"] * root, 0, 0, params["factor"] / root, spec.centre)
        return [Warp.of(matrix, spec, None, self.border, self.fill, self.interpolation, self.antialias)]


@register
@final
class Shear(Transform):
    """Slant about the centre: rows slide along x, columns along y.

    Example:
        >>> Shear(x=(-10, 10))(np.zeros((8, 8, 3), np.uint8), seed=0).shape
        (8, 8, 3)
    """

    verb: ClassVar[str] = "move"
    example: ClassVar[Mapping[str, Any]] = {"x": (-10, 10)}

    x: SpaceLike = parameter(default=0.0, unit="degrees", low=-80, high=80, neutral=0)
    y: SpaceLike = parameter(default=0.0, unit="degrees", low=-80, high=80, neutral=0)
    border: str = border_option()
    fill: float = fill_option()
    interpolation: str = interpolation_option()

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        matrix = affine.planar(*_shear(params["x"], params["y"]), spec.centre)
        return [Warp.of(matrix, spec, None, self.border, self.fill, self.interpolation)]


def _shear(x: NDArray, y: NDArray) -> tuple[Any, Any, Any, Any]:
    """((a, b), (c, d)) of a shear first along x, then along y, so that the determinant stays 1."""
    if not np.count_nonzero(x) and not np.count_nonzero(y):  # ``any`` at a third of its price
        return 1, 0, 0, 1
    along_x, along_y = np.tan(np.deg2rad(x)), np.tan(np.deg2rad(y))
    return 1, along_x, along_y, 1 + along_x * along_y


@register
@final
class Affine(Transform):
    """Scale, shear, rotate and shift in one map, in that order, about the centre of the canvas.

    Example:
        >>> Affine(angle=(-15, 15), scale=(0.9, 1.1), x=(-0.1, 0.1), unit="share")(np.zeros((8, 8, 3), np.uint8), seed=0).shape
        (8, 8, 3)
    """

    verb: ClassVar[str] = "move"
    example: ClassVar[Mapping[str, Any]] = {"angle": (-15, 15), "scale": (0.9, 1.1), "x": (-0.1, 0.1), "unit": "share"}

    angle: SpaceLike = parameter(default=0.0, unit="degrees", low=-360, high=360, neutral=0)
    scale: SpaceLike = parameter(default=1.0, unit="times", low=0.01, high=100, neutral=1)
    shear_x: SpaceLike = parameter(default=0.0, unit="degrees", low=-80, high=80, neutral=0)
    shear_y: SpaceLike = parameter(default=0.0, unit="degrees", low=-80, high=80, neutral=0)
    x: SpaceLike = parameter(default=0.0, unit="pixels (or shares of the width)", neutral=0)
    y: SpaceLike = parameter(default=0.0, unit="pixels (or shares of the height)", neutral=0)
    unit: str = option(default="pixel", choices=("pixel", "share"), doc="what x and y are counted in")
    border: str = border_option()
    fill: float = fill_option()
    interpolation: str = interpolation_option()
    antialias: bool = antialias_option(False)

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        width, height = (spec.width, spec.height) if self.unit == "share" else (1, 1)
        cos, sin, scale = *cosine_sine(params["angle"]), params["scale"]
        a, b, c, d = _shear(params["shear_x"], params["shear_y"])
        upper = scale * (cos * a + sin * c), scale * (cos * b + sin * d)
        lower = scale * (cos * c - sin * a), scale * (cos * d - sin * b)
        matrix = affine.planar(*upper, *lower, spec.centre, params["x"] * width, params["y"] * height)
        return [Warp.of(matrix, spec, None, self.border, self.fill, self.interpolation, self.antialias)]
