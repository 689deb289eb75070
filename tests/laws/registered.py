"""The transforms that the library itself registers, without those that tests plant."""

from __future__ import annotations

import vicinal as v


def transforms() -> list[type[v.Transform]]:
    """In alphabetical order."""
    ours = [cls for cls in v.registry().values() if issubclass(cls, v.Transform) and cls.__module__.startswith("vicinal.")]
    return sorted(ours, key=lambda cls: cls.__name__)
