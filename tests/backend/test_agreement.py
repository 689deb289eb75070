"""The fast backend against the specification, within what each primitive declares."""

from __future__ import annotations

import numpy as np
import pytest

import vicinal as v
from vicinal.core.primitive import Pointwise
from vicinal.core.warp import Warp

SCALE = {"uint8": 255, "uint16": 65535, "float32": 1.0}
SIZES = [(1, 1), (33, 47), (200, 133)]


def noise_images(height, width, channels, dtype):
    """White noise: the hardest content for an interpolation."""
    values = np.random.default_rng(height + channels).random((2, height, width, channels))
    return values.astype(dtype) if dtype == "float32" else np.rint(values * SCALE[dtype]).astype(dtype)


def difference(policy, images):
    fast, slow = (policy(images, seed=1, backend=backend) for backend in ("cpu", "reference"))
    assert (fast.shape, fast.dtype) == (slow.shape, slow.dtype)
    return np.abs(fast.astype(float) - slow.astype(float)).max() / (SCALE[str(images.dtype)] if fast.dtype == images.dtype else 1)


BORDERS = [{"border": "constant", "fill": 0.3}, {"border": "reflect"}, {"border": "replicate"}]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", SCALE)
@pytest.mark.parametrize("border", BORDERS, ids=lambda options: options["border"])
def test_warps_agree_within_their_tolerance(size, dtype, border):
    policy = v.Affine(angle=(-180, 180), scale=(0.5, 2), shear_x=(-20, 20), x=(-9, 9), **border)
    assert difference(policy, noise_images(*size, 3, dtype)) <= Warp.tolerance + 1e-6


@pytest.mark.parametrize("channels", range(1, 10))
@pytest.mark.parametrize("size", SIZES[1:])
def test_any_number_of_channels_agrees(channels, size):
    policy = v.Rotate(angle=(-180, 180), border="reflect")
    assert difference(policy, noise_images(*size, channels, "uint8")) <= Warp.tolerance + 1e-6


@pytest.mark.parametrize("text", ["Resize(size=(60, 71))", "Resize(size=(300, 20))", "Resize(size=9)", "Scale(factor=0.3, antialias=True)",
                                  "RandomResizedCrop(size=24)"])  # fmt: skip
@pytest.mark.parametrize("size", SIZES)
def test_resizing_agrees(text, size):
    assert difference(v.parse(text), noise_images(*size, 3, "uint8")) <= Warp.tolerance + 1e-6


@pytest.mark.parametrize("border", ["constant", "reflect", "replicate"])
@pytest.mark.parametrize("size", [(40, 40), (130, 130)])
def test_beyond_the_horizon_agrees(size, border):
    """A strong tilt, then a wide view: part of the canvas lies behind the horizon."""
    policy = v.parse(f"Perspective(amount=0.24, border='{border}') | Scale(factor=0.2, border='{border}')")
    smooth = np.tile(np.linspace(0, 1, size[1], dtype=np.float32)[:, None], (4, size[0], 1, 3))
    plan = policy(image=smooth, seed=3).plan
    inverse = np.linalg.inv(plan.primitives[0].matrix)
    corners = np.array([[0, 0, 1], [size[1], 0, 1], [0, size[0], 1], [size[1], size[0], 1]])
    assert ((corners @ inverse[:, 2].T) < 0).any()
    fast, slow = (policy(smooth, seed=3, backend=backend) for backend in ("cpu", "reference"))
    assert np.abs(np.asarray(fast) - slow).max() <= Warp.tolerance


COPIES = [
    "D4() | RandomCrop(size=80)",
    "D4() | Pad(by=60, fill=0.5) | RandomCrop(size=120)",
    "VerticalFlip() | Translate(x=70, y=-9, border='reflect')",
    "Rotate(angle=(-180, 180), interpolation='nearest', border='reflect')",
    "Pad(by=7) | HorizontalFlip() | RandomCrop(size=40)",
    "Resize(size=31, interpolation='nearest')",
    "Erase(fill=0.5)",
]


@pytest.mark.parametrize("text", COPIES)
@pytest.mark.parametrize("dtype", SCALE)
@pytest.mark.parametrize("size", [(33, 47), (90, 100)])
def test_what_copies_pixels_agrees_to_the_bit(text, size, dtype):
    assert difference(v.parse(text), noise_images(*size, 4, dtype)) == 0


@pytest.mark.parametrize("text", ["Brightness(by=(-0.3, 0.3)) | Contrast(gain=(0.5, 2)) | Gamma(exponent=(0.5, 2))", "Invert(p=0.5)"])
@pytest.mark.parametrize("dtype", SCALE)
@pytest.mark.parametrize("size", SIZES)
def test_pointwise_work_agrees_within_one_step(text, dtype, size):
    assert difference(v.parse(text), noise_images(*size, 5, dtype)) <= (0 if dtype == "uint8" else Pointwise.tolerance / 200)


@pytest.mark.parametrize("dtype", SCALE)
def test_colour_matrices_agree_within_one_step(dtype):
    assert difference(v.Grayscale(amount=(0, 1)), noise_images(33, 47, 3, dtype)) <= Pointwise.tolerance + 1e-6


@pytest.mark.parametrize("dtype", SCALE)
@pytest.mark.parametrize("size", SIZES)
def test_the_whole_chain_agrees_up_to_what_normalize_enlarges(dtype, size):
    policy = v.parse("HorizontalFlip(p=0.5) | Rotate(angle=(-30, 30)) | Brightness(by=0.1) | Normalize(mean=0.5, std=0.25) | ToTensor()")
    assert difference(policy, noise_images(*size, 3, dtype)) <= 4 * (Warp.tolerance + Pointwise.tolerance)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32", "uint64", "float64"])
@pytest.mark.parametrize("border", BORDERS, ids=lambda options: options["border"])
def test_masks_agree_to_the_bit(dtype, border):
    mask = np.random.default_rng(0).integers(0, 2, (2, 33, 47)).astype(dtype)
    policy = v.Affine(angle=(-180, 180), scale=(0.5, 2), **border)
    fast, slow = (policy(image=noise_images(33, 47, 1, "uint8"), mask=mask, seed=0, backend=name)["mask"] for name in ("cpu", "reference"))
    assert np.array_equal(fast, slow)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("canvas", [20, 128])
def test_fusing_warp_and_table_changes_no_bit(size, canvas):
    images = noise_images(*size, 3, "uint8")
    geometry, colour = v.parse(f"Rotate(angle=(-30, 30)) | Resize(size={canvas})"), v.parse("Gamma(exponent=2) | Normalize()")
    fused = v.Compose([geometry, colour])(images, seed=0)
    assert np.array_equal(fused, colour(geometry(images, seed=0), seed=0))


def test_large_images_of_any_number_of_channels_are_sampled_alike():
    image = noise_images(200, 133, 9, "uint8")
    together = v.Rotate(angle=20)(image, seed=0)
    for channels in (1, 2, 3, 6):
        assert np.abs(v.Rotate(angle=20)(image[..., :channels], seed=0).astype(int) - together[..., :channels]).max() <= 1


def test_effects_take_arrays_that_are_not_contiguous():
    mirrored = np.arange(2 * 9 * 12 * 3, dtype=np.uint8).reshape(2, 9, 12, 3)[:, :, ::-1]
    for policy in ("FourierDomainAdaptation()", "LongestMaxSize(size=7) | CLAHE()"):
        one, other = (v.parse(policy)(given, seed=0, backend="reference") for given in (mirrored, mirrored.copy()))
        assert np.array_equal(one, other)
