"""Reading the targets of a call: one form for planner and backends, and a sentence for everything that does not fit.

One sample is a batch of one; it is wrapped here and unwrapped in ``run`` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.backend import Dense
from vicinal.core.batch import RANGES, Spec
from vicinal.core.errors import DataError, TargetError
from vicinal.core.targets import Boxes, Mask

if TYPE_CHECKING:
    from vicinal.core.transform import Node

KINDS = ("image", "series", "mask", "boxes", "keypoints", "events", "label")


@final
@dataclass(frozen=True, eq=False)
class Inputs:
    """The targets of a call, read: the main data in the backends' form, how to unwrap it, and the rest as given."""

    kind: str
    data: Dense
    single: bool
    listed: bool
    squeeze: bool
    others: dict[str, Any]
    spec: Spec


def named_targets(policy: Node, arrays: tuple, targets: Mapping[str, Any]) -> dict[str, Any]:
    if len(arrays) > 1 or bool(arrays) == bool(targets):
        raise TargetError("call", "one array, or targets by name", f"{len(arrays)} arrays and {len(targets)} names", "policy(image=images)")
    if arrays:
        return {main_kind(policy): arrays[0]}
    unknown = [name for name in targets if name not in KINDS]
    if unknown:
        raise TargetError(unknown[0], f"a target of {', '.join(KINDS)}", repr(unknown[0]))
    mains = [name for name in ("image", "series") if targets.get(name) is not None]
    if len(mains) != 1:
        raise TargetError("call", "exactly one of image and series", " and ".join(mains) or "neither")
    return {name: value for name, value in targets.items() if value is not None}


def main_kind(policy: Node) -> str:
    """What a policy acts on: "series" if some of its transforms can do nothing else, else "image"."""
    return "series" if any("image" not in getattr(node, "needs", ("image",)) for node in policy.walk()) else "image"


def is_empty(named: Mapping[str, Any]) -> bool:
    """True for a batch of no samples: (0, H, W, C) images or (0, T, C) series."""
    main, rank = (named["image"], 4) if "image" in named else (named["series"], 3)
    return isinstance(main, np.ndarray) and main.ndim == rank and not len(main)


def read(named: Mapping[str, Any]) -> Inputs:
    """The targets of a call in the form that planner and backends use, checked."""
    kind = "image" if "image" in named else "series"
    rank = 3 if kind == "image" else 2
    value = named[kind]
    single = not isinstance(value, (list, tuple)) and getattr(value, "ndim", 0) < rank + 1
    data, squeeze = dense([value] if single else value, rank, kind)
    if kind == "series":
        data = [array[None] for array in data] if isinstance(data, list) else data[:, None]
    spec = _spec(data, kind, frozenset(named))
    others = {name: [item] if single else item for name, item in named.items() if name not in (kind, "boxes", "mask")}
    for name in ("boxes", "mask"):
        if name in named:
            others[name] = _wrapped(named[name], single)
    return Inputs(
        kind, data, single, isinstance(value, (list, tuple)), squeeze, {name: others[name] for name in named if name != kind}, spec
    )


def _wrapped(value: Any, single: bool) -> Any:
    if not isinstance(value, (Boxes, Mask)):
        return [value] if single else value
    held = [value.data] if single else value.data
    return Boxes(held, value.format, value.outside, value.min_visible) if isinstance(value, Boxes) else Mask(held, value.fill)


def dense(value: Any, rank: int, where: str) -> tuple[Dense, bool]:
    """One array or a list of arrays with channels, and whether the channel axis was added here."""
    form = "(H, W, C) or (H, W)" if rank == 3 else "(T, C) or (T,)"
    if isinstance(value, np.ndarray) and value.ndim == rank + 1:
        return value, False
    if not isinstance(value, (list, tuple)) or not len(value) or not all(isinstance(item, np.ndarray) for item in value):
        got = f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else repr(type(value).__name__)
        raise TargetError(where, f"NumPy arrays: {form}, a batch of them, or a list", got, f"np.asarray({where})")
    ranks = {item.ndim for item in value}
    if ranks - {rank, rank - 1} or len(ranks) != 1:
        raise TargetError(where, f"arrays of shape {form}", f"ranks {sorted(ranks)}", f"{where}[..., None] for a batch without channels")
    squeeze = ranks == {rank - 1}
    items = [item[..., None] if squeeze else item for item in value]
    if len({(item.shape, item.dtype) for item in items}) == 1:
        return (items[0][None] if len(items) == 1 else np.stack(items)), squeeze
    return items, squeeze


def _spec(data: Dense, kind: str, targets: frozenset[str]) -> Spec:
    if not len(data):
        raise TargetError(kind, "at least one sample", "a batch of none")
    first = data[0]
    known = ("uint8", "uint16", "float32") if kind == "image" else ("float32", "float64")
    for number, array in enumerate(data if isinstance(data, list) else [data]):
        if str(array.dtype) not in known:
            raise TargetError(f"{kind}[{number}]", f"dtype {', '.join(known)}", str(array.dtype), f"{kind}.astype(np.float32)")
        if array.shape[-1] != first.shape[-1]:
            raise TargetError(f"{kind}[{number}]", f"{first.shape[-1]} channels, as the first", f"{array.shape[-1]}")
        if array.dtype != first.dtype:
            raise TargetError(f"{kind}[{number}]", f"dtype {first.dtype}, as the first", str(array.dtype))
        if kind == "image":
            _in_range(array, number, isinstance(data, list))
    shapes = [array.shape for array in data] if isinstance(data, list) else [data.shape[1:]] * len(data)
    size = np.array([shape[:2] if kind == "image" else shape[1:2] for shape in shapes], np.int64)
    size = size.reshape(len(data), 2 if kind == "image" else 1)
    if not size.all():
        raise TargetError(kind, "at least one pixel", f"a canvas of {size[np.argmin(size.min(1))].tolist()}")
    return Spec(size, first.shape[-1], str(first.dtype), unit=kind == "image", targets=targets)


def _in_range(array: NDArray, number: int, ragged: bool) -> None:
    if array.dtype.kind != "f" or not array.size:
        return
    low, high = array.min(), array.max()
    if not (low >= 0 and high <= 1):
        where = f"image[{number}]" if ragged else "image"
        if np.isnan(low):
            raise DataError(where, "float values in [0, 1]", "NaN", "np.nan_to_num(images)")
        got = f"values from {low:g} to {high:g}"
        advice = "images.astype(np.uint8), or images / 255" if 1 < high <= RANGES["uint8"] and low >= 0 else "np.clip(images, 0, 1)"
        raise DataError(where, "float values in [0, 1]", got, advice)
