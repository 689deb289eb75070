"""Each law has a planted bug that it must catch, and the same transform without the bug keeps every law."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, ClassVar

import numpy as np
import pytest

import vicinal as v
from vicinal.core.batch import Spec
from vicinal.core.draw import Draw
from vicinal.core.primitive import Opaque, Pointwise, Primitive, everywhere
from vicinal.core.space import SpaceLike
from vicinal.core.steps import Linear
from vicinal.core.warp import Warp
from vicinal.testing import LAWS, LawBroken

Params = Mapping[str, Any]


def lighter(by: Any) -> Pointwise:
    """Adds ``by`` (B,)."""
    return Pointwise((Linear(np.ones((len(by), 1)), np.asarray(by, float)[:, None]),), everywhere(len(by)))


def shifted(x: Any, spec: Spec) -> Warp:
    """Moves by ``x`` (B,) pixels."""
    matrix = np.tile(np.eye(3), (len(spec), 1, 1))
    matrix[:, 0, 2] = x
    return Warp.of(matrix, spec, None, "constant", 0.0, "linear")


@v.register
class Sound(v.Transform):
    """Lighten, without any bug.

    Example:
        >>> Sound()
        Sound()
    """

    by: SpaceLike = v.parameter((0.0, 0.2), unit="shares of the value range", low=-1, high=1, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        return [lighter(params["by"])]


@v.register
class Undeclared(v.Transform):
    """Hold a plain field.

    Example:
        >>> Undeclared()
        Undeclared()
    """

    by: float = field(default=0.1)

    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        return [lighter(np.full(len(spec), self.by))]


@v.register
class Unwritable(v.Transform):
    """Hold a setting that text cannot carry.

    Example:
        >>> Unwritable()
        Unwritable()
    """

    colour: Any = v.option(frozenset({1, 2}), expected="a set", admits=lambda value: isinstance(value, frozenset))

    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        return [lighter(np.full(len(spec), 0.1))]


@v.register
class Untold(v.Transform):
    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        return [lighter(np.full(len(spec), 0.1))]


@v.register
class BatchMean(v.Transform):
    """Lighten by what the whole batch drew.

    Example:
        >>> BatchMean()
        BatchMean()
    """

    by: SpaceLike = v.parameter((0.0, 0.5), unit="shares of the value range", low=-1, high=1)

    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        return [lighter(np.full(len(spec), params["by"].mean()))]


@v.register
class Neighbour(v.Transform):
    """Draw from a number that all operations count up.

    Example:
        >>> Neighbour()
        Neighbour()
    """

    def sample(self, draw: Draw, spec: Spec) -> dict[str, Any]:
        return {"by": draw.unit(f"by{len(draw.known)}") * 0.2}

    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        return [lighter(params["by"])]


@v.register
class AsksTheSize(v.Transform):
    """Draw once more for wide images.

    Example:
        >>> AsksTheSize()
        AsksTheSize()
    """

    def sample(self, draw: Draw, spec: Spec) -> dict[str, Any]:
        extra = draw.unit("extra") if spec.width[0] > 50 else 0
        return {"by": 0.1 * (draw.unit("by") + extra)}

    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        return [lighter(params["by"])]


@v.register
class Forgetful(v.Transform):
    """Draw anew in lower, where no recipe sees it.

    Example:
        >>> Forgetful()
        Forgetful()
    """

    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        return [lighter(np.random.default_rng().uniform(0, 0.5, len(spec)))]


@v.register
class Clock(v.Transform):
    """Lighten by the time of day.

    Example:
        >>> Clock()
        Clock()
    """

    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        return [lighter(np.full(len(spec), time.perf_counter_ns() % 997 / 1997))]


@v.register
class NeverNeutral(v.Transform):
    """Lighten by a little more than it is told.

    Example:
        >>> NeverNeutral()
        NeverNeutral()
    """

    by: SpaceLike = v.parameter((0.0, 0.2), unit="shares of the value range", low=-1, high=1, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        return [lighter(params["by"] + 0.1)]


@v.register
class WearsOut(v.Transform):
    """Lighten less with every call.

    Example:
        >>> WearsOut()
        WearsOut()
    """

    by: SpaceLike = v.parameter(0.2, unit="shares of the value range", low=-1, high=1, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        object.__setattr__(self, "by", v.Transform.spaces(self)["by"].toward(0, 0.5))
        return [lighter(params["by"])]


@v.register
class Grows(v.Transform):
    """Return a row more than announced.

    Example:
        >>> Grows()
        Grows()
    """

    verb: ClassVar[str] = "opaque"

    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        return [Opaque(lambda image: np.pad(image, ((0, 1), (0, 0), (0, 0))), everywhere(len(spec)))]


def in_front(image: np.ndarray) -> np.ndarray:
    """Another result where OpenCV has been loaded by the fast backend."""
    frame, fast = sys._getframe(1), False
    while frame is not None:
        fast, frame = fast or frame.f_globals["__name__"].endswith("cpu"), frame.f_back
    return (image // 2).astype(image.dtype) if fast else image.copy()


@v.register
class TwoFaced(v.Transform):
    """Do one thing on one backend and another on the other.

    Example:
        >>> TwoFaced()
        TwoFaced()
    """

    verb: ClassVar[str] = "opaque"

    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        return [Opaque(in_front, everywhere(len(spec)))]


@v.register
class NeedsRoom(v.Transform):
    """Divide by what a single pixel does not have.

    Example:
        >>> NeedsRoom()
        NeedsRoom()
    """

    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        if (spec.width < 2).any():
            raise ZeroDivisionError("width - 1")
        return [lighter(np.full(len(spec), 0.1))]


def roll(image: np.ndarray) -> np.ndarray:
    """Moves the content three pixels to the right."""
    return np.roll(image, 3, axis=1)


@v.register
class LeavesPointsBehind(v.Transform):
    """Move the pixels and say that nothing moves.

    Example:
        >>> LeavesPointsBehind()
        LeavesPointsBehind()
    """

    verb: ClassVar[str] = "move"

    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        return [Opaque(roll, everywhere(len(spec)))]


class Sticky:
    """A step that remembers how often it ran: no chain of it composes."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, values: np.ndarray) -> np.ndarray:
        self.count += 1
        return np.clip(values + 0.01 * self.count, 0, 1)

    def where(self, on: np.ndarray) -> Sticky:
        return self


@v.register
class Stateful(v.Transform):
    """Lighten more with every call.

    Example:
        >>> Stateful()
        Stateful()
    """

    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        return [Pointwise((Sticky(),), everywhere(len(spec)))]


PLANTED = {
    "declared": Undeclared,
    "plain": Unwritable,
    "told": Untold,
    "addressable": BatchMean,
    "named": Neighbour,
    "fixed": AsksTheSize,
    "replay": Forgetful,
    "golden": Clock,
    "neutral": NeverNeutral,
    "pure": WearsOut,
    "spec": Grows,
    "backends": TwoFaced,
    "edges": NeedsRoom,
    "follow": LeavesPointsBehind,
    "algebra": Stateful,
}


def laws() -> Iterator[str]:
    return iter(LAWS)


def test_every_law_has_its_bug() -> None:
    assert set(PLANTED) == set(laws())


@pytest.mark.parametrize("law", LAWS)
def test_the_planted_bug_is_caught(law: str) -> None:
    with pytest.raises(LawBroken, match=f"law {law}: {PLANTED[law].__name__}"):
        v.check(PLANTED[law], laws=[law])


def test_the_sound_one_passes() -> None:
    assert set(v.check(Sound).kept) == set(laws())
