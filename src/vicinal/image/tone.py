"""Tone: curves through the values, the same at every pixel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.draw import Draw
from vicinal.core.primitive import Pointwise, everywhere
from vicinal.core.space import SpaceLike
from vicinal.core.steps import Curve
from vicinal.core.steps import Posterize as PosterizeStep
from vicinal.core.steps import Solarize as SolarizeStep
from vicinal.core.transform import Transform, parameter, register
from vicinal.image.fields import Params, switch

__all__ = ["Posterize", "Solarize", "ToneCurve"]

_KNOTS = np.arange(256) / 255
_THIRD = 1 / 3


@register
@final
class ToneCurve(Transform):
    """Bend the tones by a cubic Bezier curve from black to white: a higher ``low`` lifts shadows, a higher ``high`` lights.

    Black and white stay. With 1/3 and 2/3 the curve is straight; Albumentations' RandomToneCurve draws around 0.25 and 0.75.

    Args:
        low, high: heights of the two inner control points, which stand at 1/3 and 2/3; per_channel: a curve of its own for each channel.

    Example:
        >>> ToneCurve(low=0.1, high=0.9)(np.array([[0, 64, 128, 192, 255]], np.uint8), seed=0).tolist()
        [[0, 47, 128, 209, 255]]
    """

    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"low": (0.1, 0.5), "high": (0.5, 0.9)}

    low: SpaceLike = parameter(unit="shares of the value range", low=0, high=1, neutral=_THIRD)
    high: SpaceLike = parameter(unit="shares of the value range", low=0, high=1, neutral=2 * _THIRD)
    per_channel: bool = switch(False, "a curve of its own for each channel")

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        if not self.per_channel:
            return {name: self.value(draw, name)[:, None] for name in ("low", "high")}
        return {name: _each(self.spaces()[name], draw.units(name, spec.channels)) for name in ("low", "high")}

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        low, high, x = params["low"][:, None], params["high"][:, None], _KNOTS[:, None]
        curve = 3 * (1 - x) ** 2 * x * low + 3 * (1 - x) * x**2 * high + x**3
        # Where it is straight the knots are exact, so that a bent neighbour among the channels changes nothing.
        curve = np.where((low == _THIRD) & (high == 2 * _THIRD), x, curve)
        bent = ((low != _THIRD) | (high != 2 * _THIRD)).any(2)
        return [Pointwise((Curve(curve if self.per_channel else curve[..., 0], bent.astype(float)),), everywhere(len(spec)))]


def _each(space: Any, units: NDArray) -> NDArray:
    """(B, C) values of a space at (B, C) quantiles."""
    return np.stack([space.at(column) for column in units.T], 1)


@register
@final
class Solarize(Transform):
    """Invert all values of ``threshold`` or more.

    Args:
        threshold: 1 inverts white alone; 256 / 255, which no value reaches, inverts nothing.

    Example:
        >>> Solarize(threshold=0.5)(np.array([[0, 127, 128, 255]], np.uint8), seed=0).tolist()
        [[0, 127, 127, 0]]
    """

    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"threshold": (0.3, 0.9)}

    threshold: SpaceLike = parameter(unit="shares of the value range", low=0, high=256 / 255, neutral=256 / 255)

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        return [Pointwise((SolarizeStep(params["threshold"][:, None]),), everywhere(len(spec)))]


@register
@final
class Posterize(Transform):
    """Keep the highest bits of the 8-bit value. Images of other dtypes take the values of those levels too.

    Args:
        bits: how many are kept; 8 leaves an image of any dtype as it is.

    Example:
        >>> Posterize(bits=2)(np.array([[0, 63, 64, 200, 255]], np.uint8), seed=0).tolist()
        [[0, 0, 64, 192, 192]]
    """

    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"bits": (3, 6)}

    bits: SpaceLike = parameter(unit="bits", low=1, high=8, neutral=8, integer=True)

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        bits = params["bits"][:, None]
        return [Pointwise((PosterizeStep(np.where(bits < 8, 2.0 ** (8 - bits), 0.0)),), everywhere(len(spec)))]
