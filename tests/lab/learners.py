"""Trainers for tests: quick, and wrong in whatever way is wanted."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self, final

import numpy as np
import torch
from numpy.typing import NDArray

from vicinal.learn.trainer import Goal, Items, Predictor, Task


@final
@dataclass(frozen=True)
class Means:
    """The nearest class mean, or the mean of the values: takes no steps, and milliseconds.

    Args:
        wrong: what happens at the seed ``at``: raises, nan, short (too few outputs), hangs, memory, dies; "" for nothing.
        beside: replicas that one call may get; seconds: that every replica takes; log: a file that gets a line for every replica:
            its seed, and torch's threads.
    """

    name: ClassVar[str] = "means"
    stepwise: ClassVar[bool] = False
    imports: ClassVar[bool] = True
    batch: ClassVar[int] = 32
    passes: ClassVar[bool] = False

    wrong: str = ""
    at: int = 1
    beside: int = 64
    seconds: float = 0.0
    log: str = ""

    def together(self, goal: Goal) -> int:
        return self.beside

    def check(self, goal: Goal) -> None:
        pass

    def data(self) -> Mapping[str, Any]:
        return {"name": self.name, "wrong": self.wrong, "at": self.at}

    def replace(self, **changes: Any) -> Self:
        return replace(self, **changes)

    def fit(self, task: Task) -> Predictor:
        fitted = Fitted(np.stack([self._fit(task, replica) for replica in range(len(task.seeds))]), task.goal.regression)
        task.look(task.steps, fitted)
        return fitted

    def _fit(self, task: Task, replica: int) -> NDArray[np.float32]:
        if self.log:
            with Path(self.log).open("a") as file:
                file.write(f"{task.seeds[replica]} {torch.get_num_threads()}\n")
        time.sleep(self.seconds)
        means = _means(task.feed.whole(replica), task.goal)
        return _gone_wrong(self.wrong, means) if self.wrong and task.seeds[replica] == self.at else means


def _means(items: Items, goal: Goal) -> NDArray[np.float32]:
    """(K, D) mean inputs of the classes, or (1, V) the mean values."""
    if goal.regression:
        return items.labels.mean(0, keepdims=True)
    shares = np.eye(goal.outputs)[items.labels] if items.labels.ndim == 1 else items.labels
    return (shares.T @ items.inputs / np.maximum(shares.sum(0)[:, None], 1e-9)).astype(np.float32)


def _gone_wrong(how: str, means: NDArray[np.float32]) -> NDArray[np.float32]:
    if how == "raises":
        raise ValueError("no convergence\nand a second line")
    if how == "memory":
        raise MemoryError
    if how == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "hangs":
        time.sleep(600)
    return means * np.float32(np.nan)


@final
@dataclass(frozen=True, eq=False)
class Fitted:
    """Means of R replicas."""

    means: NDArray[np.float32]
    regression: bool

    def __len__(self) -> int:
        return len(self.means)

    def take(self, rows: Sequence[int]) -> Fitted:
        return replace(self, means=self.means[list(rows)])

    def outputs(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.regression:
            return np.repeat(self.means, len(inputs), 1)
        near = np.exp(-np.square(inputs[None, :, None] - self.means[:, None]).sum(3) / 8)
        return (near / near.sum(2, keepdims=True)).astype(np.float32)


def settings(trainer: Means) -> dict[str, Any]:
    """Its fields, for a script in another process."""
    return asdict(trainer)
