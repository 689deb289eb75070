"""Pointwise work, step by step: what a chain of values is made of, and how values are stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Protocol, Self, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import RANGES, changed, every


class Step(Protocol):
    """One operation on every pixel by itself, on values whose range is [0, 1]; its arrays are (B, 1), (B, C) or as each step says.

    ``mixes`` is True where a channel depends on the others; chains without such steps can be run over a table of values.
    """

    mixes: ClassVar[bool]

    def __call__(self, values: NDArray) -> NDArray:
        """Values (B, n, C) to new values of a shape they broadcast to; (B, n, 1) unless it mixes."""
        ...

    def where(self, on: NDArray[np.bool_]) -> Self:
        """Neutral for the samples that are off."""
        ...


@final
@dataclass(frozen=True, eq=False)
class Linear:
    """``gain * x + bias``, then clipped to [0, 1] unless ``clip`` is False.

    Args:
        gain, bias: (B, 1) or (B, C); (1, C) where all samples share them.
    """

    mixes: ClassVar[bool] = False

    gain: NDArray[np.float64]
    bias: NDArray[np.float64]
    clip: bool = True

    def __call__(self, values: NDArray) -> NDArray:
        values = values * self.gain[:, None]
        values += self.bias[:, None]
        return np.clip(values, 0, 1, out=values) if self.clip else values

    def where(self, on: NDArray[np.bool_]) -> Linear:
        if every(on):
            return self
        return Linear(np.where(on[:, None], self.gain, 1.0), np.where(on[:, None], self.bias, 0.0), self.clip)


@final
@dataclass(frozen=True, eq=False)
class Power:
    """``x ** exponent``: gamma correction.

    Args:
        exponent: (B, 1), above 0.
    """

    mixes: ClassVar[bool] = False

    exponent: NDArray[np.float64]

    def __call__(self, values: NDArray) -> NDArray:
        # Written out: NumPy squares where one exponent of 2 is repeated, and calls pow where a batch brings several.
        exponent = np.broadcast_to(self.exponent[:, None], values.shape).copy()
        # Vectorised pow is a last bit off even at 1, but a neutral step changes nothing.
        return np.where(exponent == 1, values, values**exponent)

    def where(self, on: NDArray[np.bool_]) -> Power:
        return self if every(on) else Power(np.where(on[:, None], self.exponent, 1.0))


@final
@dataclass(frozen=True, eq=False)
class Solarize:
    """Values of ``threshold`` or more are inverted.

    Args:
        threshold: (B, 1); above 1 nothing is.
    """

    mixes: ClassVar[bool] = False

    threshold: NDArray[np.float64]

    def __call__(self, values: NDArray) -> NDArray:
        return np.where(values >= self.threshold[:, None], 1 - values, values)

    def where(self, on: NDArray[np.bool_]) -> Solarize:
        return self if every(on) else Solarize(np.where(on[:, None], self.threshold, 2.0))


@final
@dataclass(frozen=True, eq=False)
class Posterize:
    """The highest bits of the 8-bit value are kept, as in Pillow.

    Args:
        step: (B, 1) how many 8-bit levels become one: 2 ** (8 - bits); 0 leaves values as they are.
    """

    mixes: ClassVar[bool] = False

    step: NDArray[np.float64]

    def __call__(self, values: NDArray) -> NDArray:
        step = self.step[:, None]
        many = np.where(step > 0, step, 1)
        # A hundredth of a level, so that 64 / 255 in float32 is still level 64.
        return np.where(step > 0, np.floor((values * 255 + 0.01) / many) * many / 255, values).astype(values.dtype)

    def where(self, on: NDArray[np.bool_]) -> Posterize:
        return self if every(on) else Posterize(np.where(on[:, None], self.step, 0.0))


@final
@dataclass(frozen=True, eq=False)
class Curve:
    """A curve through equally spaced knots from 0 to 1, linear between them.

    Args:
        knots: (B, K) or (B, K, C) values at 0, 1 / (K - 1), ..., 1.
        bent: (B, 1) 0 where values stay as they are.
    """

    mixes: ClassVar[bool] = False

    knots: NDArray[np.float64]
    bent: NDArray[np.float64]

    def __call__(self, values: NDArray) -> NDArray:
        last = self.knots.shape[1] - 1
        knots = self.knots if self.knots.ndim == 3 else self.knots[..., None]
        place = np.clip(values, 0, 1) * last
        low = np.minimum(place.astype(np.int64), last - 1)
        low, part = np.broadcast_arrays(low, place - low)[:2]
        channels = max(knots.shape[2], low.shape[2])
        low, part = (np.broadcast_to(array, (*array.shape[:2], channels)) for array in (low, part))
        full = np.broadcast_to(knots, (len(low), last + 1, channels))
        start, end = (np.take_along_axis(full, low + more, 1) for more in (0, 1))
        return np.where(self.bent[:, None] > 0, start + part * (end - start), values).astype(values.dtype)

    def where(self, on: NDArray[np.bool_]) -> Curve:
        return self if every(on) else Curve(self.knots, np.where(on[:, None], self.bent, 0.0))


@lru_cache(maxsize=16)
def same_channels(count: int) -> NDArray[np.float64]:
    """(C, C + 1) the matrix that leaves channels as they are, read-only."""
    matrix = np.eye(count, count + 1)
    matrix.setflags(write=False)
    return matrix


@final
@dataclass(frozen=True, eq=False)
class Matrix:
    """``matrix @ channels + offset`` at every pixel, clipped to [0, 1].

    Args:
        matrix: (B, C, C + 1), the last column is the offset.
    """

    mixes: ClassVar[bool] = True

    matrix: NDArray[np.float64]

    def __call__(self, values: NDArray) -> NDArray:
        mixed = values @ self.matrix[:, :, :-1].transpose(0, 2, 1) + self.matrix[:, None, :, -1]
        return np.clip(mixed, 0, 1, out=mixed)

    def where(self, on: NDArray[np.bool_]) -> Matrix:
        return self if every(on) else Matrix(np.where(on[:, None, None], self.matrix, same_channels(self.matrix.shape[1])))


@final
@dataclass(frozen=True, eq=False)
class Hsv:
    """Turn the hue, add to saturation and value, in the hexcone model of ``colorsys`` (Smith, 1978); three channels.

    Args:
        turn: (B, 1) in sixths of the circle; saturation, value: (B, 1) added and clipped to [0, 1].
    """

    mixes: ClassVar[bool] = True

    turn: NDArray[np.float64]
    saturation: NDArray[np.float64]
    value: NDArray[np.float64]

    def __call__(self, values: NDArray) -> NDArray:
        high, low = values.max(2), values.min(2)
        chroma = high - low
        hue = _hue(values, high, chroma) + self.turn
        saturation = np.where(high > 0, chroma / np.where(high > 0, high, 1), 0)
        saturation, value = np.clip(saturation + self.saturation * (chroma > 0), 0, 1), np.clip(high + self.value, 0, 1)
        place = np.mod(hue[..., None] + np.array([5, 3, 1], values.dtype), 6)
        made = value[..., None] * (1 - saturation[..., None] * np.clip(np.minimum(place, 4 - place), 0, 1))
        same = (self.turn == 0) & (self.saturation == 0) & (self.value == 0)
        return np.where(same[..., None], values, made).astype(values.dtype)

    def where(self, on: NDArray[np.bool_]) -> Hsv:
        return self if every(on) else mapped(self, lambda array: np.where(on[:, None], array, 0.0))


def _hue(values: NDArray, high: NDArray, chroma: NDArray) -> NDArray:
    """(B, n) hue in sixths of the circle from red; 0 for grey."""
    red, green, blue = (values[..., channel] for channel in range(3))
    safe = np.where(chroma > 0, chroma, 1)
    sector = np.where(high == red, (green - blue) / safe, np.where(high == green, 2 + (blue - red) / safe, 4 + (red - green) / safe))
    return np.where(chroma > 0, sector, 0)


@final
@dataclass(frozen=True, eq=False)
class Round:
    """Values rounded to what a dtype can hold, as if they had been stored between two passes."""

    mixes: ClassVar[bool] = False

    dtype: str

    def __call__(self, values: NDArray) -> NDArray:
        return dequantise(quantise(values, self.dtype)).astype(values.dtype)

    def where(self, on: NDArray[np.bool_]) -> Round:
        return self


def mapped(step: Any, change: Callable[[NDArray], NDArray]) -> Any:
    """A step with all its arrays changed."""
    arrays = {name: change(value) for name, value in vars(step).items() if isinstance(value, np.ndarray)}
    return changed(step, **arrays) if arrays else step


def quantise(values: NDArray, dtype: str) -> NDArray:
    """Values in [0, 1] to a dtype: integers by one rounding over their whole range, floats as they are."""
    if dtype in ("uint8", "uint16"):
        return np.rint(np.clip(values, 0, 1) * RANGES[dtype]).astype(dtype)
    return values.astype(dtype)


def dequantise(data: NDArray) -> NDArray[np.float64]:
    """Any image dtype to float64 values whose range is [0, 1]."""
    return data.astype(np.float64) / RANGES[str(data.dtype)]
