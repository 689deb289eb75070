"""Dense noise from a key: a hash of the position instead of a stream, so that any part can be made in any order.

The integer hash is the two-round multiply-xorshift of Wellons ("Prospecting for hash functions", 2018, public domain). The Gaussian
law is its inverse distribution function at 4,096 knots with linear interpolation between them. Laws with heavy tails are read from the
upper tail inwards: 64 knots for each halving of the probability, down to 2**-32, which is where 32 random bits end.

A value of an 8-bit image takes half a word: a law is then 65,536 equally likely quantiles, and noise is a whole number of levels.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import RANGES
from vicinal.core.primitive import Noise
from vicinal.core.special import beta_quantile, normal_quantile

KNOTS = 4096
GOLDEN, FIRST, SECOND, SALT = 0x9E3779B9, 0x7FEB352D, 0x846CA68B, 0x68E31DA4
HALF = 0x3F000000  # the bits of 0.5 in float32
PART_BITS = 17  # of the 23 bits behind the point, what lies between two of 64 knots
PART = 1 << PART_BITS
EIGHT_BIT = 1 << 15  # sizes that 8-bit images draw from
_LOW = np.uint64(0xFFFFFFFF)


@lru_cache(maxsize=64)
def knots(law: str, degrees: float = 1.0) -> NDArray[np.float32]:
    """The table of a law: quantiles at k / 4096 of the Gaussian, sizes in the two tails of the heavier ones, nothing for the uniform."""
    if law == "uniform":
        return np.zeros(2, np.float32)
    return gaussian_knots() if law == "gaussian" else _tail_knots(law, degrees)


@lru_cache(maxsize=1)
def gaussian_knots() -> NDArray[np.float32]:
    """(4097,) standard normal quantiles at k / 4096; the ends are set so that the variance of the interpolated law is 1."""
    inner = normal_quantile(np.arange(1, KNOTS) / KNOTS)
    squares = (inner[:-1] ** 2 + inner[:-1] * inner[1:] + inner[1:] ** 2).sum() / 3
    missing = (KNOTS - squares) / 2  # per tail: (a^2 + a b + b^2) / 3 with a the last inner knot
    a = inner[-1]
    end = (-a + np.sqrt(a * a - 4 * (a * a - 3 * missing))) / 2
    return np.concatenate([[-end], inner, [end]]).astype(np.float32)


@lru_cache(maxsize=64)
def sizes(law: str, degrees: float = 1.0) -> NDArray[np.float32]:
    """(32768,) what 8-bit images draw from: the quantiles of the size of a symmetric law, each for both signs; nothing for the uniform."""
    tail = 1 - (np.arange(EIGHT_BIT) + 0.5) / EIGHT_BIT
    made = {"uniform": _nothing, "gaussian": _gaussian, "laplace": _laplace, "cauchy": _cauchy, "student": _student}[law](tail, degrees)
    return made.astype(np.float32)


def _nothing(tail: NDArray, _: float) -> NDArray:
    return tail[:0]


def _gaussian(tail: NDArray, _: float) -> NDArray:
    return -normal_quantile(tail / 2)


def _tail_knots(law: str, degrees: float) -> NDArray[np.float32]:
    """(2050,) the size that is exceeded, in either direction, with probability 2**-32 (1 + j / 64) 2**octave; 0 for probability 1."""
    octave, j = np.divmod(np.arange(32 * 64 + 1), 64)
    tail = np.ldexp(1 + j / 64, octave - 32)
    size = {"laplace": _laplace, "cauchy": _cauchy, "student": _student}[law](tail, degrees)
    return np.append(size, 0).astype(np.float32)


def _laplace(tail: NDArray, _: float) -> NDArray:
    return -np.log(tail)


def _cauchy(tail: NDArray, _: float) -> NDArray:
    return np.where(tail < 1, 1 / np.tan(np.pi / 2 * tail), 0)


def _student(tail: NDArray, degrees: float) -> NDArray:
    """By T**2 / (T**2 + degrees), which is Beta(1/2, degrees/2): from its nearer end, so that neither tail nor middle lose digits."""
    far = beta_quantile(np.minimum(tail, 0.5), degrees / 2, 0.5)
    near = beta_quantile(np.clip(1 - tail, 1e-12, 0.5), 0.5, degrees / 2)
    ratio = np.where(tail < 0.5, (1 - far) / far, near / (1 - near))
    return np.where(tail < 1, np.sqrt(degrees * ratio), 0)


def words(key: NDArray, count: int, salt: int = 0) -> NDArray[np.uint32]:
    """(count,) 32-bit words of the positions 0 .. count - 1 under one (2,) key."""
    position = np.arange(count, dtype=np.uint64)
    x = (position * np.uint64(GOLDEN) & _LOW) ^ np.uint64(int(key[0]) ^ salt)
    x = _round(x, FIRST, 16)
    x = (x + np.uint64(int(key[1]))) & _LOW
    x = _round(_round(x, FIRST, 16), SECOND, 15)
    return (x ^ (x >> np.uint64(16))).astype(np.uint32)


def halves(key: NDArray, count: int) -> NDArray[np.uint16]:
    """(count,) 16-bit words: the lower half of each word, then the upper."""
    return words(key, -(-count // 2)).astype("<u4").view("<u2")[:count]


def _round(x: NDArray[np.uint64], factor: int, shift: int) -> NDArray[np.uint64]:
    return ((x ^ (x >> np.uint64(shift))) * np.uint64(factor)) & _LOW


def units(word: NDArray[np.uint32]) -> NDArray[np.float32]:
    """The upper 24 bits as numbers in [0, 1)."""
    return (word >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)


def values(primitive: Noise, row: int, count: int) -> NDArray[np.float32]:
    """(count,) noise of one sample, in units of the value range; 0 where the share leaves a value alone."""
    low, high = np.float32(primitive.low[row]), np.float32(primitive.high[row])
    return _thinned(primitive, row, low + _standard(primitive, words(primitive.key[row], count)) * (high - low))


def levels_of(primitive: Noise, row: int, count: int) -> NDArray[np.float32]:
    """(count,) noise of one 8-bit sample: whole levels, or shares of the value where it is relative to that."""
    unit, half = np.float32(1 if primitive.times else 255), halves(primitive.key[row], count)
    low, high = np.float32(primitive.low[row]) * unit, np.float32(primitive.high[row]) * unit
    if primitive.law == "uniform":
        drawn = low + (half.astype(np.float32) + np.float32(0.5)) * np.float32(2**-16) * (high - low)
    else:
        size = sizes(primitive.law, primitive.degrees)[half & np.uint16(EIGHT_BIT - 1)] * (high - low)
        drawn = np.where(half >= EIGHT_BIT, -size, size)
    return _thinned(primitive, row, drawn if primitive.times else np.rint(drawn))


def _thinned(primitive: Noise, row: int, drawn: NDArray[np.float32]) -> NDArray[np.float32]:
    count = len(drawn)
    if primitive.share[row] >= 1:
        return drawn
    touched = units(words(primitive.key[row], count, SALT))
    return np.where(touched < np.float32(primitive.share[row]), drawn, np.float32(0))


def _standard(primitive: Noise, word: NDArray[np.uint32]) -> NDArray[np.float32]:
    """The law at location 0 and scale 1."""
    if primitive.law == "uniform":
        return units(word)
    table = knots(primitive.law, primitive.degrees)
    if primitive.law == "gaussian":
        real = units(word) * np.float32(KNOTS)
        knot = real.astype(np.int32)
        return (table[knot] + (real - knot.astype(np.float32)) * np.diff(table)[knot]).astype(np.float32, copy=False)
    # The exponent of a float counts the halvings, the bits behind its point lie evenly between them.
    place = ((word & np.uint32(0x7FFFFFFF)).astype(np.float32) + np.float32(0.5)).view(np.uint32) - np.uint32(HALF)
    knot, part = place >> np.uint32(PART_BITS), (place & np.uint32(PART - 1)).astype(np.float32) * np.float32(1 / PART)
    size = table[knot] + part * np.diff(table)[knot]
    return np.where(word >> np.uint32(31), -size, size)


# How the bits of a word become a value of a dtype, each equally likely: (word >> shift) * unit.
LEVELS = {"uint8": (24, 1.0), "uint16": (16, 1.0), "float32": (8, 2.0**-24)}


def levels(key: NDArray, count: int, dtype: str) -> NDArray:
    """(count,) independent values of a dtype, uniform over its range, at the positions 0 .. count - 1 under one (2,) key."""
    shift, unit = LEVELS[dtype]
    return ((words(key, count) >> np.uint32(shift)).astype(np.float32) * np.float32(unit)).astype(dtype)


def noisy(primitive: Noise, row: int, image: NDArray) -> NDArray:
    """One sample with its noise, in float32 arithmetic (float64 for float64 series), rounded once."""
    scale, eight = RANGES[str(image.dtype)], image.dtype == np.uint8
    work = np.float64 if image.dtype == np.float64 else np.float32
    pixels = image.astype(work).reshape(-1, image.shape[-1])
    noise = (levels_of if eight else values)(primitive, row, len(pixels) if primitive.shared else pixels.size).astype(work)
    made = pixels + noise.reshape(len(pixels), -1) * (pixels if primitive.times else work(1 if eight else scale))
    if primitive.overflow == "renormalise":
        low, high = min(made.min(), work(0)), max(made.max(), work(scale))
        made = (made - low) * (work(scale) / (high - low))
    if primitive.overflow != "keep":
        made = np.clip(made, 0, scale)
    return (np.rint(made) if image.dtype.kind == "u" else made).astype(image.dtype).reshape(image.shape)
