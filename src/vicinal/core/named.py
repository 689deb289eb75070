"""Functions by their import path, ``package.module:name``: how plain data names code."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from vicinal.core.errors import PolicyError

EXPECTED = "the import path of a function, 'package.module:name', of an installed package"


def is_path(value: Any) -> bool:
    """``package.module:name`` whose outermost package is there; nothing is imported to find out."""
    if not isinstance(value, str) or value.count(":") != 1:
        return False
    parts = value.replace(":", ".").split(".")
    if len(parts) < 2 or parts[0] == "__main__" or not all(part.isidentifier() for part in parts):
        return False
    try:
        return importlib.util.find_spec(parts[0]) is not None
    except ValueError:  # a module that was made by hand, as notebooks and tools do: no other process can import it
        return False


@lru_cache(maxsize=256)
def imported(path: str, where: str) -> Callable[..., Any]:
    """The function behind ``package.module:name``.

    Args:
        path: what is to be imported; where: the place that names it, for errors.

    Raises:
        PolicyError: where there is none.
    """
    module, name = path.split(":")
    try:
        found = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as fault:
        write = "a path such as 'numpy:sort', for which 'from numpy import sort' works"
        raise PolicyError(where, "the import path of a function", f"{path!r} ({fault})", write) from None
    if not callable(found):
        raise PolicyError(where, "a function", f"{path!r}, which is {type(found).__name__}", "the path of one, such as 'numpy:sort'")
    return found
