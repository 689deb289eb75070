"""Dense noise from a key: a hash of the position instead of a stream, so that any part can be made in any order.

The integer hash is the two-round multiply-xorshift of Wellons ("Prospecting for hash functions", 2018, public domain). The Gaussian
law is its inverse distribution function at 4,096 knots with linear interpolation between them.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import RANGES
from vicinal.core.primitive import Noise
from vicinal.core.special import normal_quantile

KNOTS = 4096
GOLDEN, FIRST, SECOND, SALT = 0x9E3779B9, 0x7FEB352D, 0x846CA68B, 0x68E31DA4
_LOW = np.uint64(0xFFFFFFFF)


@lru_cache(maxsize=1)
def gaussian_knots() -> NDArray[np.float32]:
    """(4097,) standard normal quantiles at k / 4096; the ends are set so that the variance of the interpolated law is 1."""
    inner = normal_quantile(np.arange(1, KNOTS) / KNOTS)
    squares = (inner[:-1] ** 2 + inner[:-1] * inner[1:] + inner[1:] ** 2).sum() / 3
    missing = (KNOTS - squares) / 2  # per tail: (a^2 + a b + b^2) / 3 with a the last inner knot
    a = inner[-1]
    end = (-a + np.sqrt(a * a - 4 * (a * a - 3 * missing))) / 2
    return np.concatenate([[-end], inner, [end]]).astype(np.float32)


def words(key: NDArray, count: int, salt: int = 0) -> NDArray[np.uint32]:
    """(count,) 32-bit words of the positions 0 .. count - 1 under one (2,) key."""
    position = np.arange(count, dtype=np.uint64)
    x = (position * np.uint64(GOLDEN) & _LOW) ^ np.uint64(int(key[0]) ^ salt)
    x = _round(x, FIRST, 16)
    x = (x + np.uint64(int(key[1]))) & _LOW
    x = _round(_round(x, FIRST, 16), SECOND, 15)
    return (x ^ (x >> np.uint64(16))).astype(np.uint32)


def _round(x: NDArray[np.uint64], factor: int, shift: int) -> NDArray[np.uint64]:
    return ((x ^ (x >> np.uint64(shift))) * np.uint64(factor)) & _LOW


def values(primitive: Noise, row: int, count: int) -> NDArray[np.float32]:
    """(count,) noise of one sample, in units of the value range; 0 where the share leaves a value alone."""
    word = words(primitive.key[row], count)
    low, high = np.float32(primitive.low[row]), np.float32(primitive.high[row])
    unit = (word >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)
    if primitive.law == "gaussian":
        table, place = gaussian_knots(), unit * np.float32(KNOTS)
        knot = place.astype(np.int32)
        unit = table[knot] + (place - knot.astype(np.float32)) * (table[knot + 1] - table[knot])
    drawn = low + unit * (high - low)
    if primitive.share[row] >= 1:
        return drawn
    touched = (words(primitive.key[row], count, SALT) >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)
    return np.where(touched < np.float32(primitive.share[row]), drawn, np.float32(0))


# How the bits of a word become a value of a dtype, each equally likely: (word >> shift) * unit.
LEVELS = {"uint8": (24, 1.0), "uint16": (16, 1.0), "float32": (8, 2.0**-24)}


def levels(key: NDArray, count: int, dtype: str) -> NDArray:
    """(count,) independent values of a dtype, uniform over its range, at the positions 0 .. count - 1 under one (2,) key."""
    shift, unit = LEVELS[dtype]
    return ((words(key, count) >> np.uint32(shift)).astype(np.float32) * np.float32(unit)).astype(dtype)


def noisy(image: NDArray, noise: NDArray[np.float32], overflow: str) -> NDArray:
    """One sample plus its (n,) noise, in float32 arithmetic (float64 for float64 series), rounded once."""
    scale = RANGES[str(image.dtype)]
    work = np.float64 if image.dtype == np.float64 else np.float32
    made = image.astype(work) + noise.reshape(image.shape).astype(work) * work(scale)
    if overflow == "renormalise":
        low, high = min(made.min(), work(0)), max(made.max(), work(scale))
        made = (made - low) * (work(scale) / (high - low))
    if overflow != "keep":
        made = np.clip(made, 0, scale)
    return (np.rint(made) if image.dtype.kind == "u" else made).astype(image.dtype)
