"""Labels: of the sample, or one an instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

import numpy as np

from vicinal.core.errors import ParameterError
from vicinal.core.targets.base import Known, Target, Way
from vicinal.core.targets.rows import counted


@final
@dataclass(frozen=True, eq=False)
class Labels(Target):
    """Anything; one entry an instance drops with its instance. A plain value under the name ``label`` is taken for it.

    Args:
        data: one entry a sample, or for each sample one entry an instance.
        swap: names that change places when the image is mirrored, such as {"left": "right"}; both directions are meant.

    Example:
        >>> import vicinal as v, numpy as np
        >>> side = v.Labels("left", swap={"left": "right"})
        >>> v.HorizontalFlip()(image=np.zeros((8, 10, 3), np.uint8), label=side, seed=0)["label"]
        'right'
    """

    data: Any
    swap: Mapping[Any, Any] = field(default_factory=dict)
    kind: ClassVar[str] = "label"

    def __post_init__(self) -> None:
        if not self.swap:
            return
        both = [*self.swap.keys(), *self.swap.values()]
        if len(set(both)) != len(both):
            raise ParameterError("Labels.swap", "pairs in which every name stands once", repr(dict(self.swap)), "swap={'left': 'right'}")

    def follow(self, name: str, way: Way, known: Known) -> Any:
        counted(self.data, len(way.before), name)
        if known.table is None and not self.swap:
            return self.data
        labels = list(self.data)
        kept = known.keep(labels)
        if all(a is b for a, b in zip(kept, labels, strict=True)) and not self.swap:
            return self.data
        if not self.swap:
            return kept
        return [self._swapped(label) if turned else label for label, turned in zip(kept, way.reflected(), strict=True)]

    def _swapped(self, label: Any) -> Any:
        pairs = dict(self.swap) | {b: a for a, b in self.swap.items()}
        if isinstance(label, np.ndarray) and label.ndim:
            return np.array([pairs.get(item, item) for item in label.tolist()], label.dtype)
        if isinstance(label, (list, tuple)):
            return [pairs.get(item, item) for item in label]
        return pairs.get(label.item() if isinstance(label, np.generic) else label, label)
