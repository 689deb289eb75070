"""From arrays to a checked data set: every reader ends here, and so does a user who has arrays already."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vicinal.core.errors import DataError
from vicinal.data.dataset import Dataset, Images
from vicinal.data.part import Part
from vicinal.data.validate import check_dataset, check_labels, check_part, shortlist


def from_arrays(
    images: ArrayLike | list[NDArray],
    labels: ArrayLike,
    *,
    name: str = "arrays",
    classes: Sequence[str] | None = None,
    sources: ArrayLike | None = None,
    official_test: ArrayLike = False,
    regression: bool = False,
) -> Dataset:
    """A checked data set from arrays in memory.

    Args:
        images: (N, H, W) or (N, H, W, C) uint8, uint16 or float in [0, 1] (kept as float32), or a list of such images.
        labels: (N,) class indices or class names; in a regression (N,) or (N, V) values.
        name: short name for titles and errors.
        classes: class names; without them they are what stands in ``labels``.
        sources: (N,) ids; items with the same id are copies of one original. None: every item is an original.
        official_test: (N,) True where an item belongs to a test part that must stay the test part.

    Raises:
        DataError: lengths differ, a float is NaN or outside [0, 1], there is one class only, or a class with one item.

    Example:
        >>> data = from_arrays(np.zeros((4, 8, 8), np.uint8), ["cat", "dog", "dog", "cat"])
        >>> data.images.shape, data.classes, data.labels
        ((4, 8, 8, 1), ('cat', 'dog'), array([0, 1, 1, 0]))
    """
    images = images if isinstance(images, list) else np.asarray(images)
    values = np.asarray(labels, np.float64) if regression else None
    part = _part(name, images, labels, sources, official_test, values)
    return _made(check_part(_canonical(part)), classes, values)


def from_series(
    series: ArrayLike,
    labels: ArrayLike,
    *,
    name: str = "series",
    classes: Sequence[str] | None = None,
    sources: ArrayLike | None = None,
    official_test: ArrayLike = False,
) -> Dataset:
    """A checked data set of series of one length, or of rows of numbers: (N, T) or (N, T, C) of any range, kept as float32.

    Args:
        labels: (N,) class indices or names; where they are floats, (N,) or (N, V), this is a regression.
        name, classes, sources, official_test: as for ``from_arrays``.

    Raises:
        DataError: lengths that differ, NaN, one class only, or too few items of a class.

    Example:
        >>> data = from_series(np.arange(6.0).reshape(6, 1), 2 * np.arange(6.0))
        >>> data.images.shape, data.labels.shape, data.kind, data.regression
        ((6, 1, 1), (6, 1), 'series', True)
    """
    held = np.asarray(series, np.float32)
    held = held[..., None] if held.ndim == 2 else held
    if held.ndim != 3 or 0 in held.shape[1:]:
        write = "series.reshape(len(series), -1)" if held.size else "series of one value or more"
        raise DataError(name, "series of shape (N, T) or (N, T, C), each at least 1", f"{held.shape}", write)
    if (bad := np.flatnonzero(~np.isfinite(held).all((1, 2)))).size:
        raise DataError(name, "finite numbers", f"NaN or infinity in {shortlist([f'item {row}' for row in bad])}", "data without them")
    return _items(name, held, labels, classes, sources, official_test)


def from_texts(
    texts: Sequence[str] | NDArray,
    labels: ArrayLike,
    *,
    name: str = "texts",
    classes: Sequence[str] | None = None,
    sources: ArrayLike | None = None,
    official_test: ArrayLike = False,
) -> Dataset:
    """A checked data set of texts, each a str as it is: trainers and functions of your own are given it so.

    Args:
        texts: (N,) of any lengths.
        labels: (N,) class indices or names; where they are floats, (N,) or (N, V), this is a regression.
        name, classes, sources, official_test: as for ``from_arrays``.

    Raises:
        DataError: what is no text or has nothing but white space, lengths that differ, one class only, or too few items of a class.

    Example:
        >>> data = from_texts(["so good", "so bad", "well done", "a pity"], ["up", "down", "up", "down"])
        >>> data.images[1], data.classes, data.labels, data.kind
        ('so bad', ('down', 'up'), array([1, 0, 1, 0]), 'text')
    """
    held = np.asarray(texts, object)
    if held.ndim != 1:
        raise DataError(name, "texts of shape (N,)", f"{held.shape}" if held.ndim else "one str alone", "a list of texts")
    if others := [f"{type(text).__name__} (item {row})" for row, text in enumerate(held) if not isinstance(text, str)]:
        raise DataError(name, "texts, each a str", shortlist(others), "[str(text) for text in texts]")
    if blank := [f"item {row}" for row, text in enumerate(held) if not text.strip()]:
        raise DataError(name, "texts with something to read", f"nothing but white space in {shortlist(blank)}", "data without them")
    return _items(name, held, labels, classes, sources, official_test)


def _items(
    name: str, items: NDArray, labels: ArrayLike, classes: Sequence[str] | None, sources: ArrayLike | None, official_test: ArrayLike
) -> Dataset:
    """Items that are as they should be, with labels that say by their dtype whether they are values."""
    given = np.asarray(labels)
    given = given if given.size else given.astype(np.int64)  # a list of none is one of floats
    values = given.astype(np.float64) if given.dtype.kind == "f" else None
    return _made(check_labels(_part(name, items, given, sources, official_test, values)), classes, values)


def _part(name: str, items: Images, labels: ArrayLike, sources: ArrayLike | None, official_test: ArrayLike, values: NDArray | None) -> Part:
    given = np.asarray(labels) if values is None else np.zeros(len(values), np.int64)
    return Part(name, items, given, None if sources is None else np.asarray(sources), np.asarray(official_test))


def _made(part: Part, classes: Sequence[str] | None, values: NDArray[np.float64] | None) -> Dataset:
    """The checked data set of a checked part; with values it is a regression."""
    if values is None:
        return _joined([part], name=part.where, format="arrays", origin=part.where, classes=classes)
    ids, test = _sources([part], part.where), np.broadcast_to(np.asarray(part.test, bool), len(values)).copy()
    rows = values[:, None] if values.ndim == 1 else values
    return check_dataset(Dataset(part.where, part.images, rows, (), ids, test, "arrays", part.where, lone=part.sources is None))


def joined(
    parts: Sequence[Part],
    *,
    name: str,
    format: str,
    origin: str,
    classes: Sequence[str] | None = None,
    skipped: Sequence[str] = (),
) -> Dataset:
    """One checked data set from its parts, in their order; see ``from_arrays`` for what is refused."""
    checked = [check_part(_canonical(part)) for part in parts]
    return _joined(checked, name=name, format=format, origin=origin, classes=classes, skipped=skipped)


def _joined(
    parts: Sequence[Part], *, name: str, format: str, origin: str, classes: Sequence[str] | None, skipped: Sequence[str] = ()
) -> Dataset:
    labels, known = _encoded(np.concatenate([part.labels for part in parts]), classes, origin)
    test = np.concatenate([np.broadcast_to(np.asarray(part.test, bool), len(part.images)) for part in parts])
    images = _together([part.images for part in parts])
    lone = all(part.sources is None for part in parts)
    return check_dataset(Dataset(name, images, labels, known, _sources(parts, origin), test, format, origin, tuple(skipped), lone))


def natural(name: str) -> tuple:
    """Sort key under which ``"9"`` comes before ``"10"`` and ``"b2"`` before ``"b10"``.

    Example:
        >>> sorted(["b10", "10", "b2", "9"], key=natural)
        ['9', '10', 'b2', 'b10']
    """
    parts = re.split("([0-9]+)", name)
    return tuple(int(part) if odd % 2 else part for odd, part in enumerate(parts)), name


def _canonical(part: Part) -> Part:
    """The same part with a channel axis, float32 for any float, and one array where all images have one size."""
    if isinstance(part.images, list):
        images: Images = [_image(np.asarray(image), 2) for image in part.images]
        if len({(image.shape, image.dtype) for image in images}) == 1:
            images = np.stack(images)
    else:
        images = _image(part.images, 3)
    return replace(part, images=images, labels=part.labels if part.labels.size else part.labels.astype(np.int64))


def _image(array: NDArray, dims: int) -> NDArray:
    array = array[..., None] if array.ndim == dims else array
    with np.errstate(over="ignore"):  # what overflows becomes infinite, and the check of the range says so
        return array.astype(np.float32) if array.dtype.kind == "f" else array


def _together(images: Sequence[Images]) -> Images:
    whole = [some for some in images if not isinstance(some, list)]
    if len(whole) < len(images) or len({(some.dtype, some.shape[1:]) for some in whole}) > 1:
        return [image for some in images for image in some]
    return np.concatenate(whole) if len(whole) > 1 else whole[0]


def _encoded(labels: NDArray, classes: Sequence[str] | None, origin: str) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """(N,) class indices and the class names: as given, or what is present in numeric or natural order."""
    if classes is None:
        present, rows = np.unique(labels, return_inverse=True)
        names = [str(name) for name in present]  # numbers are in numeric order already
        order = sorted(range(len(names)), key=lambda row: natural(names[row]) if labels.dtype.kind == "U" else row)
        return np.argsort(order)[rows], tuple(names[row] for row in order)
    if labels.dtype.kind == "U":
        index = {name: number for number, name in enumerate(classes)}
        labels = np.array([index.get(name, -1) for name in labels.tolist()], np.int64)
    if (bad := np.flatnonzero((labels < 0) | (labels >= len(classes)))).size:
        rows = shortlist([f"item {row}" for row in bad])
        write = "classes=None for all that occur, or their names into classes"
        raise DataError(origin, f"labels that are among the {len(classes)} classes", f"others in {rows}", write)
    return labels.astype(np.int64), tuple(classes)


def _sources(parts: Sequence[Part], origin: str) -> NDArray[np.int64]:
    given = [part.sources for part in parts if part.sources is not None]
    if not given:
        return np.arange(sum(len(part.images) for part in parts))
    if len(given) < len(parts):
        got = f"{len(given)} of {len(parts)} parts with them"
        raise DataError(origin, "source ids for every part or for none", got, "both sources_train and sources_test, or neither")
    ids = np.concatenate(given)
    if ids.dtype.kind not in "iuU":
        raise DataError(origin, "source ids that are whole numbers or names", str(ids.dtype), "sources.astype(str)")
    return np.unique(ids, return_inverse=True)[1] if ids.dtype.kind == "U" else ids.astype(np.int64)
