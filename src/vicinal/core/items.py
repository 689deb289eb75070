"""A batch in the one form in which mixers take it: pictures, soft labels, and one table of instances a sample.

Everything that belongs to an instance (its box, label, mask, keypoints, number) is a row of that table, so it comes, goes and is dropped
together. Boxes are xyxy in pixels here, whatever format they came in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.backend import Dense, Engine, load
from vicinal.core.batch import Spec, changed
from vicinal.core.errors import TargetError
from vicinal.core.inputs import Inputs
from vicinal.core.targets import Boxes, Mask
from vicinal.core.targets.boxes import from_xyxy, to_xyxy
from vicinal.core.targets.rows import Rows, like

Table = dict[str, NDArray]
"""The instances of one sample, as far as given: boxes (n, 4), label (n,), masks (n, H, W), keypoints (n, K, 2 or 3), kept (n,)."""


@final
@dataclass(frozen=True, eq=False)
class Items:
    """A batch of B samples after a policy, as mixers see it.

    Args:
        data: (B, H, W, C) or (B, C, H, W), or a list; spec: its form.
        label: (B, K) soft labels, None without class labels.
        mask: (B, H, W[, C]) or a list, None without; fill: what a mask shows where no picture is.
        points: keypoints that belong to no instance, (n, 2 or 3) or (n, K, 2 or 3) a sample; None without.
        tables: the instances of every sample; none where no boxes and no instance masks were given.
        engine: the backend that mixes pixels.
    """

    data: Dense
    spec: Spec
    label: NDArray[np.float64] | None = None
    mask: Dense | None = None
    fill: float = 0
    points: list[NDArray] | None = None
    tables: tuple[Table, ...] = ()
    engine: Engine = field(default_factory=partial(load, "auto"))

    def __len__(self) -> int:
        return len(self.data)

    @property
    def pictures(self) -> Dense:
        """The samples as (H, W, C) views, whatever the layout."""
        return pictures(self.data, self.spec)

    def but(self, **changes: Any) -> Items:
        """The items with some parts changed."""
        return changed(self, **changes)


def pictures(data: Dense, spec: Spec) -> Dense:
    """(H, W, C) views of arrays of the layout of a spec."""
    if spec.layout == "HWC":
        return data
    return [np.moveaxis(array, 0, -1) for array in data] if isinstance(data, list) else np.moveaxis(data, 1, -1)


def read_items(inputs: Inputs, data: Dense, spec: Spec, rest: Mapping[str, Any], kept: Any, classes: int | None, engine: Engine) -> Items:
    """Items from what a plan and ``follow`` have made of the targets of a call."""
    held = {name: [value] if inputs.single else value for name, value in rest.items()}
    tables = _tables(inputs, held, kept, spec)
    label = held.get("label") if not _bound(held.get("label"), tables) else None
    points = held.get("keypoints") if not _of_instances(held.get("keypoints"), tables) else None
    mask = inputs.others.get("mask")
    return Items(
        data,
        spec,
        None if label is None else soft(label, classes),
        held.get("mask"),
        mask.fill if isinstance(mask, Mask) else 0,
        None if points is None else [np.asarray(part, np.float64) for part in points],
        tables,
        engine,
    )


def _tables(inputs: Inputs, held: Mapping[str, Any], kept: Any, spec: Spec) -> tuple[Table, ...]:
    if held.keys().isdisjoint(("boxes", "masks")):
        return ()
    tables: tuple[Table, ...] = tuple({} for _ in range(len(spec)))
    if "boxes" in held:
        rows = Rows.of(list(held["boxes"]), (4,), "boxes")
        boxes = Rows(to_xyxy(rows, _boxes(inputs).format, spec), rows.owner).parts(len(spec))
        numbers = [kept] if inputs.single else kept
        for table, part, number in zip(tables, boxes, numbers, strict=True):
            table.update(boxes=part, kept=np.asarray(number))
    for table, masks in zip(tables, held.get("masks", ()), strict=False):
        table["masks"] = np.asarray(masks)
    if _bound(held.get("label"), tables):
        for table, label in zip(tables, held["label"], strict=True):
            table["label"] = label if isinstance(label, np.ndarray) else np.array([*label, None], object)[:-1]
    if _of_instances(held.get("keypoints"), tables):
        for table, points in zip(tables, held["keypoints"], strict=True):
            table["keypoints"] = np.asarray(points, np.float64)
    return tables


def _boxes(inputs: Inputs) -> Boxes:
    given = inputs.others["boxes"]
    assert isinstance(given, Boxes)
    return given


def count(table: Table) -> int:
    """The number of instances of a table."""
    return len(next(iter(table.values()), ()))


def _bound(label: Any, tables: Sequence[Table]) -> bool:
    """True for labels with one entry an instance."""
    if label is None or not tables or any(not hasattr(one, "__len__") or isinstance(one, str) for one in label):
        return False
    return all(len(one) == count(table) for one, table in zip(label, tables, strict=True))


def _of_instances(points: Any, tables: Sequence[Table]) -> bool:
    """True for keypoints with one row of points an instance."""
    if points is None or not tables:
        return False
    pairs = [(one, table) for one, table in zip(points, tables, strict=True) if len(one) or count(table)]
    return all(np.ndim(one) == 3 and len(one) == count(table) for one, table in pairs)


def soft(label: Any, classes: int | None) -> NDArray[np.float64]:
    """(B, K) weights of classes: one-hot rows for class numbers, and rows of weights as they are.

    Raises:
        TargetError: numbers without ``classes`` or outside it, rows of another width, or labels that are no numbers.
    """
    try:
        array = np.asarray(label)
    except ValueError:
        array = np.asarray(None)
    if array.ndim == 1 and array.dtype.kind in "iu" and classes is not None:
        if array.size and array.astype(np.uint64).max() >= classes:  # what is below 0 becomes very large
            raise TargetError("label", f"class numbers from 0 to {classes - 1}", f"{array.min()}..{array.max()}", "classes=...")
        return _one_hot(classes).take(array, 0)
    if array.ndim == 2 and array.dtype.kind in "iufb" and array.shape[1] == (classes or array.shape[1]):
        return array.astype(np.float64)
    width = f" ({classes} wide)" if classes else ""
    expected = f"class numbers, with how many there are in the mixer, or a row of weights a sample{width}"
    got = f"{array.dtype} of shape {array.shape}" if array.ndim else "rows of different widths"
    counted = classes is None and array.dtype.kind in "iu"
    raise TargetError("label", expected, got, "classes=10 in the mixer" if counted else f"np.eye({classes or 10})[numbers of classes]")


@lru_cache(maxsize=16)
def _one_hot(classes: int) -> NDArray[np.float64]:
    """(K, K) a row for every class; nobody writes into it."""
    return np.eye(classes)


def written(items: Items, inputs: Inputs) -> tuple[dict[str, Any], Any]:
    """Everything but the main target in the forms of the call, and the numbers of the boxes (-1: of a partner)."""
    out: dict[str, Any] = {}
    for name, value in inputs.others.items():
        if name == "boxes":
            owner = np.repeat(np.arange(len(items)), [count(table) for table in items.tables])
            boxes = np.concatenate([np.zeros((0, 4)), *(table["boxes"] for table in items.tables)])
            parts = Rows(from_xyxy(boxes, owner, _boxes(inputs).format, items.spec), owner).parts(len(items))
            out[name] = like(parts, _boxes(inputs).data)
        elif name == "mask":
            out[name] = items.mask
        elif name == "label" and items.label is not None:
            out[name] = items.label.astype(np.float32)
        elif name in ("label", "keypoints", "masks"):
            out[name] = _column(items, name, value)
    kept = [table["kept"] for table in items.tables] if "boxes" in inputs.others else None
    if inputs.single:
        return {name: value[0] for name, value in out.items()}, None if kept is None else kept[0]
    return out, kept


def _column(items: Items, name: str, value: Any) -> Any:
    parts = [table[name] for table in items.tables] if any(name in table for table in items.tables) else items.points
    if name == "label":
        return [part.tolist() if part.dtype == object else part for part in parts or ()]
    return like(parts or [], value.data)


def chosen(table: Table, keep: NDArray) -> Table:
    """Some of the instances."""
    return {name: column[keep] for name, column in table.items()}


def joined(own: Table, other: Table) -> Table:
    """The instances of a sample, then those that came from a partner, which have number -1."""
    return {name: column if name not in other else _joined(name, column, other[name]) for name, column in own.items()}


def _joined(name: str, own: NDArray, other: NDArray) -> NDArray:
    other = np.full(len(other), -1) if name == "kept" else other
    if not len(other):
        return own
    if not len(own):
        return other
    if own.shape[1:] != other.shape[1:]:
        write = f"{name} of shape ({', '.join(map(str, ('n', *own.shape[1:])))}) in every sample"
        raise TargetError(name, "rows of one shape in every sample that is mixed", f"{own.shape[1:]} and {other.shape[1:]}", write)
    return np.concatenate([own, other])
