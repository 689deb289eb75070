"""What every target knows: its data, and how it follows the way from one canvas to another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple, Self, cast, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.backend import Backend
from vicinal.core.batch import Spec
from vicinal.core.primitive import Primitive
from vicinal.core.targets.rows import Instances
from vicinal.core.warp import Warp


@final
class Way(NamedTuple):
    """The way from one canvas to another: every pass for images, the moves among them for annotations.

    ``depth`` is (B,) the number of slices where samples are volumes, else None.
    """

    passes: Sequence[Primitive]
    before: Spec
    after: Spec
    engine: Backend
    depth: NDArray[np.int64] | None = None

    @property
    def moves(self) -> list[Warp]:
        """The maps that annotations follow, in order."""
        return [primitive for primitive in self.passes if isinstance(primitive, Warp)]

    def sliced(self) -> Way:
        """The same way with one sample a slice, for what is checked and followed slice by slice."""
        size = np.repeat(self.before.size, np.asarray(self.depth), 0)
        return self._replace(before=self.before.but(size=size), depth=None)

    def forward(self, points: NDArray, owner: NDArray) -> NDArray[np.float64]:
        """Points (N, n, d) of the samples ``owner`` (N,) through all moves; nothing is clipped."""
        for move in self.moves:
            points = move.forward(points, owner)
        return points

    def reflected(self) -> NDArray[np.bool_]:
        """(B,) where left and right change sides: the composed map has a negative determinant."""
        sign = np.ones(len(self.before))
        for move in self.moves:
            sign = sign * np.where(move.active, np.sign(np.linalg.det(move.linear())), 1)
        return sign < 0

    def back(self) -> Way:
        """The way back, for predictions."""
        return Way([move.inverse() for move in reversed(self.moves)], self.after, self.before, self.engine, self.depth)


class Target(ABC):
    """Abstract: one target of a call, under whatever name; ``data`` is one entry a sample, or one array of all."""

    kind: ClassVar[str]
    rank: ClassVar[int] = 9  # targets of lower rank follow first, so that later ones can look at them
    data: Any

    def alone(self) -> Self:
        """A batch of the one sample that was given."""
        return replace(cast(Any, self), data=[self.data])

    @abstractmethod
    def follow(self, name: str, way: Way, known: Known) -> Any:
        """What comes out, one entry a sample."""


@final
class Known:
    """What is known while the targets of a call follow one after the other.

    ``table`` is the fate of the instances, once boxes or polygons have decided it.
    """

    def __init__(self) -> None:
        self.table: Instances | None = None
        self._outlines: tuple[NDArray[np.float64], NDArray[np.int64]] | None = None

    def outline(self, extents: NDArray, owner: NDArray) -> None:
        """Take in (N, 4) boxes around what is left of polygons or instance masks of the samples ``owner`` (N,), NaN where nothing is."""
        self._outlines = (extents, owner)

    def outlined(self, owner: NDArray) -> NDArray[np.float64] | None:
        """(N, 4) those boxes, if they belong to the instances of the samples ``owner`` (N,)."""
        extents, theirs = self._outlines or (None, None)
        return extents if theirs is not None and np.array_equal(theirs, owner) else None

    def decide(self, table: Instances) -> Instances:
        """Take a decision in: an instance stays if everything that is known of it stays. The fate of boxes is the one that is told."""
        before = self.table
        if before is not None and np.array_equal(before.owner, table.owner):
            table = replace(table, kept=table.kept & before.kept)
        self.table = table
        return table

    def keep(self, parts: Sequence[Any]) -> list[Any]:
        """The rows of every sample that stay, where rows are instances; all of them otherwise."""
        table = self.table
        if table is None or not all(hasattr(part, "__len__") and not isinstance(part, str) for part in parts):
            return list(parts)
        if not table.matches([len(part) for part in parts]):
            return list(parts)
        return [chosen(part, table.of(sample)) for sample, part in enumerate(parts)]


def chosen(rows: Any, kept: NDArray[np.bool_]) -> Any:
    """The rows of an array or a list that stay."""
    return rows[kept] if isinstance(rows, np.ndarray) else [item for item, keep in zip(rows, kept, strict=True) if keep]
