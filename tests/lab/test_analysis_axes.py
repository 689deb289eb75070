"""Effects along the axes of a study, of which the truth is known."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from invented import findings, study
from rich.console import Console

from vicinal.lab.analysis import analysis
from vicinal.lab.result import result
from vicinal.lab.study import cells
from vicinal.lab.terminal import print_result
from vicinal.lab.trial import Trial

ARMS = ("shift=Translate(x=(-1, 1))", "flip=HorizontalFlip(p=0.5)")
LEVELS = (0.1, 0.2)


def truth(trial: Trial) -> float:
    """Every doubling of the labels brings 4 points, shift another 4; flip helps at 40 steps and hurts at 80."""
    of_arm = {"shift": 0.04, "flip": 0.05 if trial.steps == 40 else -0.05}.get(trial.arm.name, 0.0)
    return 0.04 * float(np.log2((trial.cell.size or 100) / 100)) + of_arm


def under_noise(trial: Trial) -> dict[str, float]:
    """At the higher level flip costs what it brings at the lower one."""
    flips = (trial.arm.name == "flip") * 0.1
    return {f"gaussian@{level:g}.accuracy": 0.7 + flips * (1 if level < 0.15 else -1) + trial.seed / 1000 for level in LEVELS}


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    of = study(ARMS, cells=cells([50, 100, 200], [40, 80]), curves=(("gaussian", LEVELS),))
    return result(findings(of, truth, more=under_noise))


def one(entries: list[dict[str, Any]], **wanted: Any) -> dict[str, Any]:
    return next(entry for entry in entries if all(entry[name] == value for name, value in wanted.items()))


def test_curves_of_gains_follow_the_axes(found: dict[str, Any]) -> None:
    axes = found["analysis"]["axes"]
    assert [(axis["axis"], axis["values"]) for axis in axes] == [("labels", [50, 100, 200]), ("steps", [40, 80])]
    assert axes[0]["arms"]["shift"]["mean"] == pytest.approx([0.04] * 3, abs=0.01)
    flip = axes[1]["arms"]["flip"]
    assert flip["mean"] == pytest.approx([0.05, -0.05], abs=0.01)
    assert flip["low"][0] > 0 > flip["high"][1]


def test_an_arm_is_worth_labels(found: dict[str, Any]) -> None:
    rate = one(found["analysis"]["exchange"], arm="shift", size=50)
    assert rate["times"] == pytest.approx(2, abs=0.4)  # a doubling brings as much as the arm
    beyond = one(found["analysis"]["exchange"], arm="shift", size=200)
    assert (beyond["times"], beyond["words"][:9]) == (None, "more than")
    assert "worth 2." in found["analysis"]["sentences"][0] or "worth 1.9x" in found["analysis"]["sentences"][0]


def test_sign_maps_show_where_the_sign_flips(found: dict[str, Any]) -> None:
    of_steps = one(found["analysis"]["signs"], arm="flip")
    assert (of_steps["rows"]["name"], of_steps["columns"]) == ("labels", {"name": "steps", "values": [40, 80]})
    assert [[cell["sign"] for cell in row] for row in of_steps["cells"]] == [[1, -1]] * 3
    assert of_steps["sentence"] == "flip: helps up to 40 steps, hurts from 80 steps."
    columns = {"name": "gaussian on test", "values": [0.1, 0.2]}
    of_noise = one(found["analysis"]["signs"], arm="flip", columns=columns)
    assert {tuple(cell["sign"] for cell in row) for row in of_noise["cells"]} == {(1, -1)}


def test_a_flip_is_said_and_no_other(found: dict[str, Any]) -> None:
    said = [sentence for sentence in found["analysis"]["sentences"] if "flips" in sentence]
    assert said == ["The sign of flip flips: it helps up to 40 steps, hurts from 80 steps."]


def test_interactions_are_tested_by_seed(found: dict[str, Any]) -> None:
    of_flip = one(found["analysis"]["interactions"], arm="flip", axis="steps")
    assert (of_flip["from"], of_flip["to"]) == (40, 80)
    assert of_flip["mean"] == pytest.approx(-0.1, abs=0.01)
    assert of_flip["p"] < 0.05
    assert of_flip["sentence"].startswith("The gain of flip shrinks from 40 to 80 steps: -")
    assert one(found["analysis"]["interactions"], arm="shift", axis="steps")["p"] > 0.05


def test_a_study_with_one_cell_has_no_axes() -> None:
    of = findings(study(ARMS))
    found = analysis(of, of.study.cells[-1])
    assert [found[name] for name in ("axes", "signs", "interactions", "exchange")] == [[], [], [], []]


@pytest.mark.parametrize("width", [60, 120])
def test_the_terminal_shows_sentences_and_axes(found: dict[str, Any], width: int) -> None:
    console = Console(width=width, file=io.StringIO())
    print_result(found, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, text.splitlines())) <= width
    flat = " ".join(text.split())
    assert all(f"- {sentence}" in flat for sentence in found["analysis"]["sentences"])
    assert flat.index(found["answer"]) < flat.index(found["analysis"]["sentences"][0])
    rows = [line.split() for line in text.splitlines() if line.strip().startswith(("40 ", "80 "))]
    assert [(row[-2][0], row[-1]) for row in rows] == [("+", "▲"), ("-", "▼")]
