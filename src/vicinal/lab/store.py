"""Writing results: whole files or none.

``result.json`` is one object. Scores and differences are shares of 1; a number that does not exist (no interval with
one seed, a class without test items) is ``null``, never ``NaN``, which JSON does not have. Schema 1, with S seeds,
C classes and K points of a learning curve:

- ``question``, ``answer``, ``command``, ``created``, ``seconds``, ``warnings``, ``step_note``, ``environment``;
- ``data`` (name, origin, format, classes, shape, pool, train, dev, test, skipped), ``budget`` (kind, steps, epochs, batch),
  ``trainer``, ``seeds``, ``alpha``, ``interval``, ``leak`` (allowed, share of dev items with a sibling in train);
- ``arms``, each with name, policy, fingerprint, mode (none, duplicate, fly, copies), copies, seeds, steps, step_ratio,
  ``scores``, ``train_scores``, ``dev_scores`` (S), mean, ``per_class`` (C recalls), verdict, seeds_needed,
  ``difference`` (against, mean, low, high, p, p_adjusted, per_class; null for the reference),
  ``curve`` (steps (K), train and dev (K, S)) and ``cost`` (augment_seconds, train_seconds, ms_per_item).
"""

from __future__ import annotations

import errno
import json
import math
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from vicinal.core.errors import StoreError


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write files so that a fault leaves every old file as it was and nothing half-written behind.

    Each content goes to a temporary name in its own folder and is flushed to the disk; only when all of them are safe
    does any of them take its place. Missing folders are made.

    Args:
        files: content by path.

    Raises:
        StoreError: the disk is full, the folder may not be written to, or any other fault of the file system.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_files({folder / "a.txt": b"whole"})
        >>> [path.name for path in folder.iterdir()]
        ['a.txt']
    """
    temporaries = {path: path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp") for path in files}
    try:
        for path, content in files.items():
            with _explained(path, len(content)):
                _stage(path, temporaries[path], content)
        for path, temporary in temporaries.items():
            with _explained(path, len(files[path])):
                os.replace(temporary, path)
    finally:
        for temporary in temporaries.values():
            with suppress(OSError):
                temporary.unlink()


def write_result(result: Mapping[str, Any], path: Path) -> Path:
    """Write ``result.json``.

    Raises:
        StoreError: as :func:`write_files`.
    """
    write_files({path: result_bytes(result)})
    return path


def result_bytes(result: Mapping[str, Any]) -> bytes:
    """A result as JSON text in UTF-8: NumPy numbers become plain ones, NaN and infinities become null.

    Example:
        >>> result_bytes({"mean": np.float32(0.5), "low": float("nan")})
        b'{\\n  "mean": 0.5,\\n  "low": null\\n}\\n'
    """
    text = json.dumps(_plain(result), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8", "replace")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value


def _stage(path: Path, temporary: Path, content: bytes) -> None:
    if path.is_dir():  # os.replace would say so too, but only after other files have taken their places
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _explained(path: Path, size: int) -> Iterator[None]:
    """Turn a fault of the file system into a sentence."""
    try:
        yield
    except OSError as error:
        got = f"{error.strerror or type(error).__name__}, no file is half-written"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            advice = "to a disk with room, or free some"
            raise StoreError(str(path), f"room for {size:,} bytes", got, advice) from error
        raise StoreError(str(path), "a file that can be written", got, "to another folder") from error
