"""What all trainers share: fields declared once, checked when they are made, written as plain data and read from it."""

from __future__ import annotations

import dataclasses
from abc import ABC
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from vicinal.core.declare import Option, declarations, option
from vicinal.core.errors import ParameterError, VicinalError, nearest, raise_all
from vicinal.core.space import is_number
from vicinal.learn.feed import check_numbers
from vicinal.learn.trainer import Goal


@dataclass(frozen=True)
class Settings(ABC):
    """Abstract: the settings of a `Trainer`, each declared with ``option``. What is not declared decides how, never what, and is no data.

    Class facts:
        name, stepwise: see `vicinal.learn.trainer.Trainer`.
        imports: True where it runs code that its fields name, so that only trusted data may hold it.
    """

    name: ClassVar[str]
    stepwise: ClassVar[bool] = True
    imports: ClassVar[bool] = False

    def __post_init__(self) -> None:
        faults: list[VicinalError] = []
        for name, declared in declarations(type(self)).items():
            value = _native(getattr(self, name), getattr(type(self), name, None))
            object.__setattr__(self, name, value)
            if isinstance(declared, Option) and not declared.admits(value):
                faults.append(ParameterError(f"{type(self).__name__}.{name}", declared.expected, repr(value), _usual(type(self), name)))
        raise_all(type(self).__name__, faults)

    def check(self, goal: Goal) -> None:
        """Refuse texts; who takes them, or does not take all numbers either, says so itself. See `vicinal.learn.trainer.Trainer`."""
        check_numbers(goal, f"trainer {self.name}")

    def data(self) -> Mapping[str, Any]:
        """Name and settings as plain data, which ``read_trainer`` reads back."""
        return {"name": self.name} | {name: _plain(getattr(self, name)) for name in declarations(type(self))}

    def replace(self, **changes: Any) -> Self:
        """The trainer with other settings.

        Raises:
            ParameterError: a setting that it does not have, or a value out of its range.
        """
        raise_all(type(self).__name__, unknown(type(self), [field.name for field in dataclasses.fields(self)], changes))
        return dataclasses.replace(self, **changes)

    @classmethod
    def read(cls, settings: Mapping[str, Any]) -> Self:
        """A trainer from its settings as plain data, without the name.

        Raises:
            VicinalError: every fault at once.
        """
        faults = [*unknown(cls, declarations(cls), settings), *_missing(cls, settings)]
        if _required(cls) - set(settings):
            raise_all(cls.__name__, faults)
        try:
            made = cls(**{name: value for name, value in settings.items() if name in declarations(cls)})
        except VicinalError as fault:
            raise_all(cls.__name__, [*faults, *getattr(fault, "faults", [fault])])
            raise
        raise_all(cls.__name__, faults)
        return made


def unknown(cls: type[Settings], known: Any, given: Mapping[str, Any]) -> list[VicinalError]:
    """A fault for every setting that a trainer does not have."""
    others = [name for name in given if name not in known]
    expected = f"a setting of {cls.name}: {', '.join(known) or 'it has none'}"
    return [ParameterError(cls.__name__, expected, repr(name), nearest(str(name), known) or f"it without {name}") for name in others]


def _required(cls: type[Settings]) -> set[str]:
    return {field.name for field in dataclasses.fields(cls) if field.default is dataclasses.MISSING}


def _missing(cls: type[Settings], given: Mapping[str, Any]) -> list[VicinalError]:
    """A fault for every setting that has no default and was not given."""
    declared = declarations(cls)
    expected = {name: getattr(declared[name], "expected", "") for name in sorted(_required(cls)) if name not in given}
    return [ParameterError(f"{cls.__name__}.{name}", str(words), "nothing", _usual(cls, name)) for name, words in expected.items()]


def _native(value: Any, default: Any) -> Any:
    """Lists as tuples, as JSON knows no tuples; whole numbers as floats where the setting is one, so that 1 and 1.0 are stored alike."""
    value = tuple(value) if isinstance(value, list) else value
    return float(value) if isinstance(default, float) and is_number(value) else value


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _usual(cls: type, name: str) -> str:
    return f"{name}={getattr(cls, name)!r}" if hasattr(cls, name) else f"{cls.__name__}({name}=...)"


def is_whole(value: Any) -> bool:
    """A whole number, 1 or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def widths(default: tuple[int, ...], *, empty: bool = False) -> Any:
    """A setting: numbers of units or channels, one a layer."""

    def admits(value: Any) -> bool:
        return isinstance(value, tuple) and (empty or bool(value)) and all(map(is_whole, value))

    return option(default, expected="widths of 1 or more", admits=admits)


def choice(default: str, *others: str) -> Any:
    """A setting: one of a few names."""
    return option(default, choices=(default, *others))


def count(default: int, what: str) -> Any:
    """A setting: how many of something, 1 or more."""
    return option(default, expected=f"a whole number of {what}, 1 or more", admits=is_whole)


def flag(default: bool) -> Any:
    """A setting: true or false."""
    return option(default, expected="true or false", admits=lambda value: isinstance(value, bool))


def number(default: float, what: str, admits: Callable[[float], bool]) -> Any:
    """A setting: a finite number within bounds."""
    return option(default, expected=what, admits=lambda value: is_number(value) and admits(value))


def learning_rate(default: float) -> Any:
    """A setting: the step length of the optimiser."""
    return number(default, "a learning rate above 0 and below 1e30", lambda value: 0 < value < 1e30)  # torch computes in float32


def share(default: float) -> Any:
    """A setting: a number in [0, 1)."""
    return number(default, "a number in [0, 1)", lambda value: 0 <= value < 1)


def decay(default: float) -> Any:
    """A setting: weight decay."""
    return number(default, "0 or more", lambda value: value >= 0)
