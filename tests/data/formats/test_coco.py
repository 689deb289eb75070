"""COCO JSON."""

from __future__ import annotations

import contextlib
import copy
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vicinal as v
from annotation_files import SIZE, coco, note, pictures
from vicinal.data import read_annotations

SQUARE = [[10, 5, 20, 5, 20, 15, 10, 15]]
HOLE = {"size": [*SIZE], "counts": [5 * 40, 40, 54 * 40]}


def test_boxes_classes_and_pictures_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    data = read_annotations(coco(tmp_path, [note(1, [1, 2, 10, 20]), note(2, [0, 0, 5, 5], 70), note(3, [3, 3, 3, 3], image=2)]))
    assert (data.format, data.classes, len(data)) == ("coco", ("dog", "cat"), 2)
    assert data.targets([0, 1])["boxes"][0].tolist() == [[1, 2, 11, 22], [0, 0, 5, 5]]
    assert [part.tolist() for part in data.targets([0, 1])["label"]] == [[0, 1], [0]]
    assert sorted(data[0]) == ["boxes", "image", "label"]
    assert data.losses.unlabelled == 0


def test_outlines_become_masks(tmp_path: Path) -> None:
    parts = [*SQUARE, [30, 5, 40, 5, 40, 15, 30, 15]]
    notes = [note(1, [10, 5, 30, 10], segmentation=parts), note(2, [5, 0, 1, 40], segmentation=HOLE), note(3, [0, 0, 2, 3])]
    masks = read_annotations(coco(tmp_path, notes))[0]["masks"]
    assert masks.shape == (3, *SIZE)
    assert [masks[0, 5:15, 10:20].all(), masks[0, 5:15, 30:40].all(), masks[0].sum()] == [True, True, 200]
    assert masks[1, :, 5].all()
    assert masks[1].sum() == 40
    assert masks[2].sum() == 6  # an instance without an outline has that of its box


def test_outlines_become_polygons_where_each_is_one(tmp_path: Path) -> None:
    data = read_annotations(coco(tmp_path, [note(1, [10, 5, 10, 10], segmentation=SQUARE)]), segments="polygons")
    assert data[0]["polygons"][0].tolist() == [[10, 5], [20, 5], [20, 15], [10, 15]]
    many = coco(tmp_path, [note(1, [10, 5, 10, 10], segmentation=SQUARE * 2), note(2, [5, 0, 1, 40], segmentation=HOLE)])
    with pytest.raises(v.DataError, match=r"(?s)2 faults:.*annotation 1.*got 2 polygons.*annotation 2.*got run lengths"):
        read_annotations(many, segments="polygons")
    assert "masks" not in read_annotations(many, segments="none")[0]


def test_keypoints_know_their_visibility_and_change_places_in_a_mirror(tmp_path: Path) -> None:
    points = [10, 5, 2, 20, 5, 1, 0, 0, 0]
    names = [{"id": 3, "name": "dog", "keypoints": ["left_eye", "right_eye", "nose"]}]
    data = read_annotations(coco(tmp_path, [note(1, [5, 0, 20, 20], keypoints=points), note(2, [0, 0, 9, 9])], categories=names))
    assert data.swap == ((0, 1),)
    seen = data[0]["keypoints"].data
    assert np.array_equal(seen[0], [[10.5, 5.5, 2], [20.5, 5.5, 1], [np.nan, np.nan, 0]], equal_nan=True)
    assert np.isnan(seen[1, :, :2]).all()
    flipped = v.HorizontalFlip()(**data[0], seed=0)["keypoints"][0]
    assert np.array_equal(flipped[:2], [[60 - 20.5, 5.5, 1], [60 - 10.5, 5.5, 2]])


def test_crowds_are_left_out_and_counted_or_told(tmp_path: Path) -> None:
    path = coco(tmp_path, [note(1, [1, 1, 3, 3]), note(2, [0, 0, 60, 40], iscrowd=1, segmentation=HOLE)])
    data = read_annotations(path)
    assert (len(data[0]["label"]), data.losses.crowd.tolist()) == (1, [1, 0])
    assert "masks" not in data[0]  # the crowd alone had an outline
    kept = read_annotations(path, crowd="keep")
    assert kept[0]["crowd"].data.tolist() == [False, True]
    moved = v.Translate(x=-5)(**kept[0], seed=0)
    assert moved["crowd"].tolist() == [True]


def test_a_box_that_is_not_there_is_taken_from_the_polygons(tmp_path: Path) -> None:
    lone = {"id": 1, "image_id": 5, "category_id": 3, "segmentation": SQUARE}
    assert read_annotations(coco(tmp_path, [lone]))[0]["boxes"].tolist() == [[10, 5, 20, 15]]


