"""Light against its formulas in float64, fractal noise against its statistics."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage, stats
from skimage.transform import resize

import vicinal as v

RANGE = {"uint8": 255, "uint16": 65535, "float32": 1}
BACKENDS = pytest.mark.parametrize("backend", ["cpu", "reference"])
SIZES = pytest.mark.parametrize("size", [(32, 32), (57, 90), (130, 41), (1, 7)])
GREY = np.full((6, 96, 96, 1), 0.5, np.float32)
MONOTONE = ["Illumination(strength={}, shape='linear')", "Illumination(strength={}, shape='corner')",
            "Illumination(strength={}, shape='gaussian')", "Vignette(amount={})", "PlasmaBrightness(amount={})",
            "PlasmaContrast(amount={})", "PlasmaShadow(amount={})"]  # fmt: skip


def centres(size):
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    return x, y


def gains(policy, size, backend, value=0.4):
    return policy(np.full((*size, 3), value, np.float32), seed=0, backend=backend).astype(float) / value


def assert_field(policy, field, size, backend):
    """The same gain on all channels, as the formula says; and on 8 bits within one rounding."""
    got = gains(policy, size, backend)
    assert np.abs(got - field[..., None]).max() < 2e-6
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    assert np.abs(policy(image, seed=0, backend=backend) - np.clip(image * field[..., None], 0, 255)).max() <= 0.501


@BACKENDS
@SIZES
@pytest.mark.parametrize("angle", [0, 37, 90, 200])
def test_linear_light_is_its_formula(angle, size, backend):
    (x, y), cos, sin = centres(size), np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    reach = (size[1] * abs(cos) + size[0] * abs(sin)) / 2
    field = 1 + 0.6 * ((x - size[1] / 2) * cos + (y - size[0] / 2) * sin) / reach
    assert_field(v.Illumination(strength=0.6, angle=angle), field, size, backend)


@BACKENDS
@SIZES
@pytest.mark.parametrize(("angle", "corner"), [(45, (1, 1)), (135, (0, 1)), (225, (0, 0)), (-45, (1, 0))])
def test_light_out_of_a_corner_is_its_formula(angle, corner, size, backend):
    x, y = centres(size)
    far = np.hypot(x - corner[0] * size[1], y - corner[1] * size[0]) / np.hypot(*size)
    assert_field(v.Illumination(strength=-0.7, angle=angle, shape="corner"), 1 - 0.7 * (1 - far), size, backend)


@BACKENDS
@SIZES
def test_a_spot_is_a_gaussian(size, backend):
    x, y = centres(size)
    square = (x - 0.3 * size[1]) ** 2 + (y - 0.8 * size[0]) ** 2
    field = 1 + 0.8 * np.exp(-square / (2 * (0.25 * max(size)) ** 2))
    assert_field(v.Illumination(strength=0.8, x=0.3, y=0.8, spread=0.25, shape="gaussian"), field, size, backend)


@BACKENDS
@SIZES
def test_a_vignette_is_the_fourth_power_of_the_cosine(size, backend):
    x, y = centres(size)
    tangent = np.hypot(x - size[1] / 2, y - size[0] / 2) / (np.hypot(*size) / 2)
    cosine = np.cos(np.arctan(tangent))
    assert_field(v.Vignette(amount=0.9), 1 - 0.9 * (1 - cosine**4) / 0.75, size, backend)


def field(text, images=GREY, **call):
    return v.parse(text)(images, seed=0, **call)[..., 0].astype(float)


def test_plasma_spans_what_its_amount_says():
    bright = field("PlasmaBrightness(amount=0.3, roughness=0.5, cells=3)") - 0.5
    assert bright.min((1, 2)) == pytest.approx(-0.3, abs=0.06)
    assert bright.max((1, 2)) == pytest.approx(0.3, abs=0.06)
    assert np.abs(bright).max() <= 0.3 + 1e-6
    shade = 1 - field("PlasmaShadow(amount=0.8, roughness=0.5, cells=3)") / 0.5
    assert -1e-6 <= shade.min() < 0.12
    assert 0.68 < shade.max() <= 0.8 + 1e-6


def test_plasma_contrast_is_a_gain_about_the_middle():
    quarter, half, most = (v.PlasmaContrast(amount=0.5)(np.full((64, 64), value, np.float32), seed=0) for value in (0.25, 0.5, 0.65))
    assert (half == 0.5).all()
    gain = (quarter - 0.5) / -0.25
    assert (most - 0.5) / 0.15 == pytest.approx(gain, abs=1e-5)
    assert 0.5 - 1e-5 <= gain.min() < 0.65
    assert 1.35 < gain.max() <= 1.5 + 1e-5


def test_the_noise_is_fair_and_of_its_own_for_every_address():
    fields = field("PlasmaBrightness(amount=0.4, cells=3)", np.full((300, 24, 24, 1), 0.5, np.float32)) - 0.5
    assert abs(fields.mean()) < 0.02
    means = fields.mean((1, 2))
    assert stats.ttest_1samp(means, 0).pvalue > 1e-3
    centred = fields.reshape(300, -1) - fields.mean(0).ravel()
    correlation = np.corrcoef(centred)[np.triu_indices(300, 1)]
    assert abs(correlation.mean()) < 0.01
    # No place is favoured: the mean over the samples is flat.
    assert np.abs(fields.mean(0)).max() < 5 * fields.std(0).max() / np.sqrt(300)


def test_a_small_canvas_shows_the_same_clouds_as_a_large_one():
    text = "PlasmaBrightness(amount=0.3, roughness=0.5, cells=3)"
    small, large = (field(text, np.full((1, side, side, 1), 0.5, np.float32))[0] for side in (48, 192))
    assert np.corrcoef(small.ravel(), resize(large, (48, 48), anti_aliasing=True).ravel())[0, 1] > 0.97


def test_the_noise_is_isotropic_on_any_canvas():
    made = field("PlasmaBrightness(amount=0.3, cells=4)", np.full((40, 60, 120, 1), 0.5, np.float32))
    down, across = np.abs(np.diff(made, axis=1)).mean(), np.abs(np.diff(made, axis=2)).mean()
    assert down == pytest.approx(across, rel=0.1)


def test_rougher_noise_has_more_in_its_fine_octaves():
    def fine(roughness):
        made = field(f"PlasmaBrightness(amount=0.3, roughness={roughness}, cells=3)")
        return np.mean([(one - ndimage.gaussian_filter(one, 4)).std() / one.std() for one in made])

    shares = [fine(roughness) for roughness in (0, 0.3, 0.6, 0.9)]
    assert shares == sorted(shares)
    assert shares[-1] > 3 * shares[0]


def test_the_noise_has_no_creases():
    """Bilinear noise jumps in slope at its cells; here the second difference of the coarsest octave stays near its own scale."""
    made = field("PlasmaBrightness(amount=0.5, roughness=0, cells=2)", np.full((1, 256, 256, 1), 0.5, np.float32))[0]
    second = np.abs(np.diff(ndimage.uniform_filter(made, 5), 2, axis=1))[8:-8, 8:-8]
    assert second.max() < 8 * second.mean()


@BACKENDS
@pytest.mark.parametrize("text", MONOTONE)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_light_is_monotone_bounded_and_neutral_at_0(text, dtype, channels, backend):
    unit = np.random.default_rng(0).random((3, 31, 44, channels))
    images = unit.astype(dtype) if dtype == "float32" else (unit * RANGE[dtype]).astype(dtype)
    made = [v.parse(text.format(amount))(images, seed=0, backend=backend) for amount in (0, 0.2, 0.5, 1)]
    assert np.array_equal(made[0], images)
    far = [np.abs(one.astype(float) - images) for one in made]
    for near, farther in pairwise(far):
        assert (farther >= near - 1e-6 * RANGE[dtype]).all()
        assert farther.mean() > near.mean()
    assert made[-1].max() <= RANGE[dtype]


def test_the_dtypes_agree():
    image = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    for text in MONOTONE:
        exact = v.parse(text.format(0.5))((image / 255).astype(np.float32), seed=0).astype(float)
        assert v.parse(text.format(0.5))(image, seed=0) / 255 == pytest.approx(exact, abs=0.51 / 255)
        assert v.parse(text.format(0.5))(image.astype(np.uint16) * 257, seed=0) / 65535 == pytest.approx(exact, abs=1e-5)
