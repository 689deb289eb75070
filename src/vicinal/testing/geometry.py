"""Laws of geometry: annotations follow the pixels, and compositions compose."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.core import affine
from vicinal.core.primitive import NEAREST, Pointwise, Warp
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
    matrix = affine.identity(BATCH)
    for move in plan.moves():
        matrix = move.matrix @ matrix
    shrink = affine.footprint(matrix).max(1)
    sigma = DOT * np.maximum(shrink, 1)
    aim = np.random.default_rng(seed).uniform(0.35, 0.65, (BATCH, 1, 2)) * plan.after.size[:, None, ::-1]
    points = affine.apply(affine.invert(matrix), aim)
    out = case.call(_gaussians(points[:, 0], sigma, height, width), keypoints=points, seed=seed)
    reach = 4.5 * sigma
    inside = ((points[:, 0] > reach[:, None]) & (points[:, 0] < np.array([width, height]) - reach[:, None])).all(1)
    within = _within(plan, matrix)
    rows = np.flatnonzero(inside)
    return sum(_dot(case, out["image"][row], out["keypoints"][row][0], 4.5 * sigma[row] / shrink[row], within[row]) for row in rows)


def _within(plan: Any, matrix: NDArray) -> NDArray:
    """(B,) how far a dot may lie from its keypoint: the nearest rule moves by up to half a source pixel along each axis."""
    near = np.any([move.interpolation == NEAREST for move in plan.moves()] or [np.zeros(BATCH, bool)], axis=0)
    return np.where(near, 0.75 * np.maximum(np.linalg.norm(matrix[:, :2, :2], axis=(1, 2)), 1), WITHIN)


def _gaussians(centres: NDArray, sigma: NDArray, height: int, width: int) -> NDArray[np.float32]:
    """(B, H, W, 1) dots; pixel (i, j) has its centre at (j + 0.5, i + 0.5)."""
    x, y = np.arange(width) + 0.5, (np.arange(height) + 0.5)[:, None]
    square = (x - centres[:, 0, None, None]) ** 2 + (y - centres[:, 1, None, None]) ** 2
    return np.exp(-square / (2 * sigma[:, None, None] ** 2))[..., None].astype(np.float32)


def _dot(case: Case, image: NDArray, point: NDArray, reach: float, within: float) -> bool:
    height, width = image.shape[:2]
    if not (reach <= point[0] <= width - reach and reach <= point[1] <= height - reach):
        return False
    x, y = np.arange(width) + 0.5, (np.arange(height) + 0.5)[:, None]
    weight = image[..., 0].astype(float) * (np.abs(x - point[0]) < reach) * (np.abs(y - point[1]) < reach)
    centroid = np.array([(weight * x).sum(), (weight * y).sum()]) / max(weight.sum(), 1e-12)
    distance = float(np.hypot(*(centroid - point)))
    case.expect(distance < within, f"the dot within {within:.2g} px of its keypoint", f"{distance:.3f} px at {point.round(1).tolist()}")
    return True


def _rectangles(case: Case, height: int, width: int) -> None:
    """A box around a filled rectangle is the box around the moved rectangle, in image and mask, within the pixel that sampling blurs."""
    box = np.array([[round(width * 0.4), round(height * 0.45), round(width * 0.6), round(height * 0.62)]], float)
    x0, y0, x1, y1 = box[0].astype(int)
    mask = np.zeros((BATCH, height, width), np.uint8)
    mask[:, y0:y1, x0:x1] = 7
    out = case.call(mask[..., None] * np.uint8(36), mask=mask, boxes=np.tile(box, (BATCH, 1, 1)))
    scales = _pixel(case, height, width)
    for row in range(BATCH):
        moved, boxes = out["mask"][row], out["boxes"][row]
        case.expect(set(np.unique(moved)) <= {0, 7}, "no new values in a mask", np.unique(moved).tolist())
        if len(boxes) and (moved == 7).any():
            _same_box(case, moved == 7, boxes[0], scales[row])


def _pixel(case: Case, height: int, width: int) -> NDArray:
    """(B,) how many output pixels one input pixel covers at most: the nearest rule is no finer than that."""
    plan = case.plan(np.zeros((BATCH, height, width, 1), np.uint8))
    scale = np.ones(BATCH)
    for move in plan.moves():
        scale = scale * np.linalg.norm(move.matrix[:, :2, :2], axis=2).max(1)
    return np.maximum(scale, 1)


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
    left, right = one.then(two).then(three), one.then(two.then(three))
    case.expect(np.allclose(left.matrix, right.matrix, atol=1e-9), "(a b) c = a (b c)", "other maps")
    points = np.random.default_rng(0).uniform(0, 40, (BATCH, 5, one.matrix.shape[-1] - 1))
    steps = affine.apply(three.matrix, affine.apply(two.matrix, affine.apply(one.matrix, points)))
    case.expect(np.allclose(affine.apply(left.matrix, points), steps, atol=1e-8), "the fused map to be the maps in turn", "another")
    back = affine.apply(affine.invert(left.matrix), steps)
    case.expect(np.allclose(back, points, atol=1e-6), "the inverse map to lead back", "another place")


def _chains(case: Case, one: Any, two: Any, three: Any) -> None:
    grid = np.random.default_rng(0).random((BATCH, 65, 3))
    left, right = one.then(two).then(three), one.then(two.then(three))
    case.expect(np.array_equal(left.evaluate(grid), right.evaluate(grid)), "(a b) c = a (b c)", "other values")
    turn = three.evaluate(two.evaluate(one.evaluate(grid)))
    case.expect(np.array_equal(left.evaluate(grid), turn), "the fused chain to be the chains in turn", "other values")
    rows = np.array([BATCH - 1, 0])
    part = left.rows(rows).evaluate(grid[rows])
    case.expect(np.array_equal(part, turn[rows]), "a part of the batch to be that part", "other values")
