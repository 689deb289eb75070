"""The networks of `CNN` and `ResNet`, with their optimisers, ready to be trained."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from functools import partial
from typing import final

import torch
from torch import Tensor, nn

from vicinal.learn.cnn import CNN
from vicinal.learn.losses import per_replica
from vicinal.learn.networks import OneByOne, Picture, started
from vicinal.learn.resnet import ResNet
from vicinal.learn.trainer import Goal, Task


def cnn(model: CNN, task: Task) -> OneByOne:
    """The replicas of a task, untrained."""
    networks = _started(lambda: _cnn_parts(model, task.goal), task)
    if model.optimiser == "adam":
        descend = partial(torch.optim.Adam, lr=model.lr, weight_decay=model.weight_decay)
    else:
        descend = partial(torch.optim.SGD, lr=model.lr, momentum=model.momentum, weight_decay=model.weight_decay)
    optimisers = tuple(descend(network.parameters()) for network in networks)
    return OneByOne(networks, optimisers, torch.zeros(len(networks)), task.goal.regression, per_replica(task))


def resnet(model: ResNet, task: Task) -> OneByOne:
    """The replicas of a task, untrained."""
    networks = _started(lambda: _resnet_parts(model, task.goal), task)
    settings = {"lr": model.lr, "momentum": model.momentum, "weight_decay": model.weight_decay, "nesterov": model.momentum > 0}
    optimisers = tuple(torch.optim.SGD(network.parameters(), **settings) for network in networks)
    rate = partial(model.rate, steps=task.steps)
    schedules = tuple(torch.optim.lr_scheduler.LambdaLR(optimiser, rate) for optimiser in optimisers) if task.steps else ()
    return OneByOne(networks, optimisers, torch.zeros(len(networks)), task.goal.regression, per_replica(task), model.smoothing, schedules)


def _started(parts: Callable[[], Sequence[nn.Module]], task: Task) -> tuple[nn.Sequential, ...]:
    made = []
    for seed in task.seeds:
        with torch.device("meta"):  # an initialisation would consume torch's global random state
            network = nn.Sequential(*parts())
        made.append(started(network, seed))
    return tuple(made)


def _cnn_parts(model: CNN, goal: Goal) -> list[nn.Module]:
    height, width, channels = goal.shape
    parts: list[nn.Module] = [Picture(goal.shape)]
    for before, after in itertools.pairwise((channels, *model.channels)):
        parts += [nn.Conv2d(before, after, 3, padding=1, padding_mode="reflect"), nn.ReLU()]
    linear = (model.channels[-1] * (height // 2) * (width // 2), *model.hidden)
    parts += [nn.MaxPool2d(2), nn.Flatten()]
    for before, after in itertools.pairwise(linear):
        parts += [nn.Linear(before, after), nn.ReLU()]
    return [*parts, nn.Linear(linear[-1], goal.outputs)]


def _resnet_parts(model: ResNet, goal: Goal) -> list[nn.Module]:
    parts: list[nn.Module] = [Picture(goal.shape), *_convolved(goal.shape[2], model.channels[0], 1), nn.ReLU()]
    before = model.channels[0]
    for stage, after in enumerate(model.channels):
        parts += [Block(before, after, 2 if stage else 1), *(Block(after, after, 1) for _ in range(model.depth - 1))]
        before = after
    return [*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, goal.outputs)]


def _convolved(before: int, after: int, stride: int) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(after)


@final
class Block(nn.Module):
    """Two convolutions beside a way around them: the identity, or 1x1 where channels or resolution change."""

    def __init__(self, before: int, after: int, stride: int):
        nn.Module.__init__(self)
        self.through = nn.Sequential(*_convolved(before, after, stride), nn.ReLU(), *_convolved(after, after, 1))
        same = before == after and stride == 1
        around = (nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after))
        self.around = nn.Identity() if same else nn.Sequential(*around)

    def forward(self, picture: Tensor) -> Tensor:
        return nn.functional.relu(self.through(picture) + self.around(picture))
