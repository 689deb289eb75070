"""Randomness with an address instead of a state.

Every number is a pure function of *(seed, epoch, index, view)* and of the *name* of the place that asks. The generator is
Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011), vectorised over the batch in NumPy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vicinal.core.batch import KEPT, constant, filled
from vicinal.core.errors import ParameterError

_MULTIPLIERS = np.array([[0xD2511F53], [0xCD9E8D57]], np.uint64)
_WEYL = np.array([0x9E3779B9, 0xBB67AE85], np.uint64)
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_ROUNDS = 10
TO_UNIT = 2.0**-32

INDEX_LIMIT, EPOCH_LIMIT, VIEW_LIMIT, SEED_LIMIT = 1 << 48, 1 << 32, 1 << 16, 1 << 64


def philox(counter: NDArray, key: NDArray) -> NDArray[np.uint32]:
    """Philox 4x32-10: four 32-bit words for every counter and key.

    Args:
        counter: (4, ...) unsigned words below 2**32.
        key: (2, ...) unsigned words below 2**32; trailing axes broadcast against the counter's.

    Returns:
        (4, ...) uint32.

    Example:
        >>> [hex(word) for word in philox(np.zeros(4, np.uint64), np.zeros(2, np.uint64))]
        ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    return _rounds(np.asarray(counter, np.uint64), _schedule(np.asarray(key, np.uint64)))


def _schedule(key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """(10, 2, ...) round keys: a Weyl sequence from each key word."""
    steps = np.arange(_ROUNDS, dtype=np.uint64).reshape(-1, *[1] * key.ndim)
    return (key[None] + steps * _WEYL.reshape(1, 2, *[1] * (key.ndim - 1))) & _LOW


def _rounds(counter: NDArray[np.uint64], schedule: NDArray[np.uint64]) -> NDArray[np.uint32]:
    # Words 0 and 2 are multiplied, 1 and 3 are mixed in: two arrays of two rows halve the number of NumPy calls.
    shape = np.broadcast_shapes(counter.shape[1:], schedule.shape[2:])
    multipliers = _MULTIPLIERS.reshape(2, *[1] * len(shape))
    even, odd = counter[0::2], counter[1::2]
    for round_key in schedule:
        product = even * multipliers
        even = (product[::-1] >> _HALF) ^ odd ^ round_key
        odd = product[::-1] & _LOW
    words = np.empty((4, *shape), np.uint32)
    words[0::2], words[1::2] = even, odd
    return words


@final
@dataclass(frozen=True, eq=False)
class Address:
    """Where a batch of B samples lies in the space of all draws.

    Args:
        seed: one number below 2**64 for the whole batch.
        epoch, index, view: (B,) integers below 2**32, 2**48 and 2**16.

    Example:
        >>> Address.of(seed=7, epoch=3, index=[5, 9]).index
        array([5, 9])
    """

    seed: int
    epoch: NDArray[np.int64]
    index: NDArray[np.int64]
    view: NDArray[np.int64]

    @staticmethod
    def of(seed: int, epoch: ArrayLike = 0, index: ArrayLike = 0, view: ArrayLike = 0, size: int | None = None) -> Address:
        """An address from numbers or (B,) sequences; single numbers are repeated to ``size`` or to the longest sequence."""
        if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < SEED_LIMIT:
            raise ParameterError("address.seed", "an integer in [0, 2**64)", repr(seed), "seed=0")
        count = 1 if size is None else size
        epochs, views = _whole("epoch", epoch, EPOCH_LIMIT, count), _whole("view", view, VIEW_LIMIT, count)
        indices = _whole("index", index, INDEX_LIMIT, count)
        if not len(epochs) == len(indices) == len(views) == count:
            sizes = {len(epochs), len(indices), len(views), count} - {1}
            if len(sizes) > 1:
                parts, many = {"epoch": epoch, "index": index, "view": view}, max(sizes) if size is None else size
                got = ", ".join(f"{name} {np.atleast_1d(value).shape}" for name, value in parts.items())
                write = f"epoch=0, index=range({many}), view=0"
                raise ParameterError("address", f"one number each, or {many} numbers (one a sample)", got, write)
            epochs, indices, views = (_repeated(array, max(sizes, default=1)) for array in (epochs, indices, views))
        return Address(int(seed), epochs, indices, views)

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, rows: int | slice | NDArray) -> Address:
        """The address of some of the samples: an integer, a slice or an index array."""
        chosen: Any = np.array([rows]) if isinstance(rows, int) else rows
        return Address(self.seed, self.epoch[chosen], self.index[chosen], self.view[chosen])

    def counter(self, block: NDArray[np.int64]) -> NDArray[np.uint64]:
        """(4, k, B) Philox counters of the blocks (k,): index low, epoch, index high and view, block number."""
        index, view = self.index.astype(np.uint64), self.view.astype(np.uint64)
        counter = np.empty((4, len(block), len(self)), np.uint64)
        counter[0], counter[1] = index & _LOW, self.epoch.astype(np.uint64)
        counter[2], counter[3] = (index >> _HALF) << np.uint64(16) | view, block[:, None]
        return counter

    def as_dict(self) -> dict:
        """Plain numbers for JSON: {"seed": 0, "epoch": [...], "index": [...], "view": [...]}."""
        return {"seed": self.seed, "epoch": self.epoch.tolist(), "index": self.index.tolist(), "view": self.view.tolist()}

    def __str__(self) -> str:
        parts = (f"{name}={_short(getattr(self, name))}" for name in ("epoch", "index", "view"))
        return f"seed={self.seed}, " + ", ".join(parts)


