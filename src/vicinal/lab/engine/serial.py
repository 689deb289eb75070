"""Trials one job after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, final

from vicinal.data.dataset import Dataset
from vicinal.lab.bench import Bench
from vicinal.lab.engine.base import Heard, Idle, Run, Running, Take
from vicinal.lab.engine.work import work


@final
class Serial:
    """No workers: nothing is sent anywhere, and torch uses the cores. A trial that hangs cannot be given up."""

    workers = 1
    threads = None

    @contextmanager
    def on(self, data: Dataset) -> Iterator[Run]:
        yield partial(_run, Bench(data))


def _run(bench: Bench, take: Take, heard: Heard, idle: Idle) -> None:
    def said(what: str, content: Any) -> None:
        running.said(what, content)
        idle(running.share)

    while job := take():
        running = Running(job, heard)
        work(bench, job.trials, said)
