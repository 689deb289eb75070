"""Trainers that take no steps: one replica after the other learns from all its items at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import DataError
from vicinal.learn.feed import FINITE, checked_inputs, checked_labels
from vicinal.learn.trainer import Goal, Items, Predictor, Task

Answer = Callable[[NDArray], Any]


@final
@dataclass(frozen=True)
class Model:
    """One trained model.

    Args:
        where: who made it, and under which seed, for errors; answer: from (N, D) or (N, *shape) inputs to what ``answered`` reads.
        shaped: whether it is asked with (N, *shape).
    """

    where: str
    answer: Answer
    goal: Goal
    shaped: bool = False

    def outputs(self, inputs: NDArray) -> NDArray[np.float32]:
        """(N, K) probabilities or (N, V) values for inputs (N, D)."""
        asked = inputs.reshape(-1, *self.goal.shape) if self.shaped else inputs
        return answered(self.answer(asked), len(inputs), self.goal, self.where)


@final
@dataclass(frozen=True, eq=False)
class Models:
    """R trained models of any kind: a `Predictor`."""

    models: tuple[Model, ...]

    def __len__(self) -> int:
        return len(self.models)

    def take(self, rows: Sequence[int]) -> Models:
        """Some of the replicas, in the order given."""
        return Models(tuple(self.models[row] for row in rows))

    def outputs(self, inputs: NDArray) -> NDArray[np.float32]:
        """(R, N, K) probabilities, or (R, N, V) values, for inputs (N, D)."""
        goal = self.models[0].goal
        checked = checked_inputs(inputs, goal.features, goal.dtype)
        return np.stack([model.outputs(checked) for model in self.models])


def fit_each(task: Task, fit: Callable[[int], Model]) -> Predictor:
    """Fit one replica after the other, each by its number, and look once, at the end."""
    made: list[Model] = []
    for replica in range(len(task.seeds)):
        made.append(fit(replica))
        task.progress(task.steps * len(made) // len(task.seeds))
    predictor = Models(tuple(made))
    task.look(task.steps, predictor)
    return predictor


def checked_items(task: Task, replica: int) -> Items:
    """All items of a replica, or an error that names its seed and says what is wrong with them."""
    inputs, labels, weights = task.feed.whole(replica)
    where = f"items, seed {task.seeds[replica]}"
    if inputs.ndim != 2 or inputs.shape[1] != task.goal.features or not len(inputs):
        expected = f"inputs of shape (1 item or more, {task.goal.features} features)"
        raise DataError(where, expected, str(inputs.shape), f"return inputs.reshape(len(inputs), {task.goal.features}), ...")
    if not task.goal.text and not np.isfinite(inputs).all():
        raise DataError(where, "finite inputs", f"nan or infinity in item {np.argwhere(~np.isfinite(inputs))[0, 0]}", FINITE)
    if weights.shape != inputs.shape[:1] or not (np.isfinite(weights).all() and weights.min() >= 0 and weights.any()):
        expected = f"weights of shape {inputs.shape[:1]}, finite, 0 or more, not all 0"
        raise DataError(where, expected, f"weights of shape {weights.shape}", "return inputs, labels, np.ones(len(inputs)), say")
    return Items(np.require(inputs, task.goal.dtype, ["C"]), checked_labels(labels, inputs.shape[:1], task.goal, where), weights)


def answered(found: Any, items: int, goal: Goal, where: str) -> NDArray[np.float32]:
    """What a model says of N items, as (N, K) probabilities or (N, V) values.

    Args:
        found: (N, K) probabilities or (N,) class numbers; (N, V) values, or (N,) of one value.

    Raises:
        DataError: another shape, numbers that are not finite, rows that do not add up to 1, classes that are none.

    Example:
        >>> answered([1, 0], 2, Goal((4,), 2), "f").tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """
    array = np.asarray(found)
    if goal.regression:
        return _values(array, items, goal, where)
    if array.shape == (items,) and array.dtype.kind in "biu":
        return _one_hot(array, goal, where)
    return _probabilities(array, items, goal, where)


def _values(found: NDArray, items: int, goal: Goal, where: str) -> NDArray[np.float32]:
    found = found[:, None] if found.shape == (items,) and goal.outputs == 1 else found
    _numbers(found, (items, goal.outputs), f"values of shape {(items, goal.outputs)}", where)
    return found.astype(np.float32)


def _one_hot(found: NDArray, goal: Goal, where: str) -> NDArray[np.float32]:
    if len(found) and not (found.min() >= 0 and found.max() < goal.outputs):
        expected, got = f"class numbers 0..{goal.outputs - 1}", f"{found.min()}..{found.max()}"
        raise DataError(where, expected, got, "return probabilities.argmax(axis=1), say")
    return np.eye(goal.outputs, dtype=np.float32)[found.astype(np.int64)]


def _probabilities(found: NDArray, items: int, goal: Goal, where: str) -> NDArray[np.float32]:
    _numbers(found, (items, goal.outputs), f"probabilities of shape {(items, goal.outputs)}, or class numbers of shape ({items},)", where)
    sums = found.sum(1, keepdims=True)
    if len(found) and not (found.min() >= 0 and np.abs(sums - 1).max() <= 1e-3):
        got = f"numbers from {found.min():g} to {found.max():g}, whose sums are {sums.min():g} to {sums.max():g}"
        raise DataError(where, "probabilities, 0 or more, that add up to 1", got, "return scipy.special.softmax(logits, axis=1)")
    return (found / sums).astype(np.float32)


def _numbers(found: NDArray, shape: tuple[int, ...], expected: str, where: str) -> None:
    if found.shape != shape or found.dtype.kind not in "biuf":
        raise DataError(where, expected, f"{found.dtype} of shape {found.shape}", f"return an array of shape {shape}")
    if not np.isfinite(found).all():
        got = f"nan or infinity for item {np.argwhere(~np.isfinite(found))[0, 0]}"
        raise DataError(where, "finite predictions", got, "a smaller learning rate, or inputs of a smaller range, in your function")
