"""What baseline JPEG does to pixels, and nothing else: all that is lost is lost before the entropy coder, which is left out.

A picture becomes brightness and two colour differences (JFIF 1.02), the latter perhaps at a lower resolution, and those become cosines and
back (``jpeg_blocks``). Whole numbers throughout, with 16 bits after the point for the constants of colours, rounded as libjpeg does;
colour is enlarged by its "fancy" way, a triangle three quarters of which lie on the nearest value.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.chain_lookup import put_together, take_apart
from vicinal.backend.effects.jpeg_blocks import LANES, through

SUBSAMPLING = {"4:4:4": (1, 1), "4:2:2": (1, 2), "4:2:0": (2, 2)}  # rows and columns that share a value of colour

_compiled = njit(nogil=True, cache=True, error_model="numpy")

# Colours in units of 2**-16. Whole multiples of these below 256 are float32 numbers, and so are their sums: nothing is lost.
_UNIT = np.float32(2**-16)


def _share(units: int) -> np.float32:
    return np.float32(units) * _UNIT


_Y_RED, _Y_GREEN, _Y_BLUE = _share(19595), _share(38470), _share(7471)
_CB_RED, _CB_GREEN, _CR_GREEN, _CR_BLUE = _share(-11059), _share(-21709), _share(-27439), _share(-5329)
_RED_CR, _GREEN_CB, _GREEN_CR, _BLUE_CB = _share(91881), _share(-22554), _share(-46802), _share(116130)

# T.81, tables K.1 and K.2.
LUMINANCE = np.array([
    [16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55], [14, 13, 16, 24, 40, 57, 69, 56], [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77], [24, 35, 55, 64, 81, 104, 113, 92], [49, 64, 78, 87, 103, 121, 120, 101],
    [72, 92, 95, 98, 112, 100, 103, 99]])  # fmt: skip
CHROMINANCE = np.full((8, 8), 99)
CHROMINANCE[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]


@lru_cache(maxsize=1)
def tables() -> NDArray[np.int32]:
    """(101, 2, 4, 64) for every quality, for brightness and for colour: steps q, and what it takes to divide by them.

    Cosines come out eight times too large, so the divisor is d = 8 q. For n < 2**15 and d <= 2**k, n // d is n * m >> s with s = 15 + k and
    m = ceil(2**s / d), in 32 bits (Granlund and Montgomery, Division by invariant integers using multiplication, 1994).
    """
    quality = np.arange(101)
    scale = np.where(quality < 50, 5000 // np.maximum(quality, 1), 200 - 2 * quality)
    q = ((np.stack([LUMINANCE, CHROMINANCE]).reshape(2, 64) * scale[:, None, None] + 50) // 100).clip(1, 255)
    shift = 15 + np.ceil(np.log2(8 * q)).astype(np.int64)
    return np.stack([q, 4 * q, -(-(1 << shift) // (8 * q)), shift], 2).astype(np.int32)


@_compiled
def _to_differences(planes, n):
    """Red, green and blue to brightness and the differences of blue and red from it, in place."""
    red, green, blue, half, middle = planes[0], planes[1], planes[2], np.float32(0.5), np.float32(128.5) - _UNIT
    for x in range(n):
        r, g, b = np.float32(red[x]), np.float32(green[x]), np.float32(blue[x])
        red[x] = np.int32(_Y_RED * r + _Y_GREEN * g + _Y_BLUE * b + half)
        green[x] = np.int32(_CB_RED * r + _CB_GREEN * g + half * b + middle)
        blue[x] = np.int32(half * r + _CR_GREEN * g + _CR_BLUE * b + middle)


@_compiled
def _to_colours(planes, n):
    """The way back."""
    first, second, third = planes[0], planes[1], planes[2]
    half, zero, top, middle = np.float32(0.5), np.float32(0), np.float32(255), np.float32(128)
    for x in range(n):
        y, cb, cr = np.float32(first[x]), np.float32(second[x]) - middle, np.float32(third[x]) - middle
        first[x] = np.int32(min(max(_RED_CR * cr + half + y, zero), top))
        second[x] = np.int32(min(max(_GREEN_CB * cb + _GREEN_CR * cr + half + y, zero), top))
        third[x] = np.int32(min(max(_BLUE_CB * cb + half + y, zero), top))


@_compiled
def _cut(plane, width, start, wide, high, blocks):
    """A plane (H, W), of which ``width`` columns count, into ``high`` rows of ``wide`` blocks from ``start``; its edge fills them up."""
    for y in range(8 * high):
        at, source = 8 * (start + (y >> 3) * wide), plane[min(y, plane.shape[0] - 1)]
        row = blocks[y & 7, at : at + 8 * wide]
        for x in range(width):
            row[x] = source[x]
        for x in range(width, 8 * wide):
            row[x] = source[width - 1]


@_compiled
def _pasted(blocks, start, wide, plane, width):
    """The way back."""
    for y in range(plane.shape[0]):
        at, target = 8 * (start + (y >> 3) * wide), plane[y]
        row = blocks[y & 7, at : at + 8 * wide]
        for x in range(width):
            target[x] = row[x]


@_compiled
def _reduced(plane, rows, small):
    """Means over ``rows`` x 2, halves by turns down and up; the edge fills up what ``small`` (h, w) has more."""
    height, width = plane.shape
    line, scale, low = np.empty(2 * small.shape[1], np.float32), np.float32(0.5 / rows), np.float32(rows - 1)
    for y in range(small.shape[0]):
        one, other, out = plane[min(rows * y, height - 1)], plane[min(rows * y + rows - 1, height - 1)], small[y]
        for x in range(width):
            line[x] = np.float32(one[x]) + np.float32(other[x]) if rows == 2 else np.float32(one[x])
        line[width:] = line[width - 1]
        for x in range(small.shape[1] // 2):  # an even number of columns, whole blocks
            out[2 * x] = np.int32((line[4 * x] + line[4 * x + 1] + low) * scale)
            out[2 * x + 1] = np.int32((line[4 * x + 2] + line[4 * x + 3] + low + np.float32(1)) * scale)


@_compiled
def _enlarged(small, width, rows, plane):
    """``width`` columns and all rows of a plane to twice the width and ``rows`` times the height. Two columns or fewer are repeated."""
    height, full = plane.shape
    line, fancy, last, three = np.empty(width + 2, np.float32), width > 2, small.shape[0] - 1, np.float32(3)
    scale, first, second = np.float32(0.0625 if rows == 2 else 0.25), np.float32(8 if rows == 2 else 1), np.float32(7 if rows == 2 else 2)
    for y in range(height):
        near, out = small[y // rows], plane[y]
        if not fancy:
            for x in range(full):
                out[x] = near[x >> 1]
            continue
        other = small[min(max(y // rows + (1 if y % 2 else -1), 0), last)]
        for x in range(width):
            line[x + 1] = three * np.float32(near[x]) + np.float32(other[x]) if rows == 2 else np.float32(near[x])
        line[0], line[width + 1] = line[1], line[width]
        for x in range(full >> 1):
            out[2 * x] = np.int32((three * line[x + 1] + line[x] + first) * scale)
            out[2 * x + 1] = np.int32((three * line[x + 1] + line[x + 2] + second) * scale)
        if full % 2:
            out[full - 1] = np.int32((three * line[width] + line[width - 1] + first) * scale)


@_compiled
def _padded(count):
    """Whole LANES."""
    return -(-count // LANES) * LANES


@_compiled
def _planes(planes, rows, columns, table, blocks, work):
    """Brightness, or brightness and two differences (C, H, W), through the tables (2, 4, 64), in place."""
    channels, height, width = planes.shape
    wide, high = -(-width // 8), -(-height // 8)
    short, narrow = -(-height // rows), -(-width // columns)
    across, down, colour = -(-narrow // 8), -(-short // 8), _padded(wide * high)
    _cut(planes[0], width, 0, wide, high, blocks)
    through(blocks, 0, colour, table[0], work)
    _pasted(blocks, 0, wide, planes[0], width)
    if channels == 1:
        return
    small = planes[1:] if columns == 1 else np.empty((2, short, 8 * across), np.uint8)
    for c in range(2):
        if columns == 2:
            _reduced(planes[1 + c], rows, small[c])
        _cut(small[c], small.shape[2], colour + c * across * down, across, down, blocks)
    through(blocks, colour, colour + _padded(2 * across * down), table[1], work)
    for c in range(2):
        _pasted(blocks, colour + c * across * down, across, small[c], narrow)
        if columns == 2:
            _enlarged(small[c], narrow, rows, planes[1 + c])


@_compiled
def _coded(images, out, shared, quality, table):
    batch, height, width, channels = images.shape
    pixels, made, n = images.reshape(batch, -1), out.reshape(batch, -1), height * width
    planes, work = np.empty((channels, height, width), np.uint8), np.empty((64, LANES), np.int32)
    count, flat = -(-height // 8) * -(-width // 8), planes.reshape(channels, n)
    # Not a multiple of 4096 bytes a row, or the rows of a block would compete for one place in the cache.
    blocks = np.empty((8, 8 * (_padded(count) + _padded(2 * count)) + 64), np.uint8)
    for b in range(batch):
        if channels == 1:
            flat[0] = pixels[b]
            _planes(planes, 1, 1, table[quality[b]], blocks, work)
            made[b] = flat[0]
        else:
            take_apart(pixels[b], n, flat)
            _to_differences(flat, n)
            _planes(planes, shared[b, 0], shared[b, 1], table[quality[b]], blocks, work)
            _to_colours(flat, n)
            put_together(flat, n, made[b])


def coded(images: NDArray[np.uint8], quality: NDArray, subsampling: NDArray) -> NDArray[np.uint8]:
    """(b, H, W, 1 or 3) images, grey or red, green and blue, as JPEG of a quality (b,) 1 to 100 gives them back; names (b,)."""
    out, shared = np.empty_like(images), np.array([SUBSAMPLING[name] for name in subsampling.tolist()])
    _coded(images, out, shared, quality.astype(np.int64), tables())
    return out
