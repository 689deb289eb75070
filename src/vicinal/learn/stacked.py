"""R perceptrons that learn side by side in one batched product a layer."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import final

import torch
from torch import Tensor, nn

from vicinal.learn.layers import Layer, Layers, LayersPredictor, activations, initial_layers
from vicinal.learn.loop import Replicas
from vicinal.learn.losses import gradient, per_replica
from vicinal.learn.mlp import MLP
from vicinal.learn.networks import OneByOne
from vicinal.learn.trainer import Task


def replicas(model: MLP, task: Task) -> Replicas:
    """The untrained replicas of a task, and what trains them."""
    start = initial_layers(model.widths(task.goal), task.seeds)
    kind = stacked if model.stacked else one_by_one
    return kind(model, start, task.goal.regression, per_replica(task))


@final
@dataclass(frozen=True, eq=False)
class Room:
    """Tensors that every step of one batch size overwrites: what each layer gives, and the gradient of what each hidden layer gives."""

    passed: tuple[Tensor, ...]
    down: tuple[Tensor, ...]

    @staticmethod
    def of(layers: Layers, batch: int) -> Room:
        made = [layer.bias.new_empty(len(layer.bias), batch, layer.bias.shape[2]) for layer in layers]
        return Room(tuple(made), tuple(torch.empty_like(one) for one in made[:-1]))


@final
@dataclass(frozen=True, eq=False)
class Stacked(Replicas):
    """All replicas in one tensor a layer. The gradient is written out: autograd takes about twice as long at these sizes."""

    model: MLP
    weights: Layers
    velocity: Layers
    regression: bool = False
    class_weights: Tensor | None = None
    rooms: dict[int, Room] = field(default_factory=dict)

    def snapshot(self) -> LayersPredictor:
        return LayersPredictor(tuple(layer.copy() for layer in self.weights), self.regression)

    def finite(self) -> Tensor:
        # A loss that is not finite makes the gradient of the last bias nan, and nan stays: a few numbers tell for all.
        return self.weights[-1].bias.isfinite().flatten(1).all(1)

    def step(self, inputs: Tensor, labels: Tensor) -> None:
        size = inputs.shape[1]
        room = self.rooms.get(size) or self.rooms.setdefault(size, Room.of(self.weights, size))
        passed = activations(self.weights, inputs, room.passed)
        above = gradient(passed[-1], labels, self.regression, self.class_weights)
        for depth in reversed(range(len(self.weights))):
            below = passed[depth]
            # The gradient passes down through the weights of the forward pass, so it is taken before they move.
            down = torch.bmm(above, self.weights[depth].weight.mT, out=room.down[depth - 1]) if depth else above
            self._descend(depth, above, below)
            above = down.mul_(below.sign_()) if depth else down

    def _descend(self, depth: int, above: Tensor, below: Tensor) -> None:
        weights, lr, decay = self.weights[depth], self.model.lr, self.model.weight_decay
        if not self.velocity:
            weights.weight.baddbmm_(below.mT, above, beta=1 - lr * decay, alpha=-lr)
            weights.bias.mul_(1 - lr * decay).sub_(above.sum(1, keepdim=True), alpha=lr)
            return
        velocity = self.velocity[depth]
        velocity.weight.baddbmm_(below.mT, above, beta=self.model.momentum)
        velocity.bias.mul_(self.model.momentum).add_(above.sum(1, keepdim=True))
        if decay:
            velocity.weight.add_(weights.weight, alpha=decay)
            velocity.bias.add_(weights.bias, alpha=decay)
        weights.weight.sub_(velocity.weight, alpha=lr)
        weights.bias.sub_(velocity.bias, alpha=lr)


def stacked(model: MLP, layers: Layers, regression: bool = False, class_weights: Tensor | None = None) -> Stacked:
    """Replicas side by side, from weights that they make their own."""
    still = tuple(Layer(torch.zeros_like(layer.weight), torch.zeros_like(layer.bias)) for layer in layers)
    return Stacked(model, layers, still if model.momentum else (), regression, class_weights)


def one_by_one(model: MLP, layers: Layers, regression: bool = False, class_weights: Tensor | None = None) -> OneByOne:
    """One replica after the other with torch.nn modules, autograd and torch.optim.SGD: what `Stacked` must equal."""
    networks = tuple(_network(layers, replica) for replica in range(len(layers[0].weight)))
    descend = partial(torch.optim.SGD, lr=model.lr, momentum=model.momentum, weight_decay=model.weight_decay)
    optimisers = tuple(descend(network.parameters()) for network in networks)
    return OneByOne(networks, optimisers, torch.zeros(len(networks)), regression, class_weights)


def _network(layers: Layers, replica: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for layer in layers:
        # On the meta device, because an initialisation would consume torch's global random state.
        linear = nn.Linear(layer.weight.shape[1], layer.weight.shape[2], device="meta")
        linear.weight, linear.bias = nn.Parameter(layer.weight[replica].mT.clone()), nn.Parameter(layer.bias[replica, 0].clone())
        parts += [linear, nn.ReLU()]
    return nn.Sequential(*parts[:-1])
