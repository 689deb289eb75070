"""Published tables as files that can be replicated: what was claimed lies in the file, what was measured in the result.

A claim file has the fields ``claim``, ``source`` and ``says``, then ``studies``, each as in a study file, and ``rows``. A row says what is
claimed in words, a quantity (``plus`` and ``minus``: lists of places, whose measured numbers are added and subtracted seed by seed), and
the claimed range of its mean, ``claimed: [low, high]``, or its sign, ``claimed: +`` or ``claimed: "-"``. A place names an arm, what was
measured of it (``test.accuracy``, ``dev.nll``, ``gaussian@0.2.accuracy``, ...), and where the study has several cells or the claim several
studies, which: ``{arm: noisy, of: test.accuracy, size: 500, study: leaky}``. ``known`` is what others measured, for the reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import DataError, ParameterError, PolicyError, VicinalError, nearest, raise_all, unknown_field
from vicinal.core.policy import read_document
from vicinal.lab import statistics
from vicinal.lab.conduct import Findings
from vicinal.lab.measure.metrics import METRICS
from vicinal.lab.sides import sides
from vicinal.lab.statistics import ClaimVerdict, claim_verdict
from vicinal.lab.trial import Cell

FOLDER = Path(__file__).parents[1] / "claims"
_FIELDS = ("claim", "source", "says", "data", "studies", "rows", "meter")
_ROW = ("says", "plus", "minus", "claimed", "known")
_AXES = ("size", "steps", "epochs", "strength", "label_noise")
_SIGNS = {"+": 1.0, "-": -1.0}


@final
@dataclass(frozen=True)
class Place:
    """Whose measured number, and where."""

    arm: str
    of: str
    study: str
    cell: Mapping[str, float]

    @property
    def share(self) -> bool:
        """True where the number is a share of 1, so that differences are points."""
        metric = METRICS.get(self.of.rpartition(".")[2])
        return metric is None or metric.unit.startswith("share of")


@final
@dataclass(frozen=True)
class Row:
    """One claimed effect.

    Args:
        says: it in words; plus, minus: places whose numbers are added and subtracted; known: what others measured.
        low, high: the claimed range, in points where the numbers are shares; ``high`` None where only the sign, ``low``, is claimed.
    """

    says: str
    plus: tuple[Place, ...]
    minus: tuple[Place, ...]
    low: float
    high: float | None
    known: str = ""

    @property
    def scale(self) -> float:
        """From the unit of the numbers to that of the claim."""
        return 100.0 if all(place.share for place in (*self.plus, *self.minus)) else 1.0

    @property
    def claimed(self) -> str:
        """The claim as it is printed."""
        if self.high is None:
            return "above 0" if self.low > 0 else "below 0"
        return f"{self.low:g}" if self.low == self.high else f"{self.low:g} to {self.high:g}"


@final
@dataclass(frozen=True)
class Claim:
    """A claim file that has been read; ``studies`` are still the fields of study files."""

    name: str
    source: str
    says: str
    data: str
    studies: Mapping[str, Mapping[str, Any]]
    rows: tuple[Row, ...]
    meter: int
    path: Path


@final
@dataclass(frozen=True)
class Measured:
    """What became of a row: the estimate in the unit of the claim, the verdict, and the number of seeds."""

    row: Row
    estimate: statistics.Estimate | None
    verdict: ClaimVerdict
    seeds: int

    def data(self) -> dict[str, Any]:
        """The same as plain data."""
        found = {"mean": None, "low": None, "high": None} if self.estimate is None else vars(self.estimate)
        told = {"says": self.row.says, "claimed": self.row.claimed, "known": self.row.known, "unit": "points" if self.row.scale > 1 else ""}
        return told | {"measured": dict(found), "verdict": self.verdict, "seeds": self.seeds}


def names() -> list[str]:
    """The claims that come with the library."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read_claim(name: str) -> Claim:
    """A claim by its name, or from a file.

    Raises:
        PolicyError: no such claim. Faults: everything that is wrong with the file.
    """
    path = Path(name) if name.endswith((".yaml", ".yml")) else FOLDER / f"{name}.yaml"
    if path.parent == FOLDER and not path.exists():
        close = nearest(name, names()) or names()[0]
        raise PolicyError("claim", f"one of {', '.join(names())}, or a file", repr(name), f"vicinal replicate {close}")
    document = read_document(path, "claim file")
    if not isinstance(document, Mapping):
        raise PolicyError(str(path), f"a mapping of {', '.join(_FIELDS)}", type(document).__name__, "rows: [...]")
    faults: list[VicinalError] = [unknown_field("", field, _FIELDS) for field in document if field not in _FIELDS]
    studies = document.get("studies") or {}
    rows = [_row(number, content, studies, faults) for number, content in enumerate(document.get("rows") or [])]
    if not (rows or document.get("meter")):
        faults.append(ParameterError("rows", "at least one row, or a meter", "none", "rows: [...]"))
    raise_all(str(path), faults)
    said = {field: str(document.get(field, "")).strip() for field in ("source", "says", "data")}
    whole = tuple(row for row in rows if row is not None)
    return Claim(str(document.get("claim", path.stem)), studies=studies, rows=whole, meter=int(document.get("meter", 0)), path=path, **said)


