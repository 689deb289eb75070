"""Transforms that move pixels by maps that are not affine; annotations follow the same map, exactly."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core import affine
from vicinal.core.batch import Spec
from vicinal.core.bend import STEEPEST, Grid, Tiles, tamed
from vicinal.core.declare import is_size
from vicinal.core.draw import Draw
from vicinal.core.lens import Lens
from vicinal.core.space import SpaceLike
from vicinal.core.special import normal_quantile
from vicinal.core.spline import Spline
from vicinal.core.transform import Transform, option, parameter, register
from vicinal.core.warp import Warp
from vicinal.image.fields import Params, border_option, count_option, fill_option, interpolation_option

__all__ = [
    "ElasticTransform",
    "GridDistortion",
    "JigsawShuffle",
    "OpticalDistortion",
    "Perspective",
    "PiecewiseAffine",
    "ThinPlateSpline",
]


def grids(nodes: NDArray, strength: NDArray, size: NDArray) -> list[Grid | None]:
    """One grid a sample from nodes (B, r, c, 2), shrunk as far as it would fold; None where the strength is 0."""
    made = zip(tamed(nodes, size), size, strength != 0, strict=True)
    return [Grid(of, canvas) if amount else None for of, canvas, amount in made]


def evenly(draw: Draw, name: str, *shape: int) -> NDArray[np.float64]:
    """(B, *shape) numbers in [-1, 1)."""
    return 2 * draw.units(name, int(np.prod(shape))).reshape(-1, *shape) - 1


@register
@final
class Perspective(Transform):
    """See the canvas as if it were tilted: every corner moves by a share of the sides of its own; the canvas keeps its size.

    Args:
        amount: how far a corner moves at most along each side; below 0.25, so that the corners stay convex.

    Example:
        >>> Perspective(amount=0.1)(np.zeros((8, 8, 3), np.uint8), seed=0).shape
        (8, 8, 3)
    """

    verb: ClassVar[str] = "move"

    amount: SpaceLike = parameter(default=(0.0, 0.1), unit="shares of the sides", low=0, high=0.24, neutral=0)
    border: str = border_option()
    fill: float = fill_option()
    interpolation: str = interpolation_option()

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        return {"amount": self.value(draw, "amount"), "corners": evenly(draw, "corners", 4, 2)}

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        sides = spec.size[:, None, ::-1]
        corners = (np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]]) + params["corners"] * params["amount"][:, None, None]) * sides
        matrix = quadrilateral(corners)
        matrix[:, :, 0] /= spec.width[:, None]
        matrix[:, :, 1] /= spec.height[:, None]
        return [Warp.of(matrix, spec, None, self.border, self.fill, self.interpolation)]


def quadrilateral(corners: NDArray) -> NDArray[np.float64]:
    """(B, 3, 3) maps of the unit square onto convex corners (B, 4, 2), clockwise from the origin (Heckbert, 1989)."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = corners.transpose(1, 2, 0)
    ax, ay, bx, by, sx, sy = x1 - x2, y1 - y2, x3 - x2, y3 - y2, x0 - x1 + x2 - x3, y0 - y1 + y2 - y3
    det = ax * by - bx * ay
    g, h = (sx * by - bx * sy) / det, (ax * sy - sx * ay) / det
    rows = [[x1 - x0 + g * x1, x3 - x0 + h * x3, x0], [y1 - y0 + g * y1, y3 - y0 + h * y3, y0], [g, h, np.ones_like(g)]]
    return np.array(rows).transpose(2, 0, 1)


@register
@final
class ElasticTransform(Transform):
    """Displace every pixel by a smooth random field: a cubic spline through Gaussian nodes.

    Args:
        amplitude: standard deviation of the displacement along each axis; a field that would fold over is shrunk until it does not.
        smoothness: distance of the nodes, over which neighbouring displacements become independent.

    Example:
        >>> ElasticTransform(amplitude=3, smoothness=16)(np.zeros((64, 64), np.uint8), seed=0).shape
        (64, 64)
    """

    verb: ClassVar[str] = "move"
    paper: ClassVar[str] = "Simard et al., Best practices for convolutional neural networks applied to visual document analysis, 2003"
    keys: ClassVar[tuple[str, ...]] = ("key",)
    example: ClassVar[Mapping[str, Any]] = {"amplitude": (0, 3), "smoothness": 16}

    amplitude: SpaceLike = parameter(default=(0.0, 4.0), unit="pixels", low=0, high=1000, neutral=0)
    smoothness: SpaceLike = parameter(default=32.0, unit="pixels", low=2, high=10000)
    border: str = border_option()
    fill: float = fill_option()
    interpolation: str = interpolation_option()

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        given = zip(params["key"].tolist(), params["amplitude"].tolist(), params["smoothness"].tolist(), spec.size.tolist(), strict=True)
        bends = [Spline((one, two), far, distance, (h, w)) if far > 0 else None for (one, two), far, distance, (h, w) in given]
        return [Warp.bent_by(bends, spec, self.border, self.fill, self.interpolation)]


