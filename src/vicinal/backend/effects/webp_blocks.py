"""Blocks of 4 x 4 pixels of a VP8 key frame to frequencies, through the steps of a quality, and back (Bankoski et al., RFC 6386, 2011).

The way back is the guide's, bit for bit; there and how numbers are rounded to levels is libwebp's way. Sixteen blocks, of as many
macroblocks, are worked on at once: every address below is that of 16-bit numbers, LANES of them for each pixel, frequency or level.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from vicinal.backend.effects.webp_lanes import least, number, put, short, shortened, size_of, total_of, within
from vicinal.backend.lanes import LANES, NUMBERS, Lanes, loaded, stored

FIXED = 17  # bits after the point of what divides by a step
MOST = 2047  # the largest level that a file can hold
SHARPER = (0, 30, 60, 90, 30, 60, 90, 90, 60, 90, 90, 90, 90, 90, 90, 90)  # shares of a step, in 2048ths, that luma's frequencies gain
_WORD = ir.IntType(64)


def rows(builder: Any, base: Any, step: Any) -> list[Lanes]:
    """Four rows of four pixels, with ``step`` bytes from row to row, in 32 bits."""
    return [number(short(builder, builder.add(base, builder.mul(step, _WORD(y))), x)) for y in range(4) for x in range(4)]


def forward(block: Sequence[Any]) -> list[Any]:
    """What two pictures differ by to frequencies, of twice the size that they have in an orthonormal transform."""
    across = []
    for y in range(4):
        d0, d1, d2, d3 = block[4 * y : 4 * y + 4]
        s, t, u, v = d0 + d3, d1 + d2, d1 - d2, d0 - d3
        across += [(s + t) << 3, (u * 2217 + v * 5352 + 1812) >> 9, (s - t) << 3, (v * 2217 - u * 5352 + 937) >> 9]
    made: list[Any] = [None] * 16
    for x in range(4):
        d0, d1, d2, d3 = across[x::4]
        s, t, u, v = d0 + d3, d1 + d2, d1 - d2, d0 - d3
        made[x], made[8 + x] = (s + t + 7) >> 4, (s - t + 7) >> 4
        made[4 + x] = ((u * 2217 + v * 5352 + 12000) >> 16) + _differs(v)
        made[12 + x] = (v * 2217 - u * 5352 + 51000) >> 16
    return made


def _differs(value: Lanes) -> Lanes:
    """1 where a number is not 0."""
    return least(size_of(value), 1)


def backward(block: Sequence[Any]) -> list[Any]:
    """Section 14.3: columns, then rows, in sixteenths of a pixel's unit until the end."""
    columns = [_halfway(*block[x::4]) for x in range(4)]
    lines = [_halfway(columns[0][y] + 4, columns[1][y], columns[2][y], columns[3][y]) for y in range(4)]
    return [value >> 3 for line in lines for value in line]


def _halfway(one: Any, two: Any, three: Any, four: Any) -> list[Any]:
    s, t = one + three, one - three
    u, v = _sine(two) - _cosine(four), _cosine(two) + _sine(four)
    return [s + v, t + u, t - u, s - v]


def _cosine(value: Any) -> Any:
    """Times the root of 2 and the cosine of 22.5 degrees."""
    return value + (value * 20091 >> 16)


def _sine(value: Any) -> Any:
    return value * 35468 >> 16


def means(block: Sequence[Any]) -> list[Any]:
    """The means of 16 blocks to their own frequencies, by sums and differences alone."""
    return [value >> 1 for value in _hadamard(block, 0)]


def unmeans(block: Sequence[Any]) -> list[Any]:
    """Section 14.3, the way back."""
    return [value >> 3 for value in _hadamard(block, 3)]


def _hadamard(block: Sequence[Any], half: int) -> list[Any]:
    columns = [_crossed(*block[x::4]) for x in range(4)]
    lines = [_crossed(columns[0][y] + half, columns[1][y], columns[2][y], columns[3][y]) for y in range(4)]
    return [value for line in lines for value in line]


def _crossed(one: Any, two: Any, three: Any, four: Any) -> list[Any]:
    s, t, u, v = one + four, two + three, two - three, one - four
    return [s + t, v + u, s - t, v - u]


