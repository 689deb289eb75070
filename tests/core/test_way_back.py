"""The way back: predictions on the result, on the canvas of the input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moving import SIZES, moving, straight

import vicinal as v

IMAGES = [np.zeros(size, np.uint8) for size in SIZES]
EXACT = [
    "HorizontalFlip()",
    "VerticalFlip() | Transpose()",
    "RandomRotate90()",
    "D4()",
    "Rotate(angle=90, expand=True)",
    "Pad(by=(1, 2, 3, 4))",
    "JigsawShuffle(tiles=3)",
    "PadIfNeeded(size=60) | HorizontalFlip()",
    "D4() | Barrier() | Pad(by=3) | Barrier() | Transpose()",
]


@settings(derandomize=True, max_examples=100, deadline=None)
@given(moving, st.integers(0, 99))
def test_keypoints_come_back_to_where_they_were(policy: v.Node, seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = [np.column_stack([rng.uniform(0, 1, (9, 2)) * size[::-1], np.full(9, 2)]) for size in SIZES]
    out = policy(image=IMAGES, keypoints=points, seed=seed)
    back = out.undo(keypoints=out["keypoints"])["keypoints"]
    for before, after, seen in zip(points, back, out["keypoints"], strict=True):
        on = seen[:, 2] > 0  # what lies off a canvas on the way may be behind a horizon
        assert after[on] == pytest.approx(before[on], abs=1e-4)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(moving, st.integers(0, 99))
def test_a_prediction_on_the_result_lies_where_its_pixel_came_from(policy: v.Node, seed: int) -> None:
    """Every pixel of the result that shows the input takes the colour of the place to which it is brought back."""
    images = [np.arange(size[0] * size[1], dtype=np.uint16).reshape(size) for size in SIZES]
    masks = [image.astype(np.int64) for image in images]
    out = policy(image=images, mask=masks, seed=seed, valid=True)
    passes = [sum(move.active[row] for move in out.plan.moves()) for row in range(len(SIZES))]
    places = [np.argwhere(valid)[::7, ::-1] + 0.5 for valid in out["valid"]]
    back = out.undo(keypoints=places)["keypoints"]
    for row, (image, mask) in enumerate(zip(images, out["mask"], strict=True)):
        if passes[row] > 1 or not len(places[row]):
            continue  # every pass rounds to whole pixels
        x, y = np.floor(back[row]).astype(int).T
        clear = (np.abs(back[row] - np.rint(back[row])) > 1e-3).all(1)
        there = np.floor(places[row]).astype(int).T
        assert np.array_equal(mask[there[1], there[0]][clear], image[y[clear], x[clear]])


@settings(derandomize=True, max_examples=60, deadline=None)
@given(straight, st.integers(0, 99))
def test_boxes_and_polygons_come_back_around_what_is_left(policy: v.Node, seed: int) -> None:
    ring = np.array([[9.0, 8], [21, 10], [19, 20], [8, 17]])
    boxes = [np.array([[9.0, 8, 21, 20]])] * 4
    out = policy(image=IMAGES, boxes=v.Boxes(boxes, min_visible=1), polygons=v.Polygons([[ring]] * 4, min_visible=1), seed=seed)
    back = out.undo(boxes=v.Boxes(out["boxes"]), polygons=v.Polygons(out["polygons"], outside="keep"))
    upright = [all(np.all(move.matrix[row, [0, 1], [1, 0]] == 0) for move in out.plan.moves() if move.active[row]) for row in range(4)]
    for row, kept in enumerate(out.kept):
        if len(kept) and upright[row]:
            assert back["boxes"][row] == pytest.approx(boxes[row], abs=1e-6)
        if len(kept) and back["polygons"][row]:
            made = back["polygons"][row][0]
            assert {tuple(corner) for corner in made.round(4)} >= {tuple(corner) for corner in ring.round(4)}


@pytest.mark.parametrize("policy", EXACT)
def test_masks_come_back_to_the_pixel_where_pixels_map_onto_pixels(policy: str) -> None:
    masks = [np.random.default_rng(row).integers(0, 200, size) for row, size in enumerate(SIZES)]
    heat = [np.random.default_rng(row).random(size).astype(np.float32) for row, size in enumerate(SIZES)]
    out = v.parse(policy)(image=IMAGES, mask=masks, heat=v.Mask(heat, content="heatmap"), seed=3)
    back = out.undo(mask=out["mask"], heat=v.Mask(out["heat"], content="heatmap"))
    assert all(np.array_equal(a, b) for a, b in zip(back["mask"], masks, strict=True))
    assert all(np.array_equal(a, b) for a, b in zip(back["heat"], heat, strict=True))


@settings(derandomize=True, max_examples=40, deadline=None)
@given(moving, st.integers(0, 99))
def test_masks_come_back_on_the_old_canvas_with_their_regions(policy: v.Node, seed: int) -> None:
    masks = []
    for height, width in SIZES:
        y, x = np.mgrid[:height, :width] + 0.5
        masks.append(1 + (((y - height / 2) / 9) ** 2 + ((x - width / 2) / 9) ** 2 < 1).astype(np.uint8))
    out = policy(image=IMAGES, mask=masks, seed=seed)
    back = out.undo(mask=out["mask"])["mask"]
    for row, (before, after) in enumerate(zip(masks, back, strict=True)):
        assert after.shape == before.shape
        known = after > 0
        rounds = sum(move.active[row] for move in out.plan.moves()) + 1
        scale = max(1.0, float(np.sqrt(before.size / max(out["mask"][row].size, 1))))
        if known.sum() > 100:
            wrong = (after != before)[known].sum()
            assert wrong <= 60 * rounds * scale  # along the edge of the disc and of the tiles, whose length is about 60


def test_one_sample_comes_back_as_one() -> None:
    out = v.parse("HorizontalFlip() | Resize(size=(60, 20))")(image=np.zeros((30, 40, 3), np.uint8), seed=0)
    back = out.undo(boxes=[[0, 0, 10, 30]], keypoints=[[20.0, 60]], mask=np.ones((60, 20), bool), masks=np.ones((1, 60, 20), bool))
    assert back["boxes"].tolist() == [[20, 0, 40, 15]]
    assert back["keypoints"].tolist() == [[0, 30]]
    assert (back["mask"].shape, back["mask"].all(), back["masks"].shape) == ((30, 40), True, (1, 30, 40))


def test_nothing_moved_is_nothing_undone() -> None:
    out = v.Invert()(image=np.zeros((2, 8, 9, 3), np.uint8), seed=0)
    mask = np.random.default_rng(0).integers(0, 9, (2, 8, 9))
    assert np.array_equal(out.undo(mask=mask)["mask"], mask)


@pytest.mark.parametrize(
    ("predictions", "says"),
    [
        (
            {"mask": np.zeros((9, 9))},
            r"^mask\[0\]: expected the size of its image, \(60, 20\), got \(9, 9\)"
            r"; write cv2\.resize\(mask, \(20, 60\), interpolation=cv2\.INTER_NEAREST\)$",
        ),
        ({"boxes": [[0, 0, 90, 9]]}, r"^boxes\[0\]\[0\]: expected x0 < x1 .* 60 rows and 20 columns"),
        ({"depth": np.zeros((60, 20))}, r"^depth: expected"),
    ],
)
def test_predictions_that_do_not_fit_get_a_sentence(predictions: dict, says: str) -> None:
    out = v.Resize(size=(60, 20))(image=np.zeros((30, 40, 3), np.uint8), seed=0)
    with pytest.raises(v.TargetError, match=says):
        out.undo(**predictions)
