"""The difference of two arms over seeds and test items at once: both were drawn, so both are resampled."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vicinal.lab.statistics.intervals import multiplicities, percentiles
from vicinal.lab.statistics.scores import block, positive

BLOCK = 1 << 21  # values of one array held at once: 16 MiB


@final
@dataclass(frozen=True)
class Hierarchical:
    """Mean difference with its interval, and where its uncertainty comes from.

    Args:
        mean: of the differences over all seeds and items.
        low, high: ends of the interval; None with one seed.
        se_seeds: standard error that comes from the seeds, which only more seeds lower; 0.0 with one seed.
        se_items: standard error that comes from the test items, which only a larger test part lowers.
        se_noise: standard error of what is left, the luck of one seed with one item; either lowers it.
    """

    mean: float
    low: float | None
    high: float | None
    se_seeds: float
    se_items: float
    se_noise: float


def hierarchical(reference: ArrayLike, arm: ArrayLike, level: float = 0.95, resamples: int = 2000, seed: int = 0) -> Hierarchical:
    """Interval of the mean difference between two arms, for other seeds *and* other test items.

    Seeds and items are crossed (every seed is scored on the same items), so a resample draws seeds and items independently of each
    other and keeps all pairs (Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 2007). That counts the noise of single
    scores three times, so the draws are drawn in to the standard error of the two-way analysis of variance; their percentiles are
    then widened for few seeds as in `percentiles`.

    Args:
        reference, arm: (S, N) scores of every test item under every seed: right or wrong (bool), or any number such as a loss.
        resamples: of the bootstrap. Memory stays below 100 MiB for any number of them.

    Raises:
        DataError: no two axes, other shapes, or a score that is not finite.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> found = hierarchical(rng.random((10, 500)) < 0.80, rng.random((10, 500)) < 0.85)
        >>> round(found.mean, 3), round(found.low, 3), round(found.high, 3)
        (0.06, 0.041, 0.078)
    """
    positive(resamples=resamples)
    base = block("reference", reference, "seeds", "items")
    differences = block("arm", arm, "seeds", "items", like=base) - base
    errors = _errors(differences)
    mean = float(differences.mean())
    if len(differences) < 2:
        return Hierarchical(mean, None, None, *errors)
    draws = _draws(differences, resamples, np.random.default_rng(seed)) - mean
    seeds, spread = len(differences), float(draws.std())
    # Draws over S seeds vary by (S - 1) / S of what they should, which the percentiles make up for.
    narrowed = draws * min(1.0, math.hypot(*errors) * math.sqrt((seeds - 1) / seeds) / spread) if spread else draws
    low, high = percentiles(narrowed, level, seeds)
    return Hierarchical(mean, mean + low, mean + high, *errors)


def _draws(differences: NDArray[np.float64], resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(resamples,) means: a resample is how often it holds each seed and each item, so its mean is a bilinear form."""
    seeds, items = differences.shape
    rows = max(1, BLOCK // items)
    counts = [min(rows, resamples - start) for start in range(0, resamples, rows)]
    return np.concatenate([_means(differences, multiplicities(rng, n, seeds), multiplicities(rng, n, items)) for n in counts])


def _means(differences: NDArray[np.float64], of_seeds: NDArray[np.int64], of_items: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.einsum("rn,rn->r", of_seeds.astype(np.float64) @ differences, of_items) / differences.size


def _errors(differences: NDArray[np.float64]) -> tuple[float, float, float]:
    """Standard errors by the two-way analysis of variance without replication, with random rows and columns."""
    seeds, items = differences.shape
    rows, columns = differences.mean(1, keepdims=True), differences.mean(0, keepdims=True)
    freedom = max(1, (seeds - 1) * (items - 1))
    noise = float(((differences - rows - columns + differences.mean()) ** 2).sum()) / freedom
    return _component(rows, noise / items), _component(columns, noise / seeds), math.sqrt(noise / differences.size)


def _component(means: NDArray[np.float64], noise: float) -> float:
    """Standard error of the grand mean that the spread of the (n,) means leaves, after what chance within them explains."""
    return math.sqrt(max(0.0, float(means.var(ddof=1)) - noise) / means.size) if means.size > 1 else 0.0
