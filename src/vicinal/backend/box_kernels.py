"""Means over centred windows of 8-bit images, in 16-bit whole numbers: exact, and of a cost that grows with one side alone.

Down a column the sum of a window is the one above it, less the row that leaves and with the row that comes. Along a row the sums of all
columns of the window are added up, over long lines of several rows. The division is a product of which the upper half is kept.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from vicinal.backend.chain_lookup import WIDE
from vicinal.backend.filter_kernels import margins, mirrored

_compiled = njit(nogil=True, cache=True, error_model="numpy")
LARGEST = 201  # pixels of a window up to which the quotients are exact, whatever their number
_WORDS, _BYTES = ir.VectorType(ir.IntType(16), 32), ir.VectorType(ir.IntType(8), 32)
_VALUES = 8192  # of a strip: its lines stay in the first cache


@_compiled
def boxed(values, shape, chosen, sides, out):
    """Of 8-bit images of a (B, H, W, C) shape, in one dimension, the chosen (b,): their means over windows of (b, 2) odd sides."""
    height, wide, channels = shape[1], shape[2] * shape[3], shape[3]
    most = wide + 2 * (sides[:, 1].max() // 2) * channels
    strip = min(height, max(_VALUES // most, 1))
    lines, sums = np.empty((strip + 1) * most, np.uint16), np.empty((strip + 1) * most, np.uint16)
    for b in range(len(chosen)):
        over, margin, base = sides[b, 0] // 2, sides[b, 1] // 2, chosen[b] * height * wide
        step, inset = wide + 2 * margin * channels, margin * channels
        rows, columns = mirrored(height, over, over), mirrored(shape[2], margin, margin)
        for start in range(0, height, strip):
            many = min(strip, height - start)
            _down(values, base, wide, rows, start, many, 2 * over, lines, step, inset)
            margins(lines, step, many, step, columns, margin, channels)
            _along(lines, step, (many - 1) * step + wide, sides[b, 1], channels, sums)
            divided(sums, step, many, out, base + start * wide, wide, sides[b, 0] * sides[b, 1])
            for i in range(wide):
                lines[inset + i] = lines[many * step + inset + i]


@_compiled
def _down(image, base, wide, rows, start, many, more, lines, step, inset):
    """Into the lines from the second on: the sums down the columns of windows of ``more`` rows besides the first. The first line has those
    of the row above."""
    for y in range(start, start + many):
        at = (y - start + 1) * step + inset
        if y == 0 or more == 0:
            lines[at : at + wide] = 0
            for k in range(y, y + more + 1):
                _taken_in(lines, np.uintp(at), image, np.uintp(base + rows[k] * wide), np.uintp(wide))
        else:
            come, gone = base + rows[y + more] * wide, base + rows[y - 1] * wide
            _moved_on(lines, np.uintp(at), np.uintp(at - step), image, np.uintp(come), np.uintp(gone), np.uintp(wide))


@_compiled
def _taken_in(lines, at, image, row, wide):
    for i in range(wide):
        lines[at + i] = np.uint16(lines[at + i] + np.uint16(image[row + i]))


@_compiled
def _moved_on(lines, at, above, image, come, gone, wide):
    for i in range(wide):
        lines[at + i] = np.uint16(np.uint16(lines[above + i] + np.uint16(image[come + i])) - np.uint16(image[gone + i]))


@_compiled
def _along(lines, start, count, wide, channels, sums):
    """Sums of ``wide`` values that lie ``channels`` apart, from ``start`` on."""
    last, middle = start + (wide - 1) * channels, start + wide // 2 * channels
    if wide == 1:
        sums[:count] = lines[start : start + count]
        return
    _three(sums, lines, np.uintp(start), np.uintp(middle), np.uintp(last), np.uintp(count))
    for k in range(1, wide // 2):
        _two(sums, lines, np.uintp(start + k * channels), np.uintp(last - k * channels), np.uintp(count))


@_compiled
def _three(sums, lines, left, middle, right, count):
    for i in range(count):
        sums[i] = np.uint16(np.uint16(lines[left + i] + lines[middle + i]) + lines[right + i])


@_compiled
def _two(sums, lines, left, right, count):
    for i in range(count):
        sums[i] = np.uint16(sums[i] + np.uint16(lines[left + i] + lines[right + i]))


def _quotients(context: Any, sums: Any, into: Any, half: Any, share: Any, shift: Any, blocks: Any) -> Any:
    """``blocks`` times 32 sums of 16 bits, raised by ``half``: the upper half of their product with ``share``, shifted down, as bytes."""
    return types.void(types.intp, types.intp, types.uint16, types.uint16, types.uint16, types.intp), _generated


def _generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    sums, into, *numbers, blocks = args
    half, share, shift = (_everywhere(builder, number) for number in numbers)
    upper = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_WORDS, [_WORDS] * 2), "llvm.x86.avx512.pmulhu.w.512")
    with cgutils.for_range(builder, blocks) as loop:
        offset = builder.mul(loop.index, ir.IntType(64)(32))
        at = builder.add(sums, builder.add(offset, offset))
        total = builder.add(builder.load(builder.inttoptr(at, _WORDS.as_pointer()), align=2), half)
        made = builder.trunc(builder.lshr(builder.call(upper, [total, share]), shift), _BYTES)
        builder.store(made, builder.inttoptr(builder.add(into, offset), _BYTES.as_pointer()), align=1)
    return context.get_dummy_value()


def _everywhere(builder: Any, number: Any) -> Any:
    """One number in all lanes."""
    blank = ir.Constant(_WORDS, ir.Undefined)
    one = builder.insert_element(blank, number, ir.IntType(32)(0))
    return builder.shuffle_vector(one, blank, ir.Constant(ir.VectorType(ir.IntType(32), 32), [0] * 32))


_by_32: Any = intrinsic(_quotients)


@_compiled
def divided(sums, step, many, out, base, wide, pixels):
    """Lines of sums over the number of their values, rounded. There are no ties, as that is odd."""
    bits = 0
    while 2 << bits <= pixels:
        bits += 1
    share, shift = np.uint16(((65536 << bits) + pixels - 1) // pixels), np.uint16(bits)  # too large by less than a quotient can tell
    half, done = np.uint16(pixels // 2), wide // 32 * 32 if WIDE else 0
    for y in range(many):
        if WIDE:
            _by_32(sums.ctypes.data + 2 * y * step, out.ctypes.data + base + y * wide, half, share, shift, wide // 32)
        for i in range(done, wide):
            out[base + y * wide + i] = (np.int64(np.uint16(sums[y * step + i] + half)) * np.int64(share)) >> 16 >> bits
