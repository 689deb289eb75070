"""What mixers do to pixels: averages of pictures, and rectangles of others. Samples of one size go through compiled loops."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from vicinal.backend import reference
from vicinal.backend.kernels import _compiled
from vicinal.backend.pixels import copied
from vicinal.core.backend import Dense
from vicinal.core.batch import RANGES, name_of
from vicinal.core.pages import room


def blended(own: Dense, pool: Dense, other: NDArray[np.int64], weight: NDArray) -> Dense:
    """``weight * own + (1 - weight) * pool[other]`` for every sample."""
    if not (_alike(own, pool) and name_of(own[0].dtype) in RANGES):
        return reference.backend().blended(own, pool, other, weight)
    mine, theirs = np.ascontiguousarray(own), np.ascontiguousarray(pool)
    out, share = room(mine.shape, mine.dtype), weight.astype(reference.working(mine.dtype))
    _blended(_rows(mine), _rows(theirs), _rows(out), other, share, mine.dtype.kind == "u")
    return out


def pasted(own: Dense, pool: Dense, other: NDArray[np.int64], box: NDArray[np.int64], axis: int) -> Dense:
    """Every sample with a rectangle of ``pool[other]``."""
    if not _alike(own, pool):
        return reference.backend().pasted(own, pool, other, box, axis)
    mine, theirs = np.ascontiguousarray(own), np.ascontiguousarray(pool)
    out, pixel = room(mine.shape, mine.dtype), math.prod(mine.shape[axis + 3 :]) * mine.itemsize
    form = (math.prod(mine.shape[1 : axis + 1]), mine.shape[axis + 1], mine.shape[axis + 2] * pixel)
    _pasted(_rows(mine.view(np.uint8)), _rows(theirs.view(np.uint8)), _rows(out.view(np.uint8)), other, box, form, pixel)
    return out


def _rows(array: NDArray) -> NDArray:
    """A row of values for every sample."""
    return array.reshape(len(array), -1)


def _alike(own: Dense, pool: Dense) -> bool:
    if isinstance(own, list) or isinstance(pool, list):
        return False
    return own.shape[1:] == pool.shape[1:] and own.dtype == pool.dtype


@_compiled
def _blended(own, pool, out, other, weight, whole):
    """own (B, n), pool (N, n), out (B, n), other (B,), weight (B,) in the precision of the sums, rounded at the end where ``whole``."""
    for b in range(len(own)):
        mine, theirs, target, share = own[b], pool[other[b]], out[b], weight[b]
        rest = weight.dtype.type(1) - share
        for i in range(len(target)):
            value = weight.dtype.type(mine[i]) * share + weight.dtype.type(theirs[i]) * rest
            if whole:
                target[i] = np.int32(np.rint(value))
            else:
                target[i] = value


@_compiled
def _pasted(own, pool, out, other, box, form, pixel):
    """own (B, n), pool (N, n), out (B, n) bytes, other (B,), box (B, 4), form planes, rows and bytes of a row, pixel bytes of one."""
    planes, height, length = form
    for b in range(len(own)):
        source, target = pool[other[b]], out[b]
        copied(target, 0, own[b], 0, len(target))
        x0, y0, x1, y1 = box[b]
        if x0 >= x1:
            continue
        for plane in range(planes):
            for y in range(y0, y1):
                at = (plane * height + y) * length + x0 * pixel
                copied(target, at, source, at, (x1 - x0) * pixel)
