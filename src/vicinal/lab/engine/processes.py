"""Trials in worker processes: every core is used by one, a trial that hangs is given up, one that dies takes nobody along."""

from __future__ import annotations

import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection, Listener, wait
from typing import final

from vicinal.core.errors import BackendError, ParameterError
from vicinal.data.dataset import Dataset
from vicinal.lab.engine.base import Heard, Idle, Job, Run, Running, Take, sentence
from vicinal.lab.engine.line import received, send

_LOOK = 0.5  # seconds between two looks at who is late
_START = 120.0  # seconds that a worker may take to come up
_STDERR = 2


@final
@dataclass(eq=False)
class Worker:
    """A process, the line to it, and the job that it has."""

    process: subprocess.Popen[bytes]
    line: Connection
    running: Running | None = None

    def end(self) -> None:
        with suppress(OSError):
            self.line.close()
        self.process.kill()
        self.process.wait()


@final
@dataclass(eq=False)
class Processes:
    """Worker processes on this machine, each with its share of the cores.

    Args:
        count: of workers; as many as there are cores if None.
    """

    count: int | None = None
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), init=False, repr=False)

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 1:
            raise ParameterError("--workers", "1 or more", repr(self.count), "--workers 2")

    @property
    def workers(self) -> int:
        return self.count or cores()

    @property
    def threads(self) -> int:
        """One worker's share of the cores."""
        return max(1, cores() // self.workers)

    @contextmanager
    def on(self, data: Dataset) -> Iterator[Run]:
        with Listener(authkey=self._key) as door:
            crew: list[Worker] = []
            try:
                yield partial(self._run, crew, door, data)
            finally:
                for worker in crew:
                    worker.end()

    def _run(self, crew: list[Worker], door: Listener, data: Dataset, take: Take, heard: Heard, idle: Idle) -> None:
        while self._round(crew, door, data, take, heard, idle):
            pass

    def _round(self, crew: list[Worker], door: Listener, data: Dataset, take: Take, heard: Heard, idle: Idle) -> bool:
        """Hand out jobs, listen, and look who is late; False when nothing runs and nothing is left."""
        self._hand_out(crew, door, data, take, heard)
        busy = {worker.line: worker for worker in crew if worker.running}
        if not busy:
            return False
        for line in wait(list(busy), timeout=_LOOK):
            _listen(busy[line], crew)  # type: ignore[index]
        for worker in list(crew):
            if worker.running and (late := worker.running.late):
                _lost(worker, crew, late)
        idle(sum(worker.running.share for worker in crew if worker.running) / max(1, len(crew)))
        return True

    def _hand_out(self, crew: list[Worker], door: Listener, data: Dataset, take: Take, heard: Heard) -> None:
        jobs: list[Job] = []
        free = [worker for worker in crew if not worker.running]
        while len(jobs) < self.workers - len(crew) + len(free) and (job := take()):
            jobs.append(job)
        fresh = self._started(max(0, len(jobs) - len(free)), door, data)
        crew.extend(fresh)
        for worker, job in zip([*free, *fresh], jobs, strict=False):
            _given(worker, job, crew, heard)

    def _started(self, count: int, door: Listener, data: Dataset) -> list[Worker]:
        """New workers that have the data."""
        processes = {process.pid: process for process in (self._spawned(door) for _ in range(count))}
        fresh: list[Worker] = []
        try:
            for _ in range(count):
                line = _accepted(door, list(processes.values()))
                fresh.append(Worker(processes.pop(received(line)), line))
                send(line, data)
        except BaseException:
            for process in processes.values():
                process.kill()
            raise
        return fresh

    def _spawned(self, door: Listener) -> subprocess.Popen[bytes]:
        threads = str(self.threads)
        settings = {"OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "OMP_WAIT_POLICY": "PASSIVE"}
        line = {"VICINAL_WORKER": str(door.address), "VICINAL_WORKER_KEY": self._key.hex()}
        paths = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}  # what can be imported here can be imported there
        command = [sys.executable, "-m", "vicinal.lab.engine.worker"]
        # What a trainer prints must not get among the answers on our own standard output.
        return subprocess.Popen(command, env=os.environ | settings | line | paths, stdin=subprocess.DEVNULL, stdout=_STDERR)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _accepted(door: Listener, processes: list[subprocess.Popen[bytes]]) -> Connection:
    """The line of the next worker that comes up; a thread waits for it, because a listener itself waits for ever."""
    came: queue.Queue[Connection] = queue.Queue()

    def answer() -> None:
        with suppress(OSError, EOFError):
            came.put(door.accept())

    threading.Thread(target=answer, daemon=True).start()
    end = time.monotonic() + _START
    while time.monotonic() < end and all(process.poll() is None for process in processes):
        with suppress(queue.Empty):
            return came.get(timeout=_LOOK)
    codes = ", ".join(str(process.poll()) for process in processes)
    raise BackendError("worker process", f"an answer within {_START:.0f} s", f"none (exit status {codes})", "--engine serial")


def _given(worker: Worker, job: Job, crew: list[Worker], heard: Heard) -> None:
    worker.running = running = Running(job, heard)
    try:
        send(worker.line, job.trials)
    except OSError:  # it died while it had nothing to do
        _lost(worker, crew, None)
    except Exception as fault:  # whatever pickling raises
        worker.running = None
        running.end(f"cannot be sent to a worker: {sentence(fault)}; write --engine serial")


def _listen(worker: Worker, crew: list[Worker]) -> None:
    try:
        what, content = received(worker.line)
    except (EOFError, ConnectionError):
        _lost(worker, crew, None)
        return
    running = worker.running
    assert running is not None
    running.said(what, content)
    if running.over:
        worker.running = None


def _lost(worker: Worker, crew: list[Worker], why: str | None) -> None:
    """A worker that died, or that is ended because it is late; the next job gets a new one."""
    crew.remove(worker)
    if why is None:
        with suppress(subprocess.TimeoutExpired):
            worker.process.wait(5)
        why = _death(worker.process.returncode)
    worker.end()
    assert worker.running is not None
    worker.running.end(why)


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = ", as the system does when memory runs out" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{hint}"
    return f"its process ended with exit status {code}"
