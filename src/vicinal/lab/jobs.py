"""How trials are put together into jobs: what trains well side by side, in pieces that keep every worker busy."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from itertools import pairwise

from vicinal.lab.engine.base import Job
from vicinal.lab.trial import Trial, ladders
from vicinal.learn.trainer import Goal


def jobs(trials: Sequence[Trial], goal: Goal, workers: int, limit: float | None = None) -> list[Job]:
    """Jobs for trials of one trainer, the longest first, so that no worker is left with a long one at the end.

    Replicas that are trained side by side take the same number of steps; a trial that another one passes through goes with it.

    Args:
        limit: seconds a trial may take: a job may take as many times that as it has trials.
    """
    if not trials:
        return []
    most = max(1, trials[0].trainer.together(goal))
    made = [piece for some in _alike(ladders(trials)) for piece in _pieces(some, most, workers)]
    made.sort(key=_weight, reverse=True)
    return [Job(tuple(piece), None if limit is None else limit * len(piece)) for piece in made]


def _alike(made: Sequence[list[Trial]]) -> list[list[list[Trial]]]:
    """Ladders of the same longest training and the same kind of labels: shares of classes would be taken for all where one arm mixes."""
    found: dict[object, list[list[Trial]]] = {}
    for ladder in made:
        found.setdefault((ladder[-1].steps, ladder[-1].arm.mixes), []).append(ladder)
    return list(found.values())


def _pieces(made: Sequence[list[Trial]], most: int, workers: int) -> list[list[Trial]]:
    """As few as the trainer allows, and as many for one worker as for another; arms of one seed stay together: they share inputs."""
    ordered = sorted(made, key=lambda ladder: ladder[0].seed)
    count = min(len(ordered), -(-len(ordered) // (most * workers)) * workers)
    ends = [round(part * len(ordered) / count) for part in range(count + 1)]
    return [[trial for ladder in ordered[a:b] for trial in ladder] for a, b in pairwise(ends) if a < b]


def longest(costs: Sequence[float], workers: int) -> float:
    """What the worker that has most to do must do, if whoever is free takes the next job.

    Example:
        >>> longest([3, 2, 2], workers=2)
        4
    """
    busy: list[float] = [0] * workers
    for cost in costs:
        heapq.heapreplace(busy, busy[0] + cost)
    return max(busy)


def _weight(trials: Sequence[Trial]) -> int:
    """Steps of all replicas of a job: what another trial passes through costs nothing."""
    return sum(ladder[-1].steps for ladder in ladders(trials))
