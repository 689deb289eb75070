"""result.json: its schema, its sentences, and pictures of what each arm really made."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from learners import Means

from vicinal.data.build import from_arrays, from_series
from vicinal.lab import result_file
from vicinal.lab.analysis import Scene
from vicinal.lab.analysis.controls import step_note
from vicinal.lab.arms import Arm
from vicinal.lab.bench import Bench
from vicinal.lab.conduct import Findings, conduct
from vicinal.lab.engine import Serial
from vicinal.lab.feed import inputs
from vicinal.lab.group import names, pupil
from vicinal.lab.preview import sheets
from vicinal.lab.report.sheet import ROWS, VERSIONS
from vicinal.lab.result import result, warnings
from vicinal.lab.result_file import result_bytes
from vicinal.lab.sides import Side, sides
from vicinal.lab.store import Store
from vicinal.lab.study import Study, cells
from vicinal.lab.trial import Cell

Compare = Callable[..., Findings]
Make = Callable[..., Study]
S, C, L = 3, 10, 2  # seeds, classes, levels of a corruption
ARMS = ["fly=GaussianNoise(std=(0, 0.2))", "noisy:2=UniformNoise(low=0, high=0.5)"]


@pytest.fixture(scope="module")
def steps(compared: Compare) -> Findings:
    return compared(ARMS, curves=(("gaussian", (0.1, 0.3)),))


@pytest.fixture(scope="module")
def epochs(compared: Compare) -> Findings:
    return compared(ARMS, epochs=15)


@pytest.fixture(scope="module")
def found(steps: Findings) -> dict[str, Any]:
    return result(steps, "vicinal compare digits")


def form(value: Any) -> Any:
    """Names, shapes and kinds of plain data."""
    if isinstance(value, dict):
        return {name: form(item) for name, item in value.items()}
    if isinstance(value, list):
        return [len(value), form(value[0])] if value else [0]
    return type(value).__name__


SCORES, CURVE = [S, "float"], [20, [S, "float"]]
INTERVAL = {"mean": "float", "gain": "float", "low": "float", "high": "float"}
DIFFERENCE = {
    "against": "str",
    "mean": "float",
    "low": "float",
    "high": "float",
    "p": "float",
    "p_adjusted": "float",
    "paired": SCORES,
    "per_class": [C, "float"],
}
ARM = {
    "name": "str",
    "control": "str",
    "policy": "str",
    "fingerprint": "str",
    "mode": "str",
    "how": {},
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
    "metrics": dict.fromkeys(names(regression=False), INTERVAL),
    "robustness": {"gaussian": {name: [L, "float"] for name in ("levels", *INTERVAL)}},
    "cost": {"augment_seconds": "float", "train_seconds": "float", "ms_per_item": "float"},
}
SCHEMA = {
    "schema": "int",
    "vicinal": "str",
    "study": "str",
    "question": "str",
    "answer": "str",
    "step_note": "NoneType",
    "command": "str",
    "created": "str",
    "seconds": "float",
    "metric": {"name": "str", "unit": "str", "higher": "bool", "share": "bool"},
    "data": {
        "name": "str",
        "origin": "str",
        "format": "str",
        "classes": [C, "str"],
        "kind": "str",
        "shape": [3, "int"],
        "pool": "int",
        "train": "int",
        "dev": "int",
        "test": "int",
        "skipped": [0],
    },
    "cell": {"size": "int", "steps": "int"},
    "budget": {"kind": "str", "steps": "int", "epochs": "NoneType", "batch": "int"},
    "trainer": {"name": "str", "hidden": [2, "int"], "lr": "float", "batch": "int", "momentum": "float", "weight_decay": "float"},
    "seeds": [S, "int"],
    "alpha": "float",
    "interval": "str",
    "looks": [0],
    "leak": {"allowed": "bool", "share": "float", "test_share": "float"},
    "warnings": [1, "str"],
    "failed": [0],
    "cells": [0],
}
REFERENCE = {
    "policy": "NoneType",
    "fingerprint": "NoneType",
    "difference": "NoneType",
    "seeds_needed": "NoneType",
    "metrics": {name: INTERVAL | dict.fromkeys(("gain", "low", "high"), "NoneType") for name in names(regression=False)},
    "robustness": {"gaussian": ARM["robustness"]["gaussian"] | {key: [L, "NoneType"] for key in ("low", "high")}},
}


def test_the_schema_is_as_documented(found: dict[str, Any]) -> None:
    read = json.loads(result_bytes(found))
    shape = form({name: value for name, value in read.items() if name not in ("arms", "analysis", "environment")})
    assert shape == SCHEMA
    none, duplicate, *rest = (form(arm) for arm in read["arms"])
    missing = {"policy": "NoneType", "fingerprint": "NoneType"}
    assert none == ARM | REFERENCE
    for arm, without in ((duplicate, missing), (rest[0], {}), (rest[1], {})):
        assert arm | {"seeds_needed": "int"} == ARM | without
    assert {"python", "machine", "numpy", "torch"} <= set(read["environment"])


def test_every_field_stands_in_the_documentation(found: dict[str, Any]) -> None:
    told = result_file.__doc__ or ""
    parts = (found[part] for part in ("metric", "data", "cell", "budget", "leak"))
    fields = [*found, *(name for part in parts for name in part), *ARM, *DIFFERENCE, *INTERVAL, *found["arms"][0]["cost"]]
    assert [name for name in fields if name not in told] == []


def test_numbers_agree_with_each_other(found: dict[str, Any], steps: Findings) -> None:
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
    measured = {outcome.values["test.accuracy"] for outcome in steps.outcomes.values()}
    assert measured == {score for arm in found["arms"] for score in arm["scores"]}
    for arm in (duplicate, fly, noisy):
        assert arm["difference"]["paired"] == pytest.approx(np.subtract(arm["scores"], none["scores"]))
        assert arm["metrics"]["accuracy"]["gain"] == pytest.approx(arm["difference"]["mean"])
        assert arm["metrics"]["accuracy"]["low"] == pytest.approx(arm["difference"]["low"])
        assert arm["metrics"]["nll"]["gain"] == pytest.approx(none["metrics"]["nll"]["mean"] - arm["metrics"]["nll"]["mean"])
    assert (none["cost"]["ms_per_item"], noisy["cost"]["augment_seconds"] > 0) == (0.0, True)


def test_question_and_answer_at_equal_steps(found: dict[str, Any]) -> None:
    assert found["question"] == "Which of these augmentations helps on digits (60 images), by how much, and can I believe it?"
    assert found["answer"].startswith("No evidence either way for")
    assert "duplicate" not in found["answer"]  # nobody asked about it
    assert found["step_note"] is None


def test_at_equal_epochs_the_answer_says_so_and_the_note_what_is_compute(epochs: Findings) -> None:
    told = result(epochs)
    assert told["answer"].startswith("At equal epochs: ")
    assert "none, 76 steps" not in told["answer"]
    assert [(arm["name"], arm["steps"], round(arm["step_ratio"], 1), arm["control"]) for arm in told["arms"]][-2:] == [
        ("noisy", 76, 3.0, ""),
        ("none, 76 steps", 76, 3.0, "steps"),
    ]
    assert told["step_note"].startswith("noisy took 3.0 times the optimiser steps of none and differs from it by ")
    assert told["step_note"].count("took") == 1  # fly takes the steps of none


def scored(side: Side, name: str, steps: int, scores: list[float]) -> Side:
    """A side with invented scores."""
    control = "steps" if "," in name else side.arm.control
    trials = [replace(trial, arm=replace(trial.arm, name=name, control=control), steps=steps) for trial in side.trials]
    made = [replace(outcome, values={"test.accuracy": score}) for outcome, score in zip(side.outcomes, scores, strict=True)]
    return Side(tuple(trials), tuple(made))


@pytest.mark.parametrize(
    ("naive", "honest", "ending"),
    [
        (0.10, -0.005, "differs by -0.5 points [-0.5, -0.5]. All (105 % [105, 105]) of the gain is compute, not augmentation."),
        (0.10, 0.025, "differs by +2.5 points [2.5, 2.5]. About 75 % [75, 75] of the gain is compute, not augmentation."),
        (0.10, 0.11, "differs by +11.0 points [11.0, 11.0]."),
        (-0.10, -0.12, "differs by -12.0 points [-12.0, -12.0]."),
    ],
)
def test_the_note_divides_a_gain(steps: Findings, naive: float, honest: float, ending: str) -> None:
    known, base = sides(steps, steps.study.cells[0]), [0.5, 0.625, 0.75]
    plan = {"none": ("none", 40, 0.0), "noisy": ("noisy", 80, naive), "none, 80 steps": ("none", 80, naive - honest)}
    made = {name: scored(known[kind], name, count, [score + gain for score in base]) for name, (kind, count, gain) in plan.items()}
    trials = [trial for side in made.values() for trial in side.trials]
    outcomes = dict(zip([trial.key for trial in trials], [one for side in made.values() for one in side.outcomes], strict=True))
    note = step_note(Scene(replace(steps, trials=tuple(trials), outcomes=outcomes), steps.study.cells[0]))
    assert note is not None
    assert note.startswith(f"noisy took 2.0 times the optimiser steps of none and differs from it by {100 * naive:+.1f} points. ")
    assert note.endswith(ending)


def test_one_seed_gives_no_interval_and_says_what_to_write(compared: Compare) -> None:
    read = json.loads(result_bytes(result(compared(ARMS[1:], epochs=2, seeds=(0,)))))
    assert (read["arms"][1]["difference"]["low"], read["arms"][1]["difference"]["p"]) == (None, 1.0)
    assert read["step_note"].startswith("noisy took 3.3 times")
    assert read["step_note"].endswith(" points.")  # what is compute cannot be told from one seed
    assert read["warnings"][0].startswith("1 seed cannot settle anything, however large the effect")
    assert read["warnings"][0].endswith("write --seeds 6")


def varied(side: Side, name: str, scores: list[float]) -> Side:
    return scored(Side(side.trials[:1] * len(scores), side.outcomes[:1] * len(scores)), name, 40, scores)


def test_warnings_name_what_makes_a_verdict_hollow(steps: Findings) -> None:
    study, known = steps.study, sides(steps, steps.study.cells[0])
    rising = np.linspace(0.8, 0.9, 8).tolist()
    enough = {name: varied(known[name], name, rising) for name in ("none", "fly")}
    assert warnings(study, enough) == []
    assert "at least 6; write --seeds 6" in warnings(study, known | {"noisy": known["duplicate"]})[0]
    assert warnings(study, enough | {"fly": varied(known["fly"], "fly", [0.5] * 8)}) == [
        "arm 'fly': all 8 seeds scored exactly 0.5; either the seed is not used or the score is saturated"
    ]
    one, many = (
        replace(study, data=replace(study.data, skipped=tuple(f"{i}.png (not an image)" for i in range(count)))) for count in (1, 7)
    )
    assert warnings(one, enough) == ["1 unreadable item was left out: 0.png (not an image)"]
    assert warnings(many, enough)[0].startswith("7 unreadable items were left out: 0.png (not an image), 1.png")
    assert warnings(many, enough)[0].endswith("and 2 more")


def test_the_leak_is_that_of_the_arm_that_leaks_most(compared: Compare) -> None:
    leaking = compared(["fly=Invert()"], by="item", allow_leak=True, steps=2)
    told = result(leaking)
    assert told["leak"]["allowed"]
    duplicate = sides(leaking, leaking.study.cells[0])["duplicate"]
    assert told["leak"]["share"] == pytest.approx(np.mean([outcome.leak for outcome in duplicate.outcomes]))
    assert told["leak"]["share"] > 0.7
    assert any("part of any difference is more data" in warning for warning in told["warnings"])
    assert told["leak"]["test_share"] == 0.0


def told_of(study: Study) -> dict[str, Any]:
    with Store.memory() as store:
        return json.loads(result_bytes(result(conduct(study, store, Serial()))))


def test_a_class_without_test_items_has_no_recall() -> None:
    images = np.random.default_rng(0).integers(0, 256, (60, 4, 4)).astype(np.uint8)
    labels = np.arange(60) % 3
    data = from_arrays(images, labels, official_test=(np.arange(60) >= 40) & (labels != 2))
    read = told_of(Study(data, (), seeds=(0, 1), cells=(Cell(steps=4),)))
    assert [arm["per_class"][2] for arm in read["arms"]] == [None, None]
    assert read["arms"][1]["difference"]["per_class"][2] is None
    assert None not in read["arms"][0]["scores"]


def test_values_are_judged_so_that_less_error_helps() -> None:
    x = np.random.default_rng(0).normal(size=(120, 3))
    study = Study(from_series(x, x @ [1.0, 2.0, -1.0]), (), seeds=tuple(range(8)), cells=(Cell(steps=30),), controls=())
    good = replace(study, arms=(Arm("long", steps=300),))
    read = told_of(good)
    assert read["metric"] | {"name": "rmse", "higher": False, "share": False} == read["metric"]
    none, long = read["arms"]
    assert none["mean"] > long["mean"]
    assert (long["verdict"], long["difference"]["mean"]) == ("helps", pytest.approx(none["mean"] - long["mean"]))
    assert (none["per_class"], read["data"]["classes"], read["data"]["kind"]) == ([], [], "series")


def test_an_arm_without_a_seed_in_common_is_left_out_and_named(steps: Findings) -> None:
    kept = {trial.key for trial in steps.trials if trial.seed in ((0, 1) if trial.arm.name != "fly" else (2,))}
    told = result(replace(steps, outcomes={key: outcome for key, outcome in steps.outcomes.items() if key in kept}))
    assert [(arm["name"], arm["seeds"]) for arm in told["arms"]] == [("none", [0, 1]), ("duplicate", [0, 1]), ("noisy", [0, 1])]
    assert "arm 'fly' is left out: it has no seed in common with none, or a score that does not exist" in told["warnings"]


def test_every_cell_is_there_in_short(studied: Make) -> None:
    study = studied(ARMS[:1], cells=cells([60, 80], [2], strengths=[0.5, 1]), trainer=Means())
    read = told_of(study)
    assert [(cell["cell"]["size"], cell["cell"].get("strength", 1)) for cell in read["cells"]] == [(60, 0.5), (60, 1), (80, 0.5), (80, 1)]
    assert all([arm["name"] for arm in cell["arms"]] == ["none", "duplicate", "fly"] for cell in read["cells"])
    last = read["cells"][-1]["arms"]
    assert [arm["scores"] for arm in last] == [arm["scores"] for arm in read["arms"]]
    assert last[0]["gap"] == pytest.approx(np.mean(np.subtract(read["arms"][0]["train_scores"], read["arms"][0]["scores"])))
    assert read["cell"] == {"size": 80, "steps": 2}


def shown(findings: Findings) -> Any:
    return sheets(findings, Bench(findings.study.data))


def test_sheets_show_what_training_saw(steps: Findings) -> None:
    bench = Bench(steps.study.data)
    pictures = sheets(steps, bench)
    assert list(pictures) == ["fly", "noisy"]
    first = {name: next(trial for trial in steps.trials if trial.arm.name == name) for name in pictures}
    for name, sheet in pictures.items():
        replica = pupil(bench, [first[name]]).replica
        assert len(sheet.rows) == ROWS
        for row in sheet.rows:
            source = int(row.address.split("index=")[1].split(",")[0])
            items = np.flatnonzero(replica.sources == source)
            assert np.array_equal(inputs(row.original[None])[0], replica.kept(items)[0])
            for number, version in enumerate(row.versions):
                seen = replica.shown(items[:1], number)[0] if name == "fly" else replica.kept(items[1 + number : 2 + number])
                assert np.array_equal(inputs(version[None]), seen)


def test_sheets_say_where_their_versions_lie(steps: Findings, compared: Compare) -> None:
    fly, noisy = (sheet.rows[0].address for sheet in shown(steps).values())
    assert fly.startswith("seed=0, epoch=0..5, index=")
    assert fly.endswith(", view=0")
    assert noisy.startswith("seed=0, epoch=0, index=")
    assert noisy.endswith(", view=[1, 2]")
    one = shown(compared(["a:1=Invert()", "b=Invert()"], steps=1))
    assert one["a"].rows[0].address.endswith("view=1")
    assert ", epoch=0, " in one["b"].rows[0].address
    assert {len(row.versions) for row in one["b"].rows} == {1}


def test_values_outside_the_range_reach_the_sheet(compared: Compare) -> None:
    row = shown(compared(['keep:1=UniformNoise(low=0.5, high=1, overflow="keep")'], steps=1))["keep"].rows[0]
    assert row.original.dtype == np.uint8
    assert row.versions[0].max() > 1
    assert len(row.versions) == 1 <= VERSIONS


def test_arms_that_mix_have_sheets_too(compared: Compare) -> None:
    found = shown(compared(["fly=MixUp()", "two:2=CutMix()"], trainer=Means()))
    assert list(found) == ["fly", "two"]
    assert all(len(sheet.rows) == ROWS for sheet in found.values())
