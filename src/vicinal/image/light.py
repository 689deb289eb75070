"""Transforms of light: gradients and spots, fractal brightness and contrast, the fall-off of a lens."""

from __future__ import annotations

from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec, filled
from vicinal.core.primitive import Effect
from vicinal.core.space import SpaceLike
from vicinal.core.transform import Transform, option, parameter, register
from vicinal.image.fields import Params

__all__ = ["Illumination", "PlasmaBrightness", "PlasmaContrast", "PlasmaShadow", "Vignette"]

_EBERT = "Fournier, Fussell and Carpenter, Computer rendering of stochastic models, 1982; Nicolaou et al., TorMentor, 2022"


def tint(colour: tuple[float, float, float], spec: Spec) -> NDArray[np.float64]:
    """(B, C) a colour for three channels; its luma for any other number of them."""
    shown = colour if spec.channels == 3 else (float(np.dot(colour, (0.299, 0.587, 0.114))),) * spec.channels
    return filled((len(spec), spec.channels), shown)


def grey(values: NDArray, spec: Spec) -> NDArray[np.float64]:
    """(B, C) one grey a sample."""
    return np.repeat(np.asarray(values, float)[:, None], spec.channels, 1)


def veil(params: Params, spec: Spec, on: NDArray, colour: NDArray, *, cells: Any, roughness: Any, low: Any, high: Any, cover: Any = 1.0,
         soft: Any = 1.0, added: bool = False) -> Effect:  # fmt: skip
    """Fractal noise through which values are drawn to a colour, from ``low`` to ``high``; numbers or (B,) arrays."""
    columns = [np.broadcast_to(np.asarray(value, float), (len(spec),)) for value in (cells, roughness, cover, soft, low, high)]
    arguments = {"key": params["key"], "settings": np.stack(columns, 1), "colour": colour}
    return Effect("veil.fractal_veil", on, arguments, (("added", added),))


@register
@final
class Illumination(Transform):
    """Multiply by a gradient of light: across the canvas, out of a corner, or around a spot.

    A positive strength brightens, a negative one darkens. With "linear" the edge that ``angle`` points to is multiplied by
    1 + strength and the opposite one by 1 - strength; with "corner" it is 1 + strength in the corner that ``angle`` points to and 1 in the
    opposite one, linear in the distance; with "gaussian" it is 1 + strength at (x, y) and falls off to 1 with ``spread``.

    Args:
        angle: 0 points right, 90 down; x, y, spread: of the spot (spread is the standard deviation).

    Example:
        >>> Illumination(strength=0.5, angle=0)(np.full((1, 2, 1), 100, np.uint8), seed=0).ravel().tolist()
        [75, 125]
    """

    bounded: ClassVar[bool] = True

    strength: SpaceLike = parameter(default=(-0.4, 0.4), unit="shares of the value", low=-1, high=4, neutral=0)
    angle: SpaceLike = parameter(default=(0.0, 360.0), unit="degrees", low=-360, high=360)
    x: SpaceLike = parameter(default=(0.1, 0.9), unit="shares of the width", low=-1, high=2)
    y: SpaceLike = parameter(default=(0.1, 0.9), unit="shares of the height", low=-1, high=2)
    spread: SpaceLike = parameter(default=(0.2, 0.6), unit="shares of the longer side", low=0.01, high=10)
    shape: str = option(default="linear", choices=("linear", "corner", "gaussian"), doc="how the light is spread")

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        taken = ("x", "y") if self.shape == "gaussian" else ("angle",)
        arguments = {"strength": params["strength"], **{name: params[name] for name in taken}}
        if self.shape == "gaussian":
            arguments["sigma"] = params["spread"]
        return [Effect(f"light.{self.shape}", params["strength"] != 0, arguments)]


