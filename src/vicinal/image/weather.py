"""Weather: what falls, hangs or shines between the scene and the lens. Annotations stay where they are."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.primitive import Effect
from vicinal.core.space import SpaceLike
from vicinal.core.transform import Transform, option, parameter, register
from vicinal.image.fields import Params
from vicinal.image.light import grey, tint, veil

__all__ = ["Clouds", "Fog", "Rain", "Shadow", "Snow", "Spatter", "SunFlare"]

_CORRUPTIONS = "Hendrycks and Dietterich, Benchmarking neural network robustness to common corruptions and perturbations, 2019"
_SUN, _WATER, _MUD = (1.0, 0.93, 0.75), (0.69, 0.8, 0.8), (0.25, 0.17, 0.08)
_MOST = 100_000  # streaks a sample


def _count(density: NDArray, spec: Spec) -> NDArray[np.int64]:
    """(B,) how many on each canvas, from a number to every 10,000 pixels; at least one where there are any."""
    return np.minimum(np.ceil(density * spec.width * spec.height / 1e4), _MOST).astype(np.int64)


def _columns(spec: Spec, *values: float | NDArray) -> NDArray[np.float64]:
    """(B, n) numbers or (B,) arrays side by side."""
    columns = np.empty((len(spec), len(values)))
    for at, value in enumerate(values):
        columns[:, at] = value
    return columns


@register
@final
class Rain(Transform):
    """Falling rain: slanted, blurred, semitransparent streaks, brighter than most of what is behind them.

    A drop is a lens that gathers light from the whole sky, and moves while the shutter is open: a bright streak whose opacity falls as it
    blurs. Far drops are shorter, thinner and fainter. A higher density adds drops to those that are there.

    Args:
        length, width: of the nearest drops; angle: from straight down, positive to the left; blur: what defocus adds to the width;
        opacity: of the nearest drops.

    Example:
        >>> Rain(density=20)(np.zeros((32, 32, 3), np.uint8), seed=0).max() > 20
        np.True_
    """

    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)
    paper: ClassVar[str] = "Garg and Nayar, Vision and rain, 2007"

    density: SpaceLike = parameter(default=(20, 100), unit="drops to 10,000 pixels", low=0, high=1000, neutral=0)
    length: SpaceLike = parameter(default=(10, 30), unit="pixels", low=0, high=1000)
    angle: SpaceLike = parameter(default=(-20, 20), unit="degrees", low=-90, high=90)
    width: SpaceLike = parameter(default=(0.8, 1.6), unit="pixels", low=0.1, high=100)
    blur: SpaceLike = parameter(default=(0, 0.6), unit="pixels", low=0, high=100)
    opacity: SpaceLike = parameter(default=(0.5, 0.9), unit="shares", low=0, high=1, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        radius = 0.9375 * params["width"] + 1.5 * params["blur"]  # the profile (1 - t^2)^2 of this radius is as wide as a line
        faded = params["opacity"] * 0.9375 * params["width"] / radius
        shape = _columns(spec, params["length"], np.deg2rad(params["angle"]), np.deg2rad(3), radius, faded, 0.6)
        arguments = {"key": params["key"], "count": _count(params["density"], spec), "shape": shape}
        arguments |= {"ground": _columns(spec, 0, 1), "colour": tint((0.84, 0.86, 0.9), spec)}
        return [Effect("weather.precipitation", (params["density"] > 0) & (params["opacity"] > 0), arguments)]


@register
@final
class Snow(Transform):
    """Fallen and falling snow: dark ground is whitened, and flakes are in the air.

    The ground: Albumentations' RandomSnow multiplies lightness (of HLS) below a threshold, which turns dark and bright around it. Here
    lightness L below ``level`` is lifted to L (1 + 3 amount (1 - L / level)^2), which keeps the order, and the lift is white laid over the
    pixel. The air: blurred flakes as in the snow of ImageNet-C, here as single streaks, ``density`` of them at amount 1; a larger amount
    adds flakes to those that are there.

    Args:
        size: radius of the nearest flakes; length: how far they move while the shutter is open; angle: from straight down, positive to the
        left.

    Example:
        >>> Snow(amount=1, level=1, density=0)(np.array([[0, 51, 255]], np.uint8), seed=0).tolist()
        [[0, 149, 255]]
    """

    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)
    paper: ClassVar[str] = _CORRUPTIONS

    amount: SpaceLike = parameter(default=(0.2, 0.8), unit="shares", low=0, high=1, neutral=0)
    level: SpaceLike = parameter(default=(0.6, 0.9), unit="shares of the value range", low=0, high=1)
    density: SpaceLike = parameter(default=(30, 80), unit="flakes to 10,000 pixels", low=0, high=1000)
    size: SpaceLike = parameter(default=(1.2, 2.5), unit="pixels", low=0.1, high=100)
    length: SpaceLike = parameter(default=(0, 5), unit="pixels", low=0, high=1000)
    angle: SpaceLike = parameter(default=(-45, 45), unit="degrees", low=-90, high=90)

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        amount = params["amount"]
        shape = _columns(spec, params["length"], np.deg2rad(params["angle"]), np.deg2rad(12), params["size"], 0.95, 0.75)
        arguments = {"key": params["key"], "count": _count(params["density"] * amount, spec), "shape": shape}
        arguments |= {"ground": _columns(spec, params["level"], 1 + 3 * amount), "colour": tint((1, 1, 1), spec)}
        return [Effect("weather.precipitation", amount > 0, arguments)]


@register
@final
class Fog(Transform):
    """Haze of uneven thickness: values are drawn to the light of the air, as in I = J t + A (1 - t) (Koschmieder, 1924).

    1 - t is ``amount`` where the haze is thickest and amount (1 - variation) where it is thinnest; in between it follows fractal noise, as
    the fog of ImageNet-C does.

    Args:
        light: brightness of the haze; variation: how uneven it is.

    Example:
        >>> Fog(amount=1, variation=0, light=0.8)(np.zeros((2, 2), np.uint8), seed=0).tolist()
        [[204, 204], [204, 204]]
    """

    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)
    paper: ClassVar[str] = _CORRUPTIONS

    amount: SpaceLike = parameter(default=(0.3, 0.8), unit="shares", low=0, high=1, neutral=0)
    variation: SpaceLike = parameter(default=(0.3, 0.8), unit="shares of the amount", low=0, high=1)
    light: SpaceLike = parameter(default=(0.75, 0.95), unit="shares of the value range", low=0, high=1)

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        thick, thin = params["amount"], params["amount"] * (1 - params["variation"])
        return [veil(params, spec, thick > 0, grey(params["light"], spec), cells=3, roughness=0.5, low=thin, high=thick)]


@register
@final
class Clouds(Transform):
    """White clouds with clear sky between them, as seen from above or through thin ones.

    Fractal noise is cut where a share ``cover`` of it lies above; there values are drawn to white, at most by ``amount``. Like imgaug's
    CloudLayer, in one layer.

    Args:
        amount: opacity where a cloud is thickest; cover: share of the canvas with any cloud; softness: how slowly they thicken, as a share
        of what the noise spans; size: of the largest clouds.

    Example:
        >>> Clouds(amount=0.8, cover=0.5)(np.zeros((32, 32, 3), np.uint8), seed=0).shape
        (32, 32, 3)
    """

    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)

    amount: SpaceLike = parameter(default=(0.5, 0.95), unit="shares", low=0, high=1, neutral=0)
    cover: SpaceLike = parameter(default=(0.3, 0.7), unit="shares of the canvas", low=0, high=1, neutral=0)
    softness: SpaceLike = parameter(default=(0.2, 0.5), unit="shares of what the noise spans", low=0.01, high=1)
    size: SpaceLike = parameter(default=(0.2, 0.4), unit="shares of the longer side", low=0.01, high=1)

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        on, white = (params["amount"] > 0) & (params["cover"] > 0), grey(np.full(len(spec), 0.98), spec)
        cells, cover, soft = np.rint(1 / params["size"]), params["cover"], params["softness"]
        return [veil(params, spec, on, white, cells=cells, roughness=0.6, low=0, high=params["amount"], cover=cover, soft=soft)]


@register
@final
class SunFlare(Transform):
    """A sun in or near the picture: an aureole, and reflections of it between the lenses, on the line through the middle.

    Light is laid over by 1 - (1 - value) (1 - light), so nothing gets darker.

    Args:
        x, y: where the sun is; radius: where its aureole has fallen to a quarter; rings: how many reflections.

    Example:
        >>> SunFlare(amount=1, x=0.5, y=0.5, radius=0.5)(np.zeros((9, 9, 3), np.uint8), seed=0)[4, 4].tolist()
        [255, 255, 255]
    """

    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)

    amount: SpaceLike = parameter(default=(0.5, 1.0), unit="shares", low=0, high=1, neutral=0)
    x: SpaceLike = parameter(default=(0.0, 1.0), unit="shares of the width", low=-2, high=3)
    y: SpaceLike = parameter(default=(0.0, 0.5), unit="shares of the height", low=-2, high=3)
    radius: SpaceLike = parameter(default=(0.1, 0.3), unit="shares of the longer side", low=0.001, high=10)
    rings: SpaceLike = parameter(default=(4, 9), unit="reflections", low=0, high=100, integer=True)

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        arguments = {name: params[name] for name in ("key", "amount", "x", "y", "radius", "rings")}
        return [Effect("sun.flare", params["amount"] > 0, {**arguments, "colour": tint(_SUN, spec)})]


@register
@final
class Shadow(Transform):
    """Shadows that something outside the picture casts: convex polygons, darker inside, with a soft edge.

    Args:
        amount: how much darker; count: of the polygons (where they overlap it is no darker); softness: width of the penumbra.

    Example:
        >>> bool((Shadow(amount=0.5)(np.full((32, 32), 200, np.uint8), seed=0) >= 100).all())
        True
    """

    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)

    amount: SpaceLike = parameter(default=(0.3, 0.7), unit="shares of the value", low=0, high=1, neutral=0)
    count: SpaceLike = parameter(default=(1, 3), unit="polygons", low=0, high=100, neutral=0, integer=True)
    softness: SpaceLike = parameter(default=(0.0, 0.06), unit="shares of the longer side", low=0, high=1)

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        arguments = {name: params[name] for name in ("key", "amount", "count", "softness")}
        return [Effect("sun.shadow", (params["amount"] > 0) & (params["count"] > 0), arguments)]


@register
@final
class Spatter(Transform):
    """Drops of rain or splashes of mud on the glass in front of the lens.

    Blurred noise above a threshold, as in the spatter of ImageNet-C: the threshold is where a share ``cover`` lies above it. Water is
    clear with a bright and a dark edge, mud is opaque and brown.

    Args:
        cover: share of the canvas; size: of the drops; kind: "rain" or "mud".

    Example:
        >>> Spatter(cover=0.3, kind="mud")(np.full((32, 32, 3), 255, np.uint8), seed=0).min() < 128
        np.True_
    """

    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)
    paper: ClassVar[str] = _CORRUPTIONS

    cover: SpaceLike = parameter(default=(0.1, 0.35), unit="shares of the canvas", low=0, high=1, neutral=0)
    size: SpaceLike = parameter(default=(0.02, 0.05), unit="shares of the longer side", low=0.005, high=1)
    kind: str = option(default="rain", choices=("rain", "mud"), doc="what is on the glass")

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        look, colour = ((0.12, 0.85, 0.2, 0.3, 0.1), _WATER) if self.kind == "rain" else ((0.06, 0.95, 1, 0.04, 0.35), _MUD)
        settings = _columns(spec, np.rint(1 / params["size"]), params["cover"], *look)
        arguments = {"key": params["key"], "settings": settings, "colour": tint(colour, spec)}
        return [Effect("weather.splash", params["cover"] > 0, arguments)]
