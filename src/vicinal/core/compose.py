"""What holds transforms together. None of these touches data; they say which samples each operation concerns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import ParameterError, PolicyError, VicinalError
from vicinal.core.space import is_number
from vicinal.core.transform import Node, Transform, register

if TYPE_CHECKING:
    from vicinal.core.plan import Builder


@dataclass(frozen=True, repr=False)
class Group(Node):
    """Abstract: a node over other nodes, given as its first argument."""

    of: Sequence[Node] = ()

    def __post_init__(self) -> None:
        held = self.of if isinstance(self.of, (list, tuple)) else (self.of,)
        object.__setattr__(self, "of", tuple(held))
        for declared in fields(self):
            if isinstance(getattr(self, declared.name), list):
                object.__setattr__(self, declared.name, tuple(getattr(self, declared.name)))
        Node.__post_init__(self)

    def faults(self) -> Iterator[VicinalError]:
        for position, child in enumerate(self.of):
            if not isinstance(child, Node):
                yield PolicyError(f"{type(self).__name__}[{position}]", "a transform", repr(child), "v.HorizontalFlip(p=0.5), say")
            elif isinstance(child, Views):
                where, expected = f"{type(self).__name__}[{position}]", "Views at the top of a policy only"
                yield PolicyError(where, expected, "Views inside another node", "v.Views([...]) around the whole policy")
        yield from self.more_faults() if all(isinstance(child, Node) for child in self.of) else ()

    def more_faults(self) -> Iterable[VicinalError]:
        """What else may be wrong, once the children are known to be nodes."""
        return ()

    @property
    def children(self) -> tuple[Node, ...]:
        return tuple(self.of)

    @cached_property
    def steps(self) -> Sequence[Node]:
        """What stands below it when a batch is planned, in order."""
        return self.of

    def addressed(self, path: str) -> list[tuple[Node, str]]:
        """The steps and their addresses, below that of this node."""
        if path not in self._addresses:
            self._addresses[path] = list(zip(self.steps, paths(self.steps, path), strict=True))
        return self._addresses[path]

    @cached_property
    def _addresses(self) -> dict[str, list[tuple[Node, str]]]:
        return {}

    def stronger(self, strength: float) -> Self:
        return self if strength == 1 else replace(self, of=tuple(child.stronger(strength) for child in self.of))


def spliced(nodes: Sequence[Node]) -> Iterator[Node]:
    """The nodes with plain Composes opened, so that nesting alone changes no address and no draw."""
    for node in nodes:
        if isinstance(node, Compose) and node == Compose(node.of):
            yield from spliced(node.of)
        else:
            yield node


def paths(nodes: Sequence[Node], above: str) -> list[str]:
    """The addresses of siblings: their labels below ``above``; the second of a kind is called ``#2``, so naming keeps draws apart."""
    seen: dict[str, int] = {}
    found = []
    for node in nodes:
        seen[node.label] = count = seen.get(node.label, 0) + 1
        label = node.label if count == 1 else f"{node.label}#{count}"
        found.append(f"{above}/{label}" if above else label)
    return found


@register
@final
class Compose(Group):
    """All of them, in order.

    Args:
        of: the operations.
        strength: shrinks every parameter towards its neutral value, in [0, 1].
        exact: False lets sampling pass pointwise colour work, so that all geometry becomes one warp even where colour stands between;
            values then differ by what interpolation and a clip do not commute.

    Example:
        >>> import vicinal as v
        >>> v.Compose([v.HorizontalFlip(p=0.5), v.Rotate(angle=(-15, 15))])
        HorizontalFlip(p=0.5) | Rotate(angle=(-15, 15))
    """

    strength: float = field(default=1.0, kw_only=True)
    exact: bool = field(default=True, kw_only=True)

    def more_faults(self) -> Iterator[VicinalError]:
        if not is_number(self.strength) or not 0 <= self.strength <= 1:
            yield ParameterError("Compose.strength", "a number in [0, 1]", repr(self.strength), "strength=0.5")
        if not isinstance(self.exact, bool):
            yield ParameterError("Compose.exact", "true or false", repr(self.exact), "exact=True")
        if self.p != 1:
            yield from _whole_faults(self)
        faults: list[VicinalError] = []
        _ordered(self, _Order(), faults)
        yield from faults

    def emit_root(self, build: Builder, on: NDArray[np.bool_]) -> None:
        self.emit(build, "", on)

    def emit(self, build: Builder, path: str, on: NDArray[np.bool_]) -> None:
        on = build.gate(path or "/", self.p, on)
        with build.exactly(self.exact):
            for node, below in self.addressed(path):
                build.enter(node, below, on)

    @cached_property
    def steps(self) -> Sequence[Node]:
        return [node.stronger(self.strength) for node in spliced(self.of)]


