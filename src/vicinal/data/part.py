"""Images and labels as a reader found them, before they are checked and joined to a data set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from numpy.typing import ArrayLike, NDArray

from vicinal.data.dataset import Images


@final
@dataclass(frozen=True, eq=False)
class Part:
    """A part of a data set, for example its training files.

    Args:
        where: the place that an error names.
        images: (N, H, W) or (N, H, W, C), or a list of N arrays (H, W) or (H, W, C).
        labels: (N,) whole numbers or class names.
        sources: (N,) whole numbers or names; None: every item is an original.
        test: True, or (N,) True where an item belongs to the official test part.
        names: what to call the items in an error; without them they are numbered.
    """

    where: str
    images: Images
    labels: NDArray
    sources: NDArray | None = None
    test: ArrayLike = False
    names: Sequence[str] = ()

    def which(self, rows: Sequence[int]) -> list[str]:
        """The names of some items."""
        return [self.names[row] if self.names else f"item {row}" for row in rows]
