"""Maps that keep rows rows and columns columns (scale, shift, mirror): each axis is resampled by itself, first down, then across.

A pixel of the result is the mean of what its box covers. A box of one pixel is linear interpolation; a wider one averages.
"""

from __future__ import annotations

import numpy as np

from vicinal.backend.kernels import _brought, _compiled, _inlined, aligned, mapped_alike
from vicinal.backend.pixels import copied
from vicinal.backend.upright_lanes import LANES, SPILL, WINDOW, blocks_stored, pixels_summed, rows_summed, stored
from vicinal.backend.vectors import WIDE
from vicinal.core.warp import REFLECT


@_inlined
def _touched(box, step):
    """How many pixels a box may touch: 2, 3 or more, by steps."""
    wide = int(np.ceil(box)) + 1
    return 2 if box == 1 else (3 if wide <= 3 else (wide + step - 1) // step * step)


@_compiled
def _boxes(scale, shift, box, count, wide, first, shares):
    """For each of ``count`` pixels of an axis the first source pixel that its box touches, and the shares (wide, count) of those from there
    on, behind one another."""
    for i in range(count):
        first[i] = int(np.floor(scale * (i + 0.5) + shift - box / 2))
    for j in range(wide):
        for i in range(count):
            centre, pixel = scale * (i + 0.5) + shift, first[i] + j
            shares[j * count + i] = max(min(centre + box / 2, pixel + 1.0) - max(centre - box / 2, float(pixel)), 0.0) / box


@_inlined
def _end(scale, shift, box, count, wide, first):
    """Where the last box of an axis ends."""
    i = count - 1 if scale > 0 else 0
    return min(int(np.ceil(scale * (i + 0.5) + shift + box / 2)), first[i] + wide)


@_compiled
def _blocks(first, shares, count, wide, owner, inner, begins, places, factors):
    """What ``blocks_stored`` reads, of a row of ``count`` pixels; how many blocks, or 0 where one needs values that lie too far apart; and
    whether one window holds all that it needs.

    owner, inner: of the values of a row in turn the pixel and the channel. Those of the last block that lie behind the row are any.
    """
    channels = np.int64(inner.max()) + 1
    blocks, near = (count * channels + LANES - 1) // LANES, wide == 3
    for k in range(blocks):  # indices are unsigned: they need no look at negative ones
        one, other = first[owner[k * LANES]], first[min(owner[k * LANES + LANES - 1], count - 1)]
        begins[k] = min(one, other) * channels
        if (abs(one - other) + 1) * channels > WINDOW:
            return 0, False
        near &= (abs(one - other) + wide) * channels <= WINDOW
        base = np.int32(begins[k])
        for lane in range(np.uintp(LANES)):
            i = np.uintp(k * LANES) + lane
            places[i] = np.int32(first[np.uintp(owner[i])]) * np.int32(channels) + inner[i] - base
        for j in range(wide):
            at, start = np.uintp((k * wide + j) * LANES), np.uintp(j * count)
            for lane in range(np.uintp(LANES)):
                factors[at + lane] = shares[start + np.uintp(owner[np.uintp(k * LANES) + lane])]
    return blocks, near


@_inlined
def _seen(height, stride, start, at, share, border, fill):
    """Where the values begin that are shown of the source row ``at``, its share of the sum, and what the fill adds in its place."""
    shown = _brought(at, height, border)
    if shown < 0:
        return np.uintp(start), np.float32(0), share * fill
    return np.uintp(shown * stride + start), share, np.float32(0)


@_inlined
def _beside(line, at, base, low, high, width, channels, border, fill):
    """What the border shows beside the canvas."""
    for begin, end in ((low, min(high, 0)), (max(low, width), high)):
        for column in range(begin, end):
            shown = _brought(column, width, border)
            for c in range(channels):
                line[at + (column - base) * channels + c] = fill if shown < 0 else line[at + (shown - base) * channels + c]


@_inlined
def _part(first, count, wide, high, width, border):
    """The columns [left, right) of a source that are read, and the columns [base, beyond) of a line. ``first`` is counted from there on."""
    low = min(first[0], first[count - 1])
    left, right = min(max(low, 0), width - 1), min(max(high, 1), width)
    if border == REFLECT and (low < 0 or high > width):  # what a mirror shows may lie anywhere
        left, right = 0, width
    base, beyond = min(low, left), max(first[0], first[count - 1]) + wide
    for i in range(count):
        first[i] -= base
    return low, left, right, base, max(beyond, right)


@_inlined
def _alike(inverse, sizes, border, box, one, other):
    """Whether two samples take their pixels from the same places."""
    same = box[one, 0] == box[other, 0] and box[one, 1] == box[other, 1]
    return same and mapped_alike(inverse, sizes, border, one, other)


@_compiled
def _rooms(sizes, box, channels, out):
    """Rooms for what is noted of the columns and rows of the largest result, and for its rows, in float32 and as they come out."""
    high, wide, many = sizes[:, 0].max(), sizes[:, 1].max(), _touched(box[:, 0].max(), 1)
    blocks = (wide * channels + LANES - 1) // LANES
    values = np.arange(blocks * LANES)
    owner, inner = (values // channels).astype(np.int32), (values % channels).astype(np.int32)
    # Some pixels more: those of values behind a row.
    first, shares = np.zeros(wide + LANES, np.int64), np.zeros((wide + LANES) * many, np.float32)
    begins, places = np.empty(blocks, np.int64), aligned(blocks * LANES, np.int32)
    factors = aligned(blocks * LANES * many if WIDE else 0, np.float32)
    down = np.empty(high, np.int64), np.empty(high * _touched(box[:, 1].max(), 4), np.float32)
    rows = aligned(2 * (blocks * LANES + SPILL), np.float32), np.empty(blocks * LANES, out.dtype)
    return (first, shares, owner, inner, begins, places, factors), down, rows


@_inlined
def _noted(inverse, size, border, box, width, across, down):
    """What a map says of the columns and rows of a result, written into their rooms.

    How many pixels a box touches along x and y; how many blocks a row has, 0 where it is not made in such, and whether these are near; the
    columns [low, high) that boxes touch, [left, right) of them on the canvas, and [base, beyond) of a line.
    """
    first, shares, owner, inner, begins, places, factors = across
    many_x, many_y = _touched(box[0], 1), _touched(box[1], 4)
    _boxes(inverse[0], inverse[2], box[0], size[1], many_x, first, shares)
    _boxes(inverse[4], inverse[5], box[1], size[0], many_y, down[0], down[1])
    high = _end(inverse[0], inverse[2], box[0], size[1], many_x, first)
    low, left, right, base, beyond = _part(first, size[1], many_x, high, width, border)
    blocks, near = _blocks(first, shares, size[1], many_x, owner, inner, begins, places, factors) if WIDE else (0, False)
    return many_x, many_y, blocks, near, low, high, left, right, base, beyond


@_compiled
def _image(flat, start, canvas, size, border, fill, noted, across, down, line, rows, out, at):
    """One image (H, W, C) from ``flat[start:]`` on to ``out[at:]``."""
    (height, width, channels), last, length = canvas, size[0], size[1] * canvas[2]
    many_x, many_y, blocks, near, low, high, left, right, base, _ = noted
    (first, shares, _, _, begins, places, factors), (first_y, shares_y), (row, spare) = across, down, rows
    begin, seen, stride = start + left * channels, (right - left) * channels, width * channels
    apart, further = len(line) // 2, len(row) // 2
    # Each row is read a round after it was written: a register that spans what two others wrote waits until that is in the cache.
    for y in range(last + 2):
        now, before, place = (y & 1) * apart, (1 - (y & 1)) * apart, at + (y - 1) * length
        for j in range(0, many_y if y < last else 0, 4):
            top, share, to = first_y[y] + j, j * last + y, now + (left - base) * channels
            if j and shares_y[share] == 0:
                break
            p, one, some = _seen(height, stride, begin, top, shares_y[share], border, fill)
            q, two, more = _seen(height, stride, begin, top + 1, shares_y[share + last], border, fill)
            if many_y == 2:
                rows_summed(line, to, False, flat, (p, q), (one, two), (some + more,), seen)
                continue
            r, three, rest = _seen(height, stride, begin, top + 2, shares_y[share + 2 * last], border, fill)
            if many_y == 3:
                rows_summed(line, to, False, flat, (p, q, r), (one, two, three), (some + more, rest), seen)
                continue
            s, four, else_ = _seen(height, stride, begin, top + 3, shares_y[share + 3 * last], border, fill)
            rows_summed(line, to, j > 0, flat, (p, q, r, s), (one, two, three, four), (some + more, rest + else_), seen)
        if y < last and (low < 0 or high > width):
            _beside(line, now, base, low, high, width, channels, border, fill)
        if blocks and 0 < y < last and (last - y) * length >= LANES:  # what is written too much comes later
            blocks_stored(out, place, line, before, begins, places, factors, many_x, near, blocks, channels)
        elif blocks and 0 < y <= last:
            blocks_stored(spare, 0, line, before, begins, places, factors, many_x, near, blocks, channels)
            copied(out, place, spare, 0, length)
        elif 0 < y <= last:
            pixels_summed(row, (1 - (y & 1)) * further, line, before, first, shares, many_x, size[1], channels)
        if y > 1 and not blocks:
            stored(out, place - length, row, (y & 1) * further, length)


@_compiled
def upright(src, inverse, sizes, order, chosen, out, border, fill, box):
    """A batch of images of any dtype in float32, rounded at the end for whole numbers.

    src (B, H, W, C), inverse (B, 6) maps of continuous coordinates row by row, sizes (B, 2) height and width of each result, order (B,) in
    which they lie in ``out`` one behind the other, best with those of one map together, chosen (B,) which are wanted, border (B,), fill
    (B,) in units of the dtype, box (B, 2) source pixels along x and y that a pixel of it covers.
    """
    canvas, width, channels = src.shape[1:], src.shape[2], src.shape[3]
    flat, area, at, last = src.reshape(-1), src.shape[1] * width * channels, 0, -1
    (across, down, rows), line, noted = _rooms(sizes, box, channels, out), aligned(0, np.float32), (0, 0, 0, False, 0, 0, 0, 0, 0, 0)
    for b in order:
        if chosen[b]:
            if last < 0 or not _alike(inverse, sizes, border, box, last, b):
                last, noted = b, _noted(inverse[b], sizes[b], border[b], box[b], width, across, down)
                base, beyond = noted[8:]
                room = 2 * (((beyond - base) * channels + SPILL + LANES - 1) // LANES * LANES)
                line = line if len(line) >= room else aligned(room, np.float32)
                line[:] = 0  # what no row writes is read with a share of 0, which needs a number
            _image(flat, b * area, canvas, sizes[b], border[b], fill[b], noted, across, down, line, rows, out, at)
        at += sizes[b, 0] * sizes[b, 1] * channels
