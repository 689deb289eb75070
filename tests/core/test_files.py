"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from vicinal.core.errors import StoreError
from vicinal.core.files import write_files


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_full_disk_keeps_the_old_files(tiny_disk: Path) -> None:
    small, large = tiny_disk / "result.json", tiny_disk / "report.html"
    write_files({small: b"old result", large: b"old report"})
    with pytest.raises(StoreError) as caught:
        write_files({small: b"new result", large: b"x" * 200_000})
    assert (small.read_bytes(), large.read_bytes()) == (b"old result", b"old report")
    assert names(tiny_disk) == {"result.json", "report.html"}
    assert "report.html: expected room for 200,000 bytes, got No space left on device" in str(caught.value)


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_any_fault_removes_the_temporaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int) -> None:
    target = tmp_path / "report.html"
    target.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(StoreError, match=os.strerror(code)):
        write_files({target: b"new"})
    assert target.read_bytes() == b"old"
    assert names(tmp_path) == {"report.html"}


def test_an_interrupt_removes_the_temporaries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_files({tmp_path / "report.html": b"new"})
    assert names(tmp_path) == set()


def test_no_file_is_replaced_before_all_are_safe(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()  # a folder stands where the second file should go
    (tmp_path / "result.json").write_bytes(b"old")
    with pytest.raises(StoreError, match=r"report\.html: expected a file that can be written, got Is a directory"):
        write_files({tmp_path / "result.json": b"new", tmp_path / "report.html": b"new"})
    assert (tmp_path / "result.json").read_bytes() == b"old"
    assert names(tmp_path) == {"result.json", "report.html"}


def test_two_writers_leave_the_files_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both, replace = threading.Barrier(2), os.replace

    def slow(source: Path, target: Path) -> None:
        replace(source, target)
        with suppress(threading.BrokenBarrierError):
            both.wait(0.2)  # without the lock both have now written one file, and each would write the other one

    monkeypatch.setattr(os, "replace", slow)
    first, second = tmp_path / "result.json", tmp_path / "report.html"
    orders = ({first: b"a", second: b"a"}, {second: b"b", first: b"b"})
    writers = [threading.Thread(target=write_files, args=(files,)) for files in orders]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert first.read_bytes() == second.read_bytes()


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "out").write_bytes(b"mine")
    with pytest.raises(StoreError, match="write to another folder"):
        write_files({tmp_path / "out" / "result.json": b"new"})
    assert (tmp_path / "out").read_bytes() == b"mine"


def test_missing_folders_are_made_and_the_umask_is_respected(tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "result.json"
    old = os.umask(0o027)
    try:
        write_files({target: b"{}"})
    finally:
        os.umask(old)
    assert target.stat().st_mode & 0o777 == 0o640
