"""Noise on images: added, relative, of photons, of sensors, and values that are lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.errors import TargetError
from vicinal.core.primitive import Effect, Noise, everywhere
from vicinal.core.space import SpaceLike, is_number
from vicinal.core.transform import Transform, option, parameter, register
from vicinal.image.fields import Params, fill_option, switch

__all__ = ["CauchyNoise", "GaussianNoise", "ISONoise", "LaplaceNoise", "PixelDropout", "PoissonNoise", "SaltAndPepper", "SpeckleNoise",
           "StudentTNoise", "UniformNoise"]  # fmt: skip

_OVERFLOW = "values that leave the range: clip, rescale the sample, or keep them"


@dataclass(frozen=True, repr=False, kw_only=True)
class Noisy(Transform):
    """Abstract: noise that may touch a share of an image, and may leave the range.

    Args:
        share: of the values that are touched, of the pixels where a pixel has one draw (use ``p`` for a share of the samples).
        overflow: "clip" values that leave the range, "renormalise" the sample (linearly, no further than it left the range) or "keep"
            them (float images only; the result is then no longer confined to [0, 1]).
    """

    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)

    share: SpaceLike = parameter(default=1.0, unit="shares of the values", low=0, high=1, neutral=0)  # noqa: RUF009
    overflow: str = option(default="clip", choices=("clip", "renormalise", "keep"), doc=_OVERFLOW)

    @property
    def leaves_range(self) -> bool:
        return self.overflow == "keep"

    def settings(self, params: Params, spec: Spec) -> Params:
        """Key and share of every sample, and what happens outside the range, after a look at what the dtype can hold."""
        if self.overflow == "keep" and not spec.dtype.startswith("float"):
            where, write = f"{type(self).__name__}.overflow", "overflow='clip', or images / np.float32(255)"
            raise TargetError(where, "float images for 'keep'", spec.dtype, write)
        return {"key": params["key"], "share": params["share"], "overflow": np.full(len(spec), self.overflow)}


@dataclass(frozen=True, repr=False, kw_only=True)
class ValueNoise(Noisy):
    """Abstract: independent noise on every value.

    Args:
        shared: one draw for all channels of a pixel; share, overflow: as for all noise.
    """

    version: ClassVar[int] = 2  # 8-bit images draw whole levels

    shared: bool = switch(False, "one draw for all channels of a pixel")

    def noise(self, law: str, low: Any, high: NDArray, params: Params, spec: Spec, times: bool = False, degrees: float = 1.0) -> Noise:
        """The primitive of noise that is added, or multiplied."""
        key, share, _ = self.settings(params, spec).values()
        low = np.broadcast_to(np.asarray(low, float), (len(spec),))
        return Noise(law, low, high, key, share, everywhere(len(spec)), self.overflow, self.shared, times, degrees)


@register
@final
class GaussianNoise(ValueNoise):
    """Add independent Gaussian noise to every value.

    Args:
        std: as a share of the value range; share, overflow, shared: which values, what of those that leave the range, one draw a pixel.

    Example:
        >>> GaussianNoise(std=(0, 0.1))(np.zeros((4, 4, 3), np.uint8), seed=0).shape
        (4, 4, 3)
    """

    example: ClassVar[Mapping[str, Any]] = {"std": (0, 0.1)}

    std: SpaceLike = parameter(unit="shares of the value range", low=0, high=10, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Noise]:
        return [self.noise("gaussian", 0, params["std"], params, spec)]


@register
@final
class UniformNoise(ValueNoise):
    """Add independent noise to every value, uniform between ``low`` and ``high``.

    Uniform noise in [0, 0.5], as is often seen, is a brightness shift of 0.25 with noise in [-0.25, 0.25] around it; networks mostly
    learn the shift.

    Args:
        low, high: ends of the law, as shares of the value range; share, overflow, shared: as for GaussianNoise.

    Example:
        >>> UniformNoise(low=0, high=0.5)(np.zeros((4, 4, 3), np.uint8), seed=0).shape
        (4, 4, 3)
    """

    low: SpaceLike = parameter(default=-0.1, unit="shares of the value range", low=-10, high=10, neutral=0)
    high: SpaceLike = parameter(default=0.1, unit="shares of the value range", low=-10, high=10, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Noise]:
        return [self.noise("uniform", params["low"], params["high"], params, spec)]


@register
@final
class LaplaceNoise(ValueNoise):
    """Add independent noise of Laplace's law to every value: more values near 0 and more far away than the Gaussian has.

    Args:
        scale: the mean size; the standard deviation is 1.41 times as large. share, overflow, shared: as for GaussianNoise.

    Example:
        >>> LaplaceNoise(scale=(0, 0.1))(np.zeros((4, 4, 3), np.uint8), seed=0).shape
        (4, 4, 3)
    """

    example: ClassVar[Mapping[str, Any]] = {"scale": (0, 0.1)}

    scale: SpaceLike = parameter(unit="shares of the value range", low=0, high=10, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Noise]:
        return [self.noise("laplace", 0, params["scale"], params, spec)]


@register
@final
class CauchyNoise(ValueNoise):
    """Add independent noise of Cauchy's law to every value: outliers so large that there is no mean and no variance.

    Args:
        scale: half of all draws are smaller; share, overflow, shared: as for GaussianNoise.

    Example:
        >>> CauchyNoise(scale=(0, 0.05))(np.zeros((4, 4, 3), np.uint8), seed=0).shape
        (4, 4, 3)
    """

    example: ClassVar[Mapping[str, Any]] = {"scale": (0, 0.05)}

    scale: SpaceLike = parameter(unit="shares of the value range", low=0, high=10, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Noise]:
        return [self.noise("cauchy", 0, params["scale"], params, spec)]


@register
@final
class StudentTNoise(ValueNoise):
    """Add independent noise of Student's t law to every value; between Cauchy's (1 degree of freedom) and the Gaussian (many).

    Args:
        scale: what the standard t is multiplied by; degrees: of freedom, in [0.5, 100]; share, overflow, shared: as for GaussianNoise.

    Example:
        >>> StudentTNoise(scale=(0, 0.1), degrees=3)(np.zeros((4, 4, 3), np.uint8), seed=0).shape
        (4, 4, 3)
    """

    example: ClassVar[Mapping[str, Any]] = {"scale": (0, 0.1)}

    scale: SpaceLike = parameter(unit="shares of the value range", low=0, high=10, neutral=0)
    degrees: float = option(default=3.0, expected="a number in [0.5, 100]", admits=lambda v: is_number(v) and 0.5 <= v <= 100,
                            doc="degrees of freedom")  # fmt: skip

    def lower(self, params: Params, spec: Spec) -> list[Noise]:
        return [self.noise("student", 0, params["scale"], params, spec, degrees=float(self.degrees))]


@register
@final
class SpeckleNoise(ValueNoise):
    """Multiply every value by 1 plus independent Gaussian noise, as in radar and ultrasound images.

    Args:
        std: as a share of the value itself; share, overflow, shared: as for GaussianNoise.

    Example:
        >>> SpeckleNoise(std=(0, 0.3))(np.zeros((2, 2), np.uint8), seed=0).tolist()
        [[0, 0], [0, 0]]
    """

    example: ClassVar[Mapping[str, Any]] = {"std": (0, 0.3)}

    std: SpaceLike = parameter(unit="shares of the value", low=0, high=10, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Noise]:
        return [self.noise("gaussian", 0, params["std"], params, spec, times=True)]


@register
@final
class PoissonNoise(ValueNoise):
    """Count photons: every value becomes an independent Poisson count with that mean, also known as shot noise.

    Args:
        photons: expected count of a value at full scale; fewer photons make more noise. share, overflow (of counts above full scale),
            shared (one uniform number, of which each channel takes its own quantile): as for GaussianNoise.

    Example:
        >>> PoissonNoise(photons=4)(np.array([[0.0, 0.5, 0.5, 1.0]], np.float32), seed=1).tolist()
        [[0.0, 0.25, 1.0, 1.0]]
    """

    example: ClassVar[Mapping[str, Any]] = {"photons": {"log": [10, 1000]}}

    photons: SpaceLike = parameter(unit="photons at full scale", low=0.01, high=1e6)

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        arguments = {"photons": params["photons"], "shared": np.full(len(spec), self.shared), **self.settings(params, spec)}
        return [Effect("photons.poisson", everywhere(len(spec)), arguments, unit=not self.leaves_range)]


@register
@final
class ISONoise(Noisy):
    """Noise of a sensor at high sensitivity: every pixel's hue turns and its lightness changes, independently; three channels.

    Hue and lightness are those of the HLS double cone (``colorsys.rgb_to_hls``); both changes are Gaussian with mean 0, and belong to the
    pixel, so that channels have no draws of their own.

    Args:
        hue, luminance: standard deviations; share: of the pixels that are touched; overflow: as for GaussianNoise, of a lightness that
            leaves the range: what it is above white, or below black, is added to all channels.

    Example:
        >>> ISONoise(luminance=(0, 0.1))(np.zeros((4, 4, 3), np.uint8), seed=0).shape
        (4, 4, 3)
    """

    hue: SpaceLike = parameter(default=5.0, unit="degrees", low=0, high=180, neutral=0)
    luminance: SpaceLike = parameter(default=0.05, unit="shares of the value range", low=0, high=1, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        if spec.channels != 3:
            raise TargetError("ISONoise", "images of 3 channels", f"{spec.channels}", "GaussianNoise(std=0.05)")
        arguments = {"hue": params["hue"], "luminance": params["luminance"], **self.settings(params, spec)}
        return [Effect("noise.iso", everywhere(len(spec)), arguments, unit=not self.leaves_range)]


def _replaced(params: Params, spec: Spec, odds: Any, low: float, high: float, shared: bool) -> Effect:
    """A share of the values becomes ``high`` with probability ``odds``, else ``low``."""
    column = {name: np.broadcast_to(np.asarray(v, float), (len(spec),)) for name, v in {"odds": odds, "low": low, "high": high}.items()}
    arguments = {"share": params["share"], "key": params["key"], "shared": np.full(len(spec), shared)}
    return Effect("noise.replaced", everywhere(len(spec)), {**arguments, **column})


@register
@final
class SaltAndPepper(Transform):
    """Turn a share of the pixels white or black.

    Args:
        share: of the pixels, each chosen independently; salt: the part of them that turns white; shared: all channels of a pixel
        together, or every value by itself.

    Example:
        >>> SaltAndPepper(share=1, salt=1)(np.zeros((1, 3), np.uint8), seed=0).tolist()
        [[255, 255, 255]]
    """

    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)
    example: ClassVar[Mapping[str, Any]] = {"share": (0, 0.05)}

    share: SpaceLike = parameter(unit="shares of the pixels", low=0, high=1, neutral=0)
    salt: SpaceLike = parameter(default=0.5, unit="shares of those pixels", low=0, high=1)
    shared: bool = switch(True, "all channels of a pixel together")

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        return [_replaced(params, spec, params["salt"], 0.0, 1.0, self.shared)]


@register
@final
class PixelDropout(Transform):
    """Give one value to a share of the pixels.

    Args:
        share: of the pixels, each chosen independently; fill: their value; shared: all channels of a pixel together, or every value by
        itself.

    Example:
        >>> PixelDropout(share=1)(np.ones((1, 3), np.uint8), seed=0).tolist()
        [[0, 0, 0]]
    """

    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)
    example: ClassVar[Mapping[str, Any]] = {"share": (0, 0.1)}

    share: SpaceLike = parameter(unit="shares of the pixels", low=0, high=1, neutral=0)
    fill: float = fill_option()
    shared: bool = switch(True, "all channels of a pixel together")

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        return [_replaced(params, spec, 1.0, self.fill, self.fill, self.shared)]
