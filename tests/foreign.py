"""The other libraries that bridges are held against; a test that asks for one is skipped, saying so, where it cannot be imported."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

import pytest
from benchmarks import peers

T = TypeVar("T")


def albumentations() -> ModuleType:
    """Albumentations, without its look for a newer version."""
    return _or_skip(peers.albumentations)


def torchvision() -> tuple[ModuleType, ModuleType]:
    """``torchvision.transforms`` and its ``v2``, also from a build whose compiled operators do not fit the installed torch."""
    return _or_skip(peers.torchvision)


def _or_skip(load: Callable[[], T]) -> T:
    try:
        return load()
    except ImportError as fault:
        pytest.skip(str(fault))
