"""NPZ: arrays ``images`` and ``labels``, or ``x_train, y_train, x_test, y_test``."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import DataError
from vicinal.data.build import joined
from vicinal.data.dataset import Dataset
from vicinal.data.files import stem
from vicinal.data.part import Part

_IMAGES, _LABELS, _SOURCES = ("images", "x"), ("labels", "y"), ("sources",)
_KEYS = "images and labels (or x and y), or x_train, y_train and perhaps x_test, y_test"
_WRITE = "np.savez(FILE, images=images, labels=labels)"


@final
@dataclass(frozen=True)
class Npz:
    """Arrays by name, upper or lower case; ``sources`` (``sources_train``, ``sources_test``) if there are copies.

    ``x_test`` and ``y_test`` are the official test part. Pickled Python objects are never loaded.
    """

    name: str = "npz"
    looks: str = f"FILE.npz with {_KEYS}"

    def matches(self, path: Path) -> bool:
        return path.is_file() and path.suffix.lower() == ".npz"

    def read(self, path: Path, skip_bad: bool) -> Dataset:
        if not zipfile.is_zipfile(path):
            got = f"{path.stat().st_size} bytes that are no zip archive, or only a part of one"
            raise DataError(str(path), "an NPZ file, a zip archive of arrays", got, _WRITE)
        with np.load(path, allow_pickle=False) as archive:
            parts = _parts(path, archive, {key.lower(): key for key in archive.files})
        return joined(parts, name=stem(path), format=self.name, origin=str(path))


def _parts(path: Path, archive: Mapping[str, NDArray], keys: Mapping[str, str]) -> list[Part]:
    parts = [part for end in ("", "_train", "_test") if (part := _part(path, archive, keys, end))]
    if not parts or all(part.test for part in parts):
        raise DataError(str(path), f"arrays named {_KEYS}", ", ".join(keys.values()) or "none", _WRITE)
    return parts


def _part(path: Path, archive: Mapping[str, NDArray], keys: Mapping[str, str], end: str) -> Part | None:
    images, labels, sources = (
        next((keys[name + end] for name in names if name + end in keys), None) for names in (_IMAGES, _LABELS, _SOURCES)
    )
    if images is None and labels is None:
        return None
    if images is None or labels is None:
        raise DataError(f"{path}:{images or labels}", f"arrays named {_KEYS}", ", ".join(keys.values()), _WRITE)
    where = f"{path}:{images}"
    ids = None if sources is None else _array(path, archive, sources)
    return Part(where, _array(path, archive, images), _array(path, archive, labels), ids, end == "_test")


def _array(path: Path, archive: Mapping[str, NDArray], key: str) -> NDArray:
    where = f"{path}:{key}"
    try:
        array = archive[key]
    except ValueError:
        advice = "np.savez with plain arrays; for images of different sizes a folder for each class"
        raise DataError(where, "an array of numbers", "pickled Python objects, which are never loaded", advice) from None
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise DataError(where, "a whole array", f"damaged data ({error})", _WRITE) from None
    if not array.ndim:
        raise DataError(where, "one value for each image", "a single value", _WRITE)
    return array
