"""A worker process: gets the data once, then jobs, and sends back what it measured. Started by ``Processes``, never by hand.

What takes long to load is loaded before it calls: it is no part of the time that a trial may take.
"""

from __future__ import annotations

import os
import time
from multiprocessing.connection import Client, Connection
from typing import Any

import torch

from vicinal.core.backend import load
from vicinal.lab.bench import Bench
from vicinal.lab.engine.base import Failed, sentence
from vicinal.lab.engine.line import received, send, unpacked
from vicinal.lab.group import run_group

PROGRESS = 0.5  # seconds between two signs of progress


def main() -> None:
    """Serve the address that the environment names, until the other side hangs up."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    load("auto")
    address, key = os.environ.pop("VICINAL_WORKER"), bytes.fromhex(os.environ.pop("VICINAL_WORKER_KEY"))
    with Client(address, authkey=key) as line:
        try:
            send(line, os.getpid())
            serve(line)
        except (EOFError, ConnectionError, KeyboardInterrupt):
            return


def serve(line: Connection) -> None:
    """Answer jobs."""
    bench = Bench(received(line))
    while True:
        job = line.recv_bytes()
        try:
            trials = unpacked(job)
            report: Any = run_group(bench, trials, _telling(line, max(1, *(trial.steps for trial in trials))))
        except Exception as fault:
            report = Failed(sentence(fault))
        send(line, ("report", report))


def _telling(line: Connection, steps: int) -> Any:
    last = time.monotonic()

    def progress(done: int) -> None:
        nonlocal last
        if time.monotonic() - last > PROGRESS:
            last = time.monotonic()
            send(line, ("progress", done / steps))

    return progress


if __name__ == "__main__":
    main()
