"""Trials side by side: controls, equal steps, pairs, ladders, what a leak does, and whatever an arm may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from learners import Means

from vicinal import parse
from vicinal.core.errors import DataError, LeakageError
from vicinal.data.build import from_arrays, from_series
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import Arm
from vicinal.lab.bench import Bench
from vicinal.lab.conduct import Findings
from vicinal.lab.feed import inputs
from vicinal.lab.group import MARKS, Pupil, pupils, run_group
from vicinal.lab.measure.calibration import pooled
from vicinal.lab.sides import Side, sides
from vicinal.lab.study import Study, cells
from vicinal.lab.trial import Cell, Outcome, Rules
from vicinal.learn.mlp import MLP

Compare = Callable[..., Findings]
Make = Callable[..., Study]
ARMS = ["shift=Translate(x=(-1, 1), y=(-1, 1))", "noisy:1=UniformNoise(low=0, high=0.5)"]


@pytest.fixture(scope="module")
def usual(compared: Compare) -> dict[str, Side]:
    return by_name(compared(ARMS))


def by_name(findings: Findings) -> dict[str, Side]:
    return sides(findings, findings.study.cells[-1])


def trained(study: Study, cell: int = -1) -> dict[str, list[Pupil]]:
    """The replicas of a cell, by arm."""
    bench = Bench(study.data)
    some = pupils(bench, [trial for trial in study.trials(bench) if trial.cell == study.cells[cell]])
    found: dict[str, list[Pupil]] = {}
    for one in some:
        found.setdefault(one.trials[0].arm.name, []).append(one)
    return found


def outcomes(study: Study) -> dict[str, list[Outcome]]:
    bench = Bench(study.data)
    trials = study.trials(bench)
    by_key: dict[str, Outcome] = {}
    run_group(bench, trials, by_key.update)
    found: dict[str, list[Outcome]] = {}
    for trial in trials:
        found.setdefault(trial.arm.name, []).append(by_key[trial.key])
    return found


def scores(side: Side) -> list[float]:
    return side.measured("test.accuracy").tolist()


def test_the_controls_are_always_there(usual: dict[str, Side], studied: Make) -> None:
    assert list(usual) == ["none", "duplicate", "shift", "noisy"]
    assert [arm.name for arm in studied(["a=Invert()"]).every_arm()] == ["none", "duplicate", "a"]
    assert [arm.name for arm in studied(["a=Invert()"], controls=()).every_arm()] == ["none", "a"]
    copies = {arm.name: arm.copies for arm in studied(["a=Invert()", "b:3=Invert()"]).every_arm()}
    assert copies == {"none": 0, "duplicate": 3, "a": 0, "b": 3}
    cheap = [arm.name for arm in studied(["a=HorizontalFlip(p=0.5)"], controls=("cheap",)).every_arm()]
    assert cheap == ["none", "cheap shift", "cheap rotate", "cheap scale", "cheap noise", "cheap erase", "a"]


def test_all_arms_take_the_same_steps_under_the_same_seeds(usual: dict[str, Side]) -> None:
    assert {side.steps for side in usual.values()} == {40}
    assert all(side.seeds == [0, 1, 2] for side in usual.values())


def test_arms_are_paired_by_seed(studied: Make) -> None:
    found = trained(studied(ARMS))
    for one, *others in zip(*found.values(), strict=True):
        for other in others:
            assert set(other.replica.items) == set(one.replica.items)
            assert np.array_equal(other.watched.items, one.watched.items)
            assert np.array_equal(other.test, one.test)
    none, duplicate = found["none"], found["duplicate"]
    assert not np.array_equal(none[0].replica.items, none[1].replica.items)
    assert [len(one.replica.items) for one in (none[0], duplicate[0])] == [54, 108]


def test_dev_and_test_are_apart_from_train_and_never_augmented(studied: Make, digits: Dataset) -> None:
    for one in (pupil for some in trained(studied(ARMS)).values() for pupil in some):
        assert (one.dev, len(one.test), one.leak, one.test_leak) == (6, 599, 0.0, 0.0)
        assert not set(one.replica.items) & {*one.watched.items[-one.dev :], *one.test}
        assert np.array_equal(one.watched.kept(np.arange(60)), inputs(digits.images[one.watched.items]))


def test_scores_are_what_the_predictions_say(usual: dict[str, Side], studied: Make, digits: Dataset) -> None:
    labels = digits.labels[trained(studied(ARMS))["none"][0].test]
    for outcome in (outcome for side in usual.values() for outcome in side.outcomes):
        score = outcome.values["test.accuracy"]
        assert 0.1 < score < 1
        assert score == pytest.approx((outcome.predicted == labels).mean())
        assert score == pytest.approx(np.average(outcome.recall, weights=np.bincount(labels)))
        assert outcome.predicted.dtype == np.uint8
        table = pooled([outcome.calibration])
        assert (table.count.sum(), table.correct.sum() / 599) == pytest.approx((599, score))
        assert table.ece == pytest.approx(outcome.values["test.ece"])
        assert outcome.sizes == {"train": outcome.sizes["train"], "dev": 6, "test": 599}


def test_learning_curves_are_shares_of_clean_originals(usual: dict[str, Side]) -> None:
    for outcome in (outcome for side in usual.values() for outcome in side.outcomes):
        curve = outcome.curve
        assert curve["steps"] == sorted({round(40 * part / MARKS) for part in range(1, MARKS + 1)})
        for part, count in (("train", 54), ("dev", 6)):
            hits = count * np.array(curve[part])
            assert len(hits) == MARKS
            assert np.allclose(hits, hits.round(), atol=1e-9)
            assert 0 <= hits.min() <= hits.max() <= count
            assert curve[part][-1] == outcome.values[f"{part}.accuracy"]
    assert np.mean([side.outcomes[0].curve["train"][-1] - side.outcomes[0].curve["train"][0] for side in usual.values()]) > 0.1


def test_a_second_time_gives_the_same_bits(usual: dict[str, Side], compared: Compare) -> None:
    again = by_name(compared(ARMS))
    for name, side in usual.items():
        for one, other in zip(side.outcomes, again[name].outcomes, strict=True):
            assert (dict(one.values), dict(one.curve)) == (dict(other.values), dict(other.curve))
            assert np.array_equal(one.predicted, other.predicted)


def alike(one: dict[str, Side], other: dict[str, Side]) -> None:
    """Where many replicas share a product, sums are taken in another order: an item at the border may change sides."""
    for name, side in one.items():
        assert np.allclose(scores(other[name])[-len(scores(side)) :], scores(side), atol=1.5 / 599)
        curves = [[outcome.curve["train"] for outcome in some[name].outcomes] for some in (one, other)]
        assert np.allclose(curves[1][-len(curves[0]) :], curves[0], atol=1.5 / 54)


def test_stacked_equals_one_by_one(usual: dict[str, Side], compared: Compare) -> None:
    alike(usual, by_name(compared(ARMS, trainer=MLP(stacked=False))))


@pytest.mark.parametrize("more", [["flip=HorizontalFlip(p=0.5)"], ["a=Invert()", "b:1=Rotate(angle=90)", "mix=MixUp()"]])
def test_other_arms_do_not_change_an_arm(usual: dict[str, Side], compared: Compare, more: list[str]) -> None:
    alike(usual, by_name(compared([*more, *ARMS])))


def test_other_seeds_do_not_change_a_seed(usual: dict[str, Side], compared: Compare) -> None:
    alike(by_name(compared(ARMS, seeds=(2,))), usual)


def test_epochs_add_a_control_with_as_many_steps(studied: Make) -> None:
    found = trained(studied(ARMS, epochs=10))
    assert {name: some[0].trials[-1].steps for name, some in found.items() if name != "none"} == {"duplicate": 34, "shift": 17, "noisy": 34}
    ladder = found["none"][0].trials
    assert [(trial.arm.name, trial.steps) for trial in ladder] == [("none", 17), ("none, 34 steps", 34)]
    assert [one.replica.seed for one in found["none"]] == [0, 1, 2]


def test_a_trial_on_the_way_of_a_longer_one_is_the_trial_alone(compared: Compare) -> None:
    both = compared(controls=("duplicate",), size=60, cells=cells(sizes=[60], steps=[10, 25]), seeds=(0,))
    alone = compared(controls=("duplicate",), steps=10, seeds=(0,))
    short, long = (sides(both, cell) for cell in both.study.cells)
    assert scores(short["none"]) == scores(by_name(alone)["none"]) != scores(long["none"])
    assert dict(short["none"].outcomes[0].values) == dict(by_name(alone)["none"].outcomes[0].values)
    assert short["none"].outcomes[0].curve["steps"][-1] == 10
    assert dict(short["none"].outcomes[0].curve)["dev"][-1] == by_name(alone)["none"].outcomes[0].curve["dev"][-1]


def test_each_number_of_steps_has_one_control(studied: Make, digits: Dataset) -> None:
    study = studied(["a:1=Invert()", "b:3=Invert()", "c:3=Rotate(angle=5)"], epochs=4)
    arms = dict.fromkeys(trial.arm.name for trial in study.trials(Bench(digits)))
    assert [name for name in arms if name.startswith("none,")] == ["none, 14 steps", "none, 27 steps"]


def test_fewer_items_than_a_batch(compared: Compare) -> None:
    assert {side.steps for side in by_name(compared(ARMS, size=20, steps=3)).values()} == {3}


def test_images_of_several_sizes_are_refused_with_advice() -> None:
    sizes = [(8, 9), (8, 10), (16, 3)] * 4
    data = from_arrays([np.zeros(size, np.uint8) for size in sizes], [0, 1] * 6)
    with pytest.raises(DataError) as caught:
        Bench(data)
    assert (caught.value.got, caught.value.write) == ("3 sizes, 8x9x1 to 16x3x1", "--resize 32")


def test_a_policy_that_changes_the_size_is_named(compared: Compare) -> None:
    with pytest.raises(DataError, match=r"arm crop: expected items of 8x8x1 .* got 4x4x1; write .*Resize"):
        compared(["crop=CenterCrop(size=4)"])


def test_a_split_by_item_needs_leave(compared: Compare) -> None:
    with pytest.raises(LeakageError, match=r"arm duplicate: dev: .* write --allow-leak"):
        compared(by="item")


def test_a_leak_that_is_allowed_is_measured(studied: Make) -> None:
    texts = ["noisy:1=GaussianNoise(std=0.1)", "fly=GaussianNoise(std=0.1)"]
    found = trained(studied(texts, by="item", allow_leak=True, size=500, steps=2))
    shares = {name: float(np.mean([one.leak for one in some])) for name, some in found.items()}
    assert (shares["none"], shares["fly"]) == (0.0, 0.0)
    assert shares["duplicate"] == shares["noisy"] == pytest.approx(900 / 999, abs=0.04)
    noisy = found["noisy"][0]
    assert (len(noisy.replica.items), noisy.dev) == (900, 100)
    assert 0 < noisy.watched.copy[-noisy.dev :].sum() < 100
    assert not noisy.watched.copy[: -noisy.dev].any()


def straddling(seed: int = 0) -> Dataset:
    """Forty originals with a copy each; the copies of ten of them are declared to be test."""
    images = np.random.default_rng(seed).integers(0, 256, (80, 8, 8)).astype(np.uint8)
    sources = np.tile(np.arange(40), 2)
    return from_arrays(images, sources % 2, sources=sources, official_test=np.arange(80) >= 70)


def test_siblings_of_official_test_items_are_a_leak() -> None:
    study = Study(straddling(), (), seeds=(0, 1), cells=(Cell(steps=1),), trainer=Means())
    with pytest.raises(LeakageError, match=r"official test: .* 100\.0% of the 10 held-out items .* write --allow-leak"):
        outcomes(study)
    allowed = outcomes(replace(study, rules=Rules(allow_leak=True)))
    assert all(0.5 < one.test_leak <= 1 and one.leak == 0 for some in allowed.values() for one in some)


def test_an_arm_takes_as_many_steps_under_every_seed() -> None:
    images = np.random.default_rng(0).integers(0, 256, (90, 4, 4)).astype(np.uint8)
    sources = np.repeat(np.arange(30), np.arange(30) % 5 + 1)  # so that seeds draw different numbers of items
    data = from_arrays(images, sources % 2, sources=sources)
    study = Study(data, (Arm("a", parse("Invert()"), 1),), seeds=(0, 1, 2), cells=(Cell(size=12, steps=None, epochs=20),))
    found: dict[str, set[int]] = {}
    for trial in study.trials(Bench(data)):
        found.setdefault(trial.arm.name, set()).add(trial.steps)
    assert len(found) == 4
    assert all(len(steps) == 1 for steps in found.values())
    assert len({len(one.replica.items) for one in trained(study)["none"]}) > 1


# What an arm may be besides a policy.


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
