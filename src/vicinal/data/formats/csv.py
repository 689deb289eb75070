"""CSV like ``mnist_train_small.csv``: a row is a label, then the pixels 0..255 of a square image."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import DataError
from vicinal.data.build import joined
from vicinal.data.dataset import Dataset
from vicinal.data.files import WHOLE, as_utf8, load, stem
from vicinal.data.part import Part

Line = tuple[int, str]


@final
@dataclass(frozen=True)
class Csv:
    """Rows of ``label,pixel,pixel,...``: k*k pixels are grey, 3*k*k are colour with the three values of a pixel side by side.

    A first row whose first field is not a number is a header and left out. ``skip_bad`` leaves out rows that are malformed.
    """

    name: str = "csv"
    looks: str = "FILE.csv or FILE.csv.gz: a row is a label, then the pixels 0..255 of a square image"

    def matches(self, path: Path) -> bool:
        return path.is_file() and path.name.lower().endswith((".csv", ".csv.gz"))

    def read(self, path: Path, skip_bad: bool) -> Dataset:
        lines = _lines(path)
        width = Counter(line.count(",") for _, line in lines).most_common(1)[0][0]
        shape = _shape(path, width)
        table, skipped = _table(path, lines, width + 1, skip_bad)
        images = table[:, 1:].astype(np.uint8).reshape(-1, *shape)
        part = Part(str(path), images, table[:, 0])
        return joined([part], name=stem(path), format=self.name, origin=str(path), skipped=skipped)


def _lines(path: Path) -> list[Line]:
    """The rows that are not blank, with their line numbers; without the header."""
    data, problem = load(path)
    if problem:
        raise DataError(str(path), "a whole CSV file", f"{len(data)} bytes, then {problem}", WHOLE)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(str(path), "a CSV file, plain text", f"bytes that are not text at {error.start}", as_utf8(path)) from None
    lines = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    lines = lines[1:] if lines and _header(lines[0][1]) else lines
    if not lines:
        got, write = "an empty file" if not data else "no such row", "rows such as 7,0,0,255,0: a label, then its pixels"
        raise DataError(str(path), "rows of a label and pixels", got, write)
    return lines


def _header(line: str) -> bool:
    # An empty first field is a label that is missing, not the name of a column.
    first = line.split(",", 1)[0].strip()
    try:
        float(first)
    except ValueError:
        return bool(first)
    return False


def _shape(path: Path, pixels: int) -> tuple[int, int, int]:
    for channels in (1, 3):
        side = math.isqrt(pixels // channels)
        if side and channels * side * side == pixels:
            return side, side, channels
    expected = "a label and then k*k or 3*k*k pixels in a row (785 values for 28x28)"
    side = max(1, round(math.sqrt(pixels)))
    write = f"{side * side + 1} values in each row: a label, then {side}x{side} pixels"
    raise DataError(str(path), expected, f"{pixels + 1} values", write)


def _table(path: Path, lines: Sequence[Line], width: int, skip_bad: bool) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    table = _parsed([line for _, line in lines], width)
    if table is not None:
        return table, ()
    # Only a file with a fault comes here, so the rows may be tried one by one.
    bad = [line for line in lines if _parsed([line[1]], width) is None]
    if not skip_bad or len(bad) == len(lines):
        number, line = bad[0]
        more = f" (and {len(bad) - 1} more such rows)" if len(bad) > 1 else ""
        write = "--skip-bad to leave out malformed rows" if len(bad) < len(lines) else "rows of whole numbers: a label, then pixels 0..255"
        expected, got = _fault(line, width, more)
        raise DataError(f"{path}:{number}", expected, got, write)
    faulty = {number for number, _ in bad}
    good = _parsed([line for number, line in lines if number not in faulty], width)
    assert good is not None
    return good, tuple(f"{path.name}:{number}" for number in sorted(faulty))


def _parsed(lines: Sequence[str], width: int) -> NDArray[np.int32] | None:
    """(rows, width) numbers, or None if any row is malformed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", DeprecationWarning)  # older NumPy reads 0.5 as the integer 0 and only warns
            table = np.loadtxt(lines, np.int32, delimiter=",", comments=None, ndmin=2)
    except (ValueError, DeprecationWarning):
        return None
    legal = table.shape[1] == width and table.min() >= 0 and table[:, 1:].max() <= 255
    return table if legal else None


def _fault(line: str, width: int, more: str) -> tuple[str, str]:
    """What was expected of a malformed row, and what came."""
    fields = [field.strip() for field in line.split(",")]
    if len(fields) != width:
        return f"{width} values", f"{len(fields)}{more}"
    whole = [int(field) if field.isascii() and field.isdigit() else None for field in fields]
    if whole[0] is None or whole[0] >= 2**31:
        return "a label that is a whole number from 0", f"{fields[0]!r}{more}"
    column = next(column for column, value in enumerate(whole) if column and (value is None or value > 255))
    return "pixels that are whole numbers 0..255", f"{fields[column]!r} in column {column + 1}{more}"
