"""Dense noise in compiled loops, a batch at a time; bit for bit what ``vicinal.backend.noise`` says in NumPy.

A block of draws goes through one short loop after the other, so that all but the look-up in the table work on whole vector registers.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.chain_steps import MAGIC
from vicinal.backend.kernels import hashed
from vicinal.backend.noise import EIGHT_BIT, HALF, PART, PART_BITS, SALT, knots, sizes
from vicinal.core.batch import RANGES
from vicinal.core.primitive import Noise

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_UNIT = np.float32(2**-24)
BLOCK = 2048  # draws that stay in the first cache until they are added
_LAWS = {"uniform": 0, "gaussian": 1}
_UNIFORM, GAUSSIAN, _TAILS = range(3)
_OVERFLOWS = {"clip": 0, "renormalise": 1, "keep": 2}
_CLIP, _RENORMALISE = 0, 1
_LARGE = 1 << 16  # values of a sample from which on a table of its own pays


def noisy(primitive: Noise, images: NDArray) -> NDArray:
    """Equal images (b, H, W, C) with their noise."""
    out, eight = np.empty_like(images), images.dtype == np.uint8
    flat, made = images.reshape(len(images), -1), out.reshape(len(images), -1)
    low, high, share = (field.astype(np.float32) for field in (primitive.low, primitive.high, primitive.share))
    if eight and not primitive.times:  # in levels
        low, high = low * np.float32(255), high * np.float32(255)
    size = sizes(primitive.law, primitive.degrees) if eight else np.empty(0, np.float32)
    if _tabled(primitive, flat):
        _moved(flat, made, primitive.key, high, size)
        return out
    top = (np.float64 if images.dtype == np.float64 else np.float32)(RANGES[str(images.dtype)])
    _noisy(flat, made, primitive.key, low, high - low, share, _LAWS.get(primitive.law, _TAILS), pairs(primitive.law, primitive.degrees),
           size, images.shape[-1] if primitive.shared else 1, primitive.times, type(top)(1) if eight else top, top, eight,
           _OVERFLOWS[primitive.overflow], images.dtype.kind == "u")  # fmt: skip
    return out


def _tabled(primitive: Noise, flat: NDArray) -> bool:
    """Whether a table of every sample's own, which lies in the first cache, is worth making: for large 8-bit images, all values alike."""
    plain = primitive.overflow == "clip" and not (primitive.shared or primitive.times or primitive.law == "uniform")
    return flat.dtype == np.uint8 and flat.shape[1] >= _LARGE and plain and bool((primitive.share >= 1).all())


@lru_cache(maxsize=64)
def pairs(law: str, degrees: float = 1.0) -> NDArray[np.uint64]:
    """(n,) the table of a law: a knot and the way to the next one side by side, so that one load fetches both."""
    table = knots(law, degrees)
    return np.stack([table[:-1], np.diff(table)], 1).view(np.uint64).ravel()


@_compiled
def hashed_run(word, first, key0, key1):
    """The words of the positions from ``first`` on."""
    for i in range(word.shape[0]):
        word[i] = first + i
    for i in range(word.shape[0]):  # read as 32 bits: products of the loop's own 64-bit counter would take twice as long
        word[i] = hashed(word[i], key0, key1)


@_compiled
def _tail_places(word, place):
    """The exponent of a float counts the halvings, the bits behind its point lie evenly between them."""
    for i in range(word.shape[0]):
        bits = np.float32(np.float32(np.int32(word[i] & np.uint32(0x7FFFFFFF))) + np.float32(0.5)).view(np.uint32)
        place[i] = bits - np.uint32(HALF)


@_compiled
def _looked_up(table, place, shift, found):
    for i in range(place.shape[0]):
        found[i] = table[np.uintp(place[i] >> shift)]


@_compiled
def _between(found, place, down, between, word, signed, low, span, noise):
    """Interpolated, signed by the uppermost bit, shifted and scaled; ``found`` are knots and ways in turn."""
    share = np.float32(1) / np.float32(between)
    for i in range(place.shape[0]):
        part = np.float32(np.int32((place[i] >> down) & np.uint32(between - 1))) * share
        size = found[2 * i] + part * found[2 * i + 1]
        noise[i] = low + (-size if signed and word[i] >> np.uint32(31) else size) * span


@_compiled
def _uniform(word, low, span, noise):
    for i in range(word.shape[0]):
        noise[i] = low + np.float32(np.int32(word[i] >> np.uint32(8))) * _UNIT * span


@_compiled
def _thinned(word, share, noise):
    for i in range(word.shape[0]):
        if np.float32(np.int32(word[i] >> np.uint32(8))) * _UNIT >= share:
            noise[i] = np.float32(0)


@_compiled
def _repeated(draws, times, noise):
    for i in range(draws.shape[0]):
        for c in range(times):
            noise[i * times + c] = draws[i]


@_compiled
def _sums(values, noise, scale, times, made):
    """Values plus noise in units of ``scale``, or of themselves."""
    for i in range(values.shape[0]):
        value = type(scale)(values[i])
        made[i] = value + noise[i] * (value if times else scale)


@_compiled
def _clipped(values, noise, scale, top, times, whole, out):
    for i in range(values.shape[0]):
        value = type(scale)(values[i])
        value = min(max(value + noise[i] * (value if times else scale), top - top), top)
        out[i] = (value + MAGIC) - MAGIC if whole else value


