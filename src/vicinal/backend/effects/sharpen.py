"""Sharpening that is no filter: small differences are left alone."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.filters import correlated
from vicinal.core.batch import RANGES

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_MAGIC = np.float32(12582912.0)  # as in ``kernels``: adding and subtracting it rounds to even
_ROOM = 1 << 18  # blurred values at a time


def unsharp(images: NDArray, *, rows: NDArray, amount: NDArray, threshold: NDArray) -> NDArray:
    """``x + amount * (x - blurred)`` where the difference reaches the threshold; rows (b, 1, K) are the blur along either axis."""
    top, out, whole = np.float32(RANGES[str(images.dtype)]), np.empty_like(images), images.dtype.kind == "u"
    amount, threshold, columns = amount.astype(np.float32), (threshold * top).astype(np.float32), rows.transpose(0, 2, 1)
    some = max(_ROOM // images[0].size, 1)
    blurred = np.empty((min(some, len(images)), *images.shape[1:]), np.float32)
    for start in range(0, len(images), some):  # so many at a time that what is blurred stays in the cache
        part = slice(start, start + some)
        room = blurred[: len(images[part])]
        correlated(images[part], columns[part], rows[part], room, float(top))
        flat = len(room), -1
        _unsharp(images[part].reshape(flat), room.reshape(flat), out[part].reshape(flat), amount[part], threshold[part], top, whole)
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
