"""Blocks of 8 x 8 pixels to cosines, through a table of divisors, and back, as baseline JPEG does it (ITU-T T.81, 1992).

Numbers are whole, and rounded where the "islow" way of libjpeg does, which Pillow and OpenCV use: the constants of the cosines have 13
bits after the point, what lies between rows and columns has 2. So the bytes are those of the libraries, on every machine. The cosines are
taken by the scheme of Loeffler, Ligtenberg and Moschytz (Practical fast 1-D DCT algorithms with 11 multiplications, 1989).

Blocks lie side by side, eight pixels of a row in one 64-bit word: ``words`` (8, n) are n blocks, wherever in the picture they are. So one
instruction does the same to as many blocks as it holds numbers, and no block is ever transposed. The formulas are written once, over
whatever can be added and multiplied; they are handed vectors of LLVM.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from vicinal.backend.lanes import LANES, NUMBERS, Lanes, everywhere, loaded, stored

COSINE, BETWEEN = 13, 2  # bits after the point

_INT, _WORD = ir.IntType(32), ir.IntType(64)
_WORDS = ir.VectorType(_WORD, LANES)


def _down(value: Any, bits: int) -> Any:
    """Without the last bits, rounded."""
    return (value + (1 << (bits - 1))) >> bits


def _odd(a: Any, b: Any, c: Any, d: Any) -> tuple[Any, ...]:
    """The half of the transform that is its own inverse: of the differences of opposite pixels, or of the odd cosines."""
    z1, z2, z3, z4 = (a + d) * -7373, (b + c) * -20995, a + c, b + d
    z5 = (z3 + z4) * 9633
    z3, z4 = z3 * -16069 + z5, z4 * -3196 + z5
    return a * 2446 + z1 + z3, b * 16819 + z2 + z4, c * 25172 + z2 + z3, d * 12299 + z1 + z4


def forward(pixels: Sequence[Any], bits: int, level: int = 0) -> list[Any]:
    """Eight pixels, less a level, to eight cosines, of which ``bits`` go of 13 after the point."""
    (s0, s1, s2, s3), (d0, d1, d2, d3) = _butterflies(pixels[:4], pixels[:3:-1])
    (t0, t1), (t3, t2) = _butterflies((s0, s1), (s3, s2))
    y7, y5, y3, y1 = _odd(d3, d2, d1, d0)
    z = (t2 + t3) * 4433
    y0, y4 = (t0 + t1 - 8 * level) << COSINE, (t0 - t1) << COSINE
    return [_down(y, bits) for y in (y0, y1, z + t3 * 6270, y3, y4, y5, z - t2 * 15137, y7)]


def backward(cosines: Sequence[Any], bits: int, level: int = 0) -> list[Any]:
    """Eight cosines to eight pixels, and a level; what rounds is in the first of them, and so in every pixel."""
    y0, y1, y2, y3, y4, y5, y6, y7 = cosines
    z, mean = (y2 + y6) * 4433, (y0 << COSINE) + ((level << bits) + (1 << (bits - 1)))
    (t0,), (t1,) = _butterflies((mean,), (y4 << COSINE,))
    (s0, s1), (s3, s2) = _butterflies((t0, t1), (z + y2 * 6270, z - y6 * 15137))
    sums, differences = _butterflies((s0, s1, s2, s3), _odd(y7, y5, y3, y1)[::-1])
    return [x >> bits for x in (*sums, *reversed(differences))]


def _butterflies(ones: Sequence[Any], others: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Sums and differences."""
    pairs = list(zip(ones, others, strict=True))
    return [one + other for one, other in pairs], [one - other for one, other in pairs]


def _stepped(value: Lanes, step: Lanes, half: Lanes, by: Lanes, shift: Lanes) -> Lanes:
    """A cosine as it comes back from the table: the nearest multiple of a step, halves away from zero."""
    negative = value * -1
    made = ((value.where_below(0, negative, value) + half) * by >> shift) * step
    return value.where_below(0, made * -1, made)


def _pixels(builder: Any, words: Any) -> list[Lanes]:
    """The eight pixels of a row."""
    low, high = (builder.trunc(part, NUMBERS) for part in (words, builder.lshr(words, ir.Constant(_WORDS, [32] * LANES))))
    return [(Lanes(builder, part) >> bits) & 255 for part in (low, high) for bits in (0, 8, 16, 24)]


def _word(builder: Any, pixels: Sequence[Lanes]) -> Any:
    """The way back, within 0 and 255."""
    bytes_ = [pixel.where_below(0, 0, pixel.where_below(255, pixel, 255)) for pixel in pixels]
    low, high = (
        builder.zext((part[0] | (part[1] << 8) | (part[2] << 16) | (part[3] << 24)).value, _WORDS) for part in (bytes_[:4], bytes_[4:])
    )
    return builder.or_(low, builder.shl(high, ir.Constant(_WORDS, [32] * LANES)))


