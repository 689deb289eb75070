"""Regressions before their judges: pulses, of which a shift in time changes the beginning and a factor the height."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vicinal.core.policy import parse
from vicinal.data import from_series
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import Arm
from vicinal.lab.preflight import Jury, check
from vicinal.lab.preflight.hearing import Hearing
from vicinal.lab.preflight.values import standardised, valued

JURY = Jury(folds=3, seeds=1, steps=600)
ROWS = np.arange(200)
SHIFT, SCALING, BOTH = "TimeShift(by=(-6, 6))", "Scaling(factor=(0.5, 2))", ("begin", "height")


def pulses(target: str) -> Dataset:
    rng = np.random.default_rng(0)
    known = {"begin": rng.uniform(0.2, 0.8, 300), "height": rng.uniform(0.5, 2, 300)}
    series = known["height"][:, None] * np.exp(-(((np.linspace(0, 1, 32) - known["begin"][:, None]) / 0.1) ** 2))
    return from_series(series, 100 + 1000 * known[target])


@pytest.fixture(scope="module")
def hearings() -> dict[str, Hearing]:
    return {target: Hearing.of(standardised(pulses(target), ROWS), ROWS, JURY) for target in BOTH}


@pytest.mark.parametrize("target", BOTH)
def test_targets_survive_the_identity(hearings: dict[str, Hearing], target: str) -> None:
    found = valued(hearings[target], Arm("nothing", parse("Scaling(factor=1)")))
    assert (found.survival.share, found.survival.low, found.survival.high, found.moved) == (1, 1, 1, 0)
    assert found.explained > 0.9
    assert found.equivariance > 0.99
    assert (found.verdict, found.taught) == ("survives", None)


@pytest.mark.parametrize(
    ("target", "policy", "verdict"),
    [("begin", SHIFT, "lost"), ("begin", SCALING, "survives"), ("height", SHIFT, "unfamiliar"), ("height", SCALING, "lost")],
)
def test_what_says_nothing_about_the_target_is_told_from_what_does(
    hearings: dict[str, Hearing], target: str, policy: str, verdict: str
) -> None:
    assert valued(hearings[target], Arm("arm", parse(policy))).verdict == verdict


def test_answers_may_move_and_still_follow(hearings: dict[str, Hearing]) -> None:
    found = valued(hearings["height"], Arm("arm", parse(SCALING)))
    assert found.survival.share < 0
    assert found.moved > 1
    assert found.equivariance > 0.95


def test_targets_are_judged_in_their_own_spread() -> None:
    data = pulses("begin")
    labels = standardised(data, ROWS).labels[ROWS]
    assert labels.mean() == pytest.approx(0, abs=1e-6)
    assert labels.std() == pytest.approx(1, rel=1e-6)
    same = from_series(np.zeros((4, 3)), np.array([[5.0, 1], [5, 2], [5, 3], [5, 4]]))
    assert not standardised(same, np.arange(4)).labels[:, 0].any()


def test_the_unit_of_a_series_does_not_matter() -> None:
    data = pulses("begin")
    mine = replace(data, images=1e4 * data.images + 1e5)  # type: ignore[operator]
    first, second = (Hearing.of(standardised(one, ROWS), ROWS, JURY) for one in (data, mine))
    np.testing.assert_allclose(first.before, second.before, atol=0.05)
    assert check("line", "Jitter(std=0.5)", size=60, jury=JURY).result["values"][0]["explained"] > 0.5


def test_a_check_says_what_becomes_of_targets(tmp_path: Path) -> None:
    told = check(pulses("begin"), arms={"shift": SHIFT, "noise": "Jitter(std=0.02)"}, size=200, jury=JURY)
    said = {finding.sentence.split(":")[0]: finding for finding in told.findings if finding.topic == "targets"}
    assert (said["shift"].weight, said["noise"].weight) == ("wrong", "fine")
    assert said["shift"].sentence.startswith("shift: targets are lost, ")
    assert "once they have been taught it. Answers move by " in said["shift"].sentence
    assert said["noise"].sentence.startswith("noise: targets survive, ")
    data, page = told.write(tmp_path)
    assert [one["name"] for one in json.loads(data.read_text("utf-8"))["values"]] == ["shift", "noise"]
    assert "targets are lost" in page.read_text("utf-8")


def test_judges_who_explain_little_say_so() -> None:
    rng = np.random.default_rng(0)
    noise = from_series(rng.normal(size=(90, 8)), rng.normal(size=90))
    told = check(noise, "Jitter(std=0.1)", size=60, jury=Jury(folds=2, seeds=1, steps=20))
    assert any(finding.sentence.startswith("The judges explain only ") for finding in told.findings)
