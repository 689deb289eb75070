"""How a model's scores fall as test images get worse: curves over levels, areas under them, and mean corruption errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import trapezoid

from vicinal.core.errors import DataError, ParameterError, nearest
from vicinal.lab.measure.corruptions import Corruptions
from vicinal.lab.measure.families import Family, families, family
from vicinal.lab.measure.metrics import listed, measured
from vicinal.lab.measure.metrics import metric as metric_of
from vicinal.lab.measure.outputs import Predict


@final
@dataclass(frozen=True, eq=False)
class Curve:
    """Scores of one model over the levels of one family.

    Args:
        family: its name; unit: of the levels; levels: (L,), as they were measured; neutral: the level that changes nothing.
        values: for every metric, (L,) scores.
    """

    family: str
    unit: str
    levels: NDArray[np.float64]
    neutral: float
    values: Mapping[str, NDArray[np.float64]]

    def of(self, metric: str = "accuracy") -> NDArray[np.float64]:
        """(L,) scores of one metric.

        Raises:
            ParameterError: for a metric that was not measured.
        """
        if metric not in self.values:
            write = nearest(metric, self.values) or f"curves(..., metrics=[{metric!r}])"
            raise ParameterError(f"curve {self.family}", f"one of {', '.join(self.values)}", repr(metric), write)
        return self.values[metric]

    def area(self, metric: str = "accuracy") -> float:
        """Area under the curve over the distance from the neutral level, by trapezoids, divided by its width: the mean score on the way.

        Raises:
            DataError: for a single level, under which there is no area.
        """
        away = np.abs(self.levels - self.neutral)
        order = np.argsort(away, kind="stable")
        width = away[order[-1]] - away[order[0]]
        if not width:
            write = "curves(..., levels=(0, 0.1, 0.2)), say"
            raise DataError(f"curve {self.family}", "at least two levels", f"{len(np.unique(away))}", write)
        return float(trapezoid(self.of(metric)[order], away[order]) / width)

    def loss(self, metric: str = "accuracy") -> NDArray[np.float64]:
        """(L,) how much worse than at the neutral level, in the metric's unit; above 0 is worse for every metric."""
        scores = self.of(metric)
        clean = np.flatnonzero(self.levels == self.neutral)
        if not len(clean):
            write = f"curves(..., levels=({self.neutral:g}, ...)), or levels=None"
            raise DataError(f"curve {self.family}", f"a score at the neutral level {self.neutral:g}", "none", write)
        return np.array([metric_of(metric).gain(float(score), float(scores[clean[0]])) for score in scores])


def curves(
    predict: Predict,
    test: Corruptions,
    labels: ArrayLike,
    kinds: Iterable[Family | str] | None = None,
    metrics: Iterable[str] = ("accuracy",),
    levels: Sequence[float] | None = None,
) -> dict[str, Curve]:
    """A curve for every family.

    Args:
        predict: the model; test: the test images; labels: (N,).
        kinds: families or their names; None for the noise families.
        metrics: of ``METRICS``; levels: to measure at, the same for all; None for the usual ones of each, from the neutral one on.

    Raises:
        PolicyError: for a family, a level or a metric that there is not. DataError: for answers that do not fit the labels.

    Example:
        >>> test = Corruptions(np.array([[[[0]]], [[[255]]]], np.uint8))
        >>> bright = lambda images: np.stack([1 - images[:, 0, 0, 0] / 255, images[:, 0, 0, 0] / 255], 1)
        >>> curves(bright, test, [0, 1], ["shift"], levels=[0, 0.25, 0.75])["shift"].of("accuracy").tolist()
        [1.0, 1.0, 0.5]
    """
    if levels is not None and not len(levels):
        raise ParameterError("curves.levels", "at least one level, or None", "none", "levels=(0, 0.1, 0.2)")
    named = [kinds] if isinstance(kinds, str) else kinds
    chosen = families().values() if named is None else [family(kind) if isinstance(kind, str) else kind for kind in named]
    wanted, clean = listed(metrics), dict[str, float]()

    def scores(one: Family, level: float) -> dict[str, float]:
        if level != one.neutral:
            return measured(wanted, predict(test.at(one, level)), labels)
        if not clean:  # the same images in every family
            clean.update(measured(wanted, predict(test.at(one, level)), labels))
        return clean

    return {one.name: _curve(one, one.levels if levels is None else levels, scores) for one in chosen}


