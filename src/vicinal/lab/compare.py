"""The comparison: every arm on the same subsets, splits, initial weights, batch orders and draws, seed by seed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import DataError, ParameterError
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import Arm, with_controls
from vicinal.lab.feed import Held, Replica, inputs, pixels
from vicinal.lab.split import Split, leak_share, refuse_leak, split, split_items
from vicinal.lab.together import Together
from vicinal.learn.mlp import MLP
from vicinal.learn.trainer import Goal, Predictor, Task

Progress = Callable[[int, int], None]
MARKS = 20  # points of a learning curve
HELD = 1 << 27  # values: half a GiB of inputs may be held for all seeds together


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
        for name, value, usual in (("alpha", self.alpha, 0.05), ("dev", self.dev, 0.1), ("test", self.test, 0.3)):
            if not 0 < value < 1:
                raise ParameterError(name, "a share between 0 and 1", repr(value), f"{name}={usual}")

    def steps_of(self, arm: Arm, items: float) -> int:
        """Optimiser steps of an arm that trains on so many items."""
        if arm.steps is not None:
            return arm.steps
        return self.steps if self.steps is not None else max(1, round((self.epochs or 0) * items / self.model.batch))


@final
@dataclass(eq=False)
class Run:
    """One replica and what was measured of it: scores are shares of 1.

    Args:
        replica: what it trains on; watched: what it is looked at with on the way, the clean originals of train first, then ``dev`` items.
        test: rows of the data that it is scored on, once, at the end; steps: of the optimiser.
        leak: share of its dev items with a sibling in train; test_leak: the same for test.

    Attributes:
        marks, train_curve, dev_curve: steps done, and the accuracy then on the originals of train, and on dev.
        score: accuracy on test; recall: (classes,) the same for every class, nan where test has none of it.
        seconds: its share of the time that training took, without augmentation.
    """

    replica: Replica
    watched: Replica
    dev: int
    test: NDArray[np.int64]
    steps: int
    leak: float
    test_leak: float
    marks: list[int] = field(default_factory=list, init=False)
    train_curve: list[float] = field(default_factory=list, init=False)
    dev_curve: list[float] = field(default_factory=list, init=False)
    score: float = field(default=0.0, init=False)
    recall: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), init=False)
    seconds: float = field(default=0.0, init=False)

    @property
    def arm(self) -> Arm:
        return self.replica.arm

    @property
    def seed(self) -> int:
        return self.replica.seed


def run(data: Dataset, arms: Sequence[Arm], setup: Setup, progress: Progress = lambda done, total: None) -> list[Run]:
    """Train and measure every arm under every seed, the controls included.

    Raises:
        DataError: images of several sizes, or a policy that changes their size.
        LeakageError: a split that separates siblings, unless it is allowed.
    """
    _one_size(data)
    size, dev, test, leak = setup.size, setup.dev, setup.test, setup.allow_leak
    parts = {seed: split(data, size=size, seed=seed, dev=dev, test=test, allow_leak=leak) for seed in setup.seeds}
    held = _held(data, parts)
    runs = [run for arm in with_controls(arms) for run in _prepared(data, arm, parts, held, setup)]
    runs += [run for arm in _step_matched(runs) for run in _prepared(data, arm, parts, held, setup)]
    passed = _passed(runs)
    lengths = sorted({run.steps for run in runs if run not in passed.values()})
    total, before = sum(lengths), 0
    for steps in lengths:
        group = [run for run in runs if run.steps == steps and run not in passed.values()]
        _train(data, group, passed, setup, lambda done, start=before: progress(start + done, total))
        before += steps
    return runs


def _passed(runs: Sequence[Run]) -> dict[int, Run]:
    """The runs of ``none`` that a step-matched control passes through on its way, by seed: nothing is trained twice."""
    if all(run.arm.steps is None for run in runs):
        return {}
    return {run.seed: run for run in runs if run.arm.name == "none"}


def _held(data: Dataset, parts: Mapping[int, Split]) -> dict[int, Held | None]:
    """The inputs of every seed's originals, unless they are too many to be held at once."""
    rows = {seed: np.concatenate([found.train, found.dev]) for seed, found in parts.items()}
    few = sum(map(len, rows.values())) * math.prod(pixels(data).shape[1:]) <= HELD
    return {seed: Held.of(data, some) if few else None for seed, some in rows.items()}


def _one_size(data: Dataset) -> None:
    if isinstance(data.images, list):
        shapes = sorted({image.shape for image in data.images})
        first, last = ("x".join(map(str, shape)) for shape in (shapes[0], shapes[-1]))
        raise DataError(data.origin, "images of one size for the MLP", f"{len(shapes)} sizes, {first} to {last}", "--resize 32")


def _step_matched(runs: Sequence[Run]) -> list[Arm]:
    """Where an arm takes other steps than ``none``, a control that trains ``none`` for as many: what is compute, and what is not?"""
    usual = next(run.steps for run in runs if run.arm.name == "none")
    others = sorted({run.steps for run in runs} - {usual})
    return [Arm(f"none, {steps:,} steps", steps=steps) for steps in others]


