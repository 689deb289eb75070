"""Exchange rates of curves whose inverse is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from vicinal.core.errors import DataError
from vicinal.lab.statistics import Exchange, exchange_rate

SIZES = (100, 250, 500, 1000, 2000, 4000)


def curves(seeds: int = 6, times: float = 4.0, noise: float = 0.003, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A reference that is linear in log N and an arm that is worth ``times`` as many labels, with paired luck."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(0, 0.01, (seeds, len(SIZES)))
    base = 0.6 + 0.1 * np.log10(SIZES) + shared
    return base + rng.normal(0, noise, shared.shape), base + 0.1 * math.log10(times) + rng.normal(0, noise, shared.shape)


def test_the_rate_is_found_with_an_interval_that_holds_it():
    inside = []
    for seed in range(40):
        rates = exchange_rate(SIZES, *curves(seed=seed), resamples=400)
        inside.append(rates[1].low <= 4 <= rates[1].high)
    assert np.mean(inside) >= 0.9
    assert rates[1].times == pytest.approx(4, rel=0.3)


def test_without_noise_the_rate_is_exact():
    base, arm = curves(noise=0, times=2.0)
    rates = exchange_rate(SIZES, base - base + base.mean(0), arm - arm + arm.mean(0), resamples=50)
    curve = base.mean(0)
    for rate, score in zip(rates[:-1], arm.mean(0), strict=False):
        reached = np.exp(np.interp(score, curve, np.log(SIZES)))
        assert rate.times == pytest.approx(reached / rate.size)
        assert (rate.low, rate.high) == pytest.approx((rate.times, rate.times))


def test_beyond_the_measured_sizes_nothing_is_made_up():
    rates = exchange_rate(SIZES, *curves(times=10.0))
    assert math.isinf(rates[-1].times)
    assert rates[-1].words == "more than 1x labels (beyond the measured sizes)"
    assert (rates[3].least, rates[3].most) == (0.1, 4)
    assert rates[3].words.startswith("more than 4x labels (beyond the measured sizes")
    assert math.isfinite(rates[0].times)


def test_an_arm_that_hurts_is_worth_nothing():
    assert {rate.words for rate in exchange_rate(SIZES, *curves(times=0.2))} == {"none"}
    assert exchange_rate(SIZES, *curves(times=0.2))[0].times == 0


def test_the_interval_may_end_beyond_the_measured_sizes():
    base = np.array([[0.7, 0.8, 0.9], [0.7, 0.8, 0.9], [0.7, 0.8, 0.9], [0.7, 0.8, 0.9]])
    arm = base + np.array([[0.12], [0.05], [0.08], [0.13]])
    rate = exchange_rate([100, 200, 400], base, arm)[1]
    assert math.isfinite(rate.times)
    assert math.isinf(rate.high)
    assert rate.words.endswith("more than 2x]")
    assert Exchange(200, 1.2, 0.0, 1.9, 0.5, 2.0).words == "1.2x labels [less than 0.5x, 1.9x]"


def test_a_dip_of_the_reference_is_smoothed_and_a_plateau_read_at_its_start():
    base = np.array([[0.70, 0.80, 0.78, 0.90]])  # isotonic: 0.70, 0.79, 0.79, 0.90
    rate = exchange_rate([100, 200, 400, 800], base, np.full((1, 4), 0.79))[0]
    assert (rate.times, rate.low, rate.words) == (pytest.approx(2), None, "2.0x labels")


def test_faults_are_named():
    with pytest.raises(DataError, match="3 rising numbers of labels"):
        exchange_rate([100, 100, 200], np.zeros((2, 3)), np.zeros((2, 3)))
    with pytest.raises(DataError, match=r"arm: expected scores of shape \(2, 3\)"):
        exchange_rate([100, 200, 400], np.zeros((2, 3)), np.zeros((2, 2)))
