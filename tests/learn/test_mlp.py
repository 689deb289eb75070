"""The description of a multilayer perceptron and its initial weights."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
import torch

from vicinal.core.errors import ParameterError
from vicinal.learn.layers import Layer, activations, initial_layers
from vicinal.learn.mlp import MLP


def test_a_description_is_hashable_and_survives_json():
    model = MLP(hidden=(5, 3), lr=0.5, momentum=0.9)
    again = MLP(**json.loads(json.dumps(dataclasses.asdict(model))))
    assert again == model
    assert hash(again) == hash(model)


@pytest.mark.parametrize(
    ("field", "value"),
    [("hidden", (64, 0)), ("hidden", (6.5,)), ("lr", 0.0), ("lr", math.nan), ("lr", math.inf), ("batch", 0), ("batch", True)]
    + [("momentum", 1.0), ("momentum", -0.1), ("weight_decay", -1e-4), ("weight_decay", math.nan)],
)
def test_values_out_of_range_are_named(field, value):
    with pytest.raises(ParameterError, match=rf"MLP\.{field}: expected .*; write {field}="):
        MLP(**{field: value})


def test_initial_weights_are_those_of_a_linear_layer():
    weight = initial_layers((784, 64, 10), [0])[0].weight.flatten().double()
    torch.manual_seed(0)
    reference = torch.nn.Linear(784, 64).weight.detach().flatten().double()
    assert weight.abs().max() <= 1 / 28
    assert weight.mean().abs() < 4 * reference.std() / math.sqrt(len(weight))
    assert weight.std().item() == pytest.approx(reference.std().item(), rel=0.01)


def test_initial_weights_depend_on_seed_and_layer_alone():
    together, alone = initial_layers((6, 5, 4), [3, 8, 3]), initial_layers((6, 5, 4), [8])
    for many, one in zip(together, alone, strict=True):
        assert torch.equal(many.weight[1], one.weight[0])
        assert torch.equal(many.bias[1], one.bias[0])
        assert torch.equal(many.weight[0], many.weight[2])
        assert not torch.equal(many.weight[0], many.weight[1])
    square = initial_layers((5, 5, 5), [0])
    assert not torch.equal(square[0].weight, square[1].weight)


def test_activations_are_those_of_torch_modules():
    layers = initial_layers((6, 5, 4, 3), [1, 2])
    inputs = torch.from_numpy(np.random.default_rng(0).random((2, 7, 6), np.float32))
    logits = activations(layers, inputs)[-1]
    for replica in range(2):
        hidden = inputs[replica]
        for depth, layer in enumerate(layers):
            hidden = torch.nn.functional.linear(hidden, layer.weight[replica].mT, layer.bias[replica, 0])
            hidden = hidden.relu() if depth < 2 else hidden
        torch.testing.assert_close(logits[replica], hidden)


def test_a_copy_shares_no_memory():
    layer = Layer(torch.zeros(1, 2, 3), torch.zeros(1, 1, 2))
    copy = layer.copy()
    layer.weight.add_(1)
    layer.bias.add_(1)
    assert not copy.weight.any()
    assert not copy.bias.any()
