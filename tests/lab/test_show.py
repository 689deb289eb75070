"""Contact sheets and recipes before any training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vicinal import parse
from vicinal.core.errors import ParameterError, PolicyError
from vicinal.data.build import from_arrays
from vicinal.data.dataset import Dataset
from vicinal.lab.show import recipe_of, sheet_file


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
