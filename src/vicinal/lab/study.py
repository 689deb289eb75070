"""A study: which arms are compared, on which axes, under which seeds, and the controls that every comparison has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, final

import numpy as np

from vicinal.core.errors import ParameterError, PolicyError, VicinalError, nearest, raise_all
from vicinal.core.space import is_number
from vicinal.core.transform import Node
from vicinal.data.dataset import Dataset
from vicinal.data.validate import PLURAL
from vicinal.lab.arms import Arm, cheap, unfit
from vicinal.lab.bench import Bench
from vicinal.lab.feed import goal
from vicinal.lab.group import pupil
from vicinal.lab.measure.metrics import checked_metrics
from vicinal.lab.parts import Parts
from vicinal.lab.split import spare
from vicinal.lab.trial import Cell, Probe, Rules, Trial
from vicinal.learn.mlp import MLP
from vicinal.learn.trainer import Trainer

REFERENCE = "none"
CONTROLS = ("duplicate", "steps", "cheap", "real")
_STEPLESS_COPIES = 1  # of arms on the fly, for trainers that take all items at once


@final
@dataclass(frozen=True, eq=False)
class Study:
    """Everything that decides a study.

    Args:
        data: what is learned; name: of the study, under which a store knows it.
        arms: what somebody asked about; seeds: one paired repetition each.
        cells: places on the axes of size, budget, strength and label noise; the last one is the headline of the report.
        rules: how data are divided; trainer: the model and how it is trained.
        controls: "duplicate" (as many extra items without any change), "steps" (``none`` for as many steps where an arm takes others),
            "cheap" (cheap and common alternatives, of which the best on dev is what a costly arm has to beat), "real" (for arms with
            generated items: ``none`` with as many further real items as the generator saw, see `seen_by`; they are those that a larger
            size would draw next, never of dev or test, and fewer where the data have no more; without any left there is no such control).
        curves: corruption to levels at which test is looked at as well; clip: whether noise is kept in the value range.
        views: a policy, and how many versions of every test item answer together (test-time augmentation).
        attribute: name of the arm that is taken apart: it is trained with some of its operations only as well, in the headline cell.
        metric: the one that verdicts are about; alpha: of the verdicts; interval: "t" or "bca".
        limit: seconds a trial may take, None for any.

    Raises:
        ParameterError: every setting out of its range, at once. PolicyError: arms that do not fit the data.
    """

    data: Dataset
    arms: tuple[Arm, ...]
    name: str = "comparison"
    seeds: tuple[int, ...] = tuple(range(10))
    cells: tuple[Cell, ...] = (Cell(),)
    rules: Rules = field(default_factory=Rules)
    trainer: Trainer = field(default_factory=MLP)
    controls: tuple[str, ...] = ("duplicate", "steps", "real")
    curves: tuple[tuple[str, tuple[float, ...]], ...] = ()
    clip: bool = True
    views: tuple[Node, int] | None = None
    attribute: str = ""
    metric: str = ""
    alpha: float = 0.05
    interval: Literal["t", "bca"] = "t"
    limit: float | None = None

    def __post_init__(self) -> None:
        if not self.metric:
            object.__setattr__(self, "metric", "rmse" if self.data.regression else "accuracy")
        raise_all("study", list(self._faults()))

    def _faults(self) -> Iterator[VicinalError]:
        if len(set(self.seeds)) != len(self.seeds) or not self.seeds:
            yield ParameterError("seeds", "at least one, all different", repr(self.seeds), "seeds: 10")
        if len(set(self.cells)) != len(self.cells) or not self.cells:
            got = f"{len(self.cells)}, {len(set(self.cells))} of them different"
            yield ParameterError("cells", "places on the axes, all different", got, "every value of an axis once")
        if not is_number(self.alpha) or not 0 < self.alpha < 1:
            yield ParameterError("alpha", "a share between 0 and 1", repr(self.alpha), "alpha: 0.05")
        if self.interval not in ("t", "bca"):
            yield ParameterError("interval", "t or bca", repr(self.interval), "interval: t")
        if self.limit is not None and not self.limit > 0:
            yield ParameterError("time_limit", "seconds above 0, or nothing", repr(self.limit), "time_limit: 60")
        for control in self.controls:
            if control not in CONTROLS:
                yield ParameterError("controls", f"any of {', '.join(CONTROLS)}", repr(control), f"controls: [{', '.join(CONTROLS)}]")
        try:
            checked_metrics([self.metric], "regression" if self.data.regression else "classification", "metric")
        except VicinalError as fault:
            yield ParameterError("metric", fault.expected, fault.got, fault.write)
        if self.curves and self.data.kind != "image":
            yield ParameterError(
                "curves", f"none for {PLURAL[self.data.kind]}: corruptions are of images", f"{len(self.curves)}", "curves: []"
            )
        if self.views is not None:
            yield from unfit("views", self.views[0], self.data.kind)
        yield from self._arm_faults()
        yield from self._part_faults()

    def _part_faults(self) -> Iterator[VicinalError]:
        if self.attribute and self.attribute not in [arm.name for arm in self.arms]:
            names = [arm.name for arm in self.arms]
            expected = f"one of {', '.join(names)}"
            yield ParameterError("attribute", expected, repr(self.attribute), nearest(self.attribute, names) or next(iter(names), "an arm"))
            return
        try:
            _ = self.parts
        except VicinalError as fault:
            yield fault

    @property
    def parts(self) -> Parts | None:
        """The arm that is to be taken apart.

        Raises:
            PolicyError: its policy has no parts.
        """
        return next((Parts.of(arm) for arm in self.arms if arm.name == self.attribute), None)

    def _arm_faults(self) -> Iterator[VicinalError]:
        names = [arm.name for arm in self.every_arm()]
        for arm in self.arms:
            if names.count(arm.name) > 1 or arm.name.startswith(f"{REFERENCE},"):
                yield PolicyError(f"arm {arm.name}", "a name that no other arm and no control has", repr(arm.name), f"{arm.name}-2")
            if arm.policy is not None:
                yield from unfit(f"arm {arm.name}", arm.policy, self.data.kind)
            classes = [name for name in ("resample", "class_weight", "threshold") if getattr(arm, name)]
            if self.data.regression and (classes or arm.mixes):
                got = classes[0] if classes else "a mixer"
                yield PolicyError(f"arm {arm.name}", "what needs no classes: this is a regression", got, f"{arm.name} without {got}")
        if self.data.regression and any(cell.label_noise for cell in self.cells):
            yield ParameterError("label_noise", "0 in a regression", "more", "label_noise: 0")

    def check(self, bench: Bench) -> None:
        """Fail before anything is trained where nothing could come of it.

        Raises:
            VicinalError: data that are not for the trainer.
            LeakageError: a split that separates siblings, unless it is allowed.
            DataError: a size that the data do not have, or a policy that changes the form of items.
        """
        self.trainer.check(goal(self.data))
        for cell in self.cells:
            for arm in [*self.every_arm(), *self._parts(cell)]:
                pupil(bench, [Trial("", self._fitting(arm), self.seeds[0], cell, 1, self.rules, self.trainer)]).replica.shown(np.arange(1))

    @property
    def probe(self) -> Probe:
        """What is measured of every trial besides the clean test part."""
        return Probe(self.curves, self.clip, self.views)

    def every_arm(self) -> list[Arm]:
        """The arms behind the controls that are there whatever the data."""
        copies = max([1, *(arm.copies for arm in self.arms)])
        controls = [Arm(REFERENCE, control="reference")]
        if "duplicate" in self.controls:
            controls.append(Arm("duplicate", copies=copies, control="duplicate"))
        if "cheap" in self.controls and self.data.kind == "image":
            known = {str(arm.policy) for arm in self.arms}
            controls += [arm for arm in cheap() if str(arm.policy) not in known]
        return [*controls, *self.arms]

    def trials(self, bench: Bench) -> list[Trial]:
        """Every trial of every cell, those of one cell and seed together; the step-matched controls included."""
        return [trial for cell in self.cells for trial in self._cell_trials(bench, cell)]

    def _cell_trials(self, bench: Bench, cell: Cell) -> list[Trial]:
        arms, whole = [self._fitting(arm) for arm in [*self.every_arm(), *self._real(cell), *self._parts(cell)]], self.trainer.stepwise
        steps = {arm.name: cell.steps_of(arm, self._items(bench, arm, cell), self.trainer.batch) if whole else 0 for arm in arms}
        if "steps" in self.controls and whole:
            others = sorted({steps[arm.name] for arm in arms if arm.control != "real"} - {steps[REFERENCE]})
            matched = [Arm(f"none, {number:,} steps", steps=number, control="steps") for number in others]
            arms, steps = [*arms, *matched], steps | {arm.name: arm.steps or 0 for arm in matched}
        return [
            Trial(self.data.fingerprint, arm, seed, cell, steps[arm.name], self.rules, self.trainer, self.probe)
            for seed in self.seeds
            for arm in arms
        ]

    def _real(self, cell: Cell) -> list[Arm]:
        """``none`` with as many further real items as the generator of an arm saw, or as there are."""
        if "real" not in self.controls:
            return []
        left = spare(self.data, cell.size, self.rules.test)
        counts = sorted({min(seen_by(arm), left) for arm in self.arms if arm.generated is not None} - {0})
        return [Arm(f"none, {count:,} real items more", real=count, control="real") for count in counts]

    def _parts(self, cell: Cell) -> list[Arm]:
        """The arm that is taken apart with some of its operations only, in the headline cell."""
        parts = self.parts
        return [] if parts is None or cell != self.cells[-1] else [parts.arm_of(subset) for subset in parts.wanted]

    def _fitting(self, arm: Arm) -> Arm:
        """Arms on the fly have copies where the trainer takes all items at once."""
        lone = not self.trainer.stepwise and arm.mode == "fly" and not arm.resample
        return replace(arm, copies=_STEPLESS_COPIES) if lone else arm

    def _items(self, bench: Bench, arm: Arm, cell: Cell) -> float:
        """Items that an arm trains on; where originals have siblings, seeds draw different numbers, and their mean counts for all."""
        if cell.steps is not None:
            return 0.0
        parts = [bench.divided(cell.size, seed, self.rules) for seed in self.seeds]
        if self.rules.by == "item":
            counts = [len(part.train) + len(part.dev) + arm.real for part in parts]
            return float((1 - self.rules.dev) * (arm.copies + 1) * np.mean(counts))
        return float(np.mean([_count(arm, self.data.strata[part.train]) for part in parts]))


def seen_by(arm: Arm) -> int:
    """How many real items the generator of an arm saw: the different sources that its items name; where they name none, as many as they
    are themselves.

    Example:
        >>> from vicinal.data.build import from_arrays
        >>> made = from_arrays(np.zeros((6, 8, 8), np.uint8), [0, 0, 1, 1, 0, 1], sources=[4, 5, 6, 7, 4, 6])
        >>> seen_by(Arm("vae", generated=made))
        4
    """
    return 0 if arm.generated is None else len(np.unique(arm.generated.sources))


def _count(arm: Arm, labels: np.ndarray) -> int:
    number = np.bincount(labels)
    number = number[number > 0]
    own = len(labels) if not arm.resample else len(number) * int(number.max() if arm.resample == "over" else number.min())
    return (own + arm.real) * (arm.copies + 1 - arm.instead) + (0 if arm.generated is None else len(arm.generated))


def cells(
    sizes: Sequence[int | None] = (None,),
    steps: Sequence[int] = (),
    epochs: Sequence[int] = (),
    strengths: Sequence[float] = (1.0,),
    label_noise: Sequence[float] = (0.0,),
) -> tuple[Cell, ...]:
    """The product of the axes, the last value of each axis last.

    Example:
        >>> [(cell.size, cell.steps) for cell in cells(sizes=[100, 200], steps=[50, 70])]
        [(100, 50), (100, 70), (200, 50), (200, 70)]
    """
    budgets: list[dict[str, int | None]] = [{"steps": number, "epochs": None} for number in steps]
    budgets += [{"steps": None, "epochs": number} for number in epochs]
    return tuple(
        Cell(size=size, strength=strength, label_noise=share, **budget)
        for size in sizes
        for budget in budgets
        for strength in strengths
        for share in label_noise
    )
