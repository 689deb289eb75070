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
from vicinal.backend.chain_steps import fused
from vicinal.backend.effects.jpeg_blocks import cut_words, paste_words, through
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
def _reduced(plane, rows, small):
    """Means over ``rows`` x 2, halves by turns down and up; the edge fills up what ``small`` (h, w) has more."""
    (height, width), given, out, wide = plane.shape, plane.reshape(-1), small.reshape(-1), small.shape[1]
    line = np.empty(2 * wide, np.uint16)
    pairs = line.view(np.uint32)
    for y in range(len(small)):
        one, other = min(rows * y, height - 1) * width, min(rows * y + 1, height - 1) * width
        _added(line, given, np.uintp(one), np.uintp(other), np.uint16(rows - 1), np.uintp(width))
        for x in range(np.uintp(width), np.uintp(len(line))):
            line[x] = line[np.uintp(width - 1)]
        _halved(out, np.uintp(y * wide), pairs, np.uint32(rows))


@_compiled
def _added(line, given, one, other, both, width):
    for x in range(width):
        line[x] = np.uint16(np.uint16(given[one + x]) + np.uint16(both * np.uint16(given[other + x])))


@_compiled
def _halved(out, at, pairs, rows):
    """Of neighbours, the left one in the lower half: the mean, of both rows where there are two."""
    low, top = np.uint32(rows - np.uint32(1)), np.uint32(0xFFFF)
    for x in range(np.uintp(len(pairs))):
        total = np.uint32(np.uint32(pairs[x] & top) + np.uint32(pairs[x] >> np.uint32(16)))
        out[at + x] = np.uint32(total + np.uint32(low + np.uint32(np.uint32(x) & np.uint32(1)))) >> rows


