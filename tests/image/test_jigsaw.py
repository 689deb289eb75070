"""JigsawShuffle: nothing is lost, and annotations go with the tile that holds them."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from scipy import stats
from shapely import box as rectangle

import vicinal as v

BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])


def numbered(height: int, width: int) -> np.ndarray:
    """(H, W) every pixel its own number."""
    return np.arange(height * width, dtype=np.uint16).reshape(height, width)


def edges(side: int, count: int) -> list[int]:
    """Where tiles end: as evenly as whole pixels admit."""
    return [int(np.floor(side * number / count + 0.5)) for number in range(count + 1)]


@BACKENDS
@pytest.mark.parametrize("size", [(12, 12), (13, 29), (7, 40), (90, 100), (2, 3), (1, 1)])
@pytest.mark.parametrize("tiles", [1, 2, 4, (3, 2), (1, 5)])
def test_tiles_change_places_whole_and_no_pixel_is_lost(tiles: int | tuple, size: tuple, backend: str) -> None:
    image = numbered(*size)
    out = v.JigsawShuffle(tiles=tiles)(image, seed=1, backend=backend)
    assert np.array_equal(np.sort(out.ravel()), image.ravel())
    down, right = tiles if isinstance(tiles, tuple) else (tiles, tiles)
    rows, columns = edges(size[0], down), edges(size[1], right)
    for y, low in pairwise(rows):
        for x, end in pairwise(columns):
            if low > y and end > x:
                tile = np.asarray(out[y:low, x:end])
                from_y, from_x = divmod(int(tile[0, 0]), size[1])
                assert from_y in rows
                assert from_x in columns
                assert np.array_equal(tile, image[from_y : from_y + low - y, from_x : from_x + end - x])


def test_every_order_is_equally_likely() -> None:
    images = np.tile(np.array([[0, 1], [2, 3]], np.uint8), (4800, 1, 1))[..., None]
    out = v.JigsawShuffle(tiles=2)(images, seed=0)[..., 0].reshape(-1, 4)
    counts = [(out == order).all(1).sum() for order in permutations(range(4))]
    assert sum(counts) == 4800
    assert stats.chisquare(counts).pvalue > 1e-3


@BACKENDS
@pytest.mark.parametrize("size", [(40, 60), (90, 81)])
def test_keypoints_and_masks_go_with_their_pixel(size: tuple, backend: str) -> None:
    image, rng = numbered(*size), np.random.default_rng(0)
    points = rng.uniform(0, 1, (50, 2)) * size[::-1]
    out = v.JigsawShuffle(tiles=3)(image=image, mask=image.astype(np.int32), keypoints=points, seed=2, backend=backend)
    for before, after in zip(points, out["keypoints"], strict=True):
        assert out["image"][int(after[1]), int(after[0])] == image[int(before[1]), int(before[0])]
        assert after % 1 == pytest.approx(before % 1)
    assert np.array_equal(out["mask"], out["image"])


@pytest.mark.parametrize("outside", ["clip", "keep", "drop"])
def test_a_box_inside_one_tile_follows_exactly(outside: str) -> None:
    image, boxes = numbered(40, 60), np.array([[2.5, 3, 12.25, 9], [20, 0, 40, 20], [41, 21, 59.5, 39]])
    for seed in range(8):
        out = v.JigsawShuffle(tiles=(2, 3))(image=image, boxes=v.Boxes(boxes, outside=outside, min_visible=1), seed=seed)
        assert len(out["boxes"]) == 3
        for before, after in zip(boxes, out["boxes"], strict=True):
            assert after[2:] - after[:2] == pytest.approx(before[2:] - before[:2])
            corner = image[int(before[1]), int(before[0])]
            y, x = np.argwhere(out["image"] == corner)[0]
            assert after[:2] == pytest.approx([x + before[0] % 1, y + before[1] % 1])


def test_a_box_over_several_tiles_keeps_its_largest_piece() -> None:
    rows, columns, rng = edges(41, 3), edges(64, 4), np.random.default_rng(0)
    tiles = [(x, y, end, low) for y, low in pairwise(rows) for x, end in pairwise(columns)]
    image = numbered(41, 64)
    low = rng.uniform(0, [50, 30], (40, 2))
    boxes = np.concatenate([low, np.minimum(low + rng.uniform(5, 30, (40, 2)), [64, 41])], 1)
    out = v.JigsawShuffle(tiles=(3, 4))(image=image, boxes=boxes, seed=5)
    for number, after in zip(out.kept, out["boxes"], strict=True):
        pieces = [rectangle(*boxes[number]).intersection(rectangle(*tile)) for tile in tiles]
        most = max(range(len(tiles)), key=lambda tile: pieces[tile].area)
        y, x = np.argwhere(out["image"] == image[tiles[most][1], tiles[most][0]])[0]
        shift = np.array([x - tiles[most][0], y - tiles[most][1]])
        assert after == pytest.approx(np.array(pieces[most].bounds) + np.tile(shift, 2))
    shares = [max(rectangle(*row).intersection(rectangle(*tile)).area for tile in tiles) / rectangle(*row).area for row in boxes]
    kept = v.JigsawShuffle(tiles=(3, 4))(image=image, boxes=v.Boxes(boxes, min_visible=0.5), seed=5).kept
    assert kept.tolist() == [number for number, share in enumerate(shares) if share >= 0.5]
    torn = v.JigsawShuffle(tiles=(3, 4))(image=image, boxes=v.Boxes(boxes, outside="drop"), seed=5).kept
    assert torn.tolist() == [number for number, share in enumerate(shares) if share > 1 - 1e-9]


def test_the_shuffle_can_be_undone() -> None:
    image, points = numbered(41, 64).astype(np.float32) / 65535, np.random.default_rng(0).uniform(0, 40, (9, 2))
    out = v.JigsawShuffle(tiles=4)(image=image, keypoints=points, seed=3)
    back = out.undo(mask=np.asarray(out["image"]), keypoints=out["keypoints"])
    assert np.array_equal(back["mask"], image)
    assert back["keypoints"] == pytest.approx(points)


@BACKENDS
@pytest.mark.parametrize("post", ["Scale(factor=0.5)", "Pad(by=20)", "Rotate(angle=45)", "Letterbox(size=(60, 90))"])
def test_no_tile_is_seen_twice_around_the_canvas(post: str, backend: str) -> None:
    image = np.ones((40, 40), np.float32)
    plain, shuffled = (
        policy(image=image, mask=image, seed=1, backend=backend, valid=True)
        for policy in (v.parse(post), v.parse(f"JigsawShuffle(tiles=4) | {post}"))
    )
    assert len(shuffled.plan.primitives) == 1
    for name in ("mask", "valid"):
        assert shuffled[name].sum() == plain[name].sum()
    assert shuffled["image"].sum() == pytest.approx(plain["image"].sum(), rel=0.02)


def test_points_off_the_canvas_stay_off() -> None:
    points = np.array([[-5.0, 10, 2], [45, 50, 2], [10, -1, 2], [20, 20, 2]])
    out = v.parse("Scale(factor=2) | JigsawShuffle(tiles=4)")(image=np.zeros((40, 40), np.uint8), keypoints=points + [0, 0, 0], seed=1)
    places = (points[:, :2] - 20) * 2 + 20
    assert out["keypoints"][:3].tolist() == [[*place, 0] for place in places[:3]]
    assert out["keypoints"][3, 2] == 2
