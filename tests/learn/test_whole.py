"""Trainers that take all items at once: what estimators and functions are given, and what they may answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from tests.learn.toys import CLASSES, FEATURES, GOAL, ITEMS, STEPS, blobs, feed_of, fit

from vicinal.core.errors import DataError, ParameterError, VicinalError
from vicinal.learn.cnn import CNN
from vicinal.learn.estimator import Sklearn
from vicinal.learn.feed import ArrayFeed
from vicinal.learn.function import Function, Train
from vicinal.learn.mlp import MLP
from vicinal.learn.resnet import ResNet
from vicinal.learn.trainer import Goal, Items
from vicinal.learn.whole import answered

VALUES = Goal((FEATURES,), 1, regression=True)


class Weighted:
    """A feed whose items have weights, or are spoiled."""

    def __init__(self, change: Any):
        self.change = change

    def batch(self, step: int):
        return feed_of(1).batch(step)

    def whole(self, replica: int) -> Items:
        return self.change(feed_of(1).whole(replica))


def test_an_estimator_learns_as_it_does_alone():
    items, inputs = feed_of(2).whole(1), blobs(1)[0]
    alone = LogisticRegression().fit(items.inputs, items.labels).predict_proba(inputs)
    np.testing.assert_allclose(fit(Sklearn(LogisticRegression()), feed_of(2), (0, 1)).outputs(inputs)[1], alone, rtol=1e-5)


def test_least_squares_is_that_of_numpy():
    inputs, _ = blobs()
    values = inputs @ np.random.default_rng(0).normal(size=(FEATURES, 2)).astype(np.float32) + 3
    found = fit(Sklearn(LinearRegression()), feed_of(1, labels=values), [0], Goal((FEATURES,), 2, regression=True))
    np.testing.assert_allclose(found.outputs(inputs)[0], values, rtol=1e-3, atol=1e-3)


def test_one_value_is_a_column():
    found = fit(Sklearn(Ridge()), feed_of(1, labels=blobs()[0][:, :1]), [0], VALUES).outputs(blobs()[0])
    assert found.shape == (1, ITEMS, 1)


def test_without_probabilities_the_class_gets_one():
    found = fit(Sklearn(SVC())).outputs(blobs()[0])
    assert set(np.unique(found)) == {0, 1}
    assert (found.sum(2) == 1).all()


@pytest.mark.parametrize("estimator", [LogisticRegression(), SVC()])
def test_a_class_that_is_missing_gets_nothing(estimator):
    inputs, labels = blobs()
    rows = np.flatnonzero(labels != 1)
    found = fit(Sklearn(estimator), ArrayFeed(inputs, labels, rows[None, None]), [0]).outputs(inputs)[0]
    assert (found[:, 1] == 0).all()
    assert (found.argmax(1)[rows] == labels[rows]).mean() > 0.9


def test_weights_of_items_are_repetitions():
    inputs, labels = blobs()
    times = np.random.default_rng(0).integers(1, 4, ITEMS)
    weighted = Weighted(lambda items: Items(inputs, labels, times.astype(float)))
    repeated = ArrayFeed(inputs.repeat(times, 0), labels.repeat(times), np.arange(times.sum())[None, None])
    one, other = (fit(Sklearn(GaussianNB()), feed, [0]).outputs(inputs) for feed in (weighted, repeated))
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_estimators_without_weights_are_refused_where_weights_matter():
    neighbours = Sklearn(KNeighborsClassifier(3))
    assert len(fit(neighbours)) == 4
    with pytest.raises(DataError, match=r"KNeighborsClassifier, seed 11: expected an estimator whose fit takes sample_weight"):
        fit(neighbours, class_weights=np.arange(1, 17, dtype=np.float32).reshape(4, 4))


def test_what_an_estimator_says_is_passed_on_with_the_seed():
    inputs, labels = blobs()
    single = ArrayFeed(inputs, labels * 0, np.arange(9)[None, None])
    with pytest.raises(DataError, match=r"LogisticRegression, seed 7: expected items that it can learn from, got .*class"):
        fit(Sklearn(LogisticRegression()), single, [7])


@pytest.mark.parametrize(("estimator", "goal"), [(Ridge(), GOAL), (SVC(), VALUES)])
def test_classifiers_classify_and_regressors_regress(estimator, goal):
    with pytest.raises(ParameterError, match=r"expected a (classifier|regressor), as"):
        fit(Sklearn(estimator), goal=goal)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda items: items._replace(inputs=items.inputs[:, :3]), r"inputs of shape \(1 item or more, 20 features\)"),
        (lambda items: items._replace(inputs=items.inputs * np.nan), "finite inputs, got nan or infinity in item 0"),
        (lambda items: items._replace(labels=items.labels[:3]), "integer labels of shape"),
        (lambda items: items._replace(weights=items.weights * 0), "finite, 0 or more, not all 0"),
    ],
)
def test_items_that_do_not_fit_are_described(change, message):
    with pytest.raises(DataError, match=f"items, seed 7: expected .*{message}"):
        fit(Sklearn(SVC()), Weighted(change), [7])


def test_a_function_sees_its_items_and_batches():
    seen: list[tuple[Train, int]] = []

    def remembering(train: Train, seed: int):
        seen.append((train, seed))
        return lambda inputs: np.zeros(len(inputs), int)

    feed, weights = feed_of(2), np.arange(1, 9, dtype=np.float32).reshape(2, 4)
    fit(Function(remembering), feed, (8, 9), Goal((4, 5, 1), CLASSES), class_weights=weights)
    (train, seed), whole = seen[1], feed.whole(1)
    assert seed == 9
    assert train.inputs.shape == (len(whole.inputs), 4, 5, 1)
    np.testing.assert_array_equal(train.inputs.reshape(len(train.inputs), -1), whole.inputs)
    np.testing.assert_array_equal(train.labels, whole.labels)
    np.testing.assert_array_equal(train.class_weights, weights[1])
    batches = [*train.batches()]
    assert len(batches) == train.steps == STEPS
    np.testing.assert_array_equal(batches[3][0].reshape(16, -1), feed.batch(3)[0][1])
    np.testing.assert_array_equal(batches[3][1], feed.batch(3)[1][1])


def test_a_function_is_asked_with_whole_items():
    asked: list[tuple[int, ...]] = []

    def fitted(train: Train, seed: int):
        return lambda inputs: [asked.append(inputs.shape), np.zeros(len(inputs), int)][1]

    fit(Function(fitted), feed_of(1), [0], Goal((4, 5, 1), CLASSES)).outputs(blobs()[0])
    assert asked == [(ITEMS, 4, 5, 1)]


def test_a_function_that_gives_no_function_is_refused():
    with pytest.raises(VicinalError, match=r"seed 7: expected a function predict\(inputs\), got NoneType; write return lambda inputs"):
        fit(Function(lambda train, seed: None), feed_of(1), [7])


@pytest.mark.parametrize(
    ("found", "goal", "message"),
    [
        (
            np.zeros((3, 2)),
            Goal((1,), 4),
            r"probabilities of shape \(3, 4\), or class numbers of shape \(3,\), got float64",
        ),
        (np.zeros(3), Goal((1,), 4), r"got float64 of shape \(3,\)"),
        (["a", "b", "c"], Goal((1,), 4), "probabilities of shape"),
        (np.full((3, 4), np.nan), Goal((1,), 4), "finite predictions, got nan or infinity for item 0"),
        (np.full((3, 4), 0.5), Goal((1,), 4), "add up to 1, got numbers from 0.5 to 0.5, whose sums are 2 to 2"),
        (np.tile([1.5, -0.5, 0, 0], (3, 1)), Goal((1,), 4), "add up to 1, got numbers from -0.5"),
        (np.array([0, 1, 4]), Goal((1,), 4), r"class numbers 0..3, got 0..4"),
        (np.zeros((3, 1)), Goal((1,), 2, True), r"values of shape \(3, 2\)"),
        (np.array([0, np.inf, 1]), Goal((1,), 1, True), "finite predictions, got nan or infinity for item 1"),
    ],
)
def test_answers_that_cannot_be_are_described(found, goal, message):
    with pytest.raises(DataError, match=f"f, seed 7: expected .*{message}"):
        answered(found, 3, goal, "f, seed 7")


def test_answers_are_scaled_and_given_columns():
    np.testing.assert_allclose(answered(np.full((1, 4), 0.25001), 1, Goal((1,), 4), "f"), 0.25)
    assert answered([1.0, 2.0], 2, Goal((1,), 1, True), "f").tolist() == [[1.0], [2.0]]


WORDS = np.array([f"{'good' if row % 2 else 'bad'} number {row}" for row in range(12)], object)[:, None]
TEXTS = ArrayFeed(WORDS, np.arange(12) % 2, np.arange(12)[None, None])
SAYS = Goal((), 2)


@pytest.mark.parametrize("inside", [False, True])
def test_estimators_that_read_are_given_texts(inside):
    pipeline = make_pipeline(CountVectorizer(), LogisticRegression())
    found = fit(Sklearn(VotingClassifier([("words", pipeline)], voting="soft") if inside else pipeline), TEXTS, [0], SAYS)
    assert found.outputs(WORDS).argmax(2)[0].tolist() == TEXTS.labels.tolist()
    assert len(fit(Sklearn(DummyClassifier()), TEXTS, [0], SAYS)) == 1  # one that does not look at its inputs


def test_a_function_is_given_texts_along_one_axis():
    def by_word(train: Train, seed: int):
        batches = list(train.batches())
        assert [inputs.tolist() for inputs, _ in batches] == [train.inputs.tolist()] * 2 == [WORDS[:, 0].tolist()] * 2
        return lambda texts: ["good" in text for text in texts]

    found = fit(Function(by_word), TEXTS, [0], SAYS, steps=2)
    assert found.outputs(WORDS[:3]).argmax(2)[0].tolist() == [0, 1, 0]


@pytest.mark.parametrize("trainer", [MLP(), CNN(), ResNet(), Sklearn(SVC()), Sklearn(GaussianNB())], ids=lambda trainer: trainer.name)
def test_texts_are_refused_where_numbers_are_computed_with(trainer):
    for refuse in (lambda: trainer.check(SAYS), lambda: fit(trainer, TEXTS, [0], SAYS)):
        with pytest.raises(DataError, match="expected items of numbers, got texts; write Sklearn"):
            refuse()


@pytest.mark.parametrize("trainer", [CNN(), ResNet()], ids=lambda trainer: trainer.name)
def test_convolutions_are_of_pictures(trainer):
    with pytest.raises(DataError, match=rf"trainer {trainer.name}: expected images .* got items of shape \(30, 1\); write name: mlp"):
        trainer.check(Goal((30, 1), 2))
