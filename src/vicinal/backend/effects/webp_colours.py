"""Red, green and blue to the brightness and the colours of WebP, the latter at half the resolution, and back, all in whole numbers.

The way back is libwebp's, bit for bit: colour is enlarged by a triangle with three quarters on the nearest value, in two roundings. On the
way there libwebp takes means of four pixels by a power of 0.8; here they are plain means, which lie nearer and need no tables.

Planes have MARGIN columns before and behind those that count, and a row above.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from vicinal.backend.chain_lookup import put_together, take_apart
from vicinal.backend.effects.webp_lanes import within
from vicinal.backend.lanes import LANES, NUMBERS, Lanes, loaded, stored

MARGIN = 16
BAND = 8192  # pixels that are worked on together, so that they stay in the fastest caches

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_WORD = ir.IntType(64)
_PAIRS, _BYTES = (ir.VectorType(ir.IntType(bits), LANES) for bits in (16, 8))


def brightness(red: Any, green: Any, blue: Any) -> Any:
    """From 16 to 235."""
    return (red * 16839 + green * 33059 + blue * 6420 + (16 << 16) + (1 << 15)) >> 16


def colours(red: Any, green: Any, blue: Any) -> tuple[Any, Any]:
    """The differences of blue and of red from brightness, about 128, of sums over four pixels."""
    middle = (128 << 18) + (1 << 17)
    return (red * -9719 + green * -19081 + blue * 28800 + middle) >> 18, (red * 28800 + green * -24116 + blue * -4684 + middle) >> 18


def shown(bright: Any, blueness: Any, redness: Any) -> list[Any]:
    """Red, green and blue, in 64ths; not yet within 0 and 255."""
    level = bright * 19077 >> 8
    return [
        level + (redness * 26149 >> 8) - 14234,
        level - (blueness * 6419 >> 8) - (redness * 13320 >> 8) + 8708,
        level + (blueness * 33050 >> 8) - 17685,
    ]


def _numbers(builder: Any, address: Any, form: Any) -> Lanes:
    return Lanes(builder, builder.zext(loaded(builder, address, form), NUMBERS))


def _put(builder: Any, value: Lanes, form: Any, address: Any) -> None:
    stored(builder, builder.trunc(value.value, form), address)


def _halved(builder: Any, row: Any, below: Any) -> Lanes:
    """Sums over two rows and two columns."""
    pairs = [_numbers(builder, address, _PAIRS) for address in (row, builder.add(row, below))]
    return (pairs[0] & 255) + (pairs[0] >> 8) + (pairs[1] & 255) + (pairs[1] >> 8)


def _to_brightness(context: Any, red: Any, green: Any, blue: Any, into: Any, count: Any) -> Any:
    """``count`` times LANES pixels; addresses."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        with cgutils.for_range(builder, args[4]) as loop:
            at = builder.mul(loop.index, _WORD(LANES))
            given = [_numbers(builder, builder.add(plane, at), _BYTES) for plane in args[:3]]
            _put(builder, brightness(*given), _BYTES, builder.add(args[3], at))
        return context.get_dummy_value()

    return types.void(*[types.intp] * 5), generated


def _to_colours(context: Any, red: Any, green: Any, blue: Any, below: Any, one: Any, other: Any, count: Any) -> Any:
    """``count`` times LANES values of two colours, of two rows of which the second lies ``below`` bytes behind the first; addresses."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        *planes, below, one, other, count = args
        with cgutils.for_range(builder, count) as loop:
            at = builder.mul(loop.index, _WORD(LANES))
            sums = [_halved(builder, builder.add(plane, builder.shl(at, _WORD(1))), below) for plane in planes]
            for value, into in zip(colours(*sums), (one, other), strict=True):
                _put(builder, within(value, 0, 255), _BYTES, builder.add(into, at))
        return context.get_dummy_value()

    return types.void(*[types.intp] * 7), generated


def _enlarged(builder: Any, near: Any, far: Any) -> list[Lanes]:
    """Of every value two, from the nearest row and the next one: each with three quarters of the value and one of that on its side."""
    rows = [[_numbers(builder, builder.add(row, _WORD(k)), _BYTES) for k in (-1, 0, 1)] for row in (near, far)]
    own, across = rows[0][1], rows[1][1]
    return [(own + ((own + (rows[0][k] + across) * 3 + rows[1][k] + 8) >> 3)) >> 1 for k in (0, 2)]


def _to_picture(
    context: Any, bright: Any, near_one: Any, far_one: Any, near: Any, far: Any, red: Any, green: Any, blue: Any, count: Any
) -> Any:
    """A row of ``count`` times 2 LANES pixels, from its brightness, and the row of each colour that is nearest and the next one."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        with cgutils.for_range(builder, args[8]) as loop:
            at = builder.mul(loop.index, _WORD(LANES))
            twice = builder.shl(at, _WORD(1))
            pair = _numbers(builder, builder.add(args[0], twice), _PAIRS)
            blueness, redness = (_enlarged(builder, *(builder.add(row, at) for row in args[k : k + 2])) for k in (1, 3))
            ways = [shown(*values) for values in zip((pair & 255, pair >> 8), blueness, redness, strict=True)]
            for low, high, plane in zip(*ways, args[5:8], strict=True):
                _put(builder, within(low >> 6, 0, 255) | (within(high >> 6, 0, 255) << 8), _PAIRS, builder.add(plane, twice))
        return context.get_dummy_value()

    return types.void(*[types.intp] * 9), generated


