"""Policies ready to use, each a YAML file with a reason for every line: AutoAugment and its kin, SimCLR and MoCo, tasks and domains."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from vicinal.core.errors import ParameterError, PolicyError, nearest
from vicinal.core.policy import build, read_document
from vicinal.core.transform import Node

__all__ = ["preset", "presets"]

_FILES = Path(__file__).parent


def presets() -> dict[str, str]:
    """The names of the presets and what each is for.

    Example:
        >>> presets()["simclr"]
        'The two views of SimCLR; for contrastive learning.'
    """
    names = sorted(path.stem for path in _FILES.glob("*.yaml"))
    return {name: _document(name)["summary"] for name in names}


def preset(name: str, **settings: Any) -> Node:
    """A policy by the name of its preset.

    Args:
        name: one of ``presets()``; settings: those that the preset has, such as ``size`` in pixels.

    Raises:
        PolicyError: for a name or a setting that there is not, and for values that the policy's operations refuse.

    Example:
        >>> preset("randaugment", magnitude=15)
        Compose([RandAugment(magnitude=15)])
    """
    if name not in presets():
        close = nearest(str(name), presets()) or next(iter(presets()))
        raise PolicyError("preset", f"one of {', '.join(presets())}", repr(name), f"v.preset({close!r})")
    document = _document(name)
    places = {setting: str(place).split(".") for setting, place in document.get("settings", {}).items()}
    for setting in settings:
        if setting not in places:
            expected = f"one of its settings: {', '.join(places)}" if places else "no settings: it has none"
            close = nearest(setting, places)
            raise ParameterError(f"preset {name}.{setting}", expected, repr(setting), f"{close}=..." if close else f"preset({name!r})")
    wanted = {(*places[setting],): value for setting, value in settings.items()}
    return build(_set(document["policy"], wanted), f"preset {name}")


@lru_cache(maxsize=64)
def _document(name: str) -> dict[str, Any]:
    return read_document(_FILES / f"{name}.yaml")


def _set(data: Any, wanted: Mapping[tuple[str, ...], Any]) -> Any:
    """Plain data of a policy with some fields of some transforms changed."""
    if isinstance(data, list):
        return [_set(item, wanted) for item in data]
    if not isinstance(data, dict):
        return data
    made = {}
    for name, fields in data.items():
        given = {field: value for (cls, field), value in wanted.items() if cls == name}
        inner = _set(fields, wanted)
        made[name] = inner | given if given and isinstance(inner, dict) else inner
    return made
