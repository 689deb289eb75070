"""What Albumentations bends, and what it cuts into tiles."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from vicinal.bridges.albumentations.common import sampling
from vicinal.bridges.settings import BLURRED, SPREAD, span, times
from vicinal.bridges.translate import Made, Near, NoCounterpart, Rule, Translation, made
from vicinal.core.compose import Compose

# The largest of so many Gaussian numbers as a picture of 256 x 256 has; by it the original divides its noise.
_LARGEST = 4.5


def _perspective(operation: Any, walk: Translation) -> Made:
    """Corners move inwards by the size of a Gaussian number: by 0.8 standard deviations, which enlarges, with a spread of 0.6."""
    if operation.fit_output or not operation.keep_size:
        raise NoCounterpart("fit_output, or a canvas of another size")
    held = sampling(operation)
    larger = made("Scale", factor=span([1 / (1 - 1.6 * float(end)) for end in operation.scale]), **held)
    node = Compose((larger, made("Perspective", amount=times(0.6 * 3**0.5, operation.scale), **held)))
    return Near(node, "corners spread evenly about the places where the original's Gaussians lie on average")


def _elastic(operation: Any, walk: Translation) -> Made:
    if operation.same_dxdy or operation.approximate:
        raise NoCounterpart("one field for both axes, or an approximate one")
    deviation = 1 / _LARGEST if operation.noise_distribution == "gaussian" else 1 / 1.732
    amplitude = operation.alpha * deviation * BLURRED / operation.sigma
    node = made("ElasticTransform", amplitude=amplitude, smoothness=SPREAD * operation.sigma, **sampling(operation))
    return Near(node, "the field is a spline as smooth and as large as the original's is on 256 pixels, and is kept from folding over")


def _grid(operation: Any, walk: Translation) -> Made:
    """The original draws the widths of the cells; their sums, the lines, then spread by the square root of (n + 1) / 6 cells."""
    if not operation.normalized:
        raise NoCounterpart("a grid that leaves the canvas")
    low, high = operation.distort_limit
    amount = float(high - low) / 2 * ((operation.num_steps + 1) / 6) ** 0.5
    node = made("GridDistortion", cells=int(operation.num_steps), amount=amount, **sampling(operation))
    return Near(node, "lines move independently, where the original draws widths and so moves the middle ones further")


def _optical(operation: Any, walk: Translation) -> Made:
    """Radii are shares of the sides (camera) or of half the diagonal (fisheye) there, and halves of the longer side here."""
    k = times({"camera": 0.3, "fisheye": 0.5}[operation.mode], operation.distort_limit)
    node = made("OpticalDistortion", k=k, **sampling(operation))
    return Near(node, "the radius counts in halves of the longer side, so it fits squares; its fourth power is the second's on average")


def _shuffle(operation: Any, walk: Translation) -> Made:
    node = made("JigsawShuffle", tiles=tuple(map(int, operation.grid)))
    return Near(node, "where the canvas does not divide evenly the cuts are always in the same places, where the original draws them")


RULES: MappingProxyType[str, Rule] = MappingProxyType({
    "Perspective": _perspective,
    "ElasticTransform": _elastic,
    "GridDistortion": _grid,
    "OpticalDistortion": _optical,
    "RandomGridShuffle": _shuffle,
})  # fmt: skip
