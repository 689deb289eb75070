"""The exchange rate: how many times more labels would do what the arm does?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import isotonic_regression

from vicinal.core.errors import DataError
from vicinal.lab.statistics.intervals import multiplicities, percentiles
from vicinal.lab.statistics.scores import block, positive


@final
@dataclass(frozen=True)
class Exchange:
    """What an arm is worth at one size, in labels of the reference.

    Args:
        size: labels that the arm had.
        times: the reference needs so many times ``size`` for the arm's score. Infinite where it never got there: more than ``most``
            is all that can be said. 0.0 where even the smallest size measured does better than the arm: less than ``least``.
        low, high: ends of the interval, with the same meaning at 0 and infinity; None with one seed.
        least, most: the smallest and the largest size measured, divided by ``size``.
    """

    size: int
    times: float
    low: float | None
    high: float | None
    least: float
    most: float

    @property
    def words(self) -> str:
        """The answer, honest at both ends: "none" where the arm is worth no additional label.

        Example:
            >>> Exchange(500, 7.9, 6.1, math.inf, 0.2, 8.0).words, Exchange(500, math.inf, None, None, 0.2, 8.0).words
            ('7.9x labels [6.1x, more than 8x]', 'more than 8x labels (beyond the measured sizes)')
            >>> Exchange(500, 0.8, 0.7, 0.9, 0.2, 8.0).words
            'none'
        """
        if self.times <= 1:
            return "none"
        if math.isinf(self.times):
            least = f", at least {self.low:.1f}x" if self.low is not None and math.isfinite(self.low) else ""
            return f"more than {self.most:.3g}x labels (beyond the measured sizes{least})"
        ends = "" if self.low is None or self.high is None else f" [{self._end(self.low)}, {self._end(self.high)}]"
        return f"{self.times:.1f}x labels{ends}"

    def _end(self, end: float) -> str:
        if math.isinf(end):
            return f"more than {self.most:.3g}x"
        return f"{end:.1f}x" if end else f"less than {self.least:.2g}x"


def exchange_rate(
    sizes: Sequence[int], reference: ArrayLike, arm: ArrayLike, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> list[Exchange]:
    """At every size: how many times more labels does the reference need for the arm's score?

    The reference's mean learning curve, made monotone by isotonic regression and linear in log N between the sizes, is read backwards
    at the arm's mean score (Geiping et al., "How much data are augmentations worth?", ICLR 2023). The interval bootstraps seeds,
    with all scores of a seed together, and is widened for few seeds as in `percentiles`. Nothing is extrapolated.

    Args:
        sizes: (K,) numbers of labels, rising, two or more.
        reference, arm: (S, K) scores of every seed at every size; more is better.

    Raises:
        DataError: sizes that do not rise, other shapes, or a score that is not finite.

    Example:
        >>> curve = np.log2([100, 200, 400, 800]) / 20 + np.array([[0.0], [0.01], [-0.01]])
        >>> [rate.words for rate in exchange_rate([100, 200, 400, 800], curve, curve + 0.05)][::2]
        ['2.0x labels [2.0x, 2.0x]', '2.0x labels [2.0x, 2.0x]']
    """
    positive(resamples=resamples)
    base = block("reference", reference, "seeds", "sizes")
    scores = block("arm", arm, "seeds", "sizes", like=base)
    logs = _logs(sizes, base.shape[1])
    rates = _rates(logs, base.mean(0), scores.mean(0))
    ends = _ends(logs, base, scores, level, resamples, seed) if len(base) > 1 else [(None, None)] * len(logs)
    return [
        Exchange(int(size), float(rate), *between, sizes[0] / size, sizes[-1] / size)
        for size, rate, between in zip(sizes, rates, ends, strict=True)
    ]


def _logs(sizes: Sequence[int], count: int) -> NDArray[np.float64]:
    values = np.asarray(sizes, np.float64)
    if values.shape != (count,) or count < 2 or values[0] <= 0 or (np.diff(values) <= 0).any():
        expected = f"{max(count, 2)} rising numbers of labels, one a column of scores"
        raise DataError("sizes", expected, repr(list(sizes)), "sizes=[100, 200, 400]")
    return np.log(values)


def _rates(logs: NDArray[np.float64], base: NDArray[np.float64], scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """(K,) rates: the smallest size at which the monotone curve has the score, over the size of the arm."""
    curve, first = np.unique(isotonic_regression(base).x, return_index=True)
    reached = np.interp(scores, curve, logs[first])
    rates = np.exp(reached - logs)
    rates[scores > curve[-1]] = math.inf
    rates[scores < curve[0]] = 0.0
    return rates


def _ends(
    logs: NDArray[np.float64], base: NDArray[np.float64], scores: NDArray[np.float64], level: float, resamples: int, seed: int
) -> list[tuple[float, float]]:
    weights = multiplicities(np.random.default_rng(seed), resamples, len(base)) / len(base)
    draws = np.array([_rates(logs, *curves) for curves in zip(weights @ base, weights @ scores, strict=True)])
    return [percentiles(column, level, len(base)) for column in draws.T]
