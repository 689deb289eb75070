"""Blurs that are no weighted mean with one kernel for the whole image."""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.filters import SMALL
from vicinal.backend.kernels import _hash

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_MAGIC = np.float32(12582912.0)  # as in ``kernels``: adding and subtracting it rounds to even


def median(images: NDArray, *, size: NDArray) -> NDArray:
    """The median of a window of odd size around every value; the edge pixel is repeated outside."""
    out, large = images.copy(), images.shape[1] * images.shape[2] > SMALL
    for side in np.unique(size[size > 1]).tolist():
        rows = np.flatnonzero(size == side)
        if large and (images.dtype == np.uint8 or side <= 5):
            for row in rows:
                _opencv_median(images[row], side, out[row])
        else:
            out[rows] = _bisected(images[rows], side)
    return out


def _opencv_median(image: NDArray, side: int, out: NDArray) -> None:
    """OpenCV takes 1, 3 or 4 channels at a time."""
    channels = image.shape[2]
    widths = [4] * (channels // 4) + {0: [], 1: [1], 2: [1, 1], 3: [3]}[channels % 4]
    start = 0
    for width in widths:
        part = np.ascontiguousarray(image[..., start : start + width])
        out[..., start : start + width] = cv2.medianBlur(part, side).reshape(part.shape)
        start += width


def _bisected(images: NDArray, side: int) -> NDArray:
    """Bit by bit: the median is the largest value that at least half of the window reaches; floats of [0, 1] are ordered as their bits."""
    bits = {"uint8": 8, "uint16": 16, "float32": 30}[str(images.dtype)]
    half = side // 2
    padded = np.pad(images, ((0, 0), (half, half), (half, half), (0, 0)), "edge")
    whole = padded if bits < 30 else (padded + np.float32(0)).view(np.uint32)  # adding 0 makes the sign of -0.0 go
    batch, height, width, channels = images.shape
    out = np.empty((batch, height, width * channels), whole.dtype)
    count = np.zeros(1, np.uint8 if side * side < 256 else np.uint16)
    _bisect(whole.reshape(batch, whole.shape[1], -1), out, side, channels, np.array([1 << (bits - 1)], whole.dtype), count)
    return out.view(images.dtype).reshape(images.shape)


@_compiled
def _bisect(padded, out, side, channels, top, counted):
    height, wide = out.shape[1], out.shape[2]
    found, tried = np.empty(wide, out.dtype), np.empty(wide, out.dtype)
    reached = np.empty(wide, counted.dtype)
    enough = counted.dtype.type(side * side // 2)
    for b in range(out.shape[0]):
        for y in range(height):
            found[:] = 0
            bit = top[0]
            while bit > 0:
                for i in range(wide):
                    tried[i] = found[i] | bit
                reached[:] = 0
                for dy in range(side):
                    line = padded[b, y + dy]
                    for dx in range(side):
                        _counted(reached, line, np.uintp(dx * channels), tried)
                for i in range(wide):
                    found[i] = tried[i] if reached[i] > enough else found[i]
                bit = bit >> 1
            out[b, y] = found


@_compiled
def _counted(reached, line, start, tried):
    for i in range(np.uintp(reached.shape[0])):
        reached[i] += line[start + i] >= tried[i]


def zoom(images: NDArray, *, factors: NDArray) -> NDArray:
    """The mean of enlargements about the centre by (b, n) factors of 1 or more."""
    out = np.empty_like(images)
    if images.shape[1] * images.shape[2] > SMALL and images.dtype == np.uint8 and images.shape[3] <= 4:
        for image, row, made in zip(images, factors, out, strict=True):
            made[:] = image if (row == 1).all() else _opencv_zoom(image, row)
        return out
    flat = len(images), images.shape[1], -1
    _zoomed(images.reshape(flat), out.reshape(flat), factors, images.shape[3], images.dtype.kind == "u")
    return out


def _opencv_zoom(image: NDArray, factors: NDArray) -> NDArray:
    """With four channels, which fill a register; the mean of the rounded enlargements."""
    height, width, channels = image.shape
    four = cv2.cvtColor(image, cv2.COLOR_RGB2RGBA) if channels == 3 else image
    total = np.zeros(four.shape, np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for factor in factors:
        centre = (1 - 1 / factor) / 2 * np.array([width - 1, height - 1])
        inverse = np.array([[1 / factor, 0, centre[0]], [0, 1 / factor, centre[1]]])
        cv2.accumulate(cv2.warpAffine(four, inverse, (width, height), None, flags, cv2.BORDER_REPLICATE), total)
    mean = cv2.convertScaleAbs(total, alpha=1 / len(factors)).reshape(height, width, -1)
    return mean[..., :channels]


@_compiled
def _along(size, factor, left, part):
    """Where the centres of ``size`` pixels lie in the image, as an index and the share of the next pixel."""
    for i in range(size):
        place = min(max((i + 0.5 - size / 2) / factor + size / 2 - 0.5, 0.0), size - 1.0)
        left[i] = min(np.int64(place), max(size - 2, 0))
        part[i] = place - left[i]


@_compiled
def _zoomed(images, out, factors, channels, whole):
    height, wide = images.shape[1], images.shape[2]
    width = wide // channels
    top, left = np.empty(height, np.int64), np.empty(width, np.int64)
    down, right = np.empty(height, np.float32), np.empty(width, np.float32)
    total, line = np.empty((height, wide), np.float32), np.empty(wide + channels, np.float32)
    line[wide:] = 0
    for b in range(images.shape[0]):
        if (factors[b] == 1).all():
            out[b] = images[b]
            continue
        total[:] = 0
        for factor in factors[b]:
            _along(height, factor, top, down)
            _along(width, factor, left, right)
            for y in range(height):
                above, below = images[b, top[y]], images[b, min(top[y] + 1, height - 1)]
                for i in range(wide):
                    line[i] = np.float32(above[i]) + down[y] * (np.float32(below[i]) - np.float32(above[i]))
                for x in range(width):
                    at = left[x] * channels
                    for c in range(channels):
                        total[y, x * channels + c] += line[at + c] + right[x] * (line[at + channels + c] - line[at + c])
        share = np.float32(1 / factors.shape[1])
        for y in range(height):
            for i in range(wide):
                value = total[y, i] * share
                out[b, y, i] = (value + _MAGIC) - _MAGIC if whole else min(value, np.float32(1))


def exchanged(images: NDArray, *, distance: NDArray, key: NDArray, rounds: NDArray) -> NDArray:
    """Every pixel in turn changes places with one that lies up to ``distance`` away along both axes, as often as ``rounds`` says."""
    out = images.copy()
    _exchange(out, distance.astype(np.int64), key, rounds.astype(np.int64))
    return out


@_compiled
def _exchange(images, distance, keys, rounds):
    height, width, channels = images.shape[1], images.shape[2], images.shape[3]
    for b in range(images.shape[0]):
        reach, span = distance[b], 2 * distance[b] + 1
        if reach == 0:
            continue
        for turn in range(rounds[b]):
            for y in range(height):
                for x in range(width):
                    word = np.int64(_hash((turn * height + y) * width + x, keys[b, 0], keys[b, 1]))
                    other = min(max(y + ((word >> 16) * span >> 16) - reach, 0), height - 1)
                    beside = min(max(x + ((word & 0xFFFF) * span >> 16) - reach, 0), width - 1)
                    for c in range(channels):
                        kept = images[b, y, x, c]
                        images[b, y, x, c] = images[b, other, beside, c]
                        images[b, other, beside, c] = kept
