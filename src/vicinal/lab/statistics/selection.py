"""The winner's curse: what picking the best on dev promises, and what test keeps of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from vicinal.lab.statistics.intervals import Estimate, estimate
from vicinal.lab.statistics.scores import block, positive, share

CERTAIN = 1 - 1e-12  # of a binomial, in the sums over its values


@final
@dataclass(frozen=True)
class WinnersCurse:
    """What a selection on dev was worth.

    Args:
        dev: gain of the chosen arm on dev, which chose it: too large on average.
        test: gain of the same arm on test: the one to report.
        optimism: dev minus test.
        chosen: (K,) how many seeds chose each arm; a selection that is luck spreads.
    """

    dev: Estimate
    test: Estimate
    optimism: Estimate
    chosen: tuple[int, ...]


def winners_curse(dev: ArrayLike, test: ArrayLike, level: float = 0.95) -> WinnersCurse:
    """Pick the best of K arms on dev under every seed and look at it on test (nested selection: Cawley and Talbot, "On over-fitting in
    model selection and subsequent selection bias in performance evaluation", JMLR 2010).

    Args:
        dev, test: (S, K) gains of the arms over the reference under the same seed, on dev and on test. A tie goes to the first arm.

    Example:
        >>> found = winners_curse([[0.03, 0.01], [0.00, 0.04], [0.02, 0.01]], [[0.01, 0.01], [0.01, 0.02], [0.00, 0.01]])
        >>> round(found.dev.mean, 3), round(found.test.mean, 3), round(found.optimism.mean, 3), found.chosen
        (0.03, 0.01, 0.02, (2, 1))
    """
    seen = block("dev", dev, "seeds", "arms")
    unseen = block("test", test, "seeds", "arms", like=seen)
    best = seen.argmax(1)
    seeds = np.arange(len(seen))
    promised, kept = seen[seeds, best], unseen[seeds, best]
    chosen = tuple(np.bincount(best, minlength=seen.shape[1]).tolist())
    return WinnersCurse(estimate(promised, level), estimate(kept, level), estimate(promised - kept, level), chosen)


def null_optimism(items: int, arms: int = 12, changed: float = 0.1, accuracy: float = 0.85) -> float:
    """Expected gain on dev of the best of ``arms`` useless arms: what a search reports when there is nothing to find.

    Each arm decides a share ``changed`` of the items anew, and a new decision is right as often as an old one, so no arm is better
    than the reference. The expectation is exact: given which items the reference has right, the gains are differences of two
    binomials, independent between arms.

    Args:
        items: size of the dev set; accuracy: of the reference and of every arm.

    Raises:
        ParameterError: no items, no arms, or a share outside (0, 1).

    Example:
        >>> [round(100 * null_optimism(items), 1) for items in (50, 100, 500, 1000)]  # points
        [3.4, 2.5, 1.1, 0.8]
    """
    positive(items=items, arms=arms)
    share("null_optimism.changed", changed, "changed=0.1")
    share("null_optimism.accuracy", accuracy, "accuracy=0.85")
    right = _support(items, accuracy)
    weights = stats.binom.pmf(right, items, accuracy)
    best = [_best(items - int(count), int(count), changed * accuracy, changed * (1 - accuracy), arms) for count in right]
    return float(weights @ best / weights.sum()) / items


def _support(count: int, p: float) -> NDArray[np.int64]:
    low, high = stats.binom.interval(CERTAIN, count, p)
    return np.arange(int(low), int(high) + 1)


def _best(wrong: int, right: int, mended: float, broken: float, arms: int) -> float:
    """Expected largest of ``arms`` independent draws of Binomial(wrong, mended) - Binomial(right, broken), in items."""
    gains, losses = _support(wrong, mended) if wrong else np.zeros(1, int), _support(right, broken) if right else np.zeros(1, int)
    pmf = np.convolve(stats.binom.pmf(gains, wrong, mended), stats.binom.pmf(losses, right, broken)[::-1])
    values = np.arange(gains[0] - losses[-1], gains[-1] - losses[0] + 1)
    below = np.minimum(np.cumsum(pmf), 1.0) ** arms
    return float(values @ np.diff(below, prepend=0.0) / (below[-1] or math.nan))
