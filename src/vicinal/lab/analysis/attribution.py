"""Which operations of a pipeline carry it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from vicinal.lab import statistics, wording
from vicinal.lab.analysis.scene import Scene, ends, together, usable
from vicinal.lab.feed import pixels
from vicinal.lab.measure.cost import ms_per_item
from vicinal.lab.pace import score
from vicinal.lab.parts import Parts

TIMED, ROUNDS = 64, 3  # items of a batch, and batches, that a part is timed on


def attribution(scene: Scene) -> dict[str, Any] | None:
    """Leave-one-out effects and Shapley values of the parts of one arm; None where none was asked for, or a training is missing."""
    parts = scene.study.parts
    if parts is None:
        return None
    wanted = parts.wanted
    sides = [scene.sides.get(parts.arm_of(subset).name) for subset in wanted]
    known = [side for side in sides if side is not None]
    common = together(*known) if len(known) == len(wanted) else []
    table = np.array([[score(one, scene.metric) for one in some] for some in common])
    if not usable(table):
        return None
    scores = dict(zip(wanted, table, strict=True))
    method, orders = scene.study.interval, parts.orders
    values = statistics.shapley_sampled(scores, orders, scene.level) if orders else statistics.shapley(scores, scene.level, method)
    without = statistics.leave_one_out(scores, scene.level, method)
    values = {name: statistics.within(one, scene.span) for name, one in values.items()}
    without = {name: statistics.within(one, scene.span) for name, one in without.items()}
    cost = _costs(scene, parts)
    return {
        "arm": parts.arm.name,
        "leave_one_out": [{"part": name, **ends(without[name])} for name in parts.nodes],
        "shapley": [{"part": name, **ends(values[name])} for name in parts.nodes],
        "cost": cost,
        "sentence": _sentence(scene, parts, values, cost),
    }


def _costs(scene: Scene, parts: Parts) -> dict[str, float]:
    """Part to milliseconds an item, timed by itself; only images are timed."""
    data = scene.study.data
    if data.kind != "image":
        return {}
    batch = pixels(data, slice(0, TIMED))
    return {name: ms_per_item(node, batch, ROUNDS) for name, node in parts.nodes.items()}


def _sentence(scene: Scene, parts: Parts, values: Mapping[str, statistics.Contribution], cost: Mapping[str, float]) -> str:
    """``Inside both (Shapley values): Translate +5.0 points [4.1, 5.9]; Invert is not shown to contribute, for 30 % of the time.``"""
    order = sorted(parts.nodes, key=lambda name: -values[name].mean)
    shown = [name for name in order if _sign(values[name])]
    rest = [name for name in order if name not in shown]
    said = [f"{name} {scene.said(values[name])}" for name in shown]
    time = f", for {wording.decimal(100 * sum(cost[name] for name in rest) / sum(cost.values()), 0)} % of the time" if cost else ""
    dead = f"{wording.listed(rest)} {'is' if len(rest) == 1 else 'are'} not shown to contribute{time}" if rest else ""
    return f"Inside {parts.arm.name} (Shapley values): {'; '.join(filter(None, [', '.join(said), dead]))}."


def _sign(found: statistics.Contribution) -> int:
    return statistics.Estimate(found.mean, found.low, found.high).sign
