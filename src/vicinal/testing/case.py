"""What the laws run on: instances of a transform, and data that show what it does."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.declare import Option, Parameter, declarations
from vicinal.core.errors import TargetError, VicinalError
from vicinal.core.plan import Plan
from vicinal.core.run import planned
from vicinal.core.transform import Transform

BATCH = 6
DTYPES = {"image": (np.uint8, np.uint16, np.float32), "series": (np.float32, np.float64)}


class Broken(Exception):
    """A law does not hold; ``check`` turns it into ``LawBroken``."""

    def __init__(self, case: Any, expected: str, got: str):
        self.case, self.expected, self.got = case, expected, got
        Exception.__init__(self, f"{case}: expected {expected}, got {got}")


class NotApplicable(Exception):
    """A law has nothing to say about a transform."""


@final
@dataclass(frozen=True)
class Case:
    """One instance under test.

    ``first`` is True for the instance that stands for the class where more of them would show nothing new.
    """

    transform: Transform
    first: bool

    @property
    def kind(self) -> str:
        """ "image" if it acts on images, else "series"."""
        return "image" if "image" in self.transform.needs else "series"

    @property
    def dtypes(self) -> tuple[type, ...]:
        """The dtypes that the instance takes: integers cannot hold everything."""
        return tuple(dtype for dtype in DTYPES[self.kind] if self._takes(dtype))

    def _takes(self, dtype: type) -> bool:
        try:
            self.plan(data(self, dtype))
        except TargetError:
            return False
        return True

    def call(self, data: Any, *, seed: int = 0, backend: str = "auto", transform: Any = None, **more: Any) -> Any:
        """Apply to the main target; a ``Result``."""
        named = {self.kind: data, **self.brought(data, more), **more}
        return (transform or self.transform)(**named, seed=seed, backend=backend)

    def brought(self, data: Any, more: Any = MappingProxyType({})) -> dict[str, Any]:
        """What a mixer needs besides: boxes where it acts on instances, and a source, which is the batch itself."""
        added: dict[str, Any] = {}
        if getattr(self.transform, "instances", False) and "boxes" not in more:
            added["boxes"] = [np.array([[0, 0, image.shape[1] / 2, image.shape[0] / 2]]) for image in data]
        if getattr(self.transform, "partner", "batch") == "dataset":
            targets = {self.kind: data} | {name: value for name, value in more.items() if name not in ("epoch", "index", "view")} | added
            added["source"] = [{name: value[row] for name, value in targets.items()} for row in range(len(data))]
        return added

    @property
    def of_batch(self) -> bool:
        """True where a sample depends on its batch, because its partners come from there."""
        return self.transform.mixes and getattr(self.transform, "partner", None) == "batch"

    def plan(self, data: Any, *, seed: int = 0, index: Any = None) -> Plan:
        """The plan of a call."""
        return planned(self.transform, (), {self.kind: data}, seed=seed, epoch=0, index=index, view=0)

    def expect(self, true: Any, expected: str, got: Any) -> None:
        """Break the law unless ``true``."""
        if not true:
            raise Broken(self, expected, str(got))

    def equal(self, left: Any, right: Any, what: str) -> None:
        """Break the law unless two batches are bit-equal, NaN included."""
        for number, (a, b) in enumerate(zip(left, right, strict=True)):
            same = a.shape == b.shape and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
            self.expect(same, what, f"sample {number} differs" + _where(a, b))

    def __str__(self) -> str:
        return repr(self.transform)


def _where(a: NDArray, b: NDArray) -> str:
    if a.shape != b.shape or a.dtype != b.dtype:
        return f": {a.dtype} {a.shape} against {b.dtype} {b.shape}"
    return f" by up to {np.nanmax(np.abs(a.astype(float) - b.astype(float))):g}"


def cases(transform: type[Transform] | Transform) -> Iterator[Case]:
    """The example of a class (or the instance itself), then one instance for every other choice of every option."""
    first = transform if isinstance(transform, Transform) else example(transform)
    yield Case(first, True)
    for name, declared in declarations(type(first)).items():
        if isinstance(declared, Option):
            for choice in declared.choices:
                if choice != getattr(first, name):
                    yield from _varied(first, name, choice)


def example(cls: type[Transform]) -> Transform:
    """The typical instance that a class declares."""
    try:
        return cls(**cls.example)
    except TypeError as fault:
        expected = f"fields for a typical instance, such as example = {{'...': ...}} ({fault})"
        raise VicinalError(f"{cls.__name__}.example", expected, repr(dict(cls.example)), f"example = {{{_lacking(cls)}}}") from None


def _lacking(cls: type[Transform]) -> str:
    """The fields that have no default, as an example has to name them."""
    bare = [one.name for one in dataclasses.fields(cls) if one.default is one.default_factory is dataclasses.MISSING]
    return ", ".join(f"{name!r}: ..." for name in bare)


def _varied(first: Transform, name: str, choice: Any) -> Iterator[Case]:
    """An instance with another choice; choices may exclude one another, which the class says by an error."""
    try:
        yield Case(dataclasses.replace(first, **{name: choice}), False)
    except VicinalError:
        return


def parameters(transform: Transform) -> dict[str, Parameter]:
    """The declared random parameters."""
    return {name: declared for name, declared in declarations(type(transform)).items() if isinstance(declared, Parameter)}


def pictures(batch: int = BATCH, height: int = 40, width: int = 48, channels: int = 3, dtype: Any = np.uint8) -> NDArray:
    """Smooth, colourful (B, H, W, C) images: where sampling differs by a little, values do too."""
    y, x = np.mgrid[0:height, 0:width]
    b, c = np.arange(batch)[:, None, None, None], np.arange(channels)
    wave = np.sin(x[..., None] / 7 + c + b) * np.cos(y[..., None] / 9 - 2 * c + b) * 0.4 + 0.5
    return stored(wave, dtype)


def stored(unit: NDArray, dtype: Any) -> NDArray:
    """Values in [0, 1] in a dtype."""
    kind = np.dtype(dtype)
    return np.rint(unit * np.iinfo(kind).max).astype(kind) if kind.kind == "u" else unit.astype(kind)


def waves(batch: int = BATCH, length: int = 96, channels: int = 2, dtype: Any = np.float32) -> NDArray:
    """Smooth (B, T, C) series."""
    t = np.arange(length)[None, :, None]
    return (np.sin(t / 9 + np.arange(batch)[:, None, None]) * (1 + np.arange(channels))).astype(dtype)


def data(case: Case, dtype: Any = None, **shape: Any) -> NDArray:
    """Pictures or series, as the transform needs."""
    dtype = dtype or case.dtypes[0]
    return pictures(dtype=dtype, **shape) if case.kind == "image" else waves(dtype=dtype, **shape)
