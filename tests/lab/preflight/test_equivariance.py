"""Equivariance: answers that a linear map moves, and answers that it does not."""

from __future__ import annotations

import numpy as np
import pytest

from vicinal.lab.preflight.equivariance import equivariance, equivariance_of_values

RNG = np.random.default_rng(0)
ANSWERS = RNG.dirichlet(np.ones(4), 300)
IDS = np.arange(300)


def softmax(logits: np.ndarray) -> np.ndarray:
    made = np.exp(logits - logits.max(1, keepdims=True))
    return made / made.sum(1, keepdims=True)


def test_what_stays_is_equivariant() -> None:
    assert equivariance(ANSWERS, [ANSWERS, ANSWERS], IDS) == pytest.approx(1, abs=1e-3)


def test_so_is_what_changes_the_same_way_for_all_items() -> None:
    assert equivariance(ANSWERS, [ANSWERS[:, ::-1]], IDS) == pytest.approx(1, abs=1e-3)
    logits = RNG.normal(size=(300, 4))
    logits -= logits.mean(1, keepdims=True)  # answers do not tell what is added to all logits alike
    assert equivariance(softmax(logits), [softmax(logits @ RNG.normal(size=(4, 4)) / 4)], IDS) > 0.9


def test_what_scatters_is_not() -> None:
    assert equivariance(ANSWERS, [RNG.permutation(ANSWERS)], IDS) < 0.1
    half = np.where(RNG.random(300)[:, None] < 0.5, ANSWERS, RNG.dirichlet(np.ones(4), 300))
    assert 0.1 < equivariance(ANSWERS, [half], IDS) < 0.8


def test_values_are_mapped_as_they_stand() -> None:
    values = RNG.normal(size=(300, 2))
    assert equivariance_of_values(values, [values @ RNG.normal(size=(2, 2)) - 5], IDS) == pytest.approx(1, abs=1e-3)
    assert equivariance_of_values(values, [RNG.permutation(values)], IDS) < 0.1


def test_the_map_is_held_against_sources_that_it_was_not_fitted_on() -> None:
    """As many answers as items fit any noise; siblings would give it away."""
    few, noise = RNG.dirichlet(np.ones(12), 24), RNG.dirichlet(np.ones(12), 24)
    siblings = np.repeat(np.arange(6), 4)
    assert equivariance(few, [noise], siblings) < 0.2


def test_too_few_or_too_like_items_tell_nothing() -> None:
    assert np.isnan(equivariance(ANSWERS[:3], [ANSWERS[:3]], IDS[:3]))
    same = np.full((10, 4), 0.25)
    assert np.isnan(equivariance(same, [same], np.arange(10)))
