"""The mean of enlargements about the centre."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from vicinal.backend.chain_steps import MAGIC
from vicinal.backend.lanes import constant, everywhere, loaded, stored
from vicinal.backend.vectors import WIDE, instruction

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_ALIKE = np.uint64(0x0001000100010001)  # times a number: four lanes of it


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
                out[b, y, i] = (value + MAGIC) - MAGIC if whole else min(value, np.float32(1))


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


def _mix(context: Any, words: Any, top: Any, down: Any, step: Any, last: Any, lines: Any, apart: Any, count: Any, blocks: Any) -> Any:
    """``count`` lines, ``apart`` bytes from one to the next, of ``blocks`` times 32 lanes: each between two rows, rounded to whole levels.

    Addresses of rows of words, ``step`` bytes each, of which ``last`` is the last one; of 64-bit numbers of the upper row of each line; and
    of 16-bit shares, in 1/256, of the lower one.
    """
    return types.void(*[types.intp] * 9), _generated_mix


def _generated_mix(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    words, top, down, step, last, lines, apart, count, blocks = args
    form, word = ir.VectorType(ir.IntType(16), 32), ir.IntType(64)

    def at(base: Any, number: Any, size: Any, kind: Any) -> Any:
        return loaded(builder, builder.add(base, builder.mul(number, size)), kind)

    with cgutils.for_range(builder, count) as zoom:
        above, part = at(top, zoom.index, word(8), word), everywhere(builder, at(down, zoom.index, word(2), form.element), form)
        below = builder.select(builder.icmp_signed("<", above, last), builder.add(above, word(1)), above)
        one, other = (builder.add(words, builder.mul(row, step)) for row in (above, below))
        rest, line = builder.sub(constant(256, form), part), builder.add(lines, builder.mul(zoom.index, apart))
        with cgutils.for_range(builder, blocks) as loop:
            upper, lower = (at(base, loop.index, word(64), form) for base in (one, other))
            total = builder.add(builder.add(builder.mul(upper, rest), builder.mul(lower, part)), constant(128, form))
            into = builder.add(line, builder.mul(loop.index, word(64)))
            stored(builder, builder.lshr(total, constant(8, form)), into)
    return context.get_dummy_value()


def _spread(context: Any, total: Any, lines: Any, apart: Any, places: Any, parts: Any, step: Any, count: Any, blocks: Any) -> Any:
    """Into 32-bit totals, in 1/256 of a level, ``blocks`` times 8 words: the sums over ``count`` lines of what lies between the word at its
    place and the next one.

    Addresses of the totals, four a word; of lines, which lie ``apart`` bytes from one another; of places that rise by 1 at most; and of the
    shares of the next word, of four lanes. Places and shares lie ``step`` bytes from line to line.
    """
    return types.void(*[types.intp] * 8), _generated


def _generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    total, lines, apart, places, parts, step, count, blocks = args
    word = ir.IntType(64)
    words, sums = ir.VectorType(word, 8), ir.VectorType(ir.IntType(32), 32)
    held = cgutils.alloca_once(builder, sums)
    with cgutils.for_range(builder, blocks) as loop:
        offset = builder.mul(loop.index, word(64))
        builder.store(constant(0, sums), held)
        with cgutils.for_range(builder, count) as zoom:
            skipped = builder.add(offset, builder.mul(zoom.index, step))
            place, part = (loaded(builder, builder.add(start, skipped), words) for start in (places, parts))
            made = _between(builder, builder.add(lines, builder.mul(zoom.index, apart)), place, part)
            builder.store(builder.add(builder.load(held), builder.zext(made, sums)), held)
        stored(builder, builder.load(held), builder.add(total, builder.add(offset, offset)))
    return context.get_dummy_value()


def _between(builder: Any, line: Any, place: Any, part: Any) -> Any:
    """32 lanes, each between the one at its place and the next one."""
    words, lanes, word = place.type, ir.VectorType(ir.IntType(16), 32), ir.IntType(64)
    taken = instruction(builder, "permvar.di.512", words, words, words)
    first = builder.extract_element(place, ir.IntType(32)(0))
    begin, order = builder.add(line, builder.mul(first, word(8))), builder.sub(place, everywhere(builder, first, words))
    near = (builder.call(taken, [loaded(builder, builder.add(begin, word(shift)), words), order]) for shift in (0, 8))
    left, right, part = (builder.bitcast(value, lanes) for value in (*near, part))
    rest = builder.sub(constant(256, lanes), part)
    return builder.add(builder.mul(left, rest), builder.mul(right, part))


_mixed: Any = intrinsic(_mix)
_by_eight: Any = intrinsic(_spread)


@_compiled
def _gathered(total, lanes, start, places, parts, at, width):
    """The same of one line, lane by lane; a product never leaves its 16 bits. For the last words, and where such instructions lack."""
    for x in range(width // 8 * 8 if WIDE else 0, width):
        for c in range(4):
            place, part = start + 4 * places[at + x] + c, np.uint32(parts[4 * (at + x) + c])
            total[4 * x + c] += np.uint32(lanes[place]) * (np.uint32(256) - part) + np.uint32(lanes[place + 4]) * part


@_compiled
def _row(total, words, height, width, count, lines, top, down, left, right, y):
    """What all enlargements add to a row."""
    room, at = width + 9, lines.ctypes.data
    tops, shares = top.ctypes.data + 8 * count * y, down.ctypes.data + 2 * count * y
    _mixed(words.ctypes.data, tops, shares, 8 * width, height - 1, at, 8 * room, count, (width + 7) // 8)
    done = width // 8 * 8 if WIDE else 0
    if WIDE:
        _by_eight(total.ctypes.data, at, 8 * room, left.ctypes.data, right.ctypes.data, 8 * width, count, width // 8)
    if done < width:
        total[4 * done :] = 0
        lanes, parts = lines.view(np.uint16), right.view(np.uint16)
        for k in range(count):
            _gathered(total, lanes, 4 * k * room, left, parts, k * width, width)


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
    """For every row and factor, and for every factor and column, what is sampled, and shares in 1/256, of columns for four lanes each."""
    part, places, count = np.empty(max(height, width)), np.empty(max(height, width), np.int64), len(factors)
    for k in range(count):
        _along(height, factors[k], places, part)
        for y in range(height):
            top[y * count + k], down[y * count + k] = places[y], np.uint16(part[y] * 256 + 0.5)
        if width != height:
            _along(width, factors[k], places, part)
        for x in range(width):
            left[k * width + x], right[k * width + x] = places[x], np.uint64(part[x] * 256 + 0.5) * _ALIKE


@_compiled
def _zoomed_words(images, out, factors, channels):
    """Row by row: what all enlargements add to it stays in the first cache."""
    height, width, count = images.shape[1], images.shape[2] // channels, factors.shape[1]
    top, left = np.empty(count * height, np.int64), np.empty(count * width, np.int64)
    down, right = np.empty(count * height, np.uint16), np.empty(count * width, np.uint64)
    lanes, lines = np.zeros(4 * height * width + 32, np.uint16), np.zeros(count * (width + 9), np.uint64)
    total, made, share = np.empty(4 * width, np.uint32), np.empty(4 * width, np.uint8), np.float32(1 / (256 * count))
    for b in range(images.shape[0]):
        if (factors[b] == 1).all():
            out[b] = images[b]
            continue
        flat = out[b].reshape(-1)
        _packed(images[b], lanes, channels)
        _placed(factors[b], height, width, top, down, left, right)
        for y in range(height):
            _row(total, lanes, height, width, count, lines, top, down, left, right, y)
            _unpacked(flat, y * width * channels, total, made, channels, share)
