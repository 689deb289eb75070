"""Comparisons: controls, equal steps, pairs, and what a leak does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from vicinal.core.errors import DataError, LeakageError, ParameterError
from vicinal.data.build import from_arrays
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import read_arms
from vicinal.lab.compare import MARKS, Run, Setup, run
from vicinal.lab.feed import inputs
from vicinal.learn.mlp import MLP

Compare = Callable[..., list[Run]]
ARMS = ["shift=Translate(x=(-1, 1), y=(-1, 1))", "noisy:1=UniformNoise(low=0, high=0.5)"]


@pytest.fixture(scope="module")
def usual(compared: Compare) -> list[Run]:
    return compared(ARMS)


def by_name(runs: list[Run]) -> dict[str, list[Run]]:
    return {name: [run for run in runs if run.arm.name == name] for name in dict.fromkeys(run.arm.name for run in runs)}


def test_the_controls_are_always_there(usual: list[Run], compared: Compare) -> None:
    assert list(by_name(usual)) == ["none", "duplicate", "shift", "noisy"]
    assert list(by_name(compared(["a=Invert()"], steps=2, seeds=(4,)))) == ["none", "duplicate", "a"]


def test_all_arms_take_the_same_steps_under_the_same_seeds(usual: list[Run]) -> None:
    assert {run.steps for run in usual} == {40}
    assert all([run.seed for run in runs] == [0, 1, 2] for runs in by_name(usual).values())


def test_arms_are_paired_by_seed(usual: list[Run]) -> None:
    for one, *others in zip(*by_name(usual).values(), strict=True):
        for other in others:
            assert set(other.replica.items) == set(one.replica.items)
            assert np.array_equal(other.watched.items, one.watched.items)
            assert np.array_equal(other.test, one.test)
    none, duplicate = by_name(usual)["none"], by_name(usual)["duplicate"]
    assert not np.array_equal(none[0].replica.items, none[1].replica.items)
    assert [len(run.replica.items) for run in (none[0], duplicate[0])] == [54, 108]


def test_dev_and_test_are_apart_from_train_and_never_augmented(usual: list[Run], digits: Dataset) -> None:
    for one in usual:
        assert (one.dev, len(one.test), one.leak, one.test_leak) == (6, 599, 0.0, 0.0)
        assert not set(one.replica.items) & {*one.watched.items[-one.dev :], *one.test}
        assert np.array_equal(one.watched.kept(np.arange(60)), inputs(digits.images[one.watched.items]))


def test_scores_are_accuracies(usual: list[Run], digits: Dataset) -> None:
    for one in usual:
        assert 0.1 < one.score < 1
        assert one.score == pytest.approx(np.average(one.recall, weights=np.bincount(digits.labels[one.test])))
        assert one.marks == sorted({round(40 * part / MARKS) for part in range(1, MARKS + 1)})
        assert len(one.marks) == len(one.train_curve) == len(one.dev_curve) == MARKS
        for curve, count in ((one.train_curve, 54), (one.dev_curve, 6)):
            hits = count * np.array(curve)
            assert np.allclose(hits, hits.round(), atol=1e-9)
            assert 0 <= hits.min() <= hits.max() <= count
    assert np.mean([one.train_curve[-1] - one.train_curve[0] for one in usual]) > 0.1


def test_a_second_time_gives_the_same_bits(usual: list[Run], compared: Compare) -> None:
    again = compared(ARMS)
    assert [(run.score, run.dev_curve) for run in again] == [(run.score, run.dev_curve) for run in usual]


def test_stacked_equals_one_by_one(usual: list[Run], compared: Compare) -> None:
    slow = compared(ARMS, model=MLP(stacked=False))
    assert np.allclose([run.score for run in slow], [run.score for run in usual], atol=1.5 / 599)
    assert np.allclose([run.train_curve for run in slow], [run.train_curve for run in usual], atol=1.5 / 54)


@pytest.mark.parametrize("more", [["flip=HorizontalFlip(p=0.5)"], ["a=Invert()", "b:1=Rotate(angle=90)", "c=Erase(area=0.1)"]])
def test_other_arms_do_not_change_an_arm(usual: list[Run], compared: Compare, more: list[str]) -> None:
    beside = by_name(compared([*more, *ARMS]))
    for name, runs in by_name(usual).items():
        assert np.allclose([run.score for run in beside[name]], [run.score for run in runs], atol=1.5 / 599)
        assert np.allclose([run.train_curve for run in beside[name]], [run.train_curve for run in runs], atol=1.5 / 54)


def test_other_seeds_do_not_change_a_seed(usual: list[Run], compared: Compare) -> None:
    alone = by_name(compared(ARMS, seeds=(2,)))
    assert all(abs(alone[name][0].score - runs[2].score) < 1.5 / 599 for name, runs in by_name(usual).items())


def test_epochs_add_a_control_with_as_many_steps(compared: Compare) -> None:
    found = by_name(compared(ARMS, epochs=10))
    steps = {name: runs[0].steps for name, runs in found.items()}
    assert steps == {"none": 17, "duplicate": 34, "shift": 17, "noisy": 34, "none, 34 steps": 34}
    control = found["none, 34 steps"]
    assert {run.arm.mode for run in control} == {"none"}
    assert [run.seed for run in control] == [0, 1, 2]
    assert all(np.array_equal(a.replica.items, b.replica.items) for a, b in zip(control, found["none"], strict=True))


def test_each_number_of_steps_has_one_control(compared: Compare) -> None:
    found = by_name(compared(["a:1=Invert()", "b:3=Invert()", "c:3=Rotate(angle=5)"], epochs=4))
    assert [name for name in found if name.startswith("none,")] == ["none, 14 steps", "none, 27 steps"]


def test_progress_grows_to_the_total(digits: Dataset) -> None:
    seen: list[tuple[int, int]] = []
    run(digits, read_arms(ARMS), Setup((0,), size=60, steps=None, epochs=3), lambda done, total: seen.append((done, total)))
    assert seen == [(done, 15) for done in range(1, 16)]


def test_fewer_items_than_a_batch(compared: Compare) -> None:
    assert {run.steps for run in compared(ARMS, size=20, steps=3)} == {3}


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"steps": 10, "epochs": 2}, "budget"),
        ({"steps": None}, "budget"),
        ({"steps": 0}, "budget"),
        ({"seeds": ()}, "seeds"),
        ({"seeds": (1, 1)}, "seeds"),
        ({"alpha": 0.0}, "alpha"),
        ({"dev": 1.5}, "dev"),
        ({"test": float("nan")}, "test"),
    ],
)
def test_settings_that_cannot_be(settings: dict[str, Any], where: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Setup(**settings)
    assert caught.value.where == where
    assert caught.value.write


def test_images_of_several_sizes_are_refused_with_advice() -> None:
    sizes = [(8, 9), (8, 10), (16, 3)] * 4
    data = from_arrays([np.zeros(size, np.uint8) for size in sizes], [0, 1] * 6)
    with pytest.raises(DataError) as caught:
        run(data, [], Setup(steps=1))
    assert (caught.value.got, caught.value.write) == ("3 sizes, 8x9x1 to 16x3x1", "--resize 32")


def test_a_policy_that_changes_the_size_is_named(compared: Compare) -> None:
    with pytest.raises(DataError, match=r"arm crop: expected images of 8x8x1 .* got 4x4x1; write .*Resize"):
        compared(["crop=CenterCrop(size=4)"])


def test_a_split_by_item_needs_leave(compared: Compare) -> None:
    with pytest.raises(LeakageError, match=r"arm duplicate: split by item: .* write --allow-leak"):
        compared([], by="item")


def test_a_leak_that_is_allowed_is_measured(compared: Compare) -> None:
    found = by_name(
        compared(["noisy:1=GaussianNoise(std=0.1)", "fly=GaussianNoise(std=0.1)"], by="item", allow_leak=True, size=500, steps=2)
    )
    shares = {name: float(np.mean([run.leak for run in runs])) for name, runs in found.items()}
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
    with pytest.raises(LeakageError, match=r"official test: .* 100\.0% of the 10 held-out items .* write --allow-leak"):
        run(straddling(), [], Setup((0,), steps=1))
    allowed = run(straddling(), [], Setup((0, 1), steps=1, allow_leak=True))
    assert all(0.5 < one.test_leak <= 1 and one.leak == 0 for one in allowed)


def test_an_arm_takes_as_many_steps_under_every_seed() -> None:
    images = np.random.default_rng(0).integers(0, 256, (90, 4, 4)).astype(np.uint8)
    sources = np.repeat(np.arange(30), np.arange(30) % 5 + 1)  # so that seeds draw different numbers of items
    data = from_arrays(images, sources % 2, sources=sources)
    runs = run(data, read_arms(["a:1=Invert()"]), Setup((0, 1, 2), size=12, steps=None, epochs=20))
    assert len({len(one.replica.items) for one in runs if one.arm.name == "none"}) > 1
    assert all(len({one.steps for one in found}) == 1 for found in by_name(runs).values())
    assert len(by_name(runs)) == 4
