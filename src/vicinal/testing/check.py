"""Running the laws."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import final

from vicinal.core.errors import VicinalError
from vicinal.core.transform import Transform
from vicinal.testing import draws, forms, geometry, values
from vicinal.testing.case import Broken, Case, NotApplicable, cases

LAWS: Mapping[str, Callable[[Case], None]] = MappingProxyType(
    {
        "declared": forms.declared,
        "plain": forms.plain,
        "told": forms.told,
        "addressable": draws.addressable,
        "named": draws.named,
        "fixed": draws.fixed,
        "replay": draws.replay,
        "golden": draws.golden,
        "neutral": values.neutral,
        "pure": values.pure,
        "spec": values.spec,
        "backends": values.backends,
        "edges": values.edges,
        "follow": geometry.follow,
        "algebra": geometry.algebra,
    }
)


@final
class LawBroken(VicinalError):
    """A transform breaks a law; the message names the law, the instance and what was seen."""


@final
@dataclass(frozen=True)
class Report:
    """The outcome for one transform: the laws that it keeps, and those that do not apply, with the reason."""

    transform: str
    kept: tuple[str, ...]
    not_applicable: Mapping[str, str]

    def __str__(self) -> str:
        lines = [f"{self.transform}: keeps {len(self.kept)} laws ({', '.join(self.kept)})"]
        return "\n".join([*lines, *(f"  {law} does not apply: {reason}" for law, reason in self.not_applicable.items())])


def check(transform: type[Transform] | Transform, laws: Sequence[str] | None = None) -> Report:
    """Hold a transform against the laws.

    Args:
        transform: a registered class, which says in ``example`` what a typical instance is, or an instance of it.
        laws: names of some laws; all of them by default.

    Returns:
        What was kept, and what does not apply and why.

    Raises:
        LawBroken: at the first law that is broken.

    Example:
        >>> import vicinal as v
        >>> v.check(v.HorizontalFlip, laws=["plain", "pure"]).kept
        ('plain', 'pure')
    """
    name = transform.__name__ if isinstance(transform, type) else type(transform).__name__
    kept, other = [], {}
    for law in LAWS if laws is None else laws:
        try:
            outcomes = [_held(law, case) for case in cases(transform)]
        except Broken as fault:
            write = f"v.check({name}, laws=[{law!r}]) once it is mended"
            raise LawBroken(f"law {law}: {fault.case}", fault.expected, fault.got, write) from fault
        reasons = [outcome for outcome in outcomes if outcome]
        if len(reasons) == len(outcomes):
            other[law] = reasons[0]
        else:
            kept.append(law)
    return Report(name, tuple(kept), MappingProxyType(other))


def _held(law: str, case: Case) -> str | None:
    """None where the law holds, the reason where it does not apply to this instance."""
    try:
        LAWS[law](case)
    except NotApplicable as reason:
        return str(reason)
    except Broken:
        raise
    except Exception as fault:
        raise Broken(case, "to run", f"{type(fault).__name__}: {fault}") from fault
    return None
