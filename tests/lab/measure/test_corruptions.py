"""Corruptions: tables that are policies, addresses that do not depend on the batch, laws of the noise, and a store that is bounded."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from skimage import data, feature, morphology

import vicinal as v
from vicinal.core.named import is_path
from vicinal.data import read
from vicinal.data.dataset import Dataset
from vicinal.lab.measure import families as tables
from vicinal.lab.measure.corruptions import Corruptions, corrupted
from vicinal.lab.measure.families import Family, families, family, suites

ALL = [one for suite in suites() for one in families(suite).values()]
NOISE = list(families().values())


def pictures(suite: str, count: int = 60) -> np.ndarray:
    """Digits at the size of MNIST's, or pieces of a photograph at the size of CIFAR-10's."""
    if suite != "cifar10-c":
        return np.asarray(v.Resize(size=28)(read("digits").images[:count], seed=0))
    photograph = np.asarray(v.Resize(size=256)(data.astronaut(), seed=0))
    return photograph.reshape(8, 32, 8, 32, 3).swapaxes(1, 2).reshape(64, 32, 32, 3)[:count]


def named(one: Family) -> str:
    return one.name


def suite_of(one: Family) -> str:
    return one.name.rpartition("/")[0]


@pytest.mark.parametrize("one", ALL, ids=named)
def test_the_neutral_level_is_the_images_and_the_others_go_further_the_higher_they_are(one: Family):
    images = pictures(suite_of(one))
    made = [corrupted(images, one, level) for level in one.levels]
    assert np.array_equal(made[0], images)
    assert all(now.shape == images.shape and now.dtype == images.dtype for now in made)
    apart = [float(np.sqrt(np.square(now.astype(float) - images).mean())) for now in made]
    assert min(apart[1:]) > 0.5  # of 255
    assert one.ordered == (apart == sorted(set(apart))), apart  # what is said not to be in order is not


@pytest.mark.parametrize("one", ALL, ids=named)
def test_any_part_of_the_test_set_gives_the_bits_of_the_whole(one: Family):
    images, level = pictures(suite_of(one), 12), one.levels[-1]
    whole = corrupted(images, one, level, seed=3)
    rows = np.array([7, 2, 11])
    assert np.array_equal(corrupted(images[rows], one, level, seed=3, index=rows), whole[rows])


def test_seeds_differ_and_no_training_draw_comes_back():
    images = np.full((4, 8, 8, 1), 128, np.uint8)
    made = corrupted(images, "gaussian", 0.1, seed=1)
    assert not np.array_equal(made, corrupted(images, "gaussian", 0.1, seed=2))
    for epoch in range(3):
        assert not np.array_equal(made, v.GaussianNoise(std=0.1)(images, seed=1, epoch=epoch))


def test_a_higher_level_is_the_same_noise_made_larger():
    images = np.full((2, 16, 16, 1), 0.5, np.float32)
    small, large = (corrupted(images, "gaussian", level, clip=False) - images for level in (0.05, 0.1))
    np.testing.assert_allclose(large, 2 * small, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "level", "law"),
    [
        ("uniform", 0.5, stats.uniform(0, 0.5)),
        ("centred_uniform", 0.25, stats.uniform(-0.25, 0.5)),
        ("gaussian", 0.15, stats.norm(0, 0.15)),
        ("cauchy", 0.04, stats.cauchy(0, 0.04)),
        ("student_t", 0.1, stats.t(3, 0, 0.1)),
    ],
)
def test_noise_has_its_law(name: str, level: float, law):
    images = np.full((30, 28, 28, 1), 0.5, np.float32)
    noise = (corrupted(images, name, level, seed=4, clip=False) - 0.5).ravel()
    assert stats.kstest(noise, law.cdf).pvalue > 0.01
    if name != "cauchy":
        assert abs(noise.mean() - law.mean()) < 4 * law.std() / np.sqrt(noise.size)
    if name in ("uniform", "centred_uniform", "gaussian"):
        assert noise.std() == pytest.approx(law.std(), rel=0.02)
    clipped = corrupted(images, name, level, seed=4)
    np.testing.assert_allclose(clipped, np.clip(images + noise.reshape(images.shape), 0, 1), atol=1e-6)


def test_shift_and_spread_are_the_two_parts_of_uniform_noise():
    images = np.full((20, 28, 28, 1), 0.5, np.float32)
    whole, shift, spread = (corrupted(images, *at, clip=False) - 0.5 for at in (("uniform", 0.4), ("shift", 0.2), ("centred_uniform", 0.2)))
    np.testing.assert_allclose(whole, shift + spread, atol=1e-6)
    assert np.ptp(shift) == 0


def test_salt_and_pepper_turns_the_share_of_pixels_that_is_named():
    made = corrupted(np.full((30, 28, 28, 1), 128, np.uint8), "salt_and_pepper", 0.1)
    assert (made != 128).mean() == pytest.approx(0.1, abs=0.01)
    assert (made == 255).mean() == pytest.approx(0.05, abs=0.01)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_what_is_drawn_is_what_it_says(dtype: str):
    top = 1 if dtype == "float32" else np.iinfo(dtype).max
    blank = np.zeros((40, 28, 28, 1), dtype)
    striped = corrupted(blank, "mnist-c/stripe", 3)
    assert np.unique(striped[:, :, :7]) == np.unique(striped[:, :, 21:]) == top
    assert not striped[:, :, 7:21].any()
    lines = corrupted(blank, "mnist-c/zigzag", 1)[..., 0].astype(float) / top
    inside = lines[(lines[:, [0, -1]] == 0).all((1, 2))]  # those that stay on the canvas: one run from column 2 to column 25
    assert len(inside) > 15
    assert (inside.max(1)[:, 3:25] > 0.4).all()
    assert inside[:, :, 0].max() < 0.1
    assert 20 < inside.sum((1, 2)).mean() < 50
    assert len(np.unique(inside.argmax(1)[:, 12])) > 5  # at a height of their own


def test_a_higher_severity_is_the_same_drawing_further():
    digits = pictures("mnist-c", 20).astype(np.float32) / 255
    striped = [corrupted(digits, "mnist-c/stripe", level) for level in range(6)]
    for less, more in pairwise(striped):
        inverted = less != digits
        assert np.array_equal(more[inverted], less[inverted])
    lines = [corrupted(np.zeros_like(digits), "mnist-c/zigzag", level) for level in range(6)]
    assert np.all(np.diff(lines, axis=0) >= 0)
    assert [one.mean() for one in lines] == pytest.approx([lines[1].mean() * count for count in range(6)], rel=0.25)  # some cross
    edges = corrupted(digits, "mnist-c/canny_edges", 5)
    for level in range(1, 5):
        np.testing.assert_allclose(corrupted(digits, "mnist-c/canny_edges", level), digits + (edges - digits) * level / 5, atol=1e-6)


def test_edges_are_those_of_another_library():
    digits = pictures("mnist-c")
    made = corrupted(digits, "mnist-c/canny_edges", 5)[..., 0] > 0
    known = np.stack([feature.canny(image[..., 0] / 255) for image in digits])
    assert made.sum() == pytest.approx(known.sum(), rel=0.15)
    near = [(morphology.dilation(one) & other).sum() / other.sum() for one, other in ((known, made), (made, known))]
    assert min(near) > 0.9


def test_the_suites_hold_what_the_papers_name():
    assert [len(families(suite)) for suite in ("mnist-c", "cifar10-c")] == [15, 19]
    for suite in ("mnist-c", "cifar10-c"):
        for one in families(suite).values():
            assert one.levels == tuple(range(6)), one.name
            assert {len(column) for column in one.at.values()} <= {5}
            assert re.match(r"(exact$|near: .{10}|nearest: .{10})", one.fidelity), one.name


def test_the_tables_are_policies_with_a_source():
    for path in Path(tables.__file__).with_name("tables").glob("*.yaml"):
        text = path.read_text("utf-8")
        assert text.startswith("# ")
        assert path.stem == "noise" or "Apache-2.0" in text.split("\n\n")[0]
    for one in ALL:
        for level in () if is_path(one.text) else one.levels[1:]:
            assert v.parse(str(one.policy(level))) == one.policy(level)


@pytest.mark.parametrize(
    ("name", "level", "says"),
    [
        ("gausian", 0, r"^family: expected one of uniform, .*, got 'gausian'; write gaussian$"),
        ("mnist-c/shot_nois", 0, r"^family: expected one of shot_noise, .*, got 'shot_nois'; write mnist-c/shot_noise$"),
        ("mnist/shot_noise", 0, r"^suite: expected one of cifar10-c, mnist-c, noise, got 'mnist'; write mnist-c$"),
        ("mnist-c/fog", 6, r"^family mnist-c/fog\.level: expected a severity from 0 to 5, got 6; write level=5$"),
        ("mnist-c/fog", 1.5, r"got 1\.5"),
        ("gaussian", "much", r"^family gaussian\.level: expected a number: standard deviation, .*, got 'much'; write level=0\.3$"),
        ("gaussian", -1, r"^family gaussian\.level\.policy\.GaussianNoise\.std: expected .*, got -1"),
        ("gaussian", float("nan"), r"family gaussian\.level"),
    ],
)
def test_what_there_is_not_is_a_sentence(name: str, level, says: str):
    with pytest.raises(v.PolicyError, match=says):
        family(name).policy(level)


@pytest.mark.parametrize("images", [np.zeros((4, 4, 1), np.uint8), np.zeros((0, 4, 4, 1), np.uint8), [np.zeros((4, 4, 1), np.uint8)]])
def test_images_of_another_form_are_refused(images):
    with pytest.raises(v.DataError, match=r"^images: expected .*\(N, H, W, C\)"):
        corrupted(images, "blur", 1)


def test_a_store_makes_every_level_once_and_the_same_again(digits: Dataset):
    test = Corruptions(digits.images[:50], seed=2)
    first = test.at("gaussian", 0.1)
    assert test.at(family("gaussian"), 0.1) is first
    assert np.array_equal(first, corrupted(digits.images[:50], "gaussian", 0.1, seed=2))
    assert test.at("blur", 0) is test.at("contrast", 1)
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0
    assert digits.images.flags.writeable == digits.images[:50].flags.writeable


def test_a_store_keeps_no_more_than_it_may(digits: Dataset):
    images = digits.images[:50]
    test = Corruptions(images, most=3 * images.nbytes)
    kept = {level: test.at("blur", level).copy() for level in (0.5, 1, 1.5, 2)}
    test.at("blur", 1)
    test.at("blur", 3)
    assert test.held <= 3 * images.nbytes
    for level, made in kept.items():
        assert np.array_equal(test.at("blur", level), made)
    assert Corruptions(images, most=1).at("blur", 1).shape == images.shape
