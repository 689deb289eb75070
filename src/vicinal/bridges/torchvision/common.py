"""Settings that many transforms of torchvision share."""

from __future__ import annotations

from typing import Any

from vicinal.bridges.settings import share
from vicinal.bridges.translate import NoCounterpart


def mode(operation: Any) -> str:
    """The interpolation as a text, in whichever of its forms it was given."""
    held = operation.interpolation
    return str(getattr(held, "value", held)).lower()


def sampling(operation: Any) -> dict[str, Any]:
    found = {"nearest": "nearest", "nearest-exact": "nearest", "bilinear": "linear", "2": "linear", "0": "nearest"}.get(mode(operation))
    if found is None:
        raise NoCounterpart(f"interpolation {mode(operation)!r}")
    return {"interpolation": found}


def centred(operation: Any) -> dict[str, Any]:
    if getattr(operation, "center", None) is not None or getattr(operation, "expand", False):
        raise NoCounterpart("a centre of its own, or expand")
    return {**sampling(operation), "fill": share(operation.fill)}
