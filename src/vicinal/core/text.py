"""A policy as plain data, as YAML, as JSON and as one line of text; its fingerprint. The way back is ``vicinal.core.policy``."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vicinal.core.declare import Parameter, declarations
from vicinal.core.errors import PolicyError
from vicinal.core.files import write_files
from vicinal.core.space import Space, space

if TYPE_CHECKING:
    from vicinal.core.transform import Node

FORMAT = 1


def fields_of(node: Node, *, all_fields: bool = False) -> dict[str, Any]:
    """The fields of a node that differ from their defaults, or all of them; spaces as plain data, children as nodes."""
    declared, found = declarations(type(node)), {}
    for field in dataclasses.fields(node):
        value, default = getattr(node, field.name), field.default
        if isinstance(declared.get(field.name), Parameter) and default is not dataclasses.MISSING:
            default = space(default)
        if field.name != "of" and (all_fields or value != default):
            found[field.name] = _native(value.data() if isinstance(value, Space) else value)
    return found


def _native(value: Any) -> Any:
    """NumPy's numbers as Python's, which every file format can write."""
    if isinstance(value, dict):
        return {name: _native(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_native, value))
    return value.item() if isinstance(value, np.generic) else value


def to_data(node: Node) -> Any:
    """A policy as plain data: a list for a plain Compose, else a mapping from the name to the fields, or the bare name.

    Example:
        >>> import vicinal as v
        >>> v.Compose([v.HorizontalFlip(p=0.5), v.Invert()]).data()
        [{'HorizontalFlip': {'p': 0.5}}, 'Invert']
    """
    kind = type(node).__name__
    fields = {name: _plain(value, f"{kind}.{name}") for name, value in fields_of(node).items()}
    children = [to_data(child) for child in node.children]
    if kind == "Compose" and not fields:
        return children
    if hasattr(node, "of"):
        fields = {"of": children, **fields}
    return {kind: fields} if fields else kind


def _plain(value: Any, where: str) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain(item, where) for item in value]
    if value is not None and not isinstance(value, (str, bool, int, float, dict)):
        got = f"an object of {type(value).__module__.split('.')[0]}: {value!r}"
        raise PolicyError(where, "plain data, so that the policy can be written down", got[:200], "a transform of vicinal, or Lambda")
    return value


def to_text(node: Node) -> str:
    """A policy as one line, which ``vicinal.parse`` reads back.

    Example:
        >>> import vicinal as v
        >>> str(v.Compose([v.HorizontalFlip(p=0.5), v.OneOf([v.Invert(), v.Rotate(angle=(-15, 15))])]))
        'HorizontalFlip(p=0.5) | OneOf([Invert(), Rotate(angle=(-15, 15))])'
    """
    kind, fields = type(node).__name__, fields_of(node)
    if kind == "Compose" and not fields and len(node.children) > 1 and type(node.children[0]).__name__ != "Compose":
        return " | ".join(map(_operand, node.children))
    return _call(node, kind, fields)


def _operand(node: Node) -> str:
    return _call(node, type(node).__name__, fields_of(node))


def _call(node: Node, kind: str, fields: dict[str, Any]) -> str:
    parts = [f"{name}={_literal(value)}" for name, value in fields.items()]
    if hasattr(node, "of"):
        parts = [f"[{', '.join(map(_operand, node.children))}]", *parts]
    return f"{kind}({', '.join(parts)})"


def _literal(value: Any) -> str:
    return repr(tuple(value)) if isinstance(value, list) else repr(value)


@lru_cache(maxsize=4096)
def fingerprint(node: Node) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of all fields, defaults and transform versions included."""
    text = json.dumps(_canonical(node), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _canonical(node: Node) -> Any:
    fields = {name: _numbers(value) for name, value in fields_of(node, all_fields=True).items()}
    return [type(node).__name__, getattr(node, "version", 1), fields, [_canonical(child) for child in node.children]]


def _numbers(value: Any) -> Any:
    """1 and 1.0 are the same number, and have the same fingerprint. What is no plain data counts by its repr."""
    if isinstance(value, dict):
        return {name: _numbers(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_numbers(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if value is None or isinstance(value, (str, bool, int, float)) else _described(value)


def _described(value: Any) -> str:
    """An object of another library by its repr; sets and functions have none that says the same again."""
    if type(value).__module__ == "builtins" or re.search(r" at 0x[0-9a-f]+", repr(value)):
        raise PolicyError("fingerprint", "settings that can be told by their repr", repr(value)[:200], "Lambda for your own function")
    return repr(value)


def save(node: Node, path: Path) -> None:
    """Write {vicinal: 1, policy: ...} as YAML or JSON, by the suffix; to a temporary name first, then renamed."""
    document = {"vicinal": FORMAT, "policy": to_data(node)}
    if path.suffix == ".json":
        write_files({path: (json.dumps(document, indent=2) + "\n").encode()})
    elif path.suffix in (".yaml", ".yml"):
        import yaml  # here, so that importing the library loads NumPy alone

        write_files({path: yaml.safe_dump(document, sort_keys=False).encode()})
    else:
        raise PolicyError(str(path), "a name that ends in .yaml, .yml or .json", repr(path.suffix), f"{path.stem}.yaml")
