"""Warps that no affine matrix says: projective ones and bends. 8-bit and small images by one compiled loop, others by OpenCV.

A displacement grid is piecewise bilinear, and so is the map that it makes with the affine maps on either side of it: from one line of the
grid to the next it is quadratic along a row of pixels, and a loop takes the row from line to line.
"""

from __future__ import annotations

from types import NoneType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vicinal.backend import map_kernels, splines
from vicinal.backend.bilinear import WIDEST
from vicinal.core import affine
from vicinal.core.batch import RANGES, every, name_of, some
from vicinal.core.bend import Grid, Tiles
from vicinal.core.lens import Lens
from vicinal.core.pages import room
from vicinal.core.spline import gridded
from vicinal.core.warp import CONSTANT, LINEAR, NEAREST, NONE, REFLECT, REPLICATE, Warp

SMALL = 64 * 64
_LOOPED = frozenset({Grid, Lens, NoneType})
BORDERS = {
    NONE: cv2.BORDER_REPLICATE,
    CONSTANT: cv2.BORDER_CONSTANT,
    REFLECT: cv2.BORDER_REFLECT,
    REPLICATE: cv2.BORDER_REPLICATE,
}


def in_whole_numbers(data: NDArray) -> bool:
    """Whether images (..., H, W, C) are sampled in whole numbers: 8-bit ones, of less than a million pixels a side."""
    return data.dtype == np.uint8 and max(data.shape[-3:-1]) < WIDEST


def as_bits(array: NDArray) -> NDArray:
    """The same memory as whole numbers without a sign: a loop that only moves values is compiled for their size, not for every dtype."""
    return array.view(f"u{array.dtype.itemsize}")


def general(warp: Warp) -> NDArray[np.bool_]:
    """(B,) the samples whose map needs this file."""
    return warp.bent | warp.projective


def at_once(warp: Warp, data: NDArray) -> NDArray | None:
    """8-bit images (B, H, W, C) that all go through maps of one form by linear interpolation, so that none is asked; None for others."""
    if not in_whole_numbers(data) or warp.matrix.shape[-1] != 3 or not every(warp.active & general(warp)):
        return None
    alike = every(warp.interpolation == LINEAR) and not some(warp.averaged) and every(warp.size == warp.size[0])
    bends = _bends(warp, slice(None))
    if not alike or not _one_form(bends):
        return None
    out = room((len(data), *map(int, warp.size[0]), data.shape[3]), np.uint8)
    _in_loop(data, _taken(warp, slice(None), bends), out, warp.border.copy(), warp.fill * 255)
    return out


def _in_loop(data: NDArray, maps: tuple[NDArray, ...], out: NDArray, border: NDArray, fill: NDArray) -> None:
    """8-bit images through maps of one form."""
    into, channels = out.reshape(len(out), -1), (0,) * data.shape[3]
    map_kernels.linear_batch(data, maps, out.shape[1:3], into, border, np.rint(fill), channels)


def sampled(warp: Warp, rows: NDArray, data: NDArray) -> NDArray:
    """Samples ``rows`` of one size, data (n, H, W, C), by the interpolation that the warp says; each goes its own way."""
    lone, fill = _lone_tiles(warp, rows), warp.fill[rows] * RANGES[name_of(data.dtype)]
    near = (warp.interpolation[rows] == NEAREST) & ~lone
    together = ~near & ~lone & _looped(warp, rows, data)
    ways = ((together, _together), (near, nearest), (lone, _shuffled))
    for chosen, way in ways:
        if chosen.all():
            return way(warp, rows, data, fill)
    out = _empty(warp, rows, data)
    for chosen, way in ways:
        if chosen.any():
            out[chosen] = way(warp, rows[chosen], data[chosen], fill[chosen])
    for n in np.flatnonzero(~near & ~together & ~lone):
        out[n] = _one(warp, int(rows[n]), data[n])
    return out


def _together(warp: Warp, rows: NDArray, data: NDArray, fill: NDArray) -> NDArray:
    """8-bit samples, and small ones, by linear interpolation, in compiled loops."""
    out = _empty(warp, rows, data)
    map_x, map_y = np.empty(out.shape[1:3], np.float32), np.empty(out.shape[1:3], np.float32)
    for part, maps in _forms(warp, rows):
        if in_whole_numbers(data):
            whole = len(part) == len(rows)
            given, made = (data, out) if whole else (data[part], np.empty_like(out[part]))
            _in_loop(given, maps, made, warp.border[rows[part]], fill[part])
            if not whole:
                out[part] = made
            continue
        for k, n in enumerate(part):
            map_kernels.source_map(maps, k, np.ones(2), map_x, map_y)
            out[n] = _linear(data[n], map_x, map_y, int(warp.border[rows[n]]), float(fill[n]))
    return out


