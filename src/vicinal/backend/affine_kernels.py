"""Linear sampling of 8-bit images by affine maps of any kind, and a table's word on that, in one pass."""

from __future__ import annotations

import numpy as np

from vicinal.backend import streams
from vicinal.backend.bilinear import RING, block, marked, room, sampled, settle
from vicinal.backend.bilinear_lanes import PIXELS, sixteen_marked, sixteen_told
from vicinal.backend.bilinear_tables import entries_of, given
from vicinal.backend.kernels import _compiled, _inlined
from vicinal.core.warp import REFLECT


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
def affine(src, inverse, sizes, order, chosen, planar, out, border, fill, tables, channels):
    """Linear sampling of 8-bit images by inverse maps, and a table look-up of the rounded value, in one pass.

    src (B, H, W, C), inverse (B, 6) row by row, sizes (B, 2) height and width of each result, order (B,) in which they lie in ``out`` one
    behind the other, each with the channels last, or first where ``planar``, chosen (B,) which are wanted, border (B,), fill (B,) whole
    numbers, tables (B or 1, 256, K) with K = 1 or C, or (1, 0, 1) for none, channels: a tuple of length C, so that the compiler knows C.
    """
    height, width = src.shape[1:3]
    count, plain, start = len(channels), tables.shape[1] == 0, 0
    direct = not plain and out.itemsize == 4 and count <= 4 and (planar or count == 1)
    past = out.itemsize == 4 and out.nbytes > streams.LARGE
    most, xs, ys, marks, line = block(sizes[:, 1].max(), count)
    apart, entries = np.empty((count, most), np.uint8), np.empty((tables.shape[2], 256), tables.dtype)
    planes = np.empty((tables.shape[2], 4, 256), np.uint8)
    if not plain and len(tables) == 1:
        entries_of(tables[0], out.itemsize == 4 and not direct, entries, planes)
    for b in order:
        high, wide = sizes[b]
        rows, area = max(1, most // wide), high * wide
        made = out[start : start + area * count]
        start += area * count
        if not chosen[b]:
            continue
        if not plain and len(tables) > 1:
            entries_of(tables[b], out.itemsize == 4 and not direct, entries, planes)
        window = _looked_at(inverse[b], (height, width), high, wide, border[b])
        flat, stride = room(window[2] - window[0], window[3] - window[1], count), (window[2] - window[0] + 2 * RING) * count
        settle(flat, src[b], window, border[b], np.uint8(fill[b]), count)
        for y in range(0, high, rows):
            many, done, at = min(rows, high - y) * wide, 0, y * wide
            _marked_rows(inverse[b], y, many, wide, window, (height, width), border[b], xs, ys, marks)
            if direct:
                done = _told(flat, marks, many, stride, channels, entries, made, at, area, past)
            sampled(flat, marks, done, many, stride, channels, line)
            given(line, many, done, plain, entries, planes, planar, apart, made, at, area)
    if past:
        streams.settle()
