"""The other libraries that bridges are held against; a test that asks for one is skipped, saying so, where it cannot be imported."""

from __future__ import annotations

import os
from types import ModuleType
from typing import Any

import pytest


def albumentations() -> ModuleType:
    """Albumentations, without its look for a newer version."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    return pytest.importorskip("albumentations", reason="Albumentations is not installed: pip install vicinal[bench]")


def torchvision() -> tuple[ModuleType, ModuleType]:
    """``torchvision.transforms`` and its ``v2``, also from a build whose compiled operators do not fit the installed torch."""
    library = pytest.importorskip("torch.library", reason="torch is not installed")
    register = library.register_fake

    def register_but_theirs(name: Any, *args: Any, **kwargs: Any) -> Any:
        theirs = isinstance(name, str) and name.startswith("torchvision::")
        return (lambda function: function) if theirs else register(name, *args, **kwargs)

    library.register_fake = register_but_theirs
    try:
        from torchvision import transforms
        from torchvision.transforms import v2
    except Exception as fault:
        pytest.skip(f"torchvision cannot be imported: {fault}")
    finally:
        library.register_fake = register
    return transforms, v2
