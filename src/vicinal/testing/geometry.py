"""Laws of geometry: annotations follow the pixels, and compositions compose."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.core.primitive import Pointwise
from vicinal.core.warp import NEAREST, Warp
from vicinal.testing.case import BATCH, Case, NotApplicable, data, waves

DOT = 2.0  # standard deviation of the Gaussian dot, in pixels of the coarser canvas
WITHIN = 0.1  # pixels between its centroid and the keypoint
SIZES = ((161, 161), (120, 180), (181, 97))


def follow(case: Case) -> None:
    """The dot test: a dot's centroid and the returned keypoint agree within 0.1 px; boxes, masks and events likewise.

    A transform that does not move anything must return keypoints and boxes as they are.
    """
    if case.transform.mixes:
        raise NotApplicable("annotations of other samples come in")
    if case.kind == "series":
        _events(case)
        return
    if case.transform.verb != "move":
        _stays(case)
        return
    seen = sum(_dots(case, height, width, seed) for height, width in SIZES for seed in range(3))
    case.expect(seen > 0 or case.transform.p < 1, "some dots that stay on the canvas", "none: the transform moves everything off it")
    for height, width in SIZES:
        _rectangles(case, height, width)


def _stays(case: Case) -> None:
    points, boxes = np.full((BATCH, 1, 2), 11.25), np.tile([[3.0, 4.0, 20.0, 21.0]], (BATCH, 1, 1))
    out = case.call(data(case), keypoints=points, boxes=boxes)
    case.expect(np.array_equal(out["keypoints"], points) and np.array_equal(out["boxes"], boxes), "annotations that stay", "moved ones")


def _dots(case: Case, height: int, width: int, seed: int) -> int:
    """Aim at points of the new canvas, put the dots where they come from, and compare; returns how many were wholly on both canvases."""
    plan = case.plan(np.zeros((BATCH, height, width, 1), np.float32), seed=seed)
    aim = np.random.default_rng(seed).uniform(0.35, 0.65, (BATCH, 1, 2)) * plan.after.size[:, None, ::-1]
    points, slopes = _backward(plan, aim), _slopes(plan, aim)
    shrink = np.linalg.norm(slopes, axis=1)
    sigma = DOT * np.maximum(shrink.max(1), 1)
    out = case.call(_gaussians(points[:, 0], sigma, height, width), keypoints=points, seed=seed)
    whole, reach = 4.5 * sigma, 4.5 * sigma[:, None] / shrink
    inside = ((points[:, 0] > whole[:, None]) & (points[:, 0] < np.array([width, height]) - whole[:, None])).all(1)
    within, seen = _within(plan, slopes), 0
    for row in np.flatnonzero(inside).tolist():
        skew = _skew(plan, row, points[row, 0], sigma[row], aim[row, 0], reach[row])
        seen += _dot(case, out["image"][row], out["keypoints"][row][0], reach[row], within[row], skew)
    return seen


def _backward(plan: Any, points: NDArray, rows: Any = None) -> NDArray:
    """Where points of the result, (n, k, 2) of the samples ``rows``, come from."""
    for move in reversed(plan.moves()):
        points = move.backward(points, np.arange(len(points)) if rows is None else rows)
    return points


def _slopes(plan: Any, aim: NDArray) -> NDArray:
    """(B, 2, 2) derivatives of the sources by the places ``aim`` (B, 1, 2): pixels of the input per pixel of the result."""
    ends = [_backward(plan, aim + sign * 0.5 * np.eye(2)) for sign in (1, -1)]
    return (ends[0] - ends[1]).transpose(0, 2, 1)


def _skew(plan: Any, row: int, point: NDArray, sigma: float, aim: NDArray, reach: NDArray) -> NDArray:
    """How far the centroid of a dot lies from its middle because the map is curved; 0 for affine ones."""
    if not any(move.bent[row] or move.projective[row] for move in plan.moves()):
        return np.zeros(2)
    places = np.stack(np.meshgrid(*(np.linspace(-far, far, 61) + middle for far, middle in zip(reach, aim, strict=True))), -1).reshape(
        1, -1, 2
    )
    square = ((_backward(plan, places, np.array([row])) - point) ** 2).sum(-1)
    weight = np.exp(-square / (2 * sigma**2))[..., None]
    return (weight * places).sum((0, 1)) / weight.sum() - aim


def _within(plan: Any, slopes: NDArray) -> NDArray:
    """(B,) how far a dot may lie from its keypoint: the nearest rule moves by up to half a source pixel along each axis."""
    near = np.any([move.interpolation == NEAREST for move in plan.moves()] or [np.zeros(BATCH, bool)], axis=0)
    stretch = np.linalg.norm(np.linalg.inv(slopes), axis=(1, 2))
    return np.where(near, 0.75 * np.maximum(stretch, 1), WITHIN)


def _gaussians(centres: NDArray, sigma: NDArray, height: int, width: int) -> NDArray[np.float32]:
    """(B, H, W, 1) dots; pixel (i, j) has its centre at (j + 0.5, i + 0.5)."""
    x, y = np.arange(width) + 0.5, (np.arange(height) + 0.5)[:, None]
    square = (x - centres[:, 0, None, None]) ** 2 + (y - centres[:, 1, None, None]) ** 2
    return np.exp(-square / (2 * sigma[:, None, None] ** 2))[..., None].astype(np.float32)


def _dot(case: Case, image: NDArray, point: NDArray, reach: NDArray, within: float, skew: NDArray) -> bool:
    height, width = image.shape[:2]
    if not ((reach <= point) & (point <= np.array([width, height]) - reach)).all():
        return False
    x, y = np.arange(width) + 0.5, (np.arange(height) + 0.5)[:, None]
    weight = image[..., 0].astype(float) * (np.abs(x - point[0]) < reach[0]) * (np.abs(y - point[1]) < reach[1])
    centroid = np.array([(weight * x).sum(), (weight * y).sum()]) / max(weight.sum(), 1e-12)
    distance = float(np.hypot(*(centroid - point - skew)))
    case.expect(distance < within, f"the dot within {within:.2g} px of its keypoint", f"{distance:.3f} px at {point.round(1).tolist()}")
    return True


def _rectangles(case: Case, height: int, width: int) -> None:
    """A box around a filled rectangle is the box around the moved rectangle, in image and mask, within the pixel that sampling blurs."""
    box = np.array([[round(width * 0.52), round(height * 0.53), round(width * 0.7), round(height * 0.72)]], float)
    x0, y0, x1, y1 = box[0].astype(int)
    mask = np.zeros((BATCH, height, width), np.uint8)
    mask[:, y0:y1, x0:x1] = 7
    out = case.call(mask[..., None] * np.uint8(36), mask=mask, boxes=np.tile(box, (BATCH, 1, 1)), valid=True)
    scales = _pixel(case, height, width)
    for row in range(BATCH):
        # A border may show the rectangle a second time.
        moved, boxes = out["mask"][row] * out["valid"][row], out["boxes"][row]
        case.expect(set(np.unique(moved)) <= {0, 7}, "no new values in a mask", np.unique(moved).tolist())
        if len(boxes) and (moved == 7).any():
            _same_box(case, moved == 7, boxes[0], scales[row])


def _pixel(case: Case, height: int, width: int) -> NDArray:
    """(B,) how many output pixels one input pixel covers at most: the nearest rule is no finer than that."""
    plan = case.plan(np.zeros((BATCH, height, width, 1), np.uint8))
    middle = plan.after.size[:, None, ::-1] / 2
    return np.maximum(np.linalg.norm(np.linalg.inv(_slopes(plan, middle)), axis=2).max(1), 1)


def _same_box(case: Case, region: NDArray, box: NDArray, pixel: float) -> None:
    rows, columns = np.flatnonzero(region.any(1)), np.flatnonzero(region.any(0))
    found = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], float)
    far = float(np.abs(found - box).max())
    case.expect(far <= 1.5 * pixel, "the box around the moved rectangle", f"{box.round(2).tolist()} against {found.tolist()} in the mask")


def _events(case: Case) -> None:
    """A bump in a series and its event stay together within a tenth of a sample."""
    length, times = 300, np.linspace(120, 180, BATCH)
    bumps = np.exp(-((np.arange(length) - times[:, None]) ** 2) / 18)[..., None].astype(np.float32)
    out = case.call(bumps, events=times[:, None])
    if case.transform.verb != "move":
        case.expect(np.array_equal(out["events"], times[:, None]), "events that stay", out["events"])
        return
    for series, event in zip(out["series"], out["events"], strict=True):
        t, weight = np.arange(len(series)), np.abs(np.asarray(series)[:, 0], dtype=float)
        if 15 < event[0] < len(series) - 16:
            near = weight * (np.abs(t - event[0]) < 15)
            far = abs((near * t).sum() / near.sum() - event[0])
            within = 0.5 if getattr(case.transform, "interpolation", "linear") == "nearest" else WITHIN
            case.expect(far <= within, f"the bump within {within} samples of its event", f"{far:.3f}")


def algebra(case: Case) -> None:
    """Primitives compose associatively, and a composition does what its parts do one after the other."""
    everything = data(case) if case.kind == "image" else waves()
    parts = [_primitives(case, everything, seed) for seed in range(3)]
    one, two, three = (found[0] if found else None for found in parts)
    if isinstance(one, Warp):
        _warps(case, one, _fit(two), _fit(three))
    elif isinstance(one, Pointwise):
        _chains(case, one, two, three)
    else:
        raise NotApplicable(f"{type(one).__name__} composes with nothing" if one is not None else "it does nothing here")


def _primitives(case: Case, everything: Any, seed: int) -> list[Any]:
    return list(case.plan(everything, seed=seed).primitives)


def _fit(warp: Any) -> Warp:
    if not isinstance(warp, Warp):
        raise NotApplicable("no move was drawn")
    return warp


def _warps(case: Case, one: Warp, two: Warp, three: Warp) -> None:
    everyone = np.arange(BATCH)
    points = np.random.default_rng(0).uniform(5, 35, (BATCH, 5, one.matrix.shape[-1] - 1))
    back = one.backward(one.forward(points, everyone), everyone)
    case.expect(np.allclose(back, points, atol=1e-5), "the inverse map to lead back", f"{np.abs(back - points).max():.3g} px away")
    if not (np.all(one.joins(two)) and np.all(two.joins(three)) and np.all(one.joins(three))):
        return  # two bends do not compose
    left, right = one.then(two).then(three), one.then(two.then(three))
    steps = three.forward(two.forward(one.forward(points, everyone), everyone), everyone)
    for fused, how in ((left, "(a b) c"), (right, "a (b c)")):
        case.expect(np.allclose(fused.forward(points, everyone), steps, atol=1e-7), f"{how} to be the maps in turn", "another map")


def _chains(case: Case, one: Any, two: Any, three: Any) -> None:
    grid = np.random.default_rng(0).random((BATCH, 65, 3))
    left, right = one.then(two).then(three), one.then(two.then(three))
    case.expect(np.array_equal(left.evaluate(grid), right.evaluate(grid)), "(a b) c = a (b c)", "other values")
    turn = three.evaluate(two.evaluate(one.evaluate(grid)))
    case.expect(np.array_equal(left.evaluate(grid), turn), "the fused chain to be the chains in turn", "other values")
    rows = np.array([BATCH - 1, 0])
    part = left.rows(rows).evaluate(grid[rows])
    case.expect(np.array_equal(part, turn[rows]), "a part of the batch to be that part", "other values")
