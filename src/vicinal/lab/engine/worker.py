"""A worker process: gets the data once, then jobs, and sends back what it measured. Started by ``Processes``, never by hand.

What takes long to load is loaded before it calls: it is no part of the time that a trial may take.
"""

from __future__ import annotations

import os
from multiprocessing.connection import Client, Connection

import torch

from vicinal.core.backend import load
from vicinal.lab.bench import Bench
from vicinal.lab.engine.base import sentence
from vicinal.lab.engine.line import received, send, unpacked
from vicinal.lab.engine.work import sparing, work


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
    bench, say = Bench(received(line)), sparing(lambda what, content: send(line, (what, content)))
    while True:
        job = line.recv_bytes()
        try:
            trials = unpacked(job)
        except Exception as fault:  # whatever unpickling raises
            say("end", sentence(fault))
        else:
            work(bench, trials, say)


if __name__ == "__main__":
    main()
