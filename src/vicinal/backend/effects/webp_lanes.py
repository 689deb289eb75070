"""Pixels of sixteen places at once: eight of a row at each to eight vectors, of one pixel from each place, and back; and what one reckons
with such vectors.

Places are addresses, as are all the rest; vectors are of 16 bits, one behind another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from vicinal.backend.lanes import LANES, NUMBERS, Lanes, everywhere, loaded, stored

SHORT = ir.VectorType(ir.IntType(16), LANES)
STRIDE = 2 * LANES  # bytes of a vector
_WORD, _BYTE = ir.IntType(64), ir.IntType(8)
_HALF, _BYTES = (ir.VectorType(_BYTE, count) for count in (LANES // 2, LANES))


def short(builder: Any, base: Any, at: int = 0) -> Lanes:
    """The vector ``at`` vectors behind an address."""
    return Lanes(builder, loaded(builder, builder.add(base, _WORD(STRIDE * at)), SHORT))


def put(builder: Any, value: Lanes, base: Any, at: int = 0) -> None:
    stored(builder, value.value, builder.add(base, _WORD(STRIDE * at)))


def number(value: Lanes) -> Lanes:
    """In 32 bits."""
    return Lanes(value.builder, value.builder.sext(value.value, NUMBERS))


def shortened(value: Lanes) -> Lanes:
    return Lanes(value.builder, value.builder.trunc(value.value, SHORT))


def least(one: Lanes, other: Any) -> Lanes:
    return one.where_below(other, one, other)


def most(one: Lanes, other: Any) -> Lanes:
    return one.where_below(other, other, one)


def within(value: Lanes, low: int, high: int) -> Lanes:
    return least(most(value, low), high)


def size_of(value: Lanes) -> Lanes:
    return most(value, value * -1)


def total_of(values: Sequence[Any]) -> Any:
    """In pairs, so that the additions need not wait for one another."""
    while len(values) > 1:
        values = [one + other for one, other in zip(values[::2], values[1::2], strict=False)] + list(values[len(values) // 2 * 2 :])
    return values[0]


def eight_loaded(builder: Any, halves: Sequence[Any], turned: bool) -> list[Lanes]:
    """Eight vectors: of sixteen addresses of eight bytes each, each two together, or one byte of each ``turned``."""
    lines = [loaded(builder, half, _HALF) for half in halves]
    lines = [_shuffled(builder, lines[k], lines[k + 1], range(LANES)) for k in range(0, LANES, 2)]
    return [Lanes(builder, builder.zext(line, SHORT)) for line in (_turned(builder, lines, 4) if turned else lines)]


def eight_stored(builder: Any, values: Sequence[Lanes], halves: Sequence[Any], turned: bool) -> None:
    """The way back."""
    lines = [builder.trunc(value.value, _BYTES) for value in values]
    lines = _turned(builder, lines, 3) if turned else lines
    for k, half in enumerate(halves):
        first = LANES // 2 * (k % 2)
        stored(builder, _shuffled(builder, lines[k // 2], lines[k // 2], range(first, first + LANES // 2)), half)


def _turned(builder: Any, lines: Sequence[Any], rounds: int) -> list[Any]:
    """Of the numbers of the 128 bytes in eight vectors, seven bits, the first becomes the last, so many times."""
    low, high = ([k // 2 + LANES * (k % 2) + first for k in range(LANES)] for first in (0, LANES // 2))
    for _ in range(rounds):
        lines = [_shuffled(builder, lines[k // 2], lines[k // 2 + 4], (low, high)[k % 2]) for k in range(8)]
    return list(lines)


def _shuffled(builder: Any, one: Any, other: Any, places: Sequence[int]) -> Any:
    return builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(ir.IntType(32), len(places)), list(places)))


def _places(builder: Any, where: Any, offset: Any) -> list[Any]:
    return [builder.add(loaded(builder, builder.add(where, _WORD(8 * lane)), _WORD), offset) for lane in range(LANES)]


def _fetch(context: Any, where: Any, offset: Any, into: Any) -> Any:
    """Eight bytes, ``offset`` behind each of sixteen addresses, to eight vectors."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        for k, value in enumerate(eight_loaded(builder, _places(builder, *args[:2]), True)):
            put(builder, value, args[2], k)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 3), generated


def _fetch_one(context: Any, where: Any, offset: Any, into: Any) -> Any:
    """One byte of each to a vector."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        line = ir.Constant(_BYTES, ir.Undefined)
        for lane, place in enumerate(_places(builder, *args[:2])):
            line = builder.insert_element(line, loaded(builder, place, _BYTE), ir.IntType(32)(lane))
        put(builder, Lanes(builder, builder.zext(line, SHORT)), args[2])
        return context.get_dummy_value()

    return types.void(*[types.intp] * 3), generated


def _give(context: Any, one: Any, other: Any, which: Any, bound: Any, where: Any, offset: Any) -> Any:
    """The way of ``_fetch`` back, of eight vectors, or of others in the lanes where a number is not below a bound."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        one, other, which, bound, where, offset = args
        limit = Lanes(builder, everywhere(builder, builder.trunc(bound, ir.IntType(16)), SHORT))
        number = short(builder, which)
        values = [number.where_below(limit, short(builder, one, k), short(builder, other, k)) for k in range(8)]
        eight_stored(builder, values, _places(builder, where, offset), True)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 6), generated


fetched: Any = intrinsic(_fetch)
fetched_one: Any = intrinsic(_fetch_one)
brought: Any = intrinsic(_give)
