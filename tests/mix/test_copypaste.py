"""CopyPaste: pixels, instance masks, boxes and labels stay true to each other."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import HEIGHT, WIDTH, colours, extent, objects
from scipy import stats

import vicinal as v
from vicinal.core.batch import Spec
from vicinal.core.draw import Address, Draw
from vicinal.core.items import Items

LEAST = 0.2


def items(held: dict) -> Items:
    """The objects with their instance masks, as mixers take them."""
    tables = tuple(
        {"boxes": boxes, "masks": mask == numbers[:, None, None], "label": numbers, "keypoints": points, "kept": np.arange(len(boxes))}
        for boxes, mask, numbers, points in zip(held["boxes"], held["mask"], held["label"], held["keypoints"], strict=True)
    )
    spec = Spec.of([(HEIGHT, WIDTH)] * len(tables), channels=1)
    return Items(held["image"], spec, mask=held["mask"], tables=tables)


def pasted(seed: int = 0, share: float = 0.5) -> tuple[Items, Items, np.ndarray, dict]:
    before = items(objects(6, 3, seed=seed))
    mixer = v.CopyPaste(share=share, min_visible=LEAST)
    params = mixer.sample(Draw(Address.of(seed, index=range(6)), "CopyPaste"), before.spec)
    partner = (np.arange(6) + 1) % 6
    made, done = mixer.mix(params, before, before, partner[:, None], np.ones(6, bool))
    return before, made, partner, done


@pytest.mark.parametrize("seed", range(8))
def test_masks_boxes_and_picture_agree_after_pasting(seed: int) -> None:
    before, made, partner, done = pasted(seed)
    for row, table in enumerate(made.tables):
        mask = made.mask[row]
        assert (made.data[row][..., 0] == mask % 251).all()
        for number, shape, box, kept in zip(table["label"], table["masks"], table["boxes"], table["kept"], strict=True):
            assert np.array_equal(shape, mask == number)
            assert box.tolist() == extent(shape)
            assert (kept < 0) == (number in before.tables[partner[row]]["label"])
            whole = (before.mask == number).sum()
            assert shape.sum() >= LEAST * whole
        gone = set(before.tables[row]["label"]) - set(table["label"])
        assert all((mask == n).sum() < LEAST * (before.mask[row] == n).sum() for n in gone)
        own = np.isin(mask, before.tables[partner[row]]["label"]).mean()
        assert done["weight"][row] == pytest.approx(1 - own)


def test_covered_keypoints_are_flagged() -> None:
    _, made, _, _ = pasted(3, share=1.0)
    flags = []
    for row, table in enumerate(made.tables):
        for number, points in zip(table["label"], table["keypoints"], strict=True):
            x, y, visible = points[0]
            flags.append(visible)
            assert visible == (made.mask[row][int(y), int(x)] == number)
    assert set(flags) == {0.0, 1.0}


def test_each_object_is_pasted_with_the_probability() -> None:
    counts = [sum((table["kept"] < 0).sum() for table in pasted(seed, share=0.3)[1].tables) for seed in range(60)]
    assert stats.binomtest(sum(counts), 60 * 18, 0.3).pvalue > 1e-3


def test_which_objects_are_pasted_does_not_depend_on_how_many_there_are() -> None:
    held = objects(2, 4)
    (mine, theirs), (numbers, others) = held["boxes"], held["label"]
    for seed in range(10):
        whole, part = (v.CopyPaste()(image=held["image"], boxes=[mine, theirs[:n]], label=[numbers, others[:n]], seed=seed) for n in (4, 2))
        came = [set(np.asarray(made["label"][0])[made.kept[0] < 0].tolist()) for made in (whole, part)]
        assert came[0] & set(others[:2].tolist()) == came[1]


def test_without_instance_masks_the_boxes_are_cut_out() -> None:
    held = objects(4, 3)
    made = v.CopyPaste(share=1, min_visible=0)(**held, seed=0)
    for row in range(4):
        for box, number in zip(made["boxes"][row], made["label"][row], strict=True):
            assert box.tolist() == extent(made["mask"][row] == number)


def test_share_of_0_pastes_nothing_and_class_labels_weigh_pixels() -> None:
    boxes = np.tile([[[2.0, 3, 10, 20]]], (4, 1, 1))
    still = v.CopyPaste(share=0, classes=4)(image=colours(4), boxes=boxes, label=np.arange(4), seed=0)
    assert np.array_equal(still["image"], colours(4))
    made = v.CopyPaste(share=1, classes=4)(image=colours(4), boxes=boxes, label=np.arange(4), seed=0)
    assert np.allclose(made["label"], np.asarray(made["image"], float).mean((1, 2)), atol=1e-6)


def test_without_instances_there_is_nothing_to_paste_and_that_is_said() -> None:
    for p in (1, 0):
        with pytest.raises(v.TargetError, match="CopyPaste: expected instances: masks"):
            v.CopyPaste(p=p)(image=colours(3), seed=0)
    none = v.CopyPaste()(image=colours(3), boxes=[np.zeros((0, 4))] * 3, seed=0)
    assert np.array_equal(none["image"], colours(3))
