"""Labels of mixtures are right to the last bit that matters: the mean colour of one-hot pictures is their label."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pictures import colours, mean_colour

import vicinal as v

POLICIES = [
    "MixUp(classes=5)",
    "MixUp(classes=5, alpha=0.2, p=0.5)",
    "CutMix(classes=5)",
    "CutMix(classes=5, alpha=3, p=0.5)",
    "OneOf([MixUp(classes=5), CutMix()], p=0.8)",
    "SomeOf([MixUp(), CutMix(classes=5)], n=2)",
    "MixUp(classes=5) | CutMix(classes=5) | MixUp(alpha=0.4)",
    "HorizontalFlip(p=0.5) | MixUp(classes=5) | ToTensor()",
    "ToTensor() | CutMix(classes=5)",
    "Normalize(mean=0, std=1) | OneOf([CutMix(classes=5), MixUp()]) | ToTensor()",
    "Mosaic(size=(48, 64), x=0.5, y=0.5, classes=5)",
    "Mosaic(size=(30, 40), classes=5) | MixUp(p=0.5)",
]


@pytest.mark.parametrize("text", POLICIES)
def test_the_label_is_what_the_picture_is_made_of(text: str) -> None:
    policy = v.parse(text)
    for seed in range(5):
        made = policy(image=colours(5), label=np.arange(5), seed=seed)
        images = [np.moveaxis(image, 0, -1) if "ToTensor" in text else image for image in made["image"]]
        assert made["label"].shape == (5, 5)
        assert made["label"].dtype == np.float32
        assert np.allclose(made["label"], mean_colour(images), atol=2e-6)
        assert np.allclose(made["label"].sum(1), 1, atol=1e-6)


@pytest.mark.parametrize("policy", [v.CutMix(alpha=1.0), v.MixUp(alpha=1.0)], ids=repr)
def test_soft_labels_keep_their_sum(policy: v.Mixer) -> None:
    given = np.random.default_rng(0).random((6, 4)).astype(np.float32)
    made = policy(image=colours(6), label=given, seed=0)
    done = made.mixed[policy.label]
    weight = done["weight"][:, None]
    assert np.allclose(made["label"], weight * given + (1 - weight) * given[done["partner"]], atol=1e-6)
    same = given / given.sum(1, keepdims=True) * 3
    assert np.allclose(policy(image=colours(6), label=same, seed=0)["label"].sum(1), 3, atol=1e-5)


def test_every_form_of_a_label_gives_the_same_rows() -> None:
    policy, images = v.CutMix(classes=4), colours(4)
    rows = np.eye(4)
    forms: list[Any] = [np.arange(4), list(range(4)), rows, list(rows), rows.astype(np.float32), [np.int64(n) for n in range(4)]]
    first, *rest = (policy(image=images, label=form, seed=0)["label"] for form in forms)
    assert all(np.array_equal(first, one) for one in rest)


def test_labels_have_one_form_whether_or_not_anything_was_mixed() -> None:
    made = v.CutMix(classes=4, p=0)(image=colours(4), label=[3, 2, 1, 0], seed=0)
    assert np.array_equal(made["label"], np.eye(4)[[3, 2, 1, 0]])
    assert made.mixed == {}
    assert np.array_equal(made["image"], colours(4))


FAULTS: list[tuple[dict[str, Any], Any, str]] = [
    ({}, [0, 1, 2], "label: expected class numbers, with how many there are in the mixer.*write classes=10"),
    ({"classes": 2}, [0, 1, 2], r"label: expected class numbers from 0 to 1, got 0\.\.2"),
    ({"classes": 2}, [0, -1, 1], r"label: expected class numbers from 0 to 1, got -1\.\.1"),
    ({"classes": 2}, np.eye(3), r"a row of weights a sample \(2 wide\), got float64 of shape \(3, 3\)"),
    ({}, ["cat", "dog", "cat"], "label: expected class numbers"),
    ({}, [[1, 0], [1, 0, 0], [0, 1]], "label: expected class numbers.*rows of different widths"),
]


@pytest.mark.parametrize(("fields", "label", "said"), FAULTS)
def test_a_label_that_cannot_be_mixed_is_an_error_in_a_sentence(fields: dict[str, Any], label: Any, said: str) -> None:
    for p in (1, 0):
        with pytest.raises(v.TargetError, match=said):
            v.MixUp(**fields, p=p)(image=colours(3), label=label, seed=0)


def test_mixers_that_disagree_on_the_classes_are_an_error() -> None:
    with pytest.raises(v.TargetError, match="classes: expected one number of classes in all mixers, got 3 and 4"):
        v.parse("MixUp(classes=3) | CutMix(classes=4)")(image=colours(3), label=[0, 1, 2], seed=0)
