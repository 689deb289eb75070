"""Contact sheets and recipes before any training."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from annotation_files import coco, note
from vicinal import parse
from vicinal.core.errors import DataError, ParameterError, PolicyError
from vicinal.data import Annotated
from vicinal.data.build import from_arrays
from vicinal.data.dataset import Dataset
from vicinal.lab.report.marks import Marks
from vicinal.lab.show import load_any, recipe_of, sheet_file


@pytest.mark.parametrize(
    ("policy", "columns"),
    [
        ("Rotate(angle=(-15, 15))", 7),
        ("Views([Invert()], n=3)", 4),
        ('UniformNoise(low=0, high=0.5, overflow="keep")', 7),
        ("Pad(by=4)", 7),
    ],
)
def test_a_sheet_has_a_column_for_each_version(digits: Dataset, tmp_path: Path, policy: str, columns: int) -> None:
    plan, path = sheet_file(digits, policy, 0, tmp_path / "new" / "sheet.png")
    assert plan.startswith("1 pass for 1 operation, batch of 6")
    with Image.open(path) as picture:
        cells = (picture.width - 12 + 4) / columns  # 4 between tiles, 16 beside the originals
        assert cells == int(cells)
        assert cells >= 80


def test_images_of_several_sizes_share_a_sheet(tmp_path: Path) -> None:
    data = from_arrays([np.full((8 + n, 8, 3), 9 * n, np.uint8) for n in range(6)], [0, 1] * 3)
    sheet_file(data, "Rotate(angle=90) | CenterCrop(size=6)", 0, tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 100


def test_a_policy_must_end_in_an_image(digits: Dataset, tmp_path: Path) -> None:
    for policy in ("Normalize(mean=0.5, std=0.5) | ToTensor()", "Views([ToTensor()])", "Jitter(std=0.1)"):
        with pytest.raises(PolicyError):
            sheet_file(digits, policy, 0, tmp_path / "sheet.png")
    assert not (tmp_path / "sheet.png").exists()


def test_a_recipe_is_that_of_the_address(digits: Dataset) -> None:
    policy = "Translate(x=(-2, 2), y=(-2, 2)) | GaussianNoise(std=(0, 0.1))"
    recipe = recipe_of(digits, policy, 5, "3:17:2")
    made = parse(policy)(digits.images[17], seed=5, epoch=3, index=17, view=2)
    assert np.array_equal(recipe.replay(digits.images[17]), made)
    assert recipe_of(digits, policy, 5, "3:17").view == 0
    assert str(recipe).startswith("seed=5, epoch=3, index=17, view=2  policy ")


def test_the_index_is_a_source_id(digits: Dataset) -> None:
    some = digits.take([40, 41])
    assert recipe_of(some, "Invert()", 0, "0:41").index == 41
    with pytest.raises(ParameterError, match="expected an index from 40 to 41, got 2; write --at 0:40"):
        recipe_of(some, "Invert()", 0, "0:2")


@pytest.mark.parametrize("at", ["", "3", "a:b", "1:2:3:4", "-1:2", "1.5:2", "1:"])
def test_a_place_that_is_none_is_told_the_form(digits: Dataset, at: str) -> None:
    with pytest.raises(ParameterError, match="EPOCH:INDEX"):
        recipe_of(digits, "Invert()", 0, at)


@pytest.mark.parametrize("partner", ["batch", "dataset"])
@pytest.mark.parametrize(
    "policy", ["MixUp(partner={})", "CutMix(partner={})", "Mosaic(size=16, partner={})", "Views([MixUp(partner={})], n=2)"]
)
def test_mixers_are_shown_with_what_they_mix(digits: Dataset, tmp_path: Path, policy: str, partner: str) -> None:
    text = policy.format(repr(partner))
    plan, path = sheet_file(digits, text, 0, tmp_path / "sheet.png")
    assert "mix " in plan
    still = sheet_file(digits, re.sub(r"(MixUp|CutMix|Mosaic)\(.*?\)", "HorizontalFlip(p=0)", text), 0, tmp_path / "still.png")[1]
    assert path.read_bytes() != still.read_bytes()


def test_annotated_pictures_are_shown_with_their_annotations(tmp_path: Path) -> None:
    outline = {"segmentation": [[10, 5, 40, 5, 40, 35, 10, 35]], "keypoints": [20, 20, 2, 0, 0, 0]}
    source = str(coco(tmp_path, [note(1, [10, 5, 30, 30], **outline), note(2, [1, 1, 9, 9], 70, image=2)]))
    data = load_any(source)
    assert isinstance(data, Annotated)
    _, path = sheet_file(data, "HorizontalFlip() | CopyPaste(partner='dataset')", 0, tmp_path / "sheet.png")
    with Image.open(path) as picture:
        columns = [np.asarray(picture.convert("RGB"))[:40, x : x + 60] for x in (0, 60 + 16)]
    assert all(len(np.unique(column.reshape(-1, 3), axis=0)) > 3 for column in columns)  # grey before: box, veil and point have colours
    assert (columns[0][20, 20] == 255).all()  # the point that is known
    assert recipe_of(data, "Rotate(angle=(-5, 5))", 0, "0:1").index == 1
    with pytest.raises(ParameterError, match=r"write Resize\(size=32\)"):
        load_any(source, resize=32)
    assert isinstance(load_any("digits"), Dataset)


def test_what_is_unusable_is_left_out_on_demand(tmp_path: Path) -> None:
    source = str(coco(tmp_path, [note(1, [50, 5, 30, 30]), note(2, [1, 1, 9, 9], image=9)]))
    with pytest.raises(DataError, match=r"(?s)2 faults:.*--skip-bad"):
        load_any(source)
    assert len(load_any(source, skip_bad=True)) == 2


def test_marks_lie_where_the_annotations_lie() -> None:
    marks = Marks(
        boxes=np.array([[2.0, 3, 8, 9], [0, 0, 10, 10]]), masks=np.zeros((2, 10, 10), bool), points=np.array([[5.5, 5.5, 1], [1, 1, 0]])
    )
    tile = np.asarray(marks.over(Image.new("RGBA", (40, 40), "black"), 4))[..., :3].any(-1)
    assert tile[12, 8:33].all()
    assert tile[12:37, 32].all()
    assert tile[39].all()  # a box to the edge is still seen
    assert tile[22, 22]
    assert not tile[4, 4]
    turned = Marks(np.array([[2.0, 2, 7, 2, 7, 7, 2, 7]]), outlines=[np.zeros((0, 2))], classes=[3])
    assert np.asarray(turned.over(Image.new("RGBA", (10, 10), "black"), 1))[2, 2:8, 0].all()
