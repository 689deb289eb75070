"""Laws of form: how a transform is declared, written and told."""

from __future__ import annotations

import dataclasses
import json
import math
import pickle

from vicinal.core.declare import Parameter, declarations
from vicinal.core.errors import ParameterError
from vicinal.core.policy import build, parse
from vicinal.core.transform import Node
from vicinal.testing.case import Case, NotApplicable, parameters


def declared(case: Case) -> None:
    """Every field is declared with its bounds, and a value outside is refused with an error that names class and field."""
    cls = type(case.transform)
    own = {field.name for field in dataclasses.fields(cls)} - {field.name for field in dataclasses.fields(Node)}
    undeclared = sorted(own - set(declarations(cls)))
    case.expect(not undeclared, "every field made by parameter() or option()", f"plain fields {undeclared}")
    for name, parameter in parameters(case.transform).items():
        for outside in _outside(parameter):
            _refused(case, name, outside)
        if parameter.neutral is not None:
            case.expect(parameter.admits(parameter.neutral), f"a neutral {name} within its bounds", parameter.neutral)


def _outside(parameter: Parameter) -> list[float]:
    return [value for value in (parameter.low - 1, parameter.high + 1, math.nan) if not parameter.admits(value) and not math.isinf(value)]


def _refused(case: Case, name: str, value: float) -> None:
    where = f"{type(case.transform).__name__}.{name}"
    try:
        dataclasses.replace(case.transform, **{name: value})
    except ParameterError as fault:
        case.expect(where in str(fault), f"an error that names {where}", str(fault))
    else:
        case.expect(False, f"{where}={value} to be refused", "an instance")


def plain(case: Case) -> None:
    """The object, its YAML, its JSON, its line of text and its pickle are one and the same."""
    import yaml  # here, so that importing the library loads NumPy alone

    written = case.transform.data()
    forms = {
        "JSON": build(json.loads(json.dumps(written))),
        "YAML": build(yaml.safe_load(yaml.safe_dump(written))),
        "text": parse(repr(case.transform)),
        "pickle": pickle.loads(pickle.dumps(case.transform)),
    }
    for form, read in forms.items():
        case.expect(read == case.transform, f"the same object back from {form}", repr(read))
        case.expect(hash(read) == hash(case.transform), f"the same hash back from {form}", "another")
        case.expect(read.fingerprint == case.transform.fingerprint, f"the same fingerprint back from {form}", read.fingerprint)


def told(case: Case) -> None:
    """The docstring has a summary and an example that runs; the example instance can be explained."""
    if not case.first:
        raise NotApplicable("said once for the class")
    text = (type(case.transform).__doc__ or "").strip()
    summary = text.splitlines()[0] if text else ""
    case.expect(summary.endswith(".") and len(summary) > 8 and "(" not in summary[: len(type(case.transform).__name__) + 1],
                "a docstring that begins with a sentence", repr(summary))  # fmt: skip
    case.expect(">>>" in text, "an example in the docstring", "none")
    case.expect(isinstance(type(case.transform).paper, str), "the paper as text", repr(type(case.transform).paper))
    for declaration in declarations(type(case.transform)).values():
        said = declaration.unit or declaration.neutral is not None if isinstance(declaration, Parameter) else declaration.expected
        case.expect(said, "a unit for every parameter and words for every option", declaration)
    try:
        dataclasses.replace(case.transform, p=2)
    except ParameterError:
        return
    case.expect(False, "p=2 to be refused", "an instance")
