"""Any estimator of scikit-learn as a trainer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.draw import Address, Draw
from vicinal.core.errors import DataError, ParameterError, VicinalError, nearest, raise_all
from vicinal.learn.feed import check_numbers, checked_weights
from vicinal.learn.settings import Settings
from vicinal.learn.trainer import Goal, Items, Predictor, Task
from vicinal.learn.whole import Model, checked_items, fit_each


@final
@dataclass(frozen=True, eq=False)
class Sklearn(Settings):
    """Any classifier or regressor of scikit-learn, or whatever has its interface: it learns from all items of an arm at once.

    Probabilities are those of ``predict_proba``. An estimator without it says a class and no probability (a decision function is none):
    then the class gets 1 and the others 0, and only measures that go by the predicted class mean something. A class that is missing from
    the items gets 0. Every ``random_state``, also of the parts of a pipeline, is drawn from the seed.

    Texts come as (n,), each a str: the first step of a pipeline makes numbers of them.

    Items, classes and shares of soft labels are weighed by ``sample_weight`` where ``fit`` takes it: an item with two shares becomes two
    items with weights, which is exact. Estimators that take no weights are refused where weights would matter.

    Args:
        estimator: an unfitted estimator, which is copied. Data name it by its class, with its parameters beside:
            ``{name: sklearn, estimator: SVC, C: 3}``.

    Raises:
        ParameterError: what is no estimator, or one with a parameter that it refuses.

    Example:
        >>> from sklearn.svm import SVC
        >>> Sklearn(estimator=SVC(C=3)).data()
        {'name': 'sklearn', 'estimator': 'SVC', 'C': 3}
    """

    name: ClassVar[str] = "sklearn"
    stepwise: ClassVar[bool] = False

    estimator: Any = field()

    def __post_init__(self) -> None:
        if not all(hasattr(self.estimator, name) for name in ("fit", "predict", "get_params", "set_params")):
            got = f"{self.estimator!r}, which has no fit, predict, get_params or set_params"
            raise ParameterError("Sklearn.estimator", "an estimator of scikit-learn", got[:200], "estimator=SVC()")
        object.__setattr__(self, "estimator", _copy(self.estimator))
        _check_parameters(self.estimator)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sklearn) and self.data() == other.data()

    def __hash__(self) -> int:
        return hash(json.dumps(self.data(), sort_keys=True))

    @property
    def batch(self) -> int:
        """There are no steps, so it means nothing."""
        return 1

    @property
    def passes(self) -> bool:
        """Only the end is seen."""
        return False

    def together(self, goal: Goal) -> int:
        """One replica after the other."""
        return 1

    def check(self, goal: Goal) -> None:
        """Refuse a regressor for classes and the reverse, and texts where an estimator of scikit-learn's own takes none."""
        _check_kind(self.estimator, goal)
        if not _may_take_texts(self.estimator):
            check_numbers(goal, type(self.estimator).__name__)

    def data(self) -> Mapping[str, Any]:
        """Class and parameters that differ from their defaults. What is not plain data, a pipeline for example, is told by its repr.

        Raises:
            ParameterError: an estimator whose repr differs from run to run.
        """
        changed = _changed(self.estimator)
        kind = type(self.estimator)
        if changed is not None and estimators().get(kind.__name__) is kind:
            return {"name": self.name, "estimator": kind.__name__, **changed}
        told = re.sub(r"\s+", " ", self.estimator.__repr__(N_CHAR_MAX=1 << 20))
        if re.search(r" at 0x[0-9a-f]+", told):
            raise ParameterError("Sklearn.estimator", "an estimator that can be told by its repr", told[:200], "Function")
        return {"name": self.name, "estimator": told}

    def replace(self, **changes: Any) -> Sklearn:
        """Another estimator, or the same with other parameters."""
        made = _copy(changes.pop("estimator", self.estimator))
        raise_all("Sklearn", _unknown(type(made), changes, made.get_params()))
        return Sklearn(made.set_params(**changes))

    @classmethod
    def read(cls, settings: Mapping[str, Any]) -> Sklearn:
        """From a class name and parameters as plain data; nothing but scikit-learn's own classes is named so."""
        kind, parameters = settings.get("estimator"), {name: value for name, value in settings.items() if name != "estimator"}
        known = estimators()
        if not isinstance(kind, str) or kind not in known:
            close = nearest(str(kind), known) if kind is not None else None
            expected = "the name of a classifier or regressor of scikit-learn"
            raise ParameterError("Sklearn.estimator", expected, repr(kind), f"estimator: {close or 'SVC'}")
        made = _made(known[kind])
        raise_all("Sklearn", _unknown(known[kind], parameters, made.get_params()))
        return Sklearn(made.set_params(**parameters))

    def fit(self, task: Task) -> Predictor:
        """One replica after the other; see `vicinal.learn.trainer.Trainer`.

        Raises:
            VicinalError: data that the estimator refuses, or weights that it does not take; the sentence names the seed.
        """
        weights = checked_weights(task.class_weights, len(task.seeds), task.goal)
        self.check(task.goal)

        def one(replica: int) -> Model:
            seed, items = task.seeds[replica], checked_items(task, replica)
            items = items._replace(inputs=items.inputs[:, 0]) if task.goal.text else items
            hard = items if task.goal.regression else _hard(items)
            if weights is not None:
                hard = hard._replace(weights=hard.weights * weights[replica][hard.labels])
            where = f"{type(self.estimator).__name__}, seed {seed}"
            fitted = _fitted(_seeded(self.estimator, seed), hard, where)
            answer = fitted.predict if task.goal.regression else _Classes(fitted, task.goal.outputs)
            return Model(where, answer, task.goal, shaped=task.goal.text)

        return fit_each(task, one)


