"""Transforms of series against NumPy and the laws they state."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage, stats

import vicinal as v

SERIES = np.random.default_rng(0).normal(5, 3, (6, 400, 3))
BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])


@BACKENDS
@DTYPES
def test_jitter_is_gaussian_in_the_unit_of_the_series(dtype, backend):
    given = SERIES.astype(dtype)
    noise = v.Jitter(std=2.5)(given, seed=0, backend=backend) - given
    assert stats.kstest(noise.ravel().astype(float), stats.norm(0, 2.5).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(noise[:, 1:].ravel(), noise[:, :-1].ravel())[0, 1]) < 4.5 / np.sqrt(noise.size)


@DTYPES
def test_jitter_is_the_same_in_reference_and_cpu(dtype):
    given = SERIES.astype(dtype)
    assert np.array_equal(v.Jitter(std=2.5)(given, seed=0, backend="cpu"), v.Jitter(std=2.5)(given, seed=0, backend="reference"))


@BACKENDS
def test_scaling_multiplies_a_series_or_every_channel(backend):
    whole, each = (v.Scaling(factor=(0.5, 2), per_channel=on)(SERIES, seed=0, backend=backend) / SERIES for on in (False, True))
    assert whole == pytest.approx(np.broadcast_to(whole[:, :1, :1], whole.shape))
    assert each == pytest.approx(np.broadcast_to(each[:, :1], each.shape))
    assert len(np.unique(whole[:, 0, 0].round(9))) == 6
    assert len(np.unique(each[:, 0].round(9))) == 18
    assert 0.5 <= each.min() <= each.max() <= 2


@BACKENDS
@DTYPES
@pytest.mark.parametrize("by", [3, -7, 0])
def test_a_whole_shift_is_numpys_roll_but_for_the_border(by, dtype, backend):
    given = SERIES.astype(dtype)
    out = v.TimeShift(by=by, fill=-1.0)(given, seed=0, backend=backend)
    rolled = np.roll(given, by, 1)
    inside = slice(by, None) if by >= 0 else slice(None, by)
    outside = slice(0, by) if by >= 0 else slice(by, None)
    assert np.array_equal(out[:, inside], rolled[:, inside])
    assert (out[:, outside] == -1).all()


@BACKENDS
@pytest.mark.parametrize("by", [2.25, -0.5])
def test_a_shift_between_samples_agrees_with_scipy(by, backend):
    out = v.TimeShift(by=by, border="replicate")(SERIES, seed=0, backend=backend)
    expected = ndimage.shift(SERIES, (0, by, 0), order=1, mode="nearest")
    assert out == pytest.approx(expected, abs=1e-5)


def test_time_stamps_keep_their_precision():
    stamps = np.arange(5) + 1.7e9
    assert v.TimeShift(by=1)(stamps, seed=0)[1:].tolist() == stamps[:-1].tolist()


def test_a_share_is_a_share_of_the_length():
    assert np.array_equal(v.TimeShift(by=0.25, unit="share")(SERIES, seed=0), v.TimeShift(by=100)(SERIES, seed=0))


@BACKENDS
def test_events_and_masks_follow_the_peaks(backend):
    pulses, times = np.zeros((5, 200, 1), np.float32), np.array([[20.0, 90], [30, 100], [40, 110], [50, 120], [60, 130]])
    for row, pair in enumerate(times.astype(int)):
        pulses[row, pair] = 1
    out = v.TimeShift(by=(-20, 20))(series=pulses, events=times, mask=pulses[..., 0].astype(np.int64), seed=0, backend=backend)
    for row in range(5):
        shifts = out["events"][row] - times[row]
        assert shifts[0] == pytest.approx(shifts[1])
        weights = out["series"][row, :, 0].astype(float)
        for event in out["events"][row]:
            low, high = max(int(event) - 20, 0), int(event) + 20
            place = (np.arange(low, high) * weights[low:high]).sum() / weights[low:high].sum()
            assert place == pytest.approx(event, abs=0.01)
            assert abs(np.flatnonzero(out["mask"][row, low:high])[0] + low - event) <= 0.5
    assert len(np.unique(out.plan.params["TimeShift"]["by"])) == 5


def test_series_of_several_lengths_stay_a_list():
    given = [SERIES[0], SERIES[1, :50], SERIES[2, :1]]
    out = v.parse("Jitter(std=1) | TimeShift(by=(-3, 3)) | Scaling(factor=2)")(given, seed=0)
    assert [one.shape for one in out] == [one.shape for one in given]
    alone = v.parse("Jitter(std=1) | TimeShift(by=(-3, 3)) | Scaling(factor=2)")(given[1], seed=0, index=1)
    assert np.array_equal(alone, out[1])


def test_integers_are_refused_with_a_sentence():
    with pytest.raises(v.TargetError, match=r"^series\[0\]: expected dtype float32, float64, got int64; write"):
        v.Jitter(std=1)(np.arange(5), seed=0)
