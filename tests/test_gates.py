"""Acceptance experiments 3, 6 and 7: noise is specific, what augmentation is worth in labels, and signs that flip with the budget.

Experiments 1, 2 and 5 are in test_acceptance.py, 12 is the meter among the tests of the statistics. The claims in ``vicinal/claims`` are
the same experiments at full size.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from vicinal.data import read
from vicinal.data.dataset import Dataset
from vicinal.lab import statistics
from vicinal.lab.arms import read_arms
from vicinal.lab.conduct import Findings, conduct
from vicinal.lab.engine import Serial
from vicinal.lab.sides import sides
from vicinal.lab.store import Store
from vicinal.lab.study import Study, cells
from vicinal.learn.mlp import MLP

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def mnist(shared_data: Callable[[str], Path]) -> Dataset:
    return read(shared_data("mnist"))


def found(study: Study) -> Findings:
    with Store.memory() as store:
        findings = conduct(study, store, Serial())
    assert not findings.faults
    return findings


def gain(findings: Findings, arm: str, of: str = "test.accuracy", cell: int = -1) -> NDArray[np.float64]:
    """(S,) points by which an arm differs from none."""
    known = sides(findings, findings.study.cells[cell])
    return 100 * (known[arm].measured(of) - known["none"].measured(of))


def test_robustness_is_specific_to_the_shift(mnist: Dataset) -> None:
    arms = read_arms([
        'uniform=UniformNoise(low=0, high=0.5, overflow="keep")',
        'centred=UniformNoise(low=-0.25, high=0.25, overflow="keep")',
    ])  # fmt: skip
    levels = (("uniform", (0.5,)), ("shift", (0.25,)), ("centred_uniform", (0.25,)))
    settings = {"seeds": tuple(range(5)), "trainer": MLP(lr=0.1), "controls": (), "curves": levels, "clip": False}
    findings = found(Study(mnist, tuple(arms), cells=cells(sizes=[1000], steps=[1200]), **settings))  # type: ignore[arg-type]
    assert gain(findings, "uniform", "uniform@0.5.accuracy").mean() > 8
    assert gain(findings, "centred", "uniform@0.5.accuracy").mean() < 4
    assert gain(findings, "uniform", "shift@0.25.accuracy").mean() > 8  # the shift alone does it
    assert abs(gain(findings, "uniform", "centred_uniform@0.25.accuracy").mean()) < 4  # the spread alone does not
    assert all(abs(gain(findings, arm).mean()) < 2 for arm in ("uniform", "centred"))


def test_what_shifts_and_turns_are_worth_in_labels(mnist: Dataset) -> None:
    arms = tuple(read_arms(["both=Translate(x=(-2, 2), y=(-2, 2)) | Rotate(angle=(-15, 15))"]))
    sizes = (100, 250, 500, 1000, 2000, 4000)
    where = cells(sizes=sizes, steps=[3000])
    findings = found(Study(mnist, arms, seeds=tuple(range(5)), cells=where, trainer=MLP(lr=0.2), controls=()))
    gains = [gain(findings, "both", cell=number).mean() for number in range(len(sizes))]
    assert min(gains) > 0
    assert gains[2] > gains[3] > gains[4] > gains[5]
    known = [sides(findings, cell) for cell in where]
    gaps = {arm: [float((s[arm].measured("train.accuracy") - s[arm].measured("test.accuracy")).mean()) for s in known] for arm in known[0]}
    assert all(mine < theirs for mine, theirs in zip(gaps["both"], gaps["none"], strict=True))
    scores = {arm: np.stack([side[arm].measured("test.accuracy") for side in known], 1) for arm in ("none", "both")}
    at_500 = statistics.exchange_rate(sizes, scores["none"], scores["both"])[2]
    assert at_500.size == 500
    assert 3 <= at_500.times <= 15 or at_500.low >= 3  # beyond the largest size that was measured, only a bound is known


def test_mixup_against_wrong_labels_flips_its_sign_with_the_budget(mnist: Dataset) -> None:
    where = cells(sizes=[500], steps=[500, 4000], label_noise=[0.4])
    settings = {"seeds": tuple(range(8)), "trainer": MLP(lr=0.1), "controls": ()}
    findings = found(Study(mnist, tuple(read_arms(["mixup=MixUp(alpha=1)"])), cells=where, **settings))  # type: ignore[arg-type]
    early, late = gain(findings, "mixup", cell=0), gain(findings, "mixup", cell=1)
    assert early.mean() >= 4
    assert late.mean() <= 0
    assert statistics.sign_flip_p(early - late) < 0.05


def test_a_little_mixup_calibrates(mnist: Dataset) -> None:
    where = cells(sizes=[500], steps=[3000])
    settings = {"seeds": tuple(range(4)), "trainer": MLP(lr=0.1), "controls": ()}
    findings = found(Study(mnist, tuple(read_arms(["mixup=MixUp(alpha=0.2)"])), cells=where, **settings))  # type: ignore[arg-type]
    assert gain(findings, "mixup", "test.ece").mean() < -3
