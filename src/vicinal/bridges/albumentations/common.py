"""Settings that many transforms of Albumentations share."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from vicinal.bridges.settings import share
from vicinal.bridges.translate import NoCounterpart

_BORDERS = MappingProxyType({0: "constant", 1: "replicate", 2: "reflect"})
_INTERPOLATIONS = MappingProxyType({0: "nearest", 1: "linear"})


def sampling(operation: Any, *, border: bool = True) -> dict[str, Any]:
    """Interpolation, border and fill of an operation."""
    if operation.interpolation not in _INTERPOLATIONS:
        raise NoCounterpart("interpolation other than nearest and linear")
    return {"interpolation": _INTERPOLATIONS[operation.interpolation], **(outside(operation) if border else {})}


def outside(operation: Any) -> dict[str, Any]:
    if operation.border_mode not in _BORDERS:
        raise NoCounterpart("a border that mirrors without its edge pixel, or wraps around")
    return {"border": _BORDERS[operation.border_mode], "fill": share(operation.fill)}
