"""Where the partners of a mixer come from: which one it is, and its targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import TargetError
from vicinal.core.inputs import Inputs
from vicinal.core.targets import Target


def partners(u: NDArray, own: NDArray, n: NDArray | int) -> NDArray[np.int64]:
    """(B, k) one of ``n`` for every uniform number (B, k), never the own number (B,) where that is below ``n`` and not the only one.

    ``n`` may be one for all samples, or (B,).
    """
    mine, n = own[:, None], n[:, None] if isinstance(n, np.ndarray) else n
    inside = mine < n
    room = np.maximum(n - inside, 1)
    step = np.minimum((u * room).astype(np.int64), room - 1)
    return np.where(inside, (mine + 1 + step) % n, step)


def length(source: Any, label: str) -> int:
    """The number of items of a source: a data set, or (function, length).

    Raises:
        TargetError: there is none, or it is nothing of the kind.
    """
    if source is None:
        got, write = "none", "policy(image=images, source=dataset, seed=0)"
        raise TargetError("source", f"a data set for the partners of {label}(partner='dataset')", got, write)
    size = source[1] if isinstance(source, tuple) and len(source) == 2 and callable(source[0]) else _len(source)
    if not isinstance(size, (int, np.integer)) or size < 1:
        expected = "a data set with len() and [i], or (function, length), of at least one item"
        raise TargetError("source", expected, repr(source)[:80], "source=(lambda i: {'image': images[i]}, len(images))")
    return int(size)


def _len(source: Any) -> int:
    return len(source) if hasattr(source, "__len__") and hasattr(source, "__getitem__") else 0


def loaded(source: Any, index: NDArray[np.int64], names: Inputs) -> dict[str, Any]:
    """The targets of some items of a source, named as in the call."""
    fetch = source[0] if isinstance(source, tuple) and len(source) == 2 and callable(source[0]) else source.__getitem__
    wanted = [names.kind, *names.others]
    items = [_item(fetch(int(number)), wanted, int(number)) for number in index]
    named: dict[str, Any] = {name: [item[name] for item in items] for name in wanted}
    for name, given in names.others.items():
        named[name] = replace(cast(Any, given), data=[_plain(value, given, name) for value in named[name]])
    return named


def _plain(value: Any, given: Target, name: str) -> Any:
    """The data of an item's target, which has the settings of the call's."""
    if not isinstance(value, Target):
        return value
    if type(value) is not type(given) or _settings(value) != _settings(given):
        expected = f"plain arrays, or the same v.{type(given).__name__} as the call's {name}"
        raise TargetError(f"source: {name}", expected, f"v.{type(value).__name__} with other settings", f"{name}.data, the array alone")
    return value.data


def _settings(target: Target) -> dict[str, Any]:
    return {name: value for name, value in vars(target).items() if name != "data"}


def _item(item: Any, wanted: list[str], number: int) -> Mapping[str, Any]:
    if not isinstance(item, Mapping) or any(name not in item for name in wanted):
        got = f"a mapping with {', '.join(map(str, item))}" if isinstance(item, Mapping) else type(item).__name__
        raise TargetError(f"source[{number}]", f"a mapping with {', '.join(wanted)}, as in the call", got, "{'image': ..., 'label': ...}")
    return item
