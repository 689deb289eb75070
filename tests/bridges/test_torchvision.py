"""Pipelines of torchvision, of both generations: the same pictures for fixed parameters, the same distributions for random ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import vicinal as v
from foreign import torchvision
from vicinal.testing.case import pictures

IMAGES = pictures(4, 61, 80)
DRAWS = 1500
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture(scope="module", params=["v1", "v2"])
def T(request):
    first, second = torchvision()
    return first if request.param == "v1" else second


@pytest.fixture(scope="module")
def T2():
    return torchvision()[1]


def theirs(operation, image: np.ndarray) -> np.ndarray:
    """(H, W, C) of what the original makes of a (C, H, W) tensor."""
    import torch

    made = operation(torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))))
    return np.asarray(made).transpose(1, 2, 0)


def difference(ours: np.ndarray, others: np.ndarray) -> np.ndarray:
    assert ours.shape == others.shape
    assert ours.dtype == others.dtype
    return np.abs(ours.astype(float) - others.astype(float))


BILINEAR = "interpolation=T.InterpolationMode.BILINEAR"
# An operation with fixed parameters; how far single values may lie apart, as levels of 8 bits; how many values may lie further apart:
# the nearest pixel is another one where two are as near, and half a pixel of interpolation counts where a border meets the picture.
FIXED = [
    ("RandomHorizontalFlip(p=1)", 0, 0),
    ("RandomVerticalFlip(p=1)", 0, 0),
    ("CenterCrop((31, 40))", 0, 0),
    ("Pad(3)", 0, 0),
    ("Pad((3, 5), padding_mode='edge')", 0, 0),
    ("Pad((1, 2, 3, 4), padding_mode='symmetric')", 0, 0),
    ("Pad(2, fill=51)", 0, 0),
    ("Grayscale(3)", 1, 0),
    ("RandomGrayscale(p=1)", 1, 0),
    ("RandomInvert(p=1)", 0, 0),
    ("RandomPosterize(3, p=1)", 0, 0),
    ("RandomSolarize(100, p=1)", 0, 0),
    ("RandomEqualize(p=1)", 1, 0),
    ("RandomAutocontrast(p=1)", 1, 0),
    ("RandomAdjustSharpness(1.8, p=1)", 1, 0.08),
    ("GaussianBlur(13, sigma=(1.5, 1.5))", 2, 0),
    ("RandomRotation((30, 30))", 0, 0.02),
    (f"RandomRotation((-25, -25), {BILINEAR})", 8, 0.05),
    (f"RandomRotation((-25, -25), {BILINEAR}, fill=102)", 8, 0.05),
    (f"RandomAffine((20, 20), scale=(0.8, 0.8), {BILINEAR})", 8, 0.05),
    (f"RandomAffine((10, 10), shear=(9, 9), {BILINEAR})", 8, 0.05),
    (f"RandomAffine((-10, -10), scale=(1.2, 1.2), shear=(9, 9, -7, -7), {BILINEAR})", 8, 0.05),
    ("Resize((122, 33), antialias=False)", 1, 0),
    ("Resize((20, 31))", 12, 0.02),
    ("Resize((150, 170))", 1, 0),
]


@pytest.mark.parametrize(("text", "allowed", "strays"), FIXED, ids=[text for text, *_ in FIXED])
def test_fixed_parameters_give_the_same_picture(T, text, allowed, strays):
    operation = eval(f"T.{text}", {"T": T})
    report = v.bridge_report(operation)
    if any("this version has no" in line.reason for line in report.wrapped):
        pytest.skip(str(report))
    assert report.wrapped == (), str(report)
    far = difference(v.from_torchvision(operation)(IMAGES[1], seed=3), theirs(operation, IMAGES[1]))
    assert (far > allowed).mean() <= strays
    assert far.mean() <= max(min(allowed, 1), 0.5 * (strays > 0))


def test_the_usual_tail_becomes_normalised_tensors(T):
    tail = [T.ToImage(), T.ToDtype(__import__("torch").float32, scale=True)] if hasattr(T, "ToImage") else [T.ToTensor()]
    pipeline = T.Compose([*tail, T.RandomHorizontalFlip(p=1), T.Normalize([0.4, 0.5, 0.6], [0.2, 0.3, 0.4]), T.RandomErasing(p=0)])
    policy = v.from_torchvision(pipeline)
    assert [type(node).__name__ for node in policy.children] == ["HorizontalFlip", "Erase", "Normalize", "ToTensor"]
    assert policy.children[1].fill.value == pytest.approx(0.5)
    expected = (IMAGES[0][:, ::-1].transpose(2, 0, 1) / 255 - np.array([0.4, 0.5, 0.6])[:, None, None]) / np.array(
        [[[0.2]], [[0.3]], [[0.4]]]
    )
    assert policy(IMAGES[0], seed=0) == pytest.approx(expected, abs=1e-6)


def planned(policy, read, image=IMAGES[0]) -> np.ndarray:
    """What the policy draws at many addresses, ``read`` from its plan."""
    return np.array(read(v.Compose([policy])(image=np.stack([image] * DRAWS), seed=11).plan), float)


def drawn(operation, read) -> np.ndarray:
    """What the original draws, as often."""
    import torch

    tensor = torch.zeros((3, 61, 80), dtype=torch.uint8)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        return np.array([read(operation.make_params([tensor])) for _ in range(DRAWS)], float)


def linear(plan, row: int, column: int) -> np.ndarray:
    (warp,) = plan.primitives
    return warp.settled().matrix[:, row, column]


RANDOM = [
    ("RandomRotation((-30, 50))", lambda p: np.sin(np.deg2rad(p["angle"])), lambda plan: linear(plan, 0, 1)),
    ("RandomAffine((-9, 20), scale=(0.7, 1.4))", lambda p: p["scale"] * np.sin(np.deg2rad(-p["angle"])), lambda plan: linear(plan, 0, 1)),
    ("RandomAffine(0, shear=(-20, 5))", lambda p: -np.tan(np.deg2rad(p["shear"][0])), lambda plan: linear(plan, 0, 1)),
    ("RandomCrop((20, 33))", lambda p: p["left"], lambda plan: -linear(plan, 0, 2)),
    ("RandomCrop((20, 33), padding=4)", lambda p: p["top"], lambda plan: 4 - linear(plan, 1, 2)),
]


@pytest.mark.parametrize(("text", "others", "ours"), RANDOM, ids=[text for text, *_ in RANDOM])
def test_random_parameters_have_the_same_distribution(T2, text, others, ours):
    operation = eval(f"T.{text}", {"T": T2})
    test = stats.ks_2samp(drawn(operation, others), planned(v.from_torchvision(operation), ours))
    assert test.pvalue > 1e-3, test


def test_the_area_of_a_resized_crop_has_the_same_distribution(T2):
    operation = T2.RandomResizedCrop(32, scale=(0.1, 0.6), ratio=(0.9, 1.1))  # narrow, so that every window fits
    area = drawn(operation, lambda p: p["height"] * p["width"] / (61 * 80))
    ours = planned(v.from_torchvision(operation), lambda plan: 1 / (linear(plan, 0, 0) * linear(plan, 1, 1)) * 32 * 32 / (61 * 80))
    assert stats.ks_2samp(area, ours).pvalue > 1e-3


def test_groups_choose_as_the_originals_do(T):
    choice = T.RandomChoice([T.RandomHorizontalFlip(p=1), T.RandomVerticalFlip(p=1)], p=[3, 1])
    apply = T.RandomApply([T.RandomInvert(p=1), T.RandomHorizontalFlip(p=1)], p=0.3)
    policy = v.Compose([v.from_torchvision(choice), v.from_torchvision(apply)])
    found = policy(image=np.zeros((6000, 2, 2, 3), np.uint8), seed=5).plan.params
    counts = np.bincount(found["OneOf"]["choice"])
    assert stats.chisquare(counts, [4500, 1500]).pvalue > 1e-3
    assert np.array_equal(found["Compose/Invert"]["on"], found["Compose/HorizontalFlip"]["on"])
    assert stats.binomtest(int(found["Compose/Invert"]["on"].sum()), 6000, 0.3).pvalue > 1e-3
    orders = v.from_torchvision(T.RandomOrder([T.RandomInvert(p=1), T.RandomHorizontalFlip(p=1), T.Pad(1)]))
    assert len(orders.children) == 6


def test_policies_of_the_literature_keep_their_settings(T):
    needed = {"Saturation", "Sharpen", "Posterize", "Solarize", "AutoContrast", "Equalize"} - set(v.registry())
    if needed:
        pytest.skip(f"this version has no {', '.join(sorted(needed))}")
    pipeline = T.Compose([T.RandAugment(3, 11), T.TrivialAugmentWide(), T.AutoAugment(T.AutoAugmentPolicy.SVHN, fill=51)])
    report = v.bridge_report(pipeline)
    assert [line.verdict for line in report.lines] == ["near"] * 3
    assert "contrast about mid-grey" in report.lines[0].reason
    one, two, three = v.from_torchvision(pipeline).children
    assert one == v.RandAugment(n=3, magnitude=11, interpolation="nearest")
    assert two == v.TrivialAugment(interpolation="nearest")
    assert three == v.AutoAugment(policy="svhn", fill=0.2, interpolation="nearest")


def test_a_wrapped_operation_depends_on_the_address_alone(T):
    import torch

    pipeline = T.Compose([T.RandomAffine(20, center=(0, 0)), T.RandomPerspective(p=0.5, fill=[9.0, 90.0, 200.0])])
    assert len(v.bridge_report(pipeline).wrapped) == 2
    policy = v.from_torchvision(pipeline)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    whole = policy(IMAGES, seed=1, index=range(4))
    assert torch.equal(torch.get_rng_state(), before)
    assert not np.array_equal(whole, IMAGES)
    assert not np.array_equal(policy(IMAGES, seed=1, epoch=1), whole)
    for row in (3, 1):
        torch.rand(5)
        assert np.array_equal(policy(IMAGES[row], seed=1, index=row), whole[row])


def test_a_wrapped_operation_refuses_annotations_where_it_may_move(T):
    boxes = np.array([[3.0, 4, 20, 30]])
    with pytest.raises(v.TargetError, match="annotations cannot follow it, got boxes as well"):
        v.from_torchvision(T.RandomAffine(20, center=(0, 0)))(image=IMAGES[0], boxes=boxes, seed=0)
    blurred = v.from_torchvision(T.AugMix())(image=IMAGES[0], boxes=boxes, seed=0)
    assert blurred["boxes"].tolist() == boxes.tolist()


def test_what_has_no_meaning_here_is_a_sentence(T):
    with pytest.raises(v.PolicyError, match=r"expected a pipeline of albumentations, got torchvision; write v\.from_torchvision"):
        v.from_albumentations(T.Pad(1))
    with pytest.raises(v.PolicyError, match="a cast that happens to every sample"):
        v.from_torchvision(T.RandomApply([T.Normalize([0.5], [0.5])], p=0.3))
    reasons = [
        line.reason
        for line in v.bridge_report(T.Compose([T.RandomRotation(5, expand=True), T.Pad(2, padding_mode="reflect"), T.Grayscale(1)])).lines
    ]
    assert reasons == [
        f"{reason}; refuses boxes, masks and keypoints"
        for reason in ("a centre of its own, or expand", "a border that mirrors without its edge pixel", "one channel comes out")
    ]
