"""Families of corruptions as data: policies with a level, from the tables beside this file."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from string import Template
from types import MappingProxyType
from typing import Any, final

from vicinal.bridges.anything import wrapped
from vicinal.core.compose import Compose
from vicinal.core.errors import ParameterError, PolicyError, VicinalError, nearest
from vicinal.core.named import imported, is_path
from vicinal.core.policy import parse, read_document
from vicinal.core.space import is_number
from vicinal.core.transform import Node

_TABLES = Path(__file__).with_name("tables")
_USUAL = "noise"
SEVERITY = "severity"
"""The unit of levels that are counted and have no other meaning."""


@final
@dataclass(frozen=True, eq=False)
class Family:
    """One way in which images get worse, and how far.

    Args:
        name: as `family` takes it; text: a policy as a line of text, with ``$`` before what depends on the level; or the import path of a
            function of one image, for what no transform says, whose arguments depend on the level.
        unit: of the level; levels: the usual ones, from the neutral one, at which nothing is changed, to the most severe.
        at: for severities, what those names stand for at severity 1, 2 and so on; nothing where the level itself is meant.
        fidelity: how it relates to the corruption of the same name in the paper.
        ordered: whether images are the further from the originals, the further the level is from the neutral one.
    """

    name: str
    text: str
    unit: str
    levels: tuple[float, ...]
    at: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    fidelity: str = ""
    ordered: bool = True

    @property
    def neutral(self) -> float:
        """The level at which nothing is changed."""
        return self.levels[0]

    def policy(self, level: float, clip: bool = True) -> Node:
        """What is done at a level.

        Args:
            level: in the family's unit, or a severity.
            clip: whether noise that leaves the value range is clipped; False keeps it, which only float images can hold.

        Raises:
            PolicyError: for a level that the family does not have.

        Example:
            >>> family("gaussian").policy(0.1), family("contrast").policy(1)
            (GaussianNoise(std=0.1), Compose([]))
        """
        where = f"family {self.name}.level"
        graded = self.unit == SEVERITY
        if not is_number(level) or (graded and level not in self.levels):
            expected = f"a severity from {self.levels[0]} to {self.levels[-1]}" if graded else f"a number: {self.unit}"
            raise ParameterError(where, expected, repr(level), f"level={self.levels[-1]}")
        if level == self.neutral:
            return Compose(())
        values = {name: column[int(level) - 1] for name, column in self.at.items()} or {"level": level}
        if is_path(self.text):
            return _called(self.text, values, where)
        try:
            made = parse(Template(self.text).substitute(values))
        except VicinalError as fault:
            raise fault.under(where) from None
        return made if clip else _kept(made)


def _called(path: str, values: Mapping[str, Any], where: str) -> Node:
    told = ", ".join(f"{name}={value}" for name, value in values.items())
    return wrapped(partial(imported(path, where), **values), name=f"{path}({told})", moves=False)


def _kept(node: Node) -> Node:
    return dataclasses.replace(node, overflow="keep") if hasattr(node, "overflow") else node  # type: ignore[call-arg]


def suites() -> dict[str, str]:
    """The tables of families by name, and what each is for.

    Example:
        >>> list(suites())
        ['cifar10-c', 'mnist-c', 'noise']
    """
    return {path.stem: _document(path.stem)["summary"] for path in sorted(_TABLES.glob("*.yaml"))}


@lru_cache(maxsize=8)
def families(suite: str = _USUAL) -> Mapping[str, Family]:
    """The families of one table, by their names in it.

    Raises:
        PolicyError: for a suite that there is not.

    Example:
        >>> list(families())
        ['uniform', 'shift', 'centred_uniform', 'gaussian', 'salt_and_pepper', 'cauchy', 'student_t', 'blur', 'contrast']
        >>> len(families("mnist-c")), len(families("cifar10-c"))
        (15, 19)
    """
    above = "" if suite == _USUAL else f"{suite}/"
    return MappingProxyType({name: _family(f"{above}{name}", data) for name, data in _document(suite)["families"].items()})


def family(name: str) -> Family:
    """A family by its name: that of a noise family, or ``suite/name``.

    Raises:
        PolicyError: for a name that there is not.

    Example:
        >>> family("mnist-c/shot_noise").policy(5)
        PoissonNoise(photons=3)
    """
    suite, _, last = name.rpartition("/")
    known = families(suite or _USUAL)
    if last not in known:
        close = nearest(last, known) or next(iter(known))
        raise PolicyError("family", f"one of {', '.join(known)}", repr(last), name.removesuffix(last) + close)
    return known[last]


@lru_cache(maxsize=8)
def _document(suite: str) -> dict[str, Any]:
    path = _TABLES / f"{suite}.yaml"
    known = sorted(path.stem for path in _TABLES.glob("*.yaml"))
    if suite not in known:
        raise PolicyError("suite", f"one of {', '.join(known)}", repr(suite), nearest(str(suite), known) or _USUAL)
    return read_document(path)


def _family(name: str, data: Mapping[str, Any]) -> Family:
    text = data.get("policy") or data["function"]
    at = {column: tuple(values) for column, values in data.get("at", {}).items()}
    if at:
        levels = tuple(range(len(next(iter(at.values()))) + 1))
        return Family(name, text, SEVERITY, levels, at, data["fidelity"], data.get("ordered", True))
    return Family(name, text, data["unit"], (data.get("neutral", 0), *data["levels"]))
