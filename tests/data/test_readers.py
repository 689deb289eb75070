"""The door: what is sniffed, what can be forced, and what is said when nothing fits."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vicinal.data import read
from vicinal.data.readers import READERS

LABELS = np.array([0, 1, 0, 1, 0, 1])


def test_readers_have_names_of_their_own_and_say_what_they_read():
    names = [reader.name for reader in READERS]
    assert names == ["digits", "line", "csv", "idx", "npz", "folder"]
    assert all(reader.looks for reader in READERS)


def test_format_can_be_forced_against_the_name(tmp_path, pixels, refused):
    np.savez(tmp_path / "a.npz", images=pixels, labels=LABELS)
    path = (tmp_path / "a.npz").rename(tmp_path / "a.dat")
    assert len(read(path, format="npz")) == 6
    refused(lambda: read(path), where=str(path), expected="one of these formats", got="a file of")


@pytest.mark.parametrize("name", ["csv", "idx", "npz", "folder"])
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_forced_format_on_something_else_is_refused_in_a_sentence(tmp_path, refused, name, kind):
    path = tmp_path / "thing"
    path.mkdir() if kind == "folder" else path.write_bytes(b"\x00\x01rubbish\xff")
    error = refused(lambda: read(path, format=name), where=str(path))
    assert error.expected
    assert error.got


def test_unknown_format_is_told_with_the_nearest(refused):
    refused(lambda: read("digits", format="foldr"), where="format", expected="csv, idx", got="'foldr'", write="folder")


def test_missing_path_is_told_with_the_nearest_name(tmp_path, refused):
    (tmp_path / "fashion-mnist").mkdir()
    path = tmp_path / "fashon-mnist" / "train"
    got = f"nothing named 'fashon-mnist' in {tmp_path}"
    refused(lambda: read(path), where=str(path), expected="exists", got=got, write=str(tmp_path / "fashion-mnist"))
    refused(lambda: read("digts"), expected="'digits'", got="nothing named 'digts'", write="digits")
    refused(lambda: read(tmp_path / "zzz"), write="digits")
    refused(lambda: read(tmp_path / "zzz", format="csv"), got="nothing named 'zzz'")


def test_nothing_fits_lists_every_format(tmp_path, refused):
    error = refused(lambda: read(tmp_path), where=str(tmp_path), expected="one of these formats", got="an empty folder")
    assert all(f"{reader.name}: {reader.looks}" in error.expected for reader in READERS)
    (tmp_path / "notes.txt").write_text("x")
    refused(lambda: read(tmp_path), got="a folder with notes.txt")


def test_what_the_system_forbids_is_told(tmp_path, monkeypatch, refused):
    (tmp_path / "a.csv").write_text("1,0\n")

    def forbidden(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    refused(lambda: read(tmp_path / "a.csv"), where="a.csv", expected="can be read", got="Permission denied")


def test_import_is_light():
    code = "import sys, vicinal.data; print([name for name in ('PIL', 'sklearn', 'torch', 'scipy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
