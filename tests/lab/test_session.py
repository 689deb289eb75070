"""From what a person typed to the files on disk."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from vicinal.core.errors import DataError, Faults, ParameterError, PolicyError, StoreError
from vicinal.data.dataset import Dataset
from vicinal.lab.engine import engine
from vicinal.lab.forecast import Forecast
from vicinal.lab.load import load, resized
from vicinal.lab.session import STEPS, Options, check_writable, session
from vicinal.lab.store import Store
from vicinal.lab.trial import Cell
from vicinal.learn.mlp import MLP

QUICK: dict[str, Any] = {"arms": ("flip=HorizontalFlip(p=0.5)",), "size": 40, "seeds": 2, "steps": 4}


def test_a_session_leaves_a_result_and_a_report(tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    seen: list[float] = []
    found, report = session(Options("digits", **QUICK, out=out, command="the command"), lambda done, total: seen.append(done))
    assert {path.name for path in out.iterdir()} == {"result.json", "report.html", "trials.db"}
    assert report == out / "report.html"
    assert json.loads((out / "result.json").read_text("utf-8")) == json.loads(json.dumps(found))
    page = report.read_text("utf-8")
    assert all(text in page for text in (found["question"], "the command", "HorizontalFlip(p=0.5)", "data:image/png;base64,"))
    assert found["command"] == "the command"
    assert (seen[0], seen[-1], seen == sorted(seen)) == (0, 6, True)


def test_settings_as_typed(digits: Dataset) -> None:
    study = Options("digits", seeds=3, hidden="16", lr=0.5, split="item", interval="bca", size=90, time_limit=5).study(digits)
    assert (study.seeds, study.rules.by, study.interval, study.limit) == ((0, 1, 2), "item", "bca", 5)
    assert study.trainer == MLP(hidden=(16,), lr=0.5)
    assert study.cells == (Cell(size=90, steps=STEPS),)
    assert Options("digits", epochs=3).study(digits).cells == (Cell(steps=None, epochs=3),)
    assert Options("digits", steps=5).study(digits).cells == (Cell(steps=5),)
    assert Options("digits", hidden=" ").study(digits).trainer == MLP(hidden=())


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
        ({"steps": 10, "epochs": 2}, "--steps", "--steps 2000"),
        ({"time_limit": -1.0}, "--time-limit", "--time-limit 60"),
        ({"seeds": 0}, "--seeds", "--seeds 10"),
    ],
)
def test_a_setting_is_refused_under_the_name_of_its_option(digits: Dataset, typed: dict[str, Any], where: str, write: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Options("digits", **typed).study(digits)
    assert (caught.value.where, caught.value.write) == (where, write)


def test_several_settings_are_refused_at_once(digits: Dataset) -> None:
    with pytest.raises(Faults) as caught:
        Options("digits", alpha=2, interval="normal", seeds=0).study(digits)
    assert [fault.where for fault in caught.value.faults] == ["--seeds", "--alpha", "--interval"]


def test_a_parameter_of_a_policy_is_no_option(digits: Dataset) -> None:
    with pytest.raises(PolicyError) as caught:
        Options("digits", arms=("crop=CenterCrop(size=-4)",)).study(digits)
    assert caught.value.where == "arm crop.policy.CenterCrop.size"


def test_a_store_is_gone_on_with(tmp_path: Path) -> None:
    options = Options("digits", **QUICK, out=tmp_path)
    first, _ = session(options)
    opened: list[int] = []
    second, _ = session(replace(options, seeds=3), say=lambda ahead: opened.append(ahead.open))
    assert opened == [3]
    assert [arm["scores"][:2] for arm in second["arms"]] == [arm["scores"] for arm in first["arms"]]


class Told(Exception):
    """Ends a session where its forecast is told."""


@pytest.mark.parametrize("typed", [{"workers": 1}, {"engine": "processes", "workers": 2}, {"engine": "serial"}])
def test_the_forecast_has_the_threads_of_the_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: dict[str, Any]) -> None:
    def stop(ahead: Forecast) -> None:
        raise Told

    seen, fit = set(), MLP.fit
    monkeypatch.setattr(MLP, "fit", lambda trainer, task: seen.add(torch.get_num_threads()) or fit(trainer, task))
    with pytest.raises(Told):
        session(Options("digits", **QUICK, **typed, out=tmp_path), say=stop)
    assert seen == {engine(typed.get("engine", "processes"), typed.get("workers")).threads or torch.get_num_threads()}


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"engine": "threads"}, "--engine: expected one of serial, processes, ray, got 'threads'"),
        ({"engine": "processes", "workers": 0}, "--workers: expected 1 or more"),
        ({"engine": "serial", "time_limit": 9.0}, "--engine: expected an engine with workers, which can give up a trial"),
        ({"budget": "soon"}, "--budget: expected a time such as 45s, 10m or 1h30m, got 'soon'"),
        ({"budget": "0"}, "--budget: expected a time above 0"),
        ({"budget": "9s", "race": True}, "--budget: expected either --budget or --race"),
        ({"race": True}, "--race: expected at least 6 seeds, or a race of 1 arm is never decided, got 2; write --seeds 6"),
    ],
)
def test_a_way_that_cannot_be_gone_is_refused_before_anything_is_written(tmp_path: Path, typed: dict[str, Any], words: str) -> None:
    with pytest.raises(ParameterError, match=re.escape(words)):
        session(Options("digits", **QUICK, **typed, out=tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


def test_what_failed_is_in_the_report_and_is_run_again_where_that_is_wanted(tmp_path: Path) -> None:
    options = Options("digits", **QUICK | {"seeds": 3}, out=tmp_path)
    session(options)
    with Store.open(tmp_path / "trials.db") as store:
        ((key,),) = store.read("SELECT key FROM wanted WHERE arm = 'flip' AND seed = 1")
        store.connection.execute("UPDATE trials SET state = 'failed', fault = 'no convergence' WHERE key = ?", (key,))
    found, report = session(options)
    assert found["failed"] == [{"sentence": "no convergence", "address": "arm flip, seed 1, size=40, steps=4"}]
    assert [arm["seeds"] for arm in found["arms"]] == [[0, 1, 2], [0, 1, 2], [0, 2]]
    page = report.read_text("utf-8")
    assert "1 trial failed, at arm flip, seed 1, size=40, steps=4: no convergence" in page
    assert session(replace(options, retry=True))[0]["failed"] == []


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
        lambda done, total: os.kill(os.getpid(), signal.SIGKILL) if done > 1 else None)
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
    before = {name: (tmp_path / name).read_bytes() for name in ("result.json", "report.html")}
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, env=os.environ)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    seen = {path.name for path in tmp_path.iterdir() if not path.name.startswith((".", "trials.db"))}
    assert seen == set(before)
