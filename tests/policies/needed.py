"""Which transforms a preset or a table names; a test of one that is not there is skipped, saying so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import vicinal as v
import vicinal.policies as package
from vicinal.core.policy import read_document

FOLDER = Path(package.__file__).parent
OPERATIONS = ("Shear", "Translate", "Rotate", "Contrast", "Saturation", "Sharpen", "Posterize", "Solarize", "AutoContrast", "Equalize")
TABLES = {"AutoAugment": OPERATIONS, "RandAugment": OPERATIONS, "TrivialAugment": OPERATIONS}


def names(data: Any) -> Iterator[str]:
    """The transforms in the plain data of a policy."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, list):
        for item in data:
            yield from names(item)
    elif isinstance(data, dict):
        for name, fields in data.items():
            yield name
            yield from names(fields if isinstance(fields, list) else (fields or {}).get("of", []))


def needs(*wanted: str) -> None:
    """Skip the test where this version has not all of these transforms."""
    all_of_them = {name for one in wanted for name in (one, *TABLES.get(one, ()))}
    missing = sorted(all_of_them - set(v.registry()))
    if missing:
        pytest.skip(f"this version has no {', '.join(missing)}")


def loaded(name: str, **settings: Any) -> Any:
    """A preset, if all that it names is there."""
    needs(*names(read_document(FOLDER / f"{name}.yaml")["policy"]))
    return v.preset(name, **settings)
