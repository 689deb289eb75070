"""Feeds made of arrays, and what a batch must be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import DataError
from vicinal.learn.trainer import Goal, Items

FINITE = "finite data, and transforms that keep them so: np.isfinite(policy(image)).all()"


@final
@dataclass(frozen=True, eq=False)
class ArrayFeed:
    """Batches cut from arrays as they are: a `Feed`.

    Args:
        inputs: (N, D) float32, or (N, 1) texts.
        labels: (N,) int64 class numbers, (N, K) float32 shares of classes, or (N, V) float32 values.
        rows: (steps, R, B) integers: which items every replica sees at every step; begins again after the last step.

    Example:
        >>> items = ArrayFeed(np.eye(4, dtype=np.float32), np.arange(4), rows=np.array([[[0, 1], [2, 3]]]))
        >>> items.batch(0)[1]
        array([[0, 1],
               [2, 3]])
        >>> items.whole(1).labels
        array([2, 3])
    """

    inputs: NDArray
    labels: NDArray
    rows: NDArray[np.integer]

    def batch(self, step: int) -> tuple[NDArray, NDArray]:
        rows = self.rows[step % len(self.rows)]
        return self.inputs[rows], self.labels[rows]

    def whole(self, replica: int) -> Items:
        """Every item that the replica sees at some step, once."""
        rows = np.unique(self.rows[:, replica])
        return Items(self.inputs[rows], self.labels[rows], np.ones(len(rows)))


def check_numbers(goal: Goal, where: str) -> None:
    """Refuse texts where a model computes with its inputs.

    Raises:
        DataError: the items are texts.
    """
    if goal.text:
        raise DataError(where, "items of numbers", "texts", "Sklearn(estimator=make_pipeline(TfidfVectorizer(), LogisticRegression()))")


def check_images(goal: Goal, where: str) -> None:
    """Refuse what is no picture of 2x2 pixels or more, where a network has convolutions.

    Raises:
        DataError: texts, series, tables, or pictures that are too small.
    """
    check_numbers(goal, where)
    if len(goal.shape) != 3 or min(goal.shape[:2]) < 2:
        raise DataError(where, "images (H, W, C) of 2x2 pixels or more", f"items of shape {goal.shape}", "name: mlp")


def checked_batch(inputs: NDArray, labels: NDArray, step: int, replicas: int, most: int, goal: Goal) -> tuple[NDArray, NDArray]:
    """The batch of a step, or an error that says how it differs from (replicas, 1..most, features) and the labels of the goal."""
    where = f"feed, step {step}"
    if inputs.ndim != 3 or inputs.shape[::2] != (replicas, goal.features) or not 1 <= inputs.shape[1] <= most:
        expected = f"inputs of shape ({replicas} replicas, 1..{most} items, {goal.features} features)"
        raise DataError(where, expected, str(inputs.shape), f"return inputs.reshape({replicas}, -1, {goal.features}), labels")
    # torch shares the memory of an array only if it may write to it.
    return np.require(inputs, goal.dtype, ["C", "W"]), checked_labels(labels, inputs.shape[:2], goal, where)


def checked_labels(labels: NDArray, shape: tuple[int, ...], goal: Goal, where: str) -> NDArray:
    """Labels of items as torch takes them: int64 class numbers, or float32 shares of classes or values.

    Raises:
        DataError: another shape than that of the items, or labels that cannot be.
    """
    wide = labels.shape == (*shape, goal.outputs) and labels.dtype.kind == "f"
    if goal.regression:
        return _values(labels, wide, shape, goal, where)
    return _shares(labels, where) if wide else _classes(labels, shape, goal, where)


def _values(labels: NDArray, wide: bool, shape: tuple[int, ...], goal: Goal, where: str) -> NDArray[np.float32]:
    if not wide:
        form, got = (*shape, goal.outputs), f"{labels.dtype} of shape {labels.shape}"
        raise DataError(where, f"values, float32 of shape {form}", got, f"labels.astype(np.float32).reshape{form}")
    if not np.isfinite(labels).all():
        raise DataError(where, "finite values", "nan or infinity", "data without such labels, np.isfinite(labels)")
    return np.require(labels, np.float32, ["C", "W"])


def _shares(labels: NDArray, where: str) -> NDArray[np.float32]:
    sums = labels.sum(-1)
    # not (a <= b), since nan is neither above nor below
    if not (labels.min(initial=0) >= 0 and np.abs(sums - 1).max(initial=0) <= 1e-3):
        got = f"{labels.min():g} to {labels.max():g}, sums up to {sums.max():g}"
        raise DataError(where, "shares of classes, 0 or more, that add up to 1", got, "means of rows of np.eye(classes, dtype=np.float32)")
    return np.require(labels, np.float32, ["C", "W"])


def _classes(labels: NDArray, shape: tuple[int, ...], goal: Goal, where: str) -> NDArray[np.int64]:
    if labels.shape != shape or labels.dtype.kind not in "iu":
        got, write = f"{labels.dtype} of shape {labels.shape}", f"labels.astype(np.int64).reshape{shape}"
        raise DataError(where, f"integer labels of shape {shape}", got, write)
    if labels.min() < 0 or labels.max() >= goal.outputs:
        write = f"Goal(shape, outputs={labels.max() + 1})" if labels.min() >= 0 else "labels - labels.min()"
        raise DataError(where, f"labels 0..{goal.outputs - 1}", f"{labels.min()}..{labels.max()}", write)
    return np.require(labels, np.int64, ["C", "W"])


def checked_weights(weights: NDArray | None, replicas: int, goal: Goal) -> NDArray[np.float32] | None:
    """(R, K) factors of the classes, or an error that says how they differ from that.

    Raises:
        DataError: weights for values, of another shape, or such that no class counts.
    """
    if weights is None:
        return None
    if goal.regression:
        raise DataError("class_weights", "none, where values are regressed", f"weights of shape {weights.shape}", "class_weights=None")
    write = f"np.ones(({replicas}, {goal.outputs})), say"
    if weights.shape != (replicas, goal.outputs):
        raise DataError("class_weights", f"one a replica and class, ({replicas}, {goal.outputs})", str(weights.shape), write)
    if not (np.isfinite(weights).all() and weights.min() > 0):
        raise DataError("class_weights", "finite factors above 0", f"{weights.min():g} to {weights.max():g}", write)
    return np.require(weights, np.float32, ["C", "W"])


def checked_inputs(inputs: NDArray, features: int, dtype: type = np.float32) -> NDArray:
    """(N, D) inputs as torch takes them, or as ``Goal.dtype`` says, or an error that says how they differ from that."""
    if inputs.ndim != 2 or inputs.shape[1] != features:
        raise DataError("Predictor", f"inputs (N, {features})", str(inputs.shape), f"inputs.reshape(len(inputs), {features})")
    return np.require(inputs, dtype, ["C", "W"])
