"""What torchvision (0.28, both generations of transforms) calls things, and what they are called here. The library is never imported."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from vicinal.bridges.torchvision import moves, values
from vicinal.bridges.translate import Library, Translation, chance, in_any_order
from vicinal.core.compose import Compose, OneOf
from vicinal.core.transform import Node

_STAYS = frozenset({
    "AugMix", "ColorJitter", "GaussianBlur", "GaussianNoise", "JPEG", "RandomAdjustSharpness", "RandomAutocontrast",
    "RandomChannelPermutation", "RandomEqualize", "RandomErasing", "RandomGrayscale", "RandomInvert", "RandomPhotometricDistort",
    "RandomPosterize", "RandomSolarize",
})  # fmt: skip


def stays(operation: Any) -> bool:
    """True for operations that move nothing."""
    children = getattr(operation, "transforms", None)
    if children is not None:
        return all(stays(child) for child in children)
    return type(operation).__name__ in _STAYS and type(operation).__module__.startswith("torchvision.")


def _sequence(operation: Any, walk: Translation, where: str, forced: bool) -> Node:
    p = chance(operation) if type(operation).__name__ == "RandomApply" else 1.0
    return Compose(tuple(walk.all(operation.transforms, where, sure=p == 1)), p=p)


def _choice(operation: Any, walk: Translation, where: str, forced: bool) -> Node:
    weights = None if operation.p is None or len(set(operation.p)) == 1 else tuple(map(float, operation.p))
    return OneOf(tuple(walk.either(operation.transforms, where)), weights=weights)


def _any_order(operation: Any, walk: Translation, where: str, forced: bool) -> Node:
    nodes = walk.all(operation.transforms, where, sure=False)
    return in_any_order(nodes, len(nodes))


GROUPS: MappingProxyType[str, Callable[..., Node]] = MappingProxyType({
    "Compose": _sequence,
    "Sequential": _sequence,
    "RandomApply": _sequence,
    "RandomChoice": _choice,
    "RandomOrder": _any_order,
})  # fmt: skip


WRAPPED: MappingProxyType[str, str] = MappingProxyType({
    "AugMix": "its chains move pixels along with changing values, by the levels of its own table",
    "FiveCrop": "five pictures come out: v.FiveCrop at the head of a policy",
    "TenCrop": "ten pictures come out: v.TenCrop at the head of a policy",
    "Lambda": "a function of your own",
    "LinearTransformation": "a matrix over all pixels",
    "RGB": "it changes the number of channels",
    "RandomIoUCrop": "a window whose size depends on boxes",
    "RandomZoomOut": "a canvas that grows by a random factor",
    "UniformTemporalSubsample": "it works on videos",
})  # fmt: skip

LIBRARY = Library("torchvision", "0.28", MappingProxyType({**moves.RULES, **values.RULES}), GROUPS, WRAPPED, stays)
