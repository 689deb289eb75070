"""Every transform of the other libraries: named once, runs or is refused with a sentence, and does what the original does."""

from __future__ import annotations

import importlib.util
import random
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy import stats

import vicinal as v
from foreign import albumentations, torchvision
from vicinal.bridges.albumentations import LIBRARY as ALBUMENTATIONS
from vicinal.bridges.torchvision import LIBRARY as TORCHVISION
from vicinal.testing.case import pictures

DOCS = Path(__file__).resolve().parents[2] / "docs"
IMAGES = pictures(4, 60, 60)
SAMPLES = 16
pytestmark = pytest.mark.filterwarnings("ignore")


def loaded(library: str) -> Any:
    return albumentations() if library == "albumentations" else torchvision()[1]


@pytest.fixture(scope="module", params=["albumentations", "torchvision"])
def library(request) -> str:
    loaded(request.param)
    return request.param


@pytest.fixture(scope="module")
def bridges() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_bridges", DOCS / "make_bridges.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["make_bridges"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_transform_has_a_rule_or_a_reason_and_nothing_else_has(bridges, library):
    held = {"albumentations": ALBUMENTATIONS, "torchvision": TORCHVISION}[library]
    tables = [set(held.rules), set(held.groups), set(held.wrapped)]
    names = {name for name, _ in bridges.operations(library)} | ({"Sequential"} if library == "torchvision" else set())  # torch's own
    assert set.union(*tables) == names
    assert sum(map(len, tables)) == len(set.union(*tables))


def test_the_page_is_up_to_date(bridges):
    for library in ("albumentations", "torchvision"):
        loaded(library)
    assert bridges.PAGE.read_text("utf-8") == bridges.page(), "run python docs/make_bridges.py"


def test_what_is_not_exact_says_why(bridges, library):
    for name, operation in bridges.operations(library):
        verdict, reason = bridges.verdict(operation)
        assert bool(reason) == (verdict != "exact"), name


# What looks at the other samples of a batch.
MIXES = {"CutMix", "MixUp"}


def test_every_transform_runs_alike_in_any_batch_or_is_refused_with_a_sentence(bridges, library):
    translate, refused = getattr(v, f"from_{library}"), set()
    for name, operation in bridges.operations(library):
        policy = translate(operation)
        try:
            whole = policy(IMAGES, seed=1, index=range(4))
        except v.VicinalError:
            refused.add(name)
            continue
        if name not in MIXES:
            turned = policy(IMAGES[::-1].copy(), seed=1, index=range(3, -1, -1))
            assert all(np.array_equal(one, other) for one, other in zip(whole, list(turned)[::-1], strict=True)), name
    assert refused <= set({"albumentations": ALBUMENTATIONS, "torchvision": TORCHVISION}[library].wrapped) | {"Grayscale"}


def test_near_false_leaves_nothing_that_is_near(bridges, library):
    for name, operation in bridges.operations(library):
        verdicts = {line.verdict for line in v.bridge_report(operation, near=False).lines}
        assert "near" not in verdicts or name == "ToTensorV2"  # a cast stands at the end, wrapped or not


@pytest.mark.parametrize(("library", "version"), [("albumentations", "2.1.0"), ("albumentations", "1.4.24"), ("torchvision", "0.29.0+cpu")])
def test_another_version_is_refused(library, version, monkeypatch):
    held = loaded(library)
    operation = held.HorizontalFlip() if library == "albumentations" else held.RandomHorizontalFlip()
    monkeypatch.setattr(sys.modules[library], "__version__", version)
    with pytest.raises(v.PolicyError, match=rf"expected one of {library} [\d.]+, got one of {library} {version.split('+')[0]}"):
        v.bridge_report(operation)


def test_further_targets_and_filters_of_a_composition_are_told():
    A = albumentations()
    boxes = A.BboxParams("coco", label_fields=[], min_visibility=0.3)
    notes = [line.reason for line in v.bridge_report(A.Compose([A.NoOp()], bbox_params=boxes, additional_targets={"right": "image"})).lines]
    assert "v.Boxes(boxes, format=...)" in notes[0]
    assert "min_visibility=0.3" in notes[1]
    assert "further targets (right)" in notes[2]


def test_an_operation_that_needs_more_than_an_image_says_so():
    A = albumentations()
    with pytest.raises(v.TargetError, match=r"FDA, an operation .*: expected an operation that can run on this item alone"):
        v.from_albumentations(A.FDA(p=1))(IMAGES[0], seed=0)


# Fixed parameters: the mean difference that is allowed, in levels of 8 bits, or as a share of what the original changes.
EXACT = [
    ("Crop(3, 4, 23, 30)", 0),
    ("CropAndPad(px=(1, 2, 3, 4), keep_size=False)", 0),
    ("CropAndPad(px=2, keep_size=False, border_mode=2)", 0),
    ("Sharpen((0.3, 0.3), (1, 1), p=1)", 0.5),
    ("Emboss((0.4, 0.4), (1, 1), p=1)", 0.5),
    ("RandomToneCurve(0.0001, p=1)", 0.5),
    ("MultiplicativeNoise((1.3, 1.3), p=1)", 0.5),
    ("Illumination('gaussian', (0.2, 0.2), 'brighten', center_range=(0.4, 0.4), sigma_range=(0.3, 0.3), p=1)", 0.6),
    ("Illumination('linear', (0.2, 0.2), 'darken', angle_range=(180, 180), p=1)", 0.5),
    ("Illumination('linear', (0.2, 0.2), 'brighten', angle_range=(90, 90), p=1)", 0.5),
    ("TimeReverse(p=1)", 0),
]
NEAR = [
    ("RandomScale((0.3, 0.3), p=1)", None),
    ("MotionBlur((7, 7), angle_range=(30, 30), direction_range=(0, 0), allow_shifted=False, p=1)", 0.25),
    ("MotionBlur((9, 9), angle_range=(200, 200), direction_range=(0.8, 0.8), allow_shifted=False, p=1)", 0.7),
    ("Defocus((4, 4), (0.3, 0.3), p=1)", 0.1),
    ("ZoomBlur((1.2, 1.2), (0.02, 0.02), p=1)", 0.4),
    ("Sharpen((0.3, 0.3), (0.7, 0.7), p=1)", 0.1),
    ("UnsharpMask((5, 5), (0, 0), (0.5, 0.5), 0, p=1)", 0.4),
    ("Emboss((0.4, 0.4), (0.5, 0.5), p=1)", 0.2),
    ("Downscale((0.4, 0.4), {'downscale': 3, 'upscale': 1}, p=1)", 0.1),
    ("ChromaticAberration((0.05, 0.05), (0.02, 0.02), p=1)", 0.6),
    ("OpticalDistortion((0.3, 0.3), p=1)", 0.3),
    ("OpticalDistortion((-0.3, -0.3), p=1)", 0.5),
    ("OpticalDistortion((0.3, 0.3), mode='fisheye', p=1)", 0.1),
]


def compared(text: str) -> tuple[Any, np.ndarray, np.ndarray]:
    """The operation, and what both make of a picture."""
    A = albumentations()
    operation = eval(f"A.{text}", {"A": A})
    ours, theirs = v.from_albumentations(operation)(IMAGES[1], seed=3), operation(image=IMAGES[1])["image"]
    assert ours.shape == theirs.shape
    return operation, ours.astype(float), theirs.astype(float)


@pytest.mark.parametrize(("text", "allowed"), EXACT, ids=[text for text, _ in EXACT])
def test_what_is_exact_gives_the_same_picture(text, allowed):
    operation, ours, theirs = compared(text)
    assert {line.verdict for line in v.bridge_report(operation).lines} == {"exact"}
    assert np.abs(ours - theirs).mean() <= allowed
    assert np.quantile(np.abs(ours - theirs), 0.98) <= max(2 * allowed, 0)


@pytest.mark.parametrize(("text", "allowed"), NEAR, ids=[text for text, _ in NEAR])
def test_what_is_near_differs_by_less_than_it_changes(text, allowed):
    operation, ours, theirs = compared(text)
    assert {line.verdict for line in v.bridge_report(operation).lines} == {"near"}
    limit = 0.5 if allowed is None else allowed * np.abs(theirs - IMAGES[1]).mean()
    assert np.abs(ours - theirs).mean() <= limit


# Random operations: how much they change on average, over what the originals do.
STRENGTHS = [
    ("MotionBlur((3, 9), allow_shifted=False, p=1)", 0.6, 1.6),
    ("ZoomBlur(p=1)", 0.7, 1.6),
    ("GlassBlur(0.7, 2, 2, p=1)", 0.7, 1.8),
    ("Sharpen(p=1)", 0.7, 1.4),
    ("ChromaticAberration(p=1)", 0.5, 2),
    ("Superpixels((1, 1), (60, 60), max_size=None, p=1)", 0.7, 1.5),
    ("PlasmaShadow((0.5, 0.5), p=1)", 0.7, 1.5),
    ("RandomShadow((0, 0, 1, 1), p=1)", 0.7, 1.8),
    ("ShotNoise(p=1)", 0.7, 1.4),
    ("Perspective((0.05, 0.1), p=1)", 0.5, 1.4),
    ("ElasticTransform(100, 5, p=1)", 0.6, 1.4),
    ("GridDistortion(5, (-0.3, 0.3), p=1)", 0.6, 1.5),
    ("RandomGridShuffle((3, 3), p=1)", 0.8, 1.25),
    ("MultiplicativeNoise((0.7, 1.3), per_channel=True, elementwise=True, p=1)", 0.8, 1.2),
    ("SaltAndPepper(p=1)", 0.8, 1.25),
    ("PixelDropout(0.1, p=1)", 0.9, 1.1),
    ("CoarseDropout((3, 3), (0.2, 0.2), (0.2, 0.2), fill='random', p=1)", 0.8, 1.25),
    ("Erasing((0.1, 0.3), (0.3, 3.3), fill='random', p=1)", 0.8, 1.4),
    ("GridDropout(0.5, unit_size_range=(10, 11), p=1)", 0.9, 1.1),
    ("GridDropout(0.5, fill=(255, 0, 0), p=1)", 0.9, 1.1),
    ("GaussNoise((0.1, 0.1), per_channel=False, p=1)", 0.9, 1.1),
    ("AdditiveNoise('uniform', 'per_pixel', {'ranges': [(-0.1, 0.2)]}, p=1)", 0.9, 1.1),
    ("AdditiveNoise('gaussian', 'per_pixel', {'mean_range': (0, 0), 'std_range': (0.1, 0.1)}, p=1)", 0.9, 1.1),
    ("AdditiveNoise('laplace', 'shared', {'mean_range': (0, 0), 'scale_range': (0.1, 0.1)}, p=1)", 0.9, 1.1),
]


def changes(policy: Any, call: Any, image: np.ndarray) -> float:
    """How much more a policy changes than an original, on average."""
    ours = policy(np.stack([image] * SAMPLES), seed=5).astype(float)
    theirs = np.stack([call() for _ in range(SAMPLES)]).astype(float)
    return np.abs(ours - image).mean() / np.abs(theirs - image).mean()


@pytest.mark.parametrize(("text", "low", "high"), STRENGTHS, ids=[text for text, *_ in STRENGTHS])
def test_random_operations_change_as_much(text, low, high):
    A = albumentations()
    operation = eval(f"A.{text}", {"A": A})
    assert v.bridge_report(operation).wrapped == ()
    operation.set_random_state(np.random.default_rng(7), random.Random(7))
    image = IMAGES[1]
    assert low <= changes(v.from_albumentations(operation), lambda: operation(image=image)["image"], image) <= high


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("RandomPerspective(0.5, p=1)", 0.9, 1.1),
        ("RandomPerspective(0.2, p=1)", 0.85, 1.15),
        ("ElasticTransform()", 0.7, 1.3),
        ("RandomPhotometricDistort(p=1.0)", 0.75, 1.3),
        ("RandomErasing(p=1, scale=(0.1, 0.1), ratio=(2.0, 3.0))", 0.9, 1.1),
    ],
)
def test_random_operations_of_torchvision_change_as_much(text, low, high):
    import torch

    operation = eval(f"T.{text}", {"T": torchvision()[1]})
    assert v.bridge_report(operation).wrapped == ()
    image = IMAGES[1]
    tensor = torch.from_numpy(image.transpose(2, 0, 1).copy())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        assert low <= changes(v.from_torchvision(operation), lambda: operation(tensor).numpy().transpose(1, 2, 0), image) <= high


