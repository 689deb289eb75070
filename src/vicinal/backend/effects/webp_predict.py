"""What a VP8 key frame predicts of a block from the pixels around it (RFC 6386, section 12), and which of the ways comes nearest.

A picture with its surroundings has a row above it and a column to its left. Sixteen macroblocks are worked on at once, as in
``webp_blocks``; a mode is chosen for each of them by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from vicinal.backend.effects.webp_blocks import added
from vicinal.backend.effects.webp_lanes import SHORT, STRIDE, number, put, short, shortened, size_of, total_of, within
from vicinal.backend.lanes import LANES, NUMBERS, Lanes, constant, everywhere, loaded

MODES, SMALL_MODES = 4, 10  # DC, V, H, TM; DC, TM, VE, HE, LD, RD, VR, VL, HD, HU
_WORD = ir.IntType(64)


def _two(one: Any, other: Any) -> Any:
    return (one + other + 1) >> 1


def _three(one: Any, two: Any, three: Any) -> Any:
    return (one + (two << 1) + three + 2) >> 2


def small_predictions(left: Sequence[Any], corner: Any, above: Sequence[Any]) -> list[list[Any]]:
    """The ten predictions of 4 x 4 pixels, row by row, from 4 pixels to their left, one beyond and 8 above them."""
    edge = [*left[::-1], corner, *above]  # from the lower left to the upper right
    soft = [None, *(_three(*edge[k - 1 : k + 2]) for k in range(1, 12))]
    pair = [_two(one, other) for one, other in pairwise(edge)]
    last = _three(left[2], left[3], left[3])
    down = [*soft[6:12], _three(above[6], above[7], above[7])]
    up = [pair[0], soft[1], pair[1], soft[2], pair[2], soft[3], pair[3], *soft[4:7]]
    out = [pair[2], soft[2], pair[1], soft[1], pair[0], last, *[left[3]] * 4]
    places = [(y, x) for y in range(4) for x in range(4)]
    return [
        [(total_of([*left, *above[:4]]) + 4) >> 3] * 16,
        [within(above[x] + (left[y] - corner), 0, 255) for y, x in places],
        soft[5:9] * 4,
        [(*soft[3:0:-1], last)[y] for y, _ in places],
        [down[x + y] for y, x in places],
        [soft[4 + x - y] for y, x in places],
        [*pair[4:8], *soft[4:8], soft[3], *pair[4:7], soft[2], *soft[4:7]],
        [*pair[5:9], *soft[6:10], *pair[6:9], soft[10], *soft[7:10], soft[11]],
        [up[6 - 2 * y + x] for y, x in places],
        [out[2 * y + x] for y, x in places],
    ]


def _picked(values: Sequence[Lanes], modes: Lanes) -> Lanes:
    """Of each lane the value whose number it has."""
    made = values[-1]
    for mode in reversed(range(len(values) - 1)):
        made = modes.where_below(mode + 1, values[mode], made)
    return made


def _nearest(costs: Sequence[Lanes]) -> Lanes:
    """Which of some numbers is the least, the first of equal ones."""
    best, mode = costs[0], Lanes(costs[0].builder, constant(0, costs[0].value.type))
    for k, cost in enumerate(costs[1:], 1):
        best, mode = cost.where_below(best, cost, best), cost.where_below(best, k, mode)
    return mode


def _apart(ones: Sequence[Any], others: Sequence[Any]) -> Lanes:
    """The sum of what two pictures differ by."""
    return total_of([size_of(one - other) for one, other in zip(ones, others, strict=True)])


def _small(context: Any, corner: Any, step: Any, beyond: Any, block: Any, step_block: Any, prices: Any, mode: Any) -> Any:
    """The nearest prediction of 4 x 4 pixels, into their place. Addresses: the pixel above and to the left of it, with the bytes from row
    to row; the four above and to its right; the block itself, with its bytes from row to row; the price of each mode; where the mode
    goes."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        corner, step, beyond, block, step_block, prices, mode = args

        def row(base: Any, step: Any, y: int) -> Any:
            return builder.add(base, builder.mul(step, _WORD(y)))

        left = [short(builder, row(corner, step, y)) for y in range(1, 5)]
        above = [short(builder, corner, x) for x in range(5)] + [short(builder, beyond, x) for x in range(4)]
        given = [short(builder, row(block, step_block, y), x) for y in range(4) for x in range(4)]
        ways = small_predictions(left, above[0], above[1:])
        found = _nearest([_apart(given, pixels) + short(builder, prices, k) for k, pixels in enumerate(ways)])
        for k in range(16):
            put(builder, _picked([pixels[k] for pixels in ways], found), row(corner, step, 1 + k // 4), 1 + k % 4)
        put(builder, found, mode)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 7), generated


def _mean(context: Any, corner: Any, step: Any, bits: Any, seen: Any, into: Any) -> Any:
    """The mean of 2**bits pixels above and as many to the left, of those that are seen: two numbers, 0 or 1, at an address."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        corner, step, bits, seen, into = args
        count = builder.shl(_WORD(1), bits)
        sums = [cgutils.alloca_once_value(builder, constant(0, SHORT)) for _ in range(2)]
        with cgutils.for_range(builder, count) as loop:
            for total, to in zip(sums, (_WORD(STRIDE), step), strict=True):
                at = builder.add(corner, builder.mul(to, builder.add(loop.index, _WORD(1))))
                builder.store((Lanes(builder, builder.load(total)) + short(builder, at)).value, total)
        above, left = (Lanes(builder, builder.load(total)) for total in sums)
        n, by = (
            Lanes(builder, everywhere(builder, builder.trunc(value, ir.IntType(16)), SHORT))
            for value in (count, builder.add(bits, _WORD(1)))
        )
        has_above, has_left = short(builder, seen, 0), short(builder, seen, 1)
        one = has_above.where_below(1, has_left.where_below(1, n << 7, left), above)
        other = has_left.where_below(1, has_above.where_below(1, n << 7, above), left)
        put(builder, (one + other + n) >> by, into)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 5), generated


def _row(builder: Any, corner: Any, above: Any, left: Any, mean: Any) -> list[list[Lanes]]:
    """The four predictions of eight pixels of a row."""
    tops, side, flat = [short(builder, above, x) for x in range(8)], short(builder, left), short(builder, mean)
    slope = side - short(builder, corner)
    return [[flat] * 8, tops, [side] * 8, [within(top + slope, 0, 255) for top in tops]]


def _compare(context: Any, corner: Any, above: Any, left: Any, mean: Any, row: Any, costs: Any) -> Any:
    """Adds, to four sums in 32 bits, by how much the predictions of eight pixels of a row differ from them. Addresses: the pixel above and
    to the left of the whole, those above the eight, the one to the left of the row, the mean, the eight pixels."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        given = [short(builder, args[4], x) for x in range(8)]
        for k, pixels in enumerate(_row(builder, *args[:4])):
            added(builder, number(_apart(given, pixels)), builder.add(args[5], _WORD(4 * LANES * k)))
        return context.get_dummy_value()

    return types.void(*[types.intp] * 6), generated


def _choose(context: Any, costs: Any, mode: Any) -> Any:
    """The mode with the least of four sums."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        sums = [Lanes(builder, loaded(builder, builder.add(args[0], _WORD(4 * LANES * k)), NUMBERS)) for k in range(MODES)]
        put(builder, shortened(_nearest(sums)), args[1])
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), generated


def _predict(context: Any, corner: Any, above: Any, left: Any, mean: Any, mode: Any, into: Any) -> Any:
    """Eight pixels of a row as their mode predicts them."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        ways, mode = _row(builder, *args[:4]), short(builder, args[4])
        for x in range(8):
            put(builder, _picked([way[x] for way in ways], mode), args[5], x)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 6), generated


small_predicted: Any = intrinsic(_small)
mean_around: Any = intrinsic(_mean)
compared: Any = intrinsic(_compare)
chosen: Any = intrinsic(_choose)
predicted: Any = intrinsic(_predict)
