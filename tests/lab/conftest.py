"""Real digits, read once, and small studies of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from vicinal.data import read
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import read_arms
from vicinal.lab.conduct import Findings, conduct
from vicinal.lab.engine import Serial
from vicinal.lab.store import Store
from vicinal.lab.study import Study
from vicinal.lab.trial import Cell, Rules

_CELL = ("size", "steps", "epochs", "strength", "label_noise")
_RULES = ("by", "allow_leak", "dev", "test")


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return read("digits")


def study_of(data: Dataset, texts: Sequence[str], **settings: Any) -> Study:
    """A study of three seeds on 60 items; settings of its one cell and of its rules are given by their own names."""
    usual = {"size": 60} if "epochs" in settings else {"size": 60, "steps": 40}
    place = usual | {name: settings.pop(name) for name in _CELL if name in settings}
    cell = Cell(**{"steps": None} | place)  # type: ignore[arg-type]
    rules = Rules(**{name: settings.pop(name) for name in _RULES if name in settings})
    arms = tuple(read_arms(texts)) if texts else ()
    return Study(data, **{"arms": arms, "seeds": (0, 1, 2), "cells": (cell,), "rules": rules} | settings)


@pytest.fixture(scope="session")
def studied(digits: Dataset) -> Callable[..., Study]:
    """``studied(["flip=HorizontalFlip(p=0.5)"], steps=30)``: a study of three seeds on 60 digits."""
    return lambda texts=(), **settings: study_of(digits, texts, **settings)


@pytest.fixture(scope="session")
def compared(studied: Callable[..., Study]) -> Callable[..., Findings]:
    """As ``studied``, and what was found."""

    def compare(texts: Sequence[str] = (), **settings: Any) -> Findings:
        with Store.memory() as store:
            return conduct(studied(texts, **settings), store, Serial())

    return compare
