"""How a transform declares its fields: one line carries bounds, unit and the neutral value."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, final

from vicinal.core.space import is_number, space


@final
@dataclass(frozen=True)
class Parameter:
    """The declaration of a random parameter: bounds, unit and the neutral value that changes nothing (None: there is none)."""

    unit: str
    low: float
    high: float
    neutral: Any
    integer: bool
    doc: str

    def expected(self) -> str:
        """The bounds in words, for errors and help: ``degrees in [-360, 360]``."""
        noun = ("whole numbers" if self.integer else "numbers") if not self.unit else f"{self.unit}"
        if math.isinf(self.low) and math.isinf(self.high):
            return noun
        if math.isinf(self.high):
            return f"{noun} of {self.low:g} or more"
        return f"{noun} in [{self.low:g}, {self.high:g}]"

    def admits(self, value: Any) -> bool:
        """True for a number within the bounds."""
        return is_number(value) and self.low <= value <= self.high and (not self.integer or float(value).is_integer())


@final
@dataclass(frozen=True)
class Option:
    """The declaration of a fixed, structural setting: what it may be, in words and as a test."""

    expected: str
    admits: Any
    doc: str
    choices: tuple[Any, ...] = ()


def parameter(default: Any = dataclasses.MISSING, *, unit: str = "", low: float = -math.inf, high: float = math.inf,
              neutral: Any = None, integer: bool = False, doc: str = "") -> Any:  # fmt: skip
    """Declare a random parameter as a field: its value may be a number, a range or any other space."""
    default = space(default) if isinstance(default, Mapping) else default
    return field(default=default, metadata={"vicinal": Parameter(unit, low, high, neutral, integer, doc)})


def option(
    default: Any = dataclasses.MISSING, *, expected: str = "", admits: Any = None, choices: Sequence[str] = (), doc: str = ""
) -> Any:
    """Declare a structural setting as a field: one of ``choices``, or anything that ``admits`` says is right."""
    if choices:
        expected, admits = f"one of {', '.join(map(repr, choices))}", lambda value: isinstance(value, str) and value in choices
    return field(default=default, metadata={"vicinal": Option(expected, admits, doc, tuple(choices))})


@lru_cache(maxsize=1024)
def declarations(cls: type) -> dict[str, Parameter | Option]:
    """The declared parameters and options of a transform class, in order."""
    return {f.name: f.metadata["vicinal"] for f in dataclasses.fields(cls) if "vicinal" in f.metadata}


@lru_cache(maxsize=1024)
def random_fields(cls: type) -> dict[str, Parameter]:
    """The declared random parameters of a transform class, in order."""
    return {name: declared for name, declared in declarations(cls).items() if isinstance(declared, Parameter)}


def is_size(value: Any) -> bool:
    """A positive whole number, or (height, width)."""
    sides = value if isinstance(value, tuple) else (value, value)
    return len(sides) == 2 and all(isinstance(side, int) and not isinstance(side, bool) and side >= 1 for side in sides)
