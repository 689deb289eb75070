"""Pipelines of Albumentations: the same pictures for fixed parameters, the same distributions for random ones."""

from __future__ import annotations

import pickle
import random
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps
from scipy import stats

import vicinal as v
from foreign import albumentations
from vicinal.testing.case import pictures

IMAGES = pictures(4, 61, 80)
DRAWS = 2000


pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module")
def A():
    return albumentations()


@pytest.fixture(params=["waves", "photograph"])
def image(request) -> np.ndarray:
    if request.param == "waves":
        return IMAGES[1]
    path = sorted(request.getfixturevalue("shared_data")("photos").rglob("*.jpg"))[0]
    return cv2.resize(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), (150, 101), interpolation=cv2.INTER_AREA)


def difference(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    return np.abs(ours.astype(float) - theirs.astype(float))


# An operation with fixed parameters; how far single values may lie apart, as levels of 8 bits: rounding, or interpolation.
FIXED = [
    ("HorizontalFlip(p=1)", 0),
    ("VerticalFlip(p=1)", 0),
    ("Transpose(p=1)", 0),
    ("NoOp(p=1)", 0),
    ("InvertImg(p=1)", 0),
    ("CenterCrop(31, 40)", 0),
    ("CenterCrop(30, 41)", 0),
    ("Pad(padding=3)", 0),
    ("Pad(padding=(3, 5), border_mode=2)", 0),
    ("Pad(padding=(1, 2, 3, 4), border_mode=1)", 0),
    ("Pad(padding=2, fill=51)", 0),
    ("Resize(40, 90)", 1),
    ("Resize(122, 33)", 1),
    ("RandomGamma((70, 70), p=1)", 1),
    ("RandomBrightnessContrast((0.2, 0.2), (0, 0), p=1)", 1),
    ("RandomBrightnessContrast((0, 0), (0.3, 0.3), p=1)", 1),
    ("RandomBrightnessContrast((0.1, 0.1), (-0.3, -0.3), p=1)", 1),
    ("ToGray(p=1)", 1),
    ("Normalize()", 1e-5),
    ("Rotate((25, 25), p=1)", 8),
    ("Rotate((-70, -70), p=1, border_mode=1)", 8),
    ("Rotate((30, 30), p=1, border_mode=2)", 8),
    ("Rotate((30, 30), p=1, fill=102)", 8),
    ("Affine(rotate=(20, 20), scale=1.2, p=1)", 8),
    ("Affine(scale=0.7, shear={'x': 12.0, 'y': 0.0}, rotate=9, p=1)", 8),
    ("Affine(scale=1.1, shear={'x': 0.0, 'y': -8.0}, rotate=-9, p=1)", 8),
    ("Affine(translate_px={'x': 7, 'y': -4}, p=1)", 0),
    ("Affine(translate_px={'x': 7, 'y': -4}, rotate=12, p=1)", 8),
    ("ShiftScaleRotate((0, 0), (0.2, 0.2), (15, 15), p=1)", 8),
    ("Posterize(3, p=1)", 0),
    ("Solarize((0.4, 0.4), p=1)", 0),
    ("RGBShift((20, 20), (-30, -30), (5, 5), p=1)", 1),
    ("HueSaturationValue((20, 20), (0, 0), (0, 0), p=1)", 8),
    ("HueSaturationValue((0, 0), (-40, -40), (20, 20), p=1)", 8),
    ("ToSepia(p=1)", 1),
    ("GaussianBlur(sigma_limit=(1.7, 1.7), p=1)", 2),
    ("Blur((5, 5), p=1)", 1),
    ("MedianBlur((5, 5), p=1)", 0),
    ("AutoContrast(method='pil', p=1)", 1),
    ("CLAHE((3, 3), (4, 4), p=1)", 1),
    ("LongestMaxSize(50)", 1),
    ("SmallestMaxSize(90)", 1),
    ("PadIfNeeded(125, 170)", 0),
]


@pytest.mark.parametrize(("text", "allowed"), FIXED, ids=[text for text, _ in FIXED])
def test_fixed_parameters_give_the_same_picture(A, image, text, allowed):
    operation = eval(f"A.{text}", {"A": A})
    report = v.bridge_report(operation)
    if any("this version has no" in line.reason for line in report.wrapped):
        pytest.skip(str(report))
    assert report.wrapped == (), str(report)
    far = difference(v.from_albumentations(operation)(image, seed=3), operation(image=image)["image"])
    # Where a rotated border meets the picture, half a pixel of interpolation is worth more than the tolerance.
    assert np.quantile(far, 0.98) <= allowed
    assert far.mean() <= min(allowed, 0.6)  # the original rounds down


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_compression_is_the_originals_with_red_and_blue_told_apart(A, image, kind):
    operation = A.ImageCompression(kind, (40, 40), p=1)
    if v.bridge_report(operation).wrapped:
        pytest.skip(str(v.bridge_report(operation)))
    swapped = np.ascontiguousarray(image[..., ::-1])
    ours, theirs = v.from_albumentations(operation)(swapped, seed=0)[..., ::-1], operation(image=image)["image"]
    if kind == "jpeg":
        assert np.array_equal(ours, theirs)
    lost = [difference(made, image).mean() for made in (ours, theirs)]
    assert lost[0] == pytest.approx(lost[1], rel=0.25)


@pytest.mark.parametrize("mode", ["pil", "cv"])
def test_equalize_is_pillows_and_the_originals_but_for_a_few_levels(A, image, mode):
    operation = A.Equalize(mode=mode, p=1)
    if v.bridge_report(operation).wrapped:
        pytest.skip(str(v.bridge_report(operation)))
    ours = v.from_albumentations(operation)(image, seed=0)
    assert np.array_equal(ours, np.asarray(ImageOps.equalize(Image.fromarray(image))))
    assert difference(ours, operation(image=image)["image"]).max() <= 10


def test_a_whole_pipeline_of_fixed_parameters_gives_the_same_picture(A, image):
    pipeline = A.Compose([A.RandomGamma((80, 80), p=1), A.Affine(rotate=10, scale=1.3, p=1), A.HorizontalFlip(p=1), A.CenterCrop(60, 60),
                          A.Sequential([A.InvertImg(p=1), A.Normalize(mean=0.4, std=0.3)], p=1)])  # fmt: skip
    policy = v.from_albumentations(pipeline)
    assert difference(policy(image, seed=0), pipeline(image=image)["image"]).mean() < 0.01
    assert {line.verdict for line in v.bridge_report(pipeline).lines} == {"exact"}
    batch = np.stack([image] * 3)
    assert len(policy.explain(batch).splitlines()) <= 5


def test_a_barrier_stands_where_fused_geometry_would_see_more(A):
    pipeline, image = A.Compose([A.CenterCrop(30, 30), A.Rotate((40, 40), p=1)]), np.full((61, 61, 3), 200, np.uint8)
    theirs = pipeline(image=image)["image"]
    exact, fused = (v.from_albumentations(pipeline, near=near)(image, seed=0) for near in (False, True))
    assert difference(exact, theirs).mean() < 1
    assert (theirs == 0).any()
    assert not (fused == 0).any()
    assert "pushed off the canvas" in str(v.bridge_report(pipeline))


def drawn(A, operation, read, image=IMAGES[0]) -> np.ndarray:
    """What the original draws, ``read`` from the parameters of each call."""
    operation.set_random_state(np.random.default_rng(7), random.Random(7))
    found = []
    for _ in range(DRAWS):
        operation(image=image)
        found.append(read(operation.params))
    return np.array(found, float)


def planned(policy, read, image=IMAGES[0]) -> np.ndarray:
    """What the policy draws at as many addresses, ``read`` from its plan."""
    return np.array(read(policy(image=np.stack([image] * DRAWS), seed=11).plan), float)


def linear(plan, row: int, column: int) -> np.ndarray:
    """One entry of the maps of a plan of one warp."""
    (warp,) = plan.primitives
    return warp.settled().matrix[:, row, column]


def params(name: str, path: str | None = None):
    return lambda plan: next(found[name] for where, found in plan.params.items() if name in found and (path is None or where == path))


RANDOM = [
    ("Rotate((-30, 50), p=1)", lambda p: p["matrix"][0][1], lambda plan: linear(plan, 0, 1)),
    ("Affine(rotate=(-9, 20), scale=(0.7, 1.4), keep_ratio=True, p=1)", lambda p: p["matrix"][0][0], lambda plan: linear(plan, 0, 0)),
    ("Affine(shear={'x': (-20, 5), 'y': (0, 0)}, p=1)", lambda p: p["matrix"][0][1], lambda plan: linear(plan, 0, 1)),
    ("Affine(translate_px={'x': (-5, 9), 'y': (0, 2)}, p=1)", lambda p: p["matrix"][0][2], lambda plan: linear(plan, 0, 2)),
    ("Affine(translate_px={'x': (-5, 9), 'y': (0, 2)}, p=1)", lambda p: p["matrix"][1][2], lambda plan: linear(plan, 1, 2)),
    ("RandomCrop(20, 33)", lambda p: p["crop_coords"][0], lambda plan: -linear(plan, 0, 2)),
    ("RandomCrop(20, 33)", lambda p: p["crop_coords"][1], lambda plan: -linear(plan, 1, 2)),
    ("RandomGamma((60, 150), p=1)", lambda p: p["gamma"], params("exponent")),
    ("RandomBrightnessContrast((-0.3, 0.1), (-0.2, 0.5), p=1)", lambda p: p["alpha"], params("gain")),
    ("RandomBrightnessContrast((-0.3, 0.1), (-0.2, 0.5), p=1)", lambda p: p["beta"] / 255, params("by")),
    ("Illumination('gaussian', (0.1, 0.2), 'both', p=1)", lambda p: p["intensity"], params("strength")),
    ("Illumination('gaussian', (0.1, 0.2), 'darken', p=1)", lambda p: p["center"][0], params("x")),
    ("RandomToneCurve(0.05, p=1)", lambda p: p["low_y"], lambda plan: params("low")(plan)[:, 0]),
    ("MultiplicativeNoise((0.7, 1.2), p=1)", lambda p: np.ravel(p["multiplier"])[0], params("gain")),
    ("GaussNoise((0.1, 0.3), p=1)", lambda p: np.std(p["noise_map"]) / 255, params("std")),
]


@pytest.mark.parametrize(("text", "theirs", "ours"), RANDOM, ids=[f"{n}-{text}" for n, (text, *_) in enumerate(RANDOM)])
def test_random_parameters_have_the_same_distribution(A, text, theirs, ours):
    operation = eval(f"A.{text}", {"A": A})
    policy = v.Compose([v.from_albumentations(operation)])
    test = stats.ks_2samp(drawn(A, operation, theirs), planned(policy, ours))
    assert test.pvalue > 1e-3, test


def test_posterize_draws_the_same_whole_numbers(A):
    if "Posterize" not in v.registry():
        pytest.skip("this version has no Posterize")
    operation = A.Posterize((2, 5), p=1)
    theirs = drawn(A, operation, lambda p: p["num_bits"])
    ours = planned(v.Compose([v.from_albumentations(operation)]), params("bits"))
    table = [np.bincount(values.astype(int), minlength=6)[2:] for values in (ours, theirs)]
    assert stats.chi2_contingency(table).pvalue > 1e-3


def picks(policy, labels: list[str]) -> np.ndarray:
    """(n, len(labels)) which of the operations acted."""
    found = policy(image=np.zeros((8000, 2, 2, 3), np.uint8), seed=5).plan.params
    return np.stack([found.get(label, {"on": np.zeros(8000, bool)})["on"] for label in labels], 1)


def test_groups_choose_as_the_originals_do(A):
    pipeline = A.Compose([A.OneOf([A.HorizontalFlip(p=0.2), A.VerticalFlip(p=0.6)], p=0.5)])
    acted = picks(v.from_albumentations(pipeline), ["OneOf/HorizontalFlip", "OneOf/VerticalFlip"])
    assert not acted.all(1).any()
    counts = [acted[:, 0].sum(), acted[:, 1].sum(), (~acted.any(1)).sum()]
    assert stats.chisquare(counts, np.array([1 / 8, 3 / 8, 1 / 2]) * 8000).pvalue > 1e-3

    some = v.from_albumentations(A.Compose([A.SomeOf([A.HorizontalFlip(p=0.5), A.VerticalFlip(p=1), A.Transpose(p=1)], n=2)]))
    share = picks(some, ["SomeOf/HorizontalFlip", "SomeOf/VerticalFlip", "SomeOf/Transpose"]).mean(0)
    assert share == pytest.approx([1 / 3, 2 / 3, 2 / 3], abs=0.03)

    either = v.from_albumentations(A.OneOrOther(A.HorizontalFlip(p=0.1), A.VerticalFlip(p=0.1), p=0.7))
    share = picks(v.Compose([either]), ["OneOf/HorizontalFlip", "OneOf/VerticalFlip"]).mean(0)
    assert share == pytest.approx([0.7, 0.3], abs=0.03)


def test_a_random_order_is_a_choice_among_all_orders(A):
    policy = v.from_albumentations(A.Compose([A.RandomOrder([A.HorizontalFlip(), A.Transpose(), A.InvertImg()], n=2)]))
    (orders,) = policy.children
    assert len({str(one) for one in orders.children}) == 6
    many = A.RandomOrder([A.HorizontalFlip() for _ in range(6)], n=6)
    assert "a random order of so many operations" in str(v.bridge_report(many))


def test_d4_is_uniform_over_the_eight_symmetries(A):
    image = np.arange(9, dtype=np.uint8).reshape(3, 3, 1)
    made = v.from_albumentations(A.D4())(np.stack([image] * 4000), seed=1)
    counts = np.unique([bytes(one) for one in made], return_counts=True)[1]
    assert len(counts) == 8
    assert stats.chisquare(counts).pvalue > 1e-3


# What has no counterpart runs as it is.


def wrapped(A):
    return v.from_albumentations(
        A.Compose([A.RingingOvershoot(p=0.5), A.Morphological(p=0.5), A.RingingOvershoot(p=0.5), A.GaussNoise(p=1)])
    )


def test_a_wrapped_operation_depends_on_the_address_alone(A):
    policy = wrapped(A)
    whole = policy(IMAGES, seed=1, index=range(4))
    assert not np.array_equal(whole, IMAGES)
    for row in (3, 1):
        assert np.array_equal(policy(IMAGES[row], seed=1, index=row), whole[row])
    assert not np.array_equal(policy(IMAGES, seed=1, epoch=1), whole)
    again = policy.at(seed=1, index=2)
    assert np.array_equal(again.replay(IMAGES[2]), whole[2])
    assert np.array_equal(pickle.loads(pickle.dumps(policy))(IMAGES, seed=1), whole)


def test_threads_share_a_policy(A):
    policy = wrapped(A)
    alone = [policy(IMAGES, seed=seed) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda seed: policy(IMAGES, seed=seed), range(8)))
    assert all(np.array_equal(a, b) for a, b in zip(alone, together, strict=True))