def _whole(name: str, value: ArrayLike, limit: int, count: int) -> NDArray[np.int64]:
    """(B,) or (1,), read-only: addresses share what is often the same."""
    if type(value) is int and 0 <= value < limit:
        return constant(count, 0, np.int64) if value == 0 else _frozen(filled(count, value, np.int64))
    if type(value) is range and value.step == 1 and 0 <= value.start < value.stop <= limit:
        return (_from if len(value) <= KEPT else _from.__wrapped__)(value.start, value.stop)
    array = np.atleast_1d(np.asarray(value))
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise _strange(name, "an integer or a 1-D sequence of integers", f"{array.dtype} {array.shape}")
    if array.size and (array.min() < 0 or array.max() >= limit):
        raise _strange(name, f"integers in [0, 2**{limit.bit_length() - 1})", f"{array.min()}..{array.max()}")
    return _frozen(array.astype(np.int64))


@lru_cache(maxsize=64)
def _from(start: int, stop: int) -> NDArray[np.int64]:
    return _frozen(np.arange(start, stop))


def _strange(name: str, expected: str, got: str) -> ParameterError:
    return ParameterError(f"address.{name}", expected, got, "index=range(len(images))" if name == "index" else f"{name}=0")


def _repeated(array: NDArray[np.int64], longest: int) -> NDArray[np.int64]:
    return array if len(array) == longest else _frozen(np.repeat(array, longest))


def _frozen(array: NDArray[np.int64]) -> NDArray[np.int64]:
    array.setflags(write=False)
    return array


def _short(values: NDArray) -> str:
    if len(values) and (values == values[0]).all():
        return str(values[0])
    if len(values) > 2 and (np.diff(values) == 1).all():
        return f"{values[0]}..{values[-1]}"
    return str(values.tolist()) if len(values) <= 8 else f"[{', '.join(map(str, values[:6]))}, ... {len(values)} in all]"


Sites = tuple[tuple[str, int], ...]
"""Names of places, and how many words each asks for."""

Rounds = Callable[[Address, Sites], tuple[NDArray[np.uint32], NDArray[np.float64]]]
"""Philox for a batch: its address and sites to words (4, k, B), of whose k blocks each site has as many as it needs; and the first word
of each block as a number in [0, 1), (k, B)."""


