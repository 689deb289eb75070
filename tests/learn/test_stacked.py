"""Perceptrons side by side: against plain torch modules, against each other, and on inputs that are wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from tests.learn.toys import CLASSES, FEATURES, GOAL, ITEMS, SEEDS, STEPS, Changed, blobs, feed_of, fit

from vicinal.core.errors import DataError, ParameterError, VicinalError
from vicinal.learn.feed import ArrayFeed
from vicinal.learn.layers import Layer, Layers, LayersPredictor, initial_layers
from vicinal.learn.mlp import MLP
from vicinal.learn.networks import NetworksPredictor, OneByOne
from vicinal.learn.stacked import one_by_one, stacked
from vicinal.learn.trainer import Goal, Predictor


def layers_of(predictor: Predictor) -> Layers:
    if isinstance(predictor, LayersPredictor):
        return predictor.layers
    assert isinstance(predictor, NetworksPredictor)
    columns = zip(*([part for part in network if isinstance(part, torch.nn.Linear)] for network in predictor.networks), strict=True)
    return tuple(
        Layer(*(torch.stack(parts) for parts in zip(*((p.weight.mT, p.bias[None]) for p in column), strict=True))) for column in columns
    )


def assert_same_weights(one: Predictor, other: Predictor, **tolerance):
    for left, right in zip(layers_of(one), layers_of(other), strict=True):
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
    together, plain = fit(MLP(**options)), fit(MLP(stacked=False, **options))
    # In float32 the order of additions decides on which side of a ReLU a unit at its kink falls, and the step after differs.
    assert_same_weights(together, plain, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(together.outputs(blobs()[0]), plain.outputs(blobs()[0]), rtol=1e-2, atol=1e-2)


def double_weights(model: MLP, feed: ArrayFeed, regression: bool, outputs: int, weights: torch.Tensor | None) -> list[Predictor]:
    """Both ways in float64, where rounding cannot hide a wrong term."""
    start = initial_layers(model.widths(Goal((FEATURES,), outputs)), SEEDS)
    double = tuple(Layer(layer.weight.double(), layer.bias.double()) for layer in start)
    both = [make(model, tuple(layer.copy() for layer in double), regression, weights) for make in (one_by_one, stacked)]
    for step in range(STEPS):
        inputs, labels = (torch.from_numpy(array) for array in feed.batch(step))
        for kind in both:
            kind.step(inputs.double(), labels.double() if labels.is_floating_point() else labels)
    return [kind.snapshot() for kind in both]


@pytest.mark.parametrize("options", SHAPES, ids=str)
def test_the_gradient_written_out_is_autograds(options):
    assert_same_weights(*double_weights(MLP(**options), feed_of(4), False, CLASSES, None), rtol=1e-9, atol=1e-12)


def soft_labels() -> np.ndarray:
    return np.random.default_rng(2).dirichlet(np.ones(CLASSES), ITEMS)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("labels", [None, soft_labels()], ids=["hard", "soft"])
@pytest.mark.parametrize("hidden", [(), (9, 8)], ids=str)
def test_gradients_of_soft_labels_and_class_weights_are_autograds(hidden, labels, weighted):
    weights = torch.from_numpy(np.random.default_rng(3).uniform(0.2, 3, (4, CLASSES))) if weighted else None
    model, feed = MLP(hidden=hidden), feed_of(4, labels=labels)
    assert_same_weights(*double_weights(model, feed, False, CLASSES, weights), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("hidden", [(), (9, 8)], ids=str)
def test_gradients_of_squared_errors_are_autograds(hidden):
    feed = feed_of(4, labels=np.random.default_rng(2).normal(size=(ITEMS, 3)))
    assert_same_weights(*double_weights(MLP(hidden=hidden, lr=0.02), feed, True, 3, None), rtol=1e-9, atol=1e-12)


def test_class_weights_are_those_of_torch():
    """One step on one replica, written out with torch's own weighted loss."""
    weights = np.array([[0.5, 1, 2, 4]], np.float32)
    (layer,) = initial_layers((FEATURES, CLASSES), [5])
    plain = torch.nn.Linear(FEATURES, CLASSES)
    with torch.no_grad():
        plain.weight.copy_(layer.weight[0].mT)
        plain.bias.copy_(layer.bias[0, 0])
    inputs, labels = (torch.from_numpy(array[0]) for array in feed_of(1).batch(0))
    torch.nn.functional.cross_entropy(plain(inputs), labels, torch.from_numpy(weights[0])).backward()
    trained = layers_of(fit(MLP(hidden=(), lr=1), seeds=[5], steps=1, class_weights=weights))[0]
    assert plain.weight.grad is not None
    torch.testing.assert_close(trained.weight[0].mT, plain.weight.detach() - plain.weight.grad, rtol=1e-5, atol=1e-6)


