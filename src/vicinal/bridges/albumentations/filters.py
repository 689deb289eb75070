"""What Albumentations blurs, sharpens and compresses."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from vicinal.bridges.settings import among, span, turned, whole
from vicinal.bridges.translate import Made, Near, NoCounterpart, Rule, Translation, made
from vicinal.core.compose import Compose


def _gaussian_blur(operation: Any, walk: Translation) -> Made:
    if any(operation.blur_limit):
        raise NoCounterpart("a kernel of its own size, cut off wherever that is")
    return Near(made("GaussianBlur", sigma=span(operation.sigma_limit)), "the kernel reaches to 4 sigma, where the original stops at 3.5")


def _compression(operation: Any, walk: Translation) -> Made:
    swapped = "red and blue are encoded as red and blue, where the original swaps them"
    name, reason = {
        "jpeg": ("JpegCompression", swapped),
        "webp": ("WebPCompression", f"{swapped}, and how blocks are predicted is not what libwebp chooses"),
    }[str(operation.compression_type)]
    return Near(made(name, quality=whole(operation.quality_range)), reason)


def _motion(operation: Any, walk: Translation) -> Made:
    """Angles run clockwise there, and a direction cuts off up to half of the path: here on average as much, with the same middle."""
    low, high = (int(end) for end in operation.blur_limit)
    cut = _mean_size(operation.direction_range)
    paths = [side - side // 2 * cut for side in range(low + 1 - low % 2, high + 1, 2)]
    direction = span([float(end) / (2 - cut) for end in operation.direction_range])
    length = paths[0] if len(paths) == 1 else {"choice": paths}
    node = made("MotionBlur", length=length, angle=turned(operation.angle_range), direction=direction)
    reasons = ["the path is sampled between pixels as well"]
    reasons += ["is equally long in any direction"] if isinstance(direction, tuple) else []
    reasons += ["is not shifted"] if operation.allow_shifted else []
    return Near(node, ", ".join(reasons))


def _mean_size(ends: Any) -> float:
    """The mean of |x| for x uniform between the ends."""
    low, high = (float(end) for end in ends)
    return (low**2 + high**2) / (2 * (high - low)) if low < 0 < high else abs(low + high) / 2


def _defocus(operation: Any, walk: Translation) -> Made:
    node = made("Defocus", radius=among(operation.radius))
    return Near(node, "the edge of the disc fades over one pixel, where the original blurs a sharp one by alias_blur")


def _zoom(operation: Any, walk: Translation) -> Made:
    """The picture counts twice there and the largest enlargement not at all: as if it were enlarged (n - 1) / (n + 1) times as far."""
    low, high = (float(end) - 1 for end in operation.max_factor)
    zooms = max(2, round(high / (sum(operation.step_factor) / 2)))
    part = (zooms - 1) / (zooms + 1)
    node = made("ZoomBlur", factor=span((1 + part * low, 1 + part * high)), zooms=zooms)
    return Near(node, f"always {zooms} enlargements, where the original draws the step between them and so their number")


def _glass(operation: Any, walk: Translation) -> Made:
    node = made("GlassBlur", sigma=float(operation.sigma), distance=int(operation.max_delta), rounds=int(operation.iterations))
    return Near(node, "pixels along the edge change places as well, and all to both sides alike")


def _sharpen(operation: Any, walk: Translation) -> Made:
    """Alpha times a kernel whose weights sum to lightness - 1: below 1 it darkens."""
    if operation.method != "kernel":
        raise NoCounterpart("a difference of 8-bit values, which wraps around")
    node = made("Sharpen", amount=span([13 * float(end) for end in operation.alpha]))
    (faint, strong), (dark, light) = operation.alpha, operation.lightness
    if dark == light == 1:
        return node
    gain = span((1 - strong * (1 - dark), 1 - faint * (1 - light)))
    return Near(Compose((node, made("Contrast", gain=gain, pivot=0))), "how much darker it gets is drawn by itself")


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
    nearest = ", and takes the nearest pixel to the upper left" if "nearest" in (down, up) else ""
    return Near(node, f"the small picture holds the whole canvas, where the original cuts off what is less than a pixel of it{nearest}")


def _aberration(operation: Any, walk: Translation) -> Made:
    """Content moves inwards by k1 r^2 + k2 r^4 of its distance r in widths: on average over the canvas, k1 / 5 + k2 / 20."""
    first, second = operation.primary_distortion_limit, operation.secondary_distortion_limit
    ends = span(sorted(-(float(one) / 5 + float(two) / 20) for one, two in zip(first, second, strict=True)))
    node = made("ChromaticAberration", red=ends, blue=ends)
    return Near(node, "red and blue are enlarged evenly and apart, where the original bends them, and ties their signs by mode")


def _superpixels(operation: Any, walk: Translation) -> Made:
    node = made("Superpixels", count=whole(operation.n_segments), replace=span(operation.p_replace), compactness=80)
    return Near(node, "segments are found in CIELAB on the full picture, where the original takes stored values and shrinks it to max_size")


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
