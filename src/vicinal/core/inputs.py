"""Reading the targets of a call: one form for planner and backends, and a sentence for everything that does not fit.

One sample is a batch of one; it is wrapped here and unwrapped in ``run`` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.backend import Dense
from vicinal.core.batch import RANGES, Spec, name_of
from vicinal.core.errors import DataError, TargetError
from vicinal.core.targets import KINDS, Target
from vicinal.core.targets.dense import dense

if TYPE_CHECKING:
    from vicinal.core.transform import Node

MAINS = ("image", "series", "volume", "text")
_LARGE = 3 << 14  # values of an image from which on a list is left a list: a crop needs no copy of what it does not show
_NAMES = (*MAINS, *KINDS)
RANKS = MappingProxyType({"image": 3, "series": 2, "volume": 4, "text": 0})
_DIMS = MappingProxyType({"series": 1, "text": 0})
_DTYPES = MappingProxyType({"series": ("float32", "float64"), "text": ("object",)})


@final
class Inputs(NamedTuple):
    """The targets of a call, read: the main data in the backends' form, how to unwrap it, and the rest as given."""

    kind: str
    data: Dense
    single: bool
    listed: bool
    squeeze: bool
    others: dict[str, Target]
    spec: Spec


def named_targets(policy: Node, arrays: tuple, targets: Mapping[str, Any]) -> dict[str, Any]:
    if len(arrays) > 1 or bool(arrays) == bool(targets):
        raise TargetError("call", "one array, or targets by name", f"{len(arrays)} arrays and {len(targets)} names", "policy(image=images)")
    if arrays:
        return {main_kind(policy, arrays[0]): arrays[0]}
    given = {name: value for name, value in targets.items() if value is not None}
    told(given, _NAMES)
    mains = [name for name in MAINS if name in given]
    if len(mains) != 1:
        write = "policy(image=images)" if not mains else "a call for each: " + ", ".join(f"policy({name}={name})" for name in mains)
        raise TargetError("call", "exactly one of image, series, volume and text", " and ".join(mains) or "neither", write)
    return given


def told(given: Mapping[str, Any], names: Sequence[str]) -> None:
    """Refuse what neither has one of the names that say what it is, nor says it itself."""
    unknown = [name for name, value in given.items() if name not in names and not isinstance(value, Target)]
    if unknown:
        expected = f"a target of {', '.join(names)}, or one that says what it is"
        raise TargetError(unknown[0], expected, f"the name {unknown[0]!r}", f"{unknown[0]}=v.Mask(...), v.Image(...), v.Boxes(...), say")


def main_kind(policy: Node, given: Any = None) -> str:
    """What a policy acts on: what all of its transforms can, "image" before "text" unless a text is given; "series" otherwise."""
    for kind in ("text", "image") if _says_text(given) else ("image", "text"):
        if all(kind in getattr(node, "needs", MAINS) for node in policy.walk()):
            return kind
    return "series"


def _says_text(value: Any) -> bool:
    """Whether it is a text, or a list or an array that begins with one."""
    if isinstance(value, np.ndarray):
        value = value.flat[0] if value.size and value.dtype.kind in "OU" else None
    elif isinstance(value, (list, tuple)):
        value = value[0] if value else None
    return isinstance(value, str)


def is_empty(named: Mapping[str, Any]) -> bool:
    """True for a batch of no samples: (0, H, W, C) images, (0, T, C) series, (0, D, H, W, C) volumes or (0,) texts."""
    kind = _main(named)
    return isinstance(named[kind], np.ndarray) and named[kind].ndim == RANKS[kind] + 1 and not len(named[kind])


def _main(named: Mapping[str, Any]) -> str:
    return "image" if "image" in named else next(name for name in MAINS if name in named)


def read(named: Mapping[str, Any]) -> Inputs:
    """The targets of a call in the form that planner and backends use, checked."""
    kind = _main(named)
    value, rank = named[kind], RANKS[kind]
    if kind == "text":
        return _texts(value, named)
    single = not isinstance(value, (list, tuple)) and getattr(value, "ndim", 0) < rank + 1
    data, squeeze = dense([value] if single else value, rank, kind, _LARGE if kind == "image" else np.inf)
    if kind == "series":
        data = [array[None] for array in data] if isinstance(data, list) else data[:, None]
    spec = _spec(data, kind, frozenset(named))
    targets = {name: wrapped(name, item, single) for name, item in named.items() if name != kind}
    return Inputs(kind, data, single, isinstance(value, (list, tuple)), squeeze, targets, spec)


