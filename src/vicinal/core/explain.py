"""A plan in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from vicinal.core.batch import Spec
from vicinal.core.primitive import Pointwise, Primitive
from vicinal.core.warp import CONSTANT, NONE, Warp

_KINDS: Mapping[type, str] = {Warp: "affine warp", Pointwise: "pointwise"}


def kind(primitive: Primitive) -> str:
    """What sort of pass it is."""
    if isinstance(primitive, Warp) and (primitive.bent | primitive.projective).any():
        return "bent warp" if primitive.bent.any() else "projective warp"
    return _KINDS.get(type(primitive), type(primitive).__name__.lower())


def described(primitive: Primitive, paths: Sequence[str], reason: str) -> str:
    """One pass: what it is, the operations in it, how many samples it concerns, and why it is a pass of its own."""
    share = f"{int(primitive.active.sum())} of {len(primitive.active)} samples"
    why = f"  [own pass: {reason}]" if reason else ""
    return f"{primitive.verb:<6} {' + '.join(paths)}  ({kind(primitive)}{_detail(primitive)}; {share}){why}"


def _detail(primitive: Primitive) -> str:
    if isinstance(primitive, Warp):
        borders = {NONE: "no border", CONSTANT: "constant border", 1: "reflect border", 2: "replicate border"}
        return ", " + " / ".join(borders[int(code)] for code in np.unique(primitive.border[primitive.active]))
    if isinstance(primitive, Pointwise):
        extra = [word for word in (primitive.dtype, primitive.layout) if word]
        return f", {len(primitive.steps)} step{'s' * (len(primitive.steps) != 1)}" + (f", to {' '.join(extra)}" if extra else "")
    return ""


def form(spec: Spec) -> str:
    """Size, channels and dtype of what comes out."""
    if not spec.dims:
        return "texts"
    low, high = spec.size.min(0), spec.size.max(0)
    size = "x".join(str(a) if a == b else f"{a}..{b}" for a, b in zip(low, high, strict=True))
    order = f"{spec.channels}x{size}" if spec.layout == "CHW" else f"{size}x{spec.channels}"
    return f"{spec.dtype} {order}" + ("" if spec.unit else ", values not confined to a range")
