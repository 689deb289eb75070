"""What policies make of data, to look at: contact sheets by address, and the recipe of one sample."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vicinal.core.compose import Compose, Views
from vicinal.core.draw import Address
from vicinal.core.errors import ParameterError, raise_all
from vicinal.core.files import write_files
from vicinal.core.policy import read_policy
from vicinal.core.recipe import Recipe
from vicinal.core.transform import Node
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import unfit
from vicinal.lab.feed import Replica, taken, transformed
from vicinal.lab.group import pupil
from vicinal.lab.report import Sheet, SheetRow
from vicinal.lab.report.sheet import picture
from vicinal.lab.trial import Trial

if TYPE_CHECKING:
    from vicinal.lab.bench import Bench
    from vicinal.lab.conduct import Findings

ROWS, VERSIONS = 6, 6


def sheets(findings: Findings, bench: Bench) -> dict[str, Sheet]:
    """For every arm with a policy, what it made of some training items of its first trial, at the addresses of the training itself."""
    if findings.study.data.kind != "image":
        return {}
    last: dict[str, Trial] = {}
    for trial in findings.trials:
        if trial.arm.policy is not None and trial.seed == findings.study.seeds[0]:
            last[trial.arm.name] = trial
    return {name: _sheet_of(pupil(bench, [trial]).replica, trial.steps) for name, trial in last.items()}


def _sheet_of(replica: Replica, steps: int) -> Sheet:
    arm = replica.arm
    originals = _spread(replica.items[replica.copy == 0])
    seen = steps * replica.size // len(replica.items)  # epochs that every item has seen
    fly = arm.mode == "fly"
    epochs = np.arange(min(VERSIONS, max(1, seen))) if fly else np.zeros(1, int)
    views = np.zeros(1, int) if fly else 1 + np.arange(min(VERSIONS, arm.copies))
    assert arm.policy is not None
    return Sheet(arm.name, [_row(arm.policy, replica.data, row, replica.seed, epochs, views) for row in originals])


def _spread(rows: NDArray[np.int64]) -> list[int]:
    """Some of the rows, evenly spread."""
    return rows[np.linspace(0, len(rows) - 1, min(ROWS, len(rows))).astype(int)].tolist()


def _row(policy: Node, data: Dataset, row: int, seed: int, epochs: NDArray, views: NDArray) -> SheetRow:
    image, count = np.asarray(data.images[row]), max(len(epochs), len(views))
    address = Address.of(seed, epochs, int(data.sources[row]), views, size=count)
    return SheetRow(image, list(transformed(policy, np.repeat(image[None], count, 0), address)), str(address))


def sheet_file(data: Dataset, policy: str, seed: int, path: Path) -> tuple[str, Path]:
    """Write a contact sheet of a policy on some images as PNG: a column for each epoch, or for each view of a policy with Views.

    Returns:
        The plan in words, and the path.

    Raises:
        PolicyError: the policy does not end in an image. StoreError: the file cannot be written.
    """
    node = read_policy(policy)
    one = Compose(node.of) if isinstance(node, Views) else node  # view i of Views is the plain policy at view=i
    raise_all("--policy", unfit("--policy", one, data.kind))
    epochs, views = (np.zeros(1, int), np.arange(node.n)) if isinstance(node, Views) else (np.arange(VERSIONS), np.zeros(1, int))
    rows = _spread(np.arange(len(data)))
    sheet = Sheet(policy, [_row(one, data, row, seed, epochs, views) for row in rows])
    write_files({path: base64.b64decode(picture(sheet).uri.split(",", 1)[1])})
    return one.explain([_taken(one, data, row) for row in rows], seed=seed, index=data.sources[rows]), path


def _taken(policy: Node, data: Dataset, row: int) -> NDArray:
    return taken(policy, np.asarray(data.images[row])[None])[0]


def recipe_of(data: Dataset, policy: str, seed: int, at: str) -> Recipe:
    """The recipe at EPOCH:INDEX or EPOCH:INDEX:VIEW, where INDEX is a source id of the data and VIEW the number of a copy.

    Raises:
        ParameterError: no such place, or no such source id.
    """
    node = read_policy(policy)
    parts = at.split(":")
    if len(parts) not in (2, 3) or not all(part.strip().isdecimal() for part in parts):
        raise ParameterError("--at", "EPOCH:INDEX or EPOCH:INDEX:VIEW", repr(at), "--at 3:17")
    epoch, index, view = (*map(int, parts), 0)[:3]
    rows = np.flatnonzero(data.sources == index)
    if not len(rows):
        low, high = data.sources.min(), data.sources.max()
        raise ParameterError("--at", f"an index from {low} to {high}", str(index), f"--at {epoch}:{low}")
    return node.at(seed=seed, epoch=epoch, index=index, view=view, image=_taken(node, data, int(rows[0])))
