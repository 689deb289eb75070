"""Split first, by source: train, dev and a test part that depends on the data alone; and a meter for leaks.

Every choice is a draw at the address of the *source id*, so a split is a function of (seed, source ids, labels), not of the
order of the rows, and copies of one original never stand on two sides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.draw import Address, Draw
from vicinal.core.errors import DataError, LeakageError, ParameterError
from vicinal.data.dataset import Dataset, source_classes

_TEST_SEED = 0x7465_7374  # its own, so that the test part is the same whatever the seed of a comparison


@final
@dataclass(frozen=True, eq=False)
class Split:
    """Rows of a data set, ascending: (n,) int64 each. What ``size`` leaves out is in none of them."""

    train: NDArray[np.int64]
    dev: NDArray[np.int64]
    test: NDArray[np.int64]


def split(
    data: Dataset,
    *,
    size: int | None,
    seed: int,
    dev: float = 0.1,
    test: float = 1 / 3,
    allow_leak: bool = False,
) -> Split:
    """Train, dev and test rows, stratified by class, with all items of a source on one side.

    The test part is the official one if the data set declares it, else a fixed share of the sources: it depends neither on
    ``size`` nor on ``seed``. Of the rest, ``size`` sources are drawn by ``seed``, at least 2 of every class, and of these a
    share is dev. For one seed the sources of a smaller size are among those of a larger one, so learning curves are nested.

    Args:
        data: what to split.
        size: number of distinct sources in train and dev together; None takes all. At least 2 a class.
        seed: one number below 2**64.
        dev: share of ``size`` for dev, rounded, at least 1; every class keeps one source in train, and has one in dev where
            dev has as many sources as there are classes.
        test: share of all sources for test where none is declared; every class keeps two outside.
        allow_leak: go on although copies of official test items are outside the test part.

    Raises:
        DataError: ``size`` is too small for the classes or larger than the pool, or no test part can be set apart.
        LeakageError: the official test part has siblings outside.

    Example:
        >>> from vicinal.data import read
        >>> parts = split(read("digits"), size=500, seed=0)
        >>> len(parts.train), len(parts.dev), len(parts.test)
        (450, 50, 599)
    """
    _share("dev", dev)
    _share("test", test)
    held_out = _held_out(data, test)
    refuse_leak(data.sources[held_out], data.sources[~held_out], allow=allow_leak, where=f"{data.origin}: official test")
    pool = np.flatnonzero(~held_out)
    ids, classes = source_classes(data.sources[pool], data.strata[pool])
    draw = Draw(Address.of(seed=seed, index=ids), "split")
    drawn = _order(classes, draw.unit("subset"), first=2)[: _size(data, size, classes)]
    on_dev = drawn[_dev(classes[drawn], draw.unit("dev")[drawn], dev)]
    on_train = np.setdiff1d(drawn, on_dev)
    train, held = (pool[np.isin(data.sources[pool], ids[some])] for some in (on_train, on_dev))
    return Split(train, held, np.flatnonzero(held_out))


def spare(data: Dataset, size: int | None, test: float = 1 / 3) -> int:
    """How many sources of the pool a ``size`` leaves out of train and dev.

    Example:
        >>> from vicinal.data import read
        >>> spare(read("digits"), size=500), spare(read("digits"), size=None)
        (698, 0)
    """
    ids = np.unique(data.sources[~_held_out(data, test)])
    return 0 if size is None else max(0, len(ids) - size)


def further(data: Dataset, *, size: int, seed: int, count: int, test: float = 1 / 3) -> NDArray[np.int64]:
    """Rows of the next ``count`` sources that a larger size would draw: neither in train nor in dev of ``size``, nor in test.

    Example:
        >>> from vicinal.data import read
        >>> digits = read("digits")
        >>> small, large = (split(digits, size=size, seed=0) for size in (500, 600))
        >>> more = further(digits, size=500, seed=0, count=100)
        >>> set(more) == {*large.train, *large.dev} - {*small.train, *small.dev}
        True
    """
    pool = np.flatnonzero(~_held_out(data, test))
    ids, classes = source_classes(data.sources[pool], data.strata[pool])
    drawn = _order(classes, Draw(Address.of(seed=seed, index=ids), "split").unit("subset"), first=2)
    return pool[np.isin(data.sources[pool], ids[drawn[size : size + count]])]


def _held_out(data: Dataset, test: float) -> NDArray[np.bool_]:
    """(N,) True for the test part."""
    return data.official_test if data.official_test.any() else _chosen_test(data, test)


def split_items(sources: NDArray[np.int64], seed: int, dev: float = 0.1) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(train rows, dev rows) of a split that ignores sources, as after copying: the leak that ``leak_share`` measures.

    With N originals and one copy each, the expected share of dev items with a sibling in train is n_train / (2N - 1).

    Args:
        sources: (M,) source ids, copies included.
        seed: one number below 2**64.
        dev: share of the items for dev, rounded, at least 1.

    Example:
        >>> sources = np.tile(np.arange(500), 2)
        >>> train, dev = split_items(sources, seed=0)
        >>> len(train), len(dev), leak_share(sources[dev], sources[train]) > 0.8
        (900, 100, True)
    """
    _share("dev", dev)
    draw = Draw(Address.of(seed=seed, index=sources, view=_copy_number(sources)), "split")
    order = draw.order("items")
    count = min(max(_rounded(dev * len(sources)), 1), len(sources) - 1)
    return np.sort(order[count:]), np.sort(order[:count])


