"""Compiled loops over a batch, (B, H, W, C). Each releases the GIL, treats samples independently and writes only to ``out``."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit
from numba.core import types
from numba.extending import intrinsic

from vicinal.backend.noise import FIRST, GOLDEN, SECOND
from vicinal.core.warp import CONSTANT, REFLECT

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_inlined = njit(nogil=True, cache=True, error_model="numpy", inline="always")

# Adding and subtracting 1.5 * 2**23 rounds a float32 below 2**22 to the nearest whole number, ties to even, as NumPy does.
_MAGIC = np.float32(12582912.0)
BITS = 11  # of a pixel, for the weights of 8-bit sampling: two of them and a 16-bit value fit 38 bits
ONE = 1 << BITS


@_inlined
def _brought(i, size, border):
    """A pixel index brought onto the canvas; -1 where a constant border shows."""
    if 0 <= i < size:
        return i
    if border == CONSTANT:
        return -1
    if border == REFLECT:
        if not -size <= i < 2 * size:  # most lie near, and a division takes long
            i = i % (2 * size)
        return -1 - i if i < 0 else (2 * size - 1 - i if i >= size else i)
    return 0 if i < 0 else size - 1


@_inlined
def _pixel(src, y, x, c, border, fill):
    row, column = _brought(y, src.shape[0], border), _brought(x, src.shape[1], border)
    if row < 0 or column < 0:
        return fill
    return np.float32(src[row, column, c])


@_inlined
def _corner(src, y, x, c, weight, border, fill):
    return weight * _pixel(src, y, x, c, border, fill) if weight > 0 else np.float32(0)


@_inlined
def _edge(src, y, x, c, fy, fx, border, fill):
    """Bilinear interpolation where a neighbour may lie outside; a neighbour with weight 0 is never looked at."""
    one = np.float32(1)
    top = _corner(src, y, x, c, (one - fy) * (one - fx), border, fill) + _corner(src, y, x + 1, c, (one - fy) * fx, border, fill)
    low = _corner(src, y + 1, x, c, fy * (one - fx), border, fill) + _corner(src, y + 1, x + 1, c, fy * fx, border, fill)
    return top + low


@_inlined
def _inner(src, y, x, c, fy, fx):
    one = np.float32(1)
    top = (one - fx) * np.float32(src[y, x, c]) + fx * np.float32(src[y, x + 1, c])
    low = (one - fx) * np.float32(src[y + 1, x, c]) + fx * np.float32(src[y + 1, x + 1, c])
    return (one - fy) * top + fy * low


@_inlined
def _row(inverse, y, width, height, left, top, fx, fy):
    """Where the centres of one output row lie: whole pixel indices, and weights in 1/2048 of a pixel.

    Returns the run [first, last) in which all four neighbours are on the canvas. A loop of its own, so that it is vectorised.
    """
    a00, a01, a02, a10, a11, a12 = inverse
    start_x, start_y = a00 * 0.5 + a01 * (y + 0.5) + a02 - 0.5, a10 * 0.5 + a11 * (y + 0.5) + a12 - 0.5
    for x in range(left.shape[0]):
        sx, sy = a00 * x + start_x, a10 * x + start_y
        floor_x, floor_y = np.floor(sx), np.floor(sy)
        left[x], top[x] = np.int32(floor_x), np.int32(floor_y)
        fx[x], fy[x] = np.int32((sx - floor_x) * ONE + 0.5), np.int32((sy - floor_y) * ONE + 0.5)
    first, last = 0, left.shape[0]
    while first < last and not (0 <= left[first] < width - 1 and 0 <= top[first] < height - 1):
        first += 1
    while last > first and not (0 <= left[last - 1] < width - 1 and 0 <= top[last - 1] < height - 1):
        last -= 1
    return first, last


def _four_mixed(typing: Any, flat: Any, p: Any, q: Any, r: Any, s: Any, fx: Any, fy: Any) -> Any:
    """Bilinear interpolation of four bytes from each of four places, as the four bytes of one word; the lowest comes first.

    In one register: a compiler that is given three channels works them out one by one. Whole numbers, rounded once; exact where the
    weights are 0 or 1.
    """
    signature = types.uint32(flat, p, q, r, s, fx, fy)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        word, lanes, narrow = ir.IntType(32), ir.VectorType(ir.IntType(32), 4), ir.VectorType(ir.IntType(8), 4)
        source = context.make_array(signature.args[0])(context, builder, values[0]).data
        bits = ir.Constant(lanes, [BITS] * 4)

        def four(at: Any) -> Any:
            return builder.zext(builder.load(builder.bitcast(builder.gep(source, [at]), narrow.as_pointer()), align=1), lanes)

        def spread(value: Any) -> Any:
            one = builder.insert_element(ir.Constant(lanes, ir.Undefined), value, word(0))
            return builder.shuffle_vector(one, ir.Constant(lanes, ir.Undefined), ir.Constant(lanes, [0] * 4))

        def between(one: Any, other: Any, weight: Any) -> Any:
            return builder.add(builder.shl(one, bits), builder.mul(weight, builder.sub(other, one)))

        x, y = (spread(context.cast(builder, values[n], signature.args[n], types.int32)) for n in (5, 6))
        top, low = between(four(values[1]), four(values[2]), x), between(four(values[3]), four(values[4]), x)
        total = builder.add(between(top, low, y), ir.Constant(lanes, [1 << (2 * BITS - 1)] * 4))
        rounded = builder.lshr(total, ir.Constant(lanes, [2 * BITS] * 4))
        return builder.bitcast(builder.trunc(rounded, narrow), word)

    return signature, generated


_fours: Any = intrinsic(_four_mixed)


@_inlined
def room(width, height, count):
    """A place for the values of an image, of one pixel of the fill, and of what a register reads beyond."""
    return np.zeros((width * height + 1) * count + 4, np.uint8)


@_inlined
def settle(flat, image, fill, count):
    """Put an image and its fill into their room."""
    size = len(image)
    for k in range(size):
        flat[k] = image[k]
    for k in range(count):
        flat[size + k] = fill


@_inlined
def _looked_up(flat, p, q, r, s, fx, fy, table, several, channels, row, x):
    """One pixel of the result from the places of its four neighbours, through the table."""
    count = len(channels)
    columns = np.uintp(count if several else 1)
    for c in range(0, count, 4):
        four = _fours(flat, p + c, q + c, r + c, s + c, fx, fy)
        for k in range(min(count - c, 4)):
            value = np.uintp((four >> np.uint32(8 * k)) & np.uint32(255))
            row[x, c + k] = table[value * columns + np.uintp(c + k if several else 0)]


@_inlined
def _place(row, column, width, height, count):
    """Where a pixel lies in its room, or the fill where a constant border shows."""
    return (width * height if row < 0 or column < 0 else row * width + column) * count


@_inlined
def sampled(flat, width, height, left, top, fx, fy, first, last, edge, table, several, channels, row):
    """One output row (w, C) of 8-bit values through a table, from what ``_row`` says; in [first, last) all neighbours are on the canvas."""
    count = len(channels)
    right, down = count, width * count
    for x in range(first, last):
        at = np.int64(top[x]) * down + np.int64(left[x]) * right
        _looked_up(flat, at, at + right, at + down, at + down + right, fx[x], fy[x], table, several, channels, row, x)
    for begin, end in ((0, first), (last, row.shape[0])):
        for x in range(begin, end):
            y0, y1 = _brought(np.int64(top[x]), height, edge), _brought(np.int64(top[x]) + 1, height, edge)
            x0, x1 = _brought(np.int64(left[x]), width, edge), _brought(np.int64(left[x]) + 1, width, edge)
            p, q = _place(y0, x0, width, height, count), _place(y0, x1, width, height, count)
            r, s = _place(y1, x0, width, height, count), _place(y1, x1, width, height, count)
            _looked_up(flat, p, q, r, s, fx[x], fy[x], table, several, channels, row, x)


@_compiled
def warp_table(src, inverse, out, border, fill, tables, channels):
    """Linear sampling of 8-bit images by inverse maps, and a table look-up of the rounded value, in one pass.

    src (B, H, W, C), inverse (B, 6) row by row, out (B, h, w, C) of any strides, border (B,), fill (B,) whole numbers, tables (B or 1,
    256, K) with K = 1 or C, channels: a tuple of length C, so that the compiler knows C.
    """
    batch, height, width = src.shape[:3]
    several = tables.shape[2] > 1
    images, entries = src.reshape(batch, -1), tables.reshape(tables.shape[0], -1)
    rows = np.empty((4, out.shape[2]), np.int32)
    left, top, fx, fy = rows[0], rows[1], rows[2], rows[3]
    flat = room(width, height, len(channels))
    for b in range(batch):
        settle(flat, images[b], np.uint8(fill[b]), len(channels))
        table, edge = entries[b % tables.shape[0]], border[b]
        for y in range(out.shape[1]):
            first, last = _row(inverse[b], y, width, height, left, top, fx, fy)
            sampled(flat, width, height, left, top, fx, fy, first, last, edge, table, several, channels, out[b, y])


@_compiled
def warp(src, inverse, out, border, fill, whole):
    """Linear sampling of any other dtype in float32 (float64 for float64 series); the arguments as above, fill in units of the dtype."""
    height, width = src.shape[1], src.shape[2]
    for b in range(out.shape[0]):
        a00, a01, a02, a10, a11, a12 = inverse[b]
        image = src[b]
        for y in range(out.shape[1]):
            row_x, row_y = a01 * (y + 0.5) + a02 - 0.5, a11 * (y + 0.5) + a12 - 0.5
            for x in range(out.shape[2]):
                sx, sy = a00 * (x + 0.5) + row_x, a10 * (x + 0.5) + row_y
                left, top = int(np.floor(sx)), int(np.floor(sy))
                fx, fy = np.float32(sx - left), np.float32(sy - top)
                inside = 0 <= left < width - 1 and 0 <= top < height - 1
                for c in range(out.shape[3]):
                    if inside:
                        value = _inner(image, top, left, c, fy, fx)
                    else:
                        value = _edge(image, top, left, c, fy, fx, border[b], fill[b])
                    out[b, y, x, c] = (value + _MAGIC) - _MAGIC if whole else value


@_compiled
def nearest(src, inverse, out, border, fill):
    """The pixel in which each output centre falls; any dtype, ``fill`` in the dtype itself."""
    height, width = src.shape[1], src.shape[2]
    for b in range(out.shape[0]):
        a00, a01, a02, a10, a11, a12 = inverse[b]
        for y in range(out.shape[1]):
            row_x, row_y = a01 * (y + 0.5) + a02, a11 * (y + 0.5) + a12
            for x in range(out.shape[2]):
                column = _brought(int(np.floor(a00 * (x + 0.5) + row_x)), width, border[b])
                row = _brought(int(np.floor(a10 * (x + 0.5) + row_y)), height, border[b])
                for c in range(out.shape[3]):
                    out[b, y, x, c] = fill[b] if row < 0 or column < 0 else src[b, row, column, c]


@_inlined
def hashed(position, key0, key1):
    # Numba widens 32-bit products to 64 bits: each one is cut back, as NumPy's reference does.
    x = np.uint32(np.uint32(position) * np.uint32(GOLDEN)) ^ key0
    x = np.uint32(np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(FIRST)) + key1)
    x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(FIRST))
    x = np.uint32((x ^ (x >> np.uint32(15))) * np.uint32(SECOND))
    return np.uint32(x ^ (x >> np.uint32(16)))
