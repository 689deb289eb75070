"""Maps of a canvas onto itself that no matrix says, one object a sample; each knows both directions of the very same map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.polygon import area, clip

_ROUNDS, _CLOSE = 40, 1e-7
CACHED = 1 << 16  # numbers whose intermediate results stay in the cache
STEEPEST = 0.8  # see ``steepest``: from 1 on a map folds over
SLACK = 1e-9  # what is that much steeper than it may be is looked at again, so that no rounding decides
_EDGE = 1e-6  # pixels: a point on the edge of the canvas is on it, whatever rounding made of it


class Bend(Protocol):
    """A map of a canvas, continuous coordinates (n, 2), x before y."""

    def source(self, points: NDArray) -> NDArray[np.float64]:
        """Where places of the result come from."""
        ...

    def target(self, points: NDArray) -> NDArray[np.float64]:
        """Where places go: the inverse of ``source``."""
        ...


@final
@dataclass(frozen=True, eq=False)
class Grid:
    """Displacements at the nodes of a grid stretched over the canvas, bilinear between them, constant beyond the edges.

    The map *is* this piecewise bilinear one, so pixels and annotations follow the same map to the last digit.

    Args:
        nodes: (rows, columns, 2) pixels to add to a place of the result to get to its source; at least 2 rows and columns.
        size: (2,) height and width of the canvas.

    Example:
        >>> grid = Grid(np.full((2, 2, 2), 3.0), np.array([8, 8]))
        >>> grid.source(np.array([[1.0, 1.0]])).tolist(), grid.target(np.array([[4.0, 4.0]])).round(6).tolist()
        ([[4.0, 4.0]], [[1.0, 1.0]])
    """

    nodes: NDArray[np.float64]
    size: NDArray[np.int64]

    @property
    def step(self) -> NDArray[np.float64]:
        """(2,) pixels between nodes, x before y."""
        return self.size[::-1] / (np.array(self.nodes.shape[1::-1]) - 1)

    def source(self, points: NDArray) -> NDArray[np.float64]:
        return points + self._at(points)[0]

    def target(self, points: NDArray) -> NDArray[np.float64]:
        """Newton's method, with shorter steps where a whole one would lead away; exact to 1e-7 px where the map does not fold."""
        found = np.array(points, np.float64)
        for _ in range(_ROUNDS):
            moved, slope = self._at(found)
            rest = found + moved - points
            far = (rest**2).sum(1)
            if not len(far) or far.max() < _CLOSE**2:
                break
            found = self._stepped(points, found, _solved(slope, rest), far)
        return found

    def _stepped(self, points: NDArray, found: NDArray, step: NDArray, far: NDArray) -> NDArray[np.float64]:
        """The longest of a few steps that comes nearer; steps across a kink between cells may overshoot, and a small one crosses it."""
        best = found - step / 64
        for length in (1 / 16, 1 / 4, 1 / 2, 1):
            tried = found - length * step
            nearer = ((self.source(tried) - points) ** 2).sum(1) < far
            best = np.where(nearer[:, None], tried, best)
        return best

    def _at(self, points: NDArray) -> tuple[NDArray, NDArray]:
        """(n, 2) displacements and (n, 2, 2) their derivatives by x and by y, as rows."""
        last = np.array(self.nodes.shape[1::-1]) - 1
        place = np.clip(points / self.step, 0, last)
        cell = np.minimum(place.astype(np.int64), last - 1)
        (fx, fy), (x, y) = (place - cell).T[:, :, None], cell.T
        a, b, c, d = self.nodes[y, x], self.nodes[y, x + 1], self.nodes[y + 1, x], self.nodes[y + 1, x + 1]
        inside = (points > 0) & (points < self.size[::-1])
        slope_x = ((1 - fy) * (b - a) + fy * (d - c)) / self.step[0] * inside[:, :1]
        slope_y = ((1 - fx) * (c - a) + fx * (d - b)) / self.step[1] * inside[:, 1:]
        value = (1 - fy) * ((1 - fx) * a + fx * b) + fy * ((1 - fx) * c + fx * d)
        return value, np.stack([slope_x, slope_y], 1)


