"""How many seeds does it take? Power of the paired t-test, the floor of the sign flips, and the chance that more seeds will settle it."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from vicinal.core.errors import DataError
from vicinal.lab.statistics.scores import finite, share

MOST_SEEDS = 1000  # a plan that needs more is no plan


def detection_power(seeds: int, effect: float, alpha: float = 0.05) -> float:
    """Chance that a two-sided paired t-test on ``seeds`` pairs detects a mean of ``effect`` standard deviations.

    Example:
        >>> round(detection_power(34, 0.5), 2)
        0.81
    """
    freedom, shift = seeds - 1, abs(effect) * math.sqrt(seeds)
    critical = special.stdtrit(freedom, 1 - alpha / 2)
    # Far below the shift nctdtr underflows to nan; 0 is meant.
    missed, wrong_side = np.nan_to_num(special.nctdtr(freedom, shift, (critical, -critical)))
    return float(1 - missed + wrong_side)


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
    start = ((special.ndtri(1 - alpha / 2) + special.ndtri(power)) / effect) ** 2
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
    share("fewest_seeds.alpha", alpha, "alpha=0.05")
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
    values = finite("differences", differences)
    sd = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    needed = seeds_needed(float(values.mean()), sd, alpha / arms, power)
    return None if needed is None else max(needed, fewest_seeds(alpha, arms))


def conditional_power(differences: ArrayLike, total: int, alpha: float = 0.05) -> float:
    """Chance that the differences of ``total`` seeds will pass a two-sided test, if the effect is as large as observed so far.

    The observed seeds stay as they are and only the remaining ones are chance (Lan, Simon and Halperin, "Stochastically curtailed
    tests in long-term clinical trials", 1982); in the normal approximation. Once all seeds are seen it is 0 or 1.

    Example:
        >>> round(conditional_power([0.02, -0.01, 0.01, -0.01, 0.02, -0.02], total=20), 3)
        0.034
    """
    share("conditional_power.alpha", alpha, "alpha=0.05")
    values = finite("differences", differences)
    mean, sd = abs(float(values.mean())), float(values.std(ddof=1)) if len(values) > 1 else 0.0
    if sd == 0:
        return float(mean > 0)
    short = special.ndtri(1 - alpha / 2) - mean / sd * math.sqrt(total)
    remaining = math.sqrt(max(0.0, 1 - len(values) / total))
    return float(special.ndtr(-short / remaining)) if remaining else float(short <= 0)


def cautious_sd(differences: ArrayLike, trust: float = 0.8) -> float:
    """Upper confidence limit of the standard deviation of (S,) pilot differences: what a plan should reckon with.

    The standard deviation of a small pilot is too small more often than not, and a plan made with it has too little power in more
    than half of the cases (Browne, "On the use of a pilot sample for sample size determination", Statistics in Medicine 1995).

    Example:
        >>> round(cautious_sd([0.02, 0.01, -0.01, 0.03, 0.00]), 4)  # their standard deviation is 0.0158
        0.0246
    """
    share("cautious_sd.trust", trust, "trust=0.8")
    values = finite("differences", differences)
    if len(values) < 2:
        raise DataError("differences", "a pilot of at least 2 seeds", f"{len(values)}", "more seeds: one shows no spread")
    freedom = len(values) - 1
    return float(values.std(ddof=1) * math.sqrt(freedom / stats.chi2.ppf(1 - trust, freedom)))
