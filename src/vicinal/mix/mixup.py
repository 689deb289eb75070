"""Averages of whole pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec, every, filled
from vicinal.core.draw import Draw
from vicinal.core.errors import TargetError
from vicinal.core.items import Items, joined
from vicinal.core.mixer import Mixer, Mixture, Params
from vicinal.core.transform import register
from vicinal.mix.fields import alpha_option, beta_weight, paired

__all__ = ["MixUp"]


@register
@final
class MixUp(Mixer):
    """The average of a picture and a partner, and of their labels, with a weight of its own for every sample.

    Boxes and keypoints of both are there; a float mask is averaged, a mask of class numbers cannot be and is an error.

    Args:
        alpha: the own weight is drawn from Beta(alpha, alpha); partner, classes: as for every mixer.

    Example:
        >>> mixed = MixUp(classes=2)(image=np.array([[[[0]]], [[[200]]]], np.uint8), label=[0, 1], seed=0)
        >>> mixed["image"].ravel().tolist(), np.rint(200 * mixed["label"][:, 1]).tolist()
        ([26, 151], [26.0, 151.0])
    """

    version: ClassVar[int] = 2  # a weight from Beta(1, 1) is the draw itself, without its last rounding
    paper: ClassVar[str] = "Zhang et al., mixup: beyond empirical risk minimization, 2018"
    hides: ClassVar[bool] = False

    alpha: float = alpha_option()

    def stronger(self, strength: float) -> Self:
        return self if strength == 1 else replace(self, alpha=self.alpha * strength)

    def drawn(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        return {"weight": beta_weight(draw, self.alpha)}

    def check(self, items: Items, canvases: bool) -> None:
        Mixer.check(self, items, canvases)
        if items.mask is not None and items.mask[0].dtype.kind != "f":
            expected, advice = "a float mask of weights: class numbers have no average", "CutMix(), or a mask (H, W, classes) of float32"
            raise TargetError("mask", expected, str(items.mask[0].dtype), advice)

    def mix(self, params: Params, items: Items, pool: Items, partner: NDArray[np.int64], on: NDArray[np.bool_]) -> Mixture:
        all_on, other = every(on), partner[:, 0]
        weight = params["weight"] if all_on else np.where(on, params["weight"], 1.0)
        made = items.but(
            data=items.engine.blended(items.data, pool.data, other, weight),
            mask=None if items.mask is None or pool.mask is None else items.engine.blended(items.mask, pool.mask, other, weight),
            label=paired(items, pool, other, weight),
            points=_points(items, pool, other, on),
            tables=tuple([joined(table, pool.tables[other[row]]) if on[row] else table for row, table in enumerate(items.tables)]),
        )
        box = _whole(items.spec)
        return made, {"weight": weight, "box": box if all_on else box * on[:, None]}


def _points(items: Items, pool: Items, other: NDArray, on: NDArray) -> list[NDArray] | None:
    if items.points is None or pool.points is None:
        return None
    tables = ({"points": part} for part in items.points)
    return [
        joined(table, {"points": pool.points[other[row]]})["points"] if on[row] else table["points"] for row, table in enumerate(tables)
    ]


def _whole(spec: Spec) -> NDArray[np.int64]:
    """(B, 4) the whole canvas."""
    box = filled((len(spec), 4), 0, np.int64)
    box[:, 2:] = spec.size[:, ::-1]
    return box
