"""The instances of a batch through a plan, one operation after the other: what drops, cuts and shrinks them."""

from __future__ import annotations

import collections
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.backend import load
from vicinal.core.batch import Spec
from vicinal.core.errors import TargetError
from vicinal.core.follow import others
from vicinal.core.inputs import Inputs
from vicinal.core.plan import Plan
from vicinal.core.primitive import Hide, Primitive
from vicinal.core.targets import Boxes, InstanceMasks, Labels, Polygons, Target, Way
from vicinal.core.targets.boxes import WIDTHS, to_xyxy
from vicinal.core.targets.oriented import corners_of
from vicinal.core.targets.rows import Rows

WHOLE = 0.999  # of the area: less counts as truncated


@final
class Counter:
    """Counts under construction, by what happened, to which class, by which operation ("" where by none)."""

    def __init__(self, small: float):
        self.small = small
        self.counts: dict[tuple[str, str], collections.Counter[str]] = {}

    def note(self, path: str, names: NDArray[np.str_], **found: NDArray) -> None:
        """Count the instances for which each of ``found`` (N,) is true."""
        for kind, which in found.items():
            self.counts.setdefault((kind, path), collections.Counter()).update(names[which].tolist())

    def classes(self) -> tuple[str, ...]:
        """The names that occur, in order."""
        return tuple(sorted({name for count in self.counts.values() for name in count}))

    def column(self, kind: str, path: str, classes: Sequence[str]) -> NDArray[np.int64]:
        """(K,) one count by class."""
        count = self.counts.get((kind, path), {})
        return np.array([count.get(name, 0) for name in classes], np.int64)


@final
@dataclass(frozen=True, eq=False)
class State:
    """N instances after some operations: which are kept, the share of each that is left, and the shorter side of its box in pixels."""

    kept: NDArray[np.bool_]
    share: NDArray[np.float64]
    side: NDArray[np.float64]


@final
class Lives:
    """The instances of one batch, followed through one plan after the other."""

    def __init__(self, inputs: Inputs, counter: Counter):
        boxes = inputs.others.get("boxes")
        if not isinstance(boxes, Boxes):
            raise TargetError("survival", "boxes, whose fate is to be counted", "none", "v.survival(policy, image=..., boxes=...)")
        self.counter, self.engine, self.format = counter, load("auto"), boxes.format
        rows = boxes.read("boxes", inputs.spec)
        self.table = boxes.usable(rows, inputs.spec, "boxes")[1]
        self.names = np.array(_classes(inputs.others.get("label"), rows.owner, len(inputs.spec)), str)
        self.targets: dict[str, Target] = {name: one for name, one in inputs.others.items() if isinstance(one, (InstanceMasks, Polygons))}
        self.targets["boxes"] = _in_pixels(boxes, rows, inputs.spec)
        self.least = 0.0 if boxes.format in WIDTHS else boxes.min_size
        self.start = self._after((), inputs.spec)

    def add(self, plan: Plan) -> None:
        """One epoch: the plan without fusion, one operation after the other."""
        steps = [slot for slot in plan.slots if slot.primitive.verb == "move" or isinstance(slot.primitive, Hide)]
        alive, cut, small = self.start.kept, self.start.share < WHOLE, self.start.side < self.counter.small
        thin, since = self.start.side < self.least, np.full(len(self.names), -1)
        for number, slot in enumerate(steps):
            now = self._after([step.primitive for step in steps[: number + 1]], plan.before)
            gone, short, torn, before = alive & ~now.kept, now.side < self.counter.small, now.share < WHOLE, thin
            new = {"dropped": gone, "truncated": alive & ~gone & torn & ~cut, "shrunk": alive & ~gone & short & ~small}
            self.counter.note(slot.paths[0], self.names, **new)
            alive, cut, small, thin = alive & ~gone, cut | torn, small | short, now.side < self.least
            since = np.where(thin & ~before, number, since)
        for number, slot in enumerate(steps):  # what is too small in the end was dropped by what made it so
            self.counter.note(slot.paths[0], self.names, dropped=alive & thin & (since == number))
        totals = {"given": np.ones(len(alive), bool), "invalid": ~self.start.kept, "repaired": self.table.repaired, "kept": alive & ~thin}
        self.counter.note("", self.names, **totals)

    def _after(self, passes: Sequence[Primitive], before: Spec) -> State:
        out, table = others(self.targets, Way(passes, before, before, self.engine), False)
        assert table is not None
        side, found = np.zeros(len(self.names)), np.concatenate(out["boxes"])
        corners = corners_of(found, self.format) if self.format in WIDTHS else found.reshape(-1, 2, 2)
        side[table.kept] = np.ptp(corners, 1).min(1, initial=np.inf)
        return State(table.kept, table.visible, side)


def _in_pixels(boxes: Boxes, rows: Rows, spec: Spec) -> Boxes:
    """The boxes as pixels, of which none is dropped for being small."""
    if boxes.format in WIDTHS:
        return replace(boxes, min_size=0.0)
    data = Rows(to_xyxy(rows, boxes.format, spec), rows.owner).parts(len(spec))
    return replace(boxes, data=data, format="xyxy", min_size=0.0)


def _classes(target: Any, owner: NDArray, batch: int) -> Sequence[str]:
    """(N,) the name of every instance's class; "all" where labels do not tell instances apart."""
    if isinstance(target, Labels) and len(target.data) == batch:
        counts = np.bincount(owner, minlength=batch)
        parts = [label for label in target.data if hasattr(label, "__len__") and not isinstance(label, str)]
        if [len(part) for part in parts] == counts.tolist():
            return [str(name) for part in parts for name in part]
    return ["all"] * len(owner)
