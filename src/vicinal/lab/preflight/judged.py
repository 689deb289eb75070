"""What is found about one policy: survival, safe ranges, nearness, and the pictures whose labels went first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.lab.arms import Arm
from vicinal.lab.feed import inputs
from vicinal.lab.preflight.hearing import Hearing
from vicinal.lab.preflight.nearness import Nearness, nearness
from vicinal.lab.preflight.survive import Kept, Survival, survival
from vicinal.lab.preflight.sweep import Safe, at_strengths, safe_ranges, stronger
from vicinal.lab.report import Sheet, SheetRow
from vicinal.lab.report.sheet import ROWS

_REJECTED = ("doubtful", "partly lost", "lost")  # from mild to severe


@final
@dataclass(frozen=True, eq=False)
class Judged:
    """What was found about one arm.

    Args:
        arm: which; survival: of labels; taught: the same before taught judges, None where that was not asked;
        nearness: to the data; strengths: (strength, survival) pairs, () for none;
        safe: the range of every parameter that has a neutral value; sheet: originals whose labels went first, or None for series.
    """

    arm: Arm
    survival: Survival
    taught: Survival | None
    nearness: Nearness
    strengths: tuple[tuple[float, float], ...]
    safe: tuple[Safe, ...]
    sheet: Sheet | None

    @property
    def verdict(self) -> str:
        """That of the practised judges, or the milder one of the taught; "unfamiliar" where these recognise what those rejected."""
        if self.taught is None:
            return self.survival.verdict
        if self.taught.verdict == "survives":
            return "unfamiliar"
        return min(self.survival.verdict, self.taught.verdict, key=_REJECTED.index)

    def data(self, classes: Sequence[str]) -> dict[str, Any]:
        """As plain data for JSON and for the page."""
        policy = self.arm.policy
        assert policy is not None
        return {
            "name": self.arm.name, "policy": str(policy), "fingerprint": policy.fingerprint, "mode": "fly",
            "verdict": self.verdict, "survival": _kept(self.survival.overall),
            "taught": None if self.taught is None else _kept(self.taught.overall),
            "per_class": _classes(self.survival, classes),
            "taught_per_class": None if self.taught is None else _classes(self.taught, classes),
            "strengths": [{"strength": strength, "survival": share} for strength, share in self.strengths],
            "safe": [asdict(safe) | {"exceeded": safe.exceeded} for safe in self.safe],
            **asdict(self.nearness),
        }  # fmt: skip


def judged(hearing: Hearing, arm: Arm) -> Judged:
    """Hear the judges about an arm."""
    policy = arm.policy
    assert policy is not None
    told, taught = _survival(hearing, hearing.known(policy)), None
    if told.verdict in _REJECTED:
        taught = _survival(hearing, hearing.taught(policy))
    sheet = _sheet(hearing, arm) if hearing.data.kind == "image" else None
    strengths, safe = tuple(at_strengths(hearing, policy)), tuple(safe_ranges(hearing, policy))
    return Judged(arm, told, taught, nearness(hearing, policy), strengths, safe, sheet)


def _survival(hearing: Hearing, after: NDArray[np.float64]) -> Survival:
    return survival(hearing.right, after, hearing.labels, hearing.sources, len(hearing.data.classes))


def _classes(told: Survival, classes: Sequence[str]) -> list[dict[str, Any]]:
    return [{"class": name, **_kept(kept)} for name, kept in zip(classes, told.classes, strict=True)]


def _kept(kept: Kept) -> dict[str, Any]:
    return asdict(kept) | {"verdict": kept.verdict}


def _sheet(hearing: Hearing, arm: Arm) -> Sheet:
    """Originals that the judges knew and whose labels they lost first: by strength, or in the first versions of what has none."""
    assert arm.policy is not None
    steps = stronger(arm.policy)
    made = [hearing.made(node) for _, node in steps] or [hearing.made(arm.policy, view) for view in range(4)]
    heard = [hearing.judges.answers(inputs(version)) for version in made]
    wrong = np.array([answers.argmax(1) != hearing.labels for answers in heard])
    rows = first_lost(hearing.right, wrong, np.array([answers.max(1) for answers in heard]))
    names = [f"at {strength:g}" for strength, _ in steps] or [f"in view={view}" for view in range(len(made))]
    return Sheet(arm.name, [_row(hearing, int(row), made, heard, wrong, names) for row in rows])


def first_lost(right: NDArray[np.bool_], wrong: NDArray[np.bool_], sure: NDArray[np.float64]) -> NDArray[np.int64]:
    """Some of the items that were known and are lost at the lowest of L levels; among equals, those about which the judges are surest.

    Args:
        right: (N,) known as originals; wrong: (L, N) lost; sure: (L, N) the highest probability.

    Example:
        >>> first_lost(np.array([True, True, False]), np.array([[False, True, True], [True, True, True]]), np.ones((2, 3))).tolist()
        [1, 0]
    """
    lost = np.flatnonzero(right & wrong.any(0))
    level = wrong[:, lost].argmax(0)
    return lost[np.lexsort((-sure[level, lost], level))][:ROWS]


def _row(hearing: Hearing, row: int, made: list[NDArray], heard: list[NDArray], wrong: NDArray, names: list[str]) -> SheetRow:
    level, classes = int(wrong[:, row].argmax()), hearing.data.classes
    read = f"{classes[hearing.labels[row]]} read as {classes[int(heard[level][row].argmax())]} {names[level]}"
    return SheetRow(hearing.images[row], [version[row] for version in made], f"index={int(hearing.sources[row])}: {read}")
