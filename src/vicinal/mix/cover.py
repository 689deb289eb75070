"""What is left of instances and points where something was laid over them.

Where instance masks are given, visibility is a share of their pixels; else it is a share of the area of boxes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from vicinal.core.items import Table, chosen, count


def outside(table: Table, box: NDArray, canvas: tuple[int, int], least: float) -> Table:
    """The instances of a picture of which a box x0, y0, x1, y1 hides some; those of which less than a share is left are dropped."""
    if not table or not count(table):
        return table
    if "masks" in table:
        return beneath(table, filled(box[None], canvas)[0], least)
    left, share = rest_of(table["boxes"], box)
    return _left(table, left, share, least, lambda points: within(points, box))


def inside(table: Table, box: NDArray, canvas: tuple[int, int], least: float) -> Table:
    """The instances of a picture of which a box x0, y0, x1, y1 shows some; those of which less than a share is seen are dropped."""
    if not table or not count(table):
        return table
    if "masks" in table:
        return beneath(table, ~filled(box[None], canvas)[0], least)
    left, share = part_of(table["boxes"], box)
    return _left(table, left, share, least, lambda points: ~within(points, box))


def beneath(table: Table, hidden: NDArray[np.bool_], least: float) -> Table:
    """The instances of a picture of which pixels (H, W) are hidden; boxes are taken anew around what is left, where anything was lost."""
    if not table or not count(table):
        return table
    shapes = table["masks"] != 0 if "masks" in table else filled(table["boxes"], hidden.shape)
    left, whole = shapes & ~hidden, shapes.sum((1, 2))
    share = np.divide(left.sum((1, 2)), whole, out=np.ones(len(whole)), where=whole > 0)
    table = dict(table)
    if "masks" in table:
        table["masks"] = table["masks"] * left
    boxes = np.where((share < 1)[:, None], around(left), table["boxes"]) if "boxes" in table else None
    return _left(table, boxes, share, least, lambda points: at(hidden, points))


def _left(table: Table, boxes: NDArray | None, share: NDArray, least: float, hides: Callable[[NDArray], NDArray]) -> Table:
    table = dict(table)
    if boxes is not None:
        table["boxes"] = boxes
    if "keypoints" in table:
        table["keypoints"] = unseen(table["keypoints"], hides(table["keypoints"]))
    return chosen(table, (share > 0) & (share >= least - 1e-9))


def unseen(points: NDArray, hidden: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Points (..., 3) with visibility 0 where they are hidden; they stay where they are."""
    return np.concatenate([points[..., :2], np.where(hidden[..., None], 0.0, points[..., 2:])], -1)


def within(points: NDArray, box: NDArray) -> NDArray[np.bool_]:
    """Which points (..., 2 or 3) lie in a box."""
    x, y = points[..., 0], points[..., 1]
    return (x >= box[0]) & (x < box[2]) & (y >= box[1]) & (y < box[3])


def at(hidden: NDArray[np.bool_], points: NDArray) -> NDArray[np.bool_]:
    """Which points (..., 2 or 3) lie on a hidden pixel (H, W)."""
    height, width = hidden.shape
    known = np.isfinite(points[..., :2]).all(-1)
    x, y = (np.floor(np.where(known, points[..., axis], -1)).astype(np.int64) for axis in (0, 1))
    on = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    return on & hidden[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]


def rest_of(boxes: NDArray, hole: NDArray) -> tuple[NDArray, NDArray]:
    """(n, 4) the boxes around what a hole leaves of boxes, and (n,) the share of their area that it leaves."""
    hit = part_of(boxes, hole)[0]
    size = boxes[:, 2:] - boxes[:, :2]
    lost = (hit[:, 2:] - hit[:, :2]).prod(1)
    area = size.prod(1)
    share = np.where(area > 0, 1 - lost / np.where(area > 0, area, 1), ~within((boxes[:, :2] + boxes[:, 2:]) / 2, hole))
    left = boxes.copy()
    for axis in (0, 1):
        across = 1 - axis
        cut = (lost > 0) & (hit[:, across] <= boxes[:, across]) & (hit[:, across + 2] >= boxes[:, across + 2])
        start, end = hit[:, axis] <= boxes[:, axis], hit[:, axis + 2] >= boxes[:, axis + 2]
        left[:, axis] = np.where(cut & start & ~end, hit[:, axis + 2], left[:, axis])
        left[:, axis + 2] = np.where(cut & end & ~start, hit[:, axis], left[:, axis + 2])
    return left, share


def part_of(boxes: NDArray, frame: NDArray) -> tuple[NDArray, NDArray]:
    """(n, 4) the parts of boxes within a frame, and (n,) their share of the area; nothing is 0 wide or high and has no share."""
    low = np.clip(boxes[:, :2], frame[:2], frame[2:])
    high = np.clip(boxes[:, 2:], low, frame[2:])
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    return np.concatenate([low, high], 1), np.divide((high - low).prod(1), area, out=np.zeros(len(boxes)), where=area > 0)


def filled(boxes: NDArray, canvas: tuple[int, int]) -> NDArray[np.bool_]:
    """(n, H, W) the pixels whose centres lie in boxes."""
    x, y = np.arange(canvas[1]) + 0.5, np.arange(canvas[0]) + 0.5
    columns = (x >= boxes[:, :1]) & (x < boxes[:, 2:3])
    rows = (y >= boxes[:, 1:2]) & (y < boxes[:, 3:])
    return rows[:, :, None] & columns[:, None]


def around(shapes: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(n, 4) the boxes around the pixels of (n, H, W) shapes; 0 for empty ones."""
    lines: list[NDArray] = [np.asarray(shapes.any(axis)) for axis in (1, 2)]
    low = [line.argmax(1) for line in lines]
    high = [line.shape[1] - line[:, ::-1].argmax(1) for line in lines]
    return np.where(np.any(lines[0], 1)[:, None], np.stack([*low, *high], 1), 0).astype(np.float64)


def brought(points: NDArray, shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Loose points of a partner that come in: those of which something is shown."""
    seen = unseen(points, ~shown) if points.shape[-1] == 3 else points
    return seen[shown if shown.ndim == 1 else shown.any(1)]
