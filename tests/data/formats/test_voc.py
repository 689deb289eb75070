"""Pascal VOC folders."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import vicinal as v
from annotation_files import thing, voc
from vicinal.data import read_annotations


def test_pixels_are_counted_from_one_and_both_ends_belong_to_the_box(tmp_path: Path) -> None:
    data = read_annotations(voc(tmp_path, {"b": thing("dog", 1, 1, 60, 40), "a": thing("cat", 11, 6, 20, 15) + thing("dog", 2, 2, 3, 3)}))
    assert (data.format, data.classes, [path.name for path in data.paths]) == ("voc", ("cat", "dog"), ["a.png", "b.png"])
    assert data[0]["boxes"].tolist() == [[10, 5, 20, 15], [1, 1, 3, 3]]
    assert data[1]["boxes"].tolist() == [[0, 0, 60, 40]]


def test_a_tool_that_counts_edges_from_zero_is_read_with_another_origin(tmp_path: Path) -> None:
    root = voc(tmp_path, {"a": thing("cat", 0, 0, 20, 15)})
    with pytest.raises(v.DataError, match=r"a.xml: object 1: expected a box .*got xyxy \[-1.0, -1.0"):
        read_annotations(root)
    assert read_annotations(root, origin=0)[0]["boxes"].tolist() == [[0, 0, 20, 15]]


def test_a_part_is_a_list_of_names(tmp_path: Path) -> None:
    root = voc(tmp_path, {name: thing("cat", 1, 1, 9, 9) for name in "abc"})
    (root / "ImageSets" / "Main").mkdir(parents=True)
    (root / "ImageSets" / "Main" / "val.txt").write_text("c 1\nb -1\n\n")
    assert [path.stem for path in read_annotations(root, part="val").paths] == ["c", "b"]
    with pytest.raises(v.DataError, match=r"vall.txt: expected a list of pictures, got no such file; write part='val'"):
        read_annotations(root, part="vall")


def test_pictures_without_annotations_are_taken_and_counted(tmp_path: Path) -> None:
    root = voc(tmp_path, {"a": thing("cat", 1, 1, 9, 9), "b": "", "c": ""})
    (root / "Annotations" / "c.xml").unlink()
    data = read_annotations(root)
    assert (len(data), data.losses.unlabelled, len(data[1]["boxes"])) == (3, 2, 0)


def test_annotations_of_missing_pictures_meet_the_declared_rule(tmp_path: Path) -> None:
    root = voc(tmp_path, {"a": thing("cat", 1, 1, 9, 9), "b": thing("cat", 1, 1, 9, 9), "c": thing("cat", 1, 1, 9, 9)})
    (root / "JPEGImages" / "b.png").unlink()
    (root / "JPEGImages" / "c.png").write_bytes(b"no picture")
    with pytest.raises(v.DataError, match=r"(?s)2 faults:.*b.xml: b.png: expected a picture.*c.png \(not an image\)"):
        read_annotations(root)
    data = read_annotations(root, missing="drop")
    assert [path.stem for path in data.paths] == ["a"]
    assert [re.sub(".*/", "", line) for line in data.losses.missing] == ["b.xml: b.png", "c.xml: c.png (not an image)"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<annotation>", "a.xml: expected an XML document"),
        ("", "a.xml: expected an XML document"),
        ('<!DOCTYPE x [<!ENTITY e "eeee">]><annotation>&e;</annotation>', "a.xml: expected XML without a document type"),
        ('<!DOCTYPE x SYSTEM "file:///etc/hostname"><annotation/>', "a.xml: expected XML without a document type"),
        (f"<annotation>{thing('', 1, 1, 9, 9)}</annotation>", "a.xml: expected a name for every object, got none for object 1"),
        (f"<annotation>{thing('cat', 1, 1, 'x', 9)}</annotation>", r"a.xml: object 1: expected a box.*nan"),
        ("<annotation><object><name>cat</name></object></annotation>", r"a.xml: object 1: expected a box.*nan"),
        ("<annotation><size><width>9</width><height>9</height></size></annotation>", "a.xml: expected 9x9 pixels, .*got 60x40"),
    ],
)
def test_what_cannot_be_is_told_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    root = voc(tmp_path, {"a": ""})
    (root / "Annotations" / "a.xml").write_text(text)
    with pytest.raises(v.DataError, match=said):
        read_annotations(root)


def _segmented(root: Path, numbers: np.ndarray, mode: str = "P") -> Path:
    """The same folder with the segmentation of picture a."""
    (root / "SegmentationObject").mkdir()
    picture = Image.fromarray(numbers.astype(np.uint8))
    if mode == "P":
        picture.putpalette([row * 37 % 256 for row in range(768)])
    else:
        picture = picture.convert(mode)
    picture.save(root / "SegmentationObject" / "a.png")
    return root


def test_segmentations_are_masks_of_their_objects(tmp_path: Path) -> None:
    numbers = np.zeros((40, 60), np.uint8)
    numbers[5:15, 10:20], numbers[20:30, 30:50], numbers[15:17] = 1, 2, 255
    objects = thing("cat", 11, 6, 20, 15) + thing("dog", 31, 21, 50, 30) + thing("dog", 1, 1, 3, 3)
    root = _segmented(voc(tmp_path, {"a": objects, "b": thing("cat", 2, 2, 4, 4)}), numbers)
    data = read_annotations(root)
    cat, dog, unseen = data[0]["masks"]
    assert (cat == (numbers == 1)).all()
    assert (dog == (numbers == 2)).all()
    assert (unseen.sum(), unseen[:3, :3].all()) == (9, True)  # its box
    assert data[1]["masks"].sum() == 9
    assert "masks" not in read_annotations(root, segments="none")[0]
    (root / "ImageSets" / "Segmentation").mkdir(parents=True)
    (root / "ImageSets" / "Segmentation" / "val.txt").write_text("a\n")
    assert [path.stem for path in read_annotations(root, part="Segmentation/val").paths] == ["a"]


@pytest.mark.parametrize(
    ("numbers", "mode", "said"),
    [
        (np.full((40, 60), 3), "P", r"a.png: expected the numbers 0 to 1 of the objects in its XML file, or 255, got \[3\]"),
        (np.ones((9, 9)), "P", r"a.xml: object 1: expected an annotation for a picture of 60x40, got a mask of 9x9"),
        (np.ones((40, 60)), "RGB", r"a.png: expected a picture with a palette or grey, .*got mode RGB"),
    ],
)
def test_segmentations_that_cannot_be_are_told(tmp_path: Path, numbers: np.ndarray, mode: str, said: str) -> None:
    root = _segmented(voc(tmp_path, {"a": thing("cat", 1, 1, 9, 9)}), numbers, mode)
    with pytest.raises(v.DataError, match=said):
        read_annotations(root)


def test_sizes_of_nothing_say_nothing(tmp_path: Path) -> None:
    assert len(read_annotations(voc(tmp_path, {"a": thing("cat", 1, 1, 9, 9)}, size=(0, 0)))) == 1


def test_many_faults_come_at_once_and_few_are_shown(tmp_path: Path) -> None:
    root = voc(tmp_path, {f"{number}": thing("cat", 50, 1, 9, 9) for number in range(12)})
    with pytest.raises(v.DataError, match=r"(?s)12 faults:(.*object 1: ){5}.*and 7 more"):
        read_annotations(root)


def test_real_blood_cells(shared_data) -> None:
    root = shared_data("bccd-voc")
    whole, train, test = (read_annotations(root, part=part) for part in (None, "train", "test"))
    assert (len(whole), len(train), len(test)) == (200, 150, 50)
    for data, counts in ((train, [163, 1709, 157]), (test, [46, 570, 50])):
        assert data.classes == ("Platelets", "RBC", "WBC")
        found = [label for picture in data.pictures for label in picture.labels]
        assert [found.count(number) for number in range(3)] == counts
    assert not whole.losses.invalid.any()
