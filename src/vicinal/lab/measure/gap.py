"""How much better a model is on what it was trained on."""

from __future__ import annotations

from collections.abc import Iterable

from numpy.typing import ArrayLike

from vicinal.lab.measure.metrics import listed, measured, metric

Answered = tuple[ArrayLike, ArrayLike]
"""Outputs of a model, and the labels or targets."""


def overfitting_gap(names: Iterable[str], train: Answered, test: Answered) -> dict[str, float]:
    """How much better a model is on its training items than on test items, in the unit of each metric: above 0 for every metric.

    Both are to be clean originals, seen by a model in eval mode: the running accuracy of training is of augmented items and of weights
    that have changed since, and says nothing about overfitting.

    Args:
        names: of ``METRICS``; train, test: (outputs, labels) each, as for `measured`.

    Example:
        >>> sure = ([[0.75, 0.25], [0.25, 0.75]], [0, 1])
        >>> overfitting_gap(["accuracy", "brier"], train=sure, test=([[0.75, 0.25], [0.75, 0.25]], [0, 1]))
        {'accuracy': 0.5, 'brier': 0.5}
    """
    wanted = listed(names)
    seen, unseen = measured(wanted, *train), measured(wanted, *test)
    return {name: metric(name).gain(unseen[name], seen[name]) for name in wanted}
