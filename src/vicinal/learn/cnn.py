"""A small convolutional network: how it is built and trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from vicinal.learn.feed import check_images
from vicinal.learn.settings import Settings, choice, count, decay, learning_rate, share, widths
from vicinal.learn.trainer import Goal, Predictor, Task


@final
@dataclass(frozen=True)
class CNN(Settings):
    """Convolutions of 3x3 with reflected borders, one pooling of 2x2, linear layers, ReLU after each but the last.

    The defaults are the classifier of a study of autoencoders for limited and noisy Fashion-MNIST (P. Agrawal, "Comparing data
    augmentation using VAEs and denoising-VAEs for limited noisy datasets", 2023), which does not say how it was trained.

    Args:
        channels: of the convolutions; hidden: widths of the linear layers before the last.
        optimiser: "adam" or "sgd", as in torch.optim; lr: its learning rate, above 0.
        momentum: of SGD; weight_decay: of either.
        batch: the most items a replica sees in one step.

    Raises:
        ParameterError: a value out of its range.

    Example:
        >>> CNN(channels=(8, 16), optimiser="sgd", lr=0.05).data()["channels"]
        [8, 16]
    """

    name: ClassVar[str] = "cnn"

    channels: tuple[int, ...] = widths((32, 64))
    hidden: tuple[int, ...] = widths((128, 128, 128), empty=True)
    optimiser: str = choice("adam", "sgd")
    lr: float = learning_rate(0.001)
    momentum: float = share(0.9)
    weight_decay: float = decay(0.0)
    batch: int = count(32, "items")

    @property
    def passes(self) -> bool:
        """No schedule knows the end."""
        return True

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
        return loop.train(architectures.cnn(self, task), task, self.batch, self.lr)
