"""The training batches of all arms and seeds of a comparison: the same items in the same order wherever two arms can share them.

Item ``j`` of an arm with ``k`` copies of ``n`` training items is copy ``j // n`` of training item ``j % n``; copy 0 is the original. The
order of an epoch is a draw at the address (seed, epoch, item); what a policy makes of an item is a draw at (seed, epoch, source id, copy),
so arms share random numbers wherever they share operations.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.draw import Address, Draw
from vicinal.core.errors import DataError
from vicinal.core.run import augment
from vicinal.core.transform import Node
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import Arm

AHEAD = 1024  # items that a replica augments in one call: enough to make planning cheap, little enough to stay in cache
_SCALE = {"uint8": 1 / 255, "uint16": 1 / 65535, "float32": 1.0}


def inputs(images: NDArray) -> NDArray[np.float32]:
    """(N, H, W, C) images of any dtype as (N, D) float32 in [0, 1], as the network takes them."""
    return images.reshape(len(images), math.prod(images.shape[1:])).astype(np.float32) * np.float32(_SCALE[str(images.dtype)])


def apply(arm: Arm, images: NDArray, address: Address) -> NDArray:
    """What an arm makes of images (B, H, W, C) at an address; floats where its policy keeps values outside the range."""
    if arm.policy is None:
        return images
    if keeps_range(arm.policy):
        made = augment(arm.policy, (images,), {}, **_as_arguments(address))
    else:
        floats = inputs(images).reshape(images.shape)
        made = augment(arm.policy, (floats,), {}, **_as_arguments(address))
    if getattr(made, "shape", None) != images.shape:
        got = "images of several sizes" if isinstance(made, list) else "x".join(map(str, made.shape[1:]))
        expected = f"images of {'x'.join(map(str, images.shape[1:]))} out of the policy, as dev and test have"
        raise DataError(f"arm {arm.name}", expected, got, f"... | Resize(size={tuple(images.shape[1:3])})")
    return np.asarray(made)


def keeps_range(policy: Node) -> bool:
    """False where some noise is told to keep values outside [0, 1], which integers cannot hold."""
    return all(getattr(node, "overflow", "clip") != "keep" for node in policy.walk())


def _as_arguments(address: Address) -> dict[str, Any]:
    return {"seed": address.seed, "epoch": address.epoch, "index": address.index, "view": address.view}


@final
@dataclass(eq=False)
class Replica:
    """The items of one arm under one seed, and its batches: a ``Feed`` of ``vicinal.learn``.

    Args:
        arm, seed: which; data: everything; items: (n,) rows of ``data`` that it trains on; copy: (n,) which copy each item is.
        size: items a step.
    """

    arm: Arm
    seed: int
    data: Dataset
    items: NDArray[np.int64]
    copy: NDArray[np.int64]
    size: int
    seconds: float = 0.0
    made: int = 0
    _fixed: NDArray | None = None
    _orders: dict[int, NDArray] = field(default_factory=dict)
    _chunk: tuple[int, NDArray, NDArray] | None = None

    def items_at(self, position: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Epochs and item numbers at positions of the endless stream of permutations."""
        epoch, place = np.divmod(position, len(self.items))
        item = np.empty_like(place)
        for number in np.unique(epoch):
            here = epoch == number
            item[here] = self._order(int(number))[place[here]]
        return epoch, item

    def _order(self, epoch: int) -> NDArray[np.int64]:
        if epoch not in self._orders:
            address = Address.of(self.seed, epoch, np.arange(len(self.items)))
            self._orders = {n: order for n, order in self._orders.items() if n >= epoch - 1}
            self._orders[epoch] = Draw(address, "train").order("batch")
        return self._orders[epoch]

    def batch(self, step: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """(size, D) inputs and (size,) labels of one step; a chunk of steps is made at once."""
        ahead = max(1, AHEAD // self.size)
        if self._chunk is None or self._chunk[0] != step // ahead:
            number = step // ahead
            self._chunk = (number, *self._made(np.arange(number * ahead * self.size, (number + 1) * ahead * self.size)))
        rows = slice((step % ahead) * self.size, (step % ahead + 1) * self.size)
        return self._chunk[1][rows], self._chunk[2][rows]

    def _made(self, position: NDArray[np.int64]) -> tuple[NDArray, NDArray]:
        epoch, item = self.items_at(position)
        made = inputs(self.fly(item, epoch)) if self.arm.mode == "fly" else self.fixed()[item]
        return made, self.data.labels[self.items[item]]

    def fly(self, item: NDArray[np.int64], epoch: NDArray[np.int64]) -> NDArray:
        """Items as the arm shows them in some epochs."""
        return self._timed(_images(self.data)[self.items[item]], self.address(item, epoch))

    def fixed(self) -> NDArray[np.float32]:
        """All items with their copies as (n, D) inputs, made once."""
        if self._fixed is None:
            originals = _images(self.data)[self.items]
            made, copies = inputs(originals), np.flatnonzero(self.copy)
            if len(copies):
                made[copies] = inputs(self._timed(originals[copies], self.address(copies, np.zeros_like(copies))))
            self._fixed = made
        return self._fixed

    def address(self, item: NDArray[np.int64], epoch: NDArray[np.int64]) -> Address:
        """Where the draws of items lie: at their source id, and at the number of the copy."""
        return Address.of(self.seed, epoch, self.data.sources[self.items[item]], self.copy[item])

    def _timed(self, images: NDArray, address: Address) -> NDArray:
        start = time.perf_counter()
        made = apply(self.arm, images, address)
        self.seconds += time.perf_counter() - start
        self.made += len(images)
        return made


def _images(data: Dataset) -> NDArray:
    assert isinstance(data.images, np.ndarray)
    return data.images
