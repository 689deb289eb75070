"""Codecs against Pillow's, resampling against Pillow and OpenCV, lenses against scipy, superpixels against scikit-image."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from skimage.segmentation import find_boundaries, slic

import vicinal as v
from vicinal.backend.effects.superpixels import segments

PHOTOS = ("astronaut.png", "chelsea.png", "kodak_23.png")


@pytest.fixture(scope="module", params=PHOTOS)
def photo(request, shared_data):
    """(160, 201, 3) of a photograph."""
    return np.array(Image.open(shared_data("photos") / request.param).convert("RGB"))[40:200, 30:231]


def coded(image, **settings):
    """An image through Pillow's codec."""
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, **settings)
    return np.array(Image.open(io.BytesIO(stream.getvalue())))


@pytest.mark.parametrize("quality", [5, 30, 60, 95, 100])
@pytest.mark.parametrize("subsampling", ["4:2:0", "4:2:2", "4:4:4"])
def test_jpeg_is_pillows(photo, quality, subsampling):
    ours = v.JpegCompression(quality=quality, subsampling=subsampling)(photo, seed=0)
    theirs = coded(photo, format="JPEG", quality=quality, subsampling=subsampling)
    assert np.abs(ours.astype(int) - theirs).mean() < 0.05
    grey = v.JpegCompression(quality=quality)(photo[..., 1], seed=0)
    assert np.abs(grey.astype(int) - coded(photo[..., 1], format="JPEG", quality=quality)).mean() < 0.05


def test_jpeg_knows_red_from_blue(shared_data):
    """Colour is coded more coarsely than brightness, and red weighs more in brightness than blue: the wrong order shows at once."""
    image = np.array(Image.open(shared_data("photos") / "kodak_23.png").convert("RGB"))[:256, :256]
    right = coded(image, format="JPEG", quality=30)
    ours = v.JpegCompression(quality=30)(image, seed=0)
    swapped = v.JpegCompression(quality=30)(image[..., ::-1].copy(), seed=0)[..., ::-1]
    assert np.abs(ours.astype(int) - right).mean() < 0.05
    assert np.abs(swapped.astype(int) - right).mean() > 1


@pytest.mark.parametrize("quality", [5, 50, 95])
def test_webp_loses_what_pillows_loses(photo, quality):
    """Each its own way: what is chosen is held against libwebp's reader in ``test_webp``."""
    ours = v.WebPCompression(quality=quality)(photo, seed=0).astype(float)
    theirs = coded(photo, format="WEBP", quality=quality).astype(float)
    lost, known = (np.square(made - photo).mean() for made in (ours, theirs))
    assert lost == pytest.approx(known, rel=0.25)
    assert np.square(ours - theirs).mean() < 2 * known  # as far apart as two errors that know nothing of each other


@pytest.mark.parametrize("name", ["JpegCompression", "WebPCompression"])
def test_distortion_falls_with_quality(photo, name):
    policies = [v.parse(f"{name}(quality={quality})") for quality in (2, 10, 30, 60, 90, 100)]
    far = [np.square(policy(photo, seed=0).astype(float) - photo).mean() for policy in policies]
    assert (np.diff(far) < 0).all()


@pytest.mark.parametrize("name", ["JpegCompression", "WebPCompression"])
@pytest.mark.parametrize("channels", [1, 2, 4, 5, 7])
def test_channels_are_coded_in_threes_and_singly(photo, name, channels):
    policy = v.parse(f"{name}(quality=40)")
    image = np.concatenate([photo, photo[::-1], photo[:, ::-1]], 2)[..., :channels]
    out = policy(image, seed=0)
    whole = channels // 3 * 3
    for start, stop in [*((n, n + 3) for n in range(0, whole, 3)), *((n, n + 1) for n in range(whole, channels))]:
        assert np.array_equal(out[..., start:stop], policy(np.ascontiguousarray(image[..., start:stop]), seed=0))


@pytest.mark.parametrize("name", ["JpegCompression", "WebPCompression"])
def test_other_dtypes_go_through_eight_bits(photo, name):
    policy = v.parse(f"{name}(quality=40)")
    eight = policy(photo, seed=0)
    assert np.array_equal(policy(photo.astype(np.uint16) * 257, seed=0), eight.astype(np.uint16) * 257)
    assert np.array_equal(policy((photo / 255).astype(np.float32), seed=0), (eight / 255).astype(np.float32))


