"""Estimates with their intervals, one to a row on a common scale: the forest plot and its relatives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from vicinal.lab import wording
from vicinal.lab.report.axis import Axis, factor, number
from vicinal.lab.wording import Arm, missing, ranked


@final
@dataclass(frozen=True)
class Entry:
    """What a row shows.

    Args:
        label: its name; estimate: mean, low and high; dots: single values, as the seeds have them.
        verdict: of the lab; where there is none, whether the interval excludes 0 decides about the looks.
        against: with what it was compared, for the text alternative; control: whether the lab added it.
    """

    label: str
    estimate: Mapping[str, Any]
    dots: tuple[float, ...] = ()
    verdict: str | None = None
    against: str = ""
    control: bool = False

    @property
    def kind(self) -> str:
        """The verdict, or what the interval shows: better, worse, or neither."""
        if self.verdict is not None:
            return self.verdict
        low, high = number(self.estimate["low"]), number(self.estimate["high"])
        return "better" if low > 0 else "worse" if high < 0 else "open"


@final
@dataclass(frozen=True)
class Row:
    """Places in per cent of the width; ``None`` where one seed gives no interval."""

    entry: Entry
    mean: float
    low: float | None
    high: float | None
    dots: tuple[float, ...]


@final
@dataclass(frozen=True)
class Rows:
    """A figure of rows on one scale."""

    axis: Axis
    rows: tuple[Row, ...]
    unit: wording.Unit


def rows(entries: Iterable[Entry], unit: wording.Unit = wording.POINTS) -> Rows | None:
    """The figure; None if no entry has a number."""
    shown = [entry for entry in entries if not missing(entry.estimate["mean"])]
    if not shown:
        return None
    scale = factor(unit)
    ends = [scale * number(entry.estimate[end]) for entry in shown for end in ("mean", "low", "high")]
    axis = Axis.over([0.0, *ends, *(scale * dot for entry in shown for dot in entry.dots)], ticks=7)
    return Rows(axis, tuple(_row(entry, axis, scale) for entry in shown), unit)


def _row(entry: Entry, axis: Axis, scale: float) -> Row:
    mean, low, high = (float(axis.at(scale * number(entry.estimate[end]))) for end in ("mean", "low", "high"))
    whole = bool(np.isfinite(low) and np.isfinite(high))
    dots = tuple(float(place) for place in axis.at(scale * np.array(entry.dots)) if np.isfinite(place))
    return Row(entry, mean, low if whole else None, high if whole else None, dots)


def forest(arms: Sequence[Arm], unit: wording.Unit = wording.POINTS) -> Rows | None:
    """Differences with their intervals and the paired differences of the single seeds, above 0 for better.

    What somebody asked about comes first, what the lab added after it; None if nothing was compared.
    """
    compared = [arm for arm in ranked(arms) if arm["difference"]]
    entries = [_compared(arm) for arm in compared]
    return rows(sorted(entries, key=lambda entry: entry.control), unit)


def _compared(arm: Arm) -> Entry:
    difference = arm["difference"]
    dots = tuple(number(value) for value in difference["paired"])
    return Entry(arm["name"], difference, dots, arm["verdict"], difference["against"], bool(arm["control"]))


def listed(entries: Sequence[Mapping[str, Any]], label: str = "arm", unit: wording.Unit = wording.POINTS) -> Rows | None:
    """Rows of a part of the analysis: each has its name under ``label``, and mean, low and high."""
    return rows([Entry(str(entry[label]), entry, against=str(entry.get("against", ""))) for entry in entries], unit)
