"""Colour as such: saturation and hue, jitter of all of it, and the colour of the light."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import permutations
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.draw import Draw
from vicinal.core.primitive import Pointwise, everywhere
from vicinal.core.space import Fixed, SpaceLike, pick
from vicinal.core.special import normal_quantile
from vicinal.core.steps import Hsv, Linear, Step
from vicinal.core.transform import Transform, parameter, register
from vicinal.image.channels import is_coloured, three_channels, to_grey
from vicinal.image.fields import Params, switch

__all__ = ["ColorJitter", "FancyPCA", "Hue", "HueSaturationValue", "PlanckianJitter", "Saturation"]


def hsv(turn: NDArray, saturation: Any = 0.0, value: Any = 0.0) -> Pointwise:
    """One step in the hexcone: (B,) degrees, and shares added to saturation and value."""
    column = [np.full((len(turn), 1), np.reshape(part, (-1, 1)), float) for part in (turn / 60, saturation, value)]
    return Pointwise((Hsv(*column),), everywhere(len(turn)))


@register
@final
class Saturation(Transform):
    """Blend with the grey of the same luma (ITU-R BT.601): 0 removes colours, above 1 they grow. One channel is left as it is.

    The same map as torchvision's ``adjust_saturation`` and Pillow's ``ImageEnhance.Color``.

    Example:
        >>> Saturation(gain=2)(np.array([[[100, 120, 140]]], np.uint8), seed=0).tolist()
        [[[84, 124, 164]]]
    """

    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"gain": (0.5, 1.5)}

    gain: SpaceLike = parameter(unit="times", low=0, high=100, neutral=1)

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        return [to_grey(1 - params["gain"])] if is_coloured(spec, "Saturation") else []


@register
@final
class Hue(Transform):
    """Turn the hue in the hexcone model (Smith, 1978), exactly as ``colorsys`` has it. One channel is left as it is.

    Example:
        >>> Hue(shift=120)(np.array([[[200, 50, 0]]], np.uint8), seed=0).tolist()
        [[[0, 200, 50]]]
    """

    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"shift": (-30, 30)}

    shift: SpaceLike = parameter(unit="degrees", low=-180, high=180, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        return [hsv(params["shift"])] if is_coloured(spec, "Hue") else []


@register
@final
class HueSaturationValue(Transform):
    """Turn the hue and add to saturation and value in the hexcone model (Smith, 1978); greys have no hue and stay grey. Three channels.

    Example:
        >>> HueSaturationValue(hue_shift=120, saturation_shift=-0.5, value_shift=0.1)(np.array([[[200, 50, 0]]], np.uint8), seed=0).tolist()
        [[[113, 226, 141]]]
    """

    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"hue_shift": (-30, 30), "saturation_shift": (-0.15, 0.15), "value_shift": (-0.1, 0.1)}

    hue_shift: SpaceLike = parameter(default=0.0, unit="degrees", low=-180, high=180, neutral=0)
    saturation_shift: SpaceLike = parameter(default=0.0, unit="shares of full saturation", low=-1, high=1, neutral=0)
    value_shift: SpaceLike = parameter(default=0.0, unit="shares of the value range", low=-1, high=1, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        three_channels(spec, "HueSaturationValue")
        return [hsv(params["hue_shift"], params["saturation_shift"], params["value_shift"])]


# Brightness and contrast are linear (L), saturation is a matrix (S), hue is a step of its own (H). Each of the 24 orders of the four is
# found in this row from left to right, and no shorter row holds them all; a sample uses four places, the others leave it as it is.
ROW = "LSHLSLHLS"
_KINDS = "LLSH"


@lru_cache(maxsize=1)
def places() -> NDArray[np.int64]:
    """(24, 4) for each order of brightness, contrast, saturation and hue, the places in ROW where each of them is done."""
    found = np.empty((24, 4), np.int64)
    for number, order in enumerate(permutations(range(4))):
        at = -1
        for operation in order:
            at = ROW.index(_KINDS[operation], at + 1)
            found[number, operation] = at
    return found


@register
@final
class ColorJitter(Transform):
    """Brightness, contrast, saturation and hue in random order, all in one pass.

    The factors mean what they mean in torchvision: values times ``brightness``; values spread from ``pivot`` by ``contrast``; blended with
    grey by ``saturation``; each clipped. The pivot is a fixed number, where torchvision takes the mean grey of the image, so that the
    whole is one pointwise pass. ``hue`` is in degrees. An image of one channel has no saturation and no hue.

    Args:
        brightness, contrast, saturation: gains; hue: a turn; pivot: the value that contrast leaves alone;
        shuffle: one of the 24 orders for each sample, all equally likely; otherwise the order is that of the fields.

    Example:
        >>> ColorJitter(brightness=1.2, saturation=0, shuffle=False)(np.array([[[100, 50, 0]]], np.uint8), seed=0).tolist()
        [[[71, 71, 71]]]
    """

    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"brightness": (0.7, 1.3), "contrast": (0.7, 1.3), "saturation": (0.7, 1.3), "hue": (-18, 18)}

    brightness: SpaceLike = parameter(default=1.0, unit="times", low=0, high=100, neutral=1)
    contrast: SpaceLike = parameter(default=1.0, unit="times", low=0, high=100, neutral=1)
    saturation: SpaceLike = parameter(default=1.0, unit="times", low=0, high=100, neutral=1)
    hue: SpaceLike = parameter(default=0.0, unit="degrees", low=-180, high=180, neutral=0)
    pivot: SpaceLike = parameter(default=0.5, unit="shares of the value range", low=0, high=1)
    shuffle: bool = switch(True, "one of the 24 orders for each sample; otherwise the order of the fields")

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        drawn = Transform.sample(self, draw, spec)
        return drawn | {"order": pick(draw.unit("order"), 24)} if self.shuffle else drawn

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        order = params["order"] if self.shuffle else np.zeros(len(spec), np.int64)
        steps = [step for at in self._needed(spec) for step in _steps(at, places()[order], params)]
        return [Pointwise(tuple(steps), everywhere(len(spec)))]

    def _needed(self, spec: Spec) -> list[int]:
        """The places of ROW that this policy and these images can have a use for."""
        coloured = is_coloured(spec, "ColorJitter")
        off = {"S": not coloured or self.saturation == Fixed(1), "H": not coloured or self.hue == Fixed(0)}
        held = places() if self.shuffle else places()[:1]
        return [at for at in np.unique(held).tolist() if not off.get(ROW[at], False)]


def _steps(at: int, held: NDArray, params: Params) -> tuple[Step, ...]:
    """What stands at a place of ROW, neutral for the samples that have nothing there; held is (B, 4)."""
    if ROW[at] == "S":
        return to_grey(np.where(held[:, 2] == at, 1 - params["saturation"], 0.0)).steps
    if ROW[at] == "H":
        return hsv(np.where(held[:, 3] == at, params["hue"], 0.0)).steps
    brightness, contrast = np.where(held[:, :2] == at, np.stack([params["brightness"], params["contrast"]], 1), 1.0).T[..., None]
    return (Linear(brightness * contrast, params["pivot"][:, None] * (1 - contrast)),)


# Of the red, green and blue of the ImageNet training set, as shares of the value range, as published with AlexNet's reimplementations.
_EIGENVALUES = np.array([0.2175, 0.0188, 0.0045])
_EIGENVECTORS = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])


@register
@final
class FancyPCA(Transform):
    """Add to all pixels of an image one colour, drawn along the principal axes of the colours of ImageNet. Three channels.

    Each axis gets a Gaussian number times its eigenvalue, as in AlexNet, where ``std`` is 0.1.

    Example:
        >>> FancyPCA(std=0.1)(np.full((2, 2, 3), 100, np.uint8), seed=0).shape
        (2, 2, 3)
    """

    bounded: ClassVar[bool] = True
    paper: ClassVar[str] = "Krizhevsky, Sutskever, Hinton, ImageNet Classification with Deep Convolutional Neural Networks, 2012"

    std: SpaceLike = parameter(default=0.1, unit="eigenvalues", low=0, high=10, neutral=0)

    def sample(self, draw: Draw, spec: Spec) -> dict[str, NDArray]:
        return {**Transform.sample(self, draw, spec), "alpha": normal_quantile(draw.units("alpha", 3))}

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        three_channels(spec, "FancyPCA")
        bias = params["std"][:, None] * params["alpha"] * _EIGENVALUES @ _EIGENVECTORS.T
        return [Pointwise((Linear(np.ones((len(spec), 1)), bias),), everywhere(len(spec)))]


_NEUTRAL = 6500.0
_XYZ_TO_SRGB = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])  # IEC 61966-2-1
_GAMMA = 2.2


def black_body(temperature: NDArray) -> NDArray[np.float64]:
    """(B, 2) linear sRGB red and blue, green being 1, of a black body of (B,) kelvin, 1667 to 25000.

    Chromaticities by the cubic splines of Kim et al., US patent 7024034 (2006), against the CIE 1931 observer; a red or blue that sRGB
    cannot show is 0.
    """
    t = 1000 / np.asarray(temperature, float)
    warm = np.polyval([-0.2661239, -0.2343589, 0.8776956, 0.179910], t)
    x = np.where(t >= 0.25, warm, np.polyval([-3.0258469, 2.1070379, 0.2226347, 0.240390], t))
    low, middle, high = (np.polyval(part, x) for part in _LOCUS)
    y = np.where(t > 1000 / 2222, low, np.where(t >= 0.25, middle, high))
    red, green, blue = _XYZ_TO_SRGB @ np.stack([x / y, np.ones_like(x), (1 - x - y) / y])
    return np.maximum(np.stack([red, blue], 1) / green[:, None], 0)


_LOCUS = (
    (-1.1063814, -1.34811020, 2.18555832, -0.20219683),
    (-0.9549476, -1.37418593, 2.09137015, -0.16748867),
    (3.0817580, -5.87338670, 3.75112997, -0.37001483),
)


@register
@final
class PlanckianJitter(Transform):
    """Change the light from daylight to that of a black body: warmer below 6500 kelvin, colder above. Three channels.

    Red and blue are multiplied, green stays. The gains of the light are those of ``black_body`` against 6500 kelvin; since values are
    stored with a gamma of about 2.2, they get the 2.2nd root of it.

    Example:
        >>> PlanckianJitter(temperature=4000)(np.array([[[100, 100, 100]]], np.uint8), seed=0).tolist()
        [[[118, 100, 76]]]
    """

    bounded: ClassVar[bool] = True
    paper: ClassVar[str] = "Zini et al., Planckian Jitter: Countering the Color-Crippling Effects of Color Jitter, ICLR 2023"
    example: ClassVar[Mapping[str, Any]] = {"temperature": (3000, 15000)}

    temperature: SpaceLike = parameter(unit="kelvin", low=1667, high=25000, neutral=_NEUTRAL)

    def lower(self, params: Params, spec: Spec) -> list[Pointwise]:
        three_channels(spec, "PlanckianJitter")
        gain = np.ones((len(spec), 3))
        gain[:, ::2] = (black_body(params["temperature"]) / black_body(np.array([_NEUTRAL]))) ** (1 / _GAMMA)
        return [Pointwise((Linear(gain, np.zeros((len(spec), 1))),), everywhere(len(spec)))]
