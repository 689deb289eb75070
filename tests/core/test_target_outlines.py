"""Polygons and oriented boxes against shapely: areas, clipping, visible shares, turning."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from moving import PLAIN, SIZES, moving, straight

import vicinal as v

HEIGHT, WIDTH = 30, 40
IMAGE = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
CANVAS = shapely.box(0, 0, WIDTH, HEIGHT)
STAR = np.array([[20 + r * np.sin(t), 15 - r * np.cos(t)] for r, t in zip([14, 5] * 5, np.arange(10) * np.pi / 5, strict=True)])
COMB = np.array([[2, 2], [38, 2], [38, 28], [30, 28], [30, 8], [22, 8], [22, 28], [14, 28], [14, 8], [6, 8], [6, 28], [2, 28]], float)
WEDGE = np.array([[5.0, 5], [35, 15], [5, 25]])
SHAPES = {"star": STAR, "comb": COMB, "wedge": WEDGE}


def moved(policy: v.Node, rings: list, **more: object) -> tuple[list, list, tuple]:
    """Polygons behind a policy, the shapes that shapely makes of them, and the new canvas."""
    out = policy(image=IMAGE, polygons=v.Polygons(rings, **more), keypoints=np.concatenate(rings), seed=4)
    ends = np.cumsum([len(ring) for ring in rings])[:-1]
    whole = [shapely.Polygon(part) for part in np.split(out["keypoints"], ends)]
    return out["polygons"], whole, out["image"].shape[:2]


AFFINE = [
    "HorizontalFlip()",
    "Rotate(angle=33)",
    "Rotate(angle=33) | Translate(x=9, y=-7)",
    "Affine(angle=-20, scale=1.6, shear_x=10, x=4)",
    "RandomResizedCrop(size=(25, 45), scale=0.4)",
    "Transpose() | Resize(size=(17, 50))",
    "Rotate(angle=70, expand=True) | CenterCrop(size=20)",
]


@pytest.mark.parametrize("policy", AFFINE)
@pytest.mark.parametrize("name", SHAPES)
def test_what_is_left_of_a_polygon_is_the_intersection(name: str, policy: str) -> None:
    rings, (whole,), (height, width) = moved(v.parse(policy), [SHAPES[name]])
    expected = whole.intersection(shapely.box(0, 0, width, height))
    assert len(rings) == (expected.area > 0)
    ring = rings[0]
    assert ring.min() >= 0
    assert (ring <= [width, height]).all()
    x, y = ring.T
    area = abs((x * np.roll(y, -1) - np.roll(x, -1) * y).sum()) / 2
    assert area == pytest.approx(expected.area, rel=1e-9)
    # Pieces of a polygon that is not convex hang together along the edge of the canvas.
    assert shapely.Polygon(ring).buffer(0).symmetric_difference(expected).area < 1e-6
    for limit, stays in ((expected.area / whole.area - 1e-6, True), (expected.area / whole.area + 1e-6, expected.area == whole.area)):
        left = moved(v.parse(policy), [SHAPES[name]], min_visible=float(np.clip(limit, 0, 1)))[0]
        assert len(left) == stays or expected.area / whole.area > 1 - 1e-6


@settings(derandomize=True, max_examples=50, deadline=None)
@given(straight, st.integers(0, 99))
def test_shares_and_areas_are_those_of_shapely_through_random_policies(policy: v.Node, seed: int) -> None:
    """One canvas after the other, each time what is left."""
    rng = np.random.default_rng(seed)
    rings = [
        [shape * np.array(size[::-1]) / [WIDTH, HEIGHT] + rng.uniform(-1, 1, 2) for shape in (STAR * 0.9 + 1, WEDGE)] for size in SIZES
    ]
    out = policy(image=[np.zeros(size, np.uint8) for size in SIZES], polygons=rings, seed=seed)
    for row, part in enumerate(rings):
        for number, ring in enumerate(part):
            left = whole = shapely.Polygon(ring)
            for move in out.plan.moves():
                if move.active[row]:
                    (a, b, x), (c, d, y) = move.matrix[row, :2]
                    left, whole = (shapely.affinity.affine_transform(shape, [a, b, c, d, x, y]) for shape in (left, whole))
                    left = left.intersection(shapely.box(0, 0, *move.size[row, ::-1]))
            instance = sum(len(other) for other in rings[:row]) + number
            assert out.instances.visible[instance] == pytest.approx(left.area / whole.area, abs=1e-6)
            kept = out.kept[row].tolist()
            assert (number in kept) == (left.area > 0) or left.area < 1e-6
            if number in kept:
                made = shapely.Polygon(out["polygons"][row][kept.index(number)]).buffer(0)
                assert made.symmetric_difference(left).area < 1e-5 * max(whole.area, 1)


@pytest.mark.parametrize("outside", ["clip", "keep", "drop"])
def test_cut_polygons_are_clipped_kept_or_dropped(outside: str) -> None:
    policy = v.Translate(x=-9)
    out = policy(image=IMAGE, polygons=v.Polygons([WEDGE, WEDGE + [5, 0]], outside=outside), label=["cut", "whole"], seed=0)
    assert out["label"] == (["whole"] if outside == "drop" else ["cut", "whole"])
    if outside == "keep":
        assert out["polygons"][0] == pytest.approx(WEDGE - [9, 0])
    assert out["polygons"][-1] == pytest.approx(WEDGE - [4, 0])


def test_edges_bend_with_the_map() -> None:
    ring = np.array([[4.0, 4], [36, 4], [36, 26], [4, 26]])
    dense = np.concatenate(
        [a + (b - a) * np.linspace(0, 1, 400, endpoint=False)[:, None] for a, b in zip(ring, np.roll(ring, -1, 0), strict=True)]
    )
    for policy in (v.OpticalDistortion(k=0.4), v.ElasticTransform(amplitude=1.5, smoothness=12), v.ThinPlateSpline(amount=0.03)):
        out = policy(image=IMAGE, polygons=[ring], keypoints=dense, boxes=[[4.0, 4, 36, 26]], seed=3)
        exact = shapely.Polygon(out["keypoints"]).intersection(CANVAS)
        assert shapely.Polygon(out["polygons"][0]).symmetric_difference(exact).area < 0.02 * exact.area
        assert out["boxes"][0] == pytest.approx(exact.bounds, abs=0.3)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(moving, st.integers(0, 99))
def test_polygons_cover_the_pixels_of_their_masks(policy: v.Node, seed: int) -> None:
    size = (60, 80)
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    mask = ((y - 31) / 14) ** 2 + ((x - 41) / 20) ** 2 < 1
    angle = np.linspace(0, 2 * np.pi, 80, endpoint=False)
    ring = np.stack([41 + 20 * np.cos(angle), 31 + 14 * np.sin(angle)], 1)
    out = policy(image=np.zeros(size, np.uint8), mask=mask, polygons=[ring], seed=seed)
    if "Jigsaw" in policy.explain(np.zeros(size, np.uint8), seed=seed) or out["mask"].sum() < 60:
        return  # a mask keeps all its pieces
    height, width = out["mask"].shape
    centres = shapely.points(*(np.stack(np.meshgrid(np.arange(width), np.arange(height)), 0) + 0.5))
    drawn = shapely.contains(shapely.Polygon(out["polygons"][0]).buffer(0), centres) if out["polygons"] else np.zeros((height, width), bool)
    assert (drawn & out["mask"]).sum() / (drawn | out["mask"]).sum() > 0.8


def corners(box: np.ndarray) -> np.ndarray:
    """(4, 2) of cx, cy, w, h and degrees counter-clockwise as the image is shown: y points down."""
    cx, cy, w, h, degrees = box
    turn = np.deg2rad(degrees)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.array([[-w, -h], [w, -h], [w, h], [-w, h]]) / 2 @ matrix.T + [cx, cy]


ORIENTED = np.array([[20.0, 15, 16, 6, 30], [12, 12, 10, 10, 0], [25, 18, 4, 9, -75]])


@pytest.mark.parametrize("angle", [0, 30, 90, -120, 180])
def test_turning_an_oriented_box_adds_to_its_angle(angle: float) -> None:
    out = v.Rotate(angle=angle)(image=np.zeros((80, 80), np.uint8), boxes=v.Boxes(ORIENTED + [20, 25, 0, 0, 0], "cxcywhr"), seed=0)["boxes"]
    turn = np.deg2rad(angle)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    for before, after in zip(ORIENTED + [20, 25, 0, 0, 0], out, strict=True):
        assert after[:2] == pytest.approx((before[:2] - 40) @ matrix.T + 40)
        assert after[2:4] == pytest.approx(before[2:4])
        assert np.cos(np.deg2rad(after[4] - before[4] - angle)) == pytest.approx(1)


@settings(derandomize=True, max_examples=50, deadline=None)
@given(straight, st.integers(0, 99))
def test_oriented_boxes_are_the_smallest_turned_rectangles_of_shapely(policy: v.Node, seed: int) -> None:
    inner = np.array([[WIDTH / 2, HEIGHT / 2, 0, 0, 0]]) + (ORIENTED - [20, 15, 0, 0, 0]) * [0.5, 0.5, 0.6, 0.6, 1]
    quads = np.array([corners(box).ravel() for box in inner])
    results = {}
    for format, rows in (("cxcywhr", inner), ("quad", quads)):
        out = policy(image=IMAGE, boxes=v.Boxes(rows, format, outside="keep"), seed=seed)
        results[format] = out
    turned, quad = results["cxcywhr"], results["quad"]
    assert turned.kept.tolist() == quad.kept.tolist()
    for number, box, four in zip(turned.kept, turned["boxes"], quad["boxes"], strict=True):
        exact = four.reshape(4, 2)
        expected = policy(image=IMAGE, keypoints=quads[number].reshape(4, 2), seed=seed)["keypoints"]
        assert exact == pytest.approx(expected, abs=1e-9)
        around = shapely.Polygon(exact).minimum_rotated_rectangle
        assert box[2] * box[3] == pytest.approx(around.area, rel=1e-6)
        assert shapely.Polygon(corners(box)).buffer(1e-6).contains(shapely.Polygon(exact))


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.sampled_from(PLAIN), st.floats(0, 1), st.integers(0, 99))
def test_visible_shares_of_oriented_boxes_are_those_of_shapely(policy: v.Node, limit: float, seed: int) -> None:
    wild = ORIENTED + np.array([[-6, 0, 0, 0, 0], [22, 12, 0, 0, 0], [10, -6, 0, 0, 0]])
    quads = np.array([corners(box) for box in wild])
    for format, rows in (("cxcywhr", wild), ("quad", quads.reshape(-1, 8))):
        out = policy(image=IMAGE, boxes=v.Boxes(rows, format, min_visible=limit, invalid="clip"), keypoints=quads, seed=seed)
        points = policy(image=IMAGE, keypoints=quads.reshape(-1, 2), seed=seed)["keypoints"].reshape(-1, 4, 2)
        shares = np.array([shapely.Polygon(four).intersection(CANVAS).area / shapely.Polygon(four).area for four in points])
        assert out.instances.visible == pytest.approx(shares, abs=1e-6)
        clear = np.abs(shares - limit) > 1e-6
        expected = (shares > 0) & (shares >= limit)
        assert np.array_equal(out.instances.kept[clear], expected[clear])
        dropped = policy(image=IMAGE, boxes=v.Boxes(rows, format, outside="drop", invalid="clip"), seed=seed).instances.kept
        assert np.array_equal(dropped[np.abs(shares - 1) > 1e-6], shares[np.abs(shares - 1) > 1e-6] == 1)


def test_mirroring_turns_an_oriented_box_the_other_way() -> None:
    out = v.HorizontalFlip()(image=IMAGE, boxes=v.Boxes(ORIENTED[:1], "cxcywhr"), seed=0)["boxes"][0]
    mirrored = corners(ORIENTED[0]) * [-1, 1] + [WIDTH, 0]
    assert shapely.Polygon(corners(out)).symmetric_difference(shapely.Polygon(mirrored)).area < 1e-9


@pytest.mark.parametrize(
    ("polygons", "says"),
    [
        (
            [[[1, 2], [3, 4]]],
            r"^polygons\[0\]\[0\]: expected 3 or more corners \(x, y\), got shape \(2, 2\); write \[\(1, 1\), \(9, 1\), \(9, 9\)\], say$",
        ),
        (
            [WEDGE, [[1, 2, 3]] * 3],
            r"^polygons\[0\]\[1\]: expected 3 or more corners \(x, y\), got shape \(3, 3\); write \[\(1, 1\), \(9, 1\), \(9, 9\)\], say$",
        ),
        ([[[1, 2], [3, np.nan], [5, 6]]], r"^polygons\[0\]\[0\]: expected 3 or more"),
        ([[[1, 2], "ab", [5, 6]]], r"^polygons\[0\]\[0\]: expected numbers, got"),
        (5, r"^polygons"),
    ],
)
def test_wrong_polygons_get_a_sentence(polygons: object, says: str) -> None:
    with pytest.raises(v.TargetError, match=says):
        v.HorizontalFlip()(image=IMAGE, polygons=polygons, seed=0)
