"""Whether a classifier's confidence is what it is worth: reliability diagrams, and the expected calibration error from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vicinal.core.errors import ParameterError
from vicinal.lab.measure.outputs import checked_probabilities

BINS = 15
_SUMS = ("count", "sure", "correct")


@final
@dataclass(frozen=True, eq=False)
class Reliability:
    """Items by how sure the model is: the table behind a reliability diagram, B bins.

    Args:
        low, high: (B,) ends of the bins; an item belongs to a bin where low < confidence <= high, and one of confidence 0 to the first.
        count: (B,) items; sure, correct: (B,) sums over them, of the probability of the class answered, and of right answers.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    count: NDArray[np.int64]
    sure: NDArray[np.float64]
    correct: NDArray[np.float64]

    @property
    def confidence(self) -> NDArray[np.float64]:
        """(B,) mean probability of the class answered; nan in empty bins."""
        return _means(self.sure, self.count)

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """(B,) share of right answers; nan in empty bins."""
        return _means(self.correct, self.count)

    @property
    def gap(self) -> NDArray[np.float64]:
        """(B,) confidence minus accuracy: above 0 where the model is too sure of itself; nan in empty bins."""
        return self.confidence - self.accuracy

    @property
    def ece(self) -> float:
        """Mean absolute gap over the items: the expected calibration error."""
        return float(np.abs(self.sure - self.correct).sum() / self.count.sum())

    def data(self) -> dict[str, list[float]]:
        """Count, sure and correct as plain data: what `pooled` adds up."""
        return {name: getattr(self, name).tolist() for name in _SUMS}


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
    inner = _equal_counts(sure, bins) if adaptive else _equal_widths(bins)
    # In the precision of the outputs, so that a confidence of 0.6 lies on the edge 0.6; above the last inner edge, 1.0 included, is the
    # last bin.
    place = np.searchsorted(inner.astype(sure.dtype), sure, "left")
    count = np.bincount(place, minlength=len(inner) + 1)
    sums = np.array([np.bincount(place, weights, len(inner) + 1) for weights in (sure, predicted == known)], np.float64)
    return Reliability(*_ends(inner), count, sums[0], sums[1])


def pooled(tables: Sequence[Mapping[str, Sequence[float]]]) -> Reliability:
    """Several tables of equal numbers of bins of equal width as one: their items together.

    Args:
        tables: what `Reliability.data` gives, at least one.

    Example:
        >>> one = reliability([[0.9, 0.1], [0.3, 0.7]], [0, 0], bins=2).data()
        >>> pooled([one, one]).count.tolist()
        [0, 4]
    """
    count, sure, correct = (np.sum([table[name] for table in tables], axis=0) for name in _SUMS)
    return Reliability(*_ends(_equal_widths(len(count))), count.astype(np.int64), sure, correct)


def _equal_widths(bins: int) -> NDArray[np.float64]:
    return np.arange(1, bins) / bins


def _ends(inner: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    edges = np.concatenate([[0.0], inner, [1.0]])
    return edges[:-1], edges[1:]


def _means(sums: NDArray, count: NDArray) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # 0 / 0 in empty bins
        return sums / count


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
