"""Outlines of instances: polygons through a whole policy, with the share of each that is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core import affine
from vicinal.core.bend import Tiles
from vicinal.core.polygon import area, clip, wide
from vicinal.core.targets.base import Way
from vicinal.core.warp import Warp

EDGE = 16  # points along an edge where a map is curved
_NOISE = 1e-6  # pixels: an outline that ends at the edge still does after rounding


@final
@dataclass(frozen=True, eq=False)
class Outlines:
    """Polygons after all moves.

    Args:
        whole: (N, n, 2) as if there were no canvas; seen: (N, m, 2) the part that no canvas on the way cut off;
        share: (N,) of the area that is left; kept: (N,) whether the instance stays.
    """

    whole: NDArray[np.float64]
    seen: NDArray[np.float64]
    share: NDArray[np.float64]
    kept: NDArray[np.bool_]


def followed(way: Way, polygons: NDArray, owner: NDArray, outside: str, min_visible: float) -> Outlines:
    """Polygons (N, n, 2) of the samples ``owner`` (N,) through all moves."""
    if not way.moves:
        return Outlines(polygons, polygons, np.ones(len(polygons)), np.ones(len(polygons), bool))
    curved = np.any([move.bent | move.projective for move in way.moves], 0)
    whole = seen = _denser(polygons, curved[owner]) if curved.any() else polygons
    inside = np.ones(len(polygons), bool)
    for move in way.moves:
        whole, seen, torn = _moved(move, whole, seen, owner)
        canvas = off_canvas(move, owner)
        seen = clip(seen, canvas)
        inside &= np.asarray(((whole >= -_NOISE) & (whole <= canvas[:, None] + _NOISE)).all((1, 2))) & ~torn
    full = area(whole)
    share = np.divide(area(seen), full, out=np.zeros(len(polygons)), where=full > 0)
    share = np.where(inside, 1.0, np.minimum(share, 1.0))
    kept = inside | ((share > 0) & (share >= min_visible - 1e-9) & (outside != "drop"))
    return Outlines(whole, seen, share, kept)


def _denser(polygons: NDArray, curved: NDArray[np.bool_]) -> NDArray[np.float64]:
    """More points along each edge, so that a polygon bends with the map; only repeated corners where the map is straight."""
    part = np.arange(EDGE)[:, None] / EDGE * curved[:, None, None, None]
    edges = polygons[:, :, None] + part * (np.roll(polygons, -1, 1) - polygons)[:, :, None]
    return edges.reshape(len(polygons), polygons.shape[1] * EDGE, 2)


def _cut_up(move: Warp) -> NDArray[np.bool_]:
    """(B,) the samples whose canvas is cut into tiles."""
    if move.bend is None:
        return np.zeros(len(move.active), bool)
    return move.bent & np.array([isinstance(bend, Tiles) for bend in move.bend], bool)


def _moved(move: Warp, whole: NDArray, seen: NDArray, owner: NDArray) -> tuple[NDArray, NDArray, NDArray[np.bool_]]:
    """Both polygons behind a move, and (N,) which of them tiles tore apart."""
    tiled, torn = _cut_up(move)[owner], np.zeros(len(whole), bool)
    out = [move.forward(whole, owner), move.forward(seen, owner)]
    if move.bend is None or move.after is None:
        return out[0], out[1], torn
    for sample in np.unique(owner[tiled]):
        rows = owner == sample
        before, after = (np.repeat(matrix[sample][None], rows.sum(), 0) for matrix in (move.matrix, move.after))
        bend: Any = move.bend[sample]
        there = affine.apply(before, seen[rows])
        piece, shift = bend.largest(there)
        torn[rows] = area(piece) < area(there) * (1 - _NOISE)
        out[0][rows] = affine.apply(after, affine.apply(before, whole[rows]) + shift[:, None])
        out[1] = wide(out[1], piece.shape[1])
        out[1][rows] = wide(affine.apply(after, piece), out[1].shape[1])
    return out[0], out[1], torn


def off_canvas(move: Warp, owner: NDArray) -> NDArray[np.float64]:
    """(N, 2) width and height that a pass leaves; none for samples that it does not concern, whose canvas it may not know."""
    return np.where(move.active[owner][:, None], move.size[owner][:, ::-1], np.inf)
