"""How a study goes on: what fits into a time, seeds only where something is undecided, and what will be told beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from learners import Means

from vicinal.core.errors import ParameterError
from vicinal.data.dataset import Dataset
from vicinal.lab.bench import Bench
from vicinal.lab.conduct import conduct
from vicinal.lab.engine import Serial
from vicinal.lab.forecast import forecast
from vicinal.lab.pace import Budget, Race, score
from vicinal.lab.result import result
from vicinal.lab.sides import sides, verdicts
from vicinal.lab.store import Store
from vicinal.lab.study import Study, cells
from vicinal.lab.trial import Outcome, Trial
from vicinal.learn.mlp import MLP

Make = Callable[..., Study]
SEEDS = tuple(range(20))


def outcome(score: float) -> Outcome:
    values = {f"{part}.accuracy": score for part in ("test", "dev", "train")}
    return Outcome(values, np.full(10, score), {"steps": [1.0], "train": [1.0], "dev": [1.0]}, np.zeros(599, np.uint8))


def scored(trials: list[Trial], gains: Mapping[str, float], spread: float = 0.001) -> dict[str, Outcome]:
    """Outcomes with invented scores: an arm's gain, and noise that depends on arm and seed alone."""
    noise = {name: np.random.default_rng(number).normal(0, spread, 100) for number, name in enumerate(("none", "duplicate", "a", "b"))}
    return {trial.key: outcome(0.5 + gains.get(trial.arm.name, 0) + noise[trial.arm.name][trial.seed]) for trial in trials}


def through(pace: Budget | Race, gains: Mapping[str, float], seconds: float = 0.0, spread: float = 0.001) -> list[list[Trial]]:
    """The waves, where every trial takes some seconds."""
    done: dict[str, Outcome] = {}
    waves: list[list[Trial]] = []
    while wave := pace.wave(done, seconds * sum(map(len, waves))):
        waves.append(wave)
        done |= scored(wave, gains, spread)
    return waves


def trials_of(study: Study) -> list[Trial]:
    return study.trials(Bench(study.data))


@pytest.fixture
def study(studied: Make) -> Study:
    return studied(["a=Invert()", "b:1=Rotate(angle=5)"], seeds=SEEDS)


# A budget.


