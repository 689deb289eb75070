"""Random policies over the whole registry, for Hypothesis: values come from what each transform declares."""

from __future__ import annotations

import dataclasses
from random import Random
from typing import Any

import numpy as np
from hypothesis import strategies as st

import vicinal as v
from vicinal.core.declare import Parameter, declarations
from vicinal.core.transform import Node, Transform

SPANS = {"times": (0.5, 2.0), "exponents": (0.5, 2.0), "degrees": (-40.0, 40.0), "pixels": (-4.0, 4.0), "kelvin": (2000.0, 20000.0)}
OPTIONS = (True, False, 0.0, 0.5, 7, (5, 9))
OURS = [cls for cls in v.registry().values() if issubclass(cls, Transform) and cls.__module__.startswith("vicinal.")]  # tests plant others
IMAGE = [cls for cls in OURS if "image" in cls.needs and not cls.whole and not cls.mixes]


def _span(declared: Parameter) -> tuple[float, float]:
    low, high = next((span for word, span in SPANS.items() if declared.unit.startswith(word)), (-1.0, 1.0))
    return max(low, declared.low), min(high, declared.high)


def _value(declared: Parameter, rng: Random) -> Any:
    if declared.integer:
        return {"choice": list(range(int(declared.low), int(min(declared.high, declared.low + 9)) + 1))}
    low, high = _span(declared)
    one, other = sorted(low + (high - low) * rng.randint(0, 32) / 32 for _ in range(2))
    return rng.choice([one, (one, other), {"choice": [one, other]}, {"log": [one, other]} if one > 0 else (one, other)])


def _field(declared: Any, rng: Random, usual: Any) -> Any:
    if isinstance(declared, Parameter):
        return _value(declared, rng)
    admitted = declared.choices or [o for o in OPTIONS if declared.admits(o)] or [usual]
    return rng.choice([o for o in admitted if o != "keep"])  # what keeps values out of range must stand last


def transform(rng: Random) -> Transform:
    """Any image transform but those that change dtype or layout; some fields given, others left at their defaults."""
    cls = rng.choice(IMAGE)
    needed = {field.name for field in dataclasses.fields(cls) if field.default is dataclasses.MISSING}
    usual = {field.name: cls.example.get(field.name, field.default) for field in dataclasses.fields(cls)}
    chosen = {name: declared for name, declared in declarations(cls).items() if name in needed or rng.random() < 0.5}
    fields = {name: _field(declared, rng, usual[name]) for name, declared in chosen.items()}
    return cls(**fields, p=rng.choice([1.0, 0.5]))


def node(rng: Random, depth: int) -> Node:
    """A transform, a barrier, or a group of nodes."""
    kind = rng.choice(["transform"] * 4 + ["barrier"] + ["one", "some", "all"] * (depth > 0))
    if kind == "transform":
        return transform(rng)
    below, p = [node(rng, depth - 1) for _ in range(rng.randint(1, 3))], rng.choice([1.0, 0.5])
    if kind == "one":
        return v.OneOf(below, p=p, weights=rng.choice([None, tuple(range(1, len(below) + 1))]))
    if kind == "some":
        return v.SomeOf(below, p=p, n=rng.choice([1, (0, len(below))]))
    return v.Barrier() if kind == "barrier" else v.Compose(below, p=p, strength=rng.choice([1.0, 0.5]), exact=rng.random() < 0.5)


def policy(rng: Random) -> Node:
    """Up to four nodes and, now and then, what a network takes."""
    tail = rng.choice([[], [], [v.ToTensor()], [v.Normalize(mean=0.4, std=0.2)], [v.Normalize(), v.ToTensor()]])
    return v.Compose([*(node(rng, 2) for _ in range(rng.randint(0, 4))), *tail], exact=rng.random() < 0.7)


# Random numbers of their own instead of Hypothesis' choices: those repeat themselves, and leave half of the registry out.
SOURCES = st.randoms(use_true_random=True)
policies = SOURCES.map(policy)
transforms = SOURCES.map(transform)


def images(batch: int, dtype: str, ragged: bool, seed: int = 0) -> Any:
    """Random images, three channels; of several sizes if ``ragged``."""
    rng = np.random.default_rng(seed)
    sizes = [(9, 12), (12, 9), (11, 11)] if ragged else [(9, 12)]
    made = [rng.random((*sizes[number % len(sizes)], 3)) for number in range(batch)]
    stored = [image.astype(np.float32) if dtype == "float32" else (image * np.iinfo(dtype).max).astype(dtype) for image in made]
    return stored if ragged else np.stack(stored)
