"""R torch modules, trained one after the other: their start, their steps, their predictions."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from vicinal.learn.feed import checked_inputs
from vicinal.learn.layers import uniform
from vicinal.learn.loop import Replicas
from vicinal.learn.losses import loss, smoothed

CHUNK_ITEMS = 256  # a forward pass at a time: its activations stay in cache


@final
@dataclass(frozen=True, eq=False)
class OneByOne(Replicas):
    """Replicas that are trained one after the other: no batch, no loss and no optimiser is shared.

    Args:
        networks, optimisers: one a replica; total: (R,) zeros, to which the loss of every step is added.
        class_weights: (R, K) or None; smoothing: the share of every label that is spread over all classes.
        schedules: one a replica, which set the learning rates after every step; none where they stay.
    """

    networks: tuple[nn.Sequential, ...]
    optimisers: tuple[torch.optim.Optimizer, ...]
    total: Tensor
    regression: bool = False
    class_weights: Tensor | None = None
    smoothing: float = 0.0
    schedules: tuple[torch.optim.lr_scheduler.LRScheduler, ...] = ()

    def step(self, inputs: Tensor, labels: Tensor) -> None:
        for replica, (network, optimiser) in enumerate(zip(self.networks, self.optimisers, strict=True)):
            outputs, given = network(inputs[replica]), labels[replica]
            if self.smoothing and not self.regression:
                given = smoothed(given, outputs.shape[1], self.smoothing)
            weights = None if self.class_weights is None else self.class_weights[replica]
            optimiser.zero_grad()
            found = loss(outputs, given, self.regression, weights)
            found.backward()
            optimiser.step()
            self.total[replica] += found.detach()
        for schedule in self.schedules:
            schedule.step()

    def snapshot(self) -> NetworksPredictor:
        return NetworksPredictor(tuple(copy.deepcopy(network).eval() for network in self.networks), self.regression)

    def finite(self) -> Tensor:
        return self.total.isfinite()


@final
@dataclass(frozen=True, eq=False)
class NetworksPredictor:
    """R trained modules, fixed and in eval mode: a `Predictor`."""

    networks: tuple[nn.Sequential, ...]
    regression: bool = False

    def __len__(self) -> int:
        return len(self.networks)

    def take(self, rows: Sequence[int]) -> NetworksPredictor:
        """Some of the replicas, in the order given."""
        return NetworksPredictor(tuple(self.networks[row] for row in rows), self.regression)

    def outputs(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(R, N, K) probabilities, or (R, N, V) values, for inputs (N, D)."""
        features = features_of(self.networks[0])
        parts = torch.from_numpy(checked_inputs(inputs, features)).split(CHUNK_ITEMS)
        with torch.inference_mode():
            made = torch.stack([torch.cat([network(part) for part in parts]) for network in self.networks])
            return (made if self.regression else made.softmax(2)).numpy()


def features_of(network: nn.Sequential) -> int:
    """D, the length of the flat items that a network takes."""
    first = network[0]
    return first.features if isinstance(first, Picture) else first.in_features  # type: ignore[return-value]


@final
class Picture(nn.Module):
    """Flat items (B, H*W*C) as pictures (B, C, H, W), which lie in memory as they came: torch's channels_last."""

    def __init__(self, shape: Sequence[int]):
        nn.Module.__init__(self)
        self.shape = tuple(shape)
        self.features = int(np.prod(shape))

    def forward(self, items: Tensor) -> Tensor:
        return items.view(-1, *self.shape).permute(0, 3, 1, 2)


def started(network: nn.Sequential, seed: int) -> nn.Sequential:
    """A network built on the meta device, with weights that are a pure function of the seed and of their names.

    Layers with a fan in start as torch starts them, uniform in +-1/sqrt(fan in); norms start as they do anyway.
    """
    network.to_empty(device="cpu")
    for name, part in network.named_modules():
        if isinstance(part, (nn.Conv2d, nn.Linear)):
            fan_in = part.weight[0].numel()
            _fill(part.weight, uniform(seed, f"{name}.weight", part.weight.shape, fan_in))
            if part.bias is not None:
                _fill(part.bias, uniform(seed, f"{name}.bias", part.bias.shape, fan_in))
        elif isinstance(part, nn.BatchNorm2d):
            part.reset_parameters()
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _fill(parameter: Tensor, values: Tensor) -> None:
    with torch.no_grad():
        parameter.copy_(values)
