"""Readings of a study: curves, sign maps, interactions, what controls explain, claims."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from vicinal.core.errors import DataError, ParameterError
from vicinal.lab.statistics import Axis, Estimate, claim_verdict, curve_verdict, explained, interaction, interval, sign_flip_p, sign_map

MARKS = np.linspace(0, 1, 20)


def seeded(curve: np.ndarray, seeds: int = 6, sd: float = 0.004, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return curve[:, None] + rng.normal(0, sd, seeds) + rng.normal(0, sd, (len(curve), seeds))


# curves

RISEN = 1 - np.exp(-MARKS * 12)


@pytest.mark.parametrize(
    ("train", "dev", "verdict"),
    [
        (0.99 * RISEN, 0.85 * RISEN, "overfit"),  # a wide gap
        (0.97 * RISEN, 0.96 * RISEN - 0.10 * np.clip(MARKS - 0.5, 0, 1), "overfit"),  # dev falls
        (0.75 * RISEN, 0.73 * RISEN, "underfit"),
        (0.985 * RISEN, 0.96 * RISEN, "fit"),
        (0.5 + 0.4 * MARKS, 0.48 + 0.38 * MARKS, "still improving"),
        (np.minimum(1, 0.6 + MARKS), 0.5 + 0.2 * MARKS, "still improving"),  # the gap is wide, but more training helps
    ],
)
def test_curves_of_every_kind(train, dev, verdict):
    assert curve_verdict(seeded(train), seeded(dev, seed=1)).verdict == verdict
    assert curve_verdict(train[:, None], dev[:, None]).verdict == verdict, "one seed: the means decide"


def test_noise_alone_is_neither_a_fall_nor_a_rise():
    flat = [curve_verdict(seeded(np.full(20, 0.97), sd=0.02, seed=s), seeded(np.full(20, 0.96), sd=0.02, seed=99 + s)) for s in range(200)]
    assert np.mean([found.verdict == "fit" for found in flat]) >= 0.9


def test_the_figures_behind_a_curve_verdict():
    found = curve_verdict(np.full((8, 3), 0.9), np.repeat([0.5, 0.7, 0.8, 0.6], 2)[:, None] + np.zeros(3))
    assert (found.verdict, found.gap.mean, found.rise.mean, found.fall.mean) == ("overfit", *map(pytest.approx, (0.3, -0.2, 0.2)))
    with pytest.raises(DataError, match="at least 4 marks, got 3"):
        curve_verdict(np.zeros((3, 2)), np.zeros((3, 2)))


# sign maps


def grid(means: list[list[float]], seeds: int = 12, sd: float = 0.005) -> np.ndarray:
    return np.array(means)[..., None] + np.random.default_rng(0).normal(0, sd, (*np.shape(means), seeds))


STEPS = Axis("steps", [500, 1500, 4000])


def test_signs_flip_with_budget():
    found = sign_map(grid([[0.10, 0.05, -0.03], [0.06, 0.0, -0.04]]), Axis("labels", [500, 2000]), STEPS)
    assert found.signs == [[1, 1, -1], [1, 0, -1]]
    assert (found.best, found.worst) == ((500, 500), (2000, 4000))
    assert found.sentence == (
        "500 labels: helps up to 1,500 steps, hurts from 4,000 steps; 2,000 labels: helps up to 500 steps, hurts from 4,000 steps"
    )


@pytest.mark.parametrize(
    ("means", "sentence"),
    [
        ([0.1, 0.1, 0.1], "helps everywhere from 500 to 4,000 steps"),
        ([0.0, 0.0, 0.0], "no evidence anywhere"),
        ([0.0, 0.1, 0.0], "helps at 1,500 steps"),
        ([0.0, -0.1, -0.1], "hurts from 1,500 steps"),
    ],
)
def test_sentences(means, sentence):
    assert sign_map(grid([means, means]), Axis("labels", [500, 2000]), STEPS).sentence == sentence


def test_one_cell_and_a_middle_stretch():
    assert sign_map(grid([[0.1]]), Axis("labels", [5]), Axis("steps", [500])).sentence == "helps at 500 steps"
    large = sign_map(grid([[0.1, 0.1, 0]]), Axis("labels", [5]), Axis("steps", [1_000_000, 2_000_001, 3_000_000]))
    assert large.sentence == "helps up to 2,000,001 steps"
    five = Axis("sigma", [0, 0.05, 0.1, 0.2, 0.4])
    assert sign_map(grid([[0, 0.1, 0.1, 0, 0]]), Axis("labels", [5]), five).sentence == "helps from 0.05 to 0.1 sigma"


def test_cells_are_one_family():
    found = sign_map(grid([[0.1] * 3] * 2), Axis("labels", [1, 2]), STEPS)
    assert {cell.difference.p_adjusted for row in found.cells for cell in row} == {6 * 2 / 2**12}
    few = sign_map(grid([[0.1] * 3] * 4, seeds=6), Axis("labels", [1, 2, 3, 4]), STEPS)
    assert few.sentence == "no evidence anywhere", "six seeds cannot settle twelve cells"


def test_cells_may_have_their_own_seeds():
    cells = grid([[0.1, 0.1, 0.1]])[0]
    found = sign_map([[cells[0], cells[1][:9], cells[2][:2]]], Axis("labels", [1]), STEPS)
    assert found.signs == [[1, 1, 0]]
    assert found.cells[0][1].difference.p == 2 / 2**9
    with pytest.raises(DataError, match="arm '1 labels, 1,500 steps': expected finite scores"):
        sign_map([[cells[0], [0.1, np.nan], cells[2]]], Axis("labels", [1]), STEPS)


def test_axes_must_fit():
    with pytest.raises(DataError, match="axis 'steps': expected rising values"):
        sign_map(np.zeros((1, 2, 5)), Axis("labels", [1]), Axis("steps", [500, 500]))
    with pytest.raises(DataError, match="2 rows of 3 columns, as the axes have"):
        sign_map(np.zeros((3, 2, 5)), Axis("labels", [1, 2]), STEPS)


def test_interaction_is_the_paired_test_of_the_difference_of_differences():
    rng = np.random.default_rng(0)
    early, late = rng.normal(0.099, 0.05, 8), rng.normal(-0.033, 0.013, 8)
    found = interaction(early, late)
    assert (found.low, found.high) == pytest.approx(interval(early - late))
    assert found.p == found.p_adjusted == sign_flip_p(early - late)
    assert interaction(early, early).p == 1


# what controls explain


def test_all_half_and_none_of_a_gain():
    naive = np.random.default_rng(0).normal(0.16, 0.02, 10)
    found = explained(naive, duplicate=naive / 2, step_matched=naive)
    assert (found.step_matched.mean, found.step_matched.low, found.step_matched.high) == pytest.approx((1, 1, 1), abs=1e-6)
    assert (found.duplicate.mean, found.duplicate.low, found.duplicate.high) == pytest.approx((0.5, 0.5, 0.5), abs=1e-6)
    none = explained(naive, step_matched=np.random.default_rng(1).normal(0, 0.01, 10)).step_matched
    assert none.sign == 0
    assert found.gain.mean == pytest.approx(naive.mean())


def test_the_ends_are_where_a_t_test_turns():
    rng = np.random.default_rng(2)
    naive, control = rng.normal(0.05, 0.02, 9), rng.normal(0.03, 0.02, 9)
    found = explained(naive, control).duplicate
    for end in (found.low, found.high):
        assert stats.ttest_1samp(control - end * naive, 0).pvalue == pytest.approx(0.05)


def test_where_there_is_no_gain_nothing_is_explained():
    noise = np.random.default_rng(0).normal(0.002, 0.02, 8)
    assert explained(-np.abs(noise), noise).duplicate is None
    unclear = explained(np.array([0.03, -0.02, 0.02, -0.01]), np.array([0.01, 0.0, 0.01, 0.0])).duplicate
    assert unclear.low is unclear.high is None
    assert explained([0.1], [0.05]).duplicate == Estimate(0.5, None, None)
    assert explained([0.1, 0.2]).duplicate is None


# claims


@pytest.mark.parametrize(
    ("measured", "claimed", "verdict"),
    [
        ((4, 8), (5, 9), "reproduced"),
        ((10, 12), (5, 9), "reproduced"),
        ((1, 3), (5, 9), "weaker"),
        ((-1, 1), (5, 9), "weaker"),
        ((-1, 6), (5, 9), "cannot tell"),
        ((-5, -1), (5, 9), "opposite"),
        ((1, 3), (1,), "reproduced"),
        ((-1, 3), (1,), "cannot tell"),
        ((-3, -1), (1,), "opposite"),
        ((-1, 2), (-3, 3), "reproduced"),
        ((-1, 4), (-3, 3), "cannot tell"),
        ((4, 5), (-3, 3), "opposite"),
        ((0.5, 1.2), (1.16, 1.16), "reproduced"),
        ((4, 6), (4, math.inf), "reproduced"),
    ],
)
def test_claims_and_their_mirror_images(measured, claimed, verdict):
    low, high = measured
    assert claim_verdict(Estimate((low + high) / 2, low, high), *claimed) == verdict
    mirrored = (-claimed[0],) if len(claimed) == 1 else (-claimed[1], -claimed[0])
    assert claim_verdict(Estimate(-(low + high) / 2, -high, -low), *mirrored) == verdict


def test_without_an_interval_nothing_can_be_told():
    assert claim_verdict(Estimate(0.1, None, None), 1) == "cannot tell"
    with pytest.raises(ParameterError, match="a sign, 1 or -1"):
        claim_verdict(Estimate(0.1, 0, 1), 0.05)
    with pytest.raises(ParameterError, match="low <= high"):
        claim_verdict(Estimate(0.1, 0, 1), 2, 1)