@register
@final
class OneOf(Group):
    """Exactly one of them for each sample, equally likely or by weight.

    Args:
        of: the alternatives; weights: one number of 0 or more for each.

    Example:
        >>> import vicinal as v
        >>> v.OneOf([v.HorizontalFlip(), v.VerticalFlip()], weights=(3, 1))
        OneOf([HorizontalFlip(), VerticalFlip()], weights=(3, 1))
    """

    weights: tuple[float, ...] | None = field(default=None, kw_only=True)

    def more_faults(self) -> Iterator[VicinalError]:
        yield from _choice_faults(self, self.weights)

    def emit(self, build: Builder, path: str, on: NDArray[np.bool_]) -> None:
        on = build.gate(path, self.p, on)
        chosen = build.choose(path, len(self.of), self.weights)
        build.alternatives(self.addressed(path), (chosen == np.arange(len(self.of))[:, None]) & on, self._kinds)

    @cached_property
    def _kinds(self) -> list[list[int]]:
        """The numbers of the alternatives of every kind."""
        found: dict[Any, list[int]] = {}
        for number, node in enumerate(self.of):
            found.setdefault((isinstance(node, Transform) and node.likeness) or number, []).append(number)
        return list(found.values())


@register
@final
class SomeOf(Group):
    """``n`` different ones of them for each sample, applied in the order in which they stand.

    Args:
        of: the alternatives; n: how many, a number or (fewest, most); weights: one number of 0 or more for each.

    Example:
        >>> import vicinal as v
        >>> v.SomeOf([v.HorizontalFlip(), v.Invert(), v.Rotate(angle=10)], n=2)
        SomeOf([HorizontalFlip(), Invert(), Rotate(angle=10)], n=2)
    """

    n: int | tuple[int, int] = field(default=1, kw_only=True)
    weights: tuple[float, ...] | None = field(default=None, kw_only=True)

    def more_faults(self) -> Iterator[VicinalError]:
        yield from _choice_faults(self, self.weights)
        ends = self._ends()
        whole = all(isinstance(end, int) and not isinstance(end, bool) for end in ends) and len(ends) == 2
        if not whole or not 0 <= ends[0] <= ends[1] <= len(self.of):
            yield ParameterError("SomeOf.n", f"a whole number, or (fewest, most), from 0 to {len(self.of)}", repr(self.n), "n=1")

    def _ends(self) -> tuple:
        return tuple(self.n) if isinstance(self.n, (list, tuple)) else (self.n, self.n)

    def emit(self, build: Builder, path: str, on: NDArray[np.bool_]) -> None:
        on = build.gate(path, self.p, on)
        picked = build.choose_some(path, len(self.of), self._ends(), self.weights)
        for position, (node, below) in enumerate(self.addressed(path)):
            build.enter(node, below, on & picked[:, position])


@register
@final
class Views(Group):
    """Several versions of every sample, each with draws of its own; stands at the top of a policy.

    A call returns a list of ``n`` results. View ``i`` has ``view=i`` in its address (``n * view + i`` when called with a view).

    Args:
        of: what makes a view; n: how many.

    Example:
        >>> import vicinal as v, numpy as np
        >>> first, second = v.Views([v.GaussianNoise(std=0.1)], n=2)(np.zeros((8, 8, 1), np.uint8), seed=0)
        >>> bool((first == second).all())
        False
    """

    n: int = field(default=2, kw_only=True)

    def more_faults(self) -> Iterator[VicinalError]:
        if not isinstance(self.n, int) or isinstance(self.n, bool) or self.n < 1:
            yield ParameterError("Views.n", "a whole number of 1 or more", repr(self.n), "n=2")
        if self.p != 1:
            yield ParameterError("Views.p", "1", repr(self.p), "p=1")

    @property
    def views(self) -> int | None:
        return self.n

    def emit_root(self, build: Builder, on: NDArray[np.bool_]) -> None:
        self.emit(build, "", on)

    def emit(self, build: Builder, path: str, on: NDArray[np.bool_]) -> None:
        self._whole.emit(build, path, on)

    @cached_property
    def _whole(self) -> Compose:
        return Compose(self.of)


