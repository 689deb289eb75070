"""Tables whose cells are tinted: changes by class, confusion matrices and sign maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.lab.report.axis import number, text
from vicinal.lab.wording import Arm

_MOST_CLASSES = 20  # columns of the table of classes
_MOST_CONFUSED = 12  # rows and columns of a confusion matrix


@final
@dataclass(frozen=True)
class Cell:
    """One change: its value, the weight of its tint in [0, 1], and whether it is the worst of its arm."""

    value: float | None
    weight: float
    worst: bool


@final
@dataclass(frozen=True)
class Classes:
    """The table of classes: column names, the reference's recalls, and per arm its changes; ``total`` counts all classes."""

    names: tuple[str, ...]
    total: int
    references: tuple[tuple[Arm, tuple[float | None, ...]], ...]
    changes: tuple[tuple[Arm, tuple[Cell, ...]], ...]


def classes(names: Sequence[str], arms: Sequence[Arm]) -> Classes | None:
    """Change of recall per class, arms by classes; of very many classes those that moved most."""
    compared = [arm for arm in arms if arm["difference"] and len(arm["difference"]["per_class"])]
    if not compared or not names:
        return None
    table = np.array([[number(value) for value in arm["difference"]["per_class"]] for arm in compared])
    moved = np.abs(np.nan_to_num(table)).max(axis=0)
    shown = np.sort(np.argsort(-moved, kind="stable")[:_MOST_CLASSES])
    strongest = float(moved.max()) or 1.0
    references = tuple((arm, tuple(arm["per_class"][i] for i in shown)) for arm in arms if arm["difference"] is None)
    changes = tuple((arm, _cells(row, shown, strongest)) for arm, row in zip(compared, table, strict=True))
    return Classes(tuple(str(names[i]) for i in shown), len(names), references, changes)


def _cells(row: NDArray, shown: NDArray, strongest: float) -> tuple[Cell, ...]:
    worst = int(np.nanargmin(row)) if np.isfinite(row).any() else -1
    return tuple(
        Cell(float(row[i]), float(abs(row[i]) / strongest), i == worst) if np.isfinite(row[i]) else Cell(None, 0.0, False) for i in shown
    )


@final
@dataclass(frozen=True)
class Confusion:
    """Counts of one arm: rows are the true classes, columns what was said; ``weights`` tints the mistakes."""

    arm: str
    names: tuple[str, ...]
    total: int
    counts: tuple[tuple[int, ...], ...]
    weights: tuple[tuple[float, ...], ...]
    said: str


def confusions(names: Sequence[str], found: Mapping[str, Sequence[Sequence[float]]]) -> list[Confusion]:
    """A matrix for every arm, all of the same classes: of very many classes those that the arms confuse most."""
    tables = {arm: np.asarray(table, float) for arm, table in found.items() if len(table)}
    if not tables:
        return []
    mistakes = {arm: table * (1 - np.eye(len(table))) for arm, table in tables.items()}
    together = np.sum(list(mistakes.values()), axis=0)
    shown = np.sort(np.argsort(-(together.sum(0) + together.sum(1)), kind="stable")[:_MOST_CONFUSED])
    most = max(float(table.max()) for table in mistakes.values()) or 1.0
    return [_confusion(arm, names, tables[arm], mistakes[arm] / most, shown) for arm in tables]


def _confusion(arm: str, names: Sequence[str], table: NDArray, weights: NDArray, shown: NDArray) -> Confusion:
    chosen = np.ix_(shown, shown)
    counts, tints = table[chosen].astype(int).tolist(), weights[chosen].tolist()
    pairs = [divmod(int(i), len(table)) for i in np.argsort(-weights, axis=None, kind="stable")[:3]]
    said = ", ".join(f"{names[a]} taken for {names[b]} ({int(table[a, b]):,})" for a, b in pairs if weights[a, b] > 0)
    return Confusion(arm, tuple(str(names[i]) for i in shown), len(table), counts, tints, said or "no mistakes")


@final
@dataclass(frozen=True)
class SignMap:
    """An arm over two axes of a study; ``cells`` are rows of estimates with the weight of their tint and what is shown."""

    arm: str
    sentence: str
    rows: tuple[str, tuple[str, ...]]
    columns: tuple[str, tuple[str, ...]]
    cells: tuple[tuple[Mapping[str, Any], ...], ...]


def sign_maps(found: Sequence[Mapping[str, Any]]) -> list[SignMap]:
    """The maps; all are tinted on one scale, so that they can be compared."""
    means = [abs(number(cell["mean"])) for one in found for row in one["cells"] for cell in row]
    strongest = float(np.nanmax(means)) if np.isfinite(means).any() else 1.0
    return [_sign_map(one, strongest or 1.0) for one in found]


def _sign_map(one: Mapping[str, Any], strongest: float) -> SignMap:
    cells = tuple(tuple(sign_cell(cell, strongest) for cell in row) for row in one["cells"])
    rows, columns = ((one[axis]["name"].replace("_", " "), tuple(map(text, one[axis]["values"]))) for axis in ("rows", "columns"))
    return SignMap(one["arm"], one.get("sentence") or "", rows, columns, cells)


def sign_cell(cell: Mapping[str, Any], strongest: float) -> dict[str, Any]:
    """The estimate, its tint, and what it shows: ``sure`` where the interval excludes 0.

    Example:
        >>> sign_cell({"mean": -0.02, "low": -0.03, "high": -0.01, "sign": -1}, 0.04)["weight"]
        0.5
    """
    mean, low, high = (number(cell[end]) for end in ("mean", "low", "high"))
    sure = bool(low > 0 or high < 0)
    weight = abs(mean) / strongest if np.isfinite(mean) else 0.0
    return {**cell, "weight": float(weight), "sure": sure, "kind": "up" if mean > 0 else "down", "verdict": _verdict(cell.get("sign"))}


def _verdict(sign: Any) -> str:
    return {1: "helps", -1: "hurts", "+": "helps", "-": "hurts"}.get(sign, sign if sign in ("helps", "hurts") else "no evidence")
