"""Channels against OpenCV, Pillow, formulas and counts."""

from __future__ import annotations

import math
from itertools import product

import cv2
import numpy as np
import pytest
from scipy import stats

import vicinal as v

BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])
COLOURS = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
GREY = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)


@BACKENDS
def test_grey_is_that_of_opencv(backend):
    grey = cv2.cvtColor(COLOURS, cv2.COLOR_RGB2GRAY).astype(int)
    got = v.Grayscale()(COLOURS, seed=0, backend=backend)
    assert (got == got[..., :1]).all()
    assert np.abs(got[..., 0] - grey).max() <= 1
    half = v.Grayscale(amount=0.5)(COLOURS, seed=0, backend=backend)
    assert np.abs(half - (COLOURS + grey[..., None]) / 2).max() <= 1.5
    assert np.array_equal(v.Grayscale(amount=0)(COLOURS, seed=0, backend=backend), COLOURS)


@BACKENDS
@pytest.mark.parametrize(
    "text", ["Grayscale()", "Saturation(gain=2)", "Hue(shift=90)", "ColorJitter(saturation=3, hue=50)", "ChannelShuffle()"]
)
def test_one_channel_has_no_colour_to_change(text, backend):
    assert np.array_equal(v.parse(text)(GREY, seed=0, backend=backend), GREY)


THREE = ["Sepia()", "RGBShift()", "HueSaturationValue()", "FancyPCA()", "PlanckianJitter(temperature=3000)"]


ONE_OR_THREE = ["Grayscale()", "Saturation(gain=2)", "Hue(shift=90)", "ColorJitter()"]


@pytest.mark.parametrize(("text", "channels"), [*product(THREE, (1, 2, 4)), *product(ONE_OR_THREE, (2, 4))])
def test_what_needs_three_channels_says_so(text, channels):
    with pytest.raises(v.TargetError, match=f"{text.split('(')[0]}.*3 channels"):
        v.parse(text)(np.zeros((5, 5, channels), np.uint8), seed=0)


@BACKENDS
def test_sepia_is_opencvs_product_with_the_published_matrix(backend):
    matrix = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
    exact = cv2.transform(COLOURS.astype(np.float64), matrix)
    for amount in (0.3, 1):
        expected = np.clip(amount * exact + (1 - amount) * COLOURS, 0, 255)
        assert np.abs(v.Sepia(amount=amount)(COLOURS, seed=0, backend=backend) - expected).max() <= 0.501


@BACKENDS
def test_shifts_are_saturated_sums(backend):
    shifts = np.array([51, -102, 12.75])
    got = v.RGBShift(red=0.2, green=-0.4, blue=0.05)(COLOURS, seed=0, backend=backend)
    assert np.abs(got - np.clip(COLOURS + shifts, 0, 255)).max() <= 0.501
    assert np.array_equal(got[..., :2], cv2.add(COLOURS, (51, -102, 0, 0))[..., :2])


@BACKENDS
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [2, 3, 5])
def test_shuffled_channels_keep_their_bits(channels, dtype, backend):
    rng = np.random.default_rng(0)
    images = (
        rng.random((6, 20, 30, channels), np.float32) if dtype == "float32" else rng.integers(0, 256, (6, 20, 30, channels)).astype(dtype)
    )
    out = v.ChannelShuffle()(image=images, seed=1, backend=backend)
    order = out.plan.params["ChannelShuffle"]["order"]
    for row, image in enumerate(images):
        assert np.array_equal(out["image"][row], image[..., order[row]])


def test_every_order_is_equally_likely():
    images = np.tile(np.arange(3, dtype=np.uint8), (6000, 1, 1, 1))
    orders = v.ChannelShuffle()(images, seed=0).reshape(-1, 3) @ [9, 3, 1]
    counts = np.unique(orders, return_counts=True)[1]
    assert len(counts) == math.factorial(3)
    assert stats.chisquare(counts).pvalue > 1e-3


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_dropped_channels_are_filled_and_all_are_as_likely(count):
    images = np.full((4000, 1, 1, 4), 100, np.uint8)
    dropped = v.ChannelDropout(count=count, fill=0.2)(images, seed=0)[:, 0, 0] != 100
    assert (dropped.sum(1) == count).all()
    if count:
        assert stats.chisquare(dropped.sum(0)).pvalue > 1e-3
    assert set(np.unique(v.ChannelDropout(count=count, fill=0.2)(images, seed=0))) == {51, 100} - ({51} if not count else set())


def test_one_channel_always_stays():
    images = np.full((50, 1, 1, 3), 100, np.uint8)
    assert ((v.ChannelDropout(count=7)(images, seed=0) == 100).sum(3) == 1).all()
    assert np.array_equal(v.ChannelDropout()(GREY, seed=0), GREY)
