"""The contract of an engine."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol, final

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
    """A job without outcomes: the reason, a sentence."""

    sentence: str


Report = list[Outcome] | Failed
Take = Callable[[], Job | None]
Heard = Callable[[Job, Report], None]
Idle = Callable[[float], None]
Run = Callable[[Take, Heard, Idle], None]
"""Runs jobs until there are none.

``take`` gives the next job, None if there is none now; it is asked again after every report, which may have brought new ones. ``heard`` is
called with every job and its outcomes, or why it has none, in this process, one at a time. ``idle`` is called now and then with the share
of running jobs that is done, as far as it is known.
"""


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
