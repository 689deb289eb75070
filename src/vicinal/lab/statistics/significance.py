"""Is a difference more than luck? Sign flips for one arm, Holm's correction for many."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vicinal.lab.statistics.intervals import RESAMPLES
from vicinal.lab.statistics.scores import finite

EXACT_UP_TO = 16  # seeds; 2**16 sign patterns are still quick to enumerate


def sign_flip_p(differences: ArrayLike) -> float:
    """Two-sided p-value of (S,) paired differences under random flips of their signs (Fisher's permutation test).

    Exact over all 2**S patterns up to S = 16, so never below 2 / 2**S; beyond that 9,999 seeded flips, the observed pattern
    counted in (Phipson and Smyth, "Permutation p-values should never be zero", 2010).

    Example:
        >>> sign_flip_p([0.01, 0.02, 0.03]), sign_flip_p([0.0, 0.0])
        (0.25, 1.0)
    """
    values = finite("differences", differences)
    sums = _all_sums(values) if len(values) <= EXACT_UP_TO else _flips(len(values)) @ values
    # Flips that tie with the observed sum must count as ties, whatever the order of the additions.
    tie = 1e-9 * np.abs(values).sum()
    return float(np.mean(np.abs(sums) >= abs(values.sum()) - tie))


def _all_sums(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums under all patterns of signs but their mirror images, which have the same absolute sums: the first sign stays."""
    sums = values[:1]
    for value in values[1:]:
        sums = np.concatenate([sums + value, sums - value])
    return sums


@lru_cache(maxsize=8)
def _flips(count: int) -> NDArray[np.float64]:
    """(patterns, count) of +1 and -1, the observed pattern first; scipy's permutation_test draws them anew for every arm."""
    drawn = np.random.default_rng(0).integers(0, 2, (RESAMPLES, count))
    signs = np.where(np.vstack([np.zeros((1, count), np.int64), drawn]), -1.0, 1.0)
    signs.flags.writeable = False
    return signs


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment ("A simple sequentially rejective multiple test procedure", 1979), in the order given.

    Example:
        >>> holm([0.03, 0.01, 0.5])
        [0.06, 0.03, 0.5]
    """
    values = np.asarray(ps, np.float64)
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted.tolist()
