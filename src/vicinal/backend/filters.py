"""The fast way through a ``Filter``: batches in compiled loops, and OpenCV where its cost does not grow with the kernel.

8-bit images are summed in 16 bits, which fill a vector register with twice as many values as float32, where that is exact to half a
level; everything else is summed in float32. Large box filters and very dense kernels are left to OpenCV, which has running sums and
Fourier transforms for them. Which way a sample takes depends on its own kernel and size, never on its batch.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vicinal.backend.filter_kernels import correlate
from vicinal.core.batch import RANGES
from vicinal.core.primitive import Filter

SMALL = 64 * 64  # pixels up to which a call of OpenCV costs more than what it does
DENSE = 600  # taps above which Fourier space is faster
FLOAT, SHORT, BOX, SPECTRUM = range(4)


def filtered(primitive: Filter, images: NDArray) -> NDArray:
    """Equal images (b, H, W, C) through the kernels, one after the other; clipped and rounded once."""
    *before, last = _pairs(primitive.kernels)
    values = images
    for pair in before:
        values = _summed(FLOAT, values, *pair, np.empty(images.shape, np.float32), (-np.inf, np.inf), np.arange(len(images)))
    return correlated(values, *last, np.empty_like(images), RANGES[str(images.dtype)])


def _pairs(kernels: tuple[NDArray, ...]) -> list[tuple[NDArray, NDArray]]:
    """Kernels two by two: any one, and a single row if that follows."""
    pairs, rest = [], list(kernels)
    while rest:
        first = rest.pop(0)
        pairs.append((first, rest.pop(0) if rest and rest[0].shape[1] == 1 else np.ones((len(first), 1, 1))))
    return pairs


def correlated(values: NDArray, kernels: NDArray, rows: NDArray, out: NDArray, top: float) -> NDArray:
    """Values (b, H, W, C) through kernels (b, kh, kw) and rows (b, 1, kw), clipped to [0, top], into ``out``: each as suits it."""
    ways = _ways(values, out, kernels, rows)
    for way in np.unique(ways).tolist():
        chosen = np.flatnonzero(ways == way)
        _by(way, values, kernels[chosen], rows[chosen], out, top, chosen)
    return out


def _ways(values: NDArray, out: NDArray, kernels: NDArray, rows: NDArray) -> NDArray[np.int64]:
    ways, alone = np.full(len(values), FLOAT), _same(rows)
    first, second = (np.count_nonzero(part, (1, 2)) for part in (kernels, rows))
    if values.dtype == out.dtype == np.uint8:
        # A level counts 128, less what the kernels need as room. A product that is cut off is wrong by half a unit at most, once its
        # mean loss is made good: half a level for all of them together.
        bits = _bits(kernels)
        missed = first * 2.0**bits + np.where(alone, 0, second * 2.0 ** (bits + _bits(rows)))
        ways[missed <= 128] = SHORT
    if values.shape[1] * values.shape[2] > SMALL and values.dtype == out.dtype:
        ways[(ways == FLOAT) & alone & (first > DENSE)] = SPECTRUM
        ways[_even(kernels) & _even(rows) & ((_sides(kernels)[1] == 1) | alone) & (first * second > 1)] = BOX
    return ways


def _same(kernels: NDArray) -> NDArray[np.bool_]:
    """(b,) kernels that change nothing."""
    middle = kernels[:, kernels.shape[1] // 2, kernels.shape[2] // 2]
    return (middle == 1) & (np.count_nonzero(kernels, (1, 2)) == 1)


def _bits(kernels: NDArray) -> NDArray[np.float64]:
    """(b,) by how many bits 16-bit sums are shifted down to hold twice the largest weight, and all weights."""
    size = np.abs(kernels)
    return np.ceil(np.log2(np.maximum(np.maximum(2 * size.max((1, 2)), size.sum((1, 2)) / 1.001), 1)))


def _sides(kernels: NDArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(b,) height and width of the kernels, without the zeros that only other samples of the batch need."""
    there = kernels != 0
    high, wide = (side.shape[1] - 2 * np.minimum(side.argmax(1), side[:, ::-1].argmax(1)) for side in (there.any(2), there.any(1)))
    return high, wide


def _even(kernels: NDArray) -> NDArray[np.bool_]:
    """(b,) centred boxes: all weights are one, and they sum to 1."""
    high, wide = _sides(kernels)
    value = 1 / (high * wide)
    there = kernels != 0
    far = np.abs(kernels - value[:, None, None]) > 1e-9
    return (np.count_nonzero(there, (1, 2)) == high * wide) & ~(there & far).any((1, 2))


def _by(way: int, values: NDArray, kernels: NDArray, rows: NDArray, out: NDArray, top: float, chosen: NDArray[np.int64]) -> None:
    """The chosen samples, by kernels and rows of their own, into their places."""
    if way in (FLOAT, SHORT):
        _summed(way, values, kernels, rows, out, (0, top), chosen)
        return
    (high, wide), (_, more) = _sides(kernels), _sides(rows)
    for place, row in enumerate(chosen.tolist()):
        size = int(wide[place] * more[place]), int(high[place])
        if way == BOX:
            cv2.blur(values[row], size, out[row], borderType=cv2.BORDER_REFLECT_101)
        else:
            cv2.filter2D(values[row], -1, _middle(kernels[place], size), out[row], borderType=cv2.BORDER_REFLECT_101)


def _middle(kernel: NDArray, size: tuple[int, int]) -> NDArray:
    """The (width, height) in the middle of a kernel."""
    left, top = (kernel.shape[1] - size[0]) // 2, (kernel.shape[0] - size[1]) // 2
    return kernel[top : top + size[1], left : left + size[0]]


def _summed(way: int, values: NDArray, kernels: NDArray, rows: NDArray, out: NDArray, ends: tuple[float, float],
            chosen: NDArray[np.int64]) -> NDArray:  # fmt: skip
    """The compiled loops, with weights and units as the dtype of the sums wants them."""
    twice = ~_same(rows)
    one, level, gain, lost = np.ones(1, np.float32), np.float32(1), np.ones(len(chosen)), 0.0
    if way == SHORT:
        one, level, lost = np.ones(1, np.int16), np.int16(128), 0.5
        bits = _bits(kernels), _bits(rows) * twice
        kernels, rows = (_whole(part, shift) for part, shift in zip((kernels, rows), bits, strict=True))
        gain = 2.0 ** (bits[0] + bits[1]) / 128
    low, top = (np.float32(end) for end in ends)
    correlate(values.ravel(), values.shape, chosen, kernels.astype(one.dtype), rows.astype(one.dtype), out.reshape(-1), one, level,
              gain.astype(np.float32), np.float32(lost), twice, low, top, out.dtype.kind == "u")  # fmt: skip
    return out


def _whole(kernels: NDArray, bits: NDArray) -> NDArray:
    """Weights in units of which 2 ** (16 - bits) are 1; half of that, the largest that there is, may be a unit short."""
    return np.rint(kernels * 2.0 ** (16 - bits)[:, None, None]).clip(-32767, 32767)
