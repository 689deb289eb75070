"""One image file: its size without decoding, upright pixels as Pillow sees them, and JPEG at a smaller scale."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from image_files import TURNS, centroid, dot, jpeg, late_exif, smooth
from PIL import Image, ImageOps

from vicinal.data.decode import opened

ORIENTATIONS = (1, *TURNS)


def by_pillow(path: Path) -> np.ndarray:
    """(H, W, 3) the pixels by the other library, all the way."""
    with Image.open(path) as picture:
        return np.asarray(ImageOps.exif_transpose(picture).convert("RGB"))


def test_photographs_are_what_pillow_makes_of_them(shared_data: Callable[[str], Path]) -> None:
    for path in sorted(shared_data("photos").glob("*.*g")):
        file = opened(path)
        assert file.scalable == (path.suffix == ".jpg")
        pixels = file.pixels()
        assert file.size == pixels.shape[:2]
        np.testing.assert_array_equal(pixels, by_pillow(path), err_msg=path.name)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_every_orientation_is_followed(tmp_path: Path, orientation: int, options: dict) -> None:
    upright = smooth(45, 71)
    file = opened(jpeg(tmp_path / "a.jpg", upright, orientation, **options))
    assert file.size == (45, 71)
    np.testing.assert_array_equal(file.pixels(), by_pillow(tmp_path / "a.jpg"))
    assert np.abs(file.pixels().astype(int) - upright).mean() < 3


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("by", [2, 4, 8])
def test_a_reduced_jpeg_shows_the_same_places(tmp_path: Path, orientation: int, by: int) -> None:
    # Sides that no scale divides: the last reduced pixel of the file reaches over the edge, wherever EXIF turns it.
    x, y = 101.3, 66.9
    file = opened(jpeg(tmp_path / "a.jpg", dot(149, 203, x, y, 16), orientation))
    size, (left, top) = file.reduced(by)
    small = file.pixels(by)
    assert small.shape == (*size, 3) == (-(-149 // by), -(-203 // by), 3)
    at = centroid(small)
    assert (at[0] * by - left, at[1] * by - top) == pytest.approx((x, y), abs=0.25)


def test_grey_and_cmyk(tmp_path: Path) -> None:
    for mode, scalable in (("L", True), ("CMYK", False)):
        path = tmp_path / f"{mode}.jpg"
        picture = Image.fromarray(smooth(24, 30)).convert(mode)
        picture.save(path, "JPEG", quality=95)
        file = opened(path)
        assert file.scalable == scalable
        np.testing.assert_array_equal(file.pixels(), by_pillow(path))
    assert opened(tmp_path / "L.jpg").pixels(4).shape == (6, 8, 3)


def test_other_formats(tmp_path: Path) -> None:
    upright = smooth(21, 34)
    for name in ("a.png", "a.bmp", "a.ppm", "a.tif"):
        Image.fromarray(upright).save(tmp_path / name)
        file = opened(tmp_path / name)
        assert file.size == (21, 34)
        assert (file.held is None) == (name == "a.png")  # only of PNG the header is known to say it all
        np.testing.assert_array_equal(file.pixels(), upright)
    np.testing.assert_array_equal(opened(late_exif(tmp_path / "late.png", upright, 6)).pixels(), upright)
    assert opened(tmp_path / "late.png").size == (21, 34)


def test_sixteen_bits_and_transparency(tmp_path: Path) -> None:
    levels = np.linspace(0, 65535, 12).astype(np.uint16).reshape(3, 4)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    expected = np.rint(levels / 257).astype(np.uint8)
    np.testing.assert_array_equal(opened(tmp_path / "deep.png").pixels(), np.repeat(expected[..., None], 3, 2))
    Image.new("RGBA", (2, 2), (10, 20, 30, 0)).save(tmp_path / "clear.png")
    assert (opened(tmp_path / "clear.png").pixels() == 255).all()


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, refused: Callable) -> None:
    whole = jpeg(tmp_path / "whole.jpg", smooth(200, 300)).read_bytes()
    with_thumbnail = io.BytesIO()  # the end of its thumbnail is no end of the file
    exif = Image.Exif()
    exif[0x010E] = "x\xff\xd9"
    Image.fromarray(smooth(200, 300)).save(with_thumbnail, "JPEG", exif=exif.tobytes() + whole[:2] + b"\xff\xd9")
    for name, data in (("cut.jpg", whole[: len(whole) // 2]), ("thumb.jpg", with_thumbnail.getvalue()[:-2000])):
        path = tmp_path / name
        path.write_bytes(data)
        assert opened(path).size == (200, 300)
        for by in (1, 4):
            refused(lambda by=by, path=path: opened(path).pixels(by), where=str(path), expected="can be read", got="truncated")
    (tmp_path / "text.jpg").write_text("no image at all")
    refused(lambda: opened(tmp_path / "text.jpg"), where="text.jpg", got="not an image")
    (tmp_path / "empty.jpg").write_bytes(b"")
    refused(lambda: opened(tmp_path / "empty.jpg"), where="empty.jpg", got="not an image")
    Image.fromarray(np.zeros((4, 4), np.float32)).save(tmp_path / "float.tif")
    refused(lambda: opened(tmp_path / "float.tif"), where="float.tif", expected="8 or 16 bits", write="from_arrays")


def test_a_name_that_is_not_there(tmp_path: Path, refused: Callable) -> None:
    jpeg(tmp_path / "rommel.jpg", smooth(8, 8))
    refused(lambda: opened(tmp_path / "romel.jpg"), got=f"no file of that name in {tmp_path}", write=str(tmp_path / "rommel.jpg"))
    refused(lambda: opened(tmp_path / "away" / "a.jpg"), got=f"no folder {tmp_path / 'away'}")
    refused(lambda: opened(tmp_path), where=str(tmp_path), got="directory")


def test_a_file_that_is_not_what_its_header_says(tmp_path: Path, refused: Callable) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(smooth(8, 9)).save(path)
    file = opened(path)
    Image.fromarray(smooth(9, 8)).save(path)  # written anew between planning and decoding
    refused(file.pixels, where=str(path), expected="9x8 pixels, as the header says", got="8x9")
    gone = jpeg(tmp_path / "gone.jpg", smooth(8, 9))
    file = opened(gone)
    gone.unlink()
    refused(file.pixels, where=str(gone), expected="can be read", got="No such file")
