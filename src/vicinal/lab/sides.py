"""What was found, by cell and arm: the sides that are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from vicinal.lab import statistics
from vicinal.lab.arms import Arm
from vicinal.lab.conduct import Findings
from vicinal.lab.measure.metrics import METRICS
from vicinal.lab.pace import race, score
from vicinal.lab.study import REFERENCE
from vicinal.lab.trial import Cell, Outcome, Trial


@final
@dataclass(frozen=True, eq=False)
class Side:
    """An arm in a cell, with the outcomes of the seeds that have one, in the order of the study's seeds."""

    trials: tuple[Trial, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def arm(self) -> Arm:
        return self.trials[0].arm

    @property
    def seeds(self) -> list[int]:
        return [trial.seed for trial in self.trials]

    @property
    def steps(self) -> int:
        return self.trials[0].steps

    def measured(self, name: str) -> NDArray[np.float64]:
        """(S,) a measured number, NaN where it was not measured."""
        return np.array([outcome.values.get(name, np.nan) for outcome in self.outcomes])

    def scores(self, metric: str, part: str = "test") -> NDArray[np.float64]:
        """(S,) a metric so that higher is better."""
        return np.array([score(outcome, metric, part) for outcome in self.outcomes])

    def recall(self) -> NDArray[np.float64]:
        """(classes,) the mean over seeds."""
        return np.mean([outcome.recall for outcome in self.outcomes], axis=0)

    def gains(self, other: Side, metric: str, part: str = "test") -> NDArray[np.float64]:
        """(n,) by how much it is better than another side, for the seeds that both have."""
        theirs = dict(zip(other.seeds, other.scores(metric, part), strict=True))
        pairs = zip(self.seeds, self.scores(metric, part), strict=True)
        return np.array([mine - theirs[seed] for seed, mine in pairs if seed in theirs])


def sides(findings: Findings, cell: Cell) -> dict[str, Side]:
    """The sides of a cell by the name of the arm, the reference first; arms of which no seed has an outcome are left out."""
    found: dict[str, list[tuple[Trial, Outcome]]] = {}
    for trial in findings.trials:
        if trial.cell == cell and trial.key in findings.outcomes:
            found.setdefault(trial.arm.name, []).append((trial, findings.outcomes[trial.key]))
    order = sorted(found, key=lambda name: name != REFERENCE)
    return {name: Side(*map(tuple, zip(*found[name], strict=True))) for name in order}  # type: ignore[arg-type]


def verdicts(findings: Findings, cell: Cell, metric: str | None = None, looks: Sequence[int] = ()) -> dict[str, statistics.Comparison]:
    """Every arm of a cell against the reference; what the lab added by itself is no hypothesis and costs the others no power.

    Args:
        metric: the study's own if None; looks: the numbers of seeds at which a race was judged.
    """
    study, known = findings.study, sides(findings, cell)
    if REFERENCE not in known:
        return {}
    wanted = metric or study.metric
    paired = {name: side.gains(known[REFERENCE], wanted) for name, side in known.items() if name != REFERENCE}
    paired = {name: values for name, values in paired.items() if len(values) and np.isfinite(values).all()}
    family = [name for name in paired if not known[name].arm.control]
    span = METRICS[wanted].span
    found = statistics.judged(paired, study.alpha, study.interval, family, span)
    if looks and wanted == study.metric:
        trials = [trial for trial in findings.trials if trial.cell == cell]
        for name, standing in race(study, trials, findings.outcomes, looks).items():
            if name in found and standing.seeds:
                difference = statistics.within(standing.difference, span)
                found[name] = statistics.Comparison(difference, standing.verdict, found[name].seeds_needed)
    return found
