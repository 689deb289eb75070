"""Bends against SciPy, OpenCV and closed formulas: where pixels come from, that the way back is the way, that nothing folds."""

from __future__ import annotations

import tracemalloc

import cv2
import numpy as np
import pytest
from scipy import interpolate, ndimage

import vicinal as v

RNG = np.random.default_rng(0)
BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])
SIZES = [(48, 61), (61, 48), (71, 96)]  # of both ways of the fast backend: up to 64 x 64 pixels, and more
USUAL = {
    "elastic": v.ElasticTransform(amplitude=3, smoothness=16),
    "grid": v.GridDistortion(cells=5, amount=0.3),
    "piecewise": v.PiecewiseAffine(cells=4, amount=0.1),
    "plate": v.ThinPlateSpline(cells=3, amount=0.05),
    "barrel": v.OpticalDistortion(k=0.2),
    "pincushion": v.OpticalDistortion(k=-0.1, x=0.2, y=-0.1),
    "fisheye": v.OpticalDistortion(k=0.5, model="fisheye"),
}
STRONG = {
    "elastic": v.ElasticTransform(amplitude=1000, smoothness=8),
    "grid": v.GridDistortion(cells=7, amount=0.5),
    "piecewise": v.PiecewiseAffine(cells=6, amount=0.3),
    "plate": v.ThinPlateSpline(cells=6, amount=0.3),
    "barrel": v.OpticalDistortion(k=0.8, x=0.5, y=0.5),
    "pincushion": v.OpticalDistortion(k=-0.8, x=-0.5, y=0.5),
    "fisheye": v.OpticalDistortion(k=0.8, x=0.5, y=0.5, model="fisheye"),
    "inverse fisheye": v.OpticalDistortion(k=-0.8, x=0.5, y=-0.5, model="fisheye"),
}
named = lambda policies: pytest.mark.parametrize("policy", policies.values(), ids=policies)  # noqa: E731


def picture(height: int, width: int, batch: int = 2) -> np.ndarray:
    """(B, H, W, 1) smooth float32 noise."""
    return np.stack([ndimage.gaussian_filter(RNG.random((height, width)), 2) for _ in range(batch)])[..., None].astype(np.float32)


def centres(height: int, width: int) -> np.ndarray:
    """(H W, 2) the middles of the pixels."""
    return np.stack(np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5), -1).reshape(-1, 2)


def moves(policy: v.Transform, size: tuple[int, int], batch: int = 1, seed: int = 0) -> tuple:
    """The map of a batch and its parameters."""
    plan = policy(image=np.zeros((batch, *size, 1), np.uint8), seed=seed).plan
    (move,) = plan.primitives
    return move, plan.params[type(policy).__name__]


def sources(move: object, points: np.ndarray) -> np.ndarray:
    """(B, N, 2) where points (N, 2) of the result come from."""
    return np.stack([move.backward(points[None], np.array([row]))[0] for row in range(len(move.active))])


@pytest.mark.parametrize(("border", "mode"), [("constant", "grid-constant"), ("reflect", "reflect"), ("replicate", "nearest")])
@pytest.mark.parametrize("size", SIZES)
@named(USUAL)
def test_pixels_are_those_of_scipy(policy: v.Transform, size: tuple, border: str, mode: str) -> None:
    policy, images = type(policy)(**{name: getattr(policy, name) for name in FIELDS[type(policy)]}, border=border), picture(*size)
    made = {backend: policy(image=images, seed=1, backend=backend) for backend in ("reference", "cpu")}
    (move,) = made["cpu"].plan.primitives
    for row, places in enumerate(sources(move, centres(*size)) - 0.5):
        expected = ndimage.map_coordinates(images[row, ..., 0].astype(float), places.T[::-1], order=1, mode=mode).reshape(size)
        assert made["reference"]["image"][row, ..., 0] == pytest.approx(expected, abs=1e-6)
        assert made["cpu"]["image"][row, ..., 0] == pytest.approx(expected, abs=4 / 255)
        near = ndimage.map_coordinates(images[row, ..., 0], places.T[::-1], order=0, mode=mode).reshape(size)
        mask = policy(image=images, mask=images[..., 0], seed=1)["mask"][row]
        assert (mask == near).mean() > 0.999


