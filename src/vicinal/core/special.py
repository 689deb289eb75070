"""Two quantile functions in plain NumPy, because the core depends on nothing else; tested against SciPy."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

# Acklam's rational approximation of the normal quantile (relative error 1.15e-9).
_A = (
    -3.969683028665376e1,
    2.209460984245205e2,
    -2.759285104469687e2,
    1.383577518672690e2,
    -3.066479806614716e1,
    2.506628277459239,
)
_B = (-5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1, 1.0)
_C = (-7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783)
_D = (7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1.0)
_TAIL = 0.02425
_SERIES = tuple(1 / k for k in range(19, 0, -2))  # of artanh(s) / s in powers of s^2
_ROOT, _LN2 = math.sqrt(0.5), math.log(2)
ACKLAM = (_A, _B, _C, _D, _TAIL)  # for compiled loops, which need the formulas number by number
LOGARITHM = (_SERIES, _ROOT, _LN2)


def normal_quantile(u: NDArray) -> NDArray:
    """The standard normal quantile at ``u`` in (0, 1), to a relative 1.15e-9; the same bits on every machine and in compiled loops.

    Example:
        >>> normal_quantile(np.array([0.975])).round(6).tolist()
        [1.959964]
    """
    u = np.asarray(u, float)
    centre = u - 0.5
    square = centre * centre
    found = np.asarray(_polynomial(_A, square) * centre / _polynomial(_B, square))
    tails = np.abs(centre) > 0.5 - _TAIL
    if tails.any():
        there = u[tails]
        root = np.sqrt(-2 * _logarithm(np.maximum(np.minimum(there, 1 - there), 1e-300)))
        outer = _polynomial(_C, root) / _polynomial(_D, root)
        found[tails] = np.where(there < 0.5, outer, -outer)
    return found


def _polynomial(factors: tuple[float, ...], x: NDArray) -> NDArray:
    """``np.polyval`` in one array."""
    value = factors[0] * x + factors[1]
    for factor in factors[2:]:
        value *= x
        value += factor
    return value


def _logarithm(x: NDArray) -> NDArray:
    """The natural logarithm by sums, products and a division, which round alike everywhere; libraries differ in the last bit of theirs."""
    part, halvings = np.frexp(x)
    low = part < _ROOT
    part, halvings = np.where(low, 2 * part, part), halvings - low
    s = (part - 1) / (part + 1)
    return halvings * _LN2 + 2 * s * _polynomial(_SERIES, s * s)


def beta_quantile(u: NDArray, a: float, b: float) -> NDArray:
    """The quantile of Beta(a, b) at ``u`` in (0, 1); within 1e-8 where a and b are 0.05 or more.

    Between the logits of probability and value lies a smooth curve, straight at both ends. It is tabulated once for each law and read
    by cubic Hermite interpolation with its exact slopes.

    Example:
        >>> beta_quantile(np.array([0.5]), 2.0, 2.0).round(9).tolist()
        [0.5]
    """
    u = np.asarray(u, float)
    t, z, slope = _beta_curve(float(a), float(b))
    wanted = np.log(u) - np.log1p(-u)
    low = np.minimum(np.maximum(np.searchsorted(t, wanted) - 1, 0), len(t) - 2)
    step = t[low + 1] - t[low]
    part = np.minimum(np.maximum((wanted - t[low]) / step, 0), 1)
    rest = 1 - part
    ends = z[low] * (1 + 2 * part) * rest**2 + z[low + 1] * (1 + 2 * rest) * part**2
    return _sigmoid(ends + step * part * rest * (slope[low] * rest - slope[low + 1] * part))


@lru_cache(maxsize=64)
def _beta_curve(a: float, b: float) -> tuple[NDArray, NDArray, NDArray]:
    """Knots of the curve: the logit of the probability, the logit of the value, and the slope of the second along the first."""
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    # Where the tails, x**a / (a B(a, b)) and the mirror image of its like, hold less than any draw asks for.
    ends = min((-28 + math.log(a) + log_beta) / a, -1.0), max((28 - math.log(b) - log_beta) / b, 1.0)
    for knots in (257, 4097):  # the first look finds where a narrow law lies
        z = np.linspace(*ends, knots)
        below, above = _beta_cdf(z, a, b), _beta_cdf(-z, b, a)
        kept = np.flatnonzero((below > 1e-13) & (above > 1e-13))
        ends = z[max(kept[0] - 1, 0)], z[min(kept[-1] + 1, knots - 1)]
    z, below, above = z[kept], below[kept], above[kept]
    density = np.exp(-a * np.logaddexp(0, -z) - b * np.logaddexp(0, z) - log_beta)
    return np.log(below) - np.log(above), z, below * above / density


def _sigmoid(z: NDArray) -> NDArray:
    tail = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + tail), tail / (1 + tail))


def _beta_cdf(logit: NDArray, a: float, b: float) -> NDArray:
    """The regularised incomplete beta function at sigmoid(logit): continued fraction (Lentz), by symmetry on the smaller side."""
    swap = _sigmoid(logit) > (a + 1) / (a + b + 2)
    z = np.where(swap, -logit, logit)
    p, q = np.where(swap, b, a), np.where(swap, a, b)
    log_x, log_y = -np.logaddexp(0, -z), -np.logaddexp(0, z)
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    value = np.exp(p * log_x + q * log_y - log_beta) / p * _fraction(np.exp(log_x), p, q)
    return np.where(swap, 1 - value, value)


def _fraction(x: NDArray, p: NDArray, q: NDArray) -> NDArray:
    tiny = 1e-300
    d = 1 / np.where(np.abs(1 - (p + q) * x / (p + 1)) < tiny, tiny, 1 - (p + q) * x / (p + 1))
    c, value = np.ones_like(x), d
    for m in range(1, 120):
        even = m * (q - m) * x / ((p + 2 * m - 1) * (p + 2 * m))
        odd = -(p + m) * (p + q + m) * x / ((p + 2 * m) * (p + 2 * m + 1))
        for step in (even, odd):
            d = 1 + step * d
            c = 1 + step / c
            d, c = 1 / np.where(np.abs(d) < tiny, tiny, d), np.where(np.abs(c) < tiny, tiny, c)
            value = value * d * c
    return value
