"""What learning curves say: too little trained, too little fitted, overfitted, or fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vicinal.core.errors import DataError
from vicinal.lab.statistics.intervals import Estimate, estimate
from vicinal.lab.statistics.scores import block

Fit = Literal["overfit", "still improving", "underfit", "fit"]

QUARTERS = 4


class Shown(NamedTuple):
    """What the intervals show: dev fell, dev rose, train lies apart from dev, train is low."""

    fell: bool
    rose: bool
    apart: bool
    low: bool


@final
@dataclass(frozen=True)
class CurveVerdict:
    """A verdict on learning curves and what it rests on, all over the last quarter of training.

    Args:
        verdict: see `curve_verdict`.
        train, dev: scores.
        gap: train minus dev.
        rise: dev minus dev one quarter earlier.
        fall: the best earlier quarter of dev minus dev; below 0 where dev never was better.
    """

    verdict: Fit
    train: Estimate
    dev: Estimate
    gap: Estimate
    rise: Estimate
    fall: Estimate


def curve_verdict(
    train: ArrayLike, dev: ArrayLike, reach: float = 0.95, gap: float = 0.05, margin: float = 0.005, level: float = 0.95
) -> CurveVerdict:
    """Over- or underfitting, from curves on clean train and dev items. The first rule that holds decides:

    1. ``overfit``: dev fell by more than ``margin`` from its best earlier quarter.
    2. ``still improving``: dev rose by more than ``margin`` in the last quarter; train longer before you judge.
    3. ``overfit``: train lies more than ``gap`` above dev.
    4. ``underfit``: train stays below ``reach``: a larger model, a larger step or weaker augmentation.
    5. ``fit``: none of these is shown.

    A rule holds where the interval over seeds lies wholly beyond its threshold (rules 1 and 2: mean beyond ``margin`` and interval
    beyond 0); with one seed there is no interval and the means decide. Quarters are means over a quarter of the marks, so that
    no single mark decides.

    Args:
        train, dev: (M, S) scores at M >= 4 evenly spaced marks under S seeds, more is better.
        reach: training score that the task allows, such as that of the best arm.

    Raises:
        DataError: fewer than four marks, other shapes, or a score that is not finite.

    Example:
        >>> rising, flat = np.linspace(0.6, 0.99, 20)[:, None], np.full((20, 1), 0.8)
        >>> curve_verdict(rising, flat).verdict, curve_verdict(rising, rising - 0.02).verdict, curve_verdict(flat, flat).verdict
        ('overfit', 'still improving', 'underfit')
    """
    seen = block("train", train, "marks", "seeds")
    unseen = block("dev", dev, "marks", "seeds", like=seen)
    if len(seen) < QUARTERS:
        raise DataError("train", f"at least {QUARTERS} marks", str(len(seen)), "more marks on the curve")
    of_train, of_dev = _quarters(seen), _quarters(unseen)
    best = of_dev[int(of_dev[:-1].mean(1).argmax())]
    end = estimate(of_train[-1], level)
    apart, rise = estimate(of_train[-1] - of_dev[-1], level), estimate(of_dev[-1] - of_dev[-2], level)
    # The best of three quarters is picked because it is high, so it must stand out the more.
    fall = estimate(best - of_dev[-1], 1 - (1 - level) / (QUARTERS - 1))
    shown = Shown(_beyond(fall, margin), _beyond(rise, margin), _low(apart) > gap, _high(end) < reach)
    return CurveVerdict(_verdict(shown), end, estimate(of_dev[-1], level), apart, rise, fall)


def _quarters(curves: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([part.mean(0) for part in np.array_split(curves, QUARTERS)])


def _verdict(shown: Shown) -> Fit:
    """The rules of `curve_verdict`, in their order."""
    if shown.fell:
        return "overfit"
    if shown.rose:
        return "still improving"
    if shown.apart:
        return "overfit"
    return "underfit" if shown.low else "fit"


def _beyond(found: Estimate, margin: float) -> bool:
    return found.mean > margin and _low(found) > 0


def _low(found: Estimate) -> float:
    return found.mean if found.low is None else found.low


def _high(found: Estimate) -> float:
    return found.mean if found.high is None else found.high
