"""8-bit linear sampling: the ring around an image, pixels in twos, and results of several sizes, against the reference."""

from __future__ import annotations

import numpy as np
import pytest

import vicinal as v
from vicinal.backend import affine_kernels, kernels
from vicinal.backend.bilinear_rows import by_rows
from vicinal.backend.streams import LARGE
from vicinal.core import affine
from vicinal.core.bend import steepest

FAR = "Translate(x=(-3, 3), y=(-2, 2), unit='share', border={0!r}) | Rotate(angle=(-180, 180), border={0!r}, fill={1})"


def images(height: int, width: int, channels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, height, width, channels), np.uint8)


def worst(policy: v.Node, data: np.ndarray) -> int:
    made, told = (policy(data, seed=4, backend=name) for name in ("cpu", "reference"))
    return max(int(np.abs(a.astype(int) - b.astype(int)).max()) for a, b in zip(made, told, strict=True))


@pytest.mark.parametrize("border", ["constant", "reflect", "replicate"])
@pytest.mark.parametrize("shape", [(21, 17, 3), (1, 9, 1), (70, 93, 5), (8, 1, 9)])
def test_places_far_off_the_canvas_show_what_the_border_says(border, shape):
    assert worst(v.parse(FAR.format(border, 0.5 if border == "constant" else 0.0)), images(*shape)) <= 1


@pytest.mark.parametrize("text", ["Perspective(border='reflect')", "PiecewiseAffine(amount=0.2)", "RandomResizedCrop(size=(19, 33))"])
def test_large_images_are_sampled_as_closely_as_small_ones(text):
    assert worst(v.parse(text), images(131, 77, 3)) <= 1


@pytest.mark.parametrize("channels", [1, 3, 4, 6])
def test_results_of_several_sizes_have_the_bits_that_each_has_alone(channels):
    data, policy = images(20, 24, channels), v.RandomScale(factor=(0.4, 2))
    made = policy(data, seed=1)
    assert len({image.shape for image in made}) > 1
    assert all(np.array_equal(image, policy(data[n], seed=1, index=n)) for n, image in enumerate(made))


def test_a_warp_with_the_table_behind_it_has_the_bits_of_both_one_after_the_other():
    data, warp, rest = images(90, 81, 3), v.Rotate(angle=(-30, 30), name="r"), [v.Gamma(exponent=2), v.ToTensor()]
    together = v.Compose([warp, *rest])(data, seed=5)
    assert np.array_equal(together, v.Compose([v.Barrier(), *rest])(v.Compose([warp])(data, seed=5), seed=5))


def test_steepest_is_the_least_eigenvalue_of_the_strain_at_any_corner():
    nodes, size = np.random.default_rng(2).normal(size=(5, 4, 6, 2)), np.array([[30, 50]] * 5)
    x, y = np.diff(nodes, axis=2) * 5 / 50, np.diff(nodes, axis=1) * 3 / 30
    corners = [np.stack([x[:, a : a + 3], y[:, :, b : b + 5]], -1) for a in (0, 1) for b in (0, 1)]
    told = [-np.linalg.eigvalsh((corner + corner.swapaxes(-1, -2)) / 2)[..., 0].min((1, 2)) for corner in corners]
    assert np.allclose(steepest(nodes, size), np.max(told, 0).clip(0))
    assert np.allclose(steepest(nodes, size, 0.3), np.max(told, 0).clip(0.3))


def test_maps_are_inverted_as_the_core_inverts_them():
    matrix = affine.identity(50)
    matrix[:, :2] = np.random.default_rng(0).normal(size=(50, 2, 3))
    matrix[0, :2] = [[0, -1, 5], [1, 0, 0]]
    inverse, size, on, near = np.empty((50, 6)), np.full((50, 2), 7), np.ones(50, bool), np.ones(50, np.int8)
    sizes, boxes, upright, canvas = np.empty((50, 2), np.int64), np.empty((50, 2)), np.empty(50, bool), (9, 9)
    assert kernels.inverted(matrix, size, on, near, ~on, canvas, inverse, sizes, boxes, upright) == (True, True, True)
    assert np.array_equal(inverse, affine.invert(matrix)[:, :2].reshape(-1, 6))
    assert (sizes == 7).all()
    assert (boxes == 1).all()
    size[49], matrix[0, 0, 2] = 8, 5.5
    assert kernels.inverted(matrix, size, on, near, ~on, canvas, inverse, sizes, boxes, upright) == (True, False, False)
    near[3] = 0
    assert not kernels.inverted(matrix, size, on, near, ~on, canvas, inverse, sizes, boxes, upright)[0]


@pytest.mark.parametrize("channels", [1, 3, 6])
def test_the_loop_of_upright_maps_has_the_bits_of_that_of_any(channels):
    rng, n = np.random.default_rng(channels), 60
    inverse, sizes, on = np.zeros((n, 6)), rng.integers(1, 40, (n, 2)), np.ones(n, bool)
    inverse[:, [0, 4]], inverse[:, [2, 5]] = rng.uniform(-3, 3, (n, 2)), rng.uniform(-30, 50, (n, 2))
    data, border, fill = (
        rng.integers(0, 256, (n, 19, 23, channels), np.uint8),
        rng.integers(-1, 3, n, np.int8),
        rng.integers(0, 256, n) * 1.0,
    )
    for array in (inverse, sizes, border):
        array[1::3] = array[::3]  # some have the same map as others
    order = np.lexsort(sizes.T)
    made = [np.empty(sizes.prod(1).sum() * channels, np.uint8) for _ in range(2)]
    for loop, out in zip((by_rows, affine_kernels.affine), made, strict=True):
        loop(data, inverse, sizes, order, on, False, out, border, fill, np.empty((1, 0, 1), np.uint8), (0,) * channels)
    assert np.array_equal(*made)


@pytest.mark.parametrize("channels", [3, 6])
@pytest.mark.parametrize("tail", [[], [v.Gamma(exponent=2)], [v.Normalize(), v.ToTensor()], [v.Normalize(mean=0.4, std=0.3)]])
def test_pixels_that_fill_no_register_have_the_bits_of_both_passes_alone(channels, tail):
    data, warp = images(31, 45, channels), v.Scale(factor=(0.7, 1.4), name="s")
    if channels != 3:
        tail = [v.Normalize(mean=0.4, std=0.3) if isinstance(node, v.Normalize) else node for node in tail]
    together = v.Compose([warp, *tail])(data, seed=2)
    assert np.array_equal(together, v.Compose([v.Barrier(), *tail])(v.Compose([warp])(data, seed=2), seed=2))


def test_a_large_batch_has_the_bits_of_its_samples():
    data, policy = images(250, 250, 3).repeat(2, 0), v.Compose([v.Rotate(angle=(-30, 30)), v.Normalize(), v.ToTensor()])
    made = policy(data, seed=1)
    assert made.nbytes > LARGE
    assert all(np.array_equal(image, policy(data[n], seed=1, index=n)) for n, image in enumerate(made))


def test_images_of_a_million_pixels_a_side_are_sampled_as_closely_as_others():
    data = np.random.default_rng(0).integers(0, 256, (1, 1, 1 << 20, 1), np.uint8)
    assert worst(v.parse("Translate(x=-1048000.25, border='replicate')"), data) <= 1
