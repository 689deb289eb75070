"""Stores past the caches: a result that is larger than they are need not be read before it is written, which halves the time."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from vicinal.backend.lanes import address_of

LARGE = 4 << 20  # bytes of a result that is written past the caches
PIECE = 16  # bytes: what goes past the caches begins and ends at multiples of it

_WORD = ir.IntType(64)
_LINE = 64  # bytes of a line of the caches


def _moved(builder: Any, source: Any, into: Any, count: Any, size: int) -> Any:
    """Copy ``count`` times ``size`` bytes between addresses; the second is a multiple of the size. Returns how many bytes that are."""
    form = ir.VectorType(ir.IntType(8), size)
    with cgutils.for_range(builder, count) as loop:
        offset = builder.mul(loop.index, _WORD(size))
        at, to = (builder.inttoptr(builder.add(base, offset), form.as_pointer()) for base in (source, into))
        store = builder.store(builder.load(at, align=1), to, align=size)
        store.set_metadata("nontemporal", builder.module.add_metadata([ir.IntType(32)(1)]))
    return builder.mul(count, _WORD(size))


def _pieces(context: Any, target: Any, to: Any, source: Any, at: Any, count: Any) -> Any:
    """target[to : to + count] = source[at : at + count] past the caches: whole pieces, to a multiple of a piece."""
    return types.void(target, to, source, at, count), _generated_pieces


def _generated_pieces(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    size = _WORD(context.get_abi_sizeof(context.get_data_type(signature.args[0].dtype)))
    into, given = (builder.add(address_of(context, builder, signature, args, n), builder.mul(args[n + 1], size)) for n in (0, 2))
    left = builder.mul(args[4], size)
    ahead = builder.and_(builder.neg(into), _WORD(_LINE - 1))  # up to the next line
    for most, wide in ((ahead, PIECE), (left, _LINE), (left, PIECE)):
        some = builder.select(builder.icmp_unsigned("<", most, left), most, left)
        done = _moved(builder, given, into, builder.udiv(some, _WORD(wide)), wide)
        into, given, left = builder.add(into, done), builder.add(given, done), builder.sub(left, done)
    return context.get_dummy_value()


def _barrier(context: Any) -> Any:
    """Whoever reads after this sees what was written past the caches, on other cores too."""
    return types.void(), _generated_barrier


def _generated_barrier(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    builder.fence("seq_cst")
    return context.get_dummy_value()


streamed: Any = intrinsic(_pieces)
settle: Any = intrinsic(_barrier)


@njit(nogil=True, cache=True, error_model="numpy")
def stream(values, into):
    """into[i] = values[i], past the caches but for what fills no line of them; contiguous float32. ``settle`` stands behind the last."""
    head = min(-into.ctypes.data % PIECE // 4, values.shape[0])
    end = head + (values.shape[0] - head) // 4 * 4
    streamed(into, head, values, head, end - head)
    for i in range(head):
        into[i] = values[i]
    for i in range(end, values.shape[0]):
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
