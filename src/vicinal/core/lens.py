"""The radial distortion of a camera, a map that knows both directions of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

_ROUNDS = 60  # halvings, if Newton's steps never helped


@final
@dataclass(frozen=True, eq=False)
class Lens:
    """What lies at a distance d from the axis comes from the distance d (1 + strength d^2).

    The map *is* this one, so pixels and annotations follow it to the last digit. Beyond its reach the factor stays what it is there. It
    is one to one for strengths above -1 / (3 reach^2).

    Args:
        numbers: (4,) x and y of the axis, in pixels; the strength, for a square pixel, positive is barrel and negative pincushion; and the
            reach, in pixels.

    Example:
        >>> lens = Lens(np.array([4.0, 4.0, 1 / 32, 4.0]))
        >>> lens.source(np.array([[8.0, 4.0], [4.0, 6.0]])).tolist()
        [[10.0, 4.0], [4.0, 6.25]]
        >>> lens.target(np.array([[10.0, 4.0], [4.0, 6.25]])).round(9).tolist()
        [[8.0, 4.0], [4.0, 6.0]]
    """

    numbers: NDArray[np.float64]

    def source(self, points: NDArray) -> NDArray[np.float64]:
        away = points - self.numbers[:2]
        return points + away * self._more((away**2).sum(1))[:, None]

    def target(self, points: NDArray) -> NDArray[np.float64]:
        """Newton's method on the distance, kept within what it must lie between: exact to rounding where nothing folds over."""
        away, (strength, reach) = points - self.numbers[:2], self.numbers[2:]
        far = np.hypot(*away.T)
        low, high = np.zeros_like(far), far / (1 + min(0.0, strength * reach**2))
        found = far
        for _ in range(_ROUNDS):
            more = self._more(found**2)
            rest = found * (1 + more) - far
            if np.abs(rest).max(initial=0) < 1e-13 * reach:
                break
            low, high = np.where(rest < 0, found, low), np.where(rest > 0, found, high)
            step = found - rest / np.where(found < reach, 1 + 3 * more, 1 + more)
            found = np.where((step >= low) & (step <= high), step, (low + high) / 2)
        return self.numbers[:2] + away * np.divide(found, far, out=np.ones_like(far), where=far > 0)[:, None]

    def _more(self, square: NDArray) -> NDArray[np.float64]:
        """By what share of squared distances the sources lie further off."""
        strength, reach = self.numbers[2:]
        return strength * np.minimum(square, reach**2)
