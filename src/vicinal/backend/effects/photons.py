"""Photon counts: every value as the quantile of a Poisson law, exact in float64.

Large means go by an expansion in their root, many at a time; where its error might reach a whole number, the distribution decides. Small
means are counted up to. For these, 8-bit images have the limits of every level in a table.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from vicinal.backend.effects.noise import settled
from vicinal.backend.kernels import hashed
from vicinal.backend.lanes import everywhere, loaded
from vicinal.backend.noise_kernels import hashed_run
from vicinal.backend.normals import normals
from vicinal.backend.vectors import widest
from vicinal.core.batch import RANGES

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_SMALL = 6.0  # mean up to which counts are reached step by step
_STEPS = 32  # more than any count of such a mean that 32 random bits reach
_BLOCK = 512  # values that stay in the first cache, with all that is made of them


def poisson(images: NDArray, *, photons: NDArray, key: NDArray, share: NDArray, overflow: NDArray, shared: NDArray) -> NDArray:
    """Every value as a Poisson count.

    Args:
        photons, share: (b,) counts at full scale, and shares of the values that are touched; key: (b, 2).
        overflow, shared: (b,), one for all: what becomes of counts above full scale, and whether a pixel has one number for its channels.
    """
    loop, repeat = _poisson_levels if images.dtype == np.uint8 else _poisson, images.shape[3] if shared[0] else 1

    def make(flat: NDArray, out: NDArray, most: float, whole: bool) -> None:
        loop(flat, out, photons, key, repeat, float(RANGES[str(images.dtype)]), most, whole)

    return settled(images, make, key, share, str(overflow[0]), repeat)


def _passing(context: Any, limits: Any, word: Any) -> Any:
    """How many of _STEPS limits, at an address, a word lies above."""
    return types.int64(types.intp, types.uint32), _generated


def _generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    form, bits = ir.VectorType(ir.IntType(32), _STEPS), ir.IntType(_STEPS)
    above = builder.icmp_unsigned(">", everywhere(builder, args[1], form), loaded(builder, args[0], form))
    count = cgutils.get_or_insert_function(builder.module, ir.FunctionType(bits, [bits]), f"llvm.ctpop.i{_STEPS}")
    return builder.zext(builder.call(count, [builder.bitcast(above, bits)]), ir.IntType(64))


_passed: Any = intrinsic(_passing)


@_compiled
def _room():
    """For a block of values: words, whether a count is in doubt, means, their roots, normal quantiles, counts."""
    many = np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK), np.empty(_BLOCK)
    return np.empty(_BLOCK, np.uint32), np.empty(_BLOCK, np.uint8), *many


@_compiled
def _poisson(images, out, photons, keys, repeat, top, most, whole):
    word, doubt, mean, root, normal, count = _room()
    for b in range(images.shape[0]):
        unit = top / photons[b]
        for first in range(0, images.shape[1], _BLOCK):
            values, made = images[b, first : first + _BLOCK], out[b, first : first + _BLOCK]
            n = len(values)
            _hashed(word[:n], first, repeat, keys[b, 0], keys[b, 1])
            _scaled(values, unit, mean, root)
            _expanded(word[:n], mean, root, normal, count, doubt)
            for i in range(n):
                if doubt[i] and mean[i] >= _SMALL:
                    count[i] = _decided(count[i], mean[i], word[i])
            _climbed(word[:n], mean, count)
            _stored(count, unit, most, whole, made)


@_compiled
def _poisson_levels(images, out, photons, keys, repeat, top, most, whole):
    """The same for 8-bit images: what depends on the level alone is made once."""
    word, doubt, mean, root, normal, count = _room()
    levels, limits = np.arange(256).astype(np.float64), np.empty((256, _STEPS), np.uint32)
    means, roots = np.empty(256), np.empty(256)
    for b in range(images.shape[0]):
        unit = top / photons[b]
        _scaled(levels, unit, means, roots)
        for level in range(256):
            if means[level] < _SMALL:
                _limits(means[level], limits[level])
        for first in range(0, images.shape[1], _BLOCK):
            values, made = images[b, first : first + _BLOCK], out[b, first : first + _BLOCK]
            n = len(values)
            _hashed(word[:n], first, repeat, keys[b, 0], keys[b, 1])
            if means[255] < _SMALL:
                for i in range(n):
                    count[i] = _passed(limits.ctypes.data + 4 * _STEPS * values[i], word[i])
            else:
                for i in range(n):
                    mean[i], root[i] = means[np.uintp(values[i])], roots[np.uintp(values[i])]
                _expanded(word[:n], mean, root, normal, count, doubt)
                _settled_levels(values, word, mean, limits, count, doubt)
            _stored(count, unit, most, whole, made)


@_compiled
def _settled_levels(values, word, mean, limits, count, doubt):
    """What is in doubt."""
    for i in range(len(values)):
        if doubt[i] and mean[i] < _SMALL:
            count[i] = _passed(limits.ctypes.data + 4 * _STEPS * values[i], word[i])
        elif doubt[i]:
            count[i] = _decided(count[i], mean[i], word[i])


@_compiled
def _hashed(word, first, repeat, key0, key1):
    """The words of values from ``first`` on, of which ``repeat`` share one."""
    if repeat == 1:
        hashed_run(word, first, key0, key1)
    else:
        for i in range(len(word)):
            word[i] = hashed((first + i) // repeat, key0, key1)


@_compiled
def _scaled(values, unit, mean, root):
    """Means and their roots."""
    widest()
    for i in range(len(values)):
        mean[i] = values[i] / unit
    for i in range(len(values)):
        root[i] = np.sqrt(mean[i])


@_compiled
def _stored(count, unit, most, whole, out):
    widest()
    for i in range(len(out)):
        value = min(count[i] * unit, most)
        out[i] = np.rint(value) if whole else value


@_compiled
def _expanded(word, mean, root, normal, count, doubt):
    """The smallest counts whose distribution function reaches (word + 0.5) / 2**32. Those in doubt may be less; so are all of small means.

    Giles, Algorithm 955: approximation of the inverse Poisson cumulative distribution function, 2016.
    """
    widest()
    normals(word, normal)
    for i in range(len(word)):
        w, inverse = normal[i], 1 / root[i]
        square = w * w
        middle = mean[i] + root[i] * w + (2 + square) * (1 / 6 - w * inverse * (1 / 72))
        middle += (-8 / 405 + square * (7 / 810 + square * (1 / 270))) * inverse * inverse
        slack = (1 / 40 + square * (1 / 80 + square * (1 / 160))) * inverse * inverse + 1e-6
        n = np.floor(middle + slack)
        count[i] = max(n, 0.0)
        doubt[i] = (middle - slack < n) | (mean[i] < _SMALL)


@_compiled
def _decided(n, mean, word):
    """What the distribution function says, where the expansion says ``n`` or less."""
    u = (word + 0.5) * 2.0**-32
    while n > 0 and u <= _reached(n - 1, mean):
        n -= 1
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
def _climbed(word, mean, count):
    """The smallest counts whose distribution function reaches (word + 0.5) / 2**32, of small means: step by step, all of them together."""
    places, found = np.empty(len(word), np.uintp), 0
    for i in range(len(word)):
        places[found] = i
        found += mean[i] < _SMALL
    means, reach, total, steps = mean[places[:found]], np.empty(found), np.empty(found), np.zeros(found)
    for j in range(found):
        reach[j], total[j] = (word[places[j]] + 0.5) * 2.0**-32, np.exp(-means[j])
    part = total.copy()
    for n in range(_STEPS):
        if not _stepped(means, reach, part, total, steps, n + 1):
            break
    for j in range(found):
        count[places[j]] = steps[j]


@_compiled
def _stepped(means, reach, part, total, steps, n):
    """One step for those that have not arrived; how many these are."""
    widest()
    left = 0
    for j in range(len(means)):
        more = reach[j] > total[j]
        left += more
        steps[j] += more
        part[j] *= means[j] / n
        total[j] += part[j]
    return left


@_compiled
def _limits(mean, limits):
    """The largest words that the distribution function still reaches at 0, 1, 2, ..."""
    part = np.exp(-mean)
    total = part
    for n in range(_STEPS):
        limits[n] = min(np.floor(total * 2.0**32 - 0.5), 2.0**32 - 1)
        if part < 1e-12 and n > mean:  # the rest is too little to be seen
            limits[n:] = limits[n]
            return
        part *= mean / (n + 1)
        total += part
