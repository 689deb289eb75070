"""YOLO folders."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import vicinal as v
from annotation_files import pictures, yolo
from vicinal.data import read_annotations


def test_boxes_are_shares_of_their_picture(tmp_path: Path) -> None:
    data = read_annotations(yolo(tmp_path, {"a": "1 0.5 0.5 0.5 0.25\n0 0.25 0.25 0.1 0.1\n", "b": ""}))
    assert (data.format, data.classes, data.losses.unlabelled) == ("yolo", ("cat", "dog"), 1)
    assert data[0]["boxes"] == pytest.approx(np.array([[15, 15, 45, 25], [12, 8, 18, 12]]))
    assert data[0]["label"].tolist() == [1, 0]


def test_corners_are_an_outline(tmp_path: Path) -> None:
    root = yolo(tmp_path, {"a": "1 0.25 0.25 0.75 0.25 0.5 0.75\n0 0.5 0.5 0.5 0.5"})
    sample = read_annotations(root, segments="polygons")[0]
    assert sample["boxes"] == pytest.approx(np.array([[15, 10, 45, 30], [15, 10, 45, 30]]))
    assert sample["polygons"][0] == pytest.approx(np.array([[15, 10], [45, 10], [30, 30]]))
    assert read_annotations(root)[0]["masks"].sum((1, 2)).tolist() == [300, 600]


def test_oriented_boxes_are_declared(tmp_path: Path) -> None:
    root = yolo(tmp_path, {"a": "1 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75\n"})
    assert "masks" in read_annotations(root)[0]
    sample = read_annotations(root, lines="oriented")[0]
    assert sample["boxes"].format == "quad"
    assert sample["boxes"].data.tolist() == [[15, 10, 45, 10, 45, 30, 15, 30]]
    turned = v.RandomRotate90(turns=2)(**sample, seed=0)["boxes"]
    assert turned[0] == pytest.approx([45, 30, 15, 30, 15, 10, 45, 10])


def test_keypoints_come_with_their_shape(tmp_path: Path) -> None:
    names = "names: {0: cat}\nkpt_shape: [2, 3]\nflip_idx: [1, 0]\n"
    data = read_annotations(yolo(tmp_path, {"a": "0 0.5 0.5 0.5 0.5 0.5 0.25 2 0.1 0.1 0\n"}, names))
    found = data[0]["keypoints"]
    assert (found.swap, data.classes) == (((0, 1),), ("cat",))
    assert np.array_equal(found.data[0], [[30, 10, 2], [np.nan, np.nan, 0]], equal_nan=True)
    flat = "names: [cat]\nkpt_shape: [1, 2]\n"
    assert read_annotations(yolo(tmp_path / "flat", {"a": "0 .5 .5 .5 .5 .5 .25\n"}, flat))[0]["keypoints"].tolist() == [[[30, 10, 2]]]


def test_parts_are_folders_or_lists(tmp_path: Path) -> None:
    for part in ("train", "val"):
        pictures(tmp_path / "images" / part, f"{part}.png")
        (tmp_path / "labels" / part).mkdir(parents=True)
        (tmp_path / "labels" / part / f"{part}.txt").write_text("0 0.5 0.5 0.5 0.5")
    (tmp_path / "list.txt").write_text("images/val/val.png\n")
    (tmp_path / "data.yaml").write_text("path: .\ntrain: images/train\nval: [list.txt]\nnames: [cat]\n")
    for source in (tmp_path, tmp_path / "data.yaml"):
        assert [path.stem for path in read_annotations(source).paths] == ["train", "val"]
        assert [path.stem for path in read_annotations(source, part="val").paths] == ["val"]
    with pytest.raises(v.DataError, match="part: expected one of train, val, got 'valid'; write part='val'"):
        read_annotations(tmp_path, part="valid")


def test_without_a_data_yaml_classes_are_numbers(tmp_path: Path) -> None:
    assert read_annotations(yolo(tmp_path, {"a": "2 0.5 0.5 0.5 0.5"}, None)).classes == ("0", "1", "2")


def test_labels_without_a_picture_meet_the_declared_rule(tmp_path: Path) -> None:
    root = yolo(tmp_path, {"a": "0 0.5 0.5 0.5 0.5", "b": "0 0.5 0.5 0.5 0.5"})
    (root / "images" / "b.png").unlink()
    (root / "labels" / "classes.txt").write_text("cat\ndog\n")
    with pytest.raises(v.DataError, match=r"labels/b.txt: expected a picture that is there"):
        read_annotations(root)
    assert len(read_annotations(root, missing="drop").losses.missing) == 1


@pytest.mark.parametrize(
    ("line", "settings_", "said"),
    [
        ("2 0.5 0.5 0.5 0.5", "names: [cat, dog]", "a.txt: line 2: expected a class number from 0 to 1, got '2'"),
        ("cat 0.5 0.5 0.5 0.5", "names: [cat, dog]", "a.txt: line 2: expected a class number from 0 to 1, got 'cat'"),
        ("0 0.5 0.5 0.5", "names: [cat]", "a.txt: line 2: .*got 3 numbers, not 4, or 3 or more corners"),
        ("0 0.5 0.5 0.5 0.5 0.9", "names: [cat]", "a.txt: line 2: .*got 5 numbers"),
        ("0 0.5 x 0.5 0.5", "names: [cat]", r"a.txt: line 2: expected a box .*\[nan"),
        ("0 0.5 0.5 0.5 0.5", "names: [cat]\nkpt_shape: 7", "kpt_shape: expected how many points"),
        ("0 0.5 0.5 0.5 0.5", "names: {1: cat}", "names: expected the class numbers 0 to 0"),
        ("0 0.5 0.5 0.5 0.5", "names: cat", "names: expected a list of names"),
        ("0 0.5 0.5 0.5 0.5", "[", "data.yaml: expected a YAML document"),
        ("0 0.5 0.5 0.5 0.5", "!!python/object/apply:os.system ['true']", "data.yaml: expected a YAML document of plain data"),
        ("0 0.5 0.5 0.5 0.5", "7", "data.yaml: expected names of classes"),
        ("0 0.5 0.5 0.5 0.5", "names: [cat]\ntrain: nowhere", "nowhere: expected a folder of pictures"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(tmp_path: Path, line: str, settings_: str, said: str) -> None:
    with pytest.raises(v.DataError, match=said):
        read_annotations(yolo(tmp_path, {"a": f"\n{line}\n"}, settings_))


WORDS = st.sampled_from(["0", "1", "7", "-1", "0.5", "1.0025", "-0.002", "nan", "inf", "1e400", "x", "", "0.1", "99"])


@settings(derandomize=True, max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(WORDS, max_size=11), max_size=4), st.sampled_from(["raise", "clip", "drop"]), st.sampled_from(["auto", "oriented"])
)
def test_no_lines_lead_to_anything_but_data_or_a_sentence(tmp_path_factory, lines: list, invalid: str, form: str) -> None:
    root = yolo(tmp_path_factory.mktemp("yolo"), {"a": "\n".join(map(" ".join, lines))})
    with contextlib.suppress(v.DataError):
        v.parse("Rotate(angle=20) | CenterCrop(size=30)")(**read_annotations(root, invalid=invalid, lines=form)[0], seed=0)


def test_real_labels_of_coco(shared_data, tmp_path: Path) -> None:
    root = shared_data("coco-slice")
    (tmp_path / "images").symlink_to(root / "images")
    (tmp_path / "labels").symlink_to(root / "labels-yolo")
    names = (root / "yolo-classes.txt").read_text().splitlines()
    (tmp_path / "data.yaml").write_text("names: [" + ", ".join(f"'{name}'" for name in names) + "]\n")
    data = read_annotations(tmp_path)
    assert (len(data), sum(len(picture.labels) for picture in data.pictures), len(data.classes)) == (24, 156, 80)
    known = read_annotations(root / "instances.json")
    for one, other in zip(data.pictures, known.pictures, strict=True):
        assert {data.classes[label] for label in one.labels} == {known.classes[label] for label in other.labels}


def test_boxes_written_from_voc_are_the_boxes_of_voc(shared_data, tmp_path: Path) -> None:
    cells = read_annotations(shared_data("bccd-voc"), part="test")
    (tmp_path / "images").symlink_to(shared_data("bccd-voc") / "JPEGImages")
    (tmp_path / "labels").mkdir()
    for picture in cells.pictures:
        low, high = picture.boxes[:, :2] / picture.size[::-1], picture.boxes[:, 2:] / picture.size[::-1]
        rows = np.column_stack([picture.labels, (low + high) / 2, high - low])
        np.savetxt(tmp_path / "labels" / f"{picture.path.stem}.txt", rows, fmt="%d %.9f %.9f %.9f %.9f")
    (tmp_path / "list.txt").write_text("".join(f"images/{path.name}\n" for path in cells.paths))
    (tmp_path / "data.yaml").write_text("names: [Platelets, RBC, WBC]\ntest: list.txt\n")
    data = read_annotations(tmp_path, part="test")
    for one, other in zip(data.pictures, cells.pictures, strict=True):
        assert one.boxes == pytest.approx(other.boxes, abs=1e-5)
        assert np.array_equal(one.labels, other.labels)