def test_wrapped_operations_draw_apart_where_one_seed_would_bind_them_together(A):
    # In a seeded Compose of Albumentations 2.0.8 all children share one seed: of 64 patterns of six operations, two ever come.
    policy = v.from_albumentations(A.Compose([A.Morphological(p=0.5) for _ in range(6)], seed=0))
    found = policy(image=np.zeros((2000, 4, 4, 3), np.uint8), seed=0).plan.params
    patterns = np.stack([found[path]["on"] for path in found], 1) @ (2 ** np.arange(6))
    assert stats.chisquare(np.bincount(patterns, minlength=64)).pvalue > 1e-3
    keys = np.stack([values["key"][0] for values in found.values()])
    assert len(np.unique(keys, axis=0)) == 6


def test_the_report_lists_what_was_wrapped_and_why(A):
    pipeline = A.Compose([A.Rotate(border_mode=4), A.RingingOvershoot(), A.Affine(fill=(1, 2, 3)), A.Resize(9, 9, interpolation=2)])
    assert [str(line) for line in v.bridge_report(pipeline).wrapped] == [
        "wrapped  Compose[0].Rotate: a border that mirrors without its edge pixel, or wraps around; refuses boxes, masks and keypoints",
        "wrapped  Compose[1].RingingOvershoot: a sinc filter",
        "wrapped  Compose[2].Affine: a fill of its own for every channel, or one that is no number; refuses boxes, masks and keypoints",
        "wrapped  Compose[3].Resize: interpolation other than nearest and linear; refuses boxes, masks and keypoints",
    ]
    assert len(v.bridge_report(A.ShiftScaleRotate(), near=False).wrapped) == 1


