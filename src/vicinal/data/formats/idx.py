"""IDX, the format of MNIST: ``train-images-idx3-ubyte.gz`` with ``train-labels-idx1-ubyte.gz`` beside it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import DataError
from vicinal.data.build import joined
from vicinal.data.dataset import Dataset
from vicinal.data.files import WHOLE, load, stem
from vicinal.data.part import Part
from vicinal.data.validate import shortlist

_NAME = re.compile(r"(?P<head>.*?)(?P<kind>images|labels)[-_.]idx\d[-_.]ubyte(\.gz)?", re.IGNORECASE)
_TEST = re.compile(r"(^|[-_.])(t10k|test)([-_.]|$)")
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_PAIR = "train-images-idx3-ubyte[.gz] and train-labels-idx1-ubyte[.gz]"


@final
@dataclass(frozen=True)
class Idx:
    """A folder with one training pair and, if there is one, a ``t10k`` or ``test`` pair: the official test part.

    A single images file is read with the labels file beside it, and then there is no official test part. Where a file lies
    there both packed and unpacked, the unpacked one is read.
    """

    name: str = "idx"
    looks: str = f"a folder with {_PAIR}, or one such images file with its labels beside it"

    def matches(self, path: Path) -> bool:
        if path.is_dir():
            return any(_NAME.fullmatch(entry.name) for entry in path.iterdir())
        return path.is_file() and _NAME.fullmatch(path.name) is not None

    def read(self, path: Path, skip_bad: bool) -> Dataset:
        parts = _folder(path) if path.is_dir() else [_single(path)]
        return joined(parts, name=stem(path), format=self.name, origin=str(path))


def read_idx(path: Path) -> NDArray:
    """The array in an IDX file, in native byte order.

    Raises:
        DataError: the magic number is wrong, or there are fewer or more bytes than the header announces.
    """
    data, problem = load(path)
    why = f" ({problem})" if problem else ""
    dims = data[3] if len(data) > 3 else 0
    start = 4 + 4 * dims
    if data[:2] != b"\0\0" or not 1 <= dims <= 4 or data[2] not in _TYPES:
        magic = f"{data[:4].hex(' ') or 'nothing'}{why}"
        expected = "an IDX file that begins with the bytes 00 00 08 03 (images) or 00 00 08 01 (labels)"
        raise DataError(str(path), expected, magic, WHOLE)
    if len(data) < start:
        raise DataError(str(path), f"a header of {start} bytes", f"{len(data)} bytes{why}", WHOLE)
    shape, dtype = np.frombuffer(data, ">u4", dims, 4).tolist(), np.dtype(_TYPES[data[2]])
    expected = start + math.prod(shape) * dtype.itemsize
    if problem or len(data) != expected:
        size = " x ".join(map(str, shape))
        raise DataError(str(path), f"{expected} bytes, as its header says ({size})", f"{len(data)} bytes{why}", WHOLE)
    return np.frombuffer(data, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def _folder(folder: Path) -> list[Part]:
    images = _files(folder, "images")
    tests = [head for head in images if _TEST.search(head)]
    trains = [head for head in images if head not in tests]
    if len(trains) != 1 or len(tests) > 1:
        names = shortlist([path.name for path in images.values()]) or "no images file"
        expected = f"one training pair ({_PAIR}) and at most one t10k or test pair"
        raise DataError(str(folder), expected, names, "the path of the images file that is to be read" if images else f"both into {folder}")
    return [_part(images[head], head, head in tests) for head in trains + tests]


def _single(path: Path) -> Part:
    name = _NAME.fullmatch(path.name)
    if name is None or name["kind"].lower() != "images":
        advice = "the path of the images file or of its folder"
        raise DataError(str(path), f"a file named like {_PAIR.split()[0]}", path.name, advice)
    return _part(path, name["head"].lower(), False)


def _part(images: Path, head: str, test: bool) -> Part:
    labels = _files(images.parent, "labels").get(head)
    if labels is None:
        expected, write = f"its labels beside it, {images.name[: len(head)]}labels-idx1-ubyte[.gz]", f"that file into {images.parent}"
        raise DataError(str(images), expected, "none", write)
    pixels, classes = read_idx(images), read_idx(labels)
    if pixels.ndim not in (3, 4):
        write = "images, whose file begins with 00 00 08 03, under this name"
        raise DataError(str(images), "3 axes (N, H, W) or 4 (N, H, W, C)", f"{pixels.ndim}, {pixels.shape}", write)
    return Part(f"{images} with {labels.name}", pixels, classes, test=test)


def _files(folder: Path, kind: str) -> dict[str, Path]:
    """The images or labels files of a folder by what stands before that word; the unpacked one where both are there."""
    paths = sorted(folder.iterdir(), reverse=True)  # x.gz before x, so x is what stays
    named = [(name, path) for path in paths if (name := _NAME.fullmatch(path.name))]
    return {name["head"].lower(): path for name, path in named if name["kind"].lower() == kind}
