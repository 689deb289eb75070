"""Smooth random fields: the compiled loops against the specification, bit for bit, and when fields are made."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import vicinal as v
from vicinal.backend import map_kernels, maps, splines
from vicinal.backend.normals import normals
from vicinal.core import spline
from vicinal.core.bend import steepest
from vicinal.core.special import normal_quantile
from vicinal.core.spline import Spline, gridded

KEYS = np.random.default_rng(0).integers(0, 1 << 32, (9, 2), dtype=np.uint32)


@pytest.mark.parametrize("size", [(64, 64), (33, 71), (1, 9), (300, 200)])
@pytest.mark.parametrize(("distance", "amplitude"), [(32.0, 2.0), (8.3, 2.0), (5.0, 1000.0)])
def test_compiled_fields_have_the_bits_of_the_specification(size: tuple[int, int], distance: float, amplitude: float) -> None:
    far = np.linspace(0.1, 1, len(KEYS)) * amplitude
    whole, compiled = spline.nodes(KEYS, far, size, distance), splines.nodes(KEYS, far, size, distance)
    assert np.array_equal(whole, compiled)
    assert np.array_equal(spline.nodes(KEYS[4:5], far[4:5], size, distance)[0], whole[4])
    assert steepest(whole, np.tile(size, (len(KEYS), 1))).max() <= 0.8 + 1e-9


def test_compiled_normals_have_the_bits_of_the_quantile_function() -> None:
    ends = np.array([0, 1, 2, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1], np.uint32)
    words = np.concatenate([ends, np.random.default_rng(1).integers(0, 1 << 32, 20_000, dtype=np.uint32)])
    made = np.empty(len(words))
    normals(words, made)
    assert np.array_equal(made, normal_quantile((words + 0.5) * 2.0**-32))


@pytest.mark.parametrize("first", ["pixels", "points"])
def test_it_does_not_matter_who_asks_first(first: str) -> None:
    images, points = np.zeros((4, 40, 50, 1), np.uint8), np.random.default_rng(0).uniform(0, 40, (4, 7, 2))
    policy = v.ElasticTransform(amplitude=(2, 4), smoothness=16)
    expected = policy(image=images, keypoints=points, seed=3)["keypoints"]
    (move,) = policy(image=images, seed=3, backend="cpu" if first == "pixels" else "reference").plan.primitives
    assert np.array_equal(move.forward(points, np.arange(4)), expected)
    assert np.array_equal(pickle.loads(pickle.dumps(move)).forward(points, np.arange(4)), expected)


def test_only_fields_that_act_are_made_and_only_once() -> None:
    policy = v.Compose([v.ElasticTransform(amplitude=(2, 4), smoothness=(10, 30), p=0.5)])
    out = policy(image=np.zeros((16, 40, 50, 1), np.uint8), seed=0)
    (move,) = out.plan.primitives
    fields = [bend for bend in move.bend if isinstance(bend, Spline)]
    made = [bend for bend in fields if "grid" in vars(bend)]
    assert 0 < len(made) == move.bent.sum() < 16
    assert all(grid is bend.grid for grid, bend in zip(gridded(made, splines.nodes), made, strict=True))


AROUND = [
    "Rotate(angle=90)",
    "Rotate(angle=-37)",
    "Rotate(angle=0.001)",
    "HorizontalFlip() | Rotate(angle=200)",
    "Scale(factor=0.1) | Rotate(angle=5)",
]


@pytest.mark.parametrize("smoothness", [64, 12, 3], ids=["coarse", "usual", "finer than pixels"])
@pytest.mark.parametrize("after", AROUND)
def test_places_of_compiled_rows_are_those_of_the_map(after: str, smoothness: float) -> None:
    """Rows that cross the cells of a grid in any direction, and go on beyond it."""
    policy = v.parse(f"ElasticTransform(amplitude=2, smoothness={smoothness}) | {after}")
    (move,) = policy(image=np.zeros((2, 50, 70, 1), np.uint8), seed=1).plan.primitives
    y, x = np.mgrid[:50, :70] + 0.5
    points, [(_, taken)] = np.stack([x.ravel(), y.ravel()], 1), maps._forms(move, np.arange(2))
    for row in range(2):
        across, down = np.empty((50, 70), np.float32), np.empty((50, 70), np.float32)
        map_kernels.source_map(taken, row, np.ones(2), across, down)
        found = np.stack([across.ravel(), down.ravel()], 1) + 0.5
        assert found == pytest.approx(move.backward(points[None], np.array([row]))[0], abs=1e-4)