@register
@final
class GridDistortion(Transform):
    """Move the lines of a grid along each axis; between them the image is stretched or squeezed evenly.

    Args:
        cells: of the grid along each axis; amount: how far a line moves at most, as a share of a cell.

    Example:
        >>> GridDistortion(cells=4, amount=0.3)(np.zeros((64, 64), np.uint8), seed=0).shape
        (64, 64)
    """

    verb: ClassVar[str] = "move"

    cells: int = count_option(5, 2, 64, "cells of the grid along each axis")
    amount: SpaceLike = parameter(default=(0.0, 0.3), unit="shares of a cell", low=0, high=0.5, neutral=0)
    border: str = border_option()
    fill: float = fill_option()
    interpolation: str = interpolation_option()

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        return {"amount": self.value(draw, "amount"), "lines": evenly(draw, "lines", 2, self.cells - 1)}

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        shift = np.pad(params["lines"] * params["amount"][:, None, None], ((0, 0), (0, 0), (1, 1)))
        x, y = (shift[:, axis] * spec.size[:, 1 - axis, None] / self.cells for axis in (0, 1))
        nodes = np.stack(np.broadcast_arrays(x[:, None, :], y[:, :, None]), -1)
        return [Warp.bent_by(grids(nodes, params["amount"], spec.size), spec, self.border, self.fill, self.interpolation)]


@register
@final
class PiecewiseAffine(Transform):
    """Move the nodes of a grid, each in a direction of its own, and the image between them along.

    Args:
        cells: of the grid along each axis; amount: standard deviation of a node's shift, as a share of a cell, cut at two of them.

    Example:
        >>> PiecewiseAffine(cells=4, amount=0.1)(np.zeros((64, 64), np.uint8), seed=0).shape
        (64, 64)
    """

    verb: ClassVar[str] = "move"

    cells: int = count_option(4, 1, 64, "cells of the grid along each axis")
    amount: SpaceLike = parameter(default=(0.0, 0.1), unit="shares of a cell", low=0, high=0.3, neutral=0)
    border: str = border_option()
    fill: float = fill_option()
    interpolation: str = interpolation_option()

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        shifts = normal_quantile(draw.units("nodes", 2 * (self.cells + 1) ** 2)).clip(-2, 2)
        return {"amount": self.value(draw, "amount"), "nodes": shifts.reshape(-1, self.cells + 1, self.cells + 1, 2)}

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        cell = spec.size[:, None, None, ::-1] / self.cells
        nodes = params["nodes"] * params["amount"][:, None, None, None] * cell
        return [Warp.bent_by(grids(nodes, params["amount"], spec.size), spec, self.border, self.fill, self.interpolation)]


@register
@final
class ThinPlateSpline(Transform):
    """Move the nodes of a coarse grid and let a thin plate, bent as little as possible, carry the image along.

    Args:
        cells: of the grid along each axis; amount: standard deviation of a node's shift, as a share of the canvas, cut at two of them.

    Example:
        >>> ThinPlateSpline(amount=0.05)(np.zeros((64, 64), np.uint8), seed=0).shape
        (64, 64)
    """

    verb: ClassVar[str] = "move"
    paper: ClassVar[str] = "Bookstein, Principal warps: thin-plate splines and the decomposition of deformations, 1989"

    cells: int = count_option(3, 1, 16, "cells of the grid along each axis")
    amount: SpaceLike = parameter(default=(0.0, 0.05), unit="shares of the canvas", low=0, high=0.3, neutral=0)
    border: str = border_option()
    fill: float = fill_option()
    interpolation: str = interpolation_option()

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        shifts = normal_quantile(draw.units("nodes", 2 * (self.cells + 1) ** 2)).clip(-2, 2)
        return {"amount": self.value(draw, "amount"), "nodes": shifts.reshape(-1, (self.cells + 1) ** 2, 2)}

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        shifts = params["nodes"] * params["amount"][:, None, None] * spec.size[:, None, ::-1]
        bends: list[Grid | None] = [None] * len(spec)
        for fine, rows in by_fineness(spec, 3 * self.cells):
            nodes = (_plate(self.cells, fine) @ shifts[rows]).reshape(len(rows), fine, fine, 2)
            place(bends, rows, grids(nodes, params["amount"][rows], spec.size[rows]))
        return [Warp.bent_by(bends, spec, self.border, self.fill, self.interpolation)]


