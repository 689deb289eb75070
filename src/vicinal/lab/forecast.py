"""What a study will take, before it is run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import final

import numpy as np

from vicinal.lab import statistics
from vicinal.lab.bench import Bench
from vicinal.lab.engine.base import Job
from vicinal.lab.engine.threads import threads
from vicinal.lab.feed import goal
from vicinal.lab.group import marks, pupils
from vicinal.lab.jobs import jobs, longest
from vicinal.lab.study import Study
from vicinal.lab.together import Together
from vicinal.lab.trial import Trial, ladders
from vicinal.learn.trainer import Predictor, Task

_SHORT = 4  # steps of the shorter of two trial runs; their difference is free of what is paid once
_TRIES = 2  # of everything that is timed
_SHOWN = 256  # items at most that are answered about


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
    """Times a few steps and answers of the largest job and reckons from there.

    Trainers without steps cannot be told beforehand. Code of somebody else is not run here, where it could hang or die, and what fails
    will be told when it is its turn.

    Args:
        workers: that will run; share: the threads that torch will have in each of them, None for as many as it has here.
    """
    left = list({trial.key: trial for trial in open_}.values())
    made = jobs(left, goal(study.data), workers)
    price = None
    if made and study.trainer.stepwise and not study.trainer.imports:
        with suppress(Exception), threads(share):
            price = price_of(bench, made[0])
    seconds = None if price is None else longest([cost(bench, job, price) for job in made], workers)
    floor = statistics.fewest_seeds(study.alpha, max(1, len(study.arms)))
    return Forecast(len({trial.key for trial in trials}), len(left), len(study.seeds), floor, 0.0 if not made else seconds)


@final
@dataclass(frozen=True)
class Price:
    """Seconds that one replica takes for a step, and for an answer about one item."""

    step: float
    answer: float


def price_of(bench: Bench, job: Job) -> Price:
    """What a replica costs among as many as the job has."""
    some, trainer = pupils(bench, job.trials), job.trials[0].trainer
    shown = some[0].watched.kept(np.arange(min(_SHOWN, len(some[0].watched.items))))

    def trained(steps: int) -> Predictor:
        feed, seeds = Together([pupil.replica for pupil in some]), tuple(pupil.replica.seed for pupil in some)
        return trainer.fit(Task(goal(bench.data), feed, seeds, steps))

    predictor = trained(1)  # what is compiled or loaded once
    predictor.outputs(shown)
    more = some[0].replica.ahead  # so that the longer one augments once more
    short, long = (_quickest(lambda steps=steps: trained(steps)) for steps in (_SHORT, _SHORT + more))
    each = (long - short) / more if long > short else long / (_SHORT + more)
    return Price(each / len(some), _quickest(lambda: predictor.outputs(shown)) / len(some) / len(shown))


def _quickest(run: Callable[[], object]) -> float:
    """Seconds; of several tries the quickest counts: what else the machine does only adds."""
    found = []
    for _ in range(_TRIES):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return min(found)


def cost(bench: Bench, job: Job, price: Price) -> float:
    """Seconds of a job: its steps, the looks at train and dev on the way, and those at test."""
    steps = answers = 0
    for ladder in ladders(job.trials):
        last = ladder[-1]
        parts = bench.trained_on(last.arm, last.cell.size, last.seed, last.rules)
        looks = len({mark for trial in ladder for mark in marks(trial.steps)})
        steps += last.steps
        answers += looks * (len(parts.train) + len(parts.dev)) + len(ladder) * last.probe.passes * len(parts.test)
    return steps * price.step + answers * price.answer
