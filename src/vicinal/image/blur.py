"""Blurs. What is a weighted mean with one kernel for the whole image lowers to a filter, the others are effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.draw import Draw
from vicinal.core.primitive import Effect, Filter, Primitive, everywhere
from vicinal.core.space import Fixed, Range, SpaceLike, pick
from vicinal.core.transform import Transform, option, parameter, register
from vicinal.image.fields import Params

__all__ = ["BoxBlur", "Defocus", "GaussianBlur", "GlassBlur", "MedianBlur", "MotionBlur", "ZoomBlur"]


def reach_grid(reach: NDArray) -> NDArray[np.float64]:
    """(K,) whole distances from -reach to reach, for the largest of the batch."""
    most = int(reach.max(initial=0))
    return np.arange(-most, most + 1.0)


def normalised(kernels: NDArray) -> NDArray[np.float64]:
    """(B, kh, kw) kernels whose weights sum to 1. Summed in order, so that zeros, of which a batch may bring more, change no bit."""
    total = np.cumsum(kernels.reshape(len(kernels), -1), 1)[:, -1]
    return kernels / total[:, None, None]


def gaussian(sigma: NDArray) -> NDArray[np.float64]:
    """(B, 1, K) rows of a Gaussian, sampled at whole pixels up to four sigma and normalised, as in ``scipy.ndimage``."""
    reach = np.floor(4 * sigma + 0.5)
    x = reach_grid(reach)[None, None]
    size = np.where(sigma > 0, sigma, 1)[:, None, None]
    return normalised(np.where(np.abs(x) <= reach[:, None, None], np.exp(-0.5 * (x / size) ** 2), 0))


def separable(rows: NDArray) -> Filter:
    """One kernel along x and along y: rows (B, 1, K)."""
    return Filter((rows.reshape(len(rows), -1, 1), rows), everywhere(len(rows)))


@register
@final
class GaussianBlur(Transform):
    """Blur with a Gaussian.

    The kernel is sampled at whole pixels up to four sigma; outside the canvas values are mirrored.

    Args:
        sigma: standard deviation.

    Example:
        >>> GaussianBlur(sigma=0.5)(np.array([[0, 0, 255, 0, 0]], np.uint8), seed=0).tolist()
        [[0, 27, 201, 27, 0]]
    """

    verb: ClassVar[str] = "filter"
    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"sigma": (0, 2)}

    sigma: SpaceLike = parameter(unit="pixels", low=0, high=100, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Filter]:
        return [separable(gaussian(params["sigma"]))]


def _odd(value: Any) -> Any:
    """The whole number itself, or the odd one below."""
    return value - 1 + value % 2


@dataclass(frozen=True, repr=False, kw_only=True)
class Window(Transform):
    """Abstract: a blur over a square window of odd size. A range draws each odd size in it equally often; 4 means 3."""

    verb: ClassVar[str] = "filter"
    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"size": (3, 7)}

    size: SpaceLike = parameter(unit="pixels (odd)", low=1, high=255, neutral=1, integer=True)  # noqa: RUF009

    def value(self, draw: Draw, name: str) -> NDArray:
        held = self.spaces()[name]
        if isinstance(held, Fixed):
            return np.full(len(draw.address), _odd(int(held.value)))
        if not isinstance(held, Range):
            return _odd(np.rint(held.at(draw.unit(name))).astype(np.int64))
        high = _odd(int(held.high))
        low = min(_odd(int(held.low + 1)), high)
        return low + 2 * pick(draw.unit(name), (high - low) // 2 + 1)


@register
@final
class BoxBlur(Window):
    """Replace every value by the mean of the window around it; outside the canvas values are mirrored.

    Args:
        size: side of the window, an odd number; an even one means the odd one below.

    Example:
        >>> BoxBlur(size=3)(np.array([[0, 0, 30, 0, 0]], np.uint8), seed=0).tolist()
        [[0, 10, 10, 10, 0]]
    """

    version: ClassVar[int] = 2  # 8-bit means are exact, whatever the size of the image

    def lower(self, params: Params, spec: Spec) -> list[Filter]:
        size = params["size"][:, None, None]
        inside = np.abs(reach_grid(params["size"] // 2)) <= size // 2
        return [separable(inside / size)]


@register
@final
class MedianBlur(Window):
    """Replace every value by the median of the window around it; outside the canvas the edge pixel is repeated.

    Args:
        size: side of the window, an odd number; an even one means the odd one below.

    Example:
        >>> MedianBlur(size=3)(np.array([[0, 0, 30, 0, 0]], np.uint8), seed=0).tolist()
        [[0, 0, 0, 0, 0]]
    """

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        return [Effect("median.median", everywhere(len(spec)), {"size": params["size"]})]


def line(length: NDArray, angle: NDArray, direction: NDArray) -> NDArray[np.float64]:
    """(B, K, K) kernels: the mean of what bilinear sampling sees along a straight path, four samples a pixel."""
    ends = length[:, None] / 2 * (direction[:, None] + np.array([-1, 1]))
    count = np.maximum(2 * np.ceil(2 * length), 2).astype(np.int64)
    sample = np.arange(count.max(initial=2))
    used = sample < count[:, None]
    along = np.where(used, ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * (sample + 0.5) / count[:, None], 0)
    radians = np.deg2rad(angle)[:, None]
    size = 2 * (int(np.ceil(np.abs(ends)).max(initial=0)) + 1) + 1
    share = np.where(used, 1 / count[:, None], 0)
    return _splatted(along * np.cos(radians), -along * np.sin(radians), share, size)


def _splatted(x: NDArray, y: NDArray, share: NDArray, size: int) -> NDArray[np.float64]:
    """(B, size, size) sums of (B, n) shares at real distances from the middle, each on its four neighbours; added in order."""
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    middle = np.arange(len(x))[:, None] * size * size + size // 2 * (size + 1)
    total = np.zeros(len(x) * size * size)
    for dy, wy in ((0, 1 - (y - top)), (1, y - top)):
        for dx, wx in ((0, 1 - (x - left)), (1, x - left)):
            place = middle + (top + dy) * size + left + dx
            total += np.bincount(place.ravel(), (share * wx * wy).ravel(), len(total))
    return total.reshape(-1, size, size)


@register
@final
class MotionBlur(Transform):
    """Blur along a straight line, as a camera that moves while the shutter is open.

    Args:
        length: of the path; angle: of the path, counter-clockwise from the right as the image is shown; direction: 0 puts the pixel in
        the middle of the path, 1 at its beginning, -1 at its end.

    Example:
        >>> MotionBlur(length=2, angle=0)(np.array([[0, 0, 160, 0, 0]], np.uint8), seed=0).tolist()
        [[0, 40, 80, 40, 0]]
    """

    verb: ClassVar[str] = "filter"
    bounded: ClassVar[bool] = True
    example: ClassVar[Mapping[str, Any]] = {"length": (0, 9)}

    length: SpaceLike = parameter(unit="pixels", low=0, high=200, neutral=0)
    angle: SpaceLike = parameter(default=(0.0, 360.0), unit="degrees", low=-360, high=360)
    direction: SpaceLike = parameter(default=0.0, unit="half lengths", low=-1, high=1)

    def lower(self, params: Params, spec: Spec) -> list[Filter]:
        kernels = line(params["length"], params["angle"], params["direction"])
        return [Filter((kernels,), everywhere(len(spec)))]


def disc(radius: NDArray) -> NDArray[np.float64]:
    """(B, K, K) discs whose edge fades over one pixel."""
    x = reach_grid(np.floor(radius + 0.5))
    return normalised(np.clip(radius[:, None, None] + 0.5 - np.hypot(x[:, None], x), 0, 1))


@register
@final
class Defocus(Transform):
    """Blur with a disc, as a lens that is out of focus; its edge fades over one pixel.

    Args:
        radius: of the disc.

    Example:
        >>> Defocus(radius=1)(np.array([[0, 0, 100, 0, 0]], np.uint8), seed=0).tolist()
        [[0, 20, 60, 20, 0]]
    """

    verb: ClassVar[str] = "filter"
    bounded: ClassVar[bool] = True
    paper: ClassVar[str] = "Hendrycks and Dietterich, Benchmarking neural network robustness to common corruptions, 2019"
    example: ClassVar[Mapping[str, Any]] = {"radius": (0, 4)}

    radius: SpaceLike = parameter(unit="pixels", low=0, high=60, neutral=0)

    def lower(self, params: Params, spec: Spec) -> list[Filter]:
        return [Filter((disc(params["radius"]),), everywhere(len(spec)))]


@register
@final
class ZoomBlur(Transform):
    """Blur outwards from the centre, as a lens that zooms in while the shutter is open: the mean of several enlargements.

    Args:
        factor: the largest enlargement; zooms: how many, equally spaced from 1 on.

    Example:
        >>> ZoomBlur(factor=1.2)(np.zeros((8, 8, 3), np.uint8), seed=0).shape
        (8, 8, 3)
    """

    verb: ClassVar[str] = "filter"
    bounded: ClassVar[bool] = True
    paper: ClassVar[str] = "Hendrycks and Dietterich, Benchmarking neural network robustness to common corruptions, 2019"
    example: ClassVar[Mapping[str, Any]] = {"factor": (1, 1.2)}

    factor: SpaceLike = parameter(unit="times", low=1, high=10, neutral=1)
    zooms: int = option(
        default=11, expected="a whole number in [2, 1000]", admits=lambda v: is_count(v) and v >= 2, doc="enlargements averaged"
    )

    def lower(self, params: Params, spec: Spec) -> list[Effect]:
        factors = 1 + (params["factor"][:, None] - 1) * np.linspace(0, 1, self.zooms)
        return [Effect("zoom.zoomed", everywhere(len(spec)), {"factors": factors})]


def is_count(value: Any) -> bool:
    """A whole number in [1, 1000]."""
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 1000


@register
@final
class GlassBlur(Transform):
    """Blur as frosted glass does: a Gaussian blur, pixels that change places with near ones, and the Gaussian blur again.

    Args:
        sigma: of the Gaussian; distance: how far pixels may change places along x and y; rounds: how often each does.

    Example:
        >>> GlassBlur(sigma=0.7, distance=2)(np.zeros((8, 8, 3), np.uint8), seed=0).shape
        (8, 8, 3)
    """

    verb: ClassVar[str] = "filter"
    bounded: ClassVar[bool] = True
    keys: ClassVar[tuple[str, ...]] = ("key",)
    paper: ClassVar[str] = "Hendrycks and Dietterich, Benchmarking neural network robustness to common corruptions, 2019"
    example: ClassVar[Mapping[str, Any]] = {"sigma": (0, 1), "distance": (0, 2)}

    sigma: SpaceLike = parameter(default=0.7, unit="pixels", low=0, high=20, neutral=0)
    distance: SpaceLike = parameter(default=2, unit="pixels", low=0, high=100, neutral=0, integer=True)
    rounds: int = option(default=2, expected="a whole number in [1, 1000]", admits=is_count, doc="how often pixels change places")

    def lower(self, params: Params, spec: Spec) -> list[Primitive]:
        blur = separable(gaussian(params["sigma"]))
        arguments = {"distance": params["distance"], "key": params["key"], "rounds": np.full(len(spec), self.rounds)}
        return [blur, Effect("blur.exchanged", everywhere(len(spec)), arguments), blur]
