"""R networks that learn side by side: stacked in one batched product a layer, or one after the other as the specification."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import final

import torch
from torch import Tensor, nn

from vicinal.learn.mlp import MLP, Layer, Layers, activations


class Replicas(ABC):
    """R networks of one shape that learn side by side and never influence one another."""

    @abstractmethod
    def step(self, inputs: Tensor, labels: Tensor) -> None:
        """One step of SGD on (R, B, D) inputs and (R, B) labels; the loss is the mean over a replica's batch."""

    @abstractmethod
    def layers(self) -> Layers:
        """The weights as they are now: a view, or a copy where they are not kept stacked."""


@final
@dataclass(frozen=True, eq=False)
class Stacked(Replicas):
    """All replicas in one tensor a layer. The gradient is written out: autograd takes about twice as long at these sizes."""

    model: MLP
    weights: Layers
    velocity: Layers

    @staticmethod
    def of(model: MLP, layers: Layers) -> Stacked:
        still = tuple(Layer(torch.zeros_like(layer.weight), torch.zeros_like(layer.bias)) for layer in layers)
        return Stacked(model, layers, still if model.momentum else ())

    def layers(self) -> Layers:
        return self.weights

    def step(self, inputs: Tensor, labels: Tensor) -> None:
        passed = activations(self.weights, inputs)
        gradient = _loss_gradient(passed[-1], labels)
        for depth in reversed(range(len(self.weights))):
            below = passed[depth]
            # The gradient passes down through the weights of the forward pass, so it is taken before they move.
            down = torch.bmm(gradient, self.weights[depth].weight).mul_(below > 0) if depth else gradient
            self._descend(depth, gradient, below)
            gradient = down

    def _descend(self, depth: int, gradient: Tensor, below: Tensor) -> None:
        weights, lr, decay = self.weights[depth], self.model.lr, self.model.weight_decay
        if not self.velocity:
            weights.weight.baddbmm_(gradient.mT, below, beta=1 - lr * decay, alpha=-lr)
            weights.bias.mul_(1 - lr * decay).sub_(gradient.sum(1, keepdim=True), alpha=lr)
            return
        velocity = self.velocity[depth]
        velocity.weight.baddbmm_(gradient.mT, below, beta=self.model.momentum).add_(weights.weight, alpha=decay)
        velocity.bias.mul_(self.model.momentum).add_(gradient.sum(1, keepdim=True)).add_(weights.bias, alpha=decay)
        weights.weight.sub_(velocity.weight, alpha=lr)
        weights.bias.sub_(velocity.bias, alpha=lr)


def _loss_gradient(logits: Tensor, labels: Tensor) -> Tensor:
    """Gradient of softmax cross-entropy, mean over the batch, with respect to (R, B, classes) logits."""
    gradient = logits.softmax(2)
    gradient.scatter_add_(2, labels[..., None], gradient.new_full((), -1.0).expand(*labels.shape, 1))
    return gradient.div_(logits.shape[1])


@final
@dataclass(frozen=True, eq=False)
class OneByOne(Replicas):
    """One replica after the other with torch.nn modules, autograd and torch.optim.SGD: what `Stacked` must equal."""

    networks: tuple[nn.Sequential, ...]
    optimisers: tuple[torch.optim.SGD, ...]

    @staticmethod
    def of(model: MLP, layers: Layers) -> OneByOne:
        networks = tuple(_network(layers, replica) for replica in range(len(layers[0].weight)))
        descend = partial(torch.optim.SGD, lr=model.lr, momentum=model.momentum, weight_decay=model.weight_decay)
        return OneByOne(networks, tuple(descend(network.parameters()) for network in networks))

    def layers(self) -> Layers:
        columns = zip(*([part for part in network if isinstance(part, nn.Linear)] for network in self.networks), strict=True)
        return tuple(
            Layer(
                torch.stack([part.weight.detach() for part in column]),
                torch.stack([part.bias.detach()[None] for part in column]),
            )
            for column in columns
        )

    def step(self, inputs: Tensor, labels: Tensor) -> None:
        for network, optimiser, x, y in zip(self.networks, self.optimisers, inputs, labels, strict=True):
            optimiser.zero_grad()
            nn.functional.cross_entropy(network(x), y).backward()
            optimiser.step()


def _network(layers: Layers, replica: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for layer in layers:
        # On the meta device, because an initialisation would consume torch's global random state.
        linear = nn.Linear(layer.weight.shape[2], layer.weight.shape[1], device="meta")
        linear.weight, linear.bias = nn.Parameter(layer.weight[replica].clone()), nn.Parameter(layer.bias[replica, 0].clone())
        parts += [linear, nn.ReLU()]
    return nn.Sequential(*parts[:-1])
