"""The training batches of all arms and seeds of a comparison: the same items in the same order wherever two arms can share them.

Item ``j`` of an arm with ``k`` copies of ``n`` training items is copy ``j // n`` of training item ``j % n``; copy 0 is the original. The
order of an epoch is a draw at the address (seed, epoch, item); what a policy makes of an item is a draw at (seed, epoch, source id, copy),
so arms share random numbers wherever they share operations.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.draw import Address, Draw
from vicinal.core.errors import DataError
from vicinal.core.run import augment
from vicinal.core.transform import Node
from vicinal.data.dataset import Dataset, kind_of
from vicinal.lab.arms import Arm
from vicinal.learn.trainer import Goal, Items

AHEAD = 1024  # items that a replica augments in one call: enough to make planning cheap
AHEAD_VALUES = 1 << 20  # but no more values than this (4 MiB): there may be hundreds of replicas
_SCALE = {"uint8": 1 / 255, "uint16": 1 / 65535, "float32": 1.0, "float64": 1.0}


def inputs(images: NDArray) -> NDArray:
    """What a trainer takes: (N, D) float32 of (N, H, W, C) images of any dtype in [0, 1], or of (N, T, C) series as they are; (N,) texts
    as (N, 1)."""
    flat = images.reshape(len(images), math.prod(images.shape[1:]))
    return flat.copy() if flat.dtype == object else flat.astype(np.float32) * np.float32(_SCALE[str(images.dtype)])


def pixels(data: Dataset, rows: NDArray[np.int64] | slice = slice(None)) -> NDArray:
    """(N, H, W, C) images, (N, T, C) series or (N,) texts of some rows; only items of one size come as far as the lab's trainers."""
    assert isinstance(data.images, np.ndarray)
    return data.images[rows]


def goal(data: Dataset) -> Goal:
    """What a trainer is to learn from a data set."""
    outputs = data.labels.shape[1] if data.regression else len(data.classes)
    return Goal(pixels(data).shape[1:], outputs, data.regression)


def targets(data: Dataset, labels: NDArray) -> NDArray:
    """Labels as a trainer takes them: int64 classes, or float32 values."""
    return labels.astype(np.float32) if data.regression else labels


def transformed(
    policy: Node, images: NDArray, address: Address, kind: str = "image", label: NDArray | None = None, group: int | None = None
) -> Any:
    """Items (B, ...) after a policy: an array, or a list where sizes differ; floats where it keeps values outside the range.

    With labels, (B, K) shares of classes, a pair: the items, and the labels after mixing, ``group`` items after the other being a batch.
    A policy of several views gives a list of them.
    """
    where: dict[str, Any] = {"seed": address.seed, "epoch": address.epoch, "index": address.index, "view": address.view}
    if label is None:
        made = augment(policy, (), {kind: taken(policy, images)}, group=group, **where)
        return [view[kind] for view in made] if isinstance(made, list) else made[kind]
    made = augment(policy, (), {kind: taken(policy, images), "label": label}, group=group, **where)
    return made[kind], made["label"]


def taken(policy: Node, images: NDArray) -> NDArray:
    """Items in the dtype in which a policy takes them: images are float32 where some noise is told to keep values outside [0, 1]."""
    keeps = images.ndim == 4 and any(getattr(node, "overflow", "clip") == "keep" for node in policy.walk())
    return inputs(images).reshape(images.shape) if keeps else images


