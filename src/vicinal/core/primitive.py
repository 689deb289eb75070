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
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol, Self, cast, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core import affine
from vicinal.core.batch import Spec
from vicinal.core.steps import Step, mapped

NONE, CONSTANT, REFLECT, REPLICATE = -1, 0, 1, 2
BORDERS = {"constant": CONSTANT, "reflect": REFLECT, "replicate": REPLICATE}
NEAREST, LINEAR = 0, 1
INTERPOLATIONS = {"nearest": NEAREST, "linear": LINEAR}


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
        """For which samples ``then`` is exact: (B,), or one answer for all."""
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
    changed = {}
    for name, value in vars(primitive).items():
        if isinstance(value, np.ndarray):
            changed[name] = value[rows]
        elif isinstance(value, tuple) and value and isinstance(value[0], np.ndarray):
            changed[name] = tuple(array[rows] for array in value)
        elif isinstance(value, dict):
            changed[name] = {key: array[rows] for key, array in value.items()}
    return replace(primitive, **changed)


def everywhere(batch: int) -> NDArray[np.bool_]:
    """(B,) all on."""
    return np.ones(batch, bool)


@final
@dataclass(frozen=True, eq=False)
class Warp:
    """Move: resample by an affine map onto a new canvas.

    Args:
        matrix: (B, d + 1, d + 1) map from input to output, continuous coordinates.
        size: (B, d) integers, the new canvas; before: (B, d), the old one.
        border: (B,) what lies outside: CONSTANT, REFLECT, REPLICATE, or NONE: nothing out there is wanted, so any other border may take
            its place, and the half pixel that interpolation looks over the edge is the edge pixel.
        fill: (B,) the value of CONSTANT, as a share of the value range.
        interpolation: (B,) NONE (pixels map onto pixels), NEAREST or LINEAR.
        antialias: (B,) average over the footprint of an output pixel where the map shrinks; NEAREST never averages.

    Linear sampling agrees between backends within 8/255: OpenCV before 5.0 rounds both coordinates to 1/32 of a pixel, which is at
    most 1/64 of the largest possible step along each.
    """

    verb: ClassVar[str] = "move"
    tolerance: ClassVar[float] = 8 / 255

    matrix: NDArray[np.float64]
    size: NDArray[np.int64]
    before: NDArray[np.int64]
    border: NDArray[np.int8]
    fill: NDArray[np.float64]
    interpolation: NDArray[np.int8]
    antialias: NDArray[np.bool_]
    active: NDArray[np.bool_]

    @staticmethod
    def of(matrix: NDArray, spec: Spec, size: NDArray | None = None, border: str | None = None, fill: float = 0.0,
           interpolation: str | None = None, antialias: bool = False) -> Warp:  # fmt: skip
        """A warp of every sample of a batch, all with one border and one interpolation; None where none is ever needed."""
        batch = len(spec)
        return Warp(
            matrix=matrix,
            size=spec.size if size is None else np.asarray(size, np.int64),
            before=spec.size,
            border=np.full(batch, NONE if border is None else BORDERS[border], np.int8),
            fill=np.full(batch, float(fill)),
            interpolation=np.full(batch, NONE if interpolation is None else INTERPOLATIONS[interpolation], np.int8),
            antialias=np.full(batch, antialias),
            active=everywhere(batch),
        )

    def where(self, on: NDArray[np.bool_]) -> Warp:
        return replace(self, active=self.active & on)

    def settled(self) -> Warp:
        """The same warp with the neutral values written out: the identity, and no border, for samples that are not active."""
        on = self.active
        if on.all():
            return self
        one = on[:, None]
        return Warp(
            matrix=np.where(one[..., None], self.matrix, np.eye(self.matrix.shape[-1])),
            size=np.where(one, self.size, self.before),
            before=self.before,
            border=np.where(on, self.border, NONE).astype(np.int8),
            fill=np.where(on, self.fill, 0.0),
            interpolation=np.where(on, self.interpolation, NONE).astype(np.int8),
            antialias=self.antialias & on,
            active=on,
        )

    def rows(self, rows: NDArray | slice) -> Warp:
        return taken(self, rows)

    def joins(self, other: Primitive) -> NDArray[np.bool_] | bool:
        if not isinstance(other, Warp):
            return False
        alone = ~(self.active & other.active)
        border = (self.border == NONE) | (other.border == NONE) | ((self.border == other.border) & (self.fill == other.fill))
        sampling = (self.interpolation == NONE) | (other.interpolation == NONE) | (self.interpolation == other.interpolation)
        return alone | (border & sampling)

    def then(self, other: Warp) -> Warp:
        first, second = self.settled(), other.settled()
        kept = first.border != NONE
        return Warp(
            matrix=second.matrix @ first.matrix,
            # A sample that is neutral on one side may have another size by now: its canvas is whatever the active side says.
            size=np.where(second.active[:, None], second.size, first.size),
            before=np.where(first.active[:, None], first.before, second.before),
            border=np.where(kept, first.border, second.border),
            fill=np.where(kept, first.fill, second.fill),
            interpolation=np.maximum(first.interpolation, second.interpolation),
            antialias=first.antialias | second.antialias,
            active=first.active | second.active,
        )

    def spec(self, before: Spec) -> Spec:
        return before if self.size is before.size else before.but(size=self.settled().size)

    def still(self) -> NDArray[np.bool_]:
        """(B,) where the map is the identity on the same canvas: those samples are copied, bit for bit."""
        return (self.matrix == np.eye(self.matrix.shape[-1])).all((1, 2)) & (self.size == self.before).all(1)

    def supersampling(self) -> NDArray[np.int64]:
        """(B, d) linear samples per output pixel along x (and y): as many as it covers source pixels; their mean is the antialiasing."""
        averaged = self.antialias & (self.interpolation != NEAREST)
        if not averaged.any():
            return np.ones((len(self.active), self.size.shape[1]), np.int64)
        return np.where(averaged[:, None], np.rint(affine.footprint(self.matrix)).clip(1, 64), 1).astype(np.int64)


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
        if on.all():
            return self
        return replace(self, steps=tuple(step.where(on) for step in self.steps), active=self.active & on)

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
        return replace(self, steps=tuple(steps), active=self.active[rows])


class Alone:
    """Abstract: a primitive that composes with nothing and that backends skip for samples that are not active."""

    active: NDArray[np.bool_]

    def where(self, on: NDArray[np.bool_]) -> Self:
        return replace(cast(Any, self), active=self.active & on)

    def joins(self, other: Primitive) -> bool:
        return False

    def then(self, other: Any) -> Self:
        raise AssertionError("joins is never true")

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
    """Mix: a rectangle per sample takes one value.

    Args:
        box: (B, 4) integers x0, y0, x1, y1, inside the canvas; fill: (B,) share of the value range.
    """

    verb: ClassVar[str] = "mix"
    tolerance: ClassVar[float] = 0.0

    box: NDArray[np.int64]
    fill: NDArray[np.float64]
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
    """

    verb: ClassVar[str] = "opaque"
    tolerance: ClassVar[float] = 0.0

    name: str
    active: NDArray[np.bool_]
    arguments: dict[str, NDArray] = field(default_factory=dict)
