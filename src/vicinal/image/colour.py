"""Light and form of values: brightness, contrast, gamma, the negative, and what a network takes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.errors import TargetError
from vicinal.core.primitive import Pointwise, everywhere
from vicinal.core.space import SpaceLike, is_number
from vicinal.core.steps import Linear, Power
from vicinal.core.transform import Transform, option, parameter, register
from vicinal.image.fields import Params

__all__ = ["Brightness", "Contrast", "Gamma", "Invert", "Normalize", "ToTensor"]


def linear(gain: Any, bias: Any, batch: int) -> Pointwise:
    """One step ``gain * x + bias`` for numbers or (B,) arrays."""
    step = Linear(np.asarray(gain, float).reshape(-1, 1), np.asarray(bias, float).reshape(-1, 1))
    return Pointwise((step,), everywhere(batch))


@register
@final
class Brightness(Transform):
    """Add to every value.

    Example:
        >>> Brightness(by=0.2)(np.array([[100]], np.uint8), seed=0).tolist()
        [[151]]
    """

    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"by": (-0.2, 0.2)}

    by: SpaceLike = parameter(unit="shares of the value range", low=-1, high=1, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        return [linear(1, params["by"], len(spec))]


@register
@final
class Contrast(Transform):
    """Spread values away from ``pivot`` (gain above 1) or draw them to it.

    The pivot is fixed, not the image's own mean, so that contrast is a pointwise map and fuses; torchvision and Pillow use the mean.

    Example:
        >>> Contrast(gain=2, pivot=0)(np.array([[100]], np.uint8), seed=0).tolist()
        [[200]]
    """

    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"gain": (0.6, 1.4)}

    gain: SpaceLike = parameter(unit="times", low=0, high=100, neutral=1)
    pivot: SpaceLike = parameter(default=0.5, unit="shares of the value range", low=0, high=1)

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        return [linear(params["gain"], params["pivot"] * (1 - params["gain"]), len(spec))]


@register
@final
class Gamma(Transform):
    """Raise every value to a power: below 1 brightens, above 1 darkens the middle tones.

    Example:
        >>> Gamma(exponent=2)(np.array([[0, 128, 255]], np.uint8), seed=0).tolist()
        [[0, 64, 255]]
    """

    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"exponent": (0.6, 1.6)}

    exponent: SpaceLike = parameter(unit="exponents", low=0.01, high=100, neutral=1)

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        return [Pointwise((Power(params["exponent"][:, None]),), everywhere(len(spec)))]


@register
@final
class Invert(Transform):
    """The negative.

    Example:
        >>> Invert()(np.array([[0, 100, 255]], np.uint8), seed=0).tolist()
        [[255, 155, 0]]
    """

    bounded: ClassVar[bool] = True

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        return [linear(-1, 1, len(spec))]


def _per_channel(positive: bool) -> Any:
    def admits(value: Any) -> bool:
        numbers = value if isinstance(value, tuple) else (value,)
        return len(numbers) > 0 and all(is_number(n) and (n > 0 or not positive) for n in numbers)

    return admits


@register
@final
class Normalize(Transform):
    """Subtract a mean and divide by a standard deviation, both as shares of the value range; the result is float32.

    Args:
        mean, std: one number, or one per channel.

    Example:
        >>> Normalize(mean=0.5, std=0.25)(np.array([[0, 255]], np.uint8), seed=0).tolist()
        [[-2.0, 2.0]]
    """

    whole: ClassVar[bool] = True
    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"mean": 0.5, "std": 0.25}

    mean: float | tuple[float, ...] = option(
        default=(0.485, 0.456, 0.406), expected="numbers: one, or one per channel", admits=_per_channel(False)
    )
    std: float | tuple[float, ...] = option(default=(0.229, 0.224, 0.225), expected="positive numbers: one, or one per channel",
                                            admits=_per_channel(True))  # fmt: skip

    @property
    def leaves_range(self) -> bool:
        return True

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        step = _standard(self.mean, self.std, spec.channels)
        return [Pointwise((step,), everywhere(len(spec)), dtype="float32", unit=False)]


@lru_cache(maxsize=64)
def _standard(mean: float | tuple[float, ...], std: float | tuple[float, ...], channels: int) -> Linear:
    """The step that subtracts means and divides by deviations, shared by all samples of all batches: nobody can change it."""
    middle, spread = _channels(mean, channels, "mean"), _channels(std, channels, "std")
    gain, bias = 1 / spread, -middle / spread
    gain.setflags(write=False)
    bias.setflags(write=False)
    return Linear(gain, bias, clip=False)


def _channels(value: float | tuple[float, ...], channels: int, name: str) -> NDArray[np.float64]:
    numbers = np.atleast_1d(np.asarray(value, float))
    if len(numbers) not in (1, channels):
        raise TargetError(f"Normalize.{name}", f"one number, or {channels}: one per channel", f"{len(numbers)}", f"{name}=0.5")
    return numbers[None, :1] if (numbers == numbers[0]).all() else numbers[None]


@register
@final
class ToTensor(Transform):
    """Float32 values in [0, 1] (or what Normalize made of them), channels first: what a network takes. Stands last.

    Example:
        >>> ToTensor()(np.full((4, 5, 3), 255, np.uint8), seed=0)[0, 0, 0].item(), ToTensor()(np.zeros((4, 5, 3), np.uint8), seed=0).shape
        (1.0, (3, 4, 5))
    """

    whole: ClassVar[bool] = True
    last: ClassVar[bool] = True

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        return [Pointwise((), everywhere(len(spec)), dtype="float32", layout="CHW")]