def by_fineness(spec: Spec, least: int = 1) -> Iterator[tuple[int, NDArray]]:
    """How many nodes along each axis stand for a smooth map, by the size of the canvas; and the samples of that size."""
    nodes = np.maximum(np.where(spec.size.max(1) <= 64, 17, 33), least)
    for fine in np.unique(nodes):
        yield int(fine), np.flatnonzero(nodes == fine)


def place(bends: list[Grid | None], rows: NDArray, made: list[Grid | None]) -> None:
    """Put the bends of some samples in their places."""
    for row, bend in zip(rows, made, strict=True):
        bends[row] = bend


@lru_cache(maxsize=64)
def _plate(cells: int, nodes: int) -> NDArray[np.float64]:
    """(nodes^2, (cells + 1)^2) values of a thin-plate spline at fine nodes from its values at coarse ones, on the unit square."""
    lines = (np.linspace(0, 1, cells + 1), np.linspace(0, 1, nodes))
    knots, fine = (np.stack(np.meshgrid(line, line), -1).reshape(-1, 2) for line in lines)
    system = np.zeros((len(knots) + 3, len(knots) + 3))
    system[:-3, :-3], system[:-3, -3:] = _bending(knots, knots), np.column_stack([np.ones(len(knots)), knots])
    system[-3:, :-3] = system[:-3, -3:].T
    values = np.vstack([np.eye(len(knots)), np.zeros((3, len(knots)))])
    return np.column_stack([_bending(fine, knots), np.ones(len(fine)), fine]) @ np.linalg.solve(system, values)


def _bending(a: NDArray, b: NDArray) -> NDArray[np.float64]:
    square = ((a[:, None] - b) ** 2).sum(-1)
    return square * np.log(np.maximum(square, 1e-300))


@register
@final
class OpticalDistortion(Transform):
    """The distortion of a lens about a point near the centre: barrel for positive ``k``, pincushion for negative.

    Args:
        k: with model "camera", a place at radius r (in halves of the longer side) comes from radius r (1 + k r^2); with "fisheye", from
            radius tan(k r) / k, and of negative k from arctan(k r) / k.
        x, y: where the axis of the lens lies, from the centre.

    Example:
        >>> OpticalDistortion(k=0.2)(np.zeros((64, 64), np.uint8), seed=0).shape
        (64, 64)
    """

    version: ClassVar[int] = 2  # a camera's law itself, where there was a grid of its values
    verb: ClassVar[str] = "move"
    paper: ClassVar[str] = "Brown, Decentering distortion of lenses, 1966"

    k: SpaceLike = parameter(default=(-0.1, 0.2), unit="", low=-0.8, high=0.8, neutral=0)
    x: SpaceLike = parameter(default=0.0, unit="shares of the width", low=-0.5, high=0.5)
    y: SpaceLike = parameter(default=0.0, unit="shares of the height", low=-0.5, high=0.5)
    model: str = option(default="camera", choices=("camera", "fisheye"), doc="the law of the radius")
    border: str = border_option()
    fill: float = fill_option()
    interpolation: str = interpolation_option()

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        bends = self._camera(params, spec) if self.model == "camera" else self._fisheye(params, spec)
        return [Warp.bent_by(bends, spec, self.border, self.fill, self.interpolation)]

    def _camera(self, params: Params, spec: Spec) -> list[Lens | None]:
        k, x, y = (params[name] for name in ("k", "x", "y"))
        corner = ((np.abs(x) + 0.5) * spec.width) ** 2 + ((np.abs(y) + 0.5) * spec.height) ** 2
        # The slope of the displacement is least along the radius, at the end: three times the strength.
        strength = np.maximum(k * (2 / spec.size.max(1)) ** 2, -STEEPEST / (3 * corner))
        numbers = np.stack([(x + 0.5) * spec.width, (y + 0.5) * spec.height, strength, np.sqrt(corner)], 1)
        return [Lens(lens) if bent else None for lens, bent in zip(numbers, (k != 0).tolist(), strict=True)]

    def _fisheye(self, params: Params, spec: Spec) -> list[Grid | None]:
        lens = np.stack([params["x"], params["y"]], 1)
        bends: list[Grid | None] = [None] * len(spec)
        for fine, rows in by_fineness(spec):
            away, radius = _about(lens[rows], spec.size[rows], fine)
            nodes = away * (_turned(params["k"][rows, None, None], radius) - 1)[..., None]
            place(bends, rows, grids(nodes, params["k"][rows], spec.size[rows]))
        return bends


