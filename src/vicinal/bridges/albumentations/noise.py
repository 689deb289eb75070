"""What Albumentations adds as noise, and what it drops."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from vicinal.bridges.settings import content, logarithmic, share, span, whole
from vicinal.bridges.translate import Made, Near, NoCounterpart, Rule, Translation, made


def _coarse(operation: Any, walk: Translation) -> Made:
    sides = {"height": operation.hole_height_range, "width": operation.hole_width_range}
    if any(isinstance(end, int) for ends in sides.values() for end in ends):
        raise NoCounterpart("holes in pixels, not in shares of the picture")
    spans = {name: span(ends) for name, ends in sides.items()}
    node = made("CoarseDropout", holes=whole(operation.num_holes_range), **spans, fill=content(operation.fill))
    return Near(node, "sides are rounded to whole pixels in another way, and boxes and masks stay")


def _gauss_noise(operation: Any, walk: Translation) -> Made:
    if any(operation.mean_range) or operation.noise_scale_factor != 1:
        raise NoCounterpart("noise with a mean, or drawn on a coarser grid")
    return made("GaussianNoise", std=span(operation.std_range), shared=not operation.per_channel)


def _additive(operation: Any, walk: Translation) -> Made:
    kind, held = operation.noise_type, operation.noise_params or {}
    if operation.spatial_mode == "constant":
        return _constant(kind, held)
    if operation.approximation != 1 or kind == "beta" or any(held.get("mean_range", ())):
        raise NoCounterpart("noise of the beta law, with a mean, or drawn on a coarser grid")
    shared = operation.spatial_mode == "shared"
    if kind == "uniform":
        low, high = held["ranges"][0]
        return made("UniformNoise", low=float(low), high=float(high), shared=shared)
    name, of, ends = {"gaussian": ("GaussianNoise", "std", "std_range"), "laplace": ("LaplaceNoise", "scale", "scale_range")}[kind]
    return made(name, shared=shared, **{of: span(held[ends])})


def _constant(kind: str, held: Any) -> Made:
    """One number for a whole channel."""
    ranges = list(held["ranges"]) * 3 if kind == "uniform" and len(held["ranges"]) == 1 else list(held.get("ranges", ()))
    if kind != "uniform" or len(ranges) != 3:
        raise NoCounterpart("one number a channel that is not uniform, or not for three channels")
    red, green, blue = map(span, ranges)
    return Near(made("RGBShift", red=red, green=green, blue=blue), "for images of three channels alone")


def _multiplied(operation: Any, walk: Translation) -> Made:
    low, high = map(float, operation.multiplier)
    if not operation.elementwise and not operation.per_channel:
        return made("Contrast", gain=span((low, high)), pivot=0)
    if not operation.elementwise or abs(low + high - 2) > 1e-9:
        raise NoCounterpart("one factor a channel, or factors that are not about 1")
    node = made("SpeckleNoise", std=(high - low) / 12**0.5, shared=not operation.per_channel)
    return Near(node, "Gaussian factors of the spread of the original's uniform ones")


def _shot(operation: Any, walk: Translation) -> Made:
    """Photons are counted in linear light there, which is as noisy at mid-grey as 2.1 times as many counted in stored values."""
    most, least = (2.1 / max(float(end), 1e-4) for end in operation.scale_range)
    node = made("PoissonNoise", photons=most if most == least else logarithmic((least, most)))
    return Near(
        node, "photons are counted in stored values, where the original counts in linear light: as noisy at mid-grey, less in shadows"
    )


def _salt(operation: Any, walk: Translation) -> Made:
    node = made("SaltAndPepper", share=span(operation.amount), salt=span(operation.salt_vs_pepper))
    return Near(node, "every pixel has its own chance, where the original takes exactly so many")


def _pixels(operation: Any, walk: Translation) -> Made:
    if operation.drop_value is None or operation.mask_drop_value is not None:
        raise NoCounterpart("a random value, or one for the mask as well")
    node = made("PixelDropout", share=float(operation.dropout_prob), fill=share(operation.drop_value), shared=not operation.per_channel)
    return Near(node, "boxes stay, where the original may shorten them")


def _erasing(operation: Any, walk: Translation) -> Made:
    node = made("RandomErasing", scale=span(operation.scale), ratio=span(operation.ratio), fill=content(operation.fill))
    return Near(node, "a rectangle that does not fit is shortened, where the original draws none so large, and boxes and masks stay")


def _grid(operation: Any, walk: Translation) -> Made:
    if operation.holes_number_xy or not operation.random_offset:
        raise NoCounterpart("a number of holes, or a grid that stays in its place")
    ends = operation.unit_size_range
    size = {"size": whole((ends[0], ends[1] - 1)), "unit": "pixel"} if ends else {"size": 0.1, "unit": "share"}
    node = made("GridDropout", ratio=float(operation.ratio), fill=content(operation.fill), **size)
    return Near(node, "one offset for all holes, which are square, where each of the original has its own; boxes and masks stay")


def _objects(operation: Any, walk: Translation) -> Made:
    if operation.fill_mask != 0:
        raise NoCounterpart("a mask that keeps its objects")
    node = made("MaskDropout", count=whole(operation.max_objects), fill=share(operation.fill))
    return Near(node, "an object is an instance, or a value of the mask, where the original takes connected parts")


RULES: MappingProxyType[str, Rule] = MappingProxyType({
    "GaussNoise": _gauss_noise,
    "AdditiveNoise": _additive,
    "MultiplicativeNoise": _multiplied,
    "ShotNoise": _shot,
    "SaltAndPepper": _salt,
    "PixelDropout": _pixels,
    "CoarseDropout": _coarse,
    "Erasing": _erasing,
    "GridDropout": _grid,
    "MaskDropout": _objects,
})  # fmt: skip
