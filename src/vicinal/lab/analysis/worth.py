"""What an arm is worth and what it costs."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from vicinal.lab import statistics
from vicinal.lab.analysis.axes import Axis, of_study
from vicinal.lab.analysis.scene import Scene, together, usable
from vicinal.lab.measure.cost import per_point
from vicinal.lab.pace import score
from vicinal.lab.sides import Side
from vicinal.lab.study import REFERENCE


def exchange(scene: Scene) -> list[dict[str, Any]]:
    """How many times more labels the reference needs for the score of an arm, at every size; needs several sizes."""
    sizes = next((axis for axis in of_study(scene) if axis.field == "size"), None)
    return [] if sizes is None else [one for arm in scene.asked for one in _exchange(scene, arm, sizes)]


def _exchange(scene: Scene, arm: str, sizes: Axis) -> list[dict[str, Any]]:
    places = [sizes.at(scene, size) for size in sizes.values]
    if not all(name in place.sides for place in places for name in (REFERENCE, arm)):
        return []
    some = together(*(place.sides[name] for name in (REFERENCE, arm) for place in places))
    scores = np.array([[score(one, scene.metric) for one in line] for line in some]).T
    if not usable(scores):
        return []
    base, mine = np.split(scores, 2, axis=1)
    found = statistics.exchange_rate([int(size) for size in sizes.values], base, mine, scene.level)
    return [_rate(arm, one) for one in found]


def _rate(arm: str, found: statistics.Exchange) -> dict[str, Any]:
    finite = {name: None if (v := getattr(found, name)) is None or math.isinf(v) else v for name in ("times", "low", "high")}
    return {"arm": arm, "size": found.size, **finite, "words": found.words}


def costs(scene: Scene) -> list[dict[str, Any]]:
    """Milliseconds that every arm takes to augment an item, and for one point of its gain; None where it has none."""
    share = scene.unit.share
    found = []
    for name, side in scene.asked.items():
        gain, ms = scene.verdicts[name].difference.mean, ms_per_item(side)
        price = per_point(ms, gain) if share else math.inf
        found.append({"arm": name, "ms_per_item": ms, "ms_per_point": price if math.isfinite(price) else None})
    return found


def ms_per_item(side: Side) -> float:
    """Milliseconds of augmenting an item, over all seeds; 0 where nothing was augmented."""
    seconds, made = (sum(getattr(one, name) for one in side.outcomes) for name in ("augment_seconds", "augmented"))
    return 1000 * seconds / made if made else 0.0
