"""One tree of errors. A message says where, what was expected, what came, and what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any


class VicinalError(Exception):
    """Root of every error this library raises on purpose.

    Args:
        where: the place, for example ``Rotate.angle`` or ``policy[2].Rotate`` or a file's path.
        expected: what would have been right.
        got: what came instead.
        write: what to write instead, when there is something to suggest.

    Example:
        >>> print(VicinalError("Rotate.angle", "a number of degrees in [-360, 360]", "900", "angle=(-15, 15)"))
        Rotate.angle: expected a number of degrees in [-360, 360], got 900; write angle=(-15, 15)
    """

    def __init__(self, where: str, expected: str, got: str, write: str | None = None):
        self.where, self.expected, self.got, self.write = where, expected, got, write
        Exception.__init__(self, where, expected, got, write)

    def __str__(self) -> str:
        advice = f"; write {self.write}" if self.write else ""
        return f"{self.where}: expected {self.expected}, got {self.got}{advice}"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuild, (type(self), self.where, self.expected, self.got, self.write))

    def under(self, prefix: str) -> VicinalError:
        """The same error with its place below ``prefix``: ``policy[1]`` + ``Rotate.angle``."""
        return type(self)(".".join(filter(None, (prefix, self.where))), self.expected, self.got, self.write)


def _rebuild(kind: type[VicinalError], where: str, expected: str, got: str, write: str | None) -> VicinalError:
    return kind(where, expected, got, write)


class PolicyError(VicinalError):
    """A policy that cannot be built: wrong structure, wrong text, wrong file."""


class ParameterError(PolicyError):
    """A parameter outside its declared bounds, or of the wrong kind."""


class UnknownTransform(PolicyError):
    """A name that no registered transform has."""


class TargetError(VicinalError):
    """A target (image, mask, boxes, ...) that is missing, malformed or does not fit the others."""


class DataError(VicinalError):
    """Data that cannot be read or is not what it declares itself to be."""


class BackendError(VicinalError):
    """A backend that is unknown, not installed, or failed; carries the address that reproduces it."""


class LeakageError(VicinalError):
    """A split that would put copies of one source on both sides."""


class StoreError(VicinalError):
    """A result that could not be written or read; nothing half-written is left behind."""


class Faults(PolicyError):
    """Several faults of one file or policy, reported together.

    Example:
        >>> faults = Faults("policy.yaml", [ParameterError("policy[0].Rotate.angle", "a number", "'x'", "angle=15")])
        >>> print(faults)
        policy.yaml: 1 fault
          policy[0].Rotate.angle: expected a number, got 'x'; write angle=15
    """

    def __init__(self, where: str, faults: Sequence[VicinalError]):
        self.faults = tuple(faults)
        PolicyError.__init__(self, where, "a valid file", f"{len(self.faults)} faults")

    def __str__(self) -> str:
        plural = "" if len(self.faults) == 1 else "s"
        return "\n".join([f"{self.where}: {len(self.faults)} fault{plural}", *(f"  {fault}" for fault in self.faults)])

    def __reduce__(self) -> tuple[Any, ...]:
        return (Faults, (self.where, self.faults))

    def under(self, prefix: str) -> Faults:
        return Faults(self.where, [fault.under(prefix) for fault in self.faults])


def raise_all(where: str, faults: Sequence[VicinalError]) -> None:
    """Raise nothing, the one fault itself, or all of them together."""
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise Faults(where, faults)


def unknown_field(where: str, name: Any, known: Sequence[str]) -> ParameterError:
    """The fault of a field that there is not, in the part ``where`` of a file; "" is its top.

    Example:
        >>> print(unknown_field("split", "deb", ["dev", "test"]))
        split.deb: expected one of dev, test, got 'deb'; write dev
    """
    write = nearest(str(name), known) or f"it without {name}"
    return ParameterError(".".join(filter(None, (where, str(name)))), f"one of {', '.join(known)}", repr(name), write)


def nearest_path(path: Path, also: Iterable[str] = ()) -> str | None:
    """What is beside a path that is not there, or a name in ``also``, if one of them is close to its name; endings alone are not close."""
    names = [entry.name for entry in path.parent.iterdir() if entry.name != path.name] if path.parent.is_dir() else []
    stems = {Path(name).stem: name for name in [*names, *also]}
    close = nearest(path.stem, stems)
    return None if close is None else str(path.with_name(stems[close]))


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to a mistyped one, ignoring case; None if nothing is close."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None
