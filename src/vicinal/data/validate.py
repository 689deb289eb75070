"""The one place that decides whether data are what they declare themselves to be."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from vicinal.core.draw import INDEX_LIMIT
from vicinal.core.errors import DataError
from vicinal.data.dataset import Dataset, Images, kind_of, source_classes
from vicinal.data.part import Part

_NAMED = 5
PLURAL = MappingProxyType({"image": "images", "series": "series", "text": "texts"})


def check_part(part: Part) -> Part:
    """The part itself, or DataError: lengths that differ, an illegal shape or dtype, NaN, a float outside [0, 1]."""
    check_labels(part)
    if len(part.images):
        _shape(part.where, part.images)
        _dtype(part.where, part.images)
        _values(part)
    return part


def check_labels(part: Part) -> Part:
    """The part itself, or DataError: lengths that differ, labels that are neither whole numbers nor names."""
    _lengths(part)
    _label_kind(part)
    return part


def check_dataset(data: Dataset) -> Dataset:
    """The data set itself, or DataError: no items, parts that differ, one class only, a class that cannot be in train and dev."""
    if not len(data):
        skipped = f", after {len(data.skipped)} were left out" if data.skipped else ""
        write = "skip_bad=False, without --skip-bad, to see why" if skipped else f"one {data.kind} with its label, or more"
        raise DataError(data.origin, f"labelled {PLURAL[data.kind]}", f"no items{skipped}", write)
    if data.kind == "image":
        _shape(data.origin, data.images)
        _dtype(data.origin, data.images)
    if data.sources.min() < 0 or data.sources.max() >= INDEX_LIMIT:
        got = f"{data.sources.min()} to {data.sources.max()}"
        raise DataError(data.origin, "source ids in [0, 2**48)", got, "np.unique(sources, return_inverse=True)[1]")
    if data.regression:
        return _regression(data)
    if len(data.classes) < 2:
        got = f"only {shortlist(data.classes)!r}: nothing to tell apart"
        raise DataError(data.origin, "at least 2 classes", got, "items of another class beside them")
    _enough_of_each_class(data)
    return data


def _regression(data: Dataset) -> Dataset:
    if data.labels.ndim != 2 or data.labels.dtype.kind != "f":
        raise DataError(data.origin, "values of shape (N,) or (N, V)", f"{data.labels.dtype} {data.labels.shape}", "labels.astype(float)")
    if (bad := np.flatnonzero(~np.isfinite(data.labels).all(1))).size:
        got = f"NaN or infinity in {shortlist([f'item {row}' for row in bad])}"
        raise DataError(data.origin, "finite values", got, "the data without it")
    return data


def shortlist(names: Sequence[str]) -> str:
    """The first few names, and how many more there are.

    Example:
        >>> shortlist(["a", "b", "c", "d", "e", "f"])
        'a, b, c, d, e and 1 more'
    """
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _lengths(part: Part) -> None:
    count = len(part.images)
    if len(part.labels) != count:
        kind = kind_of(part.images)
        got = f"{len(part.labels)} labels"
        raise DataError(part.where, f"as many labels as {PLURAL[kind]}, {count}", got, f"one label for each {kind}")
    for name, values, legal, like in (
        ("sources", part.sources, [(count,)], f"np.arange({count})"),
        ("official_test", part.test, [(), (count,)], f"np.zeros({count}, bool)"),
    ):
        if values is not None and np.shape(values) not in legal:
            expected = f"{name} of shape ({count},), one for each {kind_of(part.images)}"
            raise DataError(part.where, expected, f"{np.shape(values)}", f"{name}={like}, say")


def _label_kind(part: Part) -> None:
    if part.labels.ndim != 1:
        advice = "labels.argmax(axis=1)" if part.labels.ndim == 2 else "one label for each item"
        raise DataError(part.where, "labels of shape (N,)", f"{part.labels.shape}", advice)
    if part.labels.dtype.kind not in "iuU":
        advice = {"S": "labels.astype(str)", "O": "labels.astype(str)"}.get(part.labels.dtype.kind, "labels.astype(int)")
        raise DataError(part.where, "labels that are whole numbers or names", str(part.labels.dtype), advice)


def _shape(where: str, images: Images) -> None:
    shapes = sorted({image.shape for image in images} if isinstance(images, list) else {images.shape[1:]})
    for shape in shapes:
        if len(shape) != 3 or 0 in shape:
            write = "image[..., None] for each" if len(shape) == 2 and all(shape) else "images of one pixel or more, (H, W, C) each"
            raise DataError(where, "images of shape (H, W, C), each at least 1", f"{shape}", write)
        if shape[0] in (1, 3, 4) and shape[1] == shape[2] > 4:
            raise DataError(where, "images of shape (H, W, C)", f"{shape}, channels first", "np.moveaxis(images, 1, -1)")
    if len(channels := sorted({shape[-1] for shape in shapes})) > 1:
        got, write = " and ".join(map(str, channels)), f"image[..., :{channels[0]}] for each"
        raise DataError(where, "the same number of channels everywhere", got, write)


def _dtype(where: str, images: Images) -> None:
    dtypes = sorted({image.dtype.name for image in images} if isinstance(images, list) else {images.dtype.name})
    if len(dtypes) > 1:
        raise DataError(where, "the same dtype everywhere", " and ".join(dtypes), "np.float32(image / 255) for each that is of uint8, say")
    if dtypes[0] not in ("uint8", "uint16", "float32"):
        advice = "images.astype(np.uint8)" + (" * 255" if dtypes[0] == "bool" else "")
        raise DataError(where, "images of uint8, uint16 or float32 in [0, 1]", dtypes[0], advice)


def _values(part: Part) -> None:
    if part.images[0].dtype.kind != "f":
        return
    lows, highs = _extremes(part.images)
    if (bad := np.flatnonzero(np.isnan(lows))).size:
        raise DataError(part.where, "numbers", f"NaN in {shortlist(part.which(bad.tolist()))}", "data without them")
    if (bad := np.flatnonzero((lows < 0) | (highs > 1))).size:
        advice = "(images + 1) / 2 if they are in [-1, 1]" if lows.min() < 0 else "images / 255, or images as uint8"
        got = f"{lows[bad[0]]:g} to {highs[bad[0]]:g} (in {shortlist(part.which(bad.tolist()))})"
        raise DataError(part.where, "float images in [0, 1]", got, advice)


def _extremes(images: Images) -> tuple[NDArray, NDArray]:
    """(N,) smallest and largest value of each image; NaN where an image has one."""
    if isinstance(images, list):
        return np.array([image.min() for image in images]), np.array([image.max() for image in images])
    flat = images.reshape(len(images), -1)
    return flat.min(axis=1), flat.max(axis=1)


def _enough_of_each_class(data: Dataset) -> None:
    # Counted in sources, not items: two copies of one original cannot stand on both sides.
    pool = ~data.official_test
    _, classes = source_classes(data.sources[pool], data.labels[pool])
    counts = np.bincount(classes, minlength=len(data.classes))
    rare = [f"{count} of class {name!r}" for name, count in zip(data.classes, counts, strict=True) if count < 2]
    if rare:
        where = " outside the official test part" if data.official_test.any() else ""
        expected = f"at least 2 originals of every class{where}, one to train on and one to score"
        raise DataError(data.origin, expected, shortlist(rare), "data without that class, or with more items of it")
