"""Stores past the caches: what arrives is what was sent, wherever a line of the cache begins, and nothing beside it."""

import numpy as np
import pytest
from numba import njit

import vicinal as v
from vicinal.backend.streams import LARGE, copied, settle, stream, streamed


@njit
def sent(target, to, source, at, count):
    streamed(target, to, source, at, count)
    settle()


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


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("start", [0, 16, 48, 64])
@pytest.mark.parametrize("length", [0, 16, 48, 64, 112, 512])
def test_pieces_go_from_anywhere_to_multiples_of_a_piece(dtype, start, length):
    item = np.dtype(dtype).itemsize
    values = np.random.default_rng(length).integers(1, 256, 800, np.uint8).view(dtype)
    held = np.zeros(1024, np.uint8)
    held = held[-held.ctypes.data % 64 :].view(dtype)
    sent(held, start // item, values, 3, length // item)
    assert np.array_equal(held[start // item :][: length // item], values[3:][: length // item])
    assert np.count_nonzero(held) == np.count_nonzero(values[3:][: length // item])


@pytest.mark.parametrize("width", [160, 163])
@pytest.mark.parametrize(
    "policy", ["RandomCrop(size=(150, {0}))", "Pad(by=(16, 3, 0, 5))", "VerticalFlip()", "Cutout(size=0.4)", "CoarseDropout()"]
)
def test_large_results_have_the_bits_of_small_ones(policy, width):
    policy = v.parse(policy.format(width))
    data = np.random.default_rng(width).integers(0, 256, (70, 152, width + 6 * (width % 2), 3), np.uint8)
    made = policy(data, seed=1)
    assert made.nbytes > LARGE
    assert all(np.array_equal(made[n], policy(data[n], seed=1, index=n)) for n in (0, 1, 33, 69))
