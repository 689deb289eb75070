"""Errors of predicted numbers against scikit-learn and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk
from sklearn.linear_model import LinearRegression

import vicinal as v
from vicinal.lab.measure.metrics import METRICS, measured
from vicinal.lab.measure.regression import bias, r2, rmse, slope

NAMES = [name for name, held in METRICS.items() if held.kind == "regression"]


@pytest.mark.parametrize("shape", [(50,), (50, 3)])
def test_errors_are_those_of_scikit_learn(shape: tuple[int, ...]):
    rng = np.random.default_rng(0)
    targets = rng.normal(size=shape)
    outputs = 0.7 * targets + 0.3 * rng.normal(size=shape) + 0.1
    found = measured(["rmse", "mae", "r2", "bias"], outputs, targets)
    assert found["rmse"] == pytest.approx(np.sqrt(sk.mean_squared_error(targets, outputs)))
    assert found["mae"] == pytest.approx(sk.mean_absolute_error(targets, outputs))
    assert found["r2"] == pytest.approx(sk.r2_score(targets, outputs))
    assert found["bias"] == pytest.approx(outputs.mean() - targets.mean())


def test_the_slope_is_that_of_a_fit_of_the_targets_over_the_predictions():
    rng = np.random.default_rng(1)
    targets = rng.normal(size=200)
    outputs = 0.5 * targets + 0.2 * rng.normal(size=200)
    assert slope(outputs, targets) == pytest.approx(LinearRegression().fit(outputs[:, None], targets).coef_[0])
    assert slope(targets / 4 + 1, targets) == pytest.approx(4)


def test_a_fit_is_calibrated_and_training_on_noisy_inputs_is_not():
    """Noise of variance s^2 on the inputs of a fit shrinks its slope by var / (var + s^2), so the calibration slope is the inverse."""
    rng = np.random.default_rng(2)
    clean = rng.normal(scale=2, size=(200_000, 1))
    targets = 3 * clean[:, 0] + 1
    fitted, noisy = (LinearRegression().fit(clean + add, targets) for add in (0, rng.normal(size=clean.shape)))
    assert slope(fitted.predict(clean), targets) == pytest.approx(1)
    assert slope(noisy.predict(clean), targets) == pytest.approx(5 / 4, rel=0.01)


def test_what_does_not_vary_has_no_share_and_no_slope():
    assert np.isnan(r2([1.0, 2.0], [3.0, 3.0]))
    assert np.isnan(slope([1.0, 1.0], [1.0, 2.0]))
    assert bias([1, 2], [1, 1]) == 0.5


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("outputs", "targets", "says"),
    [
        (
            [1.0, np.nan],
            [1.0, 2.0],
            r"^outputs: expected finite numbers, got nan or infinity in item 1"
            r"; write np\.delete\(outputs, 1, 0\) and np\.delete\(targets, 1, 0\) to leave it out$",
        ),
        (
            [1.0, 2.0],
            [np.inf, 2.0],
            r"^targets: expected finite numbers, got nan or infinity in item 0"
            r"; write np\.delete\(outputs, 0, 0\) and np\.delete\(targets, 0, 0\) to leave it out$",
        ),
        (
            [[1.0], [2.0]],
            [1.0, 2.0],
            r"^outputs: expected the form of the targets, \(2,\), got \(2, 1\); write outputs\.reshape\(targets\.shape\)$",
        ),
        (np.zeros(0), np.zeros(0), r"at least one"),
        (["a"], [1.0], r"\(N,\) or \(N, D\) numbers"),
    ],
)
def test_what_is_no_number_is_refused_with_a_sentence(name, outputs, targets, says):
    with pytest.raises(v.DataError, match=says):
        measured([name], outputs, targets)


def test_one_error_in_many_dimensions_is_the_root_mean_square():
    assert rmse(np.array([[3.0, 4.0]]), np.zeros((1, 2))) == pytest.approx(np.sqrt(12.5))
