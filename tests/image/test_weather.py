"""Weather: formulas where there are some, statistics where it is random, order and bounds everywhere."""

from __future__ import annotations

import colorsys
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage, stats
from skimage import feature, measure, morphology

import vicinal as v

RANGE = {"uint8": 255, "uint16": 65535, "float32": 1}
BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])
BLACK = np.zeros((8, 128, 128, 1), np.float32)
WHITE = np.ones((8, 128, 128, 1), np.float32)
MONOTONE = {"Rain(density={}, opacity=0.7)": (0, 5, 20, 100), "Rain(density=30, opacity={})": (0, 0.2, 0.6, 1),
            "Snow(amount={})": (0, 0.2, 0.6, 1), "Fog(amount={})": (0, 0.2, 0.6, 1), "Clouds(amount={}, cover=0.6)": (0, 0.2, 0.6, 1),
            "Clouds(amount=0.8, cover={})": (0, 0.2, 0.6, 1), "SunFlare(amount={})": (0, 0.2, 0.6, 1),
            "Shadow(amount={})": (0, 0.2, 0.6, 1), "Shadow(amount=0.5, count={})": (0, 1, 3, 6),
            "Spatter(cover={})": (0, 0.1, 0.4, 0.9), "Spatter(cover={}, kind='mud')": (0, 0.1, 0.4, 0.9)}  # fmt: skip


@BACKENDS
@pytest.mark.parametrize("text", MONOTONE)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_weather_is_monotone_bounded_and_neutral_at_0(text, dtype, channels, backend):
    """No value comes nearer to what it was when the amount grows: drops, flakes and clouds are added to those that are there."""
    unit = np.random.default_rng(0).random((2, 37, 50, channels))
    images = unit.astype(dtype) if dtype == "float32" else (unit * RANGE[dtype]).astype(dtype)
    made = [v.parse(text.format(amount))(images, seed=0, backend=backend) for amount in MONOTONE[text]]
    assert np.array_equal(made[0], images)
    far = [np.abs(one.astype(float) - images) for one in made]
    for near, farther in pairwise(far):
        assert (farther >= near - 1e-5 * RANGE[dtype]).all()
        assert farther.mean() > near.mean()
    assert (made[-1].dtype, made[-1].shape) == (images.dtype, images.shape)
    assert made[-1].max() <= RANGE[dtype]


@pytest.mark.parametrize("text", MONOTONE)
def test_the_dtypes_agree(text):
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    policy = v.parse(text.format(MONOTONE[text][2]))
    exact = policy((image / 255).astype(np.float32), seed=0).astype(float)
    assert policy(image, seed=0) / 255 == pytest.approx(exact, abs=0.51 / 255)
    assert policy(image.astype(np.uint16) * 257, seed=0) / 65535 == pytest.approx(exact, abs=1e-5)


@pytest.mark.parametrize("text", MONOTONE)
def test_every_address_has_weather_of_its_own(text):
    """Kept apart from the parameters: these are fixed where they can be, and the key differs."""
    images = np.full((6, 48, 48, 1), 0.3, np.float32)
    made = v.parse(text.format(MONOTONE[text][2]))(images, seed=0)
    assert len({one.tobytes() for one in made}) == 6


@pytest.mark.parametrize("angle", [-40, -10, 0, 25, 60])
def test_rain_falls_at_its_angle(angle):
    """The orientation of the streaks, by scikit-image's structure tensor."""
    made = v.Rain(density=15, length=60, angle=angle, width=4, blur=0.5, opacity=1)(BLACK, seed=0)[..., 0].astype(float)
    rr, rc, cc = np.sum([[part.sum() for part in feature.structure_tensor(one, 1.5, order="rc")] for one in made], axis=0)
    across = 0.5 * np.arctan2(2 * rc, rr - cc)  # the direction of change, from down to the right
    along = np.rad2deg(across) + 90  # of the streak, from down to the right; positive angles fall to the left
    assert (along + angle + 90) % 180 - 90 == pytest.approx(0, abs=2.5)


