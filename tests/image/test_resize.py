"""Canvases by rule: sizes against their formulas, pixels against Pillow, NumPy and slices."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

import vicinal as v

RNG = np.random.default_rng(0)
BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])
SIDES = st.integers(1, 90)


def half_up(value: float) -> int:
    """Whole pixels, at least one; halves go up."""
    return max(1, int(np.floor(value + 0.5)))


def shape(policy: v.Transform, height: int, width: int) -> tuple[int, int]:
    return policy(np.zeros((height, width), np.uint8), seed=0).shape


@settings(derandomize=True, max_examples=40, deadline=None)
@given(SIDES, SIDES, st.integers(1, 70))
def test_sizes_are_those_of_the_formulas(height: int, width: int, size: int) -> None:
    for policy, side in ((v.LongestMaxSize(size=size), max(height, width)), (v.SmallestMaxSize(size=size), min(height, width))):
        expected = (half_up(height * (size / side)), half_up(width * (size / side)))
        if max(expected) < 500:
            assert shape(policy, height, width) == expected
            assert size in expected
    factor = size / 40
    assert shape(v.RandomScale(factor=factor), height, width) == (half_up(height * factor), half_up(width * factor))
    assert shape(v.Letterbox(size=(size, 70)), height, width) == (size, 70)
    assert shape(v.PadIfNeeded(size=(size, 70)), height, width) == (max(size, height), max(70, width))
    assert shape(v.Resize(size=(size, 7)), height, width) == (size, 7)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(SIDES, SIDES, st.floats(0, 360))
def test_a_growing_canvas_holds_all_corners_and_no_pixel_more(height: int, width: int, angle: float) -> None:
    corners = np.array([[0.0, 0], [width, 0], [width, height], [0, height]])
    out = v.Rotate(angle=angle, expand=True)(image=np.zeros((height, width, 1), np.uint8), keypoints=corners, seed=0)
    high, wide = out["image"].shape[:2]
    assert out["keypoints"].min() > -1e-5
    assert (out["keypoints"] < np.array([wide, high]) + 1e-5).all()
    extent = np.ptp(out["keypoints"], axis=0)
    assert (np.array([wide, high]) - extent < 1).all()
    whole = out["keypoints"].mean(0)
    assert whole == pytest.approx([wide / 2, high / 2])


@BACKENDS
@pytest.mark.parametrize("size", [(31, 20), (20, 20), (1, 7), (70, 91)])
@pytest.mark.parametrize("turns", range(-4, 5))
def test_right_angles_are_numpy_to_the_bit(turns: int, size: tuple, backend: str) -> None:
    image = RNG.integers(0, 256, (*size, 3), np.uint8)
    assert np.array_equal(v.Rotate(angle=90 * turns, expand=True)(image, seed=0, backend=backend), np.rot90(image, turns))


@BACKENDS
@pytest.mark.parametrize("size", [(20, 31), (16, 16), (70, 91)])
@pytest.mark.parametrize("element", range(8))
def test_the_symmetries_of_the_square_are_numpy_to_the_bit(element: int, size: tuple, backend: str) -> None:
    image = RNG.integers(0, 65536, (*size, 2)).astype(np.uint16)
    flipped = image[:, ::-1] if element >= 4 else image
    assert np.array_equal(v.D4(element=element)(image, seed=0, backend=backend), np.rot90(flipped, element % 4))


def test_the_symmetries_of_the_square_are_a_group_and_equally_likely() -> None:
    image = np.arange(9, dtype=np.uint8).reshape(3, 3)
    images = [np.asarray(v.D4(element=element)(image, seed=0)) for element in range(8)]
    assert len({one.tobytes() for one in images}) == 8
    products = {np.asarray(v.D4(element=b)(a, seed=0)).tobytes() for a in images for b in range(8)}
    assert products == {one.tobytes() for one in images}
    drawn = v.D4()(image=np.zeros((4000, 2, 2, 1), np.uint8), seed=0).plan.params["D4"]["element"]
    assert np.bincount(drawn) / 4000 == pytest.approx([1 / 8] * 8, abs=0.02)


SMOOTH = np.asarray(ndimage.gaussian_filter(RNG.random((120, 180)), 5), np.float32)
SMOOTH = (SMOOTH - SMOOTH.min()) / np.ptp(SMOOTH)


@BACKENDS
@pytest.mark.parametrize(
    "policy",
    [
        v.LongestMaxSize(size=60),
        v.SmallestMaxSize(size=31),
        v.RandomScale(factor=0.4),
        v.RandomScale(factor=2.5),
        v.LongestMaxSize(size=333),
    ],
    ids=str,
)
def test_smooth_pictures_are_resized_as_by_pillow(policy: v.Transform, backend: str) -> None:
    got = policy(SMOOTH, seed=0, backend=backend)
    expected = np.asarray(Image.fromarray(SMOOTH).resize(got.shape[::-1], Image.Resampling.BILINEAR))
    assert got == pytest.approx(expected, abs=0.03)


@BACKENDS
@pytest.mark.parametrize("times", [2, 3, 5])
@pytest.mark.parametrize("cls", [v.LongestMaxSize, v.SmallestMaxSize])
def test_shrinking_by_a_whole_factor_is_the_box_reduction_of_pillow(cls: type, times: int, backend: str) -> None:
    image = RNG.integers(0, 256, (60, 90, 3), np.uint8)
    size = (90 if cls is v.LongestMaxSize else 60) // times
    expected = np.asarray(Image.fromarray(image).reduce(times)).astype(int)
    assert np.abs(cls(size=size)(image, seed=0, backend=backend).astype(int) - expected).max() <= 1


@BACKENDS
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("size", [(31, 64), (80, 17), (9, 9), (90, 110)])
def test_shrinking_is_the_mean_over_the_area(size: tuple[int, int], dtype: str, backend: str) -> None:
    """Fractions of source pixels count by their share, exactly as in OpenCV's area interpolation."""
    scale = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    image = (np.random.default_rng(1).random((90, 110, 3)) * scale).astype(dtype)
    expected = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    got = v.Resize(size=size)(image, seed=0, backend=backend)
    assert np.abs(got.astype(float) - expected).max() <= (1 if scale > 1 else 1e-5)


