"""Look-ups of bytes in a table of 256: 64 at a time where the processor has the instruction (AVX-512 VBMI), one by one elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils, config
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic

# What Numba compiles for: the host, or what its own settings say.
_FEATURES = str(getattr(config, "CPU_FEATURES", None) or get_host_cpu_features()).split(",")
WIDE = 64 if "+avx512vbmi" in _FEATURES else 0

_BYTES = ir.VectorType(ir.IntType(8), 64)
_WORD = ir.IntType(64)


def _translate(context: Any, entries: Any, source: Any, into: Any, blocks: Any) -> Any:
    """Translate ``blocks`` times 64 bytes; addresses of the 256 entries, of the bytes and of the result."""
    return types.void(types.intp, types.intp, types.intp, types.intp), _generated


def _generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(_BYTES, [_BYTES] * 3), "llvm.x86.avx512.vpermi2var.qi.512")
    entries, source, into, blocks = args
    quarter = [builder.load(_at(builder, entries, _WORD(64 * k)), align=1) for k in range(4)]
    with cgutils.for_range(builder, blocks) as loop:
        offset = builder.mul(loop.index, _WORD(64))
        places = builder.load(_at(builder, source, offset), align=1)
        # Seven bits choose among two registers, the eighth, which is the sign, between the halves of the table.
        low, high = (builder.call(function, [quarter[k], places, quarter[k + 1]]) for k in (0, 2))
        upper = builder.icmp_signed("<", places, ir.Constant(_BYTES, [0] * 64))
        builder.store(builder.select(upper, high, low), _at(builder, into, offset), align=1)
    return context.get_dummy_value()


def _at(builder: Any, address: Any, offset: Any) -> Any:
    return builder.inttoptr(builder.add(address, offset), _BYTES.as_pointer())


_wide: Any = intrinsic(_translate)


@njit(nogil=True, cache=True, error_model="numpy")
def look_up(entries, source, into):
    """into[i] = entries[np.uintp(source[i])]; contiguous uint8, 256 entries, into may be source."""
    done = 0
    if WIDE:
        _wide(entries.ctypes.data, source.ctypes.data, into.ctypes.data, source.shape[0] // 64)
        done = source.shape[0] // 64 * 64
    for i in range(done, source.shape[0]):
        into[i] = entries[np.uintp(source[i])]
