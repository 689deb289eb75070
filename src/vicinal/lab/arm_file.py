"""An arm as a study file says it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vicinal.bridges import wrapped
from vicinal.core.errors import ParameterError, PolicyError, VicinalError, raise_all, unknown_field
from vicinal.core.named import EXPECTED, imported, is_path
from vicinal.core.policy import build, checked, read_policy
from vicinal.core.transform import Node
from vicinal.data import read
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import RESERVED, Arm, unfit

_FIELDS = ("policy", "copies", "resample", "class_weight", "threshold", "instead", "generated", "pipeline")
_WORDS = {"class_weight": "balanced", "threshold": "prior", "instead": "true"}


def read_arm(name: str, content: Any, folder: Path, trusted: bool = False) -> Arm:
    """An arm from a policy, or from a mapping of its fields.

    Args:
        folder: of the study file, in which files are looked for; trusted: as for ``read_study``.

    Raises:
        VicinalError: everything that is wrong with it, at once.

    Example:
        >>> read_arm("noisy", {"policy": "UniformNoise(low=0, high=0.5)", "copies": 1}, Path()).mode
        'copies'
    """
    where = f"arms.{name}"
    if name in RESERVED or name.startswith("none,"):
        raise PolicyError(where, "a name of your own: none and duplicate are always compared", repr(name), f"my-{name.split(',')[0]}")
    said = content if isinstance(content, Mapping) and "policy" not in content and set(content) & set(_FIELDS) else {"policy": content}
    said = content if isinstance(content, Mapping) and "policy" in content else said
    faults: list[VicinalError] = [unknown_field(where, field, _FIELDS) for field in said if field not in _FIELDS]
    if "policy" in said and "pipeline" in said:
        faults.append(ParameterError(where, "either a policy or a pipeline", "both", "pipeline: package.module:name"))
    made = {field: _value(where, field, said[field], folder, trusted, faults) for field in said if field in _FIELDS}
    raise_all(where, faults)
    return Arm(name, policy=made.pop("pipeline", None) or made.pop("policy", None), **made)


def _value(where: str, field: str, value: Any, folder: Path, trusted: bool, faults: list[VicinalError]) -> Any:
    try:
        if field == "policy":
            return _policy(where, value, folder, trusted)
        if field == "pipeline":
            return _pipeline(where, value, trusted)
        if field == "generated":
            return _generated(value, folder)
        if field in _WORDS:
            return _switch(f"{where}.{field}", value, _WORDS[field])
        if field == "copies" and (not isinstance(value, int) or isinstance(value, bool)):
            raise ParameterError(f"{where}.copies", "a whole number of 0 or more", repr(value), "copies: 1")
        return value
    except VicinalError as fault:
        faults.append(fault if fault.where.startswith(where) else fault.under(where))
        return None


def _policy(where: str, value: Any, folder: Path, trusted: bool) -> Node:
    """From a line of text, a file beside the study, or the tree of a policy as data."""
    if isinstance(value, str) and (folder / value).is_file():
        policy = read_policy(str(folder / value))
    else:
        policy = read_policy(value) if isinstance(value, str) else build(value, "policy")
    raise_all(where, unfit(where, policy))
    return checked(policy, trusted, "--trusted, if you know where the file is from")


def _pipeline(where: str, value: Any, trusted: bool) -> Node:
    """A pipeline of another library, or any callable on one item, by its import path."""
    if not is_path(value):
        raise PolicyError(f"{where}.pipeline", EXPECTED, repr(value), "pipeline: package.module:name")
    if not trusted:
        write = "--trusted, if you know where the file is from"
        raise PolicyError(f"{where}.pipeline", "a file that names no code, or one that you trust", value, write)
    return wrapped(imported(value, f"{where}.pipeline"), name=value)


def _generated(value: Any, folder: Path) -> Dataset:
    if not isinstance(value, str):
        raise ParameterError("generated", "a file of labelled items, such as items.npz", repr(value), "generated: items.npz")
    beside = folder / value
    return read(str(beside) if beside.exists() else value)


def _switch(where: str, value: Any, word: str) -> bool:
    if value in (True, word):
        return True
    if value is False or value is None:
        return False
    raise ParameterError(where, f"{word}, true or false", repr(value), f"{where.rpartition('.')[2]}: {word}")
