"""How good a classifier's answers are: pure functions of its outputs, (N, K) probabilities, and the (N,) labels.

Those that need no probabilities (accuracy, recall, confusion and what follows from them) also take (N,) predicted classes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vicinal.core.errors import DataError
from vicinal.lab.measure.outputs import checked_classes, checked_probabilities

EPSILON = 2.0**-23
"""The smallest probability that `nll` counts with, that of scikit-learn for float32: one item costs 15.9 nats at most."""


def accuracy(outputs: ArrayLike, labels: ArrayLike) -> float:
    """Share of the items whose most probable class is the right one.

    Example:
        >>> accuracy([[0.9, 0.1], [0.4, 0.6]], [0, 0])
        0.5
    """
    predicted, known, _ = checked_classes(outputs, labels)
    return float((predicted == known).mean())


def confusion(outputs: ArrayLike, labels: ArrayLike) -> NDArray[np.int64]:
    """(K, K) numbers of items: of class i, taken for class j.

    Example:
        >>> confusion([0, 1, 1], [0, 0, 1]).tolist()
        [[1, 1], [0, 1]]
    """
    predicted, known, classes = checked_classes(outputs, labels)
    return np.bincount(known * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def recall(outputs: ArrayLike, labels: ArrayLike) -> NDArray[np.float64]:
    """(K,) shares of the items of every class that are found; nan for a class that the labels do not have.

    Example:
        >>> recall([0, 1, 1], [0, 0, 2]).tolist()
        [0.5, nan, 0.0]
    """
    table = confusion(outputs, labels)
    return _shares(np.diagonal(table), table.sum(1))


def balanced_accuracy(outputs: ArrayLike, labels: ArrayLike) -> float:
    """Mean recall of the classes that the labels have.

    Example:
        >>> balanced_accuracy([0, 1, 1], [0, 0, 2])
        0.25
    """
    return float(np.nanmean(recall(outputs, labels)))


def worst_recall(outputs: ArrayLike, labels: ArrayLike) -> float:
    """Recall of the class that is found worst, among those that the labels have.

    Example:
        >>> worst_recall([0, 1, 1], [0, 0, 2])
        0.0
    """
    return float(np.nanmin(recall(outputs, labels)))


def f1(outputs: ArrayLike, labels: ArrayLike) -> float:
    """Macro F1: the mean over classes of the harmonic mean of precision and recall, over the classes that labels or answers have.

    Example:
        >>> round(f1([0, 1, 1], [0, 0, 1]), 4)
        0.6667
    """
    table = confusion(outputs, labels)
    return float(np.nanmean(_shares(2 * np.diagonal(table), table.sum(0) + table.sum(1))))


def auc(outputs: ArrayLike, labels: ArrayLike) -> float:
    """Macro one-vs-rest area under the ROC curve: the mean over classes of P(an item of the class ranks above one of another).

    The mean is over the classes that the labels have; where they have a single one, no pair can be ranked and the result is nan. Ties
    count one half, as in the Mann-Whitney statistic.

    Example:
        >>> auc([[0.9, 0.1], [0.6, 0.4], [0.7, 0.3], [0.2, 0.8]], [0, 0, 1, 1])
        0.75
    """
    values, known = checked_probabilities(outputs, labels)
    present = np.unique(known)
    if len(present) < 2:
        return float("nan")
    return float(np.mean([_ranked_above(np.ascontiguousarray(values[:, label]), known == label) for label in present]))


def _ranked_above(scores: NDArray, own: NDArray[np.bool_]) -> float:
    """P(score of an own item > score of another) + P(equal) / 2, by the ranks of the own items among all."""
    ordered, mine = np.sort(scores), scores[own]
    ranks = (np.searchsorted(ordered, mine, "left") + np.searchsorted(ordered, mine, "right") + 1).sum() / 2
    count = len(mine)
    return (ranks - count * (count + 1) / 2) / (count * (len(scores) - count))


def nll(outputs: ArrayLike, labels: ArrayLike) -> float:
    """Mean negative log-likelihood of the labels in nats; probabilities below `EPSILON` count as `EPSILON`.

    Example:
        >>> round(nll([[0.5, 0.5], [1.0, 0.0]], [0, 0]), 4)
        0.3466
    """
    values, known = checked_probabilities(outputs, labels)
    right = values[np.arange(len(known)), known].astype(np.float64)
    return float(-np.log(np.clip(right, EPSILON, 1)).mean())


def brier(outputs: ArrayLike, labels: ArrayLike) -> float:
    """Mean squared distance of the probabilities from the one-hot labels, summed over classes: from 0 to 2 (Brier, 1950).

    Example:
        >>> brier([[0.5, 0.5], [1.0, 0.0]], [0, 1])
        1.25
    """
    values, known = checked_probabilities(outputs, labels)
    wide = values.astype(np.float64, copy=False)
    right = wide[np.arange(len(known)), known]
    return float(np.einsum("nk,nk->", wide, wide) / len(wide) - 2 * right.mean() + 1)


class ClassChange(NamedTuple):
    """The class whose recall changed most to the bad, and by how much: negative where any class lost."""

    label: int
    change: float


def worst_class_change(before: ArrayLike, after: ArrayLike) -> ClassChange:
    """Which class an arm costs most, from the (K,) recalls of its baseline and its own; classes that test does not have do not count.

    Raises:
        DataError: recalls of different numbers of classes, or of none at all.

    Example:
        >>> worst_class_change([0.75, 0.5], [0.5, 1.0])
        ClassChange(label=0, change=-0.25)
    """
    first, second = (np.asarray(values, np.float64) for values in (before, after))
    if first.shape != second.shape or first.ndim != 1:
        write = "recall(outputs, labels) of both, with the same labels"
        raise DataError("recalls", "(K,) numbers of the same classes", f"{first.shape} and {second.shape}", write)
    change = second - first
    if np.isnan(change).all():
        raise DataError("recalls", "a class that both have", "none", "recall(outputs, labels) of both, with the same labels")
    label = int(np.nanargmin(change))
    return ClassChange(label, float(change[label]))


def _shares(part: NDArray, whole: NDArray) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)
