"""Lossy formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from vicinal.backend.effects.jpeg import coded
from vicinal.core.steps import dequantise, quantise


def jpeg(images: NDArray, *, quality: NDArray, subsampling: NDArray) -> NDArray:
    """Encode as JPEG and decode again; quality (b,) 1 to 100, subsampling (b,) names of how much coarser colour is kept."""
    return _in_threes(images, lambda part: coded(part, quality, subsampling))


def webp(images: NDArray, *, quality: NDArray) -> NDArray:
    """Encode as lossy WebP and decode again; quality (b,) 1 to 100."""
    flags = [[cv2.IMWRITE_WEBP_QUALITY, int(q)] for q in quality]
    return _in_threes(images, lambda part: np.stack([_through_webp(image, flag) for image, flag in zip(part, flags, strict=True)]))


def _in_threes(images: NDArray, codec: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> NDArray:
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


def _through_webp(image: NDArray[np.uint8], flags: list[int]) -> NDArray[np.uint8]:
    """Three channels are red, green and blue, which OpenCV takes the other way round: codecs keep blue and red less sharp."""
    if image.shape[2] == 3:
        return _decoded(cv2.imencode(".webp", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), flags)[1])
    return np.asarray(cv2.imdecode(cv2.imencode(".webp", image, flags)[1], cv2.IMREAD_GRAYSCALE), np.uint8)[..., None]


def _decoded(coded: NDArray) -> NDArray[np.uint8]:
    """Red, green and blue; OpenCV before 4.11 cannot give them in this order at once."""
    at_once = getattr(cv2, "IMREAD_COLOR_RGB", None)
    if at_once is not None:
        return np.asarray(cv2.imdecode(coded, at_once), np.uint8)
    return np.asarray(cv2.cvtColor(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB), np.uint8)
