"""A small residual network: how it is built and trained."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

from vicinal.learn.feed import check_images
from vicinal.learn.settings import Settings, count, decay, learning_rate, share, widths
from vicinal.learn.trainer import Goal, Predictor, Task


@final
@dataclass(frozen=True)
class ResNet(Settings):
    """A residual network for small images (He et al., arXiv:1512.03385): batch norm, SGD with momentum, one cycle of the learning rate.

    A stem, then stages of ``depth`` blocks of two 3x3 convolutions; from the second on, a stage begins with half the resolution. The
    learning rate rises in a line over the first steps and falls to 0 along a cosine, so a shorter training is no part of a longer one.

    Args:
        channels: of the stages; depth: blocks a stage.
        lr: the highest learning rate, above 0; warmup: the share of the steps on which it rises.
        momentum, weight_decay: as in torch.optim.SGD, with Nesterov's momentum.
        smoothing: the share of every label that is spread over all classes.
        batch: the most items a replica sees in one step.

    Raises:
        ParameterError: a value out of its range.

    Example:
        >>> ResNet().rate(0, 100) < ResNet().rate(20, 100) > ResNet().rate(99, 100)
        True
    """

    name: ClassVar[str] = "resnet"

    channels: tuple[int, ...] = widths((16, 32, 64))
    depth: int = count(1, "blocks")
    lr: float = learning_rate(0.1)
    warmup: float = share(0.2)
    momentum: float = share(0.9)
    weight_decay: float = decay(0.0005)
    smoothing: float = share(0.1)
    batch: int = count(64, "items")

    @property
    def passes(self) -> bool:
        """The schedule knows the end."""
        return False

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step as a share of ``lr``, in (0, 1]."""
        rising = self.warmup * steps
        if step + 1 <= rising:
            return (step + 1) / rising
        return 0.5 + 0.5 * math.cos(math.pi * min(1.0, (step - rising) / (steps - rising)))

    def together(self, goal: Goal) -> int:
        """One replica after the other: their arithmetic is what takes time, and it is not less side by side."""
        return 1

    def check(self, goal: Goal) -> None:
        """Refuse what is no picture; see `vicinal.learn.trainer.Trainer`."""
        check_images(goal, f"trainer {self.name}")

    def fit(self, task: Task) -> Predictor:
        """All replicas, one after the other; see `vicinal.learn.trainer.Trainer`."""
        from vicinal.learn import architectures, loop  # here, so that settings are read without torch

        self.check(task.goal)
        return loop.train(architectures.resnet(self, task), task, self.batch, self.lr)
