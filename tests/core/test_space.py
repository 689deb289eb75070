"""Spaces against SciPy's quantile functions; every form and every error."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

import vicinal as v
from vicinal.core.draw import Address, Draw
from vicinal.core.space import Beta, Choice, Fixed, LogRange, Normal, Range, Sign, pick, space
from vicinal.core.special import beta_quantile, normal_quantile

U = np.concatenate([[2.0**-33, 1e-6], np.linspace(0.001, 0.999, 333), [1 - 1e-6, 1 - 2.0**-33]])


def test_normal_quantile_agrees_with_scipy():
    assert normal_quantile(U) == pytest.approx(stats.norm.ppf(U), rel=2e-9, abs=1e-12)


@pytest.mark.parametrize(("a", "b"), [(0.2, 0.2), (0.2, 5), (0.5, 1), (1, 1), (1, 3), (2, 5), (8, 0.4), (30, 20)])
def test_beta_quantile_agrees_with_scipy(a, b):
    assert beta_quantile(U, a, b) == pytest.approx(stats.beta.ppf(U, a, b), abs=1e-8)


LAWS = [
    (Range(-2, 5), stats.uniform(-2, 7)),
    (LogRange(0.25, 8), stats.loguniform(0.25, 8)),
    (Normal(1, 0.5), stats.truncnorm(-4, 4, 1, 0.5)),
    (Beta(0.2, 0.2), stats.beta(0.2, 0.2)),
    (Beta(2, 3, -1, 1), stats.beta(2, 3, -1, 2)),
]


@pytest.mark.parametrize(("held", "law"), LAWS, ids=lambda x: type(x).__name__)
def test_a_space_is_its_law(held, law):
    assert held.at(U) == pytest.approx(law.ppf(U), abs=1e-7)
    drawn = held.at(Draw(Address.of(1, index=range(5000))).unit("x"))
    assert stats.kstest(drawn, law.cdf).pvalue > 1e-3
    assert held.ends()[0] <= drawn.min() <= drawn.max() <= held.ends()[1]


@pytest.mark.parametrize(("low", "high", "about"), [(0, 1, 0), (0.2, 0.9, 1), (3, 5, -2)])
def test_a_signed_magnitude_is_two_ranges_equally_likely(low, high, about):
    def law(x):
        right = stats.uniform(low, high - low).cdf
        return 0.5 * (1 - right(about - x)) + 0.5 * right(x - about)

    drawn = Sign(low, high, about).at(Draw(Address.of(1, index=range(5000))).unit("x"))
    assert stats.kstest(drawn, law).pvalue > 1e-3
    assert (np.diff(Sign(low, high, about).at(U)) >= 0).all()
    assert (np.abs(drawn - about) >= low - 1e-12).all()


def test_a_fixed_magnitude_has_both_signs_equally_often():
    drawn = Sign(30, 30).at(Draw(Address.of(2, index=range(5000))).unit("x"))
    assert set(drawn) == {-30.0, 30.0}
    assert stats.binomtest(int((drawn > 0).sum()), len(drawn)).pvalue > 1e-3


def test_strength_scales_the_magnitude_and_keeps_the_signs():
    strong, weak = Sign(0.2, 0.9, about=1), Sign(0.2, 0.9, about=1).toward(1, 0.25)
    assert weak.at(U) - 1 == pytest.approx(0.25 * (strong.at(U) - 1))


@pytest.mark.parametrize("weights", [None, (1, 1, 2), (0, 3, 1)])
def test_choice_follows_its_weights(weights):
    drawn = Choice((10, 20, 30), weights).at(Draw(Address.of(1, index=range(8000))).unit("x"))
    share = np.array([(drawn == value).mean() for value in (10, 20, 30)])
    wanted = np.array(weights or (1, 1, 1)) / sum(weights or (1, 1, 1))
    assert share == pytest.approx(wanted, abs=0.02)
    assert all(share[wanted == 0] == 0)


def test_pick_never_leaves_its_indices():
    ends = np.array([0.0, np.nextafter(1, 0)])
    assert pick(ends, 7).tolist() == [0, 6]
    assert pick(ends, 3, (0.1, 0.2, 0.3)).tolist() == [0, 2]


HALVED = [
    (Fixed(30), Fixed(15.0)),
    (Sign(10, 30), Sign(5.0, 15.0)),
    (Sign(30, 30, about=2), Sign(15.0, 15.0, about=1.0)),
    (Range(-30, 10), Range(-15.0, 5.0)),
    (Normal(4, 2), Normal(2.0, 1.0)),
    (Beta(2, 3, -1, 1), Beta(2, 3, -0.5, 0.5)),
    (LogRange(2, 8), Range(1.0, 4.0)),
    (Choice((5, 7), (1, 3)), Choice((0, 5, 7), (0.5, 0.125, 0.375))),
]


@pytest.mark.parametrize(("held", "half"), HALVED, ids=lambda x: type(x).__name__)
def test_toward_shrinks_to_the_neutral_value(held, half):
    assert held.toward(0, 1) is held or held.toward(0, 1) == held
    assert held.toward(0, 0.5) == half
    assert (held.toward(0, 0).at(U) == 0).all()


def test_toward_shrinks_logarithmic_ranges_in_the_logarithm():
    assert LogRange(0.25, 16).toward(1, 0.5) == LogRange(0.5, 4)
    assert (LogRange(0.25, 16).toward(1, 0).at(U) == 1).all()


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (3, Fixed(3)),
        (np.float32(0.5), Fixed(0.5)),
        ("text", Fixed("text")),
        ((1, 2), Range(1, 2)),
        ([1, 2], Range(1, 2)),
        ((np.int64(1), np.float64(2)), Range(1, 2.0)),
        ({"choice": [1, 5]}, Choice((1, 5))),
        ({"choice": [1, 5], "weights": [1, 3]}, Choice((1, 5), (1, 3))),
        ({"log": [0.1, 10]}, LogRange(0.1, 10)),
        ({"normal": [0, 1]}, Normal(0, 1)),
        ({"beta": [0.2, 0.2]}, Beta(0.2, 0.2)),
        ({"beta": [2, 3, -1, 1]}, Beta(2, 3, -1, 1)),
        ({"sign": 30}, Sign(30, 30)),
        ({"sign": [0, 30]}, Sign(0, 30)),
        ({"sign": [np.float64(0.1), 0.9], "about": np.int64(1)}, Sign(0.1, 0.9, 1)),
        (Range(0, 1), Range(0, 1)),
    ],
)
def test_every_written_form_is_read(written, meant):
    assert space(written) == meant


FORMS = r"a number, two numbers \(low, high\), or one of"


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ((2, 1), r"^s: expected low <= high, got \(2, 1\); write \(1, 2\)$"),
        ((1, 2, 3), rf"^s: expected {FORMS} .*, got \(1, 2, 3\); write \{{'choice': \[1, 2, 3\]\}}$"),
        ((0, float("nan")), rf"expected {FORMS}"),
        ((0, True), rf"expected {FORMS}"),
        (None, rf"expected {FORMS} .*, got None; write \(0, 1\), say$"),
        ((), rf"expected {FORMS} .*, got \(\); write \(0, 1\), say$"),
        ({}, rf"expected {FORMS} .*, got \{{\}}"),
        ({"uniform": [0, 1]}, rf"expected {FORMS}"),
        ({"log": [0, 1]}, r'^s\.log: expected positive numbers, got \[0, 1\]; write {"log": \[0\.5, 1\]}$'),
        ({"log": [2, 1]}, r"expected low <= high, got \(2, 1\)"),
        ({"log": [1, 2, 3]}, r"^s\.log: expected 2 numbers"),
        (
            {"normal": [0, -1]},
            r'^s\.normal: expected a standard deviation of 0 or more, got \[0, -1\]; write {"normal": \[0\.5, 0\.1\]}$',
        ),
        ({"normal": 3}, r"^s\.normal: expected 2 numbers"),
        ({"beta": [0, 1]}, r'^s\.beta: expected positive numbers, got \[0, 1\]; write {"beta": \[2, 5\]}$'),
        ({"beta": [1, 1, 2]}, r"^s\.beta: expected 2 or 4 numbers"),
        ({"beta": [1, 1], "weights": [1]}, r"^s\.beta: expected no weights, which is of choice"),
        ({"choice": [1], "about": 1}, r"^s\.choice: expected no about, which is of sign"),
        ({"sign": -3}, r'^s\.sign: expected a magnitude of 0 or more, or \[low, high\], got -3; write \{"sign": 30\}$'),
        ({"sign": [3, 1]}, r"^s\.sign: expected low <= high, got \(3, 1\)"),
        ({"sign": [1, 2, 3]}, r"^s\.sign: expected a magnitude"),
        ({"sign": 1, "about": "x"}, r"^s\.about: expected the number in the middle, got 'x'"),
        ({"choice": []}, r'^s\.choice: expected a list of at least one value, got \[\]; write {"choice": \[0\.5, 1\]}$'),
        ({"choice": 3}, r"^s\.choice: expected a list"),
        (
            {"choice": [1, 2], "weights": [1]},
            r'^s\.weights: expected 2 numbers of 0 or more, not all 0, got \[1\]; write "weights": \[1, 1\]$',
        ),
        ({"choice": [1, 2], "weights": [0, 0]}, r'^s\.weights: .* got \[0, 0\]; write "weights": \[1, 1\]$'),
        ({"choice": [1, 2], "weights": [1, -1]}, r'^s\.weights: .* got \[1, -1\]; write "weights": \[1, 1\]$'),
    ],
)
def test_every_wrong_form_gets_a_sentence(written, says):
    with pytest.raises(v.ParameterError, match=says):
        space(written, "s")


NUMBER = st.floats(-1e6, 1e6, allow_nan=False)
ENDS = st.lists(NUMBER, min_size=2, max_size=2).map(sorted)
POSITIVE = st.floats(1e-3, 1e3)
SPACES = st.one_of(
    NUMBER.map(Fixed),
    ENDS.map(lambda ends: Range(*ends)),
    st.lists(POSITIVE, min_size=2, max_size=2).map(sorted).map(lambda ends: LogRange(*ends)),
    st.lists(NUMBER, min_size=1, max_size=4).map(lambda values: Choice(tuple(values))),
    st.lists(st.tuples(NUMBER, POSITIVE), min_size=1, max_size=4).map(lambda pairs: Choice(*map(tuple, zip(*pairs, strict=True)))),
    st.tuples(NUMBER, POSITIVE).map(lambda args: Normal(*args)),
    st.tuples(POSITIVE, POSITIVE, NUMBER).map(lambda args: Sign(*sorted(args[:2]), args[2])),
    st.tuples(POSITIVE, POSITIVE).map(lambda args: Beta(*args)),
    st.tuples(POSITIVE, POSITIVE, ENDS).map(lambda args: Beta(*args[:2], *args[2])),
)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(SPACES)
def test_plain_data_reads_back_as_the_space(held):
    assert space(held.data()) == held


@settings(derandomize=True, max_examples=100, deadline=None)
@given(SPACES, st.floats(0, 1))
def test_a_weaker_space_lies_between_the_neutral_value_and_the_space(held, strength):
    assume(not isinstance(held, Choice))
    low, high = min(held.ends()), max(held.ends())
    weak = held.toward(1.0, strength)
    slack = 1e-9 * (1 + abs(low) + abs(high))
    assert min(low, 1) - slack <= min(weak.ends()) <= max(weak.ends()) <= max(high, 1) + slack
