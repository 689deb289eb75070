"""The same bits as in the last release: digests of what the reference backend makes of every example, kept in golden.json.

A transform whose results change on purpose gets a new ``version`` and a new digest: ``python tests/laws/test_golden.py`` writes them.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from registered import transforms

import vicinal as v
from vicinal.testing.case import cases, data

GOLDEN = Path(__file__).with_name("golden.json")


def digest(cls: type[v.Transform]) -> str:
    """Of the example's results at one address, and of its draws."""
    case = next(cases(cls))
    made = case.call(data(case), seed=2026, index=np.arange(6), backend="reference")
    content = hashlib.sha256()
    for array in made[case.kind]:
        content.update(f"{array.dtype} {array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    return f"v{cls.version} {content.hexdigest()[:24]}"


@pytest.mark.parametrize("cls", transforms(), ids=lambda cls: cls.__name__)
def test_golden(cls: type[v.Transform]) -> None:
    assert json.loads(GOLDEN.read_text())[cls.__name__] == digest(cls)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps({cls.__name__: digest(cls) for cls in transforms()}, indent=2) + "\n")
