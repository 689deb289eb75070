"""Writing files: all of them whole, or none."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator, Mapping, Set
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from vicinal.core.errors import StoreError


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write files so that a fault leaves every old file as it was and nothing half-written behind.

    Each content goes to a temporary name in its own folder and is flushed to the disk; only when all of them are safe
    does any of them take its place. Missing folders are made. Where two writers meet, the files of one of them stay, not a mixture.

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
        with _alone({path.parent for path in files}):
            for path, temporary in temporaries.items():
                with _explained(path, len(files[path])):
                    os.replace(temporary, path)
    finally:
        for temporary in temporaries.values():
            with suppress(OSError):
                temporary.unlink()


def _stage(path: Path, temporary: Path, content: bytes) -> None:
    if path.is_dir():  # os.replace would say so too, but only after other files have taken their places
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    path.parent.mkdir(parents=True, exist_ok=True)
    with temporary.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _alone(folders: Set[Path]) -> Iterator[None]:
    """Hold folders so that two writers do not interleave; where the system or the disk knows no such locks, nothing happens."""
    with ExitStack() as held:
        with suppress(ImportError, OSError):
            import fcntl

            for folder in sorted(folders):
                descriptor = os.open(folder, os.O_RDONLY)
                held.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


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
