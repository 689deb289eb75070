"""The winner's curse: exact expectations against simulation and theory, and nested selections of which the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from vicinal.core.errors import DataError, ParameterError
from vicinal.lab.statistics import null_optimism, winners_curse


@pytest.mark.parametrize(("items", "points"), [(50, 3.4), (100, 2.5), (500, 1.1), (1000, 0.8)])
def test_the_known_figures_of_twelve_useless_arms(items, points):
    assert round(100 * null_optimism(items), 1) == points


def test_the_expectation_agrees_with_simulation():
    rng, best = np.random.default_rng(0), []
    for _ in range(2000):
        right = rng.random(80) < 0.7
        arms = np.where(rng.random((5, 80)) < 0.3, rng.random((5, 80)) < 0.7, right)
        best.append((arms.mean(1) - right.mean()).max())
    assert null_optimism(80, arms=5, changed=0.3, accuracy=0.7) == pytest.approx(np.mean(best), abs=4 * np.std(best) / np.sqrt(2000))


def test_one_useless_arm_gains_nothing_and_many_gain_as_normal_maxima_do():
    assert null_optimism(300, arms=1) == pytest.approx(0, abs=1e-12)
    # Arms share the luck of the reference: given it, the variance is changed * a (1 - a) (2 - changed).
    sd = np.sqrt(0.1 * 0.25 * 1.9 / 10_000)
    assert null_optimism(10_000, arms=2, changed=0.1, accuracy=0.5) == pytest.approx(sd / np.sqrt(np.pi), rel=0.01)


def test_tiny_dev_sets_and_faults():
    # One item, one arm of two decides anew: +1 if it was wrong and any arm mends it, -1 if it was right and all break it.
    mend, spoil = 0.5 * 0.5, 0.5 * 0.5
    assert null_optimism(1, arms=2, changed=0.5, accuracy=0.5) == pytest.approx(0.5 * (1 - (1 - mend) ** 2) - 0.5 * spoil**2)
    with pytest.raises(ParameterError, match="items: expected 1 or more, got 0"):
        null_optimism(0)
    with pytest.raises(ParameterError, match=r"null_optimism\.changed"):
        null_optimism(10, changed=1.5)


def test_a_choice_among_useless_arms_keeps_nothing_on_test():
    rng = np.random.default_rng(0)
    dev, test = rng.normal(0, 0.02, (40, 12)), rng.normal(0, 0.002, (40, 12))
    found = winners_curse(dev, test)
    assert found.dev.mean == pytest.approx(1.629 * 0.02, rel=0.15)  # the expected largest of twelve normal values
    assert found.dev.sign == found.optimism.sign == 1
    assert found.test.sign == 0
    assert sum(found.chosen) == 40
    assert max(found.chosen) < 12


def test_a_clear_winner_is_chosen_every_time_and_keeps_its_gain():
    rng = np.random.default_rng(0)
    truth = np.array([0.0, 0.05, 0.01])
    found = winners_curse(truth + rng.normal(0, 0.005, (10, 3)), truth + rng.normal(0, 0.005, (10, 3)))
    assert found.chosen == (0, 10, 0)
    assert found.test.mean == pytest.approx(0.05, abs=0.005)
    assert found.optimism.sign == 0


def test_shapes_must_agree():
    with pytest.raises(DataError, match=r"test: expected scores of shape \(2, 3\)"):
        winners_curse(np.zeros((2, 3)), np.zeros((3, 2)))
