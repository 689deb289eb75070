"""Objects that are erased vanish from the picture and from every annotation at once."""

from __future__ import annotations

import numpy as np
import pytest

import vicinal as v

IMAGE = np.full((20, 24, 3), 200, np.uint8)


def instances(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Disjoint rectangles as masks and boxes."""
    masks, boxes = np.zeros((n, 20, 24), bool), []
    for k in range(n):
        x, y, w, h = 6 * k, rng.integers(0, 8), rng.integers(2, 6), rng.integers(2, 9)
        masks[k, y : y + h, x : x + w] = True
        boxes.append([x, y, x + w, y + h])
    return masks, np.array(boxes, float)


@pytest.mark.parametrize("before", ["HorizontalFlip() | ", "Rotate(angle=20) | ", ""])
@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_an_instance_loses_pixels_box_label_and_mask_together(before, backend):
    masks, boxes = instances(np.random.default_rng(0), 4)
    policy = v.parse(f"{before}MaskDropout(count=2, fill=0.5)")
    out = policy(image=IMAGE, masks=masks, boxes=boxes, label=list("abcd"), seed=3, backend=backend)
    assert len(out.kept) == len(out["masks"]) == len(out["boxes"]) == len(out["label"]) == 2
    assert out["label"] == ["abcd"[k] for k in out.kept]
    moved = v.parse(f"{before}Invert(p=0)")(image=IMAGE, masks=masks, seed=3, backend=backend)
    gone = np.delete(moved["masks"], out.kept, 0).any(0)
    assert (out["image"][gone] == 128).all()
    assert np.array_equal(out["image"][~gone], moved["image"][~gone])


def test_values_of_a_label_mask_become_background():
    mask = np.arange(20)[:, None] // 5 * np.ones((1, 24), np.int64)
    images, masks = np.stack([IMAGE] * 300), np.stack([mask] * 300)
    out = v.MaskDropout(count=1)(image=images, mask=masks, seed=0)
    lost = np.array([[value not in one for value in (1, 2, 3)] for one in out["mask"]])
    assert (lost.sum(1) == 1).all()
    assert (lost.sum(0) > 70).all()  # each of the three as often as the others
    for image, one in zip(out["image"], out["mask"], strict=True):
        assert np.array_equal((image == 0).all(-1), (one == 0) & (mask != 0))


def test_without_objects_nothing_happens():
    assert np.array_equal(v.MaskDropout()(IMAGE, seed=0), IMAGE)
    out = v.MaskDropout(count=3)(image=IMAGE, masks=np.zeros((0, 20, 24), bool), mask=np.zeros((20, 24), np.uint8), seed=0)
    assert np.array_equal(out["image"], IMAGE)
    assert len(out["masks"]) == 0
