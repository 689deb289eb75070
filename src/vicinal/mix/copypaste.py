"""Objects of another picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.draw import philox
from vicinal.core.items import Items, Table, chosen, count, joined
from vicinal.core.mixer import Mixer, Mixture, Params
from vicinal.core.space import SpaceLike
from vicinal.core.targets.dense import copied
from vicinal.core.transform import parameter, register
from vicinal.mix import cover
from vicinal.mix.fields import min_visible_option, paired

__all__ = ["CopyPaste"]


@register
@final
class CopyPaste(Mixer):
    """Some objects of a partner, cut out by their instance masks and pasted where they lie there; without masks, their boxes are cut out.

    What is pasted over loses its pixels: own masks are cut, own boxes are taken anew around what is left of them, and instances of which
    too little is left are dropped with all that belongs to them. A class mask is pasted along; a class label weighs the share of pixels.

    Args:
        share: the probability with which each object of the partner is pasted; min_visible, partner, classes: as for every mixer.

    Example:
        >>> images = np.array([0, 255], np.uint8)[:, None, None, None] + np.zeros((1, 4, 4, 1), np.uint8)
        >>> mixed = CopyPaste(share=1)(image=images, boxes=np.array([[[0, 0, 2, 2]], [[1, 0, 4, 1]]]), seed=0)
        >>> mixed["image"][0, ..., 0].tolist(), mixed["boxes"][0].tolist(), mixed.kept[0].tolist()
        ([[0, 255, 255, 255], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], [[0.0, 0.0, 2.0, 2.0], [1.0, 0.0, 4.0, 1.0]], [0, -1])
    """

    paper: ClassVar[str] = "Ghiasi et al., Simple copy-paste is a strong data augmentation method for instance segmentation, 2021"
    example: ClassVar[Mapping[str, Any]] = {"share": 0.8}
    keys: ClassVar[tuple[str, ...]] = ("key",)
    instances: ClassVar[bool] = True

    share: SpaceLike = parameter(default=0.5, unit="shares of the objects", low=0, high=1, neutral=0)
    min_visible: float = min_visible_option()

    def mix(self, params: Params, items: Items, pool: Items, partner: NDArray[np.int64], on: NDArray[np.bool_]) -> Mixture:
        data, mask, other = copied(items.data), None if items.mask is None else copied(items.mask), partner[:, 0]
        made, tables, points = items.but(data=data, mask=mask), list(items.tables), None if items.points is None else list(items.points)
        shown, theirs = made.pictures, pool.pictures
        weight, box = np.ones(len(items)), np.zeros((len(items), 4), np.int64)
        taken = _taken([count(pool.tables[row]) for row in other], params["key"], params["share"])
        for row in np.flatnonzero(on).tolist():
            table = pool.tables[other[row]]
            picked = chosen(table, taken[row, : count(table)])
            shape = shown[row].shape[:2]
            pasted = np.asarray(_shapes(picked, shape).any(0))
            if not pasted.any():
                continue
            weight[row], box[row] = 1 - pasted.mean(), cover.around(pasted[None])[0]
            shown[row][pasted] = theirs[other[row]][pasted]
            if mask is not None and pool.mask is not None:
                mask[row][pasted] = pool.mask[other[row]][pasted]
            tables[row] = joined(cover.beneath(tables[row], pasted, self.min_visible), picked)
            if points is not None and pool.points is not None:
                points[row] = _points(points[row], pool.points[other[row]], pasted)
        label = paired(items, pool, other, weight)
        return made.but(label=label, tables=tuple(tables), points=points), {"weight": weight, "box": box}


def _taken(counts: list[int], key: NDArray[np.uint32], share: NDArray) -> NDArray[np.bool_]:
    """(B, most) which objects are pasted: a coin each, thrown by its number, so that how many there are decides nothing."""
    counter = np.zeros((4, len(counts), max(counts, default=0)), np.uint64)
    counter[0] = np.arange(counter.shape[2])
    return (philox(counter, key.T[..., None])[0] + 0.5) * 2.0**-32 < share[:, None]


def _shapes(table: Table, canvas: tuple[int, int]) -> NDArray[np.bool_]:
    return table["masks"] != 0 if "masks" in table else cover.filled(table["boxes"], canvas)


def _points(own: NDArray, other: NDArray, pasted: NDArray[np.bool_]) -> NDArray:
    kept = cover.unseen(own, cover.at(pasted, own)) if len(own) else own
    came = cover.brought(other, cover.at(pasted, other)) if len(other) else other
    return joined({"keypoints": kept}, {"keypoints": came})["keypoints"]
