"""Sums of 8-bit neighbours in whole numbers, across a row and down rows, a register at a time."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from vicinal.backend.lanes import address_of, constant, everywhere, loaded, often, stored, summed
from vicinal.backend.vectors import instruction

BLOCK = 16  # values of a sum across
STRIP = 32  # values of a sum down
WINDOW = 128  # bytes among which those of a block are chosen
ACROSS, DOWN = 15, 16  # bits of what shares add up to
_INDEX = ir.IntType(64)


def _vector(bits: int, many: int) -> Any:
    return ir.VectorType(ir.IntType(bits), many)


def _behind(builder: Any, base: Any, number: Any, size: int) -> Any:
    """The address that lies a number of items behind another."""
    return builder.add(base, builder.mul(number, _INDEX(size)))


def _sums(typing: Any, line: Any, begins: Any, places: Any, shares: Any, into: Any, start: Any, channels: Any, pairs: Any,
          blocks: Any) -> Any:  # fmt: skip
    """Into an array from ``start`` on blocks of 16 sums of ``pairs`` times two bytes of a line, each times its share, in 1/256 of a level.

    line: its address. For each block: where in the line its 128 bytes begin, and of 16 values in turn the places there of the first two
    bytes. Those of the next pair are two pixels further. For each pair of it: of the values in turn the two shares. With AVX-512 alone.
    """
    return types.void(types.intp, begins, places, shares, into, types.intp, types.intp, types.intp, types.intp), _generated


def _generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    begins, places, shares, into = (address_of(context, builder, signature, args, n) for n in range(1, 5))
    line, start, channels, pairs, blocks = args[0], *args[5:]
    octets, words, totals = (_vector(bits, 512 // bits) for bits in (8, 16, 32))
    chosen = instruction(builder, "vpermi2var.qi.512", octets, *[octets] * 3)
    product = instruction(builder, "pmaddw.d.512", totals, words, words)
    into, further = _behind(builder, into, start, 2), builder.mul(channels, _INDEX(2))

    def each(pairs: Any) -> None:
        with cgutils.for_range(builder, blocks) as loop:
            first = builder.add(line, loaded(builder, _behind(builder, begins, loop.index, 8), _INDEX))
            order, number = loaded(builder, _behind(builder, places, loop.index, 64), octets), builder.mul(loop.index, pairs)

            def two(n: Any) -> Any:
                begin = builder.add(first, builder.mul(n, further))
                near, far = (loaded(builder, builder.add(begin, _INDEX(more)), octets) for more in (0, 64))
                values = builder.bitcast(builder.call(chosen, [near, order, far]), words)
                share = loaded(builder, _behind(builder, shares, builder.add(number, n), 64), words)
                return builder.call(product, [builder.and_(values, constant(0xFF, words)), share])

            total = summed(builder, constant(1 << (ACROSS - 9), totals), pairs, two)
            made = builder.trunc(builder.lshr(total, constant(ACROSS - 8, totals)), _vector(16, BLOCK))
            stored(builder, made, _behind(builder, into, loop.index, 2 * BLOCK))

    often(builder, pairs, (1, 2), each)
    return context.get_dummy_value()


def _lines(typing: Any, lines: Any, places: Any, shares: Any, many: Any, into: Any, start: Any, strips: Any) -> Any:
    """Into an array from ``start`` on ``strips`` times 32 bytes from lines of 16 bits, ``many`` of which begin at places, each with its
    share: addresses of 64-bit numbers. Of two lines the share of the second is said by that of the first, and less than all."""
    return types.void(lines, types.intp, types.intp, types.intp, into, types.intp, types.intp), _generated_down


def _generated_down(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    lines, into = (address_of(context, builder, signature, args, n) for n in (0, 4))
    _, places, shares, many, _, start, strips = args
    words, totals, into = _vector(16, STRIP), _vector(32, STRIP), builder.add(into, start)

    def each(many: Any) -> None:
        with cgutils.for_range(builder, strips) as loop:

            def line(n: Any) -> Any:
                place = loaded(builder, _behind(builder, places, n, 8), _INDEX)
                return loaded(builder, _behind(builder, lines, builder.add(place, builder.mul(loop.index, _INDEX(STRIP))), 2), words)

            def share(n: Any, form: Any) -> Any:
                number = loaded(builder, _behind(builder, shares, n, 8), _INDEX)
                return everywhere(builder, builder.trunc(number, form.element), form)

            if isinstance(many, ir.Constant) and many.constant == 2:
                made = _between(builder, line(_INDEX(0)), line(_INDEX(1)), share(_INDEX(1), words), totals)
            else:
                half = constant(1 << (DOWN + 7), totals)
                total = summed(builder, half, many, lambda n: builder.mul(builder.zext(line(n), totals), share(n, totals)))
                made = builder.lshr(total, constant(DOWN + 8, totals))
            stored(builder, builder.trunc(made, _vector(8, STRIP)), _behind(builder, into, loop.index, STRIP))

    often(builder, many, (2, 3), each)
    return context.get_dummy_value()


def _between(builder: Any, upper: Any, lower: Any, share: Any, totals: Any) -> Any:
    """The same sum in 16 bits: the upper line and a share of the difference, of which what lies below 1/256 of a level changes nothing."""
    products = builder.mul(*(builder.zext(some, totals) for some in (builder.sub(lower, upper), share)))
    more = builder.trunc(builder.lshr(products, constant(DOWN, totals)), upper.type)
    falls = builder.icmp_unsigned("<", lower, upper)  # then the difference was taken for one that is 1 << 16 larger
    more = builder.sub(more, builder.select(falls, share, constant(0, share.type)))
    return builder.lshr(builder.add(builder.add(upper, more), constant(128, upper.type)), constant(8, upper.type))


sums: Any = intrinsic(_sums)
strips_stored: Any = intrinsic(_lines)
