"""What holds for every trainer."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.learn.toys import CLASSES, FEATURES, ITEMS, SEEDS, STEPS, blobs, feed_of, fit

from vicinal.core.errors import VicinalError
from vicinal.learn.cnn import CNN
from vicinal.learn.estimator import Sklearn
from vicinal.learn.feed import ArrayFeed
from vicinal.learn.function import Function
from vicinal.learn.mlp import MLP
from vicinal.learn.registry import read_trainer, trainers
from vicinal.learn.resnet import ResNet
from vicinal.learn.trainer import Goal, Predictor, Trainer


def nearest_mean(train: Any, seed: int):
    """Weighted class means with a little noise from the seed; the mean value where values are regressed."""
    noise = np.random.default_rng(seed).normal(0, 1e-3, (train.goal.outputs, *train.goal.shape))
    if train.goal.regression:
        spread, *_ = np.linalg.lstsq(train.inputs.reshape(len(train.inputs), -1), train.labels, rcond=None)
        return lambda inputs: (inputs + noise[0]).reshape(len(inputs), -1) @ spread
    shares = np.eye(train.goal.outputs)[train.labels] if train.labels.ndim == 1 else train.labels
    mass = shares * train.weights[:, None]
    means = np.tensordot(mass / np.maximum(mass.sum(0), 1e-9), train.inputs, (0, 0)) + noise
    prior = np.ones(train.goal.outputs) if train.class_weights is None else train.class_weights

    def predict(inputs):
        apart = np.square(inputs[:, None] - means).reshape(len(inputs), len(means), -1).sum(2)
        likely = prior * np.exp(apart.min(1, keepdims=True) - apart)
        return likely / likely.sum(1, keepdims=True)

    return predict


IMAGES = (5, 4, 1)
TRAINERS: dict[str, tuple[Trainer, tuple[int, ...]]] = {
    "mlp": (MLP(hidden=(16,), lr=0.2), (FEATURES,)),
    "mlp, one by one": (MLP(hidden=(16,), lr=0.2, stacked=False), (FEATURES,)),
    "cnn": (CNN(channels=(4, 8), hidden=(16,), lr=0.01), IMAGES),
    "cnn, sgd": (CNN(channels=(4, 8), hidden=(), optimiser="sgd", lr=0.05), IMAGES),
    "resnet": (ResNet(channels=(4, 8)), IMAGES),
    "sklearn": (Sklearn(LogisticRegression()), (FEATURES,)),
    "sklearn, random": (Sklearn(RandomForestClassifier(n_estimators=5, max_features=2)), (FEATURES,)),
    "function": (Function(nearest_mean), IMAGES),
}
STEPWISE = {name: found for name, found in TRAINERS.items() if found[0].stepwise and name != "function"}
RANDOM = {name: found for name, found in TRAINERS.items() if name != "sklearn"}  # logistic regression draws nothing
LINEAR = {"sklearn": Sklearn(LinearRegression()), "sklearn, random": Sklearn(RandomForestRegressor(n_estimators=5))}

every = pytest.mark.parametrize(("trainer", "shape"), TRAINERS.values(), ids=list(TRAINERS))
stepwise = pytest.mark.parametrize(("trainer", "shape"), STEPWISE.values(), ids=list(STEPWISE))


def probabilities(trainer: Trainer, shape: tuple[int, ...], feed: Any = None, **options: Any) -> np.ndarray:
    return fit(trainer, feed, goal=Goal(shape, CLASSES), **options).outputs(blobs()[0])


@every
def test_it_learns_what_can_be_separated(trainer, shape):
    inputs, labels = blobs(1)
    found = fit(trainer, seeds=(1, 2), goal=Goal(shape, CLASSES), steps=2 * STEPS).outputs(inputs)
    assert found.shape == (2, ITEMS, CLASSES)
    assert found.dtype == np.float32
    assert ((found.argmax(2) == labels).mean(1) > 0.8).all()


@every
def test_outputs_are_probabilities(trainer, shape):
    found = probabilities(trainer, shape, steps=3)
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(2), 1, rtol=1e-5)


@every
def test_equal_seeds_on_equal_items_give_the_same(trainer, shape):
    feed = feed_of(1)
    shared = ArrayFeed(feed.inputs, feed.labels, feed.rows.repeat(len(SEEDS), 1))
    found = probabilities(trainer, shape, shared, steps=5)
    np.testing.assert_allclose(found[1], found[2], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found, probabilities(trainer, shape, shared, steps=5))


@pytest.mark.parametrize(("trainer", "shape"), RANDOM.values(), ids=list(RANDOM))
def test_other_seeds_on_equal_items_give_something_else(trainer, shape):
    feed = feed_of(1)
    shared = ArrayFeed(feed.inputs, feed.labels, feed.rows.repeat(2, 1))
    one, other = probabilities(trainer, shape, shared, seeds=(1, 2), steps=5)
    assert (one != other).any()


@every
def test_a_replica_alone_is_the_replica_in_a_group(trainer, shape):
    feed = feed_of(len(SEEDS))
    whole = probabilities(trainer, shape, feed, steps=10)
    for row in (0, 3):
        alone = probabilities(trainer, shape, ArrayFeed(feed.inputs, feed.labels, feed.rows[:, [row]]), seeds=[SEEDS[row]], steps=10)
        if trainer.together(Goal(shape, CLASSES)) == 1:
            np.testing.assert_array_equal(alone[0], whole[row])
        np.testing.assert_allclose(alone[0], whole[row], rtol=1e-3, atol=1e-5)


@every
def test_taken_replicas_are_those_of_the_group(trainer, shape):
    fitted, inputs = fit(trainer, goal=Goal(shape, CLASSES), steps=3), blobs()[0]
    assert len(fitted) == len(SEEDS)
    assert len(fitted.take([2, 0])) == 2
    np.testing.assert_allclose(fitted.take([2, 0]).outputs(inputs), fitted.outputs(inputs)[[2, 0]], rtol=1e-4, atol=1e-6)


@every
def test_random_state_and_threads_are_left_alone(trainer, shape):
    threads, state, plain = torch.get_num_threads(), torch.random.get_rng_state(), np.random.get_state()  # noqa: NPY002
    probabilities(trainer, shape, steps=3)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), state)
    assert (np.random.get_state()[1] == plain[1]).all()  # noqa: NPY002


@every
def test_values_are_regressed(trainer, shape):
    name = next(name for name, found in TRAINERS.items() if found[0] is trainer)
    inputs, _ = blobs()
    plane = np.random.default_rng(4).normal(0, 0.3, (FEATURES, 2)).astype(np.float32)
    feed = feed_of(2, labels=(inputs @ plane).astype(np.float32))
    gentle = dataclasses.replace(trainer, lr=trainer.lr / 4) if hasattr(trainer, "lr") else LINEAR.get(name, trainer)
    found = fit(gentle, feed, (1, 2), Goal(shape, 2, regression=True), steps=3 * STEPS).outputs(inputs)
    assert found.shape == (2, ITEMS, 2)
    assert np.square(found - inputs @ plane).mean() < 0.5 * np.var(inputs @ plane)


@every
def test_class_weights_move_the_decision(trainer, shape):
    noisy = np.random.default_rng(0).normal(size=(400, FEATURES)).astype(np.float32)
    rng = np.random.default_rng(1)
    feed = ArrayFeed(noisy, rng.integers(0, CLASSES, 400), rng.integers(0, 400, (STEPS, 2, 16)))
    weights = np.ones((2, CLASSES), np.float32)
    weights[0, 1], weights[1, 2] = 8, 8
    found = fit(trainer, feed, (1, 1), Goal(shape, CLASSES), class_weights=weights).outputs(noisy).mean(1)
    assert found[0, 1] > found[1, 1] + 0.1
    assert found[1, 2] > found[0, 2] + 0.1


@every
def test_equal_labels_give_the_same_however_they_are_written(trainer, shape):
    weights = np.random.default_rng(5).uniform(0.5, 2, (4, CLASSES)).astype(np.float32)
    soft = feed_of(4, labels=np.eye(CLASSES, dtype=np.float32)[blobs()[1]])
    hard = probabilities(trainer, shape, class_weights=weights, steps=5)
    np.testing.assert_allclose(probabilities(trainer, shape, soft, class_weights=weights, steps=5), hard, rtol=1e-3, atol=1e-4)


@every
def test_a_shared_label_is_an_item_of_either_class(trainer, shape):
    """Half the share of two classes at one point: probabilities there tend to a half each."""
    point = np.ones((1, FEATURES), np.float32)
    soft = ArrayFeed(point.repeat(16, 0), np.tile(np.float32([0.5, 0.5, 0, 0]), (16, 1)), np.tile(np.arange(16), (STEPS, 1, 1)))
    found = fit(trainer, soft, (1,), Goal(shape, CLASSES), steps=STEPS).outputs(point)[0, 0]
    np.testing.assert_allclose(found[:2], 0.5, atol=0.2)


@stepwise
def test_looks_come_at_their_marks(trainer, shape):
    seen: dict[int, Predictor] = {}
    counted: list[int] = []
    last = fit(trainer, goal=Goal(shape, CLASSES), steps=12, marks=[0, 5, 12], look=seen.__setitem__, progress=counted.append)
    assert list(seen) == [0, 5, 12]
    assert counted == list(range(1, 13))
    inputs = blobs()[0]
    np.testing.assert_array_equal(seen[12].outputs(inputs), last.outputs(inputs))
    if trainer.passes:
        np.testing.assert_array_equal(seen[5].outputs(inputs), probabilities(trainer, shape, steps=5))
    assert (seen[0].outputs(inputs) != seen[5].outputs(inputs)).any()


@pytest.mark.parametrize("name", ["sklearn", "function"])
def test_without_steps_there_is_one_look_at_the_end(name):
    trainer, shape = TRAINERS[name]
    seen: dict[int, Predictor] = {}
    counted: list[int] = []
    fit(trainer, goal=Goal(shape, CLASSES), steps=12, marks=[3], look=seen.__setitem__, progress=counted.append)
    assert list(seen) == [12]
    assert counted == [3, 6, 9, 12]


@stepwise
def test_a_loss_that_is_not_finite_names_its_seed(trainer, shape):
    with pytest.raises(VicinalError, match="training, seed 5: expected a finite loss, got nan or infinity by step"):
        fit(trainer.replace(lr=1e29), feed_of(2), (5, 6), Goal(shape, CLASSES), steps=30)


@every
def test_settings_survive_json(trainer, shape):
    again = read_trainer(json.loads(json.dumps(trainer.data())), trusted=True)
    assert again == trainer
    assert hash(again) == hash(trainer)
    assert again.data() == trainer.data()


def test_every_known_trainer_is_held_to_these_laws():
    assert set(trainers()) == {trainer.name for trainer, _ in TRAINERS.values()}


def test_pipelines_and_partial_gradients_are_seeded_too():
    pipeline = Sklearn(make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", max_iter=5, tol=None)))
    feed = feed_of(1)
    shared = ArrayFeed(feed.inputs, feed.labels, feed.rows.repeat(3, 1))
    found = probabilities(pipeline, (FEATURES,), shared, seeds=(1, 2, 2))
    assert (found[0] != found[1]).any()
    np.testing.assert_array_equal(found[1], found[2])
