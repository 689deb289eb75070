"""Paired statistics: is the difference between two arms more than luck?

Scores come in pairs (the same seed gives both arms the same subset, split, initial weights and batch order), so everything
here works on the S paired differences. All scores are fractions of 1.
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from vicinal.core.errors import DataError, ParameterError

Method = Literal["t", "bca"]
Verdict = Literal["helps", "hurts", "no evidence"]

EXACT_UP_TO = 16  # seeds; 2**16 sign patterns are still quick to enumerate
RESAMPLES = 9999  # of the bootstrap, and of the permutation test where it is no longer exact
MOST_SEEDS = 1000  # a plan that needs more is no plan


@final
@dataclass(frozen=True)
class Difference:
    """How far an arm lies from its reference, in the unit of the scores.

    Args:
        mean: mean of the paired differences.
        low, high: ends of the interval; None where one seed gives no interval.
        p: two-sided sign-flip permutation p-value.
        p_adjusted: the same after Holm's correction for the number of arms.
    """

    mean: float
    low: float | None
    high: float | None
    p: float
    p_adjusted: float


class Comparison(NamedTuple):
    """One arm against the reference; ``seeds_needed`` as in `seeds_to_settle`."""

    difference: Difference
    verdict: Verdict
    seeds_needed: int | None


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
    values = _finite("differences", differences)
    if method not in ("t", "bca"):
        raise ParameterError("interval.method", "'t' or 'bca'", repr(method), "method='t'")
    _share("interval.level", level, "level=0.95")
    if len(values) < 2:
        return math.nan, math.nan
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    low, high = _bca(values, level) if method == "bca" else (math.nan, math.nan)
    # The bootstrap is undefined for some degenerate samples; Student's interval never is.
    return (low, high) if math.isfinite(low) and math.isfinite(high) else _student(values, level)


def _student(values: NDArray[np.float64], level: float) -> tuple[float, float]:
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1) / math.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)


def _bca(values: NDArray[np.float64], level: float) -> tuple[float, float]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of degenerate samples, which the caller handles
        result = stats.bootstrap(
            (values,), np.mean, n_resamples=RESAMPLES, confidence_level=level, method="BCa", rng=np.random.default_rng(0)
        )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)


def sign_flip_p(differences: ArrayLike) -> float:
    """Two-sided p-value of (S,) paired differences under random flips of their signs (Fisher's permutation test).

    Exact over all 2**S patterns up to S = 16, so never below 2 / 2**S; beyond that 9,999 seeded flips, the observed pattern
    counted in (Phipson and Smyth, "Permutation p-values should never be zero", 2010).

    Example:
        >>> sign_flip_p([0.01, 0.02, 0.03]), sign_flip_p([0.0, 0.0])
        (0.25, 1.0)
    """
    values = _finite("differences", differences)
    signs = _signs(len(values))
    # Flips that tie with the observed sum must count as ties, whatever the order of the additions.
    tie = 1e-9 * np.abs(values).sum()
    return float(np.mean(np.abs(signs @ values) >= abs(values.sum()) - tie))


@lru_cache(maxsize=8)
def _signs(count: int) -> NDArray[np.float64]:
    """(patterns, count) of +1 and -1, the observed pattern first; scipy's permutation_test draws them anew for every arm."""
    if count <= EXACT_UP_TO:
        # A pattern and its mirror image have the same absolute sum, so half of them are enough.
        bits = np.arange(2 ** (count - 1))[:, None] >> np.arange(count) & 1
        signs = np.where(bits, -1.0, 1.0)
    else:
        flips = np.random.default_rng(0).integers(0, 2, (RESAMPLES, count))
        signs = np.where(np.vstack([np.zeros((1, count), np.int64), flips]), -1.0, 1.0)
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


def detection_power(seeds: int, effect: float, alpha: float = 0.05) -> float:
    """Chance that a two-sided paired t-test on ``seeds`` pairs detects a mean of ``effect`` standard deviations.

    Example:
        >>> round(detection_power(34, 0.5), 2)
        0.81
    """
    critical = stats.t.ppf(1 - alpha / 2, seeds - 1)
    shift = abs(effect) * math.sqrt(seeds)
    return float(stats.nct.sf(critical, seeds - 1, shift) + stats.nct.cdf(-critical, seeds - 1, shift))


def seeds_needed(mean: float, sd: float, alpha: float = 0.05, power: float = 0.8) -> int | None:
    """Smallest number of pairs with which a two-sided paired t-test detects ``mean`` with the given power.

    Args:
        mean, sd: mean and standard deviation of the paired differences, in one unit.

    Returns:
        The number of seeds, at least 2; None where the mean is 0 or more than 1,000 would be needed.

    Example:
        >>> seeds_needed(mean=0.5, sd=1.0)
        34
    """
    if mean == 0:
        return None
    # Ten standard deviations are found with three seeds; the noncentral t overflows soon after.
    effect = min(abs(mean) / sd, 10.0) if sd > 0 else 10.0
    # The normal distribution needs slightly fewer, which makes it the place to start from.
    start = ((stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power)) / effect) ** 2
    if start > MOST_SEEDS:
        return None
    candidates = range(max(2, math.floor(start)), MOST_SEEDS + 1)
    return next((n for n in candidates if detection_power(n, effect, alpha) >= power), None)