def nearest(warp: Warp, rows: NDArray, data: NDArray, fill: NDArray) -> NDArray:
    """Samples of one size by the nearest rule, any dtype; ``fill`` (n,) in the dtype's own units."""
    out, fill = _empty(warp, rows, data), fill.astype(data.dtype)
    for part, maps in _forms(warp, rows):
        made = np.empty_like(out[part])
        given = np.ascontiguousarray(data[part])
        map_kernels.nearest_batch(as_bits(given), maps, as_bits(made), warp.border[rows[part]], as_bits(fill[part]))
        out[part] = made
    torn = np.zeros(len(rows), bool)
    torn[_torn(warp, rows)] = True
    lone = torn & _lone_tiles(warp, rows)
    if lone.any():
        out[lone] = _shuffled(warp, rows[lone], data[lone], fill[lone])
    for n in np.flatnonzero(torn & ~lone):
        map_x, map_y = _through(warp, int(rows[n]), out.shape[1:3], np.ones(2))
        map_kernels.nearest_at(as_bits(data[n]), map_x, map_y, as_bits(out[n]), int(warp.border[rows[n]]), as_bits(fill)[n])
    return out


def _looped(warp: Warp, rows: NDArray, data: NDArray) -> NDArray[np.bool_]:
    """(n,) where the compiled loop is the right one: 8-bit or small, one sample a pixel, and not torn."""
    height, width = data.shape[1:3]
    area = max(height * width, int(warp.size[rows[0]].prod()))
    whole = np.ones(len(rows), bool)
    whole[_torn(warp, rows)] = False
    return whole & (warp.supersampling[rows].max(1) == 1) & (data.dtype == np.uint8 or area <= SMALL or min(height, width) == 1)


def _empty(warp: Warp, rows: NDArray, data: NDArray) -> NDArray:
    height, width = map(int, warp.size[rows[0]])
    return np.empty((len(rows), height, width, data.shape[3]), data.dtype)


def _bend(warp: Warp, row: int) -> Any:
    return _bends(warp, np.array([row]))[0]


def _torn(warp: Warp, rows: NDArray) -> NDArray[np.int64]:
    """The positions of samples whose bend no compiled loop knows."""
    bends = _bends(warp, rows)
    if _LOOPED.issuperset(map(type, bends)):
        return np.empty(0, np.int64)
    return np.flatnonzero([type(bend) not in _LOOPED for bend in bends])


def _bends(warp: Warp, rows: NDArray | slice) -> list[Any]:
    return [None] * len(warp.active[rows]) if warp.bend is None else gridded(warp.bend[rows].tolist(), splines.nodes)


def _forms(warp: Warp, rows: NDArray) -> list[tuple[NDArray, tuple[NDArray, ...]]]:
    """Positions of samples whose bends have one shape, with the maps (after, nodes, frame, lens, before) that the compiled loops take."""
    bends, shapes = _bends(warp, rows), {}
    for n, bend in enumerate(bends):
        if type(bend) in _LOOPED:
            shapes.setdefault(_shape(bend), []).append(n)
    return [(np.array(part), _taken(warp, rows[np.array(part)], [bends[n] for n in part])) for part in shapes.values()]


def _one_form(bends: list[Any]) -> bool:
    """Whether one call of a compiled loop takes them all."""
    kinds = set(map(type, bends))
    return kinds <= _LOOPED and len(kinds) == 1 and (Grid not in kinds or len({bend.nodes.shape for bend in bends}) == 1)


def _shape(bend: Grid | Lens | None) -> Any:
    return bend.nodes.shape if isinstance(bend, Grid) else type(bend)


def _taken(warp: Warp, rows: NDArray | slice, bends: list[Any]) -> tuple[NDArray, ...]:
    """The maps of samples whose bends have one form."""
    many = len(bends)
    before, after = warp.inverted[rows].reshape(-1, 9), warp.after_inverted[rows].reshape(-1, 9)
    nodes, sizes, lenses = np.zeros((many, 1, 1, 2)), np.ones((many, 2)), np.empty((many, 0))
    if isinstance(bends[0], Grid):
        joined = np.concatenate([bend.nodes for bend in bends])  # in the order of memory that they have: to the loops that is a type
        nodes = np.ascontiguousarray(joined).reshape(many, *bends[0].nodes.shape)
        sizes = np.array([bend.size for bend in bends], np.float64)
    elif isinstance(bends[0], Lens):
        lenses = np.concatenate([bend.numbers for bend in bends]).reshape(many, -1)
    return after, nodes, sizes, lenses, before


def _one(warp: Warp, row: int, image: NDArray) -> NDArray:
    """One sample by linear interpolation; large ones by OpenCV."""
    height, width = map(int, warp.size[row])
    times, border, fill = warp.supersampling[row], int(warp.border[row]), float(warp.fill[row]) * RANGES[name_of(image.dtype)]
    if _bend(warp, row) is None and max(image.shape[:2]) < 32768 and min(image.shape[:2]) > 1 and not _horizon(warp, row):
        fine = _projected(warp, row, image, (height, width), times, border, fill)
    else:
        map_x, map_y = _map(warp, row, (height, width), times)
        fine = _linear(image, map_x, map_y, border, fill)
    return fine if times.max() == 1 else cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA).reshape(height, width, -1)


