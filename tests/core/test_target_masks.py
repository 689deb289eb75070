"""Dense targets: the nearest rule, label sets, heat maps, further images, volumes, valid pixels, threads."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moving import SIZES, moving
from PIL import Image
from scipy import ndimage

import vicinal as v

RNG = np.random.default_rng(0)
BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])
MOVES = {
    "flip": v.HorizontalFlip(),
    "rotate": v.Rotate(angle=(-40, 40)),
    "scale": v.Scale(factor=(0.5, 1.5)),
    "shrink": v.Resize(size=(21, 19)),
    "grow": v.RandomScale(factor=1.7),
    "crop": v.RandomResizedCrop(size=(24, 31)),
    "elastic": v.ElasticTransform(amplitude=2, smoothness=12),
    "perspective": v.Perspective(amount=0.2),
    "lens": v.OpticalDistortion(k=0.3),
    "jigsaw": v.JigsawShuffle(tiles=3),
    "many": v.parse("Rotate(angle=(-40, 40)) | GridDistortion() | Barrier() | PiecewiseAffine() | Letterbox(size=(33, 47))"),
}
moves = pytest.mark.parametrize("policy", MOVES.values(), ids=MOVES)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.tuples(st.integers(1, 40), st.integers(1, 40)), st.tuples(st.integers(1, 40), st.integers(1, 40)))
def test_a_resized_mask_has_the_pixel_under_each_centre_as_pillow_has(before: tuple, after: tuple) -> None:
    places = [[Fraction((2 * i + 1) * old, 2 * new) for i in range(new)] for old, new in zip(before, after, strict=True)]
    mask = np.random.default_rng(0).integers(0, 255, before, np.uint8)
    got = v.Resize(size=after)(image=np.zeros((*before, 1), np.uint8), mask=mask, seed=0)["mask"]
    expected = np.asarray(Image.fromarray(mask).resize(after[::-1], Image.Resampling.NEAREST))
    # On the line between two pixels the last bit of a double decides.
    clear = [[place.denominator > 1 for place in line] for line in places]
    rows, columns = (np.flatnonzero(line) for line in clear)
    assert np.array_equal(got[np.ix_(rows, columns)], expected[np.ix_(rows, columns)])
    whole = [[int(place) for place in line] for line in places]
    assert np.array_equal(got[np.ix_(rows, columns)], mask[np.ix_(np.array(whole[0])[rows], np.array(whole[1])[columns])])


@BACKENDS
def test_five_labels_to_three_are_those_of_pillow(backend: str) -> None:
    row = np.arange(5, dtype=np.int32)[None]
    out = v.Resize(size=(1, 3))(image=np.zeros((1, 5, 1), np.uint8), mask=row, seed=0, backend=backend)
    assert out["mask"].tolist() == [[0, 2, 4]]


@settings(derandomize=True, max_examples=60, deadline=None)
@given(moving, st.integers(0, 99))
def test_the_set_of_labels_never_grows(policy: v.Node, seed: int) -> None:
    masks = [np.random.default_rng(seed).choice([3, 7, 200], size).astype(np.int16) for size in SIZES]
    out = policy(image=[np.zeros((*size, 1), np.uint8) for size in SIZES], mask=v.Mask(masks, fill=-1), seed=seed)
    for before, after in zip(masks, out["mask"], strict=True):
        assert set(np.unique(after)) <= {*np.unique(before), -1}
        assert after.dtype == np.int16


@moves
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("size", [(40, 52), (71, 90)])
def test_a_heat_map_goes_the_way_of_the_image_to_the_bit(policy: v.Node, dtype: str, size: tuple) -> None:
    smooth = ndimage.gaussian_filter(RNG.random((2, *size, 2)), (0, 2, 2, 0))
    data = smooth.astype(dtype) if dtype == "float32" else (smooth * np.iinfo(dtype).max).astype(dtype)
    out = policy(image=data, heat=v.Mask(data, content="heatmap"), seed=3)
    assert np.array_equal(out["heat"], out["image"])


def test_a_heat_map_is_interpolated_even_where_the_image_is_not_and_fills_with_its_own_value() -> None:
    data = ndimage.gaussian_filter(RNG.random((40, 52)), 2).astype(np.float32)
    near, linear = (v.Rotate(angle=20, interpolation=how, fill=1.0) for how in ("nearest", "linear"))
    heat = v.Mask(data, content="heatmap", fill=0.5)
    one, other = (policy(image=data, heat=heat, seed=0) for policy in (near, linear))
    assert np.array_equal(one["heat"], other["heat"])
    assert not np.array_equal(one["image"], other["image"])
    assert one["heat"][0, 0] == 0.5
    assert one["image"][0, 0] == 1


def test_a_heat_map_shrinks_by_its_mean_and_labels_by_their_middle() -> None:
    data = RNG.random((30, 42)).astype(np.float32)
    out = v.Resize(size=(10, 14))(image=data, heat=v.Mask(data, content="heatmap"), mask=data, seed=0)
    assert out["heat"] == pytest.approx(data.reshape(10, 3, 14, 3).mean((1, 3)), abs=1e-6)
    assert np.array_equal(out["mask"], data[1::3, 1::3])


COLOUR = [v.Brightness(by=(-0.3, 0.3)), v.Gamma(exponent=(0.5, 2)), v.GaussianBlur(sigma=(0.3, 2)), v.Erase(), v.Hue(shift=(-90, 90))]
NOISE = [v.GaussianNoise(std=0.1), v.SaltAndPepper(share=0.3)]


def pictures(seed: int, count: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 25, 31, 3), np.uint8)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(moving, st.sampled_from(COLOUR + NOISE), st.integers(0, 99))
def test_a_further_image_is_what_a_second_call_at_the_same_address_makes(moves: v.Node, other: v.Node, seed: int) -> None:
    policy = v.Compose([moves, other])
    together = policy(image=pictures(seed), right=v.Image(pictures(seed + 1)), seed=seed, index=[5, 9, 2])
    alone = policy(image=pictures(seed + 1), seed=seed, index=[5, 9, 2])
    assert all(np.array_equal(a, b) for a, b in zip(together["right"], alone["image"], strict=True))


@settings(derandomize=True, max_examples=40, deadline=None)
@given(moving, st.sampled_from(COLOUR), st.integers(0, 99))
def test_every_slice_of_a_volume_is_what_an_image_becomes(moves: v.Node, other: v.Node, seed: int) -> None:
    policy, volume = v.Compose([moves, other]), pictures(seed, 4)
    masks = RNG.integers(0, 5, volume.shape[:3])
    out = policy(volume=volume, mask=masks, seed=seed, index=3)
    alone = [policy(image=image, mask=mask, seed=seed, index=3) for image, mask in zip(volume, masks, strict=True)]
    assert np.array_equal(out["volume"], np.stack([one["image"] for one in alone]))
    assert np.array_equal(out["mask"], np.stack([one["mask"] for one in alone]))


def test_volumes_of_several_depths_and_sizes_come_back_in_their_form() -> None:
    volumes = [RNG.integers(0, 255, (depth, 20, 30 + depth), np.uint8) for depth in (3, 1, 5)]
    masks = [(volume > 100).astype(np.uint8) for volume in volumes]
    out = v.parse("Rotate(angle=(-20, 20)) | HorizontalFlip(p=0.5)")(volume=volumes, mask=masks, seed=0)
    assert [one.shape for one in out["volume"]] == [one.shape for one in volumes]
    assert [one.shape for one in out["mask"]] == [one.shape for one in masks]
    for number, (volume, mask) in enumerate(zip(volumes, masks, strict=True)):
        alone = v.parse("Rotate(angle=(-20, 20)) | HorizontalFlip(p=0.5)")(volume=volume, mask=mask, seed=0, index=number)
        assert np.array_equal(out["volume"][number], alone["volume"])
        assert np.array_equal(out["mask"][number], alone["mask"])


@pytest.mark.parametrize("policy", NOISE, ids=str)
def test_noise_differs_from_slice_to_slice(policy: v.Node) -> None:
    volume = np.full((4, 16, 16), 128, np.uint8)
    noise = policy(volume=volume, seed=0)["volume"].astype(float).reshape(4, -1) - 128
    assert np.abs(np.corrcoef(noise) - np.eye(4)).max() < 0.25
    assert np.array_equal(noise[0], policy(image=volume[0], seed=0)["image"].astype(float).ravel() - 128)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(moving, st.integers(0, 99))
def test_valid_pixels_show_the_input(policy: v.Node, seed: int) -> None:
    """All borders here are constant: a mask of ones shows it too, and so do the maps back."""
    out = policy(image=[np.zeros(size, np.uint8) for size in SIZES], mask=[np.ones(size, bool) for size in SIZES], seed=seed, valid=True)
    for row, valid in enumerate(out["valid"]):
        assert np.array_equal(valid, out["mask"][row])
        points = (np.stack(np.meshgrid(*map(np.arange, valid.shape[::-1])), -1).reshape(1, -1, 2) + 0.5).astype(float)
        seen = np.ones(valid.size, bool)
        for move in reversed(out.plan.moves()):
            points = move.backward(points, np.array([row]))
            seen &= ((points[0] >= 0) & (points[0] < move.before[row, ::-1])).all(1) if move.active[row] else True
        # Rounding to whole pixels between passes may go either way along the edges.
        passes = sum(move.active[row] for move in out.plan.moves())
        assert (valid.ravel() != seen).sum() <= (0 if passes < 2 else 0.3 * sum(valid.shape)) + 2


@moves
@pytest.mark.parametrize("border", ["reflect", "replicate"])
def test_what_a_border_mirrors_or_repeats_is_not_valid(policy: v.Node, border: str) -> None:
    images = np.zeros((3, 40, 52, 1), np.uint8)
    shown, empty = (v.Compose([v.Translate(x=(-9, 9), border=kind), v.Barrier(), policy]) for kind in (border, "constant"))
    assert all(np.array_equal(a, b) for a, b in zip(*(p(image=images, seed=0, valid=True)["valid"] for p in (shown, empty)), strict=True))


def test_valid_is_given_only_where_it_is_asked_for_and_everywhere_true_without_moves() -> None:
    image = np.zeros((8, 9, 3), np.uint8)
    assert "valid" not in v.Rotate(angle=20)(image=image, seed=0)
    out = v.Invert()(image=image, seed=0, valid=True)["valid"]
    assert (out.shape, out.dtype, out.all()) == ((8, 9), bool, True)


@settings(derandomize=True, max_examples=20, deadline=None)
@given(moving, st.sampled_from(COLOUR + NOISE), st.booleans(), st.integers(0, 99))
def test_two_threads_give_the_same_bits(moves: v.Node, other: v.Node, ragged: bool, seed: int) -> None:
    policy = v.Compose([moves, v.Compose([other], p=0.5)])
    images = [np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8) for size in (SIZES if ragged else SIZES[:1] * 5)]
    given_more = {
        "mask": [image[..., 0] for image in images],
        "heat": v.Mask([image[..., 1] for image in images], content="heatmap"),
        "right": v.Image(images),
        "masks": [np.stack([image[..., 0] > 90, image[..., 1] > 200]) for image in images],
        "boxes": [[[1.0, 1, 5, 6], [7, 8, 20, 21]]] * len(images),
        "keypoints": [[[3.0, 4, 1], [8, 8, 1]]] * len(images),
    }
    one, two = (policy(image=images, **given_more, seed=seed, threads=threads, valid=True) for threads in (1, 2))
    for name in one:
        assert len(one[name]) == len(two[name])
        assert all(np.array_equal(a, b, equal_nan=a.dtype.kind == "f") for a, b in zip(one[name], two[name], strict=True))


@pytest.mark.parametrize("name", [name for name, cls in v.registry().items() if issubclass(cls, v.Transform) and "image" in cls.needs])
def test_threads_without_work_for_some_pass_do_no_harm(name: str) -> None:
    cls = v.registry()[name]
    if not cls.__module__.startswith("vicinal.") or cls.mixes or cls.whole:
        return
    images = np.random.default_rng(0).integers(0, 256, (6, 16, 17, 3), np.uint8)
    policy = cls(**{**cls.example, "p": 0.3})
    one, two = (policy(images, seed=1, threads=threads) for threads in (1, 3))
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", True])
def test_a_strange_number_of_threads_gets_a_sentence(threads: object) -> None:
    with pytest.raises(v.ParameterError, match=r"^threads: expected a whole number of 1 or more, got .*; write threads=2$"):
        v.Invert()(np.zeros((8, 8), np.uint8), seed=0, threads=threads)
