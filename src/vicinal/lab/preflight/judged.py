"""What is found about one policy: survival, safe ranges, nearness, and the pictures whose labels went first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.lab.arms import Arm
from vicinal.lab.feed import inputs
from vicinal.lab.preflight.findings import Finding
from vicinal.lab.preflight.hearing import Hearing
from vicinal.lab.preflight.nearness import Nearness, nearness
from vicinal.lab.preflight.survive import THRESHOLD, Kept, Survival, survival
from vicinal.lab.preflight.sweep import Safe, at_strengths, safe_ranges, stronger
from vicinal.lab.report import Sheet, SheetRow
from vicinal.lab.report.sheet import ROWS
from vicinal.lab.wording import accuracy, decimal, listed

_WEIGHTS = (("lost", "wrong"), ("doubtful", "doubt"), ("unknown", "doubt"), ("survives", "fine"))
_CLASSES = 3  # that a sentence names


@final
@dataclass(frozen=True, eq=False)
class Judged:
    """What was found about one arm.

    Args:
        arm: which; survival: of labels; nearness: to the data; strengths: (strength, survival) pairs, () for none;
        safe: the range of every parameter that has a neutral value; sheet: originals whose labels went first, or None for series.
    """

    arm: Arm
    survival: Survival
    nearness: Nearness
    strengths: tuple[tuple[float, float], ...]
    safe: tuple[Safe, ...]
    sheet: Sheet | None

    def data(self, classes: Sequence[str]) -> dict[str, Any]:
        """As plain data for JSON and for the page."""
        policy = self.arm.policy
        assert policy is not None
        return {
            "name": self.arm.name, "policy": str(policy), "fingerprint": policy.fingerprint, "mode": "fly",
            "verdict": self.survival.verdict, "survival": _kept(self.survival.overall),
            "per_class": [{"class": name, **_kept(kept)} for name, kept in zip(classes, self.survival.classes, strict=True)],
            "strengths": [{"strength": strength, "survival": share} for strength, share in self.strengths],
            "safe": [asdict(safe) | {"exceeded": safe.exceeded} for safe in self.safe],
            **asdict(self.nearness),
        }  # fmt: skip

    def finding(self, classes: Sequence[str]) -> Finding:
        """The verdict as a sentence."""
        overall, verdict, name = self.survival.overall, self.survival.verdict, self.arm.name
        share = f"{accuracy(overall.share)} [{decimal(100 * overall.low)}, {decimal(100 * overall.high)}]"
        weight = dict(_WEIGHTS)[verdict]
        if verdict == "unknown":
            return Finding(weight, "labels", f"{name}: the judges know none of the originals, so nothing can be said.")
        if verdict == "survives":
            return Finding(weight, "labels", f"{name}: labels survive, {share} of what the judges knew.")
        start = (
            "labels are lost"
            if overall.verdict == "lost"
            else "labels of some classes are lost"
            if verdict == "lost"
            else "perhaps too strong"
        )
        return Finding(weight, "labels", f"{name}: {start}, {share} of what the judges knew{self._worst(classes)}.", self._advice())

    def _worst(self, classes: Sequence[str]) -> str:
        lost = [(kept.share, name) for name, kept in zip(classes, self.survival.classes, strict=True) if kept.verdict == "lost"]
        named = [f"{name} ({accuracy(share)})" for share, name in sorted(lost)[:_CLASSES]]
        more = f" of {len(lost)} classes" if len(lost) > _CLASSES else ""
        return f"; least of {listed(named)}{', the worst' + more if more else ''}" if named else ""

    def _advice(self) -> str:
        """The ranges that are kept to, or the strength, or to leave it out."""
        if exceeded := [safe for safe in self.safe if safe.exceeded]:
            return f"Safe: {listed([range_words(safe) for safe in exceeded])}."
        safe = [strength for strength, share in self.strengths if share >= THRESHOLD]
        return f"Try a strength of {max(safe):g}." if safe and max(safe) < 1 else "Leave it out, or keep it from these classes."


def range_words(safe: Safe) -> str:
    """A safe range as a person says it.

    Example:
        >>> range_words(Safe("Rotate", "angle", "degrees", 0.0, (-90.0, 90.0), -21.3, 30.0, False, True, ()))
        'Rotate.angle from -21.3 to at least 30 degrees'
    """
    low, high = (
        f"{'at least ' if is_open else ''}{_rounded(value)}" for value, is_open in ((safe.low, safe.low_open), (safe.high, safe.high_open))
    )
    ends = f"from {low} to {high}"
    if safe.asked[0] >= safe.neutral:
        ends = f"up to {high}"
    elif safe.asked[1] <= safe.neutral:
        ends = f"down to {low}"
    return f"{safe.operation}.{safe.parameter} {ends} {safe.unit}".rstrip()


def _rounded(value: float) -> str:
    return f"{value:.3g}"


def judged(hearing: Hearing, arm: Arm) -> Judged:
    """Hear the judges about an arm."""
    policy = arm.policy
    assert policy is not None
    told = survival(hearing.right, hearing.known(policy), hearing.labels, hearing.sources, len(hearing.data.classes))
    sheet = _sheet(hearing, arm) if hearing.data.kind == "image" else None
    return Judged(arm, told, nearness(hearing, policy), tuple(at_strengths(hearing, policy)), tuple(safe_ranges(hearing, policy)), sheet)


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
