"""What Albumentations blurs, sharpens and compresses."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from vicinal.bridges.settings import among, span, times, whole
from vicinal.bridges.translate import Made, Near, NoCounterpart, Rule, Translation, made


def _gaussian_blur(operation: Any, walk: Translation) -> Made:
    if any(operation.blur_limit):
        raise NoCounterpart("a kernel of its own size, cut off wherever that is")
    return Near(made("GaussianBlur", sigma=span(operation.sigma_limit)), "the kernel reaches to 4 sigma, where the original stops at 3.5")


def _compression(operation: Any, walk: Translation) -> Made:
    name = {"jpeg": "JpegCompression", "webp": "WebPCompression"}[str(operation.compression_type)]
    node = made(name, quality=whole(operation.quality_range))
    return Near(node, "red and blue are encoded as red and blue, where the original swaps them")


def _motion(operation: Any, walk: Translation) -> Made:
    low, high = (int(end) for end in operation.blur_limit)
    direction = span(operation.direction_range)
    node = made("MotionBlur", length=among((low + 1 - low % 2, high), 2), angle=span(operation.angle_range), direction=direction)
    reasons = ["the path is sampled between pixels as well"]
    reasons += ["it keeps its length where it begins at the pixel, half of which the original cuts off"] if direction != 0 else []
    reasons += ["it is not shifted"] if operation.allow_shifted else []
    return Near(node, ", and ".join(reasons))


def _defocus(operation: Any, walk: Translation) -> Made:
    node = made("Defocus", radius=among(operation.radius))
    return Near(node, "the edge of the disc fades over one pixel, where the original blurs a sharp one by alias_blur")


def _zoom(operation: Any, walk: Translation) -> Made:
    low, high = map(float, operation.max_factor)
    zooms = max(2, round((max(low, high) - 1) / (sum(operation.step_factor) / 2)))
    node = made("ZoomBlur", factor=span((low, high)), zooms=zooms)
    return Near(node, f"always {zooms} enlargements, where the original draws the step between them")


def _glass(operation: Any, walk: Translation) -> Made:
    node = made("GlassBlur", sigma=float(operation.sigma), distance=int(operation.max_delta), rounds=int(operation.iterations))
    return Near(node, "pixels along the edge change places as well, and all to both sides alike")


def _sharpen(operation: Any, walk: Translation) -> Made:
    if operation.method != "kernel":
        node = made("UnsharpMask", amount=span(operation.alpha), sigma=float(operation.sigma))
        return Near(node, "the kernel reaches to 4 sigma, where the original is cut off at kernel_size")
    node = made("Sharpen", amount=times(13, operation.alpha))
    dark = any(end != 1 for end in operation.lightness)
    return Near(node, "the picture keeps its brightness, where the original darkens it by alpha (1 - lightness)") if dark else node


def _unsharp(operation: Any, walk: Translation) -> Made:
    """Where sigma is 0 OpenCV takes it from the size of the kernel."""
    low, high = (int(end) for end in operation.blur_limit)
    by_size = [0.3 * ((side - 1) / 2 - 1) + 0.8 for side in range(low, high + 1, 2)]
    sigma = span(operation.sigma_limit) if any(operation.sigma_limit) else by_size[0] if len(by_size) == 1 else {"choice": by_size}
    node = made("UnsharpMask", amount=span(operation.alpha), sigma=sigma, threshold=float(operation.threshold) / 255)
    return Near(node, "the kernel reaches to 4 sigma, and what lies beside the threshold is not blended")


def _emboss(operation: Any, walk: Translation) -> Made:
    """The corners of the relief weigh 1 + strength there, its sides strength; here 2 and 1."""
    weights = [(1 + float(strength)) / 2 * float(alpha) for alpha, strength in zip(operation.alpha, operation.strength, strict=True)]
    node = made("Emboss", amount=span(weights))
    plain = all(end == 1 for end in operation.strength)
    return (
        node if plain else Near(node, "sides of the relief weigh half as much as its corners, where the original weighs them by strength")
    )


_RESAMPLING = MappingProxyType({0: "nearest", 1: "linear", 3: "area"})


def _downscale(operation: Any, walk: Translation) -> Made:
    down, up = (_RESAMPLING.get(int(operation.interpolation_pair[way])) for way in ("downscale", "upscale"))
    if down is None or up in (None, "area"):
        raise NoCounterpart("interpolation by cubics or Lanczos, or by areas where it enlarges")
    node = made("Downscale", factor=span(operation.scale_range), down=down, up=up)
    nearest = "nearest" in (down, up)
    return Near(node, "the nearest pixel to the centre, where the original takes the one to the upper left") if nearest else node


def _aberration(operation: Any, walk: Translation) -> Made:
    """In the corner the squared radius is 1/2: content moves inwards by half the first coefficient and a quarter of the second."""
    first, second = operation.primary_distortion_limit, operation.secondary_distortion_limit
    ends = span(sorted(-(float(one) / 2 + float(two) / 4) for one, two in zip(first, second, strict=True)))
    node = made("ChromaticAberration", red=ends, blue=ends)
    return Near(
        node, "red and blue are enlarged evenly and apart, where the original bends them, and ties their signs unless mode='random'"
    )


def _superpixels(operation: Any, walk: Translation) -> Made:
    node = made("Superpixels", count=whole(operation.n_segments), replace=span(operation.p_replace))
    return Near(node, "segments are found on the full picture, where the original shrinks it to max_size, so that the result is blurred")


RULES: MappingProxyType[str, Rule] = MappingProxyType({
    "GaussianBlur": _gaussian_blur,
    "Blur": lambda op, walk: made("BoxBlur", size=whole(op.blur_limit)),
    "MedianBlur": lambda op, walk: made("MedianBlur", size=whole(op.blur_limit)),
    "MotionBlur": _motion,
    "Defocus": _defocus,
    "ZoomBlur": _zoom,
    "GlassBlur": _glass,
    "Sharpen": _sharpen,
    "UnsharpMask": _unsharp,
    "Emboss": _emboss,
    "ImageCompression": _compression,
    "Downscale": _downscale,
    "ChromaticAberration": _aberration,
    "Superpixels": _superpixels,
})  # fmt: skip
