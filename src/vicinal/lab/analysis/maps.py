"""Signs over two axes, flips along one, and whether the effect of an arm changes from one end of an axis to the other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.lab import statistics
from vicinal.lab.analysis.axes import Axis, gains, of_study, of_test
from vicinal.lab.analysis.scene import Scene, ends, together, usable
from vicinal.lab.pace import score
from vicinal.lab.study import REFERENCE


def signs(scene: Scene) -> list[dict[str, Any]]:
    """Where over two axes an arm helps and where it hurts; all cells of a map are corrected together."""
    own = of_study(scene)
    pairs = [*itertools.combinations(own, 2), *itertools.product(own, of_test(scene))]
    found = [_map(scene, arm, *pair) for arm in scene.asked for pair in pairs]
    return [one for one in found if one is not None]


def _map(scene: Scene, arm: str, rows: Axis, columns: Axis) -> dict[str, Any] | None:
    grid = [[gains(scene, arm, (rows, row), (columns, column)) for column in columns.values] for row in rows.values]
    found = sign_map(scene, grid, rows, columns)
    if found is None:
        return None
    cells = [
        [{**ends(cell.difference), "sign": sign} for cell, sign in zip(line, signs, strict=True)]
        for line, signs in zip(found.cells, found.signs, strict=True)
    ]
    return {"arm": arm, "rows": rows.data, "columns": columns.data, "cells": cells, "sentence": f"{arm}: {found.sentence}."}


def sign_map(scene: Scene, grid: Sequence[Sequence[NDArray]], rows: Axis, columns: Axis) -> statistics.SignMap | None:
    """Judged as one family; None where a cell was not measured."""
    if not all(usable(cell) for line in grid for cell in line):
        return None
    down, across = (statistics.Axis(axis.word, axis.values) for axis in (rows, columns))
    return statistics.sign_map(grid, down, across, scene.study.alpha, scene.study.interval, scene.span)


def flips(scene: Scene) -> list[str]:
    """A sentence for every arm that helps at one end of an axis and hurts at another."""
    found = []
    for arm, axis in itertools.product(scene.asked, of_study(scene)):
        lone = Axis("", "", (0.0,))
        line = sign_map(scene, [[gains(scene, arm, (axis, value)) for value in axis.values]], lone, axis)
        if line is not None and {1, -1} <= set(line.signs[0]):
            found.append(f"The sign of {arm} flips: it {line.sentence}.")
    return found


def interactions(scene: Scene) -> list[dict[str, Any]]:
    """Does the effect of an arm change from one end of an axis to the other? Paired by seed, corrected over all of these (Holm)."""
    found = []
    for arm, axis in itertools.product(scene.asked, of_study(scene)):
        change = _change(scene, arm, axis)
        if usable(change):
            found.append((arm, axis, change))
    judged = scene.judged({str(n): one[2] for n, one in enumerate(found)}, 2 * scene.span)
    return [_interaction(scene, arm, axis, judged[str(n)]) for n, (arm, axis, _) in enumerate(found)]


def _change(scene: Scene, arm: str, axis: Axis) -> NDArray[np.float64]:
    """(n,) the gain at the last value minus that at the first, for the seeds that have both."""
    first, last = (axis.at(scene, value) for value in (axis.values[0], axis.values[-1]))
    sides = [place.sides.get(name) for place in (last, first) for name in (arm, REFERENCE)]
    known = [side for side in sides if side is not None]
    if len(known) < len(sides):
        return np.zeros(0)
    mine, none, before, none_before = (np.array([score(one, scene.metric) for one in some]) for some in together(*known))
    return (mine - none) - (before - none_before)


def _interaction(scene: Scene, arm: str, axis: Axis, found: statistics.Comparison) -> dict[str, Any]:
    low, high = axis.values[0], axis.values[-1]
    said = {"helps": "grows", "hurts": "shrinks", "no evidence": "is not shown to change"}[found.verdict]
    span = f"from {low:,g} to {high:,g} {axis.word}"
    sentence = f"The gain of {arm} {said} {span}: {scene.said(found.difference)}."
    place = {"arm": arm, "axis": axis.word, "from": low, "to": high}
    return {**place, **ends(found.difference), "p": found.difference.p_adjusted, "sentence": sentence}
