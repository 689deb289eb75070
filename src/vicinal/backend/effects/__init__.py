"""Effects: what does not lower to the algebra of primitives, one function each, found by the name that ``Effect`` carries.

A function takes equal images (b, H, W, C), read-only and contiguous, and its arguments as (b, ...) arrays, or as one text or number for
all images; it gives new images of the same shape and dtype. It never draws: all randomness comes in as arguments, dense randomness as (b,
2) uint32 keys. Its bits for a sample do not depend on the other samples. Both backends call the same function; what it does is held
against other libraries by tests.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import BackendError
from vicinal.core.primitive import Effect


def call(primitive: Effect, images: NDArray) -> NDArray:
    """(b, H, W, C) images through the effect; the primitive holds their rows, all active."""
    images = np.ascontiguousarray(images)  # the loops are compiled for such arrays; a caller, or the reference's means, may give others
    made = found(primitive.name)(read_only(images), **primitive.arguments, **dict(primitive.common))
    return made.copy() if made is images or made.base is images else made


@lru_cache(maxsize=256)
def found(name: str) -> Any:
    """The function behind "module.function".

    Raises:
        BackendError: where a library that it needs is not installed.
    """
    module, function = name.split(".")
    try:
        return getattr(importlib.import_module(f"vicinal.backend.effects.{module}"), function)
    except ModuleNotFoundError as fault:
        raise BackendError(f"effect {name!r}", f"{fault.name} to be installed", "no such module", "pip install vicinal[cpu]") from None


def read_only(image: NDArray) -> NDArray:
    """What a function gets: writing into what may be the caller's array is then an error, not a silent change."""
    seen = image.view()
    seen.flags.writeable = False
    return seen
