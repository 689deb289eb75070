"""Noise that is not the value plus a draw of one law: photon counts, a sensor's colours, values that are lost."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.kernels import hashed
from vicinal.backend.noise import SALT
from vicinal.backend.noise_kernels import BLOCK, GAUSSIAN, drawn, pairs, scratch
from vicinal.core.batch import RANGES
from vicinal.core.special import ACKLAM

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_inlined = njit(nogil=True, cache=True, error_model="numpy", inline="always")
_MAGIC = np.float32(12582912.0)  # as in ``kernels``: adding and subtracting it rounds to even
_A, _B, _C, _D, _TAIL = ACKLAM
_SMALL = 10.0  # mean up to which counts are reached step by step
_STEPS = 64  # more than any count of such a mean that 32 random bits reach


def poisson(images: NDArray, *, photons: NDArray, key: NDArray) -> NDArray:
    """Every value as a Poisson count: the quantile of one uniform number, exact in float64; counts above full scale are cut."""
    out, top = np.empty_like(images), float(RANGES[str(images.dtype)])
    loop = _poisson_levels if images.dtype == np.uint8 else _poisson
    loop(images.reshape(len(images), -1), out.reshape(len(images), -1), photons, key, top, images.dtype.kind == "u")
    return out


@_compiled
def _poisson(images, out, photons, keys, top, whole):
    for b in range(images.shape[0]):
        unit = top / photons[b]
        for i in range(images.shape[1]):
            mean, u = images[b, i] / unit, (hashed(i, keys[b, 0], keys[b, 1]) + 0.5) * 2.0**-32
            count = _climbed(mean, u) if mean < _SMALL else _expanded(mean, np.sqrt(mean), u)
            value = min(count * unit, top)
            out[b, i] = np.rint(value) if whole else value


@_compiled
def _poisson_levels(images, out, photons, keys, top, whole):
    """The same for 8-bit images: what depends on the level alone is made once."""
    mean, root, sums = np.empty(256), np.empty(256), np.empty((256, _STEPS))
    for b in range(images.shape[0]):
        unit = top / photons[b]
        for level in range(256):
            mean[level], root[level] = level / unit, np.sqrt(level / unit)
            if mean[level] < _SMALL:
                _distribution(mean[level], sums[level])
        for i in range(images.shape[1]):
            level, u = images[b, i], (hashed(i, keys[b, 0], keys[b, 1]) + 0.5) * 2.0**-32
            if mean[level] < _SMALL:
                n = 0
                while u > sums[level, n]:
                    n += 1
                count = np.float64(n)
            else:
                count = _expanded(mean[level], root[level], u)
            out[b, i] = np.rint(min(count * unit, top))


@_compiled
def _climbed(mean, u):
    """The smallest count whose distribution function reaches ``u`` in (0, 1), step by step."""
    n, part = 0, np.exp(-mean)
    total = part
    while u > total and n < _STEPS - 1:
        n += 1
        part *= mean / n
        total += part
    return np.float64(n)


@_compiled
def _distribution(mean, sums):
    """The distribution function from 0 on, as far as 32 random bits reach; the last entry ends every search."""
    part = np.exp(-mean)
    total, n = part, 0
    while total < 1 - 2.0**-34 and n < _STEPS - 1:
        sums[n] = total
        n += 1
        part *= mean / n
        total += part
    sums[n] = 2.0


@_compiled
def _expanded(mean, root, u):
    """The same for larger means, by an expansion in their root; where its error might reach a whole number, the distribution decides.

    Giles, Algorithm 955: approximation of the inverse Poisson cumulative distribution function, 2016.
    """
    w = _normal(u)
    square = w * w
    middle = mean + root * w + (2 + square) / 6 - w * (2 + square) / (72 * root)
    middle += (-8 / 405 + square * (7 / 810 + square / 270)) / mean
    slack = (1 / 40 + square * (1 / 80 + square / 160)) / mean + 1e-6
    n = np.floor(middle + slack)
    if middle - slack < n:
        while n > 0 and u <= _reached(n - 1, mean):
            n -= 1
    return max(n, 0.0)


@_compiled
def _reached(n, mean):
    """The distribution function of a Poisson law at n, summed downwards."""
    part = np.exp(n * np.log(mean) - mean - math.lgamma(n + 1))
    total = 0.0
    while n >= 0 and part > 1e-18 * total:
        total += part
        part *= n / mean
        n -= 1
    return total


@_compiled
def _normal(u):
    """``vicinal.core.special.normal_quantile`` of one number."""
    small = min(u, 1 - u)
    if small > _TAIL:
        x = u - 0.5
        y = x * x
        top = ((((_A[0] * y + _A[1]) * y + _A[2]) * y + _A[3]) * y + _A[4]) * y + _A[5]
        return top * x / (((((_B[0] * y + _B[1]) * y + _B[2]) * y + _B[3]) * y + _B[4]) * y + _B[5])
    y = np.sqrt(-2 * np.log(small))
    top = ((((_C[0] * y + _C[1]) * y + _C[2]) * y + _C[3]) * y + _C[4]) * y + _C[5]
    outer = top / ((((_D[0] * y + _D[1]) * y + _D[2]) * y + _D[3]) * y + _D[4])
    return outer if u < 0.5 else -outer


def replaced(images: NDArray, *, share: NDArray, key: NDArray, shared: NDArray, odds: NDArray, low: NDArray, high: NDArray) -> NDArray:
    """A share of the values, or of the pixels where ``shared``, becomes ``high`` with probability ``odds`` and ``low`` otherwise."""
    out = np.empty_like(images)
    scale = RANGES[str(images.dtype)]
    ends = (np.rint(end * scale) if images.dtype.kind == "u" else end for end in (low, high))
    touched = np.rint(share * 2**24)
    pixels = len(images), -1, images.shape[-1]
    _replaced(images.reshape(pixels), out.reshape(pixels), key, touched.astype(np.int32), np.rint(touched * odds).astype(np.int32),
              shared, *(end.astype(images.dtype) for end in ends))  # fmt: skip
    return out


@_compiled
def _codes(code, first, key0, key1):
    for i in range(code.shape[0]):
        code[i] = hashed(first + i, key0, key1) >> np.uint32(8)


@_compiled
def _chosen(image, out, code, some, most, one, other):
    for i in range(image.shape[0]):
        out[i] = one if code[i] < some else (other if code[i] < most else image[i])


@_compiled
def _replaced(images, out, keys, touched, raised, shared, low, high):
    """One hash decides on both: below ``raised`` of 2**24 a value becomes ``high``, below ``touched`` it becomes ``low``."""
    count, channels = images.shape[1], images.shape[2]
    code = np.empty(BLOCK, np.int32)
    for b in range(images.shape[0]):
        key0, key1, some, most, one, other = keys[b, 0], keys[b, 1], raised[b], touched[b], high[b], low[b]
        source, made, wide = images[b].reshape(-1), out[b].reshape(-1), 1 if shared[b] else channels
        if shared[b]:
            made[:] = source
        for first in range(0, count * wide, BLOCK):
            n = min(BLOCK, count * wide - first)
            _codes(code[:n], first, key0, key1)
            if not shared[b]:
                _chosen(source[first : first + n], made[first : first + n], code, some, most, one, other)
                continue
            for i in range(n):  # few pixels are touched, as a rule
                if code[i] < most:
                    for c in range(channels):
                        out[b, first + i, c] = one if code[i] < some else other


def iso(images: NDArray, *, hue: NDArray, luminance: NDArray, key: NDArray) -> NDArray:
    """Every pixel's hue turned by Gaussian degrees, and its lightness changed by a Gaussian share of the value range."""
    out = np.empty_like(images)
    pixels = len(images), -1, 3
    _iso(images.reshape(pixels), out.reshape(pixels), (hue / 30).astype(np.float32), luminance.astype(np.float32), key, pairs("gaussian"),
         np.float32(RANGES[str(images.dtype)]), images.dtype.kind == "u")  # fmt: skip
    return out


