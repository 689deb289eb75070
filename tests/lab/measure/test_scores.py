"""Scores against scikit-learn and by hand, and what is refused."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn import metrics as sk

import vicinal as v
from vicinal.lab.measure.metrics import METRICS, checked_metrics, measured
from vicinal.lab.measure.scores import EPSILON, accuracy, auc, balanced_accuracy, brier, confusion, f1, nll, recall, worst_class_change


def answers(seed: int = 0, items: int = 400, classes: int = 5, dtype: type = np.float64) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are right more often than not, and labels that are not balanced."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(classes, items, p=(w := np.arange(1, classes + 1.0)) / w.sum())
    sharp = rng.dirichlet(np.ones(classes), items) + 0.5 * np.eye(classes)[labels]
    return (sharp / sharp.sum(1, keepdims=True)).astype(dtype), labels


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [2, 5])
def test_scores_are_those_of_scikit_learn(classes: int, dtype: type):
    outputs, labels = answers(classes=classes, dtype=dtype)
    predicted, wide = outputs.argmax(1), outputs.astype(float)
    wide /= wide.sum(1, keepdims=True)
    expected = {
        "accuracy": sk.accuracy_score(labels, predicted),
        "balanced_accuracy": sk.balanced_accuracy_score(labels, predicted),
        "worst_recall": sk.recall_score(labels, predicted, average=None).min(),
        "f1": sk.f1_score(labels, predicted, average="macro"),
        "auc": sk.roc_auc_score(labels, wide[:, 1] if classes == 2 else wide, multi_class="ovr"),
        "nll": sk.log_loss(labels, wide),
        "brier": sk.brier_score_loss(labels, wide, labels=range(classes), scale_by_half=False),
    }
    found = measured(expected, outputs, labels)
    assert list(found) == list(expected)
    assert found == pytest.approx(expected, abs=1e-6 if dtype == np.float32 else 1e-12)
    np.testing.assert_array_equal(confusion(outputs, labels), sk.confusion_matrix(labels, predicted))


def test_ties_count_one_half_in_the_auc():
    rng = np.random.default_rng(1)
    first = rng.integers(1, 4, 300) / 4
    labels = rng.integers(0, 2, 300)
    outputs = np.stack([first, 1 - first], 1)
    assert auc(outputs, labels) == pytest.approx(sk.roc_auc_score(labels, outputs[:, 1]), abs=1e-12)
    assert auc(np.full((4, 2), 0.5), [0, 1, 1, 0]) == 0.5


def test_a_class_that_test_does_not_have_counts_nowhere():
    outputs, labels = answers()
    outputs, labels = outputs[labels != 2], labels[labels != 2]
    assert np.isnan(recall(outputs, labels)[2])
    assert balanced_accuracy(outputs, labels) == pytest.approx(np.nanmean(recall(outputs, labels)))
    one_against_rest = [sk.roc_auc_score(labels == label, outputs[:, label]) for label in (0, 1, 3, 4)]
    assert auc(outputs, labels) == pytest.approx(np.mean(one_against_rest), abs=1e-12)
    assert f1(outputs, labels) == pytest.approx(sk.f1_score(labels, outputs.argmax(1), average="macro"), abs=1e-12)


def test_labels_of_a_single_class():
    outputs = np.array([[0.75, 0.25], [0.25, 0.75]])
    found = measured([name for name, held in METRICS.items() if held.kind == "classification"], outputs, [0, 0])
    assert np.isnan(found.pop("auc"))
    assert found == pytest.approx(
        {"accuracy": 0.5, "balanced_accuracy": 0.5, "worst_recall": 0.5, "f1": 1 / 3, "nll": -np.log(0.75 * 0.25) / 2, "brier": 0.625}
        | {"ece": 0.25}  # both are sure by 0.75, one of two is right
    )


def test_predicted_classes_do_where_no_probabilities_are_needed():
    outputs, labels = answers()
    names = [name for name, held in METRICS.items() if held.kind == "classification" and not held.probabilities]
    assert measured(names, outputs.argmax(1), labels) == measured(names, outputs, labels)
    for name, held in METRICS.items():
        if held.probabilities:
            with pytest.raises(v.DataError, match=r"^outputs: expected \(N, K\) floats"):
                measured([name], outputs.argmax(1), labels)


def test_a_certain_mistake_costs_a_finite_likelihood():
    assert nll([[1.0, 0.0]], [1]) == pytest.approx(-np.log(EPSILON))
    assert nll(np.array([[1, 0]], np.float32), [1]) == pytest.approx(-np.log(EPSILON))
    assert nll([[1.0, 0.0]], [0]) == 0
    assert brier([[1.0, 0.0]], [1]) == 2


def test_items_in_another_order_and_twice_over_score_the_same():
    outputs, labels = answers()
    names = [name for name, held in METRICS.items() if held.kind == "classification"]
    order, once = np.random.default_rng(0).permutation(len(labels)), measured(names, outputs, labels)
    assert measured(names, outputs[order], labels[order]) == pytest.approx(once, abs=1e-12)
    assert measured(names, np.tile(outputs, (2, 1)), np.tile(labels, 2)) == pytest.approx(once, abs=1e-12)


@pytest.mark.parametrize(
    ("outputs", "labels", "says"),
    [
        (
            [[0.5, 0.5], [np.nan, 1]],
            [0, 1],
            r"^outputs\[1\]: expected finite probabilities, got nan or infinity"
            r"; write np\.delete\(outputs, 1, 0\) and np\.delete\(labels, 1, 0\) to leave it out$",
        ),
        ([[np.inf, -np.inf]], [0], r"finite probabilities"),
        ([[0.7, 0.7]], [0], r"^outputs\[0\]: expected probabilities .* sum to 1, got a sum of 1\.4; write scipy\.special\.softmax"),
        ([[1.5, -0.5]], [0], r"got -0\.5"),
        ([[3.0, -1.0]], [0], r"got -1"),
        ([[0.5, 0.5]], [2], r"^labels: expected classes from 0 to 1, as outputs have 2, got 2 to 2; write labels - labels\.min\(\)$"),
        ([[0.5, 0.5]], [-1], r"got -1 to -1"),
        ([[0.5, 0.5]], [0.0], r"^labels: expected \(1,\) whole numbers, one an item, got float64 \(1,\); write labels\.astype\(int\)$"),
        ([[0.5, 0.5]], [0, 1], r"got int64 \(2,\)"),
        (np.zeros((0, 2)), np.zeros(0, int), r"at least one item"),
        ([[1.0]], [0], r"K > 1 classes"),
        ([[1, 0]], [0], r"\(N, K\) floats"),
    ],
)
def test_what_is_no_answer_is_refused_with_a_sentence(outputs, labels, says):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, held in METRICS.items():
            if held.kind == "classification":
                with pytest.raises(v.DataError, match=says):
                    measured([name], outputs, labels)


def test_predicted_classes_are_whole_numbers_of_0_or_more():
    with pytest.raises(v.DataError, match=r"^outputs: expected classes of 0 or more, got -1 to 1; write outputs - outputs\.min\(\)$"):
        accuracy([-1, 1], [0, 1])
    with pytest.raises(v.DataError, match=r"^outputs: expected \(2,\) whole numbers"):
        accuracy([0.0, 1.0], [0, 1])


def test_the_class_that_an_arm_costs_most():
    assert worst_class_change([0.5, 0.9, np.nan], [0.6, 0.8, 1.0]) == (1, pytest.approx(-0.1))
    assert worst_class_change([0.5, 0.75], [0.75, 0.875]).change == 0.125
    for pair, says in ((([0.5], [0.5, 0.5]), r"\(K,\) numbers"), (([np.nan], [0.5]), "a class that both have")):
        with pytest.raises(v.DataError, match=says):
            worst_class_change(*pair)


def test_names_of_metrics_are_checked_all_at_once():
    assert checked_metrics(("r2",), "regression") == ("r2",)
    with pytest.raises(v.Faults) as caught:
        checked_metrics(["acuracy", "ece", "rmse"], "classification", "study.metrics")
    first, second = caught.value.faults
    assert str(first).startswith("study.metrics[0]: expected one of accuracy, ")
    assert str(first).endswith("got 'acuracy'; write accuracy")
    assert str(second).startswith("study.metrics[2]: expected a metric of classification: accuracy, ")


def test_every_metric_says_which_way_is_better():
    outputs, labels = answers()
    sure, targets = np.eye(5)[labels], np.linspace(0, 1, 20)
    noisy = 0.5 * targets + 0.1 * np.sin(np.arange(20)) + 0.1
    for name, held in METRICS.items():
        pair = ((outputs, sure), labels) if held.kind == "classification" else ((noisy, targets), targets)
        worse, perfect = (measured([name], made, pair[1])[name] for made in pair[0])
        assert perfect == pytest.approx(held.best, abs=1e-12)
        assert held.gain(worse, perfect) > 0 > held.gain(perfect, worse), name
        assert held.unit
