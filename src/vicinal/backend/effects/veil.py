"""Veils: a field over the canvas, made from a key, through which every pixel is drawn to a colour. What light and weather share.

One loop serves all of them: ``value + alpha * (colour - weight * value)``. With weight 1 a value is drawn to the colour (haze: white,
shadow: black, contrast: the pivot, with alpha of either sign), with weight 0 the colour is added. Where alpha is 0 the bits stay.

The field is value noise in octaves (Ebert et al., "Texturing and modeling", 2003, chapter 2): each octave halves the cells of the one
before by the rule of the quadratic B-spline (Chaikin, 1974) and adds new hashed values, so that the surface has no creases. The values
depend on the key and the place alone: a small image shows the same clouds as a large one.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.kernels import hashed
from vicinal.core.batch import RANGES, name_of

compiled = njit(nogil=True, cache=True, error_model="numpy")
_UNIT = np.float32(2**-24)
FINEST = 256  # cells along the longer side: a veil is soft, and finer ones would only cost time


@compiled
def unit(position, key0, key1):
    """A number in [0, 1) for a position under a key."""
    return np.float32(hashed(position, key0, key1) >> np.uint32(8)) * _UNIT


@compiled
def _added(field, level, amplitude, key0, key1):
    """Hashed values of one octave, added to a field."""
    for i in range(field.shape[0]):
        row, start = field[i], np.int64(level << 24) + (i << 12)
        for j in range(row.shape[0]):
            row[j] += amplitude * unit(start + j, key0, key1)


@compiled
def _finer(field):
    """Control points of the same surface over cells of half the size."""
    height, width = field.shape
    fine = np.empty((2 * height - 2, 2 * width - 2), np.float32)
    near, far, line = np.float32(0.75), np.float32(0.25), np.empty(width, np.float32)
    for y in range(fine.shape[0]):
        one, other = (field[y >> 1], field[(y >> 1) + 1]) if y % 2 == 0 else (field[(y >> 1) + 1], field[y >> 1])
        for j in range(width):
            line[j] = near * one[j] + far * other[j]
        row = fine[y]
        for j in range(width - 1):
            row[2 * j], row[2 * j + 1] = near * line[j] + far * line[j + 1], far * line[j] + near * line[j + 1]
    return fine


@compiled
def fractal(height, width, cells, roughness, key0, key1):
    """Control points of fractal noise that spans [0, 1], and how many cells they are to a pixel.

    ``cells`` of the coarsest octave lie along the longer side; octaves go down to two pixels. Point (i, j) of the result lies at
    ((j - 0.5), (i - 0.5)) cells.
    """
    longest = max(height, width)
    cells = max(1, min(cells, FINEST, (longest + 1) // 2))
    rows, columns = -(-height * cells // longest), -(-width * cells // longest)
    field = np.zeros((rows + 2, columns + 2), np.float32)
    _added(field, 0, np.float32(1), key0, key1)
    amplitude, level = np.float32(1), 0
    while 2 * cells <= FINEST and 2 * cells <= longest:
        level, cells, amplitude = level + 1, 2 * cells, amplitude * roughness
        field = _finer(field)
        if 4 * cells <= longest or level < 3:  # the last octave would be finer than what pixels show
            _added(field, level, amplitude, key0, key1)
    _spanned(field)
    return field, np.float32(cells) / np.float32(longest)


@compiled
def _spanned(field):
    """Stretched to [0, 1], in place."""
    low, high = np.float32(1e9), np.float32(-1e9)
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            low, high = min(low, field[i, j]), max(high, field[i, j])
    scale = np.float32(1) / max(high - low, np.float32(1e-6))
    for i in range(field.shape[0]):
        row = field[i]
        for j in range(row.shape[0]):
            row[j] = min((row[j] - low) * scale, np.float32(1))


@compiled
def threshold(field, cover):
    """The value above which a share of the field lies; 0 for all of it."""
    if cover >= 1:
        return np.float32(0)
    counts, bins = np.zeros(1024, np.int64), np.float32(1023.999)
    for i in range(field.shape[0]):
        for j in range(field.shape[1]):
            counts[int(field[i, j] * bins)] += 1
    wanted, bin_ = cover * field.size, 1023
    while bin_ > 0 and wanted > counts[bin_]:
        wanted -= counts[bin_]
        bin_ -= 1
    return np.float32((bin_ + 1 - wanted / max(counts[bin_], 1)) / 1024)


@compiled
def places(count, scale):
    """Between which control points the pixels of one axis lie, and how far: whole numbers and weights."""
    left, weight = np.empty(count, np.int32), np.empty(count, np.float32)
    for x in range(count):
        at = (np.float32(x) + np.float32(0.5)) * scale + np.float32(0.5)
        left[x] = np.int32(at)
        weight[x] = at - np.float32(left[x])
    return left, weight


@compiled
def sampled(field, y, wy, left, weight, line, out):
    """One row of pixels from the control points."""
    above, below = field[y], field[y + 1]
    for j in range(line.shape[0]):
        line[j] = above[j] + wy * (below[j] - above[j])
    for x in range(out.shape[0]):
        j = left[x]
        out[x] = line[j] + weight[x] * (line[j + 1] - line[j])


@compiled
def spread(values, channels, out):
    """Each value once for every channel: (W,) to (W C,)."""
    if channels == 1:
        out[: values.shape[0]] = values
    elif channels == 3:
        for x in range(values.shape[0]):
            out[3 * x], out[3 * x + 1], out[3 * x + 2] = values[x], values[x], values[x]
    else:
        for x in range(values.shape[0]):
            for c in range(channels):
                out[x * channels + c] = values[x]


@compiled
def blended(source, alpha, colour, weight, top, half, out):
    """One flat row: drawn to the colour or added to, clipped to the range, rounded where ``half`` is 0.5."""
    zero = np.float32(0)
    if half > 0:
        for i in range(source.shape[0]):
            value = np.float32(source[i])
            value += alpha[i] * (colour[i] - weight * value)
            out[i] = np.int32(min(max(value, zero), top) + half)  # by way of int32 in half the time
    else:
        for i in range(source.shape[0]):
            value = np.float32(source[i])
            value += alpha[i] * (colour[i] - weight * value)
            out[i] = min(max(value, zero), top)


@compiled
def tiled(colour, width, top):
    """(C,) shares of the range to a flat row of pixels in units of the dtype."""
    channels = colour.shape[0]
    row = np.empty(width * channels, np.float32)
    for c in range(channels):
        value = colour[c] * top
        for x in range(width):
            row[x * channels + c] = value
    return row


@compiled
def _veiled(images, out, key, settings, colour, weight, top, half):
    batch, height, width, channels = images.shape
    alpha, wide = np.empty(width, np.float32), np.empty(width * channels, np.float32)
    source, target = images.reshape(batch, height, -1), out.reshape(batch, height, -1)
    for b in range(batch):
        cells, roughness, cover, soft, low, high = settings[b]
        field, scale = fractal(height, width, np.int64(cells), roughness, key[b, 0], key[b, 1])
        (across, wx), (down, wy) = places(width, scale), places(height, scale)
        at, gain, span = threshold(field, cover), np.float32(1) / soft, high - low
        line, row = np.empty(field.shape[1], np.float32), tiled(colour[b], width, top)
        for y in range(height):
            sampled(field, down[y], wy[y], across, wx, line, alpha)
            for x in range(width):
                alpha[x] = low + span * min(max((alpha[x] - at) * gain, np.float32(0)), np.float32(1))
            spread(alpha, channels, wide)
            blended(source[b, y], wide, row, weight, top, half, target[b, y])


def fractal_veil(images: NDArray, *, key: NDArray, settings: NDArray, colour: NDArray, added: bool) -> NDArray:
    """Draw (b, H, W, C) images to a colour through fractal noise, or add the colour where ``added``.

    key (b, 2); settings (b, 6): cells along the longer side, roughness, cover, softness, alpha at 0 and at 1; colour (b, C) in [0, 1].
    The noise is cut where a share ``cover`` of it lies above, and rises from 0 to 1 over ``softness``.
    """
    out, weight = np.empty_like(images), np.float32(not added)
    _veiled(images, out, key.astype(np.uint32), settings.astype(np.float32), colour.astype(np.float32), weight, *limits(images))
    return out


def limits(images: NDArray) -> tuple[np.float32, np.float32]:
    """The largest value of a dtype, and what rounds: adding 0.5 before whole numbers are cut off."""
    return np.float32(RANGES[name_of(images.dtype)]), np.float32(0.5 if images.dtype.kind == "u" else 0)
