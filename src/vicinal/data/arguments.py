"""What a loader is given, checked: each fault is a sentence."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import DataError, ParameterError


def paths(source: Any) -> tuple[Path, ...]:
    """Paths of image files, at least one; whether they are there shows when they are read."""
    if isinstance(source, (str, Path)):
        raise DataError("Loader.source", "paths of image files", repr(str(source)), f"sorted(Path({str(source)!r}).rglob('*.jpg'))")
    given = list(source) if hasattr(source, "__iter__") else [source]
    if not all(isinstance(path, (str, Path)) for path in given):
        odd = next(type(path).__name__ for path in given if not isinstance(path, (str, Path)))
        raise DataError("Loader.source", "paths of image files, or a Dataset", odd, "from_arrays(images, labels)")
    if not given:
        raise DataError("Loader.source", "at least one image file", "none", "sorted(Path('images').rglob('*.jpg')), where some are")
    if absent := [name for name in ("cv2", "PIL") if find_spec(name) is None]:
        raise DataError("Loader.source", "OpenCV and Pillow, which read image files", f"no {absent[0]}", "pip install 'vicinal[lab]'")
    return tuple(map(Path, given))


def labels_of(labels: Any, count: int) -> NDArray | None:
    """(N, ...) labels, one an image, or None."""
    if labels is None:
        return None
    try:
        array = np.asarray(labels)
    except ValueError:
        advice = "targets=lambda index: {'label': [labels[i] for i in index]}"
        raise DataError("Loader.labels", "one label an image, all of one form", "entries of several lengths", advice) from None
    if array.ndim < 1 or len(array) != count:
        got = f"{len(array)}" if array.ndim else "a single value"
        raise DataError("Loader.labels", f"{count} labels, one an image", got, f"labels=[0, 1, ...] of length {count}")
    return array


def check_whole(name: str, value: Any, least: int) -> None:
    """ParameterError for anything but a whole number of ``least`` or more."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < least:
        raise ParameterError(f"Loader.{name}", f"a whole number of {least} or more", repr(value), f"{name}={max(least, 2)}")
