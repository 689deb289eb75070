"""The layers of a multilayer perceptron: the weights of many replicas in one tensor a layer, where they start, and the forward pass."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vicinal.core.draw import Address, Draw
from vicinal.learn.feed import checked_inputs

CHUNK_FLOATS = 1 << 24  # 64 MiB of activations at a time


@final
@dataclass(frozen=True, eq=False)
class Layer:
    """One affine layer of R replicas: weight (R, in, out) and bias (R, 1, out), float32."""

    weight: Tensor
    bias: Tensor

    def copy(self) -> Layer:
        return Layer(self.weight.clone(), self.bias.clone())


Layers = tuple[Layer, ...]


def uniform(seed: int, name: str, shape: Sequence[int], fan_in: int) -> Tensor:
    """Uniform in +-1/sqrt(fan in), as torch.nn.Linear and Conv2d start; a pure function of seed and name, so equal seeds start equal."""
    values = 2 * Draw(Address.of(seed=seed), "init").units(name, math.prod(shape)) - 1
    return torch.from_numpy(values / math.sqrt(fan_in)).float().view(*shape)


def initial_layers(widths: Sequence[int], seeds: Sequence[int]) -> Layers:
    """The layers of one replica a seed.

    Example:
        >>> alone, pair = initial_layers([4, 2], [7])[0], initial_layers([4, 2], [3, 7])[0]
        >>> pair.weight.shape, bool((alone.weight[0] == pair.weight[1]).all())
        (torch.Size([2, 4, 2]), True)
    """

    def stacked(name: str, shape: tuple[int, int], fan_in: int) -> Tensor:
        drawn = {seed: uniform(seed, name, shape, fan_in) for seed in dict.fromkeys(seeds)}
        return torch.stack([drawn[seed] for seed in seeds])

    return tuple(
        # Drawn as torch.nn.Linear holds it, (out, in).
        Layer(
            stacked(f"layer{depth}.weight", (fan_out, fan_in), fan_in).mT.contiguous(),
            stacked(f"layer{depth}.bias", (1, fan_out), fan_in),
        )
        for depth, (fan_in, fan_out) in enumerate(itertools.pairwise(widths))
    )


def activations(layers: Layers, inputs: Tensor, into: Sequence[Tensor] | None = None) -> list[Tensor]:
    """What every layer receives, and at the end the outputs: (R, B, in) -> [(R, B, in), (R, B, hidden) ..., (R, B, out)].

    Args:
        into: tensors of these shapes behind the first, to be overwritten.
    """
    passed = [inputs]
    for depth, layer in enumerate(layers):
        output = torch.baddbmm(layer.bias, passed[-1], layer.weight, out=into[depth] if into else None)
        passed.append(output.clamp_(min=0) if depth < len(layers) - 1 else output)
    return passed


@final
@dataclass(frozen=True, eq=False)
class LayersPredictor:
    """R trained perceptrons, fixed: a `Predictor`."""

    layers: Layers
    regression: bool = False

    def __len__(self) -> int:
        return len(self.layers[0].weight)

    def take(self, rows: Sequence[int]) -> LayersPredictor:
        """Some of the replicas, in the order given."""
        return LayersPredictor(tuple(Layer(layer.weight[list(rows)], layer.bias[list(rows)]) for layer in self.layers), self.regression)

    def outputs(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(R, N, K) probabilities, or (R, N, V) values, for inputs (N, D)."""
        whole = torch.from_numpy(checked_inputs(inputs, self.layers[0].weight.shape[1])).expand(len(self), -1, -1)
        with torch.inference_mode():
            parts = [activations(self.layers, part)[-1] for part in whole.split(self._chunk(), dim=1)]
            joined = torch.cat(parts, dim=1)
            return (joined if self.regression else joined.softmax(2)).numpy()

    def _chunk(self) -> int:
        units = len(self) * (self.layers[0].weight.shape[1] + sum(layer.weight.shape[2] for layer in self.layers))
        return max(1, CHUNK_FLOATS // units)
