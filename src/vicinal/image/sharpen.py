"""Transforms that bring out edges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.primitive import Effect, Filter, everywhere
from vicinal.core.space import SpaceLike
from vicinal.core.transform import Transform, parameter, register
from vicinal.image.blur import gaussian
from vicinal.image.fields import Params

__all__ = ["Emboss", "Sharpen", "UnsharpMask"]


def _beside(amount: NDArray, change: list[list[float]], over: int) -> Filter:
    """The image plus ``amount`` times a 3x3 kernel, whose weights are given as multiples of 1 / over."""
    same = np.zeros((3, 3))
    same[1, 1] = 1
    return Filter((same + amount[:, None, None] * np.array(change) / over,), everywhere(len(amount)))


@register
@final
class Sharpen(Transform):
    """Move away from the image smoothed by Pillow's 3x3 kernel; towards it where the amount is negative.

    Pillow's ``ImageEnhance.Sharpness(1 + amount)``, except that the outermost pixels are treated like all others.

    Args:
        amount: how far: 0 changes nothing, -1 is the smoothed image.

    Example:
        >>> Sharpen(amount=1)(np.array([[100, 100, 139, 100, 100]], np.uint8), seed=0).tolist()
        [[100, 91, 157, 91, 100]]
    """

    verb: ClassVar[str] = "filter"
    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"amount": (0, 2)}

    amount: SpaceLike = parameter(unit="times", low=-1, high=100, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Filter]:
        return [_beside(params["amount"], [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], 13)]


@register
@final
class UnsharpMask(Transform):
    """Add what a Gaussian blur takes away; outside the canvas values are mirrored.

    Args:
        sigma: of the Gaussian; amount: how often the difference is added; threshold: smaller differences are left alone.

    Example:
        >>> UnsharpMask(sigma=1, amount=1)(np.array([[100, 100, 150, 100, 100]], np.uint8), seed=0).tolist()
        [[95, 88, 180, 88, 95]]
    """

    verb: ClassVar[str] = "filter"
    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"amount": (0, 2)}

    amount: SpaceLike = parameter(unit="times", low=0, high=100, neutral=0)
    sigma: SpaceLike = parameter(default=1.0, unit="pixels", low=0, high=100, neutral=0)
    threshold: SpaceLike = parameter(default=0.0, unit="shares of the value range", low=0, high=1)

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        arguments = {"rows": gaussian(params["sigma"]), "amount": params["amount"], "threshold": params["threshold"]}
        return [Effect("sharpen.unsharp", everywhere(len(spec)), arguments)]


@register
@final
class Emboss(Transform):
    """Add a relief lit from the upper left: the difference of each value's lower right and upper left neighbours.

    Args:
        amount: how often it is added.

    Example:
        >>> Emboss(amount=1)(np.array([[100, 100, 120, 120, 120]], np.uint8), seed=0).tolist()
        [[100, 160, 180, 120, 120]]
    """

    verb: ClassVar[str] = "filter"
    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"amount": (0, 1)}

    amount: SpaceLike = parameter(unit="times", low=0, high=100, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Filter]:
        return [_beside(params["amount"], [[-2, -1, 0], [-1, 0, 1], [0, 1, 2]], 1)]
