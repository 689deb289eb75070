"""What Albumentations bends, and what it cuts into tiles."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from vicinal.bridges.albumentations.common import sampling
from vicinal.bridges.settings import BLURRED, SPREAD, times
from vicinal.bridges.translate import Made, Near, NoCounterpart, Rule, Translation, made

# The largest of so many Gaussian numbers as a picture of 256 x 256 has; by it the original divides its noise.
_LARGEST = 4.5


def _perspective(operation: Any, walk: Translation) -> Made:
    """Corners move by the size of a Gaussian number; uniform shifts that are 1.73 times as large have the same variance."""
    if operation.fit_output or not operation.keep_size:
        raise NoCounterpart("fit_output, or a canvas of another size")
    node = made("Perspective", amount=times(1.73, operation.scale), **sampling(operation))
    return Near(node, "corners move either way and evenly, where the original moves them inwards and by a Gaussian, so that it enlarges")


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
    node = made(
        "OpticalDistortion", k=times({"camera": 1 / 4, "fisheye": 1 / 2}[operation.mode], operation.distort_limit), **sampling(operation)
    )
    return Near(node, "the radius counts in halves of the longer side, so it fits squares, and without its fourth power")


def _plate(operation: Any, walk: Translation) -> Made:
    node = made(
        "ThinPlateSpline", cells=int(operation.num_control_points) - 1, amount=times(0.1, operation.scale_range), **sampling(operation)
    )
    return Near(node, "a true thin plate, where the original is bent between its points by another law than at them")


def _shuffle(operation: Any, walk: Translation) -> Made:
    node = made("JigsawShuffle", tiles=tuple(map(int, operation.grid)))
    return Near(node, "where the canvas does not divide evenly the cuts are always in the same places, where the original draws them")


RULES: MappingProxyType[str, Rule] = MappingProxyType({
    "Perspective": _perspective,
    "ElasticTransform": _elastic,
    "GridDistortion": _grid,
    "OpticalDistortion": _optical,
    "ThinPlateSpline": _plate,
    "RandomGridShuffle": _shuffle,
})  # fmt: skip
