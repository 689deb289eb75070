"""What the lab asks of a trainer, and what it gives: the one protocol by which models of any kind and data of any modality meet.

Inputs are flat, (N, D) float32: images scaled to [0, 1], series and tables as they are; who needs rows, columns and channels asks
``Goal.shape``. A text is one cell that holds a str: its shape is () and D is 1, so what lays items flat and shapes them again brings texts
as (N,). Replicas, one an arm and seed, are trained side by side where that is faster and one after the other where not; they never
influence one another, and a replica's result depends on its seed and its items alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, Protocol, Self, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import ParameterError


@final
@dataclass(frozen=True)
class Goal:
    """What is to be learned.

    Args:
        shape: of one item: (H, W, C) of an image, (T, C) of a series, (D,) of a row of a table, () of a text.
        outputs: K classes, or V values to be regressed.
        regression: whether labels are values.

    Example:
        >>> Goal((28, 28, 1), 10).features
        784
    """

    shape: tuple[int, ...]
    outputs: int
    regression: bool = False

    @property
    def features(self) -> int:
        """D, the length of an item laid flat."""
        return math.prod(self.shape)

    @property
    def text(self) -> bool:
        """Whether items are texts."""
        return self.shape == ()

    @property
    def dtype(self) -> type:
        """Of inputs: float32, or object where each is a str."""
        return object if self.text else np.float32


class Items(NamedTuple):
    """Everything that a replica may learn from: inputs (n, D), labels (n,) or (n, V), and the weight (n,) of each item."""

    inputs: NDArray
    labels: NDArray
    weights: NDArray[np.float64]


class Feed(Protocol):
    """The items of R replicas. A pure function of step and replica: asking twice gives the same."""

    def batch(self, step: int) -> tuple[NDArray, NDArray]:
        """Inputs (R, B, D) and labels of a step, counted from 0, valid until the next one is asked for.

        Labels are (R, B) int64 class numbers; (R, B, K) float32 shares of classes, where some arm mixes items; (R, B, V) float32 values.
        """
        ...

    def whole(self, replica: int) -> Items:
        """All items of one replica at once, copies included: for trainers that take no steps. On-the-fly arms show one epoch."""
        ...


class Predictor(Protocol):
    """R trained models, fixed: a snapshot that later training does not touch."""

    def __len__(self) -> int: ...

    def take(self, rows: Sequence[int]) -> Predictor:
        """Some of the replicas, in the order given."""
        ...

    def outputs(self, inputs: NDArray) -> NDArray[np.float32]:
        """(R, N, K) probabilities, each row adding up to 1, or (R, N, V) values, for inputs (N, D) that all replicas see."""
        ...


@final
@dataclass(frozen=True, eq=False)
class Task:
    """R replicas to be trained.

    Args:
        goal, feed: what is learned, and from what.
        seeds: (R,) one a replica; it fixes the initial weights and whatever else the trainer draws. Equal seeds start equal.
        steps: optimiser steps; trainers that take none ignore it.
        marks: numbers of steps done at which ``look`` is called with a snapshot; a trainer that takes no steps calls it once, at ``steps``.
        progress: called with the number of steps done by all replicas on average.
        class_weights: (R, K) factors of the loss of every class, or None: the loss of a batch is the weighted mean.

    Raises:
        ParameterError: no seeds, steps below 0, or marks outside 0..steps.
    """

    goal: Goal
    feed: Feed
    seeds: tuple[int, ...]
    steps: int
    marks: Collection[int] = ()
    look: Callable[[int, Predictor], None] = field(default=lambda done, predictor: None)
    progress: Callable[[int], None] = field(default=lambda done: None)
    class_weights: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise ParameterError("Task.steps", "0 or more", repr(self.steps), "steps=2000")
        if not self.seeds:
            raise ParameterError("Task.seeds", "a seed for every replica", "none", "seeds=tuple(range(10))")
        outside = [mark for mark in self.marks if not 0 <= mark <= self.steps]
        if outside:
            raise ParameterError("Task.marks", f"numbers of steps in 0..{self.steps}", f"{outside[0]}", f"at most {self.steps}")


class Trainer(Protocol):
    """A model and how it is trained: a frozen dataclass whose fields are plain data.

    Class facts:
        name: under which study files know it.
        stepwise: True where it takes optimiser steps; False where it fits all items at once (``Feed.whole``), so that steps mean nothing.
        imports: True where it runs code of somebody else that its settings name.
    """

    name: ClassVar[str]
    stepwise: ClassVar[bool]
    imports: ClassVar[bool]

    @property
    def batch(self) -> int:
        """Items a step."""
        ...

    @property
    def passes(self) -> bool:
        """True where training for n steps passes through the state after m < n: no schedule knows the end."""
        ...

    def together(self, goal: Goal) -> int:
        """The most replicas that one call of ``fit`` should get: 1 where they are trained one after the other anyway."""
        ...

    def data(self) -> Mapping[str, Any]:
        """Name and settings as plain data: what is hashed, stored and printed."""
        ...

    def check(self, goal: Goal) -> None:
        """Refuse before anything is trained what it cannot learn.

        Raises:
            VicinalError: items of another kind or form than the model takes.
        """
        ...

    def fit(self, task: Task) -> Predictor:
        """Train all replicas.

        Raises:
            VicinalError: a loss that is not finite, naming the seed; data that do not fit the model.
        """
        ...

    def replace(self, **changes: Any) -> Self:
        """The trainer with other settings."""
        ...
