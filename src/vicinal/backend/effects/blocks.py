"""Blocks of pixels replaced by their mean."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


def averaged(images: NDArray, *, box: NDArray, block: NDArray) -> NDArray:
    """Within box (b, 4), x0 y0 x1 y1, every block of side (b,) takes its mean; blocks begin at x0, y0."""
    out = images.copy()
    _averaged(out, np.ascontiguousarray(box, np.int64), block.astype(np.int64), images.dtype.kind == "u")
    return out


@njit(nogil=True, cache=True, error_model="numpy")
def _averaged(out, box, block, whole):
    channels = out.shape[3]
    for b in range(out.shape[0]):
        (x0, y0, x1, y1), side = box[b], block[b]
        if side <= 1 or x0 >= x1:
            continue
        total = np.empty(((x1 - x0 + side - 1) // side, channels), np.float64)
        for top in range(y0, y1, side):
            low = min(top + side, y1)
            total[:] = 0
            for y in range(top, low):
                _gathered(out[b, y], x0, x1, side, total)
            _divided(total, x1 - x0, side, low - top, whole)
            for y in range(top, low):
                _spread(out[b, y], x0, x1, side, total)


@njit(nogil=True, cache=True, error_model="numpy")
def _gathered(row, x0, x1, side, total):
    for k in range(total.shape[0]):
        for x in range(x0 + k * side, min(x0 + (k + 1) * side, x1)):
            for c in range(total.shape[1]):
                total[k, c] += row[x, c]


@njit(nogil=True, cache=True, error_model="numpy")
def _divided(total, width, side, rows, whole):
    for k in range(total.shape[0]):
        count = rows * min(side, width - k * side)
        for c in range(total.shape[1]):
            mean = total[k, c] / count
            total[k, c] = np.floor(mean + 0.5) if whole else mean


@njit(nogil=True, cache=True, error_model="numpy")
def _spread(row, x0, x1, side, total):
    for k in range(total.shape[0]):
        for x in range(x0 + k * side, min(x0 + (k + 1) * side, x1)):
            for c in range(total.shape[1]):
                row[x, c] = total[k, c]
