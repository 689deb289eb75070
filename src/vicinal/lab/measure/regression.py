"""How good predicted numbers are: pure functions of (N,) or (N, D) predictions and targets of the same form."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from vicinal.lab.measure.outputs import checked_numbers


def rmse(outputs: ArrayLike, targets: ArrayLike) -> float:
    """Root of the mean squared error, over items and dimensions.

    Example:
        >>> rmse([1.0, 2.0], [1.0, 4.0]) == 2**0.5
        True
    """
    predicted, known = checked_numbers(outputs, targets)
    return float(np.sqrt(np.square(predicted - known).mean()))


def mae(outputs: ArrayLike, targets: ArrayLike) -> float:
    """Mean absolute error, over items and dimensions.

    Example:
        >>> mae([1.0, 2.0], [1.0, 4.0])
        1.0
    """
    predicted, known = checked_numbers(outputs, targets)
    return float(np.abs(predicted - known).mean())


def bias(outputs: ArrayLike, targets: ArrayLike) -> float:
    """Mean of prediction minus target: what is predicted too much, over items and dimensions.

    Example:
        >>> bias([1.0, 2.0], [1.0, 4.0])
        -1.0
    """
    predicted, known = checked_numbers(outputs, targets)
    return float((predicted - known).mean())


def r2(outputs: ArrayLike, targets: ArrayLike) -> float:
    """Share of the targets' variance that is explained, the mean over dimensions; nan where a dimension of the targets does not vary.

    Example:
        >>> r2([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), r2([2.0, 2.0, 2.0], [1.0, 2.0, 3.0])
        (1.0, 0.0)
    """
    predicted, known = checked_numbers(outputs, targets)
    left, all_ = np.square(predicted - known).sum(0), np.square(known - known.mean(0)).sum(0)
    return float(np.where(all_ > 0, 1 - left / np.where(all_ > 0, all_, 1), np.nan).mean())


def slope(outputs: ArrayLike, targets: ArrayLike) -> float:
    """Slope of the targets over the predictions, by least squares about the means of each dimension: the calibration slope.

    1 is right; above 1, predictions keep too close to their mean, as after training on noisy inputs; nan where predictions do not vary.

    Example:
        >>> slope([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])
        2.0
    """
    predicted, known = checked_numbers(outputs, targets)
    off = predicted - predicted.mean(0)
    spread = np.square(off).sum()
    return float((off * known).sum() / spread) if spread > 0 else float("nan")
