"""What a study will take, before it is run."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import final

from vicinal.lab import statistics
from vicinal.lab.bench import Bench
from vicinal.lab.engine.base import Job
from vicinal.lab.engine.threads import threads
from vicinal.lab.feed import goal
from vicinal.lab.group import pupils
from vicinal.lab.jobs import jobs, longest
from vicinal.lab.study import Study
from vicinal.lab.together import Together
from vicinal.lab.trial import Trial
from vicinal.learn.trainer import Task

_SHORT = 4  # steps of the shorter of two trial runs; their difference is free of what is paid once
_TRIES = 2  # of each, of which the quicker one counts: what else the machine does only adds


@final
@dataclass(frozen=True)
class Forecast:
    """What lies ahead.

    Args:
        trials: of the study; open: those that are not done yet; seeds: of the study.
        floor: seeds below which no effect, however large, can be shown for so many arms.
        seconds: that the open trials will take; None where it cannot be told beforehand.
    """

    trials: int
    open: int
    seeds: int
    floor: int
    seconds: float | None


def forecast(
    study: Study, bench: Bench, trials: Sequence[Trial], open_: Sequence[Trial], workers: int, share: int | None = None
) -> Forecast:
    """Times a few steps of the largest job and reckons from there.

    Trainers without steps cannot be told beforehand. Code of somebody else is not run here, where it could hang or die, and what fails
    will be told when it is its turn.

    Args:
        workers: that will run; share: the threads that torch will have in each of them, None for as many as it has here.
    """
    left = list({trial.key: trial for trial in open_}.values())
    made = jobs(left, goal(study.data), workers)
    rate = None
    if made and study.trainer.stepwise and not study.trainer.imports:
        with suppress(Exception), threads(share):
            rate = _rate(bench, made[0])
    seconds = None if rate is None else rate * longest(made, workers)
    floor = statistics.fewest_seeds(study.alpha, max(1, len(study.arms)))
    return Forecast(len({trial.key for trial in trials}), len(left), len(study.seeds), floor, 0.0 if not made else seconds)


def _rate(bench: Bench, job: Job) -> float:
    """Seconds that one replica takes for one step, among as many as the job has."""
    some = pupils(bench, job.trials)

    def spent(steps: int) -> float:
        feed, seeds = Together([pupil.replica for pupil in some]), tuple(pupil.replica.seed for pupil in some)
        start = time.perf_counter()
        job.trials[0].trainer.fit(Task(goal(bench.data), feed, seeds, steps))
        return time.perf_counter() - start

    spent(1)  # what is compiled or loaded once
    more = some[0].replica.ahead  # so that the longer one augments once more
    short, long = (min(spent(steps) for _ in range(_TRIES)) for steps in (_SHORT, _SHORT + more))
    each = (long - short) / more if long > short else long / (_SHORT + more)
    return each / len(some)
