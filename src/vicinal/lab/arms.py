"""Arms: what a comparison compares, and the controls that it adds by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

from vicinal.core.compose import Views
from vicinal.core.draw import VIEW_LIMIT
from vicinal.core.errors import Faults, ParameterError, PolicyError, VicinalError, raise_all
from vicinal.core.policy import parse, read_policy
from vicinal.core.transform import Node, Transform
from vicinal.data.dataset import Dataset

RESERVED = ("none", "duplicate")
_RESAMPLING = ("", "over", "under")


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
        resample: "over" repeats items of the rarer classes until all are as many as the most frequent one, on the fly with draws of their
            own; "under" leaves items of the frequent ones out.
        class_weight: the loss of a class is weighted by the inverse of its frequency.
        threshold: predicted probabilities are divided by the frequencies of the classes in train, which moves the thresholds.
        instead: copies take the place of the originals, instead of standing beside them.
        generated: items of another source that train gets besides; their ``sources`` are those of the real items that they were made
            from, so that none may come from dev or test.
        real: real originals besides, of those that neither train nor dev nor test has: the next ones that a larger size would take.
        control: why the lab added it by itself; "" for an arm that somebody asked about.

    Raises:
        ParameterError: too many copies, or settings that exclude one another.
    """

    name: str
    policy: Node | None = None
    copies: int = 0
    steps: int | None = None
    resample: str = ""
    class_weight: bool = False
    threshold: bool = False
    instead: bool = False
    generated: Dataset | None = None
    real: int = 0
    control: str = ""

    def __post_init__(self) -> None:
        where = f"arm {self.name}"
        if not 0 <= self.copies < VIEW_LIMIT:
            raise ParameterError(where, f"0 to {VIEW_LIMIT - 1:,} copies", f"{self.copies:,}", f"{self.name}:1=...")
        if self.resample not in _RESAMPLING:
            raise ParameterError(where, "resample: over or under", repr(self.resample), "resample: over")
        if self.resample and self.copies:
            raise ParameterError(where, "either copies or resample", f"copies {self.copies}, resample {self.resample}", "copies: 0")
        if self.instead and not self.copies:
            raise ParameterError(where, "copies that can stand in the place of originals", "none", "copies: 1")

    @property
    def mode(self) -> str:
        """How items come about: "none", "duplicate", "fly" or "copies"."""
        if self.policy is None:
            return "duplicate" if self.copies else "none"
        return "copies" if self.copies else "fly"

    @property
    def mixes(self) -> bool:
        """True where items are mixed with partners, so that labels are shares of classes."""
        return self.policy is not None and any(getattr(node, "mixes", False) for node in self.policy.walk())

    def at(self, strength: float) -> Arm:
        """The arm with its policy at a strength: 0 changes nothing, 1 is the policy as it stands."""
        return self if self.policy is None or strength == 1 else replace(self, policy=self.policy.stronger(strength))

    def data(self) -> dict[str, Any]:
        """What decides the items that it trains on, as plain data: neither its name nor why it is there."""
        known = ("copies", "resample", "class_weight", "threshold", "instead", "real")
        plain = {name: getattr(self, name) for name in known if getattr(self, name)}
        policy = {} if self.policy is None else {"policy": str(self.policy), "fingerprint": self.policy.fingerprint}
        return policy | plain | ({} if self.generated is None else {"generated": self.generated.fingerprint})


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


def unfit(where: str, policy: Node, kind: str | None = None) -> list[VicinalError]:
    """Why a policy cannot be an arm: dev and test are never touched, so it may change neither what the network is fed nor how often.

    ``kind`` is that of the data, "image", "series" or "text", once they are known.

    Example:
        >>> [fault.got for fault in unfit("arm a", parse("Views([Normalize(mean=0.5, std=0.5)])"))]
        ['Views', 'Normalize']
    """
    return [fault for node in policy.walk() for fault in _node_faults(where, node, kind)]


def _node_faults(where: str, node: Node, target: str | None) -> Iterator[VicinalError]:
    kind = type(node).__name__
    if isinstance(node, Views):
        yield PolicyError(f"{where}: Views", "one version of an item at a time", "Views", "NAME:2=... for two copies of every item")
    elif isinstance(node, Transform) and node.whole:
        expected = "a policy that leaves dtype, range and layout alone: the trainer scales to [0, 1] for train and test alike"
        yield PolicyError(f"{where}: {node.label}", expected, kind, f"the policy without {kind}")
    elif isinstance(node, Transform) and target is not None and target not in node.needs:
        fit = " and ".join(sorted(node.needs))
        yield PolicyError(
            f"{where}: {node.label}", f"transforms for {target}", f"{kind}, for {fit}", f"one that `vicinal list` has for {target}"
        )


def _twice(names: Sequence[str]) -> list[VicinalError]:
    double = sorted({name for name in names if names.count(name) > 1})
    return [PolicyError("--arm", "a name for each arm", f"{name!r} {names.count(name)} times", f"{name}-2=...") for name in double]


def cheap() -> list[Arm]:
    """The default panel as controls: what a costly arm has to beat, because anybody can have it."""
    return [Arm(f"cheap {name}", parse(policy), control="cheap") for name, policy in PANEL]
