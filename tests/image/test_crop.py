"""Canvases: crops, padding and resizing against NumPy, Pillow's rules and the laws they state."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage, stats

import vicinal as v

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (24, 36, 3), np.uint8)
BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])


@BACKENDS
@pytest.mark.parametrize("times", [2, 3, 4, 12])
@pytest.mark.parametrize(("dtype", "most"), [("uint8", 1), ("uint16", 1), ("float32", 1e-5)])
def test_shrinking_by_a_whole_factor_is_the_mean_of_blocks(times, dtype, most, backend):
    image = (IMAGE / 255).astype(np.float32) if dtype == "float32" else IMAGE.astype(dtype) * (257 if dtype == "uint16" else 1)
    height, width = 24 // times, 36 // times
    mean = image.astype(float).reshape(height, times, width, times, 3).mean((1, 3))
    got = v.Resize(size=(height, width))(image, seed=0, backend=backend)
    assert got == pytest.approx(mean, abs=most)


@BACKENDS
@pytest.mark.parametrize("size", [(11, 50), (24, 36), (48, 72), (7, 5)])
def test_resizing_smooth_images_agrees_with_pillow(size, backend):
    smooth = np.asarray(ndimage.gaussian_filter(IMAGE[..., 0].astype(float), 4) * 1, np.float32) / 255
    expected = np.asarray(Image.fromarray(smooth).resize(size[::-1], Image.Resampling.BILINEAR))
    assert v.Resize(size=size)(smooth, seed=0, backend=backend) == pytest.approx(expected, abs=0.02)


@BACKENDS
def test_nearest_takes_the_pixel_in_which_the_centre_falls(backend):
    for before in range(1, 25):
        row = np.arange(before, dtype=np.uint8)[None]
        for after in range(1, 25):
            places = [Fraction((2 * i + 1) * before, 2 * after) for i in range(after)]
            if any(place.denominator == 1 for place in places) and before % after:
                continue  # on the line between two pixels, the last bit of a double decides
            got = v.Resize(size=(1, after), interpolation="nearest")(row, seed=0, backend=backend)
            assert got[0].tolist() == [int(place) for place in places]


def test_masks_are_resized_by_the_nearest_rule():
    mask = np.tile(np.arange(5), (5, 1))
    assert v.Resize(size=3)(image=np.zeros((5, 5, 3), np.uint8), mask=mask, seed=0)["mask"].tolist() == [[0, 2, 4]] * 3


@BACKENDS
def test_crops_and_pads_are_slices_of_numpy(backend):
    def run(policy):
        return policy(IMAGE, seed=0, backend=backend)

    assert np.array_equal(run(v.CenterCrop(size=(10, 20))), IMAGE[7:17, 8:28])
    assert np.array_equal(run(v.RandomCrop(size=(10, 20), x=0, y=1)), IMAGE[14:, :20])
    assert np.array_equal(run(v.Pad(by=(1, 2, 3, 4))), np.pad(IMAGE, [(2, 4), (1, 3), (0, 0)]))
    assert np.array_equal(run(v.Pad(by=5, fill=1.0)), np.pad(IMAGE, [(5, 5), (5, 5), (0, 0)], constant_values=255))
    assert np.array_equal(run(v.Pad(by=30, border="reflect")), np.pad(IMAGE, [(30, 30), (30, 30), (0, 0)], "symmetric"))
    assert np.array_equal(run(v.Pad(by=3, border="replicate")), np.pad(IMAGE, [(3, 3), (3, 3), (0, 0)], "edge"))
    assert np.array_equal(run(v.CenterCrop(size=(30, 40))), np.pad(IMAGE, [(3, 3), (2, 2), (0, 0)]))


@pytest.mark.parametrize(("before", "after"), [(12, 7), (7, 12), (8, 8)])
def test_every_place_of_a_random_crop_is_equally_likely_the_ends_too(before, after):
    out = v.RandomCrop(size=after)(image=np.zeros((6000, before, before, 1), np.uint8), seed=2)
    (crop,) = out.plan.primitives
    room = abs(before - after) + 1
    for axis in (0, 1):
        places = np.abs(crop.matrix[:, axis, 2]).astype(int)
        counts = np.bincount(places, minlength=room)
        assert len(counts) == room
        assert room == 1 or stats.chisquare(counts).pvalue > 1e-3


def windows(policy, height, width, n=4000):
    """(n,) left, top, width, height of the windows that a policy cuts, in pixels."""
    out = policy(image=np.zeros((n, height, width, 1), np.uint8), seed=3)
    matrix = out.plan.primitives[0].matrix
    return -matrix[:, 0, 2] / matrix[:, 0, 0], -matrix[:, 1, 2] / matrix[:, 1, 1], 4 / matrix[:, 0, 0], 4 / matrix[:, 1, 1]


def test_windows_of_random_resized_crop_follow_the_stated_laws():
    left, top, width, height = windows(v.RandomResizedCrop(size=4, scale=(0.1, 0.5)), 16, 16)
    assert stats.kstest(width * height / 256, stats.uniform(0.1, 0.4).cdf).pvalue > 1e-3
    assert stats.kstest(width / height, stats.loguniform(3 / 4, 4 / 3).cdf).pvalue > 1e-3
    assert stats.kstest(left / (16 - width), "uniform").pvalue > 1e-3
    assert stats.kstest(top / (16 - height), "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(left / (16 - width), width)[0, 1]) < 0.07


@pytest.mark.parametrize("canvas", [(8, 16), (16, 8), (16, 16), (1, 16)])
def test_windows_of_random_resized_crop_lie_on_the_canvas(canvas):
    left, top, width, height = windows(v.RandomResizedCrop(size=4), *canvas, n=1000)
    slack = 1e-9
    assert min(left.min(), top.min()) >= -slack
    assert (left + width).max() <= canvas[1] + slack
    assert (top + height).max() <= canvas[0] + slack


def test_the_whole_canvas_as_a_window_is_a_resize():
    whole = v.RandomResizedCrop(size=(6, 9), scale=1, ratio=1.5)(IMAGE, seed=0)
    assert np.array_equal(whole, v.Resize(size=(6, 9))(IMAGE, seed=0))
