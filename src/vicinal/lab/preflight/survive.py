"""Label survival: how much of what the judges know about the originals they still know after a policy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

THRESHOLD = 0.95
"""The share of labels that must survive."""

_LEVEL = 0.95
_RESAMPLES = 2000


@final
@dataclass(frozen=True)
class Kept:
    """Label survival of some items: accuracy of the judges on augmented items over their accuracy on the originals.

    Args:
        share: 1 where nothing is lost, nan where the judges know no original; low, high: 95 % percentile bootstrap interval over sources;
            those of all classes of a policy hold together (Bonferroni).
    """

    share: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """ "lost" where the whole interval lies below .95, "doubtful" where the share alone does, "survives", or "unknown".

        Example:
            >>> [Kept(*ends).verdict for ends in ((0.6, 0.5, 0.7), (0.94, 0.9, 0.98), (0.99, 0.97, 1.0), (math.nan, 0.0, 0.0))]
            ['lost', 'doubtful', 'survives', 'unknown']
        """
        if math.isnan(self.share):
            return "unknown"
        if self.share >= THRESHOLD:
            return "survives"
        return "lost" if self.high < THRESHOLD else "doubtful"


@final
@dataclass(frozen=True)
class Survival:
    """Of all items, and of those of each class."""

    overall: Kept
    classes: tuple[Kept, ...]

    @property
    def verdict(self) -> str:
        """That on all items; "partly lost" where those of some class are lost and those of all are not."""
        partly = self.overall.verdict != "lost" and any(kept.verdict == "lost" for kept in self.classes)
        return "partly lost" if partly else self.overall.verdict


def survival(before: NDArray, after: NDArray[np.float64], labels: NDArray[np.int64], sources: NDArray[np.int64], classes: int) -> Survival:
    """Label survival of N items.

    Args:
        before: (N,) whether the judges know the original; after: (N,) the share of its versions that they know. For values, both are
            what the judges explain of the variance (`vicinal.lab.preflight.values`).
        labels, sources: (N,) classes and source ids; siblings are resampled together.

    Example:
        >>> known, half = np.ones(4, bool), np.array([1.0, 1.0, 0.5, 0.5])
        >>> found = survival(known, half, np.array([0, 0, 1, 1]), np.arange(4), classes=2)
        >>> found.overall.share, [kept.share for kept in found.classes]
        (0.75, [1.0, 0.5])
    """
    ids, place = np.unique(sources, return_inverse=True)
    counts = np.zeros((2, len(ids), classes))
    for side, values in enumerate((before, after)):
        np.add.at(counts[side], (place, labels), values)
    drawn = np.random.default_rng(0).multinomial(len(ids), np.full(len(ids), 1 / len(ids)), _RESAMPLES).astype(np.float64)
    resampled = drawn @ counts  # (2, resamples, classes)
    overall = _kept(counts.sum((1, 2)), resampled.sum(2), 1 - _LEVEL)
    each = (_kept(counts[:, :, k].sum(1), resampled[:, :, k], (1 - _LEVEL) / classes) for k in range(classes))
    return Survival(overall, tuple(each))


def _kept(totals: NDArray[np.float64], drawn: NDArray[np.float64], alpha: float) -> Kept:
    """From the sums (2,) and the resampled sums (2, R) of what was known before and after."""
    if totals[0] <= 0:
        return Kept(math.nan, math.nan, math.nan)
    ratio = drawn[1, drawn[0] > 0] / drawn[0, drawn[0] > 0]
    low, high = np.quantile(ratio, (alpha / 2, 1 - alpha / 2))
    return Kept(float(totals[1] / totals[0]), float(low), float(high))
