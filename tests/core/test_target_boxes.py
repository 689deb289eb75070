"""Boxes that are unusable, small, tight or bound to masks, and the counts of what became of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moving import SIZES, moving

import vicinal as v

IMAGE = np.zeros((30, 40, 3), np.uint8)
GOOD = [2.0, 3, 12, 9]
STAY, FLIP = v.Invert(), v.HorizontalFlip()
BAD = {
    "over the edge": [30.0, 10, 45, 20],
    "turned around": [12.0, 9, 2, 3],
    "no width": [5.0, 5, 5, 9],
    "a point": [5.0, 5, 5, 5],
    "off the canvas": [50.0, 5, 60, 9],
    "not a number": [5.0, np.nan, 9, 9],
    "endless": [5.0, 5, np.inf, 9],
}
LEFT = {"over the edge": [30.0, 10, 40, 20], "endless": None, "not a number": None}  # by clipping; nothing of the others


@pytest.mark.parametrize("policy", [STAY, FLIP], ids=str)
@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("invalid", ["raise", "clip", "drop"])
def test_an_unusable_box_meets_the_declared_policy(invalid: str, name: str, policy: v.Node) -> None:
    boxes = v.Boxes([GOOD, BAD[name], GOOD], invalid=invalid)
    labels = ["a", "b", "c"]
    if invalid == "raise":
        expected = r"^boxes\[0\]: expected finite numbers" if not np.isfinite(BAD[name]).all() else r"^boxes\[0\]\[1\]: expected x0 < x1"
        with pytest.raises(v.TargetError, match=expected):
            policy(image=IMAGE, boxes=boxes, label=labels, seed=0)
        return
    out = policy(image=IMAGE, boxes=boxes, label=labels, seed=0)
    clipped = invalid == "clip" and LEFT.get(name) is not None
    assert out["label"] == (labels if clipped else ["a", "c"])
    assert out.instances.valid.tolist() == [True, clipped, True]
    assert out.instances.repaired.tolist() == [False, clipped, False]
    if clipped and policy is STAY:
        assert out["boxes"].tolist() == [GOOD, LEFT[name], GOOD]


@pytest.mark.parametrize("policy", [STAY, FLIP, v.Rotate(angle=20)], ids=str)
def test_float_noise_is_cut_off_without_a_word(policy: v.Node) -> None:
    # The values of the reports: 1.0025 and -0.002 as shares of a canvas of 40 x 30.
    noisy = v.Boxes([[0.9, -0.002, 1.0025, 0.1], [-0.002, 0.5, 0.2, 1.0025]], format="normalised")
    clean = v.Boxes([[0.9, 0, 1, 0.1], [0, 0.5, 0.2, 1]], format="normalised")
    one, other = (policy(image=IMAGE, boxes=boxes, seed=0) for boxes in (noisy, clean))
    assert np.array_equal(one["boxes"], other["boxes"])
    assert one.instances.repaired.sum() == 0


def test_more_than_half_a_pixel_is_no_noise() -> None:
    with pytest.raises(v.TargetError, match="within the canvas"):
        STAY(image=np.zeros((30, 400, 1), np.uint8), boxes=v.Boxes([[0.9, 0, 1.0025, 0.1]], format="normalised"), seed=0)


NUMBERS = st.one_of(st.floats(-60, 100), st.sampled_from([0.0, 40.0, 30.0, -0.4, 40.4, np.nan, np.inf, -np.inf, 1e300]))


@settings(derandomize=True, max_examples=40, deadline=None)
@given(moving, st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), max_size=6), st.sampled_from(["clip", "drop"]), st.integers(0, 9))
def test_our_own_arithmetic_never_raises_and_what_comes_is_usable(policy: v.Node, rows: list, invalid: str, seed: int) -> None:
    boxes = [np.array(rows, float).reshape(-1, 4)] * len(SIZES)
    images = [np.zeros(size, np.uint8) for size in SIZES]
    out = policy(image=images, boxes=v.Boxes(boxes, invalid=invalid), seed=seed)
    for image, part in zip(out["image"], out["boxes"], strict=True):
        assert np.isfinite(part).all()
        assert (part >= 0).all()
        assert (part <= [*image.shape[1::-1]] * 2).all()
        assert (part[:, 2:] >= part[:, :2]).all()
    again = policy(image=list(out["image"]), boxes=out["boxes"], seed=seed + 1)  # what came out may go in
    assert len(again["boxes"]) == len(SIZES)


@pytest.mark.parametrize("format", ["cxcywhr", "quad"])
@pytest.mark.parametrize("invalid", ["raise", "clip", "drop"])
def test_unusable_oriented_boxes_too(format: str, invalid: str) -> None:
    rows = {
        "cxcywhr": [[20.0, 15, 10, 4, 30], [20, 15, 10, 0, 30], [38, 15, 10, 4, 0]],
        "quad": [[15.0, 12, 25, 12, 25, 18, 15, 18], [5, 5, 9, 5, 9, 5, 5, 5], [33, 12, 43, 12, 43, 18, 33, 18]],
    }[format]
    boxes = v.Boxes(rows, format=format, invalid=invalid)
    if invalid == "raise":
        with pytest.raises(v.TargetError, match=r"^boxes\[0\]\[1\]: expected four corners with an area"):
            FLIP(image=IMAGE, boxes=boxes, seed=0)
        return
    out = FLIP(image=IMAGE, boxes=boxes, seed=0)
    assert out.kept.tolist() == ([0, 2] if invalid == "clip" else [0])


@pytest.mark.parametrize(("size", "left"), [(0, [0, 1, 2]), (1.9, [0, 1, 2]), (2, [0, 1, 2]), (2.1, [0, 2]), (5, [2]), (20, [])])
def test_what_becomes_too_small_is_dropped_in_the_end(size: float, left: list) -> None:
    boxes = np.array([[0.0, 0, 40, 9], [10, 10, 20, 14], [0, 0, 20, 20]])
    shrink = v.Resize(size=(15, 20))
    out = shrink(image=IMAGE, boxes=v.Boxes(boxes, min_size=size), label=[7, 8, 9], seed=0)
    assert out.kept.tolist() == left
    assert out["label"] == [[7, 8, 9][number] for number in left]
    there_and_back = v.parse("Resize(size=(15, 20)) | Barrier() | Resize(size=(30, 40), name='back')")
    assert there_and_back(image=IMAGE, boxes=v.Boxes(boxes, min_size=4), seed=0).kept.tolist() == [0, 1, 2]


@pytest.mark.parametrize("value", [-1, "two", None])
def test_a_strange_smallest_size_gets_a_sentence(value: object) -> None:
    with pytest.raises(v.ParameterError, match=r"^Boxes\.min_size: expected pixels, 0 or more, got .*; write min_size=2$"):
        v.Boxes([GOOD], min_size=value)


def blobs(size: tuple[int, int], count: int, seed: int) -> np.ndarray:
    """(N, H, W) ellipses."""
    rng, (y, x) = np.random.default_rng(seed), np.mgrid[: size[0], : size[1]] + 0.5
    centres, radii = rng.uniform(0.15, 0.85, (count, 2)) * size, rng.uniform(2, 8, (count, 2))
    return np.array([((y - cy) / ry) ** 2 + ((x - cx) / rx) ** 2 < 1 for (cy, cx), (ry, rx) in zip(centres, radii, strict=True)])


def extents(masks: np.ndarray) -> np.ndarray:
    """(N, 4) boxes around the pixels, one mask after the other."""
    found = [np.argwhere(mask) for mask in masks]
    return np.array([[*places.min(0)[::-1], *(places.max(0)[::-1] + 1)] for places in found], float).reshape(-1, 4)


@settings(derandomize=True, max_examples=30, deadline=None)
@given(moving, st.integers(0, 99))
def test_instances_leave_together(policy: v.Node, seed: int) -> None:
    images, counts = [np.zeros(size, np.uint8) for size in SIZES], [3, 0, 5, 1]
    masks = [blobs(size, count, seed).reshape(count, *size) for size, count in zip(SIZES, counts, strict=True)]
    boxes = [extents(part) for part in masks]
    labels = [np.arange(count) for count in counts]
    points = [np.stack([part[:, :2], part[:, 2:]], 1) for part in boxes]
    rings = [[np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]]) for x0, y0, x1, y1 in part] for part in boxes]
    bound = {"masks": masks, "label": labels, "keypoints": points, "polygons": rings}
    out = policy(image=images, boxes=v.Boxes(boxes, min_visible=0.3), **bound, seed=seed)
    for row, kept in enumerate(out.kept):
        assert out["label"][row].tolist() == kept.tolist()
        assert {len(out[name][row]) for name in ("boxes", *bound)} == {len(kept)}
        assert all(mask.any() for mask in out["masks"][row])
    alone = policy(image=images, masks=masks, seed=seed)
    for row, kept in enumerate(out.kept):
        everything = dict(zip(alone.kept[row].tolist(), alone["masks"][row], strict=True))
        assert all(np.array_equal(mask, everything[number]) for number, mask in zip(kept.tolist(), out["masks"][row], strict=True))


@settings(derandomize=True, max_examples=25, deadline=None)
@given(moving, st.integers(0, 99))
def test_tight_boxes_fit_the_pixels_of_their_masks(policy: v.Node, seed: int) -> None:
    images, counts = [np.zeros(size, np.uint8) for size in SIZES], [3, 0, 5, 1]
    masks = [blobs(size, count, seed).reshape(count, *size) for size, count in zip(SIZES, counts, strict=True)]
    boxes = v.Boxes([extents(part) for part in masks], tight=True)
    out = policy(image=images, boxes=boxes, masks=masks, seed=seed)
    for part, kept in zip(out["boxes"], out["masks"], strict=True):
        assert np.array_equal(part, extents(kept))


def test_a_turned_disc_keeps_a_box_of_its_size_where_it_has_a_mask_or_a_polygon() -> None:
    y, x = np.mgrid[:60, :60] + 0.5
    disc = (y - 30) ** 2 + (x - 30) ** 2 < 15**2
    angle = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    ring = 30 + 15 * np.stack([np.cos(angle), np.sin(angle)], 1)
    image, box = np.zeros((60, 60), np.uint8), [[15.0, 15, 45, 45]]
    turn = v.Rotate(angle=45)
    loose = turn(image=image, boxes=box, seed=0)["boxes"][0]
    assert loose == pytest.approx([30 - 15 * np.sqrt(2), 30 - 15 * np.sqrt(2), 30 + 15 * np.sqrt(2), 30 + 15 * np.sqrt(2)])
    by_mask = turn(image=image, boxes=v.Boxes(box, tight=True), masks=disc[None], seed=0)["boxes"][0]
    by_ring = turn(image=image, boxes=v.Boxes(box, tight=True), polygons=[ring], seed=0)["boxes"][0]
    assert by_mask == pytest.approx([15, 15, 45, 45], abs=1)
    assert by_ring == pytest.approx([15, 15, 45, 45], abs=0.05)


def test_tight_boxes_take_outlines_of_their_own_sample_only() -> None:
    ring = np.array([[30.0, 20], [39, 20], [39, 29]])
    boxes = v.Boxes([[GOOD, GOOD], [GOOD]], tight=True)
    out = STAY(image=np.stack([IMAGE] * 2), boxes=boxes, polygons=[[ring], [ring, ring]], seed=0)
    assert [part.tolist() for part in out["boxes"]] == [[GOOD, GOOD], [GOOD]]


def test_a_box_drawn_over_a_canvas_edge_counts_its_share_of_the_original_all_the_way() -> None:
    # Half is lost to the left, then half of the rest: a quarter is left, in one pass or in two.
    boxes = v.Boxes([[0.0, 0, 20, 20]], min_visible=0.25)
    for between, share in ((" | ", 0.25), (" | Barrier() | ", 0.25)):
        policy = v.parse(f"Translate(x=-10){between}Translate(x=-5, name='again')")
        out = policy(image=IMAGE, boxes=boxes, seed=0)
        assert out.instances.visible.tolist() == [share]
        assert out["boxes"].tolist() == [[0, 0, 5, 20]]
    assert len(v.parse("Translate(x=-15)")(image=IMAGE, boxes=v.Boxes([[0.0, 0, 20, 20]], min_visible=0.2501), seed=0)["boxes"]) == 0
