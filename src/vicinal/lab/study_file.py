"""study.yaml: a study as data. The file is read whole, and all its faults are told at once, with their places.

======================= ===============================================================================================================
field                   what it says
======================= ===============================================================================================================
study                   its name; that of the file without one
data                    a path (relative to the file) or ``digits``; or a mapping of path, format, resize, skip_bad
arms                    name to a policy (a line of text, a file), or to a mapping of policy, copies, resample, class_weight, threshold,
                        instead, generated; or of pipeline: the import path of a callable (``--trusted``), in place of policy
size, steps, epochs,    the axes: a value or a list of values each; the last value of each is the headline
strength, label_noise
seeds                   how many, or a list
split                   dev, test, by, allow_leak
trainer                 a name, or a mapping of name and settings
controls                some of duplicate, steps, cheap, real
curves                  a corruption, a list of them, or corruption to levels; clip: whether noise is kept inside the value range
views                   test-time augmentation: policy and count
attribute               name of the arm that is taken apart into the operations of its policy
metric, alpha,          as for ``Study``
interval, time_limit
======================= ===============================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, final

from vicinal.core.errors import Faults, ParameterError, PolicyError, VicinalError, raise_all, unknown_field
from vicinal.core.policy import read_document
from vicinal.core.space import is_number
from vicinal.data.dataset import Dataset
from vicinal.lab.arm_file import read_arm
from vicinal.lab.load import load
from vicinal.lab.measure.families import family
from vicinal.lab.study import Study, cells
from vicinal.lab.trial import Cell, Rules
from vicinal.learn.registry import read_trainer

_AXES = ("size", "steps", "epochs", "strength", "label_noise")
_PLAIN = ("metric", "alpha", "interval", "clip", "attribute")
_FIELDS = ("study", "data", "arms", *_AXES, "seeds", "split", "trainer", "controls", "curves", "views", *_PLAIN, "time_limit")


@final
@dataclass(frozen=True)
class DataSource:
    """Where the data of a study lie."""

    path: str
    format: str = "auto"
    resize: int | None = None
    skip_bad: bool = False

    def load(self, folder: Path) -> Dataset:
        """Read them; a path is relative to the folder of the study file."""
        beside = folder / self.path
        return load(str(beside) if beside.exists() else self.path, self.format, self.skip_bad, self.resize)


def read_study(path: Path, *, trusted: bool = False, data: str | None = None) -> Study:
    """A study from its file.

    Args:
        trusted: let it name code to import (``Lambda``, ``pipeline``, the trainer ``function``), which a file from elsewhere must not.
        data: to be read instead of what the file names.

    Raises:
        Faults: everything that is wrong with the file, each fault with its place. DataError: data that cannot be read.
    """
    document = read_document(path, "study file")
    if not isinstance(document, Mapping):
        raise PolicyError(str(path), "a mapping of fields such as data and arms", type(document).__name__, "data: digits")
    return study_of(document, path, trusted, data)


def study_of(document: Mapping[str, Any], path: Path, trusted: bool = False, data: str | None = None) -> Study:
    """A study from the fields of its file; ``path`` is where they stood."""
    faults: list[VicinalError] = [unknown_field("", name, _FIELDS) for name in document if name not in _FIELDS]
    read = _Reader(document, faults)
    source = DataSource(data) if data else read.field("data", _source, None, needed=True)
    found = {
        "arms": read.field("arms", lambda value: _arms(value, path.parent, trusted), ()),
        "name": read.field("study", _text, path.stem),
        "seeds": read.field("seeds", _seeds, tuple(range(10))),
        "cells": read.axes(),
        "rules": read.field("split", lambda value: _record(Rules, value, "split"), Rules()),
        "trainer": read.field("trainer", lambda value: read_trainer(value, trusted=trusted), read_trainer("mlp")),
        "curves": read.field("curves", _curves, ()),
        "views": read.field("views", lambda value: _views(value, path.parent, trusted), None),
        "controls": read.field("controls", _texts, ("duplicate", "steps", "real")),
        "limit": read.field("time_limit", _number, None),
    }
    study = None if source is None else read.study(source, path.parent, found)
    raise_all(str(path), faults)
    assert study is not None  # without one there is a fault
    return study


@final
@dataclass(frozen=True)
class _Reader:
    """Reads fields, and collects what is wrong with them."""

    document: Mapping[str, Any]
    faults: list[VicinalError]

    def field(self, name: str, read: Callable[[Any], Any], usual: Any = None, needed: bool = False) -> Any:
        """One field; its usual value where the file does not have it, or has it wrong."""
        if name not in self.document:
            if needed:
                self.faults.append(ParameterError(name, "this field", "a file without it", f"{name}: digits"))
            return usual
        try:
            return read(self.document[name])
        except Faults as several:
            self.faults.extend(fault.under(name) if not fault.where.startswith(name) else fault for fault in several.faults)
        except VicinalError as fault:
            self.faults.append(fault.under(name) if not fault.where.startswith(name) else fault)
        return usual

    def study(self, source: DataSource, folder: Path, found: Mapping[str, Any]) -> Study | None:
        """The study of all fields; none where they do not fit the data or one another."""
        plain = {name: self.document[name] for name in _PLAIN if name in self.document}
        try:
            return Study(source.load(folder), **found, **plain)
        except Faults as several:
            self.faults.extend(several.faults)
        except VicinalError as fault:
            self.faults.append(fault)
        return None

    def axes(self) -> Any:
        """The cells: the product of all axes."""
        values = {name: self.field(name, _values, None) for name in _AXES}
        if values["steps"] and values["epochs"]:
            self.faults.append(ParameterError("epochs", "either steps or epochs", "both", "steps: 2000"))
        steps = values["steps"] or ([] if values["epochs"] else [2000])
        try:
            return cells(
                values["size"] or [None], steps, values["epochs"] or [], values["strength"] or [1.0], values["label_noise"] or [0.0]
            )
        except VicinalError as fault:
            self.faults.append(fault)
            return (Cell(),)


def _source(value: Any) -> DataSource:
    return DataSource(value) if isinstance(value, str) else _record(DataSource, value, "data")


def _record(kind: Any, value: Any, where: str) -> Any:
    """A dataclass from a mapping of its fields."""
    known = [field.name for field in fields(kind)]
    if not isinstance(value, Mapping):
        raise ParameterError(where, f"a mapping of {', '.join(known)}", repr(value), f"{where}: {{{known[0]}: ...}}")
    strangers = [unknown_field(where, name, known) for name in value if name not in known]
    raise_all(where, strangers)
    try:
        return kind(**value)
    except TypeError:
        raise ParameterError(where, f"at least {known[0]}", repr(dict(value)), f"{known[0]}: ...") from None


def _arms(value: Any, folder: Path, trusted: bool) -> Any:
    if not isinstance(value, Mapping) or not value:
        raise ParameterError("arms", "a mapping of names to policies", repr(value)[:80], 'arms: {shift: "Translate(x=(-2, 2))"}')
    found, faults = [], []
    for name, content in value.items():
        try:
            found.append(read_arm(str(name), content, folder, trusted))
        except Faults as several:
            faults.extend(several.faults)
        except VicinalError as fault:
            faults.append(fault)
    raise_all("arms", faults)
    return tuple(found)


def _values(value: Any) -> list[Any]:
    values = list(value) if isinstance(value, (list, tuple)) else [value]
    wrong = [one for one in values if not is_number(one)]
    if wrong or not values:
        raise ParameterError("", "a number, or a list of numbers", repr(value), "[500, 1000]")
    return values


def _seeds(value: Any) -> tuple[int, ...]:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return tuple(range(value))
    if isinstance(value, list) and value and all(isinstance(one, int) and one >= 0 for one in value):
        return tuple(value)
    raise ParameterError("seeds", "how many, 1 or more, or a list of whole numbers", repr(value), "seeds: 10")


def _curves(value: Any) -> tuple[tuple[str, tuple[float, ...]], ...]:
    named = {value: None} if isinstance(value, str) else dict.fromkeys(value) if isinstance(value, list) else value
    if not isinstance(named, Mapping):
        raise ParameterError("curves", "a corruption, a list of them, or corruption to levels", repr(value), "curves: [gaussian]")
    faults: list[VicinalError] = []
    found = tuple(_curve(str(name), levels, faults) for name, levels in named.items())
    raise_all("curves", faults)
    return found


def _curve(name: str, levels: Any, faults: list[VicinalError]) -> tuple[str, tuple[float, ...]]:
    try:
        known = family(name)
        chosen = known.levels if levels is None else tuple(float(level) for level in _values(levels))
        for level in chosen:
            known.policy(level)
        return name, chosen
    except VicinalError as fault:
        faults.append(fault.under("curves"))
        return name, ()


def _views(value: Any, folder: Path, trusted: bool) -> tuple[Any, int]:
    if not isinstance(value, Mapping) or set(value) != {"policy", "count"} or not isinstance(value["count"], int) or value["count"] < 1:
        raise ParameterError("views", "a policy and a count of 1 or more", repr(value), "views: {policy: ..., count: 8}")
    return read_arm("views", value["policy"], folder, trusted).policy, value["count"]


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ParameterError("controls", "a list of names", repr(value), "controls: [duplicate, steps]")
    return tuple(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ParameterError("study", "a name", repr(value), "study: noise on digits")
    return value


def _number(value: Any) -> float:
    if not is_number(value):
        raise ParameterError("time_limit", "a number of seconds", repr(value), "time_limit: 60")
    return float(value)
