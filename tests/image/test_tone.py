"""Tones against Pillow and against the Bezier curve by de Casteljau's construction."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PIL import Image, ImageOps
from scipy import stats

import vicinal as v

BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])
LEVELS = np.arange(256, dtype=np.uint8).reshape(16, 16)
GREY = Image.fromarray(LEVELS)


@BACKENDS
@pytest.mark.parametrize("level", [0, 1, 77, 128, 254, 255, 256])
def test_solarize_is_pillows(level, backend):
    expected = np.asarray(ImageOps.solarize(GREY, level))
    assert np.array_equal(v.Solarize(threshold=level / 255)(LEVELS, seed=0, backend=backend), expected)


@BACKENDS
@pytest.mark.parametrize("bits", range(1, 9))
def test_posterize_is_pillows(bits, backend):
    expected = np.asarray(ImageOps.posterize(GREY, bits))
    assert np.array_equal(v.Posterize(bits=bits)(LEVELS, seed=0, backend=backend), expected)
    wide = v.Posterize(bits=bits)(LEVELS.astype(np.uint16) * 257, seed=0, backend=backend)
    assert np.abs(wide - expected.astype(int) * 257).max() <= 1


def test_posterize_draws_whole_bits_all_as_likely():
    out = v.Posterize(bits=(2, 5))(image=np.zeros((4000, 1, 1, 1), np.uint8), seed=0)
    bits, counts = np.unique(out.plan.params["Posterize"]["bits"], return_counts=True)
    assert bits.tolist() == [2, 3, 4, 5]
    assert stats.chisquare(counts).pvalue > 1e-3


def casteljau(low, high, x):
    """Height of the curve of (0, 0), (1/3, low), (2/3, high), (1, 1) by repeated halving of the way; it stands at x, as the first
    coordinates are equally spaced."""
    points = [np.zeros_like(x), low + 0 * x, high + 0 * x, np.ones_like(x)]
    while len(points) > 1:
        points = [(1 - x) * a + x * b for a, b in pairwise(points)]
    return points[0]


@BACKENDS
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.25, 0.75), (0.1, 0.3), (0.6, 0.9), (1.0, 0.0)])
def test_the_curve_is_a_bezier(low, high, backend):
    tone = v.ToneCurve(low=low, high=high)
    assert np.abs(tone(LEVELS, seed=0, backend=backend) - 255 * casteljau(low, high, LEVELS / 255)).max() <= 0.501
    fine = np.linspace(0, 1, 5000, dtype=np.float32).reshape(50, 100)
    assert tone(fine, seed=0, backend=backend) == pytest.approx(casteljau(low, high, fine.astype(float)), abs=3e-5)


@BACKENDS
def test_each_channel_may_have_its_own_curve(backend):
    image = np.repeat(LEVELS[..., None], 3, 2)
    out = v.ToneCurve(low=(0, 0.6), high=(0.4, 1), per_channel=True)(image=image[None], seed=0, backend=backend)
    drawn = out.plan.params["ToneCurve"]
    assert drawn["low"].shape == (1, 3)
    assert len(np.unique(drawn["low"])) == 3
    for channel in range(3):
        expected = 255 * casteljau(drawn["low"][0, channel], drawn["high"][0, channel], LEVELS / 255)
        assert np.abs(out["image"][0, ..., channel] - expected).max() <= 0.501


@BACKENDS
def test_a_straight_curve_changes_no_bit_of_its_channel(backend):
    image = np.random.default_rng(0).random((30, 30, 3), np.float32)
    tone = v.ToneCurve(low={"choice": [1 / 3, 0.9]}, high=2 / 3)
    images = np.repeat(image[None], 20, 0)
    out = tone(image=images, seed=0, backend=backend)
    straight = out.plan.params["ToneCurve"]["low"][:, 0] == 1 / 3
    assert 0 < straight.sum() < 20
    assert np.array_equal(out["image"][straight], images[straight])


def test_a_photograph_keeps_its_order_of_tones(shared_data):
    photo = np.asarray(Image.open(next(iter(sorted(shared_data("photos").glob("*.png"))))).convert("RGB").resize((120, 90)))
    made = v.ToneCurve(low=0.5, high=0.6)(photo, seed=0)
    order = np.argsort(photo[..., 0].ravel(), kind="stable")
    assert (np.diff(made[..., 0].ravel()[order].astype(int)) >= 0).all()
    expected = np.asarray(ImageOps.posterize(ImageOps.solarize(Image.fromarray(photo), 100), 3))
    assert np.array_equal(v.parse("Solarize(threshold=0.39215686) | Posterize(bits=3)")(photo, seed=0), expected)
