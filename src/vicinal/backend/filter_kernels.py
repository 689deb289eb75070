"""Correlation in compiled loops: the kernel's taps are added up over long lines of values, four at a time.

A strip of the image is written out with its mirrored margins, so that a tap is nothing but the same line read from another place. The
dtype of the lines says how sums are held: float32, or 16-bit whole numbers, of which a product keeps the upper half.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.extending import overload

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_MAGIC = np.float32(12582912.0)  # as in ``kernels``: adding and subtracting it rounds to even
BLOCK = 4096  # values that stay in the first cache while taps are added to them
STRIP = 32  # rows written out at a time, besides the margins


def _more(total, value, weight):
    """``total + value * weight``; of 16-bit products the upper half."""
    raise NotImplementedError("compiled code only")


@overload(_more)
def _more_of(total, value, weight):
    # Cast at every step: the compiler knows this form as one instruction.
    if total == types.int16:
        return lambda total, value, weight: np.int16(total + np.int16(np.int32(np.int32(value) * np.int32(weight)) >> np.int32(16)))
    return lambda total, value, weight: total + value * weight


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
def _gathered(kernel, step, channels, offsets, weights):
    """The taps that are not 0, as distances along the lines; filled up with zeros to a multiple of four. Returns how many there are."""
    count = 0
    for y in range(kernel.shape[0]):
        for x in range(kernel.shape[1]):
            if kernel[y, x] != 0:
                offsets[count], weights[count] = y * step + x * channels, kernel[y, x]
                count += 1
    for tap in range(count, (count + 3) // 4 * 4):
        offsets[tap], weights[tap] = 0, 0
    return count


@_compiled
def _four(total, values, start, stop, offsets, weights, tap):
    o, p, q, r = np.uintp(offsets[tap]), np.uintp(offsets[tap + 1]), np.uintp(offsets[tap + 2]), np.uintp(offsets[tap + 3])
    a, b, c, d = weights[tap], weights[tap + 1], weights[tap + 2], weights[tap + 3]
    for i in range(start, stop):
        two = _more(_more(total[i], values[o + i], a), values[p + i], b)
        total[i] = _more(_more(two, values[q + i], c), values[r + i], d)


@_compiled
def _added(total, values, count, offsets, weights, taps):
    """``total[i] = sum of weights[t] * values[i + offsets[t]]`` for i below ``count``, block by block."""
    for start in range(0, count, BLOCK):
        stop = min(start + BLOCK, count)
        total[start:stop] = 0
        for tap in range(0, taps, 4):
            _four(total, values, np.uintp(start), np.uintp(stop), offsets, weights, tap)


@_compiled
def _copied(line, at, values, start, count, level):
    """Values in units of the sums."""
    at, start = np.uintp(at), np.uintp(start)  # unsigned indices need no look at negative ones, which would keep loops scalar
    for i in range(np.uintp(count)):
        line[at + i] = values[start + i] * level


@_compiled
def _margins(line, at, columns, margin, channels):
    """What is mirrored on either side of a row that lies behind its left margin."""
    last = len(columns) - 1
    for x in range(margin):
        left, right = columns[x] + margin, columns[last - x] + margin
        for c in range(channels):
            line[at + x * channels + c] = line[at + left * channels + c]
            line[at + (last - x) * channels + c] = line[at + right * channels + c]


@_compiled
def _stored(out, at, line, start, count, gain, lift, low, top, whole):
    at, start = np.uintp(at), np.uintp(start)
    for i in range(np.uintp(count)):
        value = min(max(np.float32(line[start + i]) * gain + lift, low), top)
        out[at + i] = (value + _MAGIC) - _MAGIC if whole else value


@_compiled
def _strip(source, step, values, base, wide, rows, margin, columns, channels, level):
    """The rows of an image, given by number, one below the other with their margins."""
    y = 0
    while y < len(rows):
        run = 1
        if margin == 0:  # rows that follow one another are one copy
            while y + run < len(rows) and rows[y + run] == rows[y] + run:
                run += 1
        at = y * step
        _copied(source, at + margin * channels, values, base + rows[y] * wide, run * wide, level)
        if margin > 0:
            _margins(source, at, columns, margin, channels)
        y += run


@_compiled
def correlate(values, shape, chosen, kernels, rows, out, like, level, gain, lost, twice, low, top, whole):
    """Of values of a (B, H, W, C) shape, in one dimension, the chosen (b,): through kernels (b, kh, kw), then rows (b, 1, kr) if ``twice``.

    ``like`` is an array with a one of the dtype of the sums, in which kernels and rows are given too. A value counts ``level`` on the way
    in; sums are raised by ``lost`` for each tap, multiplied by ``gain`` (b,) and kept in [low, top] on the way out.
    """
    _, height, width, channels = shape
    wide, strip = width * channels, min(height, STRIP)
    over, beside, aside = kernels.shape[1] // 2, kernels.shape[2] // 2, rows.shape[2] // 2
    vertical = mirrored(height, over, over)
    near, far = mirrored(width, beside, beside), mirrored(width, aside, aside)
    step, wider = wide + 2 * beside * channels, wide + 2 * aside * channels
    source, total = np.empty((strip + 2 * over) * step, like.dtype), np.empty(strip * step, like.dtype)
    padded, result = np.empty(strip * wider, like.dtype), np.empty(strip * wider, like.dtype)
    offsets, across = np.empty(kernels[0].size + 3, np.int64), np.empty(rows[0].size + 3, np.int64)
    weights, share = np.empty(len(offsets), like.dtype), np.empty(len(across), like.dtype)
    for b in range(len(chosen)):
        taps = _gathered(kernels[b], step, channels, offsets, weights)
        more = _gathered(rows[b], wider, channels, across, share) if twice[b] else 0
        lift = np.float32(lost * (taps + more)) * gain[b]
        for start in range(0, height, strip):
            many, base = min(strip, height - start), chosen[b] * height * wide
            _strip(source, step, values, base, wide, vertical[start : start + many + 2 * over], beside, near, channels, level)
            _added(total, source, (many - 1) * step + wide, offsets, weights, taps)
            done, line = total, step
            if twice[b]:
                for y in range(many):
                    _copied(padded, y * wider + aside * channels, total, y * step, wide, like[0])
                    _margins(padded, y * wider, far, aside, channels)
                _added(result, padded, (many - 1) * wider + wide, across, share, more)
                done, line = result, wider
            base += start * wide
            if line == wide:
                _stored(out, base, done, 0, many * wide, gain[b], lift, low, top, whole)
            else:
                for y in range(many):
                    _stored(out, base + y * wide, done, y * line, wide, gain[b], lift, low, top, whole)
