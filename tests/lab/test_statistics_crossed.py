"""Seeds and items at once: against the brute-force bootstrap, against closed forms, and by coverage."""

from __future__ import annotations

import numpy as np
import pytest

from vicinal.core.errors import DataError, ParameterError
from vicinal.lab.statistics import hierarchical
from vicinal.lab.statistics.crossed import _draws
from vicinal.lab.statistics.intervals import multiplicities, percentiles


def study(rng: np.random.Generator, seeds: int, items: int, of_seeds: float, of_items: float, noise: float = 1.0) -> np.ndarray:
    """(S, N) differences with mean 0 and known standard deviations of seeds, items and noise."""
    shape = (seeds, items)
    return rng.normal(0, of_seeds, (seeds, 1)) + rng.normal(0, of_items, (1, items)) + rng.normal(0, noise, shape)


def test_draws_are_means_of_resampled_rows_and_columns():
    values = np.random.default_rng(0).normal(size=(4, 7))
    fast = _draws(values, 50, np.random.default_rng(1))
    rng = np.random.default_rng(1)
    rows, columns = multiplicities(rng, 50, 4), multiplicities(rng, 50, 7)
    slow = [np.repeat(np.repeat(values, r, axis=0), c, axis=1).mean() for r, c in zip(rows, columns, strict=True)]
    assert fast == pytest.approx(np.array(slow))


def test_multiplicities_are_those_of_draws_with_replacement():
    drawn = multiplicities(np.random.default_rng(0), 20_000, 5)
    assert (drawn.sum(1) == 5).all()
    assert drawn.mean(0) == pytest.approx(np.ones(5), abs=0.03)
    assert drawn.var(0) == pytest.approx(np.full(5, 0.8), abs=0.03)


def test_blocks_change_nothing_but_memory(monkeypatch):
    monkeypatch.setattr("vicinal.lab.statistics.crossed.BLOCK", 7 * 60)
    values = study(np.random.default_rng(0), 6, 60, 1, 1)
    assert len(_draws(values, 50, np.random.default_rng(0))) == 50
    monkeypatch.setattr("vicinal.lab.statistics.crossed.BLOCK", 1)
    assert len(_draws(values, 5, np.random.default_rng(0))) == 5


@pytest.mark.parametrize(("of_seeds", "of_items", "noise"), [(0.2, 0.0, 0.3), (0.0, 0.0, 1.0), (0.1, 1.0, 0.5)])
def test_the_interval_holds_the_truth_as_often_as_it_says(of_seeds, of_items, noise):
    rng = np.random.default_rng(0)
    found = [hierarchical(np.zeros((10, 60)), study(rng, 10, 60, of_seeds, of_items, noise), resamples=500) for _ in range(300)]
    assert 0.92 <= np.mean([estimate.low <= 0 <= estimate.high for estimate in found]) <= 0.99


def test_seeds_alone_are_not_enough_where_items_differ():
    """With few items that all seeds share, the interval over seeds alone misses the truth most of the time."""
    rng = np.random.default_rng(1)
    studies = [study(rng, 10, 60, 0.02, 1.0, 0.3) for _ in range(200)]
    means = [values.mean(1) for values in studies]
    narrow = [abs(m.mean()) < 2.26 * m.std(ddof=1) / np.sqrt(10) for m in means]
    assert np.mean(narrow) < 0.6


def test_errors_are_the_components_of_variance():
    rng = np.random.default_rng(0)
    found = [hierarchical(np.zeros((20, 100)), study(rng, 20, 100, 0.5, 2.0), resamples=2) for _ in range(200)]
    assert np.mean([f.se_seeds**2 for f in found]) == pytest.approx(0.25 / 20, rel=0.1)
    assert np.mean([f.se_items**2 for f in found]) == pytest.approx(4 / 100, rel=0.1)
    assert np.mean([f.se_noise**2 for f in found]) == pytest.approx(1 / 2000, rel=0.1)


def test_right_and_wrong_answers_are_taken_as_they_come():
    rng = np.random.default_rng(0)
    base, arm = rng.random((8, 200)) < 0.8, rng.random((8, 200)) < 0.9
    found = hierarchical(base, arm)
    assert found.mean == pytest.approx(arm.mean() - base.mean())
    assert 0 < found.low < found.mean < found.high
    assert hierarchical(base, base).low == hierarchical(base, base).high == 0
    assert hierarchical(base, arm) == found


def test_no_resamples_are_no_bootstrap():
    with pytest.raises(ParameterError, match="resamples: expected 1 or more, got 0"):
        hierarchical(np.zeros((2, 3)), np.zeros((2, 3)), resamples=0)


def test_one_seed_has_no_interval_and_bad_shapes_are_named():
    assert hierarchical(np.zeros((1, 9)), np.ones((1, 9))).low is None
    with pytest.raises(DataError, match=r"arm: expected scores of shape \(2, 3\), got shape \(2, 4\)"):
        hierarchical(np.zeros((2, 3)), np.zeros((2, 4)))
    with pytest.raises(DataError, match=r"reference: expected finite scores, got nan at \(0, 1\)"):
        hierarchical([[0.0, np.nan]], [[0.0, 0.0]])


@pytest.mark.parametrize("seeds", [5, 10, 30])
def test_expanded_percentiles_are_students_interval_for_normal_means(seeds):
    values = np.random.default_rng(seeds).normal(size=seeds)
    draws = multiplicities(np.random.default_rng(0), 20_000, seeds) @ values / seeds
    low, high = percentiles(draws, 0.9, seeds)
    half = {5: 2.132, 10: 1.833, 30: 1.699}[seeds] * values.std(ddof=1) / np.sqrt(seeds)
    assert (high - low) / 2 == pytest.approx(half, rel=0.1)