def test_what_a_format_cannot_hold_is_told():
    sentence = r"WebPCompression: expected sides of at most 16383 pixels, got 16384; write Resize\(size=16383\)"
    with pytest.raises(v.TargetError, match=sentence):
        v.WebPCompression()(np.zeros((1, 16_384, 1), np.uint8), seed=0)


SCALES = {"uint8": 1.0, "uint16": 257.0, "float32": 1 / 255}


def clear(side, part):
    """(side,) where no centre falls on the edge between two pixels, on the way to ``part`` pixels and back: there rounding decides."""
    back, there = ((2 * np.arange(new) + 1) * old / (2 * new) for old, new in ((part, side), (side, part)))
    on_edge = (there % 1 == 0) & (side % (2 * part) != 0)
    return (back % 1 != 0) & ~on_edge[back.astype(int)]


@pytest.mark.parametrize("factor", [0.5, 0.37, 0.1])
def test_nearest_is_pillows(photo, factor):
    small, full = (round(201 * factor), round(160 * factor)), (201, 160)
    expected = Image.fromarray(photo).resize(small, Image.Resampling.NEAREST).resize(full, Image.Resampling.NEAREST)
    columns, rows = (clear(side, part) for side, part in zip(full, small, strict=True))
    assert min(columns.mean(), rows.mean()) > 0.9
    out = v.Downscale(factor=factor, down="nearest", up="nearest")(photo, seed=0)
    assert np.array_equal(out[rows][:, columns], np.array(expected)[rows][:, columns])


def overlaps(old, new):
    """(new, old) how much of each new pixel lies over each old one."""
    start, stop = (np.arange(new)[:, None] + end for end in (0, 1))
    edge = np.arange(old)[None] * new / old
    return (np.minimum(stop, edge + new / old) - np.maximum(start, edge)).clip(0)


@pytest.mark.parametrize("factor", [0.5, 0.37, 0.1])
@pytest.mark.parametrize("dtype", SCALES)
def test_area_takes_the_means_of_what_lies_below(photo, factor, dtype):
    rows, columns = overlaps(160, round(160 * factor)), overlaps(200, round(200 * factor))
    small = np.einsum("yi,xj,ijc->yxc", rows, columns, photo[:, :200].astype(float), optimize=True)
    out = v.Downscale(factor=factor, down="area", up="nearest")((photo[:, :200] * SCALES[dtype]).astype(dtype), seed=0) / SCALES[dtype]
    y, x = (np.floor((np.arange(side) + 0.5) * len(part) / side).astype(int) for side, part in ((160, rows), (200, columns)))
    assert np.abs(out - small[y][:, x]).max() <= (0.51 if dtype == "uint8" else 0.01)
    if factor == 0.5:
        assert np.abs(small - np.array(Image.fromarray(photo[:, :200]).reduce(2))).max() <= 0.51


