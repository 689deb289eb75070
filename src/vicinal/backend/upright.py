"""Maps that keep rows rows and columns columns (scale, shift, mirror): each axis is resampled by itself, first down, then across.

A pixel of the result is the mean of what its box covers. A box of one pixel is linear interpolation; a wider one averages.
"""

from __future__ import annotations

import numpy as np

from vicinal.backend.kernels import _brought, _compiled, _inlined
from vicinal.backend.upright_lanes import LANES, pixels_summed, rows_summed, stored
from vicinal.core.warp import REFLECT


@_inlined
def _boxes(scale, shift, box, count, step):
    """For each pixel of an axis the first source pixel that its box touches, and the shares (count, m) of those from there on; and where
    the last box ends.

    m is 2, 4 or more, by steps: the loops that know it beforehand are twice as fast, and shares of 0 cost little.
    """
    wide = int(np.ceil(box)) + 1
    wide = 2 if box == 1 else (4 if wide <= 4 else (wide + step - 1) // step * step)
    first, shares, end = np.empty(count, np.int64), np.zeros((count, wide), np.float32), np.int64(-1 << 62)
    for i in range(count):
        centre = scale * (i + 0.5) + shift
        low, high = centre - box / 2, centre + box / 2
        first[i] = int(np.floor(low))
        for j in range(wide):
            pixel = first[i] + j
            shares[i, j] = max(min(high, pixel + 1.0) - max(low, float(pixel)), 0.0) / box
        end = max(end, min(int(np.ceil(high)), first[i] + wide))
    return first, shares, end


@_inlined
def _seen(height, stride, start, at, share, border, fill):
    """Where the values begin that are shown of the source row ``at``, its share of the sum, and what the fill adds in its place."""
    shown = _brought(at, height, border)
    if shown < 0:
        return np.uintp(start), np.float32(0), share * fill
    return np.uintp(shown * stride + start), share, np.float32(0)


@_inlined
def _beside(line, base, low, high, width, channels, border, fill):
    """What the border shows beside the canvas."""
    for begin, end in ((low, min(high, 0)), (max(low, width), high)):
        for column in range(begin, end):
            shown = _brought(column, width, border)
            for c in range(channels):
                line[(column - base) * channels + c] = fill if shown < 0 else line[(shown - base) * channels + c]


@_inlined
def _along(inverse, box, size):
    """What ``_boxes`` says along x and along y, and the pixels along x with which the boxes begin and before which they end."""
    first_x, shares_x, high = _boxes(inverse[0], inverse[2], box[0], size[1], 1)
    first_y, shares_y, _ = _boxes(inverse[4], inverse[5], box[1], size[0], 4)
    return first_x, shares_x, first_y, shares_y, first_x.min(), high


@_inlined
def _part(first, shares, low, high, width, channels, border):
    """The columns [left, right) of a source that are read, the one that a line begins with, and how many values it has room for.

    ``first`` is counted from there on.
    """
    left, right = min(max(low, 0), width - 1), min(max(high, 1), width)
    if border == REFLECT and (low < 0 or high > width):  # what a mirror shows may lie anywhere
        left, right = 0, width
    base, beyond = min(low, left), first.max() + shares.shape[1]
    first -= base
    return left, right, base, (max(beyond, right) - base) * channels + LANES


@_inlined
def _alike(inverse, sizes, border, box, one, other):
    """Whether two samples take their pixels from the same places."""
    same = sizes[one, 0] == sizes[other, 0] and sizes[one, 1] == sizes[other, 1] and border[one] == border[other]
    for k in range(6):
        same &= inverse[one, k] == inverse[other, k]
    return same and box[one, 0] == box[other, 0] and box[one, 1] == box[other, 1]


@_compiled
def upright(src, inverse, sizes, chosen, out, border, fill, box):
    """A batch of images of any dtype in float32, rounded at the end for whole numbers.

    src (B, H, W, C), inverse (B, 6) maps of continuous coordinates row by row, sizes (B, 2) height and width of each result, chosen (B,)
    which are wanted, out: one behind the other, border (B,), fill (B,) in units of the dtype, box (B, 2) source pixels along x and y that
    a pixel of it covers.
    """
    batch, height, width, channels = src.shape
    start, noted = 0, 0
    first_x, shares_x, first_y, shares_y, low, high = _along(inverse[0], box[0], sizes[0])
    left, right, base, apart = _part(first_x, shares_x, low, high, width, channels, border[0])
    line, row = np.zeros(2 * apart, np.float32), np.empty(2 * (sizes[0, 1] * channels + LANES), np.float32)
    for b in range(batch):
        if not chosen[b]:
            start += sizes[b, 0] * sizes[b, 1] * channels
            continue
        flat, length = src[b].reshape(-1), sizes[b, 1] * channels
        if not _alike(inverse, sizes, border, box, noted, b):
            noted = b
            first_x, shares_x, first_y, shares_y, low, high = _along(inverse[b], box[b], sizes[b])
            left, right, base, apart = _part(first_x, shares_x, low, high, width, channels, border[b])
            line, row = np.zeros(2 * apart, np.float32), np.empty(2 * (length + LANES), np.float32)
        wide, last = shares_x.shape[1], sizes[b, 0]
        to, begin, seen, stride = (left - base) * channels, left * channels, (right - left) * channels, width * channels
        # Each row is read a round after it was written: a register that spans what two others wrote waits until that is in the cache.
        for y in range(last + 2):
            for j in range(0, shares_y.shape[1] if y < last else 0, 4):
                if j and shares_y[y, j] == 0:
                    break
                top, at = first_y[y] + j, to + (y & 1) * apart
                p, one, some = _seen(height, stride, begin, top, shares_y[y, j], border[b], fill[b])
                q, two, more = _seen(height, stride, begin, top + 1, shares_y[y, j + 1], border[b], fill[b])
                if shares_y.shape[1] == 2:
                    rows_summed(line, at, False, flat, (p, q), (one, two), (some + more,), seen)
                    continue
                r, three, rest = _seen(height, stride, begin, top + 2, shares_y[y, j + 2], border[b], fill[b])
                s, four, else_ = _seen(height, stride, begin, top + 3, shares_y[y, j + 3], border[b], fill[b])
                rows_summed(line, at, j > 0, flat, (p, q, r, s), (one, two, three, four), (some + more, rest + else_), seen)
            if y < last and (low < 0 or high > width):
                _beside(line[(y & 1) * apart :], base, low, high, width, channels, border[b], fill[b])
            before = 1 - (y & 1)
            if 0 < y <= last:
                pixels_summed(row, before * (length + LANES), line, before * apart, first_x, shares_x, wide, sizes[b, 1], channels)
            if y > 1:
                stored(out, start + (y - 2) * length, row, (y & 1) * (length + LANES), length)
        start += last * length
