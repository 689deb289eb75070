"""Stores past the caches: a result that is larger than they are need not be read before it is written, which halves the time."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

LARGE = 8 << 20  # bytes of a result that is written past the caches

_WORD = ir.IntType(64)
_LINE = ir.VectorType(ir.FloatType(), 16)  # 64 bytes, as many as a line of the cache holds


def _lines(context: Any, source: Any, into: Any, count: Any) -> Any:
    """Copy ``count`` times 64 bytes from an address to another one, which is a multiple of 64."""
    return types.void(types.intp, types.intp, types.intp), _generated_lines


def _generated_lines(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    source, into, count = args
    with cgutils.for_range(builder, count) as loop:
        offset = builder.mul(loop.index, _WORD(64))
        at, to = (builder.inttoptr(builder.add(base, offset), _LINE.as_pointer()) for base in (source, into))
        store = builder.store(builder.load(at, align=4), to, align=64)
        store.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
    return context.get_dummy_value()


def _barrier(context: Any) -> Any:
    """Whoever reads after this sees what was written past the caches, on other cores too."""
    return types.void(), _generated_barrier


def _generated_barrier(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    builder.fence("seq_cst")
    return context.get_dummy_value()


_copy_lines: Any = intrinsic(_lines)
settle: Any = intrinsic(_barrier)


@njit(nogil=True, cache=True, error_model="numpy")
def stream(values, into):
    """into[i] = values[i], past the caches but for what fills no line of them; contiguous float32. ``settle`` stands behind the last."""
    head = min((64 - into.ctypes.data % 64) % 64 // 4, values.shape[0])
    lines = (values.shape[0] - head) // 16
    _copy_lines(values[head:].ctypes.data, into[head:].ctypes.data, lines)
    for i in range(head):
        into[i] = values[i]
    for i in range(head + 16 * lines, values.shape[0]):
        into[i] = values[i]


@njit(nogil=True, cache=True, error_model="numpy")
def _whole(values, into):
    stream(values, into)
    settle()


def copied(data: NDArray) -> NDArray:
    """A copy of a contiguous array, past the caches where it is large."""
    if data.nbytes <= LARGE or data.nbytes % 4:
        return data.copy()
    out = np.empty_like(data)
    _whole(*(array.reshape(-1).view(np.float32) for array in (data, out)))
    return out
