"""Philox as one compiled loop: the words of ``vicinal.core.draw.rounds``, which are whole numbers, bit for bit."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.core.draw import TO_UNIT, Address, Sites, blocks

_EVEN, _ODD = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_STEP, _OTHER = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW, _HALF, _VIEW = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(16)
_ROUNDS = 10


def rounds(address: Address, sites: Sites) -> tuple[NDArray[np.uint32], NDArray[np.float64]]:
    """The words (4, k, B) of the blocks of some sites, and the first of each block as a number (k, B)."""
    digests, block = blocks(sites)
    shape = len(block), len(address.index)
    words, first = np.empty((4, *shape), np.uint32), np.empty(shape)
    index, epoch, view = map(np.ascontiguousarray, (address.index, address.epoch, address.view))
    _words(np.uint64(address.seed), index, epoch, view, digests, block, words, first)
    return words, first


@njit(nogil=True, cache=True, error_model="numpy", inline="always")
def _philox(first, second, third, fourth, key, other):
    for _ in range(_ROUNDS):
        one, two = first * _EVEN, third * _ODD
        first, second = (two >> _HALF) ^ second ^ key, two & _LOW
        third, fourth = (one >> _HALF) ^ fourth ^ other, one & _LOW
        key, other = (key + _STEP) & _LOW, (other + _OTHER) & _LOW
    return first, second, third, fourth


@njit(nogil=True, cache=True, error_model="numpy")
def _words(seed, index, epoch, view, digests, block, words, first):
    for k in range(len(block)):
        key, other, _, _ = _philox(digests[0, k], digests[1, k], digests[2, k], digests[3, k], seed & _LOW, seed >> _HALF)
        for b in range(len(index)):
            place = np.uint64(index[b])
            third = place >> _HALF << _VIEW | np.uint64(view[b])
            made = _philox(place & _LOW, np.uint64(epoch[b]), third, np.uint64(block[k]), key, other)
            words[0, k, b], words[1, k, b], words[2, k, b], words[3, k, b] = made
            first[k, b] = (np.float64(words[0, k, b]) + 0.5) * TO_UNIT
