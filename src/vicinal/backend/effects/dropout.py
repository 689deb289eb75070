"""Erasing on a grid; rectangles that stand alone are the primitive ``Patch``."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.patches import filling, span
from vicinal.backend.streams import copied


def grid(images: NDArray, *, unit: NDArray, hole: NDArray, shift: NDArray, turn: NDArray, level: NDArray,
         key: NDArray | None = None) -> NDArray:  # fmt: skip
    """Erase squares of side ``hole`` (b,) at the distance ``unit`` (b,), in pixels.

    Args:
        shift: (b, 2) where the first square begins, x before y; turn: (b, 2) cosine and sine of the angle about the centre;
        level: (b, 1 or C) shares of the value range, or key: (b, 2) uint32 for noise.
    """
    out = copied(images)
    _grid(out, unit.astype(np.int64), hole.astype(np.int64), shift.astype(np.int64), turn, *filling(level, key, str(images.dtype)))
    return out


@njit(nogil=True, cache=True, error_model="numpy")
def _grid(out, unit, hole, shift, turn, level, key, bits, scale):
    for b in range(out.shape[0]):
        if hole[b] <= 0:
            continue
        if turn[b, 1] == 0 and turn[b, 0] == 1:
            _straight(out[b], unit[b], hole[b], shift[b], level[b], key[b], bits, scale)
        else:
            _turned(out[b], unit[b], hole[b], shift[b], turn[b], level[b], key[b], bits, scale)


@njit(nogil=True, cache=True, error_model="numpy")
def _straight(image, unit, hole, shift, level, key, bits, scale):
    height, width, channels = image.shape
    flat = image.reshape(-1)
    for y in range(height):
        if (y - shift[1]) % unit >= hole:
            continue
        for start in range(shift[0] % unit - unit, width, unit):
            first, last = max(start, 0), min(start + hole, width)
            if first < last:
                span(flat, (y * width + first) * channels, (y * width + last) * channels, level, key, bits, scale)


@njit(nogil=True, cache=True, error_model="numpy")
def _turned(image, unit, hole, shift, turn, level, key, bits, scale):
    height, width, channels = image.shape
    flat, cos, sin, per = image.reshape(-1), turn[0], turn[1], 1.0 / unit
    for y in range(height):
        down = y + 0.5 - height / 2
        for x in range(width):
            right = x + 0.5 - width / 2
            u, v = cos * right - sin * down + width / 2 - shift[0], sin * right + cos * down + height / 2 - shift[1]
            if u - np.floor(u * per) * unit < hole and v - np.floor(v * per) * unit < hole:
                at = (y * width + x) * channels
                span(flat, at, at + channels, level, key, bits, scale)
