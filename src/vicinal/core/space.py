"""Sets of values that a parameter is drawn from: a number, a range, a choice, a distribution.

A space is read through its quantile function, so one uniform number gives one value, whatever the batch. ``toward`` shrinks a
space to the value that changes nothing, which is what *strength* means for every transform of every modality.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias, final, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import filled
from vicinal.core.errors import ParameterError, nearest
from vicinal.core.special import beta_quantile, normal_quantile


@runtime_checkable
class Space(Protocol):
    """A set of values with a quantile function."""

    def at(self, u: NDArray) -> NDArray:
        """Values at the (B,) quantiles ``u`` in (0, 1)."""
        ...

    def toward(self, neutral: Any, strength: float) -> Space:
        """The space shrunk to ``neutral``: strength 0 is ``Fixed(neutral)``, strength 1 is the space itself."""
        ...

    def ends(self) -> tuple:
        """Every extreme value, for checking bounds."""
        ...

    def data(self) -> Any:
        """The space as plain data: a number, [low, high] or a mapping with one key."""
        ...


SpaceLike: TypeAlias = "float | str | tuple[float, float] | Mapping[str, Any] | Space"


def _mix(neutral: float, value: float, strength: float) -> float:
    return value if strength == 1 else neutral + strength * (value - neutral)


@final
@dataclass(frozen=True)
class Fixed:
    """One value.

    Example:
        >>> Fixed(0.3).at(np.array([0.1, 0.9])).tolist()
        [0.3, 0.3]
    """

    value: Any

    def at(self, u: NDArray) -> NDArray:
        return filled(u.shape, self.value, type(self.value)) if type(self.value) in (int, float) else np.full(u.shape, self.value)

    def toward(self, neutral: Any, strength: float) -> Space:
        if isinstance(self.value, (int, float)) and isinstance(neutral, (int, float)):
            return Fixed(_mix(neutral, self.value, strength))
        return Choice((neutral, self.value), (1 - strength, strength)) if strength < 1 else self

    def ends(self) -> tuple:
        return (self.value,)

    def data(self) -> Any:
        return self.value


@final
@dataclass(frozen=True)
class Range:
    """Uniform between two numbers.

    Example:
        >>> Range(-15, 15).at(np.array([0.0, 0.5])).tolist(), Range(-15, 15).toward(0, 0.2)
        ([-15.0, 0.0], Range(low=-3.0, high=3.0))
    """

    low: float
    high: float

    def at(self, u: NDArray) -> NDArray:
        return u if self.low == 0 and self.high == 1 else self.low + u * (self.high - self.low)

    def toward(self, neutral: float, strength: float) -> Space:
        return self if strength == 1 else Range(_mix(neutral, self.low, strength), _mix(neutral, self.high, strength))

    def ends(self) -> tuple:
        return (self.low, self.high)

    def data(self) -> list:
        return [self.low, self.high]


@final
@dataclass(frozen=True)
class LogRange:
    """Uniform in the logarithm between two positive numbers: halving is as likely as doubling.

    Example:
        >>> LogRange(0.5, 2).at(np.array([0.5])).round(12).tolist()
        [1.0]
    """

    low: float
    high: float

    def at(self, u: NDArray) -> NDArray:
        return np.exp(math.log(self.low) + u * (math.log(self.high) - math.log(self.low)))

    def toward(self, neutral: float, strength: float) -> Space:
        if strength == 1:
            return self
        if neutral <= 0:
            return Range(_mix(neutral, self.low, strength), _mix(neutral, self.high, strength))
        return LogRange(*(neutral * (end / neutral) ** strength for end in (self.low, self.high)))

    def ends(self) -> tuple:
        return (self.low, self.high)

    def data(self) -> dict:
        return {"log": [self.low, self.high]}


@final
@dataclass(frozen=True)
class Choice:
    """One of several values, equally likely or by weight.

    Example:
        >>> Choice((0, 90, 180)).at(np.array([0.1, 0.5, 0.9])).tolist()
        [0, 90, 180]
    """

    values: tuple
    weights: tuple[float, ...] | None = None

    def at(self, u: NDArray) -> NDArray:
        return np.asarray(self.values)[pick(u, len(self.values), self.weights)]

    def toward(self, neutral: Any, strength: float) -> Space:
        if strength == 1:
            return self
        weights = self.weights or (1.0,) * len(self.values)
        share = tuple(strength * weight / sum(weights) for weight in weights)
        return Choice((neutral, *self.values), (1 - strength, *share))

    def ends(self) -> tuple:
        return self.values

    def data(self) -> dict:
        return {"choice": list(self.values)} | ({"weights": list(self.weights)} if self.weights else {})


@final
@dataclass(frozen=True)
class Normal:
    """Gaussian with a mean and a standard deviation, cut at four standard deviations so that bounds can be checked.

    Example:
        >>> Normal(0, 2).at(np.array([0.5])).tolist()
        [0.0]
    """

    mean: float
    std: float

    def at(self, u: NDArray) -> NDArray:
        tail = NormalDist().cdf(-4.0)
        return self.mean + self.std * normal_quantile(tail + u * (1 - 2 * tail))

    def toward(self, neutral: float, strength: float) -> Space:
        return self if strength == 1 else Normal(_mix(neutral, self.mean, strength), self.std * strength)

    def ends(self) -> tuple:
        return (self.mean - 4 * self.std, self.mean + 4 * self.std)

    def data(self) -> dict:
        return {"normal": [self.mean, self.std]}


@final
@dataclass(frozen=True)
class Beta:
    """Beta(a, b) stretched to [low, high]; the law of mixing weights.

    Example:
        >>> Beta(1, 1).at(np.array([0.25])).round(9).tolist()
        [0.25]
    """

    a: float
    b: float
    low: float = 0.0
    high: float = 1.0

    def at(self, u: NDArray) -> NDArray:
        return self.low + (self.high - self.low) * beta_quantile(u, self.a, self.b)

    def toward(self, neutral: float, strength: float) -> Space:
        if strength == 1:
            return self
        return Beta(self.a, self.b, _mix(neutral, self.low, strength), _mix(neutral, self.high, strength))

    def ends(self) -> tuple:
        return (self.low, self.high)

    def data(self) -> dict:
        ends = [] if (self.low, self.high) == (0.0, 1.0) else [self.low, self.high]
        return {"beta": [self.a, self.b, *ends]}


@final
@dataclass(frozen=True)
class Sign:
    """``about`` plus or minus a magnitude, both signs equally likely: how AutoAugment and its kin turn a level into a value.

    Example:
        >>> Sign(30, 30).at(np.array([0.1, 0.9])).tolist(), Sign(0.5, 0.9, about=1).at(np.array([0.0, 0.5, 1.0])).tolist()
        ([-30.0, 30.0], [0.09999999999999998, 1.5, 1.9])
    """

    low: float
    high: float
    about: float = 0.0

    def at(self, u: NDArray) -> NDArray:
        if self.low == self.high:
            return self._either.take(u >= 0.5)
        # The lower half of the quantiles runs from -high to -low, the upper half from low to high.
        magnitude = self.low + np.abs(2 * u - 1) * (self.high - self.low)
        return self.about + np.where(u < 0.5, -magnitude, magnitude)

    @cached_property
    def _either(self) -> NDArray[np.float64]:
        return np.array([self.about - self.low, self.about + self.low])

    def toward(self, neutral: float, strength: float) -> Space:
        if strength == 1:
            return self
        return Sign(strength * self.low, strength * self.high, _mix(neutral, self.about, strength))

    def ends(self) -> tuple:
        return (self.about - self.high, self.about + self.high)

    def data(self) -> dict:
        magnitude = self.low if self.low == self.high else [self.low, self.high]
        return {"sign": magnitude} | ({"about": self.about} if self.about else {})


def pick(u: NDArray, n: int, weights: tuple[float, ...] | None = None) -> NDArray[np.int64]:
    """(B,) indices below ``n`` from uniform numbers, equally likely or by weight."""
    if weights is None:
        return np.minimum((u * n).astype(np.int64), n - 1)
    edges = np.cumsum(weights) / np.sum(weights)
    return np.minimum(np.searchsorted(edges, u, side="right"), n - 1)


_FORMS = (
    "a number, two numbers (low, high), or one of {choice: [...]}, {log: [low, high]}, {normal: [mean, std]}, {beta: [a, b]}, "
    "{sign: magnitude or [low, high]}"
)
_SIDE_KEYS = {"weights": "choice", "about": "sign"}
_TYPICAL = MappingProxyType({"choice": "[0.5, 1]", "log": "[0.5, 1]", "normal": "[0.5, 0.1]", "beta": "[2, 5]", "sign": "0.5"})


def space(value: SpaceLike, where: str = "space") -> Space:
    """A space from how people write it.

    Example:
        >>> space(0.3), space((0, 1)), space({"choice": [0, 90]})
        (Fixed(value=0.3), Range(low=0, high=1), Choice(values=(0, 90), weights=None))
    """
    if isinstance(value, Space):
        return value
    if isinstance(value, (bool, int, float, str, np.integer, np.floating)):
        return Fixed(value.item() if isinstance(value, np.generic) else value)
    if isinstance(value, Mapping):
        return _from_mapping(value, where)
    if isinstance(value, (tuple, list)) and len(value) == 2 and all(map(is_number, value)):
        return _ordered(Range, value, where)
    raise ParameterError(where, _FORMS, repr(value), _advice(value))


def is_number(value: Any) -> bool:
    """A finite real number; booleans do not count."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool) and math.isfinite(value)


