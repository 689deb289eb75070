"""Everything but the main target: it follows the moves of a plan and comes back in the form in which it was given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.core.backend import Backend, Dense
from vicinal.core.batch import Spec
from vicinal.core.errors import TargetError
from vicinal.core.inputs import Inputs, dense
from vicinal.core.plan import Plan
from vicinal.core.targets import Boxes, Mask, Rows, checked, follow_boxes, follow_points, forward, from_xyxy, per_sample, to_xyxy
from vicinal.core.warp import Warp


def others(inputs: Inputs, planned: Plan, engine: Backend) -> tuple[dict[str, Any], Any]:
    """Everything but the main target, following the plan; and the numbers of the boxes that stayed."""
    batch, moves, out, kept = len(inputs.spec), planned.moves(), {}, None
    owner_kept: tuple[NDArray, NDArray] | None = None
    if "boxes" in inputs.others:
        out["boxes"], owner_kept, kept = _boxes(inputs, planned)
    for name, value in inputs.others.items():
        if name == "mask":
            out[name] = _mask(value, inputs, moves, engine)
        elif name == "keypoints":
            out[name] = _keypoints(value, inputs, planned, owner_kept)
        elif name == "events":
            out[name] = _events(value, inputs, moves)
        elif name == "label":
            out[name] = _labels(value, batch, owner_kept)
    if inputs.single:
        out = {name: value[0] for name, value in out.items()}
        kept = None if kept is None else kept[0]
    return out, kept


def _like(parts: Sequence[NDArray], value: Any) -> Any:
    """A list, or one array where one came and the parts still have one shape."""
    stackable = isinstance(value, np.ndarray) and len({part.shape for part in parts}) == 1
    return np.stack(parts) if stackable else list(parts)


def _boxes(inputs: Inputs, planned: Plan) -> tuple[Any, tuple[NDArray, NDArray], list[NDArray]]:
    given = inputs.others["boxes"]
    options = given if isinstance(given, Boxes) else Boxes(given)
    batch = len(inputs.spec)
    rows = Rows.of(per_sample(options.data, batch, "boxes"), (4,), "boxes")
    boxes = checked(to_xyxy(rows, options.format, inputs.spec), rows.owner, inputs.spec)
    moved, kept = follow_boxes(planned.moves(), boxes, rows.owner, options)
    out = Rows(from_xyxy(moved[kept], rows.owner[kept], options.format, planned.after), rows.owner[kept])
    numbers = [np.flatnonzero(kept[rows.owner == sample]) for sample in range(batch)]
    return _like(out.parts(batch), options.data), (rows.owner, kept), numbers


def _keypoints(value: Any, inputs: Inputs, planned: Plan, owner_kept: tuple[NDArray, NDArray] | None) -> Any:
    parts = per_sample(value, len(inputs.spec), "keypoints", _points)
    instances = max((part.ndim for part in parts), default=2) == 3
    columns = next((part.shape[-1] for part in parts if part.size and part.ndim), 2)
    if columns not in (2, 3):
        raise TargetError("keypoints", "2 columns (x, y) or 3 (x, y, visible)", f"{columns}")
    rows = Rows.of(parts, (-1, columns) if instances else (columns,), "keypoints")
    points = rows.values if instances else rows.values[:, None]
    moved = follow_points(planned.moves(), points, rows.owner)
    if instances and owner_kept is not None and np.array_equal(owner_kept[0], rows.owner):
        moved, rows = moved[owner_kept[1]], Rows(rows.values, rows.owner[owner_kept[1]])
    return _like(Rows(moved if instances else moved[:, 0], rows.owner).parts(len(inputs.spec)), value)


def _points(part: Any) -> NDArray:
    try:
        return np.asarray(part, np.float64)
    except (TypeError, ValueError):
        raise TargetError("keypoints", "numbers, equally many a point", repr(part)[:80]) from None


def _events(value: Any, inputs: Inputs, moves: Sequence[Warp]) -> Any:
    """Times in samples: sample i is at time i, and its centre at i + 0.5 on the canvas."""
    rows = Rows.of(per_sample(value, len(inputs.spec), "events"), (), "events")
    times = rows.values.reshape(-1, 1, 1)
    moved = forward(moves, times + 0.5, rows.owner)[:, 0, 0] - 0.5
    return _like(Rows(moved, rows.owner).parts(len(inputs.spec)), value)


def _labels(value: Any, batch: int, owner_kept: tuple[NDArray, NDArray] | None) -> Any:
    labels = per_sample(value, batch, "label")
    if owner_kept is None or not all(hasattr(label, "__len__") and not isinstance(label, str) for label in labels):
        return value
    owner, kept = owner_kept
    counts = np.bincount(owner, minlength=batch)
    if any(len(label) != count for label, count in zip(labels, counts, strict=True)):
        return value
    return [_chosen(label, kept[owner == sample]) for sample, label in enumerate(labels)]


def _chosen(label: Any, kept: NDArray[np.bool_]) -> Any:
    return label[kept] if isinstance(label, np.ndarray) else [item for item, keep in zip(label, kept, strict=True) if keep]


def _mask(value: Any, inputs: Inputs, moves: Sequence[Warp], engine: Backend) -> Any:
    options = value if isinstance(value, Mask) else Mask(value)
    rank = 3 if inputs.kind == "image" else 2
    without_channels = isinstance(options.data, np.ndarray) and options.data.ndim == rank
    masks, squeeze = dense(list(options.data) if without_channels else options.data, rank, "mask")
    if inputs.kind == "series":
        masks = [array[None] for array in masks] if isinstance(masks, list) else masks[:, None]
    _fits(masks, inputs.spec)
    dtype = masks[0].dtype
    if dtype.kind in "iub" and np.asarray(options.fill).astype(dtype) != options.fill:
        raise TargetError("Mask.fill", f"a value that {dtype} can hold", repr(options.fill))
    moved = engine.follow(moves, masks, options.fill) if moves else copied(masks)
    if inputs.kind == "series":
        moved = [array[0] for array in moved] if isinstance(moved, list) else moved[:, 0]
    if squeeze:
        moved = [array[..., 0] for array in moved] if isinstance(moved, list) else moved[..., 0]
    return moved


def _fits(masks: Dense, spec: Spec) -> None:
    if len(masks) != len(spec):
        raise TargetError("mask", f"{len(spec)} masks, one a sample", f"{len(masks)}")
    for number, mask in enumerate(masks):
        expected = (int(spec.height[number]), int(spec.width[number]))
        if mask.shape[:2] != expected:
            raise TargetError(f"mask[{number}]", f"the size of its image, {expected}", f"{mask.shape[:2]}")


def copied(data: Dense) -> Dense:
    """A copy of a batch: what is returned never shares memory with what was given."""
    return [array.copy() for array in data] if isinstance(data, list) else data.copy()
