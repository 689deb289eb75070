"""JPEG without its entropy coder: the bytes are those of libjpeg, as Pillow and OpenCV bring it."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from vicinal.backend.effects.jpeg import SUBSAMPLING, coded, tables

FACTORS = {
    "4:4:4": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "4:2:2": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "4:2:0": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
}


def pillows(image, quality, subsampling):
    stream, grey = io.BytesIO(), image.shape[2] == 1
    more = {} if grey else {"subsampling": subsampling}
    Image.fromarray(image[..., 0] if grey else image).save(stream, format="JPEG", quality=quality, **more)
    return np.array(Image.open(stream)).reshape(image.shape)


def opencvs(image, quality, subsampling):
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, FACTORS[subsampling]]
    stream = cv2.imencode(".jpg", np.ascontiguousarray(image[..., ::-1]), flags)[1]
    return np.asarray(cv2.imdecode(stream, cv2.IMREAD_UNCHANGED)).reshape(image.shape)[..., ::-1]


def pictures(height, width, channels):
    """Noise, noise of black and white, and something smooth."""
    rng = np.random.default_rng([height, width, channels])
    noise = rng.integers(0, 256, (height, width, channels))
    y, x = np.mgrid[:height, :width]
    smooth = np.stack([128 + 127 * np.sin((c + 1) * x / 9 + y / (5 + c)) for c in range(channels)], -1)
    return np.stack([noise, 255 * (noise > 127), smooth]).astype(np.uint8)


def ours(images, quality, subsampling):
    return coded(images, np.full(len(images), quality), subsampling)


def same(images, quality, subsampling):
    made = ours(images, quality, subsampling)
    for image, out in zip(images, made, strict=True):
        assert np.array_equal(out, opencvs(image, quality, subsampling))
        assert np.array_equal(out, pillows(image, quality, subsampling))


@pytest.mark.parametrize("quality", range(1, 101))
def test_bytes_are_the_libraries_at_every_quality(quality):
    same(pictures(24, 40, 1), quality, "4:2:0")
    for subsampling in SUBSAMPLING:
        same(pictures(37, 51, 3), quality, subsampling)


@pytest.mark.parametrize("height", [1, 2, 3, 7, 8, 9, 15, 16, 17, 33])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 6, 8, 9, 16, 17, 31, 33])
def test_bytes_are_the_libraries_at_every_size(height, width):
    same(pictures(height, width, 1), 60, "4:2:0")
    for subsampling in SUBSAMPLING:
        same(pictures(height, width, 3), 35, subsampling)


@pytest.mark.parametrize("subsampling", SUBSAMPLING)
@pytest.mark.parametrize(("height", "width"), [(203, 187), (67, 1001), (50, 9001)])
def test_pictures_that_are_worked_on_in_several_bands(height, width, subsampling):
    same(pictures(height, width, 3)[1:], 75, subsampling)


def test_each_sample_has_its_own_quality():
    images, qualities = pictures(20, 30, 3), np.array([10, 90, 50])
    for image, out, quality in zip(images, coded(images, qualities, "4:2:0"), qualities, strict=True):
        assert np.array_equal(out, ours(image[None], quality, "4:2:0")[0])


def test_divisions_are_exact():
    """Of every number that a cosine can be, for every step of every table."""
    steps, half, by, shift = np.unique(tables()[1:].transpose(2, 0, 1, 3).reshape(4, -1), axis=1).astype(np.int64)
    number = np.arange(2**15)[:, None]
    assert ((number * by >> shift) == number // (8 * steps)).all()
    assert (half == 4 * steps).all()
    assert int((number[-1] * by).max()) < 2**31
