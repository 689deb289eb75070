"""Low resolution: images shrunk, each to a size of its own, and enlarged again. Shrunk ones lie one behind the other."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.effects import read_only
from vicinal.backend.effects.resize import resized
from vicinal.backend.upright import upright
from vicinal.core.batch import filled, some
from vicinal.core.warp import REPLICATE

_compiled = njit(nogil=True, cache=True, error_model="numpy")


def downscale(images: NDArray, *, size: NDArray, down: str, up: str) -> NDArray:
    """Shrink to size (b, 2), height and width, and enlarge again, each by a rule: "nearest", "linear" or "area"."""
    full, channels, out = filled(size.shape, images.shape[1:3], np.int64), images.shape[3], np.empty_like(images)
    if down == up == "nearest":
        there, back = _nearest(full, size), _nearest(size, full)
        rows, columns = (np.take_along_axis(far, near, 1) for far, near in zip(there, back, strict=True))
        _gathered(images.reshape(-1), full, rows, columns, channels, full, out.reshape(-1))
        return out
    small, order = np.empty(size[:, 0] @ size[:, 1] * channels, images.dtype), np.lexsort(size.T)
    _resampled(images.reshape(-1), full, size, down, channels, order, small)
    _resampled(read_only(small), size, full, up, channels, order, out.reshape(-1))
    same = size == full
    if some(same):
        still = same.all(1)
        out[still] = images[still]
    return out


def _resampled(source: NDArray, old: NDArray, new: NDArray, rule: str, channels: int, order: NDArray, out: NDArray) -> None:
    """From old sizes (b, 2) to new ones, those of equal images one after the other in ``order`` (b,).

    Linear interpolation is the mean of a box of one pixel, "area" that of all that lies below.
    """
    if rule == "nearest":
        rows, columns = _nearest(old, new)
        _gathered(source, old, rows, columns, channels, new, out)
        return
    box = old / new if rule == "area" else filled(new.shape, 1.0)
    if out.dtype == np.uint8:
        resized(source, old, new, box, channels, order, out)
        return
    maps = np.zeros((len(new), 6))
    maps[:, 0], maps[:, 4] = old[:, 1] / new[:, 1], old[:, 0] / new[:, 0]
    _one_by_one(source, old, maps, new, box[:, ::-1].copy(), channels, out)


def _nearest(old: NDArray, new: NDArray) -> list[NDArray[np.int64]]:
    """Rows (b, h) and columns (b, w): the pixels in which the centres of new pixels fall; OpenCV takes those in which corners do."""
    places = [np.arange(new[:, axis].max())[None] for axis in (0, 1)]
    return [(2 * place + 1) * old[:, axis, None] // (2 * new[:, axis, None]) for axis, place in enumerate(places)]


@_compiled
def _gathered(source, old, rows, columns, channels, new, out):
    """Pixels of rows (b, h) and columns (b, w) of images of the old sizes (b, 2); a row that is the same as the one above is copied."""
    begin, at, across = 0, 0, np.empty(columns.shape[1] * channels, np.int64)
    for b in range(len(new)):
        wide, step = new[b, 1] * channels, old[b, 1] * channels
        for x in range(new[b, 1]):
            for c in range(channels):
                across[x * channels + c] = columns[b, x] * channels + c
        for y in range(new[b, 0]):
            made = out[at : at + wide]
            if y > 0 and rows[b, y] == rows[b, y - 1]:
                made[:] = out[at - wide : at]
            else:
                line = source[begin + rows[b, y] * step : begin + (rows[b, y] + 1) * step]
                for i in range(wide):
                    made[i] = line[across[i]]
            at += wide
        begin += old[b, 0] * step


@_compiled
def _one_by_one(source, old, maps, new, box, channels, out):
    border, fill, chosen, start, at = np.full(1, REPLICATE, np.int8), np.zeros(1, np.float32), np.ones(1, np.bool_), 0, 0
    order = np.zeros(1, np.int64)
    for b in range(len(new)):
        stop, end = start + old[b, 0] * old[b, 1] * channels, at + new[b, 0] * new[b, 1] * channels
        image = source[start:stop].reshape(1, old[b, 0], old[b, 1], channels)
        upright(image, maps[b : b + 1], new[b : b + 1], order, chosen, out[at:end], border, fill, box[b : b + 1])
        start, at = stop, end
