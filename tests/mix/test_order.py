"""Where mixers may stand, and that the order written is the order done."""

from __future__ import annotations

import numpy as np
import pytest
from pictures import colours, mean_colour

import vicinal as v
from vicinal.core.errors import BackendError


def test_casts_before_and_behind_a_mixer_do_the_same() -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 12, 10, 3), np.uint8)
    before, behind = (v.parse(text)(images, seed=0) for text in ("Normalize | ToTensor | CutMix", "CutMix | Normalize | ToTensor"))
    assert np.array_equal(before, behind)
    before, behind = (v.parse(text)(images, seed=0) for text in ("Normalize(mean=0, std=1) | MixUp", "MixUp | Normalize(mean=0, std=1)"))
    assert np.abs(before - behind).max() <= 0.5 / 255 + 1e-6


def test_alternatives_are_drawn_for_each_sample_and_never_see_each_other() -> None:
    policy = v.OneOf([v.MixUp(classes=30), v.CutMix(classes=30)])
    made = policy(image=colours(30, 8, 8), label=np.arange(30), seed=0)
    who = np.stack([made.mixed[f"OneOf/{name}"]["partner"] >= 0 for name in ("MixUp", "CutMix")])
    assert (who.sum(0) == 1).all()
    assert 5 < who[0].sum() < 25
    assert (np.count_nonzero(made["label"], axis=1) <= 2).all()


def test_a_second_mixer_mixes_what_the_first_has_mixed() -> None:
    made = v.parse("MixUp(classes=9) | CutMix(classes=9)")(image=colours(9, 8, 8), label=np.arange(9), seed=0)
    assert np.count_nonzero(made["label"], axis=1).max() > 2
    assert np.allclose(made["label"], mean_colour(made["image"]), atol=1e-6)


ORDERS = [
    ("CutMix() | HorizontalFlip()", r"HorizontalFlip: expected only casts and other mixers behind CutMix.*write HorizontalFlip \| CutMix"),
    ("Compose([CutMix()], p=0.5) | Rotate(angle=5)", "only casts and other mixers behind CutMix"),
    ("OneOf([CutMix(), HorizontalFlip()])", r"OneOf/CutMix: expected a mixer beside other mixers alone.*write \.\.\. \| CutMix\(p=0\.5\)"),
    ("SomeOf([Compose([MixUp()]), Invert()], n=1)", "SomeOf/MixUp: expected a mixer beside other mixers alone"),
    ("OneOf([MixUp(), CutMix()]) | Invert()", "only casts and other mixers behind MixUp"),
]


@pytest.mark.parametrize(("text", "said"), ORDERS)
def test_a_policy_in_another_order_cannot_be_made(text: str, said: str) -> None:
    with pytest.raises(v.PolicyError, match=said):
        v.parse(text)


def test_nested_and_named_mixers_are_one_policy_in_all_forms() -> None:
    policy = v.parse("HorizontalFlip(p=0.5) | OneOf([MixUp(alpha=0.2), CutMix(name='cut')], weights=(1, 3), p=0.5) | ToTensor()")
    made = policy(image=colours(8, 8, 8), seed=0)
    assert set(made.mixed) == {"OneOf/MixUp", "OneOf/cut"}
    assert "mix    OneOf/MixUp" in policy.explain(image=colours(8, 8, 8))


def test_bits_are_the_same_again_and_the_input_is_untouched() -> None:
    images = colours(5)
    images.flags.writeable = False
    policy = v.parse("OneOf([MixUp(classes=5), CutMix()], p=0.6)")
    one, two = (policy(image=images, label=np.arange(5), seed=0) for _ in range(2))
    assert np.array_equal(one["image"], two["image"])
    assert not np.shares_memory(one["image"], images)
    assert np.array_equal(images, colours(5))
    again = policy(image=images, label=np.arange(5))
    repeated = policy(image=images, label=np.arange(5), seed=again.address.seed)
    assert np.array_equal(again["image"], repeated["image"])


def test_draws_of_a_mixer_do_not_depend_on_what_stands_beside_it() -> None:
    alone = v.CutMix().at(seed=0, index=4).params["CutMix"]
    among = v.parse("HorizontalFlip() | Rotate(angle=(-5, 5)) | CutMix() | MixUp()").at(seed=0, index=4).params["CutMix"]
    assert alone == among


def test_an_empty_batch_stays_empty() -> None:
    none = np.zeros((0, 8, 8, 3), np.uint8)
    assert v.CutMix()(none, seed=0).shape == (0, 8, 8, 3)
    assert v.parse("Mosaic(size=12) | ToTensor()")(none, seed=0).shape == (0, 3, 12, 12)
    assert v.MixUp(partner="dataset")(none, seed=0, source=[]).shape == (0, 8, 8, 3)


def test_a_fault_inside_a_source_carries_the_address() -> None:
    def broken(number: int) -> dict:
        raise OSError("no such file")

    with pytest.raises(BackendError, match=r"CutMix at seed=7.*no such file"):
        v.CutMix(partner="dataset")(image=colours(3), source=(broken, 5), seed=7)


@v.register
class Halves(v.Mixer):
    """The left half of the picture and the right half of a partner.

    Example:
        >>> Halves()
        Halves()
    """

    def mix(self, params, items, pool, partner, on):  # type: ignore[no-untyped-def]
        made, middle = items.but(data=items.data.copy()), items.data.shape[2] // 2
        for row in np.flatnonzero(on):
            made.data[row, :, middle:] = pool.data[partner[row, 0], :, middle:]
        return made, {"weight": np.where(on, middle / items.data.shape[2], 1.0)}


def test_a_mixer_of_ones_own_keeps_the_laws() -> None:
    report = v.check(Halves)
    assert {"plain", "addressable", "replay", "neutral", "pure", "edges"} <= set(report.kept)
    assert set(report.not_applicable) == {"follow", "algebra"}


def test_a_recipe_of_one_view_replays_with_its_partner() -> None:
    source = [{"image": image} for image in colours(5, 8, 8)]
    policy = v.Views([v.HorizontalFlip(p=0.5), v.CutMix(partner="dataset")], n=2)
    _, second = policy(source[2]["image"], source=source, seed=0, index=2)
    again = policy.at(seed=0, index=2, view=1, image=source[2]["image"]).replay(source[2]["image"], source=source)
    assert np.array_equal(second, again)


def test_the_result_of_one_policy_goes_into_another() -> None:
    boxes = np.array([[[2.0, 2, 6, 6]]] * 4)
    mosaic, move = v.Mosaic(size=16), v.HorizontalFlip()
    first = mosaic(image=colours(4, 8, 8), boxes=boxes, seed=0)
    second = move(**first, seed=0)
    for one, other in zip(first["boxes"], second["boxes"], strict=True):
        assert np.allclose(other[:, [2, 0]], 16 - one[:, [0, 2]])
