"""Light that varies over the canvas by a formula: gradients, spots and the fall-off of a lens."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vicinal.backend.effects.veil import blended, compiled, limits, spread

LINEAR, CORNER, GAUSSIAN, LENS = range(4)


@compiled
def _bell(distance, radius):
    return np.exp(np.float32(-0.5) * (distance / radius) ** 2)


@compiled
def _lit_row(shape, y, height, width, angle, cy, sigma, bell, out):
    """One row of the field: linear in [-1, 1], that of the lens in [-1, 0], the others in [0, 1]; ``bell`` is the spot's other axis."""
    one, half = np.float32(1), np.float32(0.5)
    down = np.float32(y) + half
    if shape == LINEAR:
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        extent = np.float32(2) / (abs(cos) * np.float32(width) + abs(sin) * np.float32(height))
        start = (down - half * np.float32(height)) * sin - half * np.float32(width) * cos
        for x in range(width):
            out[x] = (start + (np.float32(x) + half) * cos) * extent
    elif shape == CORNER:
        px, py = np.float32(width if np.cos(angle) >= 0 else 0), np.float32(height if np.sin(angle) >= 0 else 0)
        reach, square = one / np.sqrt(np.float32(width * width + height * height)), (down - py) ** 2
        for x in range(width):
            out[x] = one - np.sqrt((np.float32(x) + half - px) ** 2 + square) * reach
    elif shape == GAUSSIAN:
        here = _bell(down - cy * np.float32(height), sigma * np.float32(max(height, width)))
        for x in range(width):
            out[x] = here * bell[x]
    else:
        reach = np.float32(4) / np.float32(width * width + height * height)
        square = (down - half * np.float32(height)) ** 2
        for x in range(width):
            cosine = one / (one + ((np.float32(x) + half - half * np.float32(width)) ** 2 + square) * reach)
            out[x] = (cosine * cosine - one) * np.float32(4 / 3)


@compiled
def _lit(images, out, shape, settings, top, half):
    batch, height, width, channels = images.shape
    gain, wide = np.empty(width, np.float32), np.empty(width * channels, np.float32)
    source, target = images.reshape(batch, height, -1), out.reshape(batch, height, -1)
    black, bell = np.zeros(width * channels, np.float32), np.empty(width, np.float32)
    for b in range(batch):
        strength, angle, cx, cy, sigma = settings[b]
        if shape == GAUSSIAN:
            for x in range(width):
                bell[x] = _bell(np.float32(x) + np.float32(0.5) - cx * np.float32(width), sigma * np.float32(max(height, width)))
        for y in range(height):
            _lit_row(shape, y, height, width, angle, cy, sigma, bell, gain)
            for x in range(width):
                gain[x] *= -strength
            spread(gain, channels, wide)
            blended(source[b, y], wide, black, np.float32(1), top, half, target[b, y])


def _shaped(images: NDArray, shape: int, *settings: NDArray) -> NDArray:
    out = np.empty_like(images)
    _lit(images, out, shape, np.stack(settings, 1).astype(np.float32), *limits(images))
    return out


def linear(images: NDArray, *, strength: NDArray, angle: NDArray) -> NDArray:
    """Times 1 + strength at the edge that ``angle`` (b,) points to, in degrees from the right downwards, and 1 - strength opposite."""
    unused = np.zeros_like(strength)
    return _shaped(images, LINEAR, strength, np.deg2rad(angle), unused, unused, unused)


def corner(images: NDArray, *, strength: NDArray, angle: NDArray) -> NDArray:
    """Times 1 + strength in the corner that ``angle`` points to, and 1 in the opposite one, linear in the distance."""
    unused = np.zeros_like(strength)
    return _shaped(images, CORNER, strength, np.deg2rad(angle), unused, unused, unused)


def gaussian(images: NDArray, *, strength: NDArray, x: NDArray, y: NDArray, sigma: NDArray) -> NDArray:
    """Times 1 + strength at (x, y), shares of the canvas, falling off to 1 with ``sigma``, a share of the longer side."""
    return _shaped(images, GAUSSIAN, strength, np.zeros_like(strength), x, y, sigma)


def lens(images: NDArray, *, amount: NDArray) -> NDArray:
    """Times 1 in the middle and 1 - amount in the corners, by the cosine-to-the-fourth law of a lens of 90 degrees."""
    unused = np.zeros_like(amount)
    return _shaped(images, LENS, amount, unused, unused, unused, unused)