def _prepared(data: Dataset, arm: Arm, parts: Mapping[int, Split], held: Mapping[int, Held | None], setup: Setup) -> list[Run]:
    """An arm under every seed."""
    divided = [_divided(data, arm, found, seed, held[seed], setup) for seed, found in parts.items()]
    # Where originals have siblings, seeds draw different numbers of items; an arm takes as many steps under each.
    steps = setup.steps_of(arm, float(np.mean([len(replica.items) for replica, _ in divided])))
    return [_run(replica, dev, found.test, steps, setup) for (replica, dev), found in zip(divided, parts.values(), strict=True)]


def _run(replica: Replica, dev: Replica, test: NDArray[np.int64], steps: int, setup: Setup) -> Run:
    leak = refuse_leak(dev.sources, replica.sources, allow=setup.allow_leak, where=f"arm {replica.arm.name}: split by item")
    originals = replica.part(np.flatnonzero(replica.copy == 0))
    items, copy = (np.concatenate([getattr(part, name) for part in (originals, dev)]) for name in ("items", "copy"))
    watched = Replica(replica.arm, replica.seed, replica.data, items, copy, setup.model.batch, replica.held)
    return Run(replica, watched, len(dev.items), test, steps, leak, leak_share(replica.data.sources[test], replica.sources))


def _divided(data: Dataset, arm: Arm, parts: Split, seed: int, held: Held | None, setup: Setup) -> tuple[Replica, Replica]:
    """Train and dev: divided before the copies are made, or, to show what that does, after."""

    def replica(rows: NDArray[np.int64], copies: int) -> Replica:
        return Replica.of(arm, seed, data, rows, copies, setup.model.batch, held)

    if setup.by == "source":
        return replica(parts.train, arm.copies), replica(parts.dev, 0)
    whole = replica(np.sort(np.concatenate([parts.train, parts.dev])), arm.copies)
    train, dev = split_items(whole.sources, seed, setup.dev)
    return whole.part(train), whole.part(dev)


def _train(data: Dataset, runs: list[Run], passed: Mapping[int, Run], setup: Setup, progress: Callable[[int], None]) -> None:
    """Train replicas that take the same number of steps side by side, look at them on the way, and score them."""
    steps = runs[0].steps
    marks, controls = _marks(steps), [row for row, run in enumerate(runs) if run.arm.steps is not None]
    short = [passed[runs[row].seed] for row in controls if not passed[runs[row].seed].marks]
    short_marks = _marks(short[0].steps) if short else set()

    def look(done: int, snapshot: Predictor) -> None:
        if done in marks:
            _look(runs, done, snapshot)
        if done in short_marks:
            _look(short, done, snapshot.take(controls))
        if short and done == short[0].steps:
            _score(data, short, snapshot.take(controls))

    start, augmenting = time.perf_counter(), sum(run.replica.seconds for run in runs)
    task = Task(
        Goal(pixels(data).shape[1:], len(data.classes)),
        Together([run.replica for run in runs]),
        tuple(run.seed for run in runs),
        steps,
        marks=marks | short_marks,
        look=look,
        progress=progress,
    )
    predictor = setup.model.fit(task)
    spent = time.perf_counter() - start - (sum(run.replica.seconds for run in runs) - augmenting)
    for run_ in runs:
        run_.seconds = spent / len(runs)
    for run_ in short:
        run_.seconds = spent / len(runs) * run_.steps / steps
    _score(data, runs, predictor)


def _marks(steps: int) -> set[int]:
    """Numbers of steps at which runs are looked at."""
    return {round(steps * part / MARKS) for part in range(1, MARKS + 1)} - {0}


def _look(runs: Sequence[Run], done: int, predictor: Predictor) -> None:
    """One point of the learning curves, in eval mode. Runs that are watched on the same images are asked together."""
    for rows in _alike(runs):
        watched = runs[rows[0]].watched
        right = predictor.take(rows).outputs(watched.everything).argmax(2) == watched.labels
        for row, hits in zip(rows, right, strict=True):
            known = len(hits) - runs[row].dev
            runs[row].marks.append(done)
            runs[row].train_curve.append(float(hits[:known].mean()))
            runs[row].dev_curve.append(float(hits[known:].mean()))


def _alike(runs: Sequence[Run]) -> list[list[int]]:
    """Numbers of the runs, grouped by what they are watched on: one group a seed, unless a leak gives arms a dev part of their own."""
    found: dict[tuple[int, bytes, str], list[int]] = {}
    for row, run_ in enumerate(runs):
        own = run_.arm.name if run_.watched.copy.any() else ""
        found.setdefault((run_.seed, run_.watched.items.tobytes(), own), []).append(row)
    return list(found.values())


def _score(data: Dataset, runs: Sequence[Run], predictor: Predictor) -> None:
    """The test part, looked at once: accuracy, and the recall of every class (nan where test has none of it)."""
    test = runs[0].test  # every seed has the same: it depends on the data alone
    labels, classes = data.labels[test], len(data.classes)
    count = np.bincount(labels, minlength=classes)
    for run_, hits in zip(runs, predictor.outputs(inputs(pixels(data, test))).argmax(2) == labels, strict=True):
        run_.score = float(hits.mean())
        found = np.bincount(labels, weights=hits, minlength=classes)
        run_.recall = np.divide(found, count, out=np.full(classes, np.nan), where=count > 0)
