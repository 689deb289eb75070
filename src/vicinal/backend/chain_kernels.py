"""The interpreter of pointwise chains: images block by block through the steps of their own chain.

The values of a block lie channel by channel in a float32 buffer that stays in the fastest cache, so that every loop is over neighbours
in memory and becomes vector instructions. Nothing is reordered or contracted: a value goes through the same float32 operations wherever
in an image or in a table it stands, so its bits depend neither on its block nor on whether a table was used.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from vicinal.backend.chain_lookup import (
    byte_planes,
    joined,
    look_up,
    look_up_floats,
    look_up_pixels,
    split,
)
from vicinal.backend.chain_matrix import NUMBERS, one_matrix, prepared
from vicinal.backend.chain_steps import (
    CURVE,
    MAGIC,
    MATRIX,
    POWER,
    ROUND,
    apply,
    bits_of,
    clipped,
    fused,
    is_neutral,
)
from vicinal.backend.streams import LARGE, settle, stream
from vicinal.backend.vectors import WIDE, widest

BLOCK = 6144  # values, of all channels: they and their copies stay in the fastest cache
WORTH_A_TABLE = 7  # linear steps that take as long as one look-up

_compiled = njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def _planned(codes, ends, p, start, channels, scale, todo):
    """Write the steps that change something into ``todo``; how many there are, and which of those is the first that mixes channels."""
    count, mixing = 0, -1
    for k in range(len(codes)):
        at = start + ends[k]
        stored = codes[k] == ROUND and count == 0 and p[at] == scale  # values as they come are rounded already
        if stored or is_neutral(codes[k], p, at, ends[k + 1] - ends[k], channels):
            continue
        if codes[k] >= MATRIX and mixing < 0:
            mixing = count
        todo[count] = k
        count += 1
    return count, mixing if mixing >= 0 else count


@_compiled
def _cost(codes, todo, count):
    """Of the first steps, in linear steps."""
    total = 0
    for k in range(count):
        total += 33 if codes[todo[k]] == CURVE else 11 if codes[todo[k]] == POWER else 1
    return total


@_compiled
def _widened(raw, n, first, second, values):
    """Stored numbers k to k / scale in float32; the two products sum to it correctly rounded."""
    widest()
    for c in range(raw.shape[0]):
        row, wide = raw[c], values[c]
        for x in range(n):
            k = np.float32(row[x])
            wide[x] = fused(k, first, k * second)


@_compiled
def _stored(values, scale, row):
    """Values of a channel to whole numbers of 1 / scale, or as they are where it is 0."""
    widest()
    if scale == 0:
        for x in range(row.shape[0]):
            row[x] = values[x]
    else:
        for x in range(row.shape[0]):
            row[x] = bits_of(clipped(values[x]) * scale + MAGIC)


@_compiled
def _placed(values, start, n, scale, made, planar, flat):
    """A block stored in an image, channels first where ``planar``; ``made`` is room for it."""
    widest()
    channels = values.shape[0]
    pixels = flat.shape[0] // channels
    for c in range(channels):
        at = c * pixels + start
        _stored(values[c], scale, flat[at : at + n] if planar else made[c, :n])
    if not planar:
        joined(made, n, flat[start * channels : (start + n) * channels])


@_compiled
def _streamed(values, start, n, planar, spare, flat):
    """A block of floats past the caches; ``spare`` is room for it."""
    channels = values.shape[0]
    if planar:
        for c in range(channels):
            at = c * (flat.shape[0] // channels) + start
            stream(values[c, :n], flat[at : at + n])
    else:
        made = spare.reshape(-1)[: n * channels]
        joined(values, n, made)
        stream(made, flat[start * channels : (start + n) * channels])


@_compiled
def _write(values, start, n, target, raw, short, planar, past, spare, into):
    """To the bytes of an image of any dtype."""
    if target == 255:
        _placed(values, start, n, target, raw, planar, into)
    elif target == 65535:
        _placed(values, start, n, target, short, planar, into.view(np.uint16))
    elif past:
        _streamed(values, start, n, planar, spare, into.view(np.float32))
    elif planar:
        _placed(values, start, n, target, values, planar, into.view(np.float32))
    else:
        joined(values, n, into.view(np.float32)[start * values.shape[0] : (start + n) * values.shape[0]])


@_compiled
def _read(flat, start, n, scale, first, second, short, values):
    """From the bytes of a 16-bit or float image."""
    channels = values.shape[0]
    begin, end = start * channels, (start + n) * channels
    if scale == 65535:
        split(flat.view(np.uint16)[begin:end], n, short)
        _widened(short, n, first, second, values)
    else:
        split(flat.view(np.float32)[begin:end], n, values)


@_compiled
def _to_bytes(codes, ends, p, start, todo, count, mixing, target):
    """How many of the first steps lead from one 8-bit number to another."""
    if mixing == count and target == 255:
        return count
    for k in range(mixing):
        if codes[todo[k]] == ROUND and p[start + ends[todo[k]]] == 255:
            return k + 1
    return 0


@_compiled
def _tabulated(codes, ends, p, start, knots, todo, count, first, second, table):
    """What the first steps make of every 8-bit value, (C, 256)."""
    widest()
    for c in range(table.shape[0]):
        for k in range(256):
            table[c, k] = fused(np.float32(k), first, np.float32(k) * second)
    for j in range(count):
        k = todo[j]
        apply(codes[k], table, 256, p, start + ends[k], ends[k + 1] - ends[k], knots[k], table)


@_compiled
def _alike(p, start, count):
    """Whether the numbers from ``start`` on are those before it."""
    differing = 0
    for k in range(start, start + count):
        differing += p[k] != p[k - count]
    return differing == 0


@_compiled
def run(src, out, channels, planar, codes, ends, knots, params, scale, first, second, target):
    """Run a chain over a batch of images of uint8, uint16 or float32.

    src, out: (B, bytes) of images (N, C), or (C, N) where out is ``planar``; codes, knots: (n,) of the steps; params: (B, ends[n])
    float32, of which step k has those from ends[k] to ends[k + 1]; scale: 1 / scale is the unit of src, which is first + second; target:
    1 / target is the unit of out, 0 for floats.
    """
    widest()
    size = 1 if scale == 255 else 2 if scale == 65535 else 4
    pixels, block = src.shape[1] // (channels * size), max(BLOCK // channels, 1)
    values, spare = np.empty((channels, block), np.float32), np.empty((channels, block), np.float32)
    raw, short = np.empty((channels, block), np.uint8), np.empty((channels, block), np.uint16)
    table, entries = np.empty((channels, 256), np.float32), np.empty((channels, 256), np.uint8)
    planes, numbers = np.empty((channels, 4, 256), np.uint8), np.empty(NUMBERS, np.float32)
    todo, eight = np.empty(len(codes), np.int64), scale == 255 and pixels > 256
    same = not planar and target == (scale if scale > 1 else 0)
    count, mixing, done, kind, tabled, alone = 0, 0, 0, 0, False, False
    past = target == 0 and out.size > LARGE
    p, total, stop = params.reshape(-1), params.shape[1], 0
    source, made = src.reshape(-1), out.reshape(-1)
    while stop < src.shape[0]:
        b, start, stop = stop, stop * total, stop + 1
        while not planar and stop < src.shape[0] and _alike(p, stop * total, total):
            stop += 1  # images that go through one and the same chain are as good as one long image
        flat, into = source[b * src.shape[1] : stop * src.shape[1]], made[b * out.shape[1] : stop * out.shape[1]]
        if b == 0 or not _alike(p, start, total):
            count, mixing = _planned(codes, ends, p, start, channels, scale, todo)
            # The first steps by a table of bytes, where they lead to bytes, or by a table of floats, where they are many.
            done = _to_bytes(codes, ends, p, start, todo, count, mixing, target) if eight else 0
            if not WIDE and _cost(codes, todo, done) <= WORTH_A_TABLE:
                done = 0
            tabled = eight and done == 0 and _cost(codes, todo, mixing) > WORTH_A_TABLE
            if tabled:
                _tabulated(codes, ends, p, start, knots, todo, mixing, first, second, table)
                for c in range(channels):
                    byte_planes(table[c], planes[c])
            elif done > 0:
                _tabulated(codes, ends, p, start, knots, todo, done, first, second, table)
                _stored(table.reshape(-1), np.float32(255), entries.reshape(-1))
            alone = same and scale == 255 and channels == 3 and count == 1 and codes[todo[0]] == MATRIX
            if alone:
                kind = prepared(p, start + ends[todo[0]], first, second, numbers)
        if same and count == 0:
            for x in range(flat.shape[0]):
                into[x] = flat[x]
            continue
        if same and 0 < done == count and channels in (1, 3):
            if channels == 1:
                look_up(entries[0], flat, into)
            else:
                look_up_pixels(entries, flat, into)
            continue
        if alone:
            one_matrix(flat, into, kind, numbers, raw)
            continue
        for low in range(0, (stop - b) * pixels, block):
            n = min(block, (stop - b) * pixels - low)
            if scale == 255:
                split(flat[low * channels : (low + n) * channels], n, raw)
                if done > 0:
                    for c in range(channels):
                        look_up(entries[c], raw[c, :n], raw[c, :n])
                if same and done == count:
                    joined(raw, n, into[low * channels : (low + n) * channels])
                    continue
                if tabled:
                    for c in range(channels):
                        look_up_floats(table[c], planes[c], raw[c, :n], values[c, :n])
                else:
                    _widened(raw, n, first, second, values)
            else:
                _read(flat, low, n, scale, first, second, short, values)
            for k in todo[mixing if tabled else done : count]:
                apply(codes[k], values, n, p, start + ends[k], ends[k + 1] - ends[k], knots[k], spare)
            _write(values, low, n, target, raw, short, planar, past, spare, into)
    if past:
        settle()
