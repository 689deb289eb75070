"""A rectangle of another picture."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec, every
from vicinal.core.draw import Draw
from vicinal.core.items import Items, Table, joined
from vicinal.core.mixer import Mixer, Mixture, Params
from vicinal.core.space import SpaceLike
from vicinal.core.transform import parameter, register
from vicinal.mix import cover
from vicinal.mix.fields import alpha_option, beta_weight, min_visible_option, paired

__all__ = ["CutMix"]


@register
@final
class CutMix(Mixer):
    """A rectangle of a partner, at the place where it lies there; the own label weighs the exact share of pixels that stay.

    Masks are pasted along. Own boxes shrink to what the rectangle leaves of them, the partner's to what it shows; those of which too
    little is left are dropped, with all that belongs to them. Keypoints that are covered become invisible.

    Args:
        alpha: the share that stays is drawn from Beta(alpha, alpha), before the rectangle is cut at the canvas; x, y: its centre;
        min_visible, partner, classes: as for every mixer.

    Example:
        >>> black_and_white = np.array([0, 255], np.uint8)[:, None, None, None] + np.zeros((1, 8, 8, 1), np.uint8)
        >>> mixed = CutMix(classes=2)(image=black_and_white, label=[0, 1], seed=0)
        >>> (mixed["image"].mean((1, 2, 3)) / 255).tolist(), mixed["label"][:, 1].tolist()
        ([0.25, 0.234375], [0.25, 0.234375])
    """

    version: ClassVar[int] = 2  # a weight from Beta(1, 1) is the draw itself, without its last rounding
    paper: ClassVar[str] = "Yun et al., CutMix: regularization strategy to train strong classifiers with localizable features, 2019"

    alpha: float = alpha_option()
    x: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the canvas", low=0, high=1)
    y: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the canvas", low=0, high=1)
    min_visible: float = min_visible_option()

    def stronger(self, strength: float) -> Self:
        return self if strength == 1 else replace(self, alpha=self.alpha * strength)

    def drawn(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        return {"weight": beta_weight(draw, self.alpha), "x": self.value(draw, "x"), "y": self.value(draw, "y")}

    def mix(self, params: Params, items: Items, pool: Items, partner: NDArray[np.int64], on: NDArray[np.bool_]) -> Mixture:
        box, other = rectangles(params, items.spec), partner[:, 0]
        box = box if every(on) else box * on[:, None]
        covered = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])
        whole = items.spec.height * items.spec.width
        weight = (whole - covered) / whole
        made = items.but(
            data=items.engine.pasted(items.data, pool.data, other, box, int(items.spec.layout == "CHW")),
            mask=None if items.mask is None or pool.mask is None else items.engine.pasted(items.mask, pool.mask, other, box, 0),
            label=paired(items, pool, other, weight),
        )
        if items.points is None and not items.tables:
            return made, {"weight": weight, "box": box}
        points, tables = None if items.points is None else list(items.points), list(items.tables)
        for row in np.flatnonzero(covered).tolist():
            one = other[row]
            if points is not None and pool.points is not None:
                points[row] = _points(points[row], pool.points[one], box[row])
            if tables:
                tables[row] = self._table(tables[row], pool.tables[one], box[row], made.pictures[row].shape[:2])
        return made.but(tables=tuple(tables), points=points), {"weight": weight, "box": box}

    def _table(self, own: Table, other: Table, box: NDArray, canvas: tuple[int, int]) -> Table:
        return joined(cover.outside(own, box, canvas, self.min_visible), cover.inside(other, box, canvas, self.min_visible))


def _points(own: NDArray, other: NDArray, box: NDArray) -> NDArray:
    kept = cover.unseen(own, cover.within(own, box)) if len(own) else own
    came = cover.brought(other, cover.within(other, box)) if len(other) else other
    return joined({"keypoints": kept}, {"keypoints": came})["keypoints"]


def rectangles(params: Params, spec: Spec) -> NDArray[np.int64]:
    """(B, 4) rectangles x0, y0, x1, y1 of whole pixels, cut at the canvas."""
    box, place, size = np.empty((len(spec), 4), np.int64), np.empty((len(spec), 2)), spec.size[:, ::-1]
    place[:, 0], place[:, 1] = params["x"], params["y"]
    side = np.rint(size * np.sqrt(1 - params["weight"])[:, None]).astype(np.int64)
    start = (size * place).astype(np.int64) - (side >> 1)
    np.maximum(start, 0, out=box[:, :2])
    np.minimum(start + side, size, out=box[:, 2:])
    return box
