"""A transform is a frozen dataclass whose fields are sets of values; one declaration per parameter carries everything.

Bounds, unit and the neutral value stand in one line; validation, error text, schema, YAML, help, strength and the identity test come
from it. A transform says what is to be done (``lower`` yields primitives), never how: only backends touch data.
"""

from __future__ import annotations

import dataclasses
import importlib
import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar, dataclass_transform, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.declare import Option, Parameter, declarations, option, parameter, random_fields
from vicinal.core.draw import Draw
from vicinal.core.errors import ParameterError, PolicyError, UnknownTransform, VicinalError, nearest, raise_all
from vicinal.core.primitive import Primitive
from vicinal.core.recipe import Recipe, recipe
from vicinal.core.run import augment, planned
from vicinal.core.space import Fixed, Range, Space, is_number, pick, space
from vicinal.core.text import fingerprint, save, to_data, to_text

if TYPE_CHECKING:
    from vicinal.core.plan import Builder, Plan

__all__ = ["Node", "Transform", "find", "option", "parameter", "register", "registry"]


@dataclass(frozen=True)
class Node(ABC):
    """Abstract: anything a policy is made of. Immutable, hashable, picklable; safe to share between threads.

    Args:
        p: probability with which a sample is touched, in [0, 1].
        name: replaces the class name in the address of the draws.
    """

    p: float = field(default=1.0, kw_only=True)
    name: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        faults = [*_node_faults(self), *self.faults()]
        raise_all(type(self).__name__, faults)

    def faults(self) -> Iterable[VicinalError]:
        """Everything wrong with the fields; subclasses say what."""
        return ()

    @property
    def label(self) -> str:
        """The name in addresses: the given one, or the class's."""
        return self.name or type(self).__name__

    @property
    def children(self) -> tuple[Node, ...]:
        """The nodes below this one."""
        return ()

    @abstractmethod
    def emit(self, build: Builder, path: str, on: NDArray[np.bool_]) -> None:
        """Add this node's primitives, for the samples that are on, to the plan under construction."""

    @abstractmethod
    def stronger(self, strength: float) -> Node:
        """The node with every parameter shrunk to its neutral value: 0 changes nothing, 1 is the node itself."""

    def walk(self) -> Iterator[Node]:
        """This node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    def __call__(self, *arrays: Any, seed: int | None = None, epoch: Any = 0, index: Any = None, view: Any = 0,
                 backend: str = "auto", threads: int = 1, valid: bool = False, **targets: Any) -> Any:  # fmt: skip
        """Apply to one sample or a batch: an array gives an array, named targets give a ``Result``; see ``vicinal.core.run.augment``."""
        return augment(self, arrays, targets, seed=seed, epoch=epoch, index=index, view=view, backend=backend, threads=threads, valid=valid)

    def emit_root(self, build: Builder, on: NDArray[np.bool_]) -> None:
        """Add this node as a whole policy: its address begins with its label."""
        build.enter(self, self.label, on)

    @property
    def views(self) -> int | None:
        """How many versions of each sample a call returns; None for one, outside a list."""
        return None

    @cached_property
    def sites(self) -> dict[frozenset[str], dict[tuple[str, int], None]]:
        """The draws that plans of this policy have asked for so far, for each set of targets; a note of the planner's."""
        return {}

    @cached_property
    def plans(self) -> dict[tuple, Plan]:
        """Plans that need no draws, by the form of the batch; a note of the planner's."""
        return {}

    @cached_property
    def mixing(self) -> tuple[Any, ...]:
        """The mixers among this node and all below it, in order."""
        return tuple(node for node in self.walk() if getattr(node, "mixes", False))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("plans", "lowered")}

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change whenever a draw or a result could."""
        return fingerprint(self)

    def data(self) -> Any:
        """The policy as plain data, the same for YAML and JSON: what differs from the defaults."""
        return to_data(self)

    def save(self, path: str | Path) -> None:
        """Write the policy to a .yaml or .json file, whole or not at all."""
        save(self, Path(path))

    def explain(self, *arrays: Any, seed: int = 0, epoch: Any = 0, index: Any = None, view: Any = 0, **targets: Any) -> str:
        """The passes that a call with these arguments would make, what fused in them and what did not, and why; data are not touched."""
        return planned(self, arrays, targets, seed=seed, epoch=epoch, index=index, view=view).explain()

    def at(self, *, seed: int, epoch: int = 0, index: int = 0, view: int = 0, **targets: Any) -> Recipe:
        """The recipe of one sample: every parameter, in numbers. Targets are needed only where parameters depend on the data's form."""
        return recipe(self, seed, epoch, index, view, targets)

    def __repr__(self) -> str:
        return to_text(self)


