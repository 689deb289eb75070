"""Weighted sums of float32 along the axes of images, a row at a time: loops that the compiler is given whole.

Where Numba inlines a function into a branch it counts the references of every array that goes in, which takes as long as a short row.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from vicinal.backend.chain_steps import MAGIC

LANES = 4
_FLOAT = ir.FloatType()


def _data(context: Any, builder: Any, signature: Any, values: Any, *numbers: int) -> list[Any]:
    """Where the values of some array arguments begin."""
    return [context.make_array(signature.args[n])(context, builder, values[n]).data for n in numbers]


def _widened(builder: Any, value: Any) -> Any:
    return value if value.type == _FLOAT else builder.uitofp(value, _FLOAT)


def _rows_summed(typing: Any, line: Any, to: Any, more: Any, source: Any, places: Any, shares: Any, beside: Any, count: Any) -> Any:
    """line[to + k] = sum of share * source[place + k] over the tuples ``places`` and ``shares``, on top of what is there if ``more``.

    In pairs, each of which is added up by itself, with its number of the tuple ``beside``.
    """
    signature = types.void(line, types.intp, types.boolean, source, places, shares, beside, types.intp)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        into, given = _data(context, builder, signature, values, 0, 3)
        starts, factors, extra = (cgutils.unpack_tuple(builder, values[n]) for n in (4, 5, 6))

        def term(n: int, k: Any) -> Any:
            return builder.fmul(factors[n], _widened(builder, builder.load(builder.gep(given, [builder.add(starts[n], k)]))))

        with cgutils.for_range(builder, values[7]) as loop:
            at = builder.gep(into, [builder.add(values[1], loop.index)])
            total = builder.select(values[2], builder.load(at), _FLOAT(0.0))
            for n in range(0, len(starts), 2):
                pair = builder.fadd(builder.fadd(term(n, loop.index), term(n + 1, loop.index)), extra[n // 2])
                total = builder.fadd(total, pair)
            builder.store(total, at)
        return context.get_dummy_value()

    return signature, generated


def _pixels_summed(typing: Any, row: Any, to: Any, line: Any, at: Any, first: Any, shares: Any, wide: Any, many: Any,
                   channels: Any) -> Any:  # fmt: skip
    """row[to + x * C ..] = sum over j < wide of shares[x * wide + j] * line[at + (first[x] + j) * C ..], of so many pixels.

    Four channels in a register: a compiler that is given three works them out one by one. What a register writes over belongs to the next
    pixel, which comes later.
    """
    integer = types.intp
    signature = types.void(row, integer, line, integer, first, shares, integer, integer, integer)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        into, given, begin, factors = _data(context, builder, signature, values, 0, 2, 4, 5)
        into, given = builder.gep(into, [values[1]]), builder.gep(given, [values[3]])
        wide, many, channels = values[6:9]

        def each(width: Any) -> None:
            with cgutils.for_range(builder, many) as pixel:
                start = builder.mul(builder.load(builder.gep(begin, [pixel.index])), channels)
                share, to = builder.gep(factors, [builder.mul(pixel.index, width)]), builder.mul(pixel.index, channels)
                with cgutils.for_range_slice(builder, channels.type(0), channels, channels.type(LANES)) as (c, _):
                    found = _four(builder, builder.gep(given, [builder.add(start, c)]), share, width, channels)
                    builder.store(found, builder.bitcast(builder.gep(into, [builder.add(to, c)]), found.type.as_pointer()), align=4)

        with builder.if_else(builder.icmp_signed("==", wide, wide.type(4))) as (four, other):
            with four:
                each(wide.type(4))
            with other:
                each(wide)
        return context.get_dummy_value()

    return signature, generated


def _four(builder: Any, at: Any, share: Any, wide: Any, channels: Any) -> Any:
    """Four weighted sums over so many pixels from an address on."""
    lanes = ir.VectorType(_FLOAT, LANES)
    total = cgutils.alloca_once_value(builder, ir.Constant(lanes, [0.0] * LANES))

    def add(j: Any) -> None:
        four = builder.load(builder.bitcast(builder.gep(at, [builder.mul(j, channels)]), lanes.as_pointer()), align=4)
        one = builder.insert_element(ir.Constant(lanes, ir.Undefined), builder.load(builder.gep(share, [j])), ir.IntType(32)(0))
        factor = builder.shuffle_vector(one, ir.Constant(lanes, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), LANES), None))
        builder.store(builder.fadd(builder.load(total), builder.fmul(four, factor)), total)

    if isinstance(wide, ir.Constant):
        for j in range(wide.constant):
            add(wide.type(j))
    else:
        with cgutils.for_range(builder, wide) as loop:
            add(loop.index)
    return builder.load(total)


def _stored(typing: Any, out: Any, to: Any, row: Any, at: Any, many: Any) -> Any:
    """out[to + k] = row[at + k], rounded to whole numbers, ties to even ones, where ``out`` holds such."""
    signature = types.void(out, types.intp, row, types.intp, types.intp)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        into, given = _data(context, builder, signature, values, 0, 2)
        form = into.type.pointee
        with cgutils.for_range(builder, values[4]) as loop:
            value = builder.load(builder.gep(given, [builder.add(values[3], loop.index)]))
            if isinstance(form, ir.IntType):
                magic = ir.Constant(_FLOAT, float(MAGIC))
                whole = builder.fsub(builder.fadd(value, magic), magic)
                value = builder.trunc(builder.fptosi(whole, ir.IntType(32)), form)
            builder.store(value, builder.gep(into, [builder.add(values[1], loop.index)]))
        return context.get_dummy_value()

    return signature, generated


rows_summed: Any = intrinsic(_rows_summed)
pixels_summed: Any = intrinsic(_pixels_summed)
stored: Any = intrinsic(_stored)
