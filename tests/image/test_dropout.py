"""Erase: the rectangle it says, where it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import vicinal as v

BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])


@BACKENDS
@pytest.mark.parametrize(("dtype", "value"), [("uint8", 128), ("uint16", 32768), ("float32", 0.5)])
def test_one_whole_rectangle_takes_the_value(dtype, value, backend):
    out = v.Erase(area=0.25, ratio=1, fill=0.5)(np.zeros((50, 20, 20, 3), dtype), seed=0, backend=backend)
    for image in out:
        rows, columns = np.flatnonzero(image.any((1, 2))), np.flatnonzero(image.any((0, 2)))
        assert (len(rows), len(columns), np.ptp(rows), np.ptp(columns)) == (10, 10, 9, 9)
        assert np.unique(image).tolist() == [0, value]


def test_area_ratio_and_place_follow_their_laws():
    boxes = v.Erase(area=(0.02, 0.3), ratio={"log": [0.5, 2]})(image=np.zeros((4000, 100, 100, 1), np.uint8), seed=1).plan.primitives[0].box[:, 0]
    left, top, width, height = boxes[:, 0], boxes[:, 1], boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    assert stats.kstest(width * height / 1e4, stats.uniform(0.02, 0.28).cdf).pvalue > 1e-3
    assert np.log(width / height).mean() == pytest.approx(0, abs=0.03)
    assert (left / (100 - width)).mean() == pytest.approx(0.5, abs=0.02)
    assert (top + height).max() <= 100
    assert min(left.min(), top.min()) == 0


def test_annotations_stay():
    named = {"boxes": np.array([[1.0, 1, 5, 5]]), "keypoints": np.array([[2.0, 2]]), "mask": np.eye(20)}
    out = v.Erase(area=0.3)(image=np.ones((20, 20, 1), np.uint8), **named, seed=0)
    assert all(np.array_equal(out[name], value) for name, value in named.items())
