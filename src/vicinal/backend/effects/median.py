"""The median of a window, for what OpenCV does not take or takes too long to begin with."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.filters import SMALL

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_BLOCK = 512  # values of which the whole window lies in the first cache
_SHORT = 5  # side up to which OpenCV sorts
_SORTED = 7  # side up to which sorting is faster than counting


def median(images: NDArray, *, size: NDArray) -> NDArray:
    """The median of a window of odd size around every value; the edge pixel is repeated outside."""
    out, large = np.empty_like(images), images.shape[1] * images.shape[2] > SMALL
    for side in np.unique(size).tolist():
        rows = np.flatnonzero(size == side)
        if side == 1:
            out[rows] = images[rows]
        elif (large and side <= _SHORT) or (images.dtype == np.uint8 and side > _SORTED):
            for row in rows:
                _by_opencv(images[row], side, out[row])
        else:
            out[rows] = _by_loops(images[rows], side)
    return out


def _by_opencv(image: NDArray, side: int, out: NDArray) -> None:
    """OpenCV takes 1, 3 or 4 channels at a time."""
    channels = image.shape[2]
    if channels in (1, 3, 4):
        cv2.medianBlur(image, side, out)
        return
    ends = np.cumsum([4] * (channels // 4) + {0: [], 1: [1], 2: [1, 1], 3: [3]}[channels % 4])
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        part = np.ascontiguousarray(image[..., start:end])
        out[..., start:end] = cv2.medianBlur(part, side).reshape(part.shape)


def _by_loops(images: NDArray, side: int) -> NDArray:
    """Over long lines of the image with its margins, in which a place of the window is a distance; floats are ordered as their bits."""
    (batch, height, width, channels), half = images.shape, side // 2
    padded = np.pad(images, ((0, 0), (half, half), (half, half), (0, 0)), "edge")
    if images.dtype == np.float32:
        padded = (padded + np.float32(0)).view(np.uint32)  # adding 0 takes the sign of -0.0 away
    step = (width + 2 * half) * channels
    y, x = np.divmod(np.arange(side * side), side)
    lines, found = padded.reshape(batch, -1), np.empty((batch, height * step), padded.dtype)
    count = (height - 1) * step + width * channels
    if side <= _SORTED:
        _sorted(lines, y * step + x * channels, network(side * side), found, count)
    else:
        bits = {"uint8": 8, "uint16": 16, "float32": 30}[str(images.dtype)]
        _counted(lines, y * step + x * channels, np.array([1 << (bits - 1)], padded.dtype), found, count)
    inner = found.reshape(batch, height, -1)[:, :, : width * channels]
    return inner.view(images.dtype).reshape(images.shape)


@lru_cache(maxsize=8)
def network(n: int) -> NDArray[np.int64]:
    """(m, 3) comparators (i, j, which results are needed: 1 the smaller, 2 the larger, 3 both) that bring the median of n to n // 2.

    Batcher's odd-even merge sort, without what the median does not depend on.
    """
    needed, kept = {n // 2}, []
    for i, j in reversed(_batcher(n)):
        use = (i in needed) + 2 * (j in needed)
        if use:
            needed |= {i, j}
            kept.append((i, j, use))
    return np.array(kept[::-1])


def _batcher(n: int) -> list[tuple[int, int]]:
    """Comparators that sort n values (Knuth, The Art of Computer Programming 3, algorithm 5.2.2M)."""
    pairs, p = [], 1
    while p < n:
        k = p
        while k:
            for j in range(k % p, n - k, 2 * k):
                pairs.extend((i + j, i + j + k) for i in range(min(k, n - j - k)) if (i + j) // (2 * p) == (i + j + k) // (2 * p))
            k //= 2
        p *= 2
    return pairs


@_compiled
def _copied(out, at, line, start, count):
    at, start = np.uintp(at), np.uintp(start)  # unsigned indices need no look at negative ones
    for i in range(np.uintp(count)):
        out[at + i] = line[start + i]


@_compiled
def _exchange(window, one, other, use, count):
    i, j = np.uintp(one), np.uintp(other)
    for x in range(np.uintp(count)):
        a, b = window[i + x], window[j + x]
        if use & 1:
            window[i + x] = min(a, b)
        if use & 2:
            window[j + x] = max(a, b)


@_compiled
def _sorted(lines, offsets, comparators, found, count):
    """Block by block: the window's values as one line each, and the comparators between whole lines."""
    window, middle = np.empty(len(offsets) * _BLOCK, lines.dtype), len(offsets) // 2 * _BLOCK
    for b in range(lines.shape[0]):
        for start in range(0, count, _BLOCK):
            many = min(_BLOCK, count - start)
            for place in range(len(offsets)):
                _copied(window, place * _BLOCK, lines[b], start + offsets[place], many)
            for pair in range(len(comparators)):
                i, j, use = comparators[pair]
                _exchange(window, i * _BLOCK, j * _BLOCK, use, many)
            _copied(found[b], start, window, middle, many)


@_compiled
def _reaching(reached, line, start, tried):
    start = np.uintp(start)
    for i in range(np.uintp(len(reached))):
        reached[i] = np.uint16(reached[i] + np.uint16(line[start + i] >= tried[i]))


@_compiled
def _counted(lines, offsets, top, found, count):
    """Bit by bit: the median is the largest value that more than half of the window reaches."""
    for b in range(lines.shape[0]):
        for start in range(0, count, _BLOCK):
            block = found[b, start : min(start + _BLOCK, count)]
            tried, reached = np.empty(len(block), lines.dtype), np.empty(len(block), np.uint16)
            block[:] = 0
            bit = top[0]
            while bit > 0:
                for i in range(len(block)):
                    tried[i], reached[i] = block[i] | bit, 0
                for place in range(len(offsets)):
                    _reaching(reached, lines[b], start + offsets[place], tried)
                for i in range(len(block)):
                    block[i] = tried[i] if reached[i] > len(offsets) // 2 else block[i]
                bit = bit >> 1
