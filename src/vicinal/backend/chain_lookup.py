"""Look-ups of bytes in tables of 256, and pixels with their bytes in another order: 64 bytes at a time where the processor has the
instructions (AVX-512 VBMI), one by one elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from vicinal.backend.vectors import WIDE, instruction

_BYTES = ir.VectorType(ir.IntType(8), 64)
_WORD = ir.IntType(64)


def _translate(context: Any, entries: Any, source: Any, into: Any, blocks: Any) -> Any:
    """Translate ``blocks`` times 64 bytes; addresses of the 256 entries, of the bytes and of the result."""
    return types.void(types.intp, types.intp, types.intp, types.intp), _generated


def _generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    entries, source, into, blocks = args
    table = _table(builder, entries, 0)
    with cgutils.for_range(builder, blocks) as loop:
        offset = builder.mul(loop.index, _WORD(64))
        places = builder.load(_at(builder, source, offset), align=1)
        builder.store(_found(builder, table, places), _at(builder, into, offset), align=1)
    return context.get_dummy_value()


def _translate_pixels(context: Any, entries: Any, source: Any, into: Any, blocks: Any) -> Any:
    """Translate ``blocks`` times 64 pixels of three bytes, each by its table of three that follow one another."""
    return types.void(types.intp, types.intp, types.intp, types.intp), _generated_for_pixels


def _generated_for_pixels(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    entries, source, into, blocks = args
    tables = [_table(builder, entries, 256 * c) for c in range(3)]
    with cgutils.for_range(builder, blocks) as loop:
        for third in range(3):
            offset = builder.add(builder.mul(loop.index, _WORD(192)), _WORD(64 * third))
            places = builder.load(_at(builder, source, offset), align=1)
            red, green, blue = (_found(builder, table, places) for table in tables)
            first, second = (_lanes([(64 * third + lane) % 3 == c for lane in range(64)]) for c in range(2))
            made = builder.select(first, red, builder.select(second, green, blue))
            builder.store(made, _at(builder, into, offset), align=1)
    return context.get_dummy_value()


def _table(builder: Any, entries: Any, start: int) -> list[Any]:
    """256 entries in four registers."""
    return [builder.load(_at(builder, entries, _WORD(start + 64 * k)), align=1) for k in range(4)]


def _found(builder: Any, table: list[Any], places: Any) -> Any:
    """64 entries of a table. Seven bits choose among two registers, the eighth, which is the sign, between the halves of the table."""
    function = instruction(builder, "vpermi2var.qi.512", _BYTES, *[_BYTES] * 3)
    low, high = (builder.call(function, [table[k], places, table[k + 1]]) for k in (0, 2))
    return builder.select(builder.icmp_signed("<", places, ir.Constant(_BYTES, [0] * 64)), high, low)


def _lanes(chosen: list[bool]) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(1), 64), chosen)


def _translate_floats(context: Any, planes: Any, source: Any, into: Any, blocks: Any) -> Any:
    """Translate ``blocks`` times 64 bytes to float32; their 256 entries lie byte by byte, in four planes."""
    return types.void(types.intp, types.intp, types.intp, types.intp), _generated_for_floats


def _generated_for_floats(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    planes, source, into, blocks = args
    tables = [_table(builder, planes, 256 * k) for k in range(4)]
    with cgutils.for_range(builder, blocks) as loop:
        places = builder.load(_at(builder, source, builder.mul(loop.index, _WORD(64))), align=1)
        one, two, three, four = (_found(builder, table, places) for table in tables)
        low, high = (builder.bitcast(_zipped(builder, *pair), ir.VectorType(ir.IntType(16), 64)) for pair in ((one, two), (three, four)))
        made = builder.bitcast(_zipped(builder, low, high), ir.VectorType(ir.IntType(8), 256))
        address = builder.add(into, builder.mul(loop.index, _WORD(256)))
        builder.store(made, builder.inttoptr(address, made.type.as_pointer()), align=1)
    return context.get_dummy_value()


def _zipped(builder: Any, one: Any, other: Any) -> Any:
    """The elements of two vectors of 64 in turn."""
    order = [lane // 2 + 64 * (lane % 2) for lane in range(128)]
    return builder.shuffle_vector(one, other, ir.Constant(ir.VectorType(ir.IntType(32), 128), order))


def _permute(context: Any, order: Any, source: Any, into: Any, blocks: Any) -> Any:
    """Put the bytes of ``blocks`` times 21 pixels of three bytes in another order; the byte after them is written too, as it is."""
    return types.void(types.intp, types.intp, types.intp, types.intp), _generated_order


def _generated_order(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    function = instruction(builder, "permvar.qi.512", _BYTES, _BYTES, _BYTES)
    order, source, into, blocks = args
    places = builder.load(_at(builder, order, _WORD(0)), align=1)
    with cgutils.for_range(builder, blocks) as loop:
        offset = builder.mul(loop.index, _WORD(63))
        pixels = builder.load(_at(builder, source, offset), align=1)
        builder.store(builder.call(function, [pixels, places]), _at(builder, into, offset), align=1)
    return context.get_dummy_value()


def _take_apart(context: Any, source: Any, planes: Any, stride: Any, blocks: Any) -> Any:
    """Take ``blocks`` times 64 pixels of three bytes apart into planes that lie ``stride`` bytes from one another."""
    return types.void(types.intp, types.intp, types.intp, types.intp), _generated_apart


def _generated_apart(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    source, planes, stride, blocks = args
    with cgutils.for_range(builder, blocks) as loop:
        offset = builder.mul(loop.index, _WORD(192))
        parts = [builder.load(_at(builder, source, builder.add(offset, _WORD(64 * k))), align=1) for k in range(3)]
        for c in range(3):
            made = _chosen(builder, parts, [3 * lane + c for lane in range(64)])
            at = builder.add(builder.mul(stride, _WORD(c)), builder.mul(loop.index, _WORD(64)))
            builder.store(made, _at(builder, planes, at), align=1)
    return context.get_dummy_value()


def _put_together(context: Any, planes: Any, stride: Any, into: Any, blocks: Any) -> Any:
    """The way back."""
    return types.void(types.intp, types.intp, types.intp, types.intp), _generated_together


def _generated_together(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    planes, stride, into, blocks = args
    with cgutils.for_range(builder, blocks) as loop:
        offset = builder.mul(loop.index, _WORD(64))
        parts = [builder.load(_at(builder, planes, builder.add(builder.mul(stride, _WORD(c)), offset)), align=1) for c in range(3)]
        for third in range(3):
            made = _chosen(builder, parts, [64 * (at % 3) + at // 3 for at in range(64 * third, 64 * third + 64)])
            at = builder.add(builder.mul(loop.index, _WORD(192)), _WORD(64 * third))
            builder.store(made, _at(builder, into, at), align=1)
    return context.get_dummy_value()


def _chosen(builder: Any, parts: list[Any], places: list[int]) -> Any:
    """64 bytes by their places among the 192 of three vectors."""
    lanes = ir.VectorType(ir.IntType(32), 64)
    two = builder.shuffle_vector(parts[0], parts[1], ir.Constant(lanes, [min(place, 127) for place in places]))
    last = [lane if place < 128 else place - 64 for lane, place in enumerate(places)]
    return builder.shuffle_vector(two, parts[2], ir.Constant(lanes, last))


def _at(builder: Any, address: Any, offset: Any) -> Any:
    return builder.inttoptr(builder.add(address, offset), _BYTES.as_pointer())


_wide: Any = intrinsic(_translate)
_wide_pixels: Any = intrinsic(_translate_pixels)
_wide_floats: Any = intrinsic(_translate_floats)
_wide_order: Any = intrinsic(_permute)
_wide_apart: Any = intrinsic(_take_apart)
_wide_together: Any = intrinsic(_put_together)


@njit(nogil=True, cache=True, error_model="numpy")
def look_up(entries, source, into):
    """into[i] = entries[np.uintp(source[i])]; contiguous uint8, 256 entries, into may be source."""
    done = 0
    if WIDE:
        _wide(entries.ctypes.data, source.ctypes.data, into.ctypes.data, source.shape[0] // 64)
        done = source.shape[0] // 64 * 64
    for i in range(done, source.shape[0]):
        into[i] = entries[np.uintp(source[i])]


@njit(nogil=True, cache=True, error_model="numpy")
def look_up_pixels(entries, source, into):
    """into[i] = entries[i % 3, source[i]]; contiguous uint8, (3, 256) entries, whole pixels of three bytes."""
    done = 0
    if WIDE:
        done = source.shape[0] // 192 * 192
        _wide_pixels(entries.ctypes.data, source.ctypes.data, into.ctypes.data, done // 192)
    for x in range(done // 3, source.shape[0] // 3):
        for c in range(3):
            into[3 * x + c] = entries[c, np.uintp(source[3 * x + c])]


@njit(nogil=True, cache=True, error_model="numpy")
def byte_planes(entries, planes):
    """256 float32 numbers byte by byte: (4, 256), as ``look_up_floats`` takes them."""
    whole = entries.view(np.uint8)
    for k in range(4):
        for i in range(256):
            planes[k, i] = whole[4 * i + k]


@njit(nogil=True, cache=True, error_model="numpy")
def look_up_floats(entries, planes, source, into):
    """into[i] = entries[np.uintp(source[i])]; contiguous uint8 to float32, 256 entries, which are in ``planes`` as well."""
    done = 0
    if WIDE:
        done = source.shape[0] // 64 * 64
        _wide_floats(planes.ctypes.data, source.ctypes.data, into.ctypes.data, done // 64)
    for i in range(done, source.shape[0]):
        into[i] = entries[np.uintp(source[i])]


@njit(nogil=True, cache=True, error_model="numpy")
def reorder(order, source, into):
    """Pixels of three bytes with their bytes in another order: byte i of 21 pixels of the result is byte order[i]; (64,) of them, the last
    of which stays. Contiguous, not in place."""
    done = 0
    if WIDE and source.shape[0] > 64:
        blocks = (source.shape[0] - 1) // 63
        _wide_order(order.ctypes.data, source.ctypes.data, into.ctypes.data, blocks)
        done = 21 * blocks
    first, second, third = np.intp(order[0]), np.intp(order[1]), np.intp(order[2])
    for x in range(done, source.shape[0] // 3):
        into[3 * x], into[3 * x + 1], into[3 * x + 2] = source[3 * x + first], source[3 * x + second], source[3 * x + third]


@njit(nogil=True, cache=True, error_model="numpy")
def take_apart(pixels, n, planes):
    """n pixels of three values to planes (3, >= n) that follow one another; contiguous, of one dtype."""
    done = 0
    if WIDE and pixels.itemsize == 1:
        done = n // 64 * 64
        _wide_apart(pixels.ctypes.data, planes.ctypes.data, planes.shape[1], done // 64)
    red, green, blue = planes[0], planes[1], planes[2]
    for x in range(done, n):
        red[x], green[x], blue[x] = pixels[3 * x], pixels[3 * x + 1], pixels[3 * x + 2]


@njit(nogil=True, cache=True, error_model="numpy")
def put_together(planes, n, pixels):
    """The way back."""
    done = 0
    if WIDE and pixels.itemsize == 1:
        done = n // 64 * 64
        _wide_together(planes.ctypes.data, planes.shape[1], pixels.ctypes.data, done // 64)
    red, green, blue = planes[0], planes[1], planes[2]
    for x in range(done, n):
        pixels[3 * x], pixels[3 * x + 1], pixels[3 * x + 2] = red[x], green[x], blue[x]


@njit(nogil=True, cache=True, error_model="numpy")
def one_for_three(grey, n, pixels):
    """One plane (>= n,) of bytes to n pixels of three equal ones."""
    done = 0
    if WIDE:
        done = n // 64 * 64
        _wide_together(grey.ctypes.data, 0, pixels.ctypes.data, done // 64)
    for x in range(done, n):
        pixels[3 * x], pixels[3 * x + 1], pixels[3 * x + 2] = grey[x], grey[x], grey[x]


@njit(nogil=True, cache=True, error_model="numpy")
def split(pixels, n, planes):
    """n pixels (n C,) to channels (C, >= n)."""
    channels = planes.shape[0]
    if channels == 1:
        only = planes[0]
        for x in range(n):
            only[x] = pixels[x]
    elif channels == 3:
        take_apart(pixels, n, planes)
    else:
        for c in range(channels):
            for x in range(n):
                planes[c, x] = pixels[x * channels + c]


@njit(nogil=True, cache=True, error_model="numpy")
def joined(planes, n, pixels):
    """The way back."""
    channels = planes.shape[0]
    if channels == 1:
        only = planes[0]
        for x in range(n):
            pixels[x] = only[x]
    elif channels == 3:
        put_together(planes, n, pixels)
    else:
        for c in range(channels):
            for x in range(n):
                pixels[x * channels + c] = planes[c, x]
