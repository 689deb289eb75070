"""Transforms that take something away."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np

from vicinal.core.batch import Spec
from vicinal.core.primitive import Patch, everywhere
from vicinal.core.space import SpaceLike
from vicinal.core.transform import Transform, parameter, register
from vicinal.image.fields import Params

__all__ = ["Erase"]


@register
@final
class Erase(Transform):
    """One value in a rectangle, which lies wholly on the canvas; boxes, masks and keypoints stay.

    Args:
        area: share of the canvas; ratio: width over height; x, y: where it lies, as shares of the free room; fill: its value.

    Example:
        >>> int(Erase(area=0.25, ratio=1, fill=1)(np.zeros((4, 4), np.uint8), seed=0).sum()) // 255
        4
    """

    verb: ClassVar[str] = "mix"
    bounded: ClassVar[bool] = True
    paper: ClassVar[str] = "Zhong et al., Random erasing data augmentation, 2020; DeVries and Taylor, Cutout, 2017"

    area: SpaceLike = parameter((0.02, 0.33), unit="shares of the canvas", low=0, high=1, neutral=0)
    ratio: SpaceLike = parameter({"log": [0.3, 3.3]}, unit="times wider than high", low=0.01, high=100)
    x: SpaceLike = parameter((0.0, 1.0), unit="shares of the free room", low=0, high=1)
    y: SpaceLike = parameter((0.0, 1.0), unit="shares of the free room", low=0, high=1)
    fill: SpaceLike = parameter(0.0, unit="shares of the value range", low=0, high=1)

    def lower(self, params: Params, spec: Spec) -> list[Patch]:
        pixels = params["area"] * spec.width * spec.height
        width = np.minimum(np.rint(np.sqrt(pixels * params["ratio"])), spec.width)
        height = np.minimum(np.rint(pixels / np.maximum(width, 1)), spec.height) * (width > 0)
        left = np.floor((spec.width - width + 1) * params["x"]).clip(0, spec.width - width)
        top = np.floor((spec.height - height + 1) * params["y"]).clip(0, spec.height - height)
        box = np.stack([left, top, left + width, top + height], 1).astype(np.int64)
        return [Patch(box, params["fill"], everywhere(len(spec)))]
