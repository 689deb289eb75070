"""Tables made from a sample's own histogram: equalisation, stretching, matching.

8-bit values are their own bins. For uint16 and float32 the 256 bins lie between the lowest and the highest value of the sample's
channel, with a bin's middle at k / 255 of the way, and tables are read with linear interpolation, so that nothing is banded.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vicinal.backend.chain_lookup import look_up, look_up_pixels
from vicinal.backend.effects.veil import compiled, limits

TOP = np.float32(255)
CHUNK = 1024  # pixels at a time, so that what is spread over channels stays in the cache


@compiled
def _luma(flat, out):
    """ITU-R BT.601 of (n 3,) 8-bit values, in 16-bit weights as Pillow rounds it; sums stay below 2**24, so float32 is exact."""
    red, green, blue, half, unit = np.float32(19595), np.float32(38470), np.float32(7471), np.float32(32768), np.float32(1 / 65536)
    for i in range(out.shape[0]):
        whole = red * np.float32(flat[3 * i]) + green * np.float32(flat[3 * i + 1]) + blue * np.float32(flat[3 * i + 2]) + half
        out[i] = np.uint8(np.int32(whole * unit))


@compiled
def _count8(flat, channels, counts):
    """Add the (n C,) values of one 8-bit sample to counts (2, C, 256): neighbours go to two tables, as they are often alike."""
    pixels = flat.shape[0] // channels
    if channels == 3:
        first, second = counts[0], counts[1]
        for i in range(pixels // 2):
            at = 6 * i
            first[0, flat[at]] += 1
            first[1, flat[at + 1]] += 1
            first[2, flat[at + 2]] += 1
            second[0, flat[at + 3]] += 1
            second[1, flat[at + 4]] += 1
            second[2, flat[at + 5]] += 1
        start = pixels // 2 * 6
    elif channels == 1:
        first, second = counts[0, 0], counts[1, 0]
        for i in range(pixels // 2):
            first[flat[2 * i]] += 1
            second[flat[2 * i + 1]] += 1
        start = pixels // 2 * 2
    else:
        start = 0
    for i in range(start, flat.shape[0]):
        counts[0, i % channels, flat[i]] += 1


@compiled
def _counted8(images, luma):
    """(b, K, 256) counts of 8-bit images (b, n C), K = 1 with luma."""
    batch, channels = images.shape[0], images.shape[2]
    flat = images.reshape(batch, -1)
    kept, grey = 1 if luma else channels, np.empty(images.shape[1], np.uint8)
    counts, halves = np.empty((batch, kept, 256), np.int32), np.empty((2, kept, 256), np.int32)
    for b in range(batch):
        halves[:] = 0
        if luma:
            _luma(flat[b], grey)
            _count8(grey, 1, halves)
        else:
            _count8(flat[b], channels, halves)
        for c in range(kept):
            for k in range(256):
                counts[b, c, k] = halves[0, c, k] + halves[1, c, k]
    return counts


@compiled
def _grey(pixel):
    return np.float32(0.299) * pixel[0] + np.float32(0.587) * pixel[1] + np.float32(0.114) * pixel[2]


@compiled
def _counted_wide(images, luma):
    """(b, K, 256) counts between the lowest and the highest value, and those: (b, K, 2), in units of the dtype."""
    batch, pixels, channels = images.shape
    kept = 1 if luma else channels
    counts, ends = np.zeros((batch, kept, 256), np.int32), np.empty((batch, kept, 2), np.float32)
    for b in range(batch):
        for c in range(kept):
            low, high = np.float32(np.inf), np.float32(-np.inf)
            for i in range(pixels):
                value = _grey(images[b, i]) if luma else np.float32(images[b, i, c])
                low, high = min(low, value), max(high, value)
            scale = TOP / (high - low) if high > low else np.float32(0)
            ends[b, c, 0], ends[b, c, 1] = low, high
            for i in range(pixels):
                value = _grey(images[b, i]) if luma else np.float32(images[b, i, c])
                counts[b, c, int((value - low) * scale + np.float32(0.5))] += 1
    return counts, ends


@compiled
def _equal(counts, whole, below, out):
    """The share of values below each bin; in whole numbers exactly as Pillow's ``ImageOps.equalize`` does it. False: leave as it is.

    below: room for 256 sums.
    """
    last, total = 255, np.int32(0)
    for k in range(256):
        below[k] = total
        total += counts[k]
    while last > 0 and counts[last] == 0:
        last -= 1
    rest = np.int64(total) - counts[last]
    step = rest // 255
    if rest == 0 or (whole and step == 0):
        return False
    if whole:
        # The quotient of whole numbers: half of one more takes it away from the next one by more than what the product is rounded.
        start, share = step // 2 + 0.5, 1 / step
        for k in range(256):
            out[k] = min(np.float32(np.int32((below[k] + start) * share)), TOP)
    else:
        for k in range(256):
            out[k] = np.float32(below[k]) * TOP / np.float32(rest)
    return True


@compiled
def _first(counts, cut, start, step):
    """The first bin that keeps anything when ``cut`` values are taken away from one end; Pillow's rule."""
    k = start
    while 0 <= k + step < 256 and cut > counts[k]:
        cut -= counts[k]
        counts[k] = 0
        k += step
    counts[k] = max(counts[k] - cut, 0)
    k = start
    while 0 <= k + step < 256 and counts[k] == 0:
        k += step
    return k


