"""What trials of one data set share: splits, inputs, test images made worse. Made once a process, and dropped when it grows too large."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.draw import Address
from vicinal.core.errors import DataError
from vicinal.core.transform import Node
from vicinal.data.dataset import Dataset
from vicinal.lab.arms import Arm
from vicinal.lab.feed import Held, inputs, pixels, transformed
from vicinal.lab.measure.corruptions import Corruptions
from vicinal.lab.measure.tta import TTA_EPOCH
from vicinal.lab.split import Split, further, split
from vicinal.lab.trial import Rules

HELD = 1 << 27  # values: half a GiB of inputs may be held
_GENERATED = 1 << 47  # sources of generated items that name none: no reader gives so large ids


@final
@dataclass(eq=False)
class Bench:
    """A data set on which trials are run.

    Args:
        data: of one size.

    Raises:
        DataError: images of several sizes.
    """

    data: Dataset
    _held: OrderedDict[Hashable, Held] = field(default_factory=OrderedDict, init=False)
    _made: dict[Hashable, Any] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        if isinstance(self.data.images, list):
            shapes = sorted({image.shape for image in self.data.images})
            first, last = ("x".join(map(str, shape)) for shape in (shapes[0], shapes[-1]))
            got = f"{len(shapes)} sizes, {first} to {last}"
            raise DataError(self.data.origin, "images of one size for the trainer", got, "--resize 32")

    def divided(self, size: int | None, seed: int, rules: Rules) -> Split:
        """Train, dev and test rows."""

        def made() -> Split:
            return split(self.data, size=size, seed=seed, dev=rules.dev, test=rules.test, allow_leak=rules.allow_leak)

        return self._once(("split", size, seed, rules), made)

    def trained_on(self, arm: Arm, size: int | None, seed: int, rules: Rules) -> Split:
        """The rows of an arm: train has further real items where the arm asks for them."""
        parts = self.divided(size, seed, rules)
        if not arm.real:
            return parts
        assert size is not None
        more = further(self.data, size=size, seed=seed, count=arm.real, test=rules.test)
        return replace(parts, train=np.concatenate([parts.train, more]))

    def held(self, parts: Split) -> Held | None:
        """The originals of train and dev as inputs, unless they are too many to be held."""
        rows = np.concatenate([parts.train, parts.dev])
        if len(rows) * math.prod(pixels(self.data).shape[1:]) > HELD:
            return None
        key = rows.tobytes()
        if key not in self._held:
            self._held[key] = Held.of(self.data, rows)
        self._held.move_to_end(key)
        while sum(some.inputs.size for some in self._held.values()) > HELD and len(self._held) > 1:
            self._held.popitem(last=False)
        return self._held[key]

    def test(self, rows: NDArray[np.int64]) -> NDArray:
        """(N, D) the test part as inputs."""
        return self._once(("test", rows.tobytes()), lambda: inputs(pixels(self.data, rows)))

    def worse(self, rows: NDArray[np.int64], family: str, level: float, clip: bool = True) -> NDArray[np.float32]:
        """(N, D) the test part after a corruption, the same for every trial."""

        def made() -> Corruptions:
            return Corruptions(pixels(self.data, rows), index=self.data.sources[rows], clip=clip)

        return inputs(self._once(("worse", rows.tobytes(), clip), made).at(family, level))

    def views(self, rows: NDArray[np.int64], policy: Node, count: int) -> Iterator[NDArray]:
        """(N, D) versions of the test part, one after the other: too many to be held."""
        for view in range(count):
            address = Address.of(0, TTA_EPOCH, self.data.sources[rows], view)
            yield inputs(np.asarray(transformed(policy, pixels(self.data, rows), address, self.data.kind)))

    def with_generated(self, arm: Arm) -> tuple[Dataset, NDArray[np.int64]]:
        """The data and the generated items of an arm behind them, and the rows of the latter."""
        if arm.generated is None:
            return self.data, np.zeros(0, np.int64)
        key = ("generated", arm.generated.fingerprint)
        whole = self._once(key, lambda: _joined(self.data, arm.generated, f"arm {arm.name}"))
        return whole, np.arange(len(self.data), len(whole))

    def _once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


def _joined(data: Dataset, more: Dataset | None, where: str) -> Dataset:
    """One data set of both; items that name no source get ids that no real one has."""
    assert more is not None
    if pixels(more).shape[1:] != pixels(data).shape[1:] or pixels(more).dtype != pixels(data).dtype or more.classes != data.classes:
        expected = f"generated items of {_form(data)} in the classes {', '.join(data.classes)}"
        write = "np.savez(FILE, images=images, labels=labels) of such items"
        raise DataError(where, expected, f"{_form(more)} in {', '.join(more.classes)}", write)
    sources = _GENERATED + more.sources if more.lone else more.sources
    return replace(
        data,
        images=np.concatenate([pixels(data), pixels(more)]),
        labels=np.concatenate([data.labels, more.labels]),
        sources=np.concatenate([data.sources, sources]),
        official_test=np.concatenate([data.official_test, np.zeros(len(more), bool)]),
    )


def _form(data: Dataset) -> str:
    return "text" if data.kind == "text" else f"{pixels(data).dtype} {pixels(data).shape[1:]}"