def test_least_squares_finds_the_plane():
    inputs, _ = blobs()
    plane = np.random.default_rng(4).normal(size=(FEATURES, 2)).astype(np.float32)
    feed = ArrayFeed(inputs, inputs @ plane + 1, np.tile(np.arange(ITEMS), (1, 2, 1)))
    fitted = fit(MLP(hidden=(), lr=0.2, batch=ITEMS, momentum=0.9), feed, (1, 2), Goal((FEATURES,), 2, regression=True), 1500)
    np.testing.assert_allclose(fitted.outputs(inputs), np.stack([inputs @ plane + 1] * 2), atol=1e-2)


def test_stacked_equals_a_loop_written_out_here():
    """Autograd on torch.nn modules, none of the library's own training code."""
    feed, model = feed_of(1), MLP(hidden=(8,), lr=0.1)
    first, second = initial_layers((FEATURES, 8, CLASSES), [5])
    network = torch.nn.Sequential(torch.nn.Linear(FEATURES, 8), torch.nn.ReLU(), torch.nn.Linear(8, CLASSES))
    values = [first.weight[0].mT, first.bias[0, 0], second.weight[0].mT, second.bias[0, 0]]
    with torch.no_grad():
        for parameter, value in zip(network.parameters(), values, strict=True):
            parameter.copy_(value)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.1)
    for step in range(STEPS):
        inputs, labels = (torch.from_numpy(array[0]) for array in feed.batch(step))
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network(inputs), labels).backward()
        optimiser.step()
    trained = layers_of(fit(model, feed, seeds=[5]))
    torch.testing.assert_close(trained[0].weight[0].mT, network[0].weight.detach(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(trained[1].bias[0, 0], network[2].bias.detach(), rtol=1e-4, atol=1e-5)


def test_equal_seeds_on_equal_batches_end_equal_and_others_do_not():
    feed = feed_of(1)
    shared = ArrayFeed(feed.inputs, feed.labels, feed.rows.repeat(4, axis=1))
    weight = layers_of(fit(MLP(), shared))[0].weight
    torch.testing.assert_close(weight[1], weight[2])
    assert not torch.allclose(weight[0], weight[1])


def test_training_is_repeatable():
    assert_same_weights(fit(MLP()), fit(MLP()), rtol=0, atol=0)


def test_the_last_batch_may_be_smaller():
    ragged = Changed(feed_of(4), lambda step, x, y: (x[:, :5], y[:, :5]) if step % 7 == 6 else (x, y))
    assert_same_weights(fit(MLP(), ragged), fit(MLP(stacked=False), ragged), rtol=1e-4, atol=1e-5)


# snapshots, prediction


@pytest.mark.parametrize("together", [True, False])
def test_snapshots_are_those_of_the_run(together):
    seen: dict[int, Predictor] = {}
    model = MLP(stacked=together)
    last = fit(model, marks=[0, 20, STEPS], look=seen.__setitem__)
    assert list(seen) == [0, 20, STEPS]
    assert torch.equal(layers_of(seen[0])[0].weight, initial_layers((FEATURES, 64, 32, CLASSES), SEEDS)[0].weight)
    assert_same_weights(seen[20], fit(model, steps=20), rtol=0, atol=0)
    assert_same_weights(seen[STEPS], last, rtol=0, atol=0)


def test_no_steps_leave_the_initial_weights():
    assert torch.equal(layers_of(fit(MLP(), steps=0))[0].weight, initial_layers((FEATURES, 64, 32, CLASSES), SEEDS)[0].weight)


def test_prediction_in_chunks_is_prediction_at_once(monkeypatch):
    fitted, (inputs, _) = fit(MLP()), blobs()
    whole = fitted.outputs(inputs)
    assert whole.shape == (4, ITEMS, CLASSES)
    monkeypatch.setattr("vicinal.learn.layers.CHUNK_FLOATS", 4 * 120 * 7)
    assert fitted._chunk() == 7
    np.testing.assert_allclose(fitted.outputs(inputs), whole, rtol=1e-5, atol=1e-6)


def test_read_only_inputs_are_accepted_and_left_alone():
    feed, (inputs, _) = feed_of(4), blobs()
    expected = fit(MLP(), feed)

    def frozen(step, *arrays):
        for array in arrays:
            array.flags.writeable = False
        return arrays

    assert_same_weights(fit(MLP(), Changed(feed, frozen)), expected, rtol=0, atol=0)
    before = inputs.copy()
    inputs.flags.writeable = False
    expected.outputs(inputs)
    assert (inputs == before).all()


def test_batches_are_left_alone():
    feed, kept = feed_of(2), []

    def remembered(step, *arrays):
        kept.append((arrays, [array.copy() for array in arrays]))
        return arrays

    for model in (MLP(), MLP(hidden=())):
        fit(model, Changed(feed, remembered), seeds=[0, 1], steps=5)
    assert all((now == then).all() for arrays, copies in kept for now, then in zip(arrays, copies, strict=True))


@pytest.mark.parametrize("module", ["feed", "mlp", "registry"])
def test_settings_and_feeds_need_no_torch(module):
    check = f"import sys, vicinal.learn.{module}; assert not {{'torch', 'sklearn'}} & set(sys.modules), 'heavy libraries were imported'"
    subprocess.run([sys.executable, "-c", check], check=True, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})


# faults


def huge(*replicas: int) -> Changed:
    """Finite inputs, but so large for some replicas that the second step overflows."""

    def grown(step, inputs, labels):
        inputs[list(replicas)] *= 1e30
        return inputs, labels

    return Changed(feed_of(4), grown)


@pytest.mark.parametrize("together", [True, False])
def test_a_diverged_replica_is_named(together):
    with pytest.raises(VicinalError) as caught:
        fit(MLP(stacked=together), huge(3), seeds=[4, 5, 6, 7])
    advice = "write a smaller learning rate than 0.1, for example lr=0.01"
    assert str(caught.value) == f"training, seed 7: expected a finite loss, got nan or infinity by step 25; {advice}"


def test_several_diverged_replicas_are_counted():
    with pytest.raises(VicinalError, match=r"seed 5: .* by step 25 \(and in 1 more of 4 replicas\)"):
        fit(MLP(), huge(1, 3), seeds=[4, 5, 6, 7])


def test_divergence_is_seen_at_a_mark_before_its_predictor_is_used():
    seen: list[int] = []
    with pytest.raises(VicinalError, match="by step 7"):
        fit(MLP(), huge(0), marks=[7], look=lambda done, _: seen.append(done))
    assert not seen


def test_a_nan_in_a_batch_is_not_blamed_on_the_learning_rate():
    def spoiled(step, inputs, labels):
        inputs[2, 5, 0] = np.nan if step == 30 else inputs[2, 5, 0]
        return inputs, labels

    with pytest.raises(DataError, match=r"feed, step 30, seed 3: expected finite inputs, got nan or infinity in item 5"):
        fit(MLP(), Changed(feed_of(4), spoiled))


REGRESSION = Goal((FEATURES,), 3, regression=True)


@pytest.mark.parametrize(
    ("change", "message", "goal"),
    [
        (lambda x, y: (x[:, :, :9], y), r"inputs of shape \(4 replicas, 1..32 items, 20 features\), got \(4, 16, 9\)", GOAL),
        (lambda x, y: (x[:2], y[:2]), r"got \(2, 16, 20\)", GOAL),
        (lambda x, y: (x[:, :0], y[:, :0]), r"got \(4, 0, 20\)", GOAL),
        (lambda x, y: (x.repeat(3, 1), y.repeat(3, 1)), r"got \(4, 48, 20\)", GOAL),
        (lambda x, y: (x, y[:, :5]), r"integer labels of shape \(4, 16\), got int64 of shape \(4, 5\)", GOAL),
        (lambda x, y: (x, y.astype(float)), "got float64", GOAL),
        (lambda x, y: (x, y + 1), r"labels 0..3, got 1..4", GOAL),
        (lambda x, y: (x, y - 1), r"labels 0..3, got -1..2", GOAL),
        (lambda x, y: (x, np.eye(4)[y] * 2), r"shares of classes, 0 or more, that add up to 1, got 0 to 2", GOAL),
        (lambda x, y: (x, np.eye(4)[y] * np.nan), r"shares of classes, 0 or more", GOAL),
        (lambda x, y: (x, y), r"values, float32 of shape \(4, 16, 3\), got int64 of shape \(4, 16\)", REGRESSION),
        (lambda x, y: (x, np.full((4, 16, 3), np.inf)), "finite values", REGRESSION),
    ],
)
def test_batches_that_do_not_fit_are_described(change: Callable, message, goal):
    with pytest.raises(DataError, match=message):
        fit(MLP(), Changed(feed_of(4), lambda step, x, y: change(x, y)), goal=goal)


@pytest.mark.parametrize("options", [{"steps": -1}, {"seeds": []}, {"marks": [STEPS + 1]}], ids=str)
def test_tasks_that_cannot_be_are_named(options):
    with pytest.raises(ParameterError, match=rf"Task\.{next(iter(options))}"):
        fit(MLP(), feed_of(1), **({"seeds": [0]} | options))


@pytest.mark.parametrize(
    ("weights", "goal", "message"),
    [
        (np.ones((3, 4), np.float32), GOAL, r"one a replica and class, \(4, 4\), got \(3, 4\)"),
        (np.zeros((4, 4), np.float32), GOAL, "finite factors above 0, got 0 to 0"),
        (np.ones((4, 3), np.float32), REGRESSION, "none, where values are regressed"),
    ],
)
def test_class_weights_that_cannot_be_are_named(weights, goal, message):
    with pytest.raises(DataError, match=message):
        fit(MLP(), goal=goal, class_weights=weights)


def test_prediction_names_a_wrong_shape():
    with pytest.raises(DataError, match=r"inputs \(N, 20\), got \(7, 9\)"):
        fit(MLP(), steps=1).outputs(np.zeros((7, 9), np.float32))


def test_one_by_one_is_what_it_says():
    assert isinstance(one_by_one(MLP(), initial_layers((3, 2), [0])), OneByOne)
