"""Volumes as batches of slices: every slice of a sample shares its draws, and only dense randomness differs from slice to slice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.core.backend import Backend, Dense
from vicinal.core.primitive import Primitive

_STEP = np.uint32(0x9E3779B9)


def run_slices(engine: Backend, passes: Sequence[Primitive], volumes: Dense, layout: str = "HWC") -> Dense:
    """Volumes (B, D, H, W, C) or a list of (D, H, W, C) through all passes; channels first gives (C, D, H, W) each."""
    flat, counts = slices(volumes)
    made = engine.run(expanded(passes, counts), flat)
    parts = regrouped(made, counts)
    if layout == "CHW":
        parts = [np.ascontiguousarray(part.swapaxes(0, 1)) for part in parts]
    return np.stack(parts) if isinstance(volumes, np.ndarray) and len({part.shape for part in parts}) == 1 else parts


def slices(volumes: Dense) -> tuple[Dense, NDArray[np.int64]]:
    """All slices as one batch of images, and how many each volume has."""
    counts = np.array([len(volume) for volume in volumes])
    if isinstance(volumes, np.ndarray):
        return volumes.reshape(-1, *volumes.shape[2:]), counts
    return [piece for volume in volumes for piece in volume], counts


def regrouped(flat: Dense, counts: NDArray) -> list[NDArray]:
    """The slices of every volume together again."""
    ends = np.cumsum(counts)
    return [np.stack(list(flat[end - count : end])) for end, count in zip(ends, counts, strict=True)]


def expanded(passes: Sequence[Primitive], counts: NDArray) -> list[Primitive]:
    """The passes for every slice."""
    rows = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    return [_apart(primitive.rows(rows), number.astype(np.uint32)) for primitive in passes]


def _apart(primitive: Any, number: NDArray[np.uint32]) -> Any:
    """Another key for the dense noise of every slice."""
    shift = np.stack([number * _STEP, number], 1)
    changed: dict[str, Any] = {}
    if isinstance(getattr(primitive, "key", None), np.ndarray):
        changed["key"] = primitive.key ^ shift
    if "key" in getattr(primitive, "arguments", ()):
        changed["arguments"] = primitive.arguments | {"key": primitive.arguments["key"] ^ shift}
    return replace(primitive, **changed) if changed else primitive
