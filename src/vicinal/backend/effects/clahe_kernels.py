"""Contrast-limited adaptive histogram equalisation of bytes (Zuiderveld, Graphics gems IV, 1994) with the roundings of OpenCV.

Counts and sums of all tiles lie side by side, value by value, so that what is done for each tile is done for a row of them at once. What
a value becomes in a tile is read off the sum there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from vicinal.backend.chain_steps import MAGIC
from vicinal.backend.filter_kernels import mirrored
from vicinal.backend.lanes import LANES, NUMBERS, address_of, constant, everywhere, gathered, loaded, stored
from vicinal.backend.vectors import WIDE

_compiled = njit(nogil=True, cache=True, error_model="numpy")


def _blend(typing: Any, line: Any, made: Any, sums: Any, upper: Any, lower: Any, part: Any, left: Any, right: Any, across: Any,
           scale: Any) -> Any:  # fmt: skip
    """``_row`` for as many of its values as fill vectors of 16."""
    return types.void(line, made, sums, upper, lower, part, left, right, across, scale), _generated


def _generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    arrays = {n: context.make_array(signature.args[n])(context, builder, args[n]) for n in (0, 1, 2, 6, 7, 8)}
    places, floats, octets = NUMBERS, ir.VectorType(ir.FloatType(), LANES), ir.VectorType(ir.IntType(8), LANES)
    index, whole, magic = ir.IntType(64), constant(1.0, floats), constant(float(MAGIC), floats)
    base, size = builder.ptrtoint(arrays[2].data, index), signature.args[2].dtype.bitwidth // 8

    def found(at: Any) -> Any:
        value = gathered(builder, base, at, places.element, size)
        value = builder.and_(value, constant(0xFFFF, places)) if size == 2 else value
        value = builder.fmul(builder.sitofp(value, floats), scale)
        return builder.fsub(builder.fadd(value, magic), magic)

    def mixed(one: Any, other: Any, share: Any) -> Any:
        return builder.fadd(builder.fmul(one, builder.fsub(whole, share)), builder.fmul(other, share))

    upper, lower, part, scale = (everywhere(builder, args[n], kind) for n, kind in ((3, places), (4, places), (5, floats), (9, floats)))
    with cgutils.for_range(builder, builder.lshr(builder.extract_value(arrays[0].shape, 0), index(4))) as loop:
        at = {n: builder.gep(array.data, [builder.mul(loop.index, index(16))]) for n, array in arrays.items()}
        value, near, far = (builder.load(builder.bitcast(at[n], places.as_pointer()), align=1) for n in (0, 6, 7))
        share = builder.load(builder.bitcast(at[8], floats.as_pointer()), align=1)
        near, far = builder.add(value, near), builder.add(value, far)
        above, below = (mixed(found(builder.add(near, row)), found(builder.add(far, row)), share) for row in (upper, lower))
        made = builder.fsub(builder.fadd(mixed(above, below, part), magic), magic)
        made = builder.trunc(builder.fptosi(made, places), octets)
        builder.store(made, builder.bitcast(at[1], octets.as_pointer()), align=1)
    return context.get_dummy_value()


def _columns(context: Any, builder: Any, signature: Any, args: Any, step: Callable[[Any, Any, Any], tuple[Any, Any]]) -> Any:
    """For as many tiles as fill registers: from value to value ``step(count, number of the tile, what is carried)`` to what is written for
    the count, and carried. Of arrays of counts, of numbers and of what is carried."""
    counts, numbers, carried = (address_of(context, builder, signature, args, n) for n in range(3))
    each, kind, index = args[3], ir.IntType(signature.args[0].dtype.bitwidth), ir.IntType(64)
    form = ir.VectorType(kind, 512 // kind.width)
    held = cgutils.alloca_once(builder, form)
    with cgutils.for_range(builder, builder.udiv(each, index(form.count))) as loop:
        first, given, last = (builder.add(start, builder.mul(loop.index, index(64))) for start in (counts, numbers, carried))
        number = loaded(builder, given, form)
        builder.store(loaded(builder, last, form), held)
        with cgutils.for_range(builder, index(256)) as value:
            at = builder.add(first, builder.mul(builder.mul(value.index, each), index(kind.width // 8)))
            made, after = step(loaded(builder, at, form), number, builder.load(held))
            stored(builder, made, at)
            builder.store(after, held)
        stored(builder, builder.load(held), last)
    return context.get_dummy_value()


def _cut(typing: Any, counts: Any, limits: Any, over: Any, each: Any) -> Any:
    """Counts above the limit of their tile become that; what is more is added to what is over."""
    return types.void(counts, limits, over, types.intp), _generated_cut


def _generated_cut(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    def step(count: Any, limit: Any, over: Any) -> tuple[Any, Any]:
        kept = builder.select(builder.icmp_unsigned("<", count, limit), count, limit)
        return kept, builder.add(over, builder.sub(count, kept))

    return _columns(context, builder, signature, args, step)


def _rise(typing: Any, counts: Any, added: Any, total: Any, each: Any) -> Any:
    """Counts become sums, with what is added at every value."""
    return types.void(counts, added, total, types.intp), _generated_rise


def _generated_rise(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    def step(count: Any, added: Any, total: Any) -> tuple[Any, Any]:
        made = builder.add(total, builder.add(count, added))
        return made, made

    return _columns(context, builder, signature, args, step)


_by_16: Any = intrinsic(_blend)
_cut_columns: Any = intrinsic(_cut)
_rise_columns: Any = intrinsic(_rise)


@_compiled
def _counted(values, start, channels, rows, columns, width, tiles, counts):
    """Into counts (256, tiles * tiles), how often each value occurs in each tile of a canvas of the given rows and columns."""
    high, wide = len(rows) // tiles, len(columns) // tiles
    counts[:] = 0
    for y in range(len(rows)):
        first, tile = start + rows[y] * width * channels, y // high * tiles
        for t in range(tiles):
            for x in range(t * wide, (t + 1) * wide):
                counts[values[np.uintp(first + columns[x] * channels)], tile + t] += 1


@_compiled
def _limited(counts, limit):
    """No count above the limit; what is over is spread over all values, what remains of that over some, evenly."""
    each, given = counts.shape[1], counts.reshape(-1)
    over, limits, lanes = np.zeros(each, counts.dtype), np.full(each, limit, counts.dtype), 64 // counts.itemsize
    _cut_columns(given, limits, over, each)
    for t in range(each // lanes * lanes, each):
        for value in range(256):
            kept = min(counts[value, t], limit)
            over[t] += counts[value, t] - kept
            counts[value, t] = kept
    for t in range(each):
        rest = np.int64(over[t]) % 256
        step = max(256 // rest, 1) if rest else 1
        for k in range(rest):  # never beyond the last value, as rest * step is at most 256
            counts[k * step, t] += 1
    return (over // 256).astype(counts.dtype)


@_compiled
def _sums(counts, added):
    """How many values in each tile are not larger, ``added`` more with every value; counts become that."""
    each, lanes = counts.shape[1], 64 // counts.itemsize
    total = np.zeros(each, counts.dtype)
    _rise_columns(counts.reshape(-1), added, total, each)
    for t in range(each // lanes * lanes, each):
        for value in range(256):
            total[t] += counts[value, t] + added[t]
            counts[value, t] = total[t]


@_compiled
def _between(count, size, tiles, near, far, part):
    """For each place of an axis the tiles before and behind it, and the share of the latter."""
    one = np.float32(1) / np.float32(size)
    for i in range(count):
        place = np.float32(i) * one - np.float32(0.5)
        tile = np.int64(np.floor(place))
        near[i], far[i], part[i] = max(tile, 0), min(tile + 1, tiles - 1), place - np.float32(tile)


@_compiled
def _blended(values, start, channels, height, width, sums, sizes, scale):
    """Every value by the sums of the four tiles around it. Sizes: tiles along a side, and their height and width."""
    tiles, high, wide = sizes
    above, below, down = np.empty(height, np.int64), np.empty(height, np.int64), np.empty(height, np.float32)
    left, right, across = np.empty(width, np.int32), np.empty(width, np.int32), np.empty(width, np.float32)
    _between(height, high, tiles, above, below, down)
    _between(width, wide, tiles, left, right, across)
    line, made = np.empty(width, np.int32), np.empty(width, np.uint8)
    for y in range(height):
        first = np.uintp(start + y * width * channels)
        for x in range(np.uintp(width)):
            line[x] = np.int32(values[first + x * np.uintp(channels)]) * np.int32(tiles * tiles)
        _row(line, made, sums, above[y] * tiles, below[y] * tiles, down[y], left, right, across, scale)
        for x in range(np.uintp(width)):
            values[first + x * np.uintp(channels)] = made[x]


@_compiled
def _row(line, made, sums, upper, lower, part, left, right, across, scale):
    """What a line of values becomes; it says where in the sums the row of each begins."""
    one, upper, lower, done = np.float32(1), np.int32(upper), np.int32(lower), 0
    if WIDE:
        _by_16(line, made, sums, upper, lower, part, left, right, across, scale)
        done = len(line) // 16 * 16
    for x in range(np.uintp(done), np.uintp(len(line))):
        near, far, share = np.int32(line[x] + left[x]), np.int32(line[x] + right[x]), across[x]
        top = _level(sums, near + upper, scale) * (one - share) + _level(sums, far + upper, scale) * share
        low = _level(sums, near + lower, scale) * (one - share) + _level(sums, far + lower, scale) * share
        made[x] = np.int32((top * (one - part) + low * part + MAGIC) - MAGIC)


@_compiled
def _level(sums, at, scale):
    """The share of values that are not larger, in levels."""
    return (np.float32(sums[np.uintp(np.int32(at))]) * scale + MAGIC) - MAGIC


@_compiled
def adapted(values, shape, channels, clip, tiles):
    """Bytes of a (B, H, W, C) shape, in one dimension, changed in place: the first ``channels`` of them.

    clip (B,): limit on a count, in multiples of the mean; tiles (B,) along each side.
    """
    (_, height, width, step), most = shape, 256 * tiles.max() ** 2 + 2
    short, long = np.empty(most, np.uint16), np.empty(most, np.int32)
    for b in range(len(clip)):
        each = tiles[b]
        whole = height % each == 0 and width % each == 0
        # OpenCV makes both sides longer if one does not fit, the one that does by a whole number of tiles.
        down, across = (height, width) if whole else (height + each - height % each, width + each - width % each)
        rows, columns = mirrored(height, 0, down - height), mirrored(width, 0, across - width)
        for c in range(channels):
            start, area = b * height * width * step + c, down // each * (across // each)
            limit = min(max(int(clip[b] * area / 256), 1), area)
            if area < 1 << 16:
                _plane(values, start, step, (height, width), rows, columns, each, np.uint16(limit), short)
            else:
                _plane(values, start, step, (height, width), rows, columns, each, np.int32(limit), long)


@_compiled
def _plane(values, start, step, size, rows, columns, tiles, limit, room):
    """One channel; room for 256 sums of every tile, and for two more, which are read as the other half of one."""
    (height, width), high, wide = size, len(rows) // tiles, len(columns) // tiles
    counts = room[: 256 * tiles * tiles].reshape(256, tiles * tiles)
    _counted(values, start, step, rows, columns, width, tiles, counts)
    _sums(counts, _limited(counts, limit))
    _blended(values, start, step, height, width, counts.reshape(-1), (tiles, high, wide), np.float32(255) / np.float32(high * wide))
