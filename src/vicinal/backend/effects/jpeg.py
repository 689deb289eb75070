"""What baseline JPEG does to pixels, and nothing else: all that is lost is lost before the entropy coder, which is left out.

A picture becomes brightness and two colour differences (JFIF 1.02), the latter perhaps at a lower resolution, and those become cosines and
back (``jpeg_blocks``). Whole numbers throughout, with 16 bits after the point for the constants of colours, rounded as libjpeg does; so is
what is done to the resolution (``jpeg_colours``).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.chain_lookup import put_together, take_apart
from vicinal.backend.chain_steps import fused
from vicinal.backend.effects.jpeg_blocks import cut_words, paste_words, through
from vicinal.backend.effects.jpeg_colours import enlarged, reduced
from vicinal.backend.kernels import copied
from vicinal.backend.lanes import LANES

BAND = 8192  # pixels that are worked on together, so that they stay in the fastest caches
SUBSAMPLING = {"4:4:4": (1, 1), "4:2:2": (1, 2), "4:2:0": (2, 2)}  # rows and columns that share a value of colour

_compiled = njit(nogil=True, cache=True, error_model="numpy")

# Colours in units of 2**-16. Whole multiples of these below 256 are float32 numbers, so sums are exact; larger ones are cut off at 255.
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
        red[x] = np.int32(fused(r, _Y_RED, fused(g, _Y_GREEN, fused(b, _Y_BLUE, half))))
        green[x] = np.int32(fused(r, _CB_RED, fused(g, _CB_GREEN, fused(b, half, middle))))
        blue[x] = np.int32(fused(b, _CR_BLUE, fused(g, _CR_GREEN, fused(r, half, middle))))


@_compiled
def _to_colours(planes, n):
    """The way back."""
    first, second, third = planes[0], planes[1], planes[2]
    half, middle, zero, top = np.float32(0.5), np.float32(128), np.int32(0), np.int32(255)
    for x in range(n):
        y, cb, cr = np.float32(first[x]) + half, np.float32(second[x]) - middle, np.float32(third[x]) - middle
        r, g, b = fused(cr, _RED_CR, y), fused(cr, _GREEN_CR, fused(cb, _GREEN_CB, y)), fused(cb, _BLUE_CB, y)
        first[x] = min(max(np.int32(r), zero), top)
        second[x] = min(max(np.int32(g), zero), top)
        third[x] = min(max(np.int32(b), zero), top)


# Rows are places in flat arrays below: a view of each, which is counted, would take longer than what is done with it.


@_compiled
def _cut(plane, width, start, wide, high, blocks):
    """A plane, of which ``width`` columns count, into ``high`` rows of ``wide`` blocks from ``start`` on; its edge fills them up."""
    given, into, stride, step, last = plane.reshape(-1), blocks.reshape(-1), blocks.shape[1], plane.shape[1], len(plane) - 1
    cut_words(given.ctypes.data, step, last, 8 * high, width // 8, into.ctypes.data + 8 * start, stride, 8 * wide)
    for y in range(8 * high if width < 8 * wide else 0):
        at, source = (y & 7) * stride + 8 * (start + (y >> 3) * wide), min(y, last) * step
        for x in range(width // 8 * 8, 8 * wide):
            into[at + x] = given[source + min(x, width - 1)]


@_compiled
def _pasted(blocks, start, wide, plane):
    """The way back."""
    into, given, (height, width) = plane.reshape(-1), blocks.reshape(-1), plane.shape
    paste_words(into.ctypes.data, width, height - 1, height, width // 8, given.ctypes.data + 8 * start, blocks.shape[1], 8 * wide)
    for y in range(height if width % 8 else 0):
        at = (y & 7) * blocks.shape[1] + 8 * (start + (y >> 3) * wide)
        for x in range(width // 8 * 8, width):
            into[y * width + x] = given[at + x]


@_compiled
def _pasted_within(blocks, start, wide, width, colour):
    """The same, whole blocks, between two columns that repeat the first and the last of ``width``."""
    into, height, step = colour.reshape(-1), len(colour), colour.shape[1]
    paste_words(into.ctypes.data + 1, step, height - 1, height, wide, blocks.ctypes.data + 8 * start, blocks.shape[1], 8 * wide)
    for y in range(height):
        into[y * step], into[y * step + width + 1] = into[y * step + 1], into[y * step + width]


@_compiled
def _padded(count):
    """Whole LANES."""
    return -(-count // LANES) * LANES


@_compiled
def _taken(planes, rows, columns, table, blocks, work, small, bright, colour, top):
    """Brightness, or brightness and two differences, of the rows from ``top`` on through the tables (2, 4, 64), the latter reduced."""
    (height, width), n, first, short = bright.shape, bright.size, top // rows, -(-len(bright) // rows)
    wide, high = -(-width // 8), -(-height // 8)
    _cut(planes[0, :n].reshape(height, width), width, 0, wide, high, blocks)
    through(blocks, 0, _padded(wide * high), table[0], work)
    _pasted(blocks, 0, wide, bright)
    wide, high = -(-width // (8 * columns)), -(-short // 8)
    for c in range(1, len(planes)):
        full, start = planes[c, :n].reshape(height, width), (c - 1) * wide * high
        if columns == 2:
            reduced(full, rows, small, 8 * wide)
            _cut(small[: 8 * wide * short].reshape(short, 8 * wide), 8 * wide, start, wide, high, blocks)
        else:
            _cut(full, width, start, wide, high, blocks)
    through(blocks, 0, _padded((len(planes) - 1) * wide * high), table[1], work)
    for c in range(len(planes) - 1):
        into, start = colour[c, first : first + short], c * wide * high
        if columns == 2:
            _pasted_within(blocks, start, wide, -(-width // 2), into)
        else:
            _pasted(blocks, start, wide, into)


@_compiled
def _given(bright, colour, rows, columns, top, planes):
    """Some rows of brightness, and those of colour in full, from row ``top`` on."""
    height, width = bright.shape
    copied(planes.reshape(-1), 0, bright.reshape(-1), 0, bright.size)
    for c in range(1, len(planes)):
        full, coarse = planes[c, : bright.size].reshape(height, width), colour[c - 1]
        if columns == 2:
            enlarged(coarse, -(-width // 2), rows, top, full)
        else:
            copied(full.reshape(-1), 0, coarse.reshape(-1), top * width, bright.size)


@_compiled
def _coded(images, out, rows, columns, quality, table):
    batch, height, width, channels = images.shape
    pixels, made, band = images.reshape(batch, -1), out.reshape(batch, -1), 16 * max(1, BAND // (16 * width))
    short, wide = -(-height // rows), 8 * -(-width // (8 * columns))
    count, work = -(-min(band, height) // 8) * -(-width // 8), np.empty((64, LANES), np.int32)
    # 64 more to a row: of rows that lie whole multiples of 4096 bytes apart, caches hold few at a time.
    planes = np.empty((channels, min(band, height) * width + 64), np.uint8)
    blocks, bright = np.empty((8, 8 * _padded(2 * count) + 64), np.uint8), np.empty((height, width), np.uint8)
    small, step = np.empty(wide * -(-min(band, height) // rows) + 64, np.uint8), wide + 2 if columns == 2 else width
    colour = np.empty(2 * short * step + 64, np.uint8)[:-64].reshape(2, short, step)
    for b in range(batch):
        for top in range(0, height, band):
            low = min(top + band, height)
            source, n = pixels[b, channels * width * top : channels * width * low], width * (low - top)
            if channels == 3:
                take_apart(source, n, planes)
                _to_differences(planes, n)
            else:
                planes[0, :n] = source
            _taken(planes, rows, columns, table[quality[b]], blocks, work, small, bright[top:low], colour, top)
        for top in range(0, height, band):
            low = min(top + band, height)
            target, n = made[b, channels * width * top : channels * width * low], width * (low - top)
            _given(bright[top:low], colour, rows, columns, top, planes)
            if channels == 3:
                _to_colours(planes, n)
                put_together(planes, n, target)
            else:
                target[:] = planes[0, :n]


def coded(images: NDArray[np.uint8], quality: NDArray, subsampling: str) -> NDArray[np.uint8]:
    """(b, H, W, 1 or 3) images, grey or red, green and blue, as JPEG of a quality (b,) 1 to 100 gives them back."""
    out = np.empty_like(images)
    _coded(images, out, *SUBSAMPLING[subsampling], quality.astype(np.int64), tables())
    return out
