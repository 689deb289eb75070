"""What Albumentations turns, mirrors, shears and shifts."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from vicinal.bridges.albumentations.common import sampling
from vicinal.bridges.settings import span, turned
from vicinal.bridges.translate import NOTHING, Made, Near, NoCounterpart, Rule, Translation, made
from vicinal.core.compose import Compose
from vicinal.core.transform import Node


def _rotate(operation: Any, walk: Translation) -> Made:
    if operation.crop_border:
        raise NoCounterpart("crop_border changes the size")
    return made("Rotate", angle=span(operation.limit), **sampling(operation))


def _affine(operation: Any, walk: Translation) -> Made:
    """Scale, rotate, shear and shift, in this order: three maps here, which fuse into one."""
    if operation.fit_output or operation.balanced_scale:
        raise NoCounterpart("fit_output or balanced_scale")
    held, reasons = sampling(operation), []
    scale, shear = operation.scale, operation.shear
    if scale["x"] != scale["y"] or (not operation.keep_ratio and scale["x"][0] != scale["x"][1]):
        reasons.append("one scale for both sides, where the original draws two")
    if any(shear["x"]) and any(shear["y"]):
        reasons.append("a shear along x, then along y, where the original adds them")
    parts = [made("Affine", angle=span(operation.rotate), scale=span(scale["x"]), **held)]
    if any(shear["x"]) or any(shear["y"]):
        parts.append(made("Shear", x=turned(shear["x"]), y=turned(shear["y"]), **held))
    parts.extend(_shifts(operation, held, reasons))
    node = parts[0] if len(parts) == 1 else Compose(tuple(parts))
    return Near(node, "; ".join(reasons)) if reasons else node


def _shifts(operation: Any, held: dict[str, Any], reasons: list[str]) -> list[Node]:
    if operation.translate_px is not None:
        ends = {axis: tuple(map(int, operation.translate_px[axis])) for axis in "xy"}
        whole = {axis: {"choice": list(range(low, high + 1))} for axis, (low, high) in ends.items() if (low, high) != (0, 0)}
        return [made("Translate", **whole, **held)] if whole else []
    shares = operation.translate_percent or {}
    if not any(any(ends) for ends in shares.values()):
        return []
    reasons.append("shifts are not cut to whole pixels")
    return [made("Translate", **{axis: span(ends) for axis, ends in shares.items()}, unit="share", **held)]


RULES: MappingProxyType[str, Rule] = MappingProxyType({
    "NoOp": lambda op, walk: NOTHING,
    "HorizontalFlip": lambda op, walk: made("HorizontalFlip"),
    "TimeReverse": lambda op, walk: made("HorizontalFlip"),
    "VerticalFlip": lambda op, walk: made("VerticalFlip"),
    "Transpose": lambda op, walk: made("Transpose"),
    "RandomRotate90": lambda op, walk: made("RandomRotate90"),
    "D4": lambda op, walk: made("D4"),
    "SquareSymmetry": lambda op, walk: made("D4"),
    "Rotate": _rotate,
    "Affine": _affine,
    "ShiftScaleRotate": _affine,
})  # fmt: skip