def _node_faults(node: Node) -> Iterator[VicinalError]:
    if not is_number(node.p) or not 0 <= node.p <= 1:
        yield ParameterError(f"{type(node).__name__}.p", "a probability in [0, 1]", repr(node.p), "p=0.5")
    if node.name is not None and (not isinstance(node.name, str) or not node.name or set(node.name) & set("/.#")):
        write = f"name={''.join(letter for letter in str(node.name) if letter not in '/.#') or 'mine'!r}"
        yield ParameterError(f"{type(node).__name__}.name", "a non-empty text without '/', '.' and '#'", repr(node.name), write)


@dataclass(frozen=True, repr=False)
class Transform(Node):
    """Abstract: one operation. Subclasses declare fields with ``parameter`` and ``option``, say ``lower`` and carry ``@register``.

    Class facts:
        verb: what it does to annotations (see ``vicinal.core.primitive``).
        version: part of the fingerprint; raised when the same parameters give other results.
        needs: the main targets it can act on, "image", "series" or "text".
        whole: True where every sample must be touched, because dtype or layout change; then p is 1 and it stands outside OneOf.
        bounded: True where it only makes sense on values declared to lie in [0, 1].
        last: True where the layout changes, so that only casts may follow.
        mixes: True where other samples come in (see ``vicinal.core.mixer``), so that only casts and other mixers may follow.
        safe: False where reading order or side may carry meaning (flips, large rotations): a dataset declares which labels survive.
        looks: True where parameters depend on where boxes or masks lie; ``spec.scene`` then shows it.
        imports: True where it runs code that its fields name, so that only a trusted file may hold it.
        keys: names of the (B, 2) uint32 keys that it hands to a backend for dense noise.
        paper: the source, for the documentation.
        example: fields for an instance that does something typical; the laws, the documentation and the gallery use it.
    """

    verb: ClassVar[str] = "map"
    version: ClassVar[int] = 1
    needs: ClassVar[frozenset[str]] = frozenset({"image"})
    whole: ClassVar[bool] = False
    bounded: ClassVar[bool] = False
    last: ClassVar[bool] = False
    looks: ClassVar[bool] = False
    mixes: ClassVar[bool] = False
    imports: ClassVar[bool] = False
    keys: ClassVar[tuple[str, ...]] = ()
    paper: ClassVar[str] = ""
    example: ClassVar[Mapping[str, Any]] = MappingProxyType({})

    def __post_init__(self) -> None:
        # Spaces are stored as spaces, so what was written as a number or a tuple is converted once, here.
        faults = [*_node_faults(self)]
        for name, declared in declarations(type(self)).items():
            try:
                object.__setattr__(self, name, _converted(self, name, declared))
            except VicinalError as fault:
                faults.append(fault)
        if self.whole and self.p != 1 and not faults:
            expected = "1 (dtype or layout change for all samples alike)"
            faults.append(ParameterError(f"{type(self).__name__}.p", expected, repr(self.p), "p=1"))
        raise_all(type(self).__name__, faults or [*self.faults()])

    @abstractmethod
    def lower(self, params: Mapping[str, NDArray], spec: Spec) -> Iterable[Primitive]:
        """The primitives that do it: parameters are (B, ...) arrays, ``spec`` is what arrives here."""

    @property
    def leaves_range(self) -> bool:
        """True where values may leave [0, 1] for good, so that nothing ``bounded`` may follow."""
        return False

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        """(B,) values of every parameter and the keys, one site each; override only where parameters depend on each other."""
        values = {name: self.value(draw, name) for name in self._random}
        return values | {name: draw.key(name) for name in self.keys} if self.keys else values

    @cached_property
    def plain(self) -> bool:
        """True where parameters come from draws alone: not from annotations, nor from anything else that a method of its own looks at."""
        return not self.looks and type(self).sample is Transform.sample

    @cached_property
    def fixed(self) -> bool:
        """True where every parameter is one value and nothing is looked at, so that only the form of a batch decides what it lowers to."""
        return self.plain and not self.keys and all(isinstance(held, Fixed) for held in self.spaces().values())

    @cached_property
    def likeness(self) -> Any:
        """What it is apart from its random parameters, so that those that share it lower as one; None for alone."""
        if self.fixed or self.keys or not self.plain:
            return None
        apart = {"p", "name", *self._random}
        return type(self), *(getattr(self, each.name) for each in dataclasses.fields(self) if each.name not in apart)

    @cached_property
    def lowered(self) -> dict[tuple, tuple[dict[str, NDArray], Iterable[Primitive]]]:
        """Its parameters and primitives where it is fixed, by the form of the batch; a note of the planner's."""
        return {}

    def value(self, draw: Draw, name: str) -> NDArray:
        """(B,) values of one parameter; a fixed one asks for no randomness."""
        held, integer = self._random[name]
        if isinstance(held, Fixed):
            return held.at(draw.address.index)
        return _whole(held, draw.unit(name)) if integer else held.at(draw.unit(name))

    @cached_property
    def _random(self) -> dict[str, tuple[Space, bool]]:
        """The random parameters: the space of each, and whether it holds whole numbers."""
        return {name: (getattr(self, name), declared.integer) for name, declared in random_fields(type(self)).items()}

    def spaces(self) -> dict[str, Space]:
        """The random parameters and the spaces they are drawn from."""
        return {name: getattr(self, name) for name in random_fields(type(self))}

    def stronger(self, strength: float) -> Self:
        shrunk = {}
        for name, declared in declarations(type(self)).items():
            if isinstance(declared, Parameter) and declared.neutral is not None:
                held = getattr(self, name).toward(declared.neutral, strength)
                shrunk[name] = _rounded(held) if declared.integer else held
        return dataclasses.replace(self, **shrunk) if shrunk and strength != 1 else self

    @final
    def emit(self, build: Builder, path: str, on: NDArray[np.bool_]) -> None:
        build.transform(self, path, on)


