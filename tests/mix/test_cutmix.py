"""CutMix: the rectangle's law, its exact share, and annotations held against the pixels."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from pictures import HEIGHT, WIDTH, colours, extent, objects
from scipy import stats

import vicinal as v
from vicinal.core.batch import Spec
from vicinal.core.draw import Address, Draw
from vicinal.mix import cover
from vicinal.mix.cutmix import rectangles


def test_the_rectangle_has_the_law_of_the_paper() -> None:
    many, side = 8000, 4000
    spec = Spec.of([(side, side)] * many)
    for alpha in (0.3, 1.0, 3.0):
        params = v.CutMix(alpha=alpha, x=0.5, y=0.5).drawn(Draw(Address.of(1, index=range(many)), "CutMix"), spec)
        box = rectangles(params, spec)
        assert stats.kstest(params["weight"], stats.beta(alpha, alpha).cdf).pvalue > 1e-3
        assert np.abs((box[:, 2:] - box[:, :2]) - side * np.sqrt(1 - params["weight"])[:, None]).max() <= 0.5
        share = 1 - (box[:, 2:] - box[:, :2]).prod(1) / side**2
        assert alpha < 1 or stats.kstest(share, stats.beta(alpha, alpha).cdf).pvalue > 1e-3
    params = v.CutMix(alpha=1).drawn(Draw(Address.of(2, index=range(many)), "CutMix"), spec)
    for axis in ("x", "y"):
        assert stats.kstest(params[axis], "uniform").pvalue > 1e-3
    assert abs(stats.spearmanr(params["x"], params["y"]).statistic) < 0.05
    assert abs(stats.spearmanr(params["x"], params["weight"]).statistic) < 0.05


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (5, 3), (24, 32), (31, 17)])
def test_the_weight_is_the_exact_share_of_pixels(shape: tuple[int, int]) -> None:
    for seed in range(30):
        made = v.CutMix(classes=5)(image=colours(5, *shape), label=np.arange(5), seed=seed)
        own = np.asarray(made["image"])[np.arange(5), ..., np.arange(5)]
        assert np.array_equal(made.mixed["CutMix"]["weight"], own.mean((1, 2), dtype=np.float64))


def test_every_sample_has_a_rectangle_of_its_own() -> None:
    done = v.CutMix(p=0.5)(image=colours(40, 8, 8), seed=0).mixed["CutMix"]
    assert 8 < (done["partner"] < 0).sum() < 32
    assert len(np.unique(done["box"], axis=0)) > 10
    assert (done["box"][done["partner"] < 0] == 0).all()


@pytest.mark.parametrize("least", [0.0, 0.1, 0.5, 1.0])
def test_boxes_are_what_the_mask_shows(least: float) -> None:
    held = objects(8, 4)
    area = {int(n): int((held["mask"] == n).sum()) for n in np.unique(held["mask"]) if n}
    for seed in range(10):
        made = v.CutMix(min_visible=least)(**held, seed=seed)
        for row in range(8):
            mask, seen = made["mask"][row], {}
            for box, number in zip(made["boxes"][row], made["label"][row], strict=True):
                seen[int(number)] = box.tolist()
            share = {n: (mask == n).sum() / area[n] for n in area if (mask == n).any()}
            assert set(seen) == {n for n, part in share.items() if part >= least}
            assert all(extent(mask == n) == box for n, box in seen.items())
            assert (made["image"][row, ..., 0] == mask % 251).all()


def test_instances_keep_their_numbers_and_their_keypoints() -> None:
    held = objects(6, 4)
    made = v.CutMix()(**held, seed=3)
    done = made.mixed["CutMix"]
    for row in range(6):
        own = made.kept[row] >= 0
        numbers = held["label"][row][made.kept[row][own]]
        assert np.array_equal(np.asarray(made["label"][row])[own], numbers)
        for points, mine in zip(made["keypoints"][row], own, strict=True):
            x, y, visible = points[0]
            x0, y0, x1, y1 = done["box"][row]
            inside = x0 <= x < x1 and y0 <= y < y1
            assert visible == (inside != mine)


def test_instance_masks_lose_their_pixels_and_decide() -> None:
    held = objects(5, 3)
    tables = [{"boxes": held["boxes"][row], "masks": (held["mask"][row] == held["label"][row][:, None, None])} for row in range(5)]
    box = np.array([4, 2, 20, 14])
    for table in tables:
        for function, inside in ((cover.outside, False), (cover.inside, True)):
            with_masks, with_boxes = (function(one, box, (HEIGHT, WIDTH), 0.1) for one in (table, {"boxes": table["boxes"]}))
            assert np.array_equal(with_masks["boxes"], with_boxes["boxes"])
            window = cover.filled(box[None], (HEIGHT, WIDTH))[0]
            assert not (with_masks["masks"] & (~window if inside else window)).any()


def test_areas_agree_with_shapely() -> None:
    rng = np.random.default_rng(0)
    boxes = np.sort(rng.uniform(0, 20, (400, 2, 2)), axis=1).reshape(400, 4)
    hole = np.array([6.0, 5.0, 13.0, 16.0])
    hole_shape, shapes = shapely.box(*hole), shapely.box(*boxes.T)
    left, share = cover.rest_of(boxes, hole)
    rest = shapely.difference(shapes, hole_shape)
    some = shapely.area(rest) > 0
    assert np.allclose(share, shapely.area(rest) / shapely.area(shapes))
    assert np.allclose(left[some], shapely.bounds(rest)[some])
    part, share = cover.part_of(boxes, hole)
    met = shapely.intersection(shapes, hole_shape)
    some = shapely.area(met) > 0
    assert np.allclose(share, shapely.area(met) / shapely.area(shapes))
    assert np.allclose(part[some], shapely.bounds(met)[some])


def test_loose_keypoints_are_covered_and_come_in() -> None:
    grid = np.stack(np.meshgrid(np.arange(8) + 0.5, np.arange(8) + 0.5), -1).reshape(-1, 2)
    points = np.tile(np.c_[grid, np.ones(64)], (3, 1, 1))
    made = v.CutMix()(image=colours(3, 8, 8), keypoints=points, seed=1)
    for row, (x0, y0, x1, y1) in enumerate(made.mixed["CutMix"]["box"]):
        pasted = (x1 - x0) * (y1 - y0)
        mine, came = made["keypoints"][row][:64], made["keypoints"][row][64:]
        assert np.array_equal(mine[:, :2], grid)
        assert (mine[:, 2] == 0).sum() == pasted == len(came)
        assert (came[:, 2] == 1).all()


def test_keypoints_without_a_visibility_are_an_error_that_says_what_to_write() -> None:
    for p in (1, 0):
        with pytest.raises(v.TargetError, match=r"keypoints: expected a third column.*write np\.c_"):
            v.CutMix(p=p)(image=colours(2), keypoints=np.ones((2, 5, 2)), seed=0)
    assert len(v.CutMix()(image=colours(2), keypoints=[np.zeros((0, 2))] * 2, seed=0)["keypoints"]) == 2


def test_no_boxes_and_boxes_in_any_format() -> None:
    empty = v.CutMix()(image=colours(3), boxes=[np.zeros((0, 4))] * 3, label=[[], [], []], seed=0)
    assert [len(part) for part in empty["boxes"]] == [0, 0, 0] == [len(part) for part in empty["label"]]
    held, policy = objects(4, 3), v.CutMix(min_visible=0.2)
    plain = policy(image=held["image"], boxes=held["boxes"], seed=5)
    for name in ("xywh", "cxcywh", "yolo", "normalised"):
        given = v.Boxes([converted(part, name) for part in held["boxes"]], format=name)
        made = policy(image=held["image"], boxes=given, seed=5)
        for one, other in zip(made["boxes"], plain["boxes"], strict=True):
            assert np.allclose(one, converted(other, name))
    names = [["a", "b", "c"]] * 4
    named = policy(image=held["image"], boxes=held["boxes"], label=names, seed=5)
    assert all(isinstance(part, list) and set(part) <= {"a", "b", "c"} for part in named["label"])


def converted(boxes: np.ndarray, name: str) -> np.ndarray:
    x0, y0, x1, y1 = boxes.T
    w, h = x1 - x0, y1 - y0
    if name == "normalised":
        return np.stack([x0 / WIDTH, y0 / HEIGHT, x1 / WIDTH, y1 / HEIGHT], 1)
    if name == "xywh":
        return np.stack([x0, y0, w, h], 1)
    centred = np.stack([(x0 + x1) / 2, (y0 + y1) / 2, w, h], 1)
    return centred if name == "cxcywh" else centred / [WIDTH, HEIGHT, WIDTH, HEIGHT]


def test_on_real_boxes_and_pictures(shared_data) -> None:
    folder = shared_data("photos")
    from PIL import Image

    paths = sorted(folder.rglob("*.jpg"))[:4]
    images = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    boxes = [np.array([[0.2 * i.shape[1], 0.1 * i.shape[0], 0.9 * i.shape[1], 0.7 * i.shape[0]]]) for i in images]
    policy = v.parse("RandomResizedCrop(size=96) | HorizontalFlip(p=0.5) | CutMix(classes=4) | Normalize() | ToTensor()")
    made = policy(image=images, boxes=boxes, seed=0)
    assert np.shape(made["image"]) == (4, 3, 96, 96)
    assert all(((part >= 0) & (part <= 96)).all() for part in made["boxes"])
