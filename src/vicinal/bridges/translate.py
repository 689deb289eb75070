"""Walking a pipeline of another library: rules translate what has a counterpart, the rest is wrapped, and every step is written down."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from dataclasses import fields as dataclass_fields
from itertools import permutations
from typing import Any, final

from vicinal.bridges.foreign import Foreign
from vicinal.core.compose import Barrier, Compose, OneOf, spliced
from vicinal.core.errors import PolicyError, VicinalError
from vicinal.core.transform import Node, registry

NOTHING = Compose(())
"""What stands where nothing is done."""

ORDERS = 24
"""A random order becomes a choice among all orders, up to so many."""


@final
@dataclass(frozen=True)
class Near:
    """A counterpart that differs a little, and in what.

    Args:
        node: the counterpart; reason: what differs; p: its probability, None for that which the operation carries.
    """

    node: Node
    reason: str
    p: float | None = None


@final
@dataclass(frozen=True)
class Last:
    """A cast: it changes dtype or layout, so it stands behind everything else."""

    node: Node | None
    reason: str = ""


@final
class NoCounterpart(Exception):
    """A rule found no counterpart; the text says why."""


Made = Node | Near | Last
Rule = Callable[[Any, "Translation"], Made]


@final
@dataclass(frozen=True)
class Library:
    """What a bridge knows of another library.

    Args:
        name: of its package; series: the versions that were looked at, such as "2.0"; rules: class name to what gives the counterpart of
        one operation; groups: likewise for what holds operations; wrapped: class name to why an operation has no counterpart.
        stays: a test for operations that move nothing.
    """

    name: str
    series: str
    rules: Mapping[str, Rule]
    groups: Mapping[str, Callable[..., Node]]
    wrapped: Mapping[str, str]
    stays: Callable[[Any], bool]


@final
@dataclass(frozen=True)
class Line:
    """What became of one operation.

    Args:
        where: its place in the pipeline; verdict: "exact", "near" (a counterpart that differs as ``reason`` says), "wrapped" (run as it
        is), or "note".
    """

    where: str
    verdict: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.verdict:<8} {self.where}" + (f": {self.reason}" if self.reason else "")


@final
class Translation:
    """One walk over one pipeline.

    Args:
        library: which one it is of; near: False wraps what has no exact counterpart.
    """

    def __init__(self, library: Library, near: bool):
        self.library, self.near = library, near
        self.lines: list[Line] = []
        self.tail: list[Node] = []
        self.sure = True  # False inside what does not happen to every sample
        self.cut = False  # True behind an operation that may push pixels off the canvas

    def whole(self, pipeline: Any) -> Node:
        """The policy of a pipeline; casts come last, each once."""
        node = self.node(pipeline, type(pipeline).__name__)
        if not self.tail:
            return node
        before = [one for one in spliced([node]) if one != NOTHING]
        order = {"Normalize": 0, "ToTensor": 1}
        casts = sorted(dict.fromkeys(self.tail), key=lambda cast: order.get(type(cast).__name__, 0))
        return Compose((*before, *casts))

    def node(self, operation: Any, where: str, *, forced: bool = False, sure: bool = True) -> Node:
        """The counterpart of one operation or group; ``forced`` drops its own probability."""
        outer, before, self.sure = self.sure, len(self.lines), self.sure and sure
        try:
            made = self._made(operation, where, forced)
        except NoCounterpart as reason:
            del self.lines[before:]
            made = self._wrapped(operation, where, str(reason), forced)
        self.sure = outer
        return made

    def all(self, operations: Iterable[Any], where: str, **how: Any) -> list[Node]:
        """The counterparts of siblings; casts, which come last, leave nothing in their place."""
        return [self.node(one, f"{where}[{number}].{type(one).__name__}", **how) for number, one in enumerate(operations)]

    def either(self, operations: Iterable[Any], where: str, forced: Callable[[Any], bool] = lambda one: False) -> list[Node]:
        """The counterparts of alternatives, none of which happens to every sample, and none of which sees another."""
        before, after, found = self.cut, self.cut, []
        for number, one in enumerate(operations):
            self.cut = before
            found.append(self.node(one, f"{where}[{number}].{type(one).__name__}", forced=forced(one), sure=False))
            after |= self.cut
        self.cut = after
        return found

    def _made(self, operation: Any, where: str, forced: bool) -> Node:
        name = type(operation).__name__
        if type(operation).__module__.split(".")[0] not in (self.library.name, "torch"):
            raise NoCounterpart("an operation of your own")
        if name in self.library.groups:
            return self.library.groups[name](operation, self, where, forced)
        if name not in self.library.rules:
            raise NoCounterpart(self.library.wrapped.get(name, "an operation that this bridge does not know"))
        try:
            made = self.library.rules[name](operation, self)
        except VicinalError as fault:
            raise NoCounterpart(str(fault)) from None
        return self._cast(operation, where, made, forced)

    def normalisation(self) -> Any:
        """The Normalize that stands before what comes now, or None."""
        return next((cast for cast in self.tail if type(cast).__name__ == "Normalize"), None)

    def _cast(self, operation: Any, where: str, made: Made, forced: bool) -> Node:
        if isinstance(made, Last):
            return self._put_last(made, where)
        if isinstance(made, Near) and not self.near:
            raise NoCounterpart(made.reason)
        node = made.node if isinstance(made, Near) else made
        if not forced:
            node = with_p(node, made.p if isinstance(made, Near) and made.p is not None else chance(operation))
        said = [made.reason] if isinstance(made, Near) else []
        said += ["acts before the values are normalised"] if self.normalisation() is not None else []
        if self.cut and _any(node, _LOOKS_OUT):
            node, said = (node, [*said, _SEES]) if self.near else (Compose((Barrier(), node)), said)
        self.cut |= _any(node, _CUTS)
        self.lines.append(Line(where, "near" if said else "exact", "; ".join(said)))
        return node

    def _put_last(self, made: Last, where: str) -> Node:
        if not self.sure:
            raise PolicyError(where, "a cast that happens to every sample", "one inside a random group", "it at the end of the pipeline")
        self.lines.append(Line(where, "near" if made.reason else "exact", made.reason))
        self.tail.extend([made.node] if made.node is not None else [])
        return NOTHING

    def _wrapped(self, operation: Any, where: str, reason: str, forced: bool) -> Node:
        stays = self.library.stays(operation)
        whole = self.library.name == "torchvision" or hasattr(operation, "transforms")
        said = [reason, *(["refuses boxes, masks and keypoints"] if not stays else [])]
        said += ["sees values before they are cast"] if self.tail else []
        self.lines.append(Line(where, "wrapped", "; ".join(said)))
        p = 1.0 if forced or whole else chance(operation)  # what is run as a whole asks its own probability
        name = type(operation).__name__
        return Foreign(operation=operation, library=self.library.name, moves=not stays, name=name, p=p)


_MOVES = ("Affine", "ElasticTransform", "GridDistortion", "OpticalDistortion", "Perspective", "Rotate", "Scale", "Shear",
          "ThinPlateSpline", "Translate")  # fmt: skip
_LOOKS_OUT = (*_MOVES, "Pad")
_CUTS = (*_MOVES, "CenterCrop", "CropNonEmptyMask", "RandomCrop", "RandomResizedCrop", "RandomSizedBBoxSafeCrop")
_SEES = "sees what an operation before it pushed off the canvas, where the original sees its border (near=False puts a Barrier there)"


def _any(node: Node, names: tuple[str, ...]) -> bool:
    return any(type(below).__name__ in names for below in node.walk())


def chance(operation: Any) -> float:
    """The probability that an operation carries, 1 if it has none."""
    p = getattr(operation, "p", 1.0)
    return float(p) if isinstance(p, (int, float)) else 1.0


def with_p(node: Node, p: float) -> Node:
    """A node with a probability."""
    return node if p == 1 else replace(node, p=p)


def made(name: str, **fields: Any) -> Node:
    """A transform by its name, if there is one."""
    if name not in registry():
        raise NoCounterpart(f"this version has no {name}")
    unknown = set(fields) - {field.name for field in dataclass_fields(registry()[name])}
    if unknown:
        raise NoCounterpart(f"{name} has no {', '.join(sorted(unknown))}")
    return registry()[name](**fields)


def in_any_order(nodes: list[Node], n: int, p: float = 1.0) -> Node:
    """``n`` of the nodes in a random order: a choice among all of them, equally likely."""
    if math.perm(len(nodes), n) > ORDERS:
        raise NoCounterpart(f"a random order of so many operations (more than {ORDERS} orders)")
    return OneOf(tuple(Compose(order) for order in permutations(nodes, n)), p=p)