def _whole(held: Space, u: NDArray) -> NDArray:
    """Whole numbers of a space: both ends of a range are as likely as what lies between."""
    if isinstance(held, Range):
        return int(held.low) + pick(u, int(held.high - held.low) + 1)
    return np.rint(held.at(u)).astype(np.int64)


def _rounded(held: Space) -> Space:
    """A space with whole ends, for parameters that are whole numbers."""
    if isinstance(held, Range):
        return Range(round(held.low), round(held.high))
    return Fixed(round(held.value)) if isinstance(held, Fixed) else held


def _converted(transform: Transform, name: str, declared: Parameter | Option) -> Any:
    where, value = f"{type(transform).__name__}.{name}", getattr(transform, name)
    if isinstance(declared, Option):
        value = tuple(value) if isinstance(value, list) else value
        if declared.admits is not None and not declared.admits(value):
            raise ParameterError(where, declared.expected, repr(value), _typical(type(transform), name))
        return value
    held = space(value, where)
    if not all(declared.admits(end) for end in held.ends()):
        raise ParameterError(where, declared.expected(), _shown(value), _within(declared, type(transform), name))
    return held


def _shown(value: Any) -> str:
    return repr(value.data()) if isinstance(value, Space) else repr(value)


def _typical(cls: type[Transform], name: str) -> str:
    """A value that is right, as advice: the default, or that of the typical instance."""
    default = next(f.default for f in dataclasses.fields(cls) if f.name == name)
    value = cls.example.get(name, ...) if default is dataclasses.MISSING else default
    return f"{name}={'...' if value is ... else repr(value)}"


def _within(declared: Parameter, cls: type[Transform], name: str) -> str:
    """The bounds as a range, as advice; a typical value where there are none."""
    bounded = math.isfinite(declared.low) and math.isfinite(declared.high)
    return f"{name}=({declared.low:g}, {declared.high:g})" if bounded else _typical(cls, name)


_REGISTRY: dict[str, type[Node]] = {}
T = TypeVar("T", bound=type)


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(parameter, option, field))
def register(cls: T) -> T:
    """Class decorator: make it a frozen keyword-only dataclass and known by name to policies, files, laws and the command line."""
    made = dataclass(frozen=True, kw_only=True, repr=False)(cls)
    known = _REGISTRY.get(made.__name__)
    if known is not None and (known.__module__, known.__qualname__) != (made.__module__, made.__qualname__):
        got, write = f"the name of {known.__module__}.{known.__qualname__}", f"class My{made.__name__}"
        raise PolicyError(f"register({made.__name__})", "a name that is not taken", got, write)
    _REGISTRY[made.__name__] = made
    return made


def registry() -> Mapping[str, type[Node]]:
    """All registered transforms by name, read-only."""
    _load_own()
    return MappingProxyType(_REGISTRY)


@lru_cache(maxsize=1)
def _load_own() -> None:
    # By its name, and late: the library's own transforms stand above this module, and importing the library shall cost nothing.
    importlib.import_module("vicinal.face")


def find(name: str, where: str = "policy") -> type[Node]:
    """The class of a name, or an error with the closest one."""
    if name not in _REGISTRY:
        _load_own()
    if name not in _REGISTRY:
        close = nearest(name, _REGISTRY)
        raise UnknownTransform(where, "the name of a transform", repr(name), close or "one of those that `vicinal list` shows")
    return _REGISTRY[name]
