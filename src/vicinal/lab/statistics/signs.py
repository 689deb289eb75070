"""Sign maps: where on two axes an arm helps, where it hurts, and whether the difference between two places is more than luck."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from vicinal.core.errors import DataError
from vicinal.lab.statistics.comparison import Comparison, Difference, Verdict, compare, judged
from vicinal.lab.statistics.intervals import Method
from vicinal.lab.statistics.scores import finite


class Axis(NamedTuple):
    """One axis of a study: a name as it is said after a number ("steps"), and its values, all different and rising."""

    name: str
    values: Sequence[float]


@final
@dataclass(frozen=True)
class SignMap:
    """Paired differences over two axes.

    Args:
        rows, columns: the axes.
        cells: one row of comparisons for each value of ``rows``; corrected together with Holm's method over all cells.
    """

    rows: Axis
    columns: Axis
    cells: tuple[tuple[Comparison, ...], ...]

    @property
    def signs(self) -> list[list[int]]:
        """1 where the arm helps, -1 where it hurts, 0 where nothing is shown."""
        return [[("hurts", "no evidence", "helps").index(cell.verdict) - 1 for cell in row] for row in self.cells]

    @property
    def best(self) -> tuple[float, float]:
        """Values of the two axes in the cell with the largest mean: flattered by the choice, as every best is."""
        return self._extreme(int(self._means().argmax()))

    @property
    def worst(self) -> tuple[float, float]:
        """The same for the smallest mean."""
        return self._extreme(int(self._means().argmin()))

    @property
    def sentence(self) -> str:
        """Where the arm helps and where it hurts, along the columns, row by row.

        Rows that say the same are said once. Cells without evidence are passed over.
        """
        said = [_along(self.columns, [cell.verdict for cell in row]) for row in self.cells]
        if len(set(said)) == 1:
            return said[0]
        return "; ".join(f"{_amount(value, self.rows.name)}: {text}" for value, text in zip(self.rows.values, said, strict=True))

    def _means(self) -> np.ndarray:
        return np.array([[cell.difference.mean for cell in row] for row in self.cells])

    def _extreme(self, place: int) -> tuple[float, float]:
        row, column = divmod(place, len(self.columns.values))
        return self.rows.values[row], self.columns.values[column]


def sign_map(
    differences: Sequence[Sequence[ArrayLike]] | NDArray,
    rows: Axis,
    columns: Axis,
    alpha: float = 0.05,
    method: Method = "t",
    span: float = math.inf,
) -> SignMap:
    """Judge every cell of a grid as `compare` does, all cells as one family.

    Args:
        differences: paired differences, arm minus reference: R rows of C cells of (S,) values, one a seed, as the axes have R and C
            values. Cells may have their own seeds.
        span: how large a difference can be.

    Raises:
        DataError: other numbers of rows or columns than the axes have, or a difference that is not finite.

    Example:
        >>> spread = np.linspace(-0.01, 0.01, 9)
        >>> gains = np.array([[0.06, 0.05, 0.001, -0.04]])[..., None] + spread
        >>> found = sign_map(gains, Axis("labels", [500]), Axis("steps", [500, 1500, 2500, 4000]))
        >>> found.sentence, found.best
        ('helps up to 1,500 steps, hurts from 4,000 steps', (500, 500))
    """
    _fit(differences, rows, columns)
    found = iter(judged(dict(_named(rows, columns, differences)), alpha, method, span=span).values())
    return SignMap(rows, columns, tuple(tuple(itertools.islice(found, len(columns.values))) for _ in rows.values))


def _fit(differences: Sequence[Sequence[ArrayLike]] | NDArray, rows: Axis, columns: Axis) -> None:
    for axis in (rows, columns):
        if not len(axis.values) or any(after <= before for before, after in itertools.pairwise(axis.values)):
            raise DataError(f"axis {axis.name!r}", "rising values", repr(list(axis.values)), "each value once, the smallest first")
    if len(differences) != len(rows.values) or any(len(row) != len(columns.values) for row in differences):
        expected = f"{len(rows.values)} rows of {len(columns.values)} columns, as the axes have"
        raise DataError("differences", expected, f"{[len(row) for row in differences]} columns", "one cell for each pair of values")


def _named(rows: Axis, columns: Axis, differences: Sequence[Sequence[ArrayLike]] | NDArray) -> Iterator[tuple[str, ArrayLike]]:
    """Every cell with the name that an error would give it."""
    for value, row in zip(rows.values, differences, strict=True):
        for other, cell in zip(columns.values, row, strict=True):
            yield f"{_amount(value, rows.name)}, {_amount(other, columns.name)}", cell


def interaction(first: ArrayLike, second: ArrayLike, alpha: float = 0.05, method: Method = "t") -> Difference:
    """Is the effect in one place another than in a second place? The difference of differences, paired by seed.

    That an arm helps significantly here and does not there shows no interaction; this test does (Gelman and Stern, "The difference
    between significant and not significant is not itself statistically significant", 2006).

    Args:
        first, second: (S,) paired differences, arm minus reference, of the same seeds in two cells of a study.

    Example:
        >>> found = interaction([0.10, 0.09, 0.11, 0.08, 0.10, 0.12], [-0.03, -0.04, -0.02, -0.03, -0.05, -0.03])
        >>> round(found.mean, 3), found.low > 0, found.p
        (0.133, True, 0.03125)
    """
    return compare(finite("second", second), {"first": first}, alpha, method)["first"].difference


def _along(axis: Axis, verdicts: Sequence[Verdict]) -> str:
    """``helps up to 1,500 steps, hurts from 4,000 steps``."""
    runs, start = [], 0
    for verdict, run in itertools.groupby(verdicts):
        end = start + len(list(run))
        if verdict != "no evidence":
            runs.append(f"{verdict} {_range(axis, start, end - 1)}")
        start = end
    return ", ".join(runs) or "no evidence anywhere"


def _range(axis: Axis, first: int, last: int) -> str:
    low, high, end = axis.values[first], axis.values[last], len(axis.values) - 1
    if (first, last) == (0, end):
        return f"everywhere from {_figure(low)} to {_amount(high, axis.name)}" if end else f"at {_amount(low, axis.name)}"
    if first == 0:
        return f"up to {_amount(high, axis.name)}"
    if last == end:
        return f"from {_amount(low, axis.name)}"
    return f"at {_amount(low, axis.name)}" if first == last else f"from {_figure(low)} to {_amount(high, axis.name)}"


def _amount(value: float, name: str) -> str:
    return f"{_figure(value)} {name}"


def _figure(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:,}"
