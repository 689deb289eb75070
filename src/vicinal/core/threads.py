"""A backend whose batches are shared out among threads: compiled loops and OpenCV release the interpreter while they work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any, final

import numpy as np

from vicinal.core.backend import Backend, Dense
from vicinal.core.primitive import Primitive
from vicinal.core.warp import Warp


@final
class Threads:
    """The same bits as the backend alone, since no sample's bits depend on its batch."""

    def __init__(self, engine: Backend, threads: int):
        self.name, self.rounds, self._engine, self._threads = engine.name, engine.rounds, engine, threads

    def run(self, primitives: Sequence[Primitive], data: Dense) -> Dense:
        """All passes on the main target."""
        return self._shared(lambda passes, part: self._engine.run(passes, part), primitives, data)

    def follow(self, moves: Sequence[Warp], data: Dense, fill: float) -> Dense:
        """The moves alone, by the nearest pixel."""
        return self._shared(lambda passes, part: self._engine.follow(passes, part, fill), moves, data)

    def _shared(self, work: Callable[[Any, Dense], Dense], primitives: Sequence[Any], data: Dense) -> Dense:
        ends = np.linspace(0, len(data), min(self._threads, len(data)) + 1).astype(int)
        cuts = [slice(start, end) for start, end in pairwise(ends)]

        def one(cut: slice) -> Dense:
            return work([primitive.rows(cut) for primitive in primitives], data[cut])

        with ThreadPoolExecutor(self._threads) as pool:
            parts = list(pool.map(one, cuts))
        return _joined(parts)


def _joined(parts: list[Dense]) -> Dense:
    arrays = [part for part in parts if isinstance(part, np.ndarray)]
    if len(arrays) == len(parts) and len({part.shape[1:] for part in arrays}) == 1:
        return np.concatenate(arrays)
    return [sample for part in parts for sample in list(part)]
