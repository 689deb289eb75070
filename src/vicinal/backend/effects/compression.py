"""JPEG, and what lossy formats share: three channels or one, of 8 bits."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from vicinal.backend.effects.jpeg import coded
from vicinal.core.steps import dequantise, quantise


def jpeg(images: NDArray, *, quality: NDArray, subsampling: str) -> NDArray:
    """Encode as JPEG and decode again; quality (b,) 1 to 100, subsampling: how much coarser colour is kept."""
    return in_threes(images, lambda part: coded(part, quality, subsampling))


def in_threes(images: NDArray, codec: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> NDArray:
    """Through a codec of one channel or three, in 8 bits."""
    eight = images if images.dtype == np.uint8 else quantise(dequantise(images), "uint8")
    if images.shape[3] in (1, 3):
        out = codec(eight)
    else:
        out = np.concatenate([codec(np.ascontiguousarray(eight[..., start:stop])) for start, stop in groups(images.shape[3], 3)], 3)
    return out if images.dtype == np.uint8 else quantise(dequantise(out), str(images.dtype))


def groups(channels: int, most: int) -> Iterator[tuple[int, int]]:
    """Channels by as many as a library takes together; what remains, one by one."""
    whole = channels - channels % most
    yield from ((start, start + most) for start in range(0, whole, most))
    yield from ((start, start + 1) for start in range(whole, channels))