def test_a_budget_takes_whole_seeds_and_says_what_it_left_out(study: Study) -> None:
    trials = trials_of(study)
    pace = Budget(study, trials, seconds=50)
    waves = through(pace, {}, seconds=1)
    run = [trial for wave in waves for trial in wave]
    assert len(waves[0]) == 4  # a first seed shows how fast it goes
    assert 40 <= len(run) <= 50
    assert len(run) % 4 == 0
    assert {trial.seed for trial in run} == set(range(len(run) // 4))
    left = pace.left_out()
    assert set(left) == {trial.key for trial in trials} - {trial.key for trial in run}
    assert set(left.values()) == {"no time within 50 s"}
    seeds = len(run) // 4
    assert pace.notes() == [f"{len(left)} of 80 trials did not fit into the budget: {seeds} of 20 seeds were run"]


def test_a_budget_for_everything_leaves_nothing_out(study: Study) -> None:
    pace = Budget(study, trials_of(study), seconds=1000)
    assert sum(map(len, through(pace, {}, seconds=1))) == 80
    assert (pace.left_out(), pace.notes()) == ({}, [])


def test_a_budget_begins_with_the_headline_until_it_can_decide(studied: Make) -> None:
    study = studied(["a=Invert()"], seeds=SEEDS, cells=cells([60, 100], [4]))
    pace = Budget(study, trials_of(study), seconds=30)
    run = [trial for wave in through(pace, {}, seconds=1) for trial in wave]
    assert {trial.cell.size for trial in run[:18]} == {100}  # six seeds of three arms
    assert {trial.cell.size for trial in run[18:]} == {60}
    counts = {size: len({trial.seed for trial in run if trial.cell.size == size}) for size in (60, 100)}
    (note,) = pace.notes()
    assert note.endswith(
        f"budget: {counts[60]} of 20 seeds were run at size=60, steps=4; {counts[100]} of 20 seeds were run at size=100, steps=4"
    )


def test_what_is_done_already_costs_no_time(study: Study) -> None:
    trials = trials_of(study)
    pace = Budget(study, trials, seconds=20)
    done = scored([trial for trial in trials if trial.seed < 10], {})
    assert {trial.seed for trial in pace.wave(done, 0.0)} == {10}


def test_a_budget_is_a_time(study: Study) -> None:
    with pytest.raises(ParameterError, match="--budget: expected a time above 0"):
        Budget(study, [], 0)


def test_a_short_budget_still_compares(studied: Make) -> None:
    study = studied(["a:1=Invert()"], seeds=SEEDS, trainer=Means(seconds=0.02, beside=1))
    with Store.memory() as store:
        findings = conduct(study, store, Serial(), Budget(study, trials_of(study), 0.5))
    assert 3 <= len(findings.outcomes) < 60
    assert len(findings.outcomes) + len(findings.left_out) == 60
    read = result(findings)
    assert any("did not fit into the budget" in warning for warning in read["warnings"])
    assert len(read["arms"][0]["seeds"]) == len(findings.outcomes) / 3


# A race.


def test_a_race_stops_what_is_decided_and_controls_go_on(study: Study) -> None:
    pace = Race(study, trials_of(study))
    waves = through(pace, {"a": 0.1, "b": 0.0016})
    first, last = pace.looks[0], pace.looks[-1]
    ran = {name: {trial.seed for wave in waves for trial in wave if trial.arm.name == name} for name in ("none", "duplicate", "a", "b")}
    assert ran["a"] == set(range(first)) < ran["b"] == ran["none"] == ran["duplicate"] < set(range(last))
    left = pace.left_out()
    assert set(left.values()) == {"decided with fewer seeds"}
    assert len(left) == 80 - sum(map(len, waves))
    assert pace.notes() == [f"{len(left)} of 80 trials were not needed: their arms were decided with fewer seeds"]


def test_a_race_of_clear_arms_ends_at_the_first_look(study: Study) -> None:
    pace = Race(study, trials_of(study))
    waves = through(pace, {"a": 0.1, "b": -0.1})
    assert [len(wave) for wave in waves] == [4 * pace.looks[0]]


def test_a_resumed_race_goes_on_behind_what_is_done(study: Study) -> None:
    gains, trials = {"a": 0.1, "b": 0.0016}, trials_of(study)
    whole = through(Race(study, trials), gains)
    done = scored(whole[0], gains)
    resumed = Race(study, trials)
    again = resumed.wave(done, 0.0)
    assert {trial.key for trial in again} == {trial.key for trial in whole[1]}
    assert {trial.key for trial in resumed.wave(scored([*whole[0], *again], gains), 0.0)} == {trial.key for trial in whole[2]}


def test_an_arm_that_cannot_be_judged_is_not_decided(study: Study) -> None:
    pace = Race(study, trials_of(study))
    first = pace.wave({}, 0.0)
    lost = {trial.key for trial in first if trial.arm.name == "none" and trial.seed == 0}
    done = {key: one for key, one in scored(first, {"a": 0.1}).items() if key not in lost}
    assert {trial.arm.name for trial in pace.wave(done, 0.0) if trial.key not in lost} == {"none", "duplicate", "a", "b"}


def test_a_race_with_too_few_seeds_is_told_so(studied: Make) -> None:
    study = studied(["a=Invert()"], seeds=(0, 1))
    with pytest.raises(
        ParameterError, match="--race: expected at least 6 seeds, or a race of 1 arm is never decided, got 2; write --seeds 6"
    ):
        Race(study, trials_of(study))


def test_the_verdicts_of_a_race_are_in_the_result(studied: Make, digits: Dataset) -> None:
    arms = ["worse:1=GaussianNoise(std=1)", "same=Invert(p=0)"]
    study = studied(arms, seeds=SEEDS, trainer=Means(), controls=())
    with Store.memory() as store:
        findings = conduct(study, store, Serial(), Race(study, trials_of(study)))
    read = result(findings)
    by_name = {arm["name"]: arm for arm in read["arms"]}
    assert read["looks"] == list(findings.looks)
    assert (by_name["worse"]["verdict"], by_name["same"]["verdict"]) == ("hurts", "no evidence")
    assert len(by_name["worse"]["seeds"]) == findings.looks[0] < 20
    assert read["seeds"] == list(SEEDS)
    assert verdicts(findings, study.cells[0], looks=findings.looks)["worse"].difference.p_adjusted is not None
    assert sides(findings, study.cells[0])["same"].seeds[: findings.looks[0]] == list(range(findings.looks[0]))


def test_scores_are_such_that_more_is_better() -> None:
    one = replace(outcome(0.5), values={"test.accuracy": 0.5, "test.nll": 0.7, "test.slope": 1.2})
    assert (score(one, "accuracy"), score(one, "nll")) == (0.5, -0.7)
    assert score(one, "slope") == pytest.approx(-0.2)


# A forecast.


def ahead(study: Study, done: int = 0, **more: Any) -> Any:
    trials = trials_of(study)
    return forecast(study, Bench(study.data), trials, trials[done:], **{"workers": 1} | more)


def test_a_forecast_counts_what_is_ahead(study: Study) -> None:
    found = ahead(study, done=8)
    assert (found.trials, found.open, found.seeds, found.floor) == (80, 72, 20, 7)
    assert 0 < found.seconds < 600
    nothing = ahead(study, done=80)
    assert (nothing.open, nothing.seconds) == (0, 0.0)


def test_what_two_cells_share_is_counted_once(studied: Make) -> None:
    study = studied(["a=Invert()"], cells=cells([60], [4], strengths=[0.5, 1]), controls=())
    assert (ahead(study).trials, ahead(study).open) == (9, 9)


def test_more_steps_take_longer(studied: Make) -> None:
    short, long = (ahead(studied(["a=Invert()"], steps=steps)).seconds for steps in (10, 10_000))
    assert long > 5 * short


@pytest.mark.parametrize("share", [1, 3, None])
def test_steps_are_timed_with_the_threads_of_a_worker(studied: Make, monkeypatch: pytest.MonkeyPatch, share: int | None) -> None:
    own, seen, fit = torch.get_num_threads(), set(), MLP.fit
    monkeypatch.setattr(MLP, "fit", lambda trainer, task: seen.add(torch.get_num_threads()) or fit(trainer, task))
    assert ahead(studied(["a=Invert()"]), share=share).seconds
    assert seen == {share or own}
    assert torch.get_num_threads() == own
    monkeypatch.setattr(MLP, "fit", lambda trainer, task: 1 / 0)
    assert ahead(studied(["a=Invert()"]), share=share).seconds is None
    assert torch.get_num_threads() == own


@pytest.mark.parametrize("trainer", [Means(), Means("raises", at=0), MLP(lr=1e29)])
def test_what_cannot_be_told_is_not_told(studied: Make, trainer: Any) -> None:
    assert ahead(studied(["a=Invert()"], trainer=trainer)).seconds is None
