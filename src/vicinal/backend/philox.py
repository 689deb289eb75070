"""The rounds of Philox as one compiled loop: the words of ``vicinal.core.draw.rounds``, which are whole numbers, bit for bit."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.core.draw import Address

_EVEN, _ODD = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_LOW, _HALF, _VIEW = np.uint64(0xFFFFFFFF), np.uint64(32), np.uint64(16)


def rounds(address: Address, block: NDArray[np.int64], schedule: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """The words (4, k, B) of a batch for blocks (k,) and round keys (10, 2, k, 1)."""
    words = np.empty((4, len(block), len(address)), np.uint32)
    _rounds(*map(np.ascontiguousarray, (address.index, address.epoch, address.view)), block, schedule, words)
    return words


@njit(nogil=True, cache=True, error_model="numpy")
def _rounds(index, epoch, view, block, schedule, words):
    for k in range(schedule.shape[2]):
        for b in range(len(index)):
            place = np.uint64(index[b])
            first, second, third, fourth = place & _LOW, np.uint64(epoch[b]), place >> _HALF << _VIEW | np.uint64(view[b]), np.uint64(block[k])
            for step in range(schedule.shape[0]):
                one, other = first * _EVEN, third * _ODD
                first, second = (other >> _HALF) ^ second ^ schedule[step, 0, k, 0], other & _LOW
                third, fourth = (one >> _HALF) ^ fourth ^ schedule[step, 1, k, 0], one & _LOW
            words[0, k, b], words[1, k, b], words[2, k, b], words[3, k, b] = first, second, third, fourth