def test_an_operation_of_your_own_is_wrapped_whatever_its_name(A):
    class Rotate(A.ImageOnlyTransform):
        def apply(self, img, **params):
            return img // 2

    assert np.array_equal(v.from_albumentations(Rotate(p=1))(IMAGES, seed=0), IMAGES // 2)


def test_annotations_are_refused_only_where_they_could_not_follow(A):
    boxes, mask = np.array([[3.0, 4, 20, 30]]), np.zeros((61, 80), np.uint8)
    colour = v.from_albumentations(A.Compose([A.HorizontalFlip(p=1), A.RingingOvershoot(p=1)]))
    assert colour(image=IMAGES[0], boxes=boxes, seed=0)["boxes"].tolist() == [[60, 4, 77, 30]]
    moving = v.from_albumentations(A.Compose([A.Morphological(p=1)]))
    with pytest.raises(v.TargetError, match=r"Morphological, an operation of albumentations without a counterpart: "
                                            r"expected images alone: annotations cannot follow it, got boxes and mask"):  # fmt: skip
        moving(image=IMAGES[0], boxes=boxes, mask=mask, seed=0)


def test_a_wrapped_operation_that_changes_the_size_is_refused(A):
    policy = v.from_albumentations(A.Resize(20, 20, interpolation=2))
    with pytest.raises(
        v.TargetError, match=r"Resize, an operation of albumentations .*: expected uint8 \(61, 80, 3\), as it came, got uint8 \(20"
    ):
        policy(IMAGES, seed=0)


def test_what_is_wrapped_cannot_be_written_down(A, tmp_path):
    policy = wrapped(A)
    assert policy.fingerprint == wrapped(A).fingerprint
    assert policy.fingerprint != v.from_albumentations(A.RingingOvershoot(p=0.5)).fingerprint
    for write in (lambda: policy.save(tmp_path / "policy.yaml"), policy.data, lambda: policy.at(seed=0).as_dict()):
        with pytest.raises(v.PolicyError, match=r"Foreign\.operation: expected plain data, .* of albumentations: RingingOvershoot"):
            write()
    assert list(tmp_path.iterdir()) == []
    nameless = v.from_albumentations(A.Lambda(image=lambda image, **more: image))
    with pytest.raises(v.PolicyError, match="fingerprint: expected settings that can be told by their repr"):
        _ = nameless.fingerprint


def test_other_things_are_refused_with_a_sentence(A):
    with pytest.raises(v.PolicyError, match=r"^pipeline: expected a pipeline of Albumentations or torchvision, got builtins\.list"):
        v.from_albumentations([A.HorizontalFlip()])
    with pytest.raises(
        v.PolicyError, match=r"expected a pipeline of torchvision, got albumentations; write v\.from_albumentations\(pipeline\)"
    ):
        v.from_torchvision(A.HorizontalFlip())
    with pytest.raises(v.PolicyError, match="expected a cast that happens to every sample, got one inside a random group"):
        v.from_albumentations(A.OneOf([A.Normalize(), A.HorizontalFlip()]))
