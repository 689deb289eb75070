"""A folder for each class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vicinal.data import read
from vicinal.data.formats.picture import decode


def save(path: Path, array: np.ndarray | Image.Image, **options) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = array if isinstance(array, Image.Image) else Image.fromarray(array)
    picture.save(path, **options)
    return path


def flat(root: Path, pixels, classes=("9", "10")) -> Path:
    for row, image in enumerate(pixels):
        save(root / classes[row % len(classes)] / f"{row:03}.png", image)
    return root


def test_classes_are_in_natural_order_and_items_in_the_order_of_their_names(tmp_path, pixels):
    data = read(flat(tmp_path, pixels))
    order = [1, 3, 5, 0, 2, 4]  # "10/..." comes before "9/..."
    np.testing.assert_array_equal(data.images[..., 0], pixels[order])
    assert (data.classes, data.labels.tolist()) == (("9", "10"), [1, 1, 1, 0, 0, 0])
    assert data.sources.tolist() == list(range(6))
    assert (data.format, data.name, data.skipped) == ("folder", tmp_path.name, ())


def test_train_val_and_test(tmp_path, pixels):
    flat(tmp_path / "train", pixels, ("a", "b"))
    flat(tmp_path / "val", pixels[:2], ("a", "b"))
    flat(tmp_path / "Test", pixels[2:5], ("a", "b"))
    flat(tmp_path / "extra", pixels, ("c", "d"))
    data = read(tmp_path)
    assert data.classes == ("a", "b")
    assert data.official_test.tolist() == [True] * 3 + [False] * 8
    np.testing.assert_array_equal(data.images[:3, ..., 0], pixels[[2, 4, 3]])


def test_class_may_be_called_train(tmp_path, pixels):
    assert read(flat(tmp_path, pixels, ("train", "bus"))).classes == ("bus", "train")


def test_test_part_without_classes(tmp_path, pixels, refused):
    flat(tmp_path / "train", pixels)
    save(tmp_path / "test" / "1.png", pixels[0])
    refused(lambda: read(tmp_path), where="test", expected="a folder for each class", got="none", write="move test out")


def test_hidden_and_other_files_are_ignored_and_depth_does_not_matter(tmp_path, pixels):
    flat(tmp_path, pixels)
    save(tmp_path / "9" / "deep" / "er" / "z.PNG", pixels[0])
    save(tmp_path / "9" / ".hidden" / "z.png", pixels[0])
    (tmp_path / ".git" / "x").mkdir(parents=True)
    for name in ("9/._0.png", "9/notes.txt", "README.md"):
        (tmp_path / name).write_text("no image")
    assert len(read(tmp_path)) == 7


@pytest.mark.parametrize("ending", ["png", "bmp", "tiff", "webp", "pgm"])
def test_lossless_formats(tmp_path, pixels, ending):
    for row, image in enumerate(pixels):
        save(tmp_path / "ab"[row % 2] / f"{row}.{ending}", image, **({"lossless": True} if ending == "webp" else {}))
    images = read(tmp_path).images
    np.testing.assert_array_equal(np.asarray(images)[..., 0], pixels[[0, 2, 4, 1, 3, 5]])


def test_jpeg(tmp_path):
    level = np.full((16, 16, 3), 100, np.uint8)
    for row in range(4):
        save(tmp_path / "ab"[row % 2] / f"{row}.jpg", level)
    assert np.abs(np.asarray(read(tmp_path).images, int) - 100).max() <= 2


def test_one_colour_image_makes_all_of_them_rgb(tmp_path, pixels):
    flat(tmp_path, pixels)
    colour = np.stack([pixels[0], pixels[1], pixels[2]], axis=-1)
    save(tmp_path / "9" / "zz.png", colour)
    images = np.asarray(read(tmp_path).images)
    assert images.shape == (7, 4, 4, 3)
    np.testing.assert_array_equal(images[-1], colour)
    np.testing.assert_array_equal(images[0], np.repeat(pixels[1][..., None], 3, axis=-1))


def test_sizes_that_differ_give_a_list(tmp_path, pixels):
    flat(tmp_path, pixels)
    save(tmp_path / "9" / "zz.png", pixels[0, :2])
    assert [image.shape for image in read(tmp_path).images] == [(4, 4, 1)] * 6 + [(2, 4, 1)]


def test_sixteen_bits_stay_and_eight_among_them_are_widened(tmp_path, pixels):
    deep = pixels.astype(np.uint16) * 256 + 17
    flat(tmp_path, [*deep[:5], pixels[5]])
    images = np.asarray(read(tmp_path).images)[..., 0]
    assert images.dtype == np.uint16
    np.testing.assert_array_equal(images[[0, 1]], deep[[1, 3]])
    np.testing.assert_array_equal(images[2], pixels[5].astype(np.uint16) * 257)


def test_float_tiff(tmp_path, pixels, refused):
    unit = (pixels / 255).astype(np.float32)
    for row, image in enumerate(unit):
        save(tmp_path / "ab"[row % 2] / f"{row}.tif", image)
    np.testing.assert_array_equal(read(tmp_path).images[..., 0], unit[[0, 2, 4, 1, 3, 5]])
    save(tmp_path / "b" / "9.tif", unit[0] * 7)
    refused(lambda: read(tmp_path), expected="[0, 1]", got="b/9.tif")


def test_what_is_transparent_shows_white(tmp_path):
    colour = np.zeros((1, 3, 4), np.uint8)
    colour[0, :, 0], colour[0, :, 3] = 200, [0, 128, 255]
    shown = decode(save(tmp_path / "c.png", colour))
    assert isinstance(shown, np.ndarray)
    np.testing.assert_array_equal(shown[0, [0, 2]], [[255, 255, 255], [200, 0, 0]])
    assert 126 <= shown[0, 1, 1] <= 128
    grey = decode(save(tmp_path / "g.png", colour[..., [0, 3]]))
    assert isinstance(grey, np.ndarray)
    assert (grey.shape, grey[0, 0, 0], grey[0, 2, 0]) == ((1, 3, 1), 255, 200)


def test_palette_and_black_and_white(tmp_path):
    levels = np.array([[0, 255], [255, 0]], np.uint8)
    two = decode(save(tmp_path / "1.png", Image.fromarray(levels).convert("1")))
    palette = decode(save(tmp_path / "p.png", Image.fromarray(levels).convert("P")))
    np.testing.assert_array_equal(two, levels[..., None])
    np.testing.assert_array_equal(palette, np.repeat(levels[..., None], 3, axis=-1))


@pytest.mark.parametrize(("orientation", "turn"), [(1, 0), (3, 2), (6, -1), (8, 1)])
def test_exif_orientation_is_respected(tmp_path, orientation, turn):
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(decode(save(tmp_path / "e.png", image, exif=exif)), np.rot90(image, turn))


def test_unreadable_images_are_named_and_skip_bad_lists_them(tmp_path, pixels, refused):
    flat(tmp_path, pixels)
    good = (tmp_path / "9" / "000.png").read_bytes()
    (tmp_path / "10" / "004.png").write_bytes(b"not an image")
    (tmp_path / "9" / "001.png").write_bytes(good[: len(good) - 30])
    error = refused(lambda: read(tmp_path), where=str(tmp_path), got="2 of 8", write="--skip-bad")
    assert "10/004.png (not an image)" in error.got
    assert "9/001.png" in error.got
    data = read(tmp_path, skip_bad=True)
    assert [name.split()[0] for name in data.skipped] == ["10/004.png", "9/001.png"]
    assert data.sources.tolist() == [0, 1, 3, 4, 6, 7]  # 2 and 5 are kept for the two
    np.testing.assert_array_equal(data.images[..., 0], pixels[[1, 3, 5, 0, 2, 4]])


def test_nothing_left_after_skipping(tmp_path, refused):
    for name in ("a/1.png", "b/2.png"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(b"")
    refused(lambda: read(tmp_path, skip_bad=True), expected="labelled images", got="after 2 were left out")


def test_class_without_images_is_named(tmp_path, pixels, refused):
    flat(tmp_path, pixels)
    (tmp_path / "docs").mkdir()
    refused(lambda: read(tmp_path), expected="at least 2 originals of every class", got="0 of class 'docs'")


def test_one_class_and_none(tmp_path, pixels, refused):
    (tmp_path / "a").mkdir()
    refused(lambda: read(tmp_path), expected="images (.png", got="no image below the folders a")
    refused(lambda: read(flat(tmp_path, pixels, ("a",))), expected="at least 2 classes", got="only 'a'")


def test_images_without_class_folders(tmp_path, pixels, refused):
    save(tmp_path / "1.png", pixels[0])
    refused(lambda: read(tmp_path), expected="ROOT/<class>/*.png", got="no folder for any class")


def test_real_cifar10(shared_data):
    data = read(shared_data("cifar10-png"))
    assert isinstance(data.images, np.ndarray)
    assert (data.images.shape, data.images.dtype, int(data.official_test.sum())) == ((3000, 32, 32, 3), np.uint8, 1000)
    assert np.bincount(data.labels[~data.official_test]).tolist() == [202, 191, 203, 195, 214, 183, 207, 199, 203, 203]
    assert data.classes[:3] == ("airplane", "automobile", "bird")


def test_real_photograph_is_turned_upright(shared_data):
    upright = decode(shared_data("photos") / "rommel.jpg")
    assert isinstance(upright, np.ndarray)
    with Image.open(shared_data("photos") / "rommel.jpg") as stored:
        assert stored.getexif()[0x0112] == 6
        np.testing.assert_array_equal(upright, np.rot90(np.asarray(stored), -1))
