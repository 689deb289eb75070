"""The compositions of Albumentations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import MappingProxyType
from typing import Any

from vicinal.bridges.translate import Line, NoCounterpart, Translation, chance, in_any_order
from vicinal.core.compose import Compose, OneOf, SomeOf
from vicinal.core.transform import Node


def _sequence(operation: Any, walk: Translation, where: str, forced: bool) -> Node:
    p = 1.0 if forced else chance(operation)
    walk.lines.extend(Line(where, "note", note) for note in _notes(operation))
    return Compose(tuple(walk.all(operation.transforms, where, sure=p == 1)), p=p)


def _notes(operation: Any) -> Iterator[str]:
    """What a composition says of annotations and further targets, which a policy is told at each call."""
    held = getattr(operation, "processors", None) or {}
    if held:
        yield "annotations are given with their format at each call: v.Boxes(boxes, format=...)"
    asked = {name: getattr(one.params, name, 0) for one in held.values() for name in _FILTERS}
    dropped = [f"{name}={value}" for name, value in asked.items() if value]
    if dropped:
        yield f"what {', '.join(dropped)} drops is told there too: v.Boxes(boxes, min_visible=..., min_size=...)"
    if getattr(operation, "additional_targets", None):
        yield f"further targets ({', '.join(operation.additional_targets)}) are given in calls of their own, with the same seed and index"


_FILTERS = ("min_area", "min_visibility", "min_width", "min_height")


def _one_of(operation: Any, walk: Translation, where: str, forced: bool) -> Node:
    """The chosen one acts for sure; its own probability is its weight."""
    weights = tuple(chance(child) for child in operation.transforms)
    nodes = walk.either(operation.transforms, where, lambda one: type(one).__name__ not in _UNFORCED)
    return OneOf(tuple(nodes), weights=None if len(set(weights)) == 1 else weights, p=1.0 if forced else chance(operation))


_UNFORCED = ("SomeOf", "RandomOrder")  # they ask their own probability even where the group above has chosen them


def _some_of(operation: Any, walk: Translation, where: str, forced: bool) -> Node:
    if operation.replace:
        raise NoCounterpart("operations drawn with replacement")
    nodes = walk.all(operation.transforms, where, sure=False)
    if type(operation).__name__ == "RandomOrder":
        return in_any_order(nodes, operation.n, chance(operation))
    return SomeOf(tuple(nodes), n=int(operation.n), p=chance(operation))


def _one_or_other(operation: Any, walk: Translation, where: str, forced: bool) -> Node:
    nodes = walk.either(operation.transforms, where, lambda one: True)
    return OneOf(tuple(nodes), weights=(chance(operation), 1 - chance(operation)))


GROUPS: MappingProxyType[str, Callable[..., Node]] = MappingProxyType({
    "Compose": _sequence,
    "Sequential": _sequence,
    "ReplayCompose": _sequence,
    "OneOf": _one_of,
    "SomeOf": _some_of,
    "RandomOrder": _some_of,
    "OneOrOther": _one_or_other,
})  # fmt: skip
