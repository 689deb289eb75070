"""Whether a policy that is meant for test data would augment them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vicinal.core.transform import Node
from vicinal.lab.preflight.findings import Finding
from vicinal.lab.wording import listed

_EPOCHS = 32  # draws that are looked at


def random_operations(policy: Node, **targets: Any) -> dict[str, tuple[str, ...]]:
    """The operations of a policy that differ from epoch to epoch, by path, and in what.

    Args:
        targets: one sample, where parameters depend on its size.

    Example:
        >>> from vicinal.core.policy import parse
        >>> random_operations(parse("CenterCrop(size=56) | Rotate(angle=(-5, 5)) | HorizontalFlip(p=0.5)"))
        {'Rotate': ('angle',), 'HorizontalFlip': ('on',)}
    """
    recipes = [policy.at(seed=0, epoch=epoch, **targets).params for epoch in range(_EPOCHS)]
    found = {}
    for path in dict.fromkeys(path for recipe in recipes for path in recipe):
        told = [recipe.get(path, {}) for recipe in recipes]
        if names := _differing(told):
            found[path] = names
    return found | _seldom(policy, found)


def _differing(told: list[Mapping[str, Any]]) -> tuple[str, ...]:
    names = dict.fromkeys(name for values in told for name in values)
    return tuple(name for name in names if len({repr(values.get(name)) for values in told}) > 1)


def _seldom(policy: Node, found: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """What acts so seldom, or so often, that few draws do not show it."""
    return {node.label: ("on",) for node in policy.walk() if 0 < node.p < 1 and not any(node.label in path for path in found)}


def at_test_findings(policy: Node, **targets: Any) -> list[Finding]:
    """One finding on a policy for test data."""
    found = random_operations(policy, **targets)
    if not found:
        return [Finding("fine", "test policy", "The test policy draws nothing: every look at test sees the same.")]
    words = [f"{path} ({', '.join('whether it acts' if name == 'on' else name for name in names)})" for path, names in found.items()]
    sentence = f"Test data would be augmented: {listed(words)} change{'' if len(words) > 1 else 's'} from draw to draw."
    return [Finding("wrong", "test policy", sentence, "Keep only what is fixed, such as Resize, CenterCrop and Normalize.")]
