"""Colour at half the resolution, by means, and back in the "fancy" way of libjpeg: a triangle with three quarters on the nearest value.

Rows are taken by their addresses, LANES values at a time. So more is read and written than a row holds: up to 2 LANES bytes behind its
end. There lies the next row, which is written later; behind the last one, whoever calls leaves room.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from vicinal.backend.lanes import LANES, NUMBERS, Lanes, loaded, stored

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_WORD = ir.IntType(64)
_PAIRS, _BYTES = (ir.VectorType(ir.IntType(bits), LANES) for bits in (16, 8))


def _numbers(builder: Any, address: Any, form: Any) -> Lanes:
    return Lanes(builder, builder.zext(loaded(builder, address, form), NUMBERS))


def _thrice(value: Lanes) -> Lanes:
    return value + (value << 1)


def _halving(rows: int) -> Any:
    """Of neighbours in a row, or in two, the mean; halves go down and up in turn."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        one, other, into, count = args
        with cgutils.for_range(builder, count) as loop:
            at = builder.mul(loop.index, _WORD(LANES))
            total = Lanes(builder, ir.Constant(NUMBERS, [rows - 1, rows] * (LANES // 2)))
            for row in (one, other)[:rows]:
                pair = _numbers(builder, builder.add(row, builder.shl(at, _WORD(1))), _PAIRS)
                total = total + (pair & 255) + (pair >> 8)
            stored(builder, builder.trunc((total >> rows).value, _BYTES), builder.add(into, at))
        return context.get_dummy_value()

    return generated


def _doubling(rows: int) -> Any:
    """Of every value two, each with a quarter of its neighbour on that side; of two rows, three quarters of the first and one of the other.

    A row begins with the neighbour of its first value and ends with that of its last.
    """
    first, second, bits = (1, 2, 2) if rows == 1 else (8, 7, 4)

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        near, far, into, count = args

        def column(place: Any) -> Lanes:
            own = _numbers(builder, builder.add(near, place), _BYTES)
            return own if rows == 1 else _thrice(own) + _numbers(builder, builder.add(far, place), _BYTES)

        with cgutils.for_range(builder, count) as loop:
            at = builder.mul(loop.index, _WORD(LANES))
            left, middle, right = (column(builder.add(at, _WORD(k))) for k in range(3))
            low, high = (_thrice(middle) + left + first) >> bits, (_thrice(middle) + right + second) >> bits
            stored(builder, builder.trunc((low | (high << 8)).value, _PAIRS), builder.add(into, builder.shl(at, _WORD(1))))
        return context.get_dummy_value()

    return generated


def _halve_one(context: Any, one: Any, other: Any, into: Any, count: Any) -> Any:
    """``count`` times LANES means of a row; addresses of it (twice) and of the means."""
    return types.void(*[types.intp] * 4), _halving(1)


def _halve_two(context: Any, one: Any, other: Any, into: Any, count: Any) -> Any:
    """The same of two rows."""
    return types.void(*[types.intp] * 4), _halving(2)


def _double_one(context: Any, near: Any, far: Any, into: Any, count: Any) -> Any:
    """``count`` times LANES values become twice as many; addresses of their row (twice) and of the new one."""
    return types.void(*[types.intp] * 4), _doubling(1)


def _double_two(context: Any, near: Any, far: Any, into: Any, count: Any) -> Any:
    """The same between two rows."""
    return types.void(*[types.intp] * 4), _doubling(2)


_halved_one: Any = intrinsic(_halve_one)
_halved_two: Any = intrinsic(_halve_two)
_doubled_one: Any = intrinsic(_double_one)
_doubled_two: Any = intrinsic(_double_two)


@_compiled
def reduced(plane, rows, small, wide):
    """Means over ``rows`` x 2 of a plane; its edge fills up what ``small``, flat, with ``wide`` columns, has more."""
    (height, width), given, count = plane.shape, plane.reshape(-1), -(-wide // LANES)
    for y in range(-(-height // rows)):
        one, other, into = rows * y * width, min(rows * y + 1, height - 1) * width, y * wide
        addresses = given.ctypes.data + one, given.ctypes.data + other, small.ctypes.data + into
        if rows == 2:
            _halved_two(*addresses, count)
        else:
            _halved_one(*addresses, count)
        edge = np.int64(given[one + width - 1]) + (np.int64(given[other + width - 1]) if rows == 2 else 0)
        for x in range(width // 2, wide):
            small[into + x] = (2 * edge + rows - 1 + (x & 1)) >> rows


@_compiled
def enlarged(colour, width, rows, top, plane):
    """A plane at ``rows`` times the height and twice the width, from its row ``top`` on; of two columns or fewer each is repeated.

    ``colour`` (h, w) has ``width`` columns between its first and the neighbour of their last.
    """
    (height, full), out, last, count = plane.shape, plane.reshape(-1), len(colour) - 1, -(-width // LANES)
    start, step = colour.ctypes.data, colour.shape[1]
    for y in range(top, top + height):
        near, at = y // rows, (y - top) * full
        far = min(max(near + (1 if y % 2 else -1), 0), last)
        if width <= 2:
            for x in range(full):
                out[at + x] = colour[near, 1 + (x >> 1)]
        elif rows == 2:
            _doubled_two(start + near * step, start + far * step, out.ctypes.data + at, count)
        else:
            _doubled_one(start + near * step, start + near * step, out.ctypes.data + at, count)
