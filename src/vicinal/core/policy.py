"""From text, YAML, JSON or plain data to a policy. All faults come at once, each with its place; nothing is ever evaluated."""

from __future__ import annotations

import ast
import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vicinal.core.compose import Compose, Group
from vicinal.core.errors import Faults, ParameterError, PolicyError, VicinalError, nearest, nearest_path, raise_all
from vicinal.core.recipe import Recipe
from vicinal.core.text import FORMAT
from vicinal.core.transform import Node, find

_FORM = "a name, {name: {field: value}}, or a list of them"
_SYNTAX = {
    "YAML": "quotes around a text that has ': ' or '#' in it, and fields of one mapping at one indent",
    "JSON": "double quotes around names and texts, and no comma before a bracket that closes",
}


def parse(text: str) -> Node:
    """A policy from one line of text, as ``repr`` writes it.

    Raises:
        PolicyError: UnknownTransform, ParameterError, or ``Faults`` when there are several.

    Example:
        >>> parse("HorizontalFlip(p=0.5) | Rotate(angle=(-15, 15))")
        HorizontalFlip(p=0.5) | Rotate(angle=(-15, 15))
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as fault:
        got = f"{text[:200]!r} ({getattr(fault, 'msg', None) or str(fault) or 'nested too deeply'})"
        raise PolicyError("policy", "transforms joined by |", got, '"HorizontalFlip(p=0.5) | Rotate(angle=15)"') from None
    parts = [_data(part) for part in _alternatives(tree)]
    return build(parts[0] if len(parts) == 1 else parts, "policy")


def _alternatives(tree: ast.expr) -> list[ast.expr]:
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
        return [*_alternatives(tree.left), *_alternatives(tree.right)]
    return [tree]


def _data(tree: ast.expr) -> Any:
    """A syntax tree as plain data; anything but names, calls with keywords, numbers, texts and collections is refused."""
    if isinstance(tree, (ast.List, ast.Tuple)):
        return [_data(item) for item in tree.elts]
    if isinstance(tree, ast.Dict) and all(isinstance(key, (ast.Constant, ast.Name)) for key in tree.keys):
        return {_data(key): _data(value) for key, value in zip(tree.keys, tree.values, strict=True) if key is not None}
    if isinstance(tree, ast.Call):
        return {_name(tree.func): _arguments(tree)}
    if isinstance(tree, (ast.Name, ast.Attribute)):
        return _name(tree)
    if isinstance(tree, ast.BinOp):
        return [_data(part) for part in _alternatives(tree)] if isinstance(tree.op, ast.BitOr) else _refuse(tree)
    try:
        return ast.literal_eval(tree)
    except (ValueError, SyntaxError, TypeError):
        return _refuse(tree)


def _refuse(tree: ast.expr) -> Any:
    raise PolicyError("policy", "names, numbers, texts and collections only", repr(ast.unparse(tree)), "Rotate(angle=(-15, 15))")


def _name(tree: ast.expr) -> str:
    return tree.id if isinstance(tree, ast.Name) else tree.attr if isinstance(tree, ast.Attribute) else _refuse(tree)


def _arguments(call: ast.Call) -> dict[str, Any]:
    if any(keyword.arg is None for keyword in call.keywords):
        _refuse(call)
    found = {str(keyword.arg): _data(keyword.value) for keyword in call.keywords}
    if len(found) < len(call.keywords):
        names = [str(keyword.arg) for keyword in call.keywords]
        twice = next(name for name in names if names.count(name) > 1)
        raise PolicyError(f"policy.{_name(call.func)}", "every field once", ", ".join(names), f"{twice}=... once")
    if call.args:
        only = _data(call.args[0])
        found["of"] = only if len(call.args) == 1 and isinstance(only, list) else [_data(argument) for argument in call.args]
    return found


def load(path: str | Path, *, trusted: bool = False) -> Node:
    """A policy from a .yaml or .json file.

    Args:
        path: the file; trusted: True lets it name code to import (``Lambda``), which a file from elsewhere must not.

    Raises:
        PolicyError: with the file's name; all faults of the file at once.
    """
    path = Path(path)
    document = read_document(path)
    if isinstance(document, Mapping) and "policy" in document:
        document = document["policy"]
    try:
        return checked(build(document, "policy"), trusted, f"v.load({path.name!r}, trusted=True)")
    except Faults as faults:
        raise Faults(str(path), faults.faults) from None
    except VicinalError as fault:
        raise Faults(str(path), [fault]) from None


def read_document(path: Path, what: str = "policy file") -> Any:
    """The plain data of a file, of a format that this version reads; ``what`` it should be is for the reader of a fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        write = (None if path.exists() else nearest_path(path)) or f"the path of a {what}"
        raise PolicyError(str(path), f"a readable {what}", getattr(fault, "strerror", None) or str(fault), write) from None
    document = _document(path, text)
    if isinstance(document, Mapping) and "policy" in document and document.get("vicinal", FORMAT) != FORMAT:
        raise PolicyError(f"{path}: vicinal", f"format {FORMAT}", repr(document["vicinal"]), "a newer version of vicinal reads it")
    return document


def checked(policy: Node, trusted: bool, write: str) -> Node:
    """The policy, unless it would import code and is not trusted. Building it has imported nothing yet."""
    expected = "a policy that names no code, or one that you trust"
    foreign = [node for node in policy.walk() if getattr(node, "imports", False) and not trusted]
    raise_all("policy", [PolicyError(f"policy.{node.label}", expected, repr(node), write) for node in foreign])
    return policy