def test_pictures_are_found_where_they_usually_lie(tmp_path: Path) -> None:
    path = coco(tmp_path, [note(1, [1, 1, 9, 9])])
    (tmp_path / "annotations").mkdir()
    moved = path.rename(tmp_path / "annotations" / "instances_val2017.json")
    assert len(read_annotations(moved)) == 2
    (tmp_path / "images").rename(tmp_path / "val2017")
    assert len(read_annotations(moved)) == 2
    (tmp_path / "val2017").rename(tmp_path / "elsewhere")
    assert len(read_annotations(moved, images=tmp_path / "elsewhere")) == 2


FAULTS = [
    ({"annotations": None}, "annotations: expected a list of objects, as in COCO, got none"),
    ({"images": [{"id": 5}]}, r"images\[0\]: expected an id and a file_name"),
    ({"images": [{"id": 5, "file_name": "a.png"}] * 2}, "images: expected an id of its own for each"),
    ({"categories": [{"id": 3, "name": "x"}, {"id": 3, "name": "y"}]}, "categories: expected each with a name"),
    ({"annotations": [note(7, [1, 1, 2, 2], 99)]}, r"annotation 7: expected a category_id among the categories, got 99"),
    ({"annotations": [note(7, [1, 1, 2, 2], image=99)]}, r"annotation 7: image 99: expected a picture .*missing='drop'"),
    ({"annotations": [note(7, "1, 2")]}, r"annotation 7: expected a box with an area, inside the picture of 60x40, got xywh \[nan"),
    ({"annotations": [note(7, [1, 1, 2, 2], segmentation=[[1, 2, 3]])]}, "annotation 7: .*got a polygon"),
    ({"annotations": [note(7, [1, 1, 2, 2], keypoints=[1, 2])]}, "annotation 7: .*got keypoints"),
    ({"annotations": [note(7, [1, 1, 2, 2], segmentation={"size": [9, 9], "counts": [81]})]}, "got a mask of 9x9"),
    ({"images": [{"id": 5, "file_name": "a.png", "height": 9, "width": 8}]}, "image 5: expected 8x9 pixels, .* a.png, got 60x40"),
]


@pytest.mark.parametrize(("changes", "said"), FAULTS)
def test_what_cannot_be_is_told_in_a_sentence(tmp_path: Path, changes: dict, said: str) -> None:
    with pytest.raises(v.DataError, match=said):
        read_annotations(coco(tmp_path, [], **changes))


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '"text"', "7", "\x00"])
def test_a_file_that_is_no_coco_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "some.json").write_text(text)
    with pytest.raises(v.DataError, match=r"some\.json"):
        read_annotations(tmp_path / "some.json")


ODD = (float("nan"), 1e308, -1, 0, "", "left", [], {}, [[]], [None])
JUNK = st.one_of(st.none(), st.booleans(), st.integers(-(10**400), 10**400), st.sampled_from(ODD))


@settings(derandomize=True, max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_document_leads_to_anything_but_data_or_a_sentence(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    root = tmp_path_factory.mktemp("coco")
    points = note(2, [2, 2, 5, 5], keypoints=[3, 3, 2])
    path = coco(root, [note(1, [1, 1, 9, 9], segmentation=SQUARE), note(4, [5, 0, 1, 40], segmentation=HOLE, iscrowd=1), points])
    document = json.loads(path.read_text())
    for _ in range(data.draw(st.integers(1, 2))):
        _spoil(document, data)
    path.write_text(json.dumps(document))
    rules = {"invalid": data.draw(st.sampled_from(["raise", "clip", "drop"])), "missing": "drop", "crowd": "keep"}
    with contextlib.suppress(v.DataError):
        found = read_annotations(path, **rules)
        for row in range(len(found)):
            v.parse("Rotate(angle=20) | CenterCrop(size=30)")(**found[row], seed=0)


def _spoil(document: dict, data: st.DataObject) -> None:
    """Put something else in one place, at any depth."""
    place, key = document, data.draw(st.sampled_from(sorted(document)))
    while isinstance(place[key], (dict, list)) and place[key] and data.draw(st.integers(0, 4)):
        place = place[key]
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else list(range(len(place)))))
    place[key] = copy.deepcopy(data.draw(JUNK))


def test_real_pictures_of_coco(shared_data) -> None:
    root = shared_data("coco-slice")
    data = read_annotations(root / "instances.json")
    document = json.loads((root / "instances.json").read_text())
    assert (len(data), len(data.classes)) == (24, 34)
    assert sum(len(picture.labels) for picture in data.pictures) == len(document["annotations"]) == 155
    for row, image in enumerate(document["images"]):
        assert data.sizes[row].tolist() == [image["height"], image["width"]]
    for masks, boxes in zip(*(data.targets(range(6))[name] for name in ("masks", "boxes")), strict=True):
        for mask, box in zip(masks, boxes, strict=True):
            rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            assert np.abs(box - [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]).max() <= 2


def test_a_folder_of_pictures_is_no_coco(tmp_path: Path) -> None:
    with pytest.raises(v.DataError, match=r"expected one of these formats \(coco"):
        read_annotations(pictures(tmp_path / "cats", "a.png"))