def fewest_seeds(alpha: float = 0.05, arms: int = 1) -> int:
    """Seeds below which no effect, however large, passes the sign-flip test after correction for ``arms`` arms.

    Example:
        >>> fewest_seeds(), fewest_seeds(arms=12)
        (6, 9)
    """
    _share("fewest_seeds.alpha", alpha, "alpha=0.05")
    return next(n for n in itertools.count(1) if arms * 2.0 ** (1 - n) < alpha)


def seeds_to_settle(differences: ArrayLike, alpha: float = 0.05, power: float = 0.8, arms: int = 1) -> int | None:
    """Seeds that would settle an effect as large as the observed mean: paired t at ``alpha / arms``, the level of the
    smallest p under Holm, and never below `fewest_seeds`.

    A plan, not a promise: the observed mean is itself uncertain. One seed shows no spread, so only the floor can be told.

    Returns:
        The total number of seeds; None where the observed mean is 0 or more than 1,000 would be needed.

    Example:
        >>> seeds_to_settle([0.02, 0.01, -0.01, 0.03])
        17
    """
    values = _finite("differences", differences)
    sd = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    needed = seeds_needed(float(values.mean()), sd, alpha / arms, power)
    return None if needed is None else max(needed, fewest_seeds(alpha, arms))


def compare(reference: ArrayLike, arms: Mapping[str, ArrayLike], alpha: float = 0.05, method: Method = "t") -> dict[str, Comparison]:
    """Every arm against the reference, with Holm's correction over the arms.

    Args:
        reference: (S,) scores of the reference arm, one a seed.
        arms: name to (S,) scores, in the same order of seeds.

    Returns:
        Name to (difference, verdict, seeds_needed). ``helps`` means that the adjusted p is below ``alpha`` and the interval
        lies entirely above 0; ``hurts`` is its mirror image; all else is ``no evidence``.

    Raises:
        DataError: a score that is not finite, or arms with different numbers of seeds. ParameterError: alpha outside (0, 1).

    Example:
        >>> base = [0.80, 0.81, 0.79, 0.80, 0.82, 0.78]
        >>> compare(base, {"shift": [0.85, 0.87, 0.84, 0.86, 0.86, 0.84]})["shift"].verdict
        'helps'
    """
    _share("compare.alpha", alpha, "alpha=0.05")
    base = _finite("reference", reference)
    differences = {name: _finite(f"arm {name!r}", scores, len(base)) - base for name, scores in arms.items()}
    ps = [sign_flip_p(values) for values in differences.values()]
    adjusted = holm(ps)
    return {
        name: _judge(values, p, p_adjusted, alpha, method, len(differences))
        for (name, values), p, p_adjusted in zip(differences.items(), ps, adjusted, strict=True)
    }


def _judge(values: NDArray[np.float64], p: float, p_adjusted: float, alpha: float, method: Method, arms: int) -> Comparison:
    low, high = interval(values, 1 - alpha, method)
    significant = p_adjusted < alpha
    verdict: Verdict = "helps" if significant and low > 0 else "hurts" if significant and high < 0 else "no evidence"
    ends = (None, None) if math.isnan(low) else (low, high)
    return Comparison(Difference(float(values.mean()), *ends, p, p_adjusted), verdict, seeds_to_settle(values, alpha, arms=arms))


def identical_scores(scores_by_arm: Mapping[str, ArrayLike]) -> list[str]:
    """A sentence for every arm whose seeds all scored the same: most likely a seed that is accepted but not used.

    Example:
        >>> identical_scores({"none": [0.85, 0.85, 0.85], "shift": [0.9, 0.91, 0.89]})
        ["arm 'none': all 3 seeds scored exactly 0.85; either the seed is not used or the score is saturated"]
    """
    arms = ((name, np.asarray(scores, np.float64)) for name, scores in scores_by_arm.items())
    return [
        f"arm {name!r}: all {len(scores)} seeds scored exactly {scores[0]:.6g}; either the seed is not used or the score is saturated"
        for name, scores in arms
        if len(scores) > 1 and (scores == scores[0]).all()
    ]


def _finite(where: str, scores: ArrayLike, count: int | None = None) -> NDArray[np.float64]:
    """(S,) float64, or an error that names the seed at fault."""
    values = np.asarray(scores, np.float64)
    if values.ndim != 1 or not len(values) or count not in (None, len(values)):
        expected = "one score a seed" if count is None else f"{count} scores, one a seed, as many as the reference has"
        raise DataError(where, expected, f"shape {values.shape}", "the same seeds for every arm")
    faulty = np.flatnonzero(~np.isfinite(values))
    if len(faulty):
        got = f"{values[faulty[0]]} at position {faulty[0]}" + (f" and {len(faulty) - 1} more" if len(faulty) > 1 else "")
        raise DataError(where, "finite scores", got, "the comparison without that seed, in every arm, or mend its training")
    return values


def _share(where: str, value: float, write: str) -> None:
    if not 0 < value < 1:
        raise ParameterError(where, "a number in (0, 1)", repr(value), write)
