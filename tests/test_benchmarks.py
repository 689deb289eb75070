"""The benchmarks run and print what they promise; how long anything takes is not asserted."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from benchmarks import peers
from benchmarks.counterparts import ALBUMENTATIONS, TORCHVISION
from benchmarks.operations import transforms
from benchmarks.plain import OPENCV, PILLOW
from benchmarks.timing import interleaved

from foreign import albumentations

ROOT = Path(__file__).parents[1]
TIMES = r"[\d,.]+ us"


@pytest.fixture(autouse=True, scope="module")
def A():
    return albumentations()


def test_the_longer_ones_load() -> None:
    names = [f"benchmarks.{file.stem}" for file in (ROOT / "benchmarks").glob("[a-z]*.py")]
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    command = [sys.executable, "-c", f"import {', '.join(names)}"]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": paths}, check=True)


def told(module: str, *arguments: str) -> str:
    """What a benchmark prints, in a process of its own, since it sets the threads of every library."""
    command = [sys.executable, "-m", f"benchmarks.{module}", "--batch", "2", "--rounds", "1", *arguments]
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_policies_print_a_row_for_every_number_of_threads():
    rows = re.findall(rf"^(P3|P4|S28) +(1|2) +{TIMES} +{TIMES} .*x .*%$", told("policies", "--only", "P3", "P4", "S28"), re.MULTILINE)
    assert Counter(rows) == {(name, threads): 1 for name in ("P3", "P4", "S28") for threads in "12"}


def test_operations_print_a_row_for_every_size():
    table = told("operations", "--only", "HorizontalFlip", "CropNonEmptyMask", "Vignette", "--size", "32", "48")
    rows = re.findall(r"^(\w+) +(32|48) +[\d,.]+ +([\d,.]+|-) .* ([\d.]+x|-)", table, re.MULTILINE)
    assert {(name, side): peer == "-" for name, side, peer, _ in rows} == {
        (name, side): name == "Vignette" for name in ("HorizontalFlip", "CropNonEmptyMask", "Vignette") for side in ("32", "48")
    }
    assert "32x32: 3 transforms" in table


def test_operations_as_json_name_every_library_that_has_the_transform():
    (row,) = json.loads(told("operations", "--only", "VerticalFlip", "--size", "32", "--json"))
    assert {"vicinal", "Albumentations", "Pillow", "OpenCV"} <= set(row["microseconds"])
    assert row["ratio"] > 0


@pytest.mark.parametrize("table", [ALBUMENTATIONS, TORCHVISION, PILLOW, OPENCV])
def test_counterparts_are_those_of_registered_transforms(table):
    assert not set(table) - set(transforms())


def test_mixers_have_rows_beside_the_libraries_that_mix():
    rows = json.loads(told("operations", "--only", "AugMix", "CopyPaste", "CutMix", "MixUp", "Mosaic", "--size", "32", "--json"))
    peer = {"AugMix": "torchvision", "CutMix": "torchvision", "MixUp": "torchvision", "Mosaic": "Albumentations"}
    assert [row["transform"] for row in rows] == ["AugMix", "CopyPaste", "CutMix", "MixUp", "Mosaic"]
    libraries = set(peers.installed()[0])
    assert all(set(row["microseconds"]) == {"vicinal"} | ({peer.get(row["transform"])} & libraries) for row in rows)


def test_albumentations_operations_draw_apart(A):
    flips = (A.HorizontalFlip, A.VerticalFlip, A.Transpose, A.InvertImg)
    pipeline = peers.independent(A.Compose([operation(p=0.5) for operation in flips]), seed=0)
    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    seen = {pipeline(image=image)["image"].tobytes() for _ in range(300)}
    assert len(seen) == 2 ** len(flips) == 16  # the three moves have eight joint results, all of them different


def test_a_loop_on_two_threads_does_every_item_once():
    done = peers.Loop(lambda number: lambda item: (number, item), 2)(range(5))
    assert sorted(item for _, item in done) == list(range(5))
    assert {number for number, _ in done} == {0, 1}


def test_calls_take_turns():
    order: list[str] = []
    times = interleaved({name: lambda number, name=name: order.append(name) or 1 for name in "ab"}, rounds=2, least=0)
    assert "".join(order) == "aabb" + "abab"
    assert all(len(seconds) == 2 for seconds in times.seconds.values())
