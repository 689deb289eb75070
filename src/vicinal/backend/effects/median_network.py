"""Medians of square windows by comparators between vectors of 64 bytes: the columns are sorted once for all windows that share them.

By the 0-1 principle (Knuth, The Art of Computer Programming 3, theorem 5.3.4Z) a network does the same for all numbers if it does so for
zeros and ones. A square whose rows and columns are sorted has few states of these, which tell the comparators that have nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

SIDES = (3, 5, 7)  # larger windows are cheaper to count than to sort
WIDTH = 64  # bytes of a vector
Comparators = list[tuple[int, int]]


def sorting(n: int) -> Comparators:
    """Comparators that sort n values: Batcher's odd-even merge sort (Knuth, The Art of Computer Programming 3, algorithm 5.2.2M)."""
    pairs, p = [], 1
    while p < n:
        k = p
        while k:
            for j in range(k % p, n - k, 2 * k):
                pairs.extend((i + j, i + j + k) for i in range(min(k, n - j - k)) if (i + j) // (2 * p) == (i + j + k) // (2 * p))
            k //= 2
        p *= 2
    return pairs


def middle(side: int) -> tuple[Comparators, int]:
    """Comparators for a square of sorted columns, row by row, and the wire on which its median then is.

    Example:
        >>> middle(3)
        ([(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5), (6, 7), (6, 8), (7, 8), (2, 4), (2, 6), (4, 6)], 4)
    """
    rows = [(side * row + i, side * row + j) for row in range(side) for i, j in sorting(side)]
    half = side * side // 2 + 1
    # So many are not larger, and so many not smaller, than a value of the square whose rows are sorted too.
    near = [(i, j) for i in range(side) for j in range(side) if (i + 1) * (j + 1) <= half and (side - i) * (side - j) <= half]
    wires, states, last = [side * i + j for i, j in sorted(near, key=lambda place: place[0] - place[1])], _sorted_squares(side), []
    for one, other in sorting(len(wires)):
        i, j = wires[one], wires[other]
        if not (states[j] & ~states[i]).any():  # always the wrong way round
            wires[one], wires[other] = j, i
        elif (states[i] & ~states[j]).any():
            states[i], states[j] = states[i] & states[j], states[i] | states[j]
            last.append((i, j))
    return rows + last, wires[len(wires) // 2]


def _sorted_squares(side: int) -> NDArray[np.bool_]:
    """(side * side, n) all squares of zeros and ones whose rows and columns are sorted."""
    ones = np.array(list(combinations_with_replacement(range(side + 1), side)))
    return (np.arange(side) >= side - ones[..., None]).reshape(len(ones), -1).T.copy()


def _through(builder: Any, values: list[Any], comparators: Comparators) -> list[Any]:
    """Vectors that have gone through the comparators. What the result does not depend on, the compiler leaves out."""
    kind, values = values[0].type, list(values)
    name, both = f"v{kind.count}i{kind.element.width}", ir.FunctionType(kind, [kind] * 2)
    smaller, larger = (cgutils.get_or_insert_function(builder.module, both, f"llvm.{which}.{name}") for which in ("umin", "umax"))
    for i, j in comparators:
        values[i], values[j] = (builder.call(function, [values[i], values[j]]) for function in (smaller, larger))
    return values


def _arrays(context: Any, builder: Any, signature: Any, args: Any, places: tuple[int, int]) -> tuple[Any, Any]:
    """Of two array arguments: how to load a vector from a place in the one, and to store it at a place in the other."""
    source, target = (context.make_array(signature.args[n])(context, builder, args[n]).data for n in places)
    bits = signature.args[places[0]].dtype.bitwidth
    kind = ir.VectorType(ir.IntType(bits), 8 * WIDTH // bits).as_pointer()

    def load(place: Any) -> Any:
        return builder.load(builder.bitcast(builder.gep(source, [place]), kind), align=1)

    def store(vector: Any, place: Any) -> None:
        builder.store(vector, builder.bitcast(builder.gep(target, [place]), kind), align=1)

    return load, store


def _blocks(builder: Any, signature: Any, side: Any, blocks: Any) -> Iterator[tuple[int, Any]]:
    """Code for each side, of which the one that is asked for runs: where each of its blocks begins."""
    count = 8 * WIDTH // signature.args[0].dtype.bitwidth
    for known in SIDES:
        with builder.if_then(builder.icmp_signed("==", side, side.type(known))), cgutils.for_range(builder, blocks) as loop:
            yield known, builder.mul(loop.index, side.type(count))


def _down(typing: Any, lines: Any, start: Any, step: Any, into: Any, room: Any, side: Any, blocks: Any) -> Any:
    """Blocks of ``side`` lines that lie ``step`` apart, from ``start`` on, sorted value by value into others that lie ``room`` apart."""
    return types.void(lines, start, step, into, room, side, blocks), _sorted_down


def _sorted_down(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    _, start, step, _, room, side, blocks = args
    load, store = _arrays(context, builder, signature, args, (0, 3))
    for known, moved in _blocks(builder, signature, side, blocks):
        begin = builder.add(start, moved)
        columns = [load(builder.add(begin, builder.mul(step, step.type(k)))) for k in range(known)]
        for k, line in enumerate(_through(builder, columns, sorting(known))):
            store(line, builder.add(moved, builder.mul(room, room.type(k))))
    return context.get_dummy_value()


def _across(typing: Any, lines: Any, room: Any, channels: Any, into: Any, side: Any, blocks: Any) -> Any:
    """Blocks of medians of what ``_down`` has sorted; the columns of a window lie ``channels`` apart."""
    return types.void(lines, room, channels, into, side, blocks), _middles


def _middles(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    _, room, channels, _, side, blocks = args
    load, store = _arrays(context, builder, signature, args, (0, 3))
    for known, moved in _blocks(builder, signature, side, blocks):
        rows = [builder.add(moved, builder.mul(room, room.type(k))) for k in range(known)]
        square = [load(builder.add(row, builder.mul(channels, channels.type(k)))) for row in rows for k in range(known)]
        comparators, wire = middle(known)
        store(_through(builder, square, comparators)[wire], moved)
    return context.get_dummy_value()


sort_columns: Any = intrinsic(_down)
take_middles: Any = intrinsic(_across)
