"""Sharpening that is no filter: small differences are left alone."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.filters import correlated
from vicinal.core.batch import RANGES

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_MAGIC = np.float32(12582912.0)  # as in ``kernels``: adding and subtracting it rounds to even


def unsharp(images: NDArray, *, rows: NDArray, amount: NDArray, threshold: NDArray) -> NDArray:
    """``x + amount * (x - blurred)`` where the difference reaches the threshold; rows (b, 1, K) are the blur along either axis."""
    top, out = np.float32(RANGES[str(images.dtype)]), np.empty_like(images)
    blurred = correlated(images, rows.transpose(0, 2, 1), rows, np.empty(images.shape, np.float32), float(top))
    flat = len(images), -1
    _unsharp(images.reshape(flat), blurred.reshape(flat), out.reshape(flat), amount.astype(np.float32),
             (threshold * top).astype(np.float32), top, images.dtype.kind == "u")  # fmt: skip
    return out


@_compiled
def _unsharp(images, blurred, out, amount, threshold, top, whole):
    for b in range(images.shape[0]):
        for i in range(images.shape[1]):
            value = np.float32(images[b, i])
            difference = value - blurred[b, i]
            value += amount[b] * difference if abs(difference) >= threshold[b] else np.float32(0)
            value = min(max(value, np.float32(0)), top)
            out[b, i] = (value + _MAGIC) - _MAGIC if whole else value
