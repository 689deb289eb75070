"""The axes of a study, and how the effect of an arm changes along each of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.lab.analysis.scene import Scene, ends, paired, usable
from vicinal.lab.measure.metrics import METRICS
from vicinal.lab.study import REFERENCE
from vicinal.lab.trial import Cell

NAMES = {"size": "labels", "steps": "steps", "epochs": "epochs", "strength": "times the strength", "label_noise": "label noise"}
"""The axes of a study, and how they are called after a number."""


@final
@dataclass(frozen=True, eq=False)
class Axis:
    """One axis through the headline cell.

    Args:
        field: of `Cell`, or the name of a corruption of test; word: after a number; values: two or more, rising.
        noise: whether it is a corruption.
    """

    field: str
    word: str
    values: tuple[float, ...]
    noise: bool = False

    def at(self, scene: Scene, value: float) -> Scene:
        """The scene at a value; corruptions are looked at in every cell."""
        return scene if self.noise else scene.elsewhere(replace(scene.cell, **{self.field: value}))

    @property
    def data(self) -> dict[str, Any]:
        return {"name": self.word, "values": list(self.values)}


def of_study(scene: Scene) -> list[Axis]:
    """The axes of the study that have several values."""
    known = set(scene.study.cells)
    found = []
    for field, word in NAMES.items():
        values = {getattr(cell, field) for cell in known} - {None}
        through = sorted(value for value in values if replace(scene.cell, **{field: value}) in known) if _free(scene.cell, field) else []
        if len(through) > 1:
            found.append(Axis(field, word, tuple(through)))
    return found


def _free(cell: Cell, field: str) -> bool:
    """Whether the axis can be walked from this cell: a budget is either steps or epochs."""
    return getattr(cell, field) is not None


def of_test(scene: Scene) -> list[Axis]:
    """The corruptions of test, with the levels at which it was looked at."""
    return [Axis(name, f"{name} on test", tuple(sorted(levels)), noise=True) for name, levels in scene.study.curves if len(levels) > 1]


def gains(scene: Scene, arm: str, *places: tuple[Axis, float]) -> NDArray[np.float64]:
    """(n,) by how much an arm is better than the reference at some places on axes, for the seeds that both have."""
    family = ""
    for axis, value in places:
        scene = axis.at(scene, value)
        family = f"{axis.field}@{value:g}" if axis.noise else family
    if arm not in scene.sides or REFERENCE not in scene.sides:
        return np.zeros(0)
    side, reference = scene.sides[arm], scene.reference
    if not family:
        return side.gains(reference, scene.metric)
    name, metric = f"{family}.{scene.headline}", METRICS[scene.headline]
    return paired(side, reference, lambda mine, theirs: metric.gain(theirs.values.get(name, math.nan), mine.values.get(name, math.nan)))


def curves(scene: Scene) -> list[dict[str, Any]]:
    """The gain of every arm along every axis that has several values, the others as in the headline."""
    return [
        {"axis": axis.word, "values": list(axis.values), "arms": {arm: _curve(scene, arm, axis) for arm in scene.asked}}
        for axis in of_study(scene)
    ]


def _curve(scene: Scene, arm: str, axis: Axis) -> dict[str, list[float | None]]:
    found = [_mean(scene, gains(scene, arm, (axis, value))) for value in axis.values]
    return {part: [one[part] for one in found] for part in ("mean", "low", "high")}


def _mean(scene: Scene, values: NDArray[np.float64]) -> Any:
    return ends(scene.mean(values)) if usable(values) else {"mean": None, "low": None, "high": None}
