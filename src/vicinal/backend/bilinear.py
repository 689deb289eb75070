"""Linear sampling of 8-bit images in whole numbers, two pixels in one register; the parts of loops, and the loop of affine maps.

The part of an image that is looked at is laid into a room of its own, within a ring of what the border shows. Where the border is
constant or repeats the edge, whatever lies further off looks like the ring: places are brought onto it, and none is asked where it lies.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from vicinal.backend.kernels import _brought, _compiled, _inlined
from vicinal.backend.pixels import copied
from vicinal.core.warp import CONSTANT, REFLECT

BITS = 11  # of a pixel, for the weights: two of them and a value fit 30 bits
ONE = 1 << BITS
RING = 2  # pixels
_AT_ONCE = 1 << 10  # pixels of a result: what is noted of them stays in the fastest cache


def _two_mixed(typing: Any, line: Any, to: Any, flat: Any, one: Any, two: Any, down: Any, marks: Any, x: Any, channels: Any) -> Any:
    """Four channels of two pixels of a line, from ``to`` on, by bilinear interpolation between places of ``flat``.

    The upper left neighbours lie at ``one`` and ``two``, the lower ones ``down`` further on; the weights are in two marks from ``x`` on.
    In one register: a compiler that is given three channels works them out one by one. What the last lanes write over belongs to the next
    pixel, which comes later. Products of neighbours are summed in pairs, for which processors have an instruction. Rounded once; exact
    where the weights are 0 or 1.
    """
    signature, count = types.void(line, to, flat, one, two, down, marks, x, channels), channels.count

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        into, source, noted = (context.make_array(signature.args[n])(context, builder, values[n]).data for n in (0, 2, 6))
        to, one, two, down, x = (context.cast(builder, values[n], signature.args[n], types.intp) for n in (1, 3, 4, 5, 7))

        def lanes(bits: int, many: int) -> Any:
            return ir.VectorType(ir.IntType(bits), many)

        def chosen(low: Any, high: Any, places: list[int]) -> Any:
            return builder.shuffle_vector(low, high, ir.Constant(lanes(32, len(places)), places))

        def some(vector: Any, places: list[int]) -> Any:
            return chosen(vector, ir.Constant(vector.type, ir.Undefined), places)

        def same(number: int) -> Any:
            return ir.Constant(lanes(32, 8), [number] * 8)

        def loaded(pointer: Any, at: Any, form: Any) -> Any:
            return builder.load(builder.bitcast(builder.gep(pointer, [at]), form.as_pointer()), align=1)

        def beside(place: Any) -> Any:
            """Four values of a pixel, each with that of the pixel on the right behind it."""
            if count <= 4:
                return some(loaded(source, place, lanes(8, 8)), [k // 2 + k % 2 * count for k in range(8)])
            right = builder.add(place, place.type(count))
            return chosen(loaded(source, place, lanes(8, 4)), loaded(source, right, lanes(8, 4)), [k // 2 + k % 2 * 4 for k in range(8)])

        def across(place: Any, other: Any) -> Any:
            values = builder.zext(chosen(beside(place), beside(other), list(range(16))), lanes(32, 16))
            products = builder.mul(values, pairs)
            return builder.add(some(products, list(range(0, 16, 2))), some(products, list(range(1, 16, 2))))

        both = loaded(noted, x, lanes(32, 8))
        fx, fy = (some(both, [lane] * 4 + [4 + lane] * 4) for lane in (1, 3))
        # ONE - fx in the lower half of a word, fx in the upper one.
        halves = builder.sub(builder.add(builder.shl(fx, same(16)), same(ONE)), fx)
        pairs = builder.sext(builder.bitcast(halves, lanes(16, 16)), lanes(32, 16))
        top, low = across(one, two), across(builder.add(one, down), builder.add(two, down))
        total = builder.add(builder.mul(top, builder.sub(same(ONE), fy)), builder.mul(low, fy))
        rounded = builder.trunc(builder.lshr(builder.add(total, same(1 << (2 * BITS - 1))), same(2 * BITS)), lanes(8, 8))
        for at, places in ((to, [0, 1, 2, 3]), (builder.add(to, to.type(count)), [4, 5, 6, 7])):
            builder.store(some(rounded, places), builder.bitcast(builder.gep(into, [at]), lanes(8, 4).as_pointer()), align=1)
        return context.get_dummy_value()

    return signature, generated


_twos: Any = intrinsic(_two_mixed)


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
def _brought_near(place, least, most):
    """The pixel of the room that lies before a place, and the weight of the one behind it; what lies beyond the ring is brought onto it.

    Written so that loops of it are vectorised, and that no number leads out of the room.
    """
    whole = np.floor(place)
    weight = np.int32((place - whole) * ONE + 0.5)
    whole = whole if whole > least else least
    return np.int32((whole if whole < most else most) - least), weight


@_inlined
def _mirrored(place, least, most, size):
    """The same where the border mirrors: on the way back a pixel and the next one change places."""
    whole = np.floor(place)
    weight, gone = np.int32((place - whole) * ONE + 0.5), whole - 2.0 * size * np.floor(whole / (2.0 * size))
    back = gone >= size
    whole = 2.0 * size - 2 - gone if back else gone
    whole = whole if whole > least else least
    return np.int32((whole if whole < most else most) - least), (np.int32(ONE - weight) if back else weight)


@_inlined
def marked(xs, ys, shift, window, size, border, marks):
    """Four numbers for each of the places (xs, ys) - shift, pixel indices on a canvas of ``size`` = (H, W): column, weight, row, weight."""
    left, top, right, low = window
    least_x, least_y, most_x, most_y = float(left - RING), float(top - RING), float(right), float(low)
    if border == REFLECT:
        for x in range(len(xs)):
            marks[4 * x], marks[4 * x + 1] = _mirrored(xs[x] - shift, least_x, most_x, size[1])
            marks[4 * x + 2], marks[4 * x + 3] = _mirrored(ys[x] - shift, least_y, most_y, size[0])
    else:
        for x in range(len(xs)):
            marks[4 * x], marks[4 * x + 1] = _brought_near(xs[x] - shift, least_x, most_x)
            marks[4 * x + 2], marks[4 * x + 3] = _brought_near(ys[x] - shift, least_y, most_y)


@_inlined
def _next_row(before, place, window, height, border, marks):
    """Marks of a row where rows stay rows and columns columns: what differs from those of another one ``before`` is the row."""
    least, most = float(window[1] - RING), float(window[3])
    if border == REFLECT:
        row, weight = _mirrored(place, least, most, height)
    else:
        row, weight = _brought_near(place, least, most)
    for x in range(len(marks) // 4):
        marks[4 * x], marks[4 * x + 1], marks[4 * x + 2], marks[4 * x + 3] = before[4 * x], before[4 * x + 1], row, weight


@_inlined
def block(widest, count):
    """Places for the pixels that are sampled at a time, a row of the widest result at least: how many, x, y, marks, and values."""
    many = max(_AT_ONCE, widest + widest % 2)
    return many, np.empty(many), np.empty(many), np.empty(4 * many, np.int32), np.empty(many * count + 4, np.uint8)


@_inlined
def sampled(flat, marks, many, stride, channels, line):
    """Values of so many pixels from what ``marked`` says."""
    count = len(channels)
    for k in range(4 * many, 4 * (many + many % 2)):  # the other one of two
        marks[k] = 0
    for pair in range((many + 1) // 2):
        x = np.uintp(8 * pair)
        one = np.intp(marks[x + np.uintp(2)]) * stride + np.intp(marks[x]) * count
        two = np.intp(marks[x + np.uintp(6)]) * stride + np.intp(marks[x + np.uintp(4)]) * count
        for c in range((count - 1) // 4 * 4, -1, -4):  # the first ones last: they mend what the others spill over into the next pixel
            _twos(line, 2 * pair * count + c, flat, one + c, two + c, stride, marks, 8 * pair, channels)


@_inlined
def placed(line, many, table, several, planar, channels, out, at, area):
    """The values of so many pixels, through a table (256 * K,) if there is one, to ``out`` from pixel ``at`` on; ``area`` a plane."""
    count = len(channels)
    if len(table) == 0:
        copied(out, at * count, line, 0, many * count)
        return
    columns = np.uintp(count if several else 1)
    for c in range(count):
        begin, step = (at + c * area, 1) if planar else (at * count + c, count)
        target, entries, values = out[begin:], table[c if several else 0 :], line[c:]
        for x in range(many):
            target[x * step] = entries[np.uintp(values[x * count]) * columns]


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
def _along(inverse, y, xs, ys):
    """Sources of one row of an affine map, as pixel indices."""
    a00, a01, a02, a10, a11, a12 = inverse
    start_x, start_y = a00 * 0.5 + a01 * (y + 0.5) + a02 - 0.5, a10 * 0.5 + a11 * (y + 0.5) + a12 - 0.5
    for x in range(len(xs)):
        xs[x], ys[x] = a00 * x + start_x, a10 * x + start_y


@_inlined
def _marked_rows(inverse, first, width, window, size, border, xs, ys, kept, marks):
    """Marks of some rows of an affine map, from row ``first`` on; ``kept`` holds those of the first one from one call to the next."""
    upright = inverse[1] == 0 and inverse[3] == 0
    for row in range(len(xs) // width if not upright else first == 0):
        _along(inverse, first + row, xs[row * width : (row + 1) * width], ys[row * width : (row + 1) * width])
    if not upright:
        marked(xs, ys, 0.0, window, size, border, marks)
        return
    if first == 0:
        marked(xs[:width], ys[:width], 0.0, window, size, border, kept)
    for row in range(len(xs) // width):
        place = inverse[3] * 0.5 + inverse[4] * (first + row + 0.5) + inverse[5] - 0.5
        _next_row(kept, place, window, size[0], border, marks[4 * row * width : 4 * (row + 1) * width])


@_compiled
def affine(src, inverse, sizes, planar, out, border, fill, tables, channels):
    """Linear sampling of 8-bit images by inverse maps, and a table look-up of the rounded value, in one pass.

    src (B, H, W, C), inverse (B, 6) row by row, sizes (B, 2) height and width of each result, out: one behind the other, each with the
    channels last, or first where ``planar``, border (B,), fill (B,) whole numbers, tables (B or 1, 256, K) with K = 1 or C, or (1, 0, 1)
    for none, channels: a tuple of length C, so that the compiler knows C.
    """
    batch, height, width = src.shape[:3]
    count, several, entries = len(channels), tables.shape[2] > 1, tables.reshape(tables.shape[0], -1)
    widest, start = sizes[:, 1].max(), 0
    most, xs, ys, marks, line = block(widest, count)
    kept = np.empty(4 * widest, np.int32)
    for b in range(batch):
        high, wide = sizes[b]
        rows, area = max(1, most // wide), high * wide
        window = _looked_at(inverse[b], (height, width), high, wide, border[b])
        flat, stride = room(window[2] - window[0], window[3] - window[1], count), (window[2] - window[0] + 2 * RING) * count
        settle(flat, src[b], window, border[b], np.uint8(fill[b]), count)
        for y in range(0, high, rows):
            many = min(rows, high - y) * wide
            _marked_rows(inverse[b], y, wide, window, (height, width), border[b], xs[:many], ys[:many], kept[: 4 * wide], marks)
            sampled(flat, marks, many, stride, channels, line)
            placed(line, many, entries[b % len(entries)], several, planar, channels, out[start:], y * wide, area)
        start += area * count
