"""vicinal: data augmentation that proves itself.

An *engine* turns samples into other samples; a *lab* answers which augmentation helps on your data, by how much, and whether that can
be believed. Importing this module loads nothing; its names are loaded together when the first of them is used, and even then NumPy alone
comes with them. Everything heavier is loaded where it is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vicinal.face import *

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    known = vars(importlib.import_module("vicinal.face")) | globals()  # submodules are among the globals by then
    if name not in known:
        raise AttributeError(f"module 'vicinal' has no attribute {name!r}")
    return known[name]


def __dir__() -> list[str]:
    return sorted(name for name in vars(importlib.import_module("vicinal.face")) if not name.startswith("_"))
