"""Geometry against NumPy, OpenCV and SciPy."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage

import vicinal as v
from vicinal.core import affine

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(0, 256, (20, 31, 3), np.uint8)
SMOOTH = np.asarray(ndimage.gaussian_filter(RNG.random((40, 53)), 2), np.float32)
BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])
EXACT = [
    (v.HorizontalFlip(), lambda a: a[:, ::-1]),
    (v.VerticalFlip(), lambda a: a[::-1]),
    (v.Transpose(), lambda a: a.swapaxes(0, 1)),
    *[(v.RandomRotate90(turns=turns), lambda a, turns=turns: np.rot90(a, turns)) for turns in range(4)],
    (v.Rotate(angle=180), lambda a: a[::-1, ::-1]),
    (v.Translate(x=3, y=-2, fill=1.0), lambda a: np.pad(a, [(0, 2), (3, 0), (0, 0)], constant_values=255)[2:, :-3]),
    (v.Translate(x=3, border="reflect"), lambda a: np.pad(a, [(0, 0), (3, 0), (0, 0)], "symmetric")[:, :-3]),
    (v.Translate(y=4, border="replicate"), lambda a: np.pad(a, [(4, 0), (0, 0), (0, 0)], "edge")[:-4]),
    (v.Translate(x=0.5, y=0.25, unit="share"), lambda a: np.pad(a, [(5, 0), (15, 0), (0, 0)])[:-5, :-15]),
]


@BACKENDS
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize(("policy", "numpy"), EXACT, ids=lambda x: str(x) if isinstance(x, v.Transform) else "")
def test_what_maps_pixels_onto_pixels_is_numpy_to_the_bit(policy, numpy, dtype, backend):
    image = IMAGE[:, :30].astype(dtype) / (np.float32(255) if dtype == "float32" else 1)
    image = image.astype(dtype) * (257 if dtype == "uint16" else 1)
    expected = numpy(image)
    if dtype != "uint8" and "fill" in str(policy):
        expected = np.where(numpy(np.zeros_like(image)) > 0, {"uint16": 65535, "float32": 1}[dtype], expected).astype(dtype)
    assert np.array_equal(policy(image, seed=0, backend=backend), expected)


MAPS = [
    v.Rotate(angle=25), v.Rotate(angle=-140), v.Translate(x=3.3, y=-1.7), v.Scale(factor=1.7), v.Scale(factor=0.8, aspect=1.4),
    v.Shear(x=20), v.Shear(y=-15), v.Shear(x=10, y=10), v.Affine(angle=12, scale=1.2, shear_x=8, shear_y=-4, x=2.5, y=-3),
]  # fmt: skip


def expected_matrix(policy, height, width):
    """The field's conventions, written anew: scale, shear (x, then y), turn counter-clockwise with y down, all about the centre."""
    get = lambda name, default=0.0: float(getattr(policy, name).value) if hasattr(policy, name) else default  # noqa: E731
    angle, scale = np.deg2rad(get("angle")), get("scale", 1.0) * get("factor", 1.0)
    stretch = np.diag([np.sqrt(get("aspect", 1.0)), 1 / np.sqrt(get("aspect", 1.0))])
    of_shear = isinstance(policy, v.Shear)
    slant_x, slant_y = (np.tan(np.deg2rad(get(name if of_shear else f"shear_{name}"))) for name in ("x", "y"))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    linear = turn @ np.array([[1, 0], [slant_y, 1]]) @ np.array([[1, slant_x], [0, 1]]) @ stretch * scale
    shift = np.zeros(2) if of_shear else np.array([get("x"), get("y")])
    centre = np.array([width, height]) / 2
    return linear, centre - linear @ centre + shift


@pytest.mark.parametrize("policy", MAPS, ids=str)
def test_sampling_agrees_with_scipy(policy):
    height, width = SMOOTH.shape
    linear, shift = expected_matrix(policy, height, width)
    grid = np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), -1)
    source = (grid - shift) @ np.linalg.inv(linear).T - 0.5
    expected = ndimage.map_coordinates(SMOOTH.astype(float), [source[..., 1], source[..., 0]], order=1, mode="grid-constant")
    interior = ((source >= 0) & (source <= [width - 1, height - 1])).all(-1)
    got = {backend: policy(SMOOTH, seed=0, backend=backend) for backend in ("reference", "cpu")}
    assert interior.mean() > 0.2
    assert got["reference"][interior] == pytest.approx(expected[interior], abs=1e-6)
    assert got["reference"] == pytest.approx(expected, abs=1e-6)
    assert got["cpu"] == pytest.approx(expected, abs=4 / 255)
    near = type(policy)(**{name: getattr(policy, name) for name in policy.spaces()}, interpolation="nearest")(SMOOTH, seed=0)
    order_0 = ndimage.map_coordinates(SMOOTH.astype(float), [source[..., 1], source[..., 0]], order=0, mode="grid-constant")
    assert (near[interior] == order_0[interior].astype(np.float32)).mean() > 0.999


@BACKENDS
@pytest.mark.parametrize("size", [(40, 53), (200, 133)])
def test_a_rotation_agrees_with_opencv(backend, size):
    image = cv2.GaussianBlur(RNG.integers(0, 256, (*size, 3), np.uint8), (0, 0), 2)
    matrix = cv2.getRotationMatrix2D(((size[1] - 1) / 2, (size[0] - 1) / 2), 33, 1)
    expected = cv2.warpAffine(image, matrix, size[::-1], flags=cv2.INTER_LINEAR)
    got = v.Rotate(angle=33)(image, seed=0, backend=backend)
    assert np.abs(got.astype(int) - expected).max() <= 4


@pytest.mark.parametrize(("border", "mode"), [("reflect", "symmetric"), ("replicate", "edge")])
@BACKENDS
def test_borders_are_those_of_numpy(border, mode, backend):
    padded = np.pad(SMOOTH, 40, mode)
    inner = v.Affine(angle=20, scale=0.7)(padded, seed=0, backend=backend)[40:-40, 40:-40]
    assert v.Affine(angle=20, scale=0.7, border=border)(SMOOTH, seed=0, backend=backend) == pytest.approx(inner, abs=8 / 255)


@BACKENDS
def test_antialiasing_averages_what_a_pixel_covers(backend):
    # Stripes finer than the output's pixels become grey instead of a moire.
    stripes = np.tile(np.array([0, 1], np.float32), (64, 32))
    plain, smooth = (
        v.Affine(scale=0.25, x=0.125, antialias=on, border="reflect")(stripes, seed=0, backend=backend) for on in (False, True)
    )
    assert np.abs(plain - 0.5).min() > 0.49
    assert np.abs(smooth - 0.5).max() < 0.13


def test_all_quarter_turns_are_equally_likely():
    params = v.RandomRotate90()(image=np.zeros((4000, 2, 2, 1), np.uint8), seed=0).plan.params["RandomRotate90"]
    assert np.bincount(params["turns"]) / 4000 == pytest.approx([0.25] * 4, abs=0.03)


def test_maps_and_their_inverses_cancel():
    matrix = np.stack([policy(image=SMOOTH, seed=0).plan.primitives[0].matrix[0] for policy in MAPS])
    assert affine.invert(matrix) @ matrix == pytest.approx(np.tile(np.eye(3), (len(MAPS), 1, 1)), abs=1e-9)
    assert affine.invert(matrix) == pytest.approx(np.linalg.inv(matrix), abs=1e-9)
