"""What a check has to say: sentences, the worst first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

WEIGHTS = ("wrong", "doubt", "note", "fine")
"""From what must be mended before anything is trained, to what was looked at and found in order."""


@final
@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Args:
        weight: one of ``WEIGHTS``; topic: one word; sentence: what was found; advice: what to do about it, or nothing.
    """

    weight: str
    topic: str
    sentence: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.sentence} {self.advice}".rstrip()


def ranked(findings: Iterable[Finding]) -> list[Finding]:
    """The worst first; among equals, the order in which they were found.

    Example:
        >>> [finding.topic for finding in ranked([Finding("fine", "a", "A."), Finding("wrong", "b", "B.")])]
        ['b', 'a']
    """
    return sorted(findings, key=lambda finding: WEIGHTS.index(finding.weight))
