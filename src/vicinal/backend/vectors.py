"""Which vector instructions there are, and how wide those of a compiled loop."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils, config
from numba.core.codegen import get_host_cpu_features
from numba.extending import intrinsic

# What Numba compiles for: the host, or what its own settings say.
_FEATURES = str(getattr(config, "CPU_FEATURES", None) or get_host_cpu_features()).split(",")
WIDE = "+avx512vbmi" in _FEATURES
"""Whether the instructions of AVX-512 are there, down to those that choose among bytes."""
_WIDEST = '"prefer-vector-width"="512"'


def instruction(builder: Any, name: str, made: Any, *given: Any) -> Any:
    """One of AVX-512, by LLVM's name for it, with the types of its result and of what it is given."""
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(made, given), f"llvm.x86.avx512.{name}")


def _asked(context: Any) -> Any:
    """Said in a compiled function: its loops use the widest registers there are, where LLVM would keep to half of them for the sake of
    processors that slow down. The bits are the same; where registers are narrower it says nothing."""
    return types.void(), _generated


def _generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    # llvmlite adds by itself only what has no value.
    set.add(builder.function.attributes, _WIDEST)
    return context.get_dummy_value()


widest: Any = intrinsic(_asked)
