"""What is known of a batch without its data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from typing import Any, TypeVar, final

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")
KEPT = 4096  # samples: what is said of more of them is not kept for the next call


@lru_cache(maxsize=64)
def name_of(dtype: np.dtype) -> str:
    """The name of a dtype; NumPy makes it anew, in Python, whenever it is asked."""
    return str(dtype)


def changed(one: T, **changes: Any) -> T:
    """A dataclass that does no more than hold its fields, with some of them changed: ``replace`` at a fifth of its price."""
    made = object.__new__(type(one))
    held, into = vars(one), vars(made)
    for name in field_names(type(one)):
        into[name] = held[name]
    into.update(changes)
    return made


@lru_cache(maxsize=256)
def field_names(kind: type) -> tuple[str, ...]:
    """The fields of a dataclass, without what its objects keep once they have worked it out."""
    return tuple(each.name for each in fields(kind))


def noted(one: Any, make: Callable[[Any], T]) -> T:
    """What a function makes of an immutable object, once, and kept with it: a ``cached_property`` for those who stand outside."""
    held = vars(one)
    if make.__name__ not in held:
        held[make.__name__] = make(one)
    return held[make.__name__]


def filled(shape: int | tuple[int, ...], value: Any, dtype: Any = np.float64) -> NDArray:
    """``np.full`` at half of its price."""
    array = np.empty(shape, dtype)
    array[...] = value
    return array


def constant(count: int, value: float, dtype: Any = np.float64) -> NDArray:
    """One value for all samples, read-only, so that many may hold it. A compiled loop takes a copy: to it, read-only is another type."""
    return _constant(count, value, dtype) if count <= KEPT else _constant.__wrapped__(count, value, dtype)


@lru_cache(maxsize=256)
def _constant(count: int, value: float, dtype: Any) -> NDArray:
    array = filled(count, value, dtype)
    array.setflags(write=False)
    return array


def every(on: NDArray[np.bool_]) -> bool:
    """True where all are on: ``on.all()`` at a tenth of its price."""
    return 0 not in on.tobytes()


def some(on: NDArray[np.bool_]) -> bool:
    """True where any is on."""
    return 1 in on.tobytes()


def bits(on: NDArray[np.bool_]) -> int:
    """A set of samples as one whole number, a byte a sample: Python compares such sets faster than NumPy does."""
    return int.from_bytes(on.tobytes(), "big")


def mask(samples: int, batch: int) -> NDArray[np.bool_]:
    """(B,) the set of samples again."""
    return np.frombuffer(samples.to_bytes(batch, "big"), bool)


RANGES = {"uint8": 255, "uint16": 65535, "float32": 1, "float64": 1}


@final
@dataclass(frozen=True, eq=False)
class Spec:
    """The announced form of the main target (image, series or text) of a batch of B samples.

    Args:
        size: (B, d) integers: height and width of images, length of series; d is 0 for texts.
        channels: 1 to N.
        dtype: "uint8", "uint16", "float32" or "float64"; "object" for texts.
        unit: True where values are declared to lie in [0, 1] (integers: 0 to the largest); series and normalised images are not.
        layout: "HWC" or "CHW"; series are (T, C) with layout "HWC".
        targets: the names of all targets of the call.
        scene: for transforms that look at them, where the annotations are by now (``vicinal.core.scene.Scene``); None otherwise.

    Example:
        >>> Spec.of([(2, 3)], channels=1).width.tolist()
        [3]
    """

    size: NDArray[np.int64]
    channels: int
    dtype: str = "uint8"
    unit: bool = True
    layout: str = "HWC"
    targets: frozenset[str] = frozenset({"image"})
    scene: Any = None

    @staticmethod
    def of(size: Any, channels: int = 3, **facts: Any) -> Spec:
        """A spec from any (B, d) sequence of sizes."""
        return Spec(np.asarray(size, np.int64).reshape(len(size), -1), channels, **facts)

    def __len__(self) -> int:
        return len(self.size)

    @property
    def dims(self) -> int:
        """2 for images, 1 for series, 0 for texts."""
        return self.size.shape[1]

    @property
    def height(self) -> NDArray[np.int64]:
        """(B,) pixels; 1 for series."""
        return self.size[:, 0] if self.dims == 2 else np.ones(len(self), np.int64)

    @property
    def width(self) -> NDArray[np.int64]:
        """(B,) pixels; the length of series in samples."""
        return self.size[:, -1]

    @cached_property
    def centre(self) -> NDArray[np.float64]:
        """(B, d) the middle of the canvas, x before y."""
        return self.size[:, ::-1] / 2

    @cached_property
    def equal(self) -> bool:
        """True where all samples have one size."""
        return bool((self.size == self.size[:1]).all())

    @cached_property
    def facts(self) -> tuple:
        """All of it but the scene, for comparisons."""
        return self.size.shape, self.size.tobytes(), self.channels, self.dtype, self.unit, self.layout, self.targets

    def but(self, **changes: Any) -> Spec:
        """The spec with some facts changed."""
        return changed(self, **changes)
