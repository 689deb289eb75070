"""The fast way through a ``Filter``: batches in compiled loops, and OpenCV where its cost does not grow with the kernel.

8-bit images are summed in 16 bits, which fill a vector register with twice as many values as float32, where that is exact to half a
level, and small boxes of them in whole numbers; everything else is summed in float32. Large boxes and very dense kernels are left to
OpenCV, which has running sums and Fourier transforms for them. Which way a sample takes depends on its own kernel and size, never on its
batch.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vicinal.backend.box_kernels import LARGEST, boxed
from vicinal.backend.filter_kernels import BOX, FLOAT, SHORT, SUMS, correlate, forms
from vicinal.core.batch import RANGES, name_of
from vicinal.core.primitive import Filter

SMALL = 64 * 64  # pixels up to which a call of OpenCV costs more than what it does


def filtered(primitive: Filter, images: NDArray) -> NDArray:
    """Equal images (b, H, W, C) through the kernels, one after the other; clipped and rounded once."""
    *before, last = _pairs(primitive.kernels)
    values = images
    for kernels, rows in before:
        _, sides, bits = forms(kernels, rows, False, False, 0)
        made, ends = np.empty(images.shape, np.float32), (-np.inf, np.inf)
        values = _summed(FLOAT, values, kernels, rows, sides, bits, made, ends, np.arange(len(images)))
    return _correlated(values, *last, np.empty_like(images), RANGES[name_of(images.dtype)])


def unsharp(images: NDArray, rows: NDArray, amount: NDArray, threshold: NDArray) -> NDArray:
    """Images less what rows (b, 1, K) along either axis leave of them, ``amount`` times, where that reaches a share of the value range."""
    top, kernels = RANGES[name_of(images.dtype)], np.ascontiguousarray(rows.transpose(0, 2, 1))
    _, sides, bits = forms(kernels, rows, False, False, 0)
    mask = amount.astype(np.float32), (threshold * np.float32(top)).astype(np.float32)
    return _summed(FLOAT, images, kernels, rows, sides, bits, np.empty_like(images), (0, top), np.arange(len(images)), mask)


def _pairs(kernels: tuple[NDArray, ...]) -> list[tuple[NDArray, NDArray]]:
    """Kernels two by two: any one, and a single row if that follows."""
    pairs, rest = [], [np.ascontiguousarray(kernel) for kernel in kernels]
    while rest:
        first = rest.pop(0)
        pairs.append((first, rest.pop(0) if rest and rest[0].shape[1] == 1 else np.ones((len(first), 1, 1))))
    return pairs


def _correlated(values: NDArray, kernels: NDArray, rows: NDArray, out: NDArray, top: float) -> NDArray:
    """Values (b, H, W, C) through kernels (b, kh, kw) and rows (b, 1, kw), clipped to [0, top], into ``out``: each as suits it."""
    eight, large = values.dtype == out.dtype == np.uint8, values.dtype == out.dtype and values.shape[1] * values.shape[2] > SMALL
    ways, sides, bits = forms(kernels, rows, eight, large, LARGEST)
    for way in set(ways.tolist()):
        chosen = (ways == way).nonzero()[0]
        if way in (FLOAT, SHORT):
            _summed(way, values, kernels, rows, sides, bits, out, (0, top), chosen)
        elif way == SUMS:
            boxed(values.reshape(-1), values.shape, chosen, sides, out.reshape(-1))
        else:
            _by_opencv(way, values, kernels, sides, out, chosen)
    return out


def _by_opencv(way: int, values: NDArray, kernels: NDArray, sides: NDArray, out: NDArray, chosen: NDArray[np.int64]) -> None:
    """The chosen samples, one by one, into their places."""
    for row, (high, *widths) in zip(chosen.tolist(), sides[chosen].tolist(), strict=True):
        wide = max(widths)
        if way == BOX:
            cv2.blur(values[row], (wide, high), out[row], borderType=cv2.BORDER_REFLECT_101)
        else:
            cv2.filter2D(values[row], -1, _middle(kernels[row], (wide, high)), out[row], borderType=cv2.BORDER_REFLECT_101)


def _middle(kernel: NDArray, size: tuple[int, int]) -> NDArray:
    """The (width, height) in the middle of a kernel."""
    left, top = (kernel.shape[1] - size[0]) // 2, (kernel.shape[0] - size[1]) // 2
    return kernel[top : top + size[1], left : left + size[0]]


def _summed(way: int, values: NDArray, kernels: NDArray, rows: NDArray, sides: NDArray, bits: NDArray, out: NDArray,
            ends: tuple[float, float], chosen: NDArray[np.int64], mask: tuple[NDArray, ...] | None = None) -> NDArray:  # fmt: skip
    """The compiled loops, with sums of the dtype of the way."""
    low, top = (np.float32(end) for end in ends)
    like, none = np.ones(1, np.int16 if way == SHORT else np.float32), np.empty(0, np.float32)
    correlate(values.reshape(-1), values.shape, chosen, kernels, rows, sides, bits, out.reshape(-1), like, low, top, out.dtype.kind == "u",
              *(mask or (none, none)))  # fmt: skip
    return out
