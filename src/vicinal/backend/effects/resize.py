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

from vicinal.backend.chain_lookup import WIDE
from vicinal.backend.kernels import copied

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

    For each block: where in the line its 128 bytes begin, and of 16 values in turn the places there of the first two bytes. Those of the
    next pair are two pixels further. For each pair of it: of the values in turn the two shares.
    """
    return types.void(line, begins, places, shares, into, start, channels, pairs), _generated


def _generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    line, begins, places, shares, into = (_address(context, builder, signature, args, n) for n in range(5))
    start, channels, pairs = args[5:]
    blocks = _length(context, builder, signature, args, 1)
    octets, words, totals = (ir.VectorType(ir.IntType(bits), 512 // bits) for bits in (8, 16, 32))
    chosen = cgutils.get_or_insert_function(builder.module, ir.FunctionType(octets, [octets] * 3), "llvm.x86.avx512.vpermi2var.qi.512")
    product = cgutils.get_or_insert_function(builder.module, ir.FunctionType(totals, [words] * 2), "llvm.x86.avx512.pmaddw.d.512")
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


def _lines(typing: Any, lines: Any, places: Any, shares: Any, into: Any, start: Any, blocks: Any) -> Any:
    """Into an array from ``start`` on ``blocks`` times 32 bytes from lines of 16 bits that begin at places, each with its share."""
    return types.void(lines, places, shares, into, start, blocks), _generated_down


def _generated_down(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    lines, places, shares, into = (_address(context, builder, signature, args, n) for n in range(4))
    words, totals, octets = (ir.VectorType(ir.IntType(bits), 32) for bits in (16, 32, 8))
    many = _length(context, builder, signature, args, 1)
    held, blank = cgutils.alloca_once(builder, totals), ir.Constant(totals, ir.Undefined)
    with cgutils.for_range(builder, args[5]) as loop:
        builder.store(ir.Constant(totals, [1 << 23] * 32), held)
        with cgutils.for_range(builder, many) as inner:
            at = builder.add(_loaded(builder, places, inner.index, 8, _INDEX), builder.mul(loop.index, _INDEX(32)))
            values = builder.zext(_loaded(builder, lines, at, 2, words), totals)
            share = builder.trunc(_loaded(builder, shares, inner.index, 8, _INDEX), totals.element)
            share = builder.insert_element(blank, share, totals.element(0))
            share = builder.shuffle_vector(share, blank, ir.Constant(totals, [0] * 32))
            builder.store(builder.add(builder.load(held), builder.mul(values, share)), held)
        made = builder.trunc(builder.lshr(builder.load(held), ir.Constant(totals, [24] * 32)), octets)
        place = builder.add(args[4], builder.mul(loop.index, _INDEX(32)))
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
def _across(line, first, shares, channels, lines, to):
    """What ``_sums`` does, value by value."""
    for x in range(len(first)):
        for c in range(channels):
            total, at = np.int64(64), np.uintp(first[x] * channels + c)
            for k in range(len(shares)):
                total += np.int64(line[at]) * shares[k, x]
                at += np.uintp(channels)
            lines[to + x * channels + c] = total >> 7


@_inlined
def _even(box):
    """Of how many pixels a box may touch, an even number."""
    return (int(np.ceil(box)) + 2) // 2 * 2


@_compiled
def _resized(source, start, old, new, box, channels, out, at):
    """One image, into ``out`` from ``at`` on."""
    step, wide, high, deep = old[1] * channels, new[1] * channels, _even(box[0]), _even(box[1])
    top, down = np.empty(new[0], np.int64), np.empty((high, new[0]), np.int64)
    left, right = np.empty(new[1], np.int64), np.empty((deep, new[1]), np.int64)
    _boxes(old[0], new[0], box[0], _DOWN, _DOWN, top, down)
    _boxes(old[1], new[1], box[1], _ACROSS, _ACROSS - 1, left, right)
    blocks, room = (wide + _BLOCK - 1) // _BLOCK, (wide + 31) // 32 * 32
    begins, places = np.empty(blocks, np.int64), np.zeros((blocks, 2 * _BLOCK), np.uint16)
    halves, line = np.zeros((blocks * deep // 2, 2 * _BLOCK), np.uint16), np.zeros(step + deep * channels + _WINDOW, np.uint8)
    near, last = _ordered(left, right, channels, begins, places, halves), -1
    lines, row, used, each = np.empty(high * room, np.uint16), np.empty(room, np.uint8), np.empty(high, np.int64), np.empty(high, np.int64)
    for y in range(new[0]):
        while last < min(top[y] + high, old[0]) - 1:
            last += 1
            copied(line, 0, source, start + last * step, step)
            if WIDE and near:
                _by_16(line, begins, places, halves, lines, last % high * room, channels, deep // 2)
            else:
                _across(line, left, right, channels, lines, last % high * room)
        for k in range(high):  # a line is written over by the one that comes as many later
            used[k], each[k] = min(top[y] + k, last) % high * room, down[k, y]
        to = at + y * wide
        if to + room <= len(out):  # what is written too much comes later
            _by_32(lines, used, each, out, to, room // 32)
        else:
            _by_32(lines, used, each, row, 0, room // 32)
            copied(out, to, row, 0, wide)


@_compiled
def resized(source, old, new, box, channels, out):
    """8-bit images of old sizes (B, 2), one behind the other, to new ones; box (B, 2): how many pixels one of the result covers, 1 or more,
    down and across."""
    start = at = 0
    for b in range(len(new)):
        _resized(source, start, old[b], new[b], box[b], channels, out, at)
        start, at = start + old[b, 0] * old[b, 1] * channels, at + new[b, 0] * new[b, 1] * channels
