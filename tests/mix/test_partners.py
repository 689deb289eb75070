"""Who is mixed with whom: partners from the batch and from a data set, by address alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pictures import colours, mean_colour, objects
from scipy import stats

import vicinal as v
from vicinal.core.run import augment
from vicinal.core.source import partners

MIXERS = [v.MixUp(), v.CutMix(), v.Mosaic(size=20)]


@pytest.mark.parametrize("batch", [2, 3, 7])
@pytest.mark.parametrize("mixer", MIXERS, ids=repr)
def test_no_partner_is_the_sample_itself_in_odd_batches_too(mixer: v.Mixer, batch: int) -> None:
    for seed in range(20):
        partner = mixer(image=colours(batch), seed=seed).mixed[mixer.label]["partner"].reshape(batch, -1)
        assert (partner != np.arange(batch)[:, None]).all()
        assert ((partner >= 0) & (partner < batch)).all()


@pytest.mark.parametrize("mixer", [v.MixUp(classes=3), v.CutMix(classes=3)], ids=repr)
def test_a_batch_of_one_stays_as_it_is(mixer: v.Mixer) -> None:
    image = np.random.default_rng(0).random((9, 8, 3)).astype(np.float32)
    for made in (mixer(image=image, label=2, seed=0), mixer(image=image[None], label=[2], seed=0)):
        assert np.array_equal(np.squeeze(made["image"]), image)
        assert made["label"].ravel().tolist() == [0, 0, 1]
        assert made.mixed[mixer.label]["partner"].tolist() == [-1]


def test_every_other_sample_is_as_likely_a_partner() -> None:
    batch, calls = 6, 600
    counts = np.zeros((batch, batch))
    for seed in range(calls):
        made = v.MixUp()(image=np.zeros((batch, 1, 1, 1), np.uint8), seed=seed)
        counts[np.arange(batch), made.mixed["MixUp"]["partner"]] += 1
    assert not counts.diagonal().any()
    assert min(stats.chisquare(row[row > 0]).pvalue for row in counts) > 1e-4
    assert stats.chisquare(counts[counts > 0]).pvalue > 1e-3


@pytest.mark.parametrize("own", [3, 50])
def test_every_other_item_of_a_data_set_is_as_likely_a_partner(own: int) -> None:
    found = partners(np.random.default_rng(0).random((20000, 1)), np.full(20000, own), 11)[:, 0]
    counts = np.bincount(found, minlength=11)
    assert (counts == 0).tolist() == [number == own for number in range(11)]
    assert stats.chisquare(counts[counts > 0]).pvalue > 1e-3
    assert partners(np.array([[0.3]]), np.array([0]), 1).tolist() == [[0]]


def dataset(size: int, **shape: Any) -> list[dict[str, Any]]:
    held = objects(size, 3, **shape)
    return [{name: held[name][row] for name in held} for row in range(size)]


POLICIES = [
    "CutMix(partner='dataset')",
    "HorizontalFlip(p=0.5) | RandomCrop(size=(16, 24)) | CutMix(partner='dataset', p=0.6)",
    "HorizontalFlip(p=0.5) | Mosaic(size=30, partner='dataset')",
    "Rotate(angle=(-20, 20)) | CopyPaste(partner='dataset') | ToTensor()",
    "Mosaic(size=30, partner='dataset') | OneOf([CutMix(partner='dataset'), CopyPaste(partner='dataset')], p=0.7)",
    "SomeOf([CutMix(partner='dataset'), CopyPaste(partner='dataset')], n=(0, 2)) | Normalize(mean=0.5, std=0.5)",
]


@pytest.mark.parametrize("text", POLICIES)
def test_with_partners_from_a_data_set_a_sample_does_not_depend_on_its_batch(text: str) -> None:
    source, policy, index = dataset(9), v.parse(text), np.array([7, 2, 5, 0, 400])
    items = [source[number % 9] for number in index]
    whole = policy(**stacked(items), source=source, seed=3, epoch=2, index=index)
    for rows in ([4, 3, 2, 1, 0], [1, 3], *([row] for row in range(5))):
        part = policy(**stacked([items[row] for row in rows]), source=source, seed=3, epoch=2, index=index[rows])
        for name in whole:
            for one, row in zip(part[name], rows, strict=True):
                assert np.array_equal(one, whole[name][row]), (name, rows)
        for one, row in zip(part.kept, rows, strict=True):
            assert np.array_equal(one, whole.kept[row])


def stacked(items: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: [item[name] for item in items] for name in items[0]}


def test_the_partner_of_a_data_set_is_the_item_at_its_own_address() -> None:
    source = [{"image": image} for image in np.random.default_rng(0).integers(0, 256, (9, 16, 16, 3), np.uint8)]
    before = v.Compose([v.HorizontalFlip(p=0.5), v.Rotate(angle=(-30, 30))])
    index = np.array([4, 8, 1])
    mine = np.stack([source[number]["image"] for number in index])
    policy = v.Compose([*before.of, v.CutMix(partner="dataset")])
    made = policy(image=mine, source=source, seed=5, epoch=3, index=index, view=1)
    done = made.mixed["CutMix"]
    alone = before(mine, seed=5, epoch=3, index=index, view=1)
    theirs = before(np.stack([source[number]["image"] for number in done["partner"]]), seed=5, epoch=3, index=done["partner"], view=1)
    for row, (x0, y0, x1, y1) in enumerate(done["box"]):
        expected = np.array(alone[row])
        expected[y0:y1, x0:x1] = theirs[row, y0:y1, x0:x1]
        assert np.array_equal(made["image"][row], expected)


def test_one_sample_a_function_and_a_list_are_the_same_source() -> None:
    source = dataset(6)
    policy = v.CutMix(partner="dataset")
    one = policy(**source[2], source=source, seed=0, index=2)
    other = policy(**source[2], source=(lambda number: source[number], 6), seed=0, index=2)
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert one["image"].shape == source[2]["image"].shape


def test_a_recipe_replays_with_the_same_source() -> None:
    source = dataset(6)
    policy = v.parse("HorizontalFlip(p=0.5) | CutMix(partner='dataset', p=0.8)")
    recipe = policy.at(seed=4, index=3, image=source[3]["image"])
    made = policy(**source[3], source=source, seed=4, index=3)
    again = recipe.replay(**source[3], source=source)
    assert all(np.array_equal(made[name], again[name]) for name in made)


def test_views_have_partners_of_their_own() -> None:
    first, second = v.Views([v.MixUp(classes=4)], n=2)(image=colours(4), label=np.arange(4), seed=1)
    assert not np.array_equal(first["label"], second["label"])
    assert np.allclose(mean_colour(second["image"]), second["label"], atol=1e-6)


FAULTS = [
    ({}, "source: expected a data set for the partners of CutMix"),
    ({"source": []}, r"source: expected a data set with len\(\)"),
    ({"source": 7}, r"source: expected a data set with len\(\)"),
    ({"source": [np.zeros((8, 8, 3))] * 4}, r"source\[\d\]: expected a mapping with image, label"),
    ({"source": [{"image": np.zeros((8, 8, 3), np.uint8)}] * 4}, r"source\[\d\]: expected a mapping with image, label"),
    ({"source": [{"image": np.zeros((9, 8, 3), np.uint8), "label": 0}] * 4}, "CutMix: expected images of one size.*Resize"),
    ({"source": [{"image": np.zeros((8, 8, 1), np.uint8), "label": 0}] * 4}, "CutMix: partners: expected images of channels 3"),
    ({"source": [{"image": np.zeros((8, 8, 3), np.float32), "label": 0}] * 4}, "CutMix: partners: expected images of dtype uint8"),
]


@pytest.mark.parametrize(("more", "said"), FAULTS)
def test_a_source_that_does_not_fit_is_an_error_in_a_sentence(more: dict[str, Any], said: str) -> None:
    with pytest.raises(v.TargetError, match=said):
        v.CutMix(partner="dataset", classes=2)(image=np.zeros((2, 8, 8, 3), np.uint8), label=[0, 1], seed=0, **more)


def test_a_source_that_nobody_asked_for_is_an_error() -> None:
    with pytest.raises(v.TargetError, match=r"source: expected a mixer with partner='dataset'"):
        v.CutMix()(image=np.zeros((2, 8, 8, 3), np.uint8), source=[], seed=0)


def test_keypoints_that_are_bound_to_boxes_on_one_side_alone_are_an_error() -> None:
    image, boxes, points = np.zeros((8, 8, 3), np.uint8), np.array([[1.0, 1, 5, 5]]), np.ones((1, 2, 3))
    source = [{"image": image, "boxes": boxes, "keypoints": np.ones((3, 2, 3))}] * 2
    with pytest.raises(v.TargetError, match="CutMix: partners: expected labels and keypoints bound to boxes"):
        v.CutMix(partner="dataset")(image=image, boxes=boxes, keypoints=points, source=source, seed=0, index=5)


@pytest.mark.parametrize("text", ["MixUp()", "Rotate(angle=(-20, 20)) | CutMix(p=0.5)", "OneOf([CutMix(), MixUp()]) | ToTensor()"])
def test_groups_of_one_call_are_batches_of_their_own(text: str) -> None:
    policy, image, label = v.parse(text), colours(10), np.eye(10)
    index = np.array([4, 0, 9, 9, 17, 3, 2, 8, 1, 30])
    whole = augment(policy, (), {"image": image, "label": label}, seed=5, index=index, group=4)
    for rows in (slice(0, 4), slice(4, 8), slice(8, 10)):
        alone = policy(image=image[rows], label=label[rows], seed=5, index=index[rows])
        assert all(np.array_equal(whole[name][rows], alone[name]) for name in ("image", "label"))
