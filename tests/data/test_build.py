"""Arrays to a data set: what is accepted, what is refused, and in which words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from vicinal.core.errors import DataError
from vicinal.data import Dataset, from_arrays, from_series, from_texts
from vicinal.data.build import natural

PIXELS = np.arange(6 * 4 * 4, dtype=np.uint8).reshape(6, 4, 4)
LABELS = np.array([0, 1, 0, 1, 0, 1])
TEXTS = ["so good", "so bad", "well done", "a pity", "hear, hear", "boo"]
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


def test_texts_are_kept_as_they_are():
    data = from_texts(TEXTS, ["up", "down"] * 3, sources=["a", "b", "c", "d", "e", "e"], official_test=[False] * 4 + [True] * 2)
    assert (data.kind, data.images.tolist(), data.classes, len(data)) == ("text", TEXTS, ("down", "up"), 6)
    assert (data.labels.tolist(), data.sources.tolist(), data.official_test.sum()) == ([1, 0, 1, 0, 1, 0], [0, 1, 2, 3, 4, 4], 2)
    assert all(type(text) is str for text in from_texts(np.array(TEXTS), LABELS).images)
    assert data.take([3, 0]).images.tolist() == [TEXTS[3], TEXTS[0]]
    assert from_texts(TEXTS, LABELS / 2).regression


def test_the_fingerprint_of_texts_is_of_what_they_say():
    one, again = (from_texts(texts, LABELS).fingerprint for texts in (TEXTS, np.array(["".join(text) for text in map(list, TEXTS)])))
    assert one == again
    cut_elsewhere = [TEXTS[0] + TEXTS[1][:1], TEXTS[1][1:], *TEXTS[2:]]
    assert len({one, from_texts(cut_elsewhere, LABELS).fingerprint, from_texts(TEXTS[::-1], LABELS).fingerprint}) == 3


BAD_ITEMS: dict[str, tuple[Callable[[], Dataset], str]] = {
    "numbers": (lambda: from_texts([*TEXTS[:4], 5, None], LABELS), "texts, each a str, got int (item 4), NoneType (item 5); write [str("),
    "bytes": (lambda: from_texts([text.encode() for text in TEXTS], LABELS), "texts, each a str, got bytes (item 0), bytes (item 1)"),
    "one text": (lambda: from_texts("so good", [0]), "texts of shape (N,), got one str alone; write a list of texts"),
    "a table": (lambda: from_texts(np.array(TEXTS).reshape(3, 2), LABELS), "texts of shape (N,), got (3, 2)"),
    "blank": (
        lambda: from_texts([*TEXTS[:5], " \n"], LABELS),
        "something to read, got nothing but white space in item 5; write data without",
    ),
    "lengths": (lambda: from_texts(TEXTS, LABELS[:5]), "as many labels as texts, 6, got 5 labels"),
    "one class": (lambda: from_texts(TEXTS, LABELS * 0), "at least 2 classes, got only '0'"),
    "rare class": (lambda: from_texts(TEXTS, [0, 0, 0, 1, 1, 2]), "at least 2 originals of every class"),
    "none": (lambda: from_texts([], []), "labelled texts, got no items"),
    "sources": (lambda: from_texts(TEXTS, LABELS, sources=[1]), "sources of shape (6,), one for each text, got (1,)"),
    "one-hot": (lambda: from_texts(TEXTS, np.eye(2, dtype=int)[LABELS]), "labels of shape (N,), got (6, 2); write labels.argmax(axis=1)"),
    "lengths of series": (lambda: from_series(np.zeros((6, 3)), LABELS[:5]), "as many labels as series, 6, got 5 labels"),
    "nan in a series": (
        lambda: from_series([[0.0], [np.nan], [np.inf], [1.0]], [0, 1, 0, 1]),
        "finite numbers, got NaN or infinity in item 1, item 2",
    ),
    "nan in values": (lambda: from_series(np.zeros((2, 3)), [0.5, np.nan]), "finite values, got NaN or infinity in item 1"),
    "no series": (lambda: from_series(np.zeros((0, 3)), np.zeros(0, int)), "labelled series, got no items"),
}


@pytest.mark.parametrize("case", BAD_ITEMS)
def test_bad_texts_and_series_are_refused_in_a_sentence(case: str):
    build, says = BAD_ITEMS[case]
    with pytest.raises(DataError) as caught:
        build()
    assert says in str(caught.value)
