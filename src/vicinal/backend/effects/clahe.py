"""Contrast that adapts from tile to tile, by OpenCV."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import RANGES


def clahe(images: NDArray, *, clip: NDArray, tiles: NDArray, amount: NDArray) -> NDArray:
    """OpenCV's CLAHE: on the L of CIELAB for three channels, else on every channel; clip (b,), tiles (b,) per side, amount (b,)."""
    out, engine = np.empty_like(images), cv2.createCLAHE()
    for b, image in enumerate(images):
        engine.setClipLimit(float(clip[b]))
        engine.setTilesGridSize((int(tiles[b]),) * 2)
        made = _clahe_colour(image, engine) if image.shape[2] == 3 else _clahe_grey(image, engine)
        out[b] = _mixed(image, made, float(amount[b]))
    return out


def _clahe_grey(image: NDArray, engine: Any) -> NDArray:
    whole = image if image.dtype.kind == "u" else _sixteen(image)
    made = np.stack([engine.apply(np.ascontiguousarray(whole[..., c])) for c in range(image.shape[2])], 2)
    return made if image.dtype.kind == "u" else made.astype(np.float32) / np.float32(65535)


def _clahe_colour(image: NDArray, engine: Any) -> NDArray:
    """8 bits in 8 bits; anything else with L in 16 bits and colours in float32."""
    if image.dtype == np.uint8:
        lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
        cv2.insertChannel(engine.apply(cv2.extractChannel(lab, 0)), lab, 0)
        return cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)
    top = np.float32(RANGES[str(image.dtype)])
    lab = cv2.cvtColor(image.astype(np.float32) / top, cv2.COLOR_RGB2LAB)
    lab[..., 0] = engine.apply(_sixteen(lab[..., 0] / np.float32(100))) * np.float32(100 / 65535)
    made = np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), 0, 1) * top
    return np.rint(made).astype(image.dtype) if image.dtype.kind == "u" else made


def _sixteen(values: NDArray) -> NDArray[np.uint16]:
    return np.rint(np.clip(values, 0, 1) * np.float32(65535)).astype(np.uint16)


def _mixed(image: NDArray, made: NDArray, amount: float) -> NDArray:
    if amount >= 1:
        return made
    both = image.astype(np.float32) * np.float32(1 - amount) + made.astype(np.float32) * np.float32(amount)
    return np.rint(both).astype(image.dtype) if image.dtype.kind == "u" else np.clip(both, 0, 1)
