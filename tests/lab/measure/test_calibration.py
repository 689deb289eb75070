"""The expected calibration error at its edges, and against a plain loop."""

from __future__ import annotations

import json

import numpy as np
import pytest

import vicinal as v
from vicinal.lab.measure.calibration import ece, pooled, reliability


def looped(outputs: np.ndarray, labels: np.ndarray, bins: int) -> float:
    """The definition, bin by bin."""
    sure, right = outputs.max(1), outputs.argmax(1) == labels
    total = 0.0
    for number in range(bins):
        low, high = number / bins, (number + 1) / bins
        inside = (sure > low) & (sure <= high)
        if inside.any():
            total += inside.mean() * abs(sure[inside].mean() - right[inside].mean())
    return total


def some(items: int = 500, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.dirichlet(np.full(classes, 0.5), items), rng.integers(0, classes, items)


@pytest.mark.parametrize("bins", [1, 7, 15])
def test_the_error_is_that_of_the_definition(bins: int):
    outputs, labels = some()
    assert ece(outputs, labels, bins) == pytest.approx(looped(outputs, labels, bins), abs=1e-12)
    assert ece(outputs.astype(np.float32), labels, bins) == pytest.approx(looped(outputs, labels, bins), abs=1e-6)


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_half_sure_and_always_wrong_or_always_right(dtype: type, adaptive: bool):
    half = np.full((10, 2), 0.5, dtype)
    assert ece(half, np.ones(10, int), adaptive=adaptive) == 0.5
    assert ece(half, np.zeros(10, int), adaptive=adaptive) == 0.5
    assert ece(half, np.arange(10) % 2, adaptive=adaptive) == 0


def test_full_confidence_falls_into_the_last_bin():
    table = reliability(np.array([[1.0, 0.0], [0.999, 0.001], [1.0000001, 0.0]]), [0, 0, 1])
    assert len(table.count) == 15
    assert table.count[-1] == 3
    assert table.accuracy[-1] == pytest.approx(2 / 3)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_confidence_on_an_edge_belongs_to_the_bin_below(dtype: type):
    edges = np.array([0.6, 0.7, 0.8, 0.9], dtype)
    table = reliability(np.stack([edges, 1 - edges], 1), np.zeros(4, int), bins=10)
    assert table.count.tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1, 0]
    assert table.high[5:9].tolist() == pytest.approx([0.6, 0.7, 0.8, 0.9])


def test_adaptive_bins_hold_equally_many_and_cover_everything():
    outputs, labels = some()
    table = reliability(outputs, labels, bins=10, adaptive=True)
    assert table.count.tolist() == [50] * 10
    assert table.low[0] == 0
    assert table.high[-1] == 1
    np.testing.assert_array_equal(table.low[1:], table.high[:-1])


def test_adaptive_bins_do_not_part_equal_confidences():
    outputs = np.repeat([[0.9, 0.1], [0.6, 0.4]], [7, 3], axis=0)
    labels = np.array([0] * 7 + [1] * 3)
    order = np.random.default_rng(0).permutation(10)
    once, again = (reliability(outputs[rows], labels[rows], bins=5, adaptive=True) for rows in (np.arange(10), order))
    assert once.count.tolist() == again.count.tolist() == [3, 7]
    assert once.ece == again.ece == pytest.approx(0.3 * 0.6 + 0.7 * 0.1)


def test_more_bins_than_items_and_bins_that_are_none():
    assert reliability([[0.75, 0.25]], [0], bins=15, adaptive=True).count.tolist() == [1]
    with pytest.raises(v.ParameterError, match=r"^reliability\.bins: expected a whole number of 1 or more, got 0; write bins=15$"):
        ece([[0.5, 0.5]], [0], bins=0)


def test_tables_add_up_to_the_table_of_all_items():
    outputs, labels = some()
    parts = [reliability(outputs[rows], labels[rows]).data() for rows in (slice(0, 90), slice(90, 500))]
    whole, known = pooled(json.loads(json.dumps(parts))), reliability(outputs, labels)
    assert whole.count.tolist() == known.count.tolist()
    for name in ("low", "high", "confidence", "accuracy", "ece"):
        np.testing.assert_allclose(getattr(whole, name), getattr(known, name), atol=1e-12)


def test_a_calibrated_model_has_little_error():
    rng = np.random.default_rng(3)
    outputs = rng.dirichlet(np.ones(3), 40_000)
    labels = (rng.random((40_000, 1)) > outputs.cumsum(1)).sum(1).clip(0, 2)
    assert ece(outputs, labels) < 0.01
    assert np.nanmax(np.abs(reliability(outputs, labels, adaptive=True).gap)) < 0.04
