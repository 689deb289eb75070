"""Stores past the caches: what arrives is what was sent, wherever a line of the cache begins, and nothing beside it."""

import numpy as np
import pytest

from vicinal.backend.streams import LARGE, copied, stream


@pytest.mark.parametrize("start", [0, 1, 7, 15])
@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 100])
def test_streams_begin_and_end_anywhere(start, length):
    values = np.random.default_rng(length).normal(size=length).astype(np.float32)
    held = np.zeros(160, np.float32)
    stream(values, held[start + 1 : start + 1 + length])
    assert np.array_equal(held[start + 1 : start + 1 + length], values)
    assert np.count_nonzero(held) == np.count_nonzero(values)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("more", [0, 1, 64])
def test_copies_have_the_same_bits_and_are_their_own(dtype, more):
    size = LARGE // np.dtype(dtype).itemsize + more
    data = np.random.default_rng(0).integers(0, 256, size * np.dtype(dtype).itemsize, np.uint8).view(dtype)
    data.flags.writeable = False
    made = copied(data)
    assert made.flags.writeable
    assert not np.shares_memory(made, data)
    assert made.dtype == data.dtype
    assert made.tobytes() == data.tobytes()