def tamed(nodes: NDArray, size: NDArray) -> NDArray[np.float64]:
    """Nodes (B, r, c, 2) over canvases (B, 2), each grid shrunk as far as it would fold over or nearly."""
    return nodes * (STEEPEST / steepest(nodes, size, STEEPEST))[:, None, None, None]


def steepest(nodes: NDArray, size: NDArray, least: float = 0.0) -> NDArray[np.float64]:
    """How far grids of nodes (B, r, c, 2) over canvases (B, 2) are from folding over: the most negative stretch of the displacement
    along any direction, as a positive number; below 1 the map is one to one. ``least`` stands for all that is not above it."""
    if nodes.size > CACHED and len(nodes) > 1:
        half = len(nodes) // 2
        return np.concatenate([steepest(nodes[part], size[part], least) for part in (slice(half), slice(half, None))])
    found, rates = np.full(len(nodes), least), (np.array(nodes.shape[2:0:-1]) - 1) / size[:, ::-1]
    slopes = _slopes(nodes)
    steep = np.flatnonzero(_bound(slopes, rates) > least - SLACK)  # most fields are far from folding: those are done
    if len(steep):
        some = slopes if len(steep) == len(nodes) else [slope[steep] for slope in slopes]
        found[steep] = _at_corners(some, rates[steep], least)
    return found


