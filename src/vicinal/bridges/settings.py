"""How settings of other libraries are read: ranges, whole numbers, fills."""

from __future__ import annotations

import math
from typing import Any

from vicinal.bridges.translate import NoCounterpart
from vicinal.image.rectangles import NOISE


def span(ends: Any) -> Any:
    """Two ends as a range, or as a number where they are one."""
    low, high = (float(end) for end in ends)
    return low if low == high else (low, high)


def turned(ends: Any) -> Any:
    """The range with the other sign."""
    low, high = (float(end) for end in ends)
    return span((0 - high, 0 - low))


def times(factor: float, ends: Any) -> Any:
    """The range multiplied by a factor of 0 or more."""
    return span([factor * float(end) for end in ends])


def whole(ends: Any) -> Any:
    """Two whole ends as a range of whole numbers, or as one number."""
    low, high = (int(end) for end in ends)
    return low if low == high else (low, high)


def among(ends: Any) -> Any:
    """Two whole ends as a choice of the numbers between them, for a parameter that knows no whole numbers."""
    low, high = (int(end) for end in ends)
    return low if low == high else {"choice": list(range(low, high + 1))}


def logarithmic(ends: Any) -> dict[str, list[float]]:
    """Two ends as a range that is uniform in the logarithm."""
    return {"log": [float(end) for end in ends]}


def share(fill: Any) -> float:
    """A fill of 8-bit values as a share of the value range."""
    values = list(fill) if isinstance(fill, (tuple, list)) else [fill]
    if any(isinstance(value, (str, dict)) for value in values) or len(set(values)) > 1:
        raise NoCounterpart("a fill of its own for every channel, or one that is no number")
    return 0.0 if not values or values[0] is None else float(values[0]) / 255


def content(fill: Any) -> Any:
    """A fill of 8-bit values for what may hold noise, or a colour."""
    if fill == "random":
        return NOISE
    if isinstance(fill, str):
        raise NoCounterpart("a fill that is painted in from around, or one random colour")
    if isinstance(fill, (tuple, list)):
        return tuple(float(value) / 255 for value in fill)
    return share(fill)


# A picture of independent values of unit variance, blurred with a Gaussian of sigma, has a standard deviation of BLURRED / sigma; a cubic
# spline through nodes SPREAD * sigma apart has a kernel of the same variance.
BLURRED = 1 / (2 * math.sqrt(math.pi))
SPREAD = math.sqrt(3)
