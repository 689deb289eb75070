"""Mosaic: four pictures and everything that belongs to them, held against the pixels."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import colours, extent, objects
from scipy import stats

import vicinal as v
from vicinal.core.draw import Address, Draw

SIZES = [(48, 64), (24, 32), (20, 20), (90, 31)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("least", [0.0, 0.3])
def test_boxes_are_what_the_mask_shows(size: tuple[int, int], least: float) -> None:
    held = objects(6, 4)
    area = {int(n): int((held["mask"] == n).sum()) for n in np.unique(held["mask"]) if n}
    for seed in range(6):
        made = v.Mosaic(size=size, min_visible=least)(**held, seed=seed)
        assert made["image"].shape == (6, *size, 1)
        for row in range(6):
            boxes, numbers, tiles = made["boxes"][row], np.asarray(made["label"][row]), made.mixed["Mosaic"]["box"][row]
            assert len(boxes) == len(numbers) == len(made["keypoints"][row]) == len(made.kept[row])
            for box, number in zip(boxes, numbers, strict=True):
                # The same partner may lie in two tiles, so each box belongs to the tile that holds it.
                holds = [t for t in tiles if (t[:2] <= box[:2]).all() and (box[2:] <= t[2:]).all() and shows(made["mask"][row], t, number)]
                found = [extent_in(made["mask"][row], t, number) for t in holds]
                assert box.tolist() in found
                assert (box[2:] - box[:2]).prod() / area[number] >= max(least - 1e-9, 1e-9)
            assert (made["image"][row, ..., 0] == made["mask"][row] % 251).all()


def shows(mask: np.ndarray, tile: np.ndarray, number: int) -> bool:
    x0, y0, x1, y1 = tile
    return bool((mask[y0:y1, x0:x1] == number).any())


def extent_in(mask: np.ndarray, tile: np.ndarray, number: int) -> list[float]:
    x0, y0, x1, y1 = tile
    box = extent(mask[y0:y1, x0:x1] == number)
    return [box[0] + x0, box[1] + y0, box[2] + x0, box[3] + y0]


def test_keypoints_outside_their_tile_are_flagged_and_never_moved_to_the_border() -> None:
    held = objects(5, 4)
    made = v.Mosaic(size=30)(**held, seed=1)
    flags = []
    for row in range(5):
        for points, number in zip(made["keypoints"][row], made["label"][row], strict=True):
            x, y, visible = points[0]
            flags.append(visible)
            if visible:
                assert made["mask"][row][int(y), int(x)] == number
    assert set(flags) == {0.0, 1.0}


def test_loose_keypoints_come_in_where_they_are_shown() -> None:
    points = np.tile([[0.5, 0.5, 1], [31.5, 23.5, 1]], (4, 1, 1))
    made = v.Mosaic(size=(48, 64), x=0.5, y=0.5)(image=colours(4), keypoints=points, seed=0)
    for found in made["keypoints"]:
        moved = [(x + dx, y + dy) for x, y in [(0.5, 0.5), (31.5, 23.5)] for dx in (0, 32) for dy in (0, 24)]
        assert sorted(map(tuple, found[:, :2])) == sorted(moved)


def test_class_labels_are_weighted_by_the_area_that_is_seen() -> None:
    for seed in range(10):
        made = v.Mosaic(size=40, classes=5, fill=1)(image=colours(5), label=np.arange(5), seed=seed)
        covered = np.asarray(made["image"]).sum(-1) == 1
        seen = np.array([image[on].mean(0) for image, on in zip(made["image"], covered, strict=True)])
        assert np.allclose(made["label"], seen, atol=1e-6)


def test_the_own_picture_lies_in_every_quarter_equally_often() -> None:
    places = v.Mosaic(size=8).drawn(Draw(Address.of(0, index=range(4000)), "Mosaic"), None)["place"]  # type: ignore[arg-type]
    assert stats.chisquare(np.bincount(places, minlength=4)).pvalue > 1e-3


def test_pictures_of_any_sizes_and_a_batch_of_one() -> None:
    ragged = [np.full((5 + row, 9 - row, 3), 1 + row, np.uint8) for row in range(4)]
    masks = [image[..., 0].astype(np.int16) for image in ragged]
    made = v.Mosaic(size=(12, 14), fill=1.0)(image=ragged, mask=[*masks], seed=0)
    assert np.shape(made["image"]) == (4, 12, 14, 3)
    covered = np.asarray(made["mask"]) > 0
    assert (np.asarray(made["image"])[~covered] == 255).all()
    assert (np.asarray(made["image"])[covered][:, 0] == np.asarray(made["mask"])[covered]).all()
    alone = v.Mosaic(size=12)(image=ragged[0], seed=0)
    assert alone["image"].shape == (12, 12, 3)
    assert set(np.unique(alone["image"])) <= {0, 1}
    some = v.Mosaic(size=12, p=0.5)(image=ragged, seed=0)["image"]
    assert {image.shape for image in some} > {(12, 12, 3)}


def test_the_fill_of_a_mask_is_that_of_its_target() -> None:
    made = v.Mosaic(size=99)(image=colours(3), mask=v.Mask(np.zeros((3, 24, 32), np.uint8), fill=255), seed=0)
    assert set(np.unique(made["mask"])) == {0, 255}


def test_channels_first_is_the_same_picture() -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 9, 8, 3), np.uint8)
    one = v.parse("ToTensor() | Mosaic(size=12)")(images, seed=0)
    other = v.parse("Mosaic(size=12) | ToTensor()")(images, seed=0)
    assert np.array_equal(one, other)


def test_mosaic_behind_normalize_is_an_error() -> None:
    with pytest.raises(v.PolicyError, match="declared range, which Normalize gives up"):
        v.parse("Normalize() | Mosaic(size=8)")
