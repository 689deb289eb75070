"""AugMix: the laws of its weights, its arithmetic, and that a sample is its own affair."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

import vicinal as v
from vicinal.core.draw import Address, Draw
from vicinal.mix.augmix import PAPER, dirichlet

OPERATIONS = [v.Invert(), v.Gamma(exponent=(0.5, 2)), v.Contrast(gain=(0.5, 2)), v.GaussianNoise(std=(0, 0.2))]


def pictures(batch: int, dtype: str = "uint8") -> np.ndarray:
    values = np.random.default_rng(0).random((batch, 12, 14, 3))
    return values.astype(np.float32) if dtype == "float32" else np.rint(values * np.iinfo(dtype).max).astype(dtype)


@pytest.mark.parametrize("alpha", [0.3, 1.0, 2.5])
def test_the_weights_are_dirichlet(alpha: float) -> None:
    weights = dirichlet(Draw(Address.of(0, index=range(6000)), "AugMix").units("weights", 3), alpha)
    assert np.allclose(weights.sum(1), 1)
    for column in range(3):
        assert stats.kstest(weights[:, column], stats.beta(alpha, 2 * alpha).cdf).pvalue > 1e-3
        law = stats.beta(2 * alpha, alpha)
        assert stats.kstest(weights[:, column] + weights[:, column - 1], law.cdf).pvalue > 1e-3


def test_depth_choice_and_amount_have_their_laws() -> None:
    policy = v.AugMix([v.Invert(), v.Gamma(exponent=2)])
    recipes = [policy.at(seed=0, index=index).params for index in range(900)]
    depths = np.array([recipe["AugMix"]["depth"] for recipe in recipes])
    assert stats.chisquare(np.bincount(depths.ravel() - 1, minlength=3)).pvalue > 1e-3
    chosen = [recipe["AugMix/1/1"]["choice"] for recipe in recipes]
    assert stats.chisquare(np.bincount(chosen, minlength=2)).pvalue > 1e-3
    assert stats.kstest([recipe["AugMix"]["amount"] for recipe in recipes], "uniform").pvalue > 1e-3


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_it_is_the_average_of_its_chains(dtype: str) -> None:
    images = pictures(20, dtype)
    policy = v.AugMix([v.Invert(), v.Contrast(gain=0.5)], width=2, depth=1)
    made = policy(image=images, seed=0)
    params = made.plan.params
    parts = [v.Invert()(images, seed=0), v.Contrast(gain=0.5)(images, seed=0)]
    mean = np.zeros(images.shape)
    for chain in range(2):
        choice, weight = params[f"AugMix/{chain + 1}/1"]["choice"], params["AugMix"]["weights"][:, chain]
        mean += weight[:, None, None, None] * np.where((choice == 0)[:, None, None, None], parts[0], parts[1])
    amount = params["AugMix"]["amount"][:, None, None, None]
    exact = (1 - amount) * images + amount * mean
    assert made["image"].dtype == images.dtype
    assert np.abs(made["image"] - exact).max() <= (1e-5 if dtype == "float32" else 0.51)


AMONG = v.Compose([v.HorizontalFlip(p=0.5), v.AugMix(OPERATIONS, p=0.7), v.RandomCrop(size=8), v.ToTensor()])


@pytest.mark.parametrize("backend", ["auto", "reference"])
@pytest.mark.parametrize("policy", [v.AugMix(OPERATIONS, p=0.7), AMONG], ids=["alone", "among others"])
def test_a_sample_does_not_depend_on_its_batch(policy: v.Compose, backend: str) -> None:
    images, index = pictures(7), np.array([9, 3, 77, 1, 0, 4, 12])
    ragged = [image[: 12 - row // 2] for row, image in enumerate(images)]
    for batch in (images, ragged):
        whole = policy(batch, seed=1, index=index, backend=backend)
        for rows in ([6, 5, 4, 3, 2, 1, 0], [2, 5], *([row] for row in range(7))):
            part = policy([batch[row] for row in rows], seed=1, index=index[rows], backend=backend)
            assert all(np.array_equal(one, whole[row]) for one, row in zip(part, rows, strict=True))


def test_backends_agree_within_the_tolerance() -> None:
    images, policy = pictures(9, "float32"), v.AugMix([*OPERATIONS, v.Rotate(angle=(-20, 20))])
    fast, slow = (policy(image=images, seed=0, backend=name) for name in ("auto", "reference"))
    allowed = sum(primitive.tolerance for primitive in fast.plan.primitives)
    assert np.abs(np.asarray(fast["image"], float) - np.asarray(slow["image"], float)).max() <= allowed + 1e-6


def test_a_recipe_replays_after_a_journey_through_json() -> None:
    policy, images = v.AugMix(OPERATIONS, alpha=0.5), pictures(3)
    made = policy(images, seed=2, index=[5, 6, 7])
    again = v.read_recipe(json.loads(json.dumps(policy.at(seed=2, index=6).as_dict()))).replay(images[1])
    assert np.array_equal(again, made[1])
    assert v.parse(repr(policy)) == policy


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_strength_of_0_and_p_of_0_change_nothing(dtype: str) -> None:
    images = pictures(5, dtype)
    gentle = v.AugMix([v.Gamma(exponent=(0.5, 2)), v.Contrast(gain=(0.5, 2))])
    for policy in (v.Compose([gentle], strength=0), v.AugMix(OPERATIONS, p=0)):
        assert np.array_equal(policy(images, seed=0), images)


def test_annotations_stay_and_forbid_moves() -> None:
    images, boxes = pictures(2), np.array([[[1.0, 2, 5, 6]]] * 2)
    made = v.AugMix(OPERATIONS)(image=images, boxes=boxes, seed=0)
    assert np.array_equal(made["boxes"], boxes)
    moving = v.AugMix([v.Rotate(angle=10), v.Invert()])
    assert moving(images, seed=0).shape == images.shape
    with pytest.raises(v.PolicyError, match=r"AugMix: expected operations that move nothing, because boxes cannot be averaged, got Rotate"):
        moving(image=images, boxes=boxes, seed=0)


def test_what_cannot_be_averaged_is_an_error() -> None:
    with pytest.raises(v.PolicyError, match="keep the canvas"):
        v.AugMix([v.CenterCrop(size=8)])(pictures(2), seed=0)
    for node in (v.Normalize(), v.MixUp()):
        with pytest.raises(v.PolicyError, match="operations on one sample that keep its dtype"):
            v.AugMix([node])
    for fields, said in (({"width": 0}, "width"), ({"depth": (3, 1)}, "depth"), ({"alpha": 0}, "alpha"), ({"depth": "x"}, "depth")):
        with pytest.raises(v.ParameterError, match=f"AugMix.{said}"):
            v.AugMix([v.Invert()], **fields)


@pytest.mark.skipif(not set(PAPER) <= set(v.registry()), reason="an operation of the paper is not registered")
def test_the_operations_of_the_paper_are_the_default() -> None:
    policy = v.AugMix()
    assert [node.label for node in policy.of] == list(PAPER)
    assert v.parse(repr(policy)) == policy
    assert policy(pictures(4), seed=0).shape == (4, 12, 14, 3)
