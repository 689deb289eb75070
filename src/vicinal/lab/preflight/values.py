"""A regression before its judges: what a policy leaves of what they explain, and how it moves their answers.

A policy augments a regression where the targets stay as they are: the height of a wave says nothing about when it begins, and a shift in
time does. What judges who have seen originals alone no longer explain is heard again before taught ones, as for classes: if they explain
it, the target is still there.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.transform import Node
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import Arm
from vicinal.lab.feed import inputs
from vicinal.lab.preflight.equivariance import equivariance_of_values
from vicinal.lab.preflight.hearing import VERSIONS, Hearing
from vicinal.lab.preflight.survive import Kept, survival


@final
@dataclass(frozen=True, eq=False)
class Valued:
    """What was found about one arm.

    Args:
        arm: which; explained: share of the variance of the targets that judges explain on originals, 1 for all of it.
        survival: what they explain on augmented items over that; taught: the same for taught judges, None where that was not asked.
        moved: how far answers of judges who know originals alone move, root mean square, in standard deviations of the targets.
        equivariance: how much of the answers about transformed items a linear map of those about the originals explains.
    """

    arm: Arm
    explained: float
    survival: Kept
    taught: Kept | None
    moved: float
    equivariance: float

    @property
    def verdict(self) -> str:
        """That of the judges, or "unfamiliar" where taught ones explain what those did not."""
        if self.taught is None:
            return self.survival.verdict
        return "unfamiliar" if self.taught.verdict == "survives" else self.taught.verdict

    def data(self) -> dict[str, Any]:
        """As plain data for JSON."""
        told = {name: kept and asdict(kept) for name, kept in (("survival", self.survival), ("taught", self.taught))}
        rest = {"explained": self.explained, "moved": self.moved, "equivariance": self.equivariance}
        return {"name": self.arm.name, "policy": str(self.arm.policy), "verdict": self.verdict, **told, **rest}


def standardised(data: Dataset, rows: NDArray[np.int64]) -> Dataset:
    """The data with targets of mean 0 and variance 1 over some rows; a target that never changes stays at 0.

    Example:
        >>> from vicinal.data import from_series
        >>> data = from_series(np.zeros((3, 4)), np.array([1.0, 5.0, 9.0]))
        >>> standardised(data, np.array([0, 1])).labels[:, 0].tolist()
        [-1.0, 1.0, 3.0]
    """
    values = data.labels[rows].astype(np.float64)
    spread = values.std(0)
    return replace(data, labels=((data.labels - values.mean(0)) / np.where(spread > 0, spread, 1)).astype(np.float32))


def valued(hearing: Hearing, arm: Arm) -> Valued:
    """Hear the judges of `standardised` data about an arm."""
    policy = arm.policy
    assert policy is not None
    told, taught = _kept(hearing, hearing.known(policy)), None
    if told.verdict in ("lost", "doubtful"):
        taught = _kept(hearing, hearing.taught(policy))
    return Valued(arm, float(hearing.right.mean()), told, taught, _moved(hearing, policy), _equivariance(hearing, policy))


def _kept(hearing: Hearing, after: NDArray[np.float64]) -> Kept:
    return survival(hearing.right, after, np.zeros(len(after), np.int64), hearing.sources, classes=1).overall


def _moved(hearing: Hearing, policy: Node) -> float:
    heard = hearing.heard(policy, plain=True)
    return float(np.sqrt(np.mean([np.square(answers - hearing.plain) for answers in heard])))


def _equivariance(hearing: Hearing, policy: Node) -> float:
    alike = [hearing.judges.answers(inputs(hearing.alike(policy, view)), plain=True) for view in range(VERSIONS)]
    return equivariance_of_values(hearing.plain, alike, hearing.sources)
