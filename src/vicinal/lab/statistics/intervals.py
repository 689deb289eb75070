"""Intervals of a mean of paired differences: Student's, the BCa bootstrap, and percentiles of a resampling."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from vicinal.core.errors import ParameterError
from vicinal.lab.statistics.scores import finite, share

Method = Literal["t", "bca"]

Found = TypeVar("Found", bound=Any)  # a dataclass with low and high

RESAMPLES = 9999  # of the BCa bootstrap, and of the permutation test where it is no longer exact


@final
@dataclass(frozen=True)
class Estimate:
    """A number and its interval, both in the unit of the scores.

    Args:
        mean: the estimate.
        low, high: ends of the interval; None where one seed gives no interval.
    """

    mean: float
    low: float | None
    high: float | None

    @property
    def sign(self) -> int:
        """1 where the interval lies above 0, -1 where it lies below, 0 where it holds 0 or is missing.

        Example:
            >>> Estimate(0.02, 0.01, 0.03).sign, Estimate(0.02, -0.01, 0.05).sign, Estimate(0.02, None, None).sign
            (1, 0, 0)
        """
        if self.low is None or self.high is None:
            return 0
        return (self.low > 0) - (self.high < 0)


def estimate(values: ArrayLike, level: float = 0.95, method: Method = "t") -> Estimate:
    """Mean of (S,) values, one a seed, with the interval of `interval`.

    Example:
        >>> estimate([0.02])
        Estimate(mean=0.02, low=None, high=None)
    """
    low, high = interval(values, level, method)
    mean = float(np.mean(np.asarray(values, np.float64)))
    return Estimate(mean, None, None) if math.isnan(low) else Estimate(mean, low, high)


def within(found: Found, span: float) -> Found:
    """An estimate of a mean whose interval ends where no mean can lie, beyond +-``span``: few seeds have wide ones.

    The true mean is never out there, so what is cut off costs no coverage.

    Example:
        >>> within(estimate([0.2, 0.7]), span=1.0).high
        1.0
    """
    return found if found.low is None else replace(found, low=max(found.low, -span), high=min(found.high, span))


def interval(differences: ArrayLike, level: float = 0.95, method: Method = "t") -> tuple[float, float]:
    """Confidence interval of the mean of (S,) paired differences.

    ``t`` is Student's interval; ``bca`` the bias-corrected and accelerated bootstrap (Efron, "Better bootstrap confidence
    intervals", JASA 1987), which follows skewed differences but is too narrow for few seeds: on normal differences its 95 %
    interval holds the truth in 83 % of the cases with 5 seeds, 89 % with 10, 91 % with 20. Identical differences have an
    interval of no width; a single one has none: (nan, nan).

    Raises:
        DataError: a difference is not finite. ParameterError: an unknown method, or a level outside (0, 1).

    Example:
        >>> low, high = interval([0.01, 0.03, 0.02, 0.04])
        >>> round(low, 4), round(high, 4)
        (0.0045, 0.0455)
    """
    values = finite("differences", differences)
    if method not in ("t", "bca"):
        raise ParameterError("interval.method", "'t' or 'bca'", repr(method), "method='t'")
    share("interval.level", level, "level=0.95")
    if len(values) < 2:
        return math.nan, math.nan
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    low, high = _bca(values, level) if method == "bca" else (math.nan, math.nan)
    # The bootstrap is undefined for some degenerate samples; Student's interval never is.
    return (low, high) if math.isfinite(low) and math.isfinite(high) else _student(values, level)


def _student(values: NDArray[np.float64], level: float) -> tuple[float, float]:
    half = special.stdtrit(len(values) - 1, (1 + level) / 2) * values.std(ddof=1) / math.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def _bca(values: NDArray[np.float64], level: float) -> tuple[float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of degenerate samples, which the caller handles
        result = stats.bootstrap(
            (values,), np.mean, n_resamples=RESAMPLES, confidence_level=level, method="BCa", rng=np.random.default_rng(0)
        )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def percentiles(draws: ArrayLike, level: float, seeds: int) -> tuple[float, float]:
    """Expanded percentile interval of (R,) bootstrap draws of a statistic over ``seeds`` seeds.

    Plain percentiles of few seeds are too narrow twice over: the resamples vary by (S - 1) / S of what they should, and as a normal
    distribution would rather than Student's. The levels are moved outwards so that for a mean of normal values Student's interval
    comes out (Hesterberg, "What teachers should know about the bootstrap", The American Statistician 2015).

    Example:
        >>> draws = np.random.default_rng(0).normal(0, 1, 100_000)
        >>> [round(end, 1) for end in percentiles(draws, 0.95, seeds=1000)], [round(end, 1) for end in percentiles(draws, 0.95, seeds=10)]
        ([-2.0, 2.0], [-2.4, 2.4])
    """
    share("percentiles.level", level, "level=0.95")
    reach = math.sqrt(seeds / (seeds - 1)) * float(special.stdtrit(seeds - 1, (1 + level) / 2))
    outside = float(special.ndtr(-reach))
    # Draws may be infinite ("more than was measured"): an observed draw, never a mean of two.
    low, high = np.quantile(np.asarray(draws, np.float64), (outside, 1 - outside), method="inverted_cdf")
    return float(low), float(high)


def multiplicities(rng: np.random.Generator, resamples: int, count: int) -> NDArray[np.int64]:
    """(resamples, count): how often each of ``count`` things is drawn in a resample with replacement; rows sum to ``count``."""
    drawn = rng.integers(0, count, (resamples, count)) + np.arange(resamples)[:, None] * count
    return np.bincount(drawn.ravel(), minlength=resamples * count).reshape(resamples, count)
