"""Read labelled images from whatever the user names; the format is sniffed and can be forced."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from vicinal.core.errors import DataError, nearest
from vicinal.data.annotations import is_annotated
from vicinal.data.dataset import Dataset
from vicinal.data.files import missing
from vicinal.data.formats.csv import Csv
from vicinal.data.formats.digits import Digits
from vicinal.data.formats.folder import Folder
from vicinal.data.formats.idx import Idx
from vicinal.data.formats.line import Line
from vicinal.data.formats.npz import Npz
from vicinal.data.validate import shortlist


class Reader(Protocol):
    """One format: what it is called, what it looks like, whether a path looks like that, and the reading."""

    @property
    def name(self) -> str: ...
    @property
    def looks(self) -> str: ...
    def matches(self, path: Path) -> bool: ...
    def read(self, path: Path, skip_bad: bool) -> Dataset: ...


_DIGITS = Digits()
_BUILT_IN: tuple[Reader, ...] = (_DIGITS, Line())
READERS: tuple[Reader, ...] = (*_BUILT_IN, Csv(), Idx(), Npz(), Folder())


def read(source: str | Path, *, format: str = "auto", skip_bad: bool = False) -> Dataset:
    """A checked data set from a file, a folder or the built-in ``digits``.

    Args:
        source: a path, or a built-in data set: ``digits``, ``line``.
        format: ``digits``, ``line``, ``csv``, ``idx``, ``npz`` or ``folder``; ``auto`` takes the first that fits, in this order.
        skip_bad: leave out images (folder) and rows (csv) that cannot be read; ``Dataset.skipped`` lists them.

    Raises:
        DataError: nothing there, no format fits, or the data are not what they declare themselves to be; the message says
            where, what was expected, what came and what to write instead.

    Example:
        >>> data = read("digits")
        >>> data.name, data.images.dtype, data.images.max(), data.official_test.any()
        ('digits', dtype('uint8'), np.uint8(255), np.False_)
    """
    path = Path(source).expanduser()
    try:
        reader = _chosen(path) if format == "auto" else _forced(path, format)
        return reader.read(path, skip_bad)
    except OSError as error:
        how = "" if format == "auto" else f" as {format}"
        raise DataError(str(path), f"something that can be read{how}", error.strerror or str(error), "a path that you may read") from error
    except ModuleNotFoundError as error:
        raise DataError(str(path), f"the package {error.name}", "none installed", "pip install 'vicinal[lab]'") from error


def _chosen(path: Path) -> Reader:
    if not path.exists() and not any(reader.matches(path) for reader in _BUILT_IN):
        raise missing(path, _DIGITS.name)
    if is_annotated(path):
        raise DataError(str(path), "labelled images, one class each", "annotated pictures", f"read_annotations({str(path)!r})")
    for reader in READERS:
        if reader.matches(path):
            return reader
    formats = "; ".join(f"{reader.name}: {reader.looks}" for reader in READERS)
    raise DataError(str(path), f"one of these formats ({formats})", _content(path), "an .npz of images and labels")


def _forced(path: Path, format: str) -> Reader:
    known = {reader.name: reader for reader in READERS}
    if format not in known:
        raise DataError("format", f"auto, {', '.join(known)}", repr(format), nearest(format, ["auto", *known]) or "auto")
    if known[format] not in _BUILT_IN and not path.exists():
        raise missing(path, _DIGITS.name)
    return known[format]


def _content(path: Path) -> str:
    if path.is_file():
        return f"a file of {path.stat().st_size} bytes"
    names = sorted(entry.name for entry in path.iterdir())
    return f"a folder with {shortlist(names)}" if names else "an empty folder"