def _about(axis: NDArray, size: NDArray, fine: int) -> tuple[NDArray, NDArray]:
    """Where (B, fine, fine) nodes lie from the axes (B, 2) of lenses, and how far in halves of the longer side."""
    line = np.linspace(-0.5, 0.5, fine)
    away = (np.stack(np.meshgrid(line, line), -1) - axis[:, None, None]) * size[:, None, None, ::-1]
    return away, np.hypot(away[..., 0], away[..., 1]) * (2 / size.max(1))[:, None, None]


def _turned(k: NDArray, radius: NDArray) -> NDArray[np.float64]:
    """Radius of the source over radius of the place, of a fisheye."""
    turned = k * np.maximum(radius, 1e-9)
    law = np.where(turned > 0, np.tan(np.clip(turned, 0, 1.4)), np.arctan(turned))
    return np.divide(law, turned, out=np.ones_like(law), where=turned != 0)


@register
@final
class JigsawShuffle(Transform):
    """Cut the canvas into tiles and let them change places; a box goes with the tile that holds most of it.

    Args:
        tiles: along each axis, or (rows, columns). Where the canvas does not divide evenly, tiles of one size change places.

    Example:
        >>> sorted(JigsawShuffle(tiles=(1, 2))(np.array([[1, 2]], np.uint8), seed=0).ravel().tolist())
        [1, 2]
    """

    verb: ClassVar[str] = "move"
    paper: ClassVar[str] = "Noroozi and Favaro, Unsupervised learning of visual representations by solving jigsaw puzzles, 2016"

    tiles: int | tuple[int, int] = option(
        default=4, expected="a whole number of 1 or more, or (rows, columns)", admits=is_size, doc="along each axis"
    )

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        rows, columns = self._both()
        return {"order": draw.units("order", rows * columns)}

    def _both(self) -> tuple[int, int]:
        return self.tiles if isinstance(self.tiles, tuple) else (self.tiles, self.tiles)

    def lower(self, params: Params, spec: Spec) -> list[Warp]:
        alike: dict[tuple[int, ...], list[int]] = {}
        for sample, size in enumerate(map(tuple, spec.size.tolist())):
            alike.setdefault(size, []).append(sample)
        bends: list[Any] = [None] * len(spec)
        for size, samples in alike.items():
            for sample, tiles in zip(samples, tiled(size, self._both(), params["order"][samples]), strict=True):
                bends[sample] = tiles
        return [Warp.of(affine.identity(len(spec)), spec).with_bends(bends)]


def tiled(size: tuple[int, ...], counts: tuple[int, int], order: NDArray) -> list[Tiles]:
    """Tiles of canvases of one size; in each, those of one size are sorted anew by its numbers ``order`` (B, n)."""
    edges = [np.floor(np.arange(count + 1) * side / count + 0.5).astype(np.int64) for side, count in zip(size, counts, strict=True)]
    sizes = np.stack(np.meshgrid(*map(np.diff, edges), indexing="ij"), -1).reshape(-1, 2)
    places = np.tile(np.arange(len(sizes)), (len(order), 1))
    for form in np.unique(sizes, axis=0):
        alike = np.flatnonzero((sizes == form).all(1))
        places[:, alike] = alike[np.argsort(order[:, alike], 1)]
    return [Tiles(edges[0], edges[1], row) for row in places]
