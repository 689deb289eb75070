"""Annotated pictures: one declared rule for what is unusable, and the way into calls, loaders, mixers and the survival report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from image_files import jpeg, smooth

import vicinal as v
from annotation_files import coco, note, voc, yolo
from vicinal.data import Loader, read, read_annotations

WRONG = [
    note(1, [5, 5, 10, 10]),
    note(2, [-0.002, 5, 10, 10]),  # float noise
    note(3, [50, 5, 20, 10], 70),  # over the edge
    note(4, [30, 5, -10, 10]),  # turned around
    note(5, [5, 5, 0, 10], 70),  # without area
    note(6, [0, 0, 0, 0]),  # empty
    note(7, [1, 1, 5, 5], segmentation={"size": [9, 9], "counts": [81]}),  # a mask of another size
    note(8, [1, 1, 5, 5], image=77),  # a missing picture
]


def test_what_is_unusable_is_refused_all_at_once(tmp_path: Path) -> None:
    with pytest.raises(v.DataError, match=r"6 faults:") as caught:
        read_annotations(coco(tmp_path, WRONG))
    said = str(caught.value)
    assert [f"annotation {number}:" in said for number in (8, 3, 4, 5, 6)] == [True] * 5
    assert said.endswith("and 1 more")


@pytest.mark.parametrize(
    ("invalid", "kept", "lost", "clipped"), [("clip", 3, [3, 1], [0, 1]), ("drop", 2, [3, 2], [0, 0])], ids=["clip", "drop"]
)
def test_what_is_unusable_is_clipped_or_dropped_and_counted(tmp_path: Path, invalid: str, kept: int, lost: list, clipped: list) -> None:
    data = read_annotations(coco(tmp_path, WRONG), invalid=invalid, missing="drop")
    assert len(data[0]["label"]) == kept
    assert data[0]["boxes"][1].tolist() == [0, 5, 9.998, 15]
    assert (data.losses.invalid.tolist(), data.losses.repaired.tolist()) == (lost, clipped)
    assert (len(data.losses.missing), data.losses.unlabelled) == (1, 1)
    told = v.survival(v.HorizontalFlip(), data, epochs=2)
    assert (told.classes, told.given.sum(), told.kept.sum()) == (("dog", "cat"), 2 * kept, 2 * kept)
    assert (told.files["invalid"].tolist(), told.files["repaired"].tolist()) == (lost, clipped)
    assert (told.files["missing"], told.files["unlabelled"]) == (1, 1)
    assert "in the files: annotations without a picture 1, pictures without annotations 1, " in str(told)
    assert told.as_dict()["files"]["invalid"] == lost


@pytest.mark.parametrize("rule", ["segments", "lines", "origin", "crowd", "invalid", "missing"])
def test_a_rule_that_there_is_none_of_is_refused(tmp_path: Path, rule: str) -> None:
    with pytest.raises(v.ParameterError, match=rf"read_annotations.{rule}: expected one of"):
        read_annotations(tmp_path, **{rule: "sometimes"})


def test_what_is_not_there_or_of_no_format_is_refused(tmp_path: Path) -> None:
    coco(tmp_path, [])
    with pytest.raises(v.DataError, match=r"instance.json: expected a file or folder that exists, got .*write .*instances.json"):
        read_annotations(tmp_path / "instance.json")
    with pytest.raises(v.DataError, match=r"^format: expected auto, coco, voc, yolo, got 'coc'; write coco$"):
        read_annotations(tmp_path / "instances.json", format="coc")
    with pytest.raises(v.DataError, match="expected one of these formats"):
        read_annotations(tmp_path)


def test_pictures_are_upright_and_so_are_their_boxes(tmp_path: Path) -> None:
    root = yolo(tmp_path, {"a": "0 0.5 0.25 0.5 0.5"})
    (root / "images" / "a.png").unlink()
    jpeg(root / "images" / "a.jpg", smooth(30, 50), orientation=6)
    data = read_annotations(root)
    assert data.sizes.tolist() == [[30, 50]]
    assert data[0]["image"].shape == (30, 50, 3)
    assert data[0]["boxes"].tolist() == [[12.5, 0, 37.5, 15]]


def test_some_pictures_are_a_data_set_too(tmp_path: Path) -> None:
    data = read_annotations(coco(tmp_path, [note(1, [5, 5, 10, 10]), note(2, [1, 1, 2, 2], image=2)]))
    assert data.take([1])[0]["boxes"].tolist() == [[1, 1, 3, 3]]
    assert len(data.take(np.array([True, False]))) == 1
    assert data.targets([]) == {}


def test_a_loader_gives_what_calls_give(tmp_path: Path) -> None:
    notes = [note(1, [10, 5, 10, 10], segmentation=[[10, 5, 20, 5, 20, 15]]), note(2, [1, 1, 9, 9], image=2)]
    data = read_annotations(coco(tmp_path, notes))
    policy = v.parse("HorizontalFlip(p=0.5) | Rotate(angle=(-20, 20)) | Resize(size=32)")
    batch = next(Loader(data, policy, batch_size=2, shuffle=False, seed=4).at(3))
    assert list(batch) == ["image", "boxes", "label", "masks", "index"]
    for row in range(2):
        alone = policy(**data[row], seed=4, epoch=3, index=row)
        for name in ("image", "boxes", "label", "masks"):
            assert np.array_equal(batch[name][row], alone[name]), name


def test_own_targets_stand_before_those_of_the_data(tmp_path: Path) -> None:
    data = read_annotations(coco(tmp_path, [note(1, [0, 0, 20, 20]), note(2, [40, 20, 20, 20])]))
    least = Loader(
        data, v.Translate(x=-10), shuffle=False, targets=lambda rows: {"boxes": v.Boxes(data.targets(rows)["boxes"], min_visible=0.6)}
    )
    assert next(least.at(0))["boxes"][0].tolist() == [[30, 20, 50, 40]]
    told = v.survival(v.Translate(x=-10), data, epochs=1, boxes=lambda rows: v.Boxes(data.targets(rows)["boxes"], min_visible=0.6))
    assert (told.given.tolist(), told.kept.tolist(), told.dropped.tolist()) == ([2, 0], [1, 0], [[1], [0]])


def test_partners_come_from_the_data_with_their_settings(tmp_path: Path) -> None:
    points = [{"id": 3, "name": "dog", "keypoints": ["left", "right"]}]
    notes = [note(n, [5, 5, 10, 10], image=image, keypoints=[8, 8, 2, 12, 8, 2]) for n, image in ((1, 5), (2, 2))]
    data = read_annotations(coco(tmp_path, notes, categories=points))
    made = v.Mosaic(size=60, partner="dataset")(**data[0], source=data, seed=0)
    assert len(made["keypoints"]) == len(made["boxes"]) == len(made.kept)
    assert -1 in made.kept
    plain = {**data[0], "keypoints": data[0]["keypoints"].data}
    with pytest.raises(v.TargetError, match=r"source: keypoints: expected plain arrays, or the same v.Keypoints"):
        v.CopyPaste(partner="dataset")(**plain, source=data, seed=0)


def test_real_cells_go_through_a_loader(shared_data) -> None:
    data = read_annotations(shared_data("bccd-voc"), part="test").take(range(8))
    policy = v.parse("RandomResizedCrop(size=96) | HorizontalFlip(p=0.5) | Mosaic(size=128, partner='dataset') | ToTensor()")
    batch = next(Loader(data, policy, batch_size=8).at(0))
    assert batch["image"].shape == (8, 3, 128, 128)
    assert all(len(boxes) == len(label) for boxes, label in zip(batch["boxes"], batch["label"], strict=True))


def test_labelled_images_are_something_else(tmp_path: Path) -> None:
    with pytest.raises(v.DataError, match=r"expected labelled images, one class each, got annotated pictures; write read_annotations"):
        read(voc(tmp_path, {"a": ""}))
