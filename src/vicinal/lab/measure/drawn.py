"""Corruptions of MNIST-C that no transform says: functions of one image (Mu and Gilmer, MNIST-C, 2019), written from what they show.

Places and widths are in 28ths of the image, the size of the paper's. The published set has one severity of each; what is added here is one
strength, of which larger values are the same corruption, further. The published strength is the default.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 28
_TOOTH, _HIGH, _SLOPE = 4, 2.0, 5.0  # width of a tooth, its height, and how far the line may rise or fall on its way
_FINE = 4  # bits of a fraction of a pixel when lines are drawn
_WEAK, _STRONG = 0.1, 0.2  # gradients of edges, shares of the value range


def stripe(image: NDArray, width: float = 7) -> NDArray:
    """Both sides inverted, so that the middle stands out as a stripe.

    Args:
        image: (H, W, C); width: of either side, 0 to 14. The paper's is 7, a quarter of the image.

    Example:
        >>> stripe(np.zeros((1, 8, 1), np.uint8))[0, :, 0].tolist()
        [255, 255, 0, 0, 0, 0, 255, 255]
    """
    made, columns = image.copy(), round(width * image.shape[1] / SIDE)
    for side in (slice(0, columns), slice(image.shape[1] - columns, None)):
        made[:, side] = _top(image) - image[:, side]
    return made


def zigzag(image: NDArray, rng: np.random.Generator, count: int = 1) -> NDArray:
    """Bright zigzag lines from left to right, each at a height and with a slope of its own.

    Args:
        image: (H, W, C); rng: of the heights and slopes.
        count: of lines; a larger one adds to those of a smaller one. The paper's is 1.
    """
    height, width = image.shape[:2]
    lines = np.zeros((height, width), np.uint8)
    points = [np.rint(_teeth(rng) * (width, height) / SIDE * (1 << _FINE)).astype(np.int32) for _ in range(count)]
    cv2.polylines(lines, points, False, 255, 1, cv2.LINE_AA, _FINE)
    return _in(image.dtype, np.minimum(image + lines[..., None] / 255 * _top(image), _top(image)))


def _teeth(rng: np.random.Generator) -> NDArray:
    """The (x, y) of a zigzag line from point to point."""
    x = np.array([2, *range(4, 26, _TOOTH), 25])
    teeth = np.array([0, *(_HIGH * (-1) ** np.arange(len(x) - 2)), 0])
    y = rng.uniform(0, SIDE - 1) + rng.uniform(-_SLOPE, _SLOPE) * (x - x[0]) / np.ptp(x) + teeth
    return np.stack([x, y], 1)


def canny_edges(image: NDArray, share: float = 1) -> NDArray:
    """The image on its way to its edges (Canny, "A computational approach to edge detection", 1986), channel by channel.

    The edges are those after a blur by 1 pixel.

    Args:
        image: (H, W, C); share: of the edges in the mean of both, 0 to 1. The paper's is 1, nothing but edges.

    Example:
        >>> square = np.pad(np.full((4, 4, 1), 200, np.uint8), ((4, 4), (4, 4), (0, 0)))
        >>> sorted({*canny_edges(square).ravel().tolist()}), sorted({*canny_edges(square, 0.5).ravel().tolist()})
        ([0, 255], [0, 100, 228])
    """
    top = _top(image)
    channels = np.rint(np.moveaxis(image, 2, 0) * (255 / top)).astype(np.uint8)
    edges = [
        cv2.Canny(cv2.GaussianBlur(one, (0, 0), 1.0, borderType=cv2.BORDER_REPLICATE), 255 * _WEAK, 255 * _STRONG, L2gradient=True)
        for one in channels
    ]
    return _in(image.dtype, image * (1 - share) + np.where(np.stack(edges, 2) > 0, share * top, 0))


def _in(dtype: np.dtype, values: NDArray) -> NDArray:
    """Values of the range of a dtype in it."""
    return (values if dtype.kind == "f" else np.rint(values)).astype(dtype)


def _top(image: NDArray) -> int:
    """The brightest value."""
    return 1 if image.dtype.kind == "f" else int(np.iinfo(image.dtype).max)
