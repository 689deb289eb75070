"""Antialiased shapes: how much of a pixel is covered follows from its distance to the edges."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.pixels import copied
from vicinal.core.batch import RANGES, name_of
from vicinal.core.pages import room

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_inlined = njit(nogil=True, cache=True, error_model="numpy", inline="always")

CIRCLE, RECTANGLE, TRIANGLE = 0, 1, 2


def drawn(images: NDArray, *, kind: NDArray, radius: NDArray, angle: NDArray, centre: NDArray, colour: NDArray,
          opacity: NDArray) -> NDArray:  # fmt: skip
    """Filled shapes, the first lowest.

    Args:
        kind: (b, n) 0 circle, 1 rectangle, 2 triangle, 3 line, below 0 nothing; radius: (b, n) pixels; angle: (b, n) radians;
        centre: (b, n, 2) x and y; colour: (b, n, C) shares of the value range; opacity: (b,).
    """
    out, scale = room(images.shape, images.dtype), RANGES[name_of(images.dtype)]
    half = np.float32(0.5 if images.dtype.kind == "u" else 0)  # whole numbers are cut off behind it
    _shapes(images, out, kind, radius, angle, centre, (colour * scale).astype(np.float32), opacity, half)
    return out


@_compiled
def _shapes(images, out, kind, radius, angle, centre, colour, opacity, half):
    batch, height, width, channels = images.shape
    source, target = images.reshape(batch, -1), out.reshape(batch, -1)
    line = np.empty(width * channels, images.dtype)
    for b in range(batch):
        copied(target[b], 0, source[b], 0, target.shape[1])
        if opacity[b] > 0:
            for n in range(kind.shape[1]):
                if kind[b, n] >= 0:
                    form = kind[b, n], radius[b, n], np.cos(angle[b, n]), np.sin(angle[b, n])
                    _shape(target[b], height, width, channels, line, form, centre[b, n], colour[b, n], opacity[b], half)


@_compiled
def _shape(flat, height, width, channels, line, form, centre, colour, opacity, half):
    """One shape on a flat image; ``line`` is room for a row."""
    (kind, radius, cos, sin), middle = form, centre[0]
    for x in range(min(int(2 * radius + 4), width)):
        for c in range(channels):
            line[x * channels + c] = colour[c] + half
    for y in range(max(int(centre[1] - radius - 1), 0), min(int(centre[1] + radius + 2), height)):
        down, row = y + 0.5 - centre[1], np.uintp(y * width)
        low, high = _chord(kind, radius, cos, sin, down)
        first, stop = max(int(np.ceil(middle + low - 0.5)), 0), min(int(middle + high + 0.5), width)
        # The shapes are convex: what is covered whole is one run of pixels, between those that are mixed.
        left = _edge(flat, row, first, stop, 1, channels, form, down, middle, colour, opacity, half)
        if left < stop:
            right = _edge(flat, row, stop - 1, left, -1, channels, form, down, middle, colour, opacity, half)
            copied(flat, (row + np.uintp(left)) * np.uintp(channels), line, 0, (right - left + 1) * channels)


@_compiled
def _edge(flat, row, start, stop, step, channels, form, down, middle, colour, opacity, half):
    """Mix the pixels from ``start`` on, before ``stop``, up to the first that is covered whole, and return that, or ``stop``."""
    kind, radius, cos, sin = form
    reach = (radius + 1) ** 2
    for x in range(start, stop, step):
        right = x + 0.5 - middle
        if right * right + down * down > reach:
            continue
        share = np.float32(opacity * _covered(kind, cos * right + sin * down, cos * down - sin * right, radius))
        if share == 1:
            return x
        if share > 0:
            at = (row + np.uintp(x)) * np.uintp(channels)
            for c in range(np.uintp(channels)):
                value = np.float32(flat[at + c])
                flat[at + c] = value + share * (colour[c] - value) + half
    return stop


@_inlined
def _chord(kind, radius, cos, sin, down):
    """What a shape reaches of a row ``down`` below its centre: from and to how far right of it, or a little more."""
    reach = radius + (0.51 if kind == CIRCLE else 1)
    high = np.sqrt(max(reach * reach - down * down, 0.0))
    low = -high
    if kind == CIRCLE:
        return low, high
    if kind == TRIANGLE:
        low, high = _cut(low, high, cos, sin, down, 0.0, 1.0, 0.5 * radius)
        low, high = _cut(low, high, cos, sin, down, 0.8660254037844386, -0.5, 0.5 * radius)
        return _cut(low, high, cos, sin, down, -0.8660254037844386, -0.5, 0.5 * radius)
    along, across = (0.8 * radius, 0.6 * radius) if kind == RECTANGLE else (radius, 0.125 * radius)
    for sign in (-1.0, 1.0):
        low, high = _cut(low, high, cos, sin, down, sign, 0.0, along)
        low, high = _cut(low, high, cos, sin, down, 0.0, sign, across)
    return low, high


@_inlined
def _cut(low, high, cos, sin, down, u, v, edge):
    """The part of a row [low, high] about half a pixel beyond an edge at most, whose normal is (u, v) along the axes of the shape."""
    slope, room = u * cos - v * sin, edge + 0.51 - (u * sin + v * cos) * down
    if slope > 1e-6:
        return low, min(high, room / slope)
    if slope < -1e-6:
        return max(low, room / slope), high
    return low, high


@_inlined
def _overlap(place, half):
    """How much of the unit interval about ``place`` lies within ``half`` of 0."""
    return min(max(min(place + 0.5, half) - max(place - 0.5, -half), 0.0), 1.0)


@_inlined
def _covered(kind, u, v, radius):
    """The share of the pixel at (u, v), as seen from the centre along the axes of the shape."""
    if kind == CIRCLE:
        if u * u + v * v < (radius - 0.5) * abs(radius - 0.5):
            return 1.0
        return _overlap(np.sqrt(u * u + v * v), radius)
    if kind == TRIANGLE:
        # The farthest of three edges, each at half the radius.
        far = max(v, max(0.8660254037844386 * u, -0.8660254037844386 * u) - 0.5 * v)
        return min(max(0.5 * radius - far + 0.5, 0.0), 1.0)
    if kind == RECTANGLE:
        return _overlap(u, 0.8 * radius) * _overlap(v, 0.6 * radius)
    return _overlap(u, radius) * _overlap(v, 0.125 * radius)