@_compiled
def rescaled(made, top, whole, out):
    """Linearly into the range, no further than they left it."""
    low, high = min(made.min(), top - top), max(made.max(), top)
    gain = top / (high - low)
    for i in range(made.shape[0]):
        value = min(max((made[i] - low) * gain, top - top), top)
        out[i] = (value + MAGIC) - MAGIC if whole else value


@_compiled
def scratch():
    """Room for a block of draws: words, places in the table, what was found there."""
    return np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.uint64)


@_compiled
def drawn(room, first, n, key0, key1, law, table, low, span, draws):
    """``n`` draws of the positions from ``first`` on, at most a block: ``low + span * q`` with q of the law whose ``pairs`` are given."""
    word, place, found = room[0][:n], room[1][:n], room[2]
    hashed_run(word, first, key0, key1)
    if law == _UNIFORM:
        _uniform(word, low, span, draws)
    elif law == GAUSSIAN:
        # Of the upper 24 bits, 12 are the knot and 12 lie between two.
        _looked_up(table, word, np.uint32(20), found)
        _between(found.view(np.float32), word, np.uint32(8), 1 << 12, word, False, low, span, draws)
    else:
        _tail_places(word, place)
        _looked_up(table, place, np.uint32(PART_BITS), found)
        _between(found.view(np.float32), place, np.uint32(0), PART, word, True, low, span, draws)


@_compiled
def _drawn_levels(room, first, n, key0, key1, law, size, low, span, whole, draws):
    """The same for 8-bit images: the upper bit is the sign, the others are the place in the table of sizes."""
    word, half = room[0][: (n + 1) // 2], room[0].view(np.uint16)
    hashed_run(word, first // 2, key0, key1)
    if law == _UNIFORM:
        for i in range(n):
            draws[i] = low + (np.float32(half[i]) + np.float32(0.5)) * np.float32(2**-16) * span
    else:
        for i in range(n):
            draws[i] = size[np.uintp(half[i] & np.uint16(EIGHT_BIT - 1))]
        for i in range(n):
            draws[i] = (-draws[i] if half[i] >= np.uint16(EIGHT_BIT) else draws[i]) * span
    if whole:
        for i in range(n):
            draws[i] = np.rint(draws[i])


@_compiled
def _moved(images, out, keys, span, size):
    """8-bit images by whole levels of a symmetric law: sizes once for each sample, as bytes."""
    word, found = np.empty(BLOCK, np.uint32), np.empty(2 * BLOCK, np.uint8)
    half = word.view(np.uint16)  # the lower half first, as on every machine that Numba compiles for here
    levels, count = np.empty(EIGHT_BIT, np.uint8), images.shape[1]
    for b in range(images.shape[0]):
        for i in range(EIGHT_BIT):
            levels[i] = (min(size[i] * span[b], np.float32(255)) + MAGIC) - MAGIC
        for first in range(0, count, 2 * BLOCK):
            n = min(2 * BLOCK, count - first)
            hashed_run(word[: (n + 1) // 2], first // 2, keys[b, 0], keys[b, 1])
            for i in range(n):
                found[i] = levels[np.uintp(half[i] & np.uint16(EIGHT_BIT - 1))]
            _signed_sums(images[b, first : first + n], half, found, out[b, first : first + n])


@_compiled
def _signed_sums(values, half, size, out):
    for i in range(values.shape[0]):
        sign = np.int16(np.int16(half[i]) >> np.int16(15))
        value = np.int16(np.int16(values[i]) + np.int16((np.int16(size[i]) ^ sign) - sign))
        out[i] = min(max(value, np.int16(0)), np.int16(255))


@_compiled
def _noisy(images, out, keys, low, span, share, law, table, size, repeat, times, scale, top, eight, overflow, whole):
    """``repeat`` values in a row share a draw, which counts ``scale``; sums are made in the dtype of that."""
    count = images.shape[1]
    room, draws, repeated = scratch(), np.empty(BLOCK, np.float32), np.empty(BLOCK * repeat, np.float32)
    made = np.full(count if overflow == _RENORMALISE else 0, scale)
    for b in range(images.shape[0]):
        key0, key1 = keys[b, 0], keys[b, 1]
        for first in range(0, count // repeat, BLOCK):
            n = min(BLOCK, count // repeat - first)
            if eight:
                _drawn_levels(room, first, n, key0, key1, law, size, low[b], span[b], not times, draws)
            else:
                drawn(room, first, n, key0, key1, law, table, low[b], span[b], draws)
            if share[b] < 1:
                hashed_run(room[0][:n], first, key0 ^ np.uint32(SALT), key1)
                _thinned(room[0][:n], share[b], draws)
            if repeat > 1:
                _repeated(draws[:n], repeat, repeated)
            noise, start, stop = repeated if repeat > 1 else draws, first * repeat, (first + n) * repeat
            if overflow == _CLIP:
                _clipped(images[b, start:stop], noise, scale, top, times, whole, out[b, start:stop])
            elif overflow == _RENORMALISE:
                _sums(images[b, start:stop], noise, scale, times, made[start:stop])
            else:
                _sums(images[b, start:stop], noise, scale, times, out[b, start:stop])
        if overflow == _RENORMALISE:
            rescaled(made, top, whole, out[b])
