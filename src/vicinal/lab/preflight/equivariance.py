"""Does a transformation act on the judges' answers as a linear map?

Invariance asks whether answers stay; equivariance whether they change in a way that the transformation alone decides. A mirror that turns
every 2 into what judges take for an S is equivariant and not invariant; noise that scatters answers is neither.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_LEAST = 1e-4  # of a probability, whose logarithm is taken
_RIDGE = 1e-2  # of the mean square of the answers: folds of judges see a few hundred items


def equivariance(before: NDArray[np.float64], after: Sequence[NDArray[np.float64]], sources: NDArray[np.int64]) -> float:
    """How much of the answers about transformed items a linear map of those about the originals explains, on other items.

    The map is fitted on one half of the sources, by ridge regression between centred logarithms of probabilities, and held against the
    other half, and the other way round (Lenc and Vedaldi, "Understanding image representations by measuring their equivariance and
    equivalence", 2015, with answers in the place of a layer).

    Args:
        before: (N, K) probabilities; after: the same for every transformation, which is one and the same for all items.
        sources: (N,) source ids, so that siblings are on one side.

    Returns:
        The share of the variance that is explained: 1 where the map says all, 0 where it says no more than the mean; nan for fewer than
        four sources, or answers that are all alike.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> answers = rng.dirichlet(np.ones(3), 400)
        >>> turned = answers[:, [1, 2, 0]]
        >>> float(round(equivariance(answers, [turned], np.arange(400)), 3))
        1.0
        >>> equivariance(answers, [rng.permutation(answers)], np.arange(400)) < 0.1
        True
    """
    return equivariance_of_values(_logs(before), [_logs(answers) for answers in after], sources)


def equivariance_of_values(before: NDArray[np.float64], after: Sequence[NDArray[np.float64]], sources: NDArray[np.int64]) -> float:
    """The same for answers that are values: the map is between them as they stand.

    Args:
        before: (N, V) values; after, sources: as for `equivariance`.

    Example:
        >>> places = np.random.default_rng(0).normal(size=(100, 1))
        >>> float(round(equivariance_of_values(places, [7 - places], np.arange(100)), 2))
        1.0
    """
    ids = np.unique(sources)
    if len(ids) < 4:
        return float("nan")
    first = np.isin(sources, ids[::2])
    shares = [_explained(before, answers, half) for answers in after for half in (first, ~first)]
    return float(np.mean(shares))


def _logs(answers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithms about their mean, which are the logits of a softmax but for a constant: what is linear in logits is linear in them."""
    logs = np.log(np.maximum(answers, _LEAST))
    return logs - logs.mean(1, keepdims=True)


def _explained(given: NDArray[np.float64], wanted: NDArray[np.float64], half: NDArray[np.bool_]) -> float:
    """The share of the variance in the other half, by a map fitted on one."""
    middle, aim = given[half].mean(0), wanted[half].mean(0)
    off, target = given[half] - middle, wanted[half] - aim
    square = off.T @ off
    ridge = _RIDGE * (np.trace(square) / len(square) or 1.0)
    way = np.linalg.solve(square + ridge * np.eye(len(square)), off.T @ target)
    rest = wanted[~half] - aim - (given[~half] - middle) @ way
    whole = wanted[~half] - wanted[~half].mean(0)
    total = float((whole**2).sum())
    return 1 - float((rest**2).sum()) / total if total > 0 else float("nan")
