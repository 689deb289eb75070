"""NPZ: arrays by name."""

from __future__ import annotations

import numpy as np
import pytest

from vicinal.data import read

LABELS = np.array([0, 1, 0, 1, 0, 1])


@pytest.mark.parametrize("names", [("images", "labels"), ("x", "y"), ("X", "Y")])
def test_pair_under_any_of_its_names(tmp_path, pixels, names):
    np.savez(tmp_path / "a.npz", **dict(zip(names, (pixels, LABELS), strict=True)))
    data = read(tmp_path / "a.npz")
    np.testing.assert_array_equal(data.images[..., 0], pixels)
    assert (data.labels.tolist(), data.name, data.format) == (LABELS.tolist(), "a", "npz")


def test_official_test_part(tmp_path, pixels):
    np.savez_compressed(tmp_path / "a.npz", x_train=pixels, y_train=LABELS, x_test=pixels[:3], y_test=LABELS[:3])
    data = read(tmp_path / "a.npz")
    assert data.official_test.tolist() == [False] * 6 + [True] * 3
    assert data.sources.tolist() == list(range(9))


def test_sources_and_names(tmp_path, pixels):
    np.savez(tmp_path / "a.npz", images=pixels, labels=np.array(["b", "a"] * 3), sources=[7, 8, 9, 10, 7, 8])
    data = read(tmp_path / "a.npz")
    assert (data.classes, data.labels.tolist()) == (("a", "b"), [1, 0] * 3)
    assert data.sources.tolist() == [7, 8, 9, 10, 7, 8]


def test_sources_in_one_part_only(tmp_path, pixels, refused):
    np.savez(tmp_path / "a.npz", x_train=pixels, y_train=LABELS, sources_train=LABELS, x_test=pixels, y_test=LABELS)
    refused(lambda: read(tmp_path / "a.npz"), expected="every part or for none", got="1 of 2 parts")


def test_length_is_checked_in_the_part_where_it_is_wrong(tmp_path, pixels, refused):
    np.savez(tmp_path / "a.npz", x_train=pixels, y_train=LABELS, x_test=pixels, y_test=LABELS[:4])
    refused(lambda: read(tmp_path / "a.npz"), where="a.npz:x_test", expected="as many labels as images, 6", got="4 labels")


def test_nan_and_range(tmp_path, pixels, refused):
    images = pixels / 255
    images[2, 0, 0] = np.nan
    np.savez(tmp_path / "a.npz", images=images, labels=LABELS)
    refused(lambda: read(tmp_path / "a.npz"), where="a.npz:images", got="NaN in item 2")
    np.savez(tmp_path / "a.npz", images=pixels.astype(float), labels=LABELS)
    refused(lambda: read(tmp_path / "a.npz"), where="a.npz:images", expected="[0, 1]", write="/ 255")


def test_objects_are_never_unpickled(tmp_path, refused):
    ragged = np.empty(6, object)
    ragged[:] = [np.zeros((4 + row, 4), np.uint8) for row in range(6)]
    np.savez(tmp_path / "a.npz", images=ragged, labels=LABELS)
    refused(lambda: read(tmp_path / "a.npz"), where="a.npz:images", got="pickled Python objects", write="a folder for each class")


@pytest.mark.parametrize("arrays", [{}, {"pictures": LABELS}, {"x_test": LABELS, "y_test": LABELS}, {"images": LABELS}])
def test_names_that_are_not_known(tmp_path, refused, arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    got = ", ".join(arrays) or "none"
    refused(lambda: read(tmp_path / "a.npz"), where="a.npz", expected="images and labels (or x and y)", got=got, write="np.savez")


def test_single_values(tmp_path, refused):
    np.savez(tmp_path / "a.npz", images=3, labels=LABELS)
    refused(lambda: read(tmp_path / "a.npz"), where="a.npz:images", got="a single value")


@pytest.mark.parametrize("keep", [0, 10, 300])
def test_truncated_file(tmp_path, pixels, refused, keep):
    path = tmp_path / "a.npz"
    np.savez(path, images=pixels, labels=LABELS)
    path.write_bytes(path.read_bytes()[:keep])
    refused(lambda: read(path), where="a.npz", expected="an NPZ file", got=f"{keep} bytes", write="np.savez")


def test_damaged_member(tmp_path, pixels, refused):
    path = tmp_path / "a.npz"
    np.savez(path, images=pixels, labels=LABELS)
    content = bytearray(path.read_bytes())
    at = content.index(pixels.tobytes()) + 7
    content[at] ^= 255
    path.write_bytes(content)
    refused(lambda: read(path), where="a.npz:images", expected="a whole array", got="damaged")
