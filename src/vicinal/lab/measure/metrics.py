"""What can be measured, each metric declared once: its function, which way is better, its unit, and what it is measured of."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, final

from numpy.typing import ArrayLike

from vicinal.core.errors import ParameterError, VicinalError, nearest, raise_all
from vicinal.lab.measure.calibration import ece
from vicinal.lab.measure.regression import bias, mae, r2, rmse, slope
from vicinal.lab.measure.scores import accuracy, auc, balanced_accuracy, brier, f1, nll, worst_recall

Kind = Literal["classification", "regression"]


@final
@dataclass(frozen=True)
class Metric:
    """One number that says how good a trained model is.

    Args:
        of: (outputs, labels) -> float; kind: what the model does.
        higher: whether more is better; None where neither is, but to be near ``best``.
        best: what a perfect model has; unit: of the number.
        probabilities: it needs (N, K) probabilities; else (N,) predicted classes do as well.
        span: how far two models can lie apart.
    """

    of: Callable[[ArrayLike, ArrayLike], float]
    kind: Kind
    higher: bool | None
    best: float
    unit: str
    probabilities: bool = False
    span: float = math.inf

    def gain(self, before: float, after: float) -> float:
        """How much better ``after`` is than ``before``, in the unit of the metric: above 0 is better for every metric.

        Example:
            >>> METRICS["nll"].gain(0.75, 0.5), METRICS["slope"].gain(0.75, 1.5)
            (0.25, -0.25)
        """
        if self.higher is None:
            return abs(before - self.best) - abs(after - self.best)
        return after - before if self.higher else before - after

    @property
    def share(self) -> bool:
        """Whether it is a share of 1, so that its differences are percentage points."""
        return "share" in self.unit


METRICS: Mapping[str, Metric] = MappingProxyType({
    "accuracy": Metric(accuracy, "classification", True, 1, "share of the items", span=1),
    "balanced_accuracy": Metric(balanced_accuracy, "classification", True, 1, "share of the items, every class alike", span=1),
    "worst_recall": Metric(worst_recall, "classification", True, 1, "share of the items of a class", span=1),
    "f1": Metric(f1, "classification", True, 1, "harmonic mean of shares", span=1),
    "auc": Metric(auc, "classification", True, 1, "share of the pairs", probabilities=True, span=1),
    "nll": Metric(nll, "classification", False, 0, "nats", probabilities=True),
    "brier": Metric(brier, "classification", False, 0, "squared distance", probabilities=True, span=2),
    "ece": Metric(ece, "classification", False, 0, "share of 1", probabilities=True, span=1),
    "rmse": Metric(rmse, "regression", False, 0, "unit of the targets"),
    "mae": Metric(mae, "regression", False, 0, "unit of the targets"),
    "r2": Metric(r2, "regression", True, 1, "share of the variance"),
    "bias": Metric(bias, "regression", None, 0, "unit of the targets"),
    "slope": Metric(slope, "regression", None, 1, "targets over predictions"),
})  # fmt: skip
"""Every metric by the name that study files use."""


def metric(name: str, where: str = "metrics") -> Metric:
    """A metric by its name.

    Raises:
        ParameterError: for a name that there is not, with the closest one.
    """
    if name not in METRICS:
        raise ParameterError(where, f"one of {', '.join(METRICS)}", repr(name), nearest(str(name), METRICS) or next(iter(METRICS)))
    return METRICS[name]


def entry(name: str) -> dict[str, Any]:
    """A metric for readers of a result: its name, unit and direction, and whether it is a share of 1.

    Example:
        >>> entry("nll")
        {'name': 'nll', 'unit': 'nats', 'higher': False, 'share': False}
    """
    known = METRICS[name]
    return {"name": name, "unit": known.unit, "higher": known.higher, "share": known.share}


def listed(names: Iterable[str]) -> tuple[str, ...]:
    """Names as a tuple, also where there is a single one."""
    return (names,) if isinstance(names, str) else tuple(names)


def checked_metrics(names: Iterable[str], kind: Kind, where: str = "metrics") -> tuple[str, ...]:
    """Names as a study file gives them, for models of one kind.

    Raises:
        ParameterError: every name that there is not, or not for such models, at once.

    Example:
        >>> checked_metrics(["accuracy", "ece"], "classification")
        ('accuracy', 'ece')
    """
    found, faults = listed(names), []
    for number, name in enumerate(found):
        place = f"{where}[{number}]"
        try:
            if metric(name, place).kind != kind:
                fitting = [one for one, held in METRICS.items() if held.kind == kind]
                faults.append(ParameterError(place, f"a metric of {kind}: {', '.join(fitting)}", repr(name), fitting[0]))
        except VicinalError as fault:
            faults.append(fault)
    raise_all(where, faults)
    return found


def measured(names: Iterable[str], outputs: ArrayLike, labels: ArrayLike) -> dict[str, float]:
    """The metrics named, in that order.

    Args:
        names: of `METRICS`.
        outputs: (N, K) probabilities float32 or float64, or (N,) predicted classes where no metric needs more; for regression, (N,) or
            (N, D) predictions.
        labels: (N,) classes, or targets of the form of the predictions.

    Raises:
        ParameterError: for a name that there is not. DataError: for outputs or labels that do not fit.

    Example:
        >>> measured(["accuracy", "brier"], [[0.75, 0.25], [0.5, 0.5]], [0, 1])
        {'accuracy': 0.5, 'brier': 0.3125}
    """
    return {name: metric(name).of(outputs, labels) for name in listed(names)}
