"""Transforms that act on the objects of a mask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.draw import Draw
from vicinal.core.primitive import Hide, everywhere
from vicinal.core.space import SpaceLike
from vicinal.core.targets.masks import among
from vicinal.core.transform import Transform, parameter, register
from vicinal.image.fields import Params

__all__ = ["MaskDropout"]

MOST = 64


@register
@final
class MaskDropout(Transform):
    """Erase some objects from the image and from its annotations: instances where ``masks`` are given, else values of the label ``mask``.

    An instance loses its mask, box, label and keypoints; a value becomes 0 in the mask. Without masks nothing happens.

    Args:
        count: how many objects, of those that there are (the first 64 of a sample); fill: what their place shows.

    Example:
        >>> mask = np.array([[0, 7], [7, 7]], np.uint8)
        >>> out = MaskDropout(count=1)(image=np.full((2, 2), 9, np.uint8), mask=mask, seed=0)
        >>> out["image"].tolist(), out["mask"].tolist()
        ([[9, 0], [0, 0]], [[0, 0], [0, 0]])
    """

    verb: ClassVar[str] = "mix"
    bounded: ClassVar[bool] = True
    looks: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"count": (0, 2)}

    count: SpaceLike = parameter(default=1, unit="objects", low=0, high=MOST, neutral=0, integer=True)
    fill: SpaceLike = parameter(default=0.0, unit="shares of the value range", low=0, high=1)

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        return Transform.sample(self, draw, spec) | {"order": draw.units("order", MOST)}

    def lower(self, params: Params, spec: Spec) -> list[Hide]:
        objects = None if spec.scene is None else spec.scene.objects()
        if objects is None:
            return []
        columns: list[NDArray] = [np.empty(len(spec), object) for _ in range(3)]
        for row, (names, held) in enumerate(objects):
            ranked = np.argsort(params["order"][row, : len(names)], kind="stable")[: int(params["count"][row])]
            chosen, bound = np.sort(names[:MOST][ranked]), held.ndim == 3
            if len(chosen):
                columns[0][row] = held[chosen].any(0) if bound else among(held, chosen)
            columns[1][row], columns[2][row] = ((), chosen) if bound else (chosen, ())
            columns[2][row] = np.asarray(columns[2][row], np.int64)
        return [Hide(columns[0], params["fill"], columns[1], columns[2], everywhere(len(spec)))]
