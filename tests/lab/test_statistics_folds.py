"""The corrected t-test against scipy, by hand, and on cross-validations of learners that are equally good."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from vicinal.core.errors import DataError, ParameterError
from vicinal.lab.statistics import corrected_t

VALUES = np.random.default_rng(0).normal(0.01, 0.02, (3, 10))


def test_without_overlap_it_is_the_paired_t_test():
    plain, found = stats.ttest_1samp(VALUES[0], 0), corrected_t(VALUES[0], ratio=0)
    ends = plain.confidence_interval(0.95)
    assert (found.t, found.p, found.low, found.high) == pytest.approx((plain.statistic, plain.pvalue, ends.low, ends.high))


def test_the_correction_by_hand():
    values = VALUES.ravel()
    expected = values.mean() / math.sqrt((1 / 30 + 1 / 9) * values.var(ddof=1))
    found = corrected_t(VALUES)
    assert found.t == pytest.approx(expected)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(expected), 29))
    assert found == corrected_t(values, ratio=1 / 9)
    assert (found.low > 0) == (found.p < 0.05)


def test_more_repetitions_do_not_buy_significance_without_end():
    ratios = [corrected_t(np.tile(VALUES, (times, 1))).t / corrected_t(np.tile(VALUES, (times, 1)), ratio=0).t for times in (1, 10, 100)]
    assert ratios == sorted(ratios, reverse=True)
    assert corrected_t(np.tile(VALUES, (1000, 1))).t == pytest.approx(3 * VALUES.mean() / VALUES.std(), rel=0.01)


def test_identical_folds():
    assert (corrected_t([0.1] * 5).t, corrected_t([0.1] * 5).p) == (math.inf, 0)
    assert (corrected_t([0.0] * 5).t, corrected_t([0.0] * 5).p) == (0, 1)


def test_faults_are_named():
    with pytest.raises(DataError, match="two folds or more, got shape"):
        corrected_t([0.1])
    with pytest.raises(ParameterError, match="n_test / n_train"):
        corrected_t([0.1, 0.2], ratio=-1)
    with pytest.raises(DataError, match="finite scores"):
        corrected_t([0.1, np.nan, 0.3])
