"""The contract of an engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol, final

from vicinal.core.errors import VicinalError
from vicinal.data.dataset import Dataset
from vicinal.lab.trial import Outcome, Trial


@final
@dataclass(frozen=True)
class Job:
    """Trials that are run together.

    Args:
        trials: of one trainer; limit: seconds after which they are given up, None for never. Only engines with workers can give up.
    """

    trials: tuple[Trial, ...]
    limit: float | None = None


@final
@dataclass(frozen=True)
class Failed:
    """Trials without outcomes: the reason, a sentence."""

    sentence: str


Report = Mapping[str, Outcome] | Failed
Take = Callable[[], Job | None]
Heard = Callable[[Sequence[Trial], Report], None]
Idle = Callable[[float], None]
Run = Callable[[Take, Heard, Idle], None]
"""Runs jobs until there are none.

``take`` gives the next job, None if there is none now; it is asked again after every job, which may have brought new ones. ``heard`` is
called in this process, one call at a time, with every trial once: as soon as it ends, with outcomes by key; where its job ends without,
with the reason. ``idle`` is called now and then with the share of running jobs that is done, as far as it is known.
"""
Say = Callable[[str, Any], None]
"""Called by whoever works on a job: "progress" and the share that is done, "found" and outcomes by key; at last "end" and None, or why."""


@final
@dataclass(eq=False)
class Running:
    """A job on its way: what comes of it is told at once, and a failure for the rest.

    Args:
        began: when, in seconds of the monotonic clock.

    Attributes:
        share: of it that is done; over: whether it has ended.
    """

    job: Job
    heard: Heard
    began: float = field(default_factory=time.monotonic)
    share: float = field(default=0.0, init=False)
    over: bool = field(default=False, init=False)
    _left: dict[str, Trial] = field(init=False)

    def __post_init__(self) -> None:
        self._left = {trial.key: trial for trial in self.job.trials}

    @property
    def late(self) -> str:
        """What to say of a job that takes longer than it may; "" while it may."""
        limit = self.job.limit
        return "" if limit is None or time.monotonic() - self.began <= limit else f"no end within the time limit of {limit:g} s"

    def said(self, what: str, content: Any) -> None:
        """Take what a worker says: a `Say`."""
        if what == "progress":
            self.share = content
        elif what == "found":
            self.heard([self._left.pop(key) for key in content], content)
        else:
            self.end(content)

    def end(self, why: str | None) -> None:
        """It is over: trials that were not heard of have failed."""
        left, self.over = list(self._left.values()), True
        self._left.clear()
        if left:
            self.heard(left, Failed(why or "its job ended without it"))


class Engine(Protocol):
    """Where jobs are run."""

    @property
    def workers(self) -> int:
        """How many jobs run at once."""
        ...

    @property
    def threads(self) -> int | None:
        """How many threads torch has for one job; None where that is left to torch."""
        ...

    def on(self, data: Dataset) -> AbstractContextManager[Run]:
        """What runs jobs whose trials are all of some data, as often as it is called; workers stay until the context ends."""
        ...


def sentence(fault: BaseException) -> str:
    """A fault of a trial in one line."""
    if isinstance(fault, VicinalError):
        return str(fault)
    if isinstance(fault, MemoryError):
        return f"out of memory: {fault}" if str(fault) else "out of memory"
    return f"{type(fault).__name__}: {fault}".splitlines()[0]
