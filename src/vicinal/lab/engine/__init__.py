"""Where trials are run: in this process, in worker processes, or on a Ray cluster. All give the same outcomes."""

from __future__ import annotations

from vicinal.core.errors import ParameterError
from vicinal.lab.engine.base import Engine, Failed, Job
from vicinal.lab.engine.processes import Processes
from vicinal.lab.engine.serial import Serial

__all__ = ["ENGINES", "Engine", "Failed", "Job", "Processes", "Serial", "engine"]

ENGINES = ("serial", "processes", "ray")


def engine(name: str, workers: int | None = None, address: str = "local") -> Engine:
    """An engine by its name.

    Args:
        name: serial, processes or ray; workers: processes, or cores of a local Ray cluster; as many as there are cores if None.
        address: of a Ray cluster: "local" starts one, "auto" takes the one that runs.

    Raises:
        ParameterError: no such engine, or Ray is not installed.
    """
    if name not in ENGINES:
        raise ParameterError("--engine", f"one of {', '.join(ENGINES)}", repr(name), "--engine processes")
    if name == "ray":
        from vicinal.lab.engine.cluster import Cluster

        return Cluster(address, workers)
    return Serial() if name == "serial" else Processes(workers)
