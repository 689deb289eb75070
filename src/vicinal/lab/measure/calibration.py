"""Whether a classifier's confidence is what it is worth: reliability diagrams, and the expected calibration error from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vicinal.core.errors import ParameterError
from vicinal.lab.measure.outputs import checked_probabilities

BINS = 15


@final
@dataclass(frozen=True, eq=False)
class Reliability:
    """Items by how sure the model is: the table behind a reliability diagram, B bins.

    Args:
        low, high: (B,) ends of the bins; an item belongs to a bin where low < confidence <= high, and one of confidence 0 to the first.
        count: (B,) items; confidence, accuracy: (B,) their mean probability of the class answered, and the share of right answers; nan in
            empty bins.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    count: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def gap(self) -> NDArray[np.float64]:
        """(B,) confidence minus accuracy: above 0 where the model is too sure of itself; nan in empty bins."""
        return self.confidence - self.accuracy

    @property
    def ece(self) -> float:
        """Mean absolute gap over the items: the expected calibration error."""
        return float(np.nansum(self.count * np.abs(self.gap)) / self.count.sum())


def reliability(outputs: ArrayLike, labels: ArrayLike, bins: int = BINS, adaptive: bool = False) -> Reliability:
    """How often a model is right, by how sure it is (Guo et al., "On calibration of modern neural networks", ICML 2017).

    Args:
        outputs: (N, K) probabilities; labels: (N,).
        bins: how many; of equal width, or, ``adaptive``, of equal numbers of items. Items that are equally sure are never put apart, so
            adaptive bins may be fewer.

    Raises:
        DataError: outputs that are no probabilities, or labels that do not fit them. ParameterError: no bins.

    Example:
        >>> reliability([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]], [0, 1, 1], bins=2).accuracy.round(2).tolist()
        [nan, 0.67]
    """
    if not isinstance(bins, int) or bins < 1:
        raise ParameterError("reliability.bins", "a whole number of 1 or more", repr(bins), f"bins={BINS}")
    values, known = checked_probabilities(outputs, labels)
    predicted = values.argmax(1)
    sure = values[np.arange(len(values)), predicted]
    inner = _equal_counts(sure, bins) if adaptive else np.arange(1, bins) / bins
    # In the precision of the outputs, so that a confidence of 0.6 lies on the edge 0.6; above the last inner edge, 1.0 included, is the
    # last bin.
    place = np.searchsorted(inner.astype(sure.dtype), sure, "left")
    count = np.bincount(place, minlength=len(inner) + 1)
    confidence, right = (np.bincount(place, weights, len(inner) + 1) for weights in (sure, predicted == known))
    with np.errstate(invalid="ignore"):  # 0 / 0 in empty bins
        means = confidence / count, right / count
    edges = np.concatenate([[0.0], inner, [1.0]])
    return Reliability(edges[:-1], edges[1:], count, *means)


def _equal_counts(sure: NDArray, bins: int) -> NDArray:
    """Inner edges between groups of about equal size: values that occur, so ties stay together."""
    ordered = np.sort(sure)
    last = np.arange(1, bins) * len(ordered) // bins - 1
    edges = np.unique(ordered[last[last >= 0]])
    return edges[edges < ordered[-1]]


def ece(outputs: ArrayLike, labels: ArrayLike, bins: int = BINS, adaptive: bool = False) -> float:
    """Expected calibration error of the class answered: mean over items of |confidence - accuracy| of their bin; see `reliability`.

    Example:
        >>> ece([[0.5, 0.5]] * 4, [1, 1, 1, 1]), ece([[0.0, 1.0]] * 4, [1, 1, 1, 1])
        (0.5, 0.0)
    """
    return reliability(outputs, labels, bins, adaptive).ece
