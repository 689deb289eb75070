"""What Albumentations (2.0) calls things, and what they are called here. The library itself is never imported."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from vicinal.bridges.albumentations import canvas, colours, distortions, filters, groups, light, moves, noise, wrapped
from vicinal.bridges.translate import Library


def stays(operation: Any) -> bool:
    """True for operations that move nothing: those of images alone, and dropouts."""
    children = getattr(operation, "transforms", None)
    if children is not None:
        return all(stays(child) for child in children)
    alone = any(base.__name__ == "ImageOnlyTransform" for base in type(operation).__mro__)
    return alone or ".dropout." in f"{type(operation).__module__}."


_PARTS = (moves, canvas, distortions, colours, light, filters, noise)
RULES = MappingProxyType({name: rule for part in _PARTS for name, rule in part.RULES.items()})
LIBRARY = Library("albumentations", "2.0", RULES, groups.GROUPS, wrapped.REASONS, stays)
