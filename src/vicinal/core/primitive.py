"""The few things a backend can do to data. Each is a small algebraic object over a whole batch.

A primitive has a neutral element (``where`` puts it wherever a sample is not concerned), a partial composition (``joins`` says for
which samples the next one can be taken in exactly, ``then`` takes it in), the spec of what comes out, a tolerance within which
backends agree, and a *verb* that decides once what happens to everything else a sample carries:

======== ============================================= ===========================================
verb     the data                                      boxes, masks, keypoints, events
======== ============================================= ===========================================
move     sampled elsewhere                             follow by the same map
map      every value by itself                         stay
filter   every value from its neighbours               stay
mix      values of another source come in              stay, but may be hidden
opaque   anything                                      stay; the transform must not move anything
======== ============================================= ===========================================
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec, changed, constant, every, field_names, some
from vicinal.core.steps import Step, mapped


class Primitive(Protocol):
    """The contract between transforms, planner and backends; all arrays have the batch as their first axis."""

    verb: ClassVar[str]
    tolerance: ClassVar[float]

    @property
    def active(self) -> NDArray[np.bool_]:
        """(B,) the samples that are concerned."""
        ...

    def where(self, on: NDArray[np.bool_]) -> Self:
        """The same primitive, neutral for the samples that are off."""
        ...

    def joins(self, other: Primitive) -> NDArray[np.bool_] | bool:
        """For which samples ``then`` is exact: (B,), or one answer for all. The planner asks it of primitives of one type alone."""
        ...

    def then(self, other: Any) -> Self:
        """One primitive that does this and then the other."""
        ...

    def settled(self) -> Self:
        """The primitive as a backend gets it, when all that joins it has joined."""
        ...

    def rows(self, rows: NDArray | slice) -> Self:
        """The primitive of some of the samples, in any order and as often as wanted."""
        ...

    def spec(self, before: Spec) -> Spec:
        """What comes out, without data."""
        ...


def taken(primitive: Any, rows: NDArray | slice) -> Any:
    """A dataclass of arrays over the batch, and of mappings of such arrays, with some of the samples."""
    found = {}
    for name, value in _fields(primitive):
        if isinstance(value, np.ndarray):
            found[name] = value[rows]
        elif isinstance(value, tuple) and value and isinstance(value[0], np.ndarray):
            found[name] = tuple(array[rows] for array in value)
        elif isinstance(value, dict):
            found[name] = {key: array[rows] for key, array in value.items()}
    return changed(primitive, **found)


def alike(one: Any, other: Any) -> bool:
    """True for dataclasses of one type whose arrays have one shape for a sample, and whose other fields are equal."""
    if type(one) is not type(other):
        return False
    mine, theirs = vars(one), vars(other)
    return all(_same_form(mine[name], theirs[name]) for name in field_names(type(one)))


def _fields(primitive: Any) -> list[tuple[str, Any]]:
    """Names and values, without what a primitive keeps once it has worked it out."""
    held = vars(primitive)
    return [(name, held[name]) for name in field_names(type(primitive))]


def _same_form(one: Any, other: Any) -> bool:
    if one is other:
        return True
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and one.shape[1:] == other.shape[1:] and one.dtype == other.dtype
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same_form(value, other[name]) for name, value in one.items())
    if isinstance(one, tuple):
        return isinstance(other, tuple) and len(one) == len(other) and all(map(_same_form, one, other))
    return isinstance(one, (str, int, float, bool)) and one == other


def side_by_side(one: Any, other: Any, on: NDArray[np.bool_]) -> Any:
    """Alike dataclasses with the rows of the other one where ``on``; ``active`` where either is."""
    theirs = vars(other)
    made = {name: _picked(value, theirs[name], on) for name, value in _fields(one) if value is not theirs[name]}
    made["active"] = one.active | other.active
    return changed(one, **made)


def _picked(one: Any, other: Any, on: NDArray[np.bool_]) -> Any:
    if other is one:
        return one
    if isinstance(one, np.ndarray):
        return np.where(on.reshape(-1, *[1] * (one.ndim - 1)), other, one)
    if isinstance(one, dict):
        return {name: _picked(value, other[name], on) for name, value in one.items()}
    return tuple(_picked(*pair, on) for pair in zip(one, other, strict=True)) if isinstance(one, tuple) else one


def everywhere(batch: int) -> NDArray[np.bool_]:
    """(B,) all on, read-only."""
    return constant(batch, True, bool)


@final
@dataclass(frozen=True, eq=False)
class Pointwise:
    """Map: a chain of steps on every value by itself, with one rounding at its end; dtype and layout may change on the way out.

    Integer inputs have few values, so a backend may run the chain once over a table. A cast (dtype, layout or range change, always
    for all samples) sees rounded values, so that it gives the same bits to a sample whether or not another pass stands before it.

    Args:
        steps: in order; dtype, layout: of the result, None for unchanged; unit: False once values may leave [0, 1].
    """

    verb: ClassVar[str] = "map"
    tolerance: ClassVar[float] = 1 / 255

    steps: tuple[Step, ...]
    active: NDArray[np.bool_]
    dtype: str | None = None
    layout: str | None = None
    unit: bool = True

    def where(self, on: NDArray[np.bool_]) -> Pointwise:
        if every(on):
            return self
        return changed(self, steps=tuple([step.where(on) for step in self.steps]), active=self.active & on)

    @property
    def cast(self) -> bool:
        """True where dtype, layout or range change, so that all samples are concerned alike."""
        return not (self.dtype is None and self.layout is None and self.unit)

    @property
    def mixes(self) -> bool:
        """True where some step lets channels depend on each other, so that one table of values does not do."""
        return any(step.mixes for step in self.steps)

    def joins(self, other: Primitive) -> bool:
        return isinstance(other, Pointwise)

    def settled(self) -> Pointwise:
        return self

    def then(self, other: Pointwise) -> Pointwise:
        return Pointwise(
            self.steps + other.steps,
            self.active | other.active,
            other.dtype or self.dtype,
            other.layout or self.layout,
            self.unit and other.unit,
        )

    def spec(self, before: Spec) -> Spec:
        if not self.cast:
            return before
        layout, dtype = self.layout or before.layout, self.dtype or before.dtype
        return before.but(dtype=dtype, layout=layout, unit=before.unit and self.unit)

    def evaluate(self, values: NDArray) -> NDArray:
        """Run the chain on (B, n, C) or (B, n, 1) values in [0, 1]."""
        for step in self.steps:
            values = step(values)
        return values

    def rows(self, rows: NDArray | slice) -> Pointwise:
        """The chain of some of the samples."""
        shared = len(self.active) > 1
        steps = (mapped(step, lambda array: array if shared and len(array) == 1 else array[rows]) for step in self.steps)
        return changed(self, steps=tuple(steps), active=self.active[rows])


class Alone:
    """Abstract: a primitive that composes with nothing, and that backends skip for samples that are not active.

    Two of the same form stand in one pass for samples of which each concerns one of them: alternatives of a OneOf line up.
    """

    active: NDArray[np.bool_]

    def where(self, on: NDArray[np.bool_]) -> Self:
        return changed(self, active=self.active & on)

    def joins(self, other: Primitive) -> NDArray[np.bool_] | bool:
        if not alike(self, other):
            return False
        both = self.active & other.active
        return ~both if some(both) else True

    def then(self, other: Any) -> Self:
        return side_by_side(self, other, other.active)

    def settled(self) -> Self:
        return self

    def rows(self, rows: NDArray | slice) -> Self:
        return taken(self, rows)

    def spec(self, before: Spec) -> Spec:
        return before


@final
@dataclass(frozen=True, eq=False)
class Filter(Alone):
    """Filter: correlation with one kernel after the other, without rounding between them; clipped to [0, 1] at the end.

    Outside the canvas values are mirrored without repeating the edge pixel (OpenCV's REFLECT_101, scipy's "mirror").

    Args:
        kernels: each (B, kh, kw) with odd sides, the middle on the pixel; a separable kernel is given as (B, kh, 1) and (B, 1, kw).
            Kernels smaller than the largest of the batch are surrounded by zeros; a backend cuts these away sample by sample.
    """

    verb: ClassVar[str] = "filter"
    tolerance: ClassVar[float] = 2 / 255

    kernels: tuple[NDArray[np.float64], ...]
    active: NDArray[np.bool_]


@final
@dataclass(frozen=True, eq=False)
class Noise(Alone):
    """Map: independent noise on every value, generated by the backend from a key: ``x + n``, or ``x * (1 + n)`` where ``times``.

    A draw is ``low + (high - low) * q`` with q of one of the laws:

    ========== ========================================================================================
    law        q
    ========== ========================================================================================
    uniform    uniform in [0, 1)
    gaussian   standard normal
    laplace    density exp(-|q|) / 2
    cauchy     density 1 / (pi (1 + q**2))
    student    Student's t with ``degrees`` of freedom
    ========== ========================================================================================

    Args:
        law: one of them, for the whole batch; low, high: (B,) the ends of the uniform law, or 0 and the scale of the others.
        key: (B, 2) uint32; share: (B,) the share of values (of pixels, if shared) that are touched.
        overflow: "clip", "renormalise" (per sample, only as far as values left the range) or "keep" (floats only).
        shared: all channels of a pixel take one draw; times: noise relative to the value; degrees: of freedom.
    """

    verb: ClassVar[str] = "map"
    tolerance: ClassVar[float] = 1 / 255

    law: str
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    key: NDArray[np.uint32]
    share: NDArray[np.float64]
    active: NDArray[np.bool_]
    overflow: str = "clip"
    shared: bool = False
    times: bool = False
    degrees: float = 1.0

    def spec(self, before: Spec) -> Spec:
        return before if self.overflow != "keep" else before.but(unit=False)


@final
@dataclass(frozen=True, eq=False)
class Patch(Alone):
    """Mix: rectangles of a sample take one value, or uniform noise.

    Args:
        box: (B, n, 4) integers x0, y0, x1, y1, inside the canvas; one without area does nothing.
        fill: (B, 1) or (B, C) shares of the value range.
        key: (B, 2) uint32 where every value in the rectangles is independent and uniform over the range instead; it is a hash of its
            place, so rectangles that overlap agree.
    """

    verb: ClassVar[str] = "mix"
    tolerance: ClassVar[float] = 0.0

    box: NDArray[np.int64]
    fill: NDArray[np.float64]
    active: NDArray[np.bool_]
    key: NDArray[np.uint32] | None = None


@final
@dataclass(frozen=True, eq=False)
class Hide(Alone):
    """Mix: objects of a mask take one value in the image, and vanish from the mask.

    Args:
        region: (B,) objects, each (H, W) boolean where the image is filled, or None; fill: (B,) share of the value range.
        labels: (B,) arrays of the values that vanish from label masks; instances: (B,) arrays of the numbers of instances that are dropped.
    """

    verb: ClassVar[str] = "mix"
    tolerance: ClassVar[float] = 0.0

    region: NDArray[np.object_]
    fill: NDArray[np.float64]
    labels: NDArray[np.object_]
    instances: NDArray[np.object_]
    active: NDArray[np.bool_]


@final
@dataclass(frozen=True, eq=False)
class Opaque(Alone):
    """Opaque: any function of one sample, for what no other primitive says. It sees (H, W, C), read-only, and returns the same form.

    Args:
        function: ``function(data, **arguments)``; arguments: name to (B, ...) array, of which each sample gets its row.
    """

    verb: ClassVar[str] = "opaque"
    tolerance: ClassVar[float] = 0.0

    function: Callable[..., NDArray]
    active: NDArray[np.bool_]
    arguments: dict[str, NDArray] = field(default_factory=dict)


@final
@dataclass(frozen=True, eq=False)
class Effect(Alone):
    """Opaque: a named function of the backends' library of effects, for what does not lower to the algebra.

    Args:
        name: "module.function" below ``vicinal.backend.effects``. The function sees equal images (b, H, W, C), read-only, the active ones
            alone, and gives a new array of the same form.
        arguments: name to (B, ...) array, of which it gets the rows of its images.
        common: pairs of a name and a text, number or truth value that is one for all images; effects that differ in it share no pass.
        unit: whether values that lay in the value range still do.
    """

    verb: ClassVar[str] = "opaque"
    tolerance: ClassVar[float] = 0.0

    name: str
    active: NDArray[np.bool_]
    arguments: dict[str, NDArray] = field(default_factory=dict)
    common: tuple[tuple[str, Any], ...] = ()
    unit: bool = True

    def spec(self, before: Spec) -> Spec:
        return before if self.unit else before.but(unit=False)