def _address(builder: Any, start: Any, number: Any, stride: int, kind: Any) -> Any:
    """A pointer to what lies ``number`` strides of bytes behind a start."""
    return builder.inttoptr(builder.add(start, builder.mul(number, _WORD(stride))), kind.as_pointer())


def _generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    words, stride, table, work = args

    def numbers(place: Any) -> Any:
        return _address(builder, work, place, 4 * LANES, NUMBERS)

    def constants(place: Any) -> list[Lanes]:
        parts = [builder.load(_address(builder, table, builder.add(place, _WORD(64 * part)), 4, _INT), align=4) for part in range(4)]
        return [Lanes(builder, everywhere(builder, part, NUMBERS)) for part in parts]

    def row_of(y: Any) -> Any:
        return builder.inttoptr(builder.add(words, builder.mul(y, stride)), _WORDS.as_pointer())

    with cgutils.for_range(builder, _WORD(8)) as loop:
        made = forward(_pixels(builder, builder.load(row_of(loop.index), align=1)), COSINE - BETWEEN, 128)
        for k in range(8):
            builder.store(made[k].value, numbers(builder.add(builder.mul(loop.index, _WORD(8)), _WORD(k))), align=4)
    with cgutils.for_range(builder, _WORD(8)) as loop:
        places = [builder.add(loop.index, _WORD(8 * k)) for k in range(8)]
        made = forward([Lanes(builder, builder.load(numbers(place), align=4)) for place in places], COSINE + BETWEEN)
        made = backward([_stepped(value, *constants(place)) for value, place in zip(made, places, strict=True)], COSINE - BETWEEN)
        for k in range(8):
            builder.store(made[k].value, numbers(places[k]), align=4)
    with cgutils.for_range(builder, _WORD(8)) as loop:
        places = [builder.add(builder.mul(loop.index, _WORD(8)), _WORD(k)) for k in range(8)]
        made = backward([Lanes(builder, builder.load(numbers(place), align=4)) for place in places], COSINE + BETWEEN + 3, 128)
        builder.store(_word(builder, made), row_of(loop.index), align=1)
    return context.get_dummy_value()


def _blocks(context: Any, words: Any, stride: Any, table: Any, work: Any) -> Any:
    """Of addresses: words, with ``stride`` bytes from one row of pixels to the next; a table (4, 64) of int32; room for (64, LANES)."""
    return types.void(types.intp, types.intp, types.intp, types.intp), _generated


def _moving(back: bool) -> Any:
    """Words of eight pixels of a plane to their blocks, or back."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        plane, step, last, rows, count, blocks, stride, wide = args
        with cgutils.for_range(builder, rows) as loop:
            row = builder.select(builder.icmp_signed("<", loop.index, last), loop.index, last)
            within, high = builder.and_(loop.index, _WORD(7)), builder.lshr(loop.index, _WORD(3))
            there = builder.add(builder.add(blocks, builder.mul(within, stride)), builder.mul(high, wide))
            places = builder.add(plane, builder.mul(row, step)), there
            with cgutils.for_range(builder, count) as word:
                given, into = (builder.add(place, builder.mul(word.index, _WORD(8))) for place in (places[::-1] if back else places))
                stored(builder, loaded(builder, given, _WORD), into)
        return context.get_dummy_value()

    return generated


def _cut(context: Any, plane: Any, step: Any, last: Any, rows: Any, count: Any, blocks: Any, stride: Any, wide: Any) -> Any:
    """``rows`` times ``count`` words: of a plane, at an address, with ``step`` bytes from row to row, of which the last one is repeated; to
    blocks, with ``stride`` bytes from one row of pixels to the next and ``wide`` bytes of each to a row of blocks."""
    return types.void(*[types.intp] * 8), _moving(False)


def _paste(context: Any, plane: Any, step: Any, last: Any, rows: Any, count: Any, blocks: Any, stride: Any, wide: Any) -> Any:
    """The way back."""
    return types.void(*[types.intp] * 8), _moving(True)


cut_words: Any = intrinsic(_cut)
paste_words: Any = intrinsic(_paste)
_through: Any = intrinsic(_blocks)


@njit(nogil=True, cache=True, error_model="numpy")
def through(blocks, first, last, table, work):
    """Blocks from first to last, whole LANES, of bytes (8, 8 n), by a table (4, 64)."""
    for start in range(first, last, LANES):
        _through(blocks.ctypes.data + 8 * start, blocks.shape[1], table.ctypes.data, work.ctypes.data)
