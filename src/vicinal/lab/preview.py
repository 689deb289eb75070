"""What the arms of a comparison made of their data, to look at: contact sheets by address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vicinal.core.draw import Address
from vicinal.core.transform import Node
from vicinal.data.dataset import Dataset
from vicinal.lab.feed import Replica, transformed
from vicinal.lab.group import pupil
from vicinal.lab.report import Sheet, SheetRow
from vicinal.lab.report.sheet import VERSIONS, spread
from vicinal.lab.trial import Trial

if TYPE_CHECKING:
    from vicinal.lab.bench import Bench
    from vicinal.lab.conduct import Findings


def sheets(findings: Findings, bench: Bench) -> dict[str, Sheet]:
    """For every arm with a policy, what it made of some training items of its first trial, at the addresses of the training itself."""
    if findings.study.data.kind != "image":
        return {}
    last: dict[str, Trial] = {}
    for trial in findings.trials:
        if trial.arm.policy is not None and trial.arm.control != "part" and trial.seed == findings.study.seeds[0]:
            last[trial.arm.name] = trial
    return {name: _sheet_of(pupil(bench, [trial]).replica, trial.steps) for name, trial in last.items()}


def _sheet_of(replica: Replica, steps: int) -> Sheet:
    arm = replica.arm
    originals = spread(replica.items[replica.copy == 0])
    seen = steps * replica.size // len(replica.items)  # epochs that every item has seen
    fly = arm.mode == "fly"
    epochs = np.arange(min(VERSIONS, max(1, seen))) if fly else np.zeros(1, int)
    views = np.zeros(1, int) if fly else 1 + np.arange(min(VERSIONS, arm.copies))
    assert arm.policy is not None
    return Sheet(arm.name, [_row(arm.policy, replica.data, row, replica.seed, epochs, views) for row in originals])


def _row(policy: Node, data: Dataset, row: int, seed: int, epochs: NDArray, views: NDArray) -> SheetRow:
    image, count = np.asarray(data.images[row]), max(len(epochs), len(views))
    address = Address.of(seed, epochs, int(data.sources[row]), views, size=count)
    return SheetRow(image, list(transformed(policy, np.repeat(image[None], count, 0), address)), str(address))