@_compiled
def _enlarged(small, rows, top, plane):
    """A plane at ``rows`` times the height and twice the width, from its row ``top`` on; of two columns or fewer each is repeated."""
    (height, width), full, out = small.shape, plane.shape[1], plane.reshape(-1)
    first, made, far = max(top // rows - 1, 0), np.empty(width, np.uint16), np.uint16(rows - 1)
    (left, right), octets = _leaning(small[first : (top + len(plane) - 1) // rows + 2]), made.view(np.uint8)
    for y in range(top, top + len(plane)):
        near, other, at = y // rows, min(max(y // rows + (1 if y % 2 else -1), 0), height - 1), (y - top) * full
        if width <= 2:
            for x in range(full):
                out[at + x] = small[near, x >> 1]
            continue
        _between(left, right, np.uintp((near - first) * width), np.uintp((other - first) * width), far, made)
        copied(out, at, octets, 0, full)


@_compiled
def _leaning(small):
    """Three of every value and one of its neighbour, on the left and on the right."""
    (height, width), flat, one = small.shape, small.reshape(-1), np.uintp(1)
    left, right = np.empty(len(flat), np.uint16), np.empty(len(flat), np.uint16)
    for i in range(np.uintp(len(flat) - 1)):
        left[i + one] = np.uint16(np.uint16(3 * flat[i + one]) + flat[i])
        right[i] = np.uint16(np.uint16(3 * flat[i]) + flat[i + one])
    for y in range(height):
        left[y * width], right[(y + 1) * width - 1] = 4 * small[y, 0], 4 * small[y, width - 1]
    return left, right


@_compiled
def _between(left, right, near, other, far, made):
    """Three of a row and one of another, or the row alone where ``far`` is 0; two columns in the bytes of a number."""
    own, first, second, bits = np.uint16(1 + 2 * far), np.uint16(1 + 7 * far), np.uint16(2 + 5 * far), np.uint16(2 + 2 * far)
    for x in range(np.uintp(len(made))):
        low = np.uint16(np.uint16(own * left[near + x]) + np.uint16(np.uint16(far * left[other + x]) + first))
        high = np.uint16(np.uint16(own * right[near + x]) + np.uint16(np.uint16(far * right[other + x]) + second))
        made[x] = np.uint16(np.uint16(low >> bits) | np.uint16(np.uint16(high >> bits) << np.uint16(8)))


@_compiled
def _padded(count):
    """Whole LANES."""
    return -(-count // LANES) * LANES


@_compiled
def _taken(planes, rows, columns, table, blocks, work, bright, colour, top):
    """Brightness, or brightness and two differences, of the rows from ``top`` on through the tables (2, 4, 64), the latter reduced."""
    (height, width), n = bright.shape, bright.size
    wide, high = -(-width // 8), -(-height // 8)
    _cut(planes[0, :n].reshape(height, width), width, 0, wide, high, blocks)
    through(blocks, 0, _padded(wide * high), table[0], work)
    _pasted(blocks, 0, wide, bright)
    short = -(-height // rows)
    wide, high = -(-colour.shape[2] // 8), -(-short // 8)
    for c in range(1, len(planes)):
        full, small = planes[c, :n].reshape(height, width), np.empty((short, 8 * wide), np.uint8)
        if columns == 2:
            _reduced(full, rows, small)
            _cut(small, 8 * wide, (c - 1) * wide * high, wide, high, blocks)
        else:
            _cut(full, width, (c - 1) * wide * high, wide, high, blocks)
    through(blocks, 0, _padded((len(planes) - 1) * wide * high), table[1], work)
    for c in range(len(planes) - 1):
        _pasted(blocks, c * wide * high, wide, colour[c, top // rows : top // rows + short])


@_compiled
def _given(bright, colour, rows, columns, top, planes):
    """Some rows of brightness, and those of colour in full, from row ``top`` on."""
    (height, width), n = bright.shape, bright.size
    planes[0, :n] = bright.reshape(-1)
    for c in range(1, len(planes)):
        full = planes[c, :n].reshape(height, width)
        if columns == 2:
            _enlarged(colour[c - 1], rows, top, full)
        else:
            full[:] = colour[c - 1, top : top + height]


@_compiled
def _coded(images, out, shared, quality, table):
    batch, height, width, channels = images.shape
    pixels, made, band = images.reshape(batch, -1), out.reshape(batch, -1), 16 * max(1, BAND // (16 * width))
    count, work = -(-min(band, height) // 8) * -(-width // 8), np.empty((64, LANES), np.int32)
    # 64 more to a row: of rows that lie whole multiples of 4096 bytes apart, caches hold few at a time.
    planes = np.empty((channels, min(band, height) * width + 64), np.uint8)
    blocks, bright = np.empty((8, 8 * _padded(2 * count) + 64), np.uint8), np.empty((height, width), np.uint8)
    for b in range(batch):
        rows, columns = shared[b, 0], shared[b, 1]
        colour = np.empty((2, -(-height // rows), -(-width // columns)), np.uint8)
        for top in range(0, height, band):
            low = min(top + band, height)
            source, n = pixels[b, channels * width * top : channels * width * low], width * (low - top)
            if channels == 3:
                take_apart(source, n, planes)
                _to_differences(planes, n)
            else:
                planes[0, :n] = source
            _taken(planes, rows, columns, table[quality[b]], blocks, work, bright[top:low], colour, top)
        for top in range(0, height, band):
            low = min(top + band, height)
            target, n = made[b, channels * width * top : channels * width * low], width * (low - top)
            _given(bright[top:low], colour, rows, columns, top, planes)
            if channels == 3:
                _to_colours(planes, n)
                put_together(planes, n, target)
            else:
                target[:] = planes[0, :n]


def coded(images: NDArray[np.uint8], quality: NDArray, subsampling: NDArray) -> NDArray[np.uint8]:
    """(b, H, W, 1 or 3) images, grey or red, green and blue, as JPEG of a quality (b,) 1 to 100 gives them back; names (b,)."""
    out, shared = np.empty_like(images), np.empty((len(images), 2), np.int64)
    for name, together in SUBSAMPLING.items():
        shared[subsampling == name] = together
    _coded(images, out, shared, quality.astype(np.int64), tables())
    return out
