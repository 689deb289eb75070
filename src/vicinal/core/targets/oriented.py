"""Oriented boxes: four corners inside, a turned rectangle at the border."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def corners_of(values: NDArray, format: str) -> NDArray[np.float64]:
    """(N, 4, 2) corners of "cxcywhr" (N, 5) or "quad" (N, 8) boxes; the angle is counter-clockwise as the image is shown.

    Example:
        >>> corners_of(np.array([[5.0, 5, 4, 2, 90]]), "cxcywhr")[0].round(9).tolist()
        [[4.0, 7.0], [4.0, 3.0], [6.0, 3.0], [6.0, 7.0]]
    """
    if format == "quad":
        return values.reshape(-1, 4, 2)
    centre, sides, angle = values[:, None, :2], values[:, None, 2:4], np.deg2rad(values[:, 4])[:, None]
    x, y = (np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]]) * sides).transpose(2, 0, 1)
    return centre + np.stack([np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x], -1)


def turned_of(polygons: NDArray, format: str) -> NDArray[np.float64]:
    """The oriented boxes around polygons (N, n, 2): their own corners where they still are rectangles, else the smallest rectangle.

    "quad" gives the corners as they moved, where they are four.
    """
    if format == "quad":
        four = polygons if polygons.shape[1] == 4 else polygons[:, :: polygons.shape[1] // 4]
        return four.reshape(len(polygons), 8)
    return np.array([_rectangle(polygon) for polygon in polygons]).reshape(-1, 5)


def _rectangle(polygon: NDArray) -> NDArray[np.float64]:
    """(5,) cx, cy, w, h, degrees of the smallest rectangle with a side along one of the edges; the first edge where several tie."""
    edges = np.roll(polygon, -1, 0) - polygon
    angles = np.arctan2(-edges[:, 1], edges[:, 0])
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    along, across = cos * polygon[:, 0] - sin * polygon[:, 1], sin * polygon[:, 0] + cos * polygon[:, 1]
    sides = np.stack([np.ptp(along, 1), np.ptp(across, 1)], 1)
    areas = sides.prod(1)
    best = int(np.argmax(areas <= areas.min() * (1 + 1e-9) + 1e-12))
    middle = np.array([along[best].min() + along[best].max(), across[best].min() + across[best].max()]) / 2
    c, s = cos[best, 0], sin[best, 0]
    centre = np.array([c * middle[0] + s * middle[1], c * middle[1] - s * middle[0]])
    return np.array([*centre, *sides[best], np.rad2deg(angles[best])])
