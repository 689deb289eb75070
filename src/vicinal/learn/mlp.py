"""A multilayer perceptron: how it is built and trained."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, final

from vicinal.learn.settings import Settings, count, decay, learning_rate, share, widths
from vicinal.learn.trainer import Goal, Predictor, Task

TOGETHER = 20  # more replicas gain nothing: their weights leave the cache between two steps


@final
@dataclass(frozen=True)
class MLP(Settings):
    """A multilayer perceptron on items laid flat: ReLU layers, SGD; softmax cross-entropy, or the squared error of a linear output.

    Args:
        hidden: widths of the hidden layers; () is softmax regression, or least squares.
        lr: learning rate, above 0.
        batch: the most items a replica sees in one step.
        momentum, weight_decay: as in torch.optim.SGD; the decay acts on biases too.
        stacked: False trains one replica after the other with torch.nn modules and autograd: the slow specification.

    Raises:
        ParameterError: a value out of its range.

    Example:
        >>> MLP(hidden=(32,), lr=0.05).widths(Goal((28, 28, 1), 10))
        (784, 32, 10)
    """

    name: ClassVar[str] = "mlp"

    hidden: tuple[int, ...] = widths((64, 32), empty=True)
    lr: float = learning_rate(0.1)
    batch: int = count(32, "items")
    momentum: float = share(0.0)
    weight_decay: float = decay(0.0)
    stacked: bool = field(default=True, compare=False)

    @property
    def passes(self) -> bool:
        """No schedule knows the end."""
        return True

    def widths(self, goal: Goal) -> tuple[int, ...]:
        """Numbers of units from input to output."""
        return (goal.features, *self.hidden, goal.outputs)

    def together(self, goal: Goal) -> int:
        """As many replicas as share the cost of a step; one where they are trained one after the other."""
        return TOGETHER if self.stacked else 1

    def fit(self, task: Task) -> Predictor:
        """All replicas side by side; see `vicinal.learn.trainer.Trainer`.

        Example:
            >>> import numpy as np
            >>> from vicinal.learn.feed import ArrayFeed
            >>> corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
            >>> feed = ArrayFeed(corners, np.array([0, 1, 1, 0]), rows=np.tile(np.arange(4), (1, 2, 1)))
            >>> fitted = MLP(hidden=(16,), lr=0.5).fit(Task(Goal((2,), 2), feed, seeds=(0, 1), steps=500))
            >>> fitted.outputs(corners).argmax(2).tolist()
            [[0, 1, 1, 0], [0, 1, 1, 0]]
        """
        from vicinal.learn import loop, stacked  # here, so that settings are read without torch

        self.check(task.goal)
        return loop.train(stacked.replicas(self, task), task, self.batch, self.lr)
