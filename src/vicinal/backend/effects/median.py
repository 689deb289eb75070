"""The median of a window: small windows are sorted, larger ones counted, of bytes by OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.effects.median_network import SIDES, WIDTH, sort_columns, take_middles
from vicinal.backend.kernels import copied

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_BLOCK = 512  # values of which the whole window lies in the first cache
_LINE = 2048  # bytes of a line of sorted columns, of which there are up to seven


def median(images: NDArray, *, size: NDArray) -> NDArray:
    """The median of a window of odd size around every value; the edge pixel is repeated outside."""
    out = images.copy() if (size == 1).any() else np.empty_like(images)
    if np.isin(size, SIDES).any():
        given, flat = _comparable(images), (len(images), -1)
        _sorted(given.reshape(flat), images.shape, size, out.view(given.dtype).reshape(flat))
    for side in np.unique(size[size > SIDES[-1]]).tolist():
        rows = np.flatnonzero(size == side)
        if images.dtype != np.uint8:
            out[rows] = _by_counts(images[rows], side)
            continue
        for row in rows:
            _by_opencv(images[row], side, out[row])
    return out


def _comparable(images: NDArray) -> NDArray:
    """Whole numbers in the same order: those of floats are their bits."""
    return (images + np.float32(0)).view(np.uint32) if images.dtype == np.float32 else images  # adding 0 takes the sign of -0.0 away


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


def _by_counts(images: NDArray, side: int) -> NDArray:
    """Over long lines of the image with its margins, in which a place of the window is a distance."""
    (batch, height, width, channels), half = images.shape, side // 2
    padded = np.pad(_comparable(images), ((0, 0), (half, half), (half, half), (0, 0)), "edge")
    step = (width + 2 * half) * channels
    y, x = np.divmod(np.arange(side * side), side)
    lines, found = padded.reshape(batch, -1), np.empty((batch, height * step), padded.dtype)
    count = (height - 1) * step + width * channels
    bits = {"uint16": 16, "float32": 30}[str(images.dtype)]
    _counted(lines, y * step + x * channels, np.array([1 << (bits - 1)], padded.dtype), found, count)
    inner = found.reshape(batch, height, -1)[:, :, : width * channels]
    return inner.view(images.dtype).reshape(images.shape)


@_compiled
def _sorted(images, shape, sides, out):
    """The samples with windows that are sorted, in strips of rows; (B, H * W * C) whole numbers."""
    (_, height, width, channels), block = shape, WIDTH // images.itemsize
    wide = width * channels
    most = wide + (SIDES[-1] - 1) * channels
    strip = min(max(_LINE // images.itemsize // most, 1), height)
    room = strip * most + 2 * block
    lines = np.empty((height + SIDES[-1]) * most + 2 * block, images.dtype)
    columns, made = np.empty(SIDES[-1] * room, images.dtype), np.empty(room, images.dtype)
    for b in range(len(sides)):
        side, half = sides[b], sides[b] // 2
        if not 1 < side <= SIDES[-1]:
            continue
        step = wide + 2 * half * channels
        _padded(images[b], height, wide, channels, half, lines)
        for start in range(0, height, strip):
            many = min(strip, height - start)
            count = (many - 1) * step + wide
            sort_columns(lines, start * step, step, columns, room, side, (count + 2 * half * channels + block - 1) // block)
            take_middles(columns, room, channels, made, side, (count + block - 1) // block)
            for y in range(many):
                copied(out[b], (start + y) * wide, made, y * step, wide)


@_compiled
def _padded(image, height, wide, channels, half, lines):
    """Rows of an image with ``half`` more pixels on every side."""
    margin = half * channels
    step = wide + 2 * margin
    for y in range(-half, height + half):
        at, row = (y + half) * step, min(max(y, 0), height - 1) * wide
        copied(lines, at + margin, image, row, wide)
        left, right = np.uintp(at), np.uintp(at + margin + wide)
        first, last = np.uintp(row), np.uintp(row + wide - channels)
        for _ in range(half):
            for c in range(np.uintp(channels)):
                lines[left + c], lines[right + c] = image[first + c], image[last + c]
            left, right = left + np.uintp(channels), right + np.uintp(channels)


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
