"""Transfer: rank correlations against scipy, regret by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from vicinal.core.errors import DataError
from vicinal.lab.statistics import transfer
from vicinal.lab.statistics.across import _measures


@pytest.mark.parametrize("ties", [False, True])
def test_correlations_are_scipys(ties):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 20, 7)).round(0 if ties else 9)
    kendall, spearman, _ = _measures(a, b)
    assert kendall == pytest.approx([stats.kendalltau(x, y).statistic for x, y in zip(a, b, strict=True)])
    assert spearman == pytest.approx([stats.spearmanr(x, y).statistic for x, y in zip(a, b, strict=True)])


def effects(means: list[float], seeds: int, seed: int, sd: float = 0.002) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: mean + rng.normal(0, sd, seeds) for name, mean in zip("abcdef", means, strict=False)}


def test_effects_that_carry_over():
    means = [0.05, 0.03, 0.01, -0.02, -0.05]
    found = transfer(effects(means, 8, 0), effects(means, 5, 1))
    assert (found.best, found.chosen, found.regret.mean) == ("a", "a", 0)
    assert (found.kendall.mean, found.spearman.mean) == pytest.approx((1, 1))
    assert found.kendall.low > 0.5
    assert found.regret.high == 0


def test_effects_that_turn_round():
    means = [0.05, 0.03, 0.01, -0.02, -0.05]
    found = transfer(effects(means, 8, 0), effects(means[::-1], 8, 1))
    assert (found.best, found.chosen) == ("e", "a")
    assert found.kendall.mean == pytest.approx(-1)
    assert found.regret.mean == pytest.approx(0.1, abs=0.01)
    assert found.regret.low > 0.08


def test_noise_has_wide_intervals_and_one_seed_none():
    there, here = effects([0.0] * 5, 6, 0), effects([0.0] * 5, 6, 1)
    found = transfer(there, here)
    assert found.kendall.sign == found.spearman.sign == 0
    lone = transfer({name: values[:1] for name, values in there.items()}, here)
    assert lone.kendall.low is lone.regret.high is None


def test_arms_are_matched_by_name_whatever_their_order():
    there, here = effects([0.3, 0.2, 0.1], 4, 0), effects([0.3, 0.1, 0.2], 4, 1)
    assert transfer(there, dict(reversed(here.items()))) == transfer(there, here)


def test_all_ties_are_no_order():
    flat = {name: [0.0, 0.0] for name in "abc"}
    assert transfer(flat, effects([0.1, 0.2, 0.3], 2, 0)).kendall.mean == 0


def test_faults_are_named():
    three = effects([0.1, 0.2, 0.3], 3, 0)
    with pytest.raises(DataError, match="the same arms on both data sets, three or more"):
        transfer(three, effects([0.1, 0.2], 3, 0))
    with pytest.raises(DataError, match="there 'b': expected 3 scores"):
        transfer(three | {"b": [0.1]}, three)
