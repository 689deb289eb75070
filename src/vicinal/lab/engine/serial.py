"""Trials one job after the other, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import final

from vicinal.data.dataset import Dataset
from vicinal.lab.bench import Bench
from vicinal.lab.engine.base import Failed, Heard, Idle, Run, Take, sentence
from vicinal.lab.group import run_group


@final
class Serial:
    """No workers: nothing is sent anywhere, and torch uses the cores. A trial that hangs cannot be given up."""

    workers = 1
    threads = None

    @contextmanager
    def on(self, data: Dataset) -> Iterator[Run]:
        yield partial(_run, Bench(data))


def _run(bench: Bench, take: Take, heard: Heard, idle: Idle) -> None:
    while job := take():
        steps = max(1, *(trial.steps for trial in job.trials))
        try:
            report = run_group(bench, job.trials, lambda done, steps=steps: idle(done / steps))
        except Exception as fault:  # whatever a trainer raises is the trial's affair, not the study's
            report = Failed(sentence(fault))
        heard(job, report)
