"""Additive noise on images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

import numpy as np

from vicinal.core.batch import Spec
from vicinal.core.errors import TargetError
from vicinal.core.primitive import Noise, everywhere
from vicinal.core.space import SpaceLike
from vicinal.core.transform import Transform, option, parameter, register
from vicinal.image.fields import Params

__all__ = ["GaussianNoise", "UniformNoise"]


def overflow_option() -> Any:
    """What happens to values that leave the range."""
    return option(
        "clip", choices=("clip", "renormalise", "keep"), doc="values that leave the range: clip, rescale the sample, or keep them"
    )


def noise(law: str, low: Any, high: Any, params: Params, spec: Spec, overflow: str, where: str) -> Noise:
    """The primitive, after a look at what the dtype can hold."""
    if overflow == "keep" and not spec.dtype.startswith("float"):
        raise TargetError(f"{where}.overflow", "float images for 'keep'", spec.dtype, "overflow='clip', or images / np.float32(255)")
    return Noise(law, low, high, params["key"], params["share"], everywhere(len(spec)), overflow)


@register
@final
class GaussianNoise(Transform):
    """Add independent Gaussian noise to every value.

    Args:
        std: as a share of the value range; share: of the values that are touched (use ``p`` for a share of the samples);
        overflow: "clip" values that leave the range, "renormalise" the sample (linearly, no further than it left the range) or "keep"
        them (float images only; the result is then no longer confined to [0, 1]).

    Example:
        >>> GaussianNoise(std=(0, 0.1))(np.zeros((4, 4, 3), np.uint8), seed=0).shape
        (4, 4, 3)
    """

    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)
    example: ClassVar[Mapping[str, Any]] = {"std": (0, 0.1)}

    std: SpaceLike = parameter(unit="shares of the value range", low=0, high=10, neutral=0)
    share: SpaceLike = parameter(1.0, unit="shares of the values", low=0, high=1, neutral=0)
    overflow: str = overflow_option()

    @property
    def leaves_range(self) -> bool:
        return self.overflow == "keep"

    def lower(self, params: Params, spec: Spec) -> list[Noise]:
        return [noise("gaussian", np.zeros(len(spec)), params["std"], params, spec, self.overflow, "GaussianNoise")]


@register
@final
class UniformNoise(Transform):
    """Add independent noise to every value, uniform between ``low`` and ``high``.

    Uniform noise in [0, 0.5], as is often seen, is a brightness shift of 0.25 with noise in [-0.25, 0.25] around it; networks mostly
    learn the shift.

    Args:
        low, high: ends of the law, as shares of the value range; share, overflow: as for GaussianNoise.

    Example:
        >>> UniformNoise(low=0, high=0.5)(np.zeros((4, 4, 3), np.uint8), seed=0).shape
        (4, 4, 3)
    """

    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)

    low: SpaceLike = parameter(-0.1, unit="shares of the value range", low=-10, high=10, neutral=0)
    high: SpaceLike = parameter(0.1, unit="shares of the value range", low=-10, high=10, neutral=0)
    share: SpaceLike = parameter(1.0, unit="shares of the values", low=0, high=1, neutral=0)
    overflow: str = overflow_option()

    @property
    def leaves_range(self) -> bool:
        return self.overflow == "keep"

    def lower(self, params: Params, spec: Spec) -> list[Noise]:
        return [noise("uniform", params["low"], params["high"], params, spec, self.overflow, "UniformNoise")]
