"""A trial: one arm, one seed, one cell of a study. Its description decides its numbers, and the hash of the description is its name."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import ParameterError
from vicinal.core.transform import Node
from vicinal.lab.arms import Arm
from vicinal.learn.trainer import Trainer

VERSION = 1  # of what a description means; raised when the same description gives other numbers


@final
@dataclass(frozen=True)
class Rules:
    """How data are divided.

    Args:
        dev: share of the originals of train and dev; test: share of all where the data declare no test part.
        by: "source" splits originals, "item" splits after copying, which leaks and needs ``allow_leak``.
    """

    dev: float = 0.1
    test: float = 1 / 3
    by: Literal["source", "item"] = "source"
    allow_leak: bool = False

    def __post_init__(self) -> None:
        for name, value, usual in (("dev", self.dev, 0.1), ("test", self.test, 0.3)):
            if not isinstance(value, (int, float)) or not 0 < value < 1:
                raise ParameterError(f"split.{name}", "a share between 0 and 1", repr(value), f"{name}: {usual}")
        if self.by not in ("source", "item"):
            raise ParameterError("split.by", "source or item", repr(self.by), "by: source")


@final
@dataclass(frozen=True)
class Cell:
    """A place on the axes of a study.

    Args:
        size: distinct originals in train and dev together, None for all.
        steps: optimiser steps of every arm; epochs: instead, passes over each arm's own items, however many steps that takes.
        strength: of all policies, 1 as they stand; label_noise: share of train whose label is another class.
    """

    size: int | None = None
    steps: int | None = 2000
    epochs: int | None = None
    strength: float = 1.0
    label_noise: float = 0.0

    def __post_init__(self) -> None:
        for name in ("size", "steps", "epochs"):
            number = getattr(self, name)
            if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
                raise ParameterError(name, "a whole number", repr(number), f"{name}: 500")
        budget = [number for number in (self.steps, self.epochs) if number is not None]
        if len(budget) != 1 or budget[0] < 1:
            got = f"steps={self.steps}, epochs={self.epochs}"
            raise ParameterError("budget", "either steps or epochs, 1 or more", got, "steps: 2000")
        if not 0 <= self.label_noise < 1:
            raise ParameterError("label_noise", "a share of at least 0 and below 1", repr(self.label_noise), "label_noise: 0.4")
        if not 0 <= self.strength <= 4:
            raise ParameterError("strength", "a number from 0 to 4", repr(self.strength), "strength: 1")

    def steps_of(self, arm: Arm, items: float, batch: int) -> int:
        """Optimiser steps of an arm that trains on so many items."""
        if arm.steps is not None:
            return arm.steps
        return self.steps if self.steps is not None else max(1, round((self.epochs or 0) * items / batch))

    def said(self) -> dict[str, Any]:
        """The place in the words of a study file: what is not at its default."""
        usual = Cell()
        return {name: value for name, value in asdict(self).items() if value != getattr(usual, name) and value is not None}

    @property
    def place(self) -> str:
        """The same in one line."""
        return _line(self.said()) or "the defaults"


@final
@dataclass(frozen=True)
class Probe:
    """What is measured of a trial besides the clean test part.

    Args:
        curves: name of a corruption to its levels; clip: whether their noise is kept inside the value range.
        views: a policy, and how many versions of every test item answer together.
    """

    curves: tuple[tuple[str, tuple[float, ...]], ...] = ()
    clip: bool = True
    views: tuple[Node, int] | None = None

    @property
    def passes(self) -> int:
        """How often a model answers about test."""
        return 1 + sum(len(levels) for _, levels in self.curves) + (self.views[1] if self.views else 0)

    def data(self) -> dict[str, Any]:
        """The same as plain data: what is not at its default."""
        curves = {"curves": {name: list(levels) for name, levels in self.curves}} if self.curves else {}
        clip = {} if self.clip or not self.curves else {"clip": False}
        return curves | clip | ({} if self.views is None else {"views": [str(self.views[0]), self.views[1]]})


@final
@dataclass(frozen=True)
class Trial:
    """What is to be trained and measured.

    Args:
        data: the fingerprint of the data set; arm, seed, cell, rules, trainer: as named.
        steps: optimiser steps; 0 for trainers that take none.
        probe: what is measured besides the clean test part.
    """

    data: str
    arm: Arm
    seed: int
    cell: Cell
    steps: int
    rules: Rules
    trainer: Trainer
    probe: Probe = field(default_factory=Probe)

    def description(self) -> dict[str, Any]:
        """Everything that decides the numbers, as plain data."""
        policy = self.arm.policy is not None
        return {
            "version": VERSION,
            "data": self.data,
            "arm": self.arm.data(),
            "seed": self.seed,
            "size": self.cell.size,
            "steps": self.steps,
            **({"strength": self.cell.strength} if policy and self.cell.strength != 1 else {}),
            **({"label_noise": self.cell.label_noise} if self.cell.label_noise else {}),
            "rules": asdict(self.rules),
            "trainer": dict(self.trainer.data()),
            **self.probe.data(),
        }

    @cached_property
    def key(self) -> str:
        """The hash of the description: 32 hexadecimal digits."""
        text = json.dumps(self.description(), sort_keys=True, separators=(",", ":"), allow_nan=False, default=repr)
        return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

    @property
    def address(self) -> str:
        """Where to find it again, in words."""
        return f"arm {self.arm.name}, seed {self.seed}, {_line(self.cell.said() | {'steps': self.steps})}"


def _line(said: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in said.items())


def ladders(trials: Sequence[Trial]) -> list[list[Trial]]:
    """Trials that are one training: those that differ in their steps alone, ascending, where the trainer passes through the shorter one.

    Where it does not, every trial is alone.
    """
    found: dict[object, list[Trial]] = {}
    for number, trial in enumerate(trials):
        found.setdefault(replace(trial, steps=0).key if trial.trainer.passes else number, []).append(trial)
    return [sorted(some, key=lambda trial: trial.steps) for some in found.values()]


@final
@dataclass(frozen=True, eq=False)
class Outcome:
    """What was measured of a trial. Scores are shares of 1; what does not exist is NaN.

    Args:
        values: name to number: ``test.accuracy``, ``dev.nll``, ``train.accuracy``, and ``gaussian@0.2.accuracy`` on a curve.
        recall: (classes,) the share of each class of test that was found; nan where test has none of it.
        curve: "steps", "train" and "dev": the headline metric on the way, on the clean originals of train and on dev.
        predicted: (N,) the class that each item of test was taken for, in the smallest dtype; (N, V) float32 values in a regression.
        calibration: count, sure and correct of the bins of `vicinal.lab.measure.calibration.Reliability` on test; empty where there are
            no probabilities, and in stores of before they were kept.
        seconds, augment_seconds: its share of the time of training, and of augmenting; augmented: items that came of the latter.
        leak, test_leak: share of dev and of test items with a sibling in train; sizes: number of items in train, dev and test.
    """

    values: Mapping[str, float]
    recall: NDArray[np.float64]
    curve: Mapping[str, list[float]]
    predicted: NDArray
    calibration: Mapping[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0
    augment_seconds: float = 0.0
    augmented: int = 0
    leak: float = 0.0
    test_leak: float = 0.0
    sizes: Mapping[str, int] = field(default_factory=dict)

    def data(self) -> dict[str, Any]:
        """Everything but ``predicted``, as plain data."""
        return {name: value for name, value in vars(self).items() if name not in ("predicted", "recall")} | {"recall": self.recall.tolist()}

    @staticmethod
    def of(data: Mapping[str, Any], predicted: NDArray) -> Outcome:
        """The way back from ``data``; null is NaN."""
        values = {name: _number(value) for name, value in data["values"].items()}
        recall = np.array([_number(value) for value in data["recall"]])
        curve = {name: [_number(value) for value in line] for name, line in data["curve"].items()}
        return Outcome(**dict(data) | {"values": values, "recall": recall, "curve": curve, "predicted": predicted})


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def smallest(predicted: NDArray, classes: int) -> NDArray:
    """Class numbers in the smallest dtype that holds them."""
    return predicted.astype(np.uint8 if classes <= 1 << 8 else np.uint16 if classes <= 1 << 16 else np.uint32)
