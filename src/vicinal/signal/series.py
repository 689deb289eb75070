"""Transforms of time series, (T, C) float arrays: the same primitives as for images, on a canvas of one row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

import numpy as np

from vicinal.core import affine
from vicinal.core.batch import Spec
from vicinal.core.draw import Draw
from vicinal.core.primitive import Noise, Pointwise, everywhere
from vicinal.core.space import SpaceLike
from vicinal.core.steps import Linear
from vicinal.core.transform import Transform, option, parameter, register
from vicinal.core.warp import BORDERS, INTERPOLATIONS, Warp

__all__ = ["Jitter", "Scaling", "TimeShift"]

SERIES = frozenset({"series"})


@register
@final
class Jitter(Transform):
    """Add independent Gaussian noise to every value, in the unit of the series.

    Example:
        >>> Jitter(std=0.1)(np.zeros((100, 2), np.float32), seed=0).shape
        (100, 2)
    """

    needs: ClassVar[frozenset[str]] = SERIES
    keys: ClassVar[tuple[str, ...]] = ("key",)
    paper: ClassVar[str] = "Um et al., Data augmentation of wearable sensor data, 2017"
    example: ClassVar[Mapping[str, Any]] = {"std": (0, 0.1)}

    std: SpaceLike = parameter(unit="units of the series", low=0, neutral=0)

    def lower(self, params: Any, spec: Spec) -> list[Noise]:
        one = np.ones(len(spec))
        return [Noise("gaussian", 0 * one, params["std"], params["key"], one, everywhere(len(spec)), "keep")]


@register
@final
class Scaling(Transform):
    """Multiply a series by one factor, or every channel by its own.

    Example:
        >>> Scaling(factor=2)(np.ones((3, 1), np.float32), seed=0).ravel().tolist()
        [2.0, 2.0, 2.0]
    """

    needs: ClassVar[frozenset[str]] = SERIES
    paper: ClassVar[str] = "Um et al., Data augmentation of wearable sensor data, 2017"
    example: ClassVar[Mapping[str, Any]] = {"factor": (0.8, 1.2)}

    factor: SpaceLike = parameter(unit="times", neutral=1)
    per_channel: bool = option(
        default=False, expected="true or false", admits=lambda v: isinstance(v, bool), doc="one factor for each channel"
    )

    def sample(self, draw: Draw, spec: Spec) -> dict[str, Any]:
        if not self.per_channel:
            return {"factor": self.value(draw, "factor")}
        units = draw.units("factor", spec.channels)
        return {"factor": np.stack([self.spaces()["factor"].at(column) for column in units.T], 1)}

    def lower(self, params: Any, spec: Spec) -> list[Pointwise]:
        gain = params["factor"].reshape(len(spec), -1)
        return [Pointwise((Linear(gain, np.zeros_like(gain), clip=False),), everywhere(len(spec)))]


@register
@final
class TimeShift(Transform):
    """Move a series along time; events follow. Positive is later.

    Args:
        by: samples, or shares of the length; between samples it interpolates.

    Example:
        >>> TimeShift(by=1)(np.array([1.0, 2, 3], np.float32), seed=0).tolist()
        [0.0, 1.0, 2.0]
    """

    verb: ClassVar[str] = "move"
    needs: ClassVar[frozenset[str]] = SERIES
    example: ClassVar[Mapping[str, Any]] = {"by": (-8, 8)}

    by: SpaceLike = parameter(unit="samples (or shares of the length)", neutral=0)
    unit: str = option(default="sample", choices=("sample", "share"), doc="what by is counted in")
    border: str = option(default="constant", choices=tuple(BORDERS), doc="what lies before the beginning and after the end")
    fill: float = option(default=0.0, expected="a number", admits=lambda v: isinstance(v, (int, float)), doc="value of a constant border")
    interpolation: str = option(default="linear", choices=tuple(INTERPOLATIONS), doc="how values between samples are found")

    def lower(self, params: Any, spec: Spec) -> list[Warp]:
        by = params["by"] * (spec.width if self.unit == "share" else 1)
        return [Warp.of(affine.translation(by), spec, None, self.border, self.fill, self.interpolation)]
