"""Smooth random fields. A plan says which field it is; its grid is made when somebody first asks where a place goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.bend import CACHED, Grid, tamed
from vicinal.core.draw import TO_UNIT, philox
from vicinal.core.special import normal_quantile

TAPS = 4  # knots that a cubic spline sees
FINE = 4  # nodes of the grid from knot to knot


@final
@dataclass(frozen=True, eq=False)
class Spline:
    """A bend by a smooth random field: along each axis a cubic spline through Gaussian knots, read at the nodes of a grid.

    The map is that of the grid, see ``vicinal.core.bend.Grid``. A field that would fold over is shrunk until it does not.

    Args:
        key: two 32-bit words; what is random about the field.
        amplitude: standard deviation of the displacement along each axis, in pixels.
        distance: of the knots, in pixels.
        size: height and width of the canvas.

    Example:
        >>> spline = Spline((1, 2), 3.0, 16.0, (64, 64))
        >>> spline.grid.nodes.shape, spline.source(np.array([[5.0, 7.0]])).round(1).tolist()
        ((17, 17, 2), [[1.4, 4.7]])
    """

    key: tuple[int, int]
    amplitude: float
    distance: float
    size: tuple[int, int]

    @cached_property
    def grid(self) -> Grid:
        """Made at most once; ``gridded`` makes many together."""
        return Grid(nodes(*_joined([self]))[0], np.array(self.size))

    def source(self, points: NDArray) -> NDArray[np.float64]:
        return self.grid.source(points)

    def target(self, points: NDArray) -> NDArray[np.float64]:
        return self.grid.target(points)


Make = Callable[[NDArray, NDArray, tuple[int, int], float], NDArray[np.float64]]
"""Keys (b, 2), amplitudes (b,), the size of the canvas and the distance of the knots to nodes (b, rows, columns, 2)."""


def gridded(bends: Sequence[Any], make: Make | None = None) -> list[Any]:
    """Bends with grids in the place of splines; those that nobody has asked for yet are made together, and kept.

    ``make`` is ``nodes``, or a backend's way to the same bits: so it does not matter who asks first.
    """
    _made([bend for bend in bends if isinstance(bend, Spline) and "grid" not in vars(bend)], make or nodes)
    return [bend.grid if isinstance(bend, Spline) else bend for bend in bends]


def _made(splines: Sequence[Spline], make: Make) -> None:
    """Make the grids of splines, those of one form together, and put them where ``cached_property`` looks."""
    forms: dict[tuple, list[Spline]] = {}
    for spline in splines:
        forms.setdefault((spline.size, spline.distance), []).append(spline)
    for (size, _), alike in forms.items():
        canvas = np.array(size)
        for spline, found in zip(alike, make(*_joined(alike)), strict=True):
            vars(spline).setdefault("grid", Grid(found, canvas))


def _joined(alike: Sequence[Spline]) -> tuple[NDArray, NDArray, tuple[int, int], float]:
    """What ``Make`` takes, of splines of one form."""
    keys = np.array([spline.key for spline in alike], np.uint32)
    return keys, np.array([spline.amplitude for spline in alike]), alike[0].size, alike[0].distance


def nodes(key: NDArray, amplitude: NDArray, size: tuple[int, int], distance: float) -> NDArray[np.float64]:
    """(b, rows, columns, 2) displacements at the nodes; the specification of them, to the last bit."""
    (down, rows), (right, columns) = (taps(side, distance) for side in size)
    high, wide, some = down[-1] + TAPS, right[-1] + TAPS, max(CACHED // (2 * len(down) * len(right)), 1)
    if len(key) > some:
        return np.concatenate([nodes(key[n : n + some], amplitude[n : n + some], size, distance) for n in range(0, len(key), some)])
    knots = normals(key, 2 * high * wide).reshape(len(key), 2, high, wide)
    across = _weighted(knots.transpose(3, 2, 0, 1), right, columns)
    field = _weighted(across.transpose(1, 2, 0, 3), down, rows).swapaxes(0, 1) * amplitude[:, None, None, None]
    return tamed(np.ascontiguousarray(field), np.tile(size, (len(key), 1)))


def _weighted(lines: NDArray, first: NDArray, weights: NDArray) -> NDArray[np.float64]:
    """(n, ...) sums of four lines each, from (k, ...) lines, one after the other: the order decides about the last bit."""
    lines, parts = np.ascontiguousarray(lines), weights.T.reshape(TAPS, -1, *[1] * (lines.ndim - 1))
    total = lines[first] * parts[0]
    for tap in range(1, TAPS):
        total += lines[first + tap] * parts[tap]
    return total


@lru_cache(maxsize=256)
def taps(side: float, distance: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For every node along an axis: (n,) the first of the knots that it sees, (n, 4) their weights. Scaled to unit variance."""
    cells = int(np.ceil(side / distance))
    place = np.linspace(0, side / distance, FINE * cells + 1)
    first = np.minimum(place.astype(np.int64), cells - 1)
    away = np.abs(place[:, None] - first[:, None] - (np.arange(TAPS) - 1))
    near, far = 2 / 3 - away**2 * (1 - away / 2), np.maximum(2 - away, 0) ** 3 / 6
    weights = np.where(away < 1, near, far)
    return first, weights / np.linalg.norm(weights, axis=1, keepdims=True)


def normals(key: NDArray, count: int) -> NDArray[np.float64]:
    """(b, count) standard normal numbers from (b, 2) keys."""
    counter = np.zeros((4, len(key), -(-count // 4)), np.uint64)
    counter[0] = np.arange(counter.shape[2])
    words = philox(counter, key.T[:, :, None].astype(np.uint64))
    return normal_quantile((words.transpose(1, 2, 0).reshape(len(key), -1)[:, :count] + 0.5) * TO_UNIT)
