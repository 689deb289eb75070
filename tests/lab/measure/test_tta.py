"""Views averaged at their addresses, what they fix and break, the overfitting gap, and cost."""

from __future__ import annotations

import math

import numpy as np
import pytest

import vicinal as v
from vicinal.data.dataset import Dataset
from vicinal.lab.measure.cost import ms_per_item, per_point
from vicinal.lab.measure.gap import overfitting_gap
from vicinal.lab.measure.scores import accuracy
from vicinal.lab.measure.tta import TTA_EPOCH, NetChange, net_change, tta


def middle(images: np.ndarray) -> np.ndarray:
    """A model of two classes that looks at the mean of the middle, and at the mean of the first row."""
    first, second = images[:, 3:5, 3:5].mean((1, 2, 3)), images[:, 0].mean((1, 2))
    return np.stack([first, second], 1) / (first + second + 1e-6)[:, None]


POLICY = v.parse("Rotate(angle=(-30, 30)) | GaussianNoise(std=0.1)")


def test_the_answer_is_the_mean_over_the_views_of_the_library(digits: Dataset):
    images = digits.images[:20] // 2 + 60
    views = v.Views([POLICY], n=4)(images, seed=5, epoch=TTA_EPOCH)
    np.testing.assert_allclose(tta(middle, images, POLICY, views=4, seed=5), np.mean([middle(one) for one in views], 0))
    with_it = tta(middle, images, POLICY, views=4, seed=5, original=True)
    np.testing.assert_allclose(with_it, np.mean([middle(images), *(middle(one) for one in views)], 0))


def test_any_part_gives_the_answers_of_the_whole(digits: Dataset):
    images, rows = digits.images[:20] // 2 + 60, np.array([3, 17, 8])
    whole = tta(middle, images, POLICY, seed=1)
    np.testing.assert_array_equal(tta(middle, images[rows], POLICY, seed=1, index=rows), whole[rows])


def test_views_of_a_policy_that_changes_nothing_change_nothing(digits: Dataset):
    images = digits.images[:20] // 2 + 60
    np.testing.assert_allclose(tta(middle, images, v.Compose([]), views=3), middle(images))


def test_a_policy_of_several_views_gives_them_all(digits: Dataset):
    images, asked = digits.images[:5], []

    def predict(some: np.ndarray) -> np.ndarray:
        asked.append(some)
        return np.full((len(some), 2), 0.5)

    tta(predict, images, v.FiveCrop(size=6), views=1)
    assert [some.shape for some in asked] == [(5, 6, 6, 1)] * 5
    assert np.array_equal(asked[0], images[:, :6, :6])


def test_no_views_are_refused(digits: Dataset):
    with pytest.raises(v.ParameterError, match=r"^tta\.views: expected a whole number of 1 or more, got 0; write views=8$"):
        tta(middle, digits.images[:2], POLICY, views=0)
    with pytest.raises(v.DataError, match=r"^images: expected \(N, H, W, C\)"):
        tta(middle, digits.images[0], POLICY)


@pytest.mark.parametrize("seed", range(5))
def test_fixed_and_broken_sum_to_the_change_of_the_accuracy(seed: int):
    rng = np.random.default_rng(seed)
    items = int(rng.integers(1, 1000))
    before, after, labels = rng.integers(0, 3, (3, items))
    change = net_change(before, after, labels)
    assert change.fixed - change.broken == int((after == labels).sum()) - int((before == labels).sum())
    assert change.net == pytest.approx(accuracy(after, labels) - accuracy(before, labels), abs=1e-15)
    assert change.net == pytest.approx(change.fixed_share - change.broken_share, abs=1e-15)


def test_changes_of_probabilities_and_of_classes_are_the_same():
    rng = np.random.default_rng(0)
    before, after = rng.dirichlet(np.ones(4), (2, 50))
    labels = rng.integers(0, 4, 50)
    assert net_change(before, after, labels) == net_change(before.argmax(1), after.argmax(1), labels)
    assert net_change(before, before, labels) == NetChange(0, 0, 50)
    with pytest.raises(v.DataError, match=r"^labels"):
        net_change(before, after[:-1], labels)


def test_the_gap_is_above_0_for_every_metric_of_a_model_that_overfits():
    sure, unsure = np.array([[0.9, 0.1], [0.1, 0.9]]), np.array([[0.4, 0.6], [0.3, 0.7]])
    labels = np.array([0, 1])
    names = ["accuracy", "balanced_accuracy", "f1", "nll", "brier"]
    gap = overfitting_gap(names, (sure, labels), (unsure, labels))
    assert list(gap) == names
    assert min(gap.values()) > 0
    assert overfitting_gap(names, (unsure, labels), (sure, labels)) == {name: -found for name, found in gap.items()}
    assert overfitting_gap(["rmse", "slope"], ([1.0, 2.0], [1.0, 2.0]), ([1.0, 1.5], [1.0, 2.0]))["slope"] == 1


def test_what_takes_longer_costs_more(digits: Dataset):
    images = np.tile(digits.images[:50], (2, 4, 4, 1))
    cheap, dear = (ms_per_item(v.parse(text), images, rounds=3) for text in ("HorizontalFlip()", "MedianBlur(size=7) | CLAHE()"))
    assert 0 < cheap < dear
    assert per_point(2.0, 0.04) == pytest.approx(0.5)
    assert per_point(2.0, 0.0) == per_point(2.0, -0.1) == math.inf
    with pytest.raises(v.ParameterError, match=r"^ms_per_item\.rounds"):
        ms_per_item(v.Invert(), images, rounds=0)
