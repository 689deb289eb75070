"""The recipe of a sample: what happened, in numbers, and again."""

from __future__ import annotations

import json

import numpy as np
import pytest

import vicinal as v

POLICY = v.parse(
    "HorizontalFlip(p=0.5) | OneOf([Rotate(angle=(-30, 30)), Scale(factor=(0.8, 1.2))]) | SomeOf([Invert(), Gamma(exponent=(0.5, 2)), "
    "GaussianNoise(std=(0, 0.2), share=0.5)], n=(1, 3)) | RandomCrop(size=20) | Compose([Erase(), Grayscale(p=0.5)], p=0.5)"
)
IMAGES = np.random.default_rng(0).integers(0, 256, (12, 24, 26, 3), np.uint8)
NAMED = {
    "boxes": np.array([[2.0, 3, 9, 12], [10, 1, 25, 23]]),
    "keypoints": np.array([[[1.0, 2]], [[13, 14]]]),
    "mask": np.arange(24 * 26).reshape(24, 26),
    "label": np.array([4, 5]),
}


def through_json(recipe):
    return v.read_recipe(json.loads(json.dumps(recipe.as_dict())))


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_a_replayed_recipe_gives_the_sample_with_all_its_targets(backend):
    many = {name: [value] * 12 for name, value in NAMED.items()}
    batch = POLICY(image=IMAGES, **many, seed=5, epoch=2, index=range(100, 112), backend=backend)
    for row, image in enumerate(IMAGES):
        recipe = through_json(POLICY.at(seed=5, epoch=2, index=100 + row))
        again = recipe.replay(image=image, **NAMED, backend=backend)
        assert all(np.array_equal(again[name], batch[name][row]) for name in ("image", *NAMED))
        assert str(again.address) == f"seed=5, epoch=2, index={100 + row}, view=0"


def test_the_numbers_are_those_of_the_plan():
    params = POLICY(image=IMAGES, seed=5).plan.params
    for row in range(12):
        for path, values in POLICY.at(seed=5, index=row).params.items():
            assert all(np.array_equal(value, params[path][name][row]) for name, value in values.items())


def test_replaying_changed_numbers_changes_the_sample_accordingly():
    data = v.Compose([v.Translate(x=(-3, 3)), v.Brightness(by=0.1, p=0.5)]).at(seed=0).as_dict()
    data["params"] = {"Translate": {"on": True, "x": 2.0, "y": 0.0}, "Brightness": {"on": False}}
    out = v.read_recipe(data).replay(IMAGES[0])
    assert np.array_equal(out[:, 2:], IMAGES[0][:, :-2])


def test_a_recipe_names_one_view():
    policy = v.Views([v.GaussianNoise(std=0.2), v.Rotate(angle=(-9, 9))], n=3)
    views = policy(IMAGES[4], seed=1, index=4)
    for number, view in enumerate(views):
        assert np.array_equal(through_json(policy.at(seed=1, index=4, view=number)).replay(IMAGES[4]), view)


def test_a_recipe_of_a_series():
    series = np.random.default_rng(0).normal(size=(50, 3))
    policy = v.parse("Scaling(factor=(0.5, 2), per_channel=True) | TimeShift(by=(-9, 9), p=0.5) | Jitter(std=0.1)")
    recipe = through_json(policy.at(seed=3, index=7, series=series))
    assert np.array_equal(recipe.replay(series), policy(series, seed=3, index=7))
    assert len(recipe.params["Scaling"]["factor"]) == 3


def test_a_recipe_is_shown_in_words():
    shown = str(v.parse("HorizontalFlip(p=0.5) | Rotate(angle=30) | OneOf([Invert()])").at(seed=2, epoch=1, index=3))
    head, *lines = shown.splitlines()
    assert head.startswith("seed=2, epoch=1, index=3, view=0  policy ")
    assert lines[0] in ("  HorizontalFlip: on", "  HorizontalFlip: off")
    assert lines[1:] == ["  Rotate: angle=30", "  OneOf: choice=0", "  OneOf/Invert: on"]


def test_a_foreign_or_broken_recipe_is_refused():
    data = POLICY.at(seed=0).as_dict()
    with pytest.raises(v.PolicyError, match=r"^recipe\.fingerprint: expected [0-9a-f]{16}, got 0{16}; write the version of vicinal"):
        v.read_recipe(data | {"fingerprint": "0" * 16})
    with pytest.raises(v.PolicyError, match=r"^recipe: expected a mapping with policy, fingerprint"):
        v.read_recipe({"policy": []})
    with pytest.raises(v.UnknownTransform, match=r"^recipe\.policy\[0\]: .* got 'Rotat'; write Rotate$"):
        v.read_recipe(data | {"policy": [{"Rotat": {}}]})
