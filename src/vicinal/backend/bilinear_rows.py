"""Linear sampling of 8-bit images under scale, shift and mirror: a row of the source is resampled across but once, and every row of the
result lies between two of those.

The bits are those of ``bilinear_lanes``: nothing is rounded before both rows are mixed.
"""

from __future__ import annotations

import numpy as np

from vicinal.backend.bilinear import RING, block, marked_axis
from vicinal.backend.bilinear_lanes import BITS, ONE, PIXELS, blocks_across, row_across, row_between
from vicinal.backend.bilinear_tables import entries_of, placed
from vicinal.backend.kernels import _brought, _compiled, _inlined, aligned, mapped_alike
from vicinal.backend.pixels import copied
from vicinal.backend.vectors import WIDE
from vicinal.core.warp import CONSTANT

_SPILL = 64  # bytes that a register reads from the last pixel on, or beyond it


@_inlined
def _marks(places, size, border, pixels, weights):
    """Pixels and weights of those behind for places along an axis. Without a constant border all are on the canvas."""
    marked_axis(places, 0.0, -RING, size, size, border, pixels, weights)
    for k in range(len(places)):
        pixels[k] -= RING
        if border != CONSTANT and not 0 <= pixels[k] < size - 1:
            pixels[k], weights[k] = (0 if pixels[k] < 0 else size - 1), 0


@_compiled
def _noted(inverse, size, border, count, high, wide, places, starts, pairs, rows, down):
    """Where the columns of a result begin in a row of the source, and two weights of each; its rows, and weights of those below.

    Whether a row of it shows what lies beside the canvas.
    """
    start, apart = inverse[0] * 0.5 + inverse[2] - 0.5, False
    for x in range(wide):
        places[x] = inverse[0] * x + start
    _marks(places[:wide], size[1], border, starts, pairs)
    for x in range(wide):
        apart |= not 0 <= starts[x] < size[1] - (pairs[x] > 0)
        starts[x], pairs[x] = starts[x] * count, (pairs[x] << 16) + ONE - pairs[x]
    for y in range(high):
        places[y] = inverse[4] * (y + 0.5) + inverse[5] - 0.5
    _marks(places[:high], size[0], border, rows, down)
    return apart


@_compiled
def _blocks(starts, pairs, wide, owner, inner, count, begins, orders, weights):
    """What ``blocks_across`` reads; how many blocks, or 0 where the neighbours of one lie too far apart.

    owner, inner: of the values of a row in turn the pixel and the channel; those behind the last are as the last pixel is.
    """
    starts[wide : wide + PIXELS], beyond = starts[wide - 1], np.int32(0)
    blocks = (wide * count + PIXELS - 1) // PIXELS
    for k in range(blocks):
        at = np.uintp(k * PIXELS)  # unsigned numbers need no look at negative ones
        base, step = min(starts[owner[at]], starts[owner[at + np.uintp(PIXELS - 1)]]), np.int32(count)
        begins[k] = base
        for lane in range(np.uintp(PIXELS)):
            x = np.uintp(owner[at + lane])
            place = np.int32(starts[x] + inner[at + lane] - base)
            orders[at + lane], weights[at + lane] = ((place + step) << 16) + place, pairs[x]
            beyond |= place | (place + step)
    return blocks if 0 <= beyond < _SPILL else 0


@_inlined
def _still(inverse, size, canvas):
    """Whether a map changes nothing."""
    same = inverse[0] == inverse[4] == 1 and inverse[1] == inverse[2] == inverse[3] == inverse[5] == 0
    return same and size[0] == canvas[0] and size[1] == canvas[1]


@_compiled
def by_rows(src, inverse, sizes, order, chosen, planar, out, border, fill, tables, channels):
    """What ``affine_kernels.affine`` does, to the last bit, for maps that keep rows rows and columns columns; its arguments."""
    height, width = src.shape[1:3]
    count, plain, start, last = len(channels), tables.shape[1] == 0, 0, -1
    most, _, _, _, line = block(sizes[:, 1].max(), count)
    apart, entries = np.empty((count, most), np.uint8), np.empty((tables.shape[2], 256), tables.dtype)
    planes, held = np.empty((tables.shape[2], 4, 256), np.uint8), np.empty(2, np.int64)
    stride = (sizes[:, 1].max() * count + PIXELS - 1) // PIXELS * PIXELS + PIXELS
    sums, marks, places = aligned(2 * stride, np.int32), np.zeros((4, sizes.max() + PIXELS), np.int32), np.empty(sizes.max())
    values = np.arange(stride)
    owner, inner = (values // count).astype(np.int32), (values % count).astype(np.int32)
    begins, orders, weights = np.empty(stride // PIXELS, np.int64), aligned(stride, np.int32), aligned(stride, np.int32)
    strip, flat, beside, blocks = np.empty((width + 2 * RING) * count + _SPILL, np.uint8), src.reshape(-1), False, 0
    starts, pairs, tops, down = marks[0], marks[1], marks[2], marks[3]
    image, spare, row_of = flat.ctypes.data, strip.ctypes.data, width * count
    if not plain and len(tables) == 1:
        entries_of(tables[0], out.itemsize == 4, entries, planes)
    for b in order:
        high, wide, at = sizes[b, 0], sizes[b, 1], start
        area, length = high * wide, wide * count
        rows, start = 1 if plain else max(1, most // wide), start + area * count
        if not chosen[b]:
            continue
        first, value, whole = 0, np.uint8(fill[b]), height * row_of
        if plain and _still(inverse[b], sizes[b], (height, width)):
            copied(out, at, flat, b * whole, whole)
            continue
        if not plain and len(tables) > 1:
            entries_of(tables[b], out.itemsize == 4, entries, planes)
        if last < 0 or not mapped_alike(inverse, sizes, border, last, b):
            beside, last = _noted(inverse[b], (height, width), border[b], count, high, wide, places, starts, pairs, tops, down), b
            blocks = _blocks(starts, pairs, wide, owner, inner, count, begins, orders, weights) if WIDE else 0
        if beside:
            strip[:] = value
        held[0], held[1] = -9, -9
        for y in range(high):
            upper, weight = np.int64(tops[y]), down[y]
            for row in range(upper, upper + 1 + (weight > 0)):
                if held[row & 1] == row:
                    continue
                shown, to, held[row & 1] = _brought(row, height, border[b]), (row & 1) * stride, row
                if shown < 0:
                    for k in range(length):
                        sums[to + k] = np.int32(value) << BITS
                    continue
                begin = b * whole + shown * row_of
                place = image + begin
                if beside or begin + row_of + count + _SPILL > len(flat):
                    copied(strip, RING * count, flat, begin, row_of)
                    place = spare + RING * count
                if blocks > 0:
                    blocks_across(sums, to, place, begins, orders, weights, blocks)
                else:
                    row_across(sums, to, place, starts, pairs, wide, channels)
            above, below, to = (upper & 1) * stride, ((upper + (weight > 0)) & 1) * stride, at + y * length
            if plain and (high - 1 - y) * length >= PIXELS:  # what is written too much comes later
                row_between(out, to, sums, above, below, weight, length)
                continue
            row_between(line, 0 if plain else (y - first) * length, sums, above, below, weight, length)
            if plain:
                copied(out, to, line, 0, length)
            elif y + 1 == first + rows or y + 1 == high:
                made = out[at : at + area * count]
                placed(line, (y + 1 - first) * wide, entries, planes, planar, apart, made, first * wide, area)
                first = y + 1
