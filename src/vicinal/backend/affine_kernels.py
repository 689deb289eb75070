"""Linear sampling of 8-bit images by affine maps, and a table's word on that, in one pass."""

from __future__ import annotations

import numpy as np

from vicinal.backend import streams
from vicinal.backend.bilinear import RING, block, marked, room, sampled, settle
from vicinal.backend.bilinear_lanes import BITS, PIXELS, row_across, row_between, sixteen_marked, sixteen_told
from vicinal.backend.bilinear_rows import SPILL, around, noted
from vicinal.backend.chain_lookup import byte_planes, look_up, look_up_floats, split
from vicinal.backend.kernels import _brought, _compiled, _inlined
from vicinal.backend.pixels import copied
from vicinal.core.warp import REFLECT


@_compiled
def _entries(table, bytewise, entries, planes):
    """A table (256, K) channel by channel, entries (K, 256); ``bytewise`` also as the look-up of float32 takes it, planes (K, 4, 256)."""
    for c in range(len(entries)):
        for k in range(256):
            entries[c, k] = table[k, c]
        if bytewise:
            byte_planes(entries[c], planes[c])


@_compiled
def _found(entries, planes, source, into):
    """into[i] = entries[source[i]], by the look-up for their dtype."""
    if entries.itemsize == 1:
        look_up(entries, source, into)
    elif entries.itemsize == 4:
        look_up_floats(entries, planes, source, into)
    else:
        for i in range(len(source)):
            into[i] = entries[np.uintp(source[i])]


@_compiled
def _placed(line, many, entries, planes, planar, apart, out, at, area):
    """The values of so many pixels through tables to ``out`` from pixel ``at`` on; ``area`` a plane, ``apart`` room for channels."""
    count = len(apart)
    if count == 1 or (not planar and len(entries) == 1):
        _found(entries[0], planes[0], line[: many * count], out[at * count : (at + many) * count])
        return
    split(line, many, apart)
    for c in range(count):
        own = c % len(entries)
        if planar:
            _found(entries[own], planes[own], apart[c, :many], out[c * area + at : c * area + at + many])
        else:
            target = out[at * count + c :]
            for x in range(many):
                target[x * count] = entries[own, np.uintp(apart[c, x])]


@_inlined
def _looked_at(inverse, size, rows, columns, border):
    """The window (left, top, right, low) of a canvas that an affine map shows on ``rows`` and ``columns``."""
    height, width = size
    a00, a01, a02, a10, a11, a12 = inverse
    x, y = a00 * 0.5 + a01 * 0.5 + a02, a10 * 0.5 + a11 * 0.5 + a12
    right, down = columns - 1.0, rows - 1.0
    low_x, high_x = x + min(a00 * right, 0.0) + min(a01 * down, 0.0) - 2, x + max(a00 * right, 0.0) + max(a01 * down, 0.0) + 2
    low_y, high_y = y + min(a10 * right, 0.0) + min(a11 * down, 0.0) - 2, y + max(a10 * right, 0.0) + max(a11 * down, 0.0) + 2
    inside = low_x >= 0 and low_y >= 0 and high_x <= width and high_y <= height
    if not inside and border == REFLECT:  # what a mirror shows may lie anywhere
        return 0, 0, width, height
    left, top = int(min(max(low_x, 0.0), width - 1.0)), int(min(max(low_y, 0.0), height - 1.0))
    return left, top, int(min(max(high_x, left + 1.0), float(width))), int(min(max(high_y, top + 1.0), float(height)))


@_inlined
def _start(inverse, y):
    """The source, as a pixel index, of the first pixel of a row of an affine map."""
    a00, a01, a02, a10, a11, a12 = inverse
    return a00 * 0.5 + a01 * (y + 0.5) + a02 - 0.5, a10 * 0.5 + a11 * (y + 0.5) + a12 - 0.5