def _advice(value: Any) -> str:
    return f"{{'choice': {list(value)!r}}}" if isinstance(value, (tuple, list)) and len(value) > 0 else "(0, 1), say"


def _typical(kind: str) -> str:
    """A space of this kind, or of the one that was probably meant, as it is written."""
    close = nearest(kind, _TYPICAL) or "choice"
    return f'{{"{close}": {_TYPICAL[close]}}}'


def _ordered(kind: type, ends: Any, where: str) -> Any:
    low, high = (end.item() if isinstance(end, np.generic) else end for end in ends)
    if low > high:
        raise ParameterError(where, "low <= high", f"({low}, {high})", f"({high}, {low})")
    return kind(low, high)


def _from_mapping(value: Mapping[str, Any], where: str) -> Space:
    kinds = [key for key in value if key not in _SIDE_KEYS]
    if len(kinds) != 1 or kinds[0] not in _TYPICAL:
        raise ParameterError(where, _FORMS, repr(dict(value)), _typical(str(next(iter(kinds), ""))))
    kind = kinds[0]
    strangers = [key for key in value if _SIDE_KEYS.get(key, kind) != kind]
    if strangers:
        expected = f"no {strangers[0]}, which is of {_SIDE_KEYS[strangers[0]]}"
        raise ParameterError(f"{where}.{kind}", expected, repr(dict(value)), repr({kind: value[kind]}))
    return {"choice": _choice, "sign": _sign}.get(kind, _law)(value, where)


