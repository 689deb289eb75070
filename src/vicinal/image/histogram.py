"""Transforms that look at a sample's own distribution of values, or borrow another's."""

from __future__ import annotations

from typing import Any, ClassVar, final

from vicinal.core.batch import Spec
from vicinal.core.primitive import Effect
from vicinal.core.space import SpaceLike
from vicinal.core.transform import Transform, option, parameter, register
from vicinal.image.fields import Params

__all__ = ["AutoContrast", "CLAHE", "Equalize", "FourierDomainAdaptation", "HistogramMatching"]


def amount_parameter(default: Any = 1.0) -> Any:
    """How far towards the result."""
    return parameter(default, unit="shares", low=0, high=1, neutral=0)


def which_parameter() -> Any:
    """Which file of a folder."""
    return parameter((0.0, 1.0), unit="shares of the way through a folder", low=0, high=1)


def by_option() -> Any:
    """From what the table is made."""
    return option("channel", choices=("channel", "luma"), doc="a table for each channel, or one from the luma of three channels")


def reference_option(default: str, names: str) -> Any:
    """A law, a file or a folder."""
    expected = f"{names}, or the path of an image file or of a folder of images"
    return option(default, expected=expected, admits=lambda v: isinstance(v, str) and v.strip() != "", doc=expected)


def _named(effect: str, params: Params, *names: str, **common: str) -> Effect:
    """An effect with some of the parameters, off where the amount is 0."""
    return Effect(effect, params["amount"] > 0, {name: params[name] for name in names}, tuple(common.items()))


@register
@final
class Equalize(Transform):
    """Spread values so that all are about equally frequent.

    8-bit images get exactly what Pillow's ``ImageOps.equalize`` gives. For uint16 and float32 the same law is applied with 256 bins
    between the lowest and the highest value of the channel, and interpolated between them.

    Args:
        amount: 0 leaves the image, 1 equalises it; by: "channel", or "luma": three channels move together, as their luma does.

    Example:
        >>> import numpy as np
        >>> Equalize()(np.repeat(np.uint8([10, 11, 12, 13]), 255).reshape(4, 255), seed=0)[:, 0].tolist()
        [0, 85, 170, 255]
    """

    bounded: ClassVar[bool] = True

    amount: SpaceLike = amount_parameter()
    by: str = by_option()

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        return [_named("histogram.equalize" if self.by == "channel" else "histogram.equalize_luma", params, "amount")]


@register
@final
class AutoContrast(Transform):
    """Stretch values so that the lowest becomes 0 and the highest the largest that the dtype has.

    8-bit images get exactly what Pillow's ``ImageOps.autocontrast`` gives (``by="luma"`` is its ``preserve_tone``). For uint16 and float32
    the ends come from 256 bins between the lowest and the highest value; without a cutoff that is exact.

    Args:
        cutoff: how many of the lowest values, and of the highest, are given up; amount: 0 leaves the image; by: a table for each
        channel, or one for all.

    Example:
        >>> import numpy as np
        >>> AutoContrast()(np.array([[50, 100, 150]], np.uint8), seed=0).tolist()
        [[0, 127, 255]]
    """

    bounded: ClassVar[bool] = True

    cutoff: SpaceLike = parameter(default=0.0, unit="percent of the values", low=0, high=49)
    amount: SpaceLike = amount_parameter()
    by: str = by_option()

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        effect = "histogram.autocontrast" if self.by == "channel" else "histogram.autocontrast_luma"
        return [_named(effect, params, "amount", "cutoff")]


@register
@final
class CLAHE(Transform):
    """Equalise tile by tile, with a limit on how steep it may get (contrast-limited adaptive histogram equalisation), as OpenCV does.

    Three channels: the L of CIELAB, colours stay. Any other number: every channel by itself. Float images go through 16 bits, which OpenCV
    counts in 65,536 bins: there the limit binds later than on the 256 bins of 8 bits.

    Args:
        clip: limit on a bin's count, in multiples of the mean count; tiles: along each side; amount: 0 leaves the image.

    Example:
        >>> import numpy as np
        >>> CLAHE(clip=2)(np.zeros((16, 16, 3), np.uint8), seed=0).shape
        (16, 16, 3)
    """

    bounded: ClassVar[bool] = True
    paper: ClassVar[str] = "Zuiderveld, Contrast limited adaptive histogram equalization, Graphics gems IV, 1994"

    clip: SpaceLike = parameter(default=(1, 4), unit="times the mean count", low=0.01, high=1000)
    tiles: SpaceLike = parameter(default=8, unit="tiles along each side", low=1, high=64, integer=True)
    amount: SpaceLike = amount_parameter()

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        return [_named("clahe.clahe", params, "amount", "clip", "tiles")]


@register
@final
class HistogramMatching(Transform):
    """Give every channel the distribution of values of a reference.

    The fingerprint knows the reference's name, not what is in the file.

    Args:
        reference: an image file, a folder of them, or a law: "uniform", or "gaussian" with mean 1/2 and standard deviation 1/5.
        which: of the files of a folder, in alphabetical order; amount: 0 leaves the image, 1 matches it. Three channels are matched to the
        reference's colours, any other number each to its luma.

    Raises:
        DataError: when it is applied, where the reference is missing or cannot be read.

    Example:
        >>> import numpy as np
        >>> HistogramMatching(reference="uniform", amount=1)(np.arange(16, dtype=np.uint8).reshape(4, 4), seed=0)[0].tolist()
        [16, 32, 48, 64]
    """

    bounded: ClassVar[bool] = True

    reference: str = reference_option("gaussian", "'uniform', 'gaussian'")
    which: SpaceLike = which_parameter()
    amount: SpaceLike = amount_parameter((0.5, 1.0))

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        return [_named("adapt.match", params, "amount", "which", reference=self.reference)]


@register
@final
class FourierDomainAdaptation(Transform):
    """Take over the low-frequency amplitudes of a reference, so that light and colour look like there; what is where stays, as phases do.

    The fingerprint knows the reference's name, not what is in the file.

    Args:
        reference: an image file, a folder of them (brought to the size of the image), or "natural": the mean spectrum of natural images,
        whose amplitudes fall as 1 / f.
        beta: half the side of the square of frequencies that are swapped, as a share of the shorter side; 0 swaps the mean alone.
        which: of the files of a folder, in alphabetical order; amount: 0 leaves the image, 1 swaps wholly.

    Raises:
        DataError: when it is applied, where the reference is missing or cannot be read.

    Example:
        >>> import numpy as np
        >>> FourierDomainAdaptation(reference="natural", beta=0)(np.zeros((8, 8), np.uint8), seed=0).max()
        np.uint8(115)
    """

    bounded: ClassVar[bool] = True
    paper: ClassVar[str] = "Yang and Soatto, FDA: Fourier domain adaptation for semantic segmentation, 2020"

    reference: str = reference_option("natural", "'natural'")
    beta: SpaceLike = parameter(default=(0.0, 0.05), unit="shares of the shorter side", low=0, high=0.5)
    which: SpaceLike = which_parameter()
    amount: SpaceLike = amount_parameter()

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        return [_named("adapt.fourier", params, "amount", "which", "beta", reference=self.reference)]
