"""What stands in two parts at once: exact copies, near copies, and groups that straddle."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.data.dataset import Dataset, Images, kind_of
from vicinal.image.crop import Resize
from vicinal.lab.split import Split, leak_share

SIDE = 16  # of a thumbnail
WORDS = 512  # places for the words of texts
_SHAPE = 8  # values from which on a series has a shape that can be told from its scale
_BLOCK = 1 << 24  # values, or distances, that are held at once
_WORK = 2e11  # multiplications that a search may take
_SAMPLE = 2000  # items of train whose nearest neighbours say what is usual
_SAME = 1e-3  # between thumbnails of equal items: what rounding leaves
_SAFETY = 0.5  # of the distance that 99 % of the items of train keep from one another


@final
@dataclass(frozen=True, eq=False)
class Leaks:
    """What was found between two parts.

    Args:
        parts: their names; straddling: share of the held-out items with a source that is also in the other part.
        pairs: (M, 2) rows of the data, held-out first, of copies that have different sources; distance: (M,), 0 for exact copies.
        exact: how many of them are; limit: the distance below which two thumbnails count as copies.
        searched: share of the held-out items that were looked at.
    """

    parts: tuple[str, str]
    straddling: float
    pairs: NDArray[np.int64]
    distance: NDArray[np.float64]
    exact: int
    limit: float
    searched: float


def leaks(data: Dataset, parts: Split) -> list[Leaks]:
    """Between test and everything else, and between dev and train.

    Copies are found by thumbnails, normalised for brightness and contrast: two items are copies if they are half as far apart as
    the nearest neighbours that 99 % of the items of train have. Of a few values alone, items may come close by chance: copies are equal.
    """
    pool = np.setdiff1d(np.arange(len(data)), parts.test)
    small = thumbnails(data.images)
    limit = usual(small[pool], data.sources[pool])
    tests = _between(data, small, (parts.test, pool), ("test", "train and dev"), limit)
    found = [tests, _between(data, small, (parts.dev, parts.train), ("dev", "train"), limit)]
    few = data.kind == "series" and small.shape[1] < _SHAPE
    return [replace(one, pairs=one.pairs[: one.exact], distance=one.distance[: one.exact]) for one in found] if few else found


def thumbnails(images: Images) -> NDArray[np.float32]:
    """(N, D) items made small, grey and of mean 0 and length 1, so that two encodings of one picture meet; series keep their values, each
    column being scaled where they are few, and of texts the words are counted, which case and order do not change."""
    if kind_of(images) == "series":
        values = np.asarray(images, np.float32).reshape(len(images), -1)
        return _normalised(values) if values.shape[1] >= _SHAPE else _normalised(values.T).T
    if kind_of(images) == "text":
        return _normalised(_counted(images))
    shapes = [(image.shape, str(image.dtype)) for image in images]
    out = np.zeros((len(images), SIDE * SIDE), np.float32)
    for shape, dtype in dict.fromkeys(shapes):
        rows = np.array([row for row, found in enumerate(shapes) if found == (shape, dtype)])
        step = max(1, _BLOCK // max(1, int(np.prod(shape))))
        for part in (rows[start : start + step] for start in range(0, len(rows), step)):
            out[part] = _normalised(_small(np.stack([images[row] for row in part])))
    return out


def _counted(texts: Images) -> NDArray[np.float32]:
    """(N, WORDS) how often words and marks occur, each at the place that a checksum gives it: the same in every process."""
    out = np.zeros((len(texts), WORDS), np.float32)
    for row, text in enumerate(texts):
        for word in re.findall(r"\w+|[^\w\s]", str(text).casefold()):
            out[row, zlib.crc32(word.encode(errors="surrogatepass")) % WORDS] += 1
    return out


def _small(images: NDArray) -> NDArray[np.float32]:
    grey = images.mean(3, keepdims=True, dtype=np.float32)
    top = np.maximum(grey.max((1, 2, 3), keepdims=True), 1e-6)
    return np.asarray(Resize(size=SIDE)(grey / top, seed=0), np.float32).reshape(len(images), -1)


def _normalised(values: NDArray[np.float32]) -> NDArray[np.float32]:
    centred = values - values.mean(1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    return np.divide(centred, length, out=np.zeros_like(centred), where=length > 1e-6)


def usual(small: NDArray[np.float32], sources: NDArray[np.int64]) -> float:
    """The distance below which two items are copies: half of what 99 % of items keep from their nearest neighbour of another source.

    Items that are copies of one another, less than a tenth of the median apart, do not count as neighbours here.
    """
    rows = np.linspace(0, len(small) - 1, min(_SAMPLE, len(small))).astype(int)
    nearest = np.concatenate(
        [np.where(sources[rows[part], None] == sources, np.inf, found).min(1) for part, found in _blocks(small[rows], small)]
    )
    apart = nearest[np.isfinite(nearest) & (nearest > _SAME)]
    apart = apart[apart > 0.1 * np.median(apart)] if len(apart) else apart
    return _SAFETY * float(np.quantile(apart, 0.01)) if len(apart) else 0.0


def _blocks(first: NDArray[np.float32], second: NDArray[np.float32]) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Distances of some of the first to all of the second, block by block."""
    length, step = (second**2).sum(1), max(1, _BLOCK // max(1, len(second)))
    for start in range(0, len(first), step):
        part = slice(start, start + step)
        square = (first[part] ** 2).sum(1)[:, None] + length - 2 * first[part] @ second.T
        yield part, np.sqrt(np.maximum(square, 0))


def _between(data: Dataset, small: NDArray, rows: tuple[NDArray, NDArray], names: tuple[str, str], limit: float) -> Leaks:
    held, other = rows
    straddling = leak_share(data.sources[held], data.sources[other])
    most = max(1, int(_WORK / (max(1, len(other)) * small.shape[1])))
    looked = held if len(held) <= most else held[np.linspace(0, len(held) - 1, most).astype(int)]
    pairs, distance = [np.zeros((0, 2), np.int64)], [np.zeros(0)]
    for part, found in _blocks(small[looked], small[other]):
        near = np.where(data.sources[looked[part], None] == data.sources[other], np.inf, found)
        best = near.argmin(1)
        apart = near[np.arange(len(best)), best]
        close = np.flatnonzero(apart <= max(limit, _SAME))
        pairs.append(np.stack([looked[part][close], other[best[close]]], axis=1))
        distance.append(apart[close].astype(np.float64))
    return _told(data, np.concatenate(pairs), np.concatenate(distance), names, straddling, limit, len(looked) / max(1, len(held)))


def _told(data: Dataset, pairs: NDArray, distance: NDArray, names: tuple[str, str], straddling: float, limit: float, share: float) -> Leaks:
    """The closest pairs first; those of equal bytes are exact, whatever rounding made of their distance."""
    same = np.array([_equal(data.images[one], data.images[other]) for one, other in pairs], bool)
    distance = np.where(same, 0.0, distance) if len(pairs) else distance
    order = np.lexsort((~same, distance))
    return Leaks(names, straddling, pairs[order], distance[order], int(same.sum()), limit, share)


def _equal(one: Any, other: Any) -> bool:
    one, other = np.asarray(one), np.asarray(other)
    return one.shape == other.shape and one.dtype == other.dtype and bool((one == other).all())


def conflicting(data: Dataset, found: Sequence[Leaks]) -> int:
    """How many of the pairs have different labels."""
    return 0 if data.regression else sum(int((data.labels[leak.pairs[:, 0]] != data.labels[leak.pairs[:, 1]]).sum()) for leak in found)
