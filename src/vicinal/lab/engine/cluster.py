"""Trials on a Ray cluster: ``pip install 'vicinal[scale]'``. The store stays with the process that conducts the study."""

from __future__ import annotations

import math
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, final

from vicinal.core.errors import BackendError, ParameterError, StoreError
from vicinal.data.dataset import Dataset
from vicinal.lab.engine.base import Heard, Idle, Run, Running, Take, sentence
from vicinal.lab.trial import Trial

THREADS = 1  # of torch: a job has one CPU
_LOOK = 0.5  # seconds between two looks at who is late


@final
@dataclass(eq=False)
class Cluster:
    """A Ray cluster, one job a CPU.

    Args:
        address: "local" starts one on this machine, which ends with this process; "auto" takes the one that runs, else that of a cluster.
        cores: of the local one that are used; all of them if None.

    Raises:
        BackendError: Ray is not installed, or the cluster does not answer.
    """

    address: str = "local"
    cores: int | None = None

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
        crew, room = _Crew(self._ray), self.workers
        try:
            while crew.fill(room, shared, take, heard):
                crew.listen()
                crew.give_up()
                idle(sum(running.share for running in crew.running.values()) / max(1, len(crew.running)))
        finally:
            for line in crew.running:
                self._ray.cancel(line, force=True)


@final
@dataclass(eq=False)
class _Crew:
    """Jobs that run on a cluster, by the line on which their worker says what comes of them."""

    ray: Any
    running: dict[Any, Running] = field(default_factory=dict)

    def fill(self, room: int, shared: Any, take: Take, heard: Heard) -> bool:
        """Hand out jobs; False when nothing runs and nothing is left."""
        remote = self.ray.remote(num_cpus=1, max_retries=0)(_work)
        while len(self.running) < room and (job := take()):
            line = remote.remote(shared, job.trials)
            self.running[line] = Running(job, heard, began=math.inf)  # when its worker is up, which may take a minute
        return bool(self.running)

    def listen(self) -> None:
        """Hear what workers have to say."""
        for line in self.ray.wait(list(self.running), timeout=_LOOK)[0]:
            running = self.running[line]
            try:
                running.said(*self.ray.get(next(line)))
            except StoreError:
                raise
            except Exception as fault:  # a worker that died, or a node that is gone
                running.end(sentence(fault))
            running.began = min(running.began, time.monotonic())
            if running.over:
                del self.running[line]

    def give_up(self) -> None:
        """End what takes longer than it may."""
        for line, running in list(self.running.items()):
            if late := running.late:
                del self.running[line]
                self.ray.cancel(line, force=True)
                running.end(late)


def _paths() -> dict[str, str]:
    """What can be imported here can be imported there."""
    return {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def _work(data: Dataset, trials: Sequence[Trial]) -> Iterator[tuple[str, Any]]:
    """What runs on a worker of the cluster, and says what comes of it; it keeps nothing from one job to the next."""
    said: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    threading.Thread(target=_train, args=(data, trials, said), daemon=True).start()
    what = ""
    while what != "end":
        what, content = said.get()
        yield what, content


def _train(data: Dataset, trials: Sequence[Trial], said: queue.SimpleQueue[tuple[str, Any]]) -> None:
    """The other thread of a worker: training cannot stop to yield."""
    import torch

    from vicinal.lab.bench import Bench
    from vicinal.lab.engine.work import sparing, work

    torch.set_num_threads(THREADS)
    said.put(("progress", 0.0))  # what has to be loaded is loaded
    work(Bench(data), trials, sparing(lambda what, content: said.put((what, content))))