def apply(
    arm: Arm, images: NDArray, address: Address, label: NDArray | None = None, group: int | None = None
) -> tuple[NDArray, NDArray | None]:
    """What an arm makes of items (B, ...) at an address, and the labels where it mixes, ``group`` items after the other among themselves.

    Raises:
        DataError: the policy changes their size, which dev and test keep.
    """
    if arm.policy is None:
        return images, label
    made = transformed(arm.policy, images, address, kind_of(images), label, group)
    made, label = made if label is not None else (made, None)
    if getattr(made, "shape", None) != images.shape:
        got = "items of several sizes" if isinstance(made, list) else "x".join(map(str, made.shape[1:]))
        expected = f"items of {'x'.join(map(str, images.shape[1:]))} out of the policy, as dev and test have"
        raise DataError(f"arm {arm.name}", expected, got, f"... | Resize(size={tuple(images.shape[1:3])})")
    return np.asarray(made), label


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
    inputs: NDArray

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
        labels: (n,) classes or (n, V) values of the items, as they are taught.

    Attributes:
        seconds, made: spent on augmenting so far, and the number of items that came of it.
    """

    arm: Arm
    seed: int
    data: Dataset
    items: NDArray[np.int64]
    copy: NDArray[np.int64]
    size: int
    held: Held | None
    labels: NDArray
    seconds: float = field(default=0.0, init=False)
    made: int = field(default=0, init=False)
    _copies: tuple[NDArray, NDArray | None] | None = field(default=None, init=False)
    _chunk: tuple[int, NDArray, NDArray] | None = field(default=None, init=False)

    @staticmethod
    def of(arm: Arm, seed: int, data: Dataset, rows: NDArray[np.int64], size: int, held: Held | None = None, noise: float = 0.0) -> Replica:
        """A replica that trains on some rows, with the copies that the arm asks for; ``noise`` is the share of wrong labels."""
        kept = np.arange(int(arm.instead), arm.copies + 1)
        items, copy = np.tile(rows, len(kept)), np.repeat(kept, len(rows))
        if arm.resample:
            items, copy = resampled(data.labels[rows], arm.resample, seed, rows, data.sources[rows])
        labels = mislabelled(data, seed, noise) if noise else data.labels
        return Replica(arm, seed, data, items, copy, size, held, targets(data, labels[items]))

    def part(self, rows: NDArray[np.int64]) -> Replica:
        """The same arm and seed with some of the items."""
        return replace(self, items=self.items[rows], copy=self.copy[rows], labels=self.labels[rows])

    @property
    def sources(self) -> NDArray[np.int64]:
        """(n,) the source id of every item."""
        return self.data.sources[self.items]

    def items_at(self, position: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Epochs and item numbers at positions of the endless stream of permutations."""
        epoch, place = np.divmod(position, len(self.items))
        item = np.empty_like(place)
        for number in np.unique(epoch):
            here = epoch == number
            item[here] = order(self.seed, int(number), len(self.items))[place[here]]
        return epoch, item

    def batch(self, step: int) -> tuple[NDArray, NDArray]:
        """(size, D) inputs and the labels of one step; a chunk of steps is made at once."""
        number, place = divmod(step, self.ahead)
        if self._chunk is None or self._chunk[0] != number:
            epoch, item = self.chunk(number)
            self._chunk = (number, *self.shown(item, epoch, self.size))
        rows = slice(place * self.size, (place + 1) * self.size)
        return self._chunk[1][rows], self._chunk[2][rows]

    def whole(self) -> Items:
        """Everything that it may learn from; an arm on the fly shows its first epoch."""
        made, labels = self.shown(np.arange(len(self.items)))
        return Items(made, labels, np.ones(len(made)))

    def chunk(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Epochs and items of the steps that are made at once: ``ahead`` of them, ``size`` items each."""
        many = self.ahead * self.size
        return self.items_at(np.arange(number * many, (number + 1) * many))

    @cached_property
    def ahead(self) -> int:
        """Steps that are made at once."""
        return max(1, self._most() // self.size)

    @cached_property
    def everything(self) -> NDArray:
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

    @property
    def shares(self) -> bool:
        """True where labels are shares of classes."""
        return self.arm.mixes and not self.data.regression

    def _most(self) -> int:
        return max(1, min(AHEAD, AHEAD_VALUES // math.prod(pixels(self.data).shape[1:])))

    def shown(self, item: NDArray[np.int64], epoch: NDArray[np.int64] | int = 0, group: int | None = None) -> tuple[NDArray, NDArray]:
        """(B, D) items as the network is trained on them in some epochs, and their labels; ``group`` of them are mixed among themselves."""
        if self.arm.mode == "fly":
            made, mixed = self._timed(item, epoch, group)
            return inputs(made), self.labels[item] if mixed is None else mixed
        return self.kept(item), self.taught(item)

    def kept(self, item: NDArray[np.int64]) -> NDArray:
        """(B, D) items as they lie there, the same in every epoch: originals, and augmented copies where the arm has them."""
        made = inputs(pixels(self.data, self.items[item])) if self.held is None else self.held.inputs[self.place[item]]
        if self.arm.mode == "copies" and self.copy[item].any():
            copies = np.flatnonzero(self.copy[item])
            made[copies] = inputs(self.fixed()[0][self.number[item[copies]]])
        return made

    def taught(self, item: NDArray[np.int64]) -> NDArray:
        """The labels of items as they lie there."""
        if not (self.shares and self.arm.mode == "copies"):
            return self.labels[item]
        labels, mixed, copies = self._one_hot(item), self.fixed()[1], np.flatnonzero(self.copy[item])
        if mixed is not None:
            labels[copies] = mixed[self.number[item[copies]]]
        return labels

    def fixed(self) -> tuple[NDArray, NDArray | None]:
        """Every augmented copy, in the order of the items, and its label where the arm mixes; made once, in pieces.

        Copies that are mixed are shuffled into batches first, since rows often lie by class.
        """
        if self._copies is None:
            item = np.flatnonzero(self.copy)
            turn = order(self.seed, 0, len(item)) if self.arm.mixes else np.arange(len(item))
            many = self.ahead * self.size
            pieces = [self._timed(item[turn[start : start + many]], 0, self.size) for start in range(0, len(item), many)]
            back, mixed = np.argsort(turn), [label for _, label in pieces if label is not None]
            self._copies = (np.concatenate([made for made, _ in pieces])[back], np.concatenate(mixed)[back] if mixed else None)
        return self._copies

    def address(self, item: NDArray[np.int64], epoch: NDArray[np.int64] | int) -> Address:
        """Where the draws of items lie: at their source id, and at the number of the copy."""
        return Address.of(self.seed, epoch, self.sources[item], self.copy[item])

    def _one_hot(self, item: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.eye(len(self.data.classes), dtype=np.float32)[self.labels[item]]

    def _timed(self, item: NDArray[np.int64], epoch: NDArray[np.int64] | int, group: int | None) -> tuple[NDArray, NDArray | None]:
        start, images = time.perf_counter(), pixels(self.data, self.items[item])
        label = self._one_hot(item) if self.shares else None
        made, mixed = apply(self.arm, images, self.address(item, epoch), label, group)
        self.seconds += time.perf_counter() - start
        self.made += len(images)
        return made, None if mixed is None else mixed.astype(np.float32)


def joined(one: Replica, other: Replica) -> Replica:
    """The items of both, as those of the first one's arm."""
    parts = {name: np.concatenate([getattr(one, name), getattr(other, name)]) for name in ("items", "copy", "labels")}
    return replace(one, **parts)


def resampled(
    labels: NDArray[np.int64], how: str, seed: int, rows: NDArray[np.int64], sources: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows so that all classes are as many as the most ("over") or least ("under") frequent one, and which repetition each is.

    Example:
        >>> resampled(np.array([0, 0, 0, 1]), "over", 0, np.arange(4), np.arange(4))[1].tolist()
        [0, 0, 0, 0, 1, 2]
    """
    unit = Draw(Address.of(seed, 0, sources), "resample").unit("order")
    members = [np.flatnonzero(labels == label)[np.argsort(unit[labels == label], kind="stable")] for label in np.unique(labels)]
    count = max(map(len, members)) if how == "over" else min(map(len, members))
    chosen = np.concatenate([np.resize(some, count) for some in members])
    turn = np.concatenate([np.arange(count) // len(some) for some in members])
    order = np.lexsort((chosen, turn))
    return rows[chosen[order]], turn[order]


def mislabelled(data: Dataset, seed: int, share: float) -> NDArray[np.int64]:
    """(N,) labels of which a share is another class, equally likely any: a draw at the source id, so siblings err alike."""
    draw, classes = Draw(Address.of(seed, 0, data.sources), "labels"), len(data.classes)
    other = (data.labels + 1 + (draw.unit("other") * (classes - 1)).astype(np.int64)) % classes
    return np.where(draw.unit("wrong") < share, other, data.labels)
