"""Paired statistics: against scipy, against hand-computed values, and on data where nothing is to be found."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vicinal.core.errors import DataError, ParameterError
from vicinal.lab.statistics import (
    compare,
    detection_power,
    fewest_seeds,
    holm,
    identical_scores,
    interval,
    intervals,
    seeds_needed,
    seeds_to_settle,
    sign_flip_p,
)

differences = st.lists(st.floats(-0.2, 0.2).map(lambda x: round(x, 4)), min_size=2, max_size=10)


def draws(count: int, mean: float = 0.01, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 0.01, count)


# intervals


@pytest.mark.parametrize("count", [2, 5, 10, 40])
def test_t_interval_is_scipys(count):
    values = draws(count)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert interval(values, 0.9) == pytest.approx((expected.low, expected.high))


def test_bca_interval_is_scipys_and_reproducible():
    values = draws(12) ** 2
    expected = stats.bootstrap((values,), np.mean, method="BCa", rng=np.random.default_rng(0)).confidence_interval
    assert interval(values, method="bca") == (expected.low, expected.high) == interval(values, method="bca")


def test_bca_leans_towards_the_long_tail_of_skewed_differences():
    values = np.random.default_rng(3).exponential(0.01, 30)
    low, high = interval(values, method="bca")
    assert high - values.mean() > values.mean() - low


@pytest.mark.parametrize("method", ["t", "bca"])
def test_degenerate_samples_have_plain_intervals(method):
    assert interval([0.0, 0.0, 0.0], method=method) == (0.0, 0.0)
    assert interval([0.02] * 4, method=method) == (0.02, 0.02)
    assert all(math.isnan(end) for end in interval([0.02], method=method))
    assert all(math.isfinite(end) for end in interval([0.02, 0.03], method=method))


def test_bca_falls_back_to_t_where_it_is_undefined(monkeypatch):
    monkeypatch.setattr(intervals, "_bca", lambda values, level: (math.nan, math.nan))
    assert interval(draws(6), method="bca") == interval(draws(6), method="t")


def test_interval_refuses_what_it_does_not_know():
    with pytest.raises(ParameterError, match="'t' or 'bca'"):
        interval([0.1, 0.2], method="percentile")
    with pytest.raises(ParameterError, match=r"interval.level: expected a number in \(0, 1\), got 95"):
        interval([0.1, 0.2], level=95)


def test_t_interval_covers_as_often_as_it_says():
    inside = [low <= 0.01 <= high for low, high in (interval(draws(8, seed=seed)) for seed in range(1000))]
    assert 0.93 <= np.mean(inside) <= 0.97


# sign flips


@settings(max_examples=50, deadline=None)
@given(differences)
def test_sign_flip_p_is_scipys_permutation_test(values):
    expected = stats.permutation_test((np.array(values),), np.sum, permutation_type="samples", n_resamples=np.inf).pvalue
    assert sign_flip_p(values) == pytest.approx(expected)


@pytest.mark.parametrize("count", range(1, 17))
def test_smallest_exact_p(count):
    assert sign_flip_p(np.linspace(0.01, 0.02, count)) == 2 / 2**count
    assert sign_flip_p(np.full(count, -0.01)) == 2 / 2**count


def test_monte_carlo_p_is_near_the_exact_one_and_never_zero():
    values = draws(17, mean=0.004)
    exact = stats.permutation_test((values,), np.sum, permutation_type="samples", n_resamples=np.inf).pvalue
    assert sign_flip_p(values) == pytest.approx(exact, abs=4 * math.sqrt(exact / intervals.RESAMPLES))
    assert sign_flip_p(np.full(40, 0.01)) == 1 / (intervals.RESAMPLES + 1)


def test_zero_differences_have_p_one():
    assert sign_flip_p(np.zeros(10)) == sign_flip_p(np.zeros(30)) == sign_flip_p([0.3]) == 1


def test_rounding_does_not_break_ties():
    # 0.3 - 0.1 and 0.2 differ in the last bit: both patterns of equal sum must count.
    assert sign_flip_p([0.3 - 0.1, -0.2, 0.1]) == 1.0


# Holm


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_is_monotone_clipped_and_between_raw_and_bonferroni(ps):
    adjusted = np.array(holm(ps))
    raw, bonferroni = np.array(ps), np.minimum(np.array(ps) * len(ps), 1)
    assert (np.diff(adjusted[np.argsort(raw, kind="stable")]) >= 0).all()
    assert (raw <= adjusted).all()
    assert (adjusted <= bonferroni).all()
    assert adjusted[raw.argmin()] == bonferroni[raw.argmin()]


# power


TABLE = {0.5: (24, 10, 5, 3), 1.0: (90, 34, 10, 5), 1.5: (199, 73, 20, 7)}  # paired t, power 0.8, alpha 0.05


@pytest.mark.parametrize("sd", TABLE)
def test_power_table(sd):
    planned = [seeds_needed(mean / 100, sd / 100) for mean in (0.3, 0.5, 1, 2)]
    assert np.abs(np.subtract(planned, TABLE[sd])).max() <= 1


@pytest.mark.parametrize(("effect", "alpha"), [(0.2, 0.05), (0.7, 0.05), (0.7, 0.005), (3, 0.05)])
def test_the_planned_number_is_the_smallest(effect, alpha):
    planned = seeds_needed(-effect, 1, alpha)
    assert detection_power(planned, effect, alpha) >= 0.8
    assert planned == 2 or detection_power(planned - 1, effect, alpha) < 0.8


def test_power_agrees_with_simulation():
    samples = np.random.default_rng(0).normal(0.8, 1, (20_000, 10))
    share = (stats.ttest_1samp(samples, 0, axis=1).pvalue < 0.05).mean()
    assert detection_power(10, 0.8) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize(("seeds", "effect", "alpha"), [(5, 5.0, 0.004), (5, 5.0, 0.0005), (9, 2.0, 0.0005), (60, 5.0, 0.05)])
def test_power_is_a_number_where_the_distributions_of_scipy_give_none(seeds, effect, alpha):
    """By integration over the chance of the standard deviation."""
    critical, shift = stats.t.ppf(1 - alpha / 2, seeds - 1), effect * math.sqrt(seeds)
    found = stats.chi2(seeds - 1).expect(lambda v: stats.norm.sf(critical * np.sqrt(v / (seeds - 1)) - shift))
    assert detection_power(seeds, effect, alpha) == pytest.approx(found, abs=1e-6)


def test_extreme_effects_have_plain_answers():
    assert seeds_needed(0.0, 0.01) is None
    assert seeds_needed(0.0001, 0.01) is None
    assert seeds_needed(1e6, 1e-6) == seeds_needed(1.0, 0.0) == 3


def test_no_number_of_seeds_below_the_floor_is_promised():
    assert [fewest_seeds(arms=arms) for arms in (1, 2, 3, 12)] == [6, 7, 7, 9]
    assert seeds_to_settle([0.05, 0.05, 0.05]) == 6
    assert seeds_to_settle([0.05, 0.05, 0.05], arms=12) == 9
    assert seeds_to_settle([0.05], arms=12) == 9
    assert seeds_to_settle(np.zeros(5)) is None


def test_more_arms_need_more_seeds():
    values = draws(8, mean=0.005)
    assert seeds_to_settle(values, arms=12) > seeds_to_settle(values) >= 6


# verdicts


def test_verdicts_of_clear_cases():
    base = draws(9, mean=0.8)
    arms = {"up": base + draws(9, 0.05, 1), "down": base - draws(9, 0.05, 2), "noise": base + draws(9, 0.0, 3), "same": base}
    found = compare(base, arms)
    assert [found[name].verdict for name in arms] == ["helps", "hurts", "no evidence", "no evidence"]
    assert found["up"].difference.mean == pytest.approx((arms["up"] - base).mean())
    assert found["up"].difference.p_adjusted == pytest.approx(4 * 2 / 2**9)
    same = found["same"].difference
    assert (same.mean, same.low, same.high, same.p, same.p_adjusted) == (0, 0, 0, 1, 1)
    assert found["same"].seeds_needed is None


def test_one_and_two_seeds_are_no_evidence():
    one = compare([0.8], {"arm": [0.9]})["arm"]
    assert (one.difference.low, one.difference.high, one.difference.p) == (None, None, 1)
    assert (one.verdict, one.seeds_needed) == ("no evidence", 6)
    assert compare([0.8, 0.7], {"arm": [0.9, 0.8]})["arm"].verdict == "no evidence"


def test_a_small_p_alone_is_not_enough():
    # One seed far above the others: the signs agree, the interval does not.
    base, arm = np.zeros(6), np.array([0.001, 0.001, 0.001, 0.001, 0.001, 0.2])
    found = compare(base, {"arm": arm})["arm"]
    assert found.difference.p < 0.05
    assert found.difference.low < 0
    assert found.verdict == "no evidence"


def test_constant_differences_are_settled_by_their_signs():
    base = np.arange(8) / 8
    for method in ("t", "bca"):
        assert compare(base, {"arm": base + 0.125}, method=method)["arm"].verdict == "helps"


def test_verdicts_turn_with_the_sign():
    base, arm = draws(10, 0.8), draws(10, 0.83, 1)
    forth, back = compare(base, {"arm": arm})["arm"], compare(arm, {"arm": base})["arm"]
    assert (forth.verdict, back.verdict) == ("helps", "hurts")
    assert forth.difference.low == pytest.approx(-back.difference.high)


@pytest.mark.parametrize("faulty", [np.nan, np.inf])
def test_scores_that_are_not_finite_are_named(faulty):
    with pytest.raises(DataError, match=r"arm 'shift': expected finite scores, got (nan|inf) at position 1"):
        compare([0.8, 0.8, 0.8], {"none": [0.8, 0.8, 0.8], "shift": [0.8, faulty, 0.8]})


def test_other_faults_are_named():
    with pytest.raises(DataError, match=r"arm 'shift': expected 3 scores, one a seed"):
        compare([0.8, 0.8, 0.8], {"shift": [0.8, 0.8]})
    with pytest.raises(ParameterError, match=r"compare.alpha"):
        compare([0.8, 0.8], {"shift": [0.8, 0.8]}, alpha=5)
    with pytest.raises(DataError, match="reference"):
        compare([], {})


def test_unused_seeds_are_noticed():
    scores = {"a": [0.5, 0.5, 0.5], "b": [0.5, 0.5, 0.6], "single": [0.5]}
    (sentence,) = identical_scores(scores)
    assert sentence.startswith("arm 'a': all 3 seeds scored exactly 0.5")


def test_useless_arms_are_rarely_called_useful():
    """Twelve arms that do nothing, nine seeds: at most 5 % of the studies find something (7 % here, for 200 studies)."""
    rng = np.random.default_rng(0)
    wrong, uncorrected = 0, 0
    for _ in range(200):
        base = rng.normal(0.85, 0.02, 9)
        arms = {str(arm): base + noise for arm, noise in enumerate(rng.normal(0, 0.01, (12, 9)))}
        found = compare(base, arms).values()
        wrong += any(comparison.verdict != "no evidence" for comparison in found)
        uncorrected += any(comparison.difference.p < 0.05 for comparison in found)
    assert wrong / 200 <= 0.07
    assert uncorrected / 200 >= 0.3, "without the correction the simulation must go wrong, or it tests nothing"
