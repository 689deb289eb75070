"""Blocks of pixels replaced by their mean."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.streams import copied


def averaged(images: NDArray, *, box: NDArray, block: NDArray) -> NDArray:
    """Within box (b, 4), x0 y0 x1 y1, every block of side (b,) takes its mean; blocks begin at x0, y0."""
    out = copied(images)
    _averaged(out, np.ascontiguousarray(box, np.int64), block.astype(np.int64), images.dtype.kind == "u")
    return out


@njit(nogil=True, cache=True, error_model="numpy")
def _averaged(out, box, block, whole):
    """Rows are added up first, and blocks only then: the long loops run over values that lie side by side."""
    channels = out.shape[3]
    for b in range(out.shape[0]):
        (x0, y0, x1, y1), side = box[b], block[b]
        if side <= 1 or x0 >= x1:
            continue
        total, image = np.empty((x1 - x0) * channels, np.float64), out[b].reshape(out.shape[1], -1)
        for top in range(y0, y1, side):
            low = min(top + side, y1)
            total[:] = 0
            for y in range(top, low):
                row = image[y, x0 * channels : x1 * channels]
                for i in range(len(row)):
                    total[i] += row[i]
            _means(total, channels, side, low - top, whole)
            for y in range(top, low):
                row = image[y, x0 * channels : x1 * channels]
                for i in range(len(row)):
                    row[i] = total[i]


@njit(nogil=True, cache=True, error_model="numpy")
def _means(total, channels, side, rows, whole):
    """Sums of columns become means of blocks."""
    width = len(total) // channels
    for left in range(0, width, side):
        right = min(left + side, width)
        for c in range(channels):
            mean = 0.0
            for x in range(left, right):
                mean += total[x * channels + c]
            mean /= rows * (right - left)
            for x in range(left, right):
                total[x * channels + c] = np.floor(mean + 0.5) if whole else mean
