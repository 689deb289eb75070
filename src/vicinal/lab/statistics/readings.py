"""The false-positive meter: how often are the lab's own verdicts wrong where there is nothing to find, and right where there is?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from vicinal.core.errors import DataError
from vicinal.lab.statistics.comparison import compare
from vicinal.lab.statistics.folds import corrected_t
from vicinal.lab.statistics.planning import looks
from vicinal.lab.statistics.racing import race
from vicinal.lab.statistics.scores import block, positive
from vicinal.lab.statistics.selection import null_optimism

ARMS, SEEDS, ALPHA = 12, 9, 0.05
PLANTED_SEEDS = 10
DEV_SETS = (50, 100, 500, 1000)
OPTIMISM = (0.034, 0.025, 0.011, 0.008)  # simulated by others: twelve useless arms, 10 % of the decisions made anew
FOLDS, REPEATS, ITEMS, FEATURES = 10, 3, 60, 5


@final
@dataclass(frozen=True)
class Reading:
    """One row of the meter.

    Args:
        name: what was measured.
        value: a share of the replicates, or a gain as a fraction of 1.
        low, high: Clopper and Pearson's 95 % interval of a share; ``value`` itself where it is exact.
        least, most: where the value belongs.
    """

    name: str
    value: float
    low: float
    high: float
    least: float
    most: float

    @property
    def holds(self) -> bool:
        """Whether the value lies where it belongs."""
        return self.least <= self.value <= self.most


def meter(replicates: int = 200, seed: int = 0, scores: ArrayLike | None = None) -> list[Reading]:
    """Studies of which the truth is known, judged by the lab's own functions.

    Null studies have twelve augmentations that do nothing and nine seeds; a false positive is a study in which any arm gets a verdict.
    The planted study has one arm that adds one standard deviation, and ten seeds. Cross-validations compare two nearest-centroid
    classifiers that see features of the same quality, three times in ten folds.

    Args:
        replicates: studies of each kind.
        scores: (P, A) cached scores of A >= 13 arms that differ in nothing but luck, under P >= 9 seeds: studies are drawn from these
            instead of from `null_scores`.

    Returns:
        One reading each: family-wise false positives of `compare`, of a `race` in four looks (from `null_scores`, always), of
        uncorrected p-values and of "the mean is higher"; the planted effect found; false positives in cross-validation of the
        naive and the corrected t-test; the exact expected gain of the best of twelve useless arms on dev sets of four sizes.

    Raises:
        ParameterError: no replicates. DataError: cached scores of too few arms or seeds.

    Example:
        >>> [(row.name, row.holds) for row in meter(replicates=20) if "optimism" in row.name][0]
        ('optimism of the best of 12 useless arms, dev set of 50', True)
    """
    positive(replicates=replicates)
    rng = np.random.default_rng(seed)
    cached = None if scores is None else _cached(scores)
    null = np.array([_null(null_scores(rng, SEEDS, ARMS + 1) if cached is None else _drawn(rng, cached)) for _ in range(replicates)])
    folds = np.array([_folds(rng) for _ in range(replicates)])
    return [
        _share("false positives per study, Holm and sign flips, 9 seeds", null[:, 0], most=0.07),
        _share("false positives per study, race in four looks", np.array([_raced(rng) for _ in range(replicates)]), most=0.07),
        _share("false positives per study, uncorrected", null[:, 1], least=0.3),
        _share("false positives per study, the mean is higher", null[:, 2], least=0.3),
        _share("planted effect of 1 SD found, one comparison, 10 seeds", np.array([_planted(rng) for _ in range(replicates)]), least=0.7),
        _share("false positives of the naive t-test over folds", folds[:, 0], least=0.1),
        _share("false positives of the corrected t-test over folds", folds[:, 1], most=0.07),
        *_optimism(),
    ]


def null_scores(rng: np.random.Generator, seeds: int, arms: int) -> NDArray[np.float64]:
    """(seeds, arms) scores of arms that do nothing: a subset, easy or hard, that all arms of a seed share (SD 2 points), and luck of
    each training. Paired differences have an SD of 1 point."""
    return rng.normal(0.85, 0.02, (seeds, 1)) + rng.normal(0, 0.01 / np.sqrt(2), (seeds, arms))


def _cached(scores: ArrayLike) -> NDArray[np.float64]:
    values = block("meter.scores", scores, "seeds", "arms")
    if values.shape[0] < SEEDS or values.shape[1] <= ARMS:
        raise DataError("meter.scores", f"at least {SEEDS} seeds and {ARMS + 1} arms", f"shape {values.shape}", "more of either")
    return values


def _drawn(rng: np.random.Generator, cached: NDArray[np.float64]) -> NDArray[np.float64]:
    """Identical arms can change places within a seed, so few cached scores make many studies."""
    return rng.permuted(rng.choice(cached, SEEDS, replace=False), axis=1)[:, : ARMS + 1]


def _null(scores: NDArray[np.float64]) -> tuple[bool, bool, bool]:
    """Does any arm get a verdict, an uncorrected p below alpha, a higher mean?"""
    found = compare(scores[:, 0], _arms(scores), ALPHA).values()
    verdict = any(c.verdict != "no evidence" for c in found)
    return verdict, any(c.difference.p < ALPHA for c in found), any(c.difference.mean > 0 for c in found)


def _arms(scores: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    return {str(arm): scores[:, arm] for arm in range(1, scores.shape[1])}


def _raced(rng: np.random.Generator) -> bool:
    """Nothing is stopped for futility here, which can only add false positives."""
    at = looks(16, ARMS, ALPHA)
    scores = null_scores(rng, at[-1], ARMS + 1)
    return any(standing.verdict != "no evidence" for standing in race(scores[:, 0], _arms(scores), at, ALPHA).values())


def _planted(rng: np.random.Generator) -> bool:
    base, arm = null_scores(rng, PLANTED_SEEDS, 2).T
    return compare(base, {"planted": arm + 0.01}, ALPHA)["planted"].verdict == "helps"


def _folds(rng: np.random.Generator) -> tuple[bool, bool]:
    """Is a difference found between two equally good learners, by the naive and by the corrected test?"""
    labels = np.repeat((-1.0, 1.0), ITEMS // 2)
    items = rng.normal(0, 1, (2, ITEMS, FEATURES)) + 0.3 * labels[:, None]
    folds = np.argsort(rng.random((REPEATS, ITEMS)), axis=1) % FOLDS
    tests = (folds[:, None] == np.arange(FOLDS)[:, None]).reshape(-1, ITEMS)
    first, second = (_fold_accuracies(half, labels, tests) for half in items)
    differences = (second - first).reshape(REPEATS, FOLDS)
    return corrected_t(differences, ratio=0).p < ALPHA, corrected_t(differences).p < ALPHA


def _fold_accuracies(items: NDArray[np.float64], labels: NDArray[np.float64], tests: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(J,) accuracies on each of (J, N) test folds of the linear rule between the class means of all other items."""
    of_class = [~tests * (labels == label) for label in (-1, 1)]
    low, high = (members @ items / members.sum(1, keepdims=True) for members in of_class)
    sides = (high - low) @ items.T - ((high - low) * (high + low) / 2).sum(1, keepdims=True)
    return ((np.sign(sides) == labels) & tests).sum(1) / tests.sum(1)


def _share(name: str, hits: NDArray, least: float = 0.0, most: float = 1.0) -> Reading:
    found = stats.binomtest(int(hits.sum()), len(hits))
    ends = found.proportion_ci()
    return Reading(name, float(found.statistic), float(ends.low), float(ends.high), least, most)


def _optimism() -> list[Reading]:
    gains = [null_optimism(items, ARMS) for items in DEV_SETS]
    name = f"optimism of the best of {ARMS} useless arms, dev set of "
    rows = zip(DEV_SETS, gains, OPTIMISM, strict=True)
    return [Reading(f"{name}{items:,}", gain, gain, gain, 0.9 * usual, 1.1 * usual) for items, gain, usual in rows]
