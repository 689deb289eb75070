"""Maps that keep rows rows and columns columns (scale, shift, mirror): each axis is resampled by itself, first down, then across.

A pixel of the result is the mean of what its box covers. A box of one pixel is linear interpolation; a wider one averages.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from vicinal.backend.kernels import _MAGIC, _brought, _compiled, _inlined
from vicinal.core.warp import REFLECT

_LANES = 4


def _four_sums(typing: Any, target: Any, to: Any, source: Any, at: Any, step: Any, weights: Any, first: Any, count: Any) -> Any:
    """target[to : to + 4] = sum over j < count of weights[first + j] * source[at + j * step : ... + 4], all float32 and contiguous.

    In one register: a compiler that is given three channels works them out one by one. What the fourth lane writes over belongs to the
    next pixel, which comes later.
    """
    signature = types.void(target, to, source, at, step, weights, first, count)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        lanes = ir.VectorType(ir.FloatType(), _LANES)
        places = ir.VectorType(ir.IntType(32), _LANES)
        into, values_at, factors = (context.make_array(signature.args[n])(context, builder, values[n]).data for n in (0, 2, 5))
        total = cgutils.alloca_once_value(builder, ir.Constant(lanes, [0.0] * _LANES))
        with cgutils.for_range(builder, values[7]) as loop:
            begin = builder.add(values[3], builder.mul(loop.index, values[4]))
            four = builder.load(builder.bitcast(builder.gep(values_at, [begin]), lanes.as_pointer()), align=4)
            factor = builder.load(builder.gep(factors, [builder.add(values[6], loop.index)]))
            one = builder.insert_element(ir.Constant(lanes, ir.Undefined), factor, ir.Constant(ir.IntType(32), 0))
            all_of_it = builder.shuffle_vector(one, ir.Constant(lanes, ir.Undefined), ir.Constant(places, [0] * _LANES))
            builder.store(builder.fadd(builder.load(total), builder.fmul(four, all_of_it)), total)
        builder.store(builder.load(total), builder.bitcast(builder.gep(into, [values[1]]), lanes.as_pointer()), align=4)
        return context.get_dummy_value()

    return signature, generated


_fours: Any = intrinsic(_four_sums)


@_inlined
def _boxes(scale, shift, box, count):
    """For each pixel of an axis the first source pixel that its box touches, and the shares (count, m) of those from there on.

    m is 2, 4 or more: the loops that know it beforehand are twice as fast, and shares of 0 cost little.
    """
    wide = int(np.ceil(box)) + 1
    wide = 2 if box == 1 else (4 if wide <= 4 else wide)
    first, shares = np.empty(count, np.int64), np.zeros((count, wide), np.float32)
    for i in range(count):
        centre = scale * (i + 0.5) + shift
        low, high = centre - box / 2, centre + box / 2
        first[i] = int(np.floor(low))
        for j in range(wide):
            pixel = first[i] + j
            shares[i, j] = max(min(high, pixel + 1.0) - max(low, float(pixel)), 0.0) / box
    return first, shares


@_inlined
def _seen(height, stride, start, at, share, border, fill):
    """Where the values begin that are shown of the source row ``at``, its share of the sum, and what the fill adds in its place."""
    shown = _brought(at, height, border)
    if shown < 0:
        return np.uintp(start), np.float32(0), share * fill
    return np.uintp(shown * stride + start), share, np.float32(0)


@_inlined
def _down(flat, height, stride, start, first, shares, border, fill, line, low, length):
    """The weighted sum of source rows, over the values from ``start`` on of each; two or four rows at a time, which saves loads."""
    a, one, some = _seen(height, stride, start, first, shares[0], border, fill)
    b, two, more = _seen(height, stride, start, first + 1, shares[1], border, fill)
    outside, to, count = some + more, np.uintp(low), np.uintp(length)
    if len(shares) == 2:
        for i in range(count):
            line[to + i] = one * np.float32(flat[a + i]) + two * np.float32(flat[b + i]) + outside
        return
    c, three, some = _seen(height, stride, start, first + 2, shares[2], border, fill)
    d, four, more = _seen(height, stride, start, first + 3, shares[3], border, fill)
    beyond = some + more
    for i in range(count):
        upper = one * np.float32(flat[a + i]) + two * np.float32(flat[b + i]) + outside
        line[to + i] = upper + (three * np.float32(flat[c + i]) + four * np.float32(flat[d + i]) + beyond)
    for j in range(4, len(shares), 2):
        if shares[j] == 0:
            break
        a, one, some = _seen(height, stride, start, first + j, shares[j], border, fill)
        b, two, more = _seen(height, stride, start, first + j + 1, shares[j + 1] if j + 1 < len(shares) else np.float32(0), border, fill)
        outside = some + more
        for i in range(count):
            line[to + i] += one * np.float32(flat[a + i]) + two * np.float32(flat[b + i]) + outside


@_inlined
def _beside(line, base, low, high, width, channels, border, fill):
    """What the border shows beside the canvas."""
    for column in range(low, high):
        if 0 <= column < width:
            continue
        shown = _brought(column, width, border)
        for c in range(channels):
            line[(column - base) * channels + c] = fill if shown < 0 else line[(shown - base) * channels + c]


@_inlined
def _across(line, base, first, shares, flat_shares, channels, row):
    """The weighted sums of pixels of a line; pixel by pixel, since the last lanes of each spill over into the next."""
    wide = shares.shape[1]
    for x in range(len(first)):
        for c in range(0, channels, _LANES):
            at, to = (first[x] - base) * channels + c, x * channels + c
            if wide == 2:
                _fours(row, to, line, at, channels, flat_shares, x * 2, 2)
            elif wide == 4:
                _fours(row, to, line, at, channels, flat_shares, x * 4, 4)
            else:
                _fours(row, to, line, at, channels, flat_shares, x * wide, wide)


@_compiled
def upright(src, inverse, sizes, out, border, fill, box, whole):
    """A batch of images of any dtype in float32, rounded at the end where ``whole``.

    src (B, H, W, C), inverse (B, 6) maps of continuous coordinates row by row, sizes (B, 2) height and width of each result, out: one
    behind the other, border (B,), fill (B,) in units of the dtype, box (B, 2) source pixels along x and y that a pixel of it covers.
    """
    batch, height, width, channels = src.shape
    start = 0
    for b in range(batch):
        first_x, shares_x = _boxes(inverse[b, 0], inverse[b, 2], box[b, 0], sizes[b, 1])
        first_y, shares_y = _boxes(inverse[b, 4], inverse[b, 5], box[b, 1], sizes[b, 0])
        low, high = first_x.min(), first_x.max() + shares_x.shape[1]
        left, right = min(max(low, 0), width - 1), min(max(high, 1), width)
        if border[b] == REFLECT and (low < 0 or high > width):  # what a mirror shows may lie anywhere
            left, right = 0, width
        base = min(low, left)
        flat, flat_shares = src[b].reshape(-1), shares_x.reshape(-1)
        line = np.zeros((max(high, right) - base) * channels + _LANES, np.float32)
        length = sizes[b, 1] * channels
        row = np.empty(length + _LANES, np.float32)
        for y in range(sizes[b, 0]):
            to, seen = (left - base) * channels, (right - left) * channels
            _down(flat, height, width * channels, left * channels, first_y[y], shares_y[y], border[b], fill[b], line, to, seen)
            if low < 0 or high > width:
                _beside(line, base, low, high, width, channels, border[b], fill[b])
            _across(line, base, first_x, shares_x, flat_shares, channels, row)
            target = out[start : start + length]
            start += length
            if whole:
                for i in range(len(target)):
                    target[i] = np.int32((row[i] + _MAGIC) - _MAGIC)
            else:
                for i in range(len(target)):
                    target[i] = row[i]
