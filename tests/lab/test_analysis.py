"""What is said of a study beyond its verdicts, held against findings of which the truth is known."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from invented import ARMS, CLASSES, data, findings, made, study, without

from vicinal.data.build import from_arrays
from vicinal.lab.analysis import analysis
from vicinal.lab.arms import read_arms
from vicinal.lab.conduct import Findings, conduct
from vicinal.lab.engine import engine
from vicinal.lab.result import result
from vicinal.lab.result_file import plain
from vicinal.lab.store import Store
from vicinal.lab.study import Study, cells
from vicinal.lab.trial import Cell, Outcome, Trial

SHIFT = tuple(read_arms(["shift=Translate(x=(-1, 1))"]))


def analysed(of: Findings) -> dict[str, Any]:
    return analysis(of, of.study.cells[-1])


@pytest.fixture(scope="module")
def usual() -> dict[str, Any]:
    return analysed(findings(study()))


def named(entries: list[dict[str, Any]], arm: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["arm"] == arm)


def test_it_is_plain_data_without_nan(usual: dict[str, Any]) -> None:
    assert json.loads(json.dumps(plain(usual), allow_nan=False)).keys() == usual.keys()


def test_the_price_comes_first(usual: dict[str, Any]) -> None:
    first = usual["sentences"][0]
    assert first.startswith("shift helps: +")
    assert "costs 0.1 ms an item" in first
    assert first.endswith("9 paired seeds.")
    assert not any(sentence.startswith(("flip helps", "noise helps")) for sentence in usual["sentences"])
    assert 3 <= len(usual["sentences"]) <= 8


def test_items_widen_the_interval_and_keep_the_mean(usual: dict[str, Any]) -> None:
    of = findings(study())
    found = usual["items"]["shift"]
    paired = result(of)["arms"][-3]["difference"]
    assert found["mean"] == pytest.approx(paired["mean"])
    assert found["low"] < paired["low"] < paired["high"] < found["high"]


def test_confusions_add_up_to_the_test_part(usual: dict[str, Any]) -> None:
    assert list(usual["confusion"]) == ["none", "shift", "flip"]
    table = np.array(usual["confusion"]["none"])
    assert table.shape == (CLASSES, CLASSES)
    assert np.allclose(table.sum(1), 50, atol=2)  # rounded means
    assert (np.diagonal(np.array(usual["confusion"]["shift"])).sum()) > np.diagonal(table).sum()


def test_reliability_is_pooled_over_seeds(usual: dict[str, Any]) -> None:
    assert list(usual["calibration"]) == ["none", "shift", "flip", "noise"]
    of = findings(study())
    right = [of.outcomes[trial.key].values["test.accuracy"] for trial in of.trials if trial.arm.name == "none"]
    table = usual["calibration"]["none"]
    assert np.flatnonzero(table["count"]).tolist() == [14]
    assert [table[name][14] for name in ("count", "confidence", "accuracy")] == pytest.approx([9 * 200, 0.94, np.mean(right)])


def test_outcomes_of_older_stores_have_no_reliability() -> None:
    """The arm none was measured before the bins were kept, shift partly."""
    of = findings(study())
    old = {trial.key for trial in of.trials if trial.arm.name == "none" or (trial.arm.name, trial.seed) == ("shift", 0)}
    kept = {key: replace(one, calibration={}) if key in old else one for key, one in of.outcomes.items()}
    assert list(analysed(replace(of, outcomes=kept))["calibration"]) == ["flip", "noise"]


def test_the_worst_class_is_found() -> None:
    """Arm flip takes class 2 for class 3 and does nothing else."""
    of = findings(study(), lambda trial: 0.0)

    def hurt(trial: Trial) -> Any:
        outcome = of.outcomes[trial.key]
        shift = np.array([0, 0, -0.2 - trial.seed / 100, 0])
        return replace(outcome, recall=np.array([0.8, 0.8, 0.8, 0.8]) + (shift if trial.arm.name == "flip" else 0))

    changed = replace(of, outcomes={trial.key: hurt(trial) for trial in of.trials})
    worst = analysed(changed)["worst_class"]["flip"]
    assert worst["class"] == "2"
    assert worst["change"] == pytest.approx(-0.24)
    assert worst["low"] < -0.24 < worst["high"] < 0


def test_duplicates_that_do_it_all_explain_it_all() -> None:
    of = findings(study(), lambda trial: 0.05 if trial.arm.name in ("shift", "duplicate") else 0.0)
    found = named(analysed(of)["confounds"], "shift")
    assert found["low"] < found["share"] < found["high"]
    assert found["share"] == pytest.approx(1, abs=0.15)
    assert found["sentence"].endswith("is reached by unchanged copies.")
    assert named(analysed(of)["confounds"], "noise")["share"] is None  # nothing to explain


def test_the_step_note_has_an_interval() -> None:
    """At equal epochs an arm with a copy takes twice the steps, and all of its gain is theirs."""
    arms = ("noisy:1=GaussianNoise(std=(0, 0.1))",)
    of = findings(study(arms, cells=(Cell(size=100, steps=None, epochs=10),)), lambda trial: 0.05 * (trial.steps > 40))
    found = result(of)
    assert " 2.0 times the optimiser steps" in found["step_note"]
    assert found["step_note"].endswith(" of the gain is compute, not augmentation.")
    assert "%" in found["step_note"].split("Against none")[1]
    entry = named(found["analysis"]["confounds"], "noisy")
    assert entry["share"] == pytest.approx(1, abs=0.15)
    assert entry["steps"] == pytest.approx(entry["naive"], abs=0.01)


def test_the_best_cheap_alternative_is_chosen_on_dev_and_compared_on_test() -> None:
    """cheap rotate looks best on dev, cheap scale is best on test: a choice on test would take the latter."""
    of = findings(
        study(("costly=Invert()",), controls=("cheap",)), lambda trial: {"costly": 0.05, "cheap scale": 0.08}.get(trial.arm.name, 0)
    )

    def lucky(trial: Trial) -> Any:
        outcome = of.outcomes[trial.key]
        dev = {"dev.accuracy": 0.99 if trial.arm.name == "cheap rotate" else 0.7}
        return replace(outcome, values={**outcome.values, **dev})

    found = analysed(replace(of, outcomes={trial.key: lucky(trial) for trial in of.trials}))["cheap"]
    assert [(entry["arm"], entry["against"]) for entry in found] == [("costly", "cheap rotate")]
    assert found[0]["mean"] == pytest.approx(0.05, abs=0.01)
    assert found[0]["sentence"].startswith("costly beats the cheap alternative that is best on dev, cheap rotate: +")


@pytest.mark.parametrize(
    ("size", "count", "words"), [(100, 80, "80 real items more:"), (350, 50, "50 real items more (its generator saw 80")]
)
def test_generators_are_held_against_as_many_real_items(size: int, count: int, words: str) -> None:
    base = study()
    of = findings(study((made(80, base),), cells=(Cell(size=size, steps=40),)), lambda trial: 0.05 if trial.arm.real else 0.02)
    control = [trial for trial in of.trials if trial.arm.control == "real"]
    assert {(trial.arm.name, trial.arm.real) for trial in control} == {(f"none, {count} real items more", count)}
    entry = named(analysed(of)["real_images"], "vae")
    assert entry["mean"] == pytest.approx(-0.03, abs=0.01)
    assert entry["sentence"].startswith(f"vae is worse than {words}")


def test_without_real_items_left_it_says_so() -> None:
    of = findings(study((made(80, study()),), cells=(Cell(size=None, steps=40),)))
    assert not any(trial.arm.control == "real" for trial in of.trials)
    entry = named(analysed(of)["real_images"], "vae")
    assert (entry["against"], entry["mean"]) == (None, None)
    assert entry["sentence"].endswith("the data have none left.")


def test_a_choice_among_useless_arms_is_flattered() -> None:
    found = analysed(findings(study(), lambda trial: 0.0))["selection"]
    assert found["optimism"] == pytest.approx(found["dev"] - found["test"])
    assert found["dev"] > 0.01 > abs(found["test"])
    assert found["expected"] > 0.01


def test_curves_tell_who_is_not_done(usual: dict[str, Any]) -> None:
    assert usual["fits"]["none"]["verdict"] == "still improving"
    assert usual["fits"]["none"]["gap"] == pytest.approx(usual["fits"]["none"]["train"] - usual["fits"]["none"]["dev"])


def seen(one: Outcome) -> Outcome:
    """Two points better under views."""
    return replace(one, values={**one.values, "views.accuracy": one.values["test.accuracy"] + 0.02})


def test_views_say_what_they_fix_and_break() -> None:
    move = SHIFT[0].policy
    assert move is not None
    of = findings(study(views=(move, 2)), more=lambda trial: {"views.fixed": 0.03, "views.broken": 0.01})
    of = replace(of, outcomes={key: seen(one) for key, one in of.outcomes.items()})
    entry = named(analysed(of)["views"], "none")
    assert entry["gain"] == pytest.approx(entry["fixed"] - entry["broken"])
    assert entry["sentence"] == "Averaging over views moves none by +2.0 points: it fixes 3.0 % of the items and breaks 1.0 %."


@pytest.mark.parametrize("gone", ["duplicate", "shift"])
def test_an_arm_without_outcomes_is_left_out(gone: str) -> None:
    found = analysed(without(findings(study()), gone))
    assert gone not in found["items"]
    assert found["sentences"]


def test_one_seed_has_no_intervals_and_no_traceback() -> None:
    found = analysed(findings(study(seeds=(0,))))
    assert found["items"]["shift"]["low"] is None
    assert all("nan" not in sentence and "None," not in sentence for sentence in found["sentences"])


def test_a_metric_that_is_no_share_is_not_said_in_points() -> None:
    of = findings(study(metric="nll"), more=lambda trial: {"test.nll": 0.5 - 0.1 * (trial.arm.name == "shift") + trial.seed / 1000})
    found = result(of)
    said = [found["answer"], *found["analysis"]["sentences"]]
    assert found["analysis"]["costs"][0]["ms_per_point"] is None
    assert "shift helps: +0.1 in nll [0.1, 0.1]" in found["answer"]
    assert not any("points" in sentence for sentence in said if "recall" not in sentence and "views" not in sentence)


def test_a_regression_has_no_classes() -> None:
    squares = data()
    values = np.random.default_rng(0).normal(size=len(squares))
    of = Study(from_arrays(squares.images, values, regression=True), SHIFT, seeds=(0, 1, 2), cells=(Cell(size=60, steps=4),))
    with Store.memory() as store:
        found = result(conduct(of, store, engine("serial")))
    assert not {"worst_class", "confusion", "items", "fits", "views"} & set(found["analysis"])
    assert found["analysis"]["costs"][0]["ms_per_point"] is None
    assert found["answer"].startswith("No evidence either way for")


def test_less_error_under_a_corruption_is_a_gain() -> None:
    squares = data()
    values = np.random.default_rng(0).normal(size=len(squares))
    of = Study(
        from_arrays(squares.images, values, regression=True),
        SHIFT,
        seeds=(0, 1, 2),
        cells=(Cell(size=60, steps=4),),
        curves=(("gaussian", (0.2,)),),
    )
    with Store.memory() as store:
        none, shift = (arm for arm in result(conduct(of, store, engine("serial")))["arms"] if arm["name"] in ("none", "shift"))
    error, other = (arm["robustness"]["gaussian"]["mean"][0] for arm in (none, shift))
    assert shift["robustness"]["gaussian"]["gain"][0] == pytest.approx(error - other)
    assert error != other


def test_no_interval_reaches_beyond_what_is_possible() -> None:
    """Two seeds that disagree: Student's intervals are some hundred points wide."""
    wild = findings(study(seeds=(0, 1)), lambda trial: -0.3 * trial.seed if trial.arm.name != "none" else 0.0)
    told = result(wild)
    ends = [one[end] for arm in told["arms"][1:] for one in (arm["difference"], arm["metrics"]["accuracy"]) for end in ("low", "high")]
    ends += [one[end] for one in told["analysis"]["worst_class"].values() for end in ("low", "high")]
    assert (min(ends), max(ends)) == (-1, 1)


def test_a_score_that_does_not_exist_takes_nothing_else_down() -> None:
    """AUC of a dev part of one class is NaN; on test one control has none either."""
    of = study(metric="auc", controls=("duplicate", "cheap"))

    def some(trial: Trial) -> dict[str, float]:
        lost = math.nan if trial.arm.name in ("duplicate", "cheap rotate") else 0.8 + 0.1 * (trial.arm.name == "shift")
        return {"test.auc": lost + trial.seed / 1000, "dev.auc": math.nan}

    found = analysed(findings(of, more=some))
    assert ("selection" in found, found["cheap"], found["confounds"]) == (False, [], [])
    assert found["sentences"][0].startswith("shift helps: +10.0 points")


def test_an_axis_of_strength_that_does_nothing_is_named() -> None:
    of = study(ARMS[:2], cells=cells([100], [40], strengths=[0.5, 1.0]), seeds=(0,))
    said = [warning for warning in result(findings(of))["warnings"] if "strength" in warning]
    assert said == ["the axis of strength means nothing for arm flip: its policy has no parameter that strength could change"]
