"""Memory for large arrays that come and go: it is used again once nobody holds the array that lay in it."""

from __future__ import annotations

import ctypes
import math
import mmap
import weakref
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

Room = Callable[[tuple[int, ...], Any], NDArray]
"""What gives an array of a shape and dtype, values unset, for a result."""


@final
class Pages:
    """Arrays in mapped pages. Fresh pages cost the system as much time as a resize, and glibc would keep for each thread what it has freed.

    Args:
        most: how many free pieces are kept, the latest ones; None for all.

    Example:
        >>> pages = Pages()
        >>> first = pages.array((2, 3), "float32")
        >>> first[:] = 7
        >>> part, first = first[1:], None
        >>> pages.free  # a view holds on to the whole
        0
        >>> part = None
        >>> pages.free
        1
    """

    def __init__(self, most: int | None = None) -> None:
        self._free: deque[mmap.mmap] = deque(maxlen=most)

    @property
    def free(self) -> int:
        """How many pieces wait to be used again."""
        return len(self._free)

    def array(self, shape: tuple[int, ...], dtype: Any) -> NDArray:
        """A new array, values unset."""
        size = max(math.prod(shape) * np.dtype(dtype).itemsize, 1)
        held = self._piece(size)
        lent: Any = (ctypes.c_char * size).from_buffer(held)  # what every view of the array holds on to in the end
        weakref.finalize(lent, self._free.append, held).atexit = False
        return np.frombuffer(lent, dtype, math.prod(shape)).reshape(shape)

    def _piece(self, size: int) -> mmap.mmap:
        try:
            held = self._free.popleft()
        except IndexError:
            return _mapped(size)
        return held if len(held) >= size else _mapped(size)


LARGE = 32 << 20  # bytes: smaller arrays are used again by glibc itself


def room(shape: tuple[int, ...], dtype: Any) -> NDArray:
    """A new array for a result, values unset; a large one may lie where an earlier one lay that is gone by now."""
    kind = np.dtype(dtype)
    return np.empty(shape, kind) if math.prod(shape) * kind.itemsize < LARGE else _shared().array(shape, kind)


@lru_cache(maxsize=1)
def _shared() -> Pages:
    return Pages(most=2)


def _mapped(size: int) -> mmap.mmap:
    held = mmap.mmap(-1, size, access=mmap.ACCESS_COPY)  # private: a child process keeps what it saw
    if (huge := getattr(mmap, "MADV_HUGEPAGE", None)) is not None and size >= LARGE:
        with suppress(OSError):  # a Linux that has none
            held.madvise(huge)  # fewer pages to get and to look up, which takes longer than to write them
    return held
