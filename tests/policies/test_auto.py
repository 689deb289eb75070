"""RandAugment, TrivialAugment and AutoAugment: forms, tables against torchvision's, what is chosen, and that strength distorts."""

from __future__ import annotations

import json
import pickle

import cv2
import numpy as np
import pytest
import yaml
from needed import OPERATIONS, needs
from scipy import stats

import vicinal as v
from foreign import torchvision
from vicinal.core.policy import build
from vicinal.core.space import Choice, Fixed, Sign
from vicinal.policies.auto import LEVELS, at_share, operations, table
from vicinal.testing.case import pictures

NODES = [
    v.RandAugment(),
    v.RandAugment(n=3, magnitude=14.5, p=0.5),
    v.RandAugment(interpolation="nearest", fill=0.5, name="Policy"),
    v.TrivialAugment(),
    v.TrivialAugment(wide=False, strength=0.25),
    v.AutoAugment(),
    v.AutoAugment(policy="svhn", strength=0.5, p=0.9),
]


@pytest.mark.parametrize("node", NODES, ids=repr)
def test_object_data_yaml_json_and_text_are_one(node):
    needs(type(node).__name__)
    policy = v.Compose([node, v.HorizontalFlip(p=0.5)])
    ways = [build(policy.data()), build(json.loads(json.dumps(policy.data()))), build(yaml.safe_load(yaml.safe_dump(policy.data())))]
    for same in [*ways, v.parse(str(policy)), pickle.loads(pickle.dumps(policy))]:
        assert same == policy
        assert same.fingerprint == policy.fingerprint
    assert "of" not in str(node.data())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("RandAugment(n=-1)", r"RandAugment\.n: expected a whole number of 0 or more, got -1"),
        ("RandAugment(magnitude=30.5)", r"RandAugment\.magnitude: expected a number in \[0, 30\], got 30\.5"),
        ("TrivialAugment(wide=1)", r"TrivialAugment\.wide: expected true or false, got 1"),
        ("TrivialAugment(strength=2)", r"TrivialAugment\.strength: expected a number in \[0, 1\], got 2"),
        ("AutoAugment(policy='mnist')", r"AutoAugment\.policy: expected one of 'imagenet', 'cifar10', 'svhn', got 'mnist'"),
        ("RandAugment(fill=3)", r"RandAugment\.fill: expected a share of the value range in \[0, 1\], got 3"),
        ("RandAugment(interpolation='cubic')", r"RandAugment\.interpolation: expected one of 'nearest', 'linear', got 'cubic'"),
        ("RandAugment(num_ops=3)", r"RandAugment\.num_ops: expected one of p, name, interpolation, fill, n, magnitude"),
    ],
)
def test_what_is_wrong_is_a_sentence(text, says):
    with pytest.raises(v.PolicyError, match=says):
        v.parse(text)


def test_strength_is_the_magnitude():
    assert v.RandAugment(magnitude=9).stronger(0.5) == v.RandAugment(magnitude=4.5)
    assert v.TrivialAugment(strength=0.5).stronger(0.5).strength == 0.25
    assert v.AutoAugment().stronger(0.5).strength == 0.5


def test_what_has_no_level_keeps_its_full_effect():
    needs("RandAugment")
    weak = {node.label: node for node in v.RandAugment(magnitude=1).children[0].children}
    assert weak["Equalize"] == v.parse("Equalize()")
    assert weak["AutoContrast"] == v.parse("AutoContrast()")


# The tables against torchvision's own: every operation, every level.

SHEARS, SHARE = {"ShearX": "x", "ShearY": "y"}, {"TranslateX": ("x", 160), "TranslateY": ("y", 120)}
FIELD = {"Rotate": "angle", "Brightness": "gain", "Color": "gain", "Contrast": "gain", "Sharpness": "amount", "Posterize": "bits",
         "Solarize": "threshold"}  # fmt: skip


def ends(node) -> list[float]:
    """What an operation of one level may draw, in torchvision's units (the middle taken off, pixels of a picture of 120 x 160)."""
    label = node.label
    if label in SHEARS:
        return [float(np.tan(np.deg2rad(end))) for end in node.spaces()[SHEARS[label]].ends()]
    if label in SHARE:
        axis, side = SHARE[label]
        return [end * (side if node.unit == "share" else 1) for end in node.spaces()[axis].ends()]
    middle = 1.0 if FIELD[label] == "gain" else 0.0
    return [float(end) - middle for end in node.spaces()[FIELD[label]].ends()]


