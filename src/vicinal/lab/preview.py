"""What the arms of a comparison made of their data, to look at: contact sheets by address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vicinal.core.draw import Address
from vicinal.core.transform import Node
from vicinal.data.dataset import Dataset
from vicinal.lab.feed import transformed
from vicinal.lab.report import Sheet, SheetRow

if TYPE_CHECKING:
    from vicinal.lab.compare import Run  # with it comes torch, which a look at some images can do without

ROWS, VERSIONS = 6, 6


def sheets(runs: Sequence[Run]) -> dict[str, Sheet]:
    """For every arm with a policy, what it made of some training items of the first seed, at the addresses of the training itself."""
    first: dict[str, Run] = {}
    for run in runs:
        if run.arm.policy is not None:
            first.setdefault(run.arm.name, run)
    return {name: _sheet_of(run, run.arm.policy) for name, run in first.items() if run.arm.policy is not None}


def _sheet_of(run: Run, policy: Node) -> Sheet:
    replica = run.replica
    originals = spread(replica.items[replica.copy == 0])
    seen = run.steps * replica.size // len(replica.items)  # epochs that every item has seen
    fly = run.arm.mode == "fly"
    epochs = np.arange(min(VERSIONS, max(1, seen))) if fly else np.zeros(1, int)
    views = np.zeros(1, int) if fly else 1 + np.arange(min(VERSIONS, run.arm.copies))
    return Sheet(run.arm.name, [_row(policy, replica.data, row, replica.seed, epochs, views) for row in originals])


def spread(rows: NDArray[np.int64]) -> list[int]:
    """Some of the rows, evenly spread."""
    return rows[np.linspace(0, len(rows) - 1, min(ROWS, len(rows))).astype(int)].tolist()


def _row(policy: Node, data: Dataset, row: int, seed: int, epochs: NDArray, views: NDArray) -> SheetRow:
    image, count = np.asarray(data.images[row]), max(len(epochs), len(views))
    address = Address.of(seed, epochs, int(data.sources[row]), views, size=count)
    return SheetRow(image, list(transformed(policy, np.repeat(image[None], count, 0), address)), str(address))
