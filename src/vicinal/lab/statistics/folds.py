"""Cross-validation: folds share their training items, so their differences are not independent."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from vicinal.core.errors import DataError, ParameterError
from vicinal.lab.statistics.scores import finite, share


@final
@dataclass(frozen=True)
class Corrected:
    """A corrected t-test.

    Args:
        mean, low, high: mean difference over all folds, and its interval.
        t, p: the corrected statistic and its two-sided p-value.
    """

    mean: float
    low: float
    high: float
    t: float
    p: float


def corrected_t(differences: ArrayLike, ratio: float | None = None, level: float = 0.95) -> Corrected:
    """Nadeau and Bengio's corrected resampled t-test for paired differences of folds.

    The variance of a mean of J folds is taken as (1/J + n_test / n_train) s^2, because the training sets overlap (Nadeau and Bengio,
    "Inference for the generalization error", Machine Learning 2003); for repeated K-fold cross-validation the ratio is 1 / (K - 1)
    and J all its folds (Bouckaert and Frank, "Evaluating the replicability of significance tests", 2004).

    Args:
        differences: (K,) of one cross-validation, or (R, K) of R repetitions; at least two in all.
        ratio: n_test / n_train; None for K-fold cross-validation. Random splits must say it; 0 gives the ordinary paired t-test.

    Raises:
        DataError: another shape, fewer than two differences, or one that is not finite. ParameterError: ratio below 0.

    Example:
        >>> found = corrected_t([[0.02, 0.01, 0.03, 0.00, 0.02], [0.01, 0.02, 0.02, 0.01, 0.03]])
        >>> round(found.t, 2), round(found.p, 3)
        (3.03, 0.014)
    """
    share("corrected_t.level", level, "level=0.95")
    folds = np.asarray(differences, np.float64)
    if folds.ndim not in (1, 2) or folds.size < 2 or (ratio is None and folds.shape[-1] < 2):
        raise DataError("differences", "shape (folds,) or (repetitions, folds), two folds or more", f"shape {folds.shape}", "one a fold")
    values = finite("differences", folds.ravel())
    error = _error(values, _ratio(ratio, folds.shape[-1]))
    mean = float(values.mean())
    half = float(stats.t.ppf((1 + level) / 2, len(values) - 1)) * error
    t = mean / error if error else math.copysign(math.inf, mean) if mean else 0.0
    return Corrected(mean, mean - half, mean + half, t, float(2 * stats.t.sf(abs(t), len(values) - 1)))


def _ratio(ratio: float | None, folds: int) -> float:
    if ratio is None:
        return 1 / (folds - 1)
    if not 0 <= ratio < math.inf:
        raise ParameterError("corrected_t.ratio", "n_test / n_train, 0 or more", repr(ratio), "ratio=1/9 for ten folds")
    return ratio


def _error(values: np.ndarray, ratio: float) -> float:
    """Standard error of the mean; identical differences have none, whatever rounding says."""
    return 0.0 if np.ptp(values) == 0 else float(values.std(ddof=1)) * math.sqrt(1 / len(values) + ratio)
