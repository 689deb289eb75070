"""What storing, sending and cheap optics do to pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

import numpy as np

from vicinal.core.batch import Spec
from vicinal.core.errors import TargetError
from vicinal.core.primitive import Effect, everywhere
from vicinal.core.space import SpaceLike
from vicinal.core.transform import Transform, option, parameter, register
from vicinal.image.channels import is_coloured
from vicinal.image.fields import Params

__all__ = ["ChromaticAberration", "Downscale", "JpegCompression", "Superpixels", "WebPCompression"]


def _within(most: int, spec: Spec, where: str) -> None:
    """The formats count pixels in few bits."""
    if int(spec.size.max(initial=0)) > most:
        raise TargetError(where, f"sides of at most {most} pixels", str(int(spec.size.max())), f"Resize(size={most})")


@register
@final
class JpegCompression(Transform):
    """Encode as JPEG and decode again.

    One channel is coded as grey, three as red, green and blue; of other numbers, groups of three and then single ones. The format holds
    8 bits, so uint16 and float32 images come out with 256 levels.

    Args:
        quality: of libjpeg, 1 to 100; no value leaves an image as it is; subsampling: "4:2:0" keeps colour at half the resolution, as
            cameras and Pillow do, "4:2:2" at half the width, "4:4:4" in full.

    Example:
        >>> JpegCompression(quality=10)(np.full((8, 8, 3), 77, np.uint8), seed=0)[0, 0].tolist()
        [78, 78, 78]
    """

    verb: ClassVar[str] = "filter"
    bounded: ClassVar[bool] = True
    paper: ClassVar[str] = "Wallace, The JPEG still picture compression standard, 1991"

    quality: SpaceLike = parameter(default=(30, 90), unit="quality", low=1, high=100, integer=True)
    subsampling: str = option(default="4:2:0", choices=("4:2:0", "4:2:2", "4:4:4"), doc="how much coarser colour is kept than brightness")

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        _within(65_500, spec, "JpegCompression")
        return [Effect("compression.jpeg", everywhere(len(spec)), {"quality": params["quality"]}, (("subsampling", self.subsampling),))]


@register
@final
class WebPCompression(Transform):
    """Encode as lossy WebP and decode again.

    Channels and bits as for JpegCompression: groups of three and single ones, 8 bits. Steps, rounding and loop filter are libwebp's for a
    quality, and what comes back is what its reader shows of such a file, to the last bit. How blocks are predicted is chosen here: on 24
    photographs of 32 to 256 pixels what comes back is 0.3 dB further from the picture to 0.8 dB nearer than from libwebp (methods 2 and 4).

    Args:
        quality: of libwebp, 1 to 100; no value leaves an image as it is.

    Example:
        >>> WebPCompression(quality=10)(np.full((8, 8, 3), 77, np.uint8), seed=0).shape
        (8, 8, 3)
    """

    version: ClassVar[int] = 3  # modes are chosen here, where libwebp did it
    verb: ClassVar[str] = "filter"
    bounded: ClassVar[bool] = True
    paper: ClassVar[str] = "Bankoski et al., VP8 data format and decoding guide, RFC 6386, 2011"

    quality: SpaceLike = parameter(default=(30, 90), unit="quality", low=1, high=100, integer=True)

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        _within(16_383, spec, "WebPCompression")
        return [Effect("webp.recoded", everywhere(len(spec)), {"quality": params["quality"]})]


@register
@final
class Downscale(Transform):
    """Shrink and enlarge to the old size again, so that detail is lost.

    Args:
        factor: of the sides; down: how it shrinks: "area" takes means, "linear" and "nearest" sample and so leave aliases;
        up: how it is enlarged: "nearest" gives blocks, "linear" a blur.

    Example:
        >>> Downscale(factor=0.5, up="nearest")(np.array([[0, 100], [100, 200]], np.uint8), seed=0).tolist()
        [[100, 100], [100, 100]]
    """

    version: ClassVar[int] = 2  # 8-bit images have shares of 15 and 16 bits, where OpenCV has 11
    verb: ClassVar[str] = "filter"
    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"factor": (0.25, 0.75)}

    factor: SpaceLike = parameter(default=(0.25, 0.75), unit="times", low=0.001, high=1, neutral=1)
    down: str = option(default="area", choices=("area", "linear", "nearest"), doc="how it shrinks")
    up: str = option(default="linear", choices=("linear", "nearest"), doc="how it is enlarged again")

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        size = np.maximum(np.rint(spec.size * params["factor"][:, None]), 1).astype(np.int64)
        return [Effect("resolution.downscale", everywhere(len(spec)), {"size": size}, (("down", self.down), ("up", self.up)))]


@register
@final
class ChromaticAberration(Transform):
    """Enlarge red and blue about the centre, each by its own factor, as a lens does that bends colours differently; green stays.

    Args:
        red, blue: how far the content of a corner moves outwards, as a share of its distance from the centre, or in pixels; negative is
            inwards; unit: "share" or "pixel".

    One channel is left as it is. The edge pixel fills what comes in from outside.

    Example:
        >>> image = np.zeros((1, 5, 3), np.uint8); image[0, 3] = 200
        >>> ChromaticAberration(red=1, blue=0)(image, seed=0)[0].tolist()[3:]
        [[100, 200, 200], [200, 0, 0]]
    """

    verb: ClassVar[str] = "filter"
    bounded: ClassVar[bool] = True

    red: SpaceLike = parameter(default=(-0.02, 0.02), unit="shares of the distance from the centre (or pixels at the corner)", neutral=0)
    blue: SpaceLike = parameter(default=(-0.02, 0.02), unit="shares of the distance from the centre (or pixels at the corner)", neutral=0)
    unit: str = option(default="share", choices=("share", "pixel"), doc="what red and blue are counted in")

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        if not is_coloured(spec, "ChromaticAberration"):
            return []
        corner = np.hypot(spec.width, spec.height) / 2 if self.unit == "pixel" else 1
        # Content that shrinks to a point or beyond is no lens's doing: a hundredth of the size is the least.
        factor = {name: np.maximum(1 + params[name] / corner, 0.01) for name in ("red", "blue")}
        return [Effect("aberration.chromatic", everywhere(len(spec)), factor)]


@register
@final
class Superpixels(Transform):
    """Paint some of the segments of an image in their mean colour; segments are found by SLIC (five rounds, in CIELAB for 3 channels).

    Args:
        count: roughly how many segments; replace: share of them that are painted; compactness: how much nearness counts against likeness
            of colour, as in scikit-image.

    Example:
        >>> Superpixels(count=1, replace=1)(np.array([[0, 100], [100, 200]], np.uint8), seed=0).tolist()
        [[100, 100], [100, 100]]
    """

    verb: ClassVar[str] = "filter"
    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)
    paper: ClassVar[str] = "Achanta et al., SLIC superpixels compared to state-of-the-art superpixel methods, 2012"
    example: ClassVar[Mapping[str, Any]] = {"replace": (0.2, 0.8)}

    count: SpaceLike = parameter(default=(50, 200), unit="segments", low=1, high=100_000, integer=True)
    replace: SpaceLike = parameter(default=(0.0, 0.5), unit="shares of the segments", low=0, high=1, neutral=0)
    compactness: SpaceLike = parameter(default=10.0, unit="CIELAB units", low=0.01, high=1000)

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        arguments = {name: params[name] for name in ("count", "replace", "compactness", "key")}
        return [Effect("superpixels.painted", everywhere(len(spec)), arguments)]
