"""Arrays to a data set: what is accepted, what is refused, and in which words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from vicinal.core.errors import DataError
from vicinal.data import Dataset, from_arrays
from vicinal.data.build import natural

PIXELS = np.arange(6 * 4 * 4, dtype=np.uint8).reshape(6, 4, 4)
LABELS = np.array([0, 1, 0, 1, 0, 1])
UNIT = np.linspace(0, 1, 96, dtype=np.float32).reshape(6, 4, 4, 1)


def spoiled(value: float, *rows: int) -> np.ndarray:
    images = UNIT.copy()
    images[list(rows), 1, 2] = value
    return images


def test_grey_images_get_a_channel_axis_and_every_item_is_its_own_source():
    data = from_arrays(PIXELS, LABELS)
    assert isinstance(data.images, np.ndarray)
    np.testing.assert_array_equal(data.images[..., 0], PIXELS)
    assert data.sources.tolist() == list(range(6))
    assert not data.official_test.any()
    assert (data.classes, data.format, len(data)) == (("0", "1"), "arrays", 6)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_legal_dtypes_are_kept(dtype: type):
    assert from_arrays(UNIT.astype(dtype), LABELS).images[0].dtype == dtype


def test_float64_becomes_float32():
    assert from_arrays(UNIT.astype(np.float64), LABELS).images[0].dtype == np.float32


def test_list_of_one_size_is_stacked_and_of_several_is_kept():
    assert isinstance(from_arrays(list(PIXELS), LABELS).images, np.ndarray)
    ragged = from_arrays([np.zeros((4 + row % 2, 4, 3), np.uint8) for row in range(6)], LABELS)
    assert [image.shape for image in ragged.images] == [(4, 4, 3), (5, 4, 3)] * 3


def test_classes_are_in_numeric_or_natural_order():
    numbers = from_arrays(PIXELS, [10, 9, -1, 10, 9, -1])
    names = from_arrays(PIXELS, ["b10", "b9", "a", "b10", "b9", "a"])
    assert (numbers.classes, numbers.labels.tolist()) == (("-1", "9", "10"), [2, 1, 0, 2, 1, 0])
    assert (names.classes, names.labels.tolist()) == (("a", "b9", "b10"), [2, 1, 0, 2, 1, 0])
    assert sorted(["x2", "x10", "9", "10", "x"], key=natural) == ["9", "10", "x", "x2", "x10"]


def test_class_names_can_be_given_for_indices_and_for_names():
    assert from_arrays(PIXELS, LABELS, classes=("dog", "cat")).labels.tolist() == LABELS.tolist()
    by_name = from_arrays(PIXELS, ["cat", "dog"] * 3, classes=("dog", "cat"))
    assert by_name.labels.tolist() == [1, 0] * 3


def test_named_sources_become_ids():
    data = from_arrays(PIXELS, LABELS, sources=["p", "q", "r", "s", "p", "q"])
    assert data.sources.tolist() == [0, 1, 2, 3, 0, 1]


@pytest.mark.parametrize("rows", [[4, 1], np.array([False, True, False, False, True, False]), slice(1, 3), [], 2])
@pytest.mark.parametrize("ragged", [False, True])
def test_take_keeps_items_whole(rows: object, ragged: bool):
    images = [np.full((4 + row * ragged, 4), row, np.uint8) for row in range(6)]
    data = from_arrays(images, LABELS, sources=[10, 11, 12, 13, 14, 15], official_test=[False] * 4 + [True] * 2)
    some = data.take(rows)  # pyright: ignore[reportArgumentType]
    expected = np.atleast_1d(np.arange(6)[rows if not isinstance(rows, list) else np.array(rows, int)])
    assert isinstance(some, Dataset)
    assert [int(image[0, 0, 0]) for image in some.images] == expected.tolist()
    assert some.sources.tolist() == (expected + 10).tolist()
    assert some.labels.tolist() == LABELS[expected].tolist()
    assert some.official_test.tolist() == (expected > 3).tolist()
    assert some.classes == data.classes


BAD: dict[str, tuple[Callable[[], Dataset], str, str, str | None]] = {
    "lengths": (lambda: from_arrays(PIXELS, LABELS[:5]), "as many labels as images, 6", "5 labels", None),
    "sources": (lambda: from_arrays(PIXELS, LABELS, sources=[1, 2]), "sources of shape (6,)", "(2,)", None),
    "test mask": (lambda: from_arrays(PIXELS, LABELS, official_test=[True]), "official_test of shape (6,)", "(1,)", None),
    "nan": (lambda: from_arrays(spoiled(np.nan, 3, 5), LABELS), "numbers", "NaN in item 3, item 5", "data without"),
    "above 1": (lambda: from_arrays(spoiled(255, 4), LABELS), "[0, 1]", "to 255 (in item 4)", "images / 255"),
    "below 0": (lambda: from_arrays(spoiled(-0.5, 2), LABELS), "[0, 1]", "-0.5 to", "(images + 1) / 2"),
    "infinite": (lambda: from_arrays(spoiled(np.inf, 2), LABELS), "[0, 1]", "to inf (in item 2)", "images / 255"),
    "overflow": (lambda: from_arrays(UNIT.astype(np.float64) * 1e300, LABELS), "[0, 1]", "inf", "images / 255"),
    "int64": (lambda: from_arrays(PIXELS.astype(int), LABELS), "uint8, uint16 or float32", "int64", "images.astype(np.uint8)"),
    "bool": (lambda: from_arrays(PIXELS > 3, LABELS), "uint8, uint16 or float32", "bool", "images.astype(np.uint8) * 255"),
    "flat": (lambda: from_arrays(PIXELS.reshape(6, 16), LABELS), "shape (H, W, C)", "(16,)", None),
    "planes": (lambda: from_arrays(np.zeros((6, 3, 8, 8), np.uint8), LABELS), "(H, W, C)", "channels first", "np.moveaxis"),
    "no pixels": (lambda: from_arrays(np.zeros((6, 0, 4), np.uint8), LABELS), "each at least 1", "(0, 4, 1)", None),
    "channels": (
        lambda: from_arrays([np.zeros((4, 4, 1 + row % 2), np.uint8) for row in range(6)], LABELS),
        "the same number of channels everywhere",
        "1 and 2",
        None,
    ),
    "dtypes": (
        lambda: from_arrays([np.zeros((4, 4), [np.uint8, np.uint16][row % 2]) for row in range(6)], LABELS),
        "the same dtype everywhere",
        "uint16 and uint8",
        None,
    ),
    "one class": (lambda: from_arrays(PIXELS, LABELS * 0), "at least 2 classes", "only '0'", None),
    "rare class": (
        lambda: from_arrays(PIXELS, ["a", "b"] * 2 + ["b", "lone"]),
        "at least 2 originals",
        "1 of class 'lone'",
        "data",
    ),
    "copies of one": (
        lambda: from_arrays(PIXELS, LABELS, sources=[0, 1, 0, 2, 0, 3]),
        "at least 2 originals of every class",
        "1 of class '0'",
        "data without that class",
    ),
    "only in test": (
        lambda: from_arrays(PIXELS, [0, 1, 0, 1, 2, 2], official_test=[False] * 4 + [True] * 2),
        "outside the official test part",
        "0 of class '2'",
        "data without that class",
    ),
    "class unknown": (lambda: from_arrays(PIXELS, LABELS, classes=("a",)), "among the 1 classes", "item 1, item 3, item 5", None),
    "one-hot": (lambda: from_arrays(PIXELS, np.eye(2)[LABELS]), "labels of shape (N,)", "(6, 2)", "labels.argmax(axis=1)"),
    "float labels": (lambda: from_arrays(PIXELS, LABELS / 1), "whole numbers or names", "float64", "labels.astype(int)"),
    "negative source": (lambda: from_arrays(PIXELS, LABELS, sources=range(-1, 5)), "[0, 2**48)", "-1 to 4", None),
    "float sources": (lambda: from_arrays(PIXELS, LABELS, sources=LABELS / 2), "whole numbers or names", "float64", None),
    "empty": (lambda: from_arrays(np.zeros((0, 4, 4), np.uint8), []), "labelled images", "no items", None),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_arrays_are_refused_in_a_sentence(case: str):
    build, expected, got, write = BAD[case]
    with pytest.raises(DataError) as caught:
        build()
    error = caught.value
    assert error.where == "arrays"
    assert expected in error.expected
    assert got in error.got
    assert write is None or write in (error.write or "")
    assert str(error).startswith("arrays: expected ")
