"""Findings of studies that nobody ran: every trial of a real study, with scores from a rule."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from vicinal.data.build import from_arrays
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import Arm, read_arms
from vicinal.lab.bench import Bench
from vicinal.lab.conduct import Findings
from vicinal.lab.group import marks, names
from vicinal.lab.measure.calibration import reliability
from vicinal.lab.measure.scores import recall
from vicinal.lab.store import Fault
from vicinal.lab.study import Study
from vicinal.lab.trial import Cell, Outcome, Trial

CLASSES, EACH = 4, 150
Rule = Callable[[Trial], float]
GAINS = {"none": 0.0, "duplicate": 0.005, "shift": 0.06, "flip": -0.05, "noise": 0.0}
ARMS = ("shift=Translate(x=(-1, 1), y=(-1, 1))", "flip=HorizontalFlip(p=0.5)", "noise=GaussianNoise(std=(0, 0.1))")


def data() -> Dataset:
    """Small grey squares, a third of them for test."""
    labels = np.tile(np.arange(CLASSES), EACH)
    images = np.random.default_rng(0).integers(0, 255, (len(labels), 6, 6, 1), dtype=np.uint8)
    return from_arrays(images, labels, name="squares")


def study(arms: tuple[str, ...] | tuple[Arm, ...] = ARMS, **settings: Any) -> Study:
    made = tuple(read_arms(arms)) if isinstance(arms[0], str) else arms  # type: ignore[arg-type]
    usual: dict[str, Any] = {"seeds": tuple(range(9)), "cells": (Cell(size=100, steps=40),)}
    return Study(data(), made, **usual | settings)  # type: ignore[arg-type]


def made(sources: int, of: Study) -> Arm:
    """Generated items, two of every source; what their generator saw is not in the data."""
    few = of.data.take(range(sources))
    items = from_arrays(np.repeat(few.images, 2, 0), np.repeat(few.labels, 2), sources=np.repeat(few.sources, 2) + 10_000, name="made")
    return Arm("vae", generated=items)


def gain(trial: Trial) -> float:
    """The same everywhere; what is unknown does nothing."""
    return GAINS.get(trial.arm.name, 0.0)


def findings(
    of: Study, rule: Rule = gain, failed: tuple[str, ...] = (), more: Callable[[Trial], dict[str, float]] = lambda trial: {}
) -> Findings:
    """Every trial done with 0.8 + rule(trial) of its test items right, and a little luck; those of some addresses failed."""
    bench = Bench(of.data)
    trials = of.trials(bench)
    lost = {trial.key: Fault("ValueError: made up", trial.address) for trial in trials if any(part in trial.address for part in failed)}
    outcomes = {trial.key: outcome(of, bench, trial, rule(trial), more(trial)) for trial in trials if trial.key not in lost}
    return Findings(of, tuple(trials), outcomes, lost, {}, len(trials), 1.0)


def outcome(of: Study, bench: Bench, trial: Trial, gained: float, more: dict[str, float]) -> Outcome:
    rng = np.random.default_rng([trial.seed, *trial.address.encode()])
    shared = np.random.default_rng(trial.seed).normal(0, 0.02)
    parts = bench.divided(trial.cell.size, trial.seed, trial.rules)
    labels = of.data.labels[parts.test]
    right = round((0.8 + shared + gained + rng.normal(0, 0.004)) * len(labels))
    wrong = rng.permutation(len(labels))[max(0, right) :]
    predicted = labels.copy()
    predicted[wrong] = (labels[wrong] + 1) % CLASSES
    accuracy = float((predicted == labels).mean())
    steps = [float(mark) for mark in marks(trial.steps)]
    values = {f"{part}.{name}": 0.5 for part in ("train", "dev", "test") for name in names(False)}
    values |= {"test.accuracy": accuracy, "dev.accuracy": accuracy + rng.normal(0, 0.03), "train.accuracy": 0.97, "test.nll": 1 - accuracy}
    return Outcome(
        values=values | more,
        recall=recall(np.eye(CLASSES)[predicted], labels),
        curve={
            "steps": steps,
            "train": np.linspace(0.5, 0.97, len(steps)).tolist(),
            "dev": np.linspace(0.5, accuracy, len(steps)).tolist(),
        },
        predicted=predicted.astype(np.uint8),
        calibration=reliability(np.where(np.eye(CLASSES)[predicted], 0.94, 0.02), labels).data(),
        seconds=1.0,
        augment_seconds=0.1 if trial.arm.policy is not None else 0.0,
        augmented=1000 if trial.arm.policy is not None else 0,
        sizes={"train": len(parts.train), "dev": len(parts.dev), "test": len(labels)},
    )


def without(of: Findings, arm: str) -> Findings:
    """The same, with the trials of an arm never done."""
    gone = {trial.key for trial in of.trials if trial.arm.name == arm}
    return replace(of, outcomes={key: value for key, value in of.outcomes.items() if key not in gone})
