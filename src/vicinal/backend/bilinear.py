"""Linear sampling of 8-bit images in whole numbers: the parts of loops, and the loop of affine maps.

The part of an image that is looked at is laid into a room of its own, within a ring of what the border shows. Where the border is
constant or repeats the edge, whatever lies further off looks like the ring: places are brought onto it, and none is asked where it lies.
"""

from __future__ import annotations

import numpy as np

from vicinal.backend import streams
from vicinal.backend.bilinear_lanes import BITS, ONE, PIXELS, sixteen, sixteen_marked, sixteen_told
from vicinal.backend.chain_lookup import byte_planes, look_up, look_up_floats, split
from vicinal.backend.kernels import _brought, _compiled, _inlined
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
def marked(xs, ys, shift, window, size, border, marks):
    """(4, n) numbers for the places (xs, ys) - shift, pixel indices on a canvas of ``size`` = (H, W): columns, rows, weights of each."""
    left, top, right, low = window
    columns, rows, across, down = marks[0], marks[1], marks[2], marks[3]
    if border == REFLECT:
        _mirrored(xs, shift, left - RING, right, size[1], columns, across)
        _mirrored(ys, shift, top - RING, low, size[0], rows, down)
    else:
        _near(xs, shift, left - RING, right, columns, across)
        _near(ys, shift, top - RING, low, rows, down)


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


@_compiled
def affine(src, inverse, sizes, planar, out, border, fill, tables, channels):
    """Linear sampling of 8-bit images by inverse maps, and a table look-up of the rounded value, in one pass.

    src (B, H, W, C), inverse (B, 6) row by row, sizes (B, 2) height and width of each result, out: one behind the other, each with the
    channels last, or first where ``planar``, border (B,), fill (B,) whole numbers, tables (B or 1, 256, K) with K = 1 or C, or (1, 0, 1)
    for none, channels: a tuple of length C, so that the compiler knows C.
    """
    batch, height, width = src.shape[:3]
    count, plain, start = len(channels), tables.shape[1] == 0, 0
    direct = not plain and out.itemsize == 4 and count <= 4 and (planar or count == 1)
    past = out.itemsize == 4 and out.nbytes > streams.LARGE
    most, xs, ys, marks, line = block(sizes[:, 1].max(), count)
    apart, entries = np.empty((count, most), np.uint8), np.empty((tables.shape[2], 256), tables.dtype)
    planes = np.empty((tables.shape[2], 4, 256), np.uint8)
    for b in range(batch):
        high, wide = sizes[b]
        rows, area = max(1, most // wide), high * wide
        window = _looked_at(inverse[b], (height, width), high, wide, border[b])
        flat, stride = room(window[2] - window[0], window[3] - window[1], count), (window[2] - window[0] + 2 * RING) * count
        settle(flat, src[b], window, border[b], np.uint8(fill[b]), count)
        if not plain and b < len(tables):
            _entries(tables[b], out.itemsize == 4 and not direct, entries, planes)
        for y in range(0, high, rows):
            many, done, at = min(rows, high - y) * wide, 0, y * wide
            _marked_rows(inverse[b], y, many, wide, window, (height, width), border[b], xs, ys, marks)
            if direct:
                done = _told(flat, marks, many, stride, channels, entries, out[start:], at, area, past)
            sampled(flat, marks, done, many, stride, channels, line)
            if plain:
                copied(out, start + at * count, line, 0, many * count)
            elif done < many:
                _placed(line, many - done, entries, planes, planar, apart, out[start : start + area * count], at + done, area)
        start += area * count
    if past:
        streams.settle()
