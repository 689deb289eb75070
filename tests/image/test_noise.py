"""Noise against the laws it states."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from scipy import stats

import vicinal as v
from vicinal.backend.noise import SALT, knots, values, words
from vicinal.core.primitive import Noise

GREY = np.full((8, 64, 64, 3), 0.5, np.float32)
GAUSSIAN = v.GaussianNoise(std=0.1, overflow="keep")
UNIFORM = v.UniformNoise(low=-0.1, high=0.3, overflow="keep")
BOTH = [(GAUSSIAN, stats.norm(0, 0.1)), (UNIFORM, stats.uniform(-0.1, 0.4))]
LAWS = pytest.mark.parametrize(("policy", "law"), BOTH, ids=["gaussian", "uniform"])


@LAWS
def test_noise_is_its_law(policy, law):
    noise = (policy(GREY, seed=0) - 0.5).astype(float)
    assert stats.kstest(noise.ravel()[:60_000], law.cdf).pvalue > 1e-3
    assert noise.mean() == pytest.approx(law.mean(), abs=4 * law.std() / np.sqrt(noise.size))
    assert noise.std() == pytest.approx(law.std(), rel=0.01)
    moments = stats.skew(noise.ravel()), stats.kurtosis(noise.ravel())
    assert moments == pytest.approx(law.stats(moments="sk"), abs=0.04)


@LAWS
def test_values_pixels_channels_and_samples_are_independent(policy, law):
    noise = (policy(GREY, seed=1) - 0.5 - law.mean()).astype(float) / law.std()
    pairs = [(noise[:, 1:], noise[:, :-1]), (noise[:, :, 1:], noise[:, :, :-1]), (noise[..., 1:], noise[..., :-1]), (noise[1:], noise[:-1])]
    for one, other in pairs:
        for power in (1, 2):
            correlation = np.corrcoef((one**power).ravel(), (other**power).ravel())[0, 1]
            assert abs(correlation) < 4.5 / np.sqrt(one.size)


@LAWS
def test_seeds_epochs_indices_and_views_have_noise_of_their_own(policy, law):
    image = GREY[0]
    calls = [{}, {"epoch": 1}, {"index": 1}, {"view": 1}, {"seed": 8}]
    made = np.stack([policy(image, **{"seed": 7} | call).ravel() for call in calls])
    assert np.abs(np.corrcoef(made)[np.triu_indices(len(calls), 1)]).max() < 4.5 / np.sqrt(image.size)


@pytest.mark.parametrize("text", ["GaussianNoise(std={})", "UniformNoise(low=-{0}, high={0})"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("overflow", ["clip", "renormalise"])
@pytest.mark.parametrize("share", [1, 0.3])
def test_reference_and_cpu_agree_to_the_bit(text, dtype, overflow, share):
    scale = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    images = (np.random.default_rng(0).random((3, 33, 47, 5)) * scale).astype(dtype)
    policy = v.parse(f"{text.format(0.4)[:-1]}, overflow='{overflow}', share={share})")
    assert np.array_equal(policy(images, seed=0, backend="cpu"), policy(images, seed=0, backend="reference"))


@pytest.mark.parametrize("share", [0, 0.05, 0.5, 1])
def test_share_is_the_share_of_values_that_are_touched(share):
    touched = v.GaussianNoise(std=0.1, share=share, overflow="keep")(GREY, seed=0) != GREY
    assert touched.mean() == pytest.approx(share, abs=0.01)


def test_which_values_are_touched_says_nothing_of_the_noise():
    noise = v.GaussianNoise(std=0.1, share=0.5, overflow="keep")(GREY, seed=0) - GREY
    assert stats.kstest(noise[noise != 0][:20_000].astype(float), stats.norm(0, 0.1).cdf).pvalue > 1e-3


def test_clip_cuts_each_value_and_renormalise_rescales_the_sample():
    images = np.random.default_rng(0).random((4, 16, 16, 1), np.float32)
    kept, clipped, scaled = (v.GaussianNoise(std=0.3, overflow=how)(images, seed=0) for how in ("keep", "clip", "renormalise"))
    assert np.array_equal(clipped, np.clip(kept, 0, 1))
    low, high = np.minimum(kept.min((1, 2, 3), keepdims=True), 0), np.maximum(kept.max((1, 2, 3), keepdims=True), 1)
    assert scaled == pytest.approx((kept - low) / (high - low), abs=1e-6)
    assert (scaled.min(), scaled.max()) == (0, 1)


def test_renormalise_leaves_a_sample_that_stayed_in_the_range():
    kept, scaled = (v.GaussianNoise(std=0.01, overflow=how)(GREY, seed=0) for how in ("keep", "renormalise"))
    assert np.array_equal(kept, scaled)


@pytest.mark.parametrize("policy", [v.GaussianNoise(std=0), v.UniformNoise(low=0, high=0), v.GaussianNoise(std=1, share=0)])
@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_neutral_noise_returns_the_image(policy, backend):
    images = np.random.default_rng(0).integers(0, 256, (3, 9, 9, 3), np.uint8)
    assert np.array_equal(policy(images, seed=0, backend=backend), images)


EIGHT_BIT = [
    (v.GaussianNoise(std=0.05), stats.norm(0, 0.05 * 255)),
    (v.UniformNoise(low=-0.1, high=0.2), stats.uniform(-0.1 * 255, 0.3 * 255)),
    (v.LaplaceNoise(scale=0.03), stats.laplace(0, 0.03 * 255)),
    (v.CauchyNoise(scale=0.02), stats.cauchy(0, 0.02 * 255)),
    (v.StudentTNoise(scale=0.02, degrees=2.5), stats.t(2.5, 0, 0.02 * 255)),
]


@pytest.mark.parametrize(("policy", "law"), EIGHT_BIT, ids=lambda x: type(x).__name__ if isinstance(x, v.Transform) else "")
@pytest.mark.parametrize("side", [100, 350], ids=["drawn", "tabled"])
def test_eight_bit_noise_is_its_law_rounded_to_levels(policy, law, side):
    made = policy(np.full((side, side, 3), 128, np.uint8), seed=2).ravel().astype(int) - 128
    edges = np.arange(-60, 61) - 0.5
    counts = np.bincount(np.digitize(made, edges), minlength=122)
    expected = np.diff(np.concatenate([[0], law.cdf(edges), [1]])) * made.size
    often = expected > 5
    assert (
        stats.chisquare(np.append(counts[often], counts[~often].sum() + 1), np.append(expected[often], expected[~often].sum() + 1)).pvalue
        > 1e-3
    )


@pytest.mark.parametrize("side", [100, 350], ids=["drawn", "tabled"])
def test_values_of_eight_bit_images_are_independent(side):
    noise = v.GaussianNoise(std=0.1)(np.full((2, side, side, 3), 128, np.uint8), seed=1).astype(float) - 128
    flat = noise.reshape(2, -1)
    pairs = [(flat[0], flat[1]), (flat[:, ::2], flat[:, 1::2]), (flat[:, 1:-1:2], flat[:, 2::2]), (noise[:, 1:], noise[:, :-1])]
    for one, other in pairs:
        for power in (1, 2):
            correlation = np.corrcoef((one**power).ravel(), (other**power).ravel())[0, 1]
            assert abs(correlation) < 4.5 / np.sqrt(one.size)


@pytest.mark.parametrize("policy", [policy for policy, _ in EIGHT_BIT], ids=lambda policy: type(policy).__name__)
def test_large_eight_bit_images_are_the_same_on_both_backends_to_the_bit(policy):
    images = np.random.default_rng(0).integers(0, 256, (2, 149, 151, 3), np.uint8)
    assert np.array_equal(policy(images, seed=0, backend="cpu"), policy(images, seed=0, backend="reference"))


LAWS_WITH_TAILS = [
    (v.LaplaceNoise(scale=0.5, overflow="keep"), stats.laplace(0, 0.5)),
    (v.CauchyNoise(scale=0.5, overflow="keep"), stats.cauchy(0, 0.5)),
    (v.StudentTNoise(scale=0.5, degrees=3, overflow="keep"), stats.t(3, 0, 0.5)),
    (v.StudentTNoise(scale=0.5, degrees=1, overflow="keep"), stats.t(1, 0, 0.5)),
    (v.StudentTNoise(scale=0.5, degrees=0.5, overflow="keep"), stats.t(0.5, 0, 0.5)),
    (v.StudentTNoise(scale=0.5, degrees=100, overflow="keep"), stats.t(100, 0, 0.5)),
]


@pytest.mark.parametrize(("policy", "law"), LAWS_WITH_TAILS, ids=lambda x: str(x) if isinstance(x, v.Transform) else "")
def test_a_million_draws_are_the_law_in_its_middle_and_in_its_tails(policy, law):
    noise = policy(np.zeros((1, 1000, 1000, 1), np.float32), seed=3).ravel().astype(float)
    assert stats.kstest(noise, law.cdf).pvalue > 1e-3
    for tail in (1e-2, 1e-3, 1e-4, 1e-5):
        spread = 4.5 * np.sqrt(tail * 1e6)
        assert (noise > law.isf(tail)).sum() == pytest.approx(tail * 1e6, abs=spread)
        assert (noise < law.ppf(tail)).sum() == pytest.approx(tail * 1e6, abs=spread)


@pytest.mark.parametrize(
    ("law", "scipy"),
    [("laplace", stats.laplace), ("cauchy", stats.cauchy)] + [("student", stats.t(df)) for df in (0.5, 1, 2, 3.7, 30, 100)],
)
def test_tables_are_the_quantiles_of_scipy(law, scipy):
    table = knots(law, scipy.args[0] if law == "student" else 1.0)[:-1].astype(float)
    octave, place = np.divmod(np.arange(2048), 64)
    expected = scipy.isf(np.ldexp(1 + place / 64, octave - 32) / 2)
    assert table[:-1] == pytest.approx(expected, rel=1e-6)
    assert table[-1] == 0
    between = scipy.isf((np.ldexp(1 + place / 64, octave - 32) + np.ldexp(1 + (place + 1) / 64, octave - 32)) / 4)
    assert ((table[1:] + table[:-1]) / 2)[:-1] == pytest.approx(between[:-1], rel=2e-3 if scipy in (stats.laplace, stats.cauchy) else 5e-3)


@pytest.mark.parametrize(
    "name", ["LaplaceNoise(scale=0.2)", "CauchyNoise(scale=0.05)", "StudentTNoise(scale=0.1)", "SpeckleNoise(std=0.4)"]
)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("overflow", ["clip", "renormalise", "keep"])
@pytest.mark.parametrize("shared", [False, True])
def test_every_law_is_the_same_on_both_backends_to_the_bit(name, dtype, overflow, shared):
    if overflow == "keep" and dtype != "float32":
        pytest.skip("integers cannot hold everything")
    scale = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    images = (np.random.default_rng(0).random((3, 47, 61, 5)) * scale).astype(dtype)
    policy = v.parse(f"{name[:-1]}, overflow='{overflow}', shared={shared}, share=0.6)")
    assert np.array_equal(policy(images, seed=0, backend="cpu"), policy(images, seed=0, backend="reference"))


def test_shared_noise_is_one_draw_a_pixel():
    noise = v.GaussianNoise(std=0.1, shared=True, share=0.5, overflow="keep")(GREY, seed=0) - GREY
    assert (noise == noise[..., :1]).all()
    assert (noise[..., 0] != 0).mean() == pytest.approx(0.5, abs=0.01)
    assert stats.kstest(noise[..., 0][noise[..., 0] != 0][:20_000].astype(float), stats.norm(0, 0.1).cdf).pvalue > 1e-3


def test_speckle_multiplies_and_leaves_black_alone():
    images = np.linspace(0, 1, 256, dtype=np.float32)[None, None, :, None].repeat(400, 1)
    made = v.SpeckleNoise(std=0.1, overflow="keep")(images, seed=0)[0, ..., 0].astype(float)
    assert (made[:, 0] == 0).all()
    relative = made[:, 1:] / images[0, :, 1:, 0] - 1
    assert stats.kstest(relative.ravel()[::2], stats.norm(0, 0.1).cdf).pvalue > 1e-3
    assert relative.std(0) == pytest.approx(np.full(255, 0.1), rel=0.2)


@pytest.mark.parametrize("photons", [0.5, 5, 9.9, 40, 1000, 30000, 1_000_000])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_photons_are_the_poisson_quantiles_of_scipy(photons, dtype):
    scale = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    images = (np.random.default_rng(0).random((1, 60, 70, 3)) * scale).astype(dtype)
    policy = v.PoissonNoise(photons=photons)
    (primitive,) = policy(image=images, seed=0).plan.primitives
    unit = (words(primitive.arguments["key"][0], images.size) + 0.5) * 2.0**-32
    counts = stats.poisson.ppf(unit, images.ravel().astype(float) / scale * photons)
    expected = np.minimum(counts / photons, 1) * scale
    got = policy(images, seed=0).ravel()
    assert got == pytest.approx(np.rint(expected) if dtype != "float32" else expected, abs=1e-6 if dtype == "float32" else 0.51)


def test_photon_counts_have_the_mean_as_their_variance():
    for value in (0.1, 0.4):
        counts = v.PoissonNoise(photons=100)(np.full((300, 300, 1), value, np.float32), seed=0).astype(float) * 100
        assert counts.mean() == pytest.approx(100 * value, rel=0.01)
        assert counts.var() == pytest.approx(100 * value, rel=0.03)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_iso_noise_is_colorsys_with_its_draws(dtype):
    scale = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    images = (np.random.default_rng(0).random((1, 20, 30, 3)) * scale).astype(dtype)
    images[0, 0, :4] = np.array([[0, 0, 0], [scale, scale, scale], [scale, 0, 0], [scale // 2 if dtype != "float32" else 0.5] * 3], dtype)
    policy = v.ISONoise(hue=20, luminance=0.1)
    (primitive,) = policy(image=images, seed=4).plan.primitives
    key = primitive.arguments["key"]
    turn, more = (gaussian_draws(np.stack([key[:, 0] ^ np.uint32(salt), key[:, 1]], 1), 600) for salt in (0, SALT))
    expected = []
    for pixel, angle, change in zip(images.reshape(-1, 3) / scale, turn * 20, more * 0.1, strict=True):
        hue, light, saturation = colorsys.rgb_to_hls(*pixel)
        expected.append(colorsys.hls_to_rgb(hue + angle / 360, min(max(light + change, 0), 1), saturation))
    got = policy(images, seed=4).reshape(-1, 3) / scale
    assert np.abs(got - np.array(expected)).max() <= {"uint8": 0.51 / 255, "uint16": 1e-4, "float32": 1e-5}[dtype]


def gaussian_draws(key, count):
    one = np.ones(1)
    return values(Noise("gaussian", 0 * one, one, key, one, one > 0), 0, count).astype(float)


def test_iso_noise_needs_colours():
    with pytest.raises(v.TargetError, match="3 channels"):
        v.ISONoise()(np.zeros((8, 8, 4), np.uint8), seed=0)


@pytest.mark.parametrize("share", [0.02, 0.3, 1])
@pytest.mark.parametrize("salt", [0, 0.2, 1])
@pytest.mark.parametrize("shared", [False, True])
def test_salt_and_pepper_come_in_their_shares(share, salt, shared):
    grey = np.full((200, 250, 3), 0.5, np.float32)
    made = v.SaltAndPepper(share=share, salt=salt, shared=shared)(grey, seed=0)
    assert set(np.unique(made)) <= {0, 0.5, 1}
    assert not shared or (made == made[..., :1]).all()
    n = made[..., 0].size if shared else made.size
    of = made[..., 0] if shared else made
    for value, expected in ((1, share * salt), (0, share * (1 - salt))):
        assert (of == value).mean() == pytest.approx(expected, abs=4.5 * np.sqrt(expected * (1 - expected) / n) + 1e-7)


def test_lost_pixels_lie_anywhere():
    made = v.PixelDropout(share=0.25, fill=1)(np.zeros((64, 64, 1), np.uint8), seed=0)[..., 0] == 255
    counts = made.reshape(8, 8, 8, 8).sum((1, 3)).ravel()
    assert stats.chisquare(counts).pvalue > 1e-3
    assert abs(np.corrcoef(made[:, 1:].ravel(), made[:, :-1].ravel())[0, 1]) < 4.5 / np.sqrt(made.size)


@pytest.mark.parametrize(("dtype", "value"), [("uint8", 128), ("uint16", 32768), ("float32", 0.5)])
@pytest.mark.parametrize("shared", [False, True])
def test_pixel_dropout_fills_with_its_value(dtype, value, shared):
    made = v.PixelDropout(share=0.3, fill=0.5, shared=shared)(np.zeros((50, 60, 3), dtype), seed=0)
    assert np.unique(made).tolist() == [0, value]
    assert (made != 0).mean() == pytest.approx(0.3, abs=0.02)


GROWING = [
    lambda s: v.LaplaceNoise(scale=0.2 * s),
    lambda s: v.CauchyNoise(scale=0.2 * s),
    lambda s: v.StudentTNoise(scale=0.2 * s),
    lambda s: v.SpeckleNoise(std=0.5 * s),
    lambda s: v.ISONoise(hue=20 * s, luminance=0.2 * s),
    lambda s: v.SaltAndPepper(share=0.5 * s),
    lambda s: v.PixelDropout(share=0.5 * s),
]


@pytest.mark.parametrize("policy", GROWING, ids=lambda make: type(make(1)).__name__)
def test_distortion_grows_with_strength(policy):
    image = np.random.default_rng(0).integers(0, 256, (60, 60, 3), np.uint8)
    changes = [np.abs(policy(s)(image, seed=0).astype(float) - image).mean() for s in (0, 0.25, 0.5, 0.75, 1)]
    assert changes[0] == 0
    assert all(np.diff(changes) > 0)


SENSORS = [(v.PoissonNoise, {"photons": 12.0}), (v.ISONoise, {"hue": 20, "luminance": 0.2})]
BY_SENSOR = pytest.mark.parametrize(("make", "fields"), SENSORS, ids=lambda x: getattr(x, "__name__", ""))


@BY_SENSOR
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_sensors_touch_a_share_of_an_image_and_leave_the_rest(make, fields, dtype):
    scale = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    images = ((0.2 + 0.6 * np.random.default_rng(0).random((2, 80, 90, 3))) * scale).astype(dtype)
    whole, part, none = (make(**fields, share=share)(images, seed=0) for share in (1, 0.3, 0))
    assert np.array_equal(none, images)
    touched = (part != images).any(-1) if make is v.ISONoise else part != images
    changed = (whole != images).any(-1) if make is v.ISONoise else whole != images
    assert touched.mean() == pytest.approx(0.3 * changed.mean(), abs=0.015)
    assert np.array_equal(part[touched], whole[touched])
    inner = whole[part != images].astype(float) - images[part != images]
    assert stats.ks_2samp(inner, (whole[whole != images].astype(float) - images[whole != images])).pvalue > 1e-3


@BY_SENSOR
def test_sensors_clip_renormalise_or_keep(make, fields):
    images = np.random.default_rng(0).random((3, 40, 40, 3), np.float32)
    kept, clipped, scaled = (make(**fields, overflow=how)(images, seed=0) for how in ("keep", "clip", "renormalise"))
    assert kept.max() > 1
    inside = ((kept >= 0) & (kept <= 1)).all(-1)
    assert clipped[inside] == pytest.approx(kept[inside], abs=1e-6)
    assert clipped.min() >= 0
    assert clipped.max() <= 1
    low, high = np.minimum(kept.min((1, 2, 3), keepdims=True), 0), np.maximum(kept.max((1, 2, 3), keepdims=True), 1)
    assert scaled == pytest.approx((kept - low) / (high - low), abs=1e-6)
    eight = (images * 255).astype(np.uint8)
    exact = make(**fields, overflow="renormalise")((eight / np.float32(255)).astype(np.float32), seed=0) * 255.0
    assert make(**fields, overflow="renormalise")(eight, seed=0) == pytest.approx(exact, abs=0.51)
    with pytest.raises(v.TargetError, match="float images for 'keep'"):
        make(**fields, overflow="keep")(eight, seed=0)


def test_photons_above_full_scale_are_the_poisson_law_where_they_are_kept():
    counts = v.PoissonNoise(photons=20, overflow="keep")(np.ones((200, 200, 1), np.float32), seed=0).ravel().astype(float) * 20
    observed = np.bincount(np.rint(counts).astype(int), minlength=60)[:60]
    expected = stats.poisson(20).pmf(np.arange(60)) * counts.size
    often = expected > 5
    assert (
        stats.chisquare(
            np.append(observed[often], observed[~often].sum() + 1), np.append(expected[often], counts.size - expected[often].sum() + 1)
        ).pvalue
        > 1e-3
    )


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_shared_photons_are_one_draw_a_pixel(dtype):
    grey = np.full((60, 60, 3), 128 if dtype == "uint8" else 0.5, dtype)
    made, alone = (v.PoissonNoise(photons=15, shared=shared)(grey, seed=0) for shared in (True, False))
    assert (made == made[..., :1]).all()
    assert not (alone == alone[..., :1]).all()
    assert np.array_equal(made[..., 0], v.PoissonNoise(photons=15)(grey[..., :1], seed=0)[..., 0])


def test_white_light_that_is_kept_is_gaussian_above_white_and_below():
    made = v.ISONoise(hue=0, luminance=0.1, overflow="keep")(np.ones((150, 150, 3), np.float32), seed=0)
    assert (made == made[..., :1]).all()
    assert stats.kstest(made[..., 0].ravel().astype(float), stats.norm(1, 0.1).cdf).pvalue > 1e-3
