"""Warps that no affine matrix says: projective ones and bends, one sample at a time over a dense map of source coordinates."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vicinal.backend import map_kernels
from vicinal.core import affine
from vicinal.core.batch import RANGES
from vicinal.core.bend import Grid, Tiles
from vicinal.core.warp import CONSTANT, NEAREST, NONE, REFLECT, REPLICATE, Warp

SMALL = 64 * 64
BORDERS = {
    NONE: cv2.BORDER_REPLICATE,
    CONSTANT: cv2.BORDER_CONSTANT,
    REFLECT: cv2.BORDER_REFLECT,
    REPLICATE: cv2.BORDER_REPLICATE,
}


def general(warp: Warp) -> NDArray[np.bool_]:
    """(B,) the samples whose map needs this file."""
    return warp.bent | warp.projective


def sampled(warp: Warp, row: int, image: NDArray) -> NDArray:
    """One sample (H, W, C) through its map, by the interpolation that the warp says."""
    if lone_tiles(warp, row):
        return shuffled(warp.bend[row], image)  # type: ignore
    height, width = map(int, warp.size[row])
    scale, border = RANGES[str(image.dtype)], int(warp.border[row])
    fill = float(warp.fill[row]) * scale
    if warp.interpolation[row] == NEAREST:
        return nearest(warp, row, image, fill)
    times = warp.supersampling()[row]
    fine = _linear(image, *_map(warp, row, (height, width), times, np.float32), border, fill)
    return fine if times.max() == 1 else cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA).reshape(height, width, -1)


def nearest(warp: Warp, row: int, image: NDArray, fill: float) -> NDArray:
    """One sample by the nearest rule, any dtype; ``fill`` in the dtype's own units."""
    if lone_tiles(warp, row):
        return shuffled(warp.bend[row], image)  # type: ignore
    height, width = map(int, warp.size[row])
    out = np.empty((height, width, image.shape[2]), image.dtype)
    map_x, map_y = _map(warp, row, (height, width), np.ones(2), np.float64)
    map_kernels.nearest_at(image, map_x, map_y, out, int(warp.border[row]), np.asarray(fill).astype(image.dtype)[()])
    return out


def _map(warp: Warp, row: int, size: tuple[int, int], times: NDArray, dtype: Any) -> tuple[NDArray, NDArray]:
    """(h, w) x and y of the sources of all output pixels, at ``times`` (x, y) samples per pixel."""
    shape = (size[0] * int(times[1]), size[1] * int(times[0]))
    map_x, map_y = np.empty(shape, dtype), np.empty(shape, dtype)
    bend = None if warp.bend is None or not warp.bent[row] else warp.bend[row]
    before = affine.invert(warp.matrix[row : row + 1])[0]
    after = np.eye(3) if warp.after is None else affine.invert(warp.after[row : row + 1])[0]
    if isinstance(bend, (Grid, type(None))):
        nodes, frame = (np.zeros((1, 1, 2)), np.ones(2)) if bend is None else (bend.nodes, bend.size.astype(float))
        map_kernels.source_map(after.ravel(), nodes, frame, before.ravel(), times.astype(float), map_x, map_y)
    else:
        y, x = np.mgrid[0 : shape[0], 0 : shape[1]] + 0.5
        points = warp.backward(np.stack([x.ravel() / times[0], y.ravel() / times[1]], 1)[None], np.array([row]))[0]
        map_x[:], map_y[:] = points[:, 0].reshape(shape), points[:, 1].reshape(shape)
    return map_x, map_y


def _linear(image: NDArray, map_x: NDArray, map_y: NDArray, border: int, fill: float) -> NDArray:
    height, width = image.shape[:2]
    if max(map_x.size, height * width) > SMALL and min(height, width) > 1:
        return _by_opencv(image, map_x - np.float32(0.5), map_y - np.float32(0.5), border, fill)
    out = np.empty((*map_x.shape, image.shape[2]), image.dtype)
    map_kernels.linear_at(image, map_x, map_y, out, border, np.float32(fill), image.dtype.kind == "u")
    return out


def _by_opencv(image: NDArray, map_x: NDArray, map_y: NDArray, border: int, fill: float) -> NDArray:
    out = np.empty((*map_x.shape, image.shape[2]), image.dtype)
    for start in range(0, image.shape[2], 4):
        part = np.ascontiguousarray(image[..., start : start + 4])
        made = cv2.remap(part, map_x, map_y, cv2.INTER_LINEAR, None, BORDERS[border], (fill,) * 4)
        out[..., start : start + 4] = made.reshape(*map_x.shape, -1)
    return out


def lone_tiles(warp: Warp, row: int) -> bool:
    """True where a sample is cut into tiles and nothing else."""
    if warp.bend is None or warp.after is None or not isinstance(warp.bend[row], Tiles):
        return False
    plain = (warp.matrix[row] == np.eye(3)).all() and (warp.after[row] == np.eye(3)).all()
    return bool(plain and (warp.size[row] == warp.before[row]).all())


def shuffled(bend: Tiles, image: NDArray) -> NDArray:
    """Tiles copied to their places: what a lone jigsaw does."""
    out, corners = np.empty_like(image), bend.corners()
    ends = np.stack(np.meshgrid(bend.columns[1:], bend.rows[1:]), -1).reshape(-1, 2)
    for (x, y), (right, low), (from_x, from_y) in zip(corners, ends, corners[bend.order], strict=True):
        out[y:low, x:right] = image[from_y : from_y + low - y, from_x : from_x + right - x]
    return out
