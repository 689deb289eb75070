"""Arms: what a comparison compares, and the controls that it adds by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

from vicinal.core.compose import Views
from vicinal.core.draw import VIEW_LIMIT
from vicinal.core.errors import Faults, ParameterError, PolicyError, VicinalError, raise_all
from vicinal.core.policy import parse, read_policy
from vicinal.core.transform import Node, Transform

RESERVED = ("none", "duplicate")


@final
@dataclass(frozen=True)
class Arm:
    """One way to train.

    Args:
        name: how it is called in tables.
        policy: what is done to the training items; None for nothing.
        copies: 0 for on the fly (every visit to an item draws anew); k for oversampling: k fixed augmented copies of every item beside
            the original. Without a policy the copies are unchanged.
        steps: optimiser steps where they are not those of the budget: a step-matched control.
    """

    name: str
    policy: Node | None = None
    copies: int = 0
    steps: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.copies < VIEW_LIMIT:
            raise ParameterError(f"arm {self.name}", f"0 to {VIEW_LIMIT - 1:,} copies", f"{self.copies:,}", f"{self.name}:1=...")

    @property
    def mode(self) -> str:
        """How items come about: "none", "duplicate", "fly" or "copies"."""
        if self.policy is None:
            return "duplicate" if self.copies else "none"
        return "copies" if self.copies else "fly"


PANEL = (
    ("shift", 'Translate(x=(-0.1, 0.1), y=(-0.1, 0.1), unit="share")'),
    ("rotate", "Rotate(angle=(-15, 15))"),
    ("scale", "Scale(factor=(0.85, 1.15))"),
    ("noise", "GaussianNoise(std=(0, 0.1))"),
    ("erase", "Erase(area=(0.02, 0.15))"),
    ("hflip", "HorizontalFlip(p=0.5)"),
)
"""What is compared on images when no arm is named: cheap, common, and one that is wrong for digits."""

_ARM = re.compile(r"(?P<name>[^=:]+)(:(?P<copies>\d+))?=(?P<policy>.+)", re.DOTALL)


def read_arms(texts: Sequence[str], copies: int = 0) -> list[Arm]:
    """Arms from ``NAME=POLICY`` or ``NAME:K=POLICY`` (K copies), where POLICY is one line of text or a .yaml or .json file.

    Args:
        texts: one an arm; none at all gives the default panel.
        copies: of the arms that do not say how many themselves.

    Raises:
        PolicyError: every fault of every arm at once.

    Example:
        >>> [arm.mode for arm in read_arms(["flip=HorizontalFlip(p=0.5)", "noisy:1=UniformNoise(low=0, high=0.5)"])]
        ['fly', 'copies']
    """
    if not texts:
        return [Arm(name, parse(policy), copies) for name, policy in PANEL]
    faults: list[VicinalError] = []
    matches = [_matched(text, faults) for text in texts]
    found = [match for match in matches if match is not None]
    faults.extend(_twice([match["name"].strip() for match in found]))
    arms = [_read(match, copies, faults) for match in found]
    raise_all("arms", faults)
    return [arm for arm in arms if arm is not None]


def _matched(text: str, faults: list[VicinalError]) -> re.Match[str] | None:
    found = _ARM.fullmatch(text.strip())
    if found is None:
        advice = '--arm shift="Translate(x=(-2, 2), y=(-2, 2))"'
        faults.append(PolicyError("--arm", "NAME=POLICY or NAME:COPIES=POLICY", repr(text), advice))
    return found


def _read(found: re.Match[str], copies: int, faults: list[VicinalError]) -> Arm | None:
    name, before = found["name"].strip(), len(faults)
    faults.extend(_reserved(name))
    policy = _policy(name, found["policy"].strip(), faults)
    if policy is None or len(faults) > before:
        return None
    try:
        return Arm(name, policy, copies if found["copies"] is None else int(found["copies"]))
    except VicinalError as fault:
        faults.append(fault)
        return None


def _reserved(name: str) -> list[VicinalError]:
    if name not in RESERVED and not name.startswith("none,"):  # step-matched controls are called "none, 1,406 steps"
        return []
    expected = "a name of your own: none and duplicate are always compared"
    return [PolicyError(f"--arm {name}", expected, repr(name), f"my-{name.split(',')[0]}=...")]


def _policy(name: str, text: str, faults: list[VicinalError]) -> Node | None:
    before = len(faults)
    try:
        policy = read_policy(text)
    except Faults as several:
        where = f"arm {name} ({text})" if several.where == text else f"arm {name}"
        faults.extend(fault.under(where) for fault in several.faults)
        return None
    except VicinalError as fault:
        faults.append(fault.under(f"arm {name}"))
        return None
    faults.extend(unfit(f"arm {name}", policy))
    return None if len(faults) > before else policy


def unfit(where: str, policy: Node, mixing: bool = False) -> list[VicinalError]:
    """Why a policy cannot be an arm: dev and test are never touched, so it may change neither what the network is fed nor how often.

    With ``mixing`` it may let other items in, for those who only look at it.

    Example:
        >>> [fault.got for fault in unfit("arm a", parse("Views([Normalize(mean=0.5, std=0.5)])"))]
        ['Views', 'Normalize']
    """
    return [fault for node in policy.walk() for fault in _node_faults(where, node, mixing)]


def _node_faults(where: str, node: Node, mixing: bool) -> Iterator[VicinalError]:
    kind = type(node).__name__
    if isinstance(node, Views):
        yield PolicyError(f"{where}: Views", "one version of an item at a time", "Views", "NAME:2=... for two copies of every item")
    elif isinstance(node, Transform) and node.whole:
        expected = "a policy that leaves dtype, range and layout alone: the trainer scales to [0, 1] for train and test alike"
        yield PolicyError(f"{where}: {node.label}", expected, kind, f"the policy without {kind}")
    elif isinstance(node, Transform) and node.mixes and not mixing:
        yield PolicyError(f"{where}: {node.label}", "operations on one item: the trainer takes one class an item", f"{kind}, a mixer")
    elif isinstance(node, Transform) and "image" not in node.needs:
        yield PolicyError(f"{where}: {node.label}", "transforms of images", f"{kind}, for {' and '.join(sorted(node.needs))}")


def _twice(names: Sequence[str]) -> list[VicinalError]:
    double = sorted({name for name in names if names.count(name) > 1})
    return [PolicyError("--arm", "a name for each arm", f"{name!r} {names.count(name)} times", f"{name}-2=...") for name in double]


def with_controls(arms: Sequence[Arm]) -> list[Arm]:
    """The arms behind the two that every comparison has: nothing, and as many extra items without any change."""
    return [Arm("none"), Arm("duplicate", copies=max([1, *(arm.copies for arm in arms)])), *arms]
