"""Keypoints, and times of events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import ParameterError, TargetError
from vicinal.core.targets.base import Known, Target, Way
from vicinal.core.targets.outline import off_canvas
from vicinal.core.targets.rows import UNKNOWN, Rows, like, per_sample


@final
@dataclass(frozen=True, eq=False)
class Keypoints(Target):
    """Points that follow the map of the pixels; a plain array under the name ``keypoints`` is taken for it.

    Args:
        data: (K, 2), or (K, 3) with a visibility that becomes 0 off the canvas; (N, K, 2 or 3) with one row of points an instance. A point
            that is not known (NaN) stays unknown.
        swap: pairs of points that change places when the image is mirrored, such as the left and the right eye.

    Example:
        >>> import vicinal as v, numpy as np
        >>> eyes = v.Keypoints([[2.0, 3], [6.0, 3]], swap=[(0, 1)])
        >>> v.HorizontalFlip()(image=np.zeros((8, 10, 3), np.uint8), keypoints=eyes, seed=0)["keypoints"].tolist()
        [[4.0, 3.0], [8.0, 3.0]]
    """

    data: Any
    swap: Any = ()
    kind: ClassVar[str] = "keypoints"

    def __post_init__(self) -> None:
        pairs = [tuple(pair) if isinstance(pair, (tuple, list)) else () for pair in self.swap]
        numbers = [number for pair in pairs for number in pair]
        whole = all(isinstance(number, (int, np.integer)) and number >= 0 for number in numbers)
        if not whole or any(len(pair) != 2 for pair in pairs) or len(set(numbers)) != len(numbers):
            raise ParameterError("Keypoints.swap", "pairs of numbers of points, each in one pair only", repr(self.swap), "swap=[(1, 2)]")

    def follow(self, name: str, way: Way, known: Known) -> Any:
        rows, instances = self._read(name, len(way.before))
        points = rows.values if instances else rows.values[:, None]
        moved = self._moved(points, rows.owner, way)
        out = Rows(moved if instances else moved[:, 0], rows.owner).parts(len(way.before))
        if self.swap:
            out = [self._swapped(part, name) if turned else part for part, turned in zip(out, way.reflected(), strict=True)]
        return like(known.keep(out) if instances else out, self.data)

    def _read(self, name: str, batch: int) -> tuple[Rows, bool]:
        parts = per_sample(self.data, batch, name, lambda part: _points(part, name))
        instances = max((part.ndim for part in parts), default=2) == 3
        columns = next((part.shape[-1] for part in parts if part.size and part.ndim), 2)
        if columns not in (2, 3):
            write = "points[..., :2]" if columns > 3 else "np.stack([x, y], axis=-1)"
            raise TargetError(name, "2 columns (x, y) or 3 (x, y, visible)", f"{columns}", write)
        return Rows.of(parts, (-1, columns) if instances else (columns,), name, finite=False), instances

    def _moved(self, points: NDArray, owner: NDArray, way: Way) -> NDArray[np.float64]:
        unknown = ~np.isfinite(points[..., :2]).all(-1)
        hidden = np.asarray(unknown)[..., None]
        places, seen = np.where(hidden, 0, points[..., :2]), np.ones(points.shape[:2], bool)
        for move in way.moves:
            places = move.forward(places, owner)
            seen &= ((places >= 0) & (places <= off_canvas(move, owner)[:, None])).all(-1)
        places = np.where(hidden, np.nan, places)
        return np.concatenate([places, points[..., 2:] * seen[..., None]], -1)

    def _swapped(self, part: NDArray, name: str) -> NDArray:
        """Points of one sample, (K, c) or (N, K, c), with pairs exchanged."""
        count = part.shape[-2]
        order = np.arange(count)
        for a, b in self.swap:
            if part.size and max(a, b) >= count:
                write = f"swap=[(0, {count - 1})], say" if count > 1 else "swap=()"
                raise TargetError(f"{name}.swap", f"numbers below {count}, the number of points", f"({a}, {b})", write)
            if part.size:
                order[a], order[b] = b, a
        return part[..., order, :]


def _points(part: Any, name: str) -> NDArray:
    try:
        return np.asarray(part, np.float64)
    except (TypeError, ValueError):
        raise TargetError(name, "numbers, equally many a point", repr(part)[:80], f"[[x, y], ...], {UNKNOWN}") from None


@final
@dataclass(frozen=True, eq=False)
class Events(Target):
    """Times in a series, in samples: sample i is at time i, and its centre at i + 0.5 on the canvas."""

    data: Any
    kind: ClassVar[str] = "events"

    def follow(self, name: str, way: Way, known: Known) -> Any:
        rows = Rows.of(per_sample(self.data, len(way.before), name), (), name)
        moved = way.forward(rows.values.reshape(-1, 1, 1) + 0.5, rows.owner)[:, 0, 0] - 0.5
        return like(Rows(moved, rows.owner).parts(len(way.before)), self.data)
