"""The geometry of the figures, and nothing of their looks.

Figures are fluid: a horizontal place is a percentage of the plot's width, a vertical one is in pixels, so that text and
points keep their size from a phone to a desktop. The template draws what stands here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from vicinal.lab.wording import Arm, missing, ranked

PANEL = 150.0  # height of a learning-curve panel in pixels
_MOST_POINTS = 160  # of a curve; more would not be seen
_LABEL_GAP = 14.0  # pixels between two labels at the end of curves
_MOST_CLASSES = 20  # columns of the table of classes


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
class Interval:
    """One row of the forest plot; places in per cent of the width, ``None`` where one seed gives no interval."""

    arm: Arm
    mean: float
    low: float | None
    high: float | None
    seeds: tuple[float, ...]


@final
@dataclass(frozen=True)
class Forest:
    axis: Axis
    rows: tuple[Interval, ...]


def forest(arms: Sequence[Arm]) -> Forest | None:
    """Differences with their intervals and the paired differences of the single seeds; None if nothing was compared."""
    compared = [arm for arm in ranked(arms) if arm["difference"] and not missing(arm["difference"]["mean"])]
    if not compared:
        return None
    by_name = {arm["name"]: arm for arm in arms}
    paired = [100 * paired_differences(arm, by_name[arm["difference"]["against"]]) for arm in compared]
    ends = [_percent(arm["difference"][end]) for arm in compared for end in ("mean", "low", "high")]
    axis = Axis.over(np.concatenate([[0.0], ends, *paired]), ticks=7)
    return Forest(axis, tuple(_row(arm, seeds, axis) for arm, seeds in zip(compared, paired, strict=True)))


def paired_differences(arm: Arm, against: Arm) -> NDArray[np.float64]:
    """(S,) score of the arm minus score of the reference, for the seeds that both have.

    Example:
        >>> paired_differences({"seeds": [0, 1], "scores": [0.75, 1.0]}, {"seeds": [1, 0], "scores": [0.5, 0.5]})
        array([0.25, 0.5 ])
    """
    reference = dict(zip(against["seeds"], against["scores"], strict=True))
    pairs = zip(arm["seeds"], arm["scores"], strict=True)
    return np.array([_number(score) - _number(reference[seed]) for seed, score in pairs if seed in reference])


def _row(arm: Arm, seeds: NDArray, axis: Axis) -> Interval:
    mean, low, high = (axis.at(_percent(arm["difference"][end])) for end in ("mean", "low", "high"))
    whole = bool(np.isfinite(low) and np.isfinite(high))
    dots = tuple(float(place) for place in axis.at(seeds) if np.isfinite(place))
    return Interval(arm, float(mean), float(low) if whole else None, float(high) if whole else None, dots)


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
    arm: Arm
    lines: tuple[Line, ...]


@final
@dataclass(frozen=True)
class Curves:
    steps: Axis
    scores: Axis
    panels: tuple[Panel, ...]


def curves(arms: Sequence[Arm]) -> Curves | None:
    """Learning curves as small multiples on common scales; None if none was recorded."""
    recorded = [arm for arm in ranked(arms) if len(arm["curve"]["steps"])]
    if not recorded:
        return None
    values = np.concatenate([_curve(arm, part).ravel() for arm in recorded for part in ("train", "dev")])
    last = max(arm["curve"]["steps"][-1] for arm in recorded)
    steps = Axis(0.0, float(last), tuple(tick for tick in Axis.over([0, last], ticks=4).ticks if tick <= last))
    scores = Axis.over(100 * values, ticks=4)
    return Curves(steps, scores, tuple(_panel(arm, recorded, steps, scores) for arm in recorded))


def _panel(arm: Arm, arms: Sequence[Arm], steps: Axis, scores: Axis) -> Panel:
    against = (arm["difference"] or {}).get("against")
    faint = [_line("reference", other, "dev", steps, scores) for other in arms if other["name"] == against]
    train, dev = (_line(part, arm, part, steps, scores) for part in ("train", "dev"))
    return Panel(arm, (*faint, *_apart(train, dev)))


def _line(kind: str, arm: Arm, part: str, steps: Axis, scores: Axis) -> Line:
    keep = np.unique(np.linspace(0, len(arm["curve"]["steps"]) - 1, _MOST_POINTS).round().astype(int))
    x = steps.at(np.asarray(arm["curve"]["steps"], float)[keep])
    y = PANEL * (1 - scores.at(100 * _curve(arm, part)[keep]) / 100)
    middle = y.mean(axis=1)
    band = ""
    if y.shape[1] > 1 and kind != "reference":
        low, high = np.quantile(y, [0.1, 0.9], axis=1)
        band = _path(np.concatenate([x, x[::-1]]), np.concatenate([low, high[::-1]])) + "Z"
    return Line(kind, _path(x, middle), band, float(x[-1]), float(middle[-1]), float(middle[-1]))


def _path(x: NDArray, y: NDArray) -> str:
    keep = np.isfinite(y)
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x[keep], y[keep], strict=True)) if keep.any() else ""


def _apart(train: Line, dev: Line) -> tuple[Line, Line]:
    """The two labels moved away from each other until both can be read."""
    upper, lower = sorted((train, dev), key=lambda line: line.end_y)
    push = max(0.0, _LABEL_GAP - (lower.end_y - upper.end_y)) / 2
    moved = {upper.kind: upper.end_y - push, lower.kind: lower.end_y + push}
    first, second = (Line(line.kind, line.path, line.band, line.end_x, line.end_y, moved[line.kind]) for line in (train, dev))
    return first, second


@final
@dataclass(frozen=True)
class Cell:
    """One change: its value as a share of 1, the weight of its tint in [0, 1], and whether it is the worst of its arm."""

    value: float | None
    weight: float
    worst: bool


@final
@dataclass(frozen=True)
class Classes:
    """The table of classes: column names, the reference's recalls, and per arm its changes; ``total`` counts all classes."""

    names: tuple[str, ...]
    total: int
    references: tuple[tuple[Arm, tuple[float | None, ...]], ...]
    changes: tuple[tuple[Arm, tuple[Cell, ...]], ...]


