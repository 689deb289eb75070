"""Arms: what a comparison compares, and the controls that it adds by itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from vicinal.core.compose import Views
from vicinal.core.errors import Faults, PolicyError, VicinalError, raise_all
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
    arms, faults = [], []
    for text in texts:
        try:
            arms.append(_read(text, copies))
        except Faults as several:
            faults.extend(several.faults)
        except VicinalError as fault:
            faults.append(fault)
    faults.extend(_twice([arm.name for arm in arms]))
    raise_all("arms", faults)
    return arms


def _read(text: str, copies: int) -> Arm:
    found = _ARM.fullmatch(text.strip())
    if not found:
        raise PolicyError("--arm", "NAME=POLICY or NAME:COPIES=POLICY", repr(text), '--arm shift="Translate(x=(-2, 2), y=(-2, 2))"')
    name, policy = found["name"].strip(), found["policy"].strip()
    if name in RESERVED:
        raise PolicyError(f"--arm {name}", "a name of your own: none and duplicate are always compared", repr(name), f"my-{name}=...")
    try:
        node = read_policy(policy)
    except VicinalError as fault:
        raise fault.under(f"arm {name}") from None
    _usable(name, node)
    return Arm(name, node, copies if found["copies"] is None else int(found["copies"]))


def _usable(name: str, policy: Node) -> None:
    """Dev and test are never touched, so an arm may change neither what the network is fed nor how often."""
    for node in policy.walk():
        if isinstance(node, Transform) and node.whole:
            expected = "a policy that leaves dtype, range and layout alone: the trainer scales to [0, 1] for train and test alike"
            raise PolicyError(f"arm {name}: {node.label}", expected, f"{node.label}", f"the policy without {node.label}")
        if isinstance(node, Views):
            raise PolicyError(f"arm {name}: Views", "one version of an item at a time", "Views", f"{name}:2=... for two copies")


def _twice(names: Sequence[str]) -> list[VicinalError]:
    double = sorted({name for name in names if names.count(name) > 1})
    return [PolicyError("--arm", "a name for each arm", f"{name!r} {names.count(name)} times", f"{name}-2=...") for name in double]


def with_controls(arms: Sequence[Arm]) -> list[Arm]:
    """The arms behind the two that every comparison has: nothing, and as many extra items without any change."""
    return [Arm("none"), Arm("duplicate", copies=max([1, *(arm.copies for arm in arms)])), *arms]
