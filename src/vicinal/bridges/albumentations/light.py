"""What Albumentations lights, shades and veils."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from vicinal.bridges.settings import sizes, span, times, turned, whole
from vicinal.bridges.translate import Made, Near, NoCounterpart, Rule, Translation, made
from vicinal.core.compose import Compose


def _illumination(operation: Any, walk: Translation) -> Made:
    """A corner is named by where the light stays as it is; away from it strength counts the other way round."""
    strength = _strength(operation)
    if operation.mode == "gaussian":
        ends = span(operation.center_range)
        return made("Illumination", shape="gaussian", strength=strength, x=ends, y=ends, spread=span(operation.sigma_range))
    if operation.mode == "linear":
        node = made("Illumination", strength=strength, angle=span(operation.angle_range))
        return Near(node, "slanted light reaches 1 - strength and 1 + strength at the ends, where the original goes beyond")
    node = made("Illumination", shape="corner", strength=_turned_strength(operation), angle={"choice": [45, 135, 225, 315]})
    return Near(node, "light changes with the distance from the corner that changes most, where the original counts from the other one")


def _strength(operation: Any) -> Any:
    ends = span(operation.intensity_range)
    if operation.effect_type == "both":
        return {"sign": list(ends) if isinstance(ends, tuple) else ends}
    return ends if operation.effect_type == "brighten" else turned(operation.intensity_range)


def _turned_strength(operation: Any) -> Any:
    if operation.effect_type == "both":
        return _strength(operation)
    return turned(operation.intensity_range) if operation.effect_type == "brighten" else span(operation.intensity_range)


def _plasma(operation: Any, walk: Translation) -> Made:
    """Noise from 0 to 1 times a factor is half the factor everywhere, and noise about it."""
    light, contrast = operation.brightness_range, operation.contrast_range
    parts = [made("PlasmaBrightness", amount=times(0.5, _ends(light))), made("Brightness", by=times(0.5, light))] if any(light) else []
    if any(contrast):
        gain = span([1 + float(end) / 2 for end in contrast])
        parts += [made("PlasmaContrast", amount=times(0.5, _ends(contrast))), made("Contrast", gain=gain)]
    return Near(Compose(tuple(parts)), "noise in octaves, drawn apart from the mean; contrast about mid-grey, not the mean of the picture")


def _ends(ends: Any) -> Any:
    size = sizes(ends)
    return size if isinstance(size, tuple) else (size, size)


def _shade(operation: Any, walk: Translation) -> Made:
    node = made("PlasmaShadow", amount=span(operation.shadow_intensity_range))
    return Near(node, "noise in octaves, where the original's is made by diamonds and squares")


def _shadow(operation: Any, walk: Translation) -> Made:
    node = made("Shadow", amount=span(operation.shadow_intensity_range), count=whole(operation.num_shadows_limit), softness=0)
    return Near(
        node, "convex polygons anywhere, of one darkness, where the original keeps to shadow_roi and darkens again where two overlap"
    )


def _snow(operation: Any, walk: Translation) -> Made:
    if operation.method != "bleach":
        raise NoCounterpart("a texture of snow")
    level = span([end / 2 + 1 / 3 for end in operation.snow_point_range])
    node = made("Snow", amount=(float(operation.brightness_coeff) - 1) / 3, level=level, density=0)
    return Near(node, "what is darker than the level is lifted less the lighter it is, where the original jumps at the level")


def _fog(operation: Any, walk: Translation) -> Made:
    node = made("Fog", amount=span(operation.fog_coef_range), light=1)
    return Near(
        node, "haze of fractal noise, where the original heaps up white discs, most of them about the centre, and blurs the picture"
    )


RULES: MappingProxyType[str, Rule] = MappingProxyType({
    "Illumination": _illumination,
    "PlasmaBrightnessContrast": _plasma,
    "PlasmaShadow": _shade,
    "RandomShadow": _shadow,
    "RandomSnow": _snow,
    "RandomFog": _fog,
})  # fmt: skip
