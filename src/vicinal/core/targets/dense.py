"""Arrays of images, masks and series: one form for a batch, equal or ragged."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np

from vicinal.core.backend import Dense
from vicinal.core.errors import TargetError

_FORMS = MappingProxyType({4: "(D, H, W, C) or (D, H, W)", 3: "(H, W, C) or (H, W)", 2: "(T, C) or (T,)"})


def dense(value: Any, rank: int, where: str, most: float = np.inf) -> tuple[Dense, bool]:
    """One array or a list of arrays of ``rank`` axes with channels, and whether the channel axis was added here.

    A list of arrays that are alike becomes one, unless they have more than ``most`` values each.
    """
    if isinstance(value, np.ndarray) and value.ndim == rank + 1:
        return value, False
    if isinstance(value, np.ndarray) and value.ndim == rank and len(value):
        channels = value[..., None]
        return (channels if len(value) == 1 or value[0].size <= most else list(channels)), True
    if not isinstance(value, (list, tuple)) or not len(value) or not all(isinstance(item, np.ndarray) for item in value):
        got = f"an array of shape {value.shape}" if isinstance(value, np.ndarray) else repr(type(value).__name__)
        raise TargetError(where, f"NumPy arrays: {_FORMS[rank]}, a batch of them, or a list", got, f"np.asarray({where})")
    ranks = {item.ndim for item in value}
    if ranks - {rank, rank - 1} or len(ranks) != 1:
        advice = f"{where}[..., None] for a batch without channels"
        raise TargetError(where, f"arrays of shape {_FORMS[rank]}", f"ranks {sorted(ranks)}", advice)
    squeeze = ranks == {rank - 1}
    items = [item[..., None] if squeeze else item for item in value]
    if len({(item.shape, item.dtype) for item in items}) == 1 and (len(items) == 1 or items[0].size <= most):
        return (items[0][None] if len(items) == 1 else np.stack(items)), squeeze
    return items, squeeze


def copied(data: Dense) -> Dense:
    """A copy of a batch: what is returned never shares memory with what was given."""
    return [array.copy() for array in data] if isinstance(data, list) else data.copy()