FIELDS = {type(policy): [*policy.spaces()] for policy in USUAL.values()}
FIELDS[v.GridDistortion].append("cells")
FIELDS[v.PiecewiseAffine].append("cells")
FIELDS[v.ThinPlateSpline].append("cells")
FIELDS[v.OpticalDistortion].append("model")


@pytest.mark.parametrize("size", [(80, 80), (50, 120), (121, 49), (1, 9), (2, 300)])
@named(USUAL | {f"strong {name}": policy for name, policy in STRONG.items()})
def test_there_and_back_is_nowhere(policy: v.Transform, size: tuple) -> None:
    move, _ = moves(policy, size, batch=3)
    points, owner = np.random.default_rng(1).uniform(-0.2, 1.2, (3, 400, 2)) * size[::-1], np.arange(3)
    there = move.backward(points, owner)
    assert move.forward(there, owner) == pytest.approx(points, abs=1e-5)
    back = move.inverse()
    assert back.forward(points, owner) == pytest.approx(there, abs=1e-9)


@pytest.mark.parametrize("size", [(60, 60), (40, 90), (90, 40)])
@named(STRONG)
def test_the_strongest_bend_does_not_fold(policy: v.Transform, size: tuple) -> None:
    move, _ = moves(policy, size, batch=4, seed=3)
    y, x = np.mgrid[-10 : size[0] + 10 : 0.5, -10 : size[1] + 10 : 0.5]
    for places in sources(move, np.stack([x.ravel(), y.ravel()], 1)):
        grid = places.reshape(*x.shape, 2)
        along, down = np.diff(grid, axis=1)[:-1], np.diff(grid, axis=0)[:, :-1]
        assert (along[..., 0] * down[..., 1] - along[..., 1] * down[..., 0]).min() > 0


ZERO = [
    v.ElasticTransform(amplitude=0),
    v.GridDistortion(amount=0),
    v.PiecewiseAffine(amount=0),
    v.ThinPlateSpline(amount=0),
    v.OpticalDistortion(k=0, x=0.3),
    v.Perspective(amount=0),
]


@BACKENDS
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("policy", ZERO, ids=lambda policy: type(policy).__name__)
def test_no_displacement_is_the_identity_to_the_bit(policy: v.Transform, dtype: str, backend: str) -> None:
    images = (picture(70, 91) * (1 if dtype == "float32" else np.iinfo(dtype).max)).astype(dtype)
    points = np.random.default_rng(0).uniform(0, 70, (2, 5, 2))
    out = policy(image=images, keypoints=points, seed=0, backend=backend)
    assert np.array_equal(out["image"], images)
    assert np.array_equal(out["keypoints"], points)


def test_a_sample_without_displacement_among_others_stays_as_it_is() -> None:
    images = picture(70, 91, 8)
    out = v.ElasticTransform(amplitude={"choice": [0, 3]})(image=images, seed=0)
    still = out.plan.params["ElasticTransform"]["amplitude"] == 0
    same = (out["image"] == images).all((1, 2, 3))
    assert 0 < still.sum() < 8
    assert np.array_equal(same, still)


@pytest.mark.parametrize("size", [(256, 256), (96, 384), (384, 96)])
def test_elastic_displacements_have_the_stated_law(size: tuple) -> None:
    policy = v.ElasticTransform(amplitude=2, smoothness=32)
    move, _ = moves(policy, size, batch=80)
    y, x = np.mgrid[0 : size[0] : 8, 0 : size[1] : 8] + 0.5
    points = np.stack([x.ravel(), y.ravel()], 1)
    field = (sources(move, points) - points).reshape(80, *x.shape, 2)
    deviation = field.std((0, 1, 2))
    # Non-square canvases too: neither axis is divided by the side of the other.
    assert deviation == pytest.approx([2, 2], rel=0.05)
    assert abs(np.corrcoef(field[..., 0].ravel(), field[..., 1].ravel())[0, 1]) < 0.05
    # Cubic splines of independent numbers are correlated as the spline of degree 7 says.
    law = interpolate.BSpline.basis_element(np.arange(-4.0, 5.0))
    along = max(range(2), key=lambda axis: size[axis])
    moved = np.moveaxis(field, along + 1, 1)
    for lag in (4, 8, 12):
        found = (moved[:, lag:] * moved[:, :-lag]).mean() / (moved**2).mean()
        assert found == pytest.approx(law(lag * 8 / 32) / law(0), abs=0.04)


