"""Policies that others found, as nodes: their tables are data, and their operations are lined up by OneOf, so that they fuse."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.compose import Compose, OneOf, paths
from vicinal.core.errors import ParameterError, VicinalError
from vicinal.core.plan import Builder
from vicinal.core.policy import build, read_document
from vicinal.core.space import Sign, Space, is_number
from vicinal.core.text import fields_of
from vicinal.core.transform import Node, Transform, register
from vicinal.core.warp import INTERPOLATIONS
from vicinal.image.move import Shear

__all__ = ["AutoAugment", "RandAugment", "TrivialAugment"]

LEVELS = 30
"""Full strength on the scale of RandAugment and TrivialAugment: 31 levels from 0."""

_TABLES = Path(__file__).with_name("tables")


@lru_cache(maxsize=8)
def table(name: str) -> Any:
    """The plain data of one file of tables."""
    return read_document(_TABLES / f"{name}.yaml")


@lru_cache(maxsize=64)
def operations(name: str, interpolation: str, fill: float) -> tuple[Node, ...]:
    """The operations of a policy at full strength."""
    data = table("operations")[name]
    return tuple(_sampled(build(item, f"{name}[{number}]"), interpolation, fill) for number, item in enumerate(data))


def _sampled(node: Node, interpolation: str, fill: float) -> Node:
    wanted = {"interpolation": interpolation, "fill": fill}
    held = {field.name for field in dataclasses.fields(node)}
    return dataclasses.replace(node, **{name: value for name, value in wanted.items() if name in held})


def at_share(node: Node, share: float) -> Node:
    """An operation at a share of its full strength: of what the table gives it, so what the papers know no level for has none.

    A shear grows with its slope, as in the papers, not with its angle.
    """
    if not isinstance(node, Transform):
        return node
    given, weaker = fields_of(node), node.stronger(share).spaces()
    if isinstance(node, Shear):
        weaker = {axis: _slope(held, share) for axis, held in node.spaces().items()}
    return dataclasses.replace(node, **{name: held for name, held in weaker.items() if name in given})


def _slope(held: Space, share: float) -> Space:
    if isinstance(held, Sign):
        angle = math.degrees(math.atan(share * math.tan(math.radians(held.high))))
        return Sign(angle, angle)
    return held


def over_levels(node: Node, strength: float) -> Node:
    """An operation whose level is drawn for every sample: all 31 equally likely, and both signs."""
    if not isinstance(node, Transform):
        return node
    steps = [at_share(node, strength * level / LEVELS) for level in range(LEVELS + 1)]
    values = {name: [end for step in steps for end in step.spaces()[name].ends()] for name in node.spaces()}  # type: ignore[attr-defined]
    return dataclasses.replace(node, **{name: {"choice": ends} for name, ends in values.items() if len(set(ends)) > 1})


@dataclasses.dataclass(frozen=True, repr=False)
class Found(Node):
    """Abstract: a node whose children come from a table."""

    interpolation: str = dataclasses.field(default="linear", kw_only=True)
    fill: float = dataclasses.field(default=0.0, kw_only=True)

    def faults(self) -> Iterator[VicinalError]:
        label = type(self).__name__
        if self.interpolation not in INTERPOLATIONS:
            expected = f"one of {', '.join(map(repr, INTERPOLATIONS))}"
            yield ParameterError(f"{label}.interpolation", expected, repr(self.interpolation), 'interpolation="linear"')
        if not is_number(self.fill) or not 0 <= self.fill <= 1:
            yield ParameterError(f"{label}.fill", "a share of the value range in [0, 1]", repr(self.fill), "fill=0.5")
        yield from self.more_faults()

    def more_faults(self) -> Iterator[VicinalError]:
        """What else may be wrong."""
        yield from ()

    def emit(self, build: Builder, path: str, on: NDArray[np.bool_]) -> None:
        on = build.gate(path, self.p, on)
        for node, below in zip(self.children, paths(self.children, path), strict=True):
            build.enter(node, below, on)


def _share(label: str, name: str, value: Any) -> Iterator[VicinalError]:
    if not is_number(value) or not 0 <= value <= 1:
        yield ParameterError(f"{label}.{name}", "a number in [0, 1]", repr(value), f"{name}=0.5")


@register
@final
class RandAugment(Found):
    """One of 14 operations, and another, all at one magnitude; drawn with replacement.

    Shears are about the centre and contrast about mid-grey, where torchvision shears about the corner and turns about the picture's mean.

    Args:
        n: how many rounds; magnitude: from 0 to 30 (torchvision's 31 bins), fractions allowed; ``strength`` scales it.
        interpolation, fill: of the operations that move pixels.

    Example:
        >>> import vicinal as v
        >>> v.RandAugment(n=2, magnitude=9), v.RandAugment().stronger(0.5)
        (RandAugment(), RandAugment(magnitude=4.5))
    """

    paper: ClassVar[str] = "Cubuk et al., RandAugment: Practical automated data augmentation with a reduced search space, 2020"

    n: int = dataclasses.field(default=2, kw_only=True)
    magnitude: float = dataclasses.field(default=9, kw_only=True)

    def more_faults(self) -> Iterator[VicinalError]:
        if not isinstance(self.n, int) or isinstance(self.n, bool) or self.n < 0:
            yield ParameterError("RandAugment.n", "a whole number of 0 or more", repr(self.n), "n=2")
        if not is_number(self.magnitude) or not 0 <= self.magnitude <= LEVELS:
            yield ParameterError("RandAugment.magnitude", f"a number in [0, {LEVELS}]", repr(self.magnitude), "magnitude=9")

    @property
    def children(self) -> tuple[Node, ...]:
        return (_one_round(self.magnitude / LEVELS, self.interpolation, self.fill),) * self.n

    def stronger(self, strength: float) -> Self:
        return self if strength == 1 else dataclasses.replace(self, magnitude=self.magnitude * strength)


@lru_cache(maxsize=256)
def _one_round(share: float, interpolation: str, fill: float) -> Node:
    return OneOf(tuple(at_share(node, share) for node in operations("randaugment", interpolation, fill)))


@register
@final
class TrivialAugment(Found):
    """One of 14 operations, at a level that is drawn anew: nothing to tune.

    Args:
        wide: the wide ranges (torchvision's TrivialAugmentWide), else those of RandAugment with shifts of 10 pixels;
        strength: shrinks every level, in [0, 1]; interpolation, fill: of the operations that move pixels.

    Example:
        >>> import vicinal as v
        >>> v.TrivialAugment(wide=False)
        TrivialAugment(wide=False)
    """

    paper: ClassVar[str] = "Müller and Hutter, TrivialAugment: Tuning-free yet state-of-the-art data augmentation, 2021"

    wide: bool = dataclasses.field(default=True, kw_only=True)
    strength: float = dataclasses.field(default=1.0, kw_only=True)

    def more_faults(self) -> Iterator[VicinalError]:
        if not isinstance(self.wide, bool):
            yield ParameterError("TrivialAugment.wide", "true or false", repr(self.wide), "wide=True")
        yield from _share("TrivialAugment", "strength", self.strength)

    @property
    def children(self) -> tuple[Node, ...]:
        return _any_level("trivialaugment-wide" if self.wide else "trivialaugment", self.strength, self.interpolation, self.fill)

    def stronger(self, strength: float) -> Self:
        return self if strength == 1 else dataclasses.replace(self, strength=self.strength * strength)


@lru_cache(maxsize=256)
def _any_level(name: str, strength: float, interpolation: str, fill: float) -> tuple[Node, ...]:
    return (OneOf(tuple(over_levels(node, strength) for node in operations(name, interpolation, fill))),)


@register
@final
class AutoAugment(Found):
    """One of 25 pairs of operations that a search found, each operation with a probability and a level of its own.

    Args:
        policy: the data set it was found on, "imagenet", "cifar10" or "svhn";
        strength: shrinks every level, in [0, 1]; interpolation, fill: of the operations that move pixels.

    Example:
        >>> import vicinal as v
        >>> v.AutoAugment(policy="svhn")
        AutoAugment(policy='svhn')
    """

    paper: ClassVar[str] = "Cubuk et al., AutoAugment: Learning augmentation strategies from data, 2019"

    policy: str = dataclasses.field(default="imagenet", kw_only=True)
    strength: float = dataclasses.field(default=1.0, kw_only=True)

    def more_faults(self) -> Iterator[VicinalError]:
        if self.policy not in ("imagenet", "cifar10", "svhn"):
            yield ParameterError("AutoAugment.policy", "one of 'imagenet', 'cifar10', 'svhn'", repr(self.policy), 'policy="imagenet"')
        yield from _share("AutoAugment", "strength", self.strength)

    @property
    def children(self) -> tuple[Node, ...]:
        return _pairs(self.policy, self.strength, self.interpolation, self.fill)

    def stronger(self, strength: float) -> Self:
        return self if strength == 1 else dataclasses.replace(self, strength=self.strength * strength)


@lru_cache(maxsize=256)
def _pairs(policy: str, strength: float, interpolation: str, fill: float) -> tuple[Node, ...]:
    tables = table("autoaugment")
    known = {node.label: node for node in operations(tables["operations"], interpolation, fill)}
    known |= {node.label: node for node in (build(item, "autoaugment.more") for item in tables["more"])}

    def step(name: str, p: float, level: int) -> Node:
        return dataclasses.replace(at_share(known[name], strength * level / 9), p=p)

    return (OneOf(tuple(Compose(tuple(step(*one) for one in pair)) for pair in tables[policy])),)
