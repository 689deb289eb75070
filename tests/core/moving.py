"""Random policies of moves, quick ones: for laws about annotations, which nothing else moves."""

from __future__ import annotations

from random import Random

from hypothesis import strategies as st

import vicinal as v

CANVAS = [
    v.Resize(size=(21, 30)),
    v.RandomScale(factor=(0.6, 1.6)),
    v.LongestMaxSize(size=37),
    v.SmallestMaxSize(size=25),
    v.Pad(by=(1, 2, 3, 4)),
    v.Letterbox(size=(40, 33)),
    v.PadIfNeeded(size=44),
    v.CenterCrop(size=(24, 28)),
    v.RandomCrop(size=26),
    v.RandomResizedCrop(size=(22, 35)),
    v.Rotate(angle=(-180, 180), expand=True),
    v.Transpose(),
    v.RandomRotate90(),
    v.D4(),
]
PLAIN = [
    v.HorizontalFlip(),
    v.VerticalFlip(),
    v.Rotate(angle=(-60, 60)),
    v.Translate(x=(-6, 6), y=(-6, 6)),
    v.Scale(factor=(0.7, 1.5)),
    v.Shear(x=(-20, 20)),
    v.Affine(angle=(-30, 30), scale=(0.8, 1.3), shear_y=(-9, 9), x=(-3, 3)),
]
BENT = [
    v.Perspective(amount=(0, 0.15)),
    v.ElasticTransform(amplitude=(0, 2.5), smoothness=14),
    v.GridDistortion(amount=(0, 0.4)),
    v.PiecewiseAffine(amount=(0, 0.2)),
    v.ThinPlateSpline(amount=(0, 0.1)),
    v.OpticalDistortion(k=(-0.3, 0.5)),
    v.JigsawShuffle(tiles=3),
]


def node(rng: Random, among: list[v.Node]) -> v.Node:
    """A move, a barrier, or one of several moves."""
    kind = rng.random()
    if kind < 0.1:
        return v.Barrier()
    if kind < 0.25:
        return v.OneOf([rng.choice(among) for _ in range(rng.randint(1, 3))], p=rng.choice([1.0, 0.5]))
    return v.Compose([rng.choice(among)], p=rng.choice([1.0, 0.5]))


def policy(rng: Random, among: list[v.Node]) -> v.Compose:
    """One to four nodes."""
    return v.Compose([node(rng, among) for _ in range(rng.randint(1, 4))], exact=rng.random() < 0.7)


SOURCES = st.integers(0, 10**9).map(Random)
moving = SOURCES.map(lambda rng: policy(rng, CANVAS + PLAIN + BENT))
straight = SOURCES.map(lambda rng: policy(rng, CANVAS + PLAIN))
SIZES = ((30, 40), (40, 30), (33, 33), (25, 47))
