"""Does a measurement bear a published claim out?"""

from __future__ import annotations

import math
from typing import Literal

from vicinal.core.errors import ParameterError
from vicinal.lab.statistics.comparison import Difference
from vicinal.lab.statistics.intervals import Estimate

ClaimVerdict = Literal["reproduced", "weaker", "opposite", "cannot tell"]


def claim_verdict(measured: Estimate | Difference, low: float, high: float | None = None) -> ClaimVerdict:
    """Hold a measured interval against what is claimed, a range or a sign.

    Args:
        measured: with its interval; anything with ``low`` and ``high``.
        low, high: ends of the claimed range, in the same unit; the figure itself for both where only a figure was published. Only
            ``low``, 1 or -1: the sign is claimed and nothing else.

    Returns:
        For a claimed effect, a sign or a range that does not reach across 0 (upwards here, downwards is its mirror image):

        - ``opposite``: the measured interval lies wholly below 0.
        - ``weaker``: it lies wholly below the claimed range, but not wholly below 0. The effect may be there, smaller, or not at all.
        - ``reproduced``: it lies wholly above 0 and meets the claimed range or lies above it.
        - ``cannot tell``: it holds 0 and meets the claimed range, or there is no interval. More seeds are needed.

        For a claimed absence, a range across 0: ``reproduced`` where the measured interval lies within the range, ``opposite``
        where it lies wholly outside, else ``cannot tell``.

    Raises:
        ParameterError: ends in the wrong order, or a lone figure that is no sign.

    Example:
        >>> gain = Estimate(0.004, 0.002, 0.006)
        >>> claim_verdict(gain, 0.005, 0.010), claim_verdict(gain, 0.010, 0.020), claim_verdict(gain, -1), claim_verdict(gain, 1)
        ('reproduced', 'weaker', 'opposite', 'reproduced')
    """
    low, high = _range(low, high)
    if measured.low is None or measured.high is None:
        return "cannot tell"
    if low < 0 < high or low == high == 0:
        return _absence(measured.low, measured.high, low, high)
    if high <= 0:
        return _effect(-measured.high, -measured.low, -high)
    return _effect(measured.low, measured.high, low)


def _range(low: float, high: float | None) -> tuple[float, float]:
    if high is None and low not in (1, -1):
        raise ParameterError("claim_verdict.low", "a sign, 1 or -1, where high is missing", repr(low), f"low={low}, high={low}")
    if high is None:
        return (0.0, math.inf) if low > 0 else (-math.inf, 0.0)
    if not low <= high:
        raise ParameterError("claim_verdict", "low <= high", f"low={low}, high={high}", f"low={high}, high={low}")
    return low, high


def _effect(low: float, high: float, claimed: float) -> ClaimVerdict:
    """An upward claim whose range begins at ``claimed``."""
    if high < 0:
        return "opposite"
    if high < claimed:
        return "weaker"
    return "reproduced" if low > 0 else "cannot tell"


def _absence(low: float, high: float, claimed_low: float, claimed_high: float) -> ClaimVerdict:
    if high < claimed_low or low > claimed_high:
        return "opposite"
    return "reproduced" if claimed_low <= low and high <= claimed_high else "cannot tell"
