"""Shared fixtures: the one setting through which tests find real data, and a disk that is soon full."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Read when torch is first imported: workers share the cores, and threads that wait by spinning take them from each other.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """``shared_data("mnist")`` is the folder of a real data set; the test is skipped, saying so, where it is absent."""
    root = Path(os.environ.get("VICINAL_DATA", Path(__file__).parents[2] / "shared" / "data"))

    def find(name: str) -> Path:
        folder = root / name
        if not folder.exists():
            pytest.skip(f"real data {name!r} not found under {root}; set VICINAL_DATA")
        return folder

    return find


@pytest.fixture
def tiny_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system of 64 KiB, or of a size that an indirect parameter says; skipped where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", f"size={getattr(request, 'param', '64k')}", "tmpfs", str(folder)]
    done = mount is not None and subprocess.run(command, capture_output=True).returncode == 0
    if not done:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", folder], check=True)
