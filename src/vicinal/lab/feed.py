"""The training batches of all arms and seeds of a comparison: the same items in the same order wherever two arms can share them.

Item ``j`` of an arm with ``k`` copies of ``n`` training items is copy ``j // n`` of training item ``j % n``; copy 0 is the original. The
order of an epoch is a draw at the address (seed, epoch, item); what a policy makes of an item is a draw at (seed, epoch, source id, copy),
so arms share random numbers wherever they share operations.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.draw import Address, Draw
from vicinal.core.errors import DataError
from vicinal.core.run import augment
from vicinal.core.transform import Node
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import Arm

AHEAD = 1024  # items that a replica augments in one call: enough to make planning cheap
AHEAD_VALUES = 1 << 20  # but no more values than this (4 MiB): there may be hundreds of replicas
_SCALE = {"uint8": 1 / 255, "uint16": 1 / 65535, "float32": 1.0}


def inputs(images: NDArray) -> NDArray[np.float32]:
    """(N, H, W, C) images of any dtype as (N, D) float32 in [0, 1], as the network takes them."""
    return images.reshape(len(images), math.prod(images.shape[1:])).astype(np.float32) * np.float32(_SCALE[str(images.dtype)])


def pixels(data: Dataset, rows: NDArray[np.int64] | slice = slice(None)) -> NDArray:
    """(N, H, W, C) images of some rows; only data whose images have one size come as far as the lab's trainer."""
    assert isinstance(data.images, np.ndarray)
    return data.images[rows]


def transformed(policy: Node, images: NDArray, address: Address) -> Any:
    """Images (B, H, W, C) after a policy: an array, or a list where sizes differ; floats where it keeps values outside the range."""
    where: dict[str, Any] = {"seed": address.seed, "epoch": address.epoch, "index": address.index, "view": address.view}
    return augment(policy, (taken(policy, images),), {}, **where)


def taken(policy: Node, images: NDArray) -> NDArray:
    """Images (B, H, W, C) in the dtype in which a policy takes them: float32 where some noise is told to keep values outside [0, 1]."""
    keeps = any(getattr(node, "overflow", "clip") == "keep" for node in policy.walk())
    return inputs(images).reshape(images.shape) if keeps else images


def apply(arm: Arm, images: NDArray, address: Address) -> NDArray:
    """What an arm makes of images (B, H, W, C) at an address.

    Raises:
        DataError: the policy changes their size, which dev and test keep.
    """
    if arm.policy is None:
        return images
    made = transformed(arm.policy, images, address)
    if getattr(made, "shape", None) != images.shape:
        got = "images of several sizes" if isinstance(made, list) else "x".join(map(str, made.shape[1:]))
        expected = f"images of {'x'.join(map(str, images.shape[1:]))} out of the policy, as dev and test have"
        raise DataError(f"arm {arm.name}", expected, got, f"... | Resize(size={tuple(images.shape[1:3])})")
    return np.asarray(made)


@lru_cache(maxsize=256)
def order(seed: int, epoch: int, items: int) -> NDArray[np.int64]:
    """The order of an epoch; arms with the same number of items share it."""
    found = Draw(Address.of(seed, epoch, np.arange(items)), "train").order("batch")
    found.flags.writeable = False
    return found


@final
@dataclass(frozen=True, eq=False)
class Held:
    """Some rows of a data set as the network takes them, made once for all arms of a seed: small enough to stay in cache."""

    rows: NDArray[np.int64]
    inputs: NDArray[np.float32]

    @staticmethod
    def of(data: Dataset, rows: NDArray[np.int64]) -> Held:
        """Rows in ascending order."""
        rows = np.unique(rows)
        return Held(rows, inputs(pixels(data, rows)))


