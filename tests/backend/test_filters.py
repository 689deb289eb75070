"""Filters of any form, on both backends, against ``scipy.ndimage``."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from vicinal.backend import cpu, filters, reference
from vicinal.backend.box_kernels import LARGEST, averaged
from vicinal.core.primitive import Filter, everywhere

SCALE = {"uint8": 255, "uint16": 65535, "float32": 1}
RNG = np.random.default_rng(0)
WIDE = np.exp(-(np.arange(-21, 22) ** 2) / 50) / np.exp(-(np.arange(-21, 22) ** 2) / 50).sum()
KERNELS = {
    "delta": (np.ones((1, 1)),),
    "shift": (np.array([[1.0, 0, 0]]),),
    "box": (np.full((5, 1), 0.2), np.full((1, 7), 1 / 7)),
    "square box": (np.full((5, 5), 1 / 25),),
    "two boxes": (np.full((3, 3), 1 / 9), np.full((1, 5), 0.2)),
    "wide Gaussian": (WIDE[:, None], WIDE[None]),
    "one-sided": (RNG.random((7, 5)) / 17,),
    "negative lobes": (np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0.0]]),),
    "strong": (np.array([[-8, -8, -8], [-8, 65, -8], [-8, -8, -8.0]]),),
    "darker": (np.array([[0.5]]), np.array([[0.5]])),
    "dense": (RNG.random((27, 27)) / 365,),
    "four": (np.full((3, 1), 1 / 3), np.full((1, 3), 1 / 3), RNG.random((3, 3)) / 4.5, np.array([[0.25, 0.5, 0.25]])),
}
"""One of each way: sums of 16 bits and of float32, boxes, Fourier space."""


def picture(dtype, batch, height, width, channels):
    values = RNG.random((batch, height, width, channels))
    return values.astype(dtype) if dtype == "float32" else np.rint(values * SCALE[dtype]).astype(dtype)


def padded(kernel, high, wide):
    """In the middle of zeros, as a batch of different kernels gives it."""
    more = (high - kernel.shape[0]) // 2, (wide - kernel.shape[1]) // 2
    return np.pad(kernel, [(more[0],) * 2, (more[1],) * 2])


def by_scipy(image, kernels):
    values = image.astype(float) / SCALE[str(image.dtype)]
    for kernel in kernels:
        values = np.stack([ndimage.correlate(plane, kernel, mode="mirror") for plane in np.moveaxis(values, -1, 0)], -1)
    return np.clip(values, 0, 1)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("dtype", SCALE)
@pytest.mark.parametrize("size", [(1, 1), (9, 1), (33, 20), (70, 81)])
def test_both_backends_are_scipy_within_the_tolerance(name, dtype, size):
    images, kernels = picture(dtype, 2, *size, 3), KERNELS[name]
    primitive = Filter(tuple(np.repeat(kernel[None], 2, 0) for kernel in kernels), everywhere(2))
    for backend, most in ((cpu, Filter.tolerance), (reference, 0.5001 / SCALE[dtype] if dtype != "float32" else 1e-6)):
        made = backend.backend().run([primitive], images)
        for image, got in zip(images, made, strict=True):
            assert got.dtype == image.dtype
            assert np.abs(got.astype(float) / SCALE[dtype] - by_scipy(image, kernels)).max() <= most


@pytest.mark.parametrize("channels", [1, 2, 4, 5, 9])
@pytest.mark.parametrize("name", ["box", "wide Gaussian", "negative lobes", "dense"])
@pytest.mark.parametrize("size", [(20, 21), (70, 81)])
def test_any_number_of_channels(channels, name, size):
    image = picture("uint8", 1, *size, channels)
    made = filters.filtered(Filter(tuple(kernel[None] for kernel in KERNELS[name]), everywhere(1)), image)
    assert np.abs(made[0] / 255 - by_scipy(image[0], KERNELS[name])).max() <= 1 / 255


@pytest.mark.parametrize("dtype", SCALE)
@pytest.mark.parametrize("size", [(20, 21), (70, 81)])
def test_bits_of_a_sample_do_not_depend_on_its_neighbours(dtype, size):
    pairs = [kernels for kernels in KERNELS.values() if len(kernels) < 3]
    full = [(k[0], k[1] if len(k) == 2 else np.ones((1, 1))) for k in pairs]
    high, wide = (max(first.shape[axis] for first, _ in full) for axis in (0, 1))
    images = picture(dtype, len(full), *size, 3)
    rows = np.stack([padded(second, 1, max(row.shape[1] for _, row in full)) for _, second in full])
    together = filters.filtered(Filter((np.stack([padded(first, high, wide) for first, _ in full]), rows), everywhere(len(full))), images)
    for image, kernels, made in zip(images, full, together, strict=True):
        alone = filters.filtered(Filter(tuple(kernel[None] for kernel in kernels), everywhere(1)), image[None])
        assert np.array_equal(alone[0], made)


@pytest.mark.parametrize("level", [0, 1, 77, 254, 255])
@pytest.mark.parametrize("name", ["box", "square box", "wide Gaussian", "negative lobes", "strong"])
def test_what_has_one_value_keeps_it(level, name):
    for size in ((16, 17), (80, 81)):
        images = np.full((1, *size, 3), level, np.uint8)
        assert (filters.filtered(Filter(tuple(kernel[None] for kernel in KERNELS[name]), everywhere(1)), images) == level).all()


@pytest.mark.parametrize("sides", [(1, 3), (3, 3), (5, 7), (13, 13), (25, 1), (3, 67)])
@pytest.mark.parametrize("size", [(1, 1), (2, 9), (40, 33), (90, 101)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_means_of_bytes_are_exact(sides, size, channels):
    high, wide = sides
    images = picture("uint8", 1, *size, channels)
    images[:, ::2] = 255
    whole = np.stack(
        [ndimage.correlate(plane, np.ones(sides, int), mode="mirror") for plane in np.moveaxis(images[0].astype(int), -1, 0)], -1
    )
    box = np.full((1, high, 1), 1 / high), np.full((1, 1, wide), 1 / wide)
    made = filters.filtered(Filter(box, everywhere(1)), images)
    assert np.array_equal(made[0], (2 * whole + high * wide) // (2 * high * wide))


def test_quotients_of_windows_are_exact():
    for pixels in range(3, LARGEST + 1, 2):
        sums, made = np.arange(255 * pixels + 1), np.empty(255 * pixels + 1, np.uint8)
        averaged(sums.astype(np.uint16), len(sums), 1, 0, 1, made, len(sums), pixels)
        assert np.array_equal(made, (2 * sums + pixels) // (2 * pixels))


def test_the_largest_values_do_not_overflow_the_short_sums():
    images = np.where(RNG.random((1, 64, 64, 3)) < 0.5, 0, 255).astype(np.uint8)
    for name in ("box", "one-sided", "negative lobes"):
        made = filters.filtered(Filter(tuple(kernel[None] for kernel in KERNELS[name]), everywhere(1)), images)
        assert np.abs(made[0] / 255 - by_scipy(images[0], KERNELS[name])).max() <= 1 / 255


def test_ragged_and_half_active_batches():
    sizes = [(12, 13), (70, 80), (12, 13), (5, 4)]
    images = [picture("uint8", 1, *size, 3)[0] for size in sizes]
    primitive = Filter(tuple(np.repeat(kernel[None], 4, 0) for kernel in KERNELS["box"]), np.array([True, True, False, True]))
    made = cpu.backend().run([primitive], images)
    assert np.array_equal(made[2], images[2])
    for row in (0, 1, 3):
        assert np.abs(made[row] / 255 - by_scipy(images[row], KERNELS["box"])).max() <= 1 / 255