def read_policy(text: str) -> Node:
    """A policy as it is typed: one line of text, or the name of a .yaml or .json file.

    What a person types may name code to import (``Lambda``), as what they write in Python may; a file may not.
    """
    return load(text) if Path(text.strip()).suffix in (".yaml", ".yml", ".json") else parse(text)


def _document(path: Path, text: str) -> Any:
    import yaml  # here, so that importing the library loads NumPy alone

    try:
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as fault:
        mark = getattr(fault, "problem_mark", None)
        line = mark.line + 1 if mark else getattr(fault, "lineno", "?")
        problem = getattr(fault, "problem", None) or getattr(fault, "msg", None) or str(fault)
        kind = "JSON" if path.suffix == ".json" else "YAML"
        raise PolicyError(f"{path}:{line}", f"valid {kind}", str(problem), _SYNTAX[kind]) from None


def read_recipe(data: Mapping[str, Any], *, trusted: bool = False) -> Recipe:
    """A recipe from what ``Recipe.as_dict`` gave, through JSON if you like; ``trusted`` as for ``load``.

    Raises:
        PolicyError: for a recipe whose policy is not the one that made it.
    """
    needed = ("policy", "fingerprint", "seed", "epoch", "index", "view", "params")
    if not isinstance(data, Mapping) or any(name not in data for name in needed):
        raise PolicyError("recipe", f"a mapping with {', '.join(needed)}", repr(data)[:120], "recipe.as_dict()")
    policy = checked(build(data["policy"], "recipe.policy"), trusted, "v.read_recipe(data, trusted=True)")
    if policy.fingerprint != data["fingerprint"]:
        raise PolicyError(
            "recipe.fingerprint", policy.fingerprint, str(data["fingerprint"]), "the version of vicinal that wrote the recipe"
        )
    return Recipe(policy, data["seed"], data["epoch"], data["index"], data["view"], data["params"])


def build(data: Any, where: str = "policy") -> Node:
    """A policy from plain data, or every fault in it."""
    faults: list[VicinalError] = []
    node = _node(data, where, faults)
    raise_all(where, faults)
    assert node is not None
    return node


def _node(data: Any, where: str, faults: list[VicinalError]) -> Node | None:
    if isinstance(data, list):
        children = _children(data, where, faults)
        return None if children is None else Compose(children)
    if isinstance(data, str):
        data = {data: {}}
    if not isinstance(data, Mapping) or len(data) != 1:
        faults.append(PolicyError(where, _FORM, repr(data)[:120], "- Rotate: {angle: [-15, 15]}"))
        return None
    name, fields = next(iter(data.items()))
    try:
        cls = find(str(name), where)
    except VicinalError as fault:
        faults.append(fault)
        return None
    return _made(cls, fields, where, faults)


def _children(data: list, where: str, faults: list[VicinalError]) -> tuple[Node, ...] | None:
    built = [_node(item, f"{where}[{position}]", faults) for position, item in enumerate(data)]
    return None if any(node is None for node in built) else tuple(node for node in built if node is not None)


def _made(cls: type[Node], fields: Any, where: str, faults: list[VicinalError]) -> Node | None:
    fields = {} if fields is None else {"of": fields} if isinstance(fields, list) and issubclass(cls, Group) else fields
    if not isinstance(fields, Mapping):
        faults.append(PolicyError(f"{where}.{cls.__name__}", "{field: value}", repr(fields), f"{cls.__name__}: {{p: 0.5}}"))
        return None
    before = len(faults)
    faults.extend(_field_faults(cls, fields, where))
    values = {name: _value(value) for name, value in fields.items()}
    if "of" in fields and issubclass(cls, Group):
        held = fields["of"] if isinstance(fields["of"], list) else [fields["of"]]
        values["of"] = _children(held, f"{where}.{cls.__name__}", faults)
    if len(faults) > before:
        _check_rest(cls, values, where, faults)
        return None
    try:
        return cls(**values)
    except VicinalError as fault:
        faults.extend(one.under(where) for one in (fault.faults if isinstance(fault, Faults) else (fault,)))
        return None


def _check_rest(cls: type[Node], values: dict[str, Any], where: str, faults: list[VicinalError]) -> None:
    """The other fields of a node that already has a fault: all faults come at once."""
    known = {field.name: field for field in dataclasses.fields(cls)}
    kept = {name: value for name, value in values.items() if name in known and name != "of"}
    if issubclass(cls, Group) or any(f.default is dataclasses.MISSING and f.name not in kept for f in known.values()):
        return
    try:
        cls(**kept)
    except VicinalError as fault:
        faults.extend(one.under(where) for one in (fault.faults if isinstance(fault, Faults) else (fault,)))


def _value(value: Any) -> Any:
    return tuple(_value(item) for item in value) if isinstance(value, list) else value


def _field_faults(cls: type[Node], fields: Mapping[str, Any], where: str) -> list[VicinalError]:
    known = {field.name: field for field in dataclasses.fields(cls)}
    found: list[VicinalError] = []
    for name in fields:
        if name == "of" and not issubclass(cls, Group):
            first = next((n for n in known if n not in ("p", "name")), "p")
            found.append(ParameterError(f"{where}.{cls.__name__}", "fields by name", repr(fields["of"]), f"{cls.__name__}({first}=...)"))
        elif name not in known:
            place, close = f"{where}.{cls.__name__}.{name}", nearest(str(name), known)
            write = f"{close}=..." if close else f"{cls.__name__} without {name}"
            found.append(ParameterError(place, f"one of {', '.join(known)}", repr(name), write))
    for name, field in known.items():
        if field.default is dataclasses.MISSING and name not in fields:
            found.append(ParameterError(f"{where}.{cls.__name__}.{name}", "a value", "none", f"{cls.__name__}({name}=...)"))
    return found
