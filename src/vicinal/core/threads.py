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
from vicinal.core.pages import Room, room
from vicinal.core.primitive import Primitive
from vicinal.core.warp import Warp

NAME = "vicinal-threads"
WORTH = 2 << 20  # bytes times passes: with less to do, one thread is done before others have begun


@final
class Threads:
    """The same bits as the backend alone, since no sample's bits depend on its batch."""

    def __init__(self, engine: Backend, threads: int):
        self.name, self.rounds, self._engine, self._threads = engine.name, engine.rounds, engine, threads

    def run(self, primitives: Sequence[Primitive], data: Dense, room: Room = room) -> Dense:
        """All passes on the main target."""
        return self._shared(self._engine.run, primitives, data, room)

    def follow(self, moves: Sequence[Warp], data: Dense, fill: float) -> Dense:
        """The moves alone, by the nearest pixel."""
        return self._shared(lambda passes, part, room: self._engine.follow(passes, part, fill), moves, data, room)

    def _shared(self, work: Callable[[Any, Dense, Room], Dense], primitives: Sequence[Any], data: Dense, room: Room) -> Dense:
        sizes = np.array([data[0].nbytes] * len(data) if isinstance(data, np.ndarray) else [sample.nbytes for sample in data])
        if sizes.sum() * len(primitives) < WORTH or current_thread().name.startswith(NAME):  # ours would wait for themselves
            return work(primitives, data, room)
        cuts, whole = _shares(sizes, self._threads), Whole(len(data), room)

        def one(cut: slice) -> None:
            whole.take(cut, work([primitive.rows(cut) for primitive in primitives], data[cut], whole.part(cut)))

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
class Whole:
    """The results of all parts of a batch in one array, each put there by the thread that made it; in a list where they differ in form.

    Args:
        batch: how many samples there are; room: gives the one array.
    """

    def __init__(self, batch: int, room: Room):
        self._batch, self._room, self._lock, self._out = batch, room, Lock(), np.empty(0)
        self._parts: dict[int, Dense] = {}

    def part(self, cut: slice) -> Room:
        """What gives the place of some of the samples, so that they need not be put there."""

        def room(shape: tuple[int, ...], dtype: Any) -> NDArray:
            own = self._place(cut, shape, dtype)
            return np.empty(shape, dtype) if own is None else own

        return room

    def take(self, cut: slice, part: Dense) -> None:
        """Take in the results of some of the samples."""
        if isinstance(part, np.ndarray) and (own := self._place(cut, part.shape, part.dtype)) is not None:
            if not _same(own, part):
                own[...] = part
            part = own
        self._parts[cut.start] = part

    def _place(self, cut: slice, shape: tuple[int, ...], dtype: Any) -> NDArray | None:
        """The part of the array, made for the first who asks; None where it has another form."""
        with self._lock:
            if not self._out.size:
                self._out = self._room((self._batch, *shape[1:]), dtype)
        alike = self._out.shape[1:] == shape[1:] and self._out.dtype == np.dtype(dtype)
        return self._out[cut] if alike else None

    def data(self) -> Dense:
        """All of them, in order."""
        parts = [self._parts[start] for start in sorted(self._parts)]
        if all(isinstance(part, np.ndarray) and np.may_share_memory(part, self._out) for part in parts):
            return self._out
        return [sample for part in parts for sample in list(part)]


def _same(one: NDArray, other: NDArray) -> bool:
    """Whether two arrays of one form are one piece of memory."""
    return one.ctypes.data == other.ctypes.data and one.strides == other.strides
