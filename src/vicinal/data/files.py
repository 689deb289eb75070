"""Bytes of files that may be packed with gzip, and the file that was probably meant."""

from __future__ import annotations

import gzip
import shlex
import zlib
from pathlib import Path

from vicinal.core.errors import DataError, nearest_path

_GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20
WHOLE = "the path of a whole copy of the file"


def load(path: Path) -> tuple[bytes, str]:
    """The bytes of a file, unpacked if it is gzip (by content, not by name), and what cut them short ('' if nothing did)."""
    with path.open("rb") as raw:
        packed = raw.read(2) == _GZIP
        raw.seek(0)
        return _unpacked(raw) if packed else (raw.read(), "")


def _unpacked(raw) -> tuple[bytes, str]:
    chunks: list[bytes] = []
    try:
        with gzip.GzipFile(fileobj=raw) as stream:
            while chunk := stream.read1(_CHUNK):
                chunks.append(chunk)
    except EOFError:
        return b"".join(chunks), "the gzip stream ends early"
    except (zlib.error, gzip.BadGzipFile) as error:
        return b"".join(chunks), f"the gzip stream is damaged: {error}"
    return b"".join(chunks), ""


def as_utf8(path: Path) -> str:
    """The command that brings a text into UTF-8; from which encoding is a guess."""
    plain, read = Path(path.name.removesuffix(".gz")), "zcat" if path.suffix == ".gz" else "cat"
    return f"{read} {shlex.quote(str(path))} | iconv -f latin1 -t utf-8 > utf8{plain.suffix}"


def stem(path: Path) -> str:
    """The name without its endings: ``mnist_train_small`` for ``data/mnist_train_small.csv.gz``."""
    return path.absolute().name.split(".")[0] or path.absolute().name


def missing(path: Path, builtin: str | None = None) -> DataError:
    """The error for a path that does not exist, with the nearest name that does; ``builtin`` is a name that might have been meant."""
    child = path
    while not child.parent.exists():
        child = child.parent
    alone = len(path.parts) == 1
    advice = nearest_path(child, [builtin] if alone and builtin else []) or builtin or "the path of what is there"
    got = f"nothing named {child.name!r} in {child.parent}"
    return DataError(str(path), "a file or folder that exists" + (f", or the name {builtin!r}" if builtin else ""), got, advice)
