"""From arrays in to arrays out: read the targets, plan, let a backend run the plan, let everything else follow."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.backend import Dense, load
from vicinal.core.batch import Spec
from vicinal.core.draw import Address, Draw
from vicinal.core.errors import BackendError, TargetError, VicinalError
from vicinal.core.follow import copied, others
from vicinal.core.inputs import Inputs, is_empty, named_targets, read
from vicinal.core.mixing import mixed, mixers, passes
from vicinal.core.plan import Plan, plan

if TYPE_CHECKING:
    from vicinal.core.transform import Node


class Addressed(np.ndarray):
    """An array that remembers the address that made it, so that even a call without a seed can be repeated.

    ``address`` is None on arrays computed from it.
    """

    address: Address | None = None

    def __array_finalize__(self, other: Any) -> None:
        self.address = None

    def __array_wrap__(self, array: NDArray, context: Any = None, return_scalar: bool = False) -> Any:
        # A number computed from it, a mean for example, is a plain number.
        return np.asarray(array)[()] if array.ndim == 0 else array.view(Addressed)


def _marked(array: NDArray, address: Address) -> NDArray:
    marked = array.view(Addressed)
    marked.address = address
    return marked


@final
class Result(Mapping[str, Any]):
    """What a call with named targets gives: a mapping, with the address, the plan, and which instances were kept.

    ``address`` repeats the call; ``kept`` holds, per sample, the (n,) numbers of the boxes that stayed (None without boxes);
    ``plan`` holds the parameters; ``mixed`` says, for the path of every mixer that acted, who the "partner" of each sample was (-1: no
    one), the "weight" of its own label, and the "box" in which the partner lies.
    """

    def __init__(self, targets: dict[str, Any], address: Address, plan: Plan, kept: Any, mixed: Mapping[str, Mapping[str, NDArray]]):
        self._targets, self.address, self.plan, self.kept, self.mixed = targets, address, plan, kept, mixed

    def __getitem__(self, name: str) -> Any:
        return self._targets[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._targets)

    def __len__(self) -> int:
        return len(self._targets)

    def __repr__(self) -> str:
        return f"Result({', '.join(self._targets)}; {self.address})"


def augment(policy: Node, arrays: tuple, targets: Mapping[str, Any], *, seed: int | None = None, epoch: Any = 0, index: Any = None,
            view: Any = 0, backend: str = "auto", given: Mapping | None = None) -> Any:  # fmt: skip
    """Apply a policy.

    Args:
        policy: what to do.
        arrays: one array, (H, W, C) or (H, W), or a batch (B, H, W, C), or a list of images of any sizes; then the result has that form.
            A policy for series takes (T,), (T, C), (B, T, C) or a list.
        targets: or named targets: image or series, mask, boxes, keypoints, events, label; then the result is a ``Result``. ``source``
            is the data set of mixers whose partners come from one: it has ``len()`` and ``[i]``, a mapping of targets.
        seed: None for fresh entropy, which is recorded in the result's ``address``.
        epoch, index, view: numbers or one a sample; ``index`` counts from 0 where it is not given.
        backend: "auto", "cpu" or "reference".
        given: parameters by path that take the place of drawn ones.

    Raises:
        TargetError, DataError: for targets that are malformed or do not fit each other.
        BackendError: when a pass fails; it carries the address that reproduces it.
    """
    source, targets = targets.get("source"), {name: value for name, value in targets.items() if name != "source"}
    named, seed = named_targets(policy, arrays, targets), secrets.randbits(63) if seed is None else seed
    if is_empty(named):
        results = _of_none(policy, named, seed, backend, source)
    else:
        inputs = read(named)
        address = addressed(inputs.spec, seed, epoch, index, view)
        results = [_augment(policy, inputs, where, backend, given, source) for where in _each_view(policy.views, address)]
    found = [result[next(iter(named))] for result in results] if arrays else results
    return found[0] if policy.views is None else found


def _of_none(policy: Node, named: Mapping[str, Any], seed: int, backend: str, source: Any) -> list[Result]:
    """A batch of no samples: the form that a blank sample takes, without the sample."""
    blank: dict[str, Any] = {
        name: np.zeros((1, *value.shape[1:]), value.dtype) for name, value in named.items() if isinstance(value, np.ndarray)
    }
    if "boxes" in named:
        blank["boxes"] = np.zeros((1, 0, 4))
    alone = {} if source is None else {"source": [{name: value[0] for name, value in blank.items()}]}
    made = augment(policy, (), blank | alone, seed=seed, backend=backend)
    address = Address.of(seed, [], [], [], size=0)
    return [
        Result({name: one[name][:0] if name in one else [] for name in named}, address, one.plan, [], {})
        for one in (made if isinstance(made, list) else [made])
    ]


def planned(policy: Node, arrays: tuple, targets: Mapping[str, Any], *, seed: int, epoch: Any, index: Any, view: Any) -> Plan:
    """The plan of a call, without touching data; of the first view, where there are several."""
    inputs = read(named_targets(policy, arrays, targets))
    address = next(_each_view(policy.views, addressed(inputs.spec, seed, epoch, index, view)))
    return plan(policy, Draw(address), inputs.spec)


def addressed(spec: Spec, seed: int, epoch: Any, index: Any, view: Any) -> Address:
    """The address of a batch; samples count from 0 where no index is given."""
    index = np.arange(len(spec)) if index is None else list(index) if isinstance(index, range) else index
    address = Address.of(seed, epoch, index, view, size=len(spec))
    if len(address) != len(spec):
        raise TargetError("index", f"{len(spec)} numbers, one a sample", f"{len(address)}", "index=range(len(images))")
    return address


def _each_view(views: int | None, address: Address) -> Iterator[Address]:
    if views is None:
        yield address
    for number in range(views or 0):
        yield Address.of(address.seed, address.epoch, address.index, (views or 1) * address.view + number)


def _augment(policy: Node, inputs: Inputs, address: Address, backend: str, given: Mapping | None, source: Any) -> Result:
    made = plan(policy, Draw(address), inputs.spec, given)
    engine = load(backend)
    try:
        if mixers(policy, source):
            data, rest, kept, done = mixed(policy, made, inputs, address, engine, source)
        else:
            data = passes(engine, made.primitives, inputs.data) if made.slots else copied(inputs.data)
            (rest, kept), done = others(inputs, made, engine), {}
    except VicinalError:
        raise
    except Exception as fault:
        where = ", ".join(path for slot in made.slots for path in slot.paths)
        raise BackendError(f"{where} at {address}", "every pass to run", f"{type(fault).__name__}: {fault}") from fault
    out = {inputs.kind: _unwrapped(data, inputs, made.after, address)}
    return Result({name: (out | rest)[name] for name in [inputs.kind, *inputs.others]}, address, made, kept, done)


def _unwrapped(data: Dense, inputs: Inputs, after: Spec, address: Address) -> Any:
    if inputs.squeeze and after.layout == "HWC":
        data = [array[..., 0] for array in data] if isinstance(data, list) else data[..., 0]
    if inputs.kind == "series":
        data = [array[0] for array in data] if isinstance(data, list) else data[:, 0]
    if inputs.single:
        return _marked(np.ascontiguousarray(data[0]), address)
    if inputs.listed or isinstance(data, list):
        return [_marked(array, address[number]) for number, array in enumerate(data)]
    return _marked(data, address)