@pytest.mark.parametrize("size", [(64, 64), (45, 100)])
def test_grid_lines_move_as_drawn(size: tuple) -> None:
    move, params = moves(v.GridDistortion(cells=5, amount=0.2), size, batch=3)
    points = centres(*size)
    for row, found in enumerate(sources(move, points)):
        for axis, side in ((0, size[1]), (1, size[0])):
            lines = np.linspace(0, side, 6)
            moved = lines + np.pad(params["lines"][row, axis], 1) * 0.2 * side / 5
            assert found[:, axis] == pytest.approx(np.interp(points[:, axis], lines, moved), abs=1e-9)


@pytest.mark.parametrize("size", [(64, 64), (45, 100)])
def test_nodes_move_as_drawn_and_the_rest_is_bilinear(size: tuple) -> None:
    move, params = moves(v.PiecewiseAffine(cells=4, amount=0.04), size, batch=3)
    lines, points = [np.linspace(0, side, 5) for side in size], centres(*size)
    for row, found in enumerate(sources(move, points)):
        shift = params["nodes"][row] * 0.04 * np.array(size[::-1]) / 4
        assert found - points == pytest.approx(interpolate.RegularGridInterpolator(lines, shift)(points[:, ::-1]), abs=1e-9)


@pytest.mark.parametrize("size", [(64, 64), (45, 100), (60, 300)])
@pytest.mark.parametrize("cells", [1, 3, 10])
def test_thin_plates_are_those_of_scipy(cells: int, size: tuple) -> None:
    """At the nodes that stand for the plate to the last digit; between them to a part of what the plate moves."""
    amount = 0.05 / cells**2
    move, params = moves(v.ThinPlateSpline(cells=cells, amount=amount), size, batch=2)
    many = move.bend[0].nodes.shape[0]
    assert many >= 3 * cells
    lines = (np.linspace(0, 1, cells + 1), np.linspace(0, 1, many))
    knots, fine = (np.stack(np.meshgrid(line, line), -1).reshape(-1, 2) for line in lines)
    anywhere = np.random.default_rng(0).random((500, 2))
    for row in range(2):
        plate = interpolate.RBFInterpolator(knots, params["nodes"][row] * amount, kernel="thin_plate_spline", degree=1)
        found = (sources(move, fine * size[::-1])[row] / size[::-1]) - fine
        assert found == pytest.approx(plate(fine), abs=1e-9)
        between = sources(move, anywhere * size[::-1])[row] / size[::-1] - anywhere
        assert between == pytest.approx(plate(anywhere), abs=0.45 * amount)


def radial(policy: v.OpticalDistortion, k: float, x: float, y: float, size: tuple, points: np.ndarray) -> np.ndarray:
    """Where points come from, by the laws as they are written."""
    middle, half = (np.array([x, y]) + 0.5) * size[::-1], max(size) / 2
    away = (points - middle) / half
    r = np.hypot(*away.T)[:, None] + 1e-12
    law = {"camera": lambda r: r * (1 + k * r**2), "fisheye": lambda r: np.tan(k * r) / k if k > 0 else np.arctan(k * r) / k}
    return middle + away / r * law[policy.model](r) * half


@pytest.mark.parametrize("size", [(128, 128), (90, 160)])
@pytest.mark.parametrize("k", [0.2, -0.1])
@pytest.mark.parametrize(("x", "y"), [(0, 0), (0.1, -0.05)])
def test_cameras_have_their_closed_law_everywhere(k: float, x: float, y: float, size: tuple) -> None:
    policy = v.OpticalDistortion(k=k, x=x, y=y)
    points = np.random.default_rng(0).random((500, 2)) * size[::-1]
    assert sources(moves(policy, size)[0], points)[0] == pytest.approx(radial(policy, k, x, y, size, points), abs=1e-9)


