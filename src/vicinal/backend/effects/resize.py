"""8-bit images resized, each from a size to a size of its own: every pixel is the mean of a box, a box of one is linear interpolation.

In whole numbers: across the rows first, then down. Along either axis a pixel is a sum of neighbours with shares that add up to one. Lines
of 16 bits in between hold 1/256 of a level.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from vicinal.backend.effects.resize_lanes import ACROSS, BLOCK, DOWN, STRIP, WINDOW, strips_stored, sums
from vicinal.backend.kernels import aligned, copied
from vicinal.backend.vectors import WIDE

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_inlined = njit(nogil=True, cache=True, error_model="numpy", inline="always")


@_inlined
def _boxes(old, new, box, many, whole, most, first, shares):
    """For each of ``new`` pixels of an axis the first of ``old`` that its box touches, and the shares (many, new) of those from there on.

    Rounded where they add up, so that their sum is ``whole`` if none is larger than ``most``.
    """
    scale, inset, end, unit = old / new, box / 2, old - box, whole / box
    for k in range(many):
        for i in range(new):
            low = min(max((i + 0.5) * scale - inset, 0.0), end)
            one = np.int32(low)
            upto, done = one + (k + 1) - low, max(one + k - low, 0.0)
            share = np.int32(min(upto, box) * unit + 0.5) - np.int32(min(done, box) * unit + 0.5)
            first[i], shares[k * new + i] = one, min(share, most)


@_inlined
def _even(box):
    """Of how many pixels a box may touch, an even number."""
    return (int(np.ceil(box)) + 2) // 2 * 2


@_inlined
def _many(box):
    """How many pixels a box may touch."""
    return int(np.ceil(box)) + 1


@_inlined
def _ring(high):
    """A power of two for as many lines."""
    ring = 1
    while ring < high:
        ring *= 2
    return ring


@_inlined
def _whole(wide):
    """Up to a multiple of what a sum down takes at a time."""
    return (wide + STRIP - 1) // STRIP * STRIP


@_inlined
def _columns(old, new, box, channels, left, right, owner, inner, begins, places, halves):
    """Of columns the first pixels and shares, and what ``sums`` reads. False where a block needs more than 128 bytes."""
    deep, near = _even(box), True
    _boxes(old, new, box, deep, 1 << ACROSS, (1 << ACROSS) - 1, left, right)  # one less: 16 bits with a sign hold no more
    left[new : new + BLOCK] = left[new - 1]
    for k in range((new * channels + BLOCK - 1) // BLOCK):
        start, pairs = np.uintp(k * BLOCK), deep // 2
        base, begins[k] = left[owner[start]] * channels, left[owner[start]] * channels
        for lane in range(np.uintp(BLOCK)):
            place = np.int32(left[np.uintp(owner[start + lane])] * channels + inner[start + lane] - base)
            near &= place + channels < WINDOW
            places[start + lane] = (place & (WINDOW - 1)) | ((place + channels) & (WINDOW - 1)) << 16
        for pair in range(pairs):
            to, one, other = np.uintp((k * pairs + pair) * BLOCK), np.uintp(2 * pair * new), np.uintp((2 * pair + 1) * new)
            for lane in range(np.uintp(BLOCK)):
                x = np.uintp(owner[start + lane])
                halves[to + lane] = right[one + x] | right[other + x] << 16
    return near


@_inlined
def _rows(old, new, box, room, top, down, needed, used, each):
    """Of rows how many of the old ones they need, and what ``strips_stored`` reads for each: places in a ring of lines, and shares."""
    high = _many(box)
    ring = _ring(high) - 1
    _boxes(old, new, box, high, 1 << DOWN, 1 << DOWN, top, down)
    for y in range(new):
        needed[y] = min(top[y] + high, old)
        for k in range(high):  # a line is written over by one that comes as many later, or more
            used[y * high + k], each[y * high + k] = (min(top[y] + k, old - 1) & ring) * room, down[k * new + y]
        if high == 2 and each[y * high + 1] == 1 << DOWN:  # all is the second's: it is taken for the first
            used[y * high], each[y * high + 1] = used[y * high + 1], 0


@_compiled
def _across(source, begin, first, shares, deep, wide, channels, lines, to):
    """What ``sums`` does, value by value, of a line from ``begin`` on."""
    for x in range(wide):
        for c in range(channels):
            total, at = np.int64(1 << ACROSS - 9), begin + np.int64(first[x]) * channels + c
            for k in range(deep):
                # Of a box beyond the end the share is 0.
                total += np.int64(source[np.uintp(min(at, len(source) - 1))]) * shares[k * wide + x]
                at += channels
            lines[to + x * channels + c] = total >> ACROSS - 8


@_inlined
def _alike_ones(source, starts, ends, chosen, sizes, channels, box, near, rows, columns, line, lines, row, out):
    """Images of one size; chosen: the order of all, and from where to where in it these are; sizes: the old width, and the new height and
    width."""
    (order, at, upto), (width, height, wide), (needed, used, each) = chosen, sizes, rows
    left, right, begins, places, halves = columns
    high, deep, length, step = _many(box[0]), _even(box[1]), wide * channels, width * channels
    ring, room, blocks = _ring(high) - 1, _whole(length), (length + BLOCK - 1) // BLOCK
    most, given, spare = len(source) - len(line), source.ctypes.data, line.ctypes.data
    first, share = used.ctypes.data, each.ctypes.data
    for n in range(at, upto):
        start, to, last = starts[order[n]], ends[order[n]], 0
        end = to + height * length - room
        for y in range(height):
            while last < needed[y]:
                begin, into = start + last * step, (last & ring) * room
                last += 1
                if not (WIDE and near):
                    _across(source, begin, left, right, deep, wide, channels, lines, into)
                elif begin <= most:
                    sums(given + begin, begins, places, halves, lines, into, channels, deep // 2, blocks)
                else:  # what is read too much is not there
                    copied(line, 0, source, begin, step)
                    sums(spare, begins, places, halves, lines, into, channels, deep // 2, blocks)
            skipped = 8 * y * high
            if to <= end:  # what is written too much comes later
                strips_stored(lines, first + skipped, share + skipped, high, out, to, room // STRIP)
            else:
                strips_stored(lines, first + skipped, share + skipped, high, row, 0, room // STRIP)
                copied(out, to, row, 0, length)
            to += length


@_compiled
def resized(source, old, new, box, channels, order, out):
    """8-bit images of old sizes (B, 2), one behind the other, to new ones; box (B, 2): how many pixels one of the result covers, 1 or more,
    down and across. What depends on sizes alone is made once for images of equal ones that follow one another in ``order`` (B,)."""
    starts, ends = _behind(old, channels), _behind(new, channels)
    tall, broad, high, deep = new[:, 0].max(), new[:, 1].max(), _many(box[:, 0].max()), _even(box[:, 1].max())
    room, values = _whole(broad * channels), np.arange(_whole(broad * channels))
    owner, inner = (values // channels).astype(np.int32), (values % channels).astype(np.int32)
    left, right = np.zeros(broad + BLOCK, np.int32), np.zeros(deep * broad + BLOCK, np.int32)
    begins, places = np.zeros(room // BLOCK, np.int64), aligned(room, np.int32)
    halves = aligned(room * deep // 2, np.int32)
    top, down, needed = np.empty(tall, np.int32), np.empty(tall * high, np.int32), np.empty(tall, np.int64)
    used, each = np.empty(tall * high, np.int64), np.empty(tall * high, np.int64)
    line = np.zeros((old[:, 1].max() + deep) * channels + WINDOW, np.uint8)
    lines, row, at = aligned(_ring(high) * room, np.uint16), np.empty(room, np.uint8), 0
    while at < len(order):
        one, upto = order[at], at + 1
        while upto < len(order) and _alike(old, order[upto], one) and _alike(new, order[upto], one):
            upto += 1
        _rows(old[one, 0], new[one, 0], box[one, 0], _whole(new[one, 1] * channels), top, down, needed, used, each)
        near = _columns(old[one, 1], new[one, 1], box[one, 1], channels, left, right, owner, inner, begins, places, halves)
        sizes, rows, columns = (old[one, 1], new[one, 0], new[one, 1]), (needed, used, each), (left, right, begins, places, halves)
        _alike_ones(
            source, starts, ends, (order, at, upto), sizes, channels, (box[one, 0], box[one, 1]), near, rows, columns, line, lines, row, out
        )
        at = upto


@_inlined
def _alike(sizes, one, other):
    return sizes[one, 0] == sizes[other, 0] and sizes[one, 1] == sizes[other, 1]


@_compiled
def _behind(sizes, channels):
    """Where images of these sizes (B, 2) begin that lie one behind the other."""
    at = np.zeros(len(sizes), np.int64)
    for b in range(1, len(sizes)):
        at[b] = at[b - 1] + sizes[b - 1, 0] * sizes[b - 1, 1] * channels
    return at