def _forward(context: Any, block: Any, step: Any, predicted: Any, step_there: Any, into: Any) -> Any:
    """Of addresses: a block and its prediction, each with the bytes from row to row; where its frequencies go."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        block, step, predicted, step_there, into = args
        given = zip(rows(builder, block, step), rows(builder, predicted, step_there), strict=True)
        for k, value in enumerate(forward([one - other for one, other in given])):
            put(builder, shortened(value), into, k)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 5), generated


def _backward(context: Any, block: Any, picture: Any, step: Any, given: Any, step_given: Any, far: Any) -> Any:
    """Of addresses: frequencies; a prediction, to which they are added, and the block itself, each with the bytes from row to row; a sum in
    32 bits of squares by which what is made differs from the block."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        block, picture, step, given, step_given, far = args
        values = backward([number(short(builder, block, k)) for k in range(16)])
        made = [within(value + one, 0, 255) for value, one in zip(values, rows(builder, picture, step), strict=True)]
        for k, value in enumerate(made):
            put(builder, shortened(value), builder.add(picture, builder.mul(step, _WORD(k // 4))), k % 4)
        differences = [value - one for value, one in zip(made, rows(builder, given, step_given), strict=True)]
        added(builder, total_of([value * value for value in differences]), far)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 6), generated


def added(builder: Any, value: Lanes, total: Any) -> None:
    stored(builder, (Lanes(builder, loaded(builder, total, NUMBERS)) + value).value, total)


def _stepped(first: int, sharper: tuple[int, ...]) -> Any:
    """Frequencies from the ``first`` on to multiples of their steps, in place, and to levels; a table (2, 3, LANES) of 32 bits has for the
    first frequency and for the others a step, what divides by it and what rounds. ``bits`` is a sum in 32 bits of what levels cost."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        block, into, table, bits = args
        steps = [Lanes(builder, loaded(builder, builder.add(table, _WORD(4 * LANES * k)), NUMBERS)) for k in range(6)]
        cost = []
        for k in range(first, 16):
            step, by, half = steps[:3] if k == 0 else steps[3:]
            value = number(short(builder, block, k))
            size = size_of(value) + (step * sharper[k] >> 11) if sharper[k] else size_of(value)
            level = least((size * by + half) >> FIXED, MOST)
            cost.append(price(level))
            level = value.where_below(0, level * -1, level)
            put(builder, shortened(level), into, k)
            put(builder, shortened(level * step), block, k)
        added(builder, total_of(cost), bits)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 4), generated


def price(level: Lanes) -> Lanes:
    """About how many bits a level takes in a file, beyond those of a 0."""
    return (least(level, 1) * 3) + least(level, 9)


def _step_small(context: Any, block: Any, into: Any, table: Any, bits: Any) -> Any:
    return _stepped(0, SHARPER)


def _step_rest(context: Any, block: Any, into: Any, table: Any, bits: Any) -> Any:
    return _stepped(1, SHARPER)


def _step_plain(context: Any, block: Any, into: Any, table: Any, bits: Any) -> Any:
    return _stepped(0, (0,) * 16)


def _means(back: bool) -> Any:
    """Of addresses: 16 blocks, one behind another, of which each first frequency counts; and a block."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        blocks, block = args
        given, into, change = ((block, 1), (blocks, 16), unmeans) if back else ((blocks, 16), (block, 1), means)
        made = change([number(short(builder, given[0], k * given[1])) for k in range(16)])
        for k, value in enumerate(made):
            put(builder, shortened(value), into[0], k * into[1])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), generated


def _take_means(context: Any, blocks: Any, block: Any) -> Any:
    return _means(False)


def _give_means(context: Any, blocks: Any, block: Any) -> Any:
    return _means(True)


transformed: Any = intrinsic(_forward)
restored: Any = intrinsic(_backward)
stepped_small: Any = intrinsic(_step_small)
stepped_rest: Any = intrinsic(_step_rest)
stepped_plain: Any = intrinsic(_step_plain)
means_taken: Any = intrinsic(_take_means)
means_given: Any = intrinsic(_give_means)
