"""Test-time augmentation: the mean of a model's answers to several views of an item, and what that fixes and breaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vicinal.core.draw import EPOCH_LIMIT, Address
from vicinal.core.errors import ParameterError
from vicinal.core.transform import Node
from vicinal.lab.feed import transformed
from vicinal.lab.measure.outputs import Predict, checked_classes, checked_images

TTA_EPOCH = EPOCH_LIMIT - 2
"""The epoch of the draws of views: neither one of training nor that of corruptions."""


def tta(
    predict: Predict,
    images: NDArray,
    policy: Node,
    views: int = 8,
    seed: int = 0,
    index: ArrayLike | None = None,
    original: bool = False,
) -> NDArray[np.floating]:
    """Mean answer of a model over several versions of every image.

    Class probabilities belong to the whole image, so no geometry has to be undone.

    Args:
        predict: the model; images: (N, H, W, C); policy: what makes a version.
        views: how many, at the views 0 to views - 1 of the address (seed, `TTA_EPOCH`, index), as ``Views(..., n=views)`` has them. A
            policy that is itself of several views, such as ``FiveCrop``, gives all of its own for each of these.
        index: (N,) number of each image in the test set, from 0 where it is not given: with it, any part gives the bits of the whole.
        original: count the unchanged image as one more view.

    Returns:
        (N, K), in the precision of the model's answers.

    Raises:
        ParameterError: no views.

    Example:
        >>> import vicinal as v
        >>> left = lambda images: images[:, 0, :, 0] / np.float32(255)
        >>> tta(left, np.array([[[[255], [0]]]], np.uint8), v.HorizontalFlip(p=1), views=1, original=True).tolist()
        [[0.5, 0.5]]
    """
    if not isinstance(views, int) or views < 1:
        raise ParameterError("tta.views", "a whole number of 1 or more", repr(views), "views=8")
    rows = np.arange(len(checked_images(images))) if index is None else np.asarray(index)
    total, count = (predict(images), 1) if original else (0, 0)
    for view in range(views):
        made = transformed(policy, images, Address.of(seed, TTA_EPOCH, rows, view))
        for version in made if policy.views is not None else [made]:
            total, count = total + predict(np.asarray(version)), count + 1
    return np.asarray(total / count)


@final
@dataclass(frozen=True)
class NetChange:
    """How many items a change of the answers fixes and how many it breaks.

    Args:
        fixed: wrong before and right after; broken: right before and wrong after; items: all.
    """

    fixed: int
    broken: int
    items: int

    @property
    def fixed_share(self) -> float:
        """Share of the items that were fixed."""
        return self.fixed / self.items

    @property
    def broken_share(self) -> float:
        """Share of the items that were broken."""
        return self.broken / self.items

    @property
    def net(self) -> float:
        """Change of the accuracy, exactly: (fixed - broken) / items."""
        return (self.fixed - self.broken) / self.items


def net_change(before: ArrayLike, after: ArrayLike, labels: ArrayLike) -> NetChange:
    """What a change of the answers does item by item: a small net change may hide that many items were broken.

    Args:
        before, after: (N,) predicted classes or (N, K) probabilities; labels: (N,).

    Example:
        >>> change = net_change(before=[0, 0, 1, 1], after=[0, 1, 0, 0], labels=[0, 1, 1, 0])
        >>> change, change.net
        (NetChange(fixed=2, broken=1, items=4), 0.25)
    """
    right = []
    for outputs in (before, after):
        predicted, known, _ = checked_classes(outputs, labels)
        right.append(predicted == known)
    return NetChange(int((right[1] & ~right[0]).sum()), int((right[0] & ~right[1]).sum()), len(right[0]))