@pytest.mark.parametrize("size", [(128, 128), (90, 160)])
@pytest.mark.parametrize("k", [0.4, -0.4])
@pytest.mark.parametrize(("x", "y"), [(0, 0), (0.1, -0.05)])
def test_fisheyes_have_their_closed_law_at_the_nodes(k: float, x: float, y: float, size: tuple) -> None:
    policy = v.OpticalDistortion(k=k, x=x, y=y, model="fisheye")
    move, _ = moves(policy, size)
    many = move.bend[0].nodes.shape[0]
    nodes = np.stack(np.meshgrid(*[np.linspace(0, 1, many)] * 2), -1).reshape(-1, 2) * size[::-1]
    assert sources(move, nodes)[0] == pytest.approx(radial(policy, k, x, y, size, nodes), abs=1e-6)
    # Between the nodes the map is bilinear: off by its curvature times the square of their distance.
    points, distance = centres(*size), max(size) / (many - 1)
    assert sources(move, points)[0] == pytest.approx(radial(policy, k, x, y, size, points), abs=2.5 * abs(k) * distance**2 / max(size))


def test_the_camera_is_that_of_opencv() -> None:
    height, width, k = 96, 160, 0.15
    focal, middle = width / 2, np.array([width / 2 - 0.5, height / 2 - 0.5])
    camera = np.array([[focal, 0, middle[0]], [0, focal, middle[1]], [0, 0, 1]])
    expected = np.stack(cv2.initUndistortRectifyMap(camera, np.array([k, 0, 0, 0]), None, camera, (width, height), cv2.CV_32FC1), -1)
    move, _ = moves(v.OpticalDistortion(k=k), (height, width))
    assert sources(move, centres(height, width))[0].reshape(height, width, 2) - 0.5 == pytest.approx(expected, abs=1e-4)


CHAIN = [v.Rotate(angle=(-30, 30)), v.ElasticTransform(amplitude=4, smoothness=24), v.Scale(factor=(0.8, 1.2)), v.HorizontalFlip(p=0.5)]


@pytest.mark.parametrize("size", [(48, 61), (90, 70)])
def test_moves_around_a_bend_are_one_pass_and_the_maps_in_turn(size: tuple) -> None:
    images, owner = picture(*size, 6), np.arange(6)
    points = np.random.default_rng(0).uniform(0, 1, (6, 20, 2)) * size[::-1]
    fast, slow = (v.Compose(CHAIN)(image=images, keypoints=points, seed=2, backend=backend) for backend in ("cpu", "reference"))
    (move,) = fast.plan.primitives
    assert np.abs(fast["image"] - slow["image"]).max() <= move.tolerance
    places = points
    for part in CHAIN:
        for alone in part(image=images, seed=2).plan.primitives:
            places = np.where(alone.active[:, None, None], alone.forward(places, owner), places)
    assert fast["keypoints"] == pytest.approx(places, abs=1e-6)
    in_turn = v.Compose([node for part in CHAIN for node in (part, v.Barrier())])(image=images, keypoints=points, seed=2)
    assert in_turn["keypoints"] == pytest.approx(places, abs=1e-6)
    assert len(in_turn.plan.primitives) == 4


@pytest.mark.parametrize("border", ["constant", "reflect"])
def test_two_bends_are_two_passes(border: str) -> None:
    two = v.Compose([v.ElasticTransform(amplitude=2, border=border), v.GridDistortion(border=border)])
    assert len(two(image=picture(40, 50), seed=0).plan.primitives) == 2


@pytest.mark.parametrize("factor", [0.02, 0.1])
def test_a_bend_far_away_costs_no_more_than_its_canvas(factor: float) -> None:
    """The canvas shows fifty times its own width of what surrounds a fine grid."""
    policy = v.Compose([v.ElasticTransform(amplitude=1, smoothness=4), v.Scale(factor=factor)])
    image = picture(140, 150, 1)[0]
    tracemalloc.start()
    fast = policy(image, seed=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6
    assert fast == pytest.approx(policy(image, seed=0, backend="reference"), abs=8 / 255)