def leak_share(held_out: NDArray[np.int64], train: NDArray[np.int64]) -> float:
    """The share of held-out items whose source is also in train, from the source ids of both.

    Example:
        >>> leak_share(np.array([1, 2, 3, 4]), np.array([4, 5, 4]))
        0.25
    """
    return float(np.isin(held_out, train).mean()) if len(held_out) else 0.0


def refuse_leak(held_out: NDArray[np.int64], train: NDArray[np.int64], *, allow: bool = False, where: str = "split") -> float:
    """The leak share, for the report to show; LeakageError if it is above 0 and not allowed."""
    share = leak_share(held_out, train)
    if share and not allow:
        got = f"{share:.1%} of the {len(held_out)} held-out items with a copy of the same original in train"
        raise LeakageError(where, "no held-out item with a sibling in train", got, "--allow-leak to go on and report it")
    return share


def _order(classes: NDArray[np.int64], unit: NDArray[np.float64], first: int) -> NDArray[np.int64]:
    """All sources in an order of which every beginning is stratified.

    A beginning holds ``first`` of each class if it is long enough for that, and beyond that shares its places out by
    Sainte-Laguë's method: the k-th source of a class with n comes at (k - 1/2) / n. Unlike quotas of rounded shares, this
    method never takes a place away when the total grows, so beginnings are nested.
    """
    rank, count = _rank(classes, unit), np.bincount(classes)[classes]
    early = rank < first
    return np.lexsort((unit, np.where(early, rank, (rank + 0.5) / count), ~early))


def _rank(classes: NDArray[np.int64], unit: NDArray[np.float64]) -> NDArray[np.int64]:
    """0, 1, 2 ... within each class by the draw; equal draws stand in the order of the source ids."""
    order = np.lexsort((unit, classes))
    starts = np.searchsorted(classes[order], classes[order])
    rank = np.empty(len(classes), np.int64)
    rank[order] = np.arange(len(classes)) - starts
    return rank


def _prefix(classes: NDArray[np.int64], unit: NDArray[np.float64], total: int, first: int, keep: int) -> NDArray[np.int64]:
    """Up to ``total`` sources, stratified, that leave at least ``keep`` of every class."""
    order = _order(classes, unit, first)
    spare = _rank(classes, unit) < np.bincount(classes)[classes] - keep
    return order[spare[order]][:total]


def _chosen_test(data: Dataset, share: float) -> NDArray[np.bool_]:
    ids, classes = source_classes(data.sources, data.strata)
    unit = Draw(Address.of(seed=_TEST_SEED, index=ids), "split").child("test").unit("source")
    chosen = _prefix(classes, unit, _rounded(share * len(ids)), first=1, keep=2)
    if not len(chosen):
        expected = "at least 3 originals of some class, so that an independent test part can be set apart"
        got = f"{len(ids)} originals in {len(data.classes)} classes"
        raise DataError(data.origin, expected, got, "more data, or a larger share for test")
    return np.isin(data.sources, ids[chosen])


def _dev(classes: NDArray[np.int64], unit: NDArray[np.float64], share: float) -> NDArray[np.int64]:
    total = max(_rounded(share * len(classes)), 1)
    return _prefix(classes, unit, total, first=int(total >= len(np.unique(classes))), keep=1)


def _size(data: Dataset, size: int | None, classes: NDArray[np.int64]) -> int:
    least, most = max(2 * len(np.unique(classes)), 2), len(classes)
    size = most if size is None else size
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)):
        raise ParameterError("split.size", "a whole number of items, or None for all", repr(size), f"size: {most}")
    if not least <= size <= most:
        expected, fits = (
            f"a size of at least {least} (2 for each class) and at most {most} (what the test part leaves)",
            min(max(size, least), most),
        )
        write = f"--size {fits}, or size: {fits} in a study file" if least <= most else "more data, or a smaller share for test"
        raise DataError(data.origin, expected, str(size), write)
    return int(size)


def _copy_number(sources: NDArray[np.int64]) -> NDArray[np.int64]:
    """0 for the first item of each source, 1 for the next, ... so that siblings have addresses of their own."""
    return _rank(np.unique(sources, return_inverse=True)[1], np.zeros(len(sources)))


def _share(name: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1:
        raise ParameterError(f"split.{name}", "a share between 0 and 1", repr(value), f"{name}: 0.1")


def _rounded(value: float) -> int:
    return math.floor(value + 0.5)
