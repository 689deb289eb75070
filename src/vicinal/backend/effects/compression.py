"""Lossy formats and low resolution."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.effects.jpeg import coded
from vicinal.core.steps import dequantise, quantise

Resizer = Callable[[int, NDArray], NDArray]
RESAMPLING = {"linear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA}


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


def downscale(images: NDArray, *, size: NDArray, down: str, up: str) -> NDArray:
    """Shrink to size (b, 2), height and width, and enlarge again, each by a rule: "nearest", "linear" or "area"."""
    full = np.broadcast_to(np.array(images.shape[1:3]), size.shape)
    if down == up == "nearest":
        there, back = _nearest(full, size), _nearest(size, full)
        return _gathered(images, *(np.take_along_axis(far, near, 1) for far, near in zip(there, back, strict=True)))
    return _resampled(images, _resizer(down, full, size), _resizer(up, size, full), (size == full).all(1).tolist())


def _resampled(images: NDArray, there: Resizer, back: Resizer, still: list[bool]) -> NDArray:
    """Image by image; OpenCV takes means of four channels at most."""
    out, channels = np.empty_like(images), images.shape[3]
    parts = [(0, channels)] if channels <= 4 else list(groups(channels, 4))
    for row in range(len(images)):
        for start, stop in parts:
            image = images[row, ..., start:stop] if len(parts) > 1 else images[row]
            made = image if still[row] else back(row, there(row, image))
            out[row, ..., start:stop] = made if made.ndim == 3 else made[..., None]
    return out


def _resizer(rule: str, old: NDArray, new: NDArray) -> Resizer:
    """From the number of a sample and its (H, W, C <= 4) to another canvas; old and new (b, 2) are height and width."""
    if rule == "nearest":
        rows, columns = _nearest(old, new)

        def gathered(row: int, image: NDArray) -> NDArray:
            part, (height, width) = np.ascontiguousarray(image).reshape(1, *old[row], -1), new[row]
            return _gathered(part, rows[row : row + 1, :height], columns[row : row + 1, :width])[0]

        return gathered
    sizes, how = [(width, height) for height, width in new.tolist()], RESAMPLING[rule]
    return lambda row, image: cv2.resize(image, sizes[row], interpolation=how)


def _nearest(old: NDArray, new: NDArray) -> list[NDArray[np.int64]]:
    """Rows (b, h) and columns (b, w): the pixels in which the centres of new pixels fall; OpenCV takes those in which corners do."""
    places = [np.arange(new[:, axis].max())[None] for axis in (0, 1)]
    return [(2 * place + 1) * old[:, axis, None] // (2 * new[:, axis, None]) for axis, place in enumerate(places)]


@njit(nogil=True, cache=True, error_model="numpy")
def _gathered(images, rows, columns):
    """Pixels (b, h, w, C) from rows (b, h) and columns (b, w); a row that is the same as the one above is copied."""
    (batch, height), width, channels = rows.shape, columns.shape[1], images.shape[3]
    out = np.empty((batch, height, width * channels), images.dtype)
    across = np.empty(width * channels, np.int64)
    for b in range(batch):
        for x in range(width):
            for c in range(channels):
                across[x * channels + c] = columns[b, x] * channels + c
        for y in range(height):
            if y > 0 and rows[b, y] == rows[b, y - 1]:
                out[b, y] = out[b, y - 1]
                continue
            line, made = images[b, rows[b, y]].reshape(-1), out[b, y]
            for i in range(width * channels):
                made[i] = line[across[i]]
    return out.reshape(batch, height, width, channels)
