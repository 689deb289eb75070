"""What an annotation file says of its pictures, before it is held against them, and the rules by which that is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from numpy.typing import NDArray

from vicinal.core.errors import DataError, ParameterError

Segment = Sequence[NDArray] | Mapping[str, Any] | None
"""Polygons, each (K, 2) corners; or run lengths as in COCO; None where an instance has none."""


@final
@dataclass(frozen=True)
class Rules:
    """How annotations are read; ``read_annotations`` says what each means."""

    part: str | None = None
    images: Path | None = None
    segments: str = "masks"
    lines: str = "auto"
    origin: int = 1
    crowd: str = "drop"
    invalid: str = "raise"
    missing: str = "raise"

    def __post_init__(self) -> None:
        choices = {
            "segments": ("masks", "polygons", "none"), "lines": ("auto", "oriented"), "origin": (0, 1),
            "crowd": ("drop", "keep"), "invalid": ("raise", "clip", "drop"), "missing": ("raise", "drop"),
        }  # fmt: skip
        for name, known in choices.items():
            if getattr(self, name) not in known:
                expected = f"one of {', '.join(map(repr, known))}"
                raise ParameterError(f"read_annotations.{name}", expected, repr(getattr(self, name)), f"{name}={known[0]!r}")


@final
@dataclass(frozen=True, eq=False)
class Instance:
    """One instance as its file has it.

    Args:
        place: where in the file; label: its class number; box: its numbers in the file's format; segment: its outline;
        points: (K, 3) x, y, visibility; crowd: whether it stands for many; fault: why it cannot be used, "" where it can.
    """

    place: str
    label: int
    box: Sequence[float]
    segment: Segment = None
    points: NDArray | None = None
    crowd: bool = False
    fault: str = ""


@final
@dataclass(frozen=True, eq=False)
class Noted:
    """One picture: what an error names, its file, the (height, width) that is said of it (None: nothing), and its instances."""

    where: str
    path: Path
    size: tuple[int, int] | None
    instances: Sequence[Instance]


@final
@dataclass(frozen=True, eq=False)
class Found:
    """All that a reader found.

    Args:
        pictures, classes: what they are; boxes: the format of the boxes, as ``v.Boxes`` names it; shares: whether quads, outlines and
            points count in shares of the picture; swap: keypoints that a mirror exchanges; lost: annotations of pictures that are
            nowhere named; faults: what is wrong with the file itself.
    """

    pictures: Sequence[Noted]
    classes: tuple[str, ...]
    boxes: str
    shares: bool = False
    swap: tuple[tuple[int, int], ...] = ()
    lost: Sequence[str] = ()
    faults: Sequence[DataError] = field(default_factory=tuple)


def unknown_box(columns: int) -> list[float]:
    """A box of which nothing is known, which the rules treat as unusable."""
    return [float("nan")] * columns
