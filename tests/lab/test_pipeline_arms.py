"""Pipelines of other libraries, plain functions and further real items as arms of a study."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from invented import study

import vicinal as v
from foreign import albumentations
from vicinal.lab.arm_file import read_arm
from vicinal.lab.arms import Arm
from vicinal.lab.bench import Bench
from vicinal.lab.conduct import Findings, conduct
from vicinal.lab.engine import engine
from vicinal.lab.group import pupil
from vicinal.lab.store import Store
from vicinal.lab.study import Study
from vicinal.lab.trial import Cell


def rolled(image: np.ndarray) -> np.ndarray:
    return np.roll(image, np.random.randint(-1, 2), axis=1)  # noqa: NPY002


def run(of: Study) -> Findings:
    with Store.memory() as store:
        return conduct(of, store, engine("serial"))


def scores(of: Findings) -> dict[str, list[float]]:
    return {trial.address: list(of.outcomes[trial.key].values.values()) for trial in of.trials}


def arms() -> tuple[Arm, ...]:
    A = albumentations()
    pipeline = A.Compose([A.HorizontalFlip(p=0.5), A.GaussNoise(p=1)])
    return Arm("rolled", v.wrapped(rolled)), Arm("library", v.wrapped(pipeline)), Arm("library copies", v.wrapped(pipeline), copies=1)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_wrapped_arms_give_the_same_numbers_again_in_any_company() -> None:
    usual = {"seeds": (0, 1), "cells": (Cell(size=40, steps=6),), "controls": ()}
    first, lone = run(study(arms(), **usual)), run(study(arms()[:1], **usual))
    assert not first.faults
    assert scores(first) == scores(run(study(arms(), **usual)))
    assert scores(lone).items() <= scores(first).items()


def test_a_file_names_a_pipeline_by_its_import_path_if_it_is_trusted() -> None:
    said = {"pipeline": f"{__name__}:rolled", "copies": 1}
    arm = read_arm("mine", said, Path(), trusted=True)
    assert (str(arm.policy), arm.mode) == (f"Wrapped(pipeline={__name__}:rolled)", "copies")
    with pytest.raises(v.PolicyError, match=r"arms\.mine\.pipeline: expected a file that names no code, .* write --trusted"):
        read_arm("mine", said, Path())


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"pipeline": "no path"}, "the import path of a function"),
        ({"pipeline": "numpy:no_such_thing"}, "the import path of a function, got 'numpy:no_such_thing'"),
        ({"pipeline": "numpy:sort", "policy": "Invert()"}, "either a policy or a pipeline, got both"),
        ({"pipelin": "numpy:sort"}, "pipelin"),
    ],
)
def test_a_wrong_pipeline_is_told_in_a_sentence(said: dict[str, str], words: str) -> None:
    with pytest.raises(v.VicinalError, match=words):
        read_arm("mine", said, Path(), trusted=True)


def test_a_callable_that_changes_the_form_is_refused_before_training() -> None:
    of = study((Arm("half", v.wrapped(lambda image: image[::2], name="half")),), cells=(Cell(size=40, steps=4),))
    with pytest.raises(v.TargetError, match=r"Wrapped\(half\): expected uint8 \(6, 6, 1\), as it came, got uint8 \(3, 6, 1\)"):
        run(of)


def test_further_real_items_are_those_of_a_larger_size_and_nobody_elses() -> None:
    few = study((Arm("a"),), cells=(Cell(size=100, steps=4),))
    bench, trial = Bench(few.data), few.trials(Bench(few.data))[0]
    more = pupil(bench, [replace(trial, arm=Arm("real", real=50))])
    usual, larger = bench.divided(100, trial.seed, trial.rules), bench.divided(150, trial.seed, trial.rules)
    drawn = set(more.replica.items)
    assert drawn - set(usual.train) == {*larger.train, *larger.dev} - {*usual.train, *usual.dev}
    assert len(drawn) == len(usual.train) + 50
    assert not drawn & {*usual.dev, *usual.test}
    assert (more.leak, more.test_leak) == (0, 0)
