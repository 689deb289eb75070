"""Primitives that wait to be placed: those of one kind and of different samples line up, and are placed together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import TypeVar, final

from vicinal.core.batch import bits, mask
from vicinal.core.primitive import Pointwise, Primitive

P = TypeVar("P", bound=Primitive)
Members = Sequence[tuple[str, int]]
"""The paths of operations, and the samples of each; sets of samples are bits (``vicinal.core.batch.bits``)."""


@final
class Line:
    """Primitives of one kind, no two of them for one sample.

    Args:
        primitive: the first of them; samples: those for which it is wanted; members: whose it is. Only what is pointwise may be active for
            other samples too: steps are made neutral once it is known which of them meet in a pass.
    """

    def __init__(self, primitive: Primitive, samples: int, members: Members):
        self.first, self.samples, self.members = primitive, samples, [*members]
        self._pieces: list[tuple[Pointwise, int]] = [(primitive, samples)] if isinstance(primitive, Pointwise) else []

    def takes(self, primitive: Primitive) -> bool:
        """Whether one for other samples can line up."""
        return type(self.first) is type(primitive) and self.first.joins(primitive) is True

    def take(self, primitive: Primitive, samples: int, members: Members) -> None:
        """Let it."""
        if isinstance(primitive, Pointwise):
            self._pieces.append((primitive, samples))
        else:
            self.first = self.first.then(primitive)
        self.members.extend(members)
        self.samples |= samples

    def part(self, samples: int) -> Primitive:
        """What is done to some of the samples, neutral for all others."""
        if not self._pieces:
            return only(self.first, samples, self.samples)
        pieces = [only(piece, theirs & samples, bits(piece.active)) for piece, theirs in self._pieces if theirs & samples]
        return pieces[0] if len(pieces) == 1 else reduce(Pointwise.then, pieces)


def only(primitive: P, samples: int, active: int) -> P:
    """A primitive that is active for some samples, neutral for all but some of them."""
    return primitive if samples == active else primitive.where(mask(samples, len(primitive.active)))


def paths(members: Members, samples: int) -> list[str]:
    """The operations of some of the samples; all of them for none."""
    return [path for path, theirs in members if theirs & samples or not samples]
