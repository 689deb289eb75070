"""Gain against something that rises, a line with a band for every arm: noise levels, sizes, budgets, strengths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from vicinal.lab import wording
from vicinal.lab.report.axis import Axis, Ladder, apart, factor, number, tick
from vicinal.lab.report.learning import LABEL_GAP, outline, path

HEIGHT = 190.0  # of a panel in pixels
MOST = 8  # lines of a panel, all different; more could not be told apart


@final
@dataclass(frozen=True)
class Trace:
    """One arm: path data of line and band, the points, and where its label stands; ``style`` counts colours, dashes and marks."""

    name: str
    style: int
    path: str
    band: str
    points: tuple[tuple[float, float], ...]
    label_y: float


@final
@dataclass(frozen=True)
class Chart:
    """A panel.

    Attributes:
        title, said: its heading, and all of its numbers as text.
        ladder, gains: the scales; left_out: how many arms are not drawn.
    """

    title: str
    ladder: Ladder
    gains: Axis
    traces: tuple[Trace, ...]
    left_out: int
    unit: wording.Unit
    said: str


def chart(title: str, values: Sequence[Any], arms: Mapping[str, Mapping[str, Any]], styles: Mapping[str, int], unit: wording.Unit) -> Chart:
    """A panel of gains.

    Args:
        values: (V,) of the axis; arms: name to mean, low and high, (V,) each; styles: name to the number of its looks.
    """
    drawn = shown(arms, styles)
    numbers = {name: {end: _numbers(arms[name][end], unit) for end in ("mean", "low", "high")} for name in drawn}
    gains = Axis.over(np.concatenate([[0.0], *(line for lines in numbers.values() for line in lines.values())]), ticks=5)
    ladder = Ladder.of(values)
    traces = [_trace(name, styles.get(name, 0), numbers[name], ladder, gains) for name in drawn]
    labels = apart({trace.name: trace.label_y for trace in traces if trace.points}, LABEL_GAP, HEIGHT)
    placed = tuple(replace(one, label_y=labels[one.name]) for one in traces if one.points)
    said = "; ".join(f"{name}: {_said(arms[name]['mean'], ladder, unit)}" for name in drawn)
    return Chart(title, ladder, gains, placed, len(arms) - len(drawn), unit, said)


def _numbers(line: Sequence[float | None], unit: wording.Unit) -> np.ndarray:
    return factor(unit) * np.array([number(value) for value in line])


def shown(arms: Mapping[str, Any], styles: Mapping[str, int]) -> list[str]:
    """The arms that a panel has looks for: what somebody asked about before what the lab added, the best first."""
    order = list(styles)
    return sorted(arms, key=lambda name: order.index(name) if name in styles else len(order))[:MOST]


def _said(line: Sequence[float | None], ladder: Ladder, unit: wording.Unit) -> str:
    return ", ".join(f"{wording.points(value, unit)} at {text}" for value, text in zip(line, ladder.texts, strict=True))


def _trace(name: str, style: int, lines: Mapping[str, np.ndarray], ladder: Ladder, gains: Axis) -> Trace:
    x = np.array(ladder.places)
    mean, low, high = (HEIGHT * (1 - gains.at(lines[end]) / 100) for end in ("mean", "low", "high"))
    points = tuple((float(a), float(b)) for a, b in zip(x, mean, strict=True) if np.isfinite(b))
    return Trace(name, style, path(x, mean), outline(x, low, high), points, points[-1][1] if points else HEIGHT)


def robustness(arms: Sequence[wording.Arm], styles: Mapping[str, int], unit: wording.Unit) -> list[Chart]:
    """A panel for every family of corruptions: the gain over the reference against its level."""
    families: dict[str, dict[str, Any]] = {}
    for arm in arms:
        for family, found in (arm.get("robustness") or {}).items():
            if arm["difference"]:
                families.setdefault(family, {})[arm["name"]] = {**found, "mean": found["gain"]}
    return [chart(family, next(iter(lines.values()))["levels"], lines, styles, unit) for family, lines in families.items()]


def axes(found: Sequence[Mapping[str, Any]], styles: Mapping[str, int], unit: wording.Unit) -> list[Chart]:
    """A panel for every axis of the study that has several values."""
    return [chart(axis["axis"].replace("_", " "), axis["values"], axis["arms"], styles, unit) for axis in found]


def gain_ticks(one: Chart) -> list[tuple[float, str]]:
    """Vertical places in pixels and texts."""
    return [(float(HEIGHT * (1 - one.gains.at(value) / 100)), tick(value, one.unit)) for value in one.gains.ticks]
