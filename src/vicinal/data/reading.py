"""A batch of image files as the main target of a call: decoded only when its plan is known, each file at the scale its plan needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.backend.reference import stacked
from vicinal.core.backend import Backend, Dense
from vicinal.core.batch import Spec
from vicinal.core.draw import Address
from vicinal.core.errors import BackendError, DataError, VicinalError
from vicinal.core.pages import Pages, Room, room
from vicinal.core.primitive import Primitive
from vicinal.core.threads import Threads, Whole
from vicinal.core.warp import NEAREST, Warp

if TYPE_CHECKING:
    from vicinal.data.decode import Encoded

_CHUNK, _SCALES = 8, 8
_PIXELS = 1 << 23  # about so many of them lie side by side at full size
_SLACK = 1e-9


def reductions(first: Primitive) -> NDArray[np.int64]:
    """(B,) the largest of 1, 2, 4 and 8 by which a source may be decoded smaller before ``first`` without losing resolution.

    That is where an affine map averages over so many source pixels in every direction: its largest stretch is 1/2, 1/4 or 1/8 at most.
    A map that does not average (``antialias`` off, nearest) would show the difference, so its source stays as it is.
    """
    if not isinstance(first, Warp):
        return np.ones(len(first.active), np.int64)
    fits = first.active & first.antialias & (first.interpolation != NEAREST) & ~first.bent & ~first.projective
    stretch = np.linalg.norm(first.linear(), 2, axis=(1, 2))
    scale = np.clip(1 / np.maximum(stretch, 1 / _SCALES) + _SLACK, 1, _SCALES)
    return np.where(fits, 2 ** np.floor(np.log2(scale)).astype(np.int64), 1)


def corrected(warp: Warp, file: Encoded, by: int) -> Warp:
    """The warp of one sample for a source decoded at 1/``by`` of its scale: from reduced to source coordinates, then the same map."""
    size, (left, top) = file.reduced(by)
    enlarged = np.array([[by, 0, -left], [0, by, -top], [0, 0, 1]], float)
    return replace(warp, matrix=warp.matrix @ enlarged, before=np.array([size]))


@final
@dataclass(frozen=True, eq=False)
class Pending:
    """B files that wait for their plan; in the place of a batch of arrays.

    Args:
        files: what is to be decoded; address: their draws; faults: by position, filled with what could not be decoded.
        workers: who decodes and augments; pages: where the result lies; reduce: whether JPEG may be decoded at a smaller scale.
    """

    files: Sequence[Encoded]
    address: Address
    workers: Executor
    pages: Pages
    reduce: bool
    faults: dict[int, DataError] = field(default_factory=dict)

    @property
    def spec(self) -> Spec:
        """What will come: upright 8-bit RGB."""
        return Spec.of([file.size for file in self.files])

    def __len__(self) -> int:
        return len(self.files)

    def copy(self) -> Dense:
        """All pixels, at full scale: what no pass at all makes of the batch."""
        made = self._shared(lambda rows: [self._pixels(row, 1) for row in range(len(self))[rows]])
        return stacked([sample for part in made for sample in part])

    def through(self, primitives: Sequence[Primitive], engine: Backend) -> Dense:
        """The batch after some passes."""
        first = primitives[0]
        scales = reductions(first) if self.reduce else np.ones(len(self), np.int64)
        scales = np.where([file.scalable for file in self.files], scales, 1)
        ahead = (first,) if isinstance(first, Warp) else ()  # by itself: files differ in size, what it makes of them mostly does not
        rest, whole = primitives[len(ahead) :], Whole(len(self), self.pages.array)
        most = _CHUNK if ahead else max(1, int(_PIXELS // self.spec.size.prod(1).mean()))

        def work(rows: slice) -> None:
            moved = [self._moved(row, int(scales[row]), ahead, engine) for row in range(len(self))[rows]]
            passes = [primitive.rows(rows) for primitive in rest]
            whole.take(rows, self._run(rows, passes, stacked(moved), engine, whole.part(rows)))

        self._shared(work, most)
        return whole.data()

    def _moved(self, row: int, by: int, ahead: Sequence[Warp], engine: Backend) -> NDArray:
        pixels, one = self._pixels(row, by), slice(row, row + 1)
        warps = [warp.rows(one) if by == 1 else corrected(warp.rows(one), self.files[row], by) for warp in ahead]
        return self._run(one, warps, pixels[None], engine)[0]

    def _pixels(self, row: int, by: int) -> NDArray:
        try:
            return self.files[row].pixels(by)
        except DataError as fault:
            self.faults[row] = fault
            raise

    def _run(self, rows: slice, passes: Sequence[Primitive], data: Dense, engine: Backend, room: Room = room) -> Dense:
        try:
            return engine.run(passes, data, room) if passes else data
        except VicinalError:
            raise
        except Exception as fault:
            names = ", ".join(str(file.path) for file in self.files[rows])
            got = f"{type(fault).__name__}: {fault}"
            raise BackendError(f"{names} at {self.address[rows]}", "every pass to run", got) from fault

    def _shared(self, work: Callable[[slice], Any], most: int = _CHUNK) -> list[Any]:
        """What ``work`` makes of slices of the batch, of ``most`` files at most."""
        step = max(1, min(_CHUNK, most, len(self) // 4))
        cuts = [slice(start, min(start + step, len(self))) for start in range(0, len(self), step)]
        return list(self.workers.map(work, cuts))


@final
class Reading:
    """A backend that takes files for the main target; everything else it hands to ``engine``, shared out among ``threads``."""

    def __init__(self, engine: Backend, threads: int):
        self.name, self.rounds, self._engine = engine.name, engine.rounds, engine
        self._arrays = Threads(engine, threads) if threads > 1 else engine

    def run(self, primitives: Sequence[Primitive], data: Any, room: Room = room) -> Dense:
        """All passes on the main target."""
        return data.through(primitives, self._engine) if isinstance(data, Pending) else self._arrays.run(primitives, data, room)

    def follow(self, moves: Sequence[Warp], data: Dense, fill: float) -> Dense:
        """The moves alone, by the nearest pixel."""
        return self._arrays.follow(moves, data, fill)
