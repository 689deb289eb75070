"""A hearing: items, what policies make of them, and what the judges say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.draw import Address
from vicinal.core.transform import Node
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import Arm
from vicinal.lab.conduct import Tell
from vicinal.lab.feed import apply, inputs, pixels
from vicinal.lab.preflight.judge import Judges, Jury, trained

VERSIONS = 4  # of every item that an answer about a policy is the mean of


@final
@dataclass(frozen=True, eq=False)
class Hearing:
    """Some rows of a data set before their judges.

    Args:
        data: everything; rows: (N,) who is judged; jury: how judges are trained; judges: out of fold.
        before: (N, K) what practised judges say about the originals, or (N, V) in a regression; plain: what plain ones say.
    """

    data: Dataset
    rows: NDArray[np.int64]
    jury: Jury
    judges: Judges
    before: NDArray[np.float64]
    plain: NDArray[np.float64]

    @staticmethod
    def of(data: Dataset, rows: NDArray[np.int64], jury: Jury, tell: Tell = lambda done, total: None) -> Hearing:
        """Train the judges of some rows, and hear them about the originals."""
        jury = jury.fitting(data.kind)
        judges, originals = trained(data, rows, jury, tell), inputs(pixels(data, rows))
        return Hearing(data, rows, jury, judges, judges.answers(originals), judges.answers(originals, plain=True))

    @property
    def images(self) -> NDArray:
        """The originals, as they are stored."""
        return pixels(self.data, self.rows)

    @property
    def labels(self) -> NDArray:
        """(N,) their classes, or (N, V) their values."""
        return self.data.labels[self.rows]

    @property
    def sources(self) -> NDArray[np.int64]:
        """(N,) their source ids."""
        return self.data.sources[self.rows]

    @property
    def right(self) -> NDArray:
        """(N,) what the practised judges know of the originals, as `knows` has it."""
        return self.knows(self.before)

    def made(self, policy: Node, view: int = 0) -> NDArray:
        """What a policy makes of the items, at the addresses (0, 0, source id, view).

        Raises:
            DataError: the policy changes their size.
        """
        return apply(Arm("check", policy), self.images, Address.of(0, 0, self.sources, view))[0]

    def alike(self, policy: Node, view: int = 0) -> NDArray:
        """The same with one draw for all items, at the address (0, 0, 0, view)."""
        return apply(Arm("check", policy), self.images, Address.of(0, 0, np.zeros(len(self.rows), np.int64), view))[0]

    def heard(self, policy: Node, versions: int = VERSIONS, plain: bool = False) -> list[NDArray[np.float64]]:
        """(N, K) answers about every version."""
        return [self.judges.answers(inputs(self.made(policy, view)), plain) for view in range(versions)]

    def knows(self, answers: NDArray[np.float64]) -> NDArray:
        """(N,) whether answers are right; in a regression of `standardised` data, what they explain of the variance."""
        if not self.data.regression:
            return answers.argmax(1) == self.labels
        return (np.square(self.labels) - np.square(self.labels - answers)).mean(1)

    def known(self, policy: Node, versions: int = VERSIONS) -> NDArray[np.float64]:
        """(N,) the mean of the same over versions of every item, by practised judges."""
        return np.mean([self.knows(answers) for answers in self.heard(policy, versions)], axis=0)

    def taught(self, policy: Node, versions: int = VERSIONS) -> NDArray[np.float64]:
        """The same by judges who have practised on what the policy makes of other items."""
        judges = trained(self.data, self.rows, self.jury.taught(policy), plain=False)
        heard = [judges.answers(inputs(self.made(policy, view))) for view in range(versions)]
        return np.mean([self.knows(answers) for answers in heard], axis=0)
