"""Noise that is not the value plus a draw of one law: photon counts, a sensor's colours, values that are lost."""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.kernels import _hash
from vicinal.backend.noise import SALT
from vicinal.backend.noise_kernels import BLOCK, GAUSSIAN, drawn, pairs, scratch
from vicinal.core.batch import RANGES
from vicinal.core.special import ACKLAM

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_A, _B, _C, _D, _TAIL = ACKLAM
_SMALL = 10.0  # means up to which counts are reached step by step


def poisson(images: NDArray, *, photons: NDArray, key: NDArray) -> NDArray:
    """Every value as a Poisson count: the quantile of one uniform number, exact in float64; counts above full scale are cut."""
    out = np.empty_like(images)
    flat = len(images), -1
    _poisson(images.reshape(flat), out.reshape(flat), photons, key, float(RANGES[str(images.dtype)]), images.dtype.kind == "u")
    return out


@_compiled
def _poisson(images, out, photons, keys, top, whole):
    for b in range(images.shape[0]):
        scale, unit = photons[b] / top, top / photons[b]
        for i in range(images.shape[1]):
            u = (_hash(i, keys[b, 0], keys[b, 1]) + 0.5) * 2.0**-32
            value = min(count(images[b, i] * scale, u) * unit, top)
            out[b, i] = np.rint(value) if whole else value


@_compiled
def count(mean, u):
    """The smallest whole number whose distribution function reaches ``u`` in (0, 1).

    For larger means by the expansion of Giles ("Algorithm 955: approximation of the inverse Poisson cumulative distribution function",
    2016); where its error might reach a whole number, the distribution function itself decides.
    """
    if mean < _SMALL:
        return _stepwise(mean, u)
    w, root = _normal(u), np.sqrt(mean)
    square = w * w
    middle = mean + root * w + (2 + square) / 6 - w * (2 + square) / (72 * root)
    middle += (-8 / 405 + square * (7 / 810 + square / 270)) / mean
    slack = (1 / 40 + square * (1 / 80 + square / 160)) / mean + 1e-6
    n = np.floor(middle + slack)
    if np.floor(middle - slack) != n:
        while n > 0 and u <= _reached(n - 1, mean):
            n -= 1
    return max(n, 0.0)


@_compiled
def _stepwise(mean, u):
    n, part = 0.0, np.exp(-mean)
    total = part
    while u > total and n < 100:
        n += 1
        part *= mean / n
        total += part
    return n


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
def _replaced(images, out, keys, touched, raised, shared, low, high):
    """One hash decides on both: below ``raised`` of 2**24 a value becomes ``high``, below ``touched`` it becomes ``low``."""
    count, channels = images.shape[1], images.shape[2]
    for b in range(images.shape[0]):
        key0, key1, some, most, one, other = keys[b, 0], keys[b, 1], raised[b], touched[b], high[b], low[b]
        if shared[b]:
            for i in range(count):
                word = np.int32(_hash(i, key0, key1) >> np.uint32(8))
                for c in range(channels):
                    out[b, i, c] = one if word < some else (other if word < most else images[b, i, c])
        else:
            source, made = images[b].reshape(-1), out[b].reshape(-1)
            for i in range(count * channels):
                word = np.int32(_hash(i, key0, key1) >> np.uint32(8))
                made[i] = one if word < some else (other if word < most else source[i])


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
    one, two, six = np.float32(1), np.float32(2), np.float32(6)
    for i in range(pixels.shape[0]):
        red, green, blue = np.float32(pixels[i, 0]) / top, np.float32(pixels[i, 1]) / top, np.float32(pixels[i, 2]) / top
        high, low = max(red, green, blue), min(red, green, blue)
        chroma, light = high - low, (high + low) / two
        safe = chroma if chroma > 0 else one
        second = (blue - red) / safe + two if high == green else (red - green) / safe + two + two
        hue = two * ((green - blue) / safe if high == red else second) + turn[i]
        room = one - abs(two * light - one)
        light = min(max(light + more[i], np.float32(0)), one)
        width = chroma / (room if room > 0 else one) * (one - abs(two * light - one)) / two
        for c in range(3):
            place = hue + np.float32((0, 8, 4)[c])
            place -= two * six * np.floor(place / (two * six))
            value = (light - width * max(min(place - 3, 9 - place, one), -one)) * top
            value = min(max(value, np.float32(0)), top)
            out[i, c] = np.rint(value) if whole else value
