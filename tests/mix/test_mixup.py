"""MixUp: the weight's law, the average, and what becomes of annotations."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import objects
from scipy import stats

import vicinal as v
from vicinal.core.draw import Address, Draw


def pictures(batch: int, dtype: str) -> np.ndarray:
    values = np.random.default_rng(0).random((batch, 13, 9, 3))
    return values.astype(np.float32) if dtype == "float32" else np.rint(values * np.iinfo(dtype).max).astype(dtype)


@pytest.mark.parametrize("alpha", [0.1, 0.2, 0.4, 1.0, 2.0, 8.0])
def test_the_weight_is_beta(alpha: float) -> None:
    drawn = v.MixUp(alpha=alpha).drawn(Draw(Address.of(0, index=range(8000)), "MixUp"), None)["weight"]  # type: ignore[arg-type]
    assert stats.kstest(drawn, stats.beta(alpha, alpha).cdf).pvalue > 1e-3


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_it_is_the_average_by_the_weight(dtype: str) -> None:
    images = pictures(7, dtype)
    made = v.MixUp(alpha=0.5)(image=images, seed=2)
    done = made.mixed["MixUp"]
    weight = done["weight"][:, None, None, None]
    exact = weight * images.astype(np.float64) + (1 - weight) * images[done["partner"]]
    assert made["image"].dtype == images.dtype
    assert np.abs(made["image"] - exact).max() <= (1e-6 if dtype == "float32" else 0.5001)


def test_values_stay_in_range() -> None:
    ones = np.ones((64, 6, 6, 3), np.float32)
    for seed in range(20):
        assert v.MixUp(alpha=0.3)(ones, seed=seed).max() <= 1
        assert v.MixUp()(np.full((8, 4, 4, 1), 255, np.uint8), seed=seed).min() == 255


@pytest.mark.parametrize("off", [v.MixUp(alpha=0), v.Compose([v.MixUp()], strength=0), v.MixUp(p=0)], ids=repr)
def test_alpha_of_0_changes_nothing(off: v.Compose) -> None:
    images = pictures(5, "float32")
    assert np.array_equal(off(images, seed=0), images)


def test_strength_mixes_more_and_more() -> None:
    images = pictures(256, "float32")
    far = [np.abs(v.Compose([v.MixUp(alpha=4)], strength=s)(images, seed=0) - images).mean() for s in (0, 0.1, 0.3, 0.6, 1)]
    folded = []
    for s in (0.1, 0.3, 0.6, 1):
        weight = v.Compose([v.MixUp(alpha=4)], strength=s)(image=images, seed=0).mixed["MixUp"]["weight"]
        folded.append(np.minimum(weight, 1 - weight).mean())
    assert far[0] == 0
    assert np.all(np.diff(folded) > 0)


def test_boxes_labels_and_keypoints_of_both_are_there() -> None:
    held = objects(4, 3)
    targets = {name: held[name] for name in ("image", "boxes", "label", "keypoints")}
    made = v.MixUp()(**targets, seed=1)
    for row, partner in enumerate(made.mixed["MixUp"]["partner"]):
        for name in ("boxes", "label", "keypoints"):
            assert np.array_equal(made[name][row], np.concatenate([held[name][row], held[name][partner]]))
        assert made.kept[row].tolist() == [0, 1, 2, -1, -1, -1]


def test_loose_keypoints_of_both_are_there() -> None:
    points = [np.ones((row, 2)) * row for row in range(3)]
    made = v.MixUp()(image=pictures(3, "uint8"), keypoints=points, seed=0)
    for row, partner in enumerate(made.mixed["MixUp"]["partner"]):
        assert made["keypoints"][row].tolist() == [*points[row].tolist(), *points[partner].tolist()]


def test_a_float_mask_is_averaged_and_a_mask_of_numbers_is_an_error() -> None:
    weights = np.random.default_rng(1).random((4, 13, 9, 2)).astype(np.float32)
    made = v.MixUp()(image=pictures(4, "uint8"), mask=weights, seed=0)
    done = made.mixed["MixUp"]
    share = done["weight"][:, None, None, None]
    assert np.allclose(made["mask"], share * weights + (1 - share) * weights[done["partner"]], atol=1e-6)
    for p in (1, 0):
        with pytest.raises(v.TargetError, match=r"mask: expected a float mask.*got uint8; write CutMix\(\)"):
            v.MixUp(p=p)(image=pictures(4, "uint8"), mask=np.zeros((4, 13, 9), np.uint8), seed=0)


def test_sizes_that_differ_are_an_error_that_says_what_to_write() -> None:
    ragged = [np.zeros((8, 8, 3), np.uint8), np.zeros((8, 9, 3), np.uint8)]
    for p in (1, 0):
        with pytest.raises(v.TargetError, match=r"one size.*got 8x8 and 8x9; write Resize\(size=\(8, 8\)\) \| MixUp\(\)"):
            v.MixUp(p=p)(ragged, seed=0)
    assert np.shape(v.parse("Resize(size=6) | MixUp()")(ragged, seed=0)) == (2, 6, 6, 3)
