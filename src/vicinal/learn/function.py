"""A function of your own as a trainer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.declare import option
from vicinal.core.errors import ParameterError, PolicyError
from vicinal.core.named import EXPECTED, imported, is_path
from vicinal.learn.feed import checked_batch, checked_weights
from vicinal.learn.settings import Settings, count
from vicinal.learn.trainer import Feed, Goal, Predictor, Task
from vicinal.learn.whole import Model, checked_items, fit_each


@final
@dataclass(frozen=True, eq=False)
class Train:
    """What a function of your own learns from.

    Args:
        goal: the shape of an item, the number of outputs, and whether they are values.
        inputs: (n, *shape) float32, all items, copies included; images in [0, 1]; of texts (n,), each a str.
        labels: (n,) int64 class numbers, (n, K) float32 shares of classes, or (n, V) float32 values.
        weights: (n,) the weight of each item.
        class_weights: (K,) factors of the loss of every class, or None.
        steps: how many optimiser steps every arm takes; a function that takes none need not look.
    """

    goal: Goal
    inputs: NDArray
    labels: NDArray
    weights: NDArray[np.float64]
    class_weights: NDArray[np.float32] | None
    steps: int
    _feed: Feed
    _replica: int
    _most: int

    def batches(self) -> Iterator[tuple[NDArray, NDArray]]:
        """``steps`` batches, as the arm makes them: inputs (B, *shape) and labels as above, copies of your own.

        An arm that augments on the fly makes every visit to an item another one.
        """
        own = slice(self._replica, self._replica + 1)
        for step in range(self.steps):
            inputs, labels = self._feed.batch(step)
            inputs, labels = checked_batch(inputs[own], labels[own], step, 1, self._most, self.goal)
            yield inputs[0].reshape(-1, *self.goal.shape).copy(), labels[0].copy()


Fit = Callable[[Train, int], Callable[[NDArray], Any]]


def _is_function(value: Any) -> bool:
    return is_path(value) or callable(value)


@final
@dataclass(frozen=True)
class Function(Settings):
    """A function ``fit(train, seed) -> predict`` of your own: any model of any library.

    ``train`` is a `Train`. ``predict(inputs)`` gets (N, *shape) float32, or (N,) texts, and returns (N, K) probabilities,
    (N,) class numbers or, where values are regressed, (N, V) values. Whatever is random must come from ``seed``, so that two runs give
    the same. What the function raises is not caught.

    Args:
        function: the function, or its import path; data may name one only where they are trusted.
        batch: the most items of one of ``train.batches()``.
        version: part of what results are stored under; raise it when the function changes.

    Raises:
        ParameterError: no function, or a path of a package that is not installed.

    Example:
        >>> def nearest_mean(train, seed):
        ...     means = np.stack([train.inputs[train.labels == k].mean(0) for k in range(train.goal.outputs)])
        ...     return lambda inputs: np.square(inputs[:, None] - means).sum(2).argmin(1)
        >>> from vicinal.learn.feed import ArrayFeed
        >>> feed = ArrayFeed(np.array([[0], [1], [5]], np.float32), np.array([0, 0, 1]), rows=np.array([[[0, 1, 2]]]))
        >>> fitted = Function(nearest_mean).fit(Task(Goal((1,), 2), feed, seeds=(0,), steps=1))
        >>> fitted.outputs(np.array([[4]], np.float32)).tolist()
        [[[0.0, 1.0]]]
    """

    name: ClassVar[str] = "function"
    imports: ClassVar[bool] = True

    function: Fit | str = option(expected=f"a function, or {EXPECTED}", admits=_is_function)  # noqa: RUF009, a field
    batch: int = count(32, "items")
    version: int = count(1, "versions")

    def __post_init__(self) -> None:
        Settings.__post_init__(self)
        path = path_of(self.function)
        if _leads_to(path, self.function):
            object.__setattr__(self, "function", path)

    @property
    def passes(self) -> bool:
        """Only the end is seen."""
        return False

    def together(self, goal: Goal) -> int:
        """One replica after the other."""
        return 1

    def check(self, goal: Goal) -> None:
        """A function may take anything."""

    def data(self) -> Mapping[str, Any]:
        """Name and settings as plain data. A function that has no import path is named, but can only be read back if it gets one."""
        return {**Settings.data(self), "function": path_of(self.function)}

    def fit(self, task: Task) -> Predictor:
        """One replica after the other; see `vicinal.learn.trainer.Trainer`.

        Raises:
            VicinalError: the function returns no function, or one whose predictions cannot be; the sentence names the seed.
        """
        weights = checked_weights(task.class_weights, len(task.seeds), task.goal)
        function = imported(self.function, "Function.function") if isinstance(self.function, str) else self.function

        def one(replica: int) -> Model:
            seed, items = task.seeds[replica], checked_items(task, replica)
            inputs, own = items.inputs.reshape(-1, *task.goal.shape), None if weights is None else weights[replica]
            train = Train(task.goal, inputs, items.labels, items.weights, own, task.steps, task.feed, replica, self.batch)
            predict, where = function(train, seed), f"{path_of(self.function)}, seed {seed}"
            if not callable(predict):
                raise ParameterError(where, "a function predict(inputs)", f"{type(predict).__name__}", "return lambda inputs: ...")
            return Model(where, predict, task.goal, shaped=True)

        return fit_each(task, one)


def path_of(function: Callable[..., Any] | str) -> str:
    """The import path of a function, or what it would be."""
    if isinstance(function, str):
        return function
    kind = function if hasattr(function, "__qualname__") else type(function)
    return f"{kind.__module__}:{kind.__qualname__}"


def _leads_to(path: str, function: Any) -> bool:
    """Whether an import path is that of a function: then the path stands for it, and what is equal compares equal."""
    try:
        return not isinstance(function, str) and is_path(path) and imported(path, "Function.function") is function
    except PolicyError:
        return False
