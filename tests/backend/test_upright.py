"""Averages under scale, shift and mirror against a plain sum in float32, in the order in which the loops add up."""

from __future__ import annotations

import numpy as np
import pytest

from vicinal.backend.upright import upright
from vicinal.core.warp import REPLICATE


def shares(scale: float, shift: float, box: float, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(count, m) pixels that boxes touch, and what they take of each."""
    centre = scale * (np.arange(count) + 0.5) + shift
    pixels = np.floor(centre - box / 2)[:, None] + np.arange(int(np.ceil(box)) + 1)
    covered = np.minimum(centre[:, None] + box / 2, pixels + 1) - np.maximum(centre[:, None] - box / 2, pixels)
    return pixels.astype(int), (covered.clip(0) / box).astype(np.float32)


def summed(image: np.ndarray, inverse: np.ndarray, size: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Rows in pairs of pairs, columns one by one."""
    rows, down = shares(inverse[4], inverse[5], box[1], size[0])
    columns, across = shares(inverse[0], inverse[2], box[0], size[1])
    rows, columns = rows.clip(0, image.shape[0] - 1), columns.clip(0, image.shape[1] - 1)
    more = -rows.shape[1] % 2
    rows, down = np.pad(rows, ((0, 0), (0, more))), np.pad(down, ((0, 0), (0, more)))
    taken = image.astype(np.float32)[rows] * down[:, :, None, None]
    line = np.zeros_like(taken[:, 0])
    for pair in (taken[:, n] + taken[:, n + 1] for n in range(0, rows.shape[1], 2)):
        line += pair
    found = np.zeros((len(line), size[1], image.shape[2]), np.float32)
    for column, share in zip(columns.T, across.T, strict=True):
        found += line[:, column] * share[:, None]
    return found if image.dtype == np.float32 else np.rint(found).astype(image.dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("channels", [1, 3, 5])
@pytest.mark.parametrize("sizes", [[(24, 24), (31, 17), (24, 25)], [(9, 7), (3, 40), (1, 1)]])
def test_every_value_is_the_sum_of_its_shares_to_the_last_bit(dtype, channels, sizes):
    data = (np.random.default_rng(0).random((3, 33, 41, channels)) * (1 if dtype == np.float32 else np.iinfo(dtype).max)).astype(dtype)
    size, sign, inverse = np.array(sizes), np.array([1, -1, 1]), np.zeros((3, 6))
    inverse[:, 0], inverse[:, 4] = sign * 41 / size[:, 1], 33 / size[:, 0]
    inverse[:, 2], inverse[:, 5] = [0, 41, -5.3], [0, 0, 2.25]
    box, chosen, fill = np.maximum(np.abs(inverse[:, [0, 4]]), 1), np.ones(3, bool), np.zeros(3, np.float32)
    out = np.empty(size.prod(1).sum() * channels, dtype)
    order = np.array([2, 0, 1])
    upright(data, inverse, size, order, chosen, out, np.full(3, REPLICATE, np.int8), fill, box)
    told = [summed(data[n], inverse[n], size[n], box[n]).ravel() for n in order]
    assert np.array_equal(out, np.concatenate(told))
