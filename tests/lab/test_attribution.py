"""Which operations carry a pipeline: the trainings that it takes, and what is said of them."""

from __future__ import annotations

import re

import numpy as np
import pytest
from invented import findings, study

from vicinal.core.errors import VicinalError
from vicinal.lab.analysis import analysis
from vicinal.lab.arms import Arm, read_arms
from vicinal.lab.bench import Bench
from vicinal.lab.conduct import conduct
from vicinal.lab.engine import engine
from vicinal.lab.parts import EXACT, Parts
from vicinal.lab.result import result
from vicinal.lab.store import Store
from vicinal.lab.trial import Trial

THREE = ("all=Translate(x=(-1, 1)) | HorizontalFlip(p=0.5) | Invert(p=0.5)", "shift=Translate(x=(-1, 1))")


def additive(trial: Trial) -> float:
    """Translate brings 6 points, flips cost 3, Invert does nothing."""
    text = str(trial.arm.policy)
    return 0.06 * ("Translate" in text) - 0.03 * ("HorizontalFlip" in text)


def arm(count: int) -> Arm:
    return read_arms(["all=" + " | ".join(["Invert(p=0.1)"] * count)])[0]


def test_parts_add_up_to_the_whole() -> None:
    of = findings(study(THREE, attribute="all"), additive)
    found = analysis(of, of.study.cells[-1])["attribution"]
    assert [entry["part"] for entry in found["shapley"]] == ["Translate", "HorizontalFlip", "Invert"]
    assert [entry["mean"] for entry in found["shapley"]] == pytest.approx([0.06, -0.03, 0], abs=0.005)
    assert [entry["mean"] for entry in found["leave_one_out"]] == pytest.approx([0.06, -0.03, 0], abs=0.01)
    assert set(found["cost"]) == {"Translate", "HorizontalFlip", "Invert"}
    assert min(found["cost"].values()) > 0
    assert found["sentence"].startswith("Inside all (Shapley values): Translate +")
    assert re.search(r"; Invert is not shown to contribute, for \d+ % of the time\.$", found["sentence"])


def test_the_whole_and_the_empty_one_are_not_trained_twice() -> None:
    of = study(THREE, attribute="all")
    trials = [trial for trial in of.trials(Bench(of.data)) if trial.seed == 0]
    parts = [trial for trial in trials if trial.arm.control == "part"]
    others = {trial.key for trial in trials if trial.arm.control != "part"}
    assert len(parts) == 8
    assert sum(trial.key in others for trial in parts) == 3  # nothing, everything, and the shift that stands beside it


def test_parts_are_no_arms_of_their_own() -> None:
    found = result(findings(study(THREE, attribute="all"), additive))
    assert [entry["name"] for entry in found["arms"]] == ["none", "duplicate", "all", "shift"]
    assert "all:" not in found["answer"]


@pytest.mark.parametrize(("count", "trained"), [(2, 4), (EXACT, 2**EXACT)])
def test_few_parts_are_trained_in_all_subsets(count: int, trained: int) -> None:
    assert (len(Parts.of(arm(count)).wanted), Parts.of(arm(count)).orders) == (trained, ())


def test_many_parts_are_added_in_sampled_orders() -> None:
    parts = Parts.of(arm(EXACT + 2))
    wanted, names = parts.wanted, list(parts.nodes)
    assert len(wanted) < 2 ** len(names) / 2
    assert {frozenset(names), frozenset(), *(frozenset(names) - {name} for name in names)} <= set(wanted)
    of = findings(study((arm(EXACT + 2),), attribute="all", seeds=(0, 1, 2)), lambda trial: 0.0)
    found = analysis(of, of.study.cells[-1])["attribution"]
    assert np.allclose([entry["mean"] for entry in found["shapley"]], 0, atol=0.01)


@pytest.mark.parametrize(("name", "words"), [("shfit", "expected one of all, shift, got 'shfit'"), ("shift", "two operations or more")])
def test_what_has_no_parts_is_refused(name: str, words: str) -> None:
    with pytest.raises(VicinalError, match=words):
        study(THREE, attribute=name)


def test_a_real_study_is_taken_apart() -> None:
    of = study(("both:1=Translate(x=(-1, 1)) | Invert(p=0.5)",), attribute="both", seeds=(0, 1))
    with Store.memory() as store:
        found = result(conduct(of, store, engine("serial")))["analysis"]["attribution"]
        assert store.counts() == {"done": 2 * 5}  # none, nothing with a copy (which is duplicate), both, and each alone
    whole = sum(entry["mean"] for entry in found["shapley"])
    assert np.isfinite(whole)
