"""The parts of a pipeline as arms: what attribution has to train besides the pipeline itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

from vicinal.core.compose import Compose, paths, spliced
from vicinal.core.errors import PolicyError
from vicinal.core.transform import Node
from vicinal.lab.arms import Arm
from vicinal.lab.statistics import prefixes, sampled_orders, subsets
from vicinal.lab.statistics.attribution import Order, Subset

EXACT = 5  # parts up to which all subsets are trained: 32
ORDERS = 6  # sampled orders beyond that


@final
@dataclass(frozen=True)
class Parts:
    """An arm taken apart into the top-level operations of its policy.

    Args:
        arm: the whole; nodes: its operations by name, in their order: an operation of a kind that was there before is called ``#2``.
    """

    arm: Arm
    nodes: dict[str, Node]

    @staticmethod
    def of(arm: Arm) -> Parts:
        """The parts of an arm.

        Raises:
            PolicyError: its policy is no sequence of two operations or more.

        Example:
            >>> from vicinal.core.policy import parse
            >>> list(Parts.of(Arm("a", parse("Invert() | HorizontalFlip(p=0.5) | Invert()"))).nodes)
            ['Invert', 'HorizontalFlip', 'Invert#2']
        """
        policy = arm.policy
        nodes = list(spliced(policy.of)) if isinstance(policy, Compose) else []
        if len(nodes) < 2:
            expected, got = "a policy of two operations or more in a row", "no policy" if policy is None else str(policy)
            raise PolicyError(f"attribute: arm {arm.name}", expected, got, f'{arm.name}="Rotate(...) | Noise(...)"')
        return Parts(arm, dict(zip(paths(nodes, ""), nodes, strict=True)))

    @property
    def orders(self) -> Sequence[Order]:
        """Orders in which parts are added, where there are too many parts for all subsets; else none."""
        return sampled_orders(list(self.nodes), ORDERS) if len(self.nodes) > EXACT else ()

    @property
    def wanted(self) -> list[Subset]:
        """The subsets of the parts that are to be trained, the empty one and the whole among them."""
        names = list(self.nodes)
        if len(names) <= EXACT:
            return subsets(names)
        without = [frozenset(names) - {name} for name in names]
        return list(dict.fromkeys([*prefixes(self.orders), *without]))

    def arm_of(self, subset: Subset) -> Arm:
        """The arm that has only some of the parts, in their order: the same copies, and the same draws of a part wherever it is
        the first of its kind."""
        names = [name for name in self.nodes if name in subset]
        title = f"{self.arm.name}: {' | '.join(names) or 'nothing'}"
        return replace(self.arm, name=title, policy=self._policy([self.nodes[name] for name in names]), control="part")

    def _policy(self, nodes: list[Node]) -> Node | None:
        """One part stands alone, so that an arm that somebody asked about as well is not trained twice."""
        whole = self.arm.policy
        assert isinstance(whole, Compose)
        if len(nodes) == 1 and whole == Compose(whole.of):
            return nodes[0]
        return replace(whole, of=tuple(nodes)) if nodes else None
