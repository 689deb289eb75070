"""Side by side: several calls run in turn, round after round, so that a machine that drifts slows all of them."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import final

import numpy as np

Call = Callable[[int], int]
"""Takes the number of the call, which is a new one each time, and returns how many items it has done."""

COPIED = 64 << 20  # bytes: more than the caches hold


@final
@dataclass(frozen=True)
class Times:
    """Seconds an item, for each of several calls, round by round."""

    seconds: Mapping[str, tuple[float, ...]]

    def least(self, name: str) -> float:
        """The best round: what the machine can do when no neighbour disturbs it."""
        return min(self.seconds[name])

    def median(self, name: str) -> float:
        """The middle round."""
        return statistics.median(self.seconds[name])

    def fastest(self, names: Iterable[str]) -> str | None:
        """Which of the names that were timed is fastest, by its best round; None where none was."""
        return min((name for name in names if name in self.seconds), key=self.least, default=None)


def interleaved(calls: Mapping[str, Call], rounds: int = 5, least: float = 0.03, budget: float = math.inf) -> Times:
    """Time the calls in turn, after two untimed calls of each, in which whatever is compiled or loaded once is.

    Args:
        rounds: how often each has its turn; fewer, but at least one, once ``budget`` seconds have passed.
        least: seconds that a turn lasts at least; a call is repeated until then.
    """
    for call in calls.values():
        call(0)
        call(1)
    found: dict[str, list[float]] = {name: [] for name in calls}
    start = time.perf_counter()
    for number in range(1, rounds + 1):
        for name, call in calls.items():
            found[name].append(_seconds(call, number, least))
        if time.perf_counter() - start > budget:
            break
    return Times({name: tuple(seconds) for name, seconds in found.items()})


def _seconds(call: Call, number: int, least: float) -> float:
    start, count, items = time.perf_counter(), 0, 0
    while count == 0 or time.perf_counter() - start < least:
        items += call(number * 10_000 + count)
        count += 1
    return (time.perf_counter() - start) / items


def copying(threads: int) -> Call:
    """A copy of much memory, shared out among threads; its items are the bytes read and written. The roof of every pass over pixels."""
    source, target = (np.ones(COPIED, np.uint8) for _ in range(2))
    parts = list(zip(np.array_split(source, threads), np.array_split(target, threads), strict=True))
    pool = ThreadPoolExecutor(threads)

    def call(number: int) -> int:
        list(pool.map(lambda part: np.copyto(part[1], part[0]), parts))
        return 2 * COPIED

    return call
