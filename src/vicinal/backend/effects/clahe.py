"""Contrast that adapts from tile to tile: 8 bits in compiled loops, wider dtypes by OpenCV."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vicinal.backend.effects.cielab import backward, forward, to_lab, to_rgb
from vicinal.backend.effects.clahe_kernels import adapted
from vicinal.backend.lanes import LANES
from vicinal.core.batch import RANGES

_PIXELS = 1 << 16  # of images that are worked at together


def clahe(images: NDArray, *, clip: NDArray, tiles: NDArray, amount: NDArray) -> NDArray:
    """OpenCV's CLAHE: on the L of CIELAB for three channels, else on every channel; clip (b,), tiles (b,) per side, amount (b,)."""
    made = _eight_bits(images, clip, tiles) if images.dtype == np.uint8 else _wider(images, clip, tiles)
    for b in np.flatnonzero(amount < 1):
        made[b] = _mixed(images[b], made[b], float(amount[b]))
    return made


def _eight_bits(images: NDArray[np.uint8], clip: NDArray, tiles: NDArray) -> NDArray[np.uint8]:
    """In compiled loops, as many images at a time as the second cache holds."""
    out, together = np.empty_like(images), max(_PIXELS // (images.shape[1] * images.shape[2]), 1)
    clip, tiles = clip.astype(np.float64), tiles.astype(np.int64)
    for start in range(0, len(images), together):
        some = slice(start, start + together)
        part, made = images[some], out[some]
        if images.shape[3] == 3:
            planes = np.empty((3, -(-part.size // (3 * LANES)) * LANES), np.uint8)
            to_lab(part.reshape(-1), planes, *forward()[:2])
            adapted(planes[0], (*part.shape[:3], 1), 1, clip[some], tiles[some])
            to_rgb(planes, made.reshape(-1), *backward()[:3])
        else:
            made[:] = part
            adapted(made.reshape(-1), part.shape, part.shape[3], clip[some], tiles[some])
    return out


def _wider(images: NDArray, clip: NDArray, tiles: NDArray) -> NDArray:
    out, engine = np.empty_like(images), cv2.createCLAHE()
    for b, image in enumerate(images):
        engine.setClipLimit(float(clip[b]))
        engine.setTilesGridSize((int(tiles[b]),) * 2)
        out[b] = _clahe_colour(image, engine) if image.shape[2] == 3 else _clahe_grey(image, engine)
    return out


def _clahe_grey(image: NDArray, engine: Any) -> NDArray:
    whole = image if image.dtype.kind == "u" else _sixteen(image)
    made = np.stack([engine.apply(np.ascontiguousarray(whole[..., c])) for c in range(image.shape[2])], 2)
    return made if image.dtype.kind == "u" else made.astype(np.float32) / np.float32(65535)


def _clahe_colour(image: NDArray, engine: Any) -> NDArray:
    """L in 16 bits and colours in float32."""
    top = np.float32(RANGES[str(image.dtype)])
    lab = cv2.cvtColor(image.astype(np.float32) / top, cv2.COLOR_RGB2LAB)
    lab[..., 0] = engine.apply(_sixteen(lab[..., 0] / np.float32(100))) * np.float32(100 / 65535)
    made = np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1) * top
    return np.rint(made).astype(image.dtype) if image.dtype.kind == "u" else made


def _sixteen(values: NDArray) -> NDArray[np.uint16]:
    return np.rint(np.clip(values, 0, 1) * np.float32(65535)).astype(np.uint16)


def _mixed(image: NDArray, made: NDArray, amount: float) -> NDArray:
    both = image.astype(np.float32) * np.float32(1 - amount) + made.astype(np.float32) * np.float32(amount)
    return np.rint(both).astype(image.dtype) if image.dtype.kind == "u" else np.clip(both, 0, 1)
