"""WebP without a file: what was chosen, written to one, is what libwebp reads, as Pillow and OpenCV bring it."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.image.vp8 import SMALL, Frame, written

from vicinal.backend.effects import webp
from vicinal.backend.effects.webp import CHROMA_DC, coded, indices, tables

PHOTOS = ("astronaut.png", "chelsea.png", "kodak_07.png", "kodak_23.png", "bsds_104055.jpg")


def pictures(height, width, channels):
    """Noise, noise of black and white, something smooth, stripes, a slope and one grey."""
    rng = np.random.default_rng([height, width, channels])
    noise = rng.integers(0, 256, (height, width, channels))
    y, x = np.mgrid[:height, :width]
    smooth = np.stack([128 + 127 * np.sin((c + 1) * x / 9 + y / (5 + c)) for c in range(channels)], -1)
    stripes = np.where((x + y) % 23 < 11, 30, 200)[..., None] + 0 * noise
    slope = np.stack([128 + (2 * x + 2 * y - 128) * (1 - c) for c in range(channels)], -1).clip(0, 255)
    return np.stack([noise, 255 * (noise > 127), smooth, stripes, slope, 0 * noise + 77]).astype(np.uint8)


def photograph(path, size):
    """(size, size, 3) of the middle of a photograph, reduced."""
    image = np.array(Image.open(path).convert("RGB"))
    side = min(*image.shape[:2], 4 * size)
    top, left = ((length - side) // 2 for length in image.shape[:2])
    return cv2.resize(image[top : top + side, left : left + side], (size, size), interpolation=cv2.INTER_AREA)


def files(images, qualities):
    """Of each image what comes back from it, and the file from which it should."""
    out, modes, levels = coded(images, qualities, told=True)
    for made, mode, level, quality in zip(out, modes, levels, qualities, strict=True):
        index, strength = int(indices()[quality]), int(tables()[2][quality])
        yield made, written(Frame(made.shape[0], made.shape[1], mode, level, index, CHROMA_DC, strength))


def same(images, qualities):
    for made, file in files(images, qualities):
        colour = made.shape[2] == 3
        theirs = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR if colour else cv2.IMREAD_GRAYSCALE)
        assert np.array_equal(made, theirs[..., ::-1] if colour else theirs[..., None])
        shown = np.array(Image.open(io.BytesIO(file)).convert("RGB"))
        assert np.array_equal(made, shown if colour else shown[..., 1:2])


def libwebps(image, quality, method):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "WEBP", quality=quality, method=method)
    return np.array(Image.open(stream).convert("RGB"))


def ratio(out, image):
    """Peak signal to noise, in dB."""
    return 10 * np.log10(255**2 / np.square(out.astype(float) - image).mean())


@pytest.mark.parametrize("quality", range(1, 101))
def test_what_comes_back_is_what_a_file_holds_at_every_quality(quality):
    for channels in (1, 3):
        images = pictures(20, 35, channels)[[quality % 2, 2, 3]]
        same(images, np.full(len(images), quality))


@pytest.mark.parametrize("height", [1, 2, 3, 8, 15, 16, 17, 33, 70])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 9, 16, 17, 31, 50])
def test_what_comes_back_is_what_a_file_holds_at_every_size(height, width):
    same(pictures(height, width, 1)[:3], np.array([60, 9, 95]))
    same(pictures(height, width, 3), np.array([35, 80, 8, 97, 60, 50]))


@pytest.mark.parametrize("name", PHOTOS)
def test_photographs_come_back_as_from_a_file(shared_data, name):
    images = np.stack([photograph(shared_data("photos") / name, 67)] * 4)
    same(images, np.array([3, 40, 75, 98]))
    same(np.ascontiguousarray(images[..., 1:2]), np.array([3, 40, 75, 98]))


def test_every_mode_is_chosen_somewhere():
    images = np.concatenate([pictures(64, 64, 3)] * 2)
    _, modes, levels = coded(images, np.repeat([20, 90], 6), told=True)
    small = modes[..., 0] == SMALL
    assert set(np.unique(modes[..., 0])) == {0, 1, 2, 3, SMALL}
    assert set(np.unique(modes[small][:, 1:17])) == set(range(10))
    assert set(np.unique(modes[..., 17])) == {0, 1, 2, 3}
    assert (levels[~small][:, 24] != 0).any()
    assert (levels[small][:, :16] != 0).any()
    assert (levels[..., 16:24, :] != 0).any()


def test_many_images_are_worked_on_as_each_alone(monkeypatch):
    """More than there are lanes, in several turns, in each of which lanes are left."""
    images = np.concatenate([pictures(40, 50, 3)] * 8)
    qualities = 1 + np.arange(48) * 97 % 100
    together = coded(images, qualities)[0]
    monkeypatch.setattr(webp, "TOGETHER", 7 * 40 * 50)
    assert np.array_equal(coded(images, qualities)[0], together)
    for image, quality, out in zip(images, qualities, together, strict=True):
        assert np.array_equal(coded(image[None], quality[None])[0][0], out)


def test_wide_pictures_are_worked_on_in_several_bands():
    same(pictures(35, 1500, 3)[2:4], np.array([70, 30]))


@pytest.mark.parametrize("size", [32, 64, 128, 256])
@pytest.mark.parametrize("quality", [10, 30, 50, 75, 90, 100])
def test_pictures_come_back_as_near_as_from_libwebp(shared_data, size, quality):
    images = np.stack([photograph(shared_data("photos") / name, size) for name in PHOTOS])
    ours = [ratio(*pair) for pair in zip(coded(images, np.full(len(images), quality))[0], images, strict=True)]
    theirs = [ratio(libwebps(image, quality, method), image) for image in images for method in (2, 4)]
    assert np.mean(ours) == pytest.approx(np.mean(theirs), abs=0.75)


def test_grey_stays_grey():
    grey = pictures(33, 20, 1)
    out = coded(np.repeat(grey, 3, 3), np.full(6, 50))[0]
    assert np.abs(np.ptp(out.astype(int), 3)).max() <= 1
    assert np.array_equal(out[..., 1:2], coded(grey, np.full(6, 50))[0])