def _slopes(nodes: NDArray) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Differences of x and y from node to node along x, and of x and y along y."""
    x, y = np.ascontiguousarray(nodes[..., 0]), np.ascontiguousarray(nodes[..., 1])
    return x[:, :, 1:] - x[:, :, :-1], y[:, :, 1:] - y[:, :, :-1], x[:, 1:] - x[:, :-1], y[:, 1:] - y[:, :-1]


def _bound(slopes: Sequence[NDArray], rates: NDArray) -> NDArray[np.float64]:
    """(B,) what ``steepest`` cannot exceed, by the least stretch and the most shear there are anywhere; rates: (B, 2) nodes a pixel."""
    a, b, c, d = (slope.reshape(len(rates), -1) for slope in slopes)
    shear = [np.maximum(slope.max(1), -slope.min(1)) * rates[:, axis] for axis, slope in enumerate((b, c))]
    return np.maximum(-a.min(1) * rates[:, 0], -d.min(1) * rates[:, 1]) + (shear[0] + shear[1]) / 2


def _at_corners(given: Sequence[NDArray], rates: NDArray, least: float) -> NDArray[np.float64]:
    """(B,) the same at every corner of a cell, where the strain of a bilinear map is largest."""
    to_x, to_y = (rates[:, axis, None, None] for axis in (0, 1))
    a, b, c, d = given
    slopes = a * to_x, b * to_x, c * to_y, d * to_y
    found = np.full(len(rates), least)
    sample, row, column = np.nonzero(_suspects(*slopes, least - SLACK))
    for low in (0, 1):
        for right in (0, 1):
            along_x, along_y = (sample, row + low, column), (sample, row, column + right)
            (a, b), (c, d) = (slope[along_x] for slope in slopes[:2]), (slope[along_y] for slope in slopes[2:])
            mean, half, shear = (a + d) / 2, (a - d) / 2, (b + c) / 2
            np.maximum.at(found, sample, np.sqrt(half * half + shear * shear) - mean)
    return found


def _suspects(a: NDArray, b: NDArray, c: NDArray, d: NDArray, least: float) -> NDArray[np.bool_]:
    """(B, r, c) cells where the displacement, with slopes (a, b) along x and (c, d) along y, may shrink by more than ``least``.

    Taken from the least of both edges of a cell for what stretches, and from the most for what shears: four corners in one.
    """
    stretch_x, stretch_y = (np.minimum(slope[:, :-1], slope[:, 1:]) + least for slope in (a, d.transpose(0, 2, 1)))
    stretch_y = stretch_y.transpose(0, 2, 1)
    shear = np.maximum(np.abs(b[:, :-1]), np.abs(b[:, 1:])) + np.maximum(np.abs(c[:, :, :-1]), np.abs(c[:, :, 1:]))
    safe = (stretch_x > 0) & (stretch_y > 0) & (4 * stretch_x * stretch_y > shear * shear)
    return ~safe


def _solved(slope: NDArray, rest: NDArray) -> NDArray[np.float64]:
    """The Newton step: (I + D)^-1 rest, with D the derivatives of the displacement."""
    a, b = 1 + slope[:, 0, 0], slope[:, 1, 0]
    c, d = slope[:, 0, 1], 1 + slope[:, 1, 1]
    det = a * d - b * c
    det = np.where(np.abs(det) < 1e-6, 1e-6, det)
    return np.stack([d * rest[:, 0] - b * rest[:, 1], a * rest[:, 1] - c * rest[:, 0]], 1) / det[:, None]


@final
@dataclass(frozen=True, eq=False)
class Tiles:
    """The canvas cut into tiles that change places; what lies off the canvas stays where it is.

    Args:
        rows, columns: edges of the tiles in pixels, ascending, from 0 to the height and the width.
        order: (n,) for every tile of the result, row by row, the tile that it comes from; of the same size.

    Example:
        >>> tiles = Tiles(np.array([0, 4]), np.array([0, 2, 4]), np.array([1, 0]))
        >>> tiles.source(np.array([[0.5, 1.0]])).tolist(), tiles.target(np.array([[2.5, 1.0]])).tolist()
        ([[2.5, 1.0]], [[0.5, 1.0]])
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    order: NDArray[np.int64]

    def source(self, points: NDArray) -> NDArray[np.float64]:
        return self._moved(points, self.order)

    def target(self, points: NDArray) -> NDArray[np.float64]:
        return self._moved(points, np.argsort(self.order))

    def corners(self) -> NDArray[np.int64]:
        """(n, 2) the upper left corner of every tile, x before y."""
        y, x = np.meshgrid(self.rows[:-1], self.columns[:-1], indexing="ij")
        return np.stack([x.ravel(), y.ravel()], 1)

    def tile(self, points: NDArray) -> NDArray[np.int64]:
        """(n,) the tile in which each point lies; points off the canvas belong to the nearest."""
        x = np.clip(np.searchsorted(self.columns, points[:, 0], "right") - 1, 0, len(self.columns) - 2)
        y = np.clip(np.searchsorted(self.rows, points[:, 1], "right") - 1, 0, len(self.rows) - 2)
        return (y * (len(self.columns) - 1) + x).astype(np.int64)

    def largest(self, polygons: NDArray) -> tuple[NDArray, NDArray]:
        """Convex polygons (N, n, 2) torn by the tiles: the largest piece of each, at its new place, and (N, 2) how far that moved."""
        corners, back = self.corners(), np.argsort(self.order)
        sizes = np.stack(np.meshgrid(np.diff(self.columns), np.diff(self.rows)), -1).reshape(-1, 2).astype(float)
        pieces = [clip(polygons - corner, np.tile(side, (len(polygons), 1))) for corner, side in zip(corners, sizes, strict=True)]
        most = np.argmax([area(piece) for piece in pieces], 0)
        shift = (corners[back] - corners)[most].astype(float)
        widest = max(piece.shape[1] for piece in pieces)
        chosen = [np.pad(pieces[tile][n], ((0, widest - pieces[tile].shape[1]), (0, 0)), "edge") for n, tile in enumerate(most)]
        return np.array(chosen).reshape(len(polygons), widest, 2) + (corners[most] + shift)[:, None], shift

    def _moved(self, points: NDArray, order: NDArray) -> NDArray[np.float64]:
        corners, tile = self.corners(), self.tile(points)
        edge = np.array([self.columns[-1], self.rows[-1]])
        on = ((points >= -_EDGE) & (points <= edge + _EDGE)).all(1, keepdims=True)
        return points.astype(np.float64) + np.where(on, corners[order[tile]] - corners[tile], 0)


@final
@dataclass(frozen=True, eq=False)
class Reversed:
    """The same map the other way round."""

    of: Bend

    def source(self, points: NDArray) -> NDArray[np.float64]:
        return self.of.target(points)

    def target(self, points: NDArray) -> NDArray[np.float64]:
        return self.of.source(points)
