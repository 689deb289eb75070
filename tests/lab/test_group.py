"""Trials side by side: controls, equal steps, pairs, ladders, and what a leak does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from grouped import ARMS, by_name, outcomes, trained
from learners import Means

from vicinal import parse
from vicinal.core.errors import DataError, LeakageError
from vicinal.data.build import from_arrays
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import Arm
from vicinal.lab.bench import Bench
from vicinal.lab.conduct import Findings
from vicinal.lab.feed import inputs
from vicinal.lab.group import MARKS
from vicinal.lab.measure.calibration import pooled
from vicinal.lab.sides import Side, sides
from vicinal.lab.study import Study, cells
from vicinal.lab.trial import Cell, Rules
from vicinal.learn.mlp import MLP

Compare = Callable[..., Findings]
Make = Callable[..., Study]


@pytest.fixture(scope="module")
def usual(compared: Compare) -> dict[str, Side]:
    return by_name(compared(ARMS))


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
