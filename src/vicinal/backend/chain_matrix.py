"""One matrix on 8-bit images of three channels: 16 pixels at a time where the processor has the instructions (AVX-512 VBMI), a block of
them elsewhere. Both do the same float32 operations in the same order, so a pixel's bits depend neither on its place nor on the processor.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from vicinal.backend.chain_lookup import one_for_three, put_together, reorder, take_apart
from vicinal.backend.chain_steps import MAGIC, bits_of, clipped, fused
from vicinal.backend.vectors import WIDE, instruction

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_inlined = njit(nogil=True, cache=True, error_model="numpy", inline="always")

_ZERO, _ONE, _SCALE = (np.float32(number) for number in (0, 1, 255))
_PIXELS = 16  # to a register of float32
_BYTES, _HALVES = ir.VectorType(ir.IntType(8), 64), ir.VectorType(ir.IntType(16), 32)
_WORDS, _FLOATS = ir.VectorType(ir.IntType(32), 16), ir.VectorType(ir.FloatType(), 16)
_SIZE = ir.IntType(64)
_HERE = 15  # float32 in front of the places
NUMBERS = _HERE + 16
ORDER, GREY, ANY = range(3)


def _matrix(context: Any, source: Any, into: Any, numbers: Any, rows: Any, blocks: Any) -> Any:
    """``blocks`` times 16 pixels of three bytes through one or three ``rows`` of a matrix; 16 bytes behind them are read and written too.

    numbers: the address of what ``prepared`` makes.
    """
    if not isinstance(rows, types.IntegerLiteral):
        return None
    many = rows.literal_value

    def generated(ctx: Any, builder: Any, signature: Any, args: Any) -> Any:
        source, into, numbers, _, blocks = args
        given = [_everywhere(builder, numbers, place) for place in range(_HERE)]
        places = builder.load(_at(builder, numbers, _SIZE(4 * _HERE), _BYTES), align=1)
        with cgutils.for_range(builder, blocks) as loop:
            offset = builder.mul(loop.index, _SIZE(3 * _PIXELS))
            pixels = builder.load(_at(builder, source, offset, _BYTES), align=1)
            channels = [_widened(builder, pixels, places, c, *given[12:14]) for c in range(3)]
            made = [_row(builder, channels, given[4 * row : 4 * row + 4], given[14]) for row in range(many)]
            builder.store(_woven(builder, made), _at(builder, into, offset, _BYTES), align=1)
        return ctx.get_dummy_value()

    return types.void(types.intp, types.intp, types.intp, rows, types.intp), generated


def _at(builder: Any, address: Any, offset: Any, kind: Any) -> Any:
    return builder.inttoptr(builder.add(address, offset), kind.as_pointer())


def _everywhere(builder: Any, numbers: Any, place: int) -> Any:
    """One float32 in all lanes."""
    value = builder.load(_at(builder, numbers, _SIZE(4 * place), ir.FloatType()))
    one = builder.insert_element(ir.Constant(_FLOATS, ir.Undefined), value, ir.IntType(32)(0))
    return builder.shuffle_vector(one, ir.Constant(_FLOATS, ir.Undefined), ir.Constant(_WORDS, [0] * 16))


def _widened(builder: Any, pixels: Any, places: Any, channel: int, first: Any, second: Any) -> Any:
    """A channel of 16 pixels whose red bytes have these places, in units of 255: the two products sum to the rounded quotient."""
    order = builder.add(places, ir.Constant(_BYTES, [channel] * 64))
    there = ir.Constant(ir.VectorType(ir.IntType(1), 64), [lane % 4 == 0 for lane in range(64)])
    found = builder.call(instruction(builder, "permvar.qi.512", _BYTES, _BYTES, _BYTES), [pixels, order])
    whole = builder.bitcast(builder.select(there, found, ir.Constant(_BYTES, [0] * 64)), _WORDS)
    number = builder.sitofp(whole, _FLOATS)
    return _fused(builder, number, first, builder.fmul(number, second))


def _fused(builder: Any, x: Any, y: Any, z: Any) -> Any:
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_FLOATS, [_FLOATS] * 3), "llvm.fma.v16f32")
    return builder.call(function, [x, y, z])


def _row(builder: Any, channels: list[Any], weights: list[Any], scale: Any) -> Any:
    """What a row of the matrix makes of 16 pixels, in whole numbers of 1 / 255; those below 0 are cut off when they are packed."""
    total = weights[3]
    for channel, weight in zip(channels[::-1], weights[2::-1], strict=True):
        total = _fused(builder, weight, channel, total)
    one = ir.Constant(_FLOATS, [1.0] * 16)
    total = builder.select(builder.fcmp_ordered("<", total, one), total, one)
    function = instruction(builder, "mask.cvtps2dq.512", _WORDS, _FLOATS, _WORDS, ir.IntType(16), ir.IntType(32))
    rounding = ir.Constant(_WORDS, [0] * 16), ir.IntType(16)(-1), ir.IntType(32)(4)
    return builder.call(function, [builder.fmul(total, scale), *rounding])


def _woven(builder: Any, made: list[Any]) -> Any:
    """16 pixels of three bytes from three channels, or three times one; they go to a quarter of each 128 bits first."""
    red, green, blue = made if len(made) == 3 else made * 3
    shorten = instruction(builder, "packssdw.512", _HALVES, _WORDS, _WORDS)
    narrow = instruction(builder, "packuswb.512", _BYTES, _HALVES, _HALVES)
    two, last = builder.call(shorten, [red, green]), builder.call(shorten, [blue, blue])
    quarters = builder.call(narrow, [two, last])
    places = [16 * (at // 3 // 4) + 4 * (at % 3) + at // 3 % 4 if at < 3 * _PIXELS else at for at in range(64)]
    return builder.shuffle_vector(quarters, quarters, ir.Constant(ir.VectorType(ir.IntType(32), 64), places))


_wide: Any = intrinsic(_matrix)


@_compiled
def prepared(p, at, first, second, numbers):
    """Which of the three kinds the matrix p[at : at + 12] is, and in ``numbers`` (NUMBERS,) what ``one_matrix`` is told of it.

    The matrix row by row, the two parts of 1 / 255, 255, and in 64 bytes the places of 16 reds; of a new order the places of 21 pixels.
    """
    places = numbers[_HERE:].view(np.uint8)
    red, green, blue = _source_of(p, at), _source_of(p, at + 4), _source_of(p, at + 8)
    if min(red, green, blue) >= 0:
        for x in range(0, 63, 3):
            places[x], places[x + 1], places[x + 2] = x + red, x + green, x + blue
        places[63] = 63
        return ORDER
    for k in range(12):
        numbers[k] = p[at + k]
    numbers[12], numbers[13], numbers[14] = first, second, _SCALE
    for lane in range(64):
        places[lane] = 3 * (lane // 4)
    return GREY if _is_grey(p, at) else ANY


@_compiled
def one_matrix(flat, into, kind, numbers, raw):
    """An 8-bit image (n 3,) through one matrix that is ``prepared``; raw: (3, m) uint8, room for a block of pixels."""
    if kind == ORDER:
        reorder(numbers[_HERE:].view(np.uint8), flat, into)
    elif WIDE:
        _by_sixteen(flat, into, numbers, kind == GREY, raw.reshape(-1))
    else:
        _by_blocks(flat, into, numbers, kind == GREY, raw)


@_compiled
def _by_sixteen(flat, into, numbers, grey, spare):
    """The last pixels in ``spare``, where there is room behind them."""
    blocks = max(flat.shape[0] - 16, 0) // 48
    _blocks(flat, into, numbers, grey, blocks)
    given, made, start = spare[:128], spare[128:256], 48 * blocks
    rest = flat.shape[0] - start
    for i in range(rest):
        given[i] = flat[start + i]
    _blocks(given, made, numbers, grey, (rest + 47) // 48)
    for i in range(rest):
        into[start + i] = made[i]


@_compiled
def _blocks(source, into, numbers, grey, blocks):
    if grey:
        _wide(source.ctypes.data, into.ctypes.data, numbers.ctypes.data, 1, blocks)
    else:
        _wide(source.ctypes.data, into.ctypes.data, numbers.ctypes.data, 3, blocks)


@_compiled
def _by_blocks(flat, into, numbers, grey, raw):
    pixels = flat.shape[0] // 3
    for start in range(0, pixels, raw.shape[1]):
        n = min(raw.shape[1], pixels - start)
        take_apart(flat[3 * start : 3 * (start + n)], n, raw)
        if grey:
            _grey_of_bytes(raw, n, numbers)
            one_for_three(raw[0], n, into[3 * start : 3 * (start + n)])
        else:
            _matrix_of_bytes(raw, n, numbers)
            put_together(raw, n, into[3 * start : 3 * (start + n)])


@_inlined
def _byte(x):
    return bits_of(clipped(x) * _SCALE + MAGIC)


@_compiled
def _matrix_of_bytes(raw, n, p):
    """Three channels of bytes (3, n), in place."""
    red, green, blue = raw[0], raw[1], raw[2]
    a, b, c, d, e, f, g, h, i, j, k, m = p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11]
    first, second = p[12], p[13]
    for x in range(n):
        u, v, w = np.float32(red[x]), np.float32(green[x]), np.float32(blue[x])
        u, v, w = fused(u, first, u * second), fused(v, first, v * second), fused(w, first, w * second)
        red[x] = _byte(fused(a, u, fused(b, v, fused(c, w, d))))
        green[x] = _byte(fused(e, u, fused(f, v, fused(g, w, h))))
        blue[x] = _byte(fused(i, u, fused(j, v, fused(k, w, m))))


@_compiled
def _grey_of_bytes(raw, n, p):
    """The same where all rows of the matrix are alike, into the first channel alone."""
    red, green, blue = raw[0], raw[1], raw[2]
    a, b, c, d, first, second = p[0], p[1], p[2], p[3], p[12], p[13]
    for x in range(n):
        u, v, w = np.float32(red[x]), np.float32(green[x]), np.float32(blue[x])
        u, v, w = fused(u, first, u * second), fused(v, first, v * second), fused(w, first, w * second)
        red[x] = _byte(fused(a, u, fused(b, v, fused(c, w, d))))


@_compiled
def _is_grey(p, at):
    """True where the three rows of a matrix are alike."""
    other = 0
    for k in range(at, at + 8):
        other += p[k] != p[k + 4]
    return other == 0


@_compiled
def _source_of(p, row):
    """The channel that a row of a matrix takes as it is, -1 where it does anything else."""
    found, other = -1, p[row + 3] != _ZERO
    for k in range(3):
        value = p[row + k]
        other |= value != _ZERO and (value != _ONE or found >= 0)
        if value == _ONE:
            found = k
    return -1 if other else found