@compiled
def _stretched(counts, cutoff, whole, out):
    """Lowest to highest bin, without ``cutoff`` percent of the values at each end, over the whole range; as Pillow's ``autocontrast``."""
    left, cut = counts.copy(), np.int64(counts.sum() * cutoff // 100)
    _first(left, cut, 0, 1)
    high = _first(left, cut, 255, -1)
    low = _first(left, 0, 0, 1)
    if high <= low:
        return False
    scale = 255.0 / (high - low)
    offset = -low * scale
    for k in range(256):
        value = min(max(k * scale + offset, 0.0), 255.0)
        out[k] = np.float32(int(value)) if whole else np.float32(value)
    return True


@compiled
def _matched(counts, quantiles, values, out):
    """The reference's value at the share of values up to each bin: its (m,) ``quantiles`` rise strictly, ``values`` go with them."""
    total, seen, j, last = counts.sum(), 0, 0, quantiles.shape[0] - 1
    for k in range(256):
        seen += counts[k]
        share = seen / total
        while j < last and quantiles[j] < share:
            j += 1
        if j == 0 or quantiles[j] < share:
            out[k] = np.float32(values[j])
        else:
            along = (share - quantiles[j - 1]) / (quantiles[j] - quantiles[j - 1])
            out[k] = np.float32(values[j - 1] + along * (values[j] - values[j - 1]))


@compiled
def _laws(counts, law, argument, whole, out):
    """Tables (b, K, 256) in units of 8 bits by a law: 0 equalise, 1 stretch by (b,) cutoffs; and (b, K) where there is one."""
    made, below = np.zeros(counts.shape[:2], np.bool_), np.empty(256, np.int32)
    for b in range(counts.shape[0]):
        for c in range(counts.shape[1]):
            if law == 0:
                made[b, c] = _equal(counts[b, c], whole, below, out[b, c])
            else:
                made[b, c] = _stretched(counts[b, c], argument[b], whole, out[b, c])
    return made


@compiled
def _final8(tables, made, amount):
    """Tables mixed with the identity and rounded."""
    out = np.empty(tables.shape, np.uint8)
    for b in range(tables.shape[0]):
        share = np.float32(amount[b])
        for c in range(tables.shape[1]):
            for k in range(256):
                value = np.float32(k)
                value += share * (tables[b, c, k] - value) if made[b, c] else np.float32(0)
                out[b, c, k] = np.uint8(np.int32(value + np.float32(0.5)))
    return out


@compiled
def _looked_up(images, tables, out):
    """Every 8-bit value (b, n, C) in its table (b, 1 or C, 256)."""
    batch, channels, kept = images.shape[0], images.shape[2], tables.shape[1]
    source, target = images.reshape(batch, -1), out.reshape(batch, -1)
    for b in range(batch):
        flat, made = source[b], target[b]
        if kept == 1:
            look_up(tables[b, 0], flat, made)
        elif channels == 3:
            look_up_pixels(tables[b], flat, made)
        else:
            for i in range(flat.shape[0]):
                made[i] = tables[b, i % channels, flat[i]]


@compiled
def _shifted8(images, tables, out):
    """Every 8-bit pixel (b, n, 3) moved as its luma moves by the table (b, 1, 256), so that chroma stays."""
    batch = images.shape[0]
    source, target = images.reshape(batch, -1), out.reshape(batch, -1)
    grey, by, wide = np.empty(images.shape[1], np.uint8), np.empty(256, np.int16), np.empty(3 * CHUNK, np.int16)
    for b in range(batch):
        flat, made = source[b], target[b]
        for k in range(256):
            by[k] = np.int16(tables[b, 0, k]) - np.int16(k)
        _luma(flat, grey)
        for start in range(0, images.shape[1], CHUNK):
            count = min(CHUNK, images.shape[1] - start)
            for i in range(count):
                shift = by[grey[start + i]]
                wide[3 * i], wide[3 * i + 1], wide[3 * i + 2] = shift, shift, shift
            old, new = flat[3 * start : 3 * (start + count)], made[3 * start : 3 * (start + count)]
            for i in range(3 * count):
                new[i] = np.uint8(min(max(np.int32(old[i]) + np.int32(wide[i]), np.int32(0)), np.int32(255)))


@compiled
def _read(table, value, low, scale):
    """A table at a value, between bins by linear interpolation; beyond the ends the end."""
    at = min(max((value - low) * scale, np.float32(0)), TOP)
    k = min(int(at), 254)
    return table[k] + (at - np.float32(k)) * (table[k + 1] - table[k])


@compiled
def _applied_wide(images, tables, made, ends, amount, shift, top, half, out):
    """Values of (b, n, C) in any dtype through tables in units of 8 bits; with ``shift`` pixels move as their luma does."""
    kept, unit = tables.shape[1], top / TOP
    for b in range(images.shape[0]):
        share = np.float32(amount[b])
        for i in range(images.shape[1]):
            grey = _grey(images[b, i]) if shift else np.float32(0)
            for c in range(images.shape[2]):
                k, value = min(c, kept - 1), np.float32(images[b, i, c])
                if made[b, k]:
                    low, scale = ends[b, k, 0], TOP / (ends[b, k, 1] - ends[b, k, 0])
                    before = grey if shift else value
                    value += share * (_read(tables[b, k], before, low, scale) * unit - before)
                out[b, i, c] = min(max(value, np.float32(0)), top) + half


Law = Callable[[NDArray, bool, NDArray], NDArray]


def _by_law(images: NDArray, law: Law, amount: NDArray, luma: bool = False, shift: bool = False) -> NDArray:
    """Count, make the tables by ``law(counts, whole, tables)``, which says where there is one, and look every value up."""
    flat, out = images.reshape(len(images), -1, images.shape[3]), np.empty_like(images)
    target, luma = out.reshape(flat.shape), luma and images.shape[3] == 3
    if images.dtype == np.uint8:
        counts = _counted8(flat, luma)
        tables = np.empty(counts.shape, np.float32)
        final = _final8(tables, law(counts, True, tables), amount)
        (_shifted8 if shift and luma else _looked_up)(flat, final, target)
        return out
    counts, ends = _counted_wide(flat, luma)
    tables = np.empty(counts.shape, np.float32)
    made = law(counts, False, tables) & (ends[..., 0] < ends[..., 1])
    top, half = limits(images)
    _applied_wide(flat, tables, made, ends, amount, shift and luma, top, half, target)
    return out


def equalize(images: NDArray, *, amount: NDArray) -> NDArray:
    """Channel by channel; amount (b,)."""
    return _by_law(images, lambda counts, whole, out: _laws(counts, 0, amount, whole, out), amount)


def equalize_luma(images: NDArray, *, amount: NDArray) -> NDArray:
    """By the luma of three channels, chroma kept; other numbers of channels one by one."""
    return _by_law(images, lambda counts, whole, out: _laws(counts, 0, amount, whole, out), amount, luma=True, shift=True)


def autocontrast(images: NDArray, *, amount: NDArray, cutoff: NDArray) -> NDArray:
    """Channel by channel; amount (b,), cutoff (b,) percent at each end."""
    return _by_law(images, lambda counts, whole, out: _laws(counts, 1, cutoff, whole, out), amount)


def autocontrast_luma(images: NDArray, *, amount: NDArray, cutoff: NDArray) -> NDArray:
    """One table, from the luma, for all three channels; other numbers of channels one by one."""
    return _by_law(images, lambda counts, whole, out: _laws(counts, 1, cutoff, whole, out), amount, luma=True)


def matched(images: NDArray, targets: list[list[tuple[NDArray, NDArray]]], amount: NDArray) -> NDArray:
    """To the (quantiles, values) of a target for every sample and channel; values in units of 8 bits."""

    def law(counts: NDArray, whole: bool, out: NDArray) -> NDArray:
        for b, channels in enumerate(targets):
            for c, (quantiles, values) in enumerate(channels):
                _matched(counts[b, c], quantiles, values, out[b, c])
        return np.ones(counts.shape[:2], np.bool_)

    return _by_law(images, law, amount)