@lru_cache(maxsize=1)
def estimators() -> Mapping[str, type]:
    """The classifiers and regressors of scikit-learn by their names."""
    from sklearn.utils import all_estimators

    return MappingProxyType(dict(all_estimators(type_filter=["classifier", "regressor"])))


def _copy(estimator: Any) -> Any:
    from sklearn.base import clone

    return clone(estimator)


def _made(kind: type) -> Any:
    try:
        return kind()
    except TypeError:
        expected = "an estimator that needs no other estimators: plain data cannot name them"
        raise ParameterError("Sklearn.estimator", expected, kind.__name__, f"Sklearn(estimator={kind.__name__}(...)) in Python") from None


def _unknown(kind: type, given: Mapping[str, Any], known: Mapping[str, Any]) -> list[VicinalError]:
    expected = f"a parameter of {kind.__name__}"
    strange = [name for name in given if name not in known]
    return [ParameterError("Sklearn", expected, repr(name), nearest(str(name), known) or f"it without {name}") for name in strange]


def _check_parameters(estimator: Any) -> None:
    """Refuse a wrong value now and not after the augmentation; estimators of other libraries may not say what they take."""
    check = getattr(estimator, "_validate_params", None)
    try:
        if check is not None:
            check()
    except ValueError as fault:
        name = type(estimator).__name__
        raise ParameterError(f"Sklearn.{name}", "parameters that it takes", str(fault), f"estimator={name}() for its defaults") from None


def _check_kind(estimator: Any, goal: Goal) -> None:
    from sklearn.base import is_classifier, is_regressor

    if (is_regressor if goal.regression else is_classifier)(estimator):
        return
    expected = "a regressor, as values are to be learned" if goal.regression else "a classifier, as classes are to be learned"
    usual = "Ridge()" if goal.regression else "SVC()"
    raise ParameterError("Sklearn.estimator", expected, type(estimator).__name__, f"estimator={usual}")


def _may_take_texts(estimator: Any) -> bool:
    """What scikit-learn says of its own estimators. Of others, and of those with further ones inside, it is known when they fit."""
    inside = [value for value in estimator.get_params().values() if hasattr(value, "fit")]
    if inside or not type(estimator).__module__.startswith("sklearn.") or not hasattr(estimator, "__sklearn_tags__"):
        return True
    tags = estimator.__sklearn_tags__()
    return tags.no_validation or tags.input_tags.string


def _changed(estimator: Any) -> dict[str, Any] | None:
    """The parameters that differ from their defaults; None where one is not plain data, or where there are no defaults."""
    try:
        usual = type(estimator)().get_params(deep=False)
        given = estimator.get_params(deep=False)
        changed = {name: value for name, value in given.items() if repr(value) != repr(usual.get(name))}
        return changed if json.loads(json.dumps(changed)) == changed else None
    except TypeError:
        return None


def _seeded(estimator: Any, seed: int) -> Any:
    """A copy with every ``random_state`` drawn from the seed."""
    draw, made = Draw(Address.of(seed=seed), "sklearn"), _copy(estimator)
    names = [name for name in made.get_params() if name == "random_state" or name.endswith("__random_state")]
    return made.set_params(**{name: int(draw.words(name, 1)[0, 0]) for name in names})


def _hard(items: Items) -> Items:
    """Shares of classes as items of one class each, with the shares as weights: the loss of the one is that of the other."""
    if items.labels.ndim == 1:
        return items
    item, label = np.nonzero(items.labels)
    return Items(items.inputs[item], label, items.weights[item] * items.labels[item, label])


def _fitted(estimator: Any, items: Items, where: str) -> Any:
    from sklearn.utils.validation import has_fit_parameter

    takes = has_fit_parameter(estimator, "sample_weight")
    if not takes and np.ptp(items.weights) > 0:
        expected = "an estimator whose fit takes sample_weight, as items, classes or soft labels are weighed"
        raise DataError(where, expected, type(estimator).__name__, "another estimator, or no weights and no mixing")
    labels = items.labels[:, 0] if items.labels.ndim == 2 and items.labels.shape[1] == 1 else items.labels
    try:
        return estimator.fit(items.inputs, labels, **({"sample_weight": items.weights} if takes else {}))
    except ValueError as fault:
        texts = items.inputs.dtype == object
        write = "make_pipeline(TfidfVectorizer(), ...), which makes numbers of texts" if texts else "another trainer, mlp say"
        raise DataError(where, "items that it can learn from", str(fault).strip().split("\n")[0], write) from None


@final
@dataclass(frozen=True)
class _Classes:
    """The probabilities that a fitted classifier gives to all K classes, also to those that it never saw."""

    fitted: Any
    classes: int

    def __call__(self, inputs: NDArray) -> NDArray:
        if not hasattr(self.fitted, "predict_proba"):
            return self.fitted.predict(inputs).astype(np.int64)
        whole = np.zeros((len(inputs), self.classes))
        whole[:, self.fitted.classes_.astype(np.int64)] = self.fitted.predict_proba(inputs)
        return whole