def test_rain_covers_what_its_drops_sum_to():
    """Few, equal, unblurred drops hardly overlap: light is drops x mean length x width x opacity, whatever the blur."""
    fields = {"density": 4, "length": 30, "angle": 10, "opacity": 0.2, "width": 1.5}
    images = np.zeros((40, 200, 200, 1), np.float32)
    sharp, blurred = (v.Rain(**fields, blur=blur)(images, seed=0).sum((1, 2, 3)).mean() for blur in (0, 1.5))
    assert blurred == pytest.approx(sharp, rel=0.12)  # beyond the ends a wider profile adds a little
    near = stats.uniform(0.4, 0.6)  # how near a drop is scales length and width; its opacity is (1 + near) / 2
    colour = np.dot((0.84, 0.86, 0.9), (0.299, 0.587, 0.114))
    single = near.expect(lambda n: (30 * n * 1.5 * n + 0.625 * (1.5 * n) ** 2) * 0.2 * (1 + n) / 2)
    drops = 16 / 1.2**2  # some fall beside the canvas
    assert sharp == pytest.approx(drops * single * colour, rel=0.15)


def test_drops_fall_everywhere_alike():
    made = v.Rain(density=100, length=8, opacity=0.3)(np.zeros((200, 64, 64, 1), np.float32), seed=0)[..., 0].mean(0)
    blocks = made.reshape(4, 16, 4, 16).mean((1, 3))
    assert blocks.std() / blocks.mean() < 0.12


def lifted(rgb, level, amount):
    """The formula of Snow for one pixel, with the lightness of colorsys."""
    lightness = colorsys.rgb_to_hls(*rgb)[1]
    target = lightness * (1 + 3 * amount * max(1 - lightness / level, 0) ** 2)
    white = (target - lightness) / (1 - lightness)
    return [value + white * (1 - value) for value in rgb]


@BACKENDS
@pytest.mark.parametrize(("level", "amount"), [(0.8, 1.0), (0.5, 0.3)])
def test_snow_on_the_ground_is_its_formula(level, amount, backend):
    pixels = np.random.default_rng(0).random((20, 20, 3)).astype(np.float32) * 0.999
    expected = np.array([[lifted(pixel, level, amount) for pixel in row] for row in pixels])
    got = v.Snow(amount=amount, level=level, density=0)(pixels, seed=0, backend=backend)
    assert np.abs(got - expected).max() < 2e-6


def test_snow_keeps_the_order_of_greys():
    ramp = np.linspace(0, 1, 2001, dtype=np.float32)[None]
    for level in (0.2, 0.6, 1):
        assert (np.diff(v.Snow(amount=1, level=level, density=0)(ramp, seed=0)[0]) >= -1e-6).all()


def test_flakes_are_round_and_white():
    made = v.Snow(amount=1, density=8, size=3, length=0)(np.full((6, 160, 160, 1), 1e-6, np.float32), seed=0)[..., 0]
    found = [region for one in made for region in measure.regionprops(measure.label(one > 0.15)) if 8 < region.area < 40]
    assert len(found) > 20
    assert np.median([region.eccentricity for region in found]) < 0.6
    assert made.max() > 0.8


def test_fog_is_koschmieders_law():
    image = np.random.default_rng(0).random((30, 30, 3)).astype(np.float32)
    made = v.Fog(amount=0.7, variation=0, light=0.9)(image, seed=0)
    assert made == pytest.approx(image * 0.3 + 0.9 * 0.7, abs=1e-6)
    thick = v.Fog(amount=0.8, variation=0.5, light=1)(BLACK, seed=0)
    assert 0.4 - 1e-6 <= thick.min() < 0.47
    assert 0.73 < thick.max() <= 0.8 + 1e-6


def test_fog_takes_contrast_away(shared_data):
    image = np.array(Image.open(next(shared_data("photos").glob("bsds*.jpg"))).convert("RGB"))
    spread = [v.Fog(amount=amount)(image, seed=0).std() for amount in (0, 0.25, 0.5, 0.75, 1)]
    assert spread == sorted(spread, reverse=True)


@pytest.mark.parametrize("cover", [0.1, 0.3, 0.6, 0.95])
def test_clouds_and_spatter_cover_what_they_say(cover):
    clouds = v.Clouds(amount=1, softness=0.3, size=0.2, cover=cover)(BLACK, seed=0)
    mud = v.Spatter(kind="mud", size=0.04, cover=cover)(WHITE, seed=0)
    assert (clouds > 0).mean() == pytest.approx(cover, abs=0.05)
    assert (mud < 1).mean() == pytest.approx(cover, abs=0.03)


