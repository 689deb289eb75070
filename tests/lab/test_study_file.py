"""study.yaml: what it says is what is run, and everything that is wrong with it is told at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vicinal import parse
from vicinal.core.errors import Faults, ParameterError, PolicyError, VicinalError
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import Arm
from vicinal.lab.bench import Bench
from vicinal.lab.session import Options, session
from vicinal.lab.study import Study, cells
from vicinal.lab.study_file import read_study
from vicinal.lab.trial import Cell, Rules
from vicinal.learn.mlp import MLP

WHOLE = """
study: noise on digits
data: {path: digits, resize: 6}
arms:
  shift: "Translate(x=(-1, 1), y=(-1, 1))"
  noisy: {policy: "GaussianNoise(std=0.1)", copies: 1}
  file: policy.yaml
  tree: [{Rotate: {angle: [-9, 9]}}, {Invert: {}}]
  instead: {policy: "Invert()", copies: 2, instead: true}
  over: {resample: over}
  weighted: {class_weight: balanced}
  moved: {threshold: prior}
size: [60, 100]
steps: [3, 5]
strength: [0.5, 1]
label_noise: 0.1
seeds: [3, 5]
split: {dev: 0.2, test: 0.5}
trainer: {name: mlp, hidden: [8], lr: 0.2}
controls: [duplicate]
curves: {gaussian: [0.1, 0.3]}
clip: false
views: {policy: "Translate(x=(-1, 1))", count: 2}
metric: balanced_accuracy
alpha: 0.1
interval: bca
time_limit: 60
"""
SMALL = {"data": "digits", "arms": {"turn": "Rotate(angle=(-9, 9))"}, "seeds": 2, "size": 60, "steps": 3}
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """``write(SMALL, steps=5)``: a file that says so; JSON is YAML."""

    def file(fields: dict[str, Any] | str, **more: Any) -> Path:
        path = tmp_path / "study.yaml"
        path.write_text(fields if isinstance(fields, str) else json.dumps(fields | more))
        return path

    return file


def faults(path: Path, **how: Any) -> list[VicinalError]:
    with pytest.raises(VicinalError) as caught:
        read_study(path, **how)
    found = caught.value
    return list(found.faults) if isinstance(found, Faults) else [found]


def test_a_file_that_is_not_there_is_called_what_it_should_be(tmp_path: Path) -> None:
    with pytest.raises(VicinalError, match=r"none\.yaml: expected a readable study file, got No such file"):
        read_study(tmp_path / "none.yaml")


def test_a_fault_of_a_whole_field_stands_under_its_name(write: Write) -> None:
    assert [fault.where for fault in faults(write(SMALL, steps="many"))] == ["steps"]


def test_a_file_says_everything_that_decides_a_study(write: Write, tmp_path: Path, digits: Dataset) -> None:
    parse("Invert()").save(tmp_path / "policy.yaml")
    study = read_study(write(WHOLE))
    assert (study.name, study.data.images.shape[1:], len(study.data)) == ("noise on digits", (6, 6, 1), len(digits))  # type: ignore[union-attr]
    assert {arm.name: arm for arm in study.arms} == {
        arm.name: arm
        for arm in (
            Arm("shift", parse("Translate(x=(-1, 1), y=(-1, 1))")),
            Arm("noisy", parse("GaussianNoise(std=0.1)"), 1),
            Arm("file", parse("Invert()")),
            replace(Arm("tree"), policy=study.arms[3].policy),
            Arm("instead", parse("Invert()"), 2, instead=True),
            Arm("over", resample="over"),
            Arm("weighted", class_weight=True),
            Arm("moved", threshold=True),
        )
    }
    assert study.arms[3].policy.fingerprint == parse("Rotate(angle=(-9, 9)) | Invert()").fingerprint  # type: ignore[union-attr]
    assert study.cells == cells([60, 100], [3, 5], strengths=[0.5, 1], label_noise=[0.1])
    assert (study.seeds, study.rules, study.controls) == ((3, 5), Rules(dev=0.2, test=0.5), ("duplicate",))
    assert study.trainer == MLP(hidden=(8,), lr=0.2)
    assert (study.curves, study.clip, study.views) == ((("gaussian", (0.1, 0.3)),), False, (parse("Translate(x=(-1, 1))"), 2))
    assert (study.metric, study.alpha, study.interval, study.limit) == ("balanced_accuracy", 0.1, "bca", 60.0)


def test_a_file_need_not_say_much(write: Write) -> None:
    study = read_study(write({"data": "digits", "arms": {"turn": "Rotate(angle=(-9, 9))"}, "curves": "gaussian"}))
    assert (study.name, study.seeds, study.cells) == ("study", tuple(range(10)), (Cell(),))
    assert study.trainer == MLP()
    assert len(study.curves[0][1]) > 1


def test_five_faults_are_told_with_their_places(write: Write) -> None:
    found = faults(
        write(
            SMALL,
            stesp=40,
            arms={"turn": "Rotat(angle=3)", "noisy": {"policy": "GaussianNoise(std=-1)", "copys": 1}},
            split={"dev": 2},
            alpha=7,
        )
    )
    assert [(fault.where, fault.write) for fault in found] == [
        ("stesp", "steps"),
        ("arms.turn.policy", "Rotate"),
        ("arms.noisy.copys", "copies"),
        ("arms.noisy.policy.GaussianNoise.std", found[3].write),
        ("split.dev", "dev: 0.1"),
        ("alpha", "alpha: 0.05"),
    ]


FAULTS: dict[str, tuple[dict[str, Any], str, str]] = {
    "data": ({"data": "nowhere"}, "nowhere", "a file or folder that exists"),
    "data field": ({"data": {"path": "digits", "resiz": 8}}, "data.resiz", "'resiz'"),
    "no data path": ({"data": {"resize": 8}}, "data", "at least path"),
    "arms": ({"arms": ["Invert()"]}, "arms", "a mapping of names to policies"),
    "reserved": ({"arms": {"none": "Invert()"}}, "arms.none", "always compared"),
    "both copies and resample": (
        {"arms": {"a": {"policy": "Invert()", "copies": 1, "resample": "over"}}},
        "a",
        "either copies or resample",
    ),
    "copies": ({"arms": {"a": {"policy": "Invert()", "copies": "two"}}}, "arms.a.copies", "a whole number"),
    "class_weight": ({"arms": {"a": {"class_weight": "heavy"}}}, "arms.a.class_weight", "balanced, true or false"),
    "for series": ({"arms": {"a": "Jitter(std=0.1)"}}, "arm a: Jitter", "transforms for image"),
    "both budgets": ({"epochs": 3}, "epochs", "either steps or epochs"),
    "steps": ({"steps": 10.5}, "steps", "a whole number"),
    "steps in words": ({"steps": "many"}, "steps", "a number, or a list of numbers"),
    "strength": ({"strength": 9}, "strength", "a number from 0 to 4"),
    "twice": ({"size": [60, 60]}, "cells", "all different"),
    "seeds": ({"seeds": 0}, "seeds", "how many, 1 or more"),
    "same seeds": ({"seeds": [1, 1]}, "seeds", "all different"),
    "split": ({"split": {"by": "items"}}, "split.by", "source or item"),
    "trainer": ({"trainer": "mlpp"}, "trainer", "one of "),
    "setting": ({"trainer": {"name": "mlp", "lrr": 1}}, "MLP", "a setting of mlp"),
    "controls": ({"controls": ["cheep"]}, "controls", "any of duplicate, steps, cheap"),
    "curves": ({"curves": "gausian"}, "curves", "gaussian"),
    "level": ({"curves": {"gaussian": [-1]}}, "curves", ""),
    "views": ({"views": {"policy": "Invert()"}}, "views", "a policy and a count"),
    "metric": ({"metric": "acuracy"}, "metric", "accuracy"),
    "metric of another kind": ({"metric": "rmse"}, "metric", "classification"),
    "alpha": ({"alpha": "small"}, "alpha", "a share between 0 and 1"),
    "interval": ({"interval": "z"}, "interval", "t or bca"),
    "time_limit": ({"time_limit": "long"}, "time_limit", "a number of seconds"),
    "study": ({"study": 5}, "study", "a name"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_cannot_be_is_told_with_its_place(write: Write, name: str) -> None:
    fields, where, words = FAULTS[name]
    (found,) = faults(write(SMALL, **fields))
    assert where in found.where
    assert words in f"{found.expected} {found.got} {found.write}"


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just text", "a: [1", "\x00"])
def test_what_is_no_study_is_refused(write: Write, text: str) -> None:
    assert "study.yaml" in str(faults(write(text))[0])


def test_code_is_imported_from_trusted_files_alone(write: Write) -> None:
    (found,) = faults(write(SMALL, arms={"own": {"policy": [{"Lambda": {"function": "numpy:flip"}}]}}))
    assert ("names no code" in found.expected, found.write) == (True, "--trusted, if you know where the file is from")
    study = read_study(write(SMALL, arms={"own": {"policy": [{"Lambda": {"function": "numpy:flip"}}]}}), trusted=True)
    assert study.arms[0].name == "own"


def test_generated_items_lie_beside_the_file(write: Write, tmp_path: Path, digits: Dataset) -> None:
    np.savez(tmp_path / "made.npz", images=digits.images[:20, ..., 0], labels=digits.labels[:20])  # type: ignore[call-overload]
    (arm,) = read_study(write(SMALL, arms={"made": {"generated": "made.npz"}})).arms
    assert arm.generated is not None
    assert (len(arm.generated), arm.generated.lone) == (20, True)


def test_an_axis_is_in_the_result(write: Write, tmp_path: Path) -> None:
    path = write(SMALL, size=[40, 60], strength=[0.5, 1.0], controls=[])
    found, report = session(Options(str(path), out=tmp_path / "out"))
    assert [cell["cell"]["size"] for cell in found["cells"]] == [40, 40, 60, 60]
    assert (found["study"], found["cell"], report.exists()) == ("study", {"size": 60, "steps": 3}, True)


def test_what_the_file_says_cannot_be_typed_as_well(write: Write, tmp_path: Path) -> None:
    path = write(SMALL)
    with pytest.raises(
        ParameterError, match=rf"--seeds: expected the study file to say it: {path}, got both; write seeds: ... in the file"
    ):
        session(Options(str(path), seeds=5, out=tmp_path / "out"))
    with pytest.raises(ParameterError, match="--arm: expected the study file to say it"):
        session(Options(str(path), arms=("a=Invert()",), out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_study_has_arms_of_different_names(digits: Dataset) -> None:
    for name in ("none", "duplicate", "none, 12 steps"):
        with pytest.raises(PolicyError, match="a name that no other arm and no control has"):
            Study(digits, (Arm(name, parse("Invert()")),))
    with pytest.raises(Faults):
        Study(digits, (Arm("a", parse("Invert()")), Arm("a", parse("Rotate(angle=9)"))))


def test_trials_do_not_depend_on_how_the_study_was_said(write: Write, digits: Dataset) -> None:
    said, made = (
        read_study(write(SMALL)),
        Study(digits, (Arm("turn", parse("Rotate(angle=(-9, 9))")),), seeds=(0, 1), cells=cells([60], [3])),
    )
    assert [trial.key for trial in said.trials(Bench(digits))] == [trial.key for trial in made.trials(Bench(digits))]
