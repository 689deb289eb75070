"""Keypoints and labels: left and right change places exactly where the composed map mirrors, what is unknown stays unknown."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moving import SIZES, moving

import vicinal as v

IMAGE = np.zeros((30, 40, 3), np.uint8)
PAIR = np.array([[10.0, 5], [30, 25], [20, 15]])
MIRRORS = {
    "HorizontalFlip()": True,
    "VerticalFlip()": True,
    "Transpose()": True,
    "HorizontalFlip() | VerticalFlip()": False,
    "HorizontalFlip() | HorizontalFlip(name='again')": False,
    "HorizontalFlip() | Barrier() | HorizontalFlip(name='again')": False,
    "HorizontalFlip() | Barrier() | VerticalFlip() | Transpose()": True,
    "Transpose() | HorizontalFlip()": False,
    "RandomRotate90(turns=1)": False,
    "Rotate(angle=180)": False,
    "Rotate(angle=170) | HorizontalFlip()": True,
    "D4(element=5)": True,
    "D4(element=3)": False,
    "HorizontalFlip() | ElasticTransform(amplitude=2, smoothness=16)": True,
    "ElasticTransform(amplitude=2, smoothness=16) | GridDistortion()": False,
    "Perspective(amount=0.2) | Transpose()": True,
    "JigsawShuffle(tiles=2)": False,
    "Shear(x=60) | Scale(factor=0.5)": False,
    "Invert()": False,
    "HorizontalFlip(p=0)": False,
}


@pytest.mark.parametrize(("text", "mirrors"), MIRRORS.items())
def test_left_and_right_change_places_where_the_composed_map_mirrors(text: str, mirrors: bool) -> None:
    policy = v.parse(text)
    plain = policy(image=IMAGE, keypoints=PAIR, seed=0)["keypoints"]
    named = v.Labels(["left eye", "right eye", "nose"], swap={"left eye": "right eye"})
    out = policy(
        image=IMAGE, keypoints=v.Keypoints(PAIR, swap=[(0, 1)]), label=named, side=v.Labels("left", swap={"left": "right"}), seed=0
    )
    assert np.array_equal(out["keypoints"], plain[[1, 0, 2]] if mirrors else plain)
    assert out["label"] == (["right eye", "left eye", "nose"] if mirrors else ["left eye", "right eye", "nose"])
    assert out["side"] == ("right" if mirrors else "left")


@settings(derandomize=True, max_examples=60, deadline=None)
@given(moving, st.integers(0, 99))
def test_the_swap_is_the_sign_of_the_area_of_a_small_triangle(policy: v.Node, seed: int) -> None:
    """Three points around the middle of every canvas turn the other way round exactly if their names are to be swapped."""
    images = [np.zeros(size, np.uint8) for size in SIZES]
    small = [np.array([[0, 0], [1e-3, 0], [0, 1e-3]]) + np.array(size[::-1]) / 2 + 0.137 for size in SIZES]
    out = policy(image=images, keypoints=small, side=v.Labels([0] * 4, swap={0: 1}), seed=seed)
    for points, side in zip(out["keypoints"], out["side"], strict=True):
        (a, b), (c, d) = points[1] - points[0], points[2] - points[0]
        assert (a * d - b * c < 0) == bool(side)


def test_the_swap_is_decided_sample_by_sample() -> None:
    images = np.stack([IMAGE] * 40)
    labels = v.Labels(np.array([3, 6] * 20), swap={6: 9})
    out = v.HorizontalFlip(p=0.5)(image=images, keypoints=v.Keypoints([PAIR] * 40, swap=[(1, 0)]), label=labels, seed=0)
    flipped = out.plan.params["HorizontalFlip"]["on"]
    assert 0 < flipped.sum() < 40
    assert [int(label) for label in out["label"]] == [
        9 if row % 2 and turned else 6 if row % 2 else 3 for row, turned in enumerate(flipped)
    ]
    for points, turned in zip(out["keypoints"], flipped, strict=True):
        assert np.array_equal(points, (PAIR * [-1, 1] + [40, 0])[[1, 0, 2]] if turned else PAIR)


def test_instances_swap_their_points_each_and_keep_their_visibility() -> None:
    people = np.array([[[10.0, 5, 2], [30, 25, 1]], [[12, 6, 0], [38, 2, 2]]])
    out = v.HorizontalFlip()(image=IMAGE, keypoints=v.Keypoints(people, swap=[(0, 1)]), seed=0)["keypoints"]
    assert np.array_equal(out, (people * [-1, 1, 1] + [40, 0, 0])[:, ::-1])


@settings(derandomize=True, max_examples=40, deadline=None)
@given(moving, st.integers(0, 99))
def test_unknown_points_stay_unknown_and_change_nothing_for_others(policy: v.Node, seed: int) -> None:
    images = [np.zeros(size, np.uint8) for size in SIZES]
    known = [np.random.default_rng(seed).uniform(3, 22, (4, 3)) for _ in SIZES]
    holes = [part.copy() for part in known]
    for part in holes:
        part[1, 0], part[3] = np.nan, [np.nan, np.nan, 0]
    out, full = (policy(image=images, keypoints=points, seed=seed)["keypoints"] for points in (holes, known))
    for part, whole in zip(out, full, strict=True):
        assert np.isnan(part[[1, 3], :2]).all()
        assert part[[0, 2]] == pytest.approx(whole[[0, 2]], abs=1e-6)
        assert np.isfinite(part[:, 2]).all()


@settings(derandomize=True, max_examples=40, deadline=None)
@given(moving, st.integers(0, 99))
def test_visible_points_are_those_that_never_left_a_canvas(policy: v.Node, seed: int) -> None:
    images = [np.zeros(size, np.uint8) for size in SIZES]
    rng = np.random.default_rng(seed)
    points = [np.column_stack([rng.uniform(0, 1, (8, 2)) * size[::-1], np.full(8, 2)]) for size in SIZES]
    out = policy(image=images, keypoints=points, seed=seed)
    for row, (before, after) in enumerate(zip(points, out["keypoints"], strict=True)):
        place, seen = before[None, :, :2], np.ones(8, bool)
        for move in out.plan.moves():
            place = move.forward(place, np.array([row]))
            if move.active[row]:
                seen &= ((place[0] >= 0) & (place[0] <= move.size[row, ::-1])).all(1)
        assert after[:, 2].tolist() == (2.0 * seen).tolist()
        assert after[:, :2] == pytest.approx(place[0], abs=1e-6)


@pytest.mark.parametrize(
    ("swap", "says"),
    [
        ([(0, 9)], r"^keypoints\.swap: expected numbers below 3, the number of points, got \(0, 9\); write swap=\[\(0, 2\)\], say$"),
        ([(0, 1), (1, 2)], r"^Keypoints\.swap: expected pairs of numbers of points, each in one pair only"),
        ([(0, 1, 2)], r"^Keypoints\.swap: expected pairs"),
        ([(-1, 1)], r"^Keypoints\.swap: expected pairs"),
        (["ab"], r"^Keypoints\.swap: expected pairs"),
    ],
)
def test_strange_swaps_get_a_sentence(swap: list, says: str) -> None:
    with pytest.raises(v.VicinalError, match=says):
        v.HorizontalFlip()(image=IMAGE, keypoints=v.Keypoints(PAIR, swap=swap), seed=0)


def test_a_name_in_two_pairs_gets_a_sentence() -> None:
    with pytest.raises(v.ParameterError, match=r"^Labels\.swap: expected pairs in which every name stands once"):
        v.Labels("left", swap={"left": "right", "right": "middle"})
