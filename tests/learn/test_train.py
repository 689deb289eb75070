"""Training: the stacked replicas against plain torch modules, against each other, and on inputs that are wrong."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from vicinal.core.errors import DataError, ParameterError, VicinalError
from vicinal.learn.feed import ArrayFeed
from vicinal.learn.mlp import MLP, Layer, initial_layers
from vicinal.learn.replicas import OneByOne, Stacked
from vicinal.learn.train import Predictor, train

FEATURES, CLASSES, ITEMS, STEPS = 20, 4, 120, 50
SEEDS = [11, 3, 3, 2**63 + 5]


def items(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Blobs with a structure that can be learnt: the class shifts a block of features."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, ITEMS)
    return (rng.normal(0, 0.3, (ITEMS, FEATURES)) + np.eye(CLASSES)[labels].repeat(5, 1)).astype(np.float32), labels


def feed_of(replicas: int, batch: int = 16) -> ArrayFeed:
    return ArrayFeed(*items(), np.random.default_rng(1).integers(0, ITEMS, (STEPS, replicas, batch)))


def fit(model: MLP, feed=None, seeds=SEEDS, **options) -> Predictor:
    options = {"features": FEATURES, "classes": CLASSES, "steps": STEPS, "threads": 1} | options
    return train(model, feed_of(len(seeds)) if feed is None else feed, seeds=seeds, **options)


def assert_same_weights(one: Predictor, other: Predictor, **tolerance):
    for left, right in zip(one.layers, other.layers, strict=True):
        torch.testing.assert_close(left.weight, right.weight, **tolerance)
        torch.testing.assert_close(left.bias, right.bias, **tolerance)


SHAPES = [
    {},
    {"momentum": 0.9, "lr": 0.02},
    {"weight_decay": 0.01},
    {"momentum": 0.5, "weight_decay": 0.01, "lr": 0.05},
    {"hidden": ()},
    {"hidden": (7,)},
    {"hidden": (9, 8, 7)},
]


@pytest.mark.parametrize("options", SHAPES, ids=str)
def test_stacked_equals_one_by_one(options):
    stacked, plain = fit(MLP(**options)), fit(MLP(stacked=False, **options))
    # In float32 the order of additions decides on which side of a ReLU a unit at its kink falls, and the step after differs.
    assert_same_weights(stacked, plain, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(stacked.logits(items()[0]), plain.logits(items()[0]), rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("options", SHAPES, ids=str)
def test_the_gradient_written_out_is_autograds(options):
    """In float64, where rounding cannot hide a wrong term."""
    model, feed = MLP(**options), feed_of(4)
    start = initial_layers(model.widths(FEATURES, CLASSES), SEEDS)
    double = tuple(Layer(layer.weight.double(), layer.bias.double()) for layer in start)
    replicas = Stacked.of(model, tuple(layer.copy() for layer in double)), OneByOne.of(model, double)
    for step in range(STEPS):
        inputs, labels = (torch.from_numpy(array) for array in feed.batch(step))
        for kind in replicas:
            kind.step(inputs.double(), labels)
    assert_same_weights(*(Predictor(kind.layers()) for kind in replicas), rtol=1e-9, atol=1e-12)


def test_stacked_equals_a_loop_written_out_here():
    """Autograd on torch.nn modules, none of the library's own training code."""
    feed, model = feed_of(1), MLP(hidden=(8,), lr=0.1)
    first, second = initial_layers((FEATURES, 8, CLASSES), [5])
    network = torch.nn.Sequential(torch.nn.Linear(FEATURES, 8), torch.nn.ReLU(), torch.nn.Linear(8, CLASSES))
    values = [first.weight[0], first.bias[0, 0], second.weight[0], second.bias[0, 0]]
    with torch.no_grad():
        for parameter, value in zip(network.parameters(), values, strict=True):
            parameter.copy_(value)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    for step in range(STEPS):
        inputs, labels = (torch.from_numpy(array[0]) for array in feed.batch(step))
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network(inputs), labels).backward()
        optimiser.step()
    trained = fit(model, feed, seeds=[5]).layers
    torch.testing.assert_close(trained[0].weight[0], network[0].weight.detach(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(trained[1].bias[0, 0], network[2].bias.detach(), rtol=1e-4, atol=1e-5)


def test_replicas_do_not_influence_one_another():
    feed = feed_of(4)
    subset = ArrayFeed(feed.inputs, feed.labels, feed.rows[:, [3, 1]])
    whole = fit(MLP(), feed)
    part = fit(MLP(), subset, seeds=[SEEDS[3], SEEDS[1]])
    picked = Predictor(tuple(type(layer)(layer.weight[[3, 1]], layer.bias[[3, 1]]) for layer in whole.layers))
    assert_same_weights(picked, part, rtol=1e-5, atol=1e-6)


def test_equal_seeds_on_equal_batches_end_equal_and_others_do_not():
    feed = feed_of(1)
    shared = ArrayFeed(feed.inputs, feed.labels, feed.rows.repeat(4, axis=1))
    weight = fit(MLP(), shared).layers[0].weight
    torch.testing.assert_close(weight[1], weight[2])
    assert not torch.allclose(weight[0], weight[1])


def test_training_is_repeatable_and_learns():
    one, two = fit(MLP()), fit(MLP())
    assert_same_weights(one, two, rtol=0, atol=0)
    inputs, labels = items()
    assert ((one.predict(inputs) == labels).mean(axis=1) > 0.9).all()


def test_one_feed_a_replica_equals_a_group_feed():
    group = feed_of(4)

    class Single:
        def __init__(self, replica: int):
            self.replica = replica

        def batch(self, step: int):
            inputs, labels = group.batch(step)
            return inputs[self.replica], labels[self.replica]

    assert_same_weights(fit(MLP(), [Single(replica) for replica in range(4)]), fit(MLP(), group), rtol=0, atol=0)


def test_the_last_batch_may_be_smaller():
    class Ragged:
        def batch(self, step: int):
            inputs, labels = feed_of(4).batch(step)
            return (inputs[:, :5], labels[:, :5]) if step % 7 == 6 else (inputs, labels)

    assert_same_weights(fit(MLP(), Ragged()), fit(MLP(stacked=False), Ragged()), rtol=1e-4, atol=1e-5)


# checkpoints, progress, prediction


@pytest.mark.parametrize("stacked", [True, False])
def test_checkpoints_are_snapshots_of_the_run(stacked):
    seen: dict[int, Predictor] = {}
    model = MLP(stacked=stacked)
    last = fit(model, checkpoints=[0, 20, STEPS], on_checkpoint=seen.__setitem__)
    assert list(seen) == [0, 20, STEPS]
    assert torch.equal(seen[0].layers[0].weight, initial_layers((FEATURES, 64, 32, CLASSES), SEEDS)[0].weight)
    assert_same_weights(seen[20], fit(model, steps=20), rtol=0, atol=0)
    assert_same_weights(seen[STEPS], last, rtol=0, atol=0)


def test_progress_counts_every_step():
    counted: list[int] = []
    fit(MLP(), progress=counted.append)
    assert counted == list(range(1, STEPS + 1))


def test_no_steps_leave_the_initial_weights():
    assert torch.equal(fit(MLP(), steps=0).layers[0].weight, initial_layers((FEATURES, 64, 32, CLASSES), SEEDS)[0].weight)


def test_prediction_in_chunks_is_prediction_at_once(monkeypatch):
    fitted, (inputs, _) = fit(MLP()), items()
    whole = fitted.logits(inputs)
    assert whole.shape == (4, ITEMS, CLASSES)
    monkeypatch.setattr("vicinal.learn.train.CHUNK_FLOATS", 4 * 120 * 7)
    assert fitted._chunk() == 7
    np.testing.assert_allclose(fitted.logits(inputs), whole, rtol=1e-5, atol=1e-6)
    assert (fitted.predict(inputs) == whole.argmax(2)).all()


def test_every_replica_can_have_its_own_inputs():
    fitted, (inputs, _) = fit(MLP()), items()
    own = np.stack([np.roll(inputs, replica, axis=0) for replica in range(4)])
    shared = fitted.predict(inputs)
    assert (fitted.predict(own) == np.stack([np.roll(row, replica) for replica, row in enumerate(shared)])).all()


def test_read_only_inputs_are_accepted_and_left_alone():
    feed, (inputs, _) = feed_of(4), items()
    expected = fit(MLP(), feed)

    class Frozen:
        def batch(self, step: int):
            arrays = feed.batch(step)
            for array in arrays:
                array.flags.writeable = False
            return arrays

    assert_same_weights(fit(MLP(), Frozen()), expected, rtol=0, atol=0)
    before = inputs.copy()
    inputs.flags.writeable = False
    expected.predict(inputs)
    assert (inputs == before).all()


# nothing global is left changed


def test_threads_and_random_state_are_put_back():
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    during: list[int] = []
    for stacked in (True, False):
        fit(MLP(stacked=stacked), threads=1, progress=lambda _: during.append(torch.get_num_threads()))
    with pytest.raises(ZeroDivisionError):
        fit(MLP(), threads=1, progress=lambda done: 1 // 0)
    assert set(during) == {1}
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.random.get_rng_state(), state)


def test_feeds_need_no_torch():
    check = "import sys, vicinal.learn.feed; assert 'torch' not in sys.modules, 'torch was imported'"
    subprocess.run([sys.executable, "-c", check], check=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})


# faults


class Huge:
    """Finite inputs, but so large for some replicas that the second step overflows."""

    def __init__(self, replicas: list[int]):
        self.replicas = replicas

    def batch(self, step: int):
        inputs, labels = feed_of(4).batch(step)
        inputs[self.replicas] *= 1e30
        return inputs, labels


@pytest.mark.parametrize("stacked", [True, False])
def test_a_diverged_replica_is_named(stacked):
    with pytest.raises(VicinalError) as caught:
        fit(MLP(stacked=stacked), Huge([3]), seeds=[4, 5, 6, 7])
    advice = "write a smaller learning rate than 0.1, for example --lr 0.01"
    assert str(caught.value) == f"training, seed 7: expected a finite loss, got nan or infinity by step 25; {advice}"


def test_several_diverged_replicas_are_counted():
    with pytest.raises(VicinalError, match=r"seed 5: .* by step 25 \(and in 1 more of 4 replicas\)"):
        fit(MLP(), Huge([1, 3]), seeds=[4, 5, 6, 7])


def test_divergence_is_seen_at_a_checkpoint_before_its_predictor_is_used():
    seen: list[int] = []
    with pytest.raises(VicinalError, match="by step 7"):
        fit(MLP(), Huge([0]), checkpoints=[7], on_checkpoint=lambda done, _: seen.append(done))
    assert not seen


def test_a_nan_in_a_batch_is_not_blamed_on_the_learning_rate():
    class Spoiled:
        def batch(self, step: int):
            inputs, labels = feed_of(4).batch(step)
            inputs[2, 5, 0] = np.nan if step == 30 else inputs[2, 5, 0]
            return inputs, labels

    with pytest.raises(DataError, match=r"feed, step 30, seed 3: expected finite inputs, got nan or infinity in item 5"):
        fit(MLP(), Spoiled())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, y: (x[:, :, :9], y), r"inputs of shape \(4 replicas, 1..32 items, 20 features\), got \(4, 16, 9\)"),
        (lambda x, y: (x[:2], y[:2]), r"got \(2, 16, 20\)"),
        (lambda x, y: (x[:, :0], y[:, :0]), r"got \(4, 0, 20\)"),
        (lambda x, y: (x.repeat(3, 1), y.repeat(3, 1)), r"got \(4, 48, 20\)"),
        (lambda x, y: (x, y[:, :5]), r"integer labels of shape \(4, 16\), got int64 of shape \(4, 5\)"),
        (lambda x, y: (x, y.astype(float)), "got float64"),
        (lambda x, y: (x, y + 1), r"labels 0..3, got 1..4"),
        (lambda x, y: (x, y - 1), r"labels 0..3, got -1..2"),
    ],
)
def test_batches_that_do_not_fit_are_described(change, message):
    class Changed:
        def batch(self, step: int):
            return change(*feed_of(4).batch(step))

    with pytest.raises(DataError, match=message):
        fit(MLP(), Changed())


def test_feeds_of_different_shapes_are_described():
    class Short:
        def __init__(self, size: int):
            self.size = size

        def batch(self, step: int):
            return np.zeros((self.size, FEATURES), np.float32), np.zeros(self.size, np.int64)

    with pytest.raises(DataError, match=r"one batch shape for all replicas, got \(3, 20\), \(4, 20\)"):
        fit(MLP(), [Short(3), Short(4)], seeds=[0, 1])


@pytest.mark.parametrize("options", [{"steps": -1}, {"seeds": []}, {"checkpoints": [STEPS + 1]}, {"threads": 0}], ids=str)
def test_settings_that_cannot_be_are_named(options):
    with pytest.raises(ParameterError, match=rf"train\.{next(iter(options))}"):
        fit(MLP(), feed_of(1), **({"seeds": [0]} | options))


def test_prediction_names_a_wrong_shape():
    with pytest.raises(DataError, match=r"inputs \(N, 20\) or \(4, N, 20\), got \(7, 9\)"):
        fit(MLP(), steps=1).predict(np.zeros((7, 9), np.float32))
