"""What Albumentations lights, shades and veils."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from vicinal.bridges.settings import span, turned, whole
from vicinal.bridges.translate import Made, Near, NoCounterpart, Rule, Translation, made


def _illumination(operation: Any, walk: Translation) -> Made:
    strength = _strength(operation)
    if operation.mode == "gaussian":
        ends = span(operation.center_range)
        return made("Illumination", shape="gaussian", strength=strength, x=ends, y=ends, spread=span(operation.sigma_range))
    angle = span(operation.angle_range)
    if operation.mode != "linear" or angle not in (0, 90, 180, 270, 360):
        raise NoCounterpart("light from a corner or at a slant, which the original does not normalise")
    return made("Illumination", strength=strength, angle=angle)


def _strength(operation: Any) -> Any:
    ends = span(operation.intensity_range)
    if operation.effect_type == "both":
        return {"sign": list(ends) if isinstance(ends, tuple) else ends}
    return ends if operation.effect_type == "brighten" else turned(operation.intensity_range)


def _shade(operation: Any, walk: Translation) -> Made:
    node = made("PlasmaShadow", amount=span(operation.shadow_intensity_range))
    return Near(node, "noise in octaves about 1/2, where the original's, made by diamonds and squares, is lower")


def _shadow(operation: Any, walk: Translation) -> Made:
    if tuple(operation.shadow_roi) != (0, 0, 1, 1):
        raise NoCounterpart("shadows in a part of the picture")
    node = made("Shadow", amount=span(operation.shadow_intensity_range), count=whole(operation.num_shadows_limit), softness=0)
    return Near(node, "convex polygons, where the original's cross themselves, and darken twice where two overlap")


RULES: MappingProxyType[str, Rule] = MappingProxyType({
    "Illumination": _illumination,
    "PlasmaShadow": _shade,
    "RandomShadow": _shadow,
})  # fmt: skip
