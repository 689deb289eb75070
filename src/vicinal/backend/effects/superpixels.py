"""Simple linear iterative clustering (Achanta et al., 2012): k-means of colour and place, each centre within its neighbourhood."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from vicinal.backend.lanes import LANES, NUMBERS, everywhere, loaded, stored
from vicinal.backend.noise import words
from vicinal.core.batch import RANGES

ROUNDS = 5

_FLOAT, _NUMBER, _WORD = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_FLOATS, _SHIFT = ir.VectorType(_FLOAT, LANES), LANES.bit_length() - 1
_PLACES, _RAMP = ir.Constant(NUMBERS, list(range(LANES))), ir.Constant(_FLOATS, [float(n) for n in range(LANES)])
_compiled = njit(nogil=True, cache=True, error_model="numpy")


def painted(images: NDArray, *, count: NDArray, replace: NDArray, compactness: NDArray, key: NDArray) -> NDArray:
    """Segments chosen by a hash of their number under the key (b, 2) take their mean colour.

    Args:
        count: (b,) segments; replace: (b,) share of them; compactness: (b,) CIELAB units that one grid step of distance weighs.
    """
    out = images.copy()
    for row, image in enumerate(images):
        if replace[row] > 0:
            label, many = segments(image, int(count[row]), float(compactness[row]))
            chosen = words(key[row], many) < np.uint64(replace[row] * 2.0**32)
            _means(image, label, chosen, image.dtype.kind == "u", out[row])
    return out


def segments(image: NDArray, count: int, compactness: float, rounds: int = ROUNDS) -> tuple[NDArray[np.int32], int]:
    """(H, W) numbers of segments of an (H, W, C) image, and how many numbers there are; small islands are left where they are."""
    height, width = image.shape[:2]
    step = np.sqrt(height * width / count)
    grid = max(1, min(height, round(height / step))), max(1, min(width, round(width / step)))
    label = np.empty(height * width + LANES, np.int32)
    _slic(_colours(image), height, width, *grid, np.float32(compactness), rounds, label)
    return label[:-LANES].reshape(height, width), grid[0] * grid[1]


def _colours(image: NDArray) -> NDArray[np.float32]:
    """(K, H W + LANES): CIELAB for three channels, else values from 0 to 100 with the same largest distance for any number of them.

    There are whole threes of planes, which are summed up together; in those that nothing fills no pixels are apart.
    """
    channels = image.shape[2]
    planes = np.zeros((-(-channels // 3) * 3, image.shape[0] * image.shape[1] + LANES), np.float32)
    values = image.astype(np.float32) / np.float32(RANGES[str(image.dtype)])
    made = cv2.cvtColor(values, cv2.COLOR_RGB2Lab) if channels == 3 else values * np.float32(100 / np.sqrt(channels))
    planes[:channels, :-LANES] = np.asarray(made, np.float32).reshape(-1, channels).T
    return planes


def _claiming(
    context: Any, pixels: Any, plane: Any, planes: Any, centre: Any, best: Any, label: Any, count: Any, k: Any, dy: Any, x: Any, weight: Any
) -> Any:
    """Of ``count`` pixels in a row from column ``x`` on, those that are nearer to centre ``k`` than to all before it.

    Addresses of the pixels of the first of ``planes``, which lie ``plane`` bytes apart; of the centre, and of the distances and labels so
    far. ``dy`` is how far off the row is; ``weight`` that of a square of places. Up to LANES more are read, and written as they were.
    """
    return types.void(*[types.intp] * 7, types.int32, *[types.float32] * 3), _generated


def _generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    pixels, plane, planes, centre, best, label, count, k, dy, x, weight = args

    def number(n: Any) -> Any:
        return everywhere(builder, loaded(builder, builder.add(centre, builder.shl(n, _WORD(2))), _FLOAT), _FLOATS)

    def squared(value: Any) -> Any:
        return builder.fmul(value, value)

    middle, height, heavy = number(_WORD(1)), squared(everywhere(builder, dy, _FLOATS)), everywhere(builder, weight, _FLOATS)
    start, far = builder.fadd(everywhere(builder, x, _FLOATS), _RAMP), cgutils.alloca_once(builder, _FLOATS)
    with cgutils.for_range(builder, builder.ashr(builder.add(count, _WORD(LANES - 1)), _WORD(_SHIFT))) as loop:
        first = builder.shl(loop.index, _WORD(_SHIFT))
        offset = builder.shl(first, _WORD(2))
        dx = builder.fsub(builder.fadd(start, everywhere(builder, builder.sitofp(first, _FLOAT), _FLOATS)), middle)
        builder.store(builder.fmul(heavy, builder.fadd(squared(dx), height)), far)
        with cgutils.for_range(builder, planes) as colour:
            place = builder.add(builder.add(pixels, builder.mul(colour.index, plane)), offset)
            apart = builder.fsub(loaded(builder, place, _FLOATS), number(builder.add(colour.index, _WORD(2))))
            builder.store(builder.fadd(builder.load(far), squared(apart)), far)
        here, (nearest, mine) = builder.load(far), (builder.add(address, offset) for address in (best, label))
        left = everywhere(builder, builder.trunc(builder.sub(count, first), _NUMBER), NUMBERS)
        before, owner = loaded(builder, nearest, _FLOATS), loaded(builder, mine, NUMBERS)
        nearer = builder.and_(builder.fcmp_ordered("<", here, before), builder.icmp_signed(">", left, _PLACES))
        stored(builder, builder.select(nearer, here, before), nearest)
        stored(builder, builder.select(nearer, everywhere(builder, k, NUMBERS), owner), mine)
    return context.get_dummy_value()


_claim: Any = intrinsic(_claiming)


# Rows are places in flat arrays below: a view of each, which is counted, would take longer than what is done with it.


@_compiled
def _slic(pixels, height, width, down, across, compactness, rounds, label):
    """Centres start on a grid; pixels (K, H W + LANES); label (H W + LANES,) is written."""
    planes, plane = pixels.shape
    count, size = down * across, pixels.itemsize
    high, wide = height / down, width / across
    centre, total, best = np.empty((count, planes + 2), np.float32), np.empty((count, planes + 3), np.float64), np.empty(plane, np.float32)
    nearness = compactness * compactness / np.float32(high * wide)
    for y in range(height):
        for x in range(width):
            label[y * width + x] = int(y / high) * across + int(x / wide)
    for round_ in range(rounds + 1):
        _centres(pixels, height, width, label, total, centre)
        if round_ == rounds:
            break
        best[:] = np.inf
        for k in range(count):
            y0, y1 = max(int(centre[k, 0] - high), 0), min(int(centre[k, 0] + high) + 1, height)
            x0, x1 = max(int(centre[k, 1] - wide), 0), min(int(centre[k, 1] + wide) + 1, width)
            mean = centre.ctypes.data + size * k * (planes + 2)
            for y in range(y0, y1):
                at = size * (y * width + x0)
                _claim(pixels.ctypes.data + at, size * plane, planes, mean, best.ctypes.data + at, label.ctypes.data + at, x1 - x0,
                       np.int32(k), np.float32(y) - centre[k, 0], np.float32(x0), nearness)  # fmt: skip


@_compiled
def _run(label, at, end):
    """Where the pixels end that have the label of the one at ``at``."""
    stop = at + np.uintp(1)
    while stop < end and label[stop] == label[at]:
        stop += np.uintp(1)
    return stop


@_compiled
def _centres(pixels, height, width, label, total, centre):
    """Means of place and colour; a centre without pixels stays where it was."""
    planes, plane = pixels.shape
    flat, stride = pixels.reshape(-1), np.uintp(plane)
    total[:] = 0
    for y in range(height):
        at, end = np.uintp(y * width), np.uintp((y + 1) * width)
        while at < end:
            k, stop = label[at], _run(label, at, end)
            x, n = int(at) - y * width, int(stop - at)
            total[k, 0] += y * n
            total[k, 1] += (2 * x + n - 1) * n // 2
            total[k, planes + 2] += n
            for c in range(0, planes, 3):
                _summed(flat, at + np.uintp(c) * stride, stride, np.uintp(n), total, k, c + 2)
            at = stop
    for k in range(total.shape[0]):
        if total[k, planes + 2] > 0:
            for c in range(planes + 2):
                centre[k, c] = total[k, c] / total[k, planes + 2]


@_compiled
def _summed(pixels, first, stride, count, total, k, c):
    """Three planes of a run; on their sums so far, so that numbers are added in the order of the pixels."""
    second, third = first + stride, first + stride + stride
    one, two, three = total[k, c], total[k, c + 1], total[k, c + 2]
    for x in range(count):
        one, two, three = one + pixels[first + x], two + pixels[second + x], three + pixels[third + x]
    total[k, c], total[k, c + 1], total[k, c + 2] = one, two, three


@_compiled
def _means(image, label, chosen, whole, out):
    height, width, channels = image.shape
    values, mine, total = image.reshape(-1), label.reshape(-1), np.zeros((len(chosen), channels + 1), np.float64)
    for y in range(height):
        at, end = np.uintp(y * width), np.uintp((y + 1) * width)
        while at < end:
            k, stop = mine[at], _run(mine, at, end)
            for c in range(channels if chosen[k] else 0):
                for i in range(at, stop):
                    total[k, c] += values[i * np.uintp(channels) + np.uintp(c)]
            total[k, channels] += stop - at
            at = stop
    for y in range(height):
        for x in range(width):
            k = label[y, x]
            if chosen[k]:
                for c in range(channels):
                    mean = total[k, c] / total[k, channels]
                    out[y, x, c] = np.floor(mean + 0.5) if whole else mean
