"""Test images made worse, at the same addresses for every model that is asked about them."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vicinal.core.draw import EPOCH_LIMIT, Address
from vicinal.lab.feed import inputs, transformed
from vicinal.lab.measure.families import Family, family
from vicinal.lab.measure.outputs import checked_images

TEST_EPOCH = EPOCH_LIMIT - 1
"""The epoch of the draws for test images: one that no training reaches, so that no noise was seen in training under the same seed."""

HELD = 1 << 29
"""Bytes of corrupted images that are kept: 68 versions of 10,000 images of MNIST, 17 of CIFAR-10's test images."""


def corrupted(
    images: NDArray, kind: Family | str, level: float, seed: int = 0, index: ArrayLike | None = None, clip: bool = True
) -> NDArray:
    """Images of a test set, made worse.

    Every image has draws of its own at the address (seed, `TEST_EPOCH`, index); the levels of a family share them, so a higher level of
    noise is the same noise, larger.

    Args:
        images: (N, H, W, C) uint8, uint16, or float32 in [0, 1]; kind: a family, or its name; level: in its unit.
        index: (N,) number of each image in the test set, from 0 where it is not given: with it, any part gives the bits of the whole.
        clip: False keeps noise that leaves the value range, and makes float32 images of all.

    Returns:
        Images of the same form and dtype (float32 with ``clip=False``); at the neutral level, the images themselves.

    Raises:
        PolicyError: for a family or a level that there is not. TargetError: images that the family does not take.

    Example:
        >>> corrupted(np.zeros((2, 4, 4, 1), np.uint8), "shift", 0.2)[0, 0, 0].tolist()
        [51]
    """
    checked_images(images)
    chosen = family(kind) if isinstance(kind, str) else kind
    policy = chosen.policy(level, clip)
    given = images if clip else inputs(images).reshape(images.shape)
    if level == chosen.neutral:
        return given
    rows = np.arange(len(images)) if index is None else np.asarray(index)
    return np.asarray(transformed(policy, given, Address.of(seed, TEST_EPOCH, rows)))


@final
@dataclass(eq=False)
class Corruptions:
    """A test set and what has been made of it: every family and level is made once, for all models of a study.

    Args:
        images, seed, index, clip: as for `corrupted`.
        most: bytes that are kept; what was asked for longest ago goes first, and is made again, bit for bit, when it is wanted.

    Example:
        >>> test = Corruptions(np.zeros((2, 4, 4, 1), np.uint8))
        >>> test.at("blur", 1) is test.at("blur", 1)
        True
    """

    images: NDArray
    seed: int = 0
    index: NDArray | None = None
    clip: bool = True
    most: int = HELD
    _made: OrderedDict[tuple[str, float], NDArray] = field(default_factory=OrderedDict, init=False, repr=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def at(self, kind: Family | str, level: float) -> NDArray:
        """The images at one level of one family, read-only."""
        chosen = family(kind) if isinstance(kind, str) else kind
        key = (chosen.name, float(level)) if level != chosen.neutral else ("", 0.0)
        with self._lock:
            if key not in self._made:
                self._made[key] = _sealed(corrupted(self.images, chosen, level, self.seed, self.index, self.clip))
            self._made.move_to_end(key)
            self._shrink()
            return self._made[key]

    @property
    def held(self) -> int:
        """Bytes that are kept now."""
        return sum(made.nbytes for made in self._made.values())

    def _shrink(self) -> None:
        while self.held > self.most and len(self._made) > 1:
            self._made.popitem(last=False)


def _sealed(images: NDArray) -> NDArray:
    sealed = images.view()
    sealed.flags.writeable = False
    return sealed
