"""What happens between channels: grey, sepia, shifts of one channel, channels in another order or left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.draw import Draw
from vicinal.core.errors import TargetError
from vicinal.core.primitive import Pointwise, everywhere
from vicinal.core.space import SpaceLike
from vicinal.core.steps import Linear, Matrix, same_channels
from vicinal.core.transform import Transform, parameter, register
from vicinal.image.fields import Params

__all__ = ["ChannelDropout", "ChannelShuffle", "Grayscale", "RGBShift", "Sepia"]

LUMA = np.array([0.299, 0.587, 0.114])
_GREY, _SAME = np.tile(LUMA, (3, 1)), np.eye(3)
_SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])


def is_coloured(spec: Spec, where: str) -> bool:
    """True for three channels, False for one, which has no colour to change.

    Raises:
        TargetError: for any other number of channels.
    """
    if spec.channels not in (1, 3):
        raise TargetError(where, "images of 1 or 3 channels", f"{spec.channels}", f"image[..., :{3 if spec.channels > 3 else 1}]")
    return spec.channels == 3


def three_channels(spec: Spec, where: str) -> None:
    """Refuse images that are not red, green and blue.

    Raises:
        TargetError: for any number of channels but three.
    """
    if spec.channels != 3:
        write = "image[..., :3]" if spec.channels > 3 else "np.repeat(np.atleast_3d(image)[..., :1], 3, axis=-1)"
        raise TargetError(where, "images of 3 channels", f"{spec.channels}", write)


def blended(target: NDArray, amount: NDArray) -> Pointwise:
    """From the colours as they are (amount 0) to those that a (3, 3) matrix makes of them (amount 1), and beyond; amount is (B,)."""
    share = amount[:, None, None]
    matrix = np.zeros((len(amount), 3, 4))
    matrix[:, :, :3] = _SAME * (1 - share) + target * share
    return Pointwise((Matrix(matrix),), everywhere(len(amount)))


def to_grey(amount: NDArray) -> Pointwise:
    """The blend with the luma (ITU-R BT.601): 1 removes colours, 0 leaves them, below 0 they grow."""
    return blended(_GREY, amount)


@register
@final
class Grayscale(Transform):
    """Draw the channels to their luma (ITU-R BT.601); the number of channels stays. One channel is left as it is.

    Args:
        amount: 0 leaves the colours, 1 removes them.

    Example:
        >>> Grayscale(amount=1)(np.array([[[255, 0, 0]]], np.uint8), seed=0).tolist()
        [[[76, 76, 76]]]
    """

    bounded: ClassVar[bool] = True

    amount: SpaceLike = parameter(default=1.0, unit="shares", low=0, high=1, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        return [to_grey(params["amount"])] if is_coloured(spec, "Grayscale") else []


@register
@final
class Sepia(Transform):
    """Tint like an old photograph, by the usual matrix of brown tones. Three channels.

    Args:
        amount: 0 leaves the colours, 1 gives the tint alone.

    Example:
        >>> Sepia()(np.array([[[100, 100, 100]]], np.uint8), seed=0).tolist()
        [[[135, 120, 94]]]
    """

    bounded: ClassVar[bool] = True

    amount: SpaceLike = parameter(default=1.0, unit="shares", low=0, high=1, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        three_channels(spec, "Sepia")
        return [blended(_SEPIA, params["amount"])]


@register
@final
class RGBShift(Transform):
    """Add to red, green and blue, to each its own amount. Three channels.

    Example:
        >>> RGBShift(red=0.2, blue=-0.2)(np.array([[[100, 100, 100]]], np.uint8), seed=0).tolist()
        [[[151, 100, 49]]]
    """

    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"red": (-0.1, 0.1), "green": (-0.1, 0.1), "blue": (-0.1, 0.1)}

    red: SpaceLike = parameter(default=0.0, unit="shares of the value range", low=-1, high=1, neutral=0)
    green: SpaceLike = parameter(default=0.0, unit="shares of the value range", low=-1, high=1, neutral=0)
    blue: SpaceLike = parameter(default=0.0, unit="shares of the value range", low=-1, high=1, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        three_channels(spec, "RGBShift")
        bias = np.stack([params["red"], params["green"], params["blue"]], 1)
        return [Pointwise((Linear(np.ones((len(spec), 1)), bias),), everywhere(len(spec)))]


@register
@final
class ChannelShuffle(Transform):
    """Put the channels in a random order, any of them equally likely, the one they are in included. Values keep their bits.

    Example:
        >>> sorted(ChannelShuffle()(np.array([[[1, 2, 3, 4]]], np.uint8), seed=0).ravel().tolist())
        [1, 2, 3, 4]
    """

    bounded: ClassVar[bool] = True

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        return {"order": draw.words("order", spec.channels).argsort(1)}

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        count = spec.channels
        matrix = same_channels(count).take(params["order"], 0)
        return [Pointwise((Matrix(matrix),), everywhere(len(spec)))] if count > 1 else []


@register
@final
class ChannelDropout(Transform):
    """Fill some channels, chosen at random, with one value; at least one channel always stays.

    Args:
        count: how many channels, cut at one less than there are; fill: the value they take.

    Example:
        >>> ChannelDropout(fill=0.5)(np.array([[[10, 20, 30]]], np.uint8), seed=0).tolist()
        [[[10, 20, 128]]]
    """

    bounded: ClassVar[bool] = True

    count: SpaceLike = parameter(default=1, unit="channels", low=0, high=1000, neutral=0, integer=True)
    fill: SpaceLike = parameter(default=0.0, unit="shares of the value range", low=0, high=1)

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        return {**Transform.sample(self, draw, spec), "order": draw.words("order", spec.channels).argsort(1)}

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        dropped = params["order"] < np.minimum(params["count"], spec.channels - 1)[:, None]
        gain, bias = (~dropped).astype(np.float64), np.multiply(dropped, params["fill"][:, None], dtype=np.float64)
        return [Pointwise((Linear(gain, bias),), everywhere(len(spec)))]
