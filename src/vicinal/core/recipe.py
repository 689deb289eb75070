"""The recipe of one sample: policy, address and every parameter in numbers. It can be shown, stored as JSON, and replayed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.draw import Address, Draw
from vicinal.core.inputs import main_kind, named_targets, read
from vicinal.core.plan import plan
from vicinal.core.run import augment
from vicinal.core.text import fingerprint, to_data

if TYPE_CHECKING:
    from vicinal.core.transform import Node


@final
@dataclass(frozen=True, eq=False)
class Recipe:
    """What happens to one sample.

    Args:
        policy: the policy; seed, epoch, index, view: the address;
        params: for the path of every operation that may act, its parameters; ``on`` says whether it acts, ``choice`` what was chosen.

    Example:
        >>> import vicinal as v
        >>> recipe = v.Compose([v.Rotate(angle=(-15, 15))]).at(seed=0, epoch=3, index=17)
        >>> list(recipe.params["Rotate"])
        ['on', 'angle']
    """

    policy: Node
    seed: int
    epoch: int
    index: int
    view: int
    params: Mapping[str, Mapping[str, Any]]

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        address = {name: getattr(self, name) for name in ("seed", "epoch", "index", "view")}
        params = {path: dict(values) for path, values in self.params.items()}
        return {
            "vicinal": 1,
            "policy": to_data(self.policy),
            "fingerprint": fingerprint(self.policy),
            **address,
            "params": params,
        }

    def replay(self, *arrays: Any, backend: str = "auto", **targets: Any) -> Any:
        """Apply these very parameters to one sample; nothing is drawn."""
        given = {path: {name: np.asarray([value]) for name, value in values.items()} for path, values in self.params.items()}
        address = {name: getattr(self, name) for name in ("seed", "epoch", "index")}
        return augment(_single(self.policy), arrays, targets, **address, view=self.view, backend=backend, given=given)

    def __str__(self) -> str:
        head = f"seed={self.seed}, epoch={self.epoch}, index={self.index}, view={self.view}  policy {fingerprint(self.policy)}"
        return "\n".join([head, *(f"  {path}: {_words(values)}" for path, values in self.params.items())])


def _single(policy: Node) -> Any:
    """A policy of several views as the one view that the recipe's address names."""
    if policy.views is None:
        return policy
    return _One(policy)


@final
@dataclass(frozen=True)
class _One:
    policy: Node
    views: None = None

    def emit_root(self, build: Any, on: NDArray[np.bool_]) -> None:
        self.policy.emit_root(build, on)

    def walk(self) -> Any:
        return self.policy.walk()

    @property
    def sites(self) -> Any:
        return self.policy.sites

    @property
    def plans(self) -> Any:
        return self.policy.plans

    @property
    def mixing(self) -> Any:
        return self.policy.mixing


def _words(values: Mapping[str, Any]) -> str:
    if values.get("on") is False:
        return "off"
    return ", ".join(f"{name}={_short(value)}" for name, value in values.items() if name != "on") or "on"


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def recipe(policy: Node, seed: int, epoch: int, index: int, view: int, targets: Mapping[str, Any]) -> Recipe:
    """The recipe at one address; without targets, for an image of 64 x 64 x 3 or a series of 128 values."""
    spec = read(named_targets(policy, (), targets)).spec if targets else _nominal(policy)
    made = plan(policy, Draw(Address.of(seed, epoch, index, view)), spec)
    params = {path: {name: values[0].tolist() for name, values in found.items()} for path, found in made.params.items()}
    return Recipe(policy, seed, epoch, index, view, params)


def _nominal(policy: Node) -> Spec:
    if main_kind(policy) == "image":
        return Spec.of([(64, 64)], channels=3)
    return Spec.of([(128,)], channels=1, dtype="float32", unit=False, targets=frozenset({"series"}))
