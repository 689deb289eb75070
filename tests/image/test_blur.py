"""Blurs against SciPy, OpenCV and the papers' own recipes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from scipy import ndimage, stats

import vicinal as v
from vicinal.image.blur import disc, gaussian, line

SCALE = {"uint8": 255, "uint16": 65535, "float32": 1}
RNG = np.random.default_rng(0)
BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])


@pytest.fixture(scope="module")
def photo(shared_data):
    """A real picture, (120, 168, 3)."""
    image = cv2.imread(str(shared_data("photos") / "bsds_100007.jpg"))
    return np.ascontiguousarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB)[40:160, 60:228])


def picture(dtype, height=37, width=45, channels=3):
    values = RNG.random((height, width, channels))
    return values.astype(dtype) if dtype == "float32" else np.rint(values * SCALE[dtype]).astype(dtype)


def planes(image, function):
    """A function of planes, channel by channel, on values in [0, 1]."""
    values = image.astype(float) / SCALE[str(image.dtype)]
    return np.stack([function(plane) for plane in np.moveaxis(values, -1, 0)], -1)


def close(got, expected, most):
    assert np.abs(got.astype(float) / SCALE[str(got.dtype)] - expected).max() <= most + 1e-6


@BACKENDS
@pytest.mark.parametrize("dtype", SCALE)
@pytest.mark.parametrize("sigma", [0.3, 1, 2.4, 7])
def test_gaussian_blur_is_scipys(sigma, dtype, backend):
    image = picture(dtype)
    got = v.GaussianBlur(sigma=sigma)(image, seed=0, backend=backend)
    close(got, planes(image, lambda plane: ndimage.gaussian_filter(plane, sigma, mode="mirror")), 1 / 255 if dtype == "uint8" else 1e-4)


def test_gaussian_blur_of_a_photograph_is_opencvs_and_scipys(photo):
    got = v.GaussianBlur(sigma=2)(photo, seed=0)
    close(got, planes(photo, lambda plane: ndimage.gaussian_filter(plane, 2, mode="mirror")), 1 / 255)
    assert np.abs(got.astype(int) - cv2.GaussianBlur(photo, (17, 17), 2)).max() <= 2


def test_rows_of_different_widths_are_those_of_their_own():
    together = gaussian(np.array([0.0, 0.5, 3.0]))
    for row, sigma in enumerate((0.0, 0.5, 3.0)):
        alone = gaussian(np.array([sigma]))[0, 0]
        middle = together.shape[2] // 2
        half = len(alone) // 2
        assert np.array_equal(together[row, 0, middle - half : middle + half + 1], alone)
        assert together[row].sum() == pytest.approx(1, abs=1e-12)


@BACKENDS
@pytest.mark.parametrize("dtype", SCALE)
@pytest.mark.parametrize("size", [3, 5, 11])
@pytest.mark.parametrize("canvas", [(37, 45), (80, 90)])
def test_box_blur_is_scipys(size, dtype, canvas, backend):
    image = picture(dtype, *canvas)
    got = v.BoxBlur(size=size)(image, seed=0, backend=backend)
    close(got, planes(image, lambda plane: ndimage.uniform_filter(plane, size, mode="mirror")), 1 / 255 if dtype == "uint8" else 1e-4)


@pytest.mark.parametrize("cls", [v.BoxBlur, v.MedianBlur])
def test_sizes_are_odd_and_equally_likely(cls):
    def sizes(policy):
        return policy(image=np.zeros((6000, 2, 2, 1), np.uint8), seed=0).plan.params[cls.__name__]["size"]

    drawn, counts = np.unique(sizes(cls(size=(3, 9))), return_counts=True)
    assert drawn.tolist() == [3, 5, 7, 9]
    assert stats.chisquare(counts).pvalue > 1e-3
    assert set(sizes(cls(size={"choice": [3, 7]}))) == {3, 7}
    assert set(sizes(cls(size={"log": [3, 9]}))) <= {3, 5, 7, 9}


@pytest.mark.parametrize(
    ("size", "odd"), [(1, {1}), (4, {3}), ((2, 6), {3, 5}), ((4, 4), {3}), ((3, 8), {3, 5, 7}), ({"choice": [3, 6]}, {3, 5})]
)
def test_an_even_size_means_the_odd_one_below(size, odd):
    params = v.BoxBlur(size=size)(image=np.zeros((200, 2, 2, 1), np.uint8), seed=0).plan.params
    assert set(params["BoxBlur"]["size"]) == odd


@pytest.mark.parametrize("size", [0, 257, 3.5, (0, 5)])
def test_sizes_out_of_bounds_are_refused(size):
    with pytest.raises(v.ParameterError, match=r"BoxBlur.size"):
        v.BoxBlur(size=size)


@pytest.mark.parametrize("dtype", SCALE)
@pytest.mark.parametrize("size", [3, 5, 7, 9])
@pytest.mark.parametrize("canvas", [(1, 1, 1), (20, 3, 2), (23, 30, 9), (70, 72, 3)])
def test_median_blur_is_scipys_to_the_bit(size, dtype, canvas):
    image = picture(dtype, *canvas)
    expected = np.stack([ndimage.median_filter(plane, size, mode="nearest") for plane in np.moveaxis(image, -1, 0)], -1)
    assert np.array_equal(v.MedianBlur(size=size)(image, seed=0), expected)


def test_median_blur_of_a_photograph_is_opencvs(photo):
    for size in (3, 5, 21):
        assert np.array_equal(v.MedianBlur(size=size)(photo, seed=0), cv2.medianBlur(photo, size))


def along(plane, length, degrees, direction):
    """The mean over a path, sampled finely by SciPy."""
    y, x = np.mgrid[: plane.shape[0], : plane.shape[1]].astype(float)
    steps = length / 2 * (direction + (np.arange(800) + 0.5) / 400 - 1)
    dx, dy = np.cos(np.deg2rad(degrees)), -np.sin(np.deg2rad(degrees))
    return np.mean([ndimage.map_coordinates(plane, [y + t * dy, x + t * dx], order=1, mode="mirror") for t in steps], 0)


@BACKENDS
@pytest.mark.parametrize(("length", "degrees", "direction"), [(5, 0, 0), (5, 90, 0), (8, 30, 0), (6.5, -75, 1), (3, 200, -1), (0.5, 45, 0)])
def test_motion_blur_is_the_mean_over_its_path(length, degrees, direction, backend):
    plane = RNG.random((24, 26)).astype(np.float32)
    got = v.MotionBlur(length=length, angle=degrees, direction=direction)(plane, seed=0, backend=backend)
    # Four samples a pixel: what lies between them is seen to 1/100 of the range.
    assert np.abs(got - along(plane.astype(float), length, degrees, direction)).max() < 0.02


def test_paths_weigh_one_and_do_not_depend_on_their_batch():
    length, angle, direction = np.array([0.0, 3, 40]), np.array([10.0, 77, 300]), np.array([0.0, 1, -0.3])
    together = line(length, angle, direction)
    assert together.sum((1, 2)) == pytest.approx(np.ones(3), abs=1e-12)
    for row in range(3):
        alone = line(length[[row]], angle[[row]], direction[[row]])[0]
        cut = (together.shape[1] - alone.shape[0]) // 2
        inner = together[row, cut : cut + len(alone), cut : cut + len(alone)]
        assert np.array_equal(inner, alone)


def imagenet_c_disc(radius, alias):
    """The kernel of the authors' code, brought to a sum of 1 again: OpenCV mirrors what the smoothing moves over the edge."""
    half, width = (8, 3) if radius <= 8 else (radius, 5)
    x, y = np.meshgrid(np.arange(-half, half + 1), np.arange(-half, half + 1))
    kernel = np.array(x**2 + y**2 <= radius**2, np.float32)
    kernel = cv2.GaussianBlur(kernel, (width, width), alias)
    return kernel / kernel.sum()


