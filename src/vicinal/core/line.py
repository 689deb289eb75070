"""Primitives that wait to be placed: those of one kind and of different samples line up, and are placed together."""

from __future__ import annotations

from functools import reduce
from typing import final

from vicinal.core.batch import bits, mask
from vicinal.core.primitive import Pointwise, Primitive


@final
class Line:
    """Primitives of one kind, no two of them for one sample; sets of samples are bits (``vicinal.core.batch.bits``).

    Args:
        primitive: the first of them; path: the operation that it is of; samples: those for which it is wanted. Only what is pointwise may
            be active for others too: steps are made neutral once it is known which of them meet in a pass.
    """

    def __init__(self, primitive: Primitive, path: str, samples: int):
        self.pieces, self.members, self.samples = [primitive], [(path, samples)], samples

    def takes(self, primitive: Primitive) -> bool:
        """Whether one for other samples can line up."""
        first = self.pieces[0]
        return type(first) is type(primitive) and first.joins(primitive) is True

    def take(self, primitive: Primitive, path: str, samples: int) -> None:
        """Let it."""
        if isinstance(primitive, Pointwise):
            self.pieces.append(primitive)
        else:
            self.pieces[0] = self.pieces[0].then(primitive)
        self.members.append((path, samples))
        self.samples |= samples

    def paths(self, samples: int) -> list[str]:
        """The operations of some of the samples."""
        return [path for path, theirs in self.members if theirs & samples]

    def part(self, samples: int) -> Primitive:
        """What is done to some of the samples, neutral for all others."""
        if not isinstance(self.pieces[0], Pointwise):
            return only(self.pieces[0], samples, self.samples)
        meant = zip(self.pieces, self.members, strict=True)
        pieces = [only(piece, theirs & samples, bits(piece.active)) for piece, (_, theirs) in meant if theirs & samples]
        return pieces[0] if len(pieces) == 1 else reduce(Pointwise.then, pieces)


def only(primitive: Primitive, samples: int, active: int) -> Primitive:
    """A primitive that is active for some samples, neutral for all but some of them."""
    return primitive if samples == active else primitive.where(mask(samples, len(primitive.active)))