def rounds(address: Address, sites: Sites) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """Philox 4x32-10 in NumPy; backends may bring it compiled."""
    words = _rounds(address.counter(blocks(sites)[1]), _keyed(address.seed, sites))
    return words, (words[0] + 0.5) * TO_UNIT


@lru_cache(maxsize=4096)
def blocks(sites: Sites) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """For each block of some sites (4, k) words of the hash of its name, and (k,) which block of its site it is."""
    counts = [-(-n // 4) for _, n in sites]
    digests = [hashlib.blake2s(name.encode(), digest_size=16).digest() for name, _ in sites]
    words = np.frombuffer(b"".join(digests), "<u4").reshape(-1, 4).T.astype(np.uint64)
    return np.repeat(words, counts, 1), np.concatenate([np.arange(count) for count in counts])


@lru_cache(maxsize=1024)
def _keyed(seed: int, sites: Sites) -> NDArray[np.uint64]:
    """(10, 2, k, 1) round keys: the seed keys Philox blocks whose counters are the hashes of names; what comes out keys the blocks."""
    words = philox(blocks(sites)[0], np.array([seed & 0xFFFFFFFF, seed >> 32], np.uint64)[:, None])
    return _schedule(words[:2].astype(np.uint64))[..., None]


Drawn = tuple[NDArray[np.uint32], NDArray[np.float64]]
"""What a site was given: words (4, k, B) of its k blocks, and the first word of every sample as a number in [0, 1), (B,)."""


@final
class Draw:
    """The random numbers of a batch, read by name; reading one never changes another.

    ``known`` is what has been drawn so far, which the draws of all places of a tree share.

    Example:
        >>> draw = Draw(Address.of(seed=0, index=range(3)))
        >>> bool((draw.unit("angle") == draw.unit("angle")).all()), draw.child("Rotate").unit("angle").shape
        (True, (3,))
    """

    def __init__(self, address: Address, path: str = "", known: dict[tuple[str, int], Drawn] | None = None, rounds: Rounds = rounds):
        self.address, self.path, self.known, self.rounds = address, path, {} if known is None else known, rounds

    def child(self, name: str) -> Draw:
        """The draws of a place below this one; ``known`` is shared, so a prefetch serves the whole tree."""
        return self.below(f"{self.path}/{name}" if self.path else name)

    def below(self, path: str) -> Draw:
        """The draws of any place of the tree."""
        return Draw(self.address, path, self.known, self.rounds)

    def words(self, name: str, n: int) -> NDArray[np.uint32]:
        """(B, n) uniform 32-bit words of the site ``path.name``."""
        blocks, _ = self._drawn(name, n)
        return blocks.transpose(2, 1, 0).reshape(-1, 4 * blocks.shape[1])[:, :n]

    def unit(self, name: str) -> NDArray:
        """(B,) float64 numbers in [0, 1); the ends are never hit, so every quantile function is finite."""
        return self._drawn(name, 1)[1]

    def units(self, name: str, n: int) -> NDArray:
        """(B, n) float64 numbers in [0, 1)."""
        return self.unit(name)[:, None] if n == 1 else (self.words(name, n) + 0.5) * TO_UNIT

    def key(self, name: str) -> NDArray[np.uint32]:
        """(B, 2) keys for dense noise that a backend generates itself."""
        return self.words(name, 2)

    def order(self, name: str) -> NDArray[np.int64]:
        """A permutation of the batch: sorted by one 64-bit draw a sample."""
        words = self.words(name, 2).astype(np.uint64)
        return np.argsort(words[:, 0] << _HALF | words[:, 1], kind="stable")

    def prefetch(self, sites: Sequence[tuple[str, int]]) -> None:
        """Draw many sites in one vectorised call; the numbers are those that single calls would give."""
        (words, first), start = self.rounds(self.address, tuple(sites)), 0
        for site in sites:
            count = -(-site[1] // 4)
            self.known[site] = words[:, start : start + count], first[start]
            start += count

    def _drawn(self, name: str, n: int) -> Drawn:
        site = (f"{self.path}.{name}", n)
        if site not in self.known:
            self.prefetch((site,))
        return self.known[site]