@pytest.mark.parametrize("radius", [3, 4, 6, 8])
def test_defocus_looks_like_that_of_imagenet_c(radius, photo):
    expected = cv2.filter2D(photo, -1, imagenet_c_disc(radius, 0.5), borderType=cv2.BORDER_REFLECT_101)
    got = v.Defocus(radius=radius)(photo, seed=0)
    assert np.abs(got.astype(float) - expected).mean() < 1
    assert np.abs(photo.astype(float) - expected).mean() > 8 * np.abs(got.astype(float) - expected).mean()


def test_discs_are_as_wide_as_discs():
    for radius in (2.0, 5.5, 12.0):
        (kernel,) = disc(np.array([radius]))
        x = np.arange(len(kernel)) - len(kernel) // 2
        assert (kernel * x**2).sum() == pytest.approx(radius**2 / 4, abs=0.2)  # each axis of a uniform disc; a pixel's width adds 1/12


@pytest.mark.parametrize("dtype", SCALE)
@pytest.mark.parametrize("canvas", [(31, 40, 3), (90, 101, 3), (20, 21, 6)])
def test_zoom_blur_is_the_mean_of_enlargements(dtype, canvas):
    image = cv2.GaussianBlur(picture(dtype, *canvas), (0, 0), 2)
    got = v.ZoomBlur(factor=1.4, zooms=5)(image, seed=0)
    height, width = canvas[:2]
    y, x = np.mgrid[:height, :width] + 0.5
    zooms = [((y - height / 2) / f + height / 2 - 0.5, (x - width / 2) / f + width / 2 - 0.5) for f in np.linspace(1, 1.4, 5)]
    expected = planes(image, lambda plane: np.mean([ndimage.map_coordinates(plane, places, order=1) for places in zooms], 0))
    close(got, expected, 1.6 / 255 if dtype == "uint8" else 1e-4)