@_compiled
def _iso(images, out, hue, luminance, keys, table, top, whole):
    count, zero = images.shape[1], np.float32(0)
    room, turn, more = scratch(), np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    for b in range(images.shape[0]):
        if hue[b] == 0 and luminance[b] == 0:
            out[b] = images[b]
            continue
        for first in range(0, count, BLOCK):
            n = min(BLOCK, count - first)
            drawn(room, first, n, keys[b, 0], keys[b, 1], GAUSSIAN, table, zero, hue[b], turn)
            drawn(room, first, n, keys[b, 0] ^ np.uint32(SALT), keys[b, 1], GAUSSIAN, table, zero, luminance[b], more)
            _turned(images[b, first : first + n], out[b, first : first + n], turn, more, top, whole)


@_compiled
def _turned(pixels, out, turn, more, top, whole):
    """Through the HLS double cone and back: hue in twelfths of the circle, chroma at the same saturation."""
    zero, one, two, scale = np.float32(0), np.float32(1), np.float32(2), np.float32(1) / top
    for i in range(pixels.shape[0]):
        red, green, blue = np.float32(pixels[i, 0]) * scale, np.float32(pixels[i, 1]) * scale, np.float32(pixels[i, 2]) * scale
        high, low = max(max(red, green), blue), min(min(red, green), blue)
        chroma, light = high - low, (high + low) / two
        safe = two / (chroma if chroma > zero else one)
        second = (blue - red) * safe + np.float32(4) if high == green else (red - green) * safe + np.float32(8)
        hue = ((green - blue) * safe if high == red else second) + turn[i]
        room = one - abs(two * light - one)
        light = min(max(light + more[i], zero), one)
        width = chroma / (room if room > zero else one) * (one - abs(two * light - one)) / two
        out[i, 0] = _cone(hue, light, width, top, whole)
        out[i, 1] = _cone(hue + np.float32(8), light, width, top, whole)
        out[i, 2] = _cone(hue + np.float32(4), light, width, top, whole)


@_inlined
def _cone(place, light, width, top, whole):
    """One channel, at its place in the circle of twelve."""
    place = place - np.float32(12) * np.floor(place * np.float32(1 / 12))
    slope = max(min(min(place - np.float32(3), np.float32(9) - place), np.float32(1)), np.float32(-1))
    value = min(max((light - width * slope) * top, np.float32(0)), top)
    return (value + _MAGIC) - _MAGIC if whole else value
