"""result.json: its schema, its sentences, and pictures of what each arm really made."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from vicinal.data.build import from_arrays
from vicinal.data.dataset import Dataset
from vicinal.lab import store
from vicinal.lab.compare import Run, Setup, run
from vicinal.lab.feed import inputs
from vicinal.lab.preview import sheets
from vicinal.lab.report.sheet import ROWS, VERSIONS
from vicinal.lab.result import result, step_note, warnings
from vicinal.lab.result_file import result_bytes

Compare = Callable[..., list[Run]]
S, C = 3, 10  # seeds, classes
ARMS = ["fly=GaussianNoise(std=(0, 0.2))", "noisy:2=UniformNoise(low=0, high=0.5)"]


@pytest.fixture(scope="module")
def steps(compared: Compare) -> list[Run]:
    return compared(ARMS)


@pytest.fixture(scope="module")
def epochs(compared: Compare) -> list[Run]:
    return compared(ARMS, epochs=15)


@pytest.fixture(scope="module")
def found(digits: Dataset, steps: list[Run]) -> dict[str, Any]:
    return result(digits, Setup((0, 1, 2), size=60, steps=40), steps, "vicinal compare digits", 1.5)


def form(value: Any) -> Any:
    """Names, shapes and kinds of plain data."""
    if isinstance(value, dict):
        return {name: form(item) for name, item in value.items()}
    if isinstance(value, list):
        return [len(value), form(value[0])] if value else [0]
    return type(value).__name__


SCORES, CURVE = [S, "float"], [20, [S, "float"]]
DIFFERENCE = {
    "against": "str",
    "mean": "float",
    "low": "float",
    "high": "float",
    "p": "float",
    "p_adjusted": "float",
    "per_class": [C, "float"],
}
ARM = {
    "name": "str",
    "policy": "str",
    "fingerprint": "str",
    "mode": "str",
    "copies": "int",
    "seeds": [S, "int"],
    "steps": "int",
    "step_ratio": "float",
    "scores": SCORES,
    "mean": "float",
    "train_scores": SCORES,
    "dev_scores": SCORES,
    "per_class": [C, "float"],
    "difference": DIFFERENCE,
    "verdict": "str",
    "seeds_needed": "int",
    "curve": {"steps": [20, "int"], "train": CURVE, "dev": CURVE},
    "cost": {"augment_seconds": "float", "train_seconds": "float", "ms_per_item": "float"},
}
SCHEMA = {
    "schema": "int",
    "vicinal": "str",
    "question": "str",
    "answer": "str",
    "step_note": "NoneType",
    "command": "str",
    "created": "str",
    "seconds": "float",
    "data": {
        "name": "str",
        "origin": "str",
        "format": "str",
        "classes": [C, "str"],
        "shape": [3, "int"],
        "pool": "int",
        "train": "int",
        "dev": "int",
        "test": "int",
        "skipped": [0],
    },
    "budget": {"kind": "str", "steps": "int", "epochs": "NoneType", "batch": "int"},
    "trainer": {"name": "str", "hidden": [2, "int"], "lr": "float", "batch": "int", "momentum": "float", "weight_decay": "float"},
    "seeds": [S, "int"],
    "alpha": "float",
    "interval": "str",
    "leak": {"allowed": "bool", "share": "float", "test_share": "float"},
    "warnings": [1, "str"],
}


def test_the_schema_is_as_documented(found: dict[str, Any]) -> None:
    read = json.loads(result_bytes(found))
    shape = form({name: value for name, value in read.items() if name not in ("arms", "environment")})
    assert shape == SCHEMA
    none, duplicate, *rest = (form(arm) for arm in read["arms"])
    missing = {"policy": "NoneType", "fingerprint": "NoneType"}
    assert none == ARM | missing | {"difference": "NoneType", "seeds_needed": "NoneType"}
    for arm, without in ((duplicate, missing), (rest[0], {}), (rest[1], {})):
        assert arm | {"seeds_needed": "int"} == ARM | without
    assert {"python", "machine", "numpy", "torch"} <= set(read["environment"])


def test_every_field_stands_in_the_documentation(found: dict[str, Any]) -> None:
    told = store.__doc__ or ""
    names = [*found, *found["data"], *found["budget"], *found["leak"], *ARM, *DIFFERENCE, *found["arms"][0]["cost"]]
    assert [name for name in names if name not in told] == []


def test_numbers_agree_with_each_other(found: dict[str, Any], steps: list[Run]) -> None:
    none, duplicate, fly, noisy = found["arms"]
    assert [arm["name"] for arm in found["arms"]] == ["none", "duplicate", "fly", "noisy"]
    assert [arm["mode"] for arm in found["arms"]] == ["none", "duplicate", "fly", "copies"]
    assert (noisy["copies"], duplicate["copies"], noisy["policy"]) == (2, 2, "UniformNoise(low=0, high=0.5)")
    for arm in (duplicate, fly, noisy):
        assert arm["difference"]["mean"] == pytest.approx(np.mean(np.subtract(arm["scores"], none["scores"])))
        assert np.allclose(arm["difference"]["per_class"], np.subtract(arm["per_class"], none["per_class"]))
        assert arm["difference"]["low"] <= arm["difference"]["mean"] <= arm["difference"]["high"]
        assert 0 < arm["difference"]["p"] <= arm["difference"]["p_adjusted"] <= 1
    assert all(arm["mean"] == pytest.approx(np.mean(arm["scores"])) for arm in found["arms"])
    assert all(arm["curve"]["dev"][-1] == arm["dev_scores"] and arm["curve"]["train"][-1] == arm["train_scores"] for arm in found["arms"])
    assert found["data"]["train"] + found["data"]["dev"] == 60
    assert found["data"]["pool"] + found["data"]["test"] == 1797
    assert {run.score for run in steps} == {score for arm in found["arms"] for score in arm["scores"]}
    assert (none["cost"]["ms_per_item"], noisy["cost"]["augment_seconds"] > 0) == (0.0, True)


def test_question_and_answer_at_equal_steps(found: dict[str, Any]) -> None:
    assert found["question"] == "Which of these augmentations helps on digits (60 images), by how much, and can I believe it?"
    assert found["answer"].startswith("No evidence either way for")
    assert found["step_note"] is None


def test_at_equal_epochs_the_answer_says_so_and_the_note_what_is_compute(digits: Dataset, epochs: list[Run]) -> None:
    told = result(digits, Setup((0, 1, 2), size=60, steps=None, epochs=15), epochs, "", 1.0)
    assert told["answer"].startswith("At equal epochs: ")
    assert "none, 76 steps" not in told["answer"]
    assert [(arm["name"], arm["steps"], round(arm["step_ratio"], 1)) for arm in told["arms"]][-2:] == [
        ("noisy", 76, 3.0),
        ("none, 76 steps", 76, 3.0),
    ]
    assert told["step_note"].startswith("noisy took 3.0 times the optimiser steps of none and differs from it by ")
    assert told["step_note"].count("took") == 1  # fly takes the steps of none


def scored(name: str, steps: int, scores: list[float], runs: list[Run], control: bool = False) -> list[Run]:
    """Runs with invented scores."""
    kind = next(run for run in runs if run.arm.mode == ("none" if name.startswith("none") else "copies"))
    arm = replace(kind.arm, name=name, steps=steps if control else None)
    made = [replace(kind, replica=replace(kind.replica, arm=arm), steps=steps) for _ in scores]
    for run_, score in zip(made, scores, strict=True):
        run_.score = score
    return made


@pytest.mark.parametrize(
    ("naive", "honest", "ending"),
    [
        (0.10, -0.005, "differs by -0.5 points [-0.5, -0.5]. All of the gain is compute, not augmentation."),
        (0.10, 0.025, "differs by +2.5 points [2.5, 2.5]. About 75 % of the gain is compute."),
        (0.10, 0.11, "differs by +11.0 points [11.0, 11.0]."),
        (-0.10, -0.12, "differs by -12.0 points [-12.0, -12.0]."),
    ],
)
def test_the_note_divides_a_gain(steps: list[Run], naive: float, honest: float, ending: str) -> None:
    base = [0.5, 0.625, 0.75]
    plan = {"none": (40, 0.0), "noisy": (80, naive), "none, 80 steps": (80, naive - honest)}
    by_arm = {name: scored(name, count, [score + gain for score in base], steps, "," in name) for name, (count, gain) in plan.items()}
    note = step_note(by_arm, Setup((0, 1, 2)))
    assert note is not None
    assert note.startswith(f"noisy took 2.0 times the optimiser steps of none and differs from it by {100 * naive:+.1f} points. ")
    assert note.endswith(ending)


def test_one_seed_gives_no_interval_and_says_what_to_write(digits: Dataset, compared: Compare) -> None:
    told = result(digits, Setup((0,), size=60, steps=None, epochs=2), compared(ARMS[1:], epochs=2, seeds=(0,)), "", 1.0)
    read = json.loads(result_bytes(told))
    assert (read["arms"][1]["difference"]["low"], read["arms"][1]["difference"]["p"]) == (None, 1.0)
    assert read["step_note"].startswith("noisy took 3.3 times")
    assert read["step_note"].endswith(" points.")  # what is compute cannot be told from one seed
    assert read["warnings"][0].startswith("1 seed cannot settle anything, however large the effect")
    assert read["warnings"][0].endswith("write --seeds 7")


def test_warnings_name_what_makes_a_verdict_hollow(digits: Dataset) -> None:
    enough, few = Setup(tuple(range(8))), Setup((0, 1, 2))
    varied = {name: np.linspace(0.8, 0.9, 8) for name in ("none", "a")}
    assert warnings(digits, enough, varied) == []
    assert "at least 6; write --seeds 6" in warnings(digits, few, varied)[0]
    assert warnings(digits, enough, varied | {"a": np.full(8, 0.5)}) == [
        "arm 'a': all 8 seeds scored exactly 0.5; either the seed is not used or the score is saturated"
    ]
    one, many = (replace(digits, skipped=tuple(f"{i}.png (not an image)" for i in range(count))) for count in (1, 7))
    assert warnings(one, enough, varied) == ["1 unreadable item was left out: 0.png (not an image)"]
    assert warnings(many, enough, varied)[0].startswith("7 unreadable items were left out: 0.png (not an image), 1.png")
    assert warnings(many, enough, varied)[0].endswith("and 2 more")


def test_the_leak_is_that_of_the_arm_that_leaks_most(digits: Dataset, compared: Compare) -> None:
    leaking = compared(["fly=Invert()"], by="item", allow_leak=True, steps=2)
    told = result(digits, Setup((0, 1, 2), size=60, steps=2, by="item", allow_leak=True), leaking, "", 1.0)
    assert told["leak"]["allowed"]
    assert told["leak"]["share"] == pytest.approx(np.mean([run.leak for run in leaking if run.arm.name == "duplicate"]))
    assert told["leak"]["share"] > 0.7
    assert any("part of any difference is more data" in warning for warning in told["warnings"])
    assert told["leak"]["test_share"] == 0.0


def test_a_class_without_test_items_has_no_recall() -> None:
    images = np.random.default_rng(0).integers(0, 256, (60, 4, 4)).astype(np.uint8)
    labels = np.arange(60) % 3
    data = from_arrays(images, labels, official_test=(np.arange(60) >= 40) & (labels != 2))
    setup = Setup((0, 1), steps=4)
    read = json.loads(result_bytes(result(data, setup, run(data, [], setup), "", 1.0)))
    assert [arm["per_class"][2] for arm in read["arms"]] == [None, None]
    assert read["arms"][1]["difference"]["per_class"][2] is None
    assert None not in read["arms"][0]["scores"]


def test_sheets_show_what_training_saw(steps: list[Run]) -> None:
    found = sheets(steps)
    assert list(found) == ["fly", "noisy"]
    first = {name: next(run.replica for run in steps if run.arm.name == name) for name in found}
    for name, sheet in found.items():
        replica = first[name]
        assert len(sheet.rows) == ROWS
        for row in sheet.rows:
            source = int(row.address.split("index=")[1].split(",")[0])
            items = np.flatnonzero(replica.sources == source)
            assert np.array_equal(inputs(row.original[None])[0], replica.kept(items)[0])
            for number, version in enumerate(row.versions):
                seen = replica.shown(items[:1], number) if name == "fly" else replica.kept(items[1 + number : 2 + number])
                assert np.array_equal(inputs(version[None]), seen)


def test_sheets_say_where_their_versions_lie(steps: list[Run], compared: Compare) -> None:
    fly, noisy = (sheet.rows[0].address for sheet in sheets(steps).values())
    assert fly.startswith("seed=0, epoch=0..5, index=")
    assert fly.endswith(", view=0")
    assert noisy.startswith("seed=0, epoch=0, index=")
    assert noisy.endswith(", view=[1, 2]")
    one = sheets(compared(["a:1=Invert()", "b=Invert()"], steps=1))
    assert one["a"].rows[0].address.endswith("view=1")
    assert ", epoch=0, " in one["b"].rows[0].address
    assert {len(row.versions) for row in one["b"].rows} == {1}


def test_values_outside_the_range_reach_the_sheet(compared: Compare) -> None:
    row = sheets(compared(['keep:1=UniformNoise(low=0.5, high=1, overflow="keep")'], steps=1))["keep"].rows[0]
    assert row.original.dtype == np.uint8
    assert row.versions[0].max() > 1
    assert len(row.versions) == 1 <= VERSIONS
