"""Correlation in compiled loops: the kernel's taps are added up over lines of values, in registers (``filter_lanes``).

A strip of the image is written out with its mirrored margins, so that a tap is nothing but the same line read from another place. The
dtype of the lines says how sums are held: float32, or 16-bit whole numbers, of which a product keeps the upper half.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.extending import overload

from vicinal.backend.chain_steps import MAGIC
from vicinal.backend.filter_lanes import SHORTS, added, levels

_compiled = njit(nogil=True, cache=True, error_model="numpy")
VALUES, LEAST = 24576, 8  # of a strip, besides its margins, and its rows at least
LEVEL_BITS = 7
LEVEL = 1 << LEVEL_BITS  # what a level counts in sums of 16 bits, less what the kernels need as room
DENSE = 600  # taps above which Fourier space is faster
FLOAT, SHORT, SUMS, BOX, SPECTRUM = range(5)


@_compiled
def mirrored(count, before, after):
    """(before + count + after,) indices below ``count``, reflected at the middle of the edge pixels as often as needed."""
    out = np.zeros(before + count + after, np.int64)
    if count > 1:
        for i in range(len(out)):
            place = abs(i - before) % (2 * count - 2)
            out[i] = min(place, 2 * count - 2 - place)
    return out


@_compiled
def _gathered(kernel, side, step, channels, unit, offsets, weights):
    """The taps in the (high, wide) middle of a kernel that are not 0, as distances along the lines. Weights in units of which ``unit`` are
    1, rounded; as they are where that is 0. Returns how many taps there are."""
    top, left, count = (kernel.shape[0] - side[0]) // 2, (kernel.shape[1] - side[1]) // 2, 0
    for y in range(side[0]):
        for x in range(side[1]):
            weight = kernel[top + y, left + x]
            if weight != 0:
                # Half a unit, the largest that there is, may be a unit short.
                offsets[count] = y * step + x * channels
                weights[count] = min(max(np.rint(weight * unit), -32767.0), 32767.0) if unit > 0 else weight
                count += 1
    return count


@_compiled
def _copied(line, at, values, start, count, level):
    """Values in units of the sums."""
    at, start = np.uintp(at), np.uintp(start)  # unsigned indices need no look at negative ones, which would keep loops scalar
    for i in range(np.uintp(count)):
        line[at + i] = values[start + i] * level


@_compiled
def margins(lines, start, many, step, columns, margin, channels):
    """What is mirrored on either side of rows that lie behind their left margins: ``many`` of them, ``step`` apart."""
    each, right = np.uintp(channels), len(columns) - margin
    one, two = np.uintp(1), np.uintp(2)
    for x in range(margin):
        for place, of in ((x, columns[x] + margin), (right + x, columns[right + x] + margin)):
            at, source = np.uintp(start + place * channels), np.uintp(start + of * channels)
            for _ in range(many):
                if channels == 3:
                    lines[at], lines[at + one], lines[at + two] = lines[source], lines[source + one], lines[source + two]
                else:
                    for c in range(each):
                        lines[at + c] = lines[source + c]
                at, source = at + np.uintp(step), source + np.uintp(step)


@_compiled
def _stored(out, at, line, count, gain, lift, low, top, whole):
    at = np.uintp(at)
    for i in range(np.uintp(count)):
        value = min(max(np.float32(line[i]) * gain + lift, low), top)
        out[at + i] = (value + MAGIC) - MAGIC if whole else value


@_compiled
def _sharpened(out, at, values, line, count, amount, threshold, top, whole):
    """``x + amount * (x - blurred)`` where the difference reaches the threshold."""
    at = np.uintp(at)
    for i in range(np.uintp(count)):
        given = np.float32(values[at + i])
        difference = given - min(max(np.float32(line[i]), np.float32(0)), top)
        value = given + (amount * difference if abs(difference) >= threshold else np.float32(0))
        value = min(max(value, np.float32(0)), top)
        out[at + i] = (value + MAGIC) - MAGIC if whole else value


@_compiled
def _strip(source, step, values, base, wide, rows, margin, columns, channels, level):
    """The rows of an image, given by number, one below the other with their margins."""
    y = 0
    while y < len(rows):
        run = 1
        if margin == 0:  # rows that follow one another are one copy
            while y + run < len(rows) and rows[y + run] == rows[y] + run:
                run += 1
        _copied(source, y * step + margin * channels, values, base + rows[y] * wide, run * wide, level)
        y += run
    margins(source, 0, len(rows), step, columns, margin, channels)


@_compiled
def correlate(values, shape, chosen, kernels, rows, sides, bits, out, like, low, top, whole, amount, threshold):
    """Of values of a (B, H, W, C) shape, in one dimension, the chosen ones: through kernels (B, kh, kw), then rows (B, 1, kr).

    sides, bits: what ``forms`` says of kernels and rows; like: an array with a one of the dtype of the sums; low, top: between which
    results are kept; amount, threshold: (B,) float32 of unsharp masks, or (0,).
    """
    _, height, width, channels = shape
    wide, short = width * channels, like.itemsize == 2
    over, beside = sides[:, 0].max() // 2, max(sides[:, 1].max(), sides[:, 2].max()) // 2
    strip, most = min(height, max(VALUES // wide, LEAST)), wide + 2 * beside * channels
    vertical, across = mirrored(height, over, over), mirrored(width, beside, beside)
    source, lines = np.empty((strip + 2 * over) * most + SHORTS, like.dtype), np.empty((2, strip * most + SHORTS), like.dtype)
    room = max(kernels[0].size, rows[0].size)
    offsets, weights = np.empty((2, room), np.int64), np.empty((2, room), like.dtype)
    for b in chosen:
        high, deep, aside = sides[b]
        twice, margin, further = aside > 0, deep // 2, aside // 2
        step, wider = wide + 2 * margin * channels, wide + 2 * further * channels
        one, two = (2.0 ** (16 - bits[b, 0]), 2.0 ** (16 - bits[b, 1])) if short else (0.0, 0.0)
        taps = _gathered(kernels[b], (high, deep), step, channels, one, offsets[0], weights[0])
        more = _gathered(rows[b], (1, aside), wider, channels, two, offsets[1], weights[1]) if twice else 0
        near, far = across[beside - margin : width + beside + margin], across[beside - further : width + beside + further]
        for start in range(0, height, strip):
            many, at = min(strip, height - start), (b * height + start) * wide
            needed = vertical[over - high // 2 + start : over + high // 2 + start + many]
            _strip(source, step, values, b * height * wide, wide, needed, margin, near, channels, like[0] * LEVEL if short else like[0])
            given = (source, step, many, wide, offsets[0], weights[0], taps)
            if twice:
                added(*given, lines[0], further * channels, wider)
                margins(lines[0], 0, many, wider, far, further, channels)
                given = (lines[0], wider, many, wide, offsets[1], weights[1], more)
            if len(amount) > 0:
                added(*given, lines[1], 0, wide)
                _sharpened(out, at, values, lines[1], many * wide, amount[b], threshold[b], top, whole)
            else:
                _last(given, lines[1], out, at, low, top, whole, taps + more, LEVEL_BITS - int(bits[b].sum()))


def _last(given, sums, out, at, low, top, whole, taps, shift):
    """The last kernel, by what ``added`` takes, and its sums as values.

    taps: of all kernels; shift: by how many bits sums of 16 bits are more than levels.
    """
    raise NotImplementedError("compiled code only")


@overload(_last)
def _last_of(given, sums, out, at, low, top, whole, taps, shift):
    return _to_levels if sums.dtype == types.int16 else _to_values


def _to_values(given, sums, out, at, low, top, whole, taps, shift):
    many, wide = given[2], given[3]
    added(*given, sums, 0, wide)
    _stored(out, at, sums, many * wide, np.float32(1), np.float32(0), low, top, whole)


def _to_levels(given, sums, out, at, low, top, whole, taps, shift):
    # What is cut off of a product is half a unit in the mean: half as many units as there are taps are made good. A level has an even
    # number of units, so there are halves of a level where that is a whole number; these go to even levels.
    many, wide, gain, even = given[2], given[3], np.float32(2.0**-shift), taps % 2 == 0
    if wide >= SHORTS:
        half, ties = (1 << shift >> 1) - (even and shift > 0), even == (shift > 0)
        levels(*given, out, at, wide, np.int16(taps // 2), np.int16(half), np.int16(ties), np.int16(shift))
        return
    added(*given, sums, 0, wide)
    _stored(out, at, sums, many * wide, gain, np.float32(0.5 * taps) * gain, low, top, whole)


@_compiled
def _form(kernel):
    """Of a kernel: how many taps it has, its height and width without zeros around it, the largest and the smallest size of a tap, and the
    sum of sizes."""
    taps, high, wide, large, small, total = 0, 1, 1, 0.0, np.inf, 0.0
    for y in range(kernel.shape[0]):
        for x in range(kernel.shape[1]):
            size = abs(kernel[y, x])
            if size > 0:
                high, wide = max(high, 2 * abs(y - kernel.shape[0] // 2) + 1), max(wide, 2 * abs(x - kernel.shape[1] // 2) + 1)
                taps, large, small, total = taps + 1, max(large, size), min(small, size), total + size
    return taps, high, wide, large, small, total


@_compiled
def _same(kernel, taps):
    return taps == 1 and kernel[kernel.shape[0] // 2, kernel.shape[1] // 2] == 1


@_compiled
def _even(taps, high, wide, large, small):
    """True for a centred box: all weights are one, and they sum to 1."""
    return taps == high * wide and large - small < 1e-9 and abs(large * taps - 1) < 1e-9 * taps


@_compiled
def _bits(large, total):
    """By how many bits 16-bit sums are shifted down to hold twice the largest weight, and all weights."""
    return np.ceil(np.log2(max(2 * large, total / 1.001, 1.0)))


@_compiled
def forms(kernels, rows, eight, large, sums):
    """Of kernels (B, kh, kw) and rows (B, 1, kr), the way that suits each pair; (B, 3) height and width of the one, without the zeros that
    only others of the batch need, and width of the other, 0 where it changes nothing; and (B, 2) bits, by how many sums are shifted down.

    eight: from bytes to bytes; large: an image is; sums: the largest window for sums of whole numbers.
    """
    ways, sides, bits = np.full(len(kernels), FLOAT), np.empty((len(kernels), 3), np.int64), np.zeros((len(kernels), 2))
    for b in range(len(kernels)):
        one, two = _form(kernels[b]), _form(rows[b])
        alone = _same(rows[b], two[0])
        sides[b, 0], sides[b, 1], sides[b, 2] = one[1], one[2], 0 if alone else two[2]
        bits[b, 0], bits[b, 1] = _bits(one[3], one[5]), 0.0 if alone else _bits(two[3], two[5])
        # A product that is cut off is wrong by half a unit at most, once its mean loss is made good: half a level for all together.
        missed = one[0] * 2.0 ** bits[b, 0] + (0.0 if alone else two[0] * 2.0 ** (bits[b, 0] + bits[b, 1]))
        if eight and missed <= LEVEL:
            ways[b] = SHORT
        pixels = one[0] * two[0]
        if pixels > 1 and _even(*one[:5]) and _even(*two[:5]) and (one[2] == 1 or alone):
            ways[b] = SUMS if eight and pixels <= sums else BOX if large else ways[b]
        elif large and ways[b] == FLOAT and alone and one[0] > DENSE:
            ways[b] = SPECTRUM
    return ways, sides, bits
