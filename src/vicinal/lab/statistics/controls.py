"""How much of a naive gain do the controls explain?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from vicinal.lab.statistics.intervals import Estimate, estimate
from vicinal.lab.statistics.scores import finite, share


@final
@dataclass(frozen=True)
class Explained:
    """Shares of the naive gain: 1.0 for all of it, 0.0 for none, below 0 where a control did worse than the reference.

    Args:
        gain: the naive gain itself.
        duplicate: share that unchanged copies reach.
        step_matched: share that the reference reaches with as many optimiser steps.

    A share is None where the control was not run or where there is no gain to explain; its interval is None where the gain is not
    shown to differ from 0, because then any share is possible.
    """

    gain: Estimate
    duplicate: Estimate | None
    step_matched: Estimate | None


def explained(
    naive: ArrayLike, duplicate: ArrayLike | None = None, step_matched: ArrayLike | None = None, level: float = 0.95
) -> Explained:
    """Share of the naive gain that each control reaches without any augmentation.

    The interval of a ratio of two paired means is Fieller's ("Some problems in interval estimation", 1954).

    Args:
        naive: (S,) paired differences of the augmented arm from the reference.
        duplicate, step_matched: (S,) the same of the controls; None where there is none.

    Raises:
        DataError: other numbers of seeds, or a difference that is not finite.

    Example:
        >>> naive = [0.17, 0.16, 0.18, 0.15, 0.17]
        >>> found = explained(naive, step_matched=[0.16, 0.16, 0.17, 0.15, 0.16])
        >>> round(found.step_matched.mean, 2), round(found.step_matched.low, 2), round(found.step_matched.high, 2)
        (0.96, 0.93, 1.01)
    """
    share("explained.level", level, "level=0.95")
    gain = finite("naive", naive)

    def part(name: str, control: ArrayLike | None) -> Estimate | None:
        values = None if control is None else finite(name, control, len(gain))
        return None if values is None or gain.mean() <= 0 else _ratio(values, gain, level)

    return Explained(estimate(gain, level), part("duplicate", duplicate), part("step_matched", step_matched))


def _ratio(top: NDArray[np.float64], bottom: NDArray[np.float64], level: float) -> Estimate:
    """All r for which a t-test does not refuse that top - r * bottom has mean 0: the roots of a quadratic."""
    ratio = float(top.mean() / bottom.mean())
    if len(top) < 2:
        return Estimate(ratio, None, None)
    covariance = np.cov(top, bottom) * stats.t.ppf((1 + level) / 2, len(top) - 1) ** 2 / len(top)
    a = bottom.mean() ** 2 - covariance[1, 1]
    b = top.mean() * bottom.mean() - covariance[0, 1]
    c = top.mean() ** 2 - covariance[0, 0]
    if a <= 0:
        return Estimate(ratio, None, None)
    root = math.sqrt(max(0.0, b * b - a * c))
    return Estimate(ratio, float((b - root) / a), float((b + root) / a))
