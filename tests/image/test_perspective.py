"""Perspective against OpenCV and scikit-image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage
from skimage import transform

import vicinal as v
from vicinal.core.warp import Warp

SIZES = [(48, 61), (91, 70)]  # of both ways of the fast backend
BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])
HALF = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1.0]])  # from pixel indices to continuous coordinates


def pictures(height: int, width: int, batch: int = 4) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.stack([ndimage.gaussian_filter(rng.random((height, width)), 2) for _ in range(batch)])[..., None].astype(np.float32)


def corners(size: tuple[int, int], out: v.Result) -> tuple[np.ndarray, np.ndarray]:
    """(4, 2) the corners of the canvas, and (B, 4, 2) where they were told to go."""
    here, params = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]]), out.plan.params["Perspective"]
    return here * size[::-1], (here + params["corners"] * params["amount"][:, None, None]) * size[::-1]


@pytest.mark.parametrize("size", [*SIZES, (30, 200)])
def test_points_go_where_opencv_and_scikit_image_say(size: tuple) -> None:
    points = np.random.default_rng(1).uniform(0, 1, (4, 30, 2)) * size[::-1]
    out = v.Perspective(amount=0.24)(image=pictures(*size), keypoints=points, seed=0)
    here, there = corners(size, out)
    for row in range(4):
        matrix = cv2.getPerspectiveTransform(here.astype(np.float32), there[row].astype(np.float32))
        expected = cv2.perspectiveTransform(points[row][None], matrix)[0]
        assert out["keypoints"][row] == pytest.approx(expected, abs=1e-3)  # its corners are in single precision
        estimated = transform.ProjectiveTransform.from_estimate(here, there[row])
        assert out["keypoints"][row] == pytest.approx(estimated(points[row]), abs=1e-8)
        (move,) = out.plan.primitives
        assert move.matrix[row] / move.matrix[row, 2, 2] == pytest.approx(estimated.params / estimated.params[2, 2], abs=1e-8)


@BACKENDS
@pytest.mark.parametrize("size", SIZES)
def test_pixels_are_those_of_opencv_and_scikit_image(size: tuple, backend: str) -> None:
    images = pictures(*size)
    out = v.Perspective(amount=0.2)(image=images, seed=0, backend=backend)
    here, there = corners(size, out)
    for row in range(4):
        matrix = np.linalg.inv(HALF) @ transform.ProjectiveTransform.from_estimate(here, there[row]).params @ HALF
        by_opencv = cv2.warpPerspective(images[row], matrix, size[::-1], flags=cv2.INTER_LINEAR)
        assert out["image"][row, ..., 0] == pytest.approx(by_opencv, abs=8 / 255)
        by_skimage = transform.warp(images[row, ..., 0].astype(float), np.linalg.inv(matrix), order=1, mode="constant", cval=0)
        assert out["image"][row, ..., 0] == pytest.approx(by_skimage, abs=1e-6 if backend == "reference" else 8 / 255)


def test_corners_stay_convex_and_before_the_horizon() -> None:
    size = (6, 9)
    out = v.Perspective(amount=0.24)(image=np.zeros((2000, *size, 1), np.uint8), seed=0)
    _, there = corners(size, out)
    edges = np.roll(there, -1, 1) - there
    following = np.roll(edges, -1, 1)
    assert (edges[..., 0] * following[..., 1] - edges[..., 1] * following[..., 0]).min() > 0
    (move,) = out.plan.primitives
    depth = np.array([[0, 0, 1], [9, 0, 1], [9, 6, 1], [0, 6, 1]]) @ move.matrix[:, 2, :, None]
    assert depth.min() > 0


def test_corners_are_uniform_over_their_squares() -> None:
    out = v.Perspective(amount=0.1)(image=np.zeros((4000, 4, 4, 1), np.uint8), seed=0)
    moved = out.plan.params["Perspective"]["corners"]
    assert np.histogram(moved, 10, (-1, 1))[0] / moved.size == pytest.approx(np.full(10, 0.1), abs=0.01)
    assert np.corrcoef(moved.reshape(4000, 8).T) == pytest.approx(np.eye(8), abs=0.07)


def horizon(border: str) -> v.Compose:
    """What lies far outside comes into view, and with it the horizon."""
    return v.Compose([v.Perspective(amount=0.24, border=border), v.Scale(factor=0.25, border=border)])


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("border", ["constant", "replicate"])
def test_backends_agree_beyond_the_horizon(border: str, size: tuple) -> None:
    images = pictures(*size, 16)
    fast, slow = (horizon(border)(images, seed=0, backend=backend) for backend in ("cpu", "reference"))
    assert np.abs(fast - slow).max() <= Warp.tolerance + 1e-6


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_seen_twice_across_the_horizon(size: tuple) -> None:
    out = horizon("constant")(image=np.ones((16, *size, 1), np.float32), seed=0, valid=True)
    _, there = corners(size, out)
    for row in range(16):
        inner = (there[row] - np.array(size[::-1]) / 2) * 0.25 + np.array(size[::-1]) / 2
        shape = cv2.fillConvexPoly(np.zeros(size, np.uint8), np.rint((inner - 0.5) * 256).astype(np.int32), 1, shift=8)
        around = cv2.dilate(shape, np.ones((3, 3)))
        assert shape.any()
        assert not (out["valid"][row] & (around == 0)).any()
        assert not out["image"][row, around == 0].any()
