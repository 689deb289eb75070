"""The batches of many replicas at once. What does not change between epochs lies in one bank, from which one look-up serves them all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from vicinal.lab.feed import Replica, goal, inputs
from vicinal.learn.trainer import Items


@final
@dataclass(frozen=True, eq=False)
class Bank:
    """The items of several replicas as rows of one array: originals once a seed, augmented copies once a replica.

    Args:
        inputs: (M, D); rows: for every replica, (n,) where its items lie.
    """

    inputs: NDArray
    rows: tuple[NDArray[np.int64], ...]

    @staticmethod
    def of(replicas: Sequence[Replica]) -> Bank:
        parts: list[NDArray] = []
        starts: dict[int, int] = {}
        rows, end = [], 0
        for replica in replicas:
            assert replica.held is not None
            if id(replica.held) not in starts:
                starts[id(replica.held)] = end
                parts.append(replica.held.inputs)
                end += len(parts[-1])
            row = starts[id(replica.held)] + replica.place
            if replica.arm.mode == "copies":
                parts.append(inputs(replica.fixed()[0]))
                row = np.where(replica.copy > 0, end + replica.number, row)
                end += len(parts[-1])
            rows.append(row)
        return Bank(np.concatenate(parts), tuple(rows))


@final
@dataclass(eq=False)
class Together:
    """The ``Feed`` of a trainer; a batch is valid until the next one is asked for.

    Replicas that augment on the fly, or whose originals are too many to be held, are asked one by one.

    Example:
        >>> from vicinal.data import read
        >>> from vicinal.lab.arms import Arm
        >>> feed = Together([Replica.of(Arm("none"), seed, read("digits"), np.arange(50), 32) for seed in range(3)])
        >>> feed.batch(0)[0].shape
        (3, 32, 64)
    """

    replicas: Sequence[Replica]
    _chunk: tuple[int, NDArray[np.int64], NDArray] | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        first = self.replicas[0]
        wanted = goal(first.data)
        self._still = [replica.held is not None and replica.arm.mode != "fly" and not replica.shares for replica in self.replicas]
        self._banked = [replica for replica, still in zip(self.replicas, self._still, strict=True) if still]
        self._bank = Bank.of(self._banked) if self._banked else None
        self._inputs = np.empty((len(self.replicas), first.size, wanted.features), wanted.dtype)
        self._eye = np.eye(len(first.data.classes), dtype=np.float32) if any(replica.shares for replica in self.replicas) else None
        shape = first.labels.shape[1:] if self._eye is None else self._eye.shape[1:]
        self._labels = np.empty((*self._inputs.shape[:2], *shape), first.labels.dtype if self._eye is None else np.float32)

    def batch(self, step: int) -> tuple[NDArray, NDArray]:
        """(R, size, D) inputs and the labels of one step."""
        if self._bank is not None:
            rows, labels = self._banked_step(step)
            # mode="raise" would fill a copy of the output first
            taken = self._inputs[: len(rows)] if all(self._still) else np.empty((*rows.shape, self._inputs.shape[2]), self._inputs.dtype)
            np.take(self._bank.inputs, rows, axis=0, out=taken, mode="clip")
            self._labels[self._still] = self._shares(labels)
            if not all(self._still):
                self._inputs[self._still] = taken
        for number, replica in enumerate(self.replicas):
            if not self._still[number]:
                self._inputs[number], labels = replica.batch(step)
                self._labels[number] = self._shares(labels)
        return self._inputs, self._labels

    def whole(self, replica: int) -> Items:
        """All items of one replica at once."""
        return self.replicas[replica].whole()

    def _shares(self, labels: NDArray) -> NDArray:
        """Class numbers as shares of classes, where another replica has such."""
        return labels if self._eye is None or labels.dtype.kind == "f" else self._eye[labels]

    def _banked_step(self, step: int) -> tuple[NDArray[np.int64], NDArray]:
        """(R, size) rows of the bank, and labels, of the replicas that lie in it."""
        ahead, size = self._banked[0].ahead, self._banked[0].size
        number, place = divmod(step, ahead)
        if self._chunk is None or self._chunk[0] != number:
            assert self._bank is not None
            items = [replica.chunk(number)[1] for replica in self._banked]
            rows = np.stack([row[item] for row, item in zip(self._bank.rows, items, strict=True)])
            self._chunk = (number, rows, np.stack([r.labels[item] for r, item in zip(self._banked, items, strict=True)]))
        part = slice(place * size, (place + 1) * size)
        return self._chunk[1][:, part], self._chunk[2][:, part]
