"""What mixers do to pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vicinal.core.backend import Dense

CHUNK = 1 << 16  # values that are blended at once: few enough to stay in the cache, enough that small pictures cost no call each


def blended(own: Dense, pool: Dense, other: NDArray[np.int64], weight: NDArray) -> Dense:
    """``weight * own + (1 - weight) * pool[other]`` for every sample, as arrays of their own; integers are rounded once.

    The two weights add up to 1 or round to it, so values in [0, 1] stay there, and a weight of 1 changes nothing.
    """
    if isinstance(own, np.ndarray) and isinstance(pool, np.ndarray):
        return _blended(own, pool, other, weight)
    first = np.zeros(1, np.int64)
    return [_blended(array[None], pool[other[row]][None], first, weight[row : row + 1])[0] for row, array in enumerate(own)]


def _blended(own: NDArray, pool: NDArray, other: NDArray[np.int64], weight: NDArray) -> NDArray:
    out, kind = np.empty_like(own), np.dtype(np.float32 if own.dtype in (np.uint8, np.float32) else np.float64)
    mine = weight.astype(kind).reshape(-1, *[1] * (own.ndim - 1))
    step = max(1, CHUNK // max(own[0].size, 1))
    total, theirs = (np.empty((step, *own.shape[1:]), kind) for _ in range(2))
    for start in range(0, len(own), step):
        rows = slice(start, start + step)
        many = len(own[rows])
        # One large picture is read where it lies; small ones are gathered, which costs less than a call for each.
        partners = pool[other[rows]] if step > 1 else pool[other[start]][None]
        blend = out[rows] if own.dtype == kind else total[:many]
        np.multiply(own[rows], mine[rows], out=blend)
        blend += np.multiply(partners, 1 - mine[rows], out=theirs[:many])
        if own.dtype != kind:
            np.copyto(out[rows], np.rint(blend, out=blend), casting="unsafe")
    return out


def paste(out: NDArray, other: NDArray, box: Sequence[int]) -> None:
    """The part of another array (H, W, ...) within a box x0, y0, x1, y1 of whole pixels, in place."""
    x0, y0, x1, y1 = box
    out[y0:y1, x0:x1] = other[y0:y1, x0:x1]