def _texts(value: Any, named: Mapping[str, Any]) -> Inputs:
    """A text, or (B,) of them, as canvases of one cell that holds a str: whatever acts on all samples alike acts on them too."""
    cells = np.asarray(value, object)
    others = (type(text).__name__ for text in cells.flat if not isinstance(text, str))
    if got := f"an array of shape {cells.shape}" if cells.ndim > 1 else next(others, ""):
        write = "np.ravel(texts)" if cells.ndim > 1 else "[str(text) for text in texts]" if cells.ndim else "str(text)"
        raise TargetError("text", "a str, or a list or (B,) array of them", got, write)
    if beside := sorted(set(named) - {"text", "label"}):
        got, write = f"{' and '.join(beside)} as well", f"policy(text=texts) without {' and '.join(beside)}"
        raise TargetError(beside[0], "no target but label beside texts", got, write)
    single, data = cells.ndim == 0, cells.reshape(-1, 1, 1, 1)
    targets = {name: wrapped(name, item, single) for name, item in named.items() if name != "text"}
    return Inputs("text", data, single, isinstance(value, (list, tuple)), False, targets, _spec(data, "text", frozenset(named)))


def wrapped(name: str, value: Any, single: bool) -> Target:
    """A target by its name, or by what it says itself; a single one is a batch of one."""
    target = value if isinstance(value, Target) else KINDS[name](value)
    return target.alone() if single else target


def _spec(data: Dense, kind: str, targets: frozenset[str]) -> Spec:
    if isinstance(data, np.ndarray):
        spec = _alike(data.shape, data.dtype, kind, targets)
        if spec.unit:
            _in_range(data, 0, False)
        return spec
    first = data[0]
    for number, array in enumerate(data):
        _known(array.dtype, kind, number)
        if array.shape[-1] != first.shape[-1]:
            write = f"[one[..., :{min(one.shape[-1] for one in data)}] for one in {kind}]"
            raise TargetError(f"{kind}[{number}]", f"{first.shape[-1]} channels, as the first", f"{array.shape[-1]}", write)
        if array.dtype != first.dtype:
            write = _cast(f"{kind}[{number}]", array.dtype, first.dtype)
            raise TargetError(f"{kind}[{number}]", f"dtype {first.dtype}, as the first", str(array.dtype), write)
        if kind not in _DTYPES:
            _in_range(array, number, True)
    return _announced(np.array([_canvas(array.shape, kind) for array in data], np.int64), first.shape[-1], first.dtype, kind, targets)


def _cast(image: str, have: np.dtype, want: np.dtype) -> str:
    """How an image is brought to another dtype and its range; a series has no range."""
    ratio = RANGES.get(name_of(want), 1) / RANGES.get(name_of(have), 1)
    scaled = image if ratio == 1 else f"({image} * {ratio:.1f})" if ratio > 1 else f"({image} / {1 / ratio:.1f})"
    return f"{scaled}.astype(np.{want})"


@lru_cache(maxsize=64)
def _alike(shape: tuple[int, ...], dtype: np.dtype, kind: str, targets: frozenset[str]) -> Spec:
    """The spec of a batch of equal samples, which nobody can change: one call is often like the last."""
    if not shape[0]:
        raise TargetError(kind, "at least one sample", "a batch of none", f"if len({kind}): policy({kind}={kind})")
    _known(dtype, kind, 0)
    size = np.tile(np.array(_canvas(shape, kind), np.int64), (shape[0], 1))
    size.setflags(write=False)
    return _announced(size, shape[-1], dtype, kind, targets)


def _announced(size: NDArray[np.int64], channels: int, dtype: np.dtype, kind: str, targets: frozenset[str]) -> Spec:
    named = targets | {"image"} if kind == "volume" else targets
    return Spec(size, channels, name_of(dtype), unit=kind not in _DTYPES, targets=named)


def _known(dtype: np.dtype, kind: str, number: int) -> None:
    known = _DTYPES.get(kind, ("uint8", "uint16", "float32"))
    if name_of(dtype) not in known:
        raise TargetError(f"{kind}[{number}]", f"dtype {', '.join(known)}", str(dtype), f"{kind}.astype(np.float32)")


def _canvas(shape: tuple[int, ...], kind: str) -> tuple[int, ...]:
    """Height and width, or the length of a series."""
    canvas = shape[-1 - _DIMS.get(kind, 2) : -1]
    if not all(canvas):
        raise TargetError(kind, "at least one pixel", f"a canvas of {list(canvas)}", f"if {kind}.size: policy({kind}={kind})")
    return canvas


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
