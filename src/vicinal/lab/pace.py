"""How a study goes on when not everything is to be run: until the time is up, or only where something is undecided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np

from vicinal.core.errors import ParameterError
from vicinal.lab import statistics
from vicinal.lab.measure.metrics import METRICS
from vicinal.lab.study import REFERENCE, Study
from vicinal.lab.trial import Cell, Outcome, Trial

_CAREFUL = 0.9  # share of the time left that a wave may be planned for


@final
@dataclass(eq=False)
class Budget:
    """What fits into some seconds: one seed of one cell after the other, the headline's first, as many seeds of it as can decide.

    A seed of a cell is run with all its arms or not at all, so that whatever was run can be compared.
    """

    study: Study
    trials: Sequence[Trial]
    seconds: float
    looks: tuple[int, ...] = field(default=(), init=False)
    _next: int = field(default=0, init=False)
    _steps: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise ParameterError("--budget", "a time above 0", repr(self.seconds), "--budget 10m")
        floor = statistics.fewest_seeds(self.study.alpha, max(1, len(self.study.arms)))
        units: dict[tuple[int, Cell], list[Trial]] = {}
        for trial in self.trials:
            units.setdefault((self.study.seeds.index(trial.seed), trial.cell), []).append(trial)
        last = self.study.cells[-1]
        order = sorted(units, key=lambda unit: (unit[0] >= floor, unit[1] != last, unit[0]))
        self._units = [units[unit] for unit in order]

    def wave(self, done: Mapping[str, Outcome], spent: float) -> list[Trial]:
        while self._next < len(self._units) and all(trial.key in done for trial in self._units[self._next]):
            self._next += 1
        if self._next == len(self._units):
            return []
        if not self._steps:  # a first unit shows how fast it goes
            return self._taken(1)
        room, count = _CAREFUL * (self.seconds - spent), 0
        for unit in self._units[self._next :]:
            room -= _steps(unit) * spent / self._steps
            if room < 0:
                break
            count += 1
        return self._taken(count)

    def _taken(self, count: int) -> list[Trial]:
        some = self._units[self._next : self._next + count]
        self._next += count
        self._steps += sum(map(_steps, some))
        return [trial for unit in some for trial in unit]

    def left_out(self) -> dict[str, str]:
        return {trial.key: f"no time within {self.seconds:g} s" for unit in self._units[self._next :] for trial in unit}

    def notes(self) -> list[str]:
        rest = self._units[self._next :]
        if not rest:
            return []
        count, several = sum(map(len, rest)), len(self.study.cells) > 1
        run = [self._run_of(cell) + (f" at {cell.place}" if several else "") for cell in self.study.cells]
        return [f"{count} of {len(self.trials)} trials did not fit into the budget: {'; '.join(run)}"]

    def _run_of(self, cell: Cell) -> str:
        seeds = {trial.seed for unit in self._units[: self._next] for trial in unit if trial.cell == cell}
        return f"{len(seeds)} of {len(self.study.seeds)} seeds were run"


def _steps(unit: Sequence[Trial]) -> float:
    return float(sum(max(1, trial.steps) for trial in unit))


@final
@dataclass(eq=False)
class Race:
    """Seeds only where something is undecided: every arm is judged at a few numbers of seeds that are fixed beforehand.

    Looking several times costs no false answers; see `vicinal.lab.statistics.race`.
    """

    study: Study
    trials: Sequence[Trial]
    _looked: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        arms = max(1, len(self.study.arms))
        least = statistics.fewest_seeds(self.study.alpha, arms)
        if len(self.study.seeds) < least:
            expected = f"at least {least} seeds, or a race of {arms} arm{'s' * (arms != 1)} is never decided"
            raise ParameterError("--race", expected, str(len(self.study.seeds)), f"--seeds {least}")
        self.looks = statistics.looks(len(self.study.seeds), arms, self.study.alpha)
        self._kept: list[Trial] = []

    def wave(self, done: Mapping[str, Outcome], spent: float) -> list[Trial]:
        while self._looked < len(self.looks):
            missing = [trial for trial in self._wanted(done) if trial.key not in done]
            if missing:
                return missing
        return []

    def _wanted(self, done: Mapping[str, Outcome]) -> list[Trial]:
        """The trials of the next look, those that are done already included."""
        seeds = self.study.seeds[: self.looks[self._looked]]
        self._looked += 1
        found: list[Trial] = []
        for cell in self.study.cells:
            racing = self._racing(cell, done) if self._looked > 1 else None
            if racing is None or racing:
                found += [trial for trial in self._of(cell) if trial.seed in seeds and (racing is None or self._goes_on(trial, racing))]
        self._kept += found
        return found

    def _of(self, cell: Cell) -> list[Trial]:
        return [trial for trial in self.trials if trial.cell == cell]

    def _goes_on(self, trial: Trial, racing: set[str]) -> bool:
        """The reference and the controls go on as long as any arm does."""
        return trial.arm.name in racing or bool(trial.arm.control)

    def _racing(self, cell: Cell, done: Mapping[str, Outcome]) -> set[str]:
        """The arms of a cell that are undecided; those whose first seed failed cannot be judged on the way."""
        standings = race(self.study, self._of(cell), done, self.looks)
        decided = {name for name, standing in standings.items() if standing.decided}
        return {arm.name for arm in self.study.arms} - decided

    def left_out(self) -> dict[str, str]:
        kept = {trial.key for trial in self._kept}
        return {trial.key: "decided with fewer seeds" for trial in self.trials if trial.key not in kept}

    def notes(self) -> list[str]:
        count = len(self.left_out())
        return [f"{count} of {len(self.trials)} trials were not needed: their arms were decided with fewer seeds"] if count else []


def race(study: Study, trials: Sequence[Trial], done: Mapping[str, Outcome], looks: Sequence[int]) -> dict[str, statistics.Standing]:
    """How the arms of a cell stand, by the scores so far: each up to its first seed that is missing."""
    scores = {arm.name: series(study, trials, done, arm.name) for arm in study.every_arm()}
    base = scores[REFERENCE]
    named = {arm.name: np.array(scores[arm.name][: len(base)]) for arm in study.arms if len(scores[arm.name])}
    return statistics.race(base, named, looks, study.alpha) if len(base) and named else {}


def series(study: Study, trials: Sequence[Trial], done: Mapping[str, Outcome], arm: str) -> list[float]:
    """The scores of an arm in the order of seeds, higher is better, up to the first that is missing."""
    by_seed = {trial.seed: trial.key for trial in trials if trial.arm.name == arm}
    found: list[float] = []
    for seed in study.seeds:
        outcome = done.get(by_seed.get(seed, ""))
        if outcome is None:
            break
        found.append(score(outcome, study.metric))
    return found


def score(outcome: Outcome, metric: str, part: str = "test") -> float:
    """A measured number so that higher is better: what lower is better counts negative, what has a best value by its distance from it."""
    value, known = outcome.values[f"{part}.{metric}"], METRICS[metric]
    return known.gain(known.best, value) if known.higher is not True else value