def frosted(image, distance, rounds, rng):
    """The authors' loop, with offsets on both sides alike."""
    out, (height, width) = image.copy(), image.shape[:2]
    for _ in range(rounds):
        for y in range(height - 1 - distance, distance - 1, -1):
            for x in range(width - 1 - distance, distance - 1, -1):
                dy, dx = rng.integers(-distance, distance + 1, 2)
                out[[y, y + dy], [x, x + dx]] = out[[y + dy, y], [x + dx, x]]
    return out


def test_glass_blur_without_a_blur_moves_pixels_and_changes_none(photo):
    moved = v.GlassBlur(sigma=0, distance=3)(photo, seed=0)
    assert np.array_equal(np.sort(moved.reshape(-1, 3), axis=0), np.sort(photo.reshape(-1, 3), axis=0))
    assert {tuple(pixel) for pixel in moved.reshape(-1, 3)} == {tuple(pixel) for pixel in photo.reshape(-1, 3)}
    assert not np.array_equal(moved, v.GlassBlur(sigma=0, distance=3)(photo, seed=1))


@pytest.mark.parametrize("distance", [1, 2, 4])
def test_glass_blur_moves_pixels_as_far_as_that_of_imagenet_c(distance, photo):
    theirs = frosted(photo, distance, 2, np.random.default_rng(0)).astype(float) - photo
    ours = v.GlassBlur(sigma=0, distance=distance)(photo, seed=0).astype(float) - photo
    inner = np.s_[distance:-distance, distance:-distance]
    assert np.sqrt((ours[inner] ** 2).mean()) == pytest.approx(np.sqrt((theirs[inner] ** 2).mean()), rel=0.06)


GROWING = [
    lambda s: v.GaussianBlur(sigma=4 * s),
    lambda s: v.BoxBlur(size=1 + 2 * round(5 * s)),
    lambda s: v.MedianBlur(size=1 + 2 * round(5 * s)),
    lambda s: v.MotionBlur(length=15 * s, angle=30),
    lambda s: v.Defocus(radius=6 * s),
    lambda s: v.ZoomBlur(factor=1 + 0.3 * s),
    lambda s: v.GlassBlur(sigma=s, distance=round(5 * s)),
]


@pytest.mark.parametrize("policy", GROWING, ids=lambda make: type(make(1)).__name__)
def test_distortion_grows_with_strength(policy, photo):
    changes = [np.abs(policy(s)(photo, seed=0).astype(float) - photo).mean() for s in (0, 0.25, 0.5, 0.75, 1)]
    assert changes[0] == 0
    assert all(np.diff(changes) > 0)


@pytest.mark.parametrize("policy", GROWING, ids=lambda make: type(make(1)).__name__)
def test_annotations_stay(policy):
    named = {"boxes": np.array([[1.0, 1, 5, 5]]), "keypoints": np.array([[2.0, 2]]), "mask": np.eye(20)}
    out = policy(1)(image=picture("uint8", 20, 20), **named, seed=0)
    assert all(np.array_equal(out[name], value) for name, value in named.items())