def _curve(one: Family, levels: Sequence[float], scores: Callable[[Family, float], dict[str, float]]) -> Curve:
    found = [scores(one, level) for level in levels]
    values = {name: np.array([score[name] for score in found]) for name in found[0]}
    return Curve(one.name, one.unit, np.array(levels, float), one.neutral, values)


def mean_corruption_error(model: Mapping[str, Curve], reference: Mapping[str, Curve], relative: bool = False) -> float:
    """Mean over families of the model's errors over those of a reference, both summed over the levels that are not neutral (mCE).

    1 is as good as the reference, less is better. Hendrycks and Dietterich, 2019, with the reference given instead of AlexNet.

    Args:
        model, reference: curves of accuracy, of the same families and levels.
        relative: of what is lost beside the clean images (relative mCE), instead of the errors.

    Returns:
        nan where the reference makes no error, or with ``relative`` loses nothing, in some family.

    Raises:
        DataError: for curves that do not fit each other.
    """
    if set(model) != set(reference) or not model:
        expected, write = f"the families {', '.join(reference) or 'that were measured'}", "curves(..., kinds=['gaussian']) for both, say"
        raise DataError("curves", expected, ", ".join(model) or "none", write)
    ratios = []
    for name, curve in model.items():
        if not np.array_equal(curve.levels, reference[name].levels):
            levels = reference[name].levels.tolist()
            write = f"curves(..., levels={levels}) for both"
            raise DataError(f"curve {name}", f"the levels {levels}", str(curve.levels.tolist()), write)
        first, second = (_errors(one, relative) for one in (curve, reference[name]))
        ratios.append(first / second if second else float("nan"))
    return float(np.mean(ratios))


def _errors(curve: Curve, relative: bool) -> float:
    errors = curve.loss("accuracy") if relative else 1 - curve.of("accuracy")
    return float(errors[curve.levels != curve.neutral].sum())


@final
@dataclass(frozen=True)
class ShiftAndSpread:
    """What of the loss under noise of U[0, high] is its mean, and what is its spread.

    Args:
        metric: what was measured; high: end of the noise.
        clean, both: scores without noise, and under U[0, high]; shift: under its mean alone; spread: under U[-high / 2, high / 2].
    """

    metric: str
    high: float
    clean: float
    both: float
    shift: float
    spread: float

    def loss(self, score: float) -> float:
        """How much worse a score is than the clean one; above 0 is worse for every metric."""
        return metric_of(self.metric).gain(score, self.clean)

    @property
    def interaction(self) -> float:
        """What is lost by both together beyond the sum of what each costs alone."""
        return self.loss(self.both) - self.loss(self.shift) - self.loss(self.spread)


def shift_and_spread(predict: Predict, test: Corruptions, labels: ArrayLike, high: float, metric: str = "accuracy") -> ShiftAndSpread:
    """Measure a model under uniform noise in [0, high], under its mean alone, and under its spread alone.

    Where values are clipped, centred noise on black is a shift too, of high / 8 on the mean: give ``Corruptions(..., clip=False)`` to keep
    the two apart, as long as the model takes values outside [0, 1].

    Example:
        >>> test = Corruptions(np.zeros((100, 8, 8, 1), np.uint8), clip=False)
        >>> dark = lambda images: np.stack([images.mean((1, 2, 3)) < 0.1, images.mean((1, 2, 3)) >= 0.1], 1).astype(float)
        >>> found = shift_and_spread(dark, test, np.zeros(100, int), high=0.5)
        >>> found.both, found.shift, found.spread
        (0.0, 0.0, 1.0)
    """

    def score(kind: str, level: float) -> float:
        return measured([metric], predict(test.at(kind, level)), labels)[metric]

    both, shift, spread = (score(*at) for at in (("uniform", high), ("shift", high / 2), ("centred_uniform", high / 2)))
    return ShiftAndSpread(metric, high, score("uniform", 0), both, shift, spread)