_brightness: Any = intrinsic(_to_brightness)
_colours: Any = intrinsic(_to_colours)
_picture: Any = intrinsic(_to_picture)
_brightness_of: Any = _compiled(brightness)
_colours_of: Any = _compiled(colours)
_shown_of: Any = _compiled(shown)


@_compiled
def _filled(plane, height, width):
    """The columns and rows that a plane has beyond a picture repeat its last ones."""
    rows, full = plane.shape
    for y in range(1, height + 1):
        for x in range(MARGIN + width, full - MARGIN):
            plane[y, x] = plane[y, MARGIN + width - 1]
    for y in range(height + 1, rows):
        for x in range(full):
            plane[y, x] = plane[height, x]


@_compiled
def _last_colours(planes, at, below):
    """Of a last column that has no neighbour."""
    sums = [2 * (np.int64(planes[c, at]) + np.int64(planes[c, at + below])) for c in range(3)]
    one, other = _colours_of(sums[0], sums[1], sums[2])
    return min(max(one, 0), 255), min(max(other, 0), 255)


@_compiled
def taken(pixels, height, width, planes, bright, colour):
    """A picture (H W 3,) to its brightness and two colours (2, h, w), by way of a band of planes (3, n)."""
    band, half = 2 * max(1, BAND // (2 * width)), -(-width // 2)
    given, full, coarse = planes.ctypes.data, bright.ctypes.data + MARGIN, colour.ctypes.data + MARGIN
    red, green, blue = given, given + planes.shape[1], given + 2 * planes.shape[1]
    for top in range(0, height, band):
        rows = min(band, height - top)
        take_apart(pixels[3 * width * top : 3 * width * (top + rows)], width * rows, planes)
        for y in range(rows):
            at, into = y * width, full + (1 + top + y) * bright.shape[1]
            _brightness(red + at, green + at, blue + at, into, -(-width // LANES))
        for y in range(0, rows, 2):
            at, below, row = y * width, width if y + 1 < rows else 0, 1 + (top + y) // 2
            one, other = coarse + row * colour.shape[2], coarse + (row + colour.shape[1]) * colour.shape[2]
            _colours(red + at, green + at, blue + at, below, one, other, -(-half // LANES))
            if width % 2:
                made = _last_colours(planes, at + width - 1, below)
                colour[0, row, MARGIN + half - 1], colour[1, row, MARGIN + half - 1] = made
    _filled(bright, height, width)
    for c in range(2):
        _filled(colour[c], -(-height // 2), half)


@_compiled
def given(bright, colour, height, width, planes, pixels):
    """The way back."""
    band, half, last = 2 * max(1, BAND // (2 * width)), -(-width // 2), -(-height // 2) - 1
    for c in range(2):
        for y in range(colour.shape[1]):
            colour[c, y, MARGIN - 1], colour[c, y, MARGIN + half] = colour[c, y, MARGIN], colour[c, y, MARGIN + half - 1]
    into, full, coarse, step = planes.ctypes.data, bright.ctypes.data + MARGIN, colour.ctypes.data + MARGIN, colour.shape[2]
    red, green, blue, apart = into, into + planes.shape[1], into + 2 * planes.shape[1], colour.shape[1] * step
    for top in range(0, height, band):
        rows = min(band, height - top)
        for y in range(top, top + rows):
            near = y // 2
            far = min(max(near + (1 if y % 2 else -1), 0), last)
            one, other, at = coarse + (1 + near) * step, coarse + (1 + far) * step, (y - top) * width
            row = full + (1 + y) * bright.shape[1]
            _picture(row, one, other, one + apart, other + apart, red + at, green + at, blue + at, -(-half // LANES))
        put_together(planes, width * rows, pixels[3 * width * top : 3 * width * (top + rows)])


@_compiled
def grey_taken(pixels, height, width, bright):
    """A picture (H W,) of one channel to its brightness."""
    for y in range(height):
        for x in range(width):
            value = np.int64(pixels[y * width + x])
            bright[1 + y, MARGIN + x] = _brightness_of(value, value, value)
    _filled(bright, height, width)


@_compiled
def grey_given(bright, height, width, pixels):
    """The way back; of three channels that differ by rounding, green, as grey of them would be."""
    for y in range(height):
        for x in range(width):
            pixels[y * width + x] = min(max(_shown_of(np.int64(bright[1 + y, MARGIN + x]), 128, 128)[1] >> 6, 0), 255)
