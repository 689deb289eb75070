"""A backend whose batches are shared out among threads: compiled loops and OpenCV release the interpreter while they work."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise
from threading import Lock, current_thread
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.backend import Backend, Dense
from vicinal.core.pages import room
from vicinal.core.primitive import Primitive
from vicinal.core.warp import Warp

NAME = "vicinal-threads"
WORTH = 2 << 20  # bytes times passes: with less to do, one thread is done before others have begun


@final
class Threads:
    """The same bits as the backend alone, since no sample's bits depend on its batch."""

    def __init__(self, engine: Backend, threads: int):
        self.name, self.rounds, self._engine, self._threads = engine.name, engine.rounds, engine, threads

    def run(self, primitives: Sequence[Primitive], data: Dense) -> Dense:
        """All passes on the main target."""
        return self._shared(self._engine.run, primitives, data)

    def follow(self, moves: Sequence[Warp], data: Dense, fill: float) -> Dense:
        """The moves alone, by the nearest pixel."""
        return self._shared(lambda passes, part: self._engine.follow(passes, part, fill), moves, data)

    def _shared(self, work: Callable[[Any, Dense], Dense], primitives: Sequence[Any], data: Dense) -> Dense:
        sizes = np.array([data[0].nbytes] * len(data) if isinstance(data, np.ndarray) else [sample.nbytes for sample in data])
        if sizes.sum() * len(primitives) < WORTH or current_thread().name.startswith(NAME):  # ours would wait for themselves
            return work(primitives, data)
        cuts, whole = _shares(sizes, self._threads), _Whole(len(data))

        def one(cut: slice) -> None:
            whole.take(cut, work([primitive.rows(cut) for primitive in primitives], data[cut]))

        list(_pool(self._threads, os.getpid()).map(one, cuts))
        return whole.data()


def _shares(sizes: NDArray[np.int64], parts: int) -> list[slice]:
    """Samples in as many parts as there are threads, with about as many bytes in each: every part costs the interpreter as much anew."""
    ends = np.searchsorted(sizes.cumsum(), sizes.sum() * np.arange(1, parts) / parts) + 1
    return [slice(start, end) for start, end in pairwise(np.unique([0, *ends, len(sizes)]).tolist())]


@lru_cache(maxsize=8)
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    """Threads that wait for the next call; a process that was forked off has none of its parent's."""
    return ThreadPoolExecutor(threads, thread_name_prefix=NAME)


@final
class _Whole:
    """The results of all parts in one array, each put there by the thread that made it; in a list where they differ in form."""

    def __init__(self, batch: int):
        self._batch, self._lock, self._out = batch, Lock(), np.empty(0)
        self._parts: dict[int, Dense] = {}

    def take(self, cut: slice, part: Dense) -> None:
        """Take in the results of some of the samples."""
        if isinstance(part, np.ndarray):
            with self._lock:
                if not self._out.size:
                    self._out = room((self._batch, *part.shape[1:]), part.dtype)
            if self._out.shape[1:] == part.shape[1:]:
                self._out[cut] = part
                part = self._out[cut]
        self._parts[cut.start] = part

    def data(self) -> Dense:
        """All of them, in order."""
        parts = [self._parts[start] for start in sorted(self._parts)]
        if all(isinstance(part, np.ndarray) and np.may_share_memory(part, self._out) for part in parts):
            return self._out
        return [sample for part in parts for sample in list(part)]
