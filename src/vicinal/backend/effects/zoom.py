"""The mean of enlargements about the centre."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from vicinal.backend.chain_lookup import WIDE

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_MAGIC = np.float32(12582912.0)  # as in ``kernels``: adding and subtracting it rounds to even


def zoomed(images: NDArray, *, factors: NDArray) -> NDArray:
    """The mean of enlargements about the centre by (b, n) factors of 1 or more, sampled linearly.

    8-bit images of at most four channels are sampled to 1/256 of a pixel.
    """
    out = np.empty_like(images)
    flat = len(images), images.shape[1], -1
    if images.dtype == np.uint8 and images.shape[3] <= 4:
        _zoomed_words(images.reshape(flat), out.reshape(flat), factors, images.shape[3])
    else:
        _zoomed(images.reshape(flat), out.reshape(flat), factors, images.shape[3], images.dtype.kind == "u")
    return out


@_compiled
def _along(size, factor, left, part):
    """Where the centres of ``size`` pixels lie in the image, as an index, which rises by 1 at most, and the share of the next pixel."""
    for i in range(size):
        place = min(max((i + 0.5 - size / 2) / factor + size / 2 - 0.5, 0.0), size - 1.0)
        left[i] = min(np.int64(place), max(size - 2, 0), left[i - 1] + 1 if i else size)
        part[i] = place - left[i]


@_compiled
def _zoomed(images, out, factors, channels, whole):
    height, wide = images.shape[1], images.shape[2]
    width, share = wide // channels, np.float32(1 / factors.shape[1])
    top, left = np.empty(height, np.int64), np.empty(width, np.int64)
    down, right = np.empty(height, np.float32), np.empty(width, np.float32)
    total, line = np.empty((height, wide), np.float32), np.zeros(wide + channels, np.float32)
    for b in range(images.shape[0]):
        if (factors[b] == 1).all():
            out[b] = images[b]
            continue
        total[:] = 0
        for factor in factors[b]:
            _along(height, factor, top, down)
            _along(width, factor, left, right)
            for y in range(height):
                above, below = images[b, top[y]], images[b, min(top[y] + 1, height - 1)]
                for i in range(wide):
                    line[i] = np.float32(above[i]) + down[y] * (np.float32(below[i]) - np.float32(above[i]))
                for x in range(width):
                    at = left[x] * channels
                    for c in range(channels):
                        total[y, x * channels + c] += line[at + c] + right[x] * (line[at + channels + c] - line[at + c])
        for y in range(height):
            for i in range(wide):
                value = total[y, i] * share
                out[b, y, i] = (value + _MAGIC) - _MAGIC if whole else min(value, np.float32(1))


@_compiled
def _packed(image, lanes, channels):
    """The channels of a pixel side by side in the 16-bit lanes of one word."""
    flat = image.reshape(-1)
    if channels == 3:
        for x in range(len(flat) // 3):
            word, at = np.uintp(4 * x), np.uintp(3 * x)
            lanes[word], lanes[word + np.uintp(1)], lanes[word + np.uintp(2)] = flat[at], flat[at + np.uintp(1)], flat[at + np.uintp(2)]
    else:
        for x in range(len(flat) // channels):
            for c in range(channels):
                lanes[4 * x + c] = flat[x * channels + c]


@_compiled
def _mixed(line, lanes, above, below, part, count):
    """Two rows of 16-bit lanes into one, rounded to whole levels."""
    rest = np.uint16(256 - part)
    for i in range(count):
        two = np.uint16(np.uint16(lanes[above + i] * rest) + np.uint16(lanes[below + i] * part))
        line[i] = np.uint16(two + np.uint16(128)) >> np.uint16(8)


def _spread(context: Any, total: Any, line: Any, places: Any, parts: Any, blocks: Any) -> Any:
    """Add to 32-bit totals ``blocks`` times 8 words of a line, each between the word at its place and the next one, in 1/256 of a level.

    Addresses of the totals, four a word; of the line; of places that rise by 1 at most; and of the shares of the next word, of four lanes.
    """
    return types.void(types.intp, types.intp, types.intp, types.intp, types.intp), _generated


def _generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    total, line, places, parts, blocks = args
    word = ir.IntType(64)
    words, lanes, sums = (ir.VectorType(ir.IntType(bits), 512 // bits * more) for bits, more in ((64, 1), (16, 1), (32, 2)))
    taken = cgutils.get_or_insert_function(builder.module, ir.FunctionType(words, [words] * 2), "llvm.x86.avx512.permvar.di.512")

    def at(base: Any, offset: Any, kind: Any) -> Any:
        return builder.inttoptr(builder.add(base, offset), kind.as_pointer())

    with cgutils.for_range(builder, blocks) as loop:
        offset = builder.mul(loop.index, word(64))
        place = builder.load(at(places, offset, words), align=8)
        first = builder.extract_element(place, ir.IntType(32)(0))
        blank, zeros = ir.Constant(words, ir.Undefined), ir.Constant(ir.VectorType(ir.IntType(32), 8), [0] * 8)
        start = builder.shuffle_vector(builder.insert_element(blank, first, ir.IntType(32)(0)), blank, zeros)
        begin, order = builder.add(line, builder.mul(first, word(8))), builder.sub(place, start)
        left, right = (builder.call(taken, [builder.load(at(begin, word(shift), words), align=8), order]) for shift in (0, 8))
        part = builder.load(at(parts, offset, lanes), align=2)
        rest = builder.sub(ir.Constant(lanes, [256] * 32), part)
        left, right = builder.bitcast(left, lanes), builder.bitcast(right, lanes)
        made = builder.zext(builder.add(builder.mul(left, rest), builder.mul(right, part)), sums)
        into = at(total, builder.add(offset, offset), sums)
        builder.store(builder.add(builder.load(into, align=4), made), into, align=4)
    return context.get_dummy_value()


_by_eight: Any = intrinsic(_spread)


@_compiled
def _gathered(total, lanes, places, parts, at, width):
    """The same, lane by lane; a product never leaves its 16 bits. For the last words, and where there are no such instructions."""
    for x in range(width // 8 * 8 if WIDE else 0, width):
        for c in range(4):
            place, part = 4 * places[at + x] + c, np.uint32(parts[4 * (at + x) + c])
            total[4 * x + c] += np.uint32(lanes[place]) * (np.uint32(256) - part) + np.uint32(lanes[place + 4]) * part


@_compiled
def _row(total, words, height, width, line, top, down, left, right, y):
    """What all enlargements add to a row."""
    lanes, sums, given = line.view(np.uint16), total.ctypes.data, line.ctypes.data
    places, parts = left.ctypes.data, right.ctypes.data
    total[:] = 0
    for k in range(len(top) // height):
        above = top[k * height + y]
        one, other, part = np.uintp(4 * above * width), np.uintp(4 * min(above + 1, height - 1) * width), down[k * height + y]
        _mixed(lanes, words, one, other, part, np.uintp(4 * width))
        if WIDE:
            _by_eight(sums, given, places + 8 * k * width, parts + 8 * k * width, width // 8)
        _gathered(total, lanes, left, right, k * width, width)


@_compiled
def _unpacked(out, at, total, made, channels, share):
    for i in range(len(made)):
        made[i] = np.uint8(np.int32(np.float32(total[i]) * share + np.float32(0.5)))
    if channels == 3:
        for x in range(len(made) // 4):
            to, word = np.uintp(at + 3 * x), np.uintp(4 * x)
            out[to], out[to + np.uintp(1)], out[to + np.uintp(2)] = made[word], made[word + np.uintp(1)], made[word + np.uintp(2)]
    else:
        for x in range(len(made) // 4):
            for c in range(channels):
                out[at + x * channels + c] = made[4 * x + c]


@_compiled
def _placed(factors, height, width, top, down, left, right):
    """For every factor the rows and columns that are sampled, and their shares in 1/256, those of columns for four lanes each."""
    part, places = np.empty(max(height, width)), np.empty(max(height, width), np.int64)
    for k in range(factors.shape[0]):
        _along(height, factors[k], places, part)
        for y in range(height):
            top[k * height + y], down[k * height + y] = places[y], np.uint16(part[y] * 256 + 0.5)
        _along(width, factors[k], places, part)
        for x in range(width):
            left[k * width + x] = places[x]
            for c in range(4):
                right[4 * (k * width + x) + c] = np.uint16(part[x] * 256 + 0.5)


@_compiled
def _zoomed_words(images, out, factors, channels):
    """Row by row: what all enlargements add to it stays in the first cache."""
    height, width, count = images.shape[1], images.shape[2] // channels, factors.shape[1]
    top, left = np.empty(count * height, np.int64), np.empty(count * width, np.int64)
    down, right = np.empty(count * height, np.uint16), np.empty(count * width * 4, np.uint16)
    lanes, line = np.zeros(4 * height * width, np.uint16), np.zeros(width + 9, np.uint64)
    total, made, share = np.empty(4 * width, np.uint32), np.empty(4 * width, np.uint8), np.float32(1 / (256 * count))
    for b in range(images.shape[0]):
        if (factors[b] == 1).all():
            out[b] = images[b]
            continue
        flat = out[b].reshape(-1)
        _packed(images[b], lanes, channels)
        _placed(factors[b], height, width, top, down, left, right)
        for y in range(height):
            _row(total, lanes, height, width, line, top, down, left, right, y)
            _unpacked(flat, y * width * channels, total, made, channels, share)
