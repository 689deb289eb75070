"""Judges: small models that are trained out of fold, so that every item is judged only by those who have seen neither it nor a sibling.

Two kinds of them are trained side by side in one task. *Plain* judges know the originals alone: what an augmented item does to them says
how far it lies from the data (affinity, invariance). *Practised* judges were also shown their training items under small changes that
nobody disputes (``PRACTICE``), as a person has seen digits that stand a little to the left: what they no longer recognise has lost its
label, or gone further than the data can teach. With plain judges alone, a shift of two pixels looks as fatal as a mirror.

What practised judges reject is heard again before *taught* ones, who practised on what the policy makes of their own training items. Where
they recognise it, the labels are there and only unfamiliar, as a shoe that points the other way; a 6 upside down is a 9 to them too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.compose import Compose
from vicinal.core.draw import EPOCH_LIMIT, Address, Draw
from vicinal.core.errors import ParameterError, VicinalError, raise_all
from vicinal.core.policy import parse
from vicinal.core.space import pick
from vicinal.core.transform import Node
from vicinal.data.dataset import Dataset, source_classes
from vicinal.lab.conduct import Tell
from vicinal.lab.feed import goal, inputs, pixels, targets, transformed
from vicinal.learn.feed import ArrayFeed
from vicinal.learn.mlp import MLP
from vicinal.learn.trainer import Predictor, Task, Trainer

PRACTICE = (
    'Translate(x=(-0.1, 0.1), y=(-0.1, 0.1), unit="share") | Rotate(angle=(-15, 15)) | Scale(factor=(0.85, 1.15)) | '
    "OneOf([GaussianNoise(std=(0, 0.2)), Brightness(by=(-0.3, 0.3)), Erase(area=(0.02, 0.15))])"
)
"""What practised judges of images have seen besides originals: the lab's default panel without its mirror, and brightness."""

_PRACTICE_EPOCH = EPOCH_LIMIT - 4  # its own, so that judges have seen none of the versions that they judge
_VERSIONS = 24  # of every item: the original and what practice makes of it
_VALUES = 1 << 26  # that all versions may hold: 256 MiB


@final
@dataclass(frozen=True, eq=False)
class Jury:
    """How judges are trained.

    Args:
        folds: K, 2 or more; seeds: practised judges a fold; steps: of the optimiser.
        trainer: any that learns such labels; practice: what practised judges see besides originals, None for nothing.

    Raises:
        ParameterError: every setting out of its range, at once.
    """

    folds: int = 5
    seeds: int = 3
    steps: int = 1500
    trainer: Trainer = field(default_factory=MLP)
    practice: Node | None = field(default_factory=lambda: parse(PRACTICE))

    def __post_init__(self) -> None:
        least = {"folds": 2, "seeds": 1, "steps": 1}
        faults: list[VicinalError] = [
            ParameterError(f"judges.{name}", f"a whole number, {low} or more", repr(getattr(self, name)), f"{name}={getattr(Jury, name)}")
            for name, low in least.items()
            if not isinstance(getattr(self, name), int) or isinstance(getattr(self, name), bool) or getattr(self, name) < low
        ]
        raise_all("judges", faults)

    def fitting(self, kind: str) -> Jury:
        """For items of a kind: the practice, which is for images, is left out for series."""
        return self if kind == "image" else replace(self, practice=None)

    def taught(self, policy: Node) -> Jury:
        """The same with a policy behind the practice."""
        return replace(self, practice=Compose([policy] if self.practice is None else [self.practice, policy]))


@final
@dataclass(frozen=True, eq=False)
class Scale:
    """What judges see of items: channels of mean 0 and variance 1 in series, which come in any unit; images, in [0, 1], as they are.

    Args:
        middle, spread: (D,) of the originals' channels; None for images.

    Example:
        >>> Scale.of(np.array([[10.0, 30.0]], np.float32), channels=1, kind="series")(np.array([[20.0, 40.0]], np.float32)).tolist()
        [[0.0, 2.0]]
    """

    middle: NDArray[np.float32] | None = None
    spread: NDArray[np.float32] | None = None

    @staticmethod
    def of(originals: NDArray[np.float32], channels: int, kind: str) -> Scale:
        """From (N, D) originals; a channel that never changes keeps its spread."""
        if kind == "image":
            return Scale()
        values, times = originals.reshape(-1, channels).astype(np.float64), originals.shape[1] // channels
        spread = values.std(0)
        sides = (values.mean(0), np.where(spread > 0, spread, 1))
        return Scale(*(np.tile(side, times).astype(np.float32) for side in sides))

    def __call__(self, items: NDArray[np.float32]) -> NDArray[np.float32]:
        return items if self.middle is None or self.spread is None else (items - self.middle) / self.spread


