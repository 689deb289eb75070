"""The training loop of everything that takes steps: batches in, snapshots out."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor

from vicinal.core.errors import DataError, VicinalError
from vicinal.learn.feed import FINITE, checked_batch
from vicinal.learn.trainer import Predictor, Task

WATCH_EVERY = 25  # steps between looks at the weights: a replica that diverged stays so


class Replicas(ABC):
    """R models of one shape that learn side by side and never influence one another."""

    @abstractmethod
    def step(self, inputs: Tensor, labels: Tensor) -> None:
        """One step on (R, B, D) inputs and the labels of a `Feed`; inputs and labels are left as they are."""

    @abstractmethod
    def snapshot(self) -> Predictor:
        """The models as they are now, which later steps do not touch."""

    @abstractmethod
    def finite(self) -> Tensor:
        """(R,) whether the loss of every step so far was finite."""


def train(replicas: Replicas, task: Task, batch: int, lr: float) -> Predictor:
    """Train all replicas for ``task.steps`` steps, each on its own batches.

    Args:
        batch: the most items of a step; lr: the learning rate, for the advice where a loss is no longer finite.

    Raises:
        VicinalError: a replica's loss is no longer finite; the sentence names its seed.
        DataError: a batch of the wrong shape, or with labels or inputs that cannot be.
    """

    def look(done: int) -> None:
        if done % WATCH_EVERY == 0 or done in task.marks or done == task.steps:
            _refuse_divergence(replicas, task, done, lr)
        if done in task.marks:
            task.look(done, replicas.snapshot())

    look(0)
    for step in range(task.steps):
        inputs, labels = checked_batch(*task.feed.batch(step), step, len(task.seeds), batch, task.goal)
        replicas.step(torch.from_numpy(inputs), torch.from_numpy(labels))
        look(step + 1)
        task.progress(step + 1)
    return replicas.snapshot()


def _refuse_divergence(replicas: Replicas, task: Task, done: int, lr: float) -> None:
    lost = (~replicas.finite()).nonzero().flatten().tolist()
    if not lost:
        return
    for step in range(max(0, done - WATCH_EVERY), done):
        faulty = np.argwhere(~np.isfinite(task.feed.batch(step)[0]).all(2))
        if len(faulty):
            replica, item = faulty[0]
            raise DataError(f"feed, step {step}, seed {task.seeds[replica]}", "finite inputs", f"nan or infinity in item {item}", FINITE)
    others = f" (and in {len(lost) - 1} more of {len(task.seeds)} replicas)" if len(lost) > 1 else ""
    write = f"a smaller learning rate than {lr:g}, for example lr={lr / 10:g}"
    raise VicinalError(f"training, seed {task.seeds[lost[0]]}", "a finite loss", f"nan or infinity by step {done}{others}", write)
