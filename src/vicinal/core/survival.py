"""What a policy does to annotations: per class and operation, what is dropped, truncated and shrunk. No pixel is touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.draw import Draw
from vicinal.core.inputs import Inputs, named_targets, read, wrapped
from vicinal.core.lives import Counter, Lives
from vicinal.core.plan import unfused
from vicinal.core.run import addressed

if TYPE_CHECKING:
    from vicinal.core.transform import Node

_PIECE = 32  # pictures of a data set that are followed at once
_FILE_FAULTS = MappingProxyType({"invalid": "unusable", "repaired": "clipped", "crowd": "crowds left out"})


class Annotations(Protocol):
    """A data set whose annotations can be counted without its pixels, such as ``vicinal.data.Annotated``."""

    @property
    def classes(self) -> Sequence[str]: ...
    @property
    def sizes(self) -> NDArray[np.int64]: ...
    @property
    def losses(self) -> Any: ...
    def targets(self, rows: NDArray[np.int64]) -> dict[str, Any]: ...


@final
@dataclass(frozen=True, eq=False)
class Survival:
    """The fate of annotated instances under a policy, over all epochs.

    Args:
        classes: (K,) names; operations: (P,) addresses of the operations that move something or take objects out.
        given, invalid, repaired, kept: (K,) how many instances came, were unusable, were clipped before anything moved, and stayed.
        dropped, truncated, shrunk: (K, P) how many each operation dropped, cut first, or made shorter than ``small`` pixels first. What the
            boxes' ``min_size`` drops in the end was dropped by the operation that made it so small.
        files: of a data set, what was left out when its files were read, once and not in every epoch: (K,) ``invalid``, ``repaired`` and
            ``crowd`` instances, and how many annotations without a picture ("missing") and pictures without annotations ("unlabelled").
    """

    classes: tuple[str, ...]
    operations: tuple[str, ...]
    given: NDArray[np.int64]
    invalid: NDArray[np.int64]
    repaired: NDArray[np.int64]
    kept: NDArray[np.int64]
    dropped: NDArray[np.int64]
    truncated: NDArray[np.int64]
    shrunk: NDArray[np.int64]
    small: float
    files: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {name: _listed(value) for name, value in vars(self).items()}

    def __str__(self) -> str:
        width = max([5, *(len(name) for name in self.classes)])
        head = f"{'class':<{width}} {'given':>7} {'kept':>7} {'invalid':>8} {'repaired':>9} {'dropped':>8} {'truncated':>10} {'shrunk':>7}"
        lines = [head]
        for k, name in enumerate(self.classes):
            fates = f"{self.dropped[k].sum():>8} {self.truncated[k].sum():>10} {self.shrunk[k].sum():>7}"
            lines.append(f"{name:<{width}} {self.given[k]:>7} {self.kept[k]:>7} {self.invalid[k]:>8} {self.repaired[k]:>9} {fates}")
        for p, path in enumerate(self.operations):
            many = f"dropped {self.dropped[:, p].sum()}, truncated {self.truncated[:, p].sum()}, shrunk {self.shrunk[:, p].sum()}"
            lines.append(f"  {path}: {many} (below {self.small:g} px)")
        return "\n".join([*lines, *self._of_files()])

    def _of_files(self) -> list[str]:
        if not self.files:
            return []
        told = {name: int(np.sum(value)) for name, value in self.files.items()}
        words = {"missing": "annotations without a picture", "unlabelled": "pictures without annotations"} | _FILE_FAULTS
        lines = ["in the files: " + ", ".join(f"{word} {told[kind]}" for kind, word in words.items())]
        for k, name in enumerate(self.classes):
            bad = [f"{word} {self.files[kind][k]}" for kind, word in _FILE_FAULTS.items() if self.files[kind][k]]
            lines += [f"  {name}: {', '.join(bad)}"] if bad else []
        return lines


def _listed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _listed(one) for name, one in value.items()}
    return value.tolist() if isinstance(value, np.ndarray) else value


def survival(policy: Node, data: Annotations | None = None, *, seed: int = 0, epochs: int = 10, index: Any = None, small: float = 8.0,
             **targets: Any) -> Survival:  # fmt: skip
    """Count what a policy does to annotated instances, over several epochs of draws, without touching the pixels of images.

    An instance stays if its box, its mask and its polygon stay, as far as they are given; ``tight`` boxes are measured as they fit.
    What mixers bring in or cover is not counted.

    Args:
        policy: what to do; data: a data set as ``vicinal.data.read_annotations`` gives it; then ``targets`` are functions of (B,) positions
            that take the place of its own, such as ``boxes=lambda rows: v.Boxes(data.targets(rows)["boxes"], min_visible=0.3)``.
        targets: without a data set, a batch as in a call: ``image`` (only its size matters), ``boxes``, ``label`` with one class an
            instance, if there are classes, and ``masks`` and ``polygons``, if there are any.
        small: pixels; an instance whose shorter side falls below this counts as shrunk.

    Raises:
        TargetError: where there are no boxes.

    Example:
        >>> import vicinal as v
        >>> image, boxes = np.zeros((20, 20, 3), np.uint8), [[0.0, 0, 10, 10], [10.0, 10, 20, 20]]
        >>> told = v.survival(v.Translate(x=-12), image=image, boxes=boxes, label=["cat", "dog"], epochs=1)
        >>> told.classes, told.dropped.ravel().tolist(), told.truncated.ravel().tolist()
        (('cat', 'dog'), [1, 0], [0, 1])
    """
    counter = Counter(small)
    pieces = [(read(named_targets(policy, (), targets)), index)] if data is None else _pieces(data, targets, index)
    for inputs, where in pieces:
        lives = Lives(inputs, counter)
        for epoch in range(epochs):
            address = addressed(inputs.spec, seed, epoch, where, 0)
            lives.add(unfused(policy, Draw(address), inputs.spec, inputs))
    return _told(counter, data)


def _pieces(data: Annotations, changed: Mapping[str, Any], index: Any) -> Iterator[tuple[Inputs, NDArray[np.int64]]]:
    """A data set in batches, with blank canvases of the pictures' sizes."""
    for start in range(0, len(data.sizes), _PIECE):
        rows = np.arange(len(data.sizes))[start : start + _PIECE]
        named = data.targets(rows)
        named["label"] = [[data.classes[number] for number in part] for part in named["label"]]
        named |= {name: of(rows) for name, of in changed.items()}
        spec = Spec.of(data.sizes[rows], targets=frozenset({"image", *named}))
        held = {name: wrapped(name, value, False) for name, value in named.items()}
        yield Inputs("image", [], False, False, False, held, spec), rows if index is None else np.asarray(index)[rows]


def _told(counter: Counter, data: Annotations | None) -> Survival:
    """The counts by class and operation, and what the files of a data set lost."""
    classes = counter.classes() if data is None else tuple(data.classes)
    operations = tuple(dict.fromkeys(path for _, path in counter.counts if path))
    totals = {kind: counter.column(kind, "", classes) for kind in ("given", "invalid", "repaired", "kept")}
    fates = {kind: [counter.column(kind, path, classes) for path in operations] for kind in ("dropped", "truncated", "shrunk")}
    columns = {kind: np.stack(held, 1) if held else np.zeros((len(classes), 0), np.int64) for kind, held in fates.items()}
    losses = {} if data is None else vars(data.losses)
    counted = {name: len(value) if isinstance(value, tuple) else value for name, value in losses.items()}
    return Survival(classes, operations, small=counter.small, files=counted, **totals, **columns)
