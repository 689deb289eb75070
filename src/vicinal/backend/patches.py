"""Filling rectangles, and objects: an image is copied, and while it is near, the values in its rectangles are filled."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend import pixels
from vicinal.backend.kernels import hashed
from vicinal.backend.noise import LEVELS
from vicinal.backend.reference import stacked
from vicinal.backend.streams import copied
from vicinal.core.backend import Dense
from vicinal.core.batch import name_of
from vicinal.core.pages import room
from vicinal.core.primitive import Hide, Patch
from vicinal.core.steps import quantise


def run(primitive: Patch, data: Dense) -> Dense:
    """A batch with its rectangles filled; samples of different sizes one by one."""
    if isinstance(data, np.ndarray):
        return _equal(primitive, data)
    return stacked([_equal(primitive.rows(slice(row, row + 1)), sample[None])[0] for row, sample in enumerate(data)])


def _equal(primitive: Patch, data: NDArray) -> NDArray:
    out, (level, key, shift, unit) = room(data.shape, data.dtype), filling(primitive.fill, primitive.key, name_of(data.dtype))
    _rectangles(
        np.ascontiguousarray(data), out, np.ascontiguousarray(primitive.box, np.int64), primitive.active.copy(), level, key, shift, unit
    )
    return out


def hidden(primitive: Hide, data: Dense) -> Dense:
    """A batch with its hidden objects filled."""
    out = copied(data) if isinstance(data, np.ndarray) else [sample.copy() for sample in data]
    for row in np.flatnonzero(primitive.active).tolist():
        if primitive.region[row] is not None:
            level = quantise(np.asarray(primitive.fill[row]), str(out[row].dtype))[()]
            _objects(out[row], np.ascontiguousarray(primitive.region[row]), level)
    return out if isinstance(out, np.ndarray) else stacked(out)


def filling(fill: NDArray, key: NDArray | None, dtype: str) -> tuple[NDArray, NDArray, np.uint32, np.float32]:
    """What ``span`` takes, for (B, 1 or C) shares of the range or (B, 2) keys: level (B, K), with K = 0 for noise; key; shift; unit."""
    shift, unit = LEVELS[dtype]
    if key is None:
        return quantise(fill, dtype), np.zeros((len(fill), 2), np.uint32), np.uint32(shift), np.float32(unit)
    return np.empty((len(key), 0), dtype), np.ascontiguousarray(key, np.uint32), np.uint32(shift), np.float32(unit)


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def span(flat, start, stop, level, key, shift, unit):
    """Fill the values [start, stop) of a flat image; both ends stand between two pixels."""
    at, count = np.uintp(start), np.uintp(stop - start)  # unsigned, so that no loop looks at negative indices
    if len(level) == 0:
        for i in range(start, stop):
            flat[i] = np.float32(hashed(i, key[0], key[1]) >> shift) * unit
    elif len(level) == 1:
        value = level[0]
        for i in range(count):
            flat[at + i] = value
    else:
        for i in range(start, stop, len(level)):
            for c in range(len(level)):
                flat[i + c] = level[c]


@njit(nogil=True, cache=True, error_model="numpy")
def _rectangles(data, out, box, active, level, key, shift, unit):
    width, channels = out.shape[2], out.shape[3]
    images, results = data.reshape(len(data), -1), out.reshape(len(data), -1)
    for b in range(len(data)):
        flat = results[b]
        pixels.copied(flat, 0, images[b], 0, len(flat))
        if not active[b]:
            continue
        for n in range(box.shape[1]):
            x0, y0, x1, y1 = box[b, n]
            if x0 >= x1:
                continue
            for y in range(y0, y1):
                span(flat, (y * width + x0) * channels, (y * width + x1) * channels, level[b], key[b], shift, unit)


@njit(nogil=True, cache=True, error_model="numpy")
def _objects(image, region, level):
    flat, where, channels = image.reshape(-1), region.reshape(-1), np.uintp(image.shape[2])
    for place in range(np.uintp(where.shape[0])):
        if where[place]:
            for c in range(channels):
                flat[place * channels + c] = level
