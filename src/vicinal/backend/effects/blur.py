"""Blurs that are no weighted mean with one kernel for the whole image."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.kernels import hashed

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_MAGIC = np.float32(12582912.0)  # as in ``kernels``: adding and subtracting it rounds to even
_LANES = np.uint64(0x00FF00FF00FF00FF)  # four 8-bit values in one 64-bit word, with room for a product each
_HALVES = np.uint64(0x0080008000800080)


def zoom(images: NDArray, *, factors: NDArray) -> NDArray:
    """The mean of enlargements about the centre by (b, n) factors of 1 or more, sampled linearly.

    8-bit images of at most four channels are sampled to 1/256 of a pixel.
    """
    out = np.empty_like(images)
    flat = len(images), images.shape[1], -1
    if images.dtype == np.uint8 and images.shape[3] <= 4:
        _zoomed_words(images.reshape(flat), out.reshape(flat), factors, images.shape[3])
    else:
        _zoomed(images.reshape(flat), out.reshape(flat), factors, images.shape[3], images.dtype.kind == "u")
    return out


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
    width, share = wide // channels, np.float32(1 / factors.shape[1])
    top, left = np.empty(height, np.int64), np.empty(width, np.int64)
    down, right = np.empty(height, np.float32), np.empty(width, np.float32)
    total, line = np.empty((height, wide), np.float32), np.zeros(wide + channels, np.float32)
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
        for y in range(height):
            for i in range(wide):
                value = total[y, i] * share
                out[b, y, i] = (value + _MAGIC) - _MAGIC if whole else min(value, np.float32(1))


@_compiled
def _packed(image, words, channels):
    """The channels of a pixel side by side in one word."""
    for y in range(words.shape[0]):
        for x in range(words.shape[1]):
            word = np.uint64(0)
            for c in range(channels):
                word |= np.uint64(image[y, x * channels + c]) << np.uint64(16 * c)
            words[y, x] = word


@_compiled
def _mixed(line, above, below, part):
    """Two rows of words into one, rounded to whole levels."""
    rest = np.uint64(256) - part
    for x in range(line.shape[0]):
        line[x] = ((above[x] * rest + below[x] * part + _HALVES) >> np.uint64(8)) & _LANES


@_compiled
def _spread(made, line, left, right):
    """A row sampled at new places, in 1/256 of a level: a product never leaves its 16 bits."""
    for x in range(made.shape[0]):
        at, part = np.uintp(left[x]), right[x]
        made[x] = line[at] * (np.uint64(256) - part) + line[at + np.uintp(1)] * part


@_compiled
def _gathered(total, lanes):
    for i in range(total.shape[0]):
        total[i] += lanes[i]


@_compiled
def _unpacked(out, total, channels, share):
    for x in range(out.shape[0] // channels):
        for c in range(channels):
            out[x * channels + c] = np.float32(total[4 * x + c]) * share + np.float32(0.5)


@_compiled
def _zoomed_words(images, out, factors, channels):
    height, width = images.shape[1], images.shape[2] // channels
    top, left, down, right = np.empty(height, np.int64), np.empty(width, np.int64), np.empty(height), np.empty(width)
    words, line, made = np.empty((height, width), np.uint64), np.zeros(width + 1, np.uint64), np.empty(width, np.uint64)
    total, share = np.empty((height, 4 * width), np.uint32), np.float32(1 / (256 * factors.shape[1]))
    for b in range(images.shape[0]):
        if (factors[b] == 1).all():
            out[b] = images[b]
            continue
        _packed(images[b], words, channels)
        total[:] = 0
        for factor in factors[b]:
            _along(height, factor, top, down)
            _along(width, factor, left, right)
            weight = (right * 256 + 0.5).astype(np.uint64)
            for y in range(height):
                _mixed(line[:width], words[top[y]], words[min(top[y] + 1, height - 1)], np.uint64(down[y] * 256 + 0.5))
                _spread(made, line, left, weight)
                _gathered(total[y], made.view(np.uint16))
        for y in range(height):
            _unpacked(out[b, y], total[y], channels, share)


def exchanged(images: NDArray, *, distance: NDArray, key: NDArray, rounds: NDArray) -> NDArray:
    """Every pixel in turn changes places with one that lies up to ``distance`` away along both axes, as often as ``rounds`` says."""
    out = images.copy()
    batch, height, width, channels = images.shape
    _exchange(out.reshape(batch, -1, channels), height, width, distance.astype(np.int64), key, rounds.astype(np.int64))
    return out


@_compiled
def _partners(partner, first, y, height, width, reach, key0, key1):
    """For a row of pixels the numbers of those they change places with, kept on the canvas; 16 bits for either axis."""
    span = np.int32(2 * reach + 1)
    for x in range(partner.shape[0]):
        word = hashed(first + x, key0, key1)
        dy, dx = np.int32(word >> np.uint32(16)) * span >> 16, np.int32(word & np.uint32(0xFFFF)) * span >> 16
        partner[x] = min(max(y + dy - reach, 0), height - 1) * width + min(max(x + dx - reach, 0), width - 1)


@_compiled
def _exchange(images, height, width, distance, keys, rounds):
    channels, partner = images.shape[2], np.empty(width, np.int64)
    for b in range(images.shape[0]):
        image = images[b].reshape(-1)
        for row in range(rounds[b] * height if distance[b] > 0 else 0):
            y = row % height
            _partners(partner, row * width, y, height, width, distance[b], keys[b, 0], keys[b, 1])
            for x in range(width):
                here, there = np.uintp((y * width + x) * channels), np.uintp(partner[x] * channels)
                for c in range(np.uintp(channels)):
                    image[here + c], image[there + c] = image[there + c], image[here + c]
