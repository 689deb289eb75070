"""How a plan with mixers runs: passes by the backend, and between them what no backend can do to a sample alone.

``Mix`` is where a mixer acts on the whole batch; ``Blend`` is where several chains of passes over the same sample are averaged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.backend import Backend, Dense, load
from vicinal.core.batch import Spec
from vicinal.core.draw import Address, Draw
from vicinal.core.errors import TargetError
from vicinal.core.follow import kept_numbers, others
from vicinal.core.inputs import Inputs, read
from vicinal.core.items import Items, read_items, written
from vicinal.core.pages import Room, room
from vicinal.core.plan import Plan, plan
from vicinal.core.primitive import Alone, Primitive, everywhere
from vicinal.core.source import length, loaded, partners
from vicinal.core.targets import Way
from vicinal.core.targets.dense import copied
from vicinal.core.warp import Warp

if TYPE_CHECKING:
    from vicinal.core.mixer import Mixer
    from vicinal.core.transform import Node


@final
@dataclass(frozen=True, eq=False)
class Mix(Alone):
    """Mix: other samples come in.

    Args:
        mixer: who does it; params: its (B, ...) parameters; canvas: (B, 2) height and width of what comes out, None where they stay.
    """

    verb: ClassVar[str] = "mix"
    tolerance: ClassVar[float] = 0.0

    mixer: Mixer
    params: dict[str, NDArray]
    active: NDArray[np.bool_]
    canvas: NDArray[np.int64] | None = None

    def joins(self, other: Primitive) -> bool:
        return False

    def spec(self, before: Spec) -> Spec:
        return before if self.canvas is None else before.but(size=np.where(self.active[:, None], self.canvas, before.size))


@final
@dataclass(frozen=True, eq=False)
class Blend(Alone):
    """Opaque: ``x + amount * sum(weight * (chain(x) - x))`` over chains of passes that start from the same sample.

    Args:
        chains: each a tuple of primitives; weights: (B, number of chains); amount: (B,).
    """

    verb: ClassVar[str] = "opaque"

    chains: tuple[tuple[Primitive, ...], ...]
    weights: NDArray[np.float64]
    amount: NDArray[np.float64]
    active: NDArray[np.bool_]

    @property
    def tolerance(self) -> float:
        """That of the least exact chain."""
        return max((sum(primitive.tolerance for primitive in chain) for chain in self.chains), default=0.0)

    def rows(self, rows: NDArray | slice) -> Blend:
        chains = tuple(tuple(primitive.rows(rows) for primitive in chain) for chain in self.chains)
        return replace(self, chains=chains, weights=self.weights[rows], amount=self.amount[rows], active=self.active[rows])


@final
class Blending:
    """A backend that can blend: the chains of a ``Blend`` are run by the backend itself, and averaged here."""

    def __init__(self, engine: Backend):
        self.name, self.rounds, self._engine = engine.name, engine.rounds, engine

    def run(self, primitives: Sequence[Primitive], data: Dense, room: Room = room) -> Dense:
        """All passes on the main target."""
        if Blend not in map(type, primitives):
            return self._engine.run(primitives, data, room)
        for blended, group in groupby(primitives, lambda primitive: isinstance(primitive, Blend)):
            if not blended:
                data = self._engine.run(tuple(group), data)
                continue
            for blend in group:
                assert isinstance(blend, Blend)
                data = _blended(self._engine, blend, data)
        return data

    def follow(self, moves: Sequence[Warp], data: Dense, fill: float) -> Dense:
        """The moves alone, by the nearest pixel."""
        return self._engine.follow(moves, data, fill)


def _blended(engine: Backend, blend: Blend, data: Dense) -> Dense:
    out = [array.copy() for array in data] if isinstance(data, list) else data.copy()
    rows = np.flatnonzero(blend.active)
    part, work = blend.rows(rows), np.float32 if data[0].dtype in (np.uint8, np.float32) else np.float64
    given = [data[row] for row in rows] if isinstance(data, list) else data[rows]
    moved = [np.zeros(array.shape, work) for array in given]
    for chain, weights in zip(part.chains, part.weights.T, strict=True):
        made = engine.run(chain, given) if chain else given
        for sum_, array, start, weight in zip(moved, made, given, weights, strict=True):
            sum_ += np.subtract(array, start, dtype=work) * work(weight)
    for row, sum_, amount in zip(rows, moved, part.amount, strict=True):
        stored_sum(out[row], sum_ * work(amount))
    return out


def stored_sum(out: NDArray, more: NDArray) -> None:
    """Add to an array in place, rounded and within the range where the dtype has one."""
    more += out
    if out.dtype.kind in "iu":
        np.clip(np.rint(more, out=more), 0, np.iinfo(out.dtype).max, out=more)
    np.copyto(out, more, casting="unsafe")


def mixers(policy: Any, source: Any) -> list[Mixer]:
    """The mixers of a policy, in order.

    Raises:
        TargetError: a source that none of them asks for.
    """
    found = list(policy.mixing)
    if source is not None and all(mixer.partner == "batch" for mixer in found):
        raise TargetError("source", "a mixer with partner='dataset' in the policy", "none", "CutMix(partner='dataset')")
    return found


def classes_of(found: Sequence[Mixer]) -> int | None:
    """The number of classes that mixers agree on, None where none says it.

    Raises:
        TargetError: they do not agree.
    """
    said = sorted({mixer.classes for mixer in found if mixer.classes is not None})
    if len(said) > 1:
        write = f"classes={said[-1]} in all of them"
        raise TargetError("classes", "one number of classes in all mixers", " and ".join(map(str, said)), write)
    return said[0] if said else None


def head(plan: Plan) -> Plan:
    """The part of a plan before the first mixer; only casts and other mixers stand behind it, so every move is in it."""
    kinds, spec = [type(slot.primitive) for slot in plan.slots], plan.before
    first = kinds.index(Mix) if Mix in kinds else len(kinds)
    for slot in plan.slots[:first]:
        spec = slot.primitive.spec(spec)
    return Plan(plan.slots[:first], plan.before, spec, plan.params)


def _in_batch(u: NDArray, own: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """(B, k) partners among the samples own (B,), of which ``size`` after the other are a batch."""
    if size >= len(own):  # ``partners`` in fewer steps, since each of them is a number that a partner may have
        step = (u * max(len(own) - 1, 1)).astype(np.int64)
        step += own[:, None] + 1
        return step % len(own)
    start = own // size * size
    return partners(u, own - start, np.minimum(size, len(own) - start)) + start[:, None]


_KNOWN = frozenset(("image", "boxes", "masks", "mask", "label", "keypoints"))

Mixed = tuple[Items, dict[str, dict[str, NDArray]]]
"""Items, and by the path of a mixer what it mixed with what."""


def mixed(policy: Node, plan: Plan, inputs: Inputs, address: Address, engine: Backend, source: Any, group: int | None) -> tuple:
    """Run a plan with mixers: the main target, everything else, the numbers of the boxes, and what was mixed with what."""
    strange = {inputs.kind, *inputs.others} - _KNOWN
    if strange:
        known, one = ", ".join(sorted(_KNOWN - {"image"})), min(strange)
        expected, write = f"image, {known}, which mixers know", f"a policy without {policy.mixing[0].label} for it"
        raise TargetError(one, expected, f"the target {one!r}", write)
    call = _Call(policy, inputs, engine, source, classes_of(policy.mixing))
    items, done = call.items(policy, plan, inputs, address, group)
    rest, kept = written(items, inputs)
    fresh = items.data is not inputs.data or any(isinstance(slot.primitive, Mix) for slot in plan.slots)
    return items.data if fresh else copied(items.data), rest, kept, done


@final
class _Call(NamedTuple):
    """What stays the same in a call, for its samples and for their partners."""

    policy: Node
    inputs: Inputs
    engine: Backend
    source: Any
    classes: int | None

    def items(self, policy: Node, plan: Plan, inputs: Inputs, address: Address, group: int | None = None) -> Mixed:
        """Samples after a plan; ``group`` samples after the other are batches of their own, all of them are one if it is None.

        A mixer's partners are samples as the policy leaves them before the top-level node in which the mixer stands, so that alternatives
        of a OneOf never see each other's work.
        """
        first, found = head(plan), policy.mixing
        data = self.engine.run(first.primitives, inputs.data) if first.primitives else inputs.data
        rest, table = others(inputs.others, Way(first.primitives, inputs.spec, first.after, self.engine), inputs.single)
        kept = kept_numbers(table, len(inputs.spec), inputs.single)
        items = read_items(inputs, data, first.after, rest, kept, self.classes, load(self.engine.name))
        for mixer in found:
            mixer.check(items, any(other.canvas(items.spec) is not None for other in found))
        stage, pool, done = "", items, {}
        for slot in plan.slots[len(first.slots) :]:
            top = slot.paths[0].split("/")[0]
            if not isinstance(slot.primitive, Mix):
                data = self.engine.run((slot.primitive,), items.data)
                items = items.but(data=data, spec=slot.primitive.spec(items.spec))
                continue
            stage, pool = (stage, pool) if top == stage else (top, items)
            items, done[slot.paths[0]] = self._mixed(slot.primitive, slot.paths[0], items, pool, address, group)
        return items, done

    def _mixed(
        self, mix: Mix, path: str, items: Items, pool: Items, address: Address, group: int | None
    ) -> tuple[Items, dict[str, NDArray]]:
        mixer = mix.mixer
        if mixer.partner == "batch":
            own, size = np.arange(len(items)), group or len(items)
            number = where = _in_batch(mix.params["partner"], own, size)
            if 1 < len(items) <= size:
                return mixer.act(mix, items, pool, where, number, everywhere(len(items)))
        else:
            own = address.index
            number = partners(mix.params["partner"], own, length(self.source, mixer.label))
            rows, where = np.flatnonzero(mix.active), np.full(number.shape, -1)
            where[rows] = np.arange(number[rows].size).reshape(-1, number.shape[1])
            one = np.repeat(rows, number.shape[1])
            there = Address(address.seed, address.epoch[one], number[rows].ravel(), address.view[one])
            pool = self._brought(mixer.before(self.policy, path), there)
        return mixer.act(mix, items, pool, where, number, (number != own[:, None]).any(1))

    def _brought(self, policy: Node, address: Address) -> Items:
        """Items of the source after the part of a policy that stands before a mixer."""
        inputs = read(loaded(self.source, address.index, self.inputs))
        return self.items(policy, plan(policy, Draw(address), inputs.spec), inputs, address)[0]
