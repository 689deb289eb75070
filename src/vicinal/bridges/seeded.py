"""The global generators of a process, seeded for one call and put back afterwards."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

_ONE_AT_A_TIME = threading.RLock()  # there is one generator of each library for the whole process


def number(key: NDArray) -> int:
    """A (2,) uint32 key as one number of 64 bits."""
    return int(key[0]) << 32 | int(key[1])


@contextmanager
def seeded(key: NDArray) -> Iterator[None]:
    """Python's, NumPy's and, where it is loaded, torch's generator (of the CPU), seeded from a (2,) uint32 key.

    Example:
        >>> def drawn() -> list[float]:
        ...     with seeded(np.array([1, 2], np.uint32)):
        ...         return [random.random(), float(np.random.random())]
        >>> drawn() == drawn()
        True
    """
    torch = sys.modules.get("torch")
    with _ONE_AT_A_TIME:
        pure, numeric = random.getstate(), np.random.get_state()  # noqa: NPY002  (the global one is meant, here and below)
        tensors = None if torch is None else torch.default_generator.get_state()
        random.seed(number(key))
        np.random.seed(key)  # noqa: NPY002
        if torch is not None:
            torch.default_generator.manual_seed(number(key) >> 1)
        try:
            yield
        finally:
            random.setstate(pure)
            np.random.set_state(numeric)  # noqa: NPY002
            if torch is not None:
                torch.default_generator.set_state(tensors)
