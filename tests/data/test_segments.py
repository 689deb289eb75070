"""Run lengths against what the COCO API wrote, polygons against shapely."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from vicinal.data.segments import filled, from_runs, unpacked

Y, X = np.mgrid[:9, :13]
DISC = (X - 6) ** 2 / 20 + (Y - 4) ** 2 / 9 < 1
FRAME = np.zeros((40, 60), bool)
FRAME[3:37, 4:50] = True
FRAME[10:20, 11:30] = False
LONG = "S5R16000000000000UO" + "4:LF" * 18 + "4:La000000000000000000000000000000000000000]<"
PACKED = [  # by pycocotools 2.0
    ("e0352O000000000001N`0", DISC),
    (LONG, FRAME),
    ("6", np.zeros((3, 2), bool)),
    ("06", np.ones((3, 2), bool)),
]


@pytest.mark.parametrize(("counts", "mask"), PACKED)
def test_packed_run_lengths_are_those_of_the_coco_api(counts: str, mask: np.ndarray) -> None:
    assert np.array_equal(from_runs({"size": list(mask.shape), "counts": counts}), mask)


def test_plain_run_lengths_are_the_same_masks() -> None:
    for counts, mask in PACKED:
        assert np.array_equal(from_runs({"size": list(mask.shape), "counts": unpacked(counts)}), mask)


@pytest.mark.parametrize(
    ("segment", "said"),
    [
        ({"size": [2, 2], "counts": [1, 2]}, "counts of 3 pixels for 2 x 2"),
        ({"size": [2, 2], "counts": [5, -1]}, "counts that are no list"),
        ({"size": [2, 2], "counts": "\x1f"}, "the character"),
        ({"size": [2, 2], "counts": "R"}, "an end in the middle of a number"),
        ({"size": [2, 2]}, "counts that are no list"),
        ({"size": [2, 0], "counts": []}, "the size"),
        ({"counts": [4]}, "the size None"),
    ],
)
def test_run_lengths_that_are_none_say_why(segment: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        from_runs(segment)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-5, 20), st.floats(-5, 15)), min_size=3, max_size=9))
def test_a_pixel_belongs_to_a_polygon_that_holds_its_centre(corners: list) -> None:
    shape = shapely.Polygon(corners)
    found = filled([np.array(corners)], (9, 13))
    if not shape.is_valid:  # crossing itself: by the even-odd rule, which is what symmetric differences of triangles make
        triangles = [shapely.Polygon([corners[0], *corners[n : n + 2]]) for n in range(1, len(corners) - 1)]
        shape = shapely.Polygon()
        for triangle in triangles:
            shape = shape.symmetric_difference(triangle.buffer(0))
    outline = shapely.LineString([*corners, corners[0]])  # a shape of pieces of several kinds has no boundary
    for row in range(9):
        for column in range(13):
            centre = shapely.Point(column + 0.5, row + 0.5)
            if outline.distance(centre) > 1e-6:
                assert found[row, column] == shape.contains(centre)


def test_parts_of_one_instance_are_joined_and_may_overlap() -> None:
    parts = [np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]]), np.array([[2.0, 2], [6, 2], [6, 6], [2, 6]])]
    assert filled(parts, (8, 8)).sum() == 16 + 16 - 4
