"""From arrays in to arrays out: read the targets, plan, let a backend run the plan, let everything else follow."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.backend import Backend, Dense, load
from vicinal.core.batch import Spec
from vicinal.core.draw import Address, Draw
from vicinal.core.errors import BackendError, ParameterError, TargetError, VicinalError
from vicinal.core.follow import kept_numbers, others
from vicinal.core.inputs import Inputs, is_empty, named_targets, read, told, wrapped
from vicinal.core.mixing import Blending, mixed, mixers
from vicinal.core.plan import Plan, plan
from vicinal.core.targets import KINDS, Instances, Way
from vicinal.core.targets import valid as valid_pixels
from vicinal.core.targets.dense import copied
from vicinal.core.targets.rows import like
from vicinal.core.threads import Threads
from vicinal.core.volume import run_slices

if TYPE_CHECKING:
    from vicinal.core.transform import Node


class Addressed(np.ndarray):
    """An array that remembers the address that made it, so that even a call without a seed can be repeated.

    ``address`` is None on arrays computed from it.
    """

    __slots__ = ("_made",)  # which views and copies have not; a dictionary for each of many small samples would cost as much as they do

    _made: tuple[Address, int | None]

    @property
    def address(self) -> Address | None:
        """Of the batch, or of the one sample that it is."""
        whole, number = getattr(self, "_made", (None, None))
        return whole if whole is None or number is None else whole[number]

    def __array_wrap__(self, array: NDArray, context: Any = None, return_scalar: bool = False) -> Any:
        # A number computed from it, a mean for example, is a plain number.
        return np.asarray(array)[()] if array.ndim == 0 else array.view(Addressed)


def _marked(array: NDArray, address: Address) -> NDArray:
    marked = array.view(Addressed)
    marked._made = address, None
    return marked


@final
class Fate(NamedTuple):
    """What became of the instances, and what was mixed with what."""

    kept: Any = None
    instances: Instances | None = None
    mixed: Mapping[str, Mapping[str, NDArray]] | None = None


@final
class Result(Mapping[str, Any]):
    """What a call with named targets gives: a mapping, with the address, the plan, and what became of the instances.

    ``address`` repeats the call; ``plan`` holds the parameters; ``kept`` holds, per sample, the (n,) numbers of the instances that stayed
    (None without instances; -1 for those of a partner); ``instances`` tells the fate of every instance; ``valid``, where it was asked
    for, is a boolean (H, W) for each sample: which pixels are not border; ``mixed`` says, for the path of every mixer that acted, who
    the "partner" of each sample was (-1: no one), the "weight" of its own label, and the "box" in which the partner lies.
    """

    def __init__(self, targets: dict[str, Any], address: Address, plan: Plan, way: Way | None, fate: Fate, single: bool):
        self._targets, self.address, self.plan, self._way, self._single = targets, address, plan, way, single
        self.kept, self.instances, self.mixed = fate.kept, fate.instances, fate.mixed or {}

    def undo(self, **predictions: Any) -> dict[str, Any]:
        """Predictions on the result, brought back to the canvas of the input: boxes, polygons, keypoints, masks and heat maps.

        The inverse map is exact; what the policy moved off the canvas comes back empty. Masks fill with 0, or with the ``fill`` of a
        ``v.Mask``. Boxes are kept even where they reach over the original canvas, clipped to it.

        Example:
            >>> import vicinal as v
            >>> out = v.RandomRotate90(turns=1)(image=np.zeros((4, 6, 3), np.uint8), seed=0)
            >>> out.undo(keypoints=[[1.0, 2.0]])["keypoints"].tolist()
            [[4.0, 1.0]]
        """
        told(predictions, tuple(KINDS))
        way = (self._way or _no_way()).back()
        targets = {name: wrapped(name, value, self._single) for name, value in predictions.items()}
        return others(targets, way, self._single)[0]

    def __getitem__(self, name: str) -> Any:
        return self._targets[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._targets)

    def __len__(self) -> int:
        return len(self._targets)

    def __repr__(self) -> str:
        return f"Result({', '.join(self._targets)}; {self.address})"


def _no_way() -> Way:
    raise TargetError("undo", "a batch of at least one sample", "none", "the predictions as they are: nothing has moved")


def augment(policy: Node, arrays: tuple, targets: Mapping[str, Any], *, seed: int | None = None, epoch: Any = 0, index: Any = None,
            view: Any = 0, backend: str = "auto", threads: int = 1, valid: bool = False,
            given: Mapping | None = None, group: int | None = None) -> Any:  # fmt: skip
    """Apply a policy.

    Args:
        policy: what to do.
        arrays: one array, (H, W, C) or (H, W), or a batch (B, H, W, C), or a list of images of any sizes; then the result has that form.
            A policy for series takes (T,), (T, C), (B, T, C) or a list; one for texts a str, a list or a (B,) array of them.
        targets: or named targets: image, series, volume or text; mask, boxes, keypoints, events, label; then the result is a ``Result``.
            ``source`` is the data set of mixers whose partners come from one: it has ``len()`` and ``[i]``, a mapping of targets.
        seed: None for fresh entropy, which is recorded in the result's ``address``.
        epoch, index, view: numbers or one a sample; ``index`` counts from 0 where it is not given.
        backend: "auto", "cpu" or "reference".
        threads: over which the samples of a batch are shared out; the bits are the same for any number.
        valid: ask for the target ``valid``: which pixels of the result show the input, not a border.
        given: parameters by path that take the place of drawn ones.
        group: how many samples after the other are a batch for mixers, which then give the bits that they give batch by batch; None for
            all of them.

    Raises:
        TargetError, DataError: for targets that are malformed or do not fit each other.
        BackendError: when a pass fails; it carries the address that reproduces it.
    """
    source = targets.get("source")
    if "source" in targets:
        targets = {name: value for name, value in targets.items() if name != "source"}
    named, seed = named_targets(policy, arrays, targets), secrets.randbits(63) if seed is None else seed
    if is_empty(named):
        results = _of_none(policy, named, seed, backend, source)
    else:
        inputs = read(named)
        address = addressed(inputs.spec, seed, epoch, index, view)
        call = Call(_engine(backend), _threads(threads), valid, given, source, group)
        addresses = [address] if policy.views is None else each_view(policy.views, address)
        results = [augment_one_view(policy, inputs, where, call) for where in addresses]
    found = [result[next(iter(named))] for result in results] if arrays else results
    return found[0] if policy.views is None else found


def _of_none(policy: Node, named: Mapping[str, Any], seed: int, backend: str, source: Any) -> list[Result]:
    """A batch of no samples: the form that a blank sample takes, without the sample."""
    blank: dict[str, Any] = {
        name: np.full((1, *value.shape[1:]), "blank" if name == "text" else 0, value.dtype)  # a word: functions may want one
        for name, value in named.items()
        if isinstance(value, np.ndarray)
    }
    if "boxes" in named:
        blank["boxes"] = np.zeros((1, 0, 4))
    alone = {} if source is None else {"source": [{name: value[0] for name, value in blank.items()}]}
    made = augment(policy, (), blank | alone, seed=seed, backend=backend)
    address = Address.of(seed, [], [], [], size=0)
    return [
        Result({name: one[name][:0] if name in one else [] for name in named}, address, one.plan, None, Fate(kept=[]), False)
        for one in (made if isinstance(made, list) else [made])
    ]


def planned(policy: Node, arrays: tuple, targets: Mapping[str, Any], *, seed: int, epoch: Any, index: Any, view: Any) -> Plan:
    """The plan of a call, without touching data; of the first view, where there are several."""
    inputs = read(named_targets(policy, arrays, targets))
    address = next(each_view(policy.views, addressed(inputs.spec, seed, epoch, index, view)))
    return plan(policy, Draw(address), inputs.spec, inputs=inputs)


def addressed(spec: Spec, seed: int, epoch: Any, index: Any, view: Any) -> Address:
    """The address of a batch; samples count from 0 where no index is given."""
    count = len(spec)
    address = Address.of(seed, epoch, range(count) if index is None else index, view, size=count)
    if len(address.index) != count:
        raise TargetError("index", f"{count} numbers, one a sample", f"{len(address)}", "index=range(len(images))")
    return address


def each_view(views: int | None, address: Address) -> Iterator[Address]:
    """The addresses of all views of a batch."""
    if views is None:
        yield address
    for number in range(views or 0):
        yield Address.of(address.seed, address.epoch, address.index, (views or 1) * address.view + number)


@lru_cache(maxsize=16)
def _engine(backend: str) -> Blending:
    return Blending(load(backend))


@final
class Call(NamedTuple):
    """How a call is to be carried out."""

    engine: Backend
    threads: int
    valid: bool
    given: Mapping | None
    source: Any
    group: int | None = None


def _threads(threads: Any) -> int:
    if not isinstance(threads, int) or isinstance(threads, bool) or threads < 1:
        raise ParameterError("threads", "a whole number of 1 or more", repr(threads), "threads=2")
    return threads


def augment_one_view(policy: Node, inputs: Inputs, address: Address, call: Call) -> Result:
    """Plan a batch that has been read, run it, and let everything else follow."""
    made = plan(policy, Draw(address, rounds=call.engine.rounds), inputs.spec, call.given, inputs)
    engine = Threads(call.engine, call.threads) if call.threads > 1 else call.engine
    depth = np.array([len(volume) for volume in inputs.data]) if inputs.kind == "volume" else None
    way = Way(made.primitives, inputs.spec, made.after, engine, depth)
    try:
        if mixers(policy, call.source):
            data, rest, fate = _mixed(policy, made, inputs, address, way, call)
        else:
            data = _run(way, inputs.data)
            rest, table = others(inputs.others, way, inputs.single)
            fate = Fate(kept_numbers(table, len(inputs.spec), inputs.single), table)
    except VicinalError:
        raise
    except Exception as fault:
        where = ", ".join(path for slot in made.slots for path in slot.paths)
        raise BackendError(f"{where} at {address}", "every pass to run", f"{type(fault).__name__}: {fault}") from fault
    out = {inputs.kind: _unwrapped(data, inputs, made.after, address), **rest}
    if call.valid:
        seen = valid_pixels(way)
        out["valid"] = seen[0] if inputs.single else like(list(seen), data)
    return Result(out, address, made, way, fate, inputs.single)


def _mixed(policy: Node, made: Plan, inputs: Inputs, address: Address, way: Way, call: Call) -> tuple[Dense, dict[str, Any], Fate]:
    data, rest, kept, done = mixed(policy, made, inputs, address, way.engine, call.source, call.group)
    return data, rest, Fate(kept, None, done)


def _run(way: Way, data: Dense) -> Dense:
    if not way.passes:
        return copied(data)
    if way.depth is not None:
        return run_slices(way.engine, way.passes, data, way.after.layout)
    return way.engine.run(way.passes, data)


def _unwrapped(data: Dense, inputs: Inputs, after: Spec, address: Address) -> Any:
    if inputs.kind == "text":
        return _texts(np.ravel(data), inputs, address)
    if inputs.squeeze and after.layout == "HWC":
        data = [array[..., 0] for array in data] if isinstance(data, list) else data[..., 0]
    if inputs.kind == "series":
        data = [array[0] for array in data] if isinstance(data, list) else data[:, 0]
    if inputs.single:
        return _marked(np.ascontiguousarray(data[0]), address)
    if inputs.listed or isinstance(data, list):
        marked = [array.view(Addressed) for array in data]
        for number, array in enumerate(marked):
            array._made = address, number
        return marked
    return _marked(data, address)


def _texts(texts: NDArray, inputs: Inputs, address: Address) -> Any:
    """A str, a list or (B,) of them, as they came; a str cannot remember its address."""
    if inputs.single or inputs.listed:
        return texts[0] if inputs.single else texts.tolist()
    return _marked(texts, address)
