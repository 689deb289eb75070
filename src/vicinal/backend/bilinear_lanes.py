"""Bilinear interpolation of sixteen 8-bit pixels at a time, in whole numbers: where they lie, what they are, and a table's word on that.

A compiler that is given three channels works them out one by one, so what goes into the registers is said here. It is said without naming
a processor: where registers are narrower, two of them do the work of one, and where nothing gathers, values are loaded one by one.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from llvmlite.binding import llvm_version_info
from numba.core import cgutils, types
from numba.extending import intrinsic

from vicinal.backend.lanes import constant, everywhere
from vicinal.backend.vectors import WIDE, instruction

BITS = 11  # of a pixel, for the weights: two of them and a value fit 30 bits
ONE = 1 << BITS
PIXELS = 16
_HALF = PIXELS // 2  # so many words of 64 bits fill a register; each holds up to four channels of a pixel and of the one on its right
_FOUR = 4
_EVEN, _ODD = [k // 2 * 2 for k in range(PIXELS)], [k // 2 * 2 + 1 for k in range(PIXELS)]


def _sixteen_mixed(typing: Any, line: Any, to: Any, flat: Any, stride: Any, marks: Any, x: Any, channels: Any) -> Any:
    """Sixteen pixels of a line of bytes, from ``to`` on, of an image ``flat`` whose rows lie ``stride`` apart.

    marks: (4, n) int32, from ``x`` on used: column and row of the upper left neighbours, and weights of those on the right and below, of
    which ``ONE`` is the whole. Rounded once; exact where weights are 0 or ``ONE``. Up to seven bytes behind the last neighbour are read;
    up to 64 bytes are written, of which those behind the pixels belong to what comes later.
    """
    signature, count = types.void(line, types.intp, flat, types.intp, marks, types.intp, channels), channels.count

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        into = context.make_array(line)(context, builder, values[0])
        upper, lower, pairs, down = _around(context, builder, signature.args[2:6], values[2:6], count)
        for c in range((count - 1) // _FOUR * _FOUR, -1, -_FOUR):  # the first ones last: they mend what the others spill over
            many = min(_FOUR, count - c)
            above, below = ([_pixels(builder, half, c, count) for half in halves] for halves in (upper, lower))
            made = _packed(builder, _mixtures(builder, above, below, pairs, down, min(count, _FOUR), many), many)
            _store(builder, made, into.data, values[1], c, count)
        return context.get_dummy_value()

    return signature, generated


def _sixteen_told(typing: Any, out: Any, to: Any, area: Any, past: Any, table: Any, flat: Any, stride: Any, marks: Any, x: Any,
                  channels: Any) -> Any:  # fmt: skip
    """What a float32 table (K * 256,) makes of sixteen such pixels, K = 1 or C, to planes of ``out`` that lie ``area`` apart.

    Nothing for others, and for more than four channels. Past the caches where ``past`` says so and the place is a multiple of 64 bytes.
    """
    integer, count = types.intp, channels.count
    signature = types.void(out, integer, integer, types.boolean, table, flat, integer, marks, integer, channels)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if out.dtype != types.float32 or count > _FOUR:
            return context.get_dummy_value()
        into, entries = (context.make_array(signature.args[n])(context, builder, values[n]) for n in (0, 4))
        place, area = values[1:3]
        upper, lower, pairs, down = _around(context, builder, signature.args[5:9], values[5:9], count)
        above, below = ([_pixels(builder, half, 0, count) for half in halves] for halves in (upper, lower))
        several = builder.icmp_signed(">", builder.sdiv(cgutils.unpack_tuple(builder, entries.shape)[0], place.type(256)), place.type(1))
        for c, found in enumerate(_by_channel(builder, _mixtures(builder, above, below, pairs, down, count, count), count)):
            start = builder.select(several, place.type(256 * c), place.type(0))
            told = _entries(builder, builder.gep(entries.data, [start]), found)
            at = _at(builder, into.data, builder.add(place, builder.mul(area, place.type(c))), told.type)
            _stored(builder, told, at, values[3])
        return context.get_dummy_value()

    return signature, generated


def _sixteen_marked(typing: Any, step: Any, start: Any, x: Any, least: Any, most: Any, pixels: Any, weights: Any, to: Any) -> Any:
    """Marks along an axis, from ``to`` on, of the pixels x, x + 1 .. whose places are start + step * x.

    Counted from the pixel ``least``; what lies before it or beyond ``most`` is brought there, so no number leads out.
    """
    double, whole = types.float64, types.int64
    signature = types.void(double, double, whole, whole, whole, pixels, weights, types.intp)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        numbers, doubles = _lanes(32, PIXELS), ir.VectorType(ir.DoubleType(), PIXELS)
        step, start, x, least, most = (_spread(builder, value, PIXELS) for value in values[:5])
        many, half = (ir.Constant(doubles, [number] * PIXELS) for number in (float(ONE), 0.5))
        ends = [builder.fmul(builder.sitofp(end, doubles), many) for end in (least, most)]
        along = builder.fadd(builder.sitofp(x, doubles), ir.Constant(doubles, list(map(float, range(PIXELS)))))
        # Scaled by a power of two, which changes no rounding: what a weight is stays the same to the last bit.
        place = builder.fadd(builder.fadd(builder.fmul(builder.fmul(step, many), along), builder.fmul(start, many)), half)
        place = builder.select(builder.fcmp_ordered(">", place, ends[0]), place, ends[0])
        place = builder.select(builder.fcmp_ordered("<", place, ends[1]), place, ends[1])
        floor = cgutils.get_or_insert_function(builder.module, ir.FunctionType(doubles, [doubles]), f"llvm.floor.v{PIXELS}f64")
        number = builder.fptosi(builder.call(floor, [place]), numbers)
        found = builder.sub(builder.ashr(number, _same(BITS)), builder.trunc(least, numbers)), builder.and_(number, _same(ONE - 1))
        for n, marks in zip((5, 6), found, strict=True):
            array = context.make_array(signature.args[n])(context, builder, values[n])
            builder.store(marks, _at(builder, array.data, values[7], numbers), align=4)
        return context.get_dummy_value()

    return signature, generated


def _row_across(typing: Any, sums: Any, to: Any, line: Any, starts: Any, pairs: Any, many: Any, channels: Any) -> Any:
    """So many pixels between two of a row whose address is ``line``, not yet divided by ``ONE``, to int32 ``sums`` from ``to`` on.

    starts, pairs: (n,) int32, where in the row the left one begins, and the weights of both, 16 bits each. Up to eight bytes behind the
    last pixel are read, and up to three numbers are written behind the last.
    """
    integer, count = types.intp, channels.count
    signature = types.void(sums, integer, integer, starts, pairs, integer, channels)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        into, starts, pairs = (context.make_array(signature.args[n])(context, builder, values[n]).data for n in (0, 3, 4))
        given = builder.inttoptr(values[2], ir.IntType(8).as_pointer())
        with cgutils.for_range(builder, values[5]) as loop:
            start = builder.sext(builder.load(builder.gep(starts, [loop.index])), values[2].type)
            place = builder.add(values[1], builder.mul(loop.index, loop.index.type(count)))
            pair = builder.load(builder.gep(pairs, [loop.index]))
            for c in range(0, count, _FOUR):
                found = _between_two(builder, given, builder.add(start, start.type(c)), pair, count)
                builder.store(found, _at(builder, into, builder.add(place, place.type(c)), found.type), align=4)
        return context.get_dummy_value()

    return signature, generated


def _blocks_across(typing: Any, sums: Any, to: Any, line: Any, begins: Any, orders: Any, pairs: Any, blocks: Any) -> Any:
    """The same, block by block, of sixteen values whose neighbours lie among 64 bytes. With AVX-512 alone.

    For each block: begins, where in the row the 64 bytes begin; orders and pairs (16,) int32, for each value where among them the left
    neighbour lies and where the right one, and the weights of both, 16 bits each.
    """
    integer = types.intp
    signature = types.void(sums, integer, integer, begins, orders, pairs, integer)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        arrays = (context.make_array(signature.args[n])(context, builder, values[n]).data for n in (0, 3, 4, 5))
        into, begins, orders, pairs = arrays
        if not WIDE:
            return context.get_dummy_value()
        octets, words, numbers = (_lanes(bits, 512 // bits) for bits in (8, 16, 32))
        chosen = instruction(builder, "permvar.qi.512", octets, octets, octets)
        even, zeros = ir.Constant(_lanes(1, 64), [1, 0] * 32), ir.Constant(octets, [0] * 64)
        with cgutils.for_range(builder, values[6]) as loop:
            place = builder.mul(loop.index, loop.index.type(PIXELS))
            begin = builder.add(values[2], builder.load(builder.gep(begins, [loop.index])))
            near = builder.load(builder.inttoptr(begin, octets.as_pointer()), align=1)
            order, weights = (builder.load(_at(builder, array, place, form), align=4) for array, form in ((orders, octets), (pairs, words)))
            both = builder.select(even, builder.call(chosen, [near, order]), zeros)
            found = _summed(builder, builder.bitcast(both, words), weights)
            builder.store(found, _at(builder, into, builder.add(values[1], place), numbers), align=4)
        return context.get_dummy_value()

    return signature, generated


def _row_between(typing: Any, line: Any, to: Any, sums: Any, upper: Any, lower: Any, weight: Any, many: Any) -> Any:
    """So many bytes, ``line`` from ``to`` on, between what ``row_across`` made of two rows, from ``upper`` and from ``lower`` on, by the
    weight of the second. Sixteen at a time, so that some more are read and written."""
    integer = types.intp
    signature = types.void(line, integer, sums, integer, integer, types.int32, integer)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        into, given = (context.make_array(signature.args[n])(context, builder, values[n]).data for n in (0, 2))
        share, word = _spread(builder, values[5], PIXELS), values[6].type
        times = builder.sdiv(builder.add(values[6], word(PIXELS - 1)), word(PIXELS))
        with cgutils.for_range(builder, times) as loop:
            done = builder.mul(loop.index, word(PIXELS))
            one, other = (builder.load(_at(builder, given, builder.add(start, done), share.type), align=4) for start in values[3:5])
            made = _rounded(builder, one, builder.mul(builder.sub(other, one), share))
            made = builder.trunc(made, _lanes(8, PIXELS))
            builder.store(made, _at(builder, into, builder.add(values[1], done), made.type), align=1)
        return context.get_dummy_value()

    return signature, generated


sixteen: Any = intrinsic(_sixteen_mixed)
row_across: Any = intrinsic(_row_across)
blocks_across: Any = intrinsic(_blocks_across)
row_between: Any = intrinsic(_row_between)
sixteen_told: Any = intrinsic(_sixteen_told)
sixteen_marked: Any = intrinsic(_sixteen_marked)


def _lanes(bits: int, many: int) -> Any:
    return ir.VectorType(ir.IntType(bits), many)


def _same(number: int, bits: int = 32, many: int = PIXELS) -> Any:
    return constant(number, _lanes(bits, many))


def _at(builder: Any, array: Any, place: Any, form: Any) -> Any:
    return builder.bitcast(builder.gep(array, [place]), form.as_pointer())


def _picked(builder: Any, one: Any, other: Any, order: list[int]) -> Any:
    return builder.shuffle_vector(one, other, ir.Constant(_lanes(32, len(order)), order))


def _some(builder: Any, vector: Any, order: list[int]) -> Any:
    return _picked(builder, vector, ir.Constant(vector.type, ir.Undefined), order)


def _spread(builder: Any, value: Any, many: int = _HALF) -> Any:
    """One number in all lanes."""
    return everywhere(builder, value, ir.VectorType(value.type, many))


def _around(context: Any, builder: Any, kinds: Any, values: Any, count: int) -> tuple[list[Any], list[Any], Any, Any]:
    """Addresses of the upper left and of the lower left neighbours, even and odd ones, and the weights across and down.

    values: flat, stride, marks and x of the kinds that are said.
    """
    flat, noted = (context.make_array(kinds[n])(context, builder, values[n]) for n in (0, 2))
    stride, x = values[1], values[3]
    each = cgutils.unpack_tuple(builder, noted.shape)[1]
    starts = [builder.add(builder.mul(each, each.type(k)), x) for k in range(4)]
    columns, rows, across, down = (builder.load(_at(builder, noted.data, start, _lanes(32, PIXELS)), align=4) for start in starts)
    address = _spread(builder, builder.ptrtoint(flat.data, ir.IntType(64)))
    upper = [builder.add(place, address) for place in _places(builder, columns, rows, stride, count)]
    lower = [builder.add(place, _spread(builder, stride)) for place in upper]
    # ONE - across in the lower half of a word, across in the upper one.
    pairs = builder.sub(builder.add(builder.shl(across, _same(16)), _same(ONE)), across)
    return upper, lower, pairs, down


def _places(builder: Any, columns: Any, rows: Any, stride: Any, count: int) -> list[Any]:
    """Where pixels begin, counted in bytes: the even ones of sixteen, and the odd ones."""

    def halves(numbers: Any) -> list[Any]:
        both = builder.bitcast(numbers, _lanes(64, _HALF))
        return [builder.and_(both, low), builder.lshr(both, _same(32, 64, _HALF))]

    low = _same((1 << 32) - 1, 64, _HALF)
    step, size = builder.and_(_spread(builder, stride), low), _same(count, 64, _HALF)  # 32 bits of each: multiplied at once
    pairs = zip(halves(rows), halves(columns), strict=True)
    return [builder.add(builder.mul(row, step), builder.mul(column, size)) for row, column in pairs]


def _gathered(builder: Any, addresses: Any, item: Any) -> Any:
    """A number of this type from each address."""
    many, short = addresses.type.count, "f32" if item == ir.FloatType() else f"i{item.width}"
    form, mask = ir.VectorType(item, many), _same(1, 1, many)
    pointers = builder.inttoptr(addresses, ir.VectorType(ir.PointerType(item), many))
    aligned = [ir.IntType(32)(1)] if llvm_version_info < (22,) else []  # 1 is what later ones take for granted
    given = [pointers, *aligned, mask, ir.Constant(form, ir.Undefined)]
    kind = ir.FunctionType(form, [value.type for value in given])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.masked.gather.v{many}{short}.v{many}p0")
    return builder.call(function, given)


def _pixels(builder: Any, addresses: Any, channel: int, count: int) -> Any:
    """Eight words of bytes: channels from this one on of a pixel, and of that on its right."""
    if count <= _FOUR:
        return builder.bitcast(_gathered(builder, addresses, ir.IntType(64)), _lanes(8, 8 * _HALF))
    four, wide = ir.IntType(32), _lanes(64, _HALF)
    offsets = (_same(channel + more, 64, _HALF) for more in (0, count))
    left, right = (builder.zext(_gathered(builder, builder.add(addresses, offset), four), wide) for offset in offsets)
    return builder.bitcast(builder.or_(left, builder.shl(right, _same(32, 64, _HALF))), _lanes(8, 8 * _HALF))


def _between_two(builder: Any, given: Any, at: Any, pair: Any, count: int) -> Any:
    """Sums of up to four channels of the pixel at a place and of the one on its right."""
    word, many = _word(builder, given, at, count), min(count, _FOUR)
    order = [byte for c in range(_FOUR) for byte in (c % many, 8, many + c % many, 8)]
    both = _picked(builder, word, ir.Constant(word.type, [0] * 8), order)
    sixteen_bits = _lanes(16, 2 * _FOUR)
    return _summed(builder, builder.bitcast(both, sixteen_bits), builder.bitcast(_spread(builder, pair, _FOUR), sixteen_bits))


def _word(builder: Any, given: Any, at: Any, count: int) -> Any:
    """Eight bytes: up to four channels of the pixel at a place, and behind them those of the one on its right."""
    if count <= _FOUR:
        return builder.load(_at(builder, given, at, _lanes(8, 8)), align=1)
    places = at, builder.add(at, at.type(count))
    left, right = (builder.load(_at(builder, given, place, _lanes(8, _FOUR)), align=1) for place in places)
    return _picked(builder, left, right, list(range(8)))


def _beside(builder: Any, pixels: Any, chosen: tuple[int | None, int | None], right: int) -> Any:
    """Of each word two channels, a value and that on its right, ``right`` bytes further on, in 16 bits each; None for zeros."""
    order, zero = [], 8 * _HALF
    for start in range(0, zero, 8):
        for c in chosen:
            order += [zero] * 4 if c is None else [start + c, zero, start + right + c, zero]
    nothing = ir.Constant(pixels.type, [0] * (8 * _HALF))
    return builder.bitcast(_picked(builder, pixels, nothing, order), _lanes(16, 2 * PIXELS))


def _summed(builder: Any, values: Any, weights: Any) -> Any:
    """Sums of products of neighbours, for which processors have an instruction."""
    many = values.type.count
    one, other = (builder.sext(some, _lanes(32, many)) for some in (values, weights))
    products = builder.mul(one, other)
    even, odd = (_some(builder, products, list(range(first, many, 2))) for first in (0, 1))
    return builder.add(even, odd)


def _mixture(builder: Any, above: Any, below: Any, pairs: Any, down: Any) -> Any:
    """Sixteen values of what ``_beside`` found of two rows. Their difference is summed, not the lower one, which saves a product."""
    weights = builder.bitcast(pairs, above.type)
    top, more = _summed(builder, above, weights), _summed(builder, builder.sub(below, above), weights)
    return _rounded(builder, top, builder.mul(more, down))


def _rounded(builder: Any, top: Any, more: Any) -> Any:
    """Values from sums across an upper row and what the lower one adds."""
    total = builder.add(builder.shl(top, _same(BITS)), more)
    return builder.lshr(builder.add(total, _same(1 << (2 * BITS - 1))), _same(2 * BITS))


def _mixtures(builder: Any, above: Any, below: Any, pairs: Any, down: Any, right: int, many: int) -> list[tuple[Any, list]]:
    """So many channels of sixteen pixels: vectors, and for each of their lanes the (pixel, channel) that lies there."""
    made = []
    for c in range(0, many - 1, 2):
        for half, order in enumerate((_EVEN, _ODD)):
            top, low = (_beside(builder, row[half], (c, c + 1), right) for row in (above, below))
            values = _mixture(builder, top, low, _some(builder, pairs, order), _some(builder, down, order))
            made.append((values, [(pixel, c + lane % 2) for lane, pixel in enumerate(order)]))
    if many % 2:
        even, odd = (many - 1, None), (None, many - 1)
        top, low = (builder.or_(_beside(builder, row[0], even, right), _beside(builder, row[1], odd, right)) for row in (above, below))
        made.append((_mixture(builder, top, low, pairs, down), [(pixel, many - 1) for pixel in range(PIXELS)]))
    return made


def _packed(builder: Any, made: list[tuple[Any, list]], many: int) -> Any:
    """64 bytes: the channels of four pixels one after the other, those of the next four 16 bytes further on."""
    packed = ir.Constant(_lanes(8, 4 * PIXELS), ir.Undefined)
    for values, lying in made:
        order = list(range(4 * PIXELS))
        for lane, (pixel, channel) in enumerate(lying):
            order[pixel // 4 * 16 + pixel % 4 * many + channel] = 4 * (PIXELS + lane)
        packed = _picked(builder, packed, builder.bitcast(values, packed.type), order)
    return packed


def _store(builder: Any, packed: Any, into: Any, to: Any, channel: int, count: int) -> None:
    """All channels at once, or four of more pixel by pixel, since others lie between them."""
    if count <= _FOUR:
        tight = [min(byte // (4 * count), 3) * 16 + byte % (4 * count) for byte in range(4 * PIXELS)]
        builder.store(_some(builder, packed, tight), _at(builder, into, to, packed.type), align=1)
        return
    many = min(_FOUR, count - channel)
    for pixel in range(PIXELS):
        values = _some(builder, packed, [pixel // 4 * 16 + pixel % 4 * many + min(c, many - 1) for c in range(_FOUR)])
        builder.store(values, _at(builder, into, builder.add(to, to.type(pixel * count + channel)), values.type), align=1)


def _by_channel(builder: Any, made: list[tuple[Any, list]], count: int) -> list[Any]:
    """Sixteen values of each channel, in the order of the pixels."""
    found = []
    for c in range(count):
        channel = ir.Constant(_lanes(32, PIXELS), ir.Undefined)
        for values, lying in made:
            order = list(range(PIXELS))
            for lane, (pixel, other) in enumerate(lying):
                if other == c:
                    order[pixel] = PIXELS + lane
            channel = _picked(builder, channel, values, order)
        found.append(channel)
    return found


def _entries(builder: Any, table: Any, places: Any) -> Any:
    """Sixteen float32 of a table."""
    offsets = builder.zext(builder.shl(places, _same(2)), _lanes(64, PIXELS))
    return _gathered(builder, builder.add(_spread(builder, builder.ptrtoint(table, ir.IntType(64)), PIXELS), offsets), ir.FloatType())


def _stored(builder: Any, values: Any, at: Any, past: Any) -> None:
    """Sixteen float32, past the caches if wanted and possible."""
    word = builder.ptrtoint(at, ir.IntType(64))
    aligned = builder.icmp_unsigned("==", builder.and_(word, word.type(63)), word.type(0))
    with builder.if_else(builder.and_(aligned, past)) as (beyond, usual):
        with beyond:
            store = builder.store(values, at, align=64)
            store.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
        with usual:
            builder.store(values, at, align=4)
