"""What the lab works on: images, series or texts with labels, source ids and, if the data set declares one, an official test part."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Images = NDArray | list[NDArray]


@final
@dataclass(frozen=True, eq=False)
class Dataset:
    """N labelled items. Readers, ``from_arrays``, ``from_series`` and ``from_texts`` build it and check it; the constructor itself checks
    nothing.

    Args:
        name: short name for titles.
        images: (N, H, W, C) uint8, uint16 or float32 in [0, 1]; a list of N arrays (H, W, C) where sizes differ; for series, (N, T, C)
            float32 of any range; for texts, (N,) objects, each a str.
        labels: (N,) class indices; in a regression (N, V) float64 values.
        classes: class names; numbers in numeric order, names in natural order (``"9"`` before ``"10"``); () in a regression.
        sources: (N,) source ids in [0, 2**48). Items with the same id are siblings: copies of one original.
        official_test: (N,) True where the data set itself declares the test part; all False when it declares none.
        format: ``digits``, ``csv``, ``idx``, ``folder``, ``npz`` or ``arrays``.
        origin: what the user gave: a path or a name.
        skipped: unreadable items that ``skip_bad`` left out, by name.
        lone: True where nobody gave source ids, so that they are no more than the numbers of the items.

    Example:
        >>> from vicinal.data import read
        >>> digits = read("digits")
        >>> len(digits), digits.images.shape, digits.classes[:3], digits.take([5, 7]).labels
        (1797, (1797, 8, 8, 1), ('0', '1', '2'), array([5, 7]))
    """

    name: str
    images: Images
    labels: NDArray
    classes: tuple[str, ...]
    sources: NDArray[np.int64]
    official_test: NDArray[np.bool_]
    format: str
    origin: str
    skipped: tuple[str, ...] = ()
    lone: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def regression(self) -> bool:
        """True where labels are values."""
        return not self.classes

    @property
    def kind(self) -> str:
        """ "image", "series" or "text": the name of the target under which policies get the items."""
        return kind_of(self.images)

    @property
    def strata(self) -> NDArray[np.int64]:
        """(N,) what splits are balanced by: the class; nothing in a regression."""
        return np.zeros(len(self), np.int64) if self.regression else self.labels

    @cached_property
    def fingerprint(self) -> str:
        """A hash of everything that a comparison depends on: values, labels, classes, sources and the declared test part."""
        whole = hashlib.blake2b(repr((self.classes, self.labels.shape)).encode(), digest_size=16)
        for image in self.images if isinstance(self.images, list) else [self.images]:
            whole.update(f"{image.dtype}{image.shape}".encode())
            # of texts what they say, not where they lie
            whole.update(json.dumps(image.tolist()).encode() if image.dtype == object else np.ascontiguousarray(image).data)
        for column in (self.labels, self.sources, self.official_test):
            whole.update(np.ascontiguousarray(column).data)
        return whole.hexdigest()

    def take(self, rows: ArrayLike | slice) -> Dataset:
        """Some of the items, in the order given: integers, a boolean mask or a slice. Classes and source ids are kept."""
        chosen = np.arange(len(self))[rows if isinstance(rows, slice) else _index(rows)]
        images = [self.images[row] for row in chosen] if isinstance(self.images, list) else self.images[chosen]
        fields = {name: getattr(self, name)[chosen] for name in ("labels", "sources", "official_test")}
        return replace(self, images=images, lone=False, **fields)


def kind_of(images: Images) -> str:
    """The kind of items by their form: (N,) texts, (N, T, C) series, anything else images.

    Example:
        >>> kind_of(np.array(["to be", "or not"], object)), kind_of(np.zeros((2, 30, 1), np.float32)), kind_of([])
        ('text', 'series', 'image')
    """
    return {1: "text", 3: "series"}.get(images.ndim, "image") if isinstance(images, np.ndarray) else "image"


def _index(rows: ArrayLike) -> NDArray:
    rows = np.atleast_1d(np.asarray(rows))
    return rows if rows.size else rows.astype(np.int64)


def source_classes(sources: NDArray[np.int64], labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct source ids in ascending order, and the class of each: the smallest label among its items.

    Example:
        >>> source_classes(np.array([7, 3, 7]), np.array([1, 0, 1]))
        (array([3, 7]), array([0, 1]))
    """
    ids, first = np.unique(sources, return_inverse=True)
    classes = np.full(len(ids), np.iinfo(np.int64).max)
    np.minimum.at(classes, first, labels)
    return ids, classes
