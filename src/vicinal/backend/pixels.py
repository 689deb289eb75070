"""Pixels onto pixels: flips, quarter turns, transposes, whole shifts, crops and pads, copied in registers where they are RGB bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from vicinal.backend.kernels import _brought, _compiled, _inlined
from vicinal.core.warp import CONSTANT

_BYTE = ir.IntType(8)
_REGISTER, _FIVE = ir.VectorType(_BYTE, 16), 5  # pixels of three bytes in a register
_STRIPE = 64  # columns
_TURNED = [1 + 3 * (4 - byte // 3) + byte % 3 for byte in range(15)] + [0]


def _rgb(source: Any, channels: Any) -> bool:
    return source.dtype == types.uint8 and channels.count == 3


def _in_fives(typing: Any, target: Any, to: Any, source: Any, at: Any, pixels: Any, channels: Any) -> Any:
    """Pixels of RGB bytes from ``source[at:]`` backwards to ``target[to:]`` forwards, five at a time.

    Returns how many: at least one stays behind, since a register holds a byte more than five pixels; none of any other form.
    """
    signature = types.intp(target, to, source, at, pixels, channels)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        word = values[1].type
        if not _rgb(source, channels):
            return word(0)
        into, given = (context.make_array(signature.args[n])(context, builder, values[n]).data for n in (0, 2))
        some = builder.icmp_signed(">", values[4], word(0))
        many = builder.select(some, builder.sdiv(builder.sub(values[4], word(1)), word(_FIVE)), word(0))
        begin, nothing = builder.sub(values[3], word(13)), ir.Constant(_REGISTER, ir.Undefined)
        order = ir.Constant(ir.VectorType(ir.IntType(32), 16), _TURNED)
        with cgutils.for_range(builder, many) as loop:
            done = builder.mul(loop.index, word(15))
            five = builder.load(builder.bitcast(builder.gep(given, [builder.sub(begin, done)]), _REGISTER.as_pointer()), align=1)
            turned = builder.shuffle_vector(five, nothing, order)
            builder.store(turned, builder.bitcast(builder.gep(into, [builder.add(values[1], done)]), _REGISTER.as_pointer()), align=1)
        return builder.mul(many, word(_FIVE))

    return signature, generated


def _in_words(typing: Any, target: Any, to: Any, source: Any, at: Any, step: Any, pixels: Any, channels: Any) -> Any:
    """Pixels of RGB bytes from ``source[at], source[at + step], ...`` to ``target[to:]``, each as one word of four bytes.

    Returns how many: one stays behind, since a word holds a byte more than a pixel; none of any other form.
    """
    signature = types.intp(target, to, source, at, step, pixels, channels)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        word = values[1].type
        if not _rgb(source, channels):
            return word(0)
        into, given = (context.make_array(signature.args[n])(context, builder, values[n]).data for n in (0, 2))
        most = builder.sub(values[5], word(1))
        many = builder.select(builder.icmp_signed(">", most, word(0)), most, word(0))
        four = ir.IntType(32)
        with cgutils.for_range(builder, many) as loop:
            place = builder.add(values[3], builder.mul(loop.index, values[4]))
            pixel = builder.load(builder.bitcast(builder.gep(given, [place]), four.as_pointer()), align=1)
            where = builder.add(values[1], builder.mul(loop.index, word(3)))
            builder.store(pixel, builder.bitcast(builder.gep(into, [where]), four.as_pointer()), align=1)
        return many

    return signature, generated


def _as_it_is(typing: Any, target: Any, to: Any, source: Any, at: Any, count: Any) -> Any:
    """target[to : to + count] = source[at : at + count], by the C library."""
    signature = types.void(target, to, source, at, count)

    def generated(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        into, given = (context.make_array(signature.args[n])(context, builder, values[n]).data for n in (0, 2))
        size = context.get_abi_sizeof(context.get_data_type(source.dtype))
        cgutils.raw_memcpy(builder, builder.gep(into, [values[1]]), builder.gep(given, [values[3]]), values[4], size)
        return context.get_dummy_value()

    return signature, generated


copied: Any = intrinsic(_as_it_is)
_mirrored: Any = intrinsic(_in_fives)
_gathered: Any = intrinsic(_in_words)


@_inlined
def _run(start, step, size, length):
    """The run [first, last) of 0 .. length - 1 in which start + step * i lies in 0 .. size - 1; step is -1, 0 or 1."""
    if step == 0:
        return (0, length) if 0 <= start < size else (0, 0)
    first, last = (-start, size - start) if step > 0 else (start - size + 1, start + 1)
    first = min(max(first, 0), length)
    return first, max(first, min(last, length))


@_inlined
def _pixels(flat, at, step, target, to, pixels, channels):
    """Some pixels a step apart, one after the other."""
    count = len(channels)
    for x in range(pixels):
        for c in range(count):
            target[to + x * count + c] = flat[at + x * step + c]


@_inlined
def _line(flat, at, step, target, to, pixels, channels):
    """The pixels of a row that show the source, from values ``at``, ``at + step`` and so on."""
    count = len(channels)
    if step == count:
        copied(target, to, flat, at, pixels * count)
        return
    done = np.intp(0)
    if step == -count:
        done = _mirrored(target, to, flat, at, pixels, channels)
    elif pixels > 2:
        # The first and the last by themselves: one of them may be the last of all, behind which nothing may be read.
        _pixels(flat, at, step, target, to, 1, channels)
        done = 1 + _gathered(target, to + count, flat, at + step, step, pixels - 1, channels)
    _pixels(flat, at + done * step, step, target, to + done * count, pixels - done, channels)


@_inlined
def _outside(flat, sx, sy, a, d, height, width, border, target, to, first, last, channels):
    """What a border other than a constant one shows of the pixels [first, last) of a row."""
    count = len(channels)
    for x in range(first, last):
        row, column = _brought(sy + d * x, height, border), _brought(sx + a * x, width, border)
        for c in range(count):
            target[to + x * count + c] = flat[(row * width + column) * count + c]


@_compiled
def _stripe(flat, place, low, high, shape, border, fill, target, columns, channels):
    """The columns [low, high) of a result of so many columns, from a source (H, W, C) of ``shape``, both flat."""
    a, right, left, d, down, top = place
    height, width, count = shape[0], shape[1], len(channels)
    for y in range(len(target) // (columns * count)):
        sx, sy, to = right * y + left, down * y + top, y * columns * count
        x0, x1 = _run(sx, a, width, high)
        y0, y1 = _run(sy, d, height, high)
        first = min(max(x0, y0, low), high)
        last = max(first, min(x1, y1))
        at = ((sy + d * first) * width + sx + a * first) * count
        _line(flat, at, (d * width + a) * count, target, to + first * count, last - first, channels)
        if border == CONSTANT:
            target[to + low * count : to + first * count] = fill
            target[to + last * count : to + high * count] = fill
        elif last - first < high - low:
            _outside(flat, sx, sy, a, d, height, width, border, target, to, low, first, channels)
            _outside(flat, sx, sy, a, d, height, width, border, target, to, last, high, channels)


@_compiled
def permuted(src, places, out, border, fill, channels):
    """Pixels onto pixels of any dtype.

    src (B, H, W, C), places (B, 6) whole numbers that map indices of the result onto indices of the source, out (B, h, w, C), border
    (B,), fill (B,) in the dtype, channels a tuple of length C, so that the compiler knows C.
    """
    columns = out.shape[2]
    images, results = src.reshape(len(src), -1), out.reshape(len(src), -1)
    for b in range(len(src)):
        # Where rows become columns, some of them at a time, so that what they share of the caches is still there for the next.
        wide = _STRIPE if places[b, 0] == 0 else columns
        for low in range(0, columns, wide):
            high = min(low + wide, columns)
            _stripe(images[b], places[b], low, high, src.shape[1:3], border[b], fill[b], results[b], columns, channels)
