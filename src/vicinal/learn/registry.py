"""Trainers by name, and from plain data."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from vicinal.core.errors import ParameterError, PolicyError, nearest
from vicinal.learn.settings import Settings
from vicinal.learn.trainer import Trainer

_WHERE = "trainer"


def trainers() -> dict[str, type[Settings]]:
    """Every trainer class by its name.

    Example:
        >>> sorted(trainers())
        ['cnn', 'function', 'mlp', 'resnet', 'sklearn']
    """
    # The modules hold settings and load neither torch nor scikit-learn.
    places = {"mlp": "MLP", "cnn": "CNN", "resnet": "ResNet", "estimator": "Sklearn", "function": "Function"}
    classes = [getattr(importlib.import_module(f"vicinal.learn.{module}"), name) for module, name in places.items()]
    return {cls.name: cls for cls in classes}


def read_trainer(data: str | Mapping[str, Any], trusted: bool = False) -> Trainer:
    """A trainer from its name, or from its name and settings, as ``Trainer.data`` gives them.

    Args:
        data: a name, or a mapping with ``name`` and settings.
        trusted: True lets it name code to import, which data from elsewhere must not.

    Raises:
        PolicyError: an unknown name, an unknown setting, a value out of its range; all faults at once, with the closest known name.

    Example:
        >>> read_trainer({"name": "mlp", "hidden": [32], "lr": 0.05})
        MLP(hidden=(32,), lr=0.05, batch=32, momentum=0.0, weight_decay=0.0, stacked=True)
    """
    settings = {"name": data} if isinstance(data, str) else data
    if not isinstance(settings, Mapping) or not isinstance(settings.get("name"), str):
        raise PolicyError(_WHERE, "a name, or a mapping with a name", repr(data)[:200], "{name: mlp, lr: 0.1}")
    cls = _found(settings["name"])
    if cls.imports and not trusted:
        raise PolicyError(_WHERE, "a trainer that names no code, or data that you trust", repr(data)[:200], "trusted=True, or --trusted")
    return cls.read({name: value for name, value in settings.items() if name != "name"})  # type: ignore[return-value]


def _found(name: str) -> type[Settings]:
    known = trainers()
    if name not in known:
        raise ParameterError(_WHERE, f"one of {', '.join(sorted(known))}", repr(name), f"name: {nearest(name, known) or 'mlp'}")
    return known[name]
