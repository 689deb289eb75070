"""Two results against each other."""

from __future__ import annotations

from typing import Any

import pytest
from invented import findings, study

from vicinal.core.errors import DataError
from vicinal.lab.analysis import across
from vicinal.lab.result import result
from vicinal.lab.trial import Trial


def effects(**gains: float) -> dict[str, Any]:
    def rule(trial: Trial) -> float:
        return gains.get(trial.arm.name, 0.0)

    return result(findings(study(seeds=tuple(range(9))), rule))


def test_the_same_order_costs_nothing() -> None:
    one = effects(shift=0.06, noise=0.01, flip=-0.05)
    found = across(one, one)
    assert (found["arms"], found["left_out"]) == (["shift", "flip", "noise"], [])
    assert (found["kendall"]["mean"], found["regret"]["mean"]) == (1.0, 0.0)
    assert found["sentence"].startswith("The order of the arms on squares and on squares agrees with Kendall's tau 1.00")
    assert found["sentence"].endswith("both choose shift.")


def test_a_wrong_choice_costs_the_difference() -> None:
    there, here = effects(shift=0.06, noise=0.01, flip=-0.05), effects(shift=-0.02, noise=0.01, flip=0.06)
    found = across(there, here)
    assert (found["chosen"], found["best"]) == ("shift", "flip")
    assert found["regret"]["mean"] == pytest.approx(0.08, abs=0.01)
    assert found["kendall"]["mean"] < 0
    assert "choosing shift by squares loses 8" in found["sentence"] or "choosing shift by squares loses 7" in found["sentence"]


def test_arms_are_the_same_by_name_and_policy() -> None:
    one, other = effects(shift=0.06), effects(shift=0.06)
    other["arms"] = [arm | {"policy": "Invert()"} if arm["name"] == "shift" else arm for arm in other["arms"]]
    with pytest.raises(DataError, match=r"3 arms or more of the same name and policy in both, got flip and noise"):
        across(one, other)


def test_metrics_must_agree() -> None:
    one, other = effects(), effects()
    other["metric"] = other["metric"] | {"name": "nll"}
    with pytest.raises(DataError, match=r"the same metric, got accuracy and nll"):
        across(one, other)
