"""A folder for each class: ``ROOT/<class>/*.png``, or ``ROOT/train/<class>/*.png`` with ``ROOT/test/<class>/*.png``."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from vicinal.core.errors import DataError
from vicinal.data.build import joined, natural
from vicinal.data.dataset import Dataset
from vicinal.data.files import stem
from vicinal.data.part import Part
from vicinal.data.validate import shortlist

_ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
_PARTS = ("train", "val", "valid", "validation", "dev", "test")
_THREADS = 8


@final
@dataclass(frozen=True)
class _Item:
    """One image file: its place, its name below the root (with ``/`` on every system), class, and part."""

    path: Path
    name: str
    label: str
    test: bool


@final
@dataclass(frozen=True)
class Folder:
    """Images sorted into folders that are named for their classes, at any depth below them.

    If there is a folder ``train`` that holds folders, then ``test`` is the official test part, ``val``, ``valid``,
    ``validation`` and ``dev`` are one pool with ``train`` (the lab splits it by its own rule), and other folders are left out.
    Hidden files and files of other kinds are ignored. Items stand in the order of their names, so source ids are the same on
    every machine; an image that ``skip_bad`` leaves out keeps its id for itself.
    """

    name: str = "folder"
    looks: str = "ROOT/<class>/*.png (or .jpg ...), or ROOT/train/<class>/*.png with ROOT/test/<class>/*.png"

    def matches(self, path: Path) -> bool:
        return path.is_dir() and (bool(_subfolders(path)) or _holds_images(path))

    def read(self, path: Path, skip_bad: bool) -> Dataset:
        parts = _parts(path)
        classes = sorted({_plain(entry.name) for part in parts for entry in _subfolders(part)}, key=natural)
        items = sorted((item for part in parts for item in _items(path, part)), key=lambda item: item.name)
        if not items:
            got = f"no image below the folders {shortlist(classes)}" if classes else "no folder for any class"
            write = f"a file such as {path / next(iter(classes), 'cat') / '1.png'}"
            raise DataError(str(path), f"images ({' '.join(_ENDINGS)}) as {self.looks}", got, write)
        part, skipped = _decoded(path, items, skip_bad)
        return joined([part], name=stem(path), format=self.name, origin=str(path), classes=classes, skipped=skipped)


def _parts(root: Path) -> list[Path]:
    """The folders whose subfolders are classes: the root itself, or train, val, test."""
    found = {entry.name.lower(): entry for entry in _subfolders(root)}
    train = found.get("train")
    if train is None or not _subfolders(train) or _holds_images(train):
        return [root]
    parts = [found[name] for name in _PARTS if name in found]
    for part in parts:
        if not _subfolders(part):
            raise DataError(str(part), "a folder for each class", "none", f"nothing there: move {part.name} out of {root}")
    return parts


def _items(root: Path, part: Path) -> Iterator[_Item]:
    test = part != root and part.name.lower() == "test"
    for label in _subfolders(part):
        for folder, below, files in os.walk(label):
            below[:] = [name for name in below if not name.startswith(".")]
            for file in filter(is_image, files):
                path = Path(folder, file)
                yield _Item(path, _plain(path.relative_to(root).as_posix()), _plain(label.name), test)


def _decoded(root: Path, items: Sequence[_Item], skip_bad: bool) -> tuple[Part, tuple[str, ...]]:
    from vicinal.data.formats.picture import alike, decode  # Pillow is needed nowhere else

    with ThreadPoolExecutor(_THREADS) as pool:  # Pillow lets go of the interpreter lock while it decodes
        results = list(pool.map(decode, [item.path for item in items]))
    bad = [f"{item.name} ({result})" for item, result in zip(items, results, strict=True) if isinstance(result, str)]
    if bad and not skip_bad:
        got = f"{len(bad)} of {len(items)} that cannot be read: {shortlist(bad)}"
        raise DataError(str(root), "images that can be read", got, "--skip-bad (skip_bad=True) to leave them out")
    rows = np.array([row for row, result in enumerate(results) if not isinstance(result, str)], np.int64)
    images = alike([result for result in results if not isinstance(result, str)])
    kept = [items[row] for row in rows]
    labels, test = np.array([item.label for item in kept], str), np.array([item.test for item in kept], bool)
    return Part(str(root), images, labels, rows, test, [item.name for item in kept]), tuple(bad)


def _subfolders(folder: Path) -> list[Path]:
    with os.scandir(folder) as entries:
        return [Path(entry.path) for entry in entries if entry.is_dir() and not entry.name.startswith(".")]


def _holds_images(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return any(entry.is_file() and is_image(entry.name) for entry in entries)


def is_image(name: str) -> bool:
    return name.lower().endswith(_ENDINGS) and not name.startswith(".")


def _plain(name: str) -> str:
    """One spelling for accented letters, which file systems store in two."""
    return unicodedata.normalize("NFC", name)
