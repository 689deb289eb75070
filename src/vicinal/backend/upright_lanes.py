"""Weighted sums of float32 along the axes of images, a row at a time: loops that the compiler is given whole.

Where Numba inlines a function into a branch it counts the references of every array that goes in, which takes as long as a short row.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from vicinal.backend.chain_steps import MAGIC
from vicinal.backend.lanes import constant, everywhere, often, summed
from vicinal.backend.vectors import WIDE, instruction

LANES = 16  # values of a block
WINDOW = 2 * LANES  # values among which those of a block are chosen
SPILL = WINDOW  # values behind a row that are read or written
_FOUR = 4
_FLOAT, _NUMBER = ir.FloatType(), ir.IntType(32)
_BLOCK = ir.VectorType(_FLOAT, LANES)


def _data(context: Any, builder: Any, signature: Any, values: Any, *numbers: int) -> list[Any]:
    """Where the values of some array arguments begin."""
    return [context.make_array(signature.args[n])(context, builder, values[n]).data for n in numbers]


def _widened(builder: Any, given: Any, place: Any, form: Any) -> Any:
    """A number from a place, or as many as a form holds, as float32."""
    item = given.type.pointee
    kind = item if form == _FLOAT else ir.VectorType(item, LANES)
    value = builder.load(builder.bitcast(builder.gep(given, [place]), kind.as_pointer()), align=item.width // 8 if item != _FLOAT else 4)
    return value if item == _FLOAT else builder.uitofp(value, form)


def _spread(builder: Any, number: Any, form: Any) -> Any:
    return number if form == _FLOAT else everywhere(builder, number, form)


def _rows_summed(typing: Any, line: Any, to: Any, more: Any, source: Any, places: Any, shares: Any, beside: Any, count: Any) -> Any:
    """line[to + k] = sum of share * source[place + k] over the tuples ``places`` and ``shares``, on top of what is there if ``more``.

    In pairs, each of which is added up by itself, with its number of the tuple ``beside``.
    """
    signature = types.void(line, types.intp, types.boolean, source, places, shares, beside, types.intp)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        into, given = _data(context, builder, signature, values, 0, 3)
        starts, factors, extra = (cgutils.unpack_tuple(builder, values[n]) for n in (4, 5, 6))

        def sum_(k: Any, form: Any) -> None:
            def term(n: int) -> Any:
                return builder.fmul(_spread(builder, factors[n], form), _widened(builder, given, builder.add(starts[n], k), form))

            at = builder.bitcast(builder.gep(into, [builder.add(values[1], k)]), form.as_pointer())
            total = builder.select(values[2], builder.load(at, align=4), ir.Constant(form, 0.0 if form == _FLOAT else [0.0] * LANES))
            for n in range(0, len(starts), 2):
                pair = builder.fadd(term(n), term(n + 1)) if n + 1 < len(starts) else term(n)
                pair = builder.fadd(pair, _spread(builder, extra[n // 2], form))
                total = builder.fadd(total, pair)
            builder.store(total, at, align=4)

        word, lanes = values[7].type, values[7].type(LANES)
        whole = builder.udiv(values[7], lanes)
        if isinstance(source.dtype, types.Integer):  # one block more where what lies behind may be read: any number will do
            length = builder.extract_value(context.make_array(source)(context, builder, values[3]).shape, 0)
            furthest = starts[0]
            for begin in starts[1:]:
                furthest = builder.select(builder.icmp_unsigned(">", begin, furthest), begin, furthest)
            some = builder.udiv(builder.add(values[7], word(LANES - 1)), lanes)
            inside = builder.icmp_unsigned("<=", builder.add(furthest, builder.mul(some, lanes)), length)
            whole = builder.select(inside, some, whole)
        with cgutils.for_range(builder, whole) as loop:
            sum_(builder.mul(loop.index, lanes), _BLOCK)
        with cgutils.for_range_slice(builder, builder.mul(whole, lanes), values[7], word(1)) as (k, _):
            sum_(k, _FLOAT)
        return context.get_dummy_value()

    return signature, generated


def _pixels_summed(typing: Any, row: Any, to: Any, line: Any, at: Any, first: Any, shares: Any, wide: Any, many: Any,
                   channels: Any) -> Any:  # fmt: skip
    """row[to + x * C ..] = sum over j < wide of shares[j * many + x] * line[at + (first[x] + j) * C ..], of so many pixels.

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
                share, to = builder.gep(factors, [pixel.index]), builder.mul(pixel.index, channels)
                with cgutils.for_range_slice(builder, channels.type(0), channels, channels.type(_FOUR)) as (c, _):
                    found = _four(builder, builder.gep(given, [builder.add(start, c)]), share, width, many, channels)
                    builder.store(found, builder.bitcast(builder.gep(into, [builder.add(to, c)]), found.type.as_pointer()), align=4)

        often(builder, wide, (3,), each)
        return context.get_dummy_value()

    return signature, generated


