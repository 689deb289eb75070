"""Standard normal numbers in compiled loops, bit for bit those of ``vicinal.core.special.normal_quantile``."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from vicinal.backend.vectors import widest
from vicinal.core.special import ACKLAM, LOGARITHM

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_inlined = njit(nogil=True, cache=True, error_model="numpy", inline="always")
_A, _B, _C, _D, _TAIL = ACKLAM
_TAIL_WORDS = int(2**32 * _TAIL) + 1  # at either end
_SERIES, _ROOT, _LN2 = LOGARITHM


@_compiled
def normals(word, normal):
    """Of many words: first as if there were no tails, which needs no branch, then the tails."""
    widest()
    for i in range(len(word)):
        normal[i] = _middle((word[i] + 0.5) * 2.0**-32 - 0.5)
    _tails(word, normal)


@_compiled
def _tails(word, normal):
    """Only where they are, which are noted down first: a compiler that sees a branch takes the logarithm everywhere."""
    low, between, places, found = np.uint32(_TAIL_WORDS), np.uint32(2**32 - 2 * _TAIL_WORDS), np.empty(len(word), np.uintp), 0
    for i in range(len(word)):
        places[found] = i
        found += np.uint32(word[i] - low) >= between
    for i in places[:found]:
        normal[i] = normal_of(word[i])


@_compiled
def normal_of(word):
    """The quantile at (word + 0.5) / 2**32."""
    x = (word + 0.5) * 2.0**-32 - 0.5
    if abs(x) <= 0.5 - _TAIL:
        return _middle(x)
    y = np.sqrt(-2 * _logarithm(0.5 - abs(x)))
    top = ((((_C[0] * y + _C[1]) * y + _C[2]) * y + _C[3]) * y + _C[4]) * y + _C[5]
    outer = top / ((((_D[0] * y + _D[1]) * y + _D[2]) * y + _D[3]) * y + _D[4])
    return outer if x < 0 else -outer


@_inlined
def _middle(x):
    """Between the tails, around x = 0."""
    y = x * x
    top = ((((_A[0] * y + _A[1]) * y + _A[2]) * y + _A[3]) * y + _A[4]) * y + _A[5]
    return top * x / (((((_B[0] * y + _B[1]) * y + _B[2]) * y + _B[3]) * y + _B[4]) * y + _B[5])


@_inlined
def _logarithm(x):
    part, halvings = math.frexp(x)
    if part < _ROOT:
        part, halvings = 2 * part, halvings - 1
    s = (part - 1) / (part + 1)
    square, value = s * s, 0.0
    for factor in _SERIES:
        value = value * square + factor
    return halvings * _LN2 + 2 * s * value
