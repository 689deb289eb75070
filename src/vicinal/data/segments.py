"""Segmentations as annotation files hold them, to boolean masks: COCO's run lengths, plain and packed, and polygons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FIRST, _BITS = 48, 5  # of a packed character: 48 is zero; five bits of the number, and one that says whether more follow


def unpacked(text: str) -> list[int]:
    """The run lengths in a packed string.

    Six bits a character from "0" on: five of a number in two's complement, lowest first, the sixth says that more follow. From the
    fourth number on it is the difference from the last but one (``rleToString`` of the COCO API, Lin and Dollar, 2015).

    Raises:
        ValueError: a character that none can be, or an end in the middle of a number.

    Example:
        >>> unpacked("52203ON0")
        [5, 2, 2, 2, 5, 1, 3, 1]
    """
    runs: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - _FIRST
        if not 0 <= bits < 64:
            raise ValueError(f"the character {character!r}")
        value |= (bits & 31) << shift
        shift += _BITS
        if bits & 32:
            continue
        value -= (bits >> 4 & 1) << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    if shift:
        raise ValueError("an end in the middle of a number")
    return runs


def from_runs(segment: Mapping[str, Any]) -> NDArray[np.bool_]:
    """(H, W) the mask of run lengths ``{"size": [H, W], "counts": ...}``: column by column, beginning with what is outside.

    Raises:
        ValueError: sizes or runs that are none, or that do not fill the mask; the text says what came.

    Example:
        >>> from_runs({"size": [2, 3], "counts": [1, 2, 3]}).astype(int).tolist()
        [[0, 1, 0], [1, 0, 0]]
    """
    height, width = declared_size(segment)
    counts = segment.get("counts")
    runs = unpacked(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or not all(isinstance(run, int) and run >= 0 for run in runs):
        raise ValueError("counts that are no list of lengths and no packed string of them")
    if sum(runs) != height * width:
        raise ValueError(f"counts of {sum(runs)} pixels for {height} x {width}")
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(width, height).T


def as_runs(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """The way back: the run lengths of a mask (H, W).

    Example:
        >>> as_runs(np.array([[0, 1, 0], [1, 0, 0]], bool))
        {'size': [2, 3], 'counts': [1, 2, 3]}
    """
    inside = mask.T.ravel()
    ends = np.flatnonzero(np.diff(inside)) + 1
    counts = np.diff([0, *ends.tolist(), inside.size]).tolist()
    return {"size": list(mask.shape), "counts": [0] * bool(inside[0]) + counts}


def declared_size(segment: Mapping[str, Any]) -> tuple[int, int]:
    """(height, width) that run lengths say they have.

    Raises:
        ValueError: they say none.
    """
    size = segment.get("size")
    if not isinstance(size, list) or len(size) != 2 or not all(isinstance(side, int) and side > 0 for side in size):
        raise ValueError(f"the size {size!r}")
    return size[0], size[1]


def filled(rings: Sequence[NDArray], size: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) True where the centre of a pixel lies in one of the polygons, each (K, 2) corners x, y, by the even-odd rule.

    Example:
        >>> filled([np.array([[0.0, 0], [2, 0], [2, 1], [0, 1]])], (2, 3)).astype(int).tolist()
        [[1, 1, 0], [0, 0, 0]]
    """
    mask = np.zeros(size, bool)
    for ring in rings:
        mask |= _inside(np.asarray(ring, float), size)
    return mask


def _inside(ring: NDArray, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Where a line from the left has crossed the outline an odd number of times."""
    height, width = size
    start, end = ring, np.roll(ring, -1, 0)
    level = np.arange(height) + 0.5
    edge, row = np.nonzero((start[:, 1, None] <= level) != (end[:, 1, None] <= level))
    a, b = start[edge], end[edge]
    crossing = a[:, 0] + (level[row] - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
    column = np.clip(np.ceil(crossing - 0.5), 0, width).astype(np.int64)
    crossed = np.zeros((height, width + 1), np.int64)
    np.add.at(crossed, (row, column), 1)
    return np.cumsum(crossed[:, :width], 1) % 2 == 1
