"""What fuses and what does not; and that fusing never shows in a sample's bits."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from random_policies import images, policies, transforms

import vicinal as v
from vicinal.core import affine
from vicinal.core.warp import Warp

IMAGES = np.random.default_rng(0).integers(0, 256, (64, 16, 20, 3), np.uint8)
ONE_PASS = [
    "HorizontalFlip(p=0.5) | Rotate(angle=(-30, 30)) | CenterCrop(size=12)",
    "RandomResizedCrop(size=8) | Rotate(angle=9) | Translate(x=1.5) | Scale(factor=1.1) | Shear(x=4) | VerticalFlip()",
    "Brightness(by=(-0.2, 0.2)) | Gamma(exponent=(0.5, 2)) | Normalize() | ToTensor()",
    "OneOf([Rotate(angle=9), Scale(factor=(0.5, 2)), Translate(x=3)])",
    "OneOf([Brightness(by=0.1), Gamma(exponent=2), Invert()]) | Normalize()",
]


@pytest.mark.parametrize("text", ONE_PASS)
def test_work_of_one_kind_becomes_one_pass(text):
    assert v.parse(text).explain(IMAGES).startswith("1 pass for")


@pytest.mark.parametrize(
    ("text", "passes", "reason"),
    [
        ("Rotate(angle=9) | Rotate(angle=9, border='reflect')", 2, "[own pass: other border, fill or interpolation]"),
        ("Rotate(angle=9) | Rotate(angle=9, fill=1)", 2, "[own pass: other border, fill or interpolation]"),
        ("Rotate(angle=9) | Rotate(angle=9, interpolation='nearest')", 2, "[own pass: other border, fill or interpolation]"),
        ("Rotate(angle=9) | Barrier() | Rotate(angle=9)", 2, "[own pass: behind a barrier]"),
        ("GaussianNoise(std=0.1) | GaussianNoise(std=0.1)", 2, "[own pass: two noise passes do not compose]"),
        ("Rotate(angle=9) | Invert() | Rotate(angle=9)", 3,
         "[own pass: Invert stands between and does not commute; exact=False lets it pass colour]"),
        ("Brightness(by=0.1) | Erase() | Brightness(by=0.1)", 3, "[own pass: Erase stands between and does not commute]"),
    ],
)  # fmt: skip
def test_explain_says_what_did_not_fuse_and_why(text, passes, reason):
    told = v.parse(text).explain(IMAGES)
    assert told.startswith(f"{passes} passes")
    assert reason in told


def test_explain_names_operations_shares_and_what_comes_out():
    told = v.parse("HorizontalFlip(p=0.5) | Rotate(angle=9) | Normalize() | ToTensor()").explain(IMAGES, seed=1)
    assert "move   HorizontalFlip + Rotate  (affine warp, constant border; 64 of 64 samples)" in told
    assert "map    Normalize + ToTensor  (pointwise, 1 step, to float32 CHW; 64 of 64 samples)" in told
    assert told.endswith("out: float32 3x16x20, values not confined to a range")


def test_alternatives_line_up_by_kind():
    mixed = v.OneOf([v.Rotate(angle=9), v.Invert(), v.Scale(factor=2), v.Gamma(exponent=2), v.VerticalFlip(), v.Brightness(by=0.1)])
    primitives = v.Compose([mixed, mixed])(image=IMAGES, seed=0).plan.primitives
    kinds = [type(primitive).__name__ for primitive in primitives]
    assert len(kinds) <= 4
    assert all(a != b for a, b in pairwise(kinds))


def test_inexact_sampling_passes_colour_but_not_noise():
    def passes(between: str, exact: bool) -> int:
        return len(v.parse(f"Compose([Rotate(angle=9), {between}, Rotate(angle=9)], exact={exact})")(image=IMAGES, seed=0).plan.slots)

    assert [passes("Invert()", exact) for exact in (True, False)] == [3, 2]
    assert [passes("Grayscale()", exact) for exact in (True, False)] == [3, 2]
    assert [passes("GaussianNoise(std=0.1)", exact) for exact in (True, False)] == [3, 3]


def test_fused_geometry_is_the_product_of_the_maps():
    steps = [v.Rotate(angle=(-40, 40)), v.Scale(factor=(0.5, 2)), v.HorizontalFlip(p=0.5), v.Shear(x=(-9, 9)), v.Translate(x=(-3, 3))]
    (fused,) = v.Compose(steps)(image=IMAGES, seed=4).plan.primitives
    product = affine.identity(len(IMAGES))
    for step in steps:
        plan = v.Compose([step])(image=IMAGES, seed=4).plan
        product = plan.primitives[0].matrix @ product
    assert isinstance(fused, Warp)
    assert fused.matrix == pytest.approx(product, abs=1e-12)


def test_a_rotation_behind_a_crop_sees_what_the_crop_left_out_unless_a_barrier_stands_between():
    white = np.full((32, 32, 1), 255, np.uint8)
    seen, blind = (v.parse(f"CenterCrop(size=16) | {wall}Rotate(angle=45)")(white, seed=0) for wall in ("", "Barrier() | "))
    assert seen.min() == 255
    assert blind.min() == 0


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.lists(transforms, min_size=1, max_size=4, unique_by=lambda node: node.label), st.integers(0, 99))
def test_with_barriers_a_policy_means_one_operation_after_the_other(steps, seed):
    walls = [node for step in steps for node in (step, v.Barrier())]
    one_by_one = given_images = images(5, "uint8", ragged=False)
    for step in steps:
        one_by_one = v.Compose([step])(one_by_one, seed=seed)
    together = v.Compose(walls)(given_images, seed=seed)
    assert all(np.array_equal(a, b) for a, b in zip(together, one_by_one, strict=True))


SPLITS = st.lists(st.integers(1, 6), min_size=1, max_size=4)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(policies, SPLITS, st.sampled_from(["uint8", "uint16", "float32"]), st.booleans(), st.permutations(range(7)))
def test_a_sample_does_not_depend_on_its_neighbours(policy, sizes, dtype, ragged, order):
    assert_alone_as_together(policy, images(7, dtype, ragged), sizes, list(order), "cpu")


@settings(derandomize=True, max_examples=40, deadline=None)
@given(policies, SPLITS, st.sampled_from(["uint8", "float32"]), st.booleans(), st.permutations(range(7)))
def test_nor_does_it_in_the_reference(policy, sizes, dtype, ragged, order):
    assert_alone_as_together(policy, images(7, dtype, ragged), sizes, list(order), "reference")


def assert_alone_as_together(policy, data, sizes, order, backend):
    whole = policy(data, seed=3, epoch=2, index=range(7), backend=backend)
    starts = np.minimum(np.cumsum([0, *sizes, 7]), 7)
    for start, stop in pairwise(starts):
        if rows := order[start:stop]:
            part = policy([data[row] for row in rows], seed=3, epoch=2, index=rows, backend=backend)
            for row, result in zip(rows, part, strict=True):
                assert np.array_equal(result, whole[row]), policy
                assert result.dtype == whole[row].dtype


# What the random policies above found once, or are too small to find.
COMPANY = [
    ("Affine(angle=10, scale=3) | Resize(size=128) | Brightness(by=0.1)", "uint8"),
    ("Brightness(by=(-0.2, 0.2), p=0.5) | Normalize()", "uint16"),
    ("Brightness(by=(-0.2, 0.2), p=0.5) | Normalize()", "float32"),
    ("Gamma(exponent=(0.5, 2), p=0.5) | Normalize()", "float32"),
    ("Gamma(exponent=2)", "float32"),
    ("Contrast(gain=1.5) | OneOf([Barrier(), Invert()]) | Gamma(exponent=2)", "uint8"),
    ("Contrast(gain=1.5) | Barrier(p=0.5) | Gamma(exponent=2)", "uint8"),
    ("Compose([OneOf([Rotate(angle=30), Brightness(by=0.3)]), Rotate(angle=(10, 40))], exact=False)", "uint8"),
    ("PlasmaContrast(p=0.5) | Snow(p=0.5) | PlasmaBrightness(roughness=0.6) | Normalize() | ToTensor()", "uint8"),
    ("OneOf([PlasmaBrightness(), PlasmaShadow(), PlasmaContrast()])", "uint8"),
    ("OneOf([Downscale(down='nearest', up='nearest'), Downscale(), Downscale(up='nearest')])", "uint8"),
    ("OneOf([GridDistortion(cells=7, border='reflect'), OpticalDistortion(interpolation='nearest'), JigsawShuffle()])", "uint8"),
    ("OneOf([GridDistortion(cells=7, border='reflect'), OpticalDistortion(interpolation='nearest'), JigsawShuffle()])", "float32"),
]


@pytest.mark.parametrize(("text", "dtype"), COMPANY)
@pytest.mark.parametrize("ragged", [False, True])
def test_company_changes_no_bit(text, dtype, ragged):
    assert_alone_as_together(v.parse(text), images(7, dtype, ragged), [1, 1, 1, 1, 3], list(range(7)), "cpu")


def test_the_file_that_a_neighbour_looks_at_is_its_own_affair(tmp_path):
    for name, value in (("a", 20), ("b", 200)):
        Image.fromarray(np.full((8, 8, 3), value, np.uint8)).save(tmp_path / f"{name}.png")
    files = [v.HistogramMatching(reference=str(tmp_path / name), amount=1) for name in ("a.png", "b.png")]
    assert_alone_as_together(v.OneOf(files), images(7, "uint8", ragged=False), [1] * 6, list(range(7)), "cpu")


@settings(derandomize=True, max_examples=40, deadline=None)
@given(policies, st.integers(0, 99))
def test_annotations_do_not_depend_on_neighbours_either(policy, seed):
    data, boxes = images(6, "uint8", ragged=True), [np.array([[0.0, 1, 9, 8], [3, 3, 6, 5]])] * 6
    masks = [image[..., 0] for image in data]
    whole = policy(image=data, boxes=boxes, mask=masks, seed=seed)
    for row in range(6):
        alone = policy(image=data[row], boxes=boxes[row], mask=masks[row], seed=seed, index=row)
        assert np.array_equal(alone["boxes"], whole["boxes"][row])
        assert np.array_equal(alone["mask"], whole["mask"][row])
        assert alone.kept.tolist() == whole.kept[row].tolist()


def test_a_neighbours_pass_does_not_cut_boxes_at_a_canvas_of_the_past():
    branch = v.Compose([v.Pad(by=20), v.Translate(x=30.0)])
    policy = v.OneOf([v.Compose([v.Rotate(angle=10), v.Rotate(angle=10, border="reflect")]), branch])
    out = policy(image=np.zeros((16, 20, 20, 1), np.uint8), boxes=[np.array([[0.0, 0, 20, 20]])] * 16, seed=0)
    padded = out.plan.params["OneOf"]["choice"] == 1
    assert 0 < padded.sum() < 16
    assert all(out["boxes"][row].tolist() == [[50, 20, 60, 40]] for row in np.flatnonzero(padded))


def test_strength_zero_changes_nothing_and_strength_one_is_the_policy():
    inner = [v.Rotate(angle=(-90, 90)), v.Brightness(by=0.5), v.GaussianNoise(std=0.2), v.Scale(factor=(1.5, 2))]
    assert np.array_equal(v.Compose(inner, strength=0)(IMAGES, seed=0), IMAGES)
    assert np.array_equal(v.Compose(inner, strength=1)(IMAGES, seed=0), v.Compose(inner)(IMAGES, seed=0))
    half = v.Compose(inner, strength=0.5)(image=IMAGES, seed=0).plan.params["Rotate"]["angle"]
    assert half == pytest.approx(v.Compose(inner)(image=IMAGES, seed=0).plan.params["Rotate"]["angle"] / 2)


def test_some_of_takes_the_announced_number_each_equally_often():
    picked = v.SomeOf([v.Invert(), v.HorizontalFlip(), v.VerticalFlip(), v.Transpose()], n=(1, 3))
    choice = picked(image=np.zeros((6000, 1, 1, 1), np.uint8), seed=0).plan.params["SomeOf"]["choice"]
    assert np.bincount(choice.sum(1), minlength=5) / 6000 == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 0], abs=0.03)
    assert choice.mean(0) == pytest.approx([0.5] * 4, abs=0.03)


def test_a_plan_announces_the_form_of_what_comes():
    result = v.parse("CenterCrop(size=(6, 9)) | Normalize() | ToTensor()")(image=IMAGES, seed=0)
    after = result.plan.after
    assert (after.dtype, after.layout, after.unit, after.size[0].tolist()) == ("float32", "CHW", False, [6, 9])
    assert result["image"].shape == (64, 3, 6, 9)
