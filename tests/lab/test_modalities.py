"""Texts, waves and tables through the one protocol: the same controls, seeds, engines, store, refusals and report as images have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from modalities import digits_spoken, dropped, nearest_spectrum, questions, same, shells, wines, words_in_steps
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import vicinal as v
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import Arm, read_arms
from vicinal.lab.conduct import Findings, conduct
from vicinal.lab.engine import Processes, Serial
from vicinal.lab.preflight import check
from vicinal.lab.report import render_report
from vicinal.lab.result import result
from vicinal.lab.store import Store
from vicinal.lab.study import Study, cells
from vicinal.lab.trial import Rules
from vicinal.learn.cnn import CNN
from vicinal.learn.estimator import Sklearn
from vicinal.learn.function import Function
from vicinal.learn.mlp import MLP
from vicinal.learn.resnet import ResNet

TREE = Sklearn(make_pipeline(CountVectorizer(binary=True), DecisionTreeClassifier(max_depth=12)))
DROPPED, SAME = v.wrapped(dropped), v.wrapped(same)


@pytest.fixture(scope="module")
def trec(shared_data: Callable[[str], Path]) -> Dataset:
    return questions(shared_data("trec"))


@pytest.fixture(scope="module")
def wine(shared_data: Callable[[str], Path]) -> Dataset:
    return wines(shared_data("tabular"))


@pytest.fixture(scope="module")
def fsdd(shared_data: Callable[[str], Path]) -> Dataset:
    return digits_spoken(shared_data("fsdd"))


def study_of(data: Dataset, *arms: Arm, size: int | None = 300, steps: int = 40, **settings: Any) -> Study:
    return Study(data, arms, **{"seeds": (0, 1), "cells": cells(sizes=[size], steps=[steps])} | settings)


def found(study: Study, engine: Any = None) -> Findings:
    with Store.memory() as store:
        return conduct(study, store, engine or Serial())


def scores(findings: Findings, name: str = "accuracy") -> dict[str, list[float]]:
    made: dict[str, list[float]] = {}
    for trial in findings.trials:
        made.setdefault(trial.arm.name, []).append(findings.outcomes[trial.key].values[f"test.{name}"])
    return made


def predicted(findings: Findings, arm: str) -> list[list[float]]:
    return [findings.outcomes[trial.key].predicted.tolist() for trial in findings.trials if trial.arm.name == arm]


def test_texts_have_the_controls_and_the_report_that_images_have(trec: Dataset) -> None:
    findings = found(study_of(trec, Arm("dropped", DROPPED, 1), Arm("same", SAME, 1), trainer=TREE))
    # A tree is where splits lie: items that come twice move none of them.
    assert predicted(findings, "none") == predicted(findings, "duplicate") == predicted(findings, "same") != predicted(findings, "dropped")
    assert min(scores(findings)["none"]) > 2 / 6
    told = result(findings)
    assert "on trec (300 texts)" in told["question"]
    assert (told["data"]["kind"], told["data"]["shape"]) == ("text", [])
    page = render_report(told, {})
    assert "300 texts" in page
    assert ">nan" not in page  # a trainer without steps has no learning curve


def test_texts_come_batch_by_batch_and_anew_on_the_fly(trec: Dataset) -> None:
    arms = Arm("dropped", DROPPED), Arm("same", SAME), Arm("thrice", SAME, 2)
    findings = found(study_of(trec, *arms, trainer=Function(words_in_steps)))
    assert predicted(findings, "none") == predicted(findings, "same") != predicted(findings, "dropped")
    assert predicted(findings, "duplicate") == predicted(findings, "thrice")
    assert min(scores(findings)["none"]) > 2 / 6


def test_worker_processes_and_the_store_give_the_same_numbers_of_texts(trec: Dataset) -> None:
    study = study_of(trec, Arm("dropped", DROPPED, 1), Arm("fly", DROPPED), trainer=Function(words_in_steps))
    with Store.memory() as store:
        workers = conduct(study, store, Processes(2))
        again = conduct(study, store, Serial())
    serial = found(study)
    assert scores(workers) == scores(serial) == scores(again)
    assert (workers.fresh, again.fresh) == (len(workers.trials), 0)


def test_generated_texts_stand_beside_the_real_ones(trec: Dataset, wine: Dataset) -> None:
    made = replace(trec, images=np.array([f"{text} ?" for text in trec.images], object)).take(slice(40))
    study = study_of(trec.take(slice(400)), Arm("made", generated=made), size=200, rules=Rules(allow_leak=True), trainer=TREE)
    findings = found(study)
    sizes = {trial.arm.name: findings.outcomes[trial.key].sizes["train"] for trial in findings.trials}
    assert sizes["made"] == sizes["none"] + 40
    with pytest.raises(v.DataError, match=r"generated items of text in the classes .*, got float32 \(13, 1\) in"):
        found(study_of(trec, Arm("made", generated=wine), trainer=TREE))


def test_several_views_of_a_text_answer_together(trec: Dataset) -> None:
    outcomes = found(study_of(trec.take(slice(200)), size=100, seeds=(0,), views=(SAME, 2), trainer=TREE)).outcomes.values()
    assert all(one.values["views.accuracy"] == pytest.approx(one.values["test.accuracy"]) for one in outcomes)


@pytest.mark.parametrize("trainer", [MLP(), MLP(stacked=False), CNN(), ResNet(), Sklearn(SVC()), Sklearn(LogisticRegression())])
def test_what_computes_refuses_texts_before_anything_is_trained(trec: Dataset, trainer: Any) -> None:
    with Store.memory() as store, pytest.raises(v.DataError, match=r": expected items of numbers, got texts; write Sklearn\(.*Tfidf"):
        conduct(study_of(trec, trainer=trainer), store, Serial())


def test_a_pipeline_without_words_says_so(trec: Dataset) -> None:
    faults = [str(fault) for fault in found(study_of(trec, trainer=Sklearn(make_pipeline(StandardScaler(), SVC())))).faults.values()]
    assert faults
    assert all("could not convert string to float" in fault and "write make_pipeline(TfidfVectorizer(), ...)" in fault for fault in faults)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"arms": (Arm("turn", v.Rotate(angle=(-5, 5))),)}, "arm turn: Rotate: expected transforms for text, got Rotate, for image"),
        ({"arms": (Arm("noise", v.Jitter(std=1.0)),)}, "arm noise: Jitter: expected transforms for text, got Jitter, for series"),
        ({"views": (v.Rotate(angle=5), 2)}, "views: Rotate: expected transforms for text"),
        ({"curves": (("gaussian", (0.0, 0.1)),)}, "curves: expected none for texts: corruptions are of images"),
    ],
)
def test_what_is_for_other_items_is_refused(trec: Dataset, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(v.VicinalError, match=says):
        Study(trec, **{"arms": (), "trainer": TREE} | settings)


def test_texts_with_siblings_in_test_are_refused(trec: Dataset) -> None:
    sources = np.arange(len(trec))
    sources[-1] = 0
    leaky = replace(trec, sources=sources, official_test=sources != np.arange(len(trec)))
    with pytest.raises(v.LeakageError, match="official test"):
        found(study_of(leaky, trainer=TREE))


def test_copies_and_siblings_among_texts_are_found(trec: Dataset) -> None:
    pool = trec.take(slice(0, 300))
    more = [pool.images[7], str(pool.images[9]).upper(), "Quite another question , is it not ?"]
    labels = np.concatenate([pool.labels, pool.labels[[7, 9, 11]]])
    tested = np.arange(303) >= 300
    copied = replace(pool, images=np.array([*pool.images, *more], object), labels=labels, sources=np.arange(303), official_test=tested)
    told = check(copied, arms={"dropped": DROPPED}, test_policy=SAME)
    pairs = {tuple(pair["rows"]): pair["distance"] for pair in told.result["leaks"][0]["pairs"]}
    assert set(pairs) == {(300, 7), (301, 9)}
    assert pairs[300, 7] == 0
    assert [finding.sentence for finding in told.findings if "test items have copies" in finding.sentence]
    assert [finding.sentence for finding in told.findings if "are not judged on texts" in finding.sentence]
    straddling = check(replace(copied, sources=np.r_[np.arange(300), 7, 9, 302]))
    assert straddling.result["leaks"][0]["straddling"] == pytest.approx(2 / 3)


def test_a_forest_and_a_perceptron_learn_a_table(wine: Dataset) -> None:
    arms = read_arms(["jitter:1=Jitter(std=0.1)", "still:1=Jitter(std=0)"])
    forest = found(study_of(wine, *arms, size=100, trainer=Sklearn(RandomForestClassifier(20))))
    assert predicted(forest, "duplicate") == predicted(forest, "still")
    assert min(scores(forest)["none"]) > 0.8
    rows = np.asarray(wine.images)
    scaled = replace(wine, images=((rows - rows.mean(0)) / rows.std(0)).astype(np.float32))
    network = found(study_of(scaled, *arms, size=100, steps=100, trainer=MLP()))
    assert predicted(network, "duplicate") == predicted(network, "still")
    assert min(scores(network)["jitter"]) > 0.8
    assert "on wine (100 series)" in result(network)["question"]
    with pytest.raises(v.DataError, match=r"trainer cnn: expected images .* got items of shape \(13, 1\); write name: mlp"):
        found(study_of(wine, size=100, trainer=CNN()))


def test_a_pipeline_brings_columns_to_one_scale_from_train_alone(wine: Dataset) -> None:
    trainer = Sklearn(make_pipeline(StandardScaler(), LogisticRegression()))
    other = replace(wine, images=(np.asarray(wine.images) * 2.0 ** np.arange(-6, 7)[:, None]).astype(np.float32))
    one, same_as = (found(study_of(data, size=100, trainer=trainer)) for data in (wine, other))
    assert scores(one) == scores(same_as)


def test_values_of_a_table_are_regressed(shared_data: Callable[[str], Path]) -> None:
    data = shells(shared_data("tabular"))
    findings = found(study_of(data, *read_arms(["jitter:1=Jitter(std=0.01)"]), trainer=Sklearn(LinearRegression())))
    made = scores(findings, "rmse")
    assert made["none"] == pytest.approx(made["duplicate"], rel=1e-3)  # least squares: twice every item is the same line
    assert max(made["none"] + made["jitter"]) < 0.9 * data.labels.std()
    assert "Train and test agree in" not in str(check(data))


def test_waves_are_heard_by_a_function_of_your_own(fsdd: Dataset) -> None:
    arms = read_arms(["loud:1=Scaling(factor=2)", "later:1=TimeShift(by=(-200, 200))"])
    study = study_of(fsdd, *arms, size=None, steps=1, trainer=Function(nearest_spectrum))
    findings = found(study)
    # Twice as loud is the same spectrum to a function that divides loudness out.
    assert predicted(findings, "loud") == predicted(findings, "duplicate") != predicted(findings, "later")
    assert min(scores(findings)["none"]) > 0.3
    assert scores(found(study, Processes(2))) == scores(findings)
