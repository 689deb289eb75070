"""IDX: a folder of pairs, or one pair."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from vicinal.data import read

LABELS = np.array([3, 1, 3, 1, 3, 1], np.uint8)
CODES = {"uint8": 0x08, "int32": 0x0C, "float32": 0x0D}


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, CODES[array.dtype.name], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def pair(folder: Path, head: str, images, labels=LABELS, pack: bool = False) -> Path:
    ending, packed = (".gz", gzip.compress) if pack else ("", bytes)
    (folder / f"{head}labels-idx1-ubyte{ending}").write_bytes(packed(idx(np.asarray(labels))))
    path = folder / f"{head}images-idx{images.ndim}-ubyte{ending}"
    path.write_bytes(packed(idx(images)))
    return path


@pytest.mark.parametrize("pack", [False, True])
def test_folder_with_train_and_test(tmp_path, pixels, pack):
    pair(tmp_path, "train-", pixels, pack=pack)
    pair(tmp_path, "t10k-", pixels[:3], LABELS[:3], pack=pack)
    data = read(tmp_path)
    np.testing.assert_array_equal(data.images[..., 0], np.concatenate([pixels, pixels[:3]]))
    assert (data.classes, data.labels.tolist()) == (("1", "3"), [1, 0] * 3 + [1, 0, 1])
    assert data.official_test.tolist() == [False] * 6 + [True] * 3
    assert (data.format, data.name) == ("idx", tmp_path.name)


def test_train_alone_declares_no_test(tmp_path, pixels):
    pair(tmp_path, "train-", pixels)
    assert not read(tmp_path).official_test.any()


@pytest.mark.parametrize("head", ["t10k-", "emnist-letters-test-", "latest-"])
def test_single_file_is_read_with_the_labels_beside_it(tmp_path, pixels, head):
    pair(tmp_path, "train-", pixels[::-1])
    data = read(pair(tmp_path, head, pixels, pack=True))
    np.testing.assert_array_equal(data.images[..., 0], pixels)
    assert not data.official_test.any()


def test_unpacked_file_wins_over_the_packed_one_and_dots_are_fine(tmp_path, pixels):
    pair(tmp_path, "train-", pixels)
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(b"left over")
    (tmp_path / "train-labels-idx1-ubyte").rename(tmp_path / "train-labels.idx1-ubyte")
    np.testing.assert_array_equal(read(tmp_path).images[..., 0], pixels)


def test_colour_float_and_wide_labels(tmp_path):
    images = np.linspace(0, 1, 6 * 5 * 7 * 3, dtype=np.float32).reshape(6, 5, 7, 3)
    pair(tmp_path, "train-", images, LABELS.astype(np.int32) * 1000)
    data = read(tmp_path)
    np.testing.assert_array_equal(data.images, images)
    assert data.images[0].dtype == np.float32
    assert data.classes == ("1000", "3000")


def test_train_and_test_of_different_sizes_become_a_list(tmp_path, pixels):
    pair(tmp_path, "train-", pixels)
    pair(tmp_path, "test-", pixels[:2, :3], LABELS[:2])
    assert [image.shape for image in read(tmp_path).images] == [(4, 4, 1)] * 6 + [(3, 4, 1)] * 2


@pytest.mark.parametrize(
    ("cut", "expected", "got"),
    [
        (-1, "112 bytes, as its header says (6 x 4 x 4)", "111 bytes"),
        (10, "a header of 16 bytes", "10 bytes"),
        (3, "begins with the bytes 00 00 08 03", "00 00 08"),
        (0, "begins with the bytes 00 00 08 03", "nothing"),
    ],
)
def test_truncated_file_says_both_counts(tmp_path, pixels, refused, cut, expected, got):
    path = pair(tmp_path, "train-", pixels)
    path.write_bytes(path.read_bytes()[:cut])
    refused(lambda: read(tmp_path), where=str(path), expected=expected, got=got)


def test_file_that_is_too_long(tmp_path, pixels, refused):
    path = pair(tmp_path, "train-", pixels)
    path.write_bytes(path.read_bytes() + b"..")
    refused(lambda: read(path), expected="112 bytes", got="114 bytes", write="a whole copy")


@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_damaged_gzip_says_what_could_be_unpacked(tmp_path, refused, damage):
    images = np.random.default_rng(0).integers(0, 256, (6, 40, 40)).astype(np.uint8)
    path = pair(tmp_path, "train-", images, pack=True)
    packed = bytearray(path.read_bytes())
    if damage == "cut":
        del packed[5000:]
    else:
        packed[-8] ^= 255  # the checksum
    path.write_bytes(packed)
    reason = "ends early" if damage == "cut" else "is damaged"
    error = refused(lambda: read(tmp_path), where=str(path), expected="9616 bytes", got=reason)
    assert int(error.got.split()[0]) <= 9616


def test_wrong_magic(tmp_path, pixels, refused):
    path = pair(tmp_path, "train-", pixels)
    path.write_bytes(b"\x89PNG" + path.read_bytes())
    refused(lambda: read(tmp_path), where=str(path), expected="00 00 08 03", got="89 50 4e 47")


def test_labels_that_are_fewer_are_seen_although_the_sums_agree(tmp_path, pixels, refused):
    pair(tmp_path, "train-", pixels, LABELS[:5])
    pair(tmp_path, "t10k-", pixels[:5], LABELS)
    refused(lambda: read(tmp_path), where="train-labels-idx1-ubyte", expected="as many labels as images, 6", got="5 labels")


def test_missing_labels(tmp_path, pixels, refused):
    path = pair(tmp_path, "train-", pixels)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    refused(lambda: read(path), where=str(path), expected="train-labels-idx1-ubyte[.gz]", got="none")


def test_labels_file_instead_of_images_file(tmp_path, pixels, refused):
    pair(tmp_path, "train-", pixels)
    path = tmp_path / "train-labels-idx1-ubyte"
    refused(lambda: read(path), where=str(path), expected="train-images-idx3-ubyte", got="train-labels", write="images file")


def test_labels_in_place_of_images(tmp_path, pixels, refused):
    pair(tmp_path, "train-", pixels).write_bytes(idx(LABELS))
    refused(lambda: read(tmp_path), expected="3 axes (N, H, W)", got="1, (6,)")


@pytest.mark.parametrize("heads", [("t10k-",), ("digits-train-", "letters-train-")])
def test_folder_without_exactly_one_training_pair(tmp_path, pixels, refused, heads):
    for head in heads:
        pair(tmp_path, head, pixels)
    refused(lambda: read(tmp_path), where=str(tmp_path), expected="one training pair", got=heads[0], write="the path of")


def test_real_mnist(shared_data):
    data = read(shared_data("mnist"))
    assert isinstance(data.images, np.ndarray)
    assert (data.images.shape, data.images.dtype, data.name) == ((30_000, 28, 28, 1), np.uint8, "mnist")
    counts = [np.bincount(data.labels[data.official_test == test]).tolist() for test in (False, True)]
    assert counts[0] == [1994, 2281, 1929, 2076, 1945, 1775, 1971, 2093, 1922, 2014]
    assert counts[1] == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert data.labels[:5].tolist() == [5, 0, 4, 1, 9]


def test_real_fashion_mnist(shared_data):
    data = read(shared_data("fashion-mnist"))
    assert (len(data), int(data.official_test.sum()), data.format) == (15_784, 10_000, "idx")
    assert np.bincount(data.labels[~data.official_test]).tolist() == [535, 635, 561, 599, 545, 585, 572, 585, 577, 590]
