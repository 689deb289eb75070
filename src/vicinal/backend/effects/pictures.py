"""Pictures over pictures: from files, or drawn here."""

from __future__ import annotations

import math
import os
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vicinal.backend.effects import blend, emoji
from vicinal.backend.streams import copied
from vicinal.core.batch import RANGES
from vicinal.core.errors import DataError
from vicinal.core.steps import dequantise, quantise

DRAWN = "emoji:"
_WRITE = "path='path/to/image.png'"
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".pgm"})


def laid(images: NDArray, *, source: NDArray, scale: NDArray, which: NDArray, x: NDArray, y: NDArray, opacity: NDArray) -> NDArray:
    """Every image under a picture.

    Args:
        source: (b,) "emoji:KIND", or the path of an image file or of a folder of them; which: (b,) in [0, 1), the file of a folder;
        scale: (b,) share of the canvas into which the picture fits; x, y: (b,) shares of the free room; opacity: (b,).
    """
    out, (height, width) = copied(images), images.shape[1:3]
    full, whole = np.float32(RANGES[str(images.dtype)]), images.dtype.kind == "u"
    settings = zip(*(column.tolist() for column in (source, which, scale, x, y, opacity)), strict=True)
    for image, (name, some, part, across, down, share) in zip(out, settings, strict=True):
        if part > 0 and share > 0:
            picture = _fitted(*_file(name, some), part * height, part * width)
            left, top = _place(width - picture.shape[1], across), _place(height - picture.shape[0], down)
            blend.laid(image, picture, left, top, share, full, whole)
    return out


def _place(room: int, share: float) -> int:
    return min(math.floor((room + 1) * share), room)


def _fitted(name: str, stamp: int, height: float, width: float) -> NDArray[np.uint8]:
    """(h, w, 4) as large as fits, at least a pixel."""
    full = _level(name, stamp, 0)
    factor = min(height / full.shape[0], width / full.shape[1])
    size = max(round(full.shape[0] * factor), 1), max(round(full.shape[1] * factor), 1)
    # From the smallest stored version that is not smaller: a mean over few pixels takes little time.
    level = max(0, int(math.log2(min(full.shape[0] / size[0], full.shape[1] / size[1]))))
    rule = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(_level(name, stamp, level), (size[1], size[0]), interpolation=rule), np.uint8)


@lru_cache(maxsize=64)
def _level(name: str, stamp: int, halvings: int) -> NDArray[np.uint8]:
    """A picture, halved so many times: red, green, blue, multiplied by alpha, and alpha. The stamp tells versions of a file apart."""
    if halvings:
        finer = _level(name, stamp, halvings - 1)
        size = max(finer.shape[1] // 2, 1), max(finer.shape[0] // 2, 1)
        return np.asarray(cv2.resize(finer, size, interpolation=cv2.INTER_AREA), np.uint8)
    return emoji.drawn(name.removeprefix(DRAWN)) if name.startswith(DRAWN) else _read(name)


def _read(path: str) -> NDArray[np.uint8]:
    """An image file in 8 bits; without an alpha channel it covers all, and is turned as its camera says."""
    raw = cv2.imread(path, cv2.IMREAD_UNCHANGED)
    if raw is not None and (raw.ndim < 3 or raw.shape[2] != 4):
        raw = cv2.imread(path, cv2.IMREAD_COLOR)
    if raw is None or str(raw.dtype) not in RANGES:
        raise DataError(f"ImageOverlay.path: {path}", "an image file that OpenCV reads", "something else", "a .png or .jpg file")
    values = dequantise(raw if raw.shape[2] == 4 else cv2.cvtColor(raw, cv2.COLOR_BGR2BGRA))[..., [2, 1, 0, 3]]
    values[..., :3] *= values[..., 3:]
    return quantise(values, "uint8")


def _file(source: str, which: float) -> tuple[str, int]:
    """The file that is meant, and when it was last changed."""
    if source.startswith(DRAWN):
        return source, 0
    try:
        found = os.stat(source)
        if Path(source).is_dir():
            files = _files(source, found.st_mtime_ns)
            return _file(files[int(which * len(files))], which)
        return source, found.st_mtime_ns
    except OSError as fault:
        raise DataError("ImageOverlay.path", "an image file, or a folder of them", f"{source!r} ({fault.strerror})", _WRITE) from None


@lru_cache(maxsize=64)
def _files(folder: str, stamp: int) -> list[str]:
    """The image files of a folder, by name."""
    found = sorted(str(path) for path in Path(folder).iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        expected = f"a folder with image files ({', '.join(sorted(SUFFIXES))})"
        raise DataError("ImageOverlay.path", expected, f"none in {folder!r}", _WRITE)
    return found
