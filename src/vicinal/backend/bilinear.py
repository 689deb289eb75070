"""Linear sampling of 8-bit images in whole numbers: the parts of its loops.

The part of an image that is looked at is laid into a room of its own, within a ring of what the border shows. Where the border is
constant or repeats the edge, whatever lies further off looks like the ring: places are brought onto it, and none is asked where it lies.
"""

from __future__ import annotations

import numpy as np

from vicinal.backend.bilinear_lanes import BITS, ONE, PIXELS, sixteen
from vicinal.backend.kernels import _brought, _inlined
from vicinal.backend.pixels import copied
from vicinal.core.warp import CONSTANT, REFLECT

WIDEST = 1 << 31 - BITS  # pixels of a canvas: places on it and their weights fit 32 bits
RING = 2  # pixels
_AT_ONCE = 1 << 10  # pixels of a result: what is noted of them stays in the fastest cache


@_inlined
def room(width, height, count):
    """A place for the pixels of a window and the ring, and for what a register reads beyond."""
    return np.empty((width + 2 * RING) * (height + 2 * RING) * count + 8, np.uint8)


@_inlined
def settle(flat, image, window, border, fill, count):
    """Put a window (left, top, right, low) of an image (H, W, C) into its room."""
    height, width = image.shape[:2]
    left, top, right, low = window
    pixels, inner, at = image.reshape(-1), (right - left) * count, 0
    if border == CONSTANT:
        for k in range(len(flat)):
            flat[k] = fill
    for y in range(top - RING, low + RING):
        row = _brought(y, height, border)
        if row >= 0:
            copied(flat, at + RING * count, pixels, (row * width + left) * count, inner)
        if border != CONSTANT:
            for k in range(RING):
                before, behind = _brought(left - RING + k, width, border), _brought(right + k, width, border)
                copied(flat, at + k * count, pixels, (row * width + before) * count, count)
                copied(flat, at + (RING + k) * count + inner, pixels, (row * width + behind) * count, count)
        at += inner + 2 * RING * count


@_inlined
def _near(places, shift, least, most, pixels, weights):
    """Along an axis the pixels of the room that lie before places - shift, and the weights of those behind them.

    What lies beyond the ring is brought onto it. Written so that it is vectorised, and that no number leads out of the room; exact, since
    a weight is a power of two.
    """
    first = np.int32(least)
    low, high = float(least * ONE), float(most * ONE)
    for x in range(len(places)):
        whole = np.floor((places[x] - shift) * ONE + 0.5)
        whole = whole if whole > low else low
        number = np.int32(whole if whole < high else high)
        pixels[x], weights[x] = (number >> BITS) - first, number & (ONE - 1)


@_inlined
def _mirrored(places, shift, least, most, size, pixels, weights):
    """The same where the border mirrors: on the way back a pixel and the next one change places."""
    for x in range(len(places)):
        place = places[x] - shift
        whole = np.floor(place)
        weight, gone = np.int32((place - whole) * ONE + 0.5), whole - 2.0 * size * np.floor(whole / (2.0 * size))
        back = gone >= size
        whole = 2.0 * size - 2 - gone if back else gone
        whole = whole if whole > least else least
        pixels[x], weights[x] = np.int32((whole if whole < most else most) - least), (np.int32(ONE - weight) if back else weight)


@_inlined
def marked_axis(places, shift, least, most, size, border, pixels, weights):
    """Along an axis of ``size`` pixels those of the room, counted from ``least``, before places - shift; and weights of those behind."""
    if border == REFLECT:
        _mirrored(places, shift, least, most, size, pixels, weights)
    else:
        _near(places, shift, least, most, pixels, weights)


@_inlined
def marked(xs, ys, shift, window, size, border, marks):
    """(4, n) numbers for the places (xs, ys) - shift, pixel indices on a canvas of ``size`` = (H, W): columns, rows, weights of each."""
    left, top, right, low = window
    marked_axis(xs, shift, left - RING, right, size[1], border, marks[0], marks[2])
    marked_axis(ys, shift, top - RING, low, size[0], border, marks[1], marks[3])


@_inlined
def block(widest, count):
    """Places for the pixels that are sampled at a time, a row of the widest result at least: how many, x, y, marks, and values."""
    many = (max(_AT_ONCE, widest) + PIXELS - 1) // PIXELS * PIXELS
    marks = np.empty((4, many + PIXELS), np.int32)
    return many, np.empty(many), np.empty(many), marks, np.empty(many * count + 4 * PIXELS, np.uint8)


@_inlined
def sampled(flat, marks, first, many, stride, channels, line):
    """Values of the pixels first .. many - 1 from what ``marked`` says."""
    for x in range(many, many + (first - many) % PIXELS):  # the last ones of sixteen
        for k in range(4):
            marks[k, x] = 0
    for x in range(first, many, PIXELS):
        sixteen(line, (x - first) * len(channels), flat, stride, marks, x, channels)
