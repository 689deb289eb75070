"""Sharpening against Pillow, OpenCV and SciPy."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image, ImageEnhance
from scipy import ndimage

import vicinal as v

SCALE = {"uint8": 255, "uint16": 65535, "float32": 1}
BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])


@pytest.fixture(scope="module")
def photo(shared_data):
    """A real picture, (120, 168, 3)."""
    image = cv2.imread(str(shared_data("photos") / "bsds_16004.jpg"))
    return np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)[40:160, 60:228])


def stored(photo, dtype):
    """8-bit values in another dtype, exactly."""
    return (photo / np.float32(255)).astype(dtype) if dtype == "float32" else photo.astype(dtype) * np.array(SCALE[dtype] // 255, dtype)


@BACKENDS
@pytest.mark.parametrize("amount", [-1, -0.4, 0.5, 2, 9])
def test_sharpen_is_pillows_inside_the_edge(amount, photo, backend):
    expected = np.asarray(ImageEnhance.Sharpness(Image.fromarray(photo)).enhance(1 + amount)).astype(int)
    got = v.Sharpen(amount=amount)(photo, seed=0, backend=backend)
    # Pillow rounds the smoothed image before it moves away from it.
    assert np.abs(got.astype(int) - expected)[1:-1, 1:-1].max() <= 1 + abs(amount) / 2 + 0.5


@BACKENDS
@pytest.mark.parametrize("dtype", SCALE)
@pytest.mark.parametrize("amount", [0.3, 1, 4])
def test_emboss_is_its_kernel_in_opencv(amount, dtype, photo, backend):
    kernel = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]]) + amount * np.array([[-2, -1, 0], [-1, 0, 1], [0, 1, 2.0]])
    unit = photo / 255
    expected = np.clip(cv2.filter2D(unit, -1, kernel, borderType=cv2.BORDER_REFLECT_101), 0, 1)
    image = stored(photo, dtype)
    got = v.Emboss(amount=amount)(image, seed=0, backend=backend)
    assert np.abs(got / SCALE[dtype] - expected).max() <= 1.01 / 255


@pytest.mark.parametrize("dtype", SCALE)
@pytest.mark.parametrize("threshold", [0, 0.03])
def test_unsharp_mask_adds_what_a_gaussian_takes(dtype, threshold, photo):
    unit = photo / 255
    image = stored(photo, dtype)
    difference = unit - ndimage.gaussian_filter(unit, (1.5, 1.5, 0), mode="mirror")
    expected = np.clip(unit + np.where(np.abs(difference) >= threshold, 0.8 * difference, 0), 0, 1)
    got = v.UnsharpMask(amount=0.8, sigma=1.5, threshold=threshold)(image, seed=0) / SCALE[dtype]
    at_the_threshold = np.abs(np.abs(difference) - threshold) < 1e-5
    assert np.abs(got - expected)[~at_the_threshold | (threshold == 0)].max() <= (0.51 / 255 if dtype == "uint8" else 1e-4)


def test_small_differences_are_left_alone():
    faint = np.where(np.indices((20, 20)).sum(0) % 2, 100, 104).astype(np.uint8)
    assert np.array_equal(v.UnsharpMask(amount=5, sigma=2, threshold=0.05)(faint, seed=0), faint)
    assert not np.array_equal(v.UnsharpMask(amount=5, sigma=2)(faint, seed=0), faint)


@pytest.mark.parametrize("policy", [lambda s: v.Sharpen(amount=4 * s), lambda s: v.Emboss(amount=s), lambda s: v.UnsharpMask(amount=3 * s)],
                         ids=["Sharpen", "Emboss", "UnsharpMask"])  # fmt: skip
def test_distortion_grows_with_strength(policy, photo):
    changes = [np.abs(policy(s)(photo, seed=0).astype(float) - photo).mean() for s in (0, 0.25, 0.5, 0.75, 1)]
    assert changes[0] == 0
    assert all(np.diff(changes) > 0)
