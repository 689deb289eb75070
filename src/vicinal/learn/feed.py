"""Where training batches come from: anything with ``batch(step)``, a pure function of the step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import DataError


class Feed(Protocol):
    """The batches of one replica."""

    def batch(self, step: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Inputs (B, D) float32 and labels (B,) int64 of a step, counted from 0."""
        ...


class GroupFeed(Protocol):
    """The batches of all R replicas at once, so that augmentation can be vectorised across them."""

    def batch(self, step: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Inputs (R, B, D) float32 and labels (R, B) int64 of a step, counted from 0."""
        ...


@final
@dataclass(frozen=True)
class Together:
    """One feed a replica, as a `GroupFeed`."""

    feeds: tuple[Feed, ...]

    def batch(self, step: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        inputs, labels = zip(*(feed.batch(step) for feed in self.feeds), strict=True)
        if len({array.shape for array in inputs}) > 1:
            shapes = ", ".join(str(array.shape) for array in inputs)
            raise DataError(f"feed, step {step}", "one batch shape for all replicas", shapes)
        return np.stack(inputs), np.stack(labels)


@final
@dataclass(frozen=True, eq=False)
class ArrayFeed:
    """Batches cut from arrays as they are, a `GroupFeed`.

    Args:
        inputs: (N, D) float32.
        labels: (N,) int64.
        rows: (steps, R, B) integers: which items every replica sees at every step; begins again after the last step.

    Example:
        >>> items = ArrayFeed(np.eye(4, dtype=np.float32), np.arange(4), rows=np.array([[[0, 1], [2, 3]]]))
        >>> items.batch(0)[1]
        array([[0, 1],
               [2, 3]])
    """

    inputs: NDArray[np.float32]
    labels: NDArray[np.int64]
    rows: NDArray[np.integer]

    def batch(self, step: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        rows = self.rows[step % len(self.rows)]
        return self.inputs[rows], self.labels[rows]


def checked_batch(
    feed: GroupFeed, step: int, replicas: int, most: int, features: int, classes: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The batch of a step, or an error that says how it differs from (replicas, 1..most, features) and labels 0..classes-1."""
    inputs, labels = feed.batch(step)
    where = f"feed, step {step}"
    if inputs.ndim != 3 or inputs.shape[::2] != (replicas, features) or not 1 <= inputs.shape[1] <= most:
        raise DataError(where, f"inputs of shape ({replicas} replicas, 1..{most} items, {features} features)", str(inputs.shape))
    if labels.shape != inputs.shape[:2] or labels.dtype.kind not in "iu":
        raise DataError(where, f"integer labels of shape {inputs.shape[:2]}", f"{labels.dtype} of shape {labels.shape}")
    if labels.min() < 0 or labels.max() >= classes:
        raise DataError(where, f"labels 0..{classes - 1}", f"{labels.min()}..{labels.max()}")
    # torch shares the memory of an array only if it may write to it.
    return np.require(inputs, np.float32, ["C", "W"]), np.require(labels, np.int64, ["C", "W"])
