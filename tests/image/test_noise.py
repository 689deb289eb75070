"""Noise against the laws it states."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import vicinal as v

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


def test_eight_bit_noise_is_float_noise_rounded():
    images = np.random.default_rng(0).integers(0, 256, (2, 20, 20, 3), np.uint8)
    exact = v.GaussianNoise(std=0.1)((images / 255).astype(np.float32), seed=0)
    assert np.abs(v.GaussianNoise(std=0.1)(images, seed=0) - exact.astype(float) * 255).max() <= 0.51
