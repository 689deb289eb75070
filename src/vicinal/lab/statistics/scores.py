"""What every statistic asks of its scores, and the one fault that scores can show by themselves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vicinal.core.errors import DataError, ParameterError


def finite(where: str, scores: ArrayLike, count: int | None = None) -> NDArray[np.float64]:
    """(S,) float64, or an error that names the seed at fault."""
    values = np.asarray(scores, np.float64)
    if values.ndim != 1 or not len(values) or count not in (None, len(values)):
        expected = "one score a seed" if count is None else f"{count} scores, one a seed, as many as the reference has"
        raise DataError(where, expected, f"shape {values.shape}", "the same seeds for every arm")
    faulty = np.flatnonzero(~np.isfinite(values))
    if len(faulty):
        got = f"{values[faulty[0]]} at position {faulty[0]}" + (f" and {len(faulty) - 1} more" if len(faulty) > 1 else "")
        raise DataError(where, "finite scores", got, "the comparison without that seed, in every arm, or mend its training")
    return values


def block(where: str, scores: ArrayLike, *axes: str, like: NDArray | None = None) -> NDArray[np.float64]:
    """float64 with one axis for each name, none of them empty, all values finite, and the shape of ``like`` if that is given."""
    values = np.asarray(scores, np.float64)
    if values.ndim != len(axes) or not values.size or (like is not None and values.shape != like.shape):
        expected = f"scores of shape ({', '.join(axes)})" if like is None else f"scores of shape {like.shape}"
        raise DataError(where, expected, f"shape {values.shape}", f"one axis each for {' and '.join(axes)}, in this order")
    if not np.isfinite(values).all():
        place = tuple(np.argwhere(~np.isfinite(values))[0].tolist())
        raise DataError(where, "finite scores", f"{values[place]} at {place}", "the study without that run, or mend its training")
    return values


def share(where: str, value: float, write: str) -> None:
    """An error unless the value lies strictly between 0 and 1."""
    if not 0 < value < 1:
        raise ParameterError(where, "a number in (0, 1)", repr(value), write)


def positive(**counts: int) -> None:
    """An error unless every count is 1 or more."""
    for name, count in counts.items():
        if count < 1:
            raise ParameterError(name, "1 or more", repr(count), f"{name}=1 at least")


def identical_scores(scores_by_arm: Mapping[str, ArrayLike]) -> list[str]:
    """A sentence for every arm whose seeds all scored the same: most likely a seed that is accepted but not used.

    Example:
        >>> identical_scores({"none": [0.85, 0.85, 0.85], "shift": [0.9, 0.91, 0.89]})
        ["arm 'none': all 3 seeds scored exactly 0.85; either the seed is not used or the score is saturated"]
    """
    arms = ((name, np.asarray(scores, np.float64)) for name, scores in scores_by_arm.items())
    return [
        f"arm {name!r}: all {len(scores)} seeds scored exactly {scores[0]:.6g}; either the seed is not used or the score is saturated"
        for name, scores in arms
        if len(scores) > 1 and (scores == scores[0]).all()
    ]
