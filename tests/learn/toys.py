"""Small tasks that can be learned in a few steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.learn.feed import ArrayFeed
from vicinal.learn.trainer import Feed, Goal, Items, Task, Trainer

FEATURES, CLASSES, ITEMS, STEPS = 20, 4, 120, 50
SEEDS = (11, 3, 3, 2**63 + 5)
GOAL = Goal((FEATURES,), CLASSES)


def blobs(seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Blobs with a structure that can be learnt: the class shifts a block of features."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, ITEMS)
    return (rng.normal(0, 0.3, (ITEMS, FEATURES)) + np.eye(CLASSES)[labels].repeat(5, 1)).astype(np.float32), labels


def feed_of(replicas: int, batch: int = 16, labels: NDArray | None = None) -> ArrayFeed:
    inputs, hard = blobs()
    return ArrayFeed(inputs, hard if labels is None else labels, np.random.default_rng(1).integers(0, ITEMS, (STEPS, replicas, batch)))


def fit(trainer: Trainer, feed: Any = None, seeds: Sequence[int] = SEEDS, goal: Goal = GOAL, steps: int = STEPS, **options: Any) -> Any:
    return trainer.fit(Task(goal, feed_of(len(seeds)) if feed is None else feed, tuple(seeds), steps, **options))


@dataclass
class Changed:
    """A feed whose batches are changed on the way."""

    feed: Feed
    change: Any

    def batch(self, step: int) -> tuple[NDArray[np.float32], NDArray]:
        return self.change(step, *self.feed.batch(step))

    def whole(self, replica: int) -> Items:
        return self.feed.whole(replica)
