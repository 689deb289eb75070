"""The losses: cross-entropy of hard or soft labels, with weights of classes or without, and the squared error of values.

With weights the loss is the weighted mean over a batch, as in ``torch.nn.functional.cross_entropy`` with class numbers. With shares of
classes torch divides by the number of items instead; here a share counts as that part of an item, so equal labels give equal losses
however they are written.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from vicinal.learn.feed import checked_weights
from vicinal.learn.trainer import Task

Weights = Tensor | None


def loss(outputs: Tensor, labels: Tensor, regression: bool, weights: Weights = None) -> Tensor:
    """The loss of one replica, for autograd.

    Args:
        outputs: (B, K) logits, or (B, V) values.
        labels: (B,) class numbers, (B, K) shares of classes, or (B, V) values; weights: (K,) factors of the classes.
    """
    if regression:
        return nn.functional.mse_loss(outputs, labels)
    if not labels.is_floating_point():
        return nn.functional.cross_entropy(outputs, labels, weights)
    parts = nn.functional.cross_entropy(outputs, labels, weights, reduction="none")
    return parts.sum() / (labels.sum() if weights is None else (labels * weights).sum())


def smoothed(labels: Tensor, classes: int, share: float) -> Tensor:
    """Labels as shares of classes, of which some part is spread evenly over all (Szegedy et al., arXiv:1512.00567).

    Example:
        >>> import torch
        >>> smoothed(torch.tensor([1]), classes=2, share=0.2)
        tensor([[0.1000, 0.9000]])
    """
    soft = labels if labels.is_floating_point() else nn.functional.one_hot(labels, classes).float()
    return soft * (1 - share) + share / classes


def gradient(outputs: Tensor, labels: Tensor, regression: bool, weights: Weights = None) -> Tensor:
    """The gradient of ``loss`` with respect to the outputs, for R replicas at once: every argument has a leading axis of R."""
    if regression:
        return (outputs - labels).mul_(2 / outputs[0].numel())
    # Softmax along the middle axis of (R, K, B) is vectorised over the batch: 10 times as fast as along a short last axis.
    shares = outputs.mT.softmax(1)
    if labels.is_floating_point():
        given = labels.mT if weights is None else labels.mT * weights[..., None]
        mass = given.sum(1, keepdim=True)
        return shares.mul_(mass).sub_(given).div_(mass.sum(2, keepdim=True)).mT
    shares.scatter_add_(1, labels[:, None], shares.new_full((), -1.0).expand(len(labels), 1, labels.shape[1]))
    if weights is None:
        return shares.div_(labels.shape[1]).mT
    mass = weights.gather(1, labels)
    return shares.mul_((mass / mass.sum(1, keepdim=True))[:, None]).mT


def per_replica(task: Task) -> Weights:
    """(R, K) factors of the classes of a task, checked."""
    weights = checked_weights(task.class_weights, len(task.seeds), task.goal)
    return None if weights is None else torch.from_numpy(weights)
