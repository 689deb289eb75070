"""The scale of a figure: where values lie, and which round numbers stand beside it.

Figures are fluid: a horizontal place is a percentage of the plot's width, a vertical one is in pixels, so that text and
points keep their size from a phone to a desktop. The templates draw what stands here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from vicinal.lab import wording

_WIDE = 8  # times from the smallest to the largest value from which on a scale is logarithmic


@final
@dataclass(frozen=True)
class Axis:
    """A linear scale with round ticks.

    Example:
        >>> axis = Axis.over([-8.3, 6.7])
        >>> axis.low, axis.high, axis.ticks, float(axis.at(0.0))
        (-10.0, 10.0, (-10.0, -5.0, 0.0, 5.0, 10.0), 50.0)
    """

    low: float
    high: float
    ticks: tuple[float, ...]

    @staticmethod
    def over(values: ArrayLike, ticks: int = 5) -> Axis:
        """The scale that holds all finite values."""
        finite = np.asarray(values, float)
        finite = finite[np.isfinite(finite)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        places = MaxNLocator(nbins=ticks, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        return Axis(float(places[0]), float(places[-1]), tuple(float(tick) for tick in places))

    def at(self, value: ArrayLike) -> Any:
        """Where values lie, in per cent from the low end."""
        return 100 * (np.asarray(value, float) - self.low) / (self.high - self.low)


@final
@dataclass(frozen=True)
class Ladder:
    """The values of an axis of a study: their places in per cent, their texts, and how they are spaced.

    Attributes:
        spacing: linear, log, or even where a value is no number above 0 or says "all".
    """

    places: tuple[float, ...]
    texts: tuple[str, ...]
    spacing: str

    @staticmethod
    def of(values: Sequence[Any]) -> Ladder:
        """Rising numbers keep their distances, or those of their logarithms where they span a wide range.

        Example:
            >>> Ladder.of([0, 0.1, 0.4]).places, Ladder.of([100, 1000, 10000]).spacing, Ladder.of([500, None]).texts
            ((0.0, 25.0, 100.0), 'log', ('500', 'all'))
        """
        texts = tuple(map(text, values))
        if len(values) < 2 or any(not isinstance(value, (int, float)) for value in values) or len(set(values)) < len(values):
            return Ladder(_spread(np.arange(len(values), dtype=float)), texts, "even")
        numbers = np.asarray(values, float)
        log = bool(numbers.min() > 0 and numbers.max() / numbers.min() >= _WIDE)
        return Ladder(_spread(np.log(numbers) if log else numbers), texts, "log" if log else "linear")


def _spread(values: NDArray[np.float64]) -> tuple[float, ...]:
    """From 0 to 100; a single value stands in the middle."""
    width = np.ptp(values) if len(values) else 0.0
    return tuple(float(place) for place in (100 * (values - values.min()) / width if width else np.full(len(values), 50.0)))


def text(value: Any) -> str:
    """A value of an axis of a study; where none is set, all there is is taken."""
    return "all" if value is None else f"{value:,g}" if isinstance(value, (int, float)) else str(value)


def number(value: float | None) -> float:
    """NaN where there is none."""
    return np.nan if value is None else float(value)


def factor(unit: wording.Unit) -> float:
    """From a value to what stands on an axis: shares of 1 are drawn in per cent."""
    return 100.0 if unit.share else 1.0


def tick(value: float, unit: wording.Unit, signed: bool = True) -> str:
    """What stands at a tick of an axis that is in per cent or plain.

    Example:
        >>> tick(5.0, wording.POINTS), tick(-2.5, wording.POINTS), tick(0.25, wording.Unit("in nll", share=False), signed=False)
        ('+5', '-2.5', '0.25')
    """
    said = f"{value + 0.0:,.10g}"
    return f"+{said}" if signed and value > 0 else said


def apart(places: Mapping[str, float], gap: float, height: float) -> dict[str, float]:
    """Places of labels moved away from each other until all can be read, as little as that takes.

    Example:
        >>> apart({"a": 50.0, "b": 52.0, "c": 90.0}, gap=14, height=150)
        {'a': 44.0, 'b': 58.0, 'c': 90.0}
    """
    groups = [[value, [name]] for name, value in sorted(places.items(), key=lambda item: item[1])]
    while (near := next((i for i in range(len(groups) - 1) if _touch(groups[i], groups[i + 1], gap)), None)) is not None:
        (one, first), (other, second) = groups[near], groups.pop(near + 1)
        groups[near] = [(one * len(first) + other * len(second)) / (len(first) + len(second)), first + second]
    ends = {name: middle + gap * (i - (len(names) - 1) / 2) for middle, names in groups for i, name in enumerate(names)}
    lowest = max(ends.values(), default=0.0) - (height + gap / 2)
    return {name: ends[name] - max(lowest, 0.0) for name in places}


def _touch(upper: Sequence[Any], lower: Sequence[Any], gap: float) -> bool:
    return lower[0] - upper[0] < gap * (len(upper[1]) + len(lower[1])) / 2 - 1e-9
