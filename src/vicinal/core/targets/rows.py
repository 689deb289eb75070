"""Rows of numbers of all samples in one array, and the table of instances that decides which rows stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import TargetError

UNKNOWN = "a row of np.nan for each point that is not there"


@final
@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of numbers of all samples in one array, with the sample that each belongs to: (N, ...) and (N,)."""

    values: NDArray[np.float64]
    owner: NDArray[np.int64]

    @staticmethod
    def of(parts: Sequence[Any], width: tuple[int, ...], where: str, finite: bool = True) -> Rows:
        """From one array per sample, each (n, *width); -1 in ``width`` admits any number."""
        if (values := _together(parts, width, finite)) is not None:
            return Rows(values, np.repeat(np.arange(len(parts)), [len(part) for part in parts]))
        arrays = [_rows(part, width, f"{where}[{number}]", finite) for number, part in enumerate(parts)]
        owner = np.repeat(np.arange(len(arrays)), [len(array) for array in arrays])
        filled = [array for array in arrays if len(array)]
        empty = np.zeros((0, *(max(size, 2) for size in width)))
        try:
            return Rows(np.concatenate(filled) if filled else empty, owner)
        except ValueError:
            raise TargetError(where, "as many points an instance in every sample", "different numbers", UNKNOWN) from None

    def parts(self, batch: int) -> list[NDArray]:
        """One array per sample again."""
        ends = np.searchsorted(self.owner, np.arange(batch + 1)).tolist()  # rows stand sample by sample
        return [self.values[start:stop] for start, stop in pairwise(ends)]


def _together(parts: Sequence[Any], width: tuple[int, ...], finite: bool) -> NDArray[np.float64] | None:
    """The rows of all samples in one step, where they are numbers of the right form; None where each has to be looked at."""
    forms = {part.shape[1:] if isinstance(part, np.ndarray) and part.dtype.kind in "biuf" else None for part in parts}
    form = forms.pop() if len(forms) == 1 else None
    if form is None or len(form) != len(width) or not all(want in (-1, have) for want, have in zip(width, form, strict=True)):
        return None
    values = np.concatenate(parts, dtype=np.float64)
    return values if values.size and (not finite or np.isfinite(values).all()) else None


def _rows(part: Any, width: tuple[int, ...], where: str, finite: bool) -> NDArray[np.float64]:
    try:
        array = np.asarray(part, np.float64)
    except (TypeError, ValueError):
        raise TargetError(where, "numbers", repr(part)[:80], f"an array of shape ({_shape(width)})") from None
    if array.size == 0:
        return np.zeros((0, *(max(size, 2) for size in width)))
    fits = array.ndim == len(width) + 1 and all(want in (-1, have) for want, have in zip(width, array.shape[1:], strict=True))
    if not fits:
        raise TargetError(where, f"an array of shape ({_shape(width)})", f"shape {array.shape}", _reshaped(array, width))
    if finite and not np.isfinite(array).all():
        got = f"NaN or infinity in row {int(np.argwhere(~np.isfinite(array))[0][0])}"
        raise TargetError(where, "finite numbers", got, "rows[np.isfinite(rows).all(axis=1)]")
    return array


def _shape(width: tuple[int, ...]) -> str:
    return ", ".join("n" if size == -1 else str(size) for size in ("n", *width))


def _reshaped(array: NDArray, width: tuple[int, ...]) -> str:
    """What makes rows of an array of another shape, in code where that can be told."""
    if not width:
        return "np.ravel(times)"
    columns = array.shape[-1] if array.ndim else 0
    if array.ndim == len(width) and columns == width[-1]:
        return "rows[None]"
    if array.ndim == len(width) + 1 and columns > width[-1]:
        return f"rows[..., :{width[-1]}]"
    return f"rows of {width[-1]} numbers, np.zeros((0, {width[-1]})) for none"


@final
@dataclass(frozen=True, eq=False)
class Instances:
    """What became of every instance of a batch.

    Args:
        owner: (N,) its sample; kept: (N,) whether it stays; visible: (N,) the share of it that is left on the canvas;
        valid: (N,) False where its annotation was unusable and the declared policy dropped it;
        repaired: (N,) True where the declared policy clipped it before anything moved.
    """

    owner: NDArray[np.int64]
    kept: NDArray[np.bool_]
    visible: NDArray[np.float64]
    valid: NDArray[np.bool_]
    repaired: NDArray[np.bool_]

    @staticmethod
    def all(owner: NDArray) -> Instances:
        """All of them stay."""
        on = np.ones(len(owner), bool)
        return Instances(owner, on, np.ones(len(owner)), on, ~on)

    def of(self, sample: int) -> NDArray[np.bool_]:
        """(n,) which instances of a sample stay."""
        return self.kept[self.owner == sample]

    def matches(self, counts: Sequence[int]) -> bool:
        """True where every sample has as many rows as instances."""
        return np.array_equal(np.bincount(self.owner, minlength=len(counts)), counts)


def per_sample(value: Any, batch: int, where: str, unpack: Callable[[Any], Any] | None = None) -> list[Any]:
    """One entry per sample, or an error that counts."""
    counted(value, batch, where)
    return list(value) if unpack is None else [unpack(part) for part in value]


def counted(value: Any, batch: int, where: str) -> None:
    """Refuse what has not one entry for each sample."""
    if not hasattr(value, "__len__") or len(value) != batch:
        raise uneven(where, batch, f"{len(value)}" if hasattr(value, "__len__") else repr(value))


def uneven(where: str, batch: int, got: str) -> TargetError:
    """The fault of a target that has not one entry for each sample."""
    return TargetError(where, f"{batch} entries, one a sample", got, f"{where}=[...] of length {batch}")


def like(parts: Sequence[NDArray], value: Any) -> Any:
    """A list, or one array where one came and the parts still have one shape."""
    stackable = isinstance(value, np.ndarray) and len({part.shape for part in parts}) == 1
    return np.stack(parts) if stackable else list(parts)
