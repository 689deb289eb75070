"""Transfer: does what helps on one data set help on another?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from vicinal.core.errors import DataError
from vicinal.lab.statistics.intervals import Estimate, multiplicities, percentiles
from vicinal.lab.statistics.scores import finite, positive


@final
@dataclass(frozen=True)
class Transfer:
    """How well the effects of arms carry over.

    Args:
        kendall, spearman: rank correlations of the mean effects: tau-b and rho. Noise pulls them towards 0.
        regret: effect here of the arm that is best here minus that of the arm that is best there, 0 or more. It errs on the high side,
            because the best here is picked on the same seeds.
        best, chosen: the arm that is best here, and the one that the other data set would choose.
    """

    kendall: Estimate
    spearman: Estimate
    regret: Estimate
    best: str
    chosen: str


def transfer(
    there: Mapping[str, ArrayLike], here: Mapping[str, ArrayLike], level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Transfer:
    """Choose on one data set, use on another: rank correlation of the arms' effects, and regret.

    Intervals bootstrap the seeds of each data set, all arms of a seed together, and are widened for few seeds as in `percentiles`.

    Args:
        there, here: arm to (S,) paired differences from the reference, on the data set that chooses and on the one that is used. The
            same arms, at least three; the data sets may have other numbers of seeds.

    Raises:
        DataError: other arms, fewer than three, other numbers of seeds within a data set, or a difference that is not finite.

    Example:
        >>> there = {"shift": [0.06, 0.07], "rotate": [0.02, 0.01], "flip": [-0.05, -0.04]}
        >>> here = {"shift": [0.01, 0.02], "rotate": [0.03, 0.02], "flip": [-0.02, -0.01]}
        >>> found = transfer(there, here)
        >>> found.chosen, found.best, round(found.regret.mean, 3), round(found.kendall.mean, 2), found.spearman.mean
        ('shift', 'rotate', 0.01, 0.33, 0.5)
    """
    positive(resamples=resamples)
    names = list(there)
    if set(names) != set(here) or len(names) < 3:
        got = f"{sorted(there)} and {sorted(here)}"
        raise DataError("transfer", "the same arms on both data sets, three or more", got, "those in both")
    a, b = _effects("there", names, there), _effects("here", names, here)
    points, seeds = _measures(a.mean(1)[None], b.mean(1)[None]), min(a.shape[1], b.shape[1])
    rng = np.random.default_rng(seed)
    draws = _measures(_resampled(a, resamples, rng), _resampled(b, resamples, rng))
    kendall, spearman, regret = (_estimate(*measure, level, seeds) for measure in zip(points, draws, strict=True))
    return Transfer(kendall, spearman, regret, names[int(b.mean(1).argmax())], names[int(a.mean(1).argmax())])


def _estimate(point: NDArray[np.float64], draws: NDArray[np.float64], level: float, seeds: int) -> Estimate:
    ends = percentiles(draws, level, seeds) if seeds > 1 else (None, None)
    return Estimate(float(point[0]), *ends)


def _effects(where: str, names: list[str], effects: Mapping[str, ArrayLike]) -> NDArray[np.float64]:
    """(arms, S) in the order of ``names``."""
    count = len(finite(f"{where} {names[0]!r}", effects[names[0]]))
    return np.array([finite(f"{where} {name!r}", effects[name], count) for name in names])


def _resampled(effects: NDArray[np.float64], resamples: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """(resamples, arms) mean effects over resampled seeds."""
    return multiplicities(rng, resamples, effects.shape[1]) @ effects.T / effects.shape[1]


def _measures(
    there: NDArray[np.float64], here: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(R,) tau-b, rho and regret of (R, arms) mean effects; where all effects tie there is no order to carry over: 0."""
    rows = np.arange(len(there))
    regret = here.max(1) - here[rows, there.argmax(1)]
    pairs = np.triu_indices(there.shape[1], 1)
    orders = [np.sign(effects[:, pairs[0]] - effects[:, pairs[1]]) for effects in (there, here)]
    ranks = [stats.rankdata(effects, axis=1) - (effects.shape[1] + 1) / 2 for effects in (there, here)]
    return _cosine(orders[0], orders[1]), _cosine(ranks[0], ranks[1]), regret


def _cosine(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows' cosines: of the signs of pairs it is Kendall's tau-b, of centred ranks Spearman's rho."""
    length = np.sqrt((a * a).sum(1) * (b * b).sum(1))
    return (a * b).sum(1) / np.where(length > 0, length, 1.0)