def _four(builder: Any, at: Any, share: Any, wide: Any, many: Any, channels: Any) -> Any:
    """Four weighted sums over so many pixels from an address on; their shares lie ``many`` numbers apart."""
    lanes = ir.VectorType(_FLOAT, _FOUR)

    def term(j: Any) -> Any:
        four = builder.load(builder.bitcast(builder.gep(at, [builder.mul(j, channels)]), lanes.as_pointer()), align=4)
        return builder.fmul(four, everywhere(builder, builder.load(builder.gep(share, [builder.mul(j, many)])), lanes))

    return summed(builder, constant(0.0, lanes), wide, term, "fadd")


def _blocks_stored(typing: Any, out: Any, to: Any, line: Any, at: Any, begins: Any, places: Any, factors: Any, wide: Any, near: Any,
                   blocks: Any, channels: Any) -> Any:  # fmt: skip
    """Sixteen values at a time to out[to ..] what ``pixels_summed`` and ``stored`` make of a line.

    For each block: begins, where in the line that lies which goes into it; places (16,), for each value where from there that of the first
    pixel of its box lies, less than WINDOW: of the next pixels it lies a pixel further each; factors (wide, 16), their shares. ``near``:
    boxes touch three pixels, and all of a block lie among WINDOW values, which are loaded but once. With AVX-512 alone.
    """
    integer = types.intp
    signature = types.void(out, integer, line, integer, begins, places, factors, integer, types.boolean, integer, integer)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        into, given, begin, order, shares = _data(context, builder, signature, values, 0, 2, 4, 5, 6)
        into, given = builder.gep(into, [values[1]]), builder.gep(given, [values[3]])
        if not WIDE:
            return context.get_dummy_value()
        wide, near, blocks, channels = values[7:11]
        lanes, kind = wide.type(LANES), ir.VectorType(_NUMBER, LANES)
        chosen = instruction(builder, "vpermi2var.ps.512", _BLOCK, _BLOCK, kind, _BLOCK)

        def block(array: Any, place: Any, form: Any) -> Any:
            return builder.load(builder.bitcast(builder.gep(array, [place]), form.as_pointer()), align=4)

        def each(width: Any, once: bool = False) -> None:
            step = everywhere(builder, builder.trunc(channels, _NUMBER), kind)
            with cgutils.for_range(builder, blocks) as loop:
                start = builder.gep(given, [builder.load(builder.gep(begin, [loop.index]))])
                where, first = block(order, builder.mul(loop.index, lanes), kind), builder.mul(loop.index, width)
                window = [block(start, wide.type(half), _BLOCK) for half in (0, LANES)] if once else []

                def term(j: Any) -> Any:
                    place = builder.mul(j, channels)
                    one, other = window or [block(start, builder.add(place, wide.type(half)), _BLOCK) for half in (0, LANES)]
                    there = builder.add(where, builder.mul(step, everywhere(builder, builder.trunc(j, _NUMBER), kind))) if once else where
                    some = builder.call(chosen, [one, there, other])
                    return builder.fmul(some, block(shares, builder.mul(builder.add(first, j), lanes), _BLOCK))

                made = _whole(builder, summed(builder, constant(0.0, _BLOCK), width, term, "fadd"), into.type.pointee)
                at = builder.bitcast(builder.gep(into, [builder.mul(loop.index, lanes)]), made.type.as_pointer())
                builder.store(made, at, align=1)

        with builder.if_else(near) as (among, apart):
            with among:
                each(wide.type(3), True)
            with apart:
                often(builder, wide, (3,), each)
        return context.get_dummy_value()

    return signature, generated


def _whole(builder: Any, value: Any, item: Any) -> Any:
    """Numbers as an item of a result stores them: whole ones rounded, ties to even ones."""
    if not isinstance(item, ir.IntType):
        return value
    many = getattr(value.type, "count", None)
    magic = ir.Constant(value.type, [float(MAGIC)] * many if many else float(MAGIC))
    whole = builder.fsub(builder.fadd(value, magic), magic)
    number, item = (ir.VectorType(form, many) if many else form for form in (_NUMBER, item))
    return builder.trunc(builder.fptosi(whole, number), item)


def _stored(typing: Any, out: Any, to: Any, row: Any, at: Any, many: Any) -> Any:
    """out[to + k] = row[at + k], rounded to whole numbers, ties to even ones, where ``out`` holds such."""
    signature = types.void(out, types.intp, row, types.intp, types.intp)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        into, given = _data(context, builder, signature, values, 0, 2)
        with cgutils.for_range(builder, values[4]) as loop:
            value = builder.load(builder.gep(given, [builder.add(values[3], loop.index)]))
            made = _whole(builder, value, into.type.pointee)
            builder.store(made, builder.gep(into, [builder.add(values[1], loop.index)]))
        return context.get_dummy_value()

    return signature, generated


rows_summed: Any = intrinsic(_rows_summed)
pixels_summed: Any = intrinsic(_pixels_summed)
blocks_stored: Any = intrinsic(_blocks_stored)
stored: Any = intrinsic(_stored)
