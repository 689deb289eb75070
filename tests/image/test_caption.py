"""Writing against Pillow's own, and a layout whose annotations move along."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy import stats

import vicinal as v
from vicinal.backend.effects import letters
from vicinal.backend.effects.text import line, rendered
from vicinal.image.paint import LETTERS


def pillows(text, size):
    """(h, w) how much of each pixel the text covers, cut to what is covered."""
    image = Image.new("L", (400, 200))
    font = ImageFont.load_default(size).font_variant(layout_engine=ImageFont.Layout.BASIC)
    ImageDraw.Draw(image).text((50, 50), text, 255, font)
    return cut(np.array(image))


def cut(image):
    rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


@pytest.mark.parametrize("text", ["vicinal", "Grüße", "two\nlines"])
@pytest.mark.parametrize("size", [0.1, 0.3])
def test_letters_are_pillows(text, size):
    out = v.TextOverlay(text=text, size=size, colour=1.0)(np.zeros((100, 300), np.uint8), seed=0)
    assert np.array_equal(cut(out), pillows(text, round(100 * size)))


@pytest.mark.parametrize("font", ["", "DejaVuSans.ttf"])
@pytest.mark.parametrize("size", [1, 3, 8, 13, 21, 51])
def test_lines_set_from_letters_are_lines_that_pillow_draws(font, size):
    path = font and str(Path(pytest.importorskip("matplotlib").get_data_path()) / "fonts" / "ttf" / font)
    rng = np.random.default_rng(size)
    for text in ["A", "AVATAR", "To", *("".join(rng.choice(list(LETTERS), 7)) for _ in range(20))]:
        assert np.array_equal(line(text, path, size), rendered(text, path, size))


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("text", [None, "not letters alone"])
def test_every_image_is_drawn_to_its_colour_where_pillow_covers_it(dtype, text):
    scale = {"uint8": 255, "float32": 1}[dtype]
    images = (np.random.default_rng(0).random((9, 40, 90, 3)) * scale).astype(dtype)
    out = v.TextOverlay(text=text, size=(0.2, 0.9), opacity=(0.3, 1))(image=images, seed=0)
    given = out.plan.primitives[0].arguments
    for row, image in enumerate(images):
        size = round(given["size"][row])
        cover = rendered(str(given["text"][row]), "", size)
        if cover.shape[1] > 90:
            cover = rendered(str(given["text"][row]), "", max(int(size * 90 / cover.shape[1]), 1))
        (high, wide), canvas = cover.shape, Image.new("L", (90, 40))
        canvas.paste(Image.fromarray(cover), (round((90 - wide) * given["x"][row]), round((40 - high) * given["y"][row])))
        share = given["opacity"][row] * np.array(canvas)[..., None] / 255
        expected = image + share * (given["colour"][row] * scale - image)
        assert np.abs(out["image"][row] - expected).max() <= (0.501 if dtype == "uint8" else 1e-6)


def test_letters_that_were_forgotten_are_drawn_anew(monkeypatch):
    image = np.zeros((6, 50, 90, 3), np.uint8)
    kept = [v.TextOverlay(size=(0.1, 0.9))(image, seed=seed) for seed in range(3)]
    monkeypatch.setattr(letters, "MOST", 0)
    assert all(np.array_equal(v.TextOverlay(size=(0.1, 0.9))(image, seed=seed), kept[seed]) for seed in range(3))


def test_threads_draw_letters_side_by_side():
    held = letters.Letters("")
    texts = [("".join(np.random.default_rng(n).choice(list(LETTERS), 5)), 10 + n % 60) for n in range(200)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda one: held.line(*one), texts))
    assert all(np.array_equal(found, rendered(text, "", size)) for found, (text, size) in zip(made, texts, strict=True))


def test_text_lies_within_the_free_room():
    images = np.zeros((100, 60, 200, 1), np.uint8)
    high, wide = pillows("abc", 12).shape
    out = v.TextOverlay(text="abc", size=0.2, colour=1.0)(image=images, seed=0)
    for image, x, y in zip(out["image"][..., 0], *(out.plan.params["TextOverlay"][axis] for axis in "xy"), strict=True):
        assert cut(image).shape == (high, wide)
        assert abs(np.flatnonzero(image.any(0))[0] - x * (200 - wide)) <= 1
        assert abs(np.flatnonzero(image.any(1))[0] - y * (60 - high)) <= 1


def test_a_line_that_is_too_wide_is_written_smaller():
    image = v.TextOverlay(text="much too long a text", size=0.9, colour=1.0)(np.zeros((60, 80), np.uint8), seed=0)
    assert cut(image).shape[1] <= 80
    assert cut(image).shape[1] > 60


def test_random_letters_are_uniform_and_as_many_as_drawn():
    out = v.TextOverlay(length=(3, 7))(image=np.zeros((1500, 2, 2, 1), np.uint8), seed=0).plan.primitives[0].arguments["text"]
    assert stats.chisquare(np.bincount([len(text) for text in out], minlength=8)[3:]).pvalue > 1e-3
    counts = [sum(text.count(letter) for text in out) for letter in LETTERS]
    assert stats.chisquare(counts).pvalue > 1e-3


def test_another_font(tmp_path):
    path = tmp_path / "font.ttf"
    path.write_bytes(ImageFont.load_default(10).path.getvalue())
    image = np.zeros((40, 120), np.uint8)
    one, other = (v.TextOverlay(text="vicinal", font=font)(image, seed=0) for font in (None, str(path)))
    assert np.array_equal(one, other)


@pytest.mark.parametrize("cls", [v.TextOverlay, v.MemeLayout])
@pytest.mark.parametrize("name", ["missing.ttf", "text.ttf"])
def test_a_wrong_font_is_told(tmp_path, cls, name):
    (tmp_path / "text.ttf").write_text("no font")
    with pytest.raises(v.DataError, match=rf"font: expected a TrueType or OpenType file, got '.*{name}'"):
        cls(font=str(tmp_path / name))(np.zeros((20, 20, 3), np.uint8), seed=0)


@pytest.mark.parametrize("text", ["", "   ", 5])
def test_a_wrong_text_is_told(text):
    with pytest.raises(v.ParameterError, match=r"TextOverlay\.text: expected a text that is not empty"):
        v.TextOverlay(text=text)


def test_without_pillow_a_sentence_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(v.BackendError, match="writing text: expected Pillow to be installed, got no such module; write pip install pillow"):
        v.TextOverlay(text="never written before", size=0.77)(np.zeros((77, 77), np.uint8), seed=0)


@pytest.mark.parametrize("band", ["above", "below"])
def test_a_caption_makes_room_and_annotations_move_along(band):
    image = np.random.default_rng(0).integers(0, 200, (2, 40, 60, 3), np.uint8)
    mask = np.ones((2, 40, 60), np.uint8)
    policy = v.MemeLayout(text="caption", height=0.25, band=band)
    out = policy(image=image, mask=mask, boxes=np.tile([[5.0, 6, 20, 30]], (2, 1, 1)), keypoints=np.full((2, 1, 2), 7.0), seed=0)
    down, rows = (10, slice(10, 50)) if band == "above" else (0, slice(0, 40))
    assert out["image"].shape == (2, 50, 60, 3)
    assert np.array_equal(out["image"][:, rows], image)
    assert out["boxes"][0].tolist() == [[5, 6 + down, 20, 30 + down]]
    assert out["keypoints"][0].tolist() == [[7, 7 + down]]
    assert (out["mask"].sum((1, 2)) == 40 * 60).all()
    caption = np.delete(out["image"], np.arange(50)[rows], 1)
    assert caption.max() == 255
    assert caption.min() < 60
    assert (np.median(caption, (1, 2)) == 255).all()


def test_a_caption_is_as_large_as_fits_and_stands_in_the_middle():
    out = v.MemeLayout(text="caption", height=0.3)(np.zeros((200, 200), np.uint8), seed=0)[:60]
    ink = out < 128
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    assert abs(rows[0] - (59 - rows[-1])) <= 3
    assert abs(columns[0] - (199 - columns[-1])) <= 3
    assert max(np.ptp(columns) / (200 * 0.92), np.ptp(rows) / (60 * 0.7)) == pytest.approx(1, abs=0.06)


def test_a_band_shows_nothing_of_a_turned_image():
    """Fused with a rotation, the map reaches pixels that the rotation alone would have left outside; the band covers them."""
    policy = v.parse("Rotate(angle=45) | MemeLayout(text='i', height=0.4, colour=1.0, background=0.5)")
    out = policy(np.full((50, 50), 255, np.uint8), seed=0)[:20]
    assert set(np.unique(out).tolist()) - {128} <= set(range(128, 256))
    assert (out == 128).mean() > 0.9


def test_no_height_is_no_change():
    image = np.random.default_rng(0).integers(0, 256, (9, 9, 3), np.uint8)
    assert np.array_equal(v.MemeLayout(height=0)(image, seed=0), image)
