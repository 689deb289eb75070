"""Simple linear iterative clustering (Achanta et al., 2012): k-means of colour and place, each centre within its neighbourhood."""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.noise import words
from vicinal.core.batch import RANGES

ROUNDS = 5


def painted(images: NDArray, *, count: NDArray, replace: NDArray, compactness: NDArray, key: NDArray) -> NDArray:
    """Segments chosen by a hash of their number under the key (b, 2) take their mean colour.

    Args:
        count: (b,) segments; replace: (b,) share of them; compactness: (b,) CIELAB units that one grid step of distance weighs.
    """
    out = images.copy()
    for row, image in enumerate(images):
        if replace[row] > 0:
            label, many = segments(image, int(count[row]), float(compactness[row]))
            chosen = words(key[row], many) < np.uint64(replace[row] * 2.0**32)
            _means(image, label, chosen, image.dtype.kind == "u", out[row])
    return out


def segments(image: NDArray, count: int, compactness: float, rounds: int = ROUNDS) -> tuple[NDArray[np.int32], int]:
    """(H, W) numbers of segments of an (H, W, C) image, and how many numbers there are; small islands are left where they are."""
    height, width = image.shape[:2]
    step = np.sqrt(height * width / count)
    grid = max(1, min(height, round(height / step))), max(1, min(width, round(width / step)))
    label = np.empty((height, width), np.int32)
    _slic(np.ascontiguousarray(_colours(image).transpose(2, 0, 1)), grid[0], grid[1], np.float32(compactness), rounds, label)
    return label, grid[0] * grid[1]


def _colours(image: NDArray) -> NDArray[np.float32]:
    """CIELAB for three channels, else values from 0 to 100 with the same largest distance for any number of them."""
    values = image.astype(np.float32) / np.float32(RANGES[str(image.dtype)])
    if image.shape[2] == 3:
        return np.asarray(cv2.cvtColor(values, cv2.COLOR_RGB2Lab), np.float32)
    return values * np.float32(100 / np.sqrt(image.shape[2]))


@njit(nogil=True, cache=True, error_model="numpy")
def _slic(colour, down, across, compactness, rounds, label):
    """Centres start on a grid; colour (K, H, W); label (H, W) is written."""
    planes, height, width = colour.shape
    count = down * across
    high, wide = height / down, width / across
    centre, total = np.empty((count, planes + 2), np.float32), np.empty((count, planes + 3), np.float64)
    best = np.empty((height, width), np.float32)
    nearness = compactness * compactness / np.float32(high * wide)
    for y in range(height):
        for x in range(width):
            label[y, x] = int(y / high) * across + int(x / wide)
    for round_ in range(rounds + 1):
        _centres(colour, label, total, centre)
        if round_ == rounds:
            break
        best[:] = np.inf
        for k in range(count):
            y0, y1 = max(int(centre[k, 0] - high), 0), min(int(centre[k, 0] + high) + 1, height)
            x0, x1 = max(int(centre[k, 1] - wide), 0), min(int(centre[k, 1] + wide) + 1, width)
            _claim(colour, centre[k], k, y0, y1, x0, x1, nearness, best, label)


@njit(nogil=True, cache=True, error_model="numpy")
def _claim(colour, centre, k, y0, y1, x0, x1, nearness, best, label):
    """Pixels of a window that are nearer to this centre than to all before it."""
    planes = colour.shape[0]
    for y in range(y0, y1):
        dy = np.float32(y) - centre[0]
        near, mine = best[y], label[y]
        for x in range(x0, x1):
            dx = np.float32(x) - centre[1]
            distance = nearness * (dx * dx + dy * dy)
            for c in range(planes):
                d = colour[c, y, x] - centre[2 + c]
                distance += d * d
            if distance < near[x]:
                near[x], mine[x] = distance, k


@njit(nogil=True, cache=True, error_model="numpy")
def _centres(colour, label, total, centre):
    """Means of place and colour; a centre without pixels stays where it was."""
    planes, height, width = colour.shape
    total[:] = 0
    for y in range(height):
        for x in range(width):
            row = total[label[y, x]]
            row[0] += y
            row[1] += x
            for c in range(planes):
                row[2 + c] += colour[c, y, x]
            row[planes + 2] += 1
    for k in range(total.shape[0]):
        if total[k, planes + 2] > 0:
            for c in range(planes + 2):
                centre[k, c] = total[k, c] / total[k, planes + 2]


@njit(nogil=True, cache=True, error_model="numpy")
def _means(image, label, chosen, whole, out):
    height, width, channels = image.shape
    total = np.zeros((len(chosen), channels + 1), np.float64)
    for y in range(height):
        for x in range(width):
            for c in range(channels):
                total[label[y, x], c] += image[y, x, c]
            total[label[y, x], channels] += 1
    for y in range(height):
        for x in range(width):
            k = label[y, x]
            if chosen[k]:
                for c in range(channels):
                    mean = total[k, c] / total[k, channels]
                    out[y, x, c] = np.floor(mean + 0.5) if whole else mean
