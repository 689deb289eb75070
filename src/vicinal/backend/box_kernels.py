"""Means over centred windows of 8-bit images, in 16-bit whole numbers: exact, and of a cost that grows with one side alone.

Down a column the sum of a window is the one above it, less the row that leaves and with the row that comes. Along a row the sums of all
columns of the window are added up, 32 at a time in registers, and divided there: by a product of which the upper half is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from vicinal.backend.filter_kernels import margins, mirrored
from vicinal.backend.lanes import everywhere, loaded, stored
from vicinal.backend.vectors import WIDE, instruction

_compiled = njit(nogil=True, cache=True, error_model="numpy")
LARGEST = 201  # pixels of a window up to which the quotients are exact, whatever their number
_LANES, _UNROLLED = 32, 3  # sums in a register; pairs of values in a row up to which loops are written out
_WORDS, _BYTES, _INDEX = ir.VectorType(ir.IntType(16), _LANES), ir.VectorType(ir.IntType(8), _LANES), ir.IntType(64)
_VALUES = 8192  # of a strip: its lines stay in the first cache


@_compiled
def boxed(values, shape, chosen, sides, out):
    """Of 8-bit images of a (B, H, W, C) shape, in one dimension, the chosen (b,): their means over windows.

    sides (B, 3): height and width of a window, and the width of a row behind it; the larger one counts, as the other is 1 or less.
    """
    _, height, width, channels = shape
    wide, most = width * channels, sides.max() // 2
    strip = min(height, max(_VALUES // (wide + 2 * most * channels), 1))
    lines = np.empty(strip * (wide + 2 * most * channels), np.uint16)
    down, across = mirrored(height, most, most), mirrored(width, most, most)
    for b in chosen:
        over, margin, base = sides[b, 0] // 2, max(sides[b, 1], sides[b, 2]) // 2, b * height * wide
        step, inset = wide + 2 * margin * channels, margin * channels
        rows, columns = down[most - over :], across[most - margin : most + width + margin]
        for start in range(0, height, strip):
            many = min(strip, height - start)
            _down(values, base, wide, rows, start, many, 2 * over, lines, step, inset, (strip - 1) * step)
            margins(lines, 0, many, step, columns, margin, channels)
            averaged(lines, step, many, margin, channels, out[base + start * wide :], wide, sides[b, 0] * (2 * margin + 1))


@_compiled
def _down(image, base, wide, rows, start, many, more, lines, step, inset, last):
    """Into lines the sums down the columns of windows of ``more`` rows besides the first. The line of the row above the first one, if
    there is one, still lies at the last place."""
    for y in range(start, start + many):
        at = (y - start) * step + inset
        if y == 0 or more == 0:
            lines[at : at + wide] = 0
            for k in range(y, y + more + 1):
                _taken_in(lines, np.uintp(at), image, np.uintp(base + rows[k] * wide), np.uintp(wide))
        else:
            above, come, gone = at - step if y > start else last + inset, base + rows[y + more] * wide, base + rows[y - 1] * wide
            _moved_on(lines, np.uintp(at), np.uintp(above), image, np.uintp(come), np.uintp(gone), np.uintp(wide))


@_compiled
def _taken_in(lines, at, image, row, wide):
    for i in range(wide):
        lines[at + i] = np.uint16(lines[at + i] + np.uint16(image[row + i]))


def _means(context: Any, lines: Any, step: Any, many: Any, pairs: Any, channels: Any, into: Any, wide: Any, numbers: Any) -> Any:
    """``many`` rows of ``wide`` bytes, at least _LANES, from 16-bit lines that lie ``step`` bytes apart: of every value and those of
    ``pairs`` pixels on either side of it the sum, and of that a quotient, by three numbers: what is added to it, by what it is multiplied,
    and by how much the upper half of the product is shifted down."""
    return types.void(*[types.intp] * 7, types.UniTuple(types.uint16, 3)), _generated


def _generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    lines, step, many, pairs, channels, into, wide, numbers = args
    numbers = [everywhere(builder, builder.extract_value(numbers, n), _WORDS) for n in range(3)]
    for few in range(1, _UNROLLED + 1):
        with builder.if_then(builder.icmp_signed("==", pairs, _INDEX(few))):
            _rows(builder, lines, step, many, few, channels, into, wide, numbers)
    with builder.if_then(builder.or_(builder.icmp_signed("==", pairs, _INDEX(0)), builder.icmp_signed(">", pairs, _INDEX(_UNROLLED)))):
        _rows(builder, lines, step, many, pairs, channels, into, wide, numbers)
    return context.get_dummy_value()


def _rows(builder: Any, lines: Any, step: Any, many: Any, pairs: Any, channels: Any, into: Any, wide: Any, numbers: Sequence[Any]) -> None:
    """Of as many pairs as a register says, or Python."""
    with cgutils.for_range(builder, many) as row:
        left, target = (builder.add(start, builder.mul(row.index, size)) for start, size in ((lines, step), (into, wide)))

        def block(at: Any, left: Any = left, target: Any = target) -> None:
            start, pixel = builder.add(left, builder.mul(at, _INDEX(2))), builder.mul(channels, _INDEX(2))
            total = _across(builder, start, pixel, pairs)
            half, share, shift = numbers
            made = builder.call(_upper(builder), [builder.add(total, half), share])
            stored(builder, builder.trunc(builder.lshr(made, shift), _BYTES), builder.add(target, at))

        _blocks(builder, wide, block)


def _across(builder: Any, start: Any, pixel: Any, pairs: Any) -> Any:
    """The sums of values that lie a pixel apart, two by two from the ends to the middle."""

    def found(number: Any) -> Any:
        return loaded(builder, builder.add(start, builder.mul(number, pixel)), _WORDS)

    if isinstance(pairs, int):
        total = found(_INDEX(pairs))
        for k in range(pairs):
            total = builder.add(total, builder.add(found(_INDEX(k)), found(_INDEX(2 * pairs - k))))
        return total
    held, twice = cgutils.alloca_once(builder, _WORDS), builder.add(pairs, pairs)
    builder.store(found(pairs), held)
    with cgutils.for_range(builder, pairs) as pair:
        two = builder.add(found(pair.index), found(builder.sub(twice, pair.index)))
        builder.store(builder.add(builder.load(held), two), held)
    return builder.load(held)


def _moved(context: Any, above: Any, come: Any, gone: Any, into: Any, wide: Any) -> Any:
    """``wide`` 16-bit sums, at least _LANES: those above, and the bytes that come, less those that go."""
    return types.void(*[types.intp] * 5), _generated_down


def _generated_down(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    above, come, gone, into, wide = args

    def block(at: Any) -> None:
        twice = builder.add(at, at)
        more, less = (builder.zext(loaded(builder, builder.add(start, at), _BYTES), _WORDS) for start in (come, gone))
        made = builder.add(loaded(builder, builder.add(above, twice), _WORDS), builder.sub(more, less))
        stored(builder, made, builder.add(into, twice))

    _blocks(builder, wide, block)
    return context.get_dummy_value()


def _blocks(builder: Any, wide: Any, block: Callable[[Any], None]) -> None:
    """What is done from a place on to _LANES values, to ``wide`` ones: to the last of them once more, rather than to fewer."""
    with cgutils.for_range(builder, builder.udiv(wide, _INDEX(_LANES))) as loop:
        block(builder.mul(loop.index, _INDEX(_LANES)))
    with builder.if_then(builder.icmp_signed("!=", builder.urem(wide, _INDEX(_LANES)), _INDEX(0))):
        block(builder.sub(wide, _INDEX(_LANES)))


def _upper(builder: Any) -> Any:
    """The upper halves of products."""
    return instruction(builder, "pmulhu.w.512", _WORDS, _WORDS, _WORDS)


_by_32: Any = intrinsic(_means)
_down_by_32: Any = intrinsic(_moved)


@_compiled
def _moved_on(lines, at, above, image, come, gone, wide):
    if WIDE and wide >= _LANES:
        sums, given = lines.ctypes.data, image.ctypes.data
        _down_by_32(sums + 2 * above, given + come, given + gone, sums + 2 * at, wide)
        return
    for i in range(wide):
        lines[at + i] = np.uint16(np.uint16(lines[above + i] + np.uint16(image[come + i])) - np.uint16(image[gone + i]))


@_compiled
def averaged(lines, step, many, margin, channels, out, wide, pixels):
    """Lines of sums along their rows, over the number of pixels in the window, rounded. There are no ties, as that is odd."""
    bits = 0
    while 2 << bits <= pixels:
        bits += 1
    share, shift = np.uint16(((65536 << bits) + pixels - 1) // pixels), np.uint16(bits)  # too large by less than a quotient can tell
    half = np.uint16(pixels // 2)
    if WIDE and wide >= _LANES:
        _by_32(lines.ctypes.data, 2 * step, many, margin, channels, out.ctypes.data, wide, (half, share, shift))
        return
    sums = np.empty(wide, np.uint16)
    for y in range(many):
        sums[:] = half
        for k in range(2 * margin + 1):
            _added(sums, lines, np.uintp(y * step + k * channels))
        for i in range(wide):
            out[y * wide + i] = np.uint32(np.uint32(sums[i]) * np.uint32(share)) >> np.uint32(16 + bits)


@_compiled
def _added(sums, lines, at):
    for i in range(np.uintp(len(sums))):
        sums[i] = np.uint16(sums[i] + lines[at + i])
