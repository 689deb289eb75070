"""Objects between this process and its workers. Only processes that this one has started know the key of a line."""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import Any

import cloudpickle


def send(line: Connection, what: Any) -> None:
    """Send an object; functions of the user's own script travel by value."""
    line.send_bytes(cloudpickle.dumps(what))


def received(line: Connection) -> Any:
    """The next object."""
    return unpacked(line.recv_bytes())


def unpacked(content: bytes) -> Any:
    """The object of a message."""
    return cloudpickle.loads(content)