def _law(value: Mapping[str, Any], where: str) -> Space:
    kind, inner = next(iter(value.items()))
    lengths = {"log": (2,), "normal": (2,), "beta": (2, 4)}[kind]
    if not isinstance(inner, (list, tuple)) or len(inner) not in lengths or not all(map(is_number, inner)):
        raise ParameterError(f"{where}.{kind}", f"{' or '.join(map(str, lengths))} numbers", repr(dict(value)), _typical(kind))
    positive = {"log": inner[:1], "normal": (), "beta": inner[:2]}[kind]
    if any(number <= 0 for number in positive) or (kind == "normal" and inner[1] < 0):
        expected = "positive numbers" if kind != "normal" else "a standard deviation of 0 or more"
        raise ParameterError(f"{where}.{kind}", expected, repr(inner), _typical(kind))
    return _ordered(LogRange, inner, where) if kind == "log" else {"normal": Normal, "beta": Beta}[kind](*inner)


def _sign(value: Mapping[str, Any], where: str) -> Sign:
    inner, about = value["sign"], value.get("about", 0.0)
    ends = inner if isinstance(inner, (list, tuple)) else (inner, inner)
    if len(ends) != 2 or not all(is_number(end) and end >= 0 for end in ends):
        raise ParameterError(f"{where}.sign", "a magnitude of 0 or more, or [low, high]", repr(inner), '{"sign": 30}')
    if not is_number(about):
        raise ParameterError(f"{where}.about", "the number in the middle", repr(about), '{"sign": 0.9, "about": 1}')
    held = _ordered(Sign, ends, f"{where}.sign")
    return Sign(held.low, held.high, about.item() if isinstance(about, np.generic) else about)


def _choice(value: Mapping[str, Any], where: str) -> Choice:
    values, weights = value["choice"], value.get("weights")
    if not isinstance(values, (list, tuple)) or not values:
        raise ParameterError(f"{where}.choice", "a list of at least one value", repr(values), _typical("choice"))
    if weights is not None:
        fits = isinstance(weights, (list, tuple)) and len(weights) == len(values) and all(map(is_number, weights))
        if not fits or min(weights) < 0 or sum(weights) <= 0:
            expected, write = f"{len(values)} numbers of 0 or more, not all 0", f'"weights": {[1] * len(values)}'
            raise ParameterError(f"{where}.weights", expected, repr(weights), write)
    return Choice(tuple(values), None if weights is None else tuple(weights))
