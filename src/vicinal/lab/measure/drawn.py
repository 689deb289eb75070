"""Corruptions of MNIST-C that no transform says: functions of one image (Mu and Gilmer, MNIST-C, 2019), written from what they show.

Places are in 28ths of the image, the size of the paper's.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 28
_TOOTH, _HIGH, _SLOPE = 4, 2.0, 5.0  # width of a tooth, its height, and how far the line may rise or fall on its way
_FINE = 4  # bits of a fraction of a pixel when lines are drawn
_WEAK, _STRONG = 0.1, 0.2  # gradients of edges, shares of the value range


def stripe(image: NDArray) -> NDArray:
    """The left and the right quarter inverted, so that the middle stands out as a stripe.

    Example:
        >>> stripe(np.zeros((1, 8, 1), np.uint8))[0, :, 0].tolist()
        [255, 255, 0, 0, 0, 0, 255, 255]
    """
    made, quarter = image.copy(), image.shape[1] // 4
    for side in (slice(0, quarter), slice(image.shape[1] - quarter, None)):
        made[:, side] = _top(image) - image[:, side]
    return made


def zigzag(image: NDArray, rng: np.random.Generator) -> NDArray:
    """A bright zigzag line from left to right, at a height and with a slope of its own."""
    height, width = image.shape[:2]
    x = np.array([2, *range(4, 26, _TOOTH), 25])
    teeth = np.array([0, *(_HIGH * (-1) ** np.arange(len(x) - 2)), 0])
    y = rng.uniform(0, SIDE - 1) + rng.uniform(-_SLOPE, _SLOPE) * (x - x[0]) / np.ptp(x) + teeth
    points = np.rint(np.stack([x * width, y * height], 1) / SIDE * (1 << _FINE)).astype(np.int32)
    line = np.zeros((height, width), np.uint8)
    cv2.polylines(line, [points[:, None]], False, 255, 1, cv2.LINE_AA, _FINE)
    made = np.minimum(image + line[..., None] / 255 * _top(image), _top(image))
    return (made if image.dtype.kind == "f" else np.rint(made)).astype(image.dtype)


def canny_edges(image: NDArray) -> NDArray:
    """Nothing but the edges, channel by channel (Canny, "A computational approach to edge detection", 1986), after a blur by 1 pixel."""
    top = _top(image)
    channels = np.rint(np.moveaxis(image, 2, 0) * (255 / top)).astype(np.uint8)
    edges = [
        cv2.Canny(cv2.GaussianBlur(one, (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE), 255 * _WEAK, 255 * _STRONG, L2gradient=True)
        for one in channels
    ]
    return np.where(np.stack(edges, 2) > 0, top, 0).astype(image.dtype)


def _top(image: NDArray) -> int:
    """The brightest value."""
    return 1 if image.dtype.kind == "f" else int(np.iinfo(image.dtype).max)