def test_erased_rectangles_are_as_high_and_as_wide_as_the_originals():
    T, A = torchvision()[1], albumentations()
    ours = [v.from_torchvision(T.RandomErasing(p=1, scale=(0.1, 0.1), ratio=(2.0, 3.0), value=255))]
    ours += [v.from_albumentations(A.Erasing((0.1, 0.1), (2.0, 3.0), fill=255, p=1))]
    for policy, upright in zip(ours, (True, False), strict=True):
        white = policy(np.zeros((60, 60, 1), np.uint8), seed=0)[..., 0] == 255
        assert (white.any(1).sum() > 1.7 * white.any(0).sum()) == upright
        assert (white.any(0).sum() > 1.7 * white.any(1).sum()) != upright


def test_the_aspect_of_an_erased_rectangle_has_the_same_distribution():
    A = albumentations()
    operation = A.Erasing((0.05, 0.05), (0.5, 2.0), fill=255, p=1)
    operation.set_random_state(np.random.default_rng(3), random.Random(3))
    blank = np.zeros((200, 200, 1), np.uint8)
    theirs = [_aspect(operation(image=blank)["image"]) for _ in range(300)]
    ours = [_aspect(one) for one in v.from_albumentations(operation)(np.stack([blank] * 300), seed=1)]
    assert stats.ks_2samp(ours, theirs).pvalue > 1e-3