@pytest.mark.parametrize(("name", "theirs"), [("randaugment", "RandAugment"), ("trivialaugment-wide", "TrivialAugmentWide")])
def test_magnitudes_are_those_of_torchvision(name, theirs):
    needs("RandAugment")
    space = getattr(torchvision()[1], theirs)._AUGMENTATION_SPACE
    ours = {node.label: node for node in operations(name, "linear", 0.0)}
    assert set(ours) == set(space)
    for label, (magnitudes, signed) in space.items():
        values = magnitudes(LEVELS + 1, 120, 160)
        for level in range(LEVELS + 1) if values is not None else ():
            found, wanted = ends(at_share(ours[label], level / LEVELS)), float(values[level])
            if label == "Solarize":  # the papers start at 256 of 255, torchvision at 255
                wanted *= 256 / 255
            assert sorted(found) == pytest.approx([-wanted, wanted] if signed else [wanted], rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", ["imagenet", "cifar10", "svhn"])
def test_sub_policies_are_those_of_torchvision(name):
    transforms = torchvision()[1]
    theirs = transforms.AutoAugment(transforms.AutoAugmentPolicy(name))._policies
    assert [[tuple(step) for step in pair] for pair in table("autoaugment")[name]] == [
        [(label, p, level or 0) for label, p, level in pair] for pair in theirs
    ]
    needs("AutoAugment")
    (one_of,) = v.AutoAugment(policy=name).children
    for made, pair in zip(one_of.children, theirs, strict=True):
        assert [(node.label, node.p) for node in made.children] == [(label, p) for label, p, _ in pair]
    levels = transforms.AutoAugment._AUGMENTATION_SPACE
    for made, (label, _, level) in zip((n for c in one_of.children for n in c.children), (s for pair in theirs for s in pair), strict=True):
        if level is not None and levels[label][0](10, 120, 160) is not None:
            wanted = float(levels[label][0](10, 120, 160)[level]) * (256 / 255 if label == "Solarize" else 1)
            assert max(ends(made)) == pytest.approx(wanted, abs=2e-6)


# What is chosen, against the stated law.

BATCH = 6000


def plan(policy) -> dict:
    return dict(policy(image=np.zeros((BATCH, 1, 1, 3), np.uint8), seed=8).plan.params)


def test_randaugment_chooses_every_operation_equally_often_in_each_round():
    needs("RandAugment")
    found = plan(v.RandAugment(n=2, magnitude=9))
    rounds = [found[f"RandAugment/{label}"]["choice"] for label in ("OneOf", "OneOf#2")]
    table_ = np.zeros((14, 14))
    np.add.at(table_, tuple(rounds), 1)
    assert stats.chisquare(table_.ravel()).pvalue > 1e-3  # with replacement, and the rounds independent of each other


def test_randaugment_draws_both_signs_equally_often():
    needs("RandAugment")
    found = plan(v.RandAugment(n=1, magnitude=15))
    for label, name, size in (("Rotate", "angle", 15.0), ("Contrast", "gain", 0.45), ("ShearX", "x", np.rad2deg(np.arctan(0.15)))):
        drawn = found[f"RandAugment/OneOf/{label}"]
        values = drawn[name][drawn["on"]] - (1 if name == "gain" else 0)
        assert np.abs(values) == pytest.approx(size)
        assert stats.binomtest(int((values > 0).sum()), len(values)).pvalue > 1e-3


@pytest.mark.parametrize("wide", [True, False])
def test_trivialaugment_draws_operations_levels_and_signs_equally_often(wide):
    needs("TrivialAugment")
    found = plan(v.TrivialAugment(wide=wide))
    choice = found["TrivialAugment/OneOf"]["choice"]
    assert stats.chisquare(np.bincount(choice, minlength=14)).pvalue > 1e-3
    drawn = found["TrivialAugment/OneOf/Rotate"]["angle"]  # at every address, whether it acts or not
    levels = np.rint(drawn / (135 if wide else 30) * LEVELS).astype(int)
    counts = np.bincount(levels + LEVELS, minlength=2 * LEVELS + 1)
    wanted = np.full(2 * LEVELS + 1, BATCH / (2 * LEVELS + 2))
    wanted[LEVELS] *= 2  # level 0 has no sign
    assert stats.chisquare(counts, wanted).pvalue > 1e-3
    bits = np.bincount(found["TrivialAugment/OneOf/Posterize"]["bits"], minlength=9)
    most = 6 if wide else 4
    law = np.bincount(np.rint(8 - most * np.arange(LEVELS + 1) / LEVELS).astype(int), minlength=9) / (LEVELS + 1)
    assert stats.chisquare(bits[law > 0], BATCH * law[law > 0]).pvalue > 1e-3
    assert bits[law == 0].sum() == 0


@pytest.mark.parametrize("name", ["imagenet", "cifar10", "svhn"])
def test_autoaugment_draws_sub_policies_equally_often_and_steps_by_their_probability(name):
    needs("AutoAugment")
    found = plan(v.AutoAugment(policy=name))
    choice = found["AutoAugment/OneOf"]["choice"]
    assert stats.chisquare(np.bincount(choice, minlength=25)).pvalue > 1e-3
    for number, pair in enumerate(table("autoaugment")[name]):
        path = "AutoAugment/OneOf/Compose" + (f"#{number + 1}" if number else "")
        for position, (label, p, _) in enumerate(pair):
            step = f"{path}/{label}" + ("#2" if position and pair[0][0] == label else "")
            acted, chosen = int(found.get(step, {"on": np.zeros(1)})["on"].sum()), int((choice == number).sum())
            assert acted in (0, chosen) if p in (0, 1) else stats.binomtest(acted, chosen, p).pvalue > 1e-5, step


def test_operations_line_up_by_kind():
    needs("RandAugment")
    images = pictures(64, 32, 32)
    for policy in (v.RandAugment(n=1), v.TrivialAugment(), v.AutoAugment(policy="svhn")):
        kinds = [type(primitive).__name__ for primitive in policy(image=images, seed=0).plan.primitives]
        # 14 operations, or 50 in AutoAugment; what lies between two of a kind, such as Equalize, may cost one more pass of it.
        assert kinds.count("Warp") <= 3, kinds
        assert kinds.count("Pointwise") <= 3, kinds


def test_a_sample_does_not_depend_on_its_neighbours():
    needs("RandAugment")
    images = pictures(16, 32, 32)
    for policy in (v.RandAugment(), v.TrivialAugment(), v.AutoAugment()):
        whole = policy(images, seed=2, index=range(16))
        for row in (0, 7, 15):
            assert np.array_equal(policy(images[row], seed=2, index=row), whole[row])
        recipe = policy.at(seed=2, index=7, image=images[7])
        assert np.array_equal(v.read_recipe(json.loads(json.dumps(recipe.as_dict()))).replay(images[7]), whole[7])


def test_level_zero_changes_nothing():
    needs("RandAugment")
    images = pictures(2)
    for node in operations("randaugment", "linear", 0.0):
        if node.label not in ("AutoContrast", "Equalize"):
            assert np.array_equal(v.Compose([at_share(node, 0.0)])(images, seed=0), images), node


# Strength distorts: the mean distance to the photograph grows with the level.


@pytest.mark.parametrize("name", ["randaugment", "trivialaugment-wide"])
@pytest.mark.parametrize("label", ["ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate", "Brightness", "Color", "Contrast", "Sharpness",
                                   "Posterize", "Solarize"])  # fmt: skip
def test_distortion_grows_with_the_level(shared_data, name, label):
    needs(*OPERATIONS)
    paths = sorted(shared_data("photos").rglob("*.jpg"))[:8]
    photographs = np.stack([cv2.resize(cv2.cvtColor(cv2.imread(str(p)), cv2.COLOR_BGR2RGB), (128, 96), interpolation=cv2.INTER_AREA)
                            for p in paths])  # fmt: skip
    node = next(node for node in operations(name, "linear", 0.0) if node.label == label)
    distance = []
    for level in (0, 5, 10, 15, 20, 25, 30):
        step = at_share(node, level / LEVELS)
        assert all(isinstance(space, (Fixed, Sign, Choice)) for space in step.spaces().values())
        made = v.Compose([step])(photographs, seed=1)  # the same signs at every level
        distance.append(float(np.abs(made.astype(float) - photographs).mean()))
    assert distance[0] == 0
    steps = np.diff(distance)
    # Past 90 degrees a picture may look more like itself again; up to there every level distorts more.
    upto = 3 if (name, label) == ("trivialaugment-wide", "Rotate") else len(steps)
    assert (steps[:upto] >= 0).all(), distance
    assert distance[-1] > 2
