"""Pixels onto pixels: flips, quarter turns, transposes, whole shifts, crops and pads, copied in registers."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from vicinal.backend.kernels import _brought, _compiled, _inlined
from vicinal.core.backend import Dense
from vicinal.core.batch import RANGES, filled, name_of
from vicinal.core.pages import Room, room
from vicinal.core.warp import CONSTANT, Warp

_BYTE, _LANE = ir.IntType(8), ir.IntType(32)
_REGISTER = 16  # bytes
_LINE, _LONG = 32, 512  # bytes
_STRIPE = 64  # columns
_BLOCK = 8  # bytes of the largest pixels that go four by four


def _bytes(source: Any, channels: Any) -> int:
    """The size of a pixel."""
    return getattr(source.dtype, "bitwidth", 8) // 8 * channels.count


def _shuffled(builder: Any, one: Any, other: Any, order: list[int]) -> Any:
    return builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(_LANE, len(order)), order))


def _in_registers(typing: Any, target: Any, to: Any, source: Any, at: Any, pixels: Any, channels: Any) -> Any:
    """Pixels from ``source[at:]`` backwards to ``target[to:]`` forwards, as many at a time as fit a register.

    Returns how many: at least one stays behind, since a register may hold less than a pixel more; none of pixels that are larger.
    """
    signature = types.intp(target, to, source, at, pixels, channels)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        word, size, register = values[1].type, _bytes(source, channels), ir.VectorType(_BYTE, _REGISTER).as_pointer()
        held, item = _REGISTER // size, size // channels.count
        if not held:
            return word(0)
        into, given = (context.make_array(signature.args[n])(context, builder, values[n]).data for n in (0, 2))
        some = builder.icmp_signed(">", values[4], word(0))
        many = builder.select(some, builder.sdiv(builder.sub(values[4], word(1)), word(held)), word(0))
        begin = builder.sub(values[3], word((_REGISTER - size) // item))
        order = [_REGISTER - size * (1 + byte // size) + byte % size for byte in range(held * size)]
        with cgutils.for_range(builder, many) as loop:
            done = builder.mul(loop.index, word(held * channels.count))
            some = builder.load(builder.bitcast(builder.gep(given, [builder.sub(begin, done)]), register), align=1)
            turned = _shuffled(builder, some, some, order + [0] * (_REGISTER - len(order)))
            builder.store(turned, builder.bitcast(builder.gep(into, [builder.add(values[1], done)]), register), align=1)
        return builder.mul(many, word(held))

    return signature, generated


def _in_blocks(typing: Any, target: Any, to: Any, below: Any, source: Any, at: Any, beside: Any, channels: Any) -> Any:
    """Four by four small pixels, rows turned into columns: pixel j of source row i becomes pixel i of row j of the target.

    ``below`` and ``beside`` are how many values lie between rows of the target and of the source.
    """
    signature = types.void(target, to, below, source, at, beside, channels)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        size = _bytes(source, channels)
        wide = 1 << (size - 1).bit_length()  # bytes of a lane
        if size > _BLOCK:
            return context.get_dummy_value()
        into, given = (context.make_array(signature.args[n])(context, builder, values[n]).data for n in (0, 3))
        four, lanes = ir.VectorType(_BYTE, 4 * size), ir.VectorType(ir.IntType(8 * wide), 4)
        spread = [size * (byte // wide) + min(byte % wide, size - 1) for byte in range(4 * wide)]
        packed = [wide * (byte // size) + byte % size for byte in range(4 * size)]

        def place(array: Any, start: Any, step: Any, n: int) -> Any:
            return builder.bitcast(builder.gep(array, [builder.add(start, builder.mul(step, values[1].type(n)))]), four.as_pointer())

        def row(n: int) -> Any:
            pixels = builder.load(place(given, values[4], values[5], n), align=1)
            return builder.bitcast(_shuffled(builder, pixels, pixels, spread), lanes)

        a, b, c, d = (row(n) for n in range(4))
        above, under = ([_shuffled(builder, *pair, [low, low + 4, low + 1, low + 5]) for low in (0, 2)] for pair in ((a, b), (c, d)))
        for n in range(4):
            low = 2 * (n % 2)
            column = _shuffled(builder, above[n // 2], under[n // 2], [low, low + 1, low + 4, low + 5])
            column = builder.bitcast(column, ir.VectorType(_BYTE, 4 * wide))
            builder.store(_shuffled(builder, column, column, packed), place(into, values[1], values[2], n), align=1)
        return context.get_dummy_value()

    return signature, generated


def _as_it_is(typing: Any, target: Any, to: Any, source: Any, at: Any, count: Any) -> Any:
    """target[to : to + count] = source[at : at + count]: some lines of 32 bytes here, anything else by the C library."""
    signature = types.void(target, to, source, at, count)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        into, given = (context.make_array(signature.args[n])(context, builder, values[n]).data for n in (0, 2))
        size = context.get_abi_sizeof(context.get_data_type(source.dtype))
        into, given = builder.gep(into, [values[1]]), builder.gep(given, [values[3]])
        word = values[4].type
        length = builder.mul(values[4], word(size))
        some = builder.icmp_unsigned("<=", builder.sub(length, word(_LINE)), word(_LONG - _LINE))
        with builder.if_else(some) as (here, there):
            with here:
                _by_lines(builder, into, given, length)
            with there:
                cgutils.raw_memcpy(builder, into, given, values[4], size)
        return context.get_dummy_value()

    return signature, generated


def _by_lines(builder: Any, into: Any, given: Any, length: Any) -> None:
    """The last line ends where the bytes end, and lies over a part of the one before."""
    word, line = length.type, ir.VectorType(_BYTE, _LINE).as_pointer()
    into, given = (builder.bitcast(address, _BYTE.as_pointer()) for address in (into, given))

    def move(start: Any) -> None:
        from_, to = (builder.bitcast(builder.gep(address, [start]), line) for address in (given, into))
        builder.store(builder.load(from_, align=1), to, align=1)

    with cgutils.for_range(builder, builder.udiv(builder.sub(length, word(1)), word(_LINE))) as loop:
        move(builder.mul(loop.index, word(_LINE)))
    move(builder.sub(length, word(_LINE)))


def _whether_small(typing: Any, source: Any, channels: Any) -> Any:
    """Known to the compiler: whether pixels are so small that they go in blocks."""

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return ir.IntType(1)(_bytes(source, channels) <= _BLOCK)

    return types.boolean(source, channels), generated


copied: Any = intrinsic(_as_it_is)
_mirrored: Any = intrinsic(_in_registers)
_block: Any = intrinsic(_in_blocks)
_small: Any = intrinsic(_whether_small)


@_inlined
def _run(start, step, size, length):
    """The run [first, last) of 0 .. length - 1 in which start + step * i lies in 0 .. size - 1; step is -1 or 1."""
    first, last = (-start, size - start) if step > 0 else (start - size + 1, start + 1)
    first = min(max(first, 0), length)
    return first, max(first, min(last, length))


@_inlined
def _pixels(flat, at, step, target, to, pixels, channels):
    """Some pixels a step apart, one after the other."""
    count = len(channels)
    for x in range(pixels):
        begin, end = np.uintp(at + x * step), np.uintp(to + x * count)
        for c in range(np.uintp(count)):
            target[end + c] = flat[begin + c]


@_inlined
def _lines(flat, at, along, down, target, to, below, pixels, rows, channels):
    """Rows that stay rows, forwards or backwards."""
    if along > 0 and down == below == pixels * along:
        copied(target, to, flat, at, rows * below)
        return
    for y in range(rows):
        start, end = at + y * down, to + y * below
        if along > 0:
            copied(target, end, flat, start, pixels * along)
        else:
            done = _mirrored(target, end, flat, start, pixels, channels)
            _pixels(flat, start + done * along, along, target, end - done * along, pixels - done, channels)


@_inlined
def _tile(flat, at, along, down, target, to, below, pixels, rows, channels):
    """Rows that become columns."""
    wide, high = (pixels // 4 * 4, rows // 4 * 4) if _small(flat, channels) else (0, 0)
    for y in range(0, high, 4):
        for x in range(0, wide, 4):
            start, end = at + y * down + x * along, to + y * below + x * len(channels)
            if down > 0:
                _block(target, end, below, flat, start, along, channels)
            else:
                _block(target, end + 3 * below, -below, flat, start + 3 * down, along, channels)
    for y in range(rows):
        done = wide if y < high else 0
        _pixels(flat, at + y * down + done * along, along, target, to + y * below + done * len(channels), pixels - done, channels)


@_inlined
def _filled(target, start, end, fill):
    """target[start:end] = fill, for indices that are known to lie within."""
    at = np.uintp(start)
    for i in range(np.uintp(end - start)):
        target[at + i] = fill


@_compiled
def _beside(flat, place, shape, shown, border, fill, target, rows, columns, channels):
    """What the border shows of a result (rows, columns, C) outside of the part [y0, y1) x [x0, x1) that shows the source."""
    a, right, left, d, down, top = place
    y0, y1, x0, x1 = shown
    height, width, count = shape[0], shape[1], len(channels)
    if border == CONSTANT:
        done = 0
        for y in range(y0, y1):
            _filled(target, done, (y * columns + x0) * count, fill)
            done = (y * columns + x1) * count
        _filled(target, done, rows * columns * count, fill)
        return
    for y in range(rows):
        within = y0 <= y < y1
        for low, high in ((0, x0 if within else columns), (x1 if within else columns, columns)):
            for x in range(low, high):
                row, column = _brought(top + d * x + down * y, height, border), _brought(left + a * x + right * y, width, border)
                for c in range(count):
                    target[(y * columns + x) * count + c] = flat[(row * width + column) * count + c]


@_compiled
def permuted(src, places, out, border, fill, channels):
    """Pixels onto pixels of any dtype.

    src (B, H, W, C), places (B, 6) whole numbers that map indices of the result onto indices of the source, out (B, h, w, C), border
    (B,), fill (B,) in the dtype, channels a tuple of length C, so that the compiler knows C.
    """
    height, width, rows, columns, count = src.shape[1], src.shape[2], out.shape[1], out.shape[2], len(channels)
    images, results = src.reshape(len(src), -1), out.reshape(len(src), -1)
    for b in range(len(src)):
        a, right, left, d, down, top = places[b]
        turned = a == 0
        x0, x1 = _run(top, d, height, columns) if turned else _run(left, a, width, columns)
        y0, y1 = _run(left, right, width, rows) if turned else _run(top, down, height, rows)
        # From one value of the source to that which is shown to the right of it, and below it.
        along, below = (d * width + a) * count, (down * width + right) * count
        first = (top * width + left) * count + y0 * below
        # Where rows become columns, some of them at a time, so that what they share of the caches is still there for the next.
        for low in range(x0, x1, _STRIPE if turned else columns):
            high = min(low + _STRIPE, x1) if turned else x1
            at, to = first + low * along, (y0 * columns + low) * count
            if turned:
                _tile(images[b], at, along, below, results[b], to, columns * count, high - low, y1 - y0, channels)
            else:
                _lines(images[b], at, along, below, results[b], to, columns * count, high - low, y1 - y0, channels)
        if y1 - y0 < rows or x1 - x0 < columns:
            shown = (y0, y1, x0, x1)
            _beside(images[b], places[b], (height, width), shown, border[b], fill[b], results[b], rows, columns, channels)


@_compiled
def _placed(matrix, size, active, fill, scale, canvas, places, stored):
    """The maps ``permuted`` takes and the fills as they are stored; height and width of what comes out, -1 where it cannot say.

    matrix (B, 3, 3) from the source to the result, size (B, 2), active (B,), fill (B,) shares of ``scale``, canvas height and width that
    come in; places (B, 6) and stored (B,) are written. It cannot where a pixel falls between pixels, or where canvases differ.
    """
    height, width = canvas
    for n in range(len(matrix)):
        a, b, x, c, d, y = 1.0, 0.0, 0.0, 0.0, 1.0, 0.0
        rows, columns = canvas
        if active[n]:
            a, b, x, c, d, y = matrix[n, 0, 0], matrix[n, 0, 1], matrix[n, 0, 2], matrix[n, 1, 0], matrix[n, 1, 1], matrix[n, 1, 2]
            rows, columns = size[n]
        if n == 0:
            height, width = rows, columns
        turned = a == 0 and d == 0 and abs(b) == 1 and abs(c) == 1
        kept = b == 0 and c == 0 and abs(a) == 1 and abs(d) == 1
        affine = matrix[n, 2, 0] == 0 and matrix[n, 2, 1] == 0
        if not ((turned or kept) and affine and x == np.rint(x) and y == np.rint(y) and rows == height and columns == width):
            return -1, -1
        # The inverse of a signed permutation is its transpose; half a pixel to and fro, from continuous coordinates to indices.
        places[n, 0], places[n, 1], places[n, 2] = a, c, -(a * x + c * y) + 0.5 * (a + c) - 0.5
        places[n, 3], places[n, 4], places[n, 5] = b, d, -(b * x + d * y) + 0.5 * (b + d) - 0.5
        value = fill[n] * scale
        stored[n] = np.rint(value) if scale > 1 else value
    return height, width


def rearranged(warp: Warp, data: Dense, value: float | None = None, room: Room = room) -> NDArray | None:
    """A batch of images under a warp that puts pixels onto pixels of one canvas; None for any other.

    ``value`` takes the place of the warp's fill, in the units of the data; ``room`` gives the array.
    """
    if isinstance(data, list) or warp.bend is not None or warp.matrix.shape[-1] != 3:
        return None
    if warp.matrix.item(0) not in (-1.0, 0.0, 1.0) and warp.active.item(0):  # most others say so at once
        return None
    places, fill = np.empty((len(data), 6), np.int64), np.empty(len(data), data.dtype)
    share, scale = (warp.fill.copy(), RANGES[name_of(data.dtype)]) if value is None else (filled(len(data), value), 1)
    height, width = _placed(warp.matrix, np.ascontiguousarray(warp.size), warp.active.copy(), share, scale, data.shape[1:3], places, fill)
    if height < 0:
        return None
    out = room((len(data), height, width, data.shape[3]), data.dtype)
    permuted(data, places, out, warp.border.copy(), fill, (0,) * data.shape[3])
    return out
