"""Moves: resampling by a map between canvases. All geometry of a policy becomes one such map wherever its parts compose exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, ClassVar, cast, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core import affine
from vicinal.core.batch import KEPT, Spec, changed, constant, every, some
from vicinal.core.bend import Bend, Reversed
from vicinal.core.primitive import Primitive, everywhere, side_by_side, taken
from vicinal.core.spline import gridded

NONE, CONSTANT, REFLECT, REPLICATE = -1, 0, 1, 2
BORDERS = {"constant": CONSTANT, "reflect": REFLECT, "replicate": REPLICATE}
NEAREST, LINEAR = 0, 1
FAR = float(1 << 16)
"""Pixels: what a projective map finds further off, towards its horizon and beyond, is taken to lie that far, which float32 can say."""
_NONES = np.int8(NONE).tobytes()  # Python looks through bytes faster than NumPy compares numbers
INTERPOLATIONS = {"nearest": NEAREST, "linear": LINEAR}


@final
@dataclass(frozen=True, eq=False)
class Warp:
    """Move: resample by one map onto a new canvas: a matrix, or a matrix, a bend and another matrix.

    Args:
        matrix: (B, d + 1, d + 1) map from input to output, continuous coordinates; affine or projective.
        size: (B, d) integers, the new canvas; before: (B, d), the old one.
        border: (B,) what lies outside: CONSTANT, REFLECT, REPLICATE, or NONE: nothing out there is wanted, so any other border may take
            its place, and the half pixel that interpolation looks over the edge is the edge pixel.
        fill: (B,) the value of CONSTANT, as a share of the value range.
        interpolation: (B,) NONE (pixels map onto pixels), NEAREST or LINEAR.
        antialias: (B,) average over the footprint of an output pixel where the map shrinks (``boxes``, ``supersampling``); NEAREST never
            averages.
        bend: (B,) objects, a ``Bend`` that acts behind ``matrix``, or None; None where no sample has one.
        after: (B, d + 1, d + 1) map that acts behind the bend; the identity for samples without.

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
    bend: NDArray[np.object_] | None = None
    after: NDArray[np.float64] | None = None

    @staticmethod
    def of(matrix: NDArray, spec: Spec, size: NDArray | None = None, border: str | None = None, fill: float = 0.0,
           interpolation: str | None = None, antialias: bool = False) -> Warp:  # fmt: skip
        """A warp of every sample of a batch, all with one border and one interpolation; None where none is ever needed."""
        settings = _settings if len(matrix) <= KEPT else _settings.__wrapped__
        canvas = spec.size if size is None else np.asarray(size, np.int64)
        return Warp(matrix, canvas, spec.size, *settings(len(matrix), border, fill, interpolation, antialias))

    @staticmethod
    def bent_by(bends: Sequence[Bend | None], spec: Spec, border: str, fill: float, interpolation: str) -> Warp:
        """A warp of every sample by a bend of its canvas onto itself; None leaves a sample as it is."""
        return Warp.of(affine.unmoved(len(spec)), spec, None, border, fill, interpolation).with_bends(bends)

    def with_bends(self, bends: Sequence[Bend | None]) -> Warp:
        """The warp and then a bend of each sample's canvas."""
        held = np.empty(len(self.active), object)
        held[:] = bends
        return changed(self, bend=held, after=affine.unmoved(len(held)))

    def where(self, on: NDArray[np.bool_]) -> Warp:
        return changed(self, active=self.active & on)

    def settled(self) -> Warp:
        """The same warp with the neutral values written out: the identity, and no border, for samples that are not active."""
        on = self.active
        if every(on):
            return self
        if self.plain and self.size is self.before:  # no border and no interpolation: the matrix says all
            return changed(self, matrix=self._maps())
        one, same, none = on[:, None], affine.identity(1, self.matrix.shape[-1] - 1), np.int8(NONE)
        return Warp(
            matrix=self._maps(),
            size=self.size if self.size is self.before else np.where(one, self.size, self.before),
            before=self.before,
            border=np.where(on, self.border, none),
            fill=np.where(on, self.fill, 0.0),
            interpolation=np.where(on, self.interpolation, none),
            antialias=self.antialias & on,
            active=on,
            bend=None if self.bend is None else np.where(on, self.bend, np.full(len(on), None, object)),
            after=None if self.after is None else np.where(one[..., None], self.after, same),
        )

    def rows(self, rows: NDArray | slice) -> Warp:
        return taken(self, rows)

    def joins(self, other: Primitive) -> NDArray[np.bool_] | bool:
        if not isinstance(other, Warp):
            return False
        if self._sampled_as(other):
            return True
        both = self.active & other.active
        if not some(both) or self.plain:
            return True
        border = (self.border == NONE) | (other.border == NONE) | ((self.border == other.border) & (self.fill == other.fill))
        sampling = (self.interpolation == NONE) | (other.interpolation == NONE) | (self.interpolation == other.interpolation)
        free = border & sampling if self.bend is None or other.bend is None else border & sampling & ~(self.bent & other.bent)
        return ~both | free

    @cached_property
    def plain(self) -> bool:
        """Whether every sample puts pixels onto pixels without a border, so that whatever comes behind it is taken in."""
        return self.bend is None and not any(array.tobytes().strip(_NONES) for array in (self.border, self.interpolation))

    def then(self, other: Warp) -> Warp:
        apart = not some(self.active & other.active)
        if self._set_as(other):
            matrix = np.where(other.active[:, None, None], other.matrix, self.matrix) if apart else other._maps() @ self._maps()
            return changed(self, matrix=matrix, active=self.active | other.active)
        if self.bend is other.bend is None and apart:
            made = side_by_side(self, other, other.active)
            if self.before is other.before:
                return made
            return changed(made, before=np.where(self.active[:, None], self.before, other.before))
        first, second = self.settled(), other.settled()
        kept, alone = first.border != NONE, every(second.active)
        matrix, bend, after = _composed(first, second)
        return Warp(
            matrix=matrix,
            # A sample that is neutral on one side may have another size by now: its canvas is whatever the active side says.
            size=second.size if alone else np.where(second.active[:, None], second.size, first.size),
            before=first.before if first.before is second.before else np.where(first.active[:, None], first.before, second.before),
            border=second.border if self.plain else np.where(kept, first.border, second.border),
            fill=second.fill if self.plain else np.where(kept, first.fill, second.fill),
            interpolation=np.maximum(first.interpolation, second.interpolation),
            antialias=first.antialias | second.antialias,
            active=first.active | second.active,
            bend=bend,
            after=after,
        )

    def _set_as(self, other: Warp) -> bool:
        """Whether all that is said beside the matrix is said by the same arrays, on one canvas: only matrices are left to compose."""
        one_canvas = self.size is self.before is other.size is other.before
        return one_canvas and self.antialias is other.antialias and self._sampled_as(other)

    def _sampled_as(self, other: Warp) -> bool:
        """Whether the same arrays say what lies outside and between pixels, of two maps that matrices say."""
        bounded = self.border is other.border and self.fill is other.fill
        return bounded and self.interpolation is other.interpolation and self.bend is other.bend is None

    def _maps(self) -> NDArray[np.float64]:
        """The matrices, with the identity where a sample is not concerned."""
        on = self.active
        return self.matrix if every(on) else np.where(on[:, None, None], self.matrix, affine.identity(1, self.matrix.shape[-1] - 1))

    def spec(self, before: Spec) -> Spec:
        return before if self.size is before.size else before.but(size=self.settled().size)

    @cached_property
    def bent(self) -> NDArray[np.bool_]:
        """(B,) which samples have a bend."""
        if self.bend is None:
            return np.zeros(len(self.active), bool)
        held = np.not_equal(self.bend, cast(Any, None))  # element by element
        return self.active & held.astype(bool)

    @cached_property
    def projective(self) -> NDArray[np.bool_]:
        """(B,) where a matrix is not affine."""
        before = affine.projective(self.matrix)
        return before if self.after is None else before | affine.projective(self.after)

    def linear(self) -> NDArray[np.float64]:
        """(B, d, d) the derivative of the map at the middle of the canvas, without the bend."""
        centre = self.before[:, None, ::-1] / 2
        found = affine.jacobian(self.matrix, centre[:, 0])
        if self.after is None:
            return found
        return affine.jacobian(self.after, affine.apply(self.matrix, centre)[:, 0]) @ found

    @cached_property
    def still(self) -> NDArray[np.bool_]:
        """(B,) where the map is the identity on the same canvas: those samples are copied, bit for bit."""
        same = np.asarray((self.matrix == np.eye(self.matrix.shape[-1])).all((1, 2)) & (self.size == self.before).all(1))
        return np.asarray(same & ~self.bent)

    def forward(self, points: NDArray, owner: NDArray) -> NDArray[np.float64]:
        """Where points (N, n, d) of the samples ``owner`` (N,) go; nothing is clipped."""
        points = affine.apply(self.matrix[owner], points)
        if self.bend is None or self.after is None:
            return points
        return affine.apply(self.after[owner], self._through(points, owner, "target"))

    def backward(self, points: NDArray, owner: NDArray) -> NDArray[np.float64]:
        """Where points (N, n, d) of the result come from: the inverse of ``forward``."""
        if self.bend is not None and self.after is not None:
            points = self._through(affine.apply(self.after_inverted[owner], points), owner, "source")
        return affine.apply(self.inverted[owner], points)

    def inverse(self) -> Warp:
        """The way back; what it cannot know is the border's fill."""
        first, last = self.inverted, None if self.after is None else self.after_inverted
        on = self.active
        back = Warp(
            matrix=first if last is None else first @ last,
            size=np.where(on[:, None], self.before, self.size),
            before=self.size,
            border=np.where(on, CONSTANT, NONE).astype(np.int8),
            fill=np.zeros(len(on)),
            interpolation=self.interpolation,
            antialias=np.zeros(len(on), bool),
            active=on,
        )
        if self.bend is None or last is None:
            return back
        # Where there is no bend, one matrix says all: nobody looks for a second one.
        bent, made = self.bent[:, None, None], back.with_bends([bend and Reversed(bend) for bend in self.bend])
        return changed(made, matrix=np.where(bent, last, back.matrix), after=np.where(bent, first, affine.identity(len(on))))

    def _through(self, points: NDArray, owner: NDArray, way: str) -> NDArray[np.float64]:
        points, bent = np.array(points, np.float64), np.unique(owner[self.bent[owner]])
        for sample, bend in zip(bent, gridded([] if self.bend is None else self.bend[bent].tolist()), strict=True):
            rows = owner == sample
            points[rows] = getattr(bend, way)(points[rows].reshape(-1, 2)).reshape(points[rows].shape)
        return points

    @cached_property
    def upright(self) -> NDArray[np.bool_]:
        """(B,) where rows stay rows and columns stay columns, so that every axis is resampled by itself: scale, shift and mirror."""
        linear, plain = self.matrix[:, :-1, :-1], ~self.bent & ~self.projective
        return plain if linear.shape[-1] == 1 else plain & (linear[:, 0, 1] == 0) & (linear[:, 1, 0] == 0)

    @cached_property
    def exact(self) -> NDArray[np.bool_]:
        """(B,) where pixels of an image fall onto pixels: flips, quarter turns, and shifts by whole pixels."""
        if self.matrix.shape[-1] != 3:
            return np.zeros(len(self.active), bool)
        linear, shift = np.abs(self.matrix[:, :2, :2]), self.matrix[:, :2, 2]
        turns = (linear.sum(1) == 1).all(1) & (linear.max(1) == 1).all(1)
        return turns & (shift == np.rint(shift)).all(1) & ~self.bent & ~self.projective

    @cached_property
    def places(self) -> NDArray[np.int64]:
        """(B, 6) maps of the pixels of the result onto pixels, row by row, of the images whose map is exact."""
        return np.rint(affine.indexed(self.inverted)).astype(np.int64).reshape(-1, 6)

    @cached_property
    def inverted(self) -> NDArray[np.float64]:
        """(B, d + 1, d + 1) inverses of ``matrix``."""
        return affine.invert(self.matrix)

    @cached_property
    def after_inverted(self) -> NDArray[np.float64]:
        """(B, d + 1, d + 1) inverses of ``after``."""
        return affine.identity(len(self.active), self.matrix.shape[-1] - 1) if self.after is None else affine.invert(self.after)

    @property
    def averaged(self) -> NDArray[np.bool_]:
        """(B,) where output pixels are means over their footprint."""
        return self.antialias & (self.interpolation != NEAREST)

    @cached_property
    def boxes(self) -> NDArray[np.float64]:
        """(B, d) source pixels along x (and y) whose exact mean an output pixel is, where the map is upright; 1 is linear interpolation."""
        averaged = self.averaged
        boxed = averaged & self.upright if averaged.any() else averaged
        if not boxed.any():
            return np.ones((len(self.active), self.size.shape[1]))
        return np.where(boxed[:, None], np.maximum(np.abs(np.einsum("bii->bi", self.inverted[:, :-1, :-1])), 1), 1)

    @cached_property
    def supersampling(self) -> NDArray[np.int64]:
        """(B, d) linear samples per output pixel along x (and y) where the map is not upright: as many as it covers source pixels; their
        mean is the antialiasing."""
        averaged = self.averaged
        sampled = averaged & ~self.upright if averaged.any() else averaged
        if not sampled.any():
            return np.ones((len(self.active), self.size.shape[1]), np.int64)
        return np.where(sampled[:, None], np.rint(affine.footprint(self.linear())).clip(1, 64), 1).astype(np.int64)


@lru_cache(maxsize=64)
def _settings(
    batch: int, border: str | None, fill: float, interpolation: str | None, antialias: bool
) -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
    """From border to active (B,) of warps that share them, so that what joins them sees at once that they are alike."""
    return (
        constant(batch, NONE if border is None else BORDERS[border], np.int8),
        constant(batch, fill),
        constant(batch, NONE if interpolation is None else INTERPOLATIONS[interpolation], np.int8),
        constant(batch, antialias, bool),
        everywhere(batch),
    )


def _composed(first: Warp, second: Warp) -> tuple[NDArray, NDArray | None, NDArray | None]:
    """Matrix, bend and matrix of one warp and then the other, of which at most one is bent for each sample."""
    product = second.matrix @ first.matrix
    if first.bend is None and second.bend is None:
        return product, None, None
    bent, same = first.bent[:, None, None], affine.identity(len(product), product.shape[-1] - 1)
    front, back = (same if warp.after is None else warp.after for warp in (first, second))
    none = np.full(len(product), None, object)
    bends = np.where(bent[:, 0, 0], none if first.bend is None else first.bend, none if second.bend is None else second.bend)
    return np.where(bent, first.matrix, product), bends, np.where(bent, second.matrix @ front, back)
