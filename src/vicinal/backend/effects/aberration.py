"""Lateral chromatic aberration: colours of one picture at different scales."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


def chromatic(images: NDArray, *, red: NDArray, blue: NDArray) -> NDArray:
    """Channels 0 and 2 of (b, H, W, 3) images enlarged about the centre by factors (b,), linear between pixels."""
    out = images.copy()
    _enlarged(images, out, red, 0, images.dtype.kind == "u")
    _enlarged(images, out, blue, 2, images.dtype.kind == "u")
    return out


@njit(nogil=True, cache=True, error_model="numpy")
def _places(length, factor, index, weight):
    """Where the centres of pixels come from: the index of the first of two neighbours, and the weight of the second."""
    for i in range(length):
        place = (i + 0.5 - length / 2) / factor + length / 2 - 0.5
        place = min(max(place, 0.0), length - 1.0)
        index[i] = min(int(place), max(length - 2, 0))
        weight[i] = np.float32(place - index[i])


@njit(nogil=True, cache=True, error_model="numpy")
def _enlarged(images, out, factor, channel, whole):
    height, width = images.shape[1], images.shape[2]
    columns, rows = np.empty(width, np.int64), np.empty(height, np.int64)
    across, down = np.empty(width, np.float32), np.empty(height, np.float32)
    line = np.empty(width, np.float32)
    half = np.float32(0.5) if whole else np.float32(0)
    right, below = min(1, width - 1), min(1, height - 1)
    for b in range(images.shape[0]):
        if factor[b] == 1:
            continue
        _places(width, factor[b], columns, across)
        _places(height, factor[b], rows, down)
        for y in range(height):
            upper, lower, part = images[b, rows[y], :, channel], images[b, rows[y] + below, :, channel], down[y]
            for x in range(width):
                top = np.float32(upper[x])
                line[x] = top + part * (np.float32(lower[x]) - top)
            for x in range(width):
                left = line[columns[x]]
                value = left + across[x] * (line[columns[x] + right] - left) + half
                out[b, y, x, channel] = np.int32(value) if whole else value
