"""What is known beforehand: Vendi scores, survival of the identity, folds, edges, invariance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

import vicinal as v
from vicinal.core.errors import ParameterError
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import Arm
from vicinal.lab.preflight.hearing import Hearing
from vicinal.lab.preflight.judge import Jury, folds_of, trained
from vicinal.lab.preflight.judged import judged
from vicinal.lab.preflight.nearness import invariance, nearness, vendi
from vicinal.lab.preflight.survive import survival
from vicinal.lab.preflight.sweep import at_strengths, edge, safe_ranges
from vicinal.learn.estimator import Sklearn


@pytest.fixture(scope="module")
def hearing(digits: Dataset) -> Hearing:
    return Hearing.of(digits, np.arange(240), Jury(folds=4, seeds=1, steps=300))


@pytest.mark.parametrize("clusters", [1, 2, 5])
def test_the_vendi_score_counts_equal_clusters(clusters: int) -> None:
    assert vendi(np.kron(np.eye(clusters), np.ones((3, 3)))) == pytest.approx(clusters)


def test_the_vendi_score_lies_between_one_and_the_number_of_items() -> None:
    points = np.random.default_rng(0).normal(size=(20, 3))
    kernel = np.exp(-((points[:, None] - points) ** 2).sum(2) / 2)
    assert 1 < vendi(kernel) < 20
    assert vendi(np.eye(20)) == pytest.approx(20)


def test_everything_survives_the_identity(hearing: Hearing) -> None:
    found = judged(hearing, Arm("nothing", v.Rotate(angle=0)))
    assert found.survival.overall.share == found.survival.overall.low == found.survival.overall.high == 1
    assert {kept.share for kept in found.survival.classes} == {1.0}
    assert found.survival.verdict == "survives"
    near = found.nearness
    assert (near.affinity, near.unchanged, near.divergence, near.spread) == (1, 1, 0, 0)
    assert near.diversity == pytest.approx(1)
    assert near.vendi == pytest.approx(near.vendi_originals)


def test_items_that_become_one_are_as_diverse_as_one(hearing: Hearing) -> None:
    near = nearness(hearing, v.Brightness(by=1))
    assert near.vendi == pytest.approx(1)
    assert near.diversity == pytest.approx(0, abs=1e-5)
    assert near.vendi_originals > 3


def test_survival_is_the_ratio_of_two_accuracies() -> None:
    rng = np.random.default_rng(0)
    before, after, labels = rng.random(200) < 0.9, rng.random(200).round(1), rng.integers(0, 4, 200)
    found = survival(before, after, labels, np.arange(200), 4)
    assert found.overall.share == pytest.approx(after.mean() / before.mean())
    for k, kept in enumerate(found.classes):
        assert kept.share == pytest.approx(after[labels == k].mean() / before[labels == k].mean())
        assert kept.low <= kept.share <= kept.high


def test_siblings_widen_the_interval() -> None:
    after = np.random.default_rng(0).random(50).repeat(4).round()
    usual = {"before": np.ones(200, bool), "after": after, "labels": np.zeros(200, int), "classes": 1}
    lone, siblings = survival(**usual, sources=np.arange(200)), survival(**usual, sources=np.arange(50).repeat(4))
    assert siblings.overall.high - siblings.overall.low > 1.5 * (lone.overall.high - lone.overall.low)


def test_one_class_that_is_lost_is_told_although_the_whole_survives() -> None:
    labels = np.arange(400) % 20
    found = survival(np.ones(400, bool), (labels > 0).astype(float), labels, np.arange(400), 20)
    assert (found.overall.share, found.overall.verdict, found.verdict) == (0.95, "survives", "partly lost")


def test_a_class_that_no_judge_knows_is_unknown() -> None:
    labels = np.array([0, 0, 1, 1])
    found = survival(labels == 0, np.ones(4), labels, np.arange(4), 2)
    assert [kept.verdict for kept in found.classes] == ["survives", "unknown"]


def test_folds_keep_siblings_together_and_classes_apart() -> None:
    sources, labels = np.arange(60).repeat(3), (np.arange(60) % 3).repeat(3)
    fold = folds_of(sources, labels, 5)
    assert all(len(set(fold[sources == source])) == 1 for source in range(60))
    counts = np.array([[((fold == k) & (labels == label)).sum() for k in range(5)] for label in range(3)])
    assert (counts == 12).all()
    turned = np.random.default_rng(0).permutation(180)
    assert (folds_of(sources[turned], labels[turned], 5) == fold[turned]).all()


def test_no_judge_has_seen_what_it_judges(digits: Dataset) -> None:
    """Labels without any meaning can be learned by heart, but not judged out of fold."""
    rng = np.random.default_rng(0)
    senseless = replace(digits.take(np.arange(200)), labels=rng.integers(0, 2, 200), classes=("a", "b"))
    found = Hearing.of(senseless, np.arange(200), Jury(folds=4, seeds=1, steps=600, practice=None))
    assert 0.35 < found.right.mean() < 0.65
    assert 0.35 < (found.plain.argmax(1) == found.labels).mean() < 0.65


def test_any_trainer_may_judge(digits: Dataset) -> None:
    jury = Jury(folds=2, seeds=1, trainer=Sklearn(estimator=KNeighborsClassifier()))
    judges = trained(digits, np.arange(100), jury)
    answers = judges.answers(digits.images[:100].reshape(100, -1).astype(np.float32) / 255)
    assert answers.sum(1) == pytest.approx(np.ones(100))
    assert (answers.argmax(1) == digits.labels[:100]).mean() > 0.7


def test_the_same_judges_come_twice(digits: Dataset) -> None:
    jury = Jury(folds=2, seeds=1, steps=20)
    first, second = (Hearing.of(digits, np.arange(60), jury).before for _ in range(2))
    assert (first == second).all()


def test_strength_only_takes_away(hearing: Hearing) -> None:
    shares = [share for _, share in at_strengths(hearing, v.Rotate(angle=(-60, 60)))]
    assert shares[0] > 0.9 > shares[-1]
    assert at_strengths(hearing, v.HorizontalFlip()) == []


def test_safe_ranges_are_in_units_and_around_the_neutral_value(hearing: Hearing) -> None:
    found = {safe.parameter: safe for safe in safe_ranges(hearing, v.Compose([v.Rotate(angle=(-90, 90)), v.GaussianNoise(std=(0, 0.02))]))}
    assert found["angle"].unit == "degrees"
    assert -90 < found["angle"].low < 0 < found["angle"].high < 90
    assert found["angle"].exceeded
    assert found["std"].low == 0
    assert found["std"].high_open  # twice as much is still harmless
    assert not found["std"].exceeded


def test_the_edge_is_where_the_line_meets_the_threshold() -> None:
    assert edge([(0, 1.0), (1, 0.9)]) == (pytest.approx(0.5), False)
    assert edge([(0, 1.0), (-4, 0.96), (-8, 0.92), (-12, 1.0)]) == (pytest.approx(-5), False)
    assert edge([(0, 1.0)]) == (0, True)


def test_invariance_of_certain_answers() -> None:
    before = np.array([[0.75, 0.25], [0.25, 0.75]])
    assert invariance(before, [before, before]) == (1.0, 0.0)
    same, far = invariance(before, [before[::-1]])
    assert same == 0
    assert far == pytest.approx(0.5 * np.log(3))


@pytest.mark.parametrize(("name", "value"), [("folds", 1), ("seeds", 0), ("steps", 0), ("folds", 2.5), ("seeds", True)])
def test_settings_out_of_range_are_named(name: str, value: object) -> None:
    with pytest.raises(ParameterError, match=f"judges.{name}: expected a whole number"):
        Jury(**{name: value})  # type: ignore[arg-type]
