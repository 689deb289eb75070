"""Glass: pixels that change places."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.kernels import hashed

_compiled = njit(nogil=True, cache=True, error_model="numpy")


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
