"""Shapley values by their axioms and against the definition over all orders."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from vicinal.core.errors import DataError, ParameterError
from vicinal.lab.statistics import leave_one_out, prefixes, sampled_orders, shapley, shapley_sampled, subsets

NAMES = ["crop", "flip", "noise", "shift"]


def game(names: list[str], seeds: int = 5, seed: int = 0) -> dict[frozenset[str], np.ndarray]:
    """Any game: every subset has its own scores."""
    rng = np.random.default_rng(seed)
    return {subset: rng.random(seeds) for subset in subsets(names)}


def by_definition(scores: dict[frozenset[str], np.ndarray], names: list[str], player: str) -> np.ndarray:
    gains = []
    for order in itertools.permutations(names):
        before = frozenset(order[: order.index(player)])
        gains.append(scores[before | {player}] - scores[before])
    return np.mean(gains, axis=0)


def test_values_are_means_over_all_orders():
    scores = game(NAMES)
    for name, value in shapley(scores).items():
        expected = by_definition(scores, NAMES, name)
        assert value.mean == pytest.approx(expected.mean())
        assert value.high - value.low == pytest.approx(2 * 2.776 * expected.std(ddof=1) / np.sqrt(5), rel=1e-3)
        assert value.sampling_error == 0


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_efficiency_the_values_sum_to_whole_minus_empty(count):
    names = [f"t{i}" for i in range(count)]
    scores = game(names, seeds=2)
    total = sum(value.mean for value in shapley(scores).values())
    assert total == pytest.approx((scores[frozenset(names)] - scores[frozenset()]).mean())


def test_symmetry_null_player_and_additivity():
    additive = {subset: np.full(3, 0.5 + 0.1 * len(subset & {"crop", "flip"})) for subset in subsets(NAMES)}
    found = {name: value.mean for name, value in shapley(additive).items()}
    assert found == pytest.approx({"crop": 0.1, "flip": 0.1, "noise": 0, "shift": 0})
    either = {subset: np.full(3, float(bool(subset & {"crop", "flip"}))) for subset in subsets(NAMES)}
    assert {name: value.mean for name, value in shapley(either).items()} == pytest.approx(
        {"crop": 0.5, "flip": 0.5, "noise": 0, "shift": 0}
    )
    assert {effect.mean for effect in leave_one_out(either).values()} == {0}, "each covers for the other"


def test_leave_one_out_is_the_paired_difference():
    scores = game(NAMES)
    whole = frozenset(NAMES)
    for name, effect in leave_one_out(scores).items():
        assert effect.mean == pytest.approx((scores[whole] - scores[whole - {name}]).mean())


def test_all_orders_sampled_are_exact():
    names = ["a", "b", "c"]
    scores = game(names)
    orders = [o for order in itertools.permutations(names) if order < order[::-1] for o in (order, order[::-1])]
    sampled, exact = shapley_sampled(scores, orders), shapley(scores)
    assert {name: value.mean for name, value in sampled.items()} == pytest.approx({name: value.mean for name, value in exact.items()})


def test_sampled_values_keep_efficiency_and_their_error_is_honest():
    names = [f"t{i:02}" for i in range(10)]
    rng = np.random.default_rng(0)
    weights = rng.normal(0, 0.05, len(names))

    def value(subset: frozenset[str]) -> np.ndarray:
        linear = sum(weight for name, weight in zip(names, weights, strict=True) if name in subset)
        return np.array([linear + 0.1 * ({"t00", "t01", "t02"} <= subset)])

    # What three add only together, they share.
    truth = {name: weight + 0.1 / 3 * (name in names[:3]) for name, weight in zip(names, weights, strict=True)}
    inside = []
    for seed in range(10):
        orders = sampled_orders(names, 40, seed)
        scores = {subset: value(subset) for subset in prefixes(orders)}
        found = shapley_sampled(scores, orders)
        assert sum(v.mean for v in found.values()) == pytest.approx(float((value(frozenset(names)) - value(frozenset()))[0]))
        inside += [abs(found[name].mean - truth[name]) <= 2.1 * found[name].sampling_error + 1e-12 for name in names[:3]]
    assert np.mean(inside) >= 0.8


def test_the_interval_covers_seeds_and_orders():
    names = [f"t{i:02}" for i in range(9)]
    orders = sampled_orders(names, 8)
    noise = np.random.default_rng(0).normal(0, 0.01, 6)
    scores = {subset: noise + 0.01 * len(subset) ** 2 for subset in prefixes(orders)}
    value = shapley_sampled(scores, orders)["t00"]
    assert value.low < value.mean - 2 * value.sampling_error


def test_orders_come_in_pairs_and_are_reproducible():
    orders = sampled_orders(NAMES, 6, seed=3)
    assert orders == sampled_orders(NAMES, 6, seed=3)
    assert all(forth == back[::-1] and sorted(forth) == NAMES for forth, back in zip(orders[::2], orders[1::2], strict=True))


def test_faults_are_named():
    scores = game(NAMES)
    del scores[frozenset({"crop"})]
    with pytest.raises(DataError, match=r"all 16 subsets of the pipeline that are needed, got none for \{crop\}"):
        shapley(scores)
    with pytest.raises(ParameterError, match="at most 8 transforms, so 256 subsets, got 9"):
        subsets([str(i) for i in range(9)])
    with pytest.raises(ParameterError, match="an even number, 4 or more"):
        sampled_orders(NAMES, 5)
    with pytest.raises(DataError, match=r"\{\}: expected 1 scores"):
        leave_one_out({frozenset({"crop"}): [0.1], frozenset(): [0.1, 0.2]})