def test_larger_drops_are_fewer():
    counts = [
        np.mean([measure.label(one < 0.9).max() for one in v.Spatter(kind="mud", cover=0.2, size=size)(WHITE, seed=0)[..., 0]])
        for size in (0.02, 0.05, 0.12)
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 4 * counts[-1]


def test_mud_is_brown_and_water_is_clear():
    white = np.full((2, 96, 96, 3), 255, np.uint8)
    mud, water = (v.Spatter(cover=0.4, size=0.05, kind=kind)(white, seed=0) for kind in ("mud", "rain"))
    dark = mud[(mud < 150).all(3)]
    assert len(dark) > 2000
    assert (dark[:, 0] >= dark[:, 2]).all()
    assert dark[:, 0].mean() > 1.5 * dark[:, 2].mean()
    assert water.mean() > mud.mean() + 30


def test_the_sun_is_where_it_is_said_and_darkens_nothing():
    image = np.random.default_rng(0).random((100, 140, 3)).astype(np.float32) * 0.5
    made = v.SunFlare(amount=1, x=0.25, y=0.7, radius=0.2, rings=8)(image, seed=0)
    assert (made >= image - 1e-6).all()
    alone = v.SunFlare(amount=1, x=0.25, y=0.7, radius=0.2, rings=0)(np.zeros((100, 140, 1), np.float32), seed=0)[..., 0]
    y, x = ndimage.center_of_mass(alone > 0.999)
    assert (x + 0.5, y + 0.5) == pytest.approx((35, 70), abs=0.5)
    down, across = np.mgrid[:100, :140] + 0.5
    distance = np.hypot(across - 35, down - 70)
    order = np.argsort(distance.ravel())
    assert (np.diff(alone.ravel()[order]) <= 1e-5).all()  # nothing but the distance counts


def test_reflections_lie_on_the_line_through_the_middle():
    fields = {"amount": 1, "x": 0.1, "y": 0.2, "radius": 0.02}
    dark = np.zeros((12, 200, 200, 1), np.float32)
    rings, none = (v.SunFlare(**fields, rings=count)(dark, seed=0)[..., 0].astype(float) for count in (6, 0))
    y, x = np.mgrid[:200, :200] + 0.5
    direction = np.array([100 - 20, 100 - 40]) / np.hypot(80, 60)
    for extra in rings - none:
        centre = np.array([(extra * x).sum(), (extra * y).sum()]) / extra.sum() - (20, 40)
        assert abs(centre @ (-direction[1], direction[0])) < 3


@pytest.mark.parametrize("softness", [0, 0.1])
def test_a_shadow_is_one_convex_polygon(softness):
    """Against the convex hull that scikit-image finds of it."""
    made = v.Shadow(amount=0.5, count=1, softness=softness)(np.ones((30, 160, 160, 1), np.float32), seed=0)[..., 0]
    assert made.min() == pytest.approx(0.5, abs=1e-6)
    for shade in (made < 0.75)[made.min((1, 2)) < 0.75]:
        assert measure.label(shade).max() == 1
        assert shade.sum() > 0.97 * morphology.convex_hull_image(shade).sum() - 20


def test_a_soft_edge_is_as_wide_as_it_says():
    made = v.Shadow(amount=1, count=1, softness=0.1)(np.ones((20, 200, 200, 1), np.float32), seed=0)[..., 0]
    slope = np.hypot(*np.gradient(made.astype(float), axis=(1, 2)))
    edge = slope[(made > 0.2) & (made < 0.8)]
    assert np.median(edge) == pytest.approx(1 / 20, rel=0.05)


def test_shadows_do_not_add_up():
    made = v.Shadow(amount=0.4, count=20, softness=0)(WHITE, seed=0)
    assert made.min() == pytest.approx(0.6, abs=1e-6)


@pytest.mark.parametrize("text", ["Rain()", "Snow()", "Fog()", "Clouds()", "SunFlare()", "Shadow()", "Spatter()", "Spatter(kind='mud')"])
def test_annotations_stay_and_thin_canvases_pass(text):
    named = {"boxes": np.array([[1.0, 1, 5, 5]]), "keypoints": np.array([[2.0, 2]]), "mask": np.eye(20)}
    out = v.parse(text)(image=np.full((20, 20, 3), 90, np.uint8), **named, seed=0)
    assert all(np.array_equal(out[name], value) for name, value in named.items())
    for shape in ((1, 300, 3), (300, 1, 1), (2, 2, 7), (1, 1, 3)):
        assert v.parse(text)(np.full(shape, 90, np.uint8), seed=0).shape == shape
