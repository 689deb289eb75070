"""Real digits, read once, and small comparisons of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from vicinal.lab.compare import Run, Setup, run

from vicinal.data import read
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import read_arms


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return read("digits")


@pytest.fixture(scope="session")
def compared(digits: Dataset) -> Callable[..., list[Run]]:
    """``compared(["flip=HorizontalFlip(p=0.5)"], steps=30)``: runs of three seeds on 60 digits."""

    def compare(texts: Sequence[str], **settings: object) -> list[Run]:
        usual = {"seeds": (0, 1, 2), "size": 60, "steps": None if "epochs" in settings else 40}
        return run(digits, read_arms(texts), Setup(**usual | settings))  # type: ignore[arg-type]

    return compare
