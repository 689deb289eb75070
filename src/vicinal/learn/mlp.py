"""A multilayer perceptron: its description, the weights of many replicas in one tensor a layer, and the forward pass."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from vicinal.core.draw import Address, Draw
from vicinal.core.errors import ParameterError


@final
@dataclass(frozen=True)
class MLP:
    """How a multilayer perceptron is built and trained: ReLU layers, softmax cross-entropy, SGD.

    Args:
        hidden: widths of the hidden layers; () is softmax regression.
        lr: learning rate, above 0.
        batch: the most items a replica sees in one step.
        momentum, weight_decay: as in torch.optim.SGD; the decay acts on biases too.
        stacked: False trains one replica after the other with torch.nn modules and autograd: the slow specification.

    Raises:
        ParameterError: a value out of its range.

    Example:
        >>> MLP(hidden=(32,), lr=0.05).widths(features=784, classes=10)
        (784, 32, 10)
    """

    hidden: tuple[int, ...] = (64, 32)
    lr: float = 0.1
    batch: int = 32
    momentum: float = 0.0
    weight_decay: float = 0.0
    stacked: bool = True

    def __post_init__(self):
        object.__setattr__(self, "hidden", tuple(self.hidden))  # JSON knows lists only
        _require(all(_whole(width) for width in self.hidden), "hidden", "widths of 1 or more", self.hidden, "hidden=(64, 32)")
        _require(_whole(self.batch), "batch", "a whole number of items, 1 or more", self.batch, "batch=32")
        _require(0 < self.lr < math.inf, "lr", "a learning rate above 0", self.lr, "lr=0.1")
        _require(0 <= self.momentum < 1, "momentum", "a number in [0, 1)", self.momentum, "momentum=0.9")
        _require(0 <= self.weight_decay < math.inf, "weight_decay", "0 or more", self.weight_decay, "weight_decay=0.0001")

    def widths(self, features: int, classes: int) -> tuple[int, ...]:
        """Numbers of units from input to output."""
        return (features, *self.hidden, classes)


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _require(holds: bool, field: str, expected: str, got: object, write: str) -> None:
    if not holds:
        raise ParameterError(f"MLP.{field}", expected, repr(got), write)


@final
@dataclass(frozen=True, eq=False)
class Layer:
    """One affine layer of R replicas: weight (R, out, in) and bias (R, 1, out), float32."""

    weight: Tensor
    bias: Tensor

    def copy(self) -> Layer:
        return Layer(self.weight.clone(), self.bias.clone())


Layers = tuple[Layer, ...]


def initial_layers(widths: Sequence[int], seeds: Sequence[int]) -> Layers:
    """Uniform in +-1/sqrt(fan in), as torch.nn.Linear does; a pure function of seed and layer, so equal seeds start equal.

    Example:
        >>> alone, pair = initial_layers([4, 2], [7])[0], initial_layers([4, 2], [3, 7])[0]
        >>> pair.weight.shape, bool((alone.weight[0] == pair.weight[1]).all())
        (torch.Size([2, 2, 4]), True)
    """
    drawn = {seed: Draw(Address.of(seed=seed), "init") for seed in dict.fromkeys(seeds)}

    def uniform(name: str, shape: tuple[int, int], fan_in: int) -> Tensor:
        bound = 1 / math.sqrt(fan_in)
        values = {
            seed: torch.from_numpy((2 * draw.units(name, math.prod(shape)) - 1) * bound).float().view(shape) for seed, draw in drawn.items()
        }
        return torch.stack([values[seed] for seed in seeds])

    return tuple(
        Layer(uniform(f"layer{depth}.weight", (fan_out, fan_in), fan_in), uniform(f"layer{depth}.bias", (1, fan_out), fan_in))
        for depth, (fan_in, fan_out) in enumerate(itertools.pairwise(widths))
    )


def activations(layers: Layers, inputs: Tensor) -> list[Tensor]:
    """What every layer receives, and at the end the logits: (R, B, in) -> [(R, B, in), (R, B, hidden) ..., (R, B, classes)]."""
    passed = [inputs]
    for depth, layer in enumerate(layers):
        output = torch.baddbmm(layer.bias, passed[-1], layer.weight.mT)
        passed.append(output.relu_() if depth < len(layers) - 1 else output)
    return passed
