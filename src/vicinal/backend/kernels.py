"""Compiled loops over a batch, (B, H, W, C). Each releases the GIL, treats samples independently and writes only to ``out``."""

from __future__ import annotations

import numpy as np
from numba import njit

from vicinal.backend.chain_steps import MAGIC
from vicinal.backend.noise import FIRST, GOLDEN, SECOND
from vicinal.core.warp import CONSTANT, NEAREST, REFLECT

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_inlined = njit(nogil=True, cache=True, error_model="numpy", inline="always")

_LINE = 64  # bytes of a line of the cache
_ONE_SAMPLE = 1.49  # source pixels along an axis: up to here ``Warp.supersampling`` is 1 for certain


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


@_compiled
def inverted(matrix, size, active, interpolation, antialias, canvas, inverse, sizes, boxes, upright):
    """Inverses of affine maps, as ``vicinal.core.affine.invert`` has them, row by row into (B, 6); what comes out of samples of one size.

    matrix (B, 3, 3), size (B, 2), canvas height and width that come in; written are sizes (B, 2), what comes out, boxes (B, 2), the source
    pixels along x and y that a pixel is the mean of, and upright (B,), where rows stay rows. Three answers: whether all are affine, linear
    and at one sample a pixel; whether all come out in one size; whether some put pixels onto pixels elsewhere.
    """
    alike, moved = True, False
    for n in range(len(matrix)):
        sizes[n, 0], sizes[n, 1] = canvas
        if active[n]:
            sizes[n] = size[n]
        alike &= sizes[n, 0] == sizes[0, 0] and sizes[n, 1] == sizes[0, 1]
        if matrix[n, 2, 0] != 0 or matrix[n, 2, 1] != 0 or interpolation[n] == NEAREST:
            return False, alike, moved
        a, b, x, c, d, y = matrix[n, 0, 0], matrix[n, 0, 1], matrix[n, 0, 2], matrix[n, 1, 0], matrix[n, 1, 1], matrix[n, 1, 2]
        det = a * d - b * c
        right, down, below, across = d / det, -b / det, -c / det, a / det
        inverse[n, 0], inverse[n, 1], inverse[n, 2] = right, down, -(right * x + down * y)
        inverse[n, 3], inverse[n, 4], inverse[n, 5] = below, across, -(below * x + across * y)
        boxes[n], upright[n] = 1, b == 0 and c == 0
        if antialias[n] and upright[n]:
            boxes[n, 0], boxes[n, 1] = max(abs(right), 1.0), max(abs(across), 1.0)
        elif antialias[n] and max(np.hypot(right, below), np.hypot(down, across)) > _ONE_SAMPLE:
            return False, alike, moved
        kept, turned = b == 0 and c == 0 and abs(a) == 1 and abs(d) == 1, a == 0 and d == 0 and abs(b) == 1 and abs(c) == 1
        still = a == 1 and d == 1 and x == 0 and y == 0 and sizes[n, 0] == canvas[0] and sizes[n, 1] == canvas[1]
        moved |= (kept or turned) and not still and x == np.rint(x) and y == np.rint(y)
    return True, alike, moved


@_compiled
def warp(src, inverse, out, border, fill, whole):
    """Linear sampling by inverse maps in float32.

    src (B, H, W, C), inverse (B, 6) row by row, out (B, h, w, C), border (B,), fill (B,) in units of the dtype; ``whole`` rounds.
    """
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
                    out[b, y, x, c] = (value + MAGIC) - MAGIC if whole else value


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


@_compiled
def copied(out, at, values, start, count):
    """out[at : at + count] = values[start : start + count], in one dimension."""
    at, start = np.uintp(at), np.uintp(start)  # unsigned indices need no look at negative ones, which would keep the loop scalar
    for i in range(np.uintp(count)):
        out[at + i] = values[start + i]


@_inlined
def mapped_alike(inverse, sizes, border, one, other):
    """Whether two samples have the same map (B, 6), size (B, 2) and border (B,)."""
    same = sizes[one, 0] == sizes[other, 0] and sizes[one, 1] == sizes[other, 1] and border[one] == border[other]
    for k in range(6):
        same &= inverse[one, k] == inverse[other, k]
    return same


@_inlined
def aligned(count, dtype):
    """Room for so many numbers, from the beginning of a line of the cache on: a register that spans two of them takes twice the time."""
    room = np.empty(count + _LINE, dtype)
    start = -room.ctypes.data % _LINE // room.itemsize
    return room[start : start + count]


@_inlined
def hashed(position, key0, key1):
    # Numba widens 32-bit products to 64 bits: each one is cut back, as NumPy's reference does.
    x = np.uint32(np.uint32(position) * np.uint32(GOLDEN)) ^ key0
    x = np.uint32(np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(FIRST)) + key1)
    x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(FIRST))
    x = np.uint32((x ^ (x >> np.uint32(15))) * np.uint32(SECOND))
    return np.uint32(x ^ (x >> np.uint32(16)))
