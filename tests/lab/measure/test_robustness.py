"""Robustness curves of models whose answers are known, and of real ones: what was trained on decides what is withstood."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import vicinal as v
from vicinal.data import read
from vicinal.data.dataset import Dataset
from vicinal.lab.measure.corruptions import Corruptions
from vicinal.lab.measure.families import families
from vicinal.lab.measure.outputs import Predict
from vicinal.lab.measure.robustness import Curve, ShiftAndSpread, curves, mean_corruption_error, shift_and_spread
from vicinal.learn.feed import ArrayFeed
from vicinal.learn.mlp import MLP
from vicinal.learn.trainer import Goal, Task


def curve(values: list[float], levels: list[float], neutral: float = 0, name: str = "made") -> Curve:
    return Curve(name, "units", np.array(levels, float), neutral, {"accuracy": np.array(values)})


def test_the_area_is_the_mean_score_on_the_way():
    assert curve([0.9, 0.9, 0.9], [0, 0.1, 0.5]).area() == pytest.approx(0.9)
    assert curve([1.0, 0.5], [0, 0.4]).area() == pytest.approx(0.75)
    assert curve([1.0, 0.5, 0.0], [0, 1, 4]).area() == pytest.approx((0.75 + 3 * 0.25) / 4)
    backwards = curve([1.0, 0.5, 0.0], [1, 0.8, 0.2], neutral=1)
    assert backwards.area() == pytest.approx(curve([1.0, 0.5, 0.0], [0, 0.2, 0.8]).area())
    assert curve([0.5, 1.0], [0.4, 0]).area() == pytest.approx(0.75)  # in whatever order they were measured


def test_the_mean_corruption_error_is_that_of_the_paper():
    model = {"a": curve([0.9, 0.8, 0.6], [0, 1, 2]), "b": curve([0.9, 0.7, 0.7], [0, 1, 2])}
    other = {"a": curve([0.95, 0.6, 0.4], [0, 1, 2]), "b": curve([0.95, 0.8, 0.6], [0, 1, 2])}
    assert mean_corruption_error(model, other) == pytest.approx((0.6 / 1.0 + 0.6 / 0.6) / 2)
    assert mean_corruption_error(model, other, relative=True) == pytest.approx((0.4 / 0.9 + 0.4 / 0.5) / 2)
    assert mean_corruption_error(model, model) == 1
    perfect = {name: curve([1.0, 1, 1], [0, 1, 2]) for name in model}
    assert mean_corruption_error(perfect, other) == 0
    assert np.isnan(mean_corruption_error(model, perfect))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"b": curve([1.0, 1], [0, 1])},
            r"^curves: expected the families a, got b; write curves\(\.\.\., kinds=\['gaussian'\]\) for both, say$",
        ),
        ({}, r"^curves: expected the families a, got none; write curves\(\.\.\., kinds=\['gaussian'\]\) for both, say$"),
        (
            {"a": curve([1.0, 1], [0, 2])},
            r"^curve a: expected the levels \[0\.0, 1\.0\], got \[0\.0, 2\.0\]; write curves\(\.\.\., levels=\[0\.0, 1\.0\]\) for both$",
        ),
    ],
)
def test_curves_that_do_not_fit_are_refused(given: dict, says: str):
    with pytest.raises(v.DataError, match=says):
        mean_corruption_error(given, {"a": curve([1.0, 1], [0, 1])})


def test_a_curve_says_what_it_does_not_have():
    with pytest.raises(v.ParameterError, match=r"^curve made: expected one of accuracy, got 'acc'"):
        curve([1.0, 1], [0, 1]).area("acc")
    with pytest.raises(
        v.DataError, match=r"^curve made: expected at least two levels, got 1; write curves\(\.\.\., levels=\(0, 0\.1, 0\.2\)\), say$"
    ):
        curve([1.0], [0]).area()
    with pytest.raises(
        v.DataError, match=r"score at the neutral level 0, got none; write curves\(\.\.\., levels=\(0, \.\.\.\)\), or levels=None$"
    ):
        curve([1.0, 1], [1, 2]).loss()


def halves(digits: Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    return digits.images[:900], digits.labels[:900], digits.images[900:], digits.labels[900:]


def fitted(images: np.ndarray, labels: np.ndarray) -> Predict:
    """Softmax regression on pixels in [0, 1]."""

    def flat(some: np.ndarray) -> np.ndarray:
        scaled = some if some.dtype == np.float32 else some / np.float32(255)
        return scaled.reshape(len(some), -1)

    model = LogisticRegression(C=0.1, max_iter=200).fit(flat(images), labels)
    return lambda some: model.predict_proba(flat(some))


def test_scores_are_best_at_the_neutral_level_and_fall(digits: Dataset):
    train, labels, test, known = halves(digits)
    calls = []
    model = fitted(train, labels)

    def predict(images: np.ndarray) -> np.ndarray:
        calls.append(len(images))
        return model(images)

    found = curves(predict, Corruptions(test), known, ["gaussian", "salt_and_pepper", "contrast"], ["accuracy", "nll"])
    assert len(calls) == 1 + 3 * 5  # the clean images are asked about once
    assert list(found) == ["gaussian", "salt_and_pepper", "contrast"]
    for name, one in found.items():
        assert len(one.levels) == len(one.of("accuracy")) == len(one.of("nll")) == 6
        assert one.levels.tolist() == list(families()[name].levels)
        assert one.loss("accuracy")[0] == one.loss("nll")[0] == 0
        assert one.loss("nll")[-1] > 0
        assert one.of("accuracy")[-1] < one.area() < one.of("accuracy")[0]


def test_what_cannot_be_measured_is_a_sentence(digits: Dataset):
    test = Corruptions(digits.images[:4])
    for settings, says in (
        ({"kinds": "blur", "levels": []}, r"^curves\.levels: expected at least one level"),
        ({"kinds": "blurr"}, r"^family: expected .* got 'blurr'; write blur$"),
        ({"kinds": "blur", "metrics": "acc"}, r"^metrics: expected one of accuracy, .*, got 'acc'"),
    ):
        with pytest.raises(v.PolicyError, match=says):
            curves(lambda images: np.eye(10)[: len(images)], test, np.arange(4), **settings)
    with pytest.raises(v.DataError, match=r"^labels: expected \(4,\) whole numbers"):
        curves(lambda images: np.eye(10)[: len(images)], test, np.arange(5), "blur")


def test_every_noise_family_is_measured_where_none_is_named(digits: Dataset):
    _, _, test, known = halves(digits)

    def sure(images: np.ndarray) -> np.ndarray:
        return np.eye(10)[known]

    found = curves(sure, Corruptions(test), known, metrics="accuracy", levels=np.linspace(0.1, 0.2, 2))
    assert list(found) == list(families())
    assert all(one.of().tolist() == [1.0, 1.0] for one in found.values())


def perceptron(images: np.ndarray, labels: np.ndarray, steps: int) -> Predict:
    """The MLP of the lab on (N, H, W, C) float32 images."""
    flat, rng = images.reshape(len(images), -1), np.random.default_rng(0)
    feed = ArrayFeed(flat, labels, rows=rng.integers(0, len(flat), (steps, 1, 32)))
    found = MLP(lr=0.05).fit(Task(Goal(images.shape[1:], 10), feed, seeds=(0,), steps=steps))
    return lambda some: found.outputs(some.reshape(len(some), -1))[0]


def test_robustness_is_specific_and_most_of_it_is_the_shift(shared_data: Callable[[str], Path]):
    """Training on noise of U[0, 0.5] teaches the shift in it: centred noise of the same spread, in training, does not help."""
    data = read(shared_data("mnist"))
    assert isinstance(data.images, np.ndarray)
    train_set = Corruptions(data.images[:1000], seed=9, clip=False)
    test, known = Corruptions(data.images[-2000:], clip=False), data.labels[-2000:]

    def measured_after(kind: str, level: float) -> ShiftAndSpread:
        both = np.concatenate([train_set.at(kind, 0), train_set.at(kind, level)])
        return shift_and_spread(perceptron(both, np.tile(data.labels[:1000], 2), steps=500), test, known, high=0.5)

    none, uniform, centred = (measured_after(*at) for at in (("shift", 0), ("uniform", 0.5), ("centred_uniform", 0.25)))
    assert uniform.both > none.both + 0.05
    assert centred.both < none.both + 0.04
    assert abs(uniform.clean - none.clean) < 0.02
    assert none.loss(none.shift) > 0.05 > none.loss(none.spread)
    for found in (none, uniform, centred):
        parts = found.loss(found.shift) + found.loss(found.spread) + found.interaction
        assert parts == pytest.approx(found.clean - found.both)
