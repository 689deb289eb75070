"""Crops that look: every box whole, a mask pixel always in sight, also behind other moves."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import vicinal as v

SIZE, BATCH = (70, 96), 50


def random_boxes(rng: np.random.Generator, margin: float = 0) -> list[np.ndarray]:
    """For each of BATCH canvases 1 to 4 boxes, at least a tenth of a pixel wide, ``margin`` away from the edges."""
    made = []
    for count in rng.integers(1, 5, BATCH):
        low, high = np.array([margin, margin]), np.array(SIZE[::-1]) - margin
        ends = np.sort(rng.uniform(low, high, (count, 2, 2)), axis=1)
        ends[:, 1] = np.maximum(ends[:, 1], ends[:, 0] + 0.1)
        made.append(np.minimum(ends, high).reshape(count, 4))
    return made


PIXELS = np.zeros((BATCH, *SIZE, 1), np.uint8)
BEFORE = {
    "nothing": v.Compose([]),
    "flip": v.HorizontalFlip(p=0.5),
    "turn": v.RandomRotate90(),
    "growing turn": v.Rotate(angle=(-180, 180), expand=True),
    "resize": v.Resize(size=(50, 40)),
    "letterbox": v.Letterbox(size=(120, 90)),
}
INNER = {  # these would move boxes over the edge, were they not far enough from it
    "turn": v.Rotate(angle=(-20, 20)),
    "elastic": v.ElasticTransform(amplitude=(0, 2.5), smoothness=16),
    "perspective": v.Perspective(amount=0.1),
    "lens": v.OpticalDistortion(k=(-0.2, 0.2)),
    "barrier": v.Compose([v.Rotate(angle=(-20, 20)), v.Barrier(), v.ElasticTransform(amplitude=1)]),
}


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
@pytest.mark.parametrize("fused", [True, False], ids=["fused", "in turn"])
def test_every_box_stays_whole(before: v.Node, fused: bool) -> None:
    policy = v.Compose([before, *([] if fused else [v.Barrier()]), v.RandomSizedBBoxSafeCrop(size=(40, 48))])
    for seed in range(3):
        boxes = random_boxes(np.random.default_rng(seed))
        out = policy(image=PIXELS, boxes=v.Boxes(boxes, min_visible=1, outside="drop"), seed=seed)
        assert [len(part) for part in out["boxes"]] == [len(part) for part in boxes]
        assert all(part.min() >= 0 and (part <= [48, 40, 48, 40]).all() for part in out["boxes"])


@pytest.mark.parametrize("before", INNER.values(), ids=INNER)
def test_every_box_stays_whole_behind_bends_and_turns(before: v.Node) -> None:
    policy = v.Compose([before, v.RandomSizedBBoxSafeCrop(size=(40, 48))])
    for seed in range(2):
        boxes = random_boxes(np.random.default_rng(seed), margin=25)
        out = policy(image=PIXELS, boxes=v.Boxes(boxes, min_visible=1), seed=seed)
        assert [len(part) for part in out["boxes"]] == [len(part) for part in boxes]


def test_what_is_cut_already_is_cut_no_further() -> None:
    boxes, seen = random_boxes(np.random.default_rng(0)), v.Translate(x=(-60, 60), y=(-40, 40))
    apart = v.Compose([seen, v.Barrier(), v.RandomSizedBBoxSafeCrop(size=(40, 48))])
    before, after = (policy(image=PIXELS, boxes=boxes, seed=1) for policy in (v.Compose([seen]), apart))
    assert np.array_equal(before.instances.kept, after.instances.kept)
    assert after.instances.visible == pytest.approx(before.instances.visible)
    assert before.instances.kept.mean() < 0.9


def windows(out: v.Result) -> np.ndarray:
    """(B, 4) x0, y0, x1, y1 of what was cut out."""
    return out.plan.params["RandomSizedBBoxSafeCrop"]["window"]


def test_windows_lie_between_the_boxes_and_the_canvas_everywhere_alike() -> None:
    box = np.array([[30.0, 20, 50, 40]])
    images = np.zeros((2000, *SIZE, 1), np.uint8)
    out = v.RandomSizedBBoxSafeCrop(size=8)(image=images, boxes=[box] * 2000, seed=0)
    left, top, right, bottom = windows(out).T
    for side, low, wide in ((left, 0, 30), (top, 0, 20), (right, 50, 46), (bottom, 40, 30)):
        assert stats.kstest(side, stats.uniform(low, wide).cdf).pvalue > 1e-3
    assert np.abs(np.corrcoef(windows(out).T) - np.eye(4)).max() < 0.08


@pytest.mark.parametrize("boxes", [None, [np.zeros((0, 4))] * BATCH], ids=["no boxes", "empty boxes"])
def test_without_boxes_it_is_a_window_on_the_canvas(boxes: list | None) -> None:
    out = v.RandomSizedBBoxSafeCrop(size=8)(image=PIXELS, boxes=boxes, seed=0)
    left, top, right, bottom = windows(out).T
    assert min(left.min(), top.min()) >= 0
    assert right.max() <= SIZE[1]
    assert bottom.max() <= SIZE[0]
    assert min((right - left).min(), (bottom - top).min()) >= 1


def test_a_box_as_large_as_the_canvas_leaves_no_choice() -> None:
    out = v.RandomSizedBBoxSafeCrop(size=SIZE)(image=np.arange(70 * 96, dtype=np.uint16).reshape(SIZE), boxes=[[0, 0, 96, 70]], seed=0)
    assert np.array_equal(out["image"].ravel(), np.arange(70 * 96))


MASKS = {
    "flip": v.HorizontalFlip(p=0.5),
    "turn": v.Rotate(angle=(-180, 180)),
    "mirrored border": v.Rotate(angle=(-180, 180), border="reflect"),
    "smaller": v.Scale(factor=0.4),
    "shift": v.Translate(x=(-30, 30), y=(-30, 30)),
    "resize": v.Resize(size=(48, 64)),  # no centre falls onto a line between pixels, where the last bit of a double would decide
    "elastic": v.ElasticTransform(amplitude=4, smoothness=16),
    "jigsaw": v.JigsawShuffle(tiles=3),
    "two": v.Compose([v.Rotate(angle=(-40, 40)), v.Barrier(), v.GridDistortion(amount=0.3)]),
}


def specks(seed: int, count: int = BATCH) -> np.ndarray:
    """(B, H, W) masks with one or two specks of a few pixels."""
    rng, masks = np.random.default_rng(seed), np.zeros((count, *SIZE), np.uint8)
    for mask in masks:
        for _ in range(rng.integers(1, 3)):
            y, x = rng.integers(0, SIZE[0]), rng.integers(0, SIZE[1])
            mask[y : y + rng.integers(1, 4), x : x + rng.integers(1, 4)] = rng.integers(1, 255)
    return masks


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("size", [1, (7, 12), (90, 20)])
def test_a_mask_pixel_is_always_in_sight(size: int | tuple, backend: str) -> None:
    for seed in range(3):
        out = v.CropNonEmptyMask(size=size)(image=PIXELS, mask=specks(seed), seed=seed, backend=backend)
        assert out["mask"].any((1, 2)).all()


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize("between", [(), (v.Barrier(),)], ids=["fused", "in turn"])
@pytest.mark.parametrize("before", MASKS.values(), ids=MASKS)
def test_behind_other_moves_too_if_they_left_one(before: v.Node, between: tuple, backend: str) -> None:
    masks, images = specks(1), PIXELS
    left = v.Compose([before])(image=images, mask=masks, seed=3, backend=backend)["mask"].any((1, 2))
    policy = v.Compose([before, *between, v.CropNonEmptyMask(size=6)])
    seen = policy(image=images, mask=masks, seed=3, backend=backend)["mask"].any((1, 2))
    assert np.array_equal(seen, left)


def test_every_pixel_of_the_mask_is_equally_likely_and_lies_anywhere_in_the_window() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[20, [15, 17, 19, 21]] = 1
    out = v.CropNonEmptyMask(size=1)(image=np.zeros((2000, 40, 40, 1), np.uint8), mask=np.stack([mask] * 2000), seed=0)
    corner = out.plan.params["CropNonEmptyMask"]["corner"]
    assert stats.chisquare([(corner[:, 0] == x).sum() for x in (15, 17, 19, 21)]).pvalue > 1e-3
    lone = np.zeros((2000, 40, 40), np.uint8)
    lone[:, 20, 20] = 1
    out = v.CropNonEmptyMask(size=(5, 8))(image=np.zeros((2000, 40, 40, 1), np.uint8), mask=lone, seed=0)
    place = 20 - out.plan.params["CropNonEmptyMask"]["corner"].astype(int)
    assert stats.chisquare(np.bincount(place[:, 0], minlength=8)).pvalue > 1e-3
    assert stats.chisquare(np.bincount(place[:, 1], minlength=5)).pvalue > 1e-3


@pytest.mark.parametrize("mask", [None, np.zeros((1000, 20, 30), np.uint8)], ids=["no mask", "empty mask"])
def test_without_a_mask_pixel_it_is_a_window_anywhere(mask: np.ndarray | None) -> None:
    out = v.CropNonEmptyMask(size=10)(image=np.zeros((1000, 20, 30, 1), np.uint8), mask=mask, seed=0)
    corner = out.plan.params["CropNonEmptyMask"]["corner"]
    assert corner.min(0).tolist() == [0, 0]
    assert corner.max(0).tolist() == [20, 10]


def test_volumes_are_searched_slice_by_slice() -> None:
    volume, mask = np.zeros((5, *SIZE), np.uint8), np.zeros((5, *SIZE), np.uint8)
    mask[3, 60, 90] = 1
    for seed in range(10):
        assert v.CropNonEmptyMask(size=9)(volume=volume, mask=mask, seed=seed)["mask"].sum() == 1


def test_a_mask_of_another_size_gets_a_sentence() -> None:
    for policy in (v.CropNonEmptyMask(size=9), v.parse("Rotate(angle=20) | CropNonEmptyMask(size=9)")):
        with pytest.raises(
            v.TargetError,
            match=r"^mask\[0\]: expected the size of its image, \(70, 96\), got \(96, 70\)"
            r"; write cv2\.resize\(mask, \(96, 70\), interpolation=cv2\.INTER_NEAREST\)$",
        ):
            policy(image=PIXELS[0], mask=np.zeros(SIZE[::-1], np.uint8), seed=0)
        with pytest.raises(v.TargetError, match=r"^mask: expected 2 entries, one a sample, got 3; write mask=\[\.\.\.\] of length 2$"):
            policy(image=PIXELS[:2], mask=np.zeros((3, *SIZE), np.uint8), seed=0)
