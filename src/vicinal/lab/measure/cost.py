"""What an augmentation costs, and what a gain costs with it."""

from __future__ import annotations

import math
import time

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import ParameterError
from vicinal.core.transform import Node
from vicinal.lab.measure.outputs import checked_images


def ms_per_item(policy: Node, images: NDArray, rounds: int = 5, seed: int = 0, threads: int = 1) -> float:
    """Milliseconds that a policy takes for an image in batches of this size: the median of some rounds, after one that compiles.

    Args:
        policy: what is timed; images: (N, H, W, C), one batch; rounds: an epoch each, so that parameters vary as in training.

    Raises:
        ParameterError: no rounds.

    Example:
        >>> import vicinal as v
        >>> 0 < ms_per_item(v.HorizontalFlip(), np.zeros((64, 8, 8, 1), np.uint8), rounds=3) < 1000
        True
    """
    if not isinstance(rounds, int) or rounds < 1:
        raise ParameterError("ms_per_item.rounds", "a whole number of 1 or more", repr(rounds), "rounds=5")
    checked_images(images)
    policy(images, seed=seed, threads=threads)
    return float(np.median([_seconds(policy, images, seed, epoch, threads) for epoch in range(rounds)])) * 1000 / len(images)


def _seconds(policy: Node, images: NDArray, seed: int, epoch: int, threads: int) -> float:
    start = time.perf_counter()
    policy(images, seed=seed, epoch=epoch, threads=threads)
    return time.perf_counter() - start


def per_point(ms: float, gain: float) -> float:
    """Milliseconds an item for one point (0.01) of a gain; infinite where nothing is gained.

    Args:
        ms: an item; gain: in shares of 1, as metrics count it.

    Example:
        >>> round(per_point(ms=0.5, gain=0.025), 9), per_point(ms=0.5, gain=-0.01)
        (0.2, inf)
    """
    return ms / (100 * gain) if gain > 0 else math.inf
