"""Trials have the name of their description: what decides the numbers changes it, and nothing else does."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from learners import Means

from vicinal import parse
from vicinal.core.errors import ParameterError
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import Arm
from vicinal.lab.jobs import jobs, longest
from vicinal.lab.trial import Cell, Outcome, Probe, Rules, Trial, ladders, smallest
from vicinal.learn.mlp import MLP
from vicinal.learn.trainer import Goal

TURN = parse("Rotate(angle=(-9, 9))")
ONE = Trial("data", Arm("turn", TURN, 1), 0, Cell(size=60, steps=40), 40, Rules(), MLP())
GOAL = Goal((8, 8, 1), 10)


def but(**changes: Any) -> Trial:
    return replace(ONE, **changes)


def test_the_same_description_is_the_same_trial() -> None:
    again = Trial("data", Arm("turn", parse("Rotate(angle=(-9, 9))"), 1), 0, Cell(size=60, steps=40), 40, Rules(), MLP())
    assert again.key == ONE.key
    assert len(ONE.key) == 32
    assert json.loads(json.dumps(ONE.description())) == ONE.description()


@pytest.mark.parametrize(
    "other",
    [
        but(arm=replace(ONE.arm, name="another")),
        but(arm=replace(ONE.arm, control="cheap")),
        but(cell=Cell(size=60, steps=None, epochs=23)),
        but(trainer=MLP(stacked=False)),
        but(probe=Probe(clip=False)),
    ],
)
def test_names_and_how_it_is_done_are_no_part_of_it(other: Trial) -> None:
    assert other.key == ONE.key


OTHERS = {
    "data": but(data="other"),
    "policy": but(arm=replace(ONE.arm, policy=parse("Rotate(angle=(-9, 8))"))),
    "no policy": but(arm=replace(ONE.arm, policy=None)),
    "copies": but(arm=replace(ONE.arm, copies=2)),
    "instead": but(arm=replace(ONE.arm, instead=True)),
    "resample": but(arm=replace(ONE.arm, copies=0, resample="over")),
    "class_weight": but(arm=replace(ONE.arm, class_weight=True)),
    "threshold": but(arm=replace(ONE.arm, threshold=True)),
    "seed": but(seed=1),
    "size": but(cell=Cell(size=61, steps=40)),
    "steps": but(steps=41),
    "strength": but(cell=Cell(size=60, steps=40, strength=2)),
    "label noise": but(cell=Cell(size=60, steps=40, label_noise=0.1)),
    "dev": but(rules=Rules(dev=0.2)),
    "test": but(rules=Rules(test=0.2)),
    "by": but(rules=Rules(by="item")),
    "allow_leak": but(rules=Rules(allow_leak=True)),
    "lr": but(trainer=MLP(lr=0.2)),
    "hidden": but(trainer=MLP(hidden=(4,))),
    "batch": but(trainer=MLP(batch=16)),
    "trainer": but(trainer=Means()),
    "curves": but(probe=Probe((("gaussian", (0.1,)),))),
    "clip": but(probe=Probe((("gaussian", (0.1,)),), clip=False)),
    "views": but(probe=Probe(views=(TURN, 3))),
}


def test_every_setting_decides() -> None:
    keys = Counter([ONE.key, *(other.key for other in OTHERS.values())])
    assert keys.most_common(1)[0][1] == 1, [name for name, other in OTHERS.items() if keys[other.key] > 1]


def test_generated_items_decide(digits: Dataset) -> None:
    some, others = (but(arm=Arm("made", generated=digits.take(range(part)))) for part in (5, 6))
    assert len({some.key, others.key, but(arm=Arm("made")).key}) == 3


def test_strength_is_nothing_to_an_arm_without_a_policy() -> None:
    none = but(arm=Arm("none"))
    assert replace(none, cell=Cell(size=60, steps=40, strength=2)).key == none.key


def test_the_address_is_in_words() -> None:
    assert ONE.address == "arm turn, seed 0, size=60, steps=40"
    assert but(cell=Cell(strength=0.5), steps=7).address == "arm turn, seed 0, strength=0.5, steps=7"


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        ({"steps": 10, "epochs": 2}, "budget"),
        ({"steps": None}, "budget"),
        ({"steps": 0}, "budget"),
        ({"steps": 10.5}, "steps"),
        ({"steps": None, "epochs": 0.5}, "epochs"),
        ({"size": 60.5}, "size"),
        ({"size": True}, "size"),
        ({"label_noise": 1.0}, "label_noise"),
        ({"strength": -0.1}, "strength"),
        ({"strength": float("nan")}, "strength"),
    ],
)
def test_cells_that_cannot_be(settings: dict[str, Any], where: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Cell(**settings)
    assert caught.value.where == where
    assert caught.value.write


@pytest.mark.parametrize(
    ("settings", "where"), [({"dev": 1.5}, "split.dev"), ({"test": float("nan")}, "split.test"), ({"by": "x"}, "split.by")]
)
def test_rules_that_cannot_be(settings: dict[str, Any], where: str) -> None:
    with pytest.raises(ParameterError) as caught:
        Rules(**settings)
    assert caught.value.where == where


def test_outcomes_survive_as_plain_data() -> None:
    one = Outcome(
        {"test.accuracy": 0.5, "test.auc": np.nan},
        np.array([0.5, np.nan]),
        {"steps": [1.0], "train": [np.nan]},
        np.arange(3, dtype=np.uint8),
    )
    data = one.data()
    back = Outcome.of({name: value for name, value in data.items() if name != "calibration"}, one.predicted)  # of an older store
    assert back.calibration == one.calibration == {}
    assert np.array_equal([*back.values.values(), *back.recall], [*one.values.values(), *one.recall], equal_nan=True)
    assert np.isnan(back.curve["train"][0])
    assert smallest(np.array([299]), 300).dtype == np.uint16


def many(trainer: Any = MLP(), seeds: int = 5, steps: tuple[int, ...] = (10, 20, 300)) -> list[Trial]:  # noqa: B008
    arms = [Arm("none"), Arm("turn", TURN), Arm("mix", parse("MixUp()"))]
    return [but(arm=arm, seed=seed, steps=count, trainer=trainer) for seed in range(seeds) for arm in arms for count in steps]


def test_trials_that_differ_in_steps_alone_are_one_training() -> None:
    found = ladders(many())
    assert sorted(len(some) for some in found) == [3] * 15
    assert all([trial.steps for trial in some] == [10, 20, 300] for some in found)
    assert all(len(some) == 1 for some in ladders(many(Means())))


@pytest.mark.parametrize("workers", [1, 2, 7, 40])
@pytest.mark.parametrize("trainer", [MLP(), MLP(stacked=False), Means(), Means(beside=1)])
def test_jobs_hold_every_trial_once_and_keep_workers_busy(trainer: Any, workers: int) -> None:
    trials = many(trainer)
    made = jobs(trials, GOAL, workers)
    assert Counter(trial.key for job in made for trial in job.trials) == Counter(trial.key for trial in trials)
    trainings = len(ladders(trials))
    assert len(made) >= min(workers, trainings)
    assert max(len(ladders(job.trials)) for job in made) <= trainer.together(GOAL)
    weights = [sum(some[-1].steps for some in ladders(job.trials)) for job in made]
    assert weights == sorted(weights, reverse=True)


def test_workers_have_as_much_to_do_as_each_other() -> None:
    trials = [but(seed=seed, steps=10) for seed in range(2 * MLP().together(GOAL) + 10)]
    made = jobs(trials, GOAL, 2)
    assert len(made) == 4
    costs = [10 * len(job.trials) for job in made]
    assert longest(costs, 1) == 10 * len(trials)
    assert longest(costs, 2) == 10 * len(trials) / 2
    assert longest(costs, 40) == max(costs)


def test_a_job_has_one_kind_of_labels_and_one_number_of_steps() -> None:
    trials = [*many(steps=(10,)), *(but(arm=Arm("long", TURN, 5), seed=seed, steps=500) for seed in range(4))]
    made = jobs(trials, GOAL, 1)
    assert [len({(trial.arm.mixes, trial.steps) for trial in job.trials}) for job in made] == [1] * 3


def test_a_job_may_take_as_long_as_its_trials_together() -> None:
    assert {job.limit for job in jobs(many(), GOAL, 1)} == {None}
    assert all(job.limit == 2.0 * len(job.trials) for job in jobs(many(), GOAL, 3, limit=2.0))
    assert jobs([], GOAL, 2) == []