def classes(names: Sequence[str], arms: Sequence[Arm]) -> Classes | None:
    """Change of recall per class, arms by classes; of very many classes those that moved most."""
    compared = [arm for arm in ranked(arms) if arm["difference"] and len(arm["difference"]["per_class"])]
    if not compared or not names:
        return None
    table = np.array([[_number(value) for value in arm["difference"]["per_class"]] for arm in compared])
    moved = np.abs(np.nan_to_num(table)).max(axis=0)
    shown = np.sort(np.argsort(-moved, kind="stable")[:_MOST_CLASSES])
    strongest = float(moved.max()) or 1.0
    references = tuple((arm, tuple(arm["per_class"][i] for i in shown)) for arm in arms if arm["difference"] is None)
    changes = tuple((arm, _cells(row, shown, strongest)) for arm, row in zip(compared, table, strict=True))
    return Classes(tuple(str(names[i]) for i in shown), len(names), references, changes)


def _cells(row: NDArray, shown: NDArray, strongest: float) -> tuple[Cell, ...]:
    worst = int(np.nanargmin(row)) if np.isfinite(row).any() else -1
    return tuple(
        Cell(float(row[i]), float(abs(row[i]) / strongest), i == worst) if np.isfinite(row[i]) else Cell(None, 0.0, False) for i in shown
    )


def _curve(arm: Arm, part: str) -> NDArray[np.float64]:
    """(K, S) shares of 1."""
    return np.array([[_number(value) for value in row] for row in arm["curve"][part]])


def _number(value: Mapping[str, Any] | float | None) -> float:
    return np.nan if value is None else float(value)  # type: ignore[arg-type]


def _percent(value: float | None) -> float:
    return 100 * _number(value)