@final
@dataclass(frozen=True, eq=False)
class Judges:
    """Trained judges.

    Args:
        fold: (N,) the fold of every item; practised, plain: a predictor a fold, of those who have not seen it; scale: of what they see.
    """

    fold: NDArray[np.int64]
    practised: Sequence[Predictor]
    plain: Sequence[Predictor] = ()
    scale: Scale = field(default_factory=Scale)

    def answers(self, items: NDArray[np.float32], plain: bool = False) -> NDArray[np.float64]:
        """(N, K) mean probabilities, or (N, V) mean values, for (N, D) versions of the items, in their order."""
        side, items = self.plain if plain else self.practised, self.scale(items)
        found = [(self.fold == number, judge) for number, judge in enumerate(side)]
        parts = [(of, judge.outputs(items[of]).mean(0, dtype=np.float64)) for of, judge in found if of.any()]
        answers = np.empty((len(items), parts[0][1].shape[1]))
        for of, part in parts:
            answers[of] = part
        return answers


def folds_of(sources: NDArray[np.int64], strata: NDArray[np.int64], folds: int) -> NDArray[np.int64]:
    """(N,) a fold for every item, balanced by class; siblings are in one fold, and a source's fold does not depend on the order of rows.

    Example:
        >>> folds_of(np.array([7, 7, 1, 2]), np.array([0, 0, 1, 1]), folds=2).tolist()
        [0, 0, 0, 1]
    """
    ids, classes = source_classes(sources, strata)
    order = np.lexsort((Draw(Address.of(0, 0, ids), "judges").unit("fold"), classes))
    fold = np.empty(len(ids), np.int64)
    fold[order] = np.arange(len(ids)) % folds
    return fold[np.searchsorted(ids, sources)]


def trained(data: Dataset, rows: NDArray[np.int64], jury: Jury, tell: Tell = lambda done, total: None, plain: bool = True) -> Judges:
    """Judges of some rows of a data set: (folds x seeds) practised and (folds) plain ones, in one task; or practised ones alone.

    Raises:
        VicinalError: training that fails.
    """
    fold = folds_of(data.sources[rows], data.strata[rows], jury.folds)
    bank, item = _versions(data, rows, jury)
    scale = Scale.of(bank[: len(rows)], pixels(data).shape[-1], data.kind)
    seats = [(seed, number, False) for seed in range(jury.seeds) for number in range(jury.folds)]
    seats += [(0, number, True) for number in range(jury.folds)] if plain else []
    shown = np.stack([_shown(fold, item, seat, jury) for seat in seats], axis=1)
    task = Task(
        goal(data),
        ArrayFeed(scale(bank), targets(data, data.labels[rows])[item], shown),
        tuple(seed for seed, _, _ in seats),
        jury.steps,
        progress=lambda done: tell(done, jury.steps),
    )
    fitted = jury.trainer.fit(task)
    sides = [[fitted.take(_seated(seats, number, kind)) for number in range(jury.folds)] for kind in ((False, True) if plain else (False,))]
    return Judges(fold, *sides, scale=scale)


def _seated(seats: Sequence[tuple[int, int, bool]], fold: int, plain: bool) -> list[int]:
    return [row for row, (_, number, kind) in enumerate(seats) if number == fold and kind == plain]


def _versions(data: Dataset, rows: NDArray[np.int64], jury: Jury) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(M, D) originals, then versions of them by practice, and (M,) which item each is."""
    images = pixels(data, rows)
    made = [inputs(images), *(inputs(version) for version in _practice(data, rows, images, jury))]
    return np.concatenate(made), np.tile(np.arange(len(rows)), len(made))


def _practice(data: Dataset, rows: NDArray[np.int64], images: NDArray, jury: Jury) -> Iterator[NDArray]:
    if jury.practice is None:
        return
    for view in range(1, min(_VERSIONS, max(2, _VALUES // (len(rows) * math.prod(images.shape[1:]))))):
        yield np.asarray(transformed(jury.practice, images, Address.of(0, _PRACTICE_EPOCH, data.sources[rows], view), data.kind))


def _shown(fold: NDArray[np.int64], item: NDArray[np.int64], seat: tuple[int, int, bool], jury: Jury) -> NDArray[np.int64]:
    """(steps, batch) which versions a judge sees: drawn with replacement from those of the other folds."""
    seed, number, plain = seat
    allowed = np.flatnonzero(fold[item] != number)
    allowed = allowed[allowed < len(fold)] if plain else allowed
    draw = Draw(Address.of(seed, number, np.arange(jury.steps * jury.trainer.batch)), "plain judge" if plain else "judge")
    return allowed[pick(draw.unit("item"), len(allowed))].reshape(jury.steps, -1)
