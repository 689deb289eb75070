"""How wide the vector instructions of a compiled loop are."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

_WIDEST = '"prefer-vector-width"="512"'


def _asked(context: Any) -> Any:
    """Said in a compiled function: its loops use the widest registers there are, where LLVM would keep to half of them for the sake of
    processors that slow down. The bits are the same; where registers are narrower it says nothing."""
    return types.void(), _generated


def _generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    # llvmlite adds by itself only what has no value.
    set.add(builder.function.attributes, _WIDEST)
    return context.get_dummy_value()


widest: Any = intrinsic(_asked)