@pytest.mark.parametrize("factor", [0.5, 0.37, 0.1])
@pytest.mark.parametrize("channels", [1, 3, 4, 6, 130])
def test_linear_is_opencvs(photo, factor, channels):
    image = np.ascontiguousarray(np.tile(photo, 44)[..., :channels])
    out = v.Downscale(factor=factor, down="linear", up="linear")(image, seed=0)
    small = (round(201 * factor), round(160 * factor))
    for channel in {0, channels // 2, channels - 1}:
        expected = image[..., channel].astype(np.float32)  # with shares in float32; those that it has for bytes are coarser
        for size in (small, (201, 160)):
            expected = np.rint(cv2.resize(expected, size, interpolation=cv2.INTER_LINEAR))
        assert np.abs(out[..., channel] - expected).max() <= 1


@pytest.mark.parametrize(("down", "up"), [("area", "linear"), ("linear", "nearest"), ("nearest", "linear")])
def test_distortion_grows_as_the_factor_falls(photo, down, up):
    out = [v.Downscale(factor=factor, down=down, up=up)(photo, seed=0) for factor in (1, 0.7, 0.4, 0.2, 0.1, 0.05)]
    assert np.array_equal(out[0], photo)
    assert (np.diff([np.square(made.astype(float) - photo).mean() for made in out]) > 0).all()


@pytest.mark.parametrize("dtype", SCALES)
def test_a_lens_enlarges_red_and_blue(photo, dtype):
    image = (photo * SCALES[dtype]).astype(dtype)
    out = v.ChromaticAberration(red=0.03, blue=-0.02)(image, seed=0)
    assert np.array_equal(out[..., 1], image[..., 1])
    y, x = np.mgrid[0:160, 0:201]
    for channel, factor in ((0, 1.03), (2, 0.98)):
        places = [(y + 0.5 - 80) / factor + 79.5, (x + 0.5 - 100.5) / factor + 100]
        expected = ndimage.map_coordinates(image[..., channel].astype(float), places, order=1, mode="nearest")
        assert np.abs(out[..., channel] - expected).max() <= (0.51 if dtype != "float32" else 1e-4)


def test_pixels_of_a_lens_are_counted_at_the_corner():
    image = np.zeros((60, 80, 3), np.float32)
    image[10:12, 15:17] = 1
    share, pixel = v.ChromaticAberration(red=0.1, blue=0), v.ChromaticAberration(red=5, blue=0, unit="pixel")
    assert np.array_equal(share(image, seed=0), pixel(image, seed=0))
    weight = share(image, seed=0)[..., 0]
    centroid = np.array([(weight * (np.arange(80) + 0.5)).sum(), (weight * (np.arange(60) + 0.5)[:, None]).sum()]) / weight.sum()
    assert centroid == pytest.approx([40 + 1.1 * (16 - 40), 30 + 1.1 * (11 - 30)], abs=0.1)


def test_lenses_leave_one_channel_and_refuse_four():
    grey = np.random.default_rng(0).integers(0, 256, (9, 9), np.uint8)
    assert np.array_equal(v.ChromaticAberration()(grey, seed=0), grey)
    with pytest.raises(v.TargetError, match="ChromaticAberration: expected images of 1 or 3 channels, got 4"):
        v.ChromaticAberration()(np.zeros((4, 4, 4), np.uint8), seed=0)


def spread(image, label):
    """The root mean square distance of pixels from the mean of their segment."""
    values, count = image.reshape(-1, 3).astype(float), np.maximum(np.bincount(label.ravel()), 1)
    means = np.stack([np.bincount(label.ravel(), values[:, c]) for c in range(3)], 1) / count[:, None]
    return np.sqrt(np.square(means[label.ravel()] - values).mean())


@pytest.mark.parametrize("count", [50, 200])
def test_segments_are_as_good_as_those_of_scikit_image(photo, count):
    ours, numbers = segments(photo, count, 10.0)
    free, joined = (slic(photo, n_segments=count, compactness=10, start_label=0, enforce_connectivity=c) for c in (False, True))
    assert 0.8 * count < numbers < 1.25 * count
    assert spread(photo, ours) < min(spread(photo, joined), 1.6 * spread(photo, free))
    edges = ndimage.binary_dilation(find_boundaries(ours, mode="inner"), np.ones((3, 3)))
    found = edges[find_boundaries(free, mode="inner")].mean()
    assert found > max(0.6, edges.mean() + 0.05)


def test_a_painted_segment_has_its_mean(photo):
    out = v.Superpixels(count=60, replace=1)(photo, seed=0)
    label, numbers = segments(photo, 60, 10.0)
    for k in range(numbers):
        if (label == k).any():
            assert np.abs(out[label == k] - photo[label == k].mean(0)).max() <= 0.51


def test_a_share_of_the_segments_is_painted(photo):
    image = np.random.default_rng(0).integers(0, 256, (200, 200, 1), np.uint8)
    for share in (0.2, 0.7):
        touched = [(v.Superpixels(count=400, replace=share)(image, seed=seed) != image).mean() for seed in range(4)]
        assert np.mean(touched) == pytest.approx(share, abs=0.05)
    far = [np.square(v.Superpixels(replace=r)(photo, seed=1).astype(float) - photo).mean() for r in (0, 0.3, 0.6, 1)]
    assert far[0] == 0
    assert (np.diff(far) > 0).all()