@final
@dataclass(eq=False)
class Replica:
    """The items of one arm under one seed, and its batches.

    Originals stay in the data set, which all replicas share; only augmented copies are held, once and in the dtype of the data.

    Args:
        arm, seed: which; data: everything; items: (n,) rows of ``data`` that it trains on; copy: (n,) which copy each item is.
        size: items a step; held: the originals as inputs, where several replicas share them.

    Attributes:
        seconds, made: spent on augmenting so far, and the number of items that came of it.
    """

    arm: Arm
    seed: int
    data: Dataset
    items: NDArray[np.int64]
    copy: NDArray[np.int64]
    size: int
    held: Held | None = None
    seconds: float = field(default=0.0, init=False)
    made: int = field(default=0, init=False)
    _copies: NDArray | None = field(default=None, init=False)
    _chunk: tuple[int, NDArray[np.float32], NDArray[np.int64]] | None = field(default=None, init=False)

    @staticmethod
    def of(arm: Arm, seed: int, data: Dataset, rows: NDArray[np.int64], copies: int, size: int, held: Held | None = None) -> Replica:
        """A replica that trains on some rows, each with so many copies."""
        return Replica(arm, seed, data, np.tile(rows, copies + 1), np.repeat(np.arange(copies + 1), len(rows)), size, held)

    def part(self, rows: NDArray[np.int64]) -> Replica:
        """The same arm and seed with some of the items."""
        return Replica(self.arm, self.seed, self.data, self.items[rows], self.copy[rows], self.size, self.held)

    @property
    def sources(self) -> NDArray[np.int64]:
        """(n,) the source id of every item."""
        return self.data.sources[self.items]

    @property
    def labels(self) -> NDArray[np.int64]:
        """(n,) the label of every item."""
        return self.data.labels[self.items]

    def items_at(self, position: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Epochs and item numbers at positions of the endless stream of permutations."""
        epoch, place = np.divmod(position, len(self.items))
        item = np.empty_like(place)
        for number in np.unique(epoch):
            here = epoch == number
            item[here] = order(self.seed, int(number), len(self.items))[place[here]]
        return epoch, item

    def batch(self, step: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """(size, D) inputs and (size,) labels of one step; a chunk of steps is made at once."""
        number, place = divmod(step, self.ahead)
        if self._chunk is None or self._chunk[0] != number:
            epoch, item = self.chunk(number)
            self._chunk = (number, self.shown(item, epoch), self.labels[item])
        rows = slice(place * self.size, (place + 1) * self.size)
        return self._chunk[1][rows], self._chunk[2][rows]

    def chunk(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Epochs and items of the steps that are made at once: ``ahead`` of them, ``size`` items each."""
        many = self.ahead * self.size
        return self.items_at(np.arange(number * many, (number + 1) * many))

    @cached_property
    def ahead(self) -> int:
        """Steps that are made at once."""
        return max(1, self._most() // self.size)

    @cached_property
    def everything(self) -> NDArray[np.float32]:
        """(n, D) all items as they lie there, held for replicas that are looked at again and again."""
        return self.kept(np.arange(len(self.items)))

    @cached_property
    def place(self) -> NDArray[np.int64]:
        """(n,) where the original of each item is held."""
        assert self.held is not None
        return np.searchsorted(self.held.rows, self.items)

    @cached_property
    def number(self) -> NDArray[np.int64]:
        """(n,) which augmented copy an item is, for items that are copies."""
        return np.cumsum(self.copy > 0) - 1

    def _most(self) -> int:
        return max(1, min(AHEAD, AHEAD_VALUES // math.prod(pixels(self.data).shape[1:])))

    def shown(self, item: NDArray[np.int64], epoch: NDArray[np.int64] | int = 0) -> NDArray[np.float32]:
        """(B, D) items as the network is trained on them in some epochs."""
        if self.arm.mode == "fly":
            return inputs(self._timed(pixels(self.data, self.items[item]), item, epoch))
        return self.kept(item)

    def kept(self, item: NDArray[np.int64]) -> NDArray[np.float32]:
        """(B, D) items as they lie there, the same in every epoch: originals, and augmented copies where the arm has them."""
        made = inputs(pixels(self.data, self.items[item])) if self.held is None else self.held.inputs[self.place[item]]
        if self.arm.mode == "copies" and self.copy[item].any():
            copies = np.flatnonzero(self.copy[item])
            made[copies] = inputs(self.fixed()[self.number[item[copies]]])
        return made

    def fixed(self) -> NDArray:
        """Every augmented copy, in the order of the items; made once, in pieces that bound what it takes beside."""
        if self._copies is None:
            item, ahead = np.flatnonzero(self.copy), self._most()
            pieces = [item[start : start + ahead] for start in range(0, len(item), ahead)]
            self._copies = np.concatenate([self._timed(pixels(self.data, self.items[piece]), piece, 0) for piece in pieces])
        return self._copies

    def address(self, item: NDArray[np.int64], epoch: NDArray[np.int64] | int) -> Address:
        """Where the draws of items lie: at their source id, and at the number of the copy."""
        return Address.of(self.seed, epoch, self.sources[item], self.copy[item])

    def _timed(self, images: NDArray, item: NDArray[np.int64], epoch: NDArray[np.int64] | int) -> NDArray:
        start = time.perf_counter()
        made = apply(self.arm, images, self.address(item, epoch))
        self.seconds += time.perf_counter() - start
        self.made += len(images)
        return made
