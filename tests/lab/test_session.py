"""From what a person typed to the files on disk."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vicinal.core.errors import DataError, ParameterError, PolicyError, StoreError
from vicinal.data.dataset import Dataset
from vicinal.lab.load import load, resized
from vicinal.lab.session import STEPS, Options, check_writable, session

QUICK: dict[str, Any] = {"arms": ("flip=HorizontalFlip(p=0.5)",), "size": 40, "seeds": 2, "steps": 4}


def test_a_session_leaves_a_result_and_a_report(tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    seen: list[int] = []
    found, report = session(Options("digits", **QUICK, out=out, command="the command"), lambda done, total: seen.append(done))
    assert {path.name for path in out.iterdir()} == {"result.json", "report.html"}
    assert report == out / "report.html"
    assert json.loads((out / "result.json").read_text("utf-8")) == json.loads(json.dumps(found))
    page = report.read_text("utf-8")
    assert all(text in page for text in (found["question"], "the command", "HorizontalFlip(p=0.5)", "data:image/png;base64,"))
    assert found["command"] == "the command"
    assert seen == [1, 2, 3, 4]


def test_settings_as_typed() -> None:
    setup = Options("digits", seeds=3, hidden="16", lr=0.5, split="item", interval="bca", size=90).setup()
    assert (setup.seeds, setup.model.hidden, setup.model.lr, setup.by, setup.interval) == ((0, 1, 2), (16,), 0.5, "item", "bca")
    assert (setup.steps, setup.epochs) == (STEPS, None)
    assert (Options("digits", epochs=3).setup().steps, Options("digits", steps=5).setup().steps) == (None, 5)
    assert Options("digits", hidden=" ").setup().model.hidden == ()


@pytest.mark.parametrize(
    ("typed", "where", "write"),
    [
        ({"hidden": "64;32"}, "--hidden", "--hidden 64,32"),
        ({"hidden": "64,,32"}, "--hidden", "--hidden 64,32"),
        ({"hidden": "64,0"}, "--hidden", "--hidden 64,32"),
        ({"lr": 0.0}, "--lr", "--lr 0.1"),
        ({"lr": float("nan")}, "--lr", "--lr 0.1"),
        ({"batch": 0}, "--batch", "--batch 32"),
        ({"dev": 1.0}, "--dev", "--dev 0.1"),
        ({"alpha": 2.0}, "--alpha", "--alpha 0.05"),
        ({"split": "items"}, "--split", "--split source"),
        ({"interval": "normal"}, "--interval", "--interval t"),
        ({"steps": 10, "epochs": 2}, "budget", "--steps 2000"),
        ({"seeds": 0}, "--seeds", "--seeds 10"),
    ],
)
def test_a_setting_is_refused_under_the_name_of_its_option(typed: dict[str, Any], where: str, write: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Options("digits", **typed).setup()
    assert (caught.value.where, caught.value.write) == (where, write)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [({"data": "nowhere"}, DataError), ({"arms": ("a=Rotat()",)}, PolicyError), ({"size": 5000}, DataError), ({"lr": -1}, ParameterError)],
)
def test_a_fault_leaves_nothing_not_even_a_folder(tmp_path: Path, wrong: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        session(Options(**{"data": "digits", **QUICK, "out": tmp_path / "out"} | wrong))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused_before_the_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StoreError, match=r"expected a folder that can be written, got .* write --out another-folder"):
            session(Options("nowhere", out=out))  # before the data are looked for, too
    check_writable(tmp_path / "a" / "b")
    assert {path.name for path in tmp_path.iterdir()} == {"file"}


def test_images_are_brought_to_one_size(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(12):
        folder = tmp_path / "pictures" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8 + number, 10, 3)).astype(np.uint8)).save(folder / f"{number}.png")
    options = QUICK | {"size": None, "hidden": "4"}
    with pytest.raises(DataError, match="write --resize 32"):
        session(Options(str(tmp_path / "pictures"), **options, out=tmp_path / "out"))
    found, _ = session(Options(str(tmp_path / "pictures"), **options, resize=6, out=tmp_path / "out"))
    assert found["data"]["shape"] == [6, 6, 3]


def test_resizing_one_image_or_many_is_the_same(digits: Dataset) -> None:
    some = digits.take(range(4))
    assert np.array_equal(resized(some, 12).images[2], resized(some.take([2]), 12).images[0])
    assert np.array_equal(resized(some, 8).images, some.images)


def test_items_left_out_are_in_the_result(tmp_path: Path) -> None:
    rows = [f"{label}," + ",".join(map(str, range(label, label + 4))) for label in range(2) for _ in range(8)]
    (tmp_path / "small.csv").write_text("\n".join([*rows, "1,2,3"]))
    assert load(str(tmp_path / "small.csv"), skip_bad=True).skipped == ("small.csv:17",)
    options = QUICK | {"size": None, "hidden": "4"}
    found, _ = session(Options(str(tmp_path / "small.csv"), **options, skip_bad=True, out=tmp_path / "out"))
    assert found["data"]["skipped"] == ["small.csv:17"]
    assert any("1 unreadable item was left out: small.csv:17" in warning for warning in found["warnings"])


TRAINING = """
import os, signal, sys
from pathlib import Path
from vicinal.lab.load import load, resized
from vicinal.lab.session import Options, session
session(Options("digits", arms=("a=Invert()",), size=40, seeds=2, steps=20, out=Path(sys.argv[1])),
        lambda done, total: os.kill(os.getpid(), signal.SIGKILL) if done == 10 else None)
"""
WRITING = """
import json, os, signal, sys
from pathlib import Path
from vicinal.lab.report import write_outputs
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
folder = Path(sys.argv[1])
write_outputs(json.loads((folder / "result.json").read_text()) | {"command": "another"}, {}, folder)
"""


@pytest.mark.parametrize("script", [TRAINING, WRITING], ids=["training", "writing"])
def test_a_kill_leaves_the_old_files_whole(tmp_path: Path, script: str) -> None:
    session(Options("digits", **QUICK, out=tmp_path))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, env=os.environ)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if not path.name.startswith(".")} == before
