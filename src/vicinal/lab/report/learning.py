"""Learning curves as small multiples on common scales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.lab import wording
from vicinal.lab.report.axis import Axis, apart, factor, number
from vicinal.lab.wording import Arm

PANEL = 150.0  # height of a panel in pixels
LABEL_GAP = 14.0  # pixels between two labels at the end of curves
_MOST_POINTS = 160  # of a curve; more would not be seen


@final
@dataclass(frozen=True)
class Line:
    """One curve: SVG path data of its mean and of its band (empty with one seed), and where its label stands."""

    kind: str
    path: str
    band: str
    end_x: float
    end_y: float
    label_y: float


@final
@dataclass(frozen=True)
class Panel:
    """An arm, its curves, and the verdict on them if there is one."""

    arm: Arm
    lines: tuple[Line, ...]
    fit: Mapping[str, Any] | None


@final
@dataclass(frozen=True)
class Curves:
    steps: Axis
    scores: Axis
    panels: tuple[Panel, ...]
    unit: wording.Unit


def curves(arms: Sequence[Arm], unit: wording.Unit = wording.POINTS, fits: Mapping[str, Any] | None = None) -> Curves | None:
    """The panels; None if no curve was recorded, or only points at 0 by trainers that take no steps.

    Args:
        arms: in the order of the panels; unit: of the headline metric, of which curves are drawn; fits: verdicts on the curves by arm.
    """
    recorded = [arm for arm in arms if any(arm["curve"]["steps"])]
    if not recorded:
        return None
    values = np.concatenate([_curve(arm, part).ravel() for arm in recorded for part in ("train", "dev")])
    last = max(arm["curve"]["steps"][-1] for arm in recorded)
    steps = Axis(0.0, float(last), tuple(tick for tick in Axis.over([0, last], ticks=4).ticks if tick <= last))
    scores = Axis.over(factor(unit) * values, ticks=4)
    draw = _Draw(steps, scores, factor(unit))
    return Curves(steps, scores, tuple(draw.panel(arm, recorded, (fits or {}).get(arm["name"])) for arm in recorded), unit)


@final
@dataclass(frozen=True)
class _Draw:
    """The scales that all panels share."""

    steps: Axis
    scores: Axis
    factor: float

    def panel(self, arm: Arm, arms: Sequence[Arm], fit: Mapping[str, Any] | None) -> Panel:
        against = (arm["difference"] or {}).get("against")
        faint = [self.line("reference", other, "dev") for other in arms if other["name"] == against]
        lines = {part: self.line(part, arm, part) for part in ("train", "dev")}
        labels = apart({part: line.end_y for part, line in lines.items() if np.isfinite(line.end_y)}, LABEL_GAP, PANEL)
        return Panel(arm, (*faint, *(replace(line, label_y=labels.get(part, 0.0)) for part, line in lines.items())), fit)

    def line(self, kind: str, arm: Arm, part: str) -> Line:
        keep = np.unique(np.linspace(0, len(arm["curve"]["steps"]) - 1, _MOST_POINTS).round().astype(int))
        x = self.steps.at(np.asarray(arm["curve"]["steps"], float)[keep])
        y = PANEL * (1 - self.scores.at(self.factor * _curve(arm, part)[keep]) / 100)
        middle = y.mean(axis=1)
        band = ""
        if y.shape[1] > 1 and kind != "reference":
            low, high = np.quantile(y, [0.1, 0.9], axis=1)
            band = outline(x, low, high)
        return Line(kind, path(x, middle), band, float(x[-1]), float(middle[-1]), float(middle[-1]))


def path(x: NDArray, y: NDArray) -> str:
    """SVG path data through the points that are numbers."""
    keep = np.isfinite(y)
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x[keep], y[keep], strict=True)) if keep.any() else ""


def outline(x: NDArray, low: NDArray, high: NDArray) -> str:
    """SVG path data around a band."""
    around = path(np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]]))
    return around and around + "Z"


def _curve(arm: Arm, part: str) -> NDArray[np.float64]:
    """(K, S) values of the headline metric."""
    return np.array([[number(value) for value in row] for row in arm["curve"][part]])
