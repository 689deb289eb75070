"""The contract of a mixer: a transform in which other samples come in.

It stands at the end of a policy, before or behind casts. It draws like every transform; what it lowers to is no pass of a backend but a
``Mix``, which acts on the batch once all passes before it have run and all targets have followed.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec, every, some
from vicinal.core.compose import Compose, Views, paths, spliced
from vicinal.core.draw import Draw
from vicinal.core.errors import TargetError
from vicinal.core.items import Items
from vicinal.core.mixing import Mix
from vicinal.core.primitive import everywhere
from vicinal.core.transform import Node, Transform, option

Params = Mapping[str, NDArray]
Mixture = tuple[Items, dict[str, NDArray]]
"""The items after a mixer, and what was done: "weight" (B, ...) shares of the label, "box" (B, ..., 4) places."""


def _is_count(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= 1)


@dataclass(frozen=True, repr=False)
class Mixer(Transform):
    """Abstract: mixes samples with partners.

    Class facts, besides those of a transform:
        partners: how many partners each sample draws.
        one_size: True where a sample and its partner must have one size.
        instances: True where it acts on instances alone, so that boxes or instance masks must be given.
        hides: True where something may be covered, so that keypoints need a visibility.

    Args:
        partner: "batch" takes partners from the batch, never the sample itself; a batch of one has none and stays as it is. "dataset" takes
            them from ``source``, which the call brings, so that a sample does not depend on its batch.
        classes: the number of classes, where labels are class numbers.
    """

    verb: ClassVar[str] = "mix"
    mixes: ClassVar[bool] = True
    partners: ClassVar[int] = 1
    one_size: ClassVar[bool] = True
    instances: ClassVar[bool] = False
    hides: ClassVar[bool] = True

    partner: str = option(default="batch", choices=("batch", "dataset"), doc="where partners come from")
    classes: int | None = option(
        default=None, expected="None, or a whole number of 1 or more", admits=_is_count, doc="for labels that are numbers"
    )

    @abstractmethod
    def mix(self, params: Params, items: Items, pool: Items, partner: NDArray[np.int64], on: NDArray[np.bool_]) -> Mixture:
        """New items, sharing no memory with the given ones: samples that are on, mixed with ``pool`` at the rows ``partner`` (B, k)."""

    def canvas(self, spec: Spec) -> NDArray[np.int64] | None:
        """(B, 2) height and width of what comes out, None where they stay."""
        return None

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        return self.drawn(draw, spec) | {"partner": draw.units("partner", self.partners)}

    def drawn(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        """(B, ...) everything that is drawn besides the partners."""
        return Transform.sample(self, draw, spec)

    @final
    def lower(self, params: Params, spec: Spec) -> list[Mix]:
        return [Mix(self, dict(params), everywhere(len(spec)), self.canvas(spec))]

    @final
    def before(self, policy: Node, path: str) -> Node:
        """The part of a policy before the top-level node in which this mixer stands, with the same draws."""
        policy = getattr(policy, "policy", policy)  # a recipe of one view holds its policy
        if not isinstance(policy, (Compose, Views)):
            return Compose(())
        nodes = tuple(spliced(policy.of))
        earlier = nodes[: paths(nodes, "").index(path.split("/")[0])]
        return replace(policy, of=earlier) if isinstance(policy, Compose) else Compose(earlier)

    @final
    def act(self, mix: Mix, items: Items, pool: Items, where: NDArray, number: NDArray, beside: NDArray[np.bool_]) -> Mixture:
        """Check that the partners fit, mix, and say who they were: "partner" (B, k), -1 where nothing was mixed.

        Samples without anyone ``beside`` them stay as they are, unless the canvas changes: then they are their own partners.
        """
        mixed = mix.active & beside
        on = mixed if mix.canvas is None else mix.active
        if some(on):
            self._fit(items, pool)
        made, done = self.mix(mix.params, items, pool, where, on)
        partner = number if every(mixed) else np.where(mixed[:, None], number, -1)
        made = made if mix.canvas is None else made.but(spec=mix.spec(items.spec))
        return made, {"partner": partner[:, 0] if self.partners == 1 else partner, **done}

    def _fit(self, items: Items, pool: Items) -> None:
        if pool is not items:
            self._of_one_form(items, pool)
        if self.one_size:
            self._one_size(items.spec, pool.spec)

    def _of_one_form(self, items: Items, pool: Items) -> None:
        for fact in ("channels", "dtype", "layout"):
            mine, theirs = getattr(items.spec, fact), getattr(pool.spec, fact)
            if mine != theirs:
                write = "a source of such images, or partner='batch' and no source"
                raise TargetError(f"{self.label}: partners", f"images of {fact} {mine}", f"{theirs}", write)
        if _structure(items) != _structure(pool):
            expected = "labels and keypoints bound to boxes in partners as in the samples, or in neither"
            raise TargetError(f"{self.label}: partners", expected, "one of each", "one label, or row of keypoints, for every box")

    def _one_size(self, mine: Spec, theirs: Spec) -> None:
        if mine.equal and (theirs is mine or (theirs.equal and mine.size[0].tolist() == theirs.size[0].tolist())):
            return
        size = mine.size if theirs is mine else np.concatenate([mine.size, theirs.size])
        got = " and ".join("x".join(map(str, one)) for one in np.unique(size, axis=0)[:2])
        write = f"Resize(size=({size[0, 0]}, {size[0, 1]})) | {self.label}()"
        raise TargetError(self.label, "images of one size, because partners are laid over each other", got, write)

    def check(self, items: Items, canvases: bool) -> None:
        """Refuse items that cannot be mixed, whatever will be drawn; ``canvases`` says that another mixer may change sizes before."""
        if self.one_size and self.partner == "batch" and not canvases:
            self._one_size(items.spec, items.spec)
        if self.instances and not items.tables:
            raise TargetError(self.label, "instances: masks of (N, H, W), or boxes", "neither", "policy(image=images, boxes=boxes)")
        if self.hides and any(_unflagged(part) for part in _all_points(items)):
            expected = "a third column, the visibility: what is pasted hides points"
            raise TargetError("keypoints", expected, "two columns", "np.c_[points, np.ones(len(points))]")


def _structure(items: Items) -> tuple[bool, bool, frozenset[str]]:
    """Which targets are there, and which of them belong to instances."""
    return items.label is None, items.points is None, frozenset(name for table in items.tables[:1] for name in table)


def _all_points(items: Items) -> list[NDArray]:
    return [*(items.points or ()), *(table["keypoints"] for table in items.tables if "keypoints" in table)]


def _unflagged(points: NDArray) -> bool:
    return points.size > 0 and points.shape[-1] == 2
