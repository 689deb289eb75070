"""What an arm may be besides a policy: balanced, mixed, generated, of series and values; and what test is looked at with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from grouped import ARMS, by_name, outcomes, trained
from learners import Means

from vicinal import parse
from vicinal.core.errors import DataError, LeakageError
from vicinal.data.build import from_arrays, from_series
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import Arm
from vicinal.lab.bench import Bench
from vicinal.lab.conduct import Findings
from vicinal.lab.group import pupils
from vicinal.lab.study import Study, cells
from vicinal.lab.trial import Cell, Outcome, Rules
from vicinal.learn.mlp import MLP

Compare = Callable[..., Findings]
Make = Callable[..., Study]


def skewed(digits: Dataset) -> Dataset:
    """120 zeros and ones for train and dev, nine zeros for every one; the test part has as many of both."""
    zeros, ones = (np.flatnonzero(digits.labels == label) for label in (0, 1))
    rows = np.concatenate([zeros[:108], ones[:12], zeros[108:160], ones[12:64]])
    some = digits.take(rows)
    return replace(some, classes=("0", "1"), official_test=np.arange(len(rows)) >= 120)


def bare(data: Dataset, *arms: Arm, **settings: Any) -> Study:
    return Study(data, arms, **{"seeds": (0, 1), "cells": (Cell(steps=60),), "controls": ()} | settings)


def test_what_balances_classes_finds_more_of_the_rare_one(digits: Dataset) -> None:
    arms = Arm("over", resample="over"), Arm("weighted", class_weight=True), Arm("moved", threshold=True)
    found = outcomes(bare(skewed(digits), *arms, cells=(Cell(steps=12),)))
    rare = {name: np.mean([one.recall[1] for one in some]) for name, some in found.items()}
    assert min(rare["over"], rare["weighted"], rare["moved"]) > rare["none"] + 0.1, rare
    sizes = {name: some[0].sizes["train"] for name, some in found.items()}
    assert sizes["none"] == sizes["weighted"] == sizes["moved"] == 108
    assert sizes["over"] > 180


def test_a_threshold_moves_predictions_and_nothing_else(digits: Dataset) -> None:
    found = outcomes(bare(skewed(digits), Arm("moved", threshold=True)))
    for none, moved in zip(found["none"], found["moved"], strict=True):
        assert dict(moved.curve) == dict(none.curve)
        assert (moved.predicted >= none.predicted).all()  # more of class 1, the rare one


@pytest.mark.parametrize("text", ["MixUp(alpha=1)", "CutMix()"])
def test_arms_that_mix_learn(digits: Dataset, studied: Make, text: str) -> None:
    study = studied([f"fly={text}", f"copies:1={text}"], steps=300, seeds=(0,), controls=())
    assert all(some[0].values["test.accuracy"] > 0.6 for some in outcomes(study).values())
    without = outcomes(replace(study, trainer=Means()))
    assert all(some[0].values["test.accuracy"] > 0.6 for some in without.values())


def test_label_noise_costs_and_spares_dev_and_test(studied: Make) -> None:
    clean, noisy = (outcomes(studied(size=300, steps=150, label_noise=share, controls=()))["none"] for share in (0.0, 0.6))
    assert np.mean([one.values["test.accuracy"] for one in noisy]) < np.mean([one.values["test.accuracy"] for one in clean]) - 0.1
    data = studied().data
    for one in trained(studied(size=300, label_noise=0.6, controls=()))["none"]:
        assert np.array_equal(one.watched.labels[-one.dev :], data.labels[one.watched.items[-one.dev :]])
        assert (one.replica.labels != data.labels[one.replica.items]).mean() == pytest.approx(0.6, abs=0.1)


def test_strength_moves_policies_and_leaves_the_reference_alone(digits: Dataset, studied: Make) -> None:
    study = studied(["turn:1=Rotate(angle=(-20, 20))"], cells=cells([60], [5], strengths=[0, 1, 2]), seeds=(0,), controls=())
    bench = Bench(digits)
    keys = {(trial.arm.name, trial.cell.strength): trial.key for trial in study.trials(bench)}
    assert len({keys["none", strength] for strength in (0, 1, 2)}) == 1
    assert len({keys["turn", strength] for strength in (0, 1, 2)}) == 3
    still, usual, strong = (one.replica for one in pupils(bench, [t for t in study.trials(bench) if t.arm.name == "turn"]))
    assert np.array_equal(still.whole().inputs[54:], still.whole().inputs[:54])
    change = [np.abs(one.whole().inputs[54:] - one.whole().inputs[:54]).mean() for one in (usual, strong)]
    assert 0 < change[0] < change[1]


def test_generated_items_are_trained_on_and_named_by_their_sources(digits: Dataset) -> None:
    study = bare(digits, cells=(Cell(size=60, steps=5),))
    parts = Bench(digits).divided(60, 0, Rules())
    lone = from_arrays(digits.images[:30], digits.labels[:30])
    arm = Arm("made", generated=lone)
    one = trained(replace(study, arms=(arm,)))["made"][0]
    assert len(one.replica.items) == 54 + 30
    assert not np.isin(one.replica.sources[54:], digits.sources).any()
    assert len(one.watched.items) == 60  # the learning curve is that of real items
    assert outcomes(replace(study, arms=(arm,)))["made"][0].sizes["train"] == 84
    from_train = replace(study, arms=(Arm("made", generated=digits.take(parts.train[:9])),), seeds=(0,))
    assert outcomes(from_train)["made"][0].leak == 0


@pytest.mark.parametrize("part", ["dev", "test"])
def test_generated_items_made_from_dev_or_test_are_a_leak(digits: Dataset, part: str) -> None:
    rows = getattr(Bench(digits).divided(60, 0, Rules()), part)[:3]
    study = bare(digits, Arm("made", generated=digits.take(rows)), seeds=(0,), cells=(Cell(size=60, steps=5),))
    with pytest.raises(LeakageError, match=rf"arm made: {part}: expected no held-out item with a sibling in train"):
        outcomes(study)


def test_generated_items_of_another_form_are_refused(digits: Dataset) -> None:
    other = replace(digits.take(range(5)), images=np.zeros((5, 4, 4, 1), np.uint8))
    with pytest.raises(DataError, match=r"arm made: expected generated items of uint8 \(8, 8, 1\) in the classes 0, 1"):
        outcomes(bare(digits, Arm("made", generated=other), cells=(Cell(size=60, steps=5),)))


def waves(count: int = 90, regression: bool = False) -> Dataset:
    """Sines of three frequencies with noise; in a regression the frequency itself is the label."""
    rng = np.random.default_rng(0)
    kind = np.arange(count) % 3
    phase = rng.uniform(0, 0.5, (count, 1))
    series = np.sin((1 + kind[:, None]) * np.linspace(0, 6, 24) + phase) + rng.normal(0, 0.1, (count, 24))
    return from_series(series, 1.0 + kind if regression else kind)


@pytest.mark.parametrize("trainer", [MLP(hidden=(16,), lr=0.1), Means()])
def test_series_are_learned(trainer: Any) -> None:
    found = outcomes(bare(waves(), Arm("jitter", parse("Jitter(std=(0, 0.2))")), Arm("two", parse("Jitter(std=0.1)"), 2), trainer=trainer))
    assert list(found) == ["none", "jitter", "two"]
    assert all(one.values["test.accuracy"] > 0.8 for some in found.values() for one in some)


def test_values_are_regressed() -> None:
    jitter = Arm("jitter", parse("Jitter(std=(0, 0.2))"), 1)
    study = bare(waves(regression=True), jitter, trainer=MLP(hidden=(16,), lr=0.05), cells=(Cell(steps=200),))
    assert study.metric == "rmse"
    for one in (one for some in outcomes(study).values() for one in some):
        assert one.values["test.rmse"] < 0.5  # the spread of the labels is 0.8
        assert one.predicted.shape == (30, 1)
        assert one.recall.shape == (0,)
        assert np.isfinite([*one.values.values()]).all()


@pytest.mark.parametrize("arm", [Arm("a", resample="over"), Arm("a", class_weight=True), Arm("a", threshold=True)])
def test_values_have_no_classes_to_balance(arm: Arm) -> None:
    with pytest.raises(Exception, match=r"arm a: expected what needs no classes: this is a regression"):
        bare(waves(regression=True), arm)


def test_a_trainer_without_steps_gets_copies_and_no_budget(digits: Dataset, studied: Make) -> None:
    study = studied(["fly=GaussianNoise(std=0.1)", "three:3=GaussianNoise(std=0.1)"], trainer=Means(), seeds=(0,), epochs=3)
    trials = study.trials(Bench(digits))
    assert {trial.steps for trial in trials} == {0}
    assert [(trial.arm.name, trial.arm.copies) for trial in trials] == [("none", 0), ("duplicate", 3), ("fly", 1), ("three", 3)]
    found = outcomes(study)
    assert [some[0].sizes["train"] for some in found.values()] == [54, 216, 108, 216]
    assert found["none"][0].values == found["duplicate"][0].values  # means do not change
    assert found["none"][0].curve["steps"] == [0.0]


def test_curves_look_at_test_made_worse(studied: Make) -> None:
    study = studied(ARMS[:1], curves=(("gaussian", (0.0, 0.8)),), size=300, steps=100, controls=(), seeds=(0,))
    for some in outcomes(study).values():
        values = some[0].values
        assert values["gaussian@0.accuracy"] == values["test.accuracy"] > values["gaussian@0.8.accuracy"]


def test_views_answer_together(studied: Make) -> None:
    still, moving = ((parse(text), 3) for text in ("Translate(x=0, y=0)", "Translate(x=(-1, 1), y=(-1, 1))"))
    study = studied(size=300, steps=60, controls=(), seeds=(0,))
    same, other = (outcomes(replace(study, views=views))["none"][0].values for views in (still, moving))
    assert same["views.accuracy"] == same["test.accuracy"] == other["test.accuracy"] != other["views.accuracy"]
    assert (same["views.fixed"], same["views.broken"]) == (0.0, 0.0)
    gain = other["views.accuracy"] - other["test.accuracy"]
    assert other["views.fixed"] - other["views.broken"] == pytest.approx(gain)


def test_copies_instead_of_originals_are_watched_on_the_originals(digits: Dataset) -> None:
    arm = Arm("instead", parse("Invert()"), 1, instead=True)
    study = bare(digits, arm, cells=(Cell(size=60, steps=5),))
    none, instead = (trained(study)[name][0] for name in ("none", "instead"))
    assert len(instead.replica.items) == 54
    assert np.array_equal(instead.watched.items, none.watched.items)
    assert np.allclose(instead.replica.whole().inputs, 1 - none.replica.whole().inputs, atol=1e-6)


def test_time_is_shared_out(compared: Compare) -> None:
    found: Sequence[Outcome] = [outcome for side in by_name(compared(ARMS, steps=20)).values() for outcome in side.outcomes]
    assert all(outcome.seconds > 0 for outcome in found)
    shift, noisy = found[6], found[9]
    assert (shift.augmented, noisy.augmented) == (20 * 32 if shift.augmented < 1024 else shift.augmented, 54)
    assert found[0].augment_seconds == 0 < shift.augment_seconds
