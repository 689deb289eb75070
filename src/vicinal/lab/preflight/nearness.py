"""How far augmented items lie from the data, and how much they add: affinity, diversity, Vendi score, invariance, equivariance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.transform import Node
from vicinal.lab.feed import inputs
from vicinal.lab.preflight.equivariance import equivariance
from vicinal.lab.preflight.hearing import VERSIONS, Hearing

_COMPONENTS = 50  # of the embedding
_MOST = 600  # items whose distances are taken
_LEAST = 1e-12


@final
@dataclass(frozen=True)
class Nearness:
    """What a policy does to the place of items among the data.

    Args:
        affinity: accuracy of plain judges on augmented items over theirs on the originals (Gontijo-Lopes et al., "Affinity and diversity:
            quantifying mechanisms of data augmentation", 2020, there called affinity as a difference; here as a ratio).
        diversity: mean distance between copies over that between originals, in the principal components of the originals' pixels.
        spread: mean distance between two versions of one item, over that between two originals.
        vendi, vendi_originals: Vendi score of copies and of as many originals.
        unchanged: share of the answers of plain judges that stay the same; divergence: mean Kullback-Leibler divergence, in nats, between
            their answers about the original and about the version.
        equivariance: share of the variance of their answers about transformed items that a linear map of those about the originals
            explains, where one draw is made for all items (`vicinal.lab.preflight.equivariance`).
    """

    affinity: float
    diversity: float
    spread: float
    vendi: float
    vendi_originals: float
    unchanged: float
    divergence: float
    equivariance: float


def nearness(hearing: Hearing, policy: Node) -> Nearness:
    """Measure a policy on the items of a hearing."""
    made = [inputs(hearing.made(policy, view)) for view in range(VERSIONS)]
    heard = [hearing.judges.answers(version, plain=True) for version in made]
    right = float((hearing.plain.argmax(1) == hearing.labels).mean())
    after = float(np.mean([answers.argmax(1) == hearing.labels for answers in heard]))
    unchanged, divergence = invariance(hearing.plain, heard)
    diverse, spread, vendis = _spread(inputs(hearing.images), made)
    alike = [hearing.judges.answers(inputs(hearing.alike(policy, view)), plain=True) for view in range(VERSIONS)]
    moved = equivariance(hearing.plain, alike, hearing.sources)
    return Nearness(after / right if right else np.nan, diverse, spread, *vendis, unchanged, divergence, moved)


def invariance(before: NDArray[np.float64], after: Sequence[NDArray[np.float64]]) -> tuple[float, float]:
    """The share of answers that stay the same, and the mean KL divergence in nats, from (N, K) probabilities to versions of them.

    Example:
        >>> round(invariance(np.array([[0.5, 0.5], [1.0, 0.0]]), [np.array([[0.5, 0.5], [0.5, 0.5]])])[1], 4)
        0.3466
    """
    same = np.mean([answers.argmax(1) == before.argmax(1) for answers in after])
    known = np.maximum(before, _LEAST)
    apart = [(known * (np.log(known) - np.log(np.maximum(answers, _LEAST)))).sum(1).mean() for answers in after]
    return float(same), float(np.mean(apart))


def vendi(similarity: NDArray[np.float64]) -> float:
    """The effective number of different items: exp of the entropy of the eigenvalues of K / n (Friedman and Dieng 2023).

    Args:
        similarity: (n, n) positive semidefinite, 1 on the diagonal.

    Example:
        >>> round(vendi(np.kron(np.eye(3), np.ones((4, 4)))), 9), round(vendi(np.ones((5, 5))), 9)
        (3.0, 1.0)
    """
    values = np.linalg.eigvalsh(similarity / len(similarity))
    values = values[values > _LEAST]
    return float(np.exp(-(values * np.log(values)).sum()))


def _spread(originals: NDArray[np.float32], made: Sequence[NDArray[np.float32]]) -> tuple[float, float, tuple[float, float]]:
    """Diversity, spread, and the Vendi scores of copies and originals: a Gaussian kernel as wide as the originals' median distance."""
    place = _embedding(originals)
    rows = np.linspace(0, len(originals) - 1, min(_MOST, len(originals))).astype(int)
    first, copies = place(originals[rows]), [place(version[rows]) for version in made]
    mixed = np.stack(copies)[np.arange(len(rows)) % len(copies), np.arange(len(rows))]
    between, apart = _distances(first, first), _distances(mixed, mixed)
    off = ~np.eye(len(rows), dtype=bool)
    usual = float(between[off].mean()) or 1.0
    own = np.mean([np.linalg.norm(one - other, axis=1).mean() for i, one in enumerate(copies) for other in copies[:i]])
    width = float(np.median(between[off])) or 1.0
    scores = [vendi(np.exp(-(found**2) / (2 * width**2))) for found in (apart, between)]
    return float(apart[off].mean()) / usual, float(own) / usual, (scores[0], scores[1])


def _embedding(items: NDArray[np.float32]) -> Callable[[NDArray[np.float32]], NDArray[np.float64]]:
    """(N, D) to (N, components): the leading principal components of some items."""
    rows = np.linspace(0, len(items) - 1, min(_MOST, len(items))).astype(int)
    middle = items.mean(0)
    axes = np.linalg.svd(items[rows] - middle, full_matrices=False)[2][:_COMPONENTS].T
    return lambda some: ((some - middle) @ axes).astype(np.float64)


def _distances(first: NDArray, second: NDArray) -> NDArray[np.float64]:
    square = (first**2).sum(1)[:, None] + (second**2).sum(1) - 2 * first @ second.T
    return np.sqrt(np.maximum(square, 0), dtype=np.float64)
