"""8-bit images resized, each from a size to a size of its own: every pixel is the mean of a box, a box of one is linear interpolation.

In whole numbers: across the rows first, then down. Along either axis a pixel is a sum of neighbours with shares that add up to one. Lines
of 16 bits in between hold 1/256 of a level.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from vicinal.backend.kernels import copied
from vicinal.backend.vectors import WIDE, instruction

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_inlined = njit(nogil=True, cache=True, error_model="numpy", inline="always")
_BLOCK = 16  # values of a vector
_INDEX = ir.IntType(64)
_WINDOW = 128  # bytes among which its bytes are chosen
_ACROSS, _DOWN = 1 << 15, 1 << 16  # what shares add up to; across one alone is one less, as 16 bits with a sign hold no more


def _address(context: Any, builder: Any, signature: Any, args: Any, n: int) -> Any:
    """Of an array argument."""
    return builder.ptrtoint(context.make_array(signature.args[n])(context, builder, args[n]).data, _INDEX)


def _length(context: Any, builder: Any, signature: Any, args: Any, n: int) -> Any:
    return builder.extract_value(context.make_array(signature.args[n])(context, builder, args[n]).shape, 0)


def _loaded(builder: Any, base: Any, number: Any, size: int, kind: Any) -> Any:
    """What lies ``number`` times ``size`` bytes behind an address."""
    at = builder.add(base, builder.mul(number, _INDEX(size)))
    return builder.load(builder.inttoptr(at, kind.as_pointer()), align=1)


def _sums(typing: Any, line: Any, begins: Any, places: Any, shares: Any, into: Any, start: Any, channels: Any, pairs: Any) -> Any:
    """Into an array from ``start`` on blocks of 16 sums of ``pairs`` times two bytes of a line, each times its share, in 1/256 of a level.

    line: its address. For each block: where in the line its 128 bytes begin, and of 16 values in turn the places there of the first two
    bytes. Those of the next pair are two pixels further. For each pair of it: of the values in turn the two shares.
    """
    return types.void(types.intp, begins, places, shares, into, start, channels, pairs), _generated


def _generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    begins, places, shares, into = (_address(context, builder, signature, args, n) for n in range(1, 5))
    line, start, channels, pairs = args[0], *args[5:]
    blocks = _length(context, builder, signature, args, 1)
    octets, words, totals = (ir.VectorType(ir.IntType(bits), 512 // bits) for bits in (8, 16, 32))
    chosen = instruction(builder, "vpermi2var.qi.512", octets, *[octets] * 3)
    product = instruction(builder, "pmaddw.d.512", totals, words, words)
    held = cgutils.alloca_once(builder, totals)
    with cgutils.for_range(builder, blocks) as loop:
        builder.store(ir.Constant(totals, [64] * _BLOCK), held)
        first = builder.add(line, _loaded(builder, begins, loop.index, 8, _INDEX))
        order = _loaded(builder, places, loop.index, 64, octets)
        with cgutils.for_range(builder, pairs) as inner:
            number = builder.add(builder.mul(loop.index, pairs), inner.index)
            begin = builder.add(first, builder.mul(builder.mul(inner.index, _INDEX(2)), channels))
            near, further = (_loaded(builder, begin, _INDEX(n), 64, octets) for n in range(2))
            values = builder.bitcast(builder.call(chosen, [near, order, further]), words)
            values = builder.and_(values, ir.Constant(words, [0xFF] * 32))
            two = builder.call(product, [values, _loaded(builder, shares, number, 64, words)])
            builder.store(builder.add(builder.load(held), two), held)
        made = builder.trunc(builder.lshr(builder.load(held), ir.Constant(totals, [7] * _BLOCK)), ir.VectorType(ir.IntType(16), _BLOCK))
        place = builder.add(builder.mul(loop.index, _INDEX(2 * _BLOCK)), builder.mul(start, _INDEX(2)))
        builder.store(made, builder.inttoptr(builder.add(into, place), made.type.as_pointer()), align=1)
    return context.get_dummy_value()


def _lines(typing: Any, lines: Any, places: Any, shares: Any, many: Any, into: Any, start: Any, blocks: Any) -> Any:
    """Into an array from ``start`` on ``blocks`` times 32 bytes from lines of 16 bits, ``many`` of which begin at places, each with its
    share: addresses of 64-bit numbers."""
    return types.void(lines, types.intp, types.intp, types.intp, into, start, blocks), _generated_down


def _generated_down(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    lines, into = (_address(context, builder, signature, args, n) for n in (0, 4))
    _, places, shares, many, _, start, blocks = args
    words, totals, octets = (ir.VectorType(ir.IntType(bits), 32) for bits in (16, 32, 8))
    held, blank = cgutils.alloca_once(builder, totals), ir.Constant(totals, ir.Undefined)
    with cgutils.for_range(builder, blocks) as loop:
        builder.store(ir.Constant(totals, [1 << 23] * 32), held)
        with cgutils.for_range(builder, many) as inner:
            at = builder.add(_loaded(builder, places, inner.index, 8, _INDEX), builder.mul(loop.index, _INDEX(32)))
            values = builder.zext(_loaded(builder, lines, at, 2, words), totals)
            share = builder.trunc(_loaded(builder, shares, inner.index, 8, _INDEX), totals.element)
            share = builder.insert_element(blank, share, totals.element(0))
            share = builder.shuffle_vector(share, blank, ir.Constant(totals, [0] * 32))
            builder.store(builder.add(builder.load(held), builder.mul(values, share)), held)
        made = builder.trunc(builder.lshr(builder.load(held), ir.Constant(totals, [24] * 32)), octets)
        place = builder.add(start, builder.mul(loop.index, _INDEX(32)))
        builder.store(made, builder.inttoptr(builder.add(into, place), octets.as_pointer()), align=1)
    return context.get_dummy_value()


_by_16: Any = intrinsic(_sums)
_by_32: Any = intrinsic(_lines)


@_compiled
def _boxes(old, new, box, whole, most, first, shares):
    """For each of ``new`` pixels of an axis the first of ``old`` that its box touches, and the shares (K, n) of those from there on.

    Rounded where they add up, so that their sum is ``whole`` if none is larger than ``most``.
    """
    scale, inset, end, unit = old / new, box / 2, old - box, whole / box
    for k in range(len(shares)):
        for i in range(new):
            low = min(max((i + 0.5) * scale - inset, 0.0), end)
            first[i] = np.int64(low)
            upto, done = first[i] + (k + 1) - low, max(first[i] + k - low, 0.0)
            share = np.int64(min(upto, box) * unit + 0.5) - np.int64(min(done, box) * unit + 0.5)
            shares[k, i] = min(share, most)


@_compiled
def _ordered(first, shares, channels, begins, places, halves):
    """What ``_sums`` reads. False where a block needs more than 128 bytes."""
    near, pairs, i = True, len(shares) // 2, 0
    for x in range(len(first)):
        for c in range(channels):
            block, lane = i // _BLOCK, i % _BLOCK
            if lane == 0:
                begins[block] = first[x] * channels
            place = first[x] * channels + c - begins[block]
            near = near and place + channels < _WINDOW
            places[block, 2 * lane], places[block, 2 * lane + 1] = place & 127, (place + channels) & 127
            for pair in range(pairs):
                at = block * pairs + pair
                halves[at, 2 * lane], halves[at, 2 * lane + 1] = shares[2 * pair, x], shares[2 * pair + 1, x]
            i += 1
    return near


@_compiled
def _across(source, begin, first, shares, channels, lines, to):
    """What ``_sums`` does, value by value, of a line from ``begin`` on."""
    for x in range(len(first)):
        for c in range(channels):
            total, at = np.int64(64), begin + first[x] * channels + c
            for k in range(len(shares)):
                total += np.int64(source[np.uintp(min(at, len(source) - 1))]) * shares[k, x]  # of a box beyond the end the share is 0
                at += channels
            lines[to + x * channels + c] = total >> 7


@_inlined
def _even(box):
    """Of how many pixels a box may touch, an even number."""
    return (int(np.ceil(box)) + 2) // 2 * 2


@_compiled
def _columns(old, new, box, channels):
    """Of columns the first pixels and shares (K, n), what ``_sums`` reads, and whether it can."""
    deep = _even(box)
    left, right = np.empty(new, np.int64), np.empty((deep, new), np.int64)
    _boxes(old, new, box, _ACROSS, _ACROSS - 1, left, right)
    blocks = (new * channels + _BLOCK - 1) // _BLOCK
    begins, places = np.empty(blocks, np.int64), np.zeros((blocks, 2 * _BLOCK), np.uint16)
    halves = np.zeros((blocks * deep // 2, 2 * _BLOCK), np.uint16)
    near = _ordered(left, right, channels, begins, places, halves)
    return left, right, begins, places, halves, near


@_compiled
def _rows(old, new, box, room):
    """Of rows how many of the old ones they need, and what ``_lines`` reads for each: (n, K) places in a ring of lines, and shares."""
    high = _even(box)
    top, down = np.empty(new, np.int64), np.empty((high, new), np.int64)
    needed, used, each = np.empty(new, np.int64), np.empty((new, high), np.int64), np.empty((new, high), np.int64)
    _boxes(old, new, box, _DOWN, _DOWN, top, down)
    for y in range(new):
        needed[y] = min(top[y] + high, old)
        for k in range(high):  # a line is written over by one that comes as many later, or more
            used[y, k], each[y, k] = (min(top[y] + k, old - 1) & (_ring(high) - 1)) * room, down[k, y]
    return needed, used, each


@_inlined
def _ring(high):
    """A power of two for as many lines."""
    ring = 1
    while ring < high:
        ring *= 2
    return ring


@_compiled
def _resized(source, start, step, wide, channels, needed, used, each, left, right, begins, places, halves, near, line, lines, row, out, at):
    """One image, with ``step`` bytes from row to row, into ``out`` from ``at`` on, in rows of ``wide``."""
    high, pairs, last, ring, room = used.shape[1], len(right) // 2, 0, _ring(used.shape[1]) - 1, _whole(wide)
    end, most, given, spare = at + len(needed) * wide, len(source) - len(line), source.ctypes.data, line.ctypes.data
    first, share = used.ctypes.data, each.ctypes.data
    for y in range(len(needed)):
        while last < needed[y]:
            begin, into = start + last * step, (last & ring) * room
            last += 1
            if not (WIDE and near):
                _across(source, begin, left, right, channels, lines, into)
            elif begin <= most:
                _by_16(given + begin, begins, places, halves, lines, into, channels, pairs)
            else:  # what is read too much is not there
                copied(line, 0, source, begin, step)
                _by_16(spare, begins, places, halves, lines, into, channels, pairs)
        to, skipped = at + y * wide, 8 * y * high
        if to + room <= end:  # what is written too much comes later
            _by_32(lines, first + skipped, share + skipped, high, out, to, room // 32)
        else:
            _by_32(lines, first + skipped, share + skipped, high, row, 0, room // 32)
            copied(out, to, row, 0, wide)


@_inlined
def _whole(wide):
    """Up to a multiple of 32."""
    return (wide + 31) // 32 * 32


@_compiled
def resized(source, old, new, box, channels, order, out):
    """8-bit images of old sizes (B, 2), one behind the other, to new ones; box (B, 2): how many pixels one of the result covers, 1 or more,
    down and across. What depends on sizes alone is made once for images of equal ones that follow one another in ``order`` (B,)."""
    starts, ends, room = _behind(old, channels), _behind(new, channels), _whole(new[:, 1].max() * channels)
    line = np.zeros((old[:, 1].max() + _even(box[:, 1].max())) * channels + _WINDOW, np.uint8)
    lines, row = np.empty(_ring(_even(box[:, 0].max())) * room, np.uint16), np.empty(room, np.uint8)
    at = 0
    while at < len(order):
        one = order[at]
        step, wide = old[one, 1] * channels, new[one, 1] * channels
        needed, used, each = _rows(old[one, 0], new[one, 0], box[one, 0], _whole(wide))
        left, right, begins, places, halves, near = _columns(old[one, 1], new[one, 1], box[one, 1], channels)
        while at < len(order) and _alike(old, order[at], one) and _alike(new, order[at], one):
            start, end = starts[order[at]], ends[order[at]]
            _resized(source, start, step, wide, channels, needed, used, each, left, right, begins, places, halves, near, line, lines, row,
                     out, end)  # fmt: skip
            at += 1


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
