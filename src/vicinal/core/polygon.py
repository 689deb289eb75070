"""Convex polygons in stacks: area, and the part inside a canvas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def area(polygons: NDArray) -> NDArray[np.float64]:
    """(N,) areas of polygons (N, n, 2) by the shoelace formula; repeated points do no harm.

    Example:
        >>> area(np.array([[[0, 0], [2, 0], [2, 3], [0, 3]]])).tolist()
        [6.0]
    """
    following = np.roll(polygons, -1, 1)
    cross = polygons[..., 0] * following[..., 1] - polygons[..., 1] * following[..., 0]
    return 0.5 * np.abs(cross.sum(1))


def clip(polygons: NDArray, canvas: NDArray) -> NDArray[np.float64]:
    """Convex polygons (N, n, 2) cut to the canvases [0, width] x [0, height] (N, 2); (N, m, 2), points may repeat, empty ones are all 0.

    Sutherland and Hodgman (1974), one half-plane after the other over the whole stack.

    Example:
        >>> area(clip(np.array([[[-1.0, 0], [1, 0], [1, 2], [-1, 2]]]), np.array([[4.0, 1.0]]))).tolist()
        [1.0]
    """
    leaving = ~((polygons >= 0) & (polygons <= canvas[:, None])).all((1, 2))
    if not leaving.any():
        return _distinct(polygons)
    cut, limit = polygons[leaving], canvas[leaving, None]
    for axis in (0, 1):
        cut = _half(cut, cut[..., axis])
        cut = _half(cut, limit[..., axis] - cut[..., axis])
    made = wide(polygons, cut.shape[1])
    made[leaving] = np.clip(cut, 0, limit)  # crossings are rounded: what is cut shall lie on the canvas to the last bit
    return _distinct(made)


def wide(polygons: NDArray, points: int) -> NDArray[np.float64]:
    """Copies of polygons with at least so many points; the last one fills up, which changes nothing.

    Example:
        >>> wide(np.array([[[0.0, 0], [2, 0], [2, 3]]]), 4)[0].tolist()
        [[0.0, 0.0], [2.0, 0.0], [2.0, 3.0], [2.0, 3.0]]
    """
    return np.pad(polygons, ((0, 0), (0, max(0, points - polygons.shape[1])), (0, 0)), "edge")


def _distinct(points: NDArray) -> NDArray[np.float64]:
    """Without repetitions of neighbours, or a policy of many passes would hold many times the points; the last one fills up."""
    new = (points != np.roll(points, -1, 1)).any(-1)  # the last of equal ones stays, so that the first corner stays the first
    count = new.sum(1, keepdims=True)
    place = np.minimum(np.arange(max(count.max(initial=0), 1)), np.maximum(count - 1, 0))
    order = np.take_along_axis(np.argsort(~new, 1, kind="stable"), place, 1)
    return np.take_along_axis(points, order[..., None], 1)


def _half(polygons: NDArray, distance: NDArray) -> NDArray[np.float64]:
    """The part where ``distance`` (N, n), linear along every edge, is not negative: each edge gives its two clipped ends."""
    following, beyond = np.roll(polygons, -1, 1), np.roll(distance, -1, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(distance != beyond, distance / (distance - beyond), 0.0)[..., None]
    crossing = polygons + t * (following - polygons)
    inside, inside_next = (distance >= 0)[..., None], (beyond >= 0)[..., None]
    start, end = np.where(inside, polygons, crossing), np.where(inside_next, following, crossing)
    valid = np.repeat((inside | inside_next)[..., 0], 2, axis=1)
    points = np.stack([start, end], 2).reshape(len(polygons), 2 * polygons.shape[1], 2)
    return _carried(points, valid)


def _carried(points: NDArray, valid: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Edges that vanished take the last valid point before them, cyclically; polygons without any become all 0."""
    n = points.shape[1]
    order = np.where(np.tile(valid, 2), np.arange(2 * n), -1)
    last = np.maximum.accumulate(order, 1)[:, n:]
    found = np.take_along_axis(points, (np.maximum(last, 0) % n)[..., None], 1)
    return np.where((last >= 0)[..., None], found, 0.0)
