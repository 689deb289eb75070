"""Trials on a Ray cluster: ``pip install 'vicinal[scale]'``. The store stays with the process that conducts the study."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, final

from vicinal.core.errors import BackendError, ParameterError
from vicinal.data.dataset import Dataset
from vicinal.lab.engine.base import Failed, Heard, Idle, Job, Run, Take, sentence

THREADS = 1  # of torch: a job has one CPU
_LOOK = 0.5  # seconds between two looks at who is late


@final
@dataclass(eq=False)
class Cluster:
    """A Ray cluster, one job a CPU.

    Args:
        address: "local" starts one on this machine, which ends with this process; "auto" takes the one that runs, else that of a cluster.
        cores: of the local one that are used; all of them if None.
        start: seconds that a worker may take to come up; they are added to time limits, since Ray does not tell when a job begins.

    Raises:
        BackendError: Ray is not installed, or the cluster does not answer.
    """

    address: str = "local"
    cores: int | None = None
    start: float = 60.0

    def __post_init__(self) -> None:
        if not self.address:
            raise ParameterError("--address", "local, auto or an address of a cluster", repr(self.address), "--address local")

    @cached_property
    def _ray(self) -> Any:
        try:
            import ray  # type: ignore[import-not-found]
        except ModuleNotFoundError:
            raise BackendError("--engine ray", "the package ray", "none installed", "pip install 'vicinal[scale]'") from None
        return ray

    @property
    def workers(self) -> int:
        """CPUs of the cluster."""
        self._joined()
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    @property
    def threads(self) -> int:
        return THREADS

    def _joined(self) -> None:
        if self._ray.is_initialized():
            return
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody
        local = (
            {"num_cpus": self.cores, "include_dashboard": False, "runtime_env": {"env_vars": _paths()}} if self.address == "local" else {}
        )
        try:
            self._ray.init(address=self.address, log_to_driver=False, logging_level="ERROR", **local)
        except Exception as fault:  # Ray's own kinds of fault differ between versions
            raise BackendError("--address", "a Ray cluster that answers", sentence(fault), "--address local") from fault

    @contextmanager
    def on(self, data: Dataset) -> Iterator[Run]:
        self._joined()
        yield partial(self._run, self._ray.put(data))

    def _run(self, shared: Any, take: Take, heard: Heard, idle: Idle) -> None:
        ray, room = self._ray, self.workers
        remote = ray.remote(num_cpus=1, max_retries=0)(_work)
        running: dict[Any, tuple[Job, float]] = {}
        try:
            while self._fill(running, room, take, lambda job: remote.remote(shared, job.trials)):
                done, _ = ray.wait(list(running), timeout=_LOOK)
                for ticket in done:
                    job, _ = running.pop(ticket)
                    heard(job, self._report(ticket))
                self._give_up(running, heard)
                idle(0.0)
        finally:
            for ticket in running:
                ray.cancel(ticket, force=True)

    def _fill(self, running: dict[Any, tuple[Job, float]], room: int, take: Take, start: Any) -> bool:
        while len(running) < room and (job := take()):
            running[start(job)] = (job, time.monotonic())
        return bool(running)

    def _report(self, ticket: Any) -> Any:
        try:
            return self._ray.get(ticket)
        except Exception as fault:  # a worker that died, or a node that is gone
            return Failed(sentence(fault))

    def _give_up(self, running: dict[Any, tuple[Job, float]], heard: Heard) -> None:
        now = time.monotonic() - self.start
        late = [ticket for ticket, (job, given) in running.items() if job.limit is not None and now - given > job.limit]
        for ticket in late:
            job, _ = running.pop(ticket)
            self._ray.cancel(ticket, force=True)
            heard(job, Failed(f"no end within the time limit of {job.limit:g} s"))


def _paths() -> dict[str, str]:
    """What can be imported here can be imported there."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _work(data: Dataset, trials: Any) -> Any:
    """What runs on a worker of the cluster; it keeps nothing from one job to the next."""
    import torch

    from vicinal.lab.bench import Bench
    from vicinal.lab.group import run_group

    torch.set_num_threads(THREADS)
    try:
        return run_group(Bench(data), trials)
    except Exception as fault:
        return Failed(sentence(fault))
