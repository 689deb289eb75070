"""Noise that is not the value plus a draw of one law: a sensor's colours, values that are lost; and what it shares with photon counts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.chain_lookup import put_together, take_apart
from vicinal.backend.chain_steps import MAGIC
from vicinal.backend.kernels import hashed
from vicinal.backend.noise import SALT
from vicinal.backend.noise_kernels import BLOCK, GAUSSIAN, drawn, hashed_run, pairs, rescaled, scratch
from vicinal.core.batch import RANGES

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_inlined = njit(nogil=True, cache=True, error_model="numpy", inline="always")
_SHARE = 0x3C6EF372  # tells the hash of which values are touched from the others


Make = Callable[[NDArray, NDArray, float, bool], None]


def settled(images: NDArray, make: Make, key: NDArray, share: NDArray, overflow: str, repeat: int) -> NDArray:
    """Noise by ``make(flat images, their places, the largest value, whether to round)``, on a share of the values, within the range."""
    free, top, flat = overflow != "clip", RANGES[str(images.dtype)], images.reshape(len(images), -1)
    made = np.empty(flat.shape, np.float32) if free else np.empty_like(flat)
    make(flat, made, np.inf if free else float(top), not free and images.dtype.kind == "u")
    if (share < 1).any():
        _restored(flat, made, key, np.rint(share * 2**24).astype(np.int64), repeat)
    if overflow == "renormalise":
        out = np.empty_like(flat)
        for one, of in zip(made, out, strict=True):
            rescaled(one, np.float32(top), images.dtype.kind == "u", of)
        made = out
    return made.reshape(images.shape)


@_compiled
def _restored(images, out, keys, touched, repeat):
    """The values, ``repeat`` at a time, that are not among ``touched`` of 2**24."""
    for b in range(images.shape[0]):
        for i in range(images.shape[1] // repeat):
            if hashed(i, keys[b, 0] ^ np.uint32(_SHARE), keys[b, 1]) >> np.uint32(8) >= touched[b]:
                for at in range(i * repeat, (i + 1) * repeat):
                    out[b, at] = images[b, at]


def replaced(images: NDArray, *, share: NDArray, key: NDArray, shared: NDArray, odds: NDArray, low: NDArray, high: NDArray) -> NDArray:
    """A share of the values, or of the pixels where ``shared``, becomes ``high`` with probability ``odds`` and ``low`` otherwise."""
    out = images.copy()
    scale = RANGES[str(images.dtype)]
    ends = (np.rint(end * scale) if images.dtype.kind == "u" else end for end in (low, high))
    touched = np.rint(share * 2**24)
    _replaced(out.reshape(len(images), -1), np.where(shared, images.shape[-1], 1), key, touched.astype(np.uint32),
              np.rint(touched * odds).astype(np.uint32), *(end.astype(images.dtype) for end in ends))  # fmt: skip
    return out


@_compiled
def _chosen(values, code, some, most, one, other):
    for i in range(values.shape[0]):
        values[i] = one if code[i] < some else (other if code[i] < most else values[i])


@_compiled
def _replaced(out, repeat, keys, touched, raised, low, high):
    """One hash decides on both: below ``raised`` of 2**24 a value becomes ``high``, below ``touched`` it becomes ``low``."""
    code = np.empty(BLOCK, np.uint32)
    for b in range(out.shape[0]):
        values, some, most, one, other, wide = out[b], raised[b], touched[b], high[b], low[b], repeat[b]
        for first in range(0, out.shape[1] // wide, BLOCK):
            n = min(BLOCK, out.shape[1] // wide - first)
            hashed_run(code[:n], first, keys[b, 0], keys[b, 1])
            code >>= np.uint32(8)
            if wide == 1:
                _chosen(values[first : first + n], code, some, most, one, other)
                continue
            for i in range(n):  # few pixels are touched, as a rule
                if code[i] < most:
                    for at in range((first + i) * wide, (first + i + 1) * wide):
                        values[at] = one if code[i] < some else other


def iso(images: NDArray, *, hue: NDArray, luminance: NDArray, key: NDArray, share: NDArray, overflow: NDArray) -> NDArray:
    """Every pixel's hue turned by Gaussian degrees, and its lightness changed by a Gaussian share of the value range."""
    top, pixels = np.float32(RANGES[str(images.dtype)]), (len(images), -1, 3)

    def make(flat: NDArray, out: NDArray, most: float, whole: bool) -> None:
        _iso(flat.reshape(pixels), out.reshape(pixels), (hue / 30).astype(np.float32), luminance.astype(np.float32), key,
             pairs("gaussian"), top, most > top, whole)  # fmt: skip

    return settled(images, make, key, share, str(overflow[0]), 3)


@_compiled
def _iso(images, out, hue, luminance, keys, table, top, free, whole):
    count, zero = images.shape[1], np.float32(0)
    room, turn, more = scratch(), np.empty(BLOCK, np.float32), np.empty(BLOCK, np.float32)
    planes, made = np.empty((3, BLOCK), images.dtype), np.empty((3, BLOCK), out.dtype)
    for b in range(images.shape[0]):
        if hue[b] == 0 and luminance[b] == 0:
            out[b] = images[b]
            continue
        for first in range(0, count, BLOCK):
            n = min(BLOCK, count - first)
            drawn(room, first, n, keys[b, 0], keys[b, 1], GAUSSIAN, table, zero, hue[b], turn)
            drawn(room, first, n, keys[b, 0] ^ np.uint32(SALT), keys[b, 1], GAUSSIAN, table, zero, luminance[b], more)
            take_apart(images[b, first : first + n].reshape(-1), n, planes)
            _turned(planes, made, n, turn, more, top, free, whole)
            put_together(made, n, out[b, first : first + n].reshape(-1))


@_compiled
def _turned(planes, made, n, turn, more, top, free, whole):
    """Through the HLS double cone and back: hue in twelfths of the circle, chroma at the same saturation; lightness beyond it if free."""
    zero, one, two, scale = np.float32(0), np.float32(1), np.float32(2), np.float32(1) / top
    (reds, greens, blues), (first, second, third) = (planes[0], planes[1], planes[2]), (made[0], made[1], made[2])
    for i in range(n):
        red, green, blue = np.float32(reds[i]) * scale, np.float32(greens[i]) * scale, np.float32(blues[i]) * scale
        high, low = max(max(red, green), blue), min(min(red, green), blue)
        chroma, light = high - low, (high + low) / two
        safe = two / (chroma if chroma > zero else one)
        other = (blue - red) * safe + np.float32(4) if high == green else (red - green) * safe + np.float32(8)
        hue = ((green - blue) * safe if high == red else other) + turn[i]
        room = one - abs(two * light - one)
        wanted = light + more[i]
        light = min(max(wanted, zero), one)
        beyond = (wanted - light) * top if free else zero
        width = chroma / (room if room > zero else one) * (one - abs(two * light - one)) / two
        first[i] = _cone(hue, light, width, top, whole) + beyond
        second[i] = _cone(hue + np.float32(8), light, width, top, whole) + beyond
        third[i] = _cone(hue + np.float32(4), light, width, top, whole) + beyond


@_inlined
def _cone(place, light, width, top, whole):
    """One channel, at its place in the circle of twelve."""
    place = place - np.float32(12) * np.floor(place * np.float32(1 / 12))
    slope = max(min(min(place - np.float32(3), np.float32(9) - place), np.float32(1)), np.float32(-1))
    value = min(max((light - width * slope) * top, np.float32(0)), top)
    return (value + MAGIC) - MAGIC if whole else value