def _aspect(image: np.ndarray) -> float:
    white = image[..., 0] == 255
    return white.any(0).sum() / white.any(1).sum()


def test_a_window_at_a_fixed_place_moves_boxes_with_it():
    A = albumentations()
    crop = A.Compose([A.Crop(10, 5, 40, 45)], bbox_params=A.BboxParams("pascal_voc", label_fields=[]))
    boxes = np.array([[12.0, 8, 30, 40], [0, 0, 20, 20]])
    theirs = crop(image=IMAGES[0], bboxes=boxes)
    ours = v.from_albumentations(crop)(image=IMAGES[0], boxes=boxes, seed=0)
    assert np.array_equal(ours["image"], theirs["image"])
    assert ours["boxes"] == pytest.approx(np.asarray(theirs["bboxes"])[:, :4], abs=1e-3)


def test_a_window_around_the_mask_has_the_same_distribution():
    A = albumentations()
    operation = A.CropNonEmptyMaskIfExists(20, 20)
    operation.set_random_state(np.random.default_rng(3), random.Random(3))
    mask, image = np.zeros((60, 60), np.uint8), np.mgrid[:60, :60].transpose(1, 2, 0)[..., ::-1].astype(np.uint8)
    image = np.concatenate([image, image[..., :1]], -1).copy()
    mask[12:30, 20:55] = 1
    theirs = np.array([operation(image=image, mask=mask)["image"][0, 0, :2] for _ in range(400)])
    batch = v.from_albumentations(operation)(image=np.stack([image] * 400), mask=np.stack([mask] * 400), seed=4)["image"]
    for axis in (0, 1):
        assert stats.ks_2samp(batch[:, 0, 0, axis], theirs[:, axis]).pvalue > 1e-3


def test_photometric_distortion_asks_for_each_part_by_itself():
    T = torchvision()[1]
    policy = v.Compose([v.from_torchvision(T.RandomPhotometricDistort(p=0.3))])
    plan = policy(image=np.zeros((4000, 2, 2, 3), np.uint8), seed=5).plan
    shuffled = next(found["on"] for path, found in plan.params.items() if path.endswith("ChannelShuffle"))
    assert stats.binomtest(int(shuffled.sum()), 4000, 0.3).pvalue > 1e-3
    first = next(found["choice"] for path, found in plan.params.items() if path.endswith("OneOf"))
    assert stats.binomtest(int((np.asarray(first) == 0).sum()), 4000, 0.5).pvalue > 1e-3


def test_mixing_keeps_its_share():
    T = torchvision()[1]
    assert v.from_torchvision(T.MixUp(alpha=0.4, num_classes=3)) == v.MixUp(alpha=0.4)
    assert v.from_torchvision(T.CutMix(alpha=0.7, num_classes=3)) == v.CutMix(alpha=0.7)
    assert v.from_torchvision(T.JPEG((20, 60))) == v.JpegCompression(quality=(20, 60))
