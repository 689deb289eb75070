"""The interpreter of pointwise chains: images block by block through the steps of their own chain.

The values of a block lie channel by channel in a float32 buffer that stays in the fastest cache, so that every loop is over neighbours
in memory and becomes vector instructions. Nothing is reordered or contracted: a value goes through the same float32 operations wherever
in an image or in a table it stands, so its bits depend neither on its block nor on whether a table was used.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from vicinal.backend.chain_steps import CURVE, MAGIC, MATRIX, POWER, ROUND, apply, bits_of, clipped, is_neutral

BLOCK = 6144  # values, of all channels: they and their copies stay in the fastest cache
WORTH_A_TABLE = 8  # linear steps that take as long as one look-up

_compiled = njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def _planned(codes, ends, p, channels, scale, todo):
    """Write the steps that change something into ``todo``; how many there are, and which of those is the first that mixes channels."""
    count, mixing = 0, -1
    for k in range(len(codes)):
        own = p[ends[k] : ends[k + 1]]
        stored = codes[k] == ROUND and count == 0 and own[0] == scale  # values as they come are rounded already
        if stored or is_neutral(codes[k], own, channels):
            continue
        if codes[k] >= MATRIX and mixing < 0:
            mixing = count
        todo[count] = k
        count += 1
    return count, mixing if mixing >= 0 else count


@_compiled
def _cost(codes, todo):
    """Of some steps, in linear steps."""
    total = 0
    for k in todo:
        total += 36 if codes[k] == CURVE else 24 if codes[k] == POWER else 1
    return total


@_compiled
def _split(pixels, n, planes):
    """n pixels (n C,) to channels (C, >= n)."""
    channels = planes.shape[0]
    if channels == 1:
        only = planes[0]
        for x in range(n):
            only[x] = pixels[x]
    elif channels == 3:
        red, green, blue = planes[0], planes[1], planes[2]
        for x in range(n):
            red[x], green[x], blue[x] = pixels[3 * x], pixels[3 * x + 1], pixels[3 * x + 2]
    else:
        for c in range(channels):
            for x in range(n):
                planes[c, x] = pixels[x * channels + c]


@_compiled
def _joined(planes, n, pixels):
    """The way back."""
    channels = planes.shape[0]
    if channels == 1:
        only = planes[0]
        for x in range(n):
            pixels[x] = only[x]
    elif channels == 3:
        red, green, blue = planes[0], planes[1], planes[2]
        for x in range(n):
            pixels[3 * x], pixels[3 * x + 1], pixels[3 * x + 2] = red[x], green[x], blue[x]
    else:
        for c in range(channels):
            for x in range(n):
                pixels[x * channels + c] = planes[c, x]


@_compiled
def _widened(raw, n, first, second, values):
    """Stored numbers k to k / scale in float32; the two products sum to it correctly rounded."""
    for c in range(raw.shape[0]):
        row, wide = raw[c], values[c]
        for x in range(n):
            k = np.float32(row[x])
            wide[x] = k * first + k * second


@_compiled
def _looked_up(raw, n, table, values):
    for c in range(raw.shape[0]):
        row, entries, wide = raw[c], table[c], values[c]
        for x in range(n):
            wide[x] = entries[np.uintp(row[x])]


@_compiled
def _stored(values, scale, row):
    """Values of a channel to whole numbers of 1 / scale, or as they are where it is 0."""
    if scale == 0:
        for x in range(row.shape[0]):
            row[x] = values[x]
    else:
        for x in range(row.shape[0]):
            row[x] = bits_of(clipped(values[x]) * scale + MAGIC)


@_compiled
def _tabulated(codes, ends, p, knots, todo, table):
    """What the first steps make of every 8-bit value, (C, 256)."""
    first, second = np.float32(257 / 65536), np.float32(1 / 255 - 257 / 65536)
    for c in range(table.shape[0]):
        for k in range(256):
            table[c, k] = np.float32(k) * first + np.float32(k) * second
    for k in todo:
        apply(codes[k], table, 256, p[ends[k] : ends[k + 1]], knots[k], table)


@_compiled
def run(src, out, planar, codes, ends, knots, params, scale, first, second, target):
    """Run a chain over a batch.

    src (B, N, C); out (B, N, C), or (B, C, N) where ``planar``; codes (n,) and knots (n,) of the steps; params (B, ends[n]) float32, of
    which step k has those from ends[k] to ends[k + 1]; 1 / scale is the unit of src and first + second = 1 / scale in two parts; 1 / target
    is the unit of out, 0 for floats.
    """
    batch, pixels, channels = src.shape
    block = max(BLOCK // channels, 1)
    values, spare = np.empty((channels, block), np.float32), np.empty((channels, block), np.float32)
    raw, made = np.empty((channels, block), src.dtype), np.empty((channels, block), out.dtype)
    table, todo = np.empty((channels, 256), np.float32), np.empty(len(codes), np.int64)
    same = not planar and target == (scale if scale > 1 else 0)
    for b in range(batch):
        flat, into, p = src[b].reshape(-1), out[b].reshape(-1), params[b]
        count, mixing = _planned(codes, ends, p, channels, scale, todo)
        if same and count == 0:
            for x in range(flat.shape[0]):
                into[x] = flat[x]
            continue
        tabled = scale == 255 and pixels > 256 and _cost(codes, todo[:mixing]) > WORTH_A_TABLE
        if tabled:
            _tabulated(codes, ends, p, knots, todo[:mixing], table)
        for start in range(0, pixels, block):
            n = min(block, pixels - start)
            _split(flat[start * channels : (start + n) * channels], n, raw)
            if tabled:
                _looked_up(raw, n, table, values)
            else:
                _widened(raw, n, first, second, values)
            for k in todo[mixing if tabled else 0 : count]:
                apply(codes[k], values, n, p[ends[k] : ends[k + 1]], knots[k], spare)
            for c in range(channels):
                if planar:
                    _stored(values[c], target, into[c * pixels + start : c * pixels + start + n])
                else:
                    _stored(values[c], target, made[c, :n])
            if not planar:
                _joined(made, n, into[start * channels : (start + n) * channels])
