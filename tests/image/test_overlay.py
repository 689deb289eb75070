"""Overlays: exact areas and blends against Pillow and closed formulas, and sentences for wrong paths."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage, stats
from skimage import draw

import vicinal as v

BLACK = np.zeros((4, 120, 160, 3), np.uint8)
OVERLAYS = ["ShapeOverlay()", "EmojiOverlay()", "ImageOverlay()", "TextOverlay()", "TextOverlay(text='a\\nb', colour=0.3)"]


@pytest.fixture
def picture(tmp_path):
    """A file of 40 x 20 pixels, red and half transparent on the left, blue and opaque on the right."""
    pixels = np.zeros((20, 40, 4), np.uint8)
    pixels[:, :20] = (255, 0, 0, 128)
    pixels[:, 20:] = (0, 0, 255, 255)
    path = tmp_path / "picture.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("text", OVERLAYS)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_no_opacity_changes_no_bit_and_more_changes_more(text, dtype):
    scale = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    images = (np.random.default_rng(0).random((3, 60, 80, 3)) * scale).astype(dtype)
    made = [v.parse(f"{text[:-1]}{', ' * (text[-2] != '(')}opacity={share})")(images, seed=1) for share in (0, 0.3, 0.7, 1)]
    assert np.array_equal(made[0], images)
    far = [np.abs(out.astype(float) - images).mean() for out in made]
    assert (np.diff(far) > 0).all()
    assert far[1] == pytest.approx(0.3 * far[3], rel=0.02)


@pytest.mark.parametrize("text", [*OVERLAYS, "Pixelise(area=0.3)"])
def test_annotations_stay(text):
    named = {"boxes": np.array([[1.0, 1, 5, 5]]), "keypoints": np.array([[2.0, 2]]), "mask": np.eye(30)}
    out = v.parse(text)(image=np.ones((30, 30, 3), np.uint8), **named, seed=0)
    assert all(np.array_equal(out[name], value) for name, value in named.items())


AREAS = {"circle": np.pi, "rectangle": 4 * 0.8 * 0.6, "triangle": 3 * np.sqrt(3) / 4, "line": 4 / 8}


@pytest.mark.parametrize("kind", AREAS)
@pytest.mark.parametrize("size", [0.05, 0.2, 0.5])
def test_a_shape_covers_its_area(kind, size):
    policy = v.ShapeOverlay(kinds=(kind,), count=1, size=size, x=0.5, y=0.5, colour=1.0)
    covered = policy(np.zeros((8, 200, 240, 1), np.float32), seed=0).sum((1, 2, 3))
    radius = 100 * size
    assert covered == pytest.approx(AREAS[kind] * radius**2, rel=0.02, abs=0.5)


FINE = 16
CORNERS = {"rectangle": [(0.8, 0.6), (-0.8, 0.6), (-0.8, -0.6), (0.8, -0.6)], "triangle": [(0, -1), (0.75**0.5, 0.5), (-(0.75**0.5), 0.5)],
           "line": [(1, 0.125), (-1, 0.125), (-1, -0.125), (1, -0.125)]}  # fmt: skip


@pytest.mark.parametrize("kind", AREAS)
@pytest.mark.parametrize("angle", [0, 33])
def test_pixels_are_covered_as_scikit_image_covers_them(kind, angle):
    """Its polygons and disks are not antialiased: means over 16 x 16 of its pixels say how much of one of ours is covered."""
    ours = v.ShapeOverlay(kinds=(kind,), count=1, size=0.5, angle=angle, x=0.5, y=0.5, colour=1.0)(np.zeros((81, 81), np.float32), seed=0)
    fine, middle, radius, (cos, sin) = np.zeros((81 * FINE,) * 2), 40.5, 81 / 4, (np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle)))
    if kind == "circle":
        covered = draw.disk((middle * FINE - 0.5,) * 2, radius * FINE)
    else:
        x, y = np.array(CORNERS[kind]).T * radius
        covered = draw.polygon((middle + sin * x + cos * y) * FINE - 0.5, (middle + cos * x - sin * y) * FINE - 0.5)
    fine[covered] = 1
    expected = fine.reshape(81, FINE, 81, FINE).mean((1, 3))
    assert np.abs(ours - expected).mean() < 0.003
    assert np.abs(ours - expected).max() < (0.5 if kind == "triangle" else 0.3)


@pytest.mark.parametrize(("kind", "fold"), [("rectangle", 180), ("triangle", 120), ("line", 180)])
def test_shapes_turn(kind, fold):
    fixed, image = {"kinds": (kind,), "count": 1, "size": 0.7, "x": 0.5, "y": 0.5, "colour": 1.0}, np.zeros((101, 101), np.float32)
    made = [v.ShapeOverlay(angle=angle, **fixed)(image, seed=0) for angle in (0, 40, fold)]
    assert np.abs(made[2] - made[0]).max() < 1e-4
    turned = ndimage.rotate(made[0], -40, reshape=False, order=1)
    assert np.abs(made[1] - turned).mean() < 0.01
    assert np.abs(made[1] - ndimage.rotate(made[0], 40, reshape=False, order=1)).mean() > 0.02


def test_kinds_counts_and_places_are_uniform():
    out = v.ShapeOverlay(count=(1, 4))(image=np.zeros((2000, 4, 4, 1), np.uint8), seed=0)
    params = out.plan.params["ShapeOverlay"]
    assert stats.chisquare(np.bincount(params["count"])[1:]).pvalue > 1e-3
    assert stats.chisquare(np.bincount(params["kind"].ravel(), minlength=4)).pvalue > 1e-3
    assert stats.kstest(params["x"].ravel(), stats.uniform.cdf).pvalue > 1e-3
    assert stats.kstest(params["tint"].ravel(), stats.uniform.cdf).pvalue > 1e-3


@pytest.mark.parametrize("channels", [1, 2, 4, 5])
def test_colours_of_any_number_of_channels(channels):
    colour = tuple(np.linspace(0.2, 1, channels).tolist())
    made = v.ShapeOverlay(kinds=("circle",), count=1, size=0.5, x=0.5, y=0.5, colour=colour)(np.zeros((40, 40, channels), np.uint8), seed=0)
    assert made[20, 20].tolist() == np.rint(np.array(colour) * 255).astype(int).tolist()
    assert v.ShapeOverlay(size=2)(np.zeros((40, 40, channels), np.uint8), seed=0).any()


EMOJI = {"smile": (255, 205, 60), "frown": (255, 205, 60), "laugh": (255, 205, 60), "heart": (225, 40, 55), "star": (255, 190, 30)}


@pytest.mark.parametrize("kind", EMOJI)
@pytest.mark.parametrize("size", [0.1, 0.5, 1.0])
def test_a_symbol_lies_where_it_should(kind, size):
    out = v.EmojiOverlay(kinds=(kind,), size=size, x=1, y=0)(np.zeros((100, 140, 3), np.uint8), seed=0)
    side = round(size * 100)
    assert not out[side:].any()
    assert not out[:, : 140 - side].any()
    seen = out[:side, 140 - side :].any(2)
    assert 0.2 < seen.mean() < (1 if size < 0.5 else 0.9)
    if size == 1:
        values, counts = np.unique(out.reshape(-1, 3), axis=0, return_counts=True)
        assert tuple(values[counts.argsort()[-2]]) == EMOJI[kind]


def test_each_symbol_is_equally_likely():
    out = v.EmojiOverlay()(image=np.zeros((2000, 2, 2, 1), np.uint8), seed=0)
    which = np.floor(out.plan.params["EmojiOverlay"]["which"] * 5).astype(int)
    assert stats.chisquare(np.bincount(which, minlength=5)).pvalue > 1e-3


def test_a_picture_is_pasted_as_pillow_does(picture):
    canvas = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    out = v.ImageOverlay(path=str(picture), scale=0.5, x=0, y=1)(canvas, seed=0)
    expected, overlay = Image.fromarray(canvas), Image.open(picture)
    expected.paste(overlay.convert("RGB"), (0, 40), overlay.getchannel("A"))
    assert np.abs(out.astype(int) - np.array(expected)).max() <= 1
    half = v.ImageOverlay(path=str(picture), scale=0.5, x=0, y=1, opacity=0.5)(canvas, seed=0)
    assert np.abs(half - (canvas.astype(float) + np.array(expected)) / 2).max() <= 1.01


@pytest.mark.parametrize("scale", [0.2, 0.35, 1.0])
def test_a_picture_is_resized_as_pillow_does(shared_data, scale):
    path = shared_data("photos") / "kodak_23.png"
    out = v.ImageOverlay(path=str(path), scale=scale, x=0, y=0)(np.zeros((100, 200, 3), np.uint8), seed=0)
    source = Image.open(path).convert("RGB")
    factor = min(scale * 100 / source.height, scale * 200 / source.width)
    size = (round(source.width * factor), round(source.height * factor))
    expected = np.array(source.resize(size, Image.Resampling.BOX))
    assert not out[size[1] :].any()
    assert not out[:, size[0] :].any()
    assert np.abs(out[: size[1], : size[0]].astype(int) - expected).mean() < 3


@pytest.mark.parametrize(("mode", "suffix"), [("L", "png"), ("RGB", "jpg"), ("I;16", "png"), ("RGBA", "webp")])
def test_any_kind_of_file(tmp_path, mode, suffix):
    top = 65535 if mode == "I;16" else 255
    pixels = np.full((16, 16, *[len(mode)] * (mode.startswith("RGB"))), top * 3 // 4, np.uint16 if mode == "I;16" else np.uint8)
    if mode == "RGBA":
        pixels[..., 3] = 255
    path = tmp_path / f"file.{suffix}"
    (Image.fromarray(pixels)).save(path)
    out = v.ImageOverlay(path=str(path), scale=1)(np.zeros((32, 32, 3), np.uint8), seed=0)
    assert np.abs(out.astype(int) - 191).max() <= 4


def test_a_folder_gives_each_sample_a_file(tmp_path):
    for level in (50, 150, 250):
        Image.new("RGB", (8, 8), (level,) * 3).save(tmp_path / f"{level}.png")
    (tmp_path / "notes.txt").write_text("no picture")
    out = v.ImageOverlay(path=str(tmp_path), scale=1)(np.zeros((600, 4, 4, 3), np.uint8), seed=0)
    levels, counts = np.unique(out[:, 0, 0, 0], return_counts=True)
    assert levels.tolist() == [50, 150, 250]
    assert stats.chisquare(counts).pvalue > 1e-3


def test_a_file_that_changes_is_read_again(tmp_path):
    path, image = tmp_path / "file.png", np.zeros((8, 8, 3), np.uint8)
    for stamp, level in enumerate((10, 200)):
        Image.new("RGB", (8, 8), (level,) * 3).save(path)
        os.utime(path, ns=(stamp, stamp))
        assert v.ImageOverlay(path=str(path), scale=1)(image, seed=0)[4, 4, 0] == level


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing.png", r"ImageOverlay\.path: expected an image file, or a folder of them, got '.*missing\.png' \(No such file"),
        ("empty", r"ImageOverlay\.path: expected a folder with image files \(.*\.png.*\), got none in"),
        ("text.png", r"ImageOverlay\.path: .*text\.png: expected an image file that OpenCV reads, got something else"),
    ],
)
def test_a_wrong_path_is_told(tmp_path, name, sentence):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(v.DataError, match=sentence):
        v.ImageOverlay(path=str(tmp_path / name))(np.zeros((8, 8, 3), np.uint8), seed=0)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("block", [2, 5, 8])
def test_blocks_are_the_means_that_pillow_takes(shared_data, dtype, block):
    photo = np.array(Image.open(shared_data("photos") / "chelsea.png").convert("RGB"))[:120, :160]
    scale = {"uint8": 1.0, "uint16": 257.0, "float32": 1 / 255}[dtype]
    small = np.array(Image.fromarray(photo).reduce(block))
    expected = small.repeat(block, 0).repeat(block, 1)[:120, :160]
    out = v.Pixelise(block=block)((photo * scale).astype(dtype), seed=0) / scale
    assert np.abs(out - expected).max() <= 0.53 + 0.5 * (dtype == "uint8")


def test_only_the_region_is_pixelised():
    image = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    out = v.Pixelise(block=60, area=0.25, ratio=1, x=0, y=0)(image, seed=0)
    side = round(np.sqrt(0.25 * 60 * 80))
    high = round(0.25 * 60 * 80 / side)
    assert np.array_equal(out[high:], image[high:])
    assert np.array_equal(out[:, side:], image[:, side:])
    assert (out[:high, :side] == out[0, 0]).all()
    assert np.abs(out[0, 0] - image[:high, :side].mean((0, 1))).max() <= 0.5


def test_larger_blocks_lose_more(shared_data):
    photo = np.array(Image.open(shared_data("photos") / "chelsea.png").convert("RGB"))
    far = [np.square(v.Pixelise(block=block)(photo, seed=0).astype(float) - photo).mean() for block in (1, 2, 4, 8, 16, 32, 64)]
    assert far[0] == 0
    assert (np.diff(far) > 0).all()


@pytest.mark.parametrize("kinds", [(), ("square",), "circle", ("circle", 3)])
def test_wrong_kinds_are_told(kinds):
    with pytest.raises(v.ParameterError, match=r"ShapeOverlay\.kinds: expected some of 'circle', 'rectangle', 'triangle', 'line'"):
        v.ShapeOverlay(kinds=kinds)