def _horizon(warp: Warp, row: int) -> bool:
    """True where a projective map without a bend shows its horizon, behind which OpenCV sees everything mirrored."""
    matrix = warp.matrix[row] if warp.after is None else warp.after[row] @ warp.matrix[row]
    height, width = warp.size[row]
    depth = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]]) @ affine.invert(matrix[None])[0, 2]
    return bool(depth.min() <= 0)


def _projected(warp: Warp, row: int, image: NDArray, size: tuple[int, int], times: NDArray, border: int, fill: float) -> NDArray:
    """A projective map without a bend is a single matrix, which OpenCV takes."""
    matrix = warp.matrix[row] if warp.after is None else warp.after[row] @ warp.matrix[row]
    middle = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1.0]])
    inverse = middle @ affine.invert(matrix[None])[0] @ np.diag([1 / times[0], 1 / times[1], 1.0]) @ np.linalg.inv(middle)
    shape = (size[1] * int(times[0]), size[0] * int(times[1]))
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP

    def sample(part: NDArray) -> NDArray:
        return cv2.warpPerspective(part, inverse, shape, None, flags, BORDERS[border], (fill,) * 4)

    return _by_fours(image, sample, shape[::-1])


def _map(warp: Warp, row: int, size: tuple[int, int], times: NDArray) -> tuple[NDArray, NDArray]:
    """(h, w) x and y, as pixel indices, of the sources of all output pixels, at ``times`` (x, y) samples per pixel."""
    shape = (size[0] * int(times[1]), size[1] * int(times[0]))
    bend = _bend(warp, row)
    if type(bend) not in _LOOPED:
        map_x, map_y = _through(warp, row, shape, times)
        return map_x - np.float32(0.5), map_y - np.float32(0.5)
    map_x, map_y = np.empty(shape, np.float32), np.empty(shape, np.float32)
    map_kernels.source_map(_taken(warp, np.array([row]), [bend]), 0, times.astype(float), map_x, map_y)
    return map_x, map_y


def _through(warp: Warp, row: int, shape: tuple[int, ...], times: NDArray) -> tuple[NDArray, NDArray]:
    """The map of any bend, point by point."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
    points = warp.backward(np.stack([x.ravel() / times[0], y.ravel() / times[1]], 1)[None], np.array([row]))[0]
    return points[:, 0].reshape(shape).astype(np.float32), points[:, 1].reshape(shape).astype(np.float32)


def _linear(image: NDArray, map_x: NDArray, map_y: NDArray, border: int, fill: float) -> NDArray:
    if min(image.shape[:2]) > 1 and max(image.shape[:2]) < 32768:

        def sample(part: NDArray) -> NDArray:
            return cv2.remap(part, map_x, map_y, cv2.INTER_LINEAR, None, BORDERS[border], (fill,) * 4)

        return _by_fours(image, sample, map_x.shape)
    out = np.empty((*map_x.shape, image.shape[2]), image.dtype)
    map_kernels.linear_at(image, map_x, map_y, out, border, np.float32(fill), image.dtype.kind == "u")
    return out


def _by_fours(image: NDArray, sample: Any, shape: tuple[int, ...]) -> NDArray:
    """OpenCV takes four channels at most, and four bytes fill a vector register: colours take the detour through RGBA."""
    if image.shape[2] == 3 and image.dtype == np.uint8:
        return cv2.cvtColor(sample(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA)), cv2.COLOR_RGBA2RGB)
    out = np.empty((*shape, image.shape[2]), image.dtype)
    for start in range(0, image.shape[2], 4):
        part = np.ascontiguousarray(image[..., start : start + 4])
        out[..., start : start + 4] = sample(part).reshape(*shape, -1)
    return out


def _lone_tiles(warp: Warp, rows: NDArray) -> NDArray[np.bool_]:
    """(n,) the samples that are cut into tiles and nothing else."""
    if warp.bend is None or warp.after is None:
        return np.zeros(len(rows), bool)
    plain = ((warp.matrix == np.eye(3)) & (warp.after == np.eye(3))).all((1, 2)) & (warp.size == warp.before).all(1)
    return plain[rows] & np.array([isinstance(bend, Tiles) for bend in warp.bend[rows]])


def _shuffled(warp: Warp, rows: NDArray, data: NDArray, fill: NDArray) -> NDArray:
    """Tiles copied to their places: what a lone jigsaw does."""
    out = _empty(warp, rows, data)
    for n, row in enumerate(rows):
        tiles = _bend(warp, row)
        map_kernels.shuffled(data[n], tiles.rows, tiles.columns, tiles.order, out[n])
    return out
