"""Polygons of instances."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import TargetError
from vicinal.core.targets.base import Known, Target, Way
from vicinal.core.targets.boxes import extent
from vicinal.core.targets.outline import followed
from vicinal.core.targets.rows import Instances, per_sample

_TRIANGLE = "[(1, 1), (9, 1), (9, 9)]"


@final
@dataclass(frozen=True, eq=False)
class Polygons(Target):
    """One polygon an instance, bound to boxes, labels and keypoints by its row; plain lists under the name ``polygons`` are taken for it.

    Args:
        data: for one sample a list of (K, 2) arrays of corners x, y in pixels, K of 3 or more; a list of such lists for a batch.
        outside, min_visible: as for ``Boxes``. An instance stays if its polygon, its box and its mask stay, as far as they are given.

    A polygon is cut at the canvas; one of which nothing is left is dropped.
    """

    data: Any
    outside: str = "clip"
    min_visible: float = 0.0
    kind: ClassVar[str] = "polygons"
    rank: ClassVar[int] = 1

    def follow(self, name: str, way: Way, known: Known) -> Any:
        parts = per_sample(self.data, len(way.before), name, lambda part: _listed(part, name))
        rings = [_ring(ring, f"{name}[{n}][{k}]") for n, part in enumerate(parts) for k, ring in enumerate(part)]
        owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        moved = followed(way, _padded(rings), owner, self.outside, self.min_visible)
        known.decide(replace(Instances.all(owner), kept=moved.kept, visible=moved.share))
        known.outline(np.where(moved.share[:, None] > 0, extent(moved.seen), np.nan), owner)
        shown = moved.whole if self.outside == "keep" else moved.seen
        out = [_distinct(ring) if share > 0 else np.zeros((0, 2)) for ring, share in zip(shown, moved.share, strict=True)]
        return [[out[row] for row in np.flatnonzero(owner == sample)] for sample in range(len(parts))]


def _listed(part: Any, name: str) -> Any:
    if not hasattr(part, "__len__") or isinstance(part, (str, bytes)):
        raise TargetError(name, "a list of polygons for each sample", repr(part)[:80], f"[{_TRIANGLE}], say")
    return part


def _ring(ring: Any, where: str) -> NDArray[np.float64]:
    try:
        array = np.asarray(ring, np.float64)
    except (TypeError, ValueError):
        raise TargetError(where, "numbers", repr(ring)[:80], f"{_TRIANGLE}, say") from None
    if array.ndim != 2 or array.shape[1] != 2 or len(array) < 3 or not np.isfinite(array).all():
        flat, got = array.ndim == 1 and array.size % 2 == 0, f"shape {array.shape}" if np.isfinite(array).all() else "nan or infinity"
        raise TargetError(where, "3 or more corners (x, y)", got, "np.reshape(ring, (-1, 2))" if flat else f"{_TRIANGLE}, say")
    return array


def _padded(rings: list[NDArray]) -> NDArray[np.float64]:
    """(N, n, 2): the last corner of each ring fills up."""
    most = max((len(ring) for ring in rings), default=3)
    return np.array([np.pad(ring, ((0, most - len(ring)), (0, 0)), "edge") for ring in rings]).reshape(len(rings), most, 2)


def _distinct(ring: NDArray) -> NDArray[np.float64]:
    return ring[(ring != np.roll(ring, -1, 0)).any(1)]
