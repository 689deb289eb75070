"""Every law for every registered transform."""

from __future__ import annotations

import pytest
from registered import transforms

import vicinal as v
from vicinal.testing import LAWS


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("cls", transforms(), ids=lambda cls: cls.__name__)
def test_law(cls: type[v.Transform], law: str) -> None:
    report = v.check(cls, laws=[law])
    assert law in report.kept or law in report.not_applicable


def test_no_law_is_skipped_everywhere() -> None:
    kept = {law for cls in transforms() for law in v.check(cls, laws=["algebra", "neutral", "told"]).kept}
    assert kept == {"algebra", "neutral", "told"}
