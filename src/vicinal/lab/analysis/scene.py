"""One cell of a study as the analyses see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.lab import wording
from vicinal.lab.conduct import Findings
from vicinal.lab.group import names
from vicinal.lab.measure.metrics import METRICS, entry
from vicinal.lab.sides import Side, verdicts
from vicinal.lab.sides import sides as sides_of
from vicinal.lab.split import split
from vicinal.lab.statistics import Comparison, Estimate, estimate, judged, within
from vicinal.lab.study import REFERENCE, Study
from vicinal.lab.trial import Cell, Outcome


@final
@dataclass(frozen=True, eq=False)
class Scene:
    """A cell with its sides, the reference among them."""

    findings: Findings
    cell: Cell

    @property
    def study(self) -> Study:
        return self.findings.study

    @property
    def metric(self) -> str:
        return self.study.metric

    @property
    def level(self) -> float:
        """Of the intervals."""
        return 1 - self.study.alpha

    @cached_property
    def unit(self) -> wording.Unit:
        return wording.unit_of(entry(self.metric))

    @cached_property
    def sides(self) -> dict[str, Side]:
        return sides_of(self.findings, self.cell)

    @property
    def reference(self) -> Side:
        return self.sides[REFERENCE]

    @cached_property
    def verdicts(self) -> dict[str, Comparison]:
        return verdicts(self.findings, self.cell, looks=self.findings.looks)

    @cached_property
    def asked(self) -> dict[str, Side]:
        """The arms that somebody asked about, of which pairs with the reference were measured."""
        return {name: side for name, side in self.sides.items() if not side.arm.control and name in self.verdicts}

    def controls(self, kind: str) -> dict[str, Side]:
        """The arms that the lab added for one reason."""
        return {name: side for name, side in self.sides.items() if side.arm.control == kind}

    @property
    def span(self) -> float:
        """How far two models can lie apart."""
        return METRICS[self.metric].span

    def mean(self, values: NDArray[np.float64]) -> Estimate:
        """Of differences, one a seed."""
        return within(estimate(values, self.level, self.study.interval), self.span)

    def judged(self, gains: Mapping[str, NDArray[np.float64]], span: float | None = None) -> dict[str, Comparison]:
        """Differences, corrected together; ``span`` where they can be larger than between two models."""
        return judged(gains, self.study.alpha, self.study.interval, span=span or self.span) if gains else {}

    def elsewhere(self, cell: Cell) -> Scene:
        """Another cell of the same study."""
        return Scene(self.findings, cell)

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """(N,) classes of the test items, in the order in which outcomes hold their predictions."""
        study = self.study
        rules, seed = study.rules, study.seeds[0]  # neither size nor seed decides what is test
        parts = split(study.data, size=self.cell.size, seed=seed, dev=rules.dev, test=rules.test, allow_leak=rules.allow_leak)
        return study.data.labels[parts.test]

    @property
    def headline(self) -> str:
        """The metric of learning curves and corruptions."""
        return names(self.study.data.regression)[0]

    def said(self, found: Any) -> str:
        """An estimate in words."""
        return wording.estimate(vars(found), self.unit)


def paired(one: Side, other: Side, of: Callable[[Outcome, Outcome], Any]) -> NDArray:
    """(n, ...) something of the outcomes of both, for the seeds that both have."""
    theirs = dict(zip(other.seeds, other.outcomes, strict=True))
    return np.array([of(mine, theirs[seed]) for seed, mine in zip(one.seeds, one.outcomes, strict=True) if seed in theirs])


def together(*sides: Side) -> list[list[Outcome]]:
    """The outcomes of several sides under the seeds that all of them have."""
    by_seed = [dict(zip(side.seeds, side.outcomes, strict=True)) for side in sides]
    seeds = [seed for seed in sides[0].seeds if all(seed in known for known in by_seed)]
    return [[known[seed] for seed in seeds] for known in by_seed]


def usable(values: NDArray) -> bool:
    """Whether something can be said of numbers: there are some, and none is missing (a score may not exist: AUC of one class)."""
    return bool(values.size and np.isfinite(values).all())


def ends(found: Any) -> Mapping[str, float | None]:
    """Mean and interval as plain data."""
    return {"mean": found.mean, "low": found.low, "high": found.high}
