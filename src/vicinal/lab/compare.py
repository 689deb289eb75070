"""The comparison: every arm on the same subsets, splits, initial weights, batch orders and draws, seed by seed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import DataError, ParameterError
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import Arm, with_controls
from vicinal.lab.feed import Replica, inputs
from vicinal.lab.split import Split, leak_share, refuse_leak, split, split_items
from vicinal.learn.mlp import MLP
from vicinal.learn.train import Predictor, train

Progress = Callable[[int, int], None]
MARKS = 20  # points of a learning curve


@final
@dataclass(frozen=True)
class Setup:
    """Everything that decides a comparison, besides data and arms.

    Args:
        seeds: one paired repetition each; size: distinct originals in train and dev together, None for all.
        steps: optimiser steps for every arm; epochs: instead, passes over each arm's own items, however many steps that takes.
        model: the trainer; dev: share of ``size``; test: share of all where the data declare no test part.
        by: "source" splits originals, "item" splits after copying, which leaks and needs ``allow_leak``.
        alpha: of the verdicts; interval: "t" or "bca".
    """

    seeds: tuple[int, ...] = tuple(range(10))
    size: int | None = None
    steps: int | None = 2000
    epochs: int | None = None
    model: MLP = field(default_factory=MLP)
    dev: float = 0.1
    test: float = 1 / 3
    by: Literal["source", "item"] = "source"
    allow_leak: bool = False
    alpha: float = 0.05
    interval: Literal["t", "bca"] = "t"

    def __post_init__(self) -> None:
        if len(set(self.seeds)) != len(self.seeds) or not self.seeds:
            raise ParameterError("seeds", "at least one, all different", repr(self.seeds), "--seeds 10")
        if (self.steps is None) == (self.epochs is None) or min(n for n in (self.steps, self.epochs) if n is not None) < 1:
            got = f"steps={self.steps}, epochs={self.epochs}"
            raise ParameterError("budget", "either steps or epochs, 1 or more", got, "--steps 2000")
        if not 0 < self.alpha < 1:
            raise ParameterError("alpha", "a number between 0 and 1", repr(self.alpha), "--alpha 0.05")

    def steps_of(self, arm: Arm, items: int) -> int:
        """Optimiser steps of an arm that trains on so many items."""
        if arm.steps is not None:
            return arm.steps
        return self.steps if self.steps is not None else max(1, round((self.epochs or 0) * items / self.model.batch))


@final
@dataclass
class Run:
    """One replica and what was measured of it: scores are shares of 1."""

    replica: Replica
    dev: Replica
    originals: NDArray[np.int64]
    steps: int
    leak: float
    marks: list[int] = field(default_factory=list)
    train_curve: list[float] = field(default_factory=list)
    dev_curve: list[float] = field(default_factory=list)
    test: float = 0.0
    test_size: int = 0
    recall: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    seconds: float = 0.0


def run(data: Dataset, arms: Sequence[Arm], setup: Setup, progress: Progress = lambda done, total: None) -> list[Run]:
    """Train and measure every arm under every seed, the controls included.

    Raises:
        DataError: images of several sizes, or a policy that changes their size.
        LeakageError: a split that separates siblings, unless it is allowed.
    """
    if isinstance(data.images, list):
        sizes = sorted({"x".join(map(str, image.shape)) for image in data.images})
        raise DataError(data.origin, "images of one size for the MLP", f"{len(sizes)} sizes, {sizes[0]} to {sizes[-1]}", "--resize 32")
    parts = {
        seed: split(data, size=setup.size, seed=seed, dev=setup.dev, test=setup.test, allow_leak=setup.allow_leak) for seed in setup.seeds
    }
    runs = [_prepared(data, arm, seed, parts[seed], setup) for arm in with_controls(arms) for seed in setup.seeds]
    runs += [_prepared(data, arm, seed, parts[seed], setup) for arm in _step_matched(runs) for seed in setup.seeds]
    total, before = sum({run.steps for run in runs}), 0
    for steps in sorted({run.steps for run in runs}):
        group = [run for run in runs if run.steps == steps]
        _train(data, group, setup, parts[setup.seeds[0]].test, lambda done, start=before: progress(start + done, total))
        before += steps
    return runs


def _step_matched(runs: Sequence[Run]) -> list[Arm]:
    """Where an arm takes other steps than ``none``, a control that trains ``none`` for as many: what is compute, and what is not?"""
    usual = next(run.steps for run in runs if run.replica.arm.name == "none")
    others = sorted({run.steps for run in runs} - {usual})
    return [Arm(f"none, {steps:,} steps", steps=steps) for steps in others]


def _prepared(data: Dataset, arm: Arm, seed: int, parts: Split, setup: Setup) -> Run:
    if setup.by == "source":
        items, copy = _copied(parts.train, arm.copies)
        held, held_copy = _copied(parts.dev, 0)
    else:
        items, copy = _copied(np.sort(np.concatenate([parts.train, parts.dev])), arm.copies)
        kept, out = split_items(data.sources[items], seed, setup.dev)
        held, held_copy, items, copy = items[out], copy[out], items[kept], copy[kept]
    where = f"arm {arm.name}: split by item"
    refuse_leak(data.sources[held], data.sources[items], allow=setup.allow_leak, where=where)
    size = min(setup.model.batch, len(items))
    replica = Replica(arm, seed, data, items, copy, size)
    shown = Replica(arm, seed, data, held, held_copy, size)
    leak = leak_share(data.sources[held], data.sources[items])
    return Run(replica, shown, items[copy == 0], setup.steps_of(arm, len(items)), leak)


def _copied(rows: NDArray[np.int64], copies: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.tile(rows, copies + 1), np.repeat(np.arange(copies + 1), len(rows))


def _train(data: Dataset, runs: list[Run], setup: Setup, test: NDArray[np.int64], progress: Callable[[int], None]) -> None:
    steps, classes = runs[0].steps, len(data.classes)
    assert isinstance(data.images, np.ndarray)
    marks = sorted({round(steps * part / MARKS) for part in range(1, MARKS + 1)} - {0})
    start, augmenting = time.perf_counter(), sum(run.replica.seconds for run in runs)
    predictor = train(
        setup.model,
        [run.replica for run in runs],
        features=int(np.prod(data.images.shape[1:])),
        classes=classes,
        steps=steps,
        seeds=[run.replica.seed for run in runs],
        checkpoints=marks,
        on_checkpoint=lambda done, snapshot: _look(data, runs, done, snapshot),
        progress=progress,
    )
    spent = time.perf_counter() - start - (sum(run.replica.seconds for run in runs) - augmenting)
    _test(data, runs, predictor, test)
    for run_ in runs:
        run_.seconds = spent / len(runs)


def _look(data: Dataset, runs: list[Run], done: int, predictor: Predictor) -> None:
    """One point of the learning curves, in eval mode: clean originals of train, and dev."""
    for rows in _by_seed(runs):
        group = [runs[row] for row in rows]
        shared = predictor.take(rows)
        originals = group[0].originals
        same = all(np.array_equal(run.originals, originals) for run in group)
        guesses = shared.predict(inputs(_rows(data, originals))) if same else None
        for position, run_ in enumerate(group):
            one = shared.take([position])
            guess = one.predict(inputs(_rows(data, run_.originals)))[0] if guesses is None else guesses[position]
            run_.marks.append(done)
            run_.train_curve.append(float((guess == data.labels[run_.originals]).mean()))
            run_.dev_curve.append(float((one.predict(run_.dev.fixed())[0] == data.labels[run_.dev.items]).mean()))


def _by_seed(runs: list[Run]) -> list[list[int]]:
    found: dict[int, list[int]] = {}
    for row, run_ in enumerate(runs):
        found.setdefault(run_.replica.seed, []).append(row)
    return list(found.values())


def _rows(data: Dataset, rows: NDArray[np.int64]) -> NDArray:
    assert isinstance(data.images, np.ndarray)
    return data.images[rows]


def _test(data: Dataset, runs: list[Run], predictor: Predictor, test: NDArray[np.int64]) -> None:
    """The test part, looked at once: accuracy, and the recall of every class (nan where the test part has none of it)."""
    right = predictor.predict(inputs(_rows(data, test))) == data.labels[test]
    count = np.bincount(data.labels[test], minlength=len(data.classes))
    for run_, hits in zip(runs, right, strict=True):
        run_.test, run_.test_size = float(hits.mean()), len(test)
        found = np.bincount(data.labels[test], weights=hits, minlength=len(data.classes))
        run_.recall = np.divide(found, count, out=np.full(len(count), np.nan), where=count > 0)