@BACKENDS
@pytest.mark.parametrize("channels", [1, 3, 6])
def test_enlarging_and_one_axis_each(channels: int, backend: str) -> None:
    """Along an axis that grows a pixel is interpolated between two, whatever happens along the other."""
    image = np.random.default_rng(2).random((70, 90, channels)).astype(np.float32)
    wide = v.Resize(size=(70, 200))(image, seed=0, backend=backend)
    low = v.Resize(size=(31, 200))(image, seed=0, backend=backend)
    linear = np.stack([cv2.resize(image[..., c], (200, 70), interpolation=cv2.INTER_LINEAR) for c in range(channels)], -1)
    area = np.stack([cv2.resize(wide[..., c], (200, 31), interpolation=cv2.INTER_AREA) for c in range(channels)], -1)
    assert wide == pytest.approx(linear, abs=2e-3)
    assert low == pytest.approx(area, abs=1e-5)


@pytest.mark.parametrize("border", ["constant", "reflect", "replicate"])
def test_a_box_that_reaches_over_the_edge_takes_in_the_border(border: str) -> None:
    image = np.random.default_rng(3).random((80, 96, 3)).astype(np.float32)
    policy = v.Scale(factor=0.37, antialias=True, border=border, fill=0.5)
    fast, slow = (policy(image, seed=0, backend=backend) for backend in ("cpu", "reference"))
    mode = {"constant": {"mode": "constant", "constant_values": 0.5}, "reflect": {"mode": "symmetric"}, "replicate": {"mode": "edge"}}
    wide = np.pad(image, ((80, 80), (96, 96), (0, 0)), **mode[border])
    assert fast == pytest.approx(slow, abs=1e-5)
    assert slow[40, 48] == pytest.approx(_box(wide, 40.5, 48.5, 1 / 0.37), abs=1e-6)
    assert slow[2, 3] == pytest.approx(_box(wide, 2.5, 3.5, 1 / 0.37), abs=1e-6)


