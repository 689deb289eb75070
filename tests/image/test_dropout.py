"""Rectangles: as many pixels as they say, where they say, and the bits that they had."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import stats

import vicinal as v
from vicinal.backend import noise
from vicinal.core.primitive import Patch

BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])
DTYPES = {"uint8": 255, "uint16": 65535, "float32": 1}
FAMILY = [
    "Erase(fill=0.5)",
    "RandomErasing()",
    "RandomErasing(fill=(0.1, 0.5, 0.9))",
    "Cutout(size=20)",
    "Cutout(size=0.4, unit='share', fill='noise')",
    "CoarseDropout(holes=(0, 9), height=(0.0, 0.4))",
    "CoarseDropout(holes=9, fill='noise')",
]


def boxes(policy, images, seed=0):
    """(B, n, 4) of the only primitive."""
    return policy(image=images, seed=seed).plan.primitives[0].box


@BACKENDS
@pytest.mark.parametrize(("dtype", "value"), [("uint8", 128), ("uint16", 32768), ("float32", 0.5)])
def test_one_whole_rectangle_takes_the_value(dtype, value, backend):
    out = v.Erase(area=0.25, ratio=1, fill=0.5)(np.zeros((50, 20, 20, 3), dtype), seed=0, backend=backend)
    for image in out:
        rows, columns = np.flatnonzero(image.any((1, 2))), np.flatnonzero(image.any((0, 2)))
        assert (len(rows), len(columns), np.ptp(rows), np.ptp(columns)) == (10, 10, 9, 9)
        assert np.unique(image).tolist() == [0, value]


def test_area_ratio_and_place_follow_their_laws():
    found = boxes(v.Erase(area=(0.02, 0.3), ratio={"log": [0.5, 2]}), np.zeros((4000, 100, 100, 1), np.uint8), 1)[:, 0]
    left, top, width, height = found[:, 0], found[:, 1], found[:, 2] - found[:, 0], found[:, 3] - found[:, 1]
    assert stats.kstest(width * height / 1e4, stats.uniform(0.02, 0.28).cdf).pvalue > 1e-3
    assert np.log(width / height).mean() == pytest.approx(0, abs=0.03)
    assert (left / (100 - width)).mean() == pytest.approx(0.5, abs=0.02)
    assert (top + height).max() <= 100
    assert min(left.min(), top.min()) == 0


@pytest.mark.parametrize("text", FAMILY)
def test_annotations_stay(text):
    named = {"boxes": np.array([[1.0, 1, 5, 5]]), "keypoints": np.array([[2.0, 2]]), "mask": np.eye(20)}
    out = v.parse(text)(image=np.ones((20, 20, 3), np.uint8), **named, seed=0)
    assert all(np.array_equal(out[name], value) for name, value in named.items())


@pytest.mark.parametrize("text", FAMILY)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("ragged", [False, True], ids=["equal", "ragged"])
def test_reference_and_cpu_agree_to_the_bit(text, dtype, ragged):
    images = (np.random.default_rng(0).random((9, 33, 47, 3)) * DTYPES[dtype]).astype(dtype)
    given = [image[: 33 - row, : 20 + 3 * row] for row, image in enumerate(images)] if ragged else images
    policy = dataclasses.replace(v.parse(text), p=0.7)
    fast, slow = (policy(given, seed=2, backend=name) for name in ("cpu", "reference"))
    assert all(np.array_equal(a, b) for a, b in zip(fast, slow, strict=True))


@pytest.mark.parametrize("text", FAMILY)
def test_what_lies_outside_is_untouched_and_what_lies_inside_is_filled(text):
    images = np.random.default_rng(1).integers(1, 256, (20, 31, 45, 3), np.uint8)
    out = v.parse(text)(image=images, seed=4)
    inside = np.zeros(images.shape[:3], bool)
    for row, sample in enumerate(out.plan.primitives[0].box):
        for x0, y0, x1, y1 in sample:
            inside[row, y0:y1, x0:x1] = True
    assert np.array_equal(out["image"][~inside], images[~inside])
    if "noise" not in text and text != "RandomErasing()":
        fill = out.plan.primitives[0].fill[0]
        assert (out["image"][inside] == np.rint(fill * 255)).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_noise_is_uniform_over_the_range(dtype):
    made = v.RandomErasing(scale=1, ratio=1)(np.zeros((4, 96, 96, 3), dtype), seed=0)
    values = made.astype(float) / DTYPES[dtype]
    if dtype == "uint8":
        assert stats.chisquare(np.bincount(made.ravel(), minlength=256)).pvalue > 1e-3
    assert stats.kstest(values.ravel()[::7] + (0 if dtype != "uint8" else 1 / 512), stats.uniform.cdf).pvalue > 1e-4
    assert abs(np.corrcoef(values[..., 0].ravel(), values[..., 1].ravel())[0, 1]) < 0.03
    assert abs(np.corrcoef(values[0].ravel(), values[1].ravel())[0, 1]) < 0.03


def test_noise_levels_are_the_words_of_the_hash():
    key = np.array([7, 9], np.uint32)
    assert np.array_equal(noise.levels(key, 50, "uint8"), noise.words(key, 50) >> 24)
    assert np.array_equal(noise.levels(key, 50, "uint16"), noise.words(key, 50) >> 16)


def test_random_erasing_has_the_area_of_the_paper():
    found = boxes(v.RandomErasing(scale=(0.02, 0.3), ratio={"log": [0.5, 2]}), np.zeros((4000, 100, 100, 1), np.uint8), 1)[:, 0]
    area = (found[:, 2] - found[:, 0]) * (found[:, 3] - found[:, 1]) / 1e4
    assert stats.kstest(area, stats.uniform(0.02, 0.28).cdf).pvalue > 1e-3


def test_cutout_is_the_formula_of_its_authors():
    """As in their repository: a centre, half the side to both ends, clipped."""
    policy, images = v.Cutout(size=16), np.ones((500, 32, 40, 1), np.uint8)
    out = policy(image=images, seed=0)
    x, y = (np.floor(out.plan.params["Cutout"][axis] * side).astype(int) for axis, side in (("x", 40), ("y", 32)))
    for image, cx, cy in zip(out["image"], x, y, strict=True):
        mask = np.ones((32, 40), np.uint8)
        mask[np.clip(cy - 8, 0, 32) : np.clip(cy + 8, 0, 32), np.clip(cx - 8, 0, 40) : np.clip(cx + 8, 0, 40)] = 0
        assert np.array_equal(image[..., 0], mask)


def test_every_centre_of_a_cutout_is_equally_likely():
    found = boxes(v.Cutout(size=1), np.zeros((6400, 8, 8, 1), np.uint8))[:, 0]
    assert (found[:, 2] - found[:, 0] == 1).all()
    assert stats.chisquare(np.bincount(found[:, 1] * 8 + found[:, 0], minlength=64)).pvalue > 1e-3


def test_every_place_of_a_hole_is_equally_likely():
    policy = v.CoarseDropout(holes=4, height=0.25, width=0.5)
    found = boxes(policy, np.zeros((2000, 8, 8, 1), np.uint8)).reshape(-1, 4)
    assert {tuple(box) for box in found[:, 2:] - found[:, :2]} == {(4, 2)}
    places = np.bincount(found[:, 1] * 5 + found[:, 0], minlength=35)
    assert len(places) == 35
    assert stats.chisquare(places).pvalue > 1e-3


def test_the_number_of_holes_is_uniform_and_a_larger_one_moves_no_other():
    images = np.zeros((3000, 50, 50, 1), np.uint8)
    few, more = (boxes(v.CoarseDropout(holes=(1, most)), images) for most in (4, 40))
    count = (few[..., 2] > few[..., 0]).sum(1)
    assert stats.chisquare(np.bincount(count, minlength=5)[1:]).pvalue > 1e-3
    there = (few[..., 2] > few[..., 0]) & (more[:, :4, 2] > more[:, :4, 0])
    assert np.array_equal(few[there], more[:, :4][there])


def test_no_holes_and_holes_without_area_do_nothing():
    image = np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8)
    for text in ("CoarseDropout(holes=0)", "CoarseDropout(height=0)", "CoarseDropout(width=0, fill='noise')", "Cutout(size=0)"):
        assert np.array_equal(v.parse(text)(image, seed=0), image)


@pytest.mark.parametrize("fill", ["grey", 1.5, (0.1, 2), (), True, None])
def test_a_wrong_fill_is_told(fill):
    with pytest.raises(v.ParameterError, match=r"CoarseDropout\.fill: expected shares of the value range"):
        v.CoarseDropout(fill=fill)


def test_a_fill_of_other_channels_is_told():
    with pytest.raises(v.TargetError, match=r"Cutout\.fill: expected one number, or 4: one per channel, got 3; write fill=0\.5"):
        v.Cutout(size=4, fill=(0.1, 0.2, 0.3))(np.zeros((8, 8, 4), np.uint8), seed=0)


def test_rows_of_a_patch_keep_its_key():
    patch = Patch(np.zeros((3, 2, 4), int), np.zeros((3, 1)), np.ones(3, bool), np.arange(6, dtype=np.uint32).reshape(3, 2))
    taken = patch.rows(np.array([2, 0]))
    assert taken.key is not None
    assert taken.key.tolist() == [[4, 5], [0, 1]]
    assert patch.where(np.array([True, False, True])).active.tolist() == [True, False, True]
