"""How strong is too strong: survival by strength, and the safe range of every parameter."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import final

import numpy as np

from vicinal.core.declare import Parameter, declarations
from vicinal.core.errors import VicinalError
from vicinal.core.space import is_number
from vicinal.core.transform import Node, Transform
from vicinal.lab.preflight.hearing import Hearing
from vicinal.lab.preflight.survive import THRESHOLD

STRENGTHS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
_REACH = (0.25, 0.5, 1.0, 1.5, 2.0)  # of the way from the neutral value to the end of the space that was asked for
_HALVINGS = 3  # of the step within which survival falls below .95


@final
@dataclass(frozen=True)
class Safe:
    """The values of one parameter around the neutral one of which each lets at least .95 of the labels survive.

    Args:
        operation: label; parameter: name; unit: in words, "" for none; neutral: what changes nothing.
        asked: (lowest, highest) value that the policy may draw.
        low, high: the safe range; low_open, high_open: True where it ends because nothing beyond was tried.
        tried: (value, survival) pairs, ascending.
    """

    operation: str
    parameter: str
    unit: str
    neutral: float
    asked: tuple[float, float]
    low: float
    high: float
    low_open: bool
    high_open: bool
    tried: tuple[tuple[float, float], ...]

    @property
    def exceeded(self) -> bool:
        """Whether the policy may draw values that are not safe."""
        return (self.asked[0] < self.low and not self.low_open) or (self.asked[1] > self.high and not self.high_open)


def at_strengths(hearing: Hearing, policy: Node, versions: int = 2) -> list[tuple[float, float]]:
    """(strength, survival) pairs; nothing for a policy without strength, such as a flip, and no strength that its bounds forbid."""
    return [(strength, _share(hearing, node, versions)) for strength, node in stronger(policy)]


def stronger(policy: Node) -> list[tuple[float, Node]]:
    """The policy at every strength that its parameters admit; nothing where strength changes nothing."""
    found = []
    for strength in STRENGTHS:
        try:
            found.append((strength, policy.stronger(strength)))
        except VicinalError:  # beyond a bound
            break
    return found if any(node != policy for _, node in found) else []


def safe_ranges(hearing: Hearing, policy: Node) -> list[Safe]:
    """One for every parameter of every operation that has a neutral value and is a number."""
    found = []
    for node in policy.walk():
        if isinstance(node, Transform) and not node.mixes:
            found += [safe for name in node.spaces() if (safe := _safe(hearing, node, name)) is not None]
    return list(dict.fromkeys(found))


def _safe(hearing: Hearing, node: Transform, name: str) -> Safe | None:
    declared = declarations(type(node))[name]
    ends = node.spaces()[name].ends()
    if not isinstance(declared, Parameter) or not is_number(declared.neutral) or not all(map(is_number, ends)):
        return None
    neutral, asked = float(declared.neutral), (float(min(ends)), float(max(ends)))
    alone = _alone(node, name)
    sides = [_probed(hearing, alone, name, declared, neutral, end) for end in asked]
    if not any(sides):
        return None
    down, up = (edge([(neutral, 1.0), *side]) for side in sides)
    tried = tuple(sorted([*sides[0], *sides[1]]))
    return Safe(node.label, name, declared.unit, neutral, asked, down[0], up[0], down[1], up[1], tried)


def edge(probes: Sequence[tuple[float, float]]) -> tuple[float, bool]:
    """Where survival falls below .95 on the way from the neutral value outwards, and whether it never does.

    Survival is taken as never rising again on the way, and as linear between two values that were tried.

    Example:
        >>> round(edge([(0.0, 1.0), (8.0, 0.96875), (16.0, 0.0), (24.0, 1.0)])[0], 2), edge([(0.0, 1.0), (5.0, 0.99)])
        (8.15, (5.0, True))
    """
    for (before, kept), (value, share) in pairwise(probes):
        if share < THRESHOLD:
            return before + (value - before) * (kept - THRESHOLD) / (kept - share), False
    return probes[-1][0], True


def _alone(node: Transform, name: str) -> Transform:
    """The operation on every sample, with all other parameters at their neutral value where they have one."""
    others = {
        other: declared.neutral
        for other, declared in declarations(type(node)).items()
        if other != name and isinstance(declared, Parameter) and declared.neutral is not None
    }
    try:
        return dataclasses.replace(node, p=1.0, **others)
    except VicinalError:  # values that exclude one another
        return dataclasses.replace(node, p=1.0)


def _probed(hearing: Hearing, node: Transform, name: str, declared: Parameter, neutral: float, end: float) -> list[tuple[float, float]]:
    """(value, survival) pairs from the neutral value outwards: up to twice as far as the policy goes, and closer where survival falls."""

    def heard(value: float) -> tuple[float, float]:
        held = round(value) if declared.integer else float(np.clip(value, declared.low, declared.high))
        return float(held), _share(hearing, dataclasses.replace(node, **{name: held}), 1)

    found = [(neutral, 1.0)]
    try:
        for reach in _REACH:
            found.append(heard(neutral + reach * (end - neutral)))
            if found[-1][1] < THRESHOLD:
                return _closer(found, heard)[1:]
    except VicinalError:  # a value that the other settings exclude, or that changes the size
        pass
    return [pair for pair in dict.fromkeys(found) if not math.isclose(pair[0], neutral)]


def _closer(found: list[tuple[float, float]], heard: Callable[[float], tuple[float, float]]) -> list[tuple[float, float]]:
    """The last two of the pairs, between which survival falls below .95, brought together by halving."""
    low, high = found[-2:]
    more = []
    for _ in range(_HALVINGS):
        middle = heard((low[0] + high[0]) / 2)
        more.append(middle)
        low, high = (middle, high) if middle[1] >= THRESHOLD else (low, middle)
    return sorted(dict.fromkeys([*found, *more]), key=lambda pair: abs(pair[0] - found[0][0]))


def _share(hearing: Hearing, policy: Node, versions: int) -> float:
    return float(hearing.known(policy, versions).sum() / max(1, hearing.right.sum()))