@register
@final
class Barrier(Node):
    """Nothing passes: what stands behind sees only what the operations before have left on the canvas.

    Example:
        >>> import vicinal as v
        >>> v.Compose([v.CenterCrop(size=64), v.Barrier(), v.Rotate(angle=45)])
        CenterCrop(size=64) | Barrier() | Rotate(angle=45)
    """

    def emit(self, build: Builder, path: str, on: NDArray[np.bool_]) -> None:
        build.barrier(build.gate(path, self.p, on))

    def stronger(self, strength: float) -> Barrier:
        return self


def _choice_faults(node: Group, weights: Any) -> Iterator[VicinalError]:
    label = type(node).__name__
    if not node.of:
        yield PolicyError(label, "at least one transform", "none", f"v.{label}([v.HorizontalFlip()]), say")
    elif weights is not None:
        fits = isinstance(weights, tuple) and len(weights) == len(node.of) and all(map(is_number, weights))
        if not fits or min(weights) < 0 or sum(weights) <= 0:
            expected, write = f"{len(node.of)} numbers of 0 or more, not all 0", f"weights={[1] * len(node.of)}"
            yield ParameterError(f"{label}.weights", expected, repr(weights), write)
    yield from _whole_faults(node)


def _whole_faults(node: Group) -> Iterator[VicinalError]:
    for below in node.walk():
        if isinstance(below, Transform) and below.whole:
            expected = f"{type(below).__name__} outside OneOf, SomeOf and Compose with p < 1: dtype or layout change for all samples alike"
            yield PolicyError(f"{type(node).__name__}/{below.label}", expected, "it inside", f"... | {below!r}")
    operations = [below for below in node.walk() if isinstance(below, Transform)]
    if not isinstance(node, Compose) and len({below.mixes for below in operations}) > 1:
        mixer = next(below.label for below in operations if below.mixes)
        expected = "a mixer beside other mixers alone"
        yield PolicyError(f"{type(node).__name__}/{mixer}", expected, "other operations beside it", f"... | {mixer}(p=0.5)")


@final
@dataclass(frozen=True)
class _Order:
    """What already stands before a node: the operation that gave the range up, the one that changed the layout, and a mixer."""

    lost: str = ""
    last: str = ""
    mixed: str = ""

    def then(self, node: Transform) -> _Order:
        gave_up, changed, mixed = node.leaves_range, node.last, node.mixes
        return _Order(node.label if gave_up else self.lost, node.label if changed else self.last, node.label if mixed else self.mixed)


def _ordered(node: Node, before: _Order, faults: list[VicinalError]) -> _Order:
    """What stands before the next node; faults of order do not depend on what will be drawn."""
    if isinstance(node, OneOf):  # its alternatives never meet
        after = [_ordered(child, before, faults) for child in node.of]
        return _Order(*(next((getattr(one, name) for one in after if getattr(one, name)), "") for name in ("lost", "last", "mixed")))
    if not isinstance(node, Transform):
        for child in node.children:
            before = _ordered(child, before, faults)
        return before
    if before.lost and node.bounded:
        expected, advice = f"values in their declared range, which {before.lost} gives up", f"{node.label} | {before.lost}"
        faults.append(PolicyError(node.label, expected, f"{node.label} behind {before.lost}", advice))
    if before.mixed and not (node.whole or node.mixes):
        expected, advice = f"only casts and other mixers behind {before.mixed}", f"{node.label} | {before.mixed}"
        faults.append(PolicyError(node.label, expected, f"{node.label} behind {before.mixed}", advice))
    if before.last and not (node.whole or node.mixes):
        expected, advice = f"{before.last} behind everything that needs channels last", f"{node.label} | {before.last}"
        faults.append(PolicyError(node.label, expected, f"{node.label} behind {before.last}", advice))
    return before.then(node)
