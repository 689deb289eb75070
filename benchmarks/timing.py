"""Side by side: the two run in turn, round after round, so that a machine that drifts slows both."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """Seconds per call of ours and theirs, round by round."""

    ours: tuple[float, ...]
    theirs: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How many times faster ours is: the median over rounds of theirs / ours."""
        return statistics.median(b / a for a, b in zip(self.ours, self.theirs, strict=True))

    @property
    def spread(self) -> tuple[float, float]:
        """The smallest and the largest ratio of a round."""
        ratios = [b / a for a, b in zip(self.ours, self.theirs, strict=True)]
        return min(ratios), max(ratios)


def side_by_side(ours: Callable[[int], object], theirs: Callable[[int], object], rounds: int = 15, least: float = 0.1) -> Pair:
    """Time two functions of the round number; each round repeats a call until it has lasted ``least`` seconds."""
    ours(0), theirs(0)
    pairs = [(_seconds(ours, number, least), _seconds(theirs, number, least)) for number in range(1, rounds + 1)]
    return Pair(tuple(a for a, _ in pairs), tuple(b for _, b in pairs))


def _seconds(call: Callable[[int], object], number: int, least: float) -> float:
    start, count = time.perf_counter(), 0
    while time.perf_counter() - start < least:
        call(number * 10_000 + count)
        count += 1
    return (time.perf_counter() - start) / count
