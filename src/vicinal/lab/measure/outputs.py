"""What a model is asked and answers, checked: images, (N, K) probabilities or (N,) classes and labels, (N,) or (N, D) numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vicinal.core.errors import DataError

SUM_TOLERANCE = 1e-3
"""How far the probabilities of an item may sum from 1: float32 softmax errs by less than 1e-6, half precision by less than 1e-3."""

Predict = Callable[[NDArray], NDArray]
"""A trained model, in eval mode: images (N, H, W, C) as they are stored to (N, K) probabilities, or what a regression predicts."""

_SOFTMAX = "scipy.special.softmax(logits, axis=1)"


def checked_probabilities(outputs: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """(N, K) float32 or float64 probabilities, and (N,) labels from 0 to K - 1.

    Raises:
        DataError: outputs that are no probabilities, or labels that do not fit them.
    """
    given = np.asarray(outputs)
    if given.ndim != 2 or given.dtype.kind != "f" or given.shape[1] < 2:
        raise DataError("outputs", "(N, K) floats, a probability for each of K > 1 classes", _form(given), _SOFTMAX)
    values = given if given.dtype == np.float32 else given.astype(np.float64, copy=False)
    known = _labels(labels, len(values), values.shape[1])
    with np.errstate(invalid="ignore"):  # infinity - infinity
        sums = values @ np.ones(values.shape[1], values.dtype)  # nan and infinity show in the sum, which costs one pass
    off = ~(np.abs(sums - 1) <= SUM_TOLERANCE)
    if off.any() or values.min() < 0:
        raise _improbable(values, off | (values < 0).any(1))
    return values, known


def checked_classes(outputs: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """(N,) predicted classes, (N,) labels, and the number of classes; from (N, K) probabilities or (N,) classes.

    Of several classes that are equally probable, the first counts. Where classes are given, there are as many as appear.
    """
    given = np.asarray(outputs)
    if given.ndim != 1:
        values, known = checked_probabilities(given, labels)
        return values.argmax(1), known, values.shape[1]
    predicted = _labels(given, len(given), None, "outputs")
    known = _labels(labels, len(given), None)
    return predicted, known, int(max(predicted.max(), known.max())) + 1


def checked_numbers(outputs: ArrayLike, targets: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N, D) float64 predictions and targets of the same form; (N,) ones have D = 1."""
    pair = [np.asarray(values) for values in (outputs, targets)]
    for name, values in zip(("outputs", "targets"), pair, strict=True):
        if values.ndim not in (1, 2) or values.dtype.kind not in "fiu" or not values.size:
            raise DataError(name, "(N,) or (N, D) numbers, at least one", _form(values), f"np.asarray({name}, float).reshape(N, -1)")
        if not np.isfinite(values).all():
            item = int(np.argwhere(~np.isfinite(values))[0][0])
            raise DataError(name, "finite numbers", f"nan or infinity in item {item}", _without(item, "targets"))
    if pair[0].shape != pair[1].shape:
        write = "outputs.reshape(targets.shape)" if pair[0].size == pair[1].size else "one output for every target"
        raise DataError("outputs", f"the form of the targets, {pair[1].shape}", str(pair[0].shape), write)
    first, second = (values.reshape(len(values), -1).astype(np.float64) for values in pair)
    return first, second


def checked_images(images: Any) -> NDArray:
    """(N, H, W, C) images of one size.

    Raises:
        DataError: anything else, or none at all.
    """
    if not isinstance(images, np.ndarray):
        raise DataError("images", "an array (N, H, W, C): images of one size", type(images).__name__, "np.stack(images)")
    if images.ndim != 4 or not len(images):
        raise DataError("images", "(N, H, W, C), at least one", _form(images), "images[..., None] for one channel")
    return images


def _labels(labels: ArrayLike, items: int, classes: int | None, where: str = "labels") -> NDArray[np.int64]:
    given = np.asarray(labels)
    if given.shape != (items,) or given.dtype.kind not in "iu" or not items:
        expected = f"({items},) whole numbers, one an item" if items else "at least one item"
        raise DataError(where, expected, _form(given), _numbered(given, items, where))
    highest = np.iinfo(np.int64).max if classes is None else classes - 1
    if given.min() < 0 or given.max() > highest:
        expected = "classes of 0 or more" if classes is None else f"classes from 0 to {classes - 1}, as outputs have {classes}"
        span = int(given.max()) - int(given.min())
        write = f"{where} - {where}.min()" if span <= highest else f"outputs of {span + 1} columns, one a class"
        raise DataError(where, expected, f"{given.min()} to {given.max()}", write)
    return given.astype(np.int64, copy=False)


def _numbered(given: NDArray, items: int, where: str) -> str:
    """What makes numbers of classes, one an item, of another array."""
    if given.ndim == 2:
        return f"{where}.argmax(axis=1)"
    return f"{where}.astype(int)" if given.shape == (items,) and items else f"{where}=[0, 1, ...] of length {items or 'N'}"


def _without(item: int, beside: str) -> str:
    return f"np.delete(outputs, {item}, 0) and np.delete({beside}, {item}, 0) to leave it out"


def _improbable(values: NDArray, off: NDArray[np.bool_]) -> DataError:
    item = int(np.flatnonzero(off)[0])
    row = values[item]
    if not np.isfinite(row).all():
        return DataError(f"outputs[{item}]", "finite probabilities", "nan or infinity", _without(item, "labels"))
    got = f"{row.min():g}" if row.min() < 0 else f"a sum of {row.sum():g}"
    return DataError(f"outputs[{item}]", "probabilities of 0 or more that sum to 1", got, _SOFTMAX)


def _form(values: NDArray) -> str:
    return f"{values.dtype} {values.shape}"
