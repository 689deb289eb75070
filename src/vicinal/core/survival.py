"""What a policy does to annotations: per class and operation, what is dropped, truncated and shrunk. No pixel is touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.backend import load
from vicinal.core.draw import Draw
from vicinal.core.errors import TargetError
from vicinal.core.inputs import Inputs, named_targets, read
from vicinal.core.plan import Plan, unfused
from vicinal.core.run import addressed
from vicinal.core.scene import scene
from vicinal.core.targets import Boxes, Labels, Way
from vicinal.core.targets.boxes import WIDTHS, extent
from vicinal.core.targets.outline import followed

if TYPE_CHECKING:
    from vicinal.core.transform import Node

WHOLE = 0.999  # of the area: less counts as truncated


@final
@dataclass(frozen=True, eq=False)
class Survival:
    """The fate of annotated instances under a policy, over all epochs.

    Args:
        classes: (K,) names; operations: (P,) addresses of the operations that move something.
        given, invalid, repaired, kept: (K,) how many instances came, were unusable, were clipped before anything moved, and stayed.
        dropped, truncated, shrunk: (K, P) how many each operation dropped, cut first, or made shorter than ``small`` pixels first. What the
            boxes' ``min_size`` drops in the end was dropped by the operation that made it so small.
    """

    classes: tuple[str, ...]
    operations: tuple[str, ...]
    given: NDArray[np.int64]
    invalid: NDArray[np.int64]
    repaired: NDArray[np.int64]
    kept: NDArray[np.int64]
    dropped: NDArray[np.int64]
    truncated: NDArray[np.int64]
    shrunk: NDArray[np.int64]
    small: float

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in vars(self).items()}

    def __str__(self) -> str:
        width = max([5, *(len(name) for name in self.classes)])
        head = f"{'class':<{width}} {'given':>7} {'kept':>7} {'invalid':>8} {'repaired':>9} {'dropped':>8} {'truncated':>10} {'shrunk':>7}"
        lines = [head]
        for k, name in enumerate(self.classes):
            fates = f"{self.dropped[k].sum():>8} {self.truncated[k].sum():>10} {self.shrunk[k].sum():>7}"
            lines.append(f"{name:<{width}} {self.given[k]:>7} {self.kept[k]:>7} {self.invalid[k]:>8} {self.repaired[k]:>9} {fates}")
        for p, path in enumerate(self.operations):
            many = f"dropped {self.dropped[:, p].sum()}, truncated {self.truncated[:, p].sum()}, shrunk {self.shrunk[:, p].sum()}"
            lines.append(f"  {path}: {many} (below {self.small:g} px)")
        return "\n".join(lines)


def survival(policy: Node, *, seed: int = 0, epochs: int = 10, index: Any = None, small: float = 8.0, **targets: Any) -> Survival:
    """Count what a policy does to boxes, over several epochs of draws, without touching pixels.

    Args:
        policy: what to do; targets: a batch as in a call: ``image`` (only its size matters), ``boxes``, and ``label`` with one class an
            instance, if there are classes.
        small: pixels; an instance whose shorter side falls below this counts as shrunk.

    Raises:
        TargetError: where there are no boxes.

    Example:
        >>> import vicinal as v
        >>> image, boxes = np.zeros((20, 20, 3), np.uint8), [[0.0, 0, 10, 10], [10.0, 10, 20, 20]]
        >>> told = v.survival(v.Translate(x=-12), image=image, boxes=boxes, label=["cat", "dog"], epochs=1)
        >>> told.classes, told.dropped.ravel().tolist(), told.truncated.ravel().tolist()
        (('cat', 'dog'), [1, 0], [0, 1])
    """
    inputs = read(named_targets(policy, (), targets))
    boxes = inputs.others.get("boxes")
    if not isinstance(boxes, Boxes):
        raise TargetError("survival", "boxes, whose fate is to be counted", "none", "v.survival(policy, image=..., boxes=...)")
    count = Counter(inputs, boxes, small)
    for epoch in range(epochs):
        address = addressed(inputs.spec, seed, epoch, index, 0)
        count.add(unfused(policy, Draw(address), inputs.spec, scene(inputs)))
    return count.told()


@final
class Counter:
    """Counts under construction."""

    def __init__(self, inputs: Inputs, boxes: Boxes, small: float):
        self.inputs, self.boxes, self.small = inputs, boxes, small
        self.rows = boxes.read("boxes", inputs.spec)
        self.corners, self.table = boxes.usable(self.rows, inputs.spec, "boxes")
        self.names = _classes(inputs.others.get("label"), self.rows.owner, len(inputs.spec))
        self.fates: dict[str, dict[str, NDArray]] = {}
        self.kept, self.epochs = np.zeros(len(self.names), np.int64), 0

    def add(self, plan: Plan) -> None:
        """One epoch: the plan without fusion, one move after the other."""
        self.epochs += 1
        alive, cut, small = self.table.valid.copy(), np.zeros(len(self.names), bool), self._short(self.corners, self.small)
        thin, since = self._thin(self.corners), np.full(len(self.names), -1)
        moves = [slot for slot in plan.slots if slot.primitive.verb == "move"]
        for number, slot in enumerate(moves):
            way = Way([slot.primitive for slot in moves[: number + 1]], plan.before, plan.after, load("reference"))
            now = followed(way, self.corners, self.rows.owner, self.boxes.outside, self.boxes.min_visible)
            gone, short, torn = alive & ~now.kept, self._short(now.seen, self.small), now.share < WHOLE
            self._note(slot.paths[0], dropped=gone, truncated=alive & ~gone & torn & ~cut, shrunk=alive & ~gone & short & ~small)
            alive, cut, small, before = alive & ~gone, cut | torn, small | short, thin
            thin = self._thin(now.whole if self.boxes.outside == "keep" else now.seen)
            since = np.where(thin & ~before, number, since)
        for number, slot in enumerate(moves):  # what is too small in the end was dropped by what made it so
            self._note(slot.paths[0], dropped=alive & thin & (since == number))
        self.kept += alive & ~thin

    def _short(self, polygons: NDArray, least: float) -> NDArray[np.bool_]:
        box = extent(polygons) if len(polygons) else np.zeros((0, 4))
        return np.asarray((box[:, 2:] - box[:, :2]).min(1, initial=np.inf) < least)

    def _thin(self, polygons: NDArray) -> NDArray[np.bool_]:
        """Which of upright boxes are dropped if they end like this."""
        return self._short(polygons, 0.0 if self.boxes.format in WIDTHS else self.boxes.min_size)

    def _note(self, path: str, **found: NDArray) -> None:
        held = self.fates.setdefault(path, {name: np.zeros(len(self.names), np.int64) for name in found})
        for name, which in found.items():
            held[name] += which

    def told(self) -> Survival:
        """The counts by class and operation."""
        classes = sorted(set(self.names))
        member = np.array([[name == one for name in self.names] for one in classes], np.int64).reshape(len(classes), len(self.names))
        fate = {kind: member @ _columns(self.fates, kind, len(self.names)) for kind in ("dropped", "truncated", "shrunk")}
        counts = {"invalid": ~self.table.valid, "repaired": self.table.repaired, "given": np.ones(len(self.names), bool)}
        totals = {name: member @ which.astype(np.int64) * self.epochs for name, which in counts.items()}
        return Survival(tuple(classes), tuple(self.fates), kept=member @ self.kept, small=self.small, **totals, **fate)


def _columns(fates: Mapping[str, Mapping[str, NDArray]], kind: str, count: int) -> NDArray[np.int64]:
    return np.stack([held[kind] for held in fates.values()], 1) if fates else np.zeros((count, 0), np.int64)


def _classes(target: Any, owner: NDArray, batch: int) -> Sequence[str]:
    """(N,) the name of every instance's class; "all" where labels do not tell instances apart."""
    if isinstance(target, Labels) and len(target.data) == batch:
        counts = np.bincount(owner, minlength=batch)
        parts = [label for label in target.data if hasattr(label, "__len__") and not isinstance(label, str)]
        if [len(part) for part in parts] == counts.tolist():
            return [str(name) for part in parts for name in part]
    return ["all"] * len(owner)