def _box(wide: np.ndarray, y: float, x: float, side: float) -> np.ndarray:
    """The mean over a square of the padded image about the source of a place of the result, from a table of sums."""
    sums = np.pad(wide.astype(float).cumsum(0).cumsum(1), ((1, 0), (1, 0), (0, 0)))
    ends = [[(at - half) * side + half + full + sign * side / 2 for sign in (-1, 1)] for at, half, full in ((y, 40, 80), (x, 48, 96))]
    at = [ndimage.map_coordinates(sums[..., c], np.stack(np.meshgrid(*ends, indexing="ij")), order=1) for c in range(wide.shape[-1])]
    return np.array([a[1, 1] - a[0, 1] - a[1, 0] + a[0, 0] for a in at]) / side**2


def test_without_antialiasing_shrinking_takes_single_pixels() -> None:
    image = RNG.integers(0, 256, (60, 90), np.uint8)
    got = v.RandomScale(factor=1 / 3, antialias=False)(image, seed=0)
    assert np.array_equal(got, image[1::3, 1::3])


@BACKENDS
@pytest.mark.parametrize(("size", "inner"), [((50, 80), (40, 80)), ((80, 50), (25, 50)), ((33, 47), (24, 47))])
def test_a_letterbox_is_a_resize_in_the_middle(size: tuple, inner: tuple, backend: str) -> None:
    image = RNG.integers(0, 256, (20, 40, 3), np.uint8)
    got = v.Letterbox(size=size, fill=0.25)(image, seed=0, backend=backend)
    resized = v.Resize(size=inner)(image, seed=0, backend=backend)
    top, left = (size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2
    expected = np.full((*size, 3), 64, np.uint8)
    expected[top : top + inner[0], left : left + inner[1]] = resized
    # Along the edge picture and fill are interpolated, over half a pixel of the picture that came.
    edge = np.zeros(size, bool)
    for line in (top, top + inner[0]):
        edge[max(line - 1, 0) : line + 1] = True
    for line in (left, left + inner[1]):
        edge[:, max(line - 1, 0) : line + 1] = True
    assert np.abs(got.astype(int) - expected)[~edge].max() <= 1
    outside = ~edge
    outside[top : top + inner[0], left : left + inner[1]] = False
    assert (got[outside] == 64).all()


@BACKENDS
@pytest.mark.parametrize(("border", "mode"), [("constant", "constant"), ("reflect", "symmetric"), ("replicate", "edge")])
def test_padding_where_needed_is_that_of_numpy(border: str, mode: str, backend: str) -> None:
    image = RNG.integers(0, 256, (13, 30, 2), np.uint8)
    got = v.PadIfNeeded(size=(20, 25), border=border)(image, seed=0, backend=backend)
    assert np.array_equal(got, np.pad(image, [(3, 4), (0, 0), (0, 0)], mode))


@BACKENDS
@pytest.mark.parametrize("size", [(10, 20), (24, 36), (1, 1), (23, 35)])
def test_five_and_ten_crops_are_slices_of_numpy(size: tuple, backend: str) -> None:
    image = RNG.integers(0, 256, (24, 36, 3), np.uint8)
    (h, w), y, x = size, (24 - size[0] + 1) // 2, (36 - size[1] + 1) // 2
    five = [image[:h, :w], image[:h, 36 - w :], image[24 - h :, :w], image[24 - h :, 36 - w :], image[y : y + h, x : x + w]]
    got = v.FiveCrop([], size=size)(image, seed=0, backend=backend)
    assert all(np.array_equal(a, b) for a, b in zip(got, five, strict=True))
    ten = v.TenCrop([], size=size)(image, seed=0, backend=backend)
    assert all(np.array_equal(a, b) for a, b in zip(ten, five + [crop[:, ::-1] for crop in five], strict=True))


def test_annotations_follow_every_crop() -> None:
    image = np.arange(24 * 36, dtype=np.uint16).reshape(24, 36)
    point = np.array([[17.5, 12.5]])
    for out in v.TenCrop([], size=(20, 30))(image=image, keypoints=point, seed=0):
        x, y = out["keypoints"][0].astype(int)
        assert out["image"][y, x] == image[12, 17]
