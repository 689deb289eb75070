"""Boxes, masks, keypoints, labels: how they follow, what is dropped, and against counting pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vicinal as v
from vicinal.core import affine
from vicinal.core.polygon import area, clip

IMAGE = np.zeros((30, 40, 3), np.uint8)
XYXY = np.array([[4.0, 6.0, 14.0, 10.0], [0.0, 0.0, 40.0, 30.0]])
WRITTEN = {
    "xyxy": XYXY,
    "xywh": [[4, 6, 10, 4], [0, 0, 40, 30]],
    "cxcywh": [[9, 8, 10, 4], [20, 15, 40, 30]],
    "yolo": [[9 / 40, 8 / 30, 10 / 40, 4 / 30], [0.5, 0.5, 1, 1]],
    "normalised": [[4 / 40, 6 / 30, 14 / 40, 10 / 30], [0, 0, 1, 1]],
}
TURNED = {  # after a quarter turn: the canvas is 40 high and 30 wide, (x, y) went to (y, 40 - x)
    "xyxy": [[6, 26, 10, 36], [0, 0, 30, 40]],
    "xywh": [[6, 26, 4, 10], [0, 0, 30, 40]],
    "cxcywh": [[8, 31, 4, 10], [15, 20, 30, 40]],
    "yolo": [[8 / 30, 31 / 40, 4 / 30, 10 / 40], [0.5, 0.5, 1, 1]],
    "normalised": [[6 / 30, 26 / 40, 10 / 30, 36 / 40], [0, 0, 1, 1]],
}


def boxes_of(policy, boxes, **targets):
    return policy(image=IMAGE, boxes=boxes, seed=0, **targets)["boxes"]


@pytest.mark.parametrize("name", WRITTEN)
def test_boxes_come_back_in_their_format_on_the_new_canvas(name):
    assert boxes_of(v.Invert(), v.Boxes(WRITTEN[name], name)) == pytest.approx(np.array(WRITTEN[name]))
    assert boxes_of(v.RandomRotate90(turns=1), v.Boxes(WRITTEN[name], name)) == pytest.approx(np.array(TURNED[name]))


CUT = np.array([[-2.0, 2, 8, 6]]) + [12, 0, 12, 0]  # a Translate(x=-12) leaves 8 of its 10 columns


@pytest.mark.parametrize(
    ("outside", "min_visible", "left"),
    [
        ("clip", 0.0, [[0, 2, 8, 6]]),
        ("clip", 0.8, [[0, 2, 8, 6]]),
        ("clip", 0.81, []),
        ("keep", 0.8, [[-2, 2, 8, 6]]),
        ("keep", 0.81, []),
        ("drop", 0.0, []),
    ],
)
def test_cut_boxes_are_clipped_kept_or_dropped(outside, min_visible, left):
    out = boxes_of(v.Translate(x=-12), v.Boxes(CUT, outside=outside, min_visible=min_visible))
    assert out.tolist() == left


@pytest.mark.parametrize("outside", ["clip", "keep", "drop"])
def test_boxes_that_left_the_canvas_never_come_back(outside):
    boxes = v.Boxes([[0.0, 0, 10, 10], [20.0, 5, 30, 15]], outside=outside)
    there_and_back = v.parse("Translate(x=-15) | Barrier() | Translate(x=15)")
    assert boxes_of(there_and_back, boxes).tolist() == [[20, 5, 30, 15]]


def test_polygons_stay_small_over_many_passes():
    policy = v.Compose([node for number in range(8) for node in (v.Rotate(angle=7, name=f"r{number}"), v.Barrier())])
    out = policy(image=IMAGE, boxes=[[10.0, 5, 30, 25]] * 1000, seed=0)  # 16 times the points a pass would fill the memory
    assert len(out["boxes"]) == 1000


def test_a_box_along_the_edge_is_not_cut_by_rounding():
    whole = v.Boxes([[0.0, 0, 40, 30]], outside="drop", min_visible=1)
    for size in range(1, 60):
        assert boxes_of(v.Resize(size=(7, size)), whole).tolist() == [[0, 0, size, 7]]


def test_a_fused_shift_there_and_back_loses_nothing():
    out = boxes_of(v.parse("Translate(x=-15) | Translate(x=15, name='back')"), XYXY)
    assert out.tolist() == XYXY.tolist()


@settings(derandomize=True, max_examples=40, deadline=None)
@given(st.floats(-180, 180), st.floats(-20, 20), st.floats(-15, 15), st.floats(0.6, 1.8))
def test_visible_share_and_extent_agree_with_counting_pixels(angle, x, y, scale):
    box, times = np.array([[10.0, 8.0, 26.0, 20.0]]), 8
    policy = v.Affine(angle=angle, x=x, y=y, scale=scale)
    matrix = policy(image=IMAGE, seed=0).plan.primitives[0].matrix
    grid = np.stack(np.meshgrid(np.arange(16 * times), np.arange(12 * times)), -1).reshape(1, -1, 2)
    moved = affine.apply(matrix, (grid + 0.5) / times + box[:, None, :2])[0]
    seen = moved[((moved >= 0) & (moved <= [40, 30])).all(1)]
    share = len(seen) / len(moved)
    for limit, stays in ((share - 0.02, share > 0.02), (share + 0.02, share == 1)):
        out = boxes_of(policy, v.Boxes(box, min_visible=float(np.clip(limit, 0, 1))))
        assert len(out) == stays or (limit <= 0 and share < 0.02) or limit > 1
    out = boxes_of(policy, box)
    if len(seen) and len(out):
        assert out[0] == pytest.approx([*seen.min(0), *seen.max(0)], abs=2 * scale / times + 0.05)


def test_label_and_keypoints_are_dropped_with_their_box_and_the_numbers_are_told():
    boxes = np.array([[0.0, 0, 5, 5], [20, 5, 30, 15], [1, 1, 2, 2], [30, 20, 40, 30]])
    points = np.arange(16.0).reshape(4, 2, 2)
    for label in (np.array([7, 8, 9, 10]), ["a", "b", "c", "d"]):
        out = v.Translate(x=-8)(image=IMAGE, boxes=boxes, keypoints=points, label=label, seed=0)
        assert out.kept.tolist() == [1, 3]
        assert list(out["label"]) == [label[1], label[3]]
        assert out["keypoints"].tolist() == (points[[1, 3]] - [8, 0]).tolist()


def test_a_label_of_the_image_stays_whatever_happens_to_boxes():
    out = v.Translate(x=-8)(image=IMAGE, boxes=np.array([[0.0, 0, 5, 5]]), label=3, seed=0)
    assert (out["label"], len(out["boxes"])) == (3, 0)


def test_keypoints_leave_the_canvas_with_visibility_0_and_without_are_kept_as_they_are():
    points = np.array([[3.0, 4, 2], [20, 4, 1], [20, 5, 0]])
    out = v.Translate(x=-8)(image=IMAGE, keypoints=points, seed=0)["keypoints"]
    assert out.tolist() == [[-5, 4, 0], [12, 4, 1], [12, 5, 0]]
    assert v.Translate(x=-8)(image=IMAGE, keypoints=points[:, :2], seed=0)["keypoints"].tolist() == [[-5, 4], [12, 4], [12, 5]]


@pytest.mark.parametrize("policy", [v.Invert(), v.Rotate(angle=20), v.Compose([])])
def test_samples_without_boxes_and_points_are_fine(policy):
    images = np.stack([IMAGE] * 3)
    keypoints = [[], [[1, 2]], np.zeros((0, 2))]
    out = policy(image=images, boxes=[[], np.zeros((0, 4)), XYXY], keypoints=keypoints, label=[[], [], [1, 2]], seed=0)
    assert [part.shape for part in out["boxes"]] == [(0, 4), (0, 4), (2, 4)]
    assert [part.shape for part in out["keypoints"]] == [(0, 2), (1, 2), (0, 2)]
    assert [list(part) for part in out["label"]] == [[], [], [1, 2]]
    assert policy(image=IMAGE, boxes=[], seed=0)["boxes"].shape == (0, 4)


def test_a_sample_alone_and_in_a_batch_has_the_same_annotations():
    policy = v.parse("Rotate(angle=(-90, 90)) | RandomCrop(size=20)")
    rng = np.random.default_rng(0)
    points = rng.random((5, 3, 2)) * 20
    boxes = np.concatenate([points[:, :, :], points + 3], -1)
    mask = rng.integers(0, 9, (5, 30, 40))
    labels = np.eye(5, 3)
    many = {"boxes": v.Boxes(boxes, min_visible=0.3), "keypoints": points, "mask": mask, "label": labels}
    batch = policy(image=np.stack([IMAGE] * 5), **many, seed=1)
    for row in range(5):
        named = {"boxes": v.Boxes(boxes[row], min_visible=0.3), "keypoints": points[row], "mask": mask[row], "label": labels[row]}
        alone = policy(image=IMAGE, **named, seed=1, index=row)
        assert all(np.array_equal(alone[name], batch[name][row]) for name in named)


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"])
@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_masks_of_any_dtype_keep_dtype_and_set_of_values(dtype, backend):
    values = np.array([0, 1] if dtype == "bool" else [0, 3, 99]).astype(dtype)
    mask = np.random.default_rng(0).choice(values, (30, 40))
    policy = v.parse("Rotate(angle=25, interpolation='linear') | Scale(factor=0.7, antialias=True)")
    out = policy(image=IMAGE, mask=mask, seed=0, backend=backend)
    assert out["mask"].dtype == np.dtype(dtype)
    assert set(np.unique(out["mask"])) == set(values)


def test_a_mask_fills_with_its_own_value_while_the_image_fills_with_its():
    out = v.Translate(x=30, fill=1.0)(image=IMAGE, mask=v.Mask(np.ones((30, 40), np.uint8), fill=255), seed=0)
    assert np.unique(out["mask"][:, :30]).tolist() == [255]
    assert np.unique(out["mask"][:, 30:]).tolist() == [1]
    assert out["image"][:, :30].min() == 255


@pytest.mark.parametrize("fill", [0.1, float("nan"), -1])
def test_a_float_mask_fills_with_any_number(fill):
    out = v.Translate(x=30)(image=IMAGE, mask=v.Mask(np.ones((30, 40), np.float32), fill=fill), seed=0)["mask"]
    assert np.array_equal(np.unique(out[:, :30]), [np.float32(fill)], equal_nan=True)


@pytest.mark.parametrize(
    ("targets", "says"),
    [
        ({"boxes": [[4.0, 6, 45, 10]]}, r"^boxes\[0\]\[0\]: expected x0 < x1 and y0 < y1 within the canvas of 30 rows and 40"),
        ({"boxes": [[0.0, 0, 1, 1], [9, 6, 4, 10]]}, r"^boxes\[0\]\[1\]: .* got xyxy \[9\.0, 6\.0, 4\.0, 10\.0\]; write v\.Boxes"),
        ({"boxes": [[0.0, 0, 1]]}, r"^boxes\[0\]: expected an array of shape \(n, 4\), got shape \(1, 3\)"
         r"; write rows of 4 numbers, np\.zeros\(\(0, 4\)\) for none$"),
        ({"boxes": [[0.0, 0, 1, np.nan]]}, r"^boxes\[0\]: expected finite numbers, got NaN or infinity in row 0"
         r"; write rows\[np\.isfinite\(rows\)\.all\(axis=1\)\]$"),
        ({"boxes": "all"}, r"^boxes\[0\]: expected numbers, got 'all'; write an array of shape \(n, 4\)$"),
        ({"keypoints": [[1, 2, 3, 4]]}, r"^keypoints: expected 2 columns \(x, y\) or 3 \(x, y, visible\), got 4"
         r"; write points\[\.\.\., :2\]$"),
        ({"keypoints": [[1, 2], [3]]}, r"^keypoints: expected numbers, equally many a point, got"),
        ({"keypoints": 5}, r"^keypoints\[0\]: expected an array of shape \(n, 2\), got shape \(\)"
         r"; write rows of 2 numbers, np\.zeros\(\(0, 2\)\) for none$"),
        ({"mask": np.zeros((40, 30))}, r"^mask\[0\]: expected the size of its image, \(30, 40\), got \(40, 30\)"
         r"; write cv2\.resize\(mask, \(40, 30\), interpolation=cv2\.INTER_NEAREST\)$"),
        ({"mask": [[0]]}, r"^mask: expected NumPy arrays"),
        ({"mask": v.Mask(np.zeros((30, 40), np.uint8), fill=300)}, r"^mask\.fill: expected a value that uint8 can hold, got 300"
         r"; write fill=0, or mask\.astype\(np\.int32\)$"),
        ({"depth": 1}, r"^depth: expected a target of image, series, volume, text, mask.*write depth=v.Mask"),
        ({"series": np.zeros(9, np.float32)}, r"^call: expected exactly one of image, series, volume and text, got image and series"
         r"; write a call for each: policy\(image=image\), policy\(series=series\)$"),
    ],
)  # fmt: skip
def test_wrong_targets_get_a_sentence(targets, says):
    with pytest.raises(v.TargetError, match=says):
        v.Rotate(angle=5)(image=IMAGE, **targets, seed=0)


@pytest.mark.parametrize("name", ["boxes", "mask", "keypoints", "label"])
def test_a_batch_needs_one_entry_a_sample(name):
    value = {"boxes": [[], []], "mask": np.zeros((2, 30, 40)), "keypoints": [[], []], "label": [1, 2]}[name]
    with pytest.raises(v.TargetError, match=rf"^{name}: expected 3 entries, one a sample, got 2; write {name}=\[\.\.\.\] of length 3$"):
        v.Rotate(angle=5)(image=np.stack([IMAGE] * 3), **{name: value}, seed=0)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"format": "voc"}, r"^Boxes\.format: expected one of 'xyxy', .*, got 'voc'; write format='xyxy'$"),
        ({"outside": "cut"}, r"^Boxes\.outside: expected one of 'clip', 'keep', 'drop', got 'cut'"),
        ({"min_visible": 30}, r"^Boxes\.min_visible: expected a share in \[0, 1\], got 30; write min_visible=0\.2$"),
        ({"min_visible": "half"}, r"^Boxes\.min_visible: .* got 'half'"),
    ],
)
def test_wrong_options_of_boxes_get_a_sentence(options, says):
    with pytest.raises(v.ParameterError, match=says):
        v.Boxes(XYXY, **options)


QUADS = st.tuples(st.floats(-20, 60), st.floats(-20, 50), st.floats(1, 30), st.floats(1, 30), st.floats(0, np.pi), st.floats(-0.8, 0.8))


def quadrilateral(x, y, width, height, turn, slant):
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) / 2
    linear = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]) @ [[width, slant * height], [0, height]]
    return square @ linear.T + [x, y]


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(QUADS, min_size=1, max_size=4))
def test_clipped_area_agrees_with_counting_points(quads):
    polygons, n = np.stack([quadrilateral(*quad) for quad in quads]), 200
    cut = clip(polygons, np.array([[40.0, 30.0]] * len(quads)))
    assert ((cut >= 0) & (cut <= [40, 30])).all()
    share = (np.stack(np.meshgrid(np.arange(n), np.arange(n)), -1).reshape(-1, 2) + 0.5) / n
    for polygon, left in zip(polygons, cut, strict=True):
        points = polygon[0] + share[:, :1] * (polygon[1] - polygon[0]) + share[:, 1:] * (polygon[3] - polygon[0])
        inside = ((points >= 0) & (points <= [40, 30])).all(1).mean()
        assert area(left[None])[0] == pytest.approx(inside * area(polygon[None])[0], abs=0.02 * area(polygon[None])[0])
    assert clip(cut, np.array([[40.0, 30.0]] * len(quads))).shape[1] <= cut.shape[1] <= 8
