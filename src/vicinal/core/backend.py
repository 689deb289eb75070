"""The contract of a backend, and how one is found by name."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vicinal.core.draw import Rounds
from vicinal.core.errors import BackendError
from vicinal.core.pages import Room, room
from vicinal.core.primitive import Primitive
from vicinal.core.warp import Warp

Dense = NDArray | list[NDArray]
"""A batch of equal size, (B, H, W, C), or a list of (H, W, C) arrays; series have H = 1."""


class Backend(Protocol):
    """Runs planned primitives.

    Backends never change their input, never draw, and give each sample bits that do not depend on the rest of the batch.
    """

    name: str
    rounds: Rounds  # of the generator, for draws: the bits are the same everywhere

    def run(self, primitives: Sequence[Primitive], data: Dense, room: Room = room) -> Dense:
        """All passes on the main target. The last of them may ask ``room`` for the array that it fills and returns."""
        ...

    def follow(self, moves: Sequence[Warp], data: Dense, fill: float) -> Dense:
        """The moves alone, by the nearest pixel: masks keep their set of values."""
        ...


class Engine(Backend, Protocol):
    """A whole backend, as ``load`` gives it: it runs primitives, and does for mixers what takes several samples."""

    def blended(self, own: Dense, pool: Dense, other: NDArray[np.int64], weight: NDArray) -> Dense:
        """``weight * own + (1 - weight) * pool[other]`` for every sample, as arrays of their own; integers are rounded once.

        Sums are float32 for uint8 and float32, float64 otherwise. The two weights add up to 1 or round to it, so values in [0, 1] stay
        there, and a weight of 1 changes nothing.
        """
        ...

    def pasted(self, own: Dense, pool: Dense, other: NDArray[np.int64], box: NDArray[np.int64], axis: int) -> Dense:
        """Every sample with the part of ``pool[other]`` within a box (B, 4), x0, y0, x1, y1 in whole pixels, as arrays of their own.

        ``axis`` is that of the height in a sample, before that of the width: 0 for (H, W, C) and (H, W), 1 for (C, H, W).
        """
        ...


_NEEDS = {"cpu": ("cv2", "numba"), "reference": ()}


@lru_cache(maxsize=16)
def load(name: str) -> Engine:
    """A backend by name: "reference", "cpu", or "auto" for the fastest that is installed.

    Raises:
        BackendError: for an unknown name, or one whose libraries are missing.
    """
    if name == "auto":
        name = "cpu" if all(map(importlib.util.find_spec, _NEEDS["cpu"])) else "reference"
    if name not in _NEEDS:
        raise BackendError("backend", f"one of 'auto', {', '.join(map(repr, _NEEDS))}", repr(name), "backend='auto'")
    missing = [library for library in _NEEDS[name] if importlib.util.find_spec(library) is None]
    if missing:
        raise BackendError(f"backend {name!r}", f"{', '.join(missing)} to be installed", "no such module", "pip install vicinal[cpu]")
    module: Any = importlib.import_module(f"vicinal.backend.{name}")
    return module.backend()