@register
@final
class Vignette(Transform):
    """Darken towards the corners as a lens does: by the fourth power of the cosine, of a lens with 90 degrees from corner to corner.

    Args:
        amount: 0 leaves the image, 1 makes the corners black.

    Example:
        >>> Vignette(amount=1)(np.full((99, 99, 1), 200, np.uint8), seed=0)[[0, 49], [0, 49], 0].tolist()
        [1, 200]
    """

    bounded: ClassVar[bool] = True

    amount: SpaceLike = parameter(default=(0.2, 0.7), unit="shares of the value in the corners", low=0, high=1, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        return [Effect("light.lens", params["amount"] > 0, {"amount": params["amount"]})]


@register
@final
class PlasmaBrightness(Transform):
    """Add fractal noise: brighter here, darker there, by up to ``amount``.

    The noise is in octaves and stretched, so that it spans [-amount, amount] on every sample (nearly: between the points that carry it).

    Args:
        roughness: how much weaker each finer octave is than the one before; cells: of the coarsest octave, along the longer side.

    Example:
        >>> PlasmaBrightness(amount=0.3)(np.full((8, 8, 3), 128, np.uint8), seed=0).shape
        (8, 8, 3)
    """

    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)
    paper: ClassVar[str] = _EBERT

    amount: SpaceLike = parameter(default=(0.1, 0.4), unit="shares of the value range", low=0, high=1, neutral=0)
    roughness: SpaceLike = parameter(default=(0.3, 0.7), unit="times weaker an octave", low=0, high=1)
    cells: SpaceLike = parameter(default=(2, 4), unit="cells along the longer side", low=1, high=256, integer=True)

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        amount, white = params["amount"], grey(np.ones(len(spec)), spec)
        cells, roughness = params["cells"], params["roughness"]
        return [veil(params, spec, amount > 0, white, cells=cells, roughness=roughness, low=-amount, high=amount, added=True)]


@register
@final
class PlasmaContrast(Transform):
    """Spread values away from the middle here and draw them to it there, by fractal noise: gains lie in [1 - amount, 1 + amount].

    Args:
        roughness, cells: as for PlasmaBrightness.

    Example:
        >>> PlasmaContrast(amount=0.5)(np.full((8, 8, 3), 128, np.uint8), seed=0).shape
        (8, 8, 3)
    """

    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)
    paper: ClassVar[str] = _EBERT

    amount: SpaceLike = parameter(default=(0.2, 0.6), unit="times more or less", low=0, high=1, neutral=0)
    roughness: SpaceLike = parameter(default=(0.3, 0.7), unit="times weaker an octave", low=0, high=1)
    cells: SpaceLike = parameter(default=(2, 4), unit="cells along the longer side", low=1, high=256, integer=True)

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        amount, middle = params["amount"], grey(np.full(len(spec), 0.5), spec)
        cells, roughness = params["cells"], params["roughness"]
        return [veil(params, spec, amount > 0, middle, cells=cells, roughness=roughness, low=amount, high=-amount)]


@register
@final
class PlasmaShadow(Transform):
    """Darken by fractal noise: by nothing where it is lowest, by ``amount`` where it is highest.

    Args:
        roughness, cells: as for PlasmaBrightness.

    Example:
        >>> bool((PlasmaShadow(amount=0.5)(np.full((8, 8, 3), 128, np.uint8), seed=0) <= 128).all())
        True
    """

    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)
    paper: ClassVar[str] = _EBERT

    amount: SpaceLike = parameter(default=(0.2, 0.7), unit="shares of the value", low=0, high=1, neutral=0)
    roughness: SpaceLike = parameter(default=(0.3, 0.7), unit="times weaker an octave", low=0, high=1)
    cells: SpaceLike = parameter(default=(2, 4), unit="cells along the longer side", low=1, high=256, integer=True)

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        amount, black = params["amount"], grey(np.zeros(len(spec)), spec)
        cells, roughness = params["cells"], params["roughness"]
        return [veil(params, spec, amount > 0, black, cells=cells, roughness=roughness, low=0, high=amount)]
