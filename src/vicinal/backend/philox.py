"""The rounds of Philox as one compiled loop: the words of ``vicinal.core.draw.rounds``, which are whole numbers, bit for bit."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_EVEN, _ODD = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_LOW, _HALF = np.uint64(0xFFFFFFFF), np.uint64(32)


def rounds(counter: NDArray[np.uint64], schedule: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Counters (4, 1 or k, B) and round keys (10, 2, k, 1) to words (4, k, B)."""
    words = np.empty((4, schedule.shape[2], counter.shape[2]), np.uint32)
    _rounds(counter, schedule, words)
    return words


@njit(nogil=True, cache=True, error_model="numpy")
def _rounds(counter, schedule, words):
    for k in range(schedule.shape[2]):
        own = counter[:, min(k, counter.shape[1] - 1)]
        for b in range(counter.shape[2]):
            first, second, third, fourth = own[0, b], own[1, b], own[2, b], own[3, b]
            for step in range(schedule.shape[0]):
                one, other = first * _EVEN, third * _ODD
                first, second = (other >> _HALF) ^ second ^ schedule[step, 0, k, 0], other & _LOW
                third, fourth = (one >> _HALF) ^ fourth ^ schedule[step, 1, k, 0], one & _LOW
            words[0, k, b], words[1, k, b], words[2, k, b], words[3, k, b] = first, second, third, fourth