@_inlined
def _marked_rows(inverse, first, many, width, window, size, border, xs, ys, marks):
    """Marks of so many pixels of an affine map, from row ``first`` on."""
    columns, rows, across, down = marks[0], marks[1], marks[2], marks[3]
    step_x, step_y, (left, top, right, low) = inverse[0], inverse[3], window
    for begin in range(0, many, width):
        start_x, start_y = _start(inverse, first + begin // width)
        if border == REFLECT:
            for x in range(width):
                xs[begin + x], ys[begin + x] = step_x * x + start_x, step_y * x + start_y
            continue
        for x in range(0, width, PIXELS):
            sixteen_marked(step_x, start_x, x, left - RING, right, columns, across, begin + x)
            sixteen_marked(step_y, start_y, x, top - RING, low, rows, down, begin + x)
    if border == REFLECT:
        marked(xs[:many], ys[:many], 0.0, window, size, border, marks)


@_inlined
def _told(flat, marks, many, stride, channels, entries, out, at, area, past):
    """How many of so many pixels, sixteen at a time, went through a table to planes of ``out``, from pixel ``at`` on."""
    table = entries.reshape(-1)
    for x in range(0, many // PIXELS * PIXELS, PIXELS):
        sixteen_told(out, at + x, area, past, table, flat, stride, marks, x, channels)
    return many // PIXELS * PIXELS


@_inlined
def _given(line, many, done, plain, entries, planes, planar, apart, out, at, area):
    """Pixels of a block, from ``done`` on, to a result as it is or as tables tell."""
    if plain:
        copied(out, at * len(apart), line, 0, many * len(apart))
    elif done < many:
        _placed(line, many - done, entries, planes, planar, apart, out, at + done, area)


@_compiled
def _any_way(image, inverse, high, wide, border, fill, plain, entries, planes, planar, direct, past, out, places, apart, channels):
    """One result by any affine map."""
    (most, xs, ys, marks, line), count, size, area = places, len(channels), image.shape[:2], high * wide
    window = _looked_at(inverse, size, high, wide, border)
    flat, stride = room(window[2] - window[0], window[3] - window[1], count), (window[2] - window[0] + 2 * RING) * count
    settle(flat, image, window, border, fill, count)
    rows = max(1, most // wide)
    for y in range(0, high, rows):
        many, done, at = min(rows, high - y) * wide, 0, y * wide
        _marked_rows(inverse, y, many, wide, window, size, border, xs, ys, marks)
        if direct:
            done = _told(flat, marks, many, stride, channels, entries, out, at, area, past)
        sampled(flat, marks, done, many, stride, channels, line)
        _given(line, many, done, plain, entries, planes, planar, apart, out, at, area)


@_compiled
def _by_rows(image, inverse, high, wide, border, fill, plain, entries, planes, planar, out, line, most, apart, channels):
    """One result by a map that keeps rows rows and columns columns."""
    (height, width), count, length = image.shape[:2], len(channels), wide * len(channels)
    pixels, rows = image.reshape(-1), max(1, most // wide)
    marks, places = np.empty((4, max(wide, high)), np.int32), np.empty(max(wide, high))
    starts, pairs, tops, down = marks[0, :wide], marks[1, :wide], marks[2, :high], marks[3, :high]
    beside = noted(inverse, (height, width), border, count, places, starts, pairs, tops, down)
    strip, stride = around(width, fill, count), length + PIXELS
    sums, held = np.empty(2 * stride, np.int32), np.full(2, -9)
    for y in range(high):
        upper, weight = np.int64(tops[y]), down[y]
        for row in range(upper, upper + 1 + (weight > 0)):
            if held[row & 1] == row:
                continue
            shown, to, held[row & 1] = _brought(row, height, border), (row & 1) * stride, row
            begin = shown * width * count
            if shown < 0:
                for k in range(length):
                    sums[to + k] = np.int32(fill) << BITS
            elif beside or begin + (width + 1) * count + SPILL > len(pixels):
                copied(strip, RING * count, pixels, begin, width * count)
                row_across(sums, to, strip, RING * count, starts, pairs, wide, channels)
            else:
                row_across(sums, to, pixels, begin, starts, pairs, wide, channels)
        above, below = (upper & 1) * stride, ((upper + (weight > 0)) & 1) * stride
        row_between(line, y % rows * length, sums, above, below, weight, length)
        if (y + 1) % rows == 0 or y + 1 == high:
            first = y // rows * rows
            _given(line, (y + 1 - first) * wide, 0, plain, entries, planes, planar, apart, out, first * wide, high * wide)


@_compiled
def affine(src, inverse, sizes, planar, out, border, fill, tables, channels):
    """Linear sampling of 8-bit images by inverse maps, and a table look-up of the rounded value, in one pass.

    src (B, H, W, C), inverse (B, 6) row by row, sizes (B, 2) height and width of each result, out: one behind the other, each with the
    channels last, or first where ``planar``, border (B,), fill (B,) whole numbers, tables (B or 1, 256, K) with K = 1 or C, or (1, 0, 1)
    for none, channels: a tuple of length C, so that the compiler knows C.
    """
    count, plain, start, floats = len(channels), tables.shape[1] == 0, 0, out.itemsize == 4
    direct, past = not plain and floats and count <= 4 and (planar or count == 1), floats and out.nbytes > streams.LARGE
    places = block(sizes[:, 1].max(), count)
    apart, entries = np.empty((count, places[0]), np.uint8), np.empty((tables.shape[2], 256), tables.dtype)
    planes = np.empty((tables.shape[2], 4, 256), np.uint8)
    for b in range(len(src)):
        high, wide = sizes[b]
        made, value, upright = out[start : start + high * wide * count], np.uint8(fill[b]), inverse[b, 1] == 0 == inverse[b, 3]
        if not plain and b < len(tables):
            _entries(tables[b], floats and (upright or not direct), entries, planes)
        if upright:
            most, line = places[0], places[4]
            _by_rows(src[b], inverse[b], high, wide, border[b], value, plain, entries, planes, planar, made, line, most, apart, channels)
        else:
            _any_way(src[b], inverse[b], high, wide, border[b], value, plain, entries, planes, planar, direct, past, made, places, apart,
                     channels)  # fmt: skip
        start += len(made)
    if past:
        streams.settle()
