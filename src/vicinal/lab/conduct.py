"""A study from its description to what was found: trials that are done already are not run again, and every finished one is kept."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, final

from vicinal.lab.bench import Bench
from vicinal.lab.engine import Engine, Failed, Job
from vicinal.lab.engine.base import Report, Run
from vicinal.lab.feed import goal
from vicinal.lab.jobs import jobs
from vicinal.lab.store import Fault, Store
from vicinal.lab.study import Study
from vicinal.lab.trial import Outcome, Trial

_WAIT = 0.5  # seconds between two looks at what other processes do


@final
@dataclass(frozen=True, eq=False)
class Findings:
    """What is known of a study.

    Args:
        trials: all that it asks for, left-out ones included; outcomes, faults: by key.
        left_out: why trials were not run, by key: no time, or a race that was decided; fresh: how many were run just now.
        seconds: that this took; notes: what a reader must know of how it was conducted.
        looks: the numbers of seeds at which a race was judged.
    """

    study: Study
    trials: tuple[Trial, ...]
    outcomes: Mapping[str, Outcome]
    faults: Mapping[str, Fault]
    left_out: Mapping[str, str]
    fresh: int
    seconds: float
    notes: tuple[str, ...] = ()
    looks: tuple[int, ...] = ()


class Pace(Protocol):
    """Decides how a study goes on: seed by seed until the time is up, only where something is undecided, or all at once.

    ``looks`` are the numbers of seeds at which arms are judged on the way; () where they are judged at the end alone.
    """

    @property
    def looks(self) -> tuple[int, ...]: ...

    def wave(self, done: Mapping[str, Outcome], spent: float) -> list[Trial]:
        """The trials to run next, given what is known and the seconds that were spent; none at the end."""
        ...

    def left_out(self) -> dict[str, str]:
        """Why trials will not be run, by key."""
        ...

    def notes(self) -> list[str]:
        """What a reader must know."""
        ...


Tell = Callable[[float, int], None]
"""Progress: trials that are done, a share of the running ones included, and how many there are."""


@final
@dataclass(eq=False)
class AllAtOnce:
    """Every trial, as fast as it goes."""

    trials: Sequence[Trial]
    looks: tuple[int, ...] = ()

    def wave(self, done: Mapping[str, Outcome], spent: float) -> list[Trial]:
        now, self.trials = list(self.trials), ()
        return now

    def left_out(self) -> dict[str, str]:
        return {}

    def notes(self) -> list[str]:
        return []


def conduct(
    study: Study, store: Store, engine: Engine, pace: Pace | None = None, tell: Tell = lambda done, total: None, bench: Bench | None = None
) -> Findings:
    """Run what is missing of a study.

    A trial that raises, returns NaN, takes too long or runs out of memory is written down as failed, with its address, and the study goes
    on. Trials that another process runs on the same store are waited for.

    Raises:
        VicinalError: data that do not fit, a split that leaks, a store that cannot be written.
    """
    started, bench = time.perf_counter(), bench or Bench(study.data)
    study.check(bench)
    trials = study.trials(bench)
    store.want(study.name, trials)
    keys = list(dict.fromkeys(trial.key for trial in trials))
    pace = pace or AllAtOnce(trials)
    work = _Work(study, store, engine.workers, tell, len(keys))
    with store.beating(), engine.on(study.data) as run:
        while wave := pace.wave(store.outcomes(keys), time.perf_counter() - started):
            work.through(wave, run)
    return Findings(
        study=study,
        trials=tuple(trials),
        outcomes=store.outcomes(keys),
        faults=store.faults(keys),
        left_out=pace.left_out(),
        fresh=work.fresh,
        seconds=time.perf_counter() - started,
        notes=tuple(pace.notes()),
        looks=pace.looks,
    )


@final
@dataclass(eq=False)
class _Work:
    """Trials on their way through claim, engine and store."""

    study: Study
    store: Store
    workers: int
    tell: Tell
    total: int
    fresh: int = 0
    done: int = 0
    running: int = 0
    queue: deque[Job] = field(default_factory=deque)

    def through(self, trials: Sequence[Trial], run: Run) -> None:
        """Run trials that nobody has run, and wait for those that somebody else runs."""
        by_key = {trial.key: trial for trial in trials}
        while True:
            states = self.store.states(list(by_key))
            self.done = sum(state in ("done", "failed") for state in states.values())
            self.tell(self.done, self.total)
            open_ = [trial for key, trial in by_key.items() if states[key] in ("waiting", "running")]
            if not open_:
                return
            self.queue.extend(jobs(open_, goal(self.study.data), self.workers, self.study.limit))
            before = self.fresh
            run(self._take, self._heard, self._idle)
            if self.fresh == before:
                time.sleep(_WAIT)

    def _take(self) -> Job | None:
        """The next job, of which the trials that somebody else has taken are left out."""
        while self.queue:
            job = self.queue.popleft()
            mine = set(self.store.claim([trial.key for trial in job.trials]))
            trials = tuple(trial for trial in job.trials if trial.key in mine)
            if trials:
                self.running += len(trials)
                return Job(trials, job.limit)
        return None

    def _heard(self, trials: Sequence[Trial], report: Report) -> None:
        """Write down what was measured; several that failed together are run again one by one, to find the one at fault."""
        self.running -= len(trials)
        if isinstance(report, Failed) and len(trials) > 1:
            self.store.release([trial.key for trial in trials])
            self.queue.extendleft(Job((trial,), self.study.limit) for trial in reversed(trials))
            return
        if isinstance(report, Failed):
            for trial in trials:
                self.store.fail(trial.key, report.sentence)
        else:
            self.store.finish(report)
        self.fresh += len(trials)
        self.done += len(trials)
        self.tell(self.done, self.total)

    def _idle(self, share: float) -> None:
        self.tell(self.done + share * self.running, self.total)
