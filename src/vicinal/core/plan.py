"""From a policy and the draws of a batch to the fewest passes over the data.

The planner walks the policy, collects primitives and places each in the earliest *slot* (one pass over the data) where it may stand:

1. a primitive joins a slot of its kind if their composition is exact (``joins`` / ``then``);
2. it may pass a slot in which its sample is neutral, because a neutral element commutes with everything;
3. with ``exact=False`` sampling may pass pointwise work as well;
4. nothing passes a barrier.

Rules 1 and 2 are asked sample by sample, so a sample's passes, and with them its bits, never depend on its neighbours in the batch.
Alternatives of a OneOf exclude one another, so by rule 2 they line up by kind: that is what lets RandAugment fuse. They line up before they
are placed: a primitive waits until one comes for the same samples, and those of a kind that wait are asked about together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec, bits, changed, every, some
from vicinal.core.draw import Draw
from vicinal.core.errors import TargetError
from vicinal.core.explain import described, form
from vicinal.core.line import Line, Members, only, paths
from vicinal.core.primitive import Pointwise, Primitive, everywhere
from vicinal.core.scene import scene
from vicinal.core.space import pick
from vicinal.core.steps import Round
from vicinal.core.warp import Warp

if TYPE_CHECKING:
    from vicinal.core.inputs import Inputs
    from vicinal.core.transform import Node, Transform


_KEPT = 8  # plans of a policy, and forms of a transform
T = TypeVar("T")


@final
class Slot(NamedTuple):
    """One pass: the composed primitive and the operations in it; and of when it was opened, whether it was behind a barrier, whether only
    exact equations were allowed, and how many operations every pass before it had."""

    primitive: Primitive
    paths: tuple[str, ...]
    behind: bool
    exact: bool
    had: tuple[int, ...]


@final
@dataclass(frozen=True, eq=False)
class Plan:
    """What will be done to a batch: the passes, the spec of what comes, and the parameters of every sample.

    ``params`` maps the path of an operation to (B, ...) arrays; ``on`` says for which samples it acts, ``choice`` what was chosen.
    """

    slots: tuple[Slot, ...]
    before: Spec
    after: Spec
    params: Mapping[str, Mapping[str, NDArray]]

    @property
    def primitives(self) -> tuple[Primitive, ...]:
        """The composed primitives, in order."""
        return tuple([slot.primitive for slot in self.slots])

    def moves(self) -> list[Warp]:
        """The maps that annotations follow."""
        return [primitive for primitive in self.primitives if isinstance(primitive, Warp)]

    def explain(self) -> str:
        """The passes in words: what fused, what did not, and why."""
        operations = len({path for slot in self.slots for path in slot.paths})
        passes = f"{len(self.slots)} pass{'es' * (len(self.slots) != 1)}"
        head = f"{passes} for {operations} operation{'s' * (operations != 1)}, batch of {len(self.before)}"
        lines = [f"  {number + 1}. {described(self.slots, number)}" for number in range(len(self.slots))]
        return "\n".join([head, *lines, f"  out: {form(self.after)}"])


def plan(
    policy: Node, draw: Draw, spec: Spec, given: Mapping[str, Mapping[str, NDArray]] | None = None, inputs: Inputs | None = None
) -> Plan:
    """Plan a batch; ``given`` parameters take the place of drawn ones, which is how a recipe is replayed.

    ``inputs`` holds the annotations that transforms may look at.
    """
    kept = policy.plans.get(spec.facts) if policy.plans and given is None else None
    if kept is not None:
        return kept
    # What the policy has asked for so far, so that all of it is drawn in one call. It never changes a number.
    sites = policy.sites.setdefault(spec.targets, {})
    if sites and given is None:
        draw.prefetch(tuple(sites))
    build = Builder(draw, spec, given, inputs)
    policy.emit_root(build, everywhere(len(spec)))
    if len(draw.known) > len(sites):
        sites.update(dict.fromkeys(draw.known))
    made = build.plan()
    if given is None and build.plain and not draw.known:
        _keep(made, policy.plans, spec, made.params.values())  # nothing was drawn or looked at
    return made


def _keep(made: T, kept: dict[tuple, T], spec: Spec, params: Iterable[Mapping[str, NDArray]]) -> T:
    """Note what was made with parameters that are those of every batch of this form. The oldest of many is forgotten."""
    for values in params:
        for array in values.values():
            array.setflags(write=False)
    kept[spec.facts] = made
    while len(kept) > _KEPT:
        kept.pop(next(iter(kept)), None)
    return made


def unfused(policy: Node, draw: Draw, spec: Spec, inputs: Inputs | None = None) -> Plan:
    """The same draws with one pass for every primitive: what each operation does to annotations by itself."""
    build = Builder(draw, spec, None, inputs)
    build.fuse = False
    policy.emit_root(build, everywhere(len(spec)))
    return build.plan()


@final
class Builder:
    """The plan under construction; nodes talk to it while they are walked."""

    def __init__(self, draw: Draw, spec: Spec, given: Mapping[str, Mapping[str, NDArray]] | None = None, inputs: Inputs | None = None):
        self.draw, self.before, self.spec, self.given, self.inputs = draw, spec, spec, given, inputs
        self.slots: list[Primitive] = []
        self.paths: list[list[str]] = []
        self.opened: list[tuple[bool, bool, tuple[int, ...]]] = []  # how every slot was, as ``Slot`` says it
        self.params: dict[str, dict[str, NDArray]] = {}
        self.concerned: list[int] = []  # the samples of every slot, as bits
        self.walls: list[tuple[int, int]] = []  # how many slots lie behind a barrier, and for which samples, as bits
        self.waiting: list[Line] = []
        self.awaited = 0  # the samples of all that waits, as bits
        self.exact = True
        self.fuse = True
        self.plain = True  # parameters so far come from nothing but draws

    def plan(self) -> Plan:
        """The finished plan."""
        self._settle()
        parts = zip(self.slots, self.paths, self.opened, strict=True)
        slots = tuple([Slot(slot.settled(), tuple(paths), *opened) for slot, paths, opened in parts])
        return Plan(slots, self.before, self.spec, self.params)

    @contextmanager
    def exactly(self, exact: bool) -> Iterator[None]:
        """Within it, whether only exact equations may be used."""
        outer = self.exact
        self._be_exact(outer and exact)
        yield
        self._be_exact(outer)

    def _be_exact(self, exact: bool) -> None:
        if exact != self.exact:
            self._settle()
        self.exact = exact

    def enter(self, node: Node, path: str, on: NDArray[np.bool_]) -> None:
        """Walk a node below, unless no sample wants it."""
        if some(on):
            node.emit(self, path, on)

    def gate(self, path: str, p: float, on: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """(B,) the samples that pass the probability of a node."""
        if p == 1 or self._given(path, "on") is not None:
            return on if p == 1 else on & self._given(path, "on")
        passed = self._draw(path).unit("p") < p
        self._note(path, "on", passed & on)
        return on & passed

    def choose(self, path: str, n: int, weights: tuple[float, ...] | None) -> NDArray[np.int64]:
        """(B,) one of ``n`` for each sample."""
        given = self._given(path, "choice")
        chosen = pick(self._draw(path).unit("choice"), n, weights) if given is None else given
        return self._note(path, "choice", chosen)

    def choose_some(self, path: str, n: int, ends: tuple[int, int], weights: tuple[float, ...] | None) -> NDArray[np.bool_]:
        """(B, n) which of ``n`` each sample takes: those with the smallest exponential clocks (Efraimidis and Spirakis, 2006)."""
        given = self._given(path, "choice")
        if given is not None:
            return self._note(path, "choice", given)
        draw = self._draw(path)
        with np.errstate(divide="ignore"):
            clocks = -np.log(draw.units("choice", n)) / (np.ones(n) if weights is None else np.asarray(weights, float))
        many = ends[0] + pick(draw.unit("n"), ends[1] - ends[0] + 1)
        return self._note(path, "choice", clocks.argsort(1).argsort(1) < many[:, None])

    def transform(self, node: Transform, path: str, on: NDArray[np.bool_]) -> None:
        """Sample a transform, lower it and place its primitives."""
        _check(node, path, self.spec)
        if node.p != 1 and not some(on := self.gate(path, node.p, on)):
            return
        self.plain = self.plain and node.plain
        params, primitives = self._lowered(node, path, self._shown(node))
        self.params.setdefault(path, {}).update({"on": on} | params)
        some_of_it = None if every(on) else on
        for primitive in primitives:
            self.add(primitive, path, some_of_it)

    def alternatives(self, nodes: Sequence[tuple[Node, str]], taken: NDArray[np.bool_], kinds: Sequence[Sequence[int]]) -> None:
        """Walk nodes at their paths, each for samples of its own: ``taken`` (n, B). Transforms of a kind are lowered as one."""
        there = np.asarray(taken.any(1)).tolist()
        for numbers in kinds if self.fuse else [[number] for number in range(len(nodes))]:
            wanted = [(*nodes[number], taken[number]) for number in numbers if there[number]]
            if len(wanted) == 1:
                node, path, on = wanted[0]
                node.emit(self, path, on)
            elif wanted:
                self._as_one(cast("list[tuple[Transform, str, NDArray[np.bool_]]]", wanted))

    def _as_one(self, wanted: Sequence[tuple[Transform, str, NDArray[np.bool_]]]) -> None:
        """Sample transforms that differ in their random parameters alone, and lower them with those of each for its samples."""
        merged, members, anyone = {}, [], np.zeros(len(self.before), bool)
        for node, path, on in wanted:
            _check(node, path, self.spec)
            on = self.gate(path, node.p, on)
            if some(on):
                params = self._sampled(node, path, self.spec)
                self.params.setdefault(path, {}).update({"on": on} | params)
                merged = {name: np.where(on, values, merged[name]) for name, values in params.items()} if members else params
                members.append((path, bits(on)))
                anyone = anyone | on
        for primitive in wanted[0][0].lower(merged, self.spec) if members else ():
            self.add(primitive, members, anyone)

    def _lowered(self, node: Transform, path: str, spec: Spec) -> tuple[dict[str, NDArray], Iterable[Primitive]]:
        """The parameters of a transform and what it lowers to; where every parameter is one value, that of earlier batches of this form."""
        if self.given is not None or not node.fixed:
            params = self._sampled(node, path, spec)
            return params, node.lower(params, spec)
        if (found := node.lowered.get(spec.facts)) is None:
            params = node.sample(self._draw(path), spec)
            found = _keep((params, tuple(node.lower(params, spec))), node.lowered, spec, [params])
        return found

    def _sampled(self, node: Transform, path: str, spec: Spec) -> dict[str, NDArray]:
        """The parameters of a transform, drawn or given."""
        given = None if self.given is None else self.given.get(path)
        return node.sample(self._draw(path), spec) if given is None else {name: one for name, one in given.items() if name != "on"}

    def _shown(self, node: Transform) -> Spec:
        """The spec, with the annotations where they are by now for a transform that looks at them."""
        if not node.looks or self.inputs is None:
            return self.spec
        self._settle()
        moves = [slot.settled() for slot in self.slots if isinstance(slot, Warp)]
        return self.spec.but(scene=scene(self.inputs).after(moves))

    def add(self, primitive: Primitive, path: str | Members, on: NDArray[np.bool_] | None = None) -> None:
        """Take one primitive in, of one operation or of several, for samples that are on.

        It waits if it concerns some of the samples and leaves their form as it is; what waits for any of them is placed first.
        """
        waits = on is not None and self.fuse
        if on is not None and not isinstance(primitive, Pointwise):
            primitive, on = primitive.where(on), None
        samples, spec = bits(primitive.active if on is None else primitive.active & on), primitive.spec(self.spec)
        members = [(path, samples)] if isinstance(path, str) else path
        if samples & self.awaited or spec is not self.spec:
            self._settle()
        if waits and samples and spec is self.spec:
            self._await(primitive, samples, members)
        elif isinstance(primitive, Pointwise) and primitive.cast:
            primitive, slot = self._cast(primitive)
            self._place(primitive, paths(members, samples), slot, samples)
        else:
            primitive = primitive if on is None else primitive.where(on)
            for slot, part in sorted(self._places(primitive, samples).items()):
                self._place(only(primitive, part, samples), paths(members, part), slot, part)
        self.spec = spec

    def _await(self, primitive: Primitive, samples: int, members: Members) -> None:
        """Let a primitive wait, lined up with another of its kind if there is one."""
        self.awaited |= samples
        for line in self.waiting:
            if line.takes(primitive):
                line.take(primitive, samples, members)
                return
        self.waiting.append(Line(primitive, samples, members))

    def _settle(self) -> None:
        """Place whatever waits, in parts where samples stand at different slots."""
        waiting, self.waiting, self.awaited = self.waiting, [], 0
        for line in waiting:
            for slot, part in sorted(self._places(line.first, line.samples).items()):
                self._place(line.part(part), paths(line.members, part), slot, part)

    def _place(self, primitive: Primitive, paths: list[str], slot: int, samples: int) -> None:
        """Let a primitive join a slot, or open a new one behind all others (-1)."""
        if slot < 0:
            self.opened.append((0 < len(self.slots) == self._highest, self.exact, tuple(map(len, self.paths))))
            self.slots.append(primitive)
            self.paths.append(paths)
            self.concerned.append(samples)
        else:
            self.slots[slot] = self.slots[slot].then(primitive)
            self.paths[slot].extend([path for path in paths if path not in self.paths[slot]])
            self.concerned[slot] |= samples

    def barrier(self, on: NDArray[np.bool_]) -> None:
        """Close every slot, for the samples that are on."""
        self._settle()
        self.walls.append((len(self.slots), bits(on)))

    def _places(self, primitive: Primitive, on: int) -> dict[int, int]:
        """The samples that join each slot, as bits; -1 is a new slot."""
        if not self.slots:
            return {-1: on}
        found: dict[int, int] = {}
        free, passed = on if self.fuse else 0, 0
        for number in range(len(self.slots) - 1, -1, -1):
            for behind, samples in self.walls:
                free &= ~samples if behind > number else -1
            if not free:
                break
            slot, theirs = self.slots[number], self.concerned[number]
            # Having passed a slot of its own, a sample joins another of its own only: one that neighbours opened is chance.
            joins = type(slot) is type(primitive) and slot.joins(primitive)
            if joins is not False and (there := _joining(joins) & free & (theirs | ~passed)):
                found = {other: samples & ~there for other, samples in found.items()} | {number: there}
            if not self.exact and _commutes(slot, primitive):
                passed |= theirs
            else:
                free &= ~theirs
        rest = on & ~sum(found.values())  # no sample stands in two of them
        return {slot: samples for slot, samples in found.items() if samples} | ({-1: rest} if rest or not on else {})

    def _cast(self, primitive: Pointwise) -> tuple[Pointwise, int]:
        """A cast joins the last slot or opens a new one, all samples together: mixed dtypes do not fit one array."""
        last = len(self.slots) - 1
        joins = last >= self._highest and isinstance(self.slots[last], Pointwise)
        already = joins and cast("Pointwise", self.slots[last]).cast
        if joins and not already:
            primitive = changed(primitive, steps=(Round(self.spec.dtype), *primitive.steps))
        return primitive, last if joins else -1

    @property
    def _highest(self) -> int:
        """How many slots lie behind a barrier, for some sample."""
        return max([behind for behind, _ in self.walls], default=0)

    def _draw(self, path: str) -> Draw:
        return self.draw.below(path)

    def _given(self, path: str, name: str) -> Any:
        return None if self.given is None else self.given.get(path, {}).get(name)

    def _note(self, path: str, name: str, values: NDArray) -> NDArray:
        self.params.setdefault(path, {})[name] = values
        return values


def _check(node: Transform, path: str, spec: Spec) -> None:
    if node.needs.isdisjoint(spec.targets):
        needed, there = " or ".join(sorted(node.needs)), ", ".join(sorted(spec.targets))
        raise TargetError(path, f"a target of kind {needed}", there, f"policy({needed}=...)")


def _joining(joins: NDArray[np.bool_] | bool) -> int:
    """The samples of an answer, as bits; all there may be, or none, for one answer."""
    return bits(joins) if isinstance(joins, np.ndarray) else -int(joins)


def _commutes(slot: Primitive, primitive: Primitive) -> bool:
    """Sampling and pointwise work commute but for interpolation, clips and fill."""
    return isinstance(primitive, Warp) and isinstance(slot, Pointwise)
