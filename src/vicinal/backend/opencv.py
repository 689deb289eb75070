"""Affine maps by OpenCV: what images that are large and not of 8 bits take."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vicinal.backend.maps import BORDERS
from vicinal.core.affine import indexed
from vicinal.core.batch import RANGES, name_of


def affine(inverse: NDArray, size: tuple[int, int], border: NDArray, fill: NDArray, data: NDArray) -> NDArray:
    """Images (B, H, W, C) by linear interpolation under inverse maps (B, 6) row by row, to one size; border (B,), fill (B,) shares."""
    out = np.empty((len(data), *size, data.shape[3]), data.dtype)
    inverse = indexed(inverse.reshape(-1, 2, 3))
    for row, image in enumerate(data):
        value = float(fill[row]) * RANGES[name_of(data.dtype)]
        _one(image, inverse[row], out[row], BORDERS[int(border[row])], value)
    return out


def _window(image: NDArray, inverse: NDArray, out: NDArray, border: int) -> tuple[NDArray, NDArray]:
    """The part of a large image that is looked at, if that is much less than the whole, and the map onto it."""
    (height, width), (rows, columns) = image.shape[:2], out.shape[:2]
    ends = inverse[:, :2] * [columns - 1, rows - 1]
    low = np.floor(inverse[:, 2] + np.minimum(ends, 0).sum(1)).astype(int) - 1
    high = np.ceil(inverse[:, 2] + np.maximum(ends, 0).sum(1)).astype(int) + 2
    inside = (low >= 0).all() and (high <= [width, height]).all()
    (x0, y0), (x1, y1) = np.maximum(low, 0), np.minimum(high, [width, height])
    seen = (x1 - x0) * (y1 - y0)
    # What a mirror shows may lie anywhere.
    if min(x1 - x0, y1 - y0) < 2 or 10 * seen > 7 * width * height or (border == cv2.BORDER_REFLECT and not inside):
        return image, inverse
    return image[y0:y1, x0:x1], inverse - [[0, 0, x0], [0, 0, y0]]


def _one(image: NDArray, inverse: NDArray, out: NDArray, border: int, fill: float) -> None:
    height, width, channels = out.shape
    image, inverse = _window(image, inverse, out, border)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    # Four channels at most; and never two, for which OpenCV rounds coordinates to 1/32 of a pixel even where it needs not.
    rest = {0: [], 1: [1], 2: [1, 1], 3: [3]}[channels % 4]
    ends = np.cumsum([4] * (channels // 4) + rest)
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        part = np.ascontiguousarray(image[..., start:end])
        warped = cv2.warpAffine(part, inverse, (width, height), None, flags, border, (fill,) * 4)
        out[..., start:end] = warped.reshape(height, width, -1)
