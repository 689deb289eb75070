"""Pointwise work, step by step: what a chain of values is made of, and how values are stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import RANGES


class Step(Protocol):
    """One pointwise operation on values whose range is [0, 1]; its arrays are (B, 1) or (B, C)."""

    def __call__(self, values: NDArray) -> NDArray:
        """Values (B, n, C) or (B, n, 1) to new values of a shape they broadcast to."""
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

    gain: NDArray[np.float64]
    bias: NDArray[np.float64]
    clip: bool = True

    def __call__(self, values: NDArray) -> NDArray:
        values = values * self.gain[:, None]
        values += self.bias[:, None]
        return np.clip(values, 0, 1, out=values) if self.clip else values

    def where(self, on: NDArray[np.bool_]) -> Linear:
        if on.all():
            return self
        return replace(self, gain=np.where(on[:, None], self.gain, 1.0), bias=np.where(on[:, None], self.bias, 0.0))


@final
@dataclass(frozen=True, eq=False)
class Power:
    """``x ** exponent``: gamma correction.

    Args:
        exponent: (B, 1), above 0.
    """

    exponent: NDArray[np.float64]

    def __call__(self, values: NDArray) -> NDArray:
        # Written out: NumPy squares where one exponent of 2 is repeated, and calls pow where a batch brings several.
        exponent = np.broadcast_to(self.exponent[:, None], values.shape).copy()
        # Vectorised pow is a last bit off even at 1, but a neutral step changes nothing.
        return np.where(exponent == 1, values, values**exponent)

    def where(self, on: NDArray[np.bool_]) -> Power:
        return self if on.all() else Power(np.where(on[:, None], self.exponent, 1.0))


@final
@dataclass(frozen=True, eq=False)
class Round:
    """Values rounded to what a dtype can hold, as if they had been stored between two passes."""

    dtype: str

    def __call__(self, values: NDArray) -> NDArray:
        return dequantise(quantise(values, self.dtype)).astype(values.dtype)

    def where(self, on: NDArray[np.bool_]) -> Round:
        return self


def mapped(step: Any, change: Callable[[NDArray], NDArray]) -> Any:
    """A step with all its arrays changed."""
    arrays = {name: change(value) for name, value in vars(step).items() if isinstance(value, np.ndarray)}
    return replace(step, **arrays) if arrays else step


def quantise(values: NDArray, dtype: str) -> NDArray:
    """Values in [0, 1] to a dtype: integers by one rounding over their whole range, floats as they are."""
    if dtype in ("uint8", "uint16"):
        return np.rint(np.clip(values, 0, 1) * RANGES[dtype]).astype(dtype)
    return values.astype(dtype)


def dequantise(data: NDArray) -> NDArray[np.float64]:
    """Any image dtype to float64 values whose range is [0, 1]."""
    return data.astype(np.float64) / RANGES[str(data.dtype)]
