"""Trials that are trained side by side, and what is measured of each.

Trials that differ in the number of steps alone are one replica that is looked at several times, where the trainer passes through the
shorter training on its way to the longer one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import DataError
from vicinal.lab.arms import Arm
from vicinal.lab.bench import Bench
from vicinal.lab.feed import Replica, goal, joined, targets
from vicinal.lab.measure.calibration import reliability
from vicinal.lab.measure.metrics import METRICS, measured
from vicinal.lab.measure.scores import recall
from vicinal.lab.measure.tta import net_change
from vicinal.lab.split import refuse_leak, split_items
from vicinal.lab.together import Together
from vicinal.lab.trial import Outcome, Trial, ladders, smallest
from vicinal.learn.trainer import Predictor, Task

MARKS = 20  # points of a learning curve
_AT_ONCE = 16  # replicas whose outputs are held at once


@final
@dataclass(eq=False)
class Pupil:
    """One replica, and the trials that it is.

    Args:
        replica: what it trains on; watched: what it is looked at with on the way, the clean originals of train first, then ``dev`` items.
        test: rows of the data that it is scored on; trials: by their number of steps, ascending.
        leak, test_leak: share of dev and test items with a sibling in train.
    """

    replica: Replica
    watched: Replica
    dev: int
    test: NDArray[np.int64]
    trials: tuple[Trial, ...]
    leak: float
    test_leak: float
    curve: dict[int, dict[str, float]] = field(default_factory=dict, init=False)

    @property
    def marks(self) -> set[int]:
        """Numbers of steps at which it is looked at."""
        return {mark for trial in self.trials for mark in marks(trial.steps)}

    def watching(self, done: int, known: NDArray, dev: NDArray) -> None:
        """A point of the learning curve from the outputs on the originals of train and on dev; all metrics where a trial ends."""
        labels, cut, regression = self.watched.labels, len(known), self.replica.data.regression
        ends = any(trial.steps == done for trial in self.trials)
        wanted = names(regression) if ends else names(regression)[:1]
        parts = {"train": (known, labels[:cut]), "dev": (dev, labels[cut:])}
        self.curve[done] = {f"{part}.{name}": value for part, pair in parts.items() for name, value in measured(wanted, *pair).items()}

    def outcome(self, done: int, outputs: NDArray, labels: NDArray, more: Mapping[str, float]) -> Outcome:
        """What was measured of the trial that ends here."""
        regression, known = self.replica.data.regression, names(self.replica.data.regression)
        values = {f"test.{name}": value for name, value in measured(known, outputs, labels).items()}
        predicted = outputs.astype(np.float32) if regression else outputs.argmax(1)
        at = [mark for mark in marks(done) if mark in self.curve]
        curve = {part: [self.curve[mark][f"{part}.{known[0]}"] for mark in at] for part in ("train", "dev")}
        return Outcome(
            values=values | self.curve[done] | dict(more),
            recall=np.zeros(0) if regression else recall(outputs, labels),
            curve={"steps": [float(mark) for mark in at], **curve},
            predicted=predicted if regression else smallest(predicted, outputs.shape[1]),
            calibration={} if regression or _certain(outputs) else reliability(outputs, labels).data(),
            leak=self.leak,
            test_leak=self.test_leak,
            sizes={"train": len(self.replica.items), "dev": self.dev, "test": len(labels)},
        )


def _certain(outputs: NDArray) -> bool:
    """Whether a model says classes and no probabilities."""
    return bool((outputs.max(1) == 1).all())


def names(regression: bool) -> tuple[str, ...]:
    """The metrics that are measured of every trial; the first is the headline, of which curves are drawn."""
    kind = "regression" if regression else "classification"
    return tuple(name for name, metric in METRICS.items() if metric.kind == kind)


def marks(steps: int) -> list[int]:
    """Numbers of steps at which a trial is looked at, ascending; the last is the last step."""
    return sorted({round(steps * part / MARKS) for part in range(1, MARKS + 1)} - {0}) or [0]


Found = Callable[[Mapping[str, Outcome]], None]


def run_group(bench: Bench, trials: Sequence[Trial], found: Found, progress: Callable[[int], None] = lambda done: None) -> None:
    """Train trials of one trainer side by side.

    Args:
        found: called with outcomes by key as soon as trials end, some before others where they are of fewer steps.
        progress: called with the number of steps done.

    Raises:
        LeakageError: a split that separates siblings, unless it is allowed. VicinalError: training that fails.
    """
    some = pupils(bench, trials)
    _warm(some)
    clock = _Clock(some)
    task = Task(
        goal(bench.data),
        Together([pupil.replica for pupil in some]),
        tuple(pupil.replica.seed for pupil in some),
        max(trial.steps for trial in trials),
        marks=set().union(*(pupil.marks for pupil in some)),
        look=lambda done, predictor: _look(bench, some, done, predictor, lambda ended: found(clock.timed(ended, done))),
        progress=progress,
        class_weights=_class_weights(some),
    )
    trials[0].trainer.fit(task)


@final
@dataclass(eq=False)
class _Clock:
    """What replicas that are trained side by side have cost so far."""

    pupils: Sequence[Pupil]
    started: float = field(default_factory=time.perf_counter, init=False)

    def timed(self, outcomes: Mapping[Pupil, Outcome], done: int) -> dict[str, Outcome]:
        """Outcomes after some steps by the keys of their trials, with a share of the time each: all have taken the same steps."""
        spent = time.perf_counter() - self.started - sum(pupil.replica.seconds for pupil in self.pupils)
        return {
            trial.key: replace(
                outcome,
                seconds=spent / len(self.pupils),
                augment_seconds=pupil.replica.seconds,
                augmented=pupil.replica.made,
            )
            for pupil, outcome in outcomes.items()
            for trial in pupil.trials
            if trial.steps == done
        }


def _warm(pupils: Sequence[Pupil]) -> None:
    """Show an item of every arm before the clock runs: what a policy costs is not what is compiled and loaded once a process."""
    for replica in {pupil.replica.arm.name: pupil.replica for pupil in pupils if pupil.replica.arm.policy is not None}.values():
        replace(replica, arm=replace(replica.arm, copies=0, instead=False)).shown(np.arange(1))


def pupils(bench: Bench, trials: Sequence[Trial]) -> list[Pupil]:
    """One replica for every training that trials are."""
    return [pupil(bench, some) for some in ladders(trials)]


def pupil(bench: Bench, trials: Sequence[Trial]) -> Pupil:
    """The replica of trials that differ in their steps alone, ascending.

    Raises:
        LeakageError: a split that separates siblings, unless it is allowed. DataError: a size that the data do not have.
    """
    trial = trials[0]
    arm, rules = trial.arm.at(trial.cell.strength), trial.rules
    parts = bench.trained_on(arm, trial.cell.size, trial.seed, rules)
    data, more = bench.with_generated(arm)
    held = bench.held(parts) if arm.generated is None else None

    def replica(arm: Arm, rows: NDArray[np.int64], noise: float = 0.0) -> Replica:
        return Replica.of(arm, trial.seed, data, rows, trial.trainer.batch, held, noise)

    if rules.by == "source":
        train = replica(arm, np.concatenate([parts.train, more]), trial.cell.label_noise)
        dev = replica(Arm(arm.name), parts.dev)
    else:
        both = replica(arm, np.sort(np.concatenate([parts.train, parts.dev])), trial.cell.label_noise)
        train, dev = (both.part(rows) for rows in split_items(both.sources, trial.seed, rules.dev))
    leak = refuse_leak(dev.sources, train.sources, allow=rules.allow_leak, where=f"arm {arm.name}: dev")
    allowed = rules.allow_leak or arm.generated is None  # without generated items, it is the data's own affair, and split asked
    test_leak = refuse_leak(data.sources[parts.test], train.sources, allow=allowed, where=f"arm {arm.name}: test")
    plain = train if not arm.instead else replica(replace(arm, instead=False), parts.train, trial.cell.label_noise)
    known = plain.part(np.flatnonzero((plain.copy == 0) & (plain.items < len(bench.data))))
    return Pupil(train, joined(known, dev), len(dev.items), parts.test, tuple(trials), leak, test_leak)


def _class_weights(pupils: Sequence[Pupil]) -> NDArray[np.float32] | None:
    """(R, K) the inverse of the frequency of every class in train, where an arm asks for it."""
    if not any(pupil.replica.arm.class_weight for pupil in pupils):
        return None
    shares = [_shares(pupil.replica) if pupil.replica.arm.class_weight else None for pupil in pupils]
    ones = np.ones(len(pupils[0].replica.data.classes))
    return np.array([ones if share is None else 1 / (len(share) * np.maximum(share, 1e-12)) for share in shares], np.float32)


def _shares(replica: Replica) -> NDArray[np.float64]:
    """(K,) the share of every class in train."""
    count = np.bincount(replica.labels, minlength=len(replica.data.classes))
    return count / count.sum()


def _look(bench: Bench, pupils: Sequence[Pupil], done: int, predictor: Predictor, found: Callable[[Mapping[Pupil, Outcome]], None]) -> None:
    """One point of the learning curves, in eval mode, and the scores of the trials that end here."""
    looked = [row for row, pupil in enumerate(pupils) if done in pupil.marks]
    for rows in _alike([pupils[row] for row in looked]):
        some = [looked[row] for row in rows]
        watched = pupils[some[0]].watched
        for row, outputs in zip(some, predictor.take(some).outputs(watched.everything), strict=True):
            _refuse_nan(pupils[row], outputs, done)
            known = len(outputs) - pupils[row].dev
            pupils[row].watching(done, outputs[:known], outputs[known:])
    ended = [row for row in looked if done in {trial.steps for trial in pupils[row].trials}]
    for start in range(0, len(ended), _AT_ONCE):
        some = ended[start : start + _AT_ONCE]
        found(_scores(bench, [pupils[row] for row in some], done, predictor.take(some)))


def _refuse_nan(pupil: Pupil, outputs: NDArray, done: int) -> None:
    if not np.isfinite(outputs).all():
        where, got = f"training, seed {pupil.replica.seed}", f"nan or infinity after step {done}"
        raise DataError(where, "finite outputs", got, "a smaller learning rate, or another trainer")


def _alike(pupils: Sequence[Pupil]) -> list[list[int]]:
    """Numbers of the pupils, grouped by what they are watched on: one group a seed, unless a leak gives arms a dev part of their own."""
    found: dict[tuple[object, ...], list[int]] = {}
    for row, pupil in enumerate(pupils):
        own = pupil.replica.arm.name if pupil.watched.copy.any() else ""
        watched = pupil.watched
        found.setdefault((watched.seed, watched.items.tobytes(), watched.labels.tobytes(), id(watched.data), own), []).append(row)
    return list(found.values())


def _scores(bench: Bench, pupils: Sequence[Pupil], done: int, predictor: Predictor) -> dict[Pupil, Outcome]:
    """The test part, looked at once: clean, and at every level of every curve."""
    test, probe = pupils[0].test, pupils[0].trials[0].probe  # both depend on the study alone
    labels, name = targets(bench.data, bench.data.labels[test]), names(bench.data.regression)[0]
    outputs = _moved(pupils, predictor.outputs(bench.test(test)))
    more: list[dict[str, float]] = [{} for _ in pupils]
    for family, levels in probe.curves:
        for level in levels:
            under = _moved(pupils, predictor.outputs(bench.worse(test, family, level, probe.clip)))
            for values, one in zip(more, under, strict=True):
                values[f"{family}@{level:g}.{name}"] = measured([name], one, labels)[name]
    if probe.views is not None:
        seen = sum(predictor.outputs(version) for version in bench.views(test, *probe.views)) / probe.views[1]
        for values, one, clean in zip(more, _moved(pupils, np.asarray(seen)), outputs, strict=True):
            values |= _together(one, clean, labels, bench.data.regression)
    for one, output in zip(pupils, outputs, strict=True):
        _refuse_nan(one, output, done)
    return {one: one.outcome(done, output, labels, values) for one, output, values in zip(pupils, outputs, more, strict=True)}


def _together(seen: NDArray, clean: NDArray, labels: NDArray, regression: bool) -> dict[str, float]:
    """What several views of an item do together, and which items that fixes and breaks."""
    found = {f"views.{name}": value for name, value in measured(names(regression), seen, labels).items()}
    if regression:
        return found
    change = net_change(clean, seen, labels)
    return found | {"views.fixed": change.fixed_share, "views.broken": change.broken_share}


def _moved(pupils: Sequence[Pupil], outputs: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Outputs (R, N, K), of arms with a threshold divided by the shares of the classes in train."""
    return [_threshold(pupil.replica, one) if pupil.replica.arm.threshold else one for pupil, one in zip(pupils, outputs, strict=True)]


def _threshold(replica: Replica, outputs: NDArray[np.float32]) -> NDArray[np.float32]:
    share = _shares(replica)
    moved = np.where(share > 0, outputs / np.maximum(share, 1e-12), 0)  # a class that train does not have was never learned
    return (moved / moved.sum(1, keepdims=True)).astype(np.float32)