def _row(number: int, content: Any, studies: Mapping[str, Any], faults: list[VicinalError]) -> Row | None:
    where, before = f"rows[{number}]", len(faults)
    if not isinstance(content, Mapping) or not {"says", "plus", "claimed"} <= set(content) <= set(_ROW):
        faults.append(
            ParameterError(where, f"a mapping of {', '.join(_ROW)}", repr(content)[:100], '{says: ..., plus: [...], claimed: "+"}')
        )
        return None
    plus, minus = ([_place(f"{where}.{side}", one, studies, faults) for one in content.get(side) or []] for side in ("plus", "minus"))
    ends = _ends(where, content["claimed"], faults)
    if len(faults) > before:
        return None
    return Row(content["says"], tuple(filter(None, plus)), tuple(filter(None, minus)), *ends, known=str(content.get("known", "")))


def _ends(where: str, claimed: Any, faults: list[VicinalError]) -> tuple[float, float | None]:
    if isinstance(claimed, str) and claimed in _SIGNS:
        return _SIGNS[claimed], None
    ends = claimed if isinstance(claimed, list) else [claimed, claimed]
    if len(ends) == 2 and all(isinstance(end, (int, float)) for end in ends) and ends[0] <= ends[1]:
        return float(ends[0]), float(ends[1])
    faults.append(ParameterError(f"{where}.claimed", '"+", "-", a figure, or [low, high]', repr(claimed), "claimed: [4, 8]"))
    return 1.0, None


def _place(where: str, content: Any, studies: Mapping[str, Any], faults: list[VicinalError]) -> Place | None:
    known = ("arm", "of", "study", *_AXES)
    if not isinstance(content, Mapping) or not {"arm", "of"} <= set(content) <= set(known):
        faults.append(ParameterError(where, f"a mapping of {', '.join(known)}", repr(content)[:100], "{arm: noisy, of: test.accuracy}"))
        return None
    study = content.get("study", next(iter(studies), ""))
    if study not in studies:
        faults.append(ParameterError(f"{where}.study", f"one of {', '.join(studies)}", repr(study), f"study: {next(iter(studies), '...')}"))
        return None
    return Place(content["arm"], content["of"], study, {axis: content[axis] for axis in _AXES if axis in content})


def measured(claim: Claim, findings: Mapping[str, Findings], alpha: float = 0.05) -> list[Measured]:
    """Every row held against what was found.

    Raises:
        DataError: a place that no study has.
    """
    return [_measured(row, findings, alpha) for row in claim.rows]


def _measured(row: Row, findings: Mapping[str, Findings], alpha: float) -> Measured:
    plus, minus = ([_numbers(place, findings[place.study]) for place in side] for side in (row.plus, row.minus))
    seeds = sorted(set.intersection(*(set(numbers) for numbers in (*plus, *minus))))
    total = np.array([sum(numbers[seed] for numbers in plus) - sum(numbers[seed] for numbers in minus) for seed in seeds])
    if not len(total) or not np.isfinite(total).all():
        return Measured(row, None, "cannot tell", 0)
    found = statistics.estimate(row.scale * total, 1 - alpha)
    return Measured(row, found, claim_verdict(found, row.low, row.high), len(seeds))


def _numbers(place: Place, findings: Findings) -> dict[int, float]:
    """Seed to measured number."""
    cells = [cell for cell in findings.study.cells if all(_same(cell, axis, value) for axis, value in place.cell.items())]
    known = sides(findings, cells[-1]) if cells else {}
    side = known.get(place.arm) or next((side for side in known.values() if side.arm.control == place.arm), None)
    if side is None:
        got = f"{', '.join(known) or 'no arm'} at {dict(place.cell) or 'the last cell'}"
        raise DataError(f"claim: {place.arm}", "an arm of the study that has outcomes there", got, f"arm: {next(iter(known), '...')}")
    values: NDArray = side.measured(place.of)
    return dict(zip(side.seeds, values.tolist(), strict=True))


def _same(cell: Cell, axis: str, value: float) -> bool:
    return getattr(cell, axis) == value
