"""A plan in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from vicinal.core.batch import Spec
from vicinal.core.primitive import Pointwise, Primitive
from vicinal.core.warp import CONSTANT, NONE, Warp

if TYPE_CHECKING:
    from vicinal.core.plan import Slot

_KINDS: Mapping[type, str] = {Warp: "affine warp", Pointwise: "pointwise"}


def kind(primitive: Primitive) -> str:
    """What sort of pass it is."""
    if isinstance(primitive, Warp) and (primitive.bent | primitive.projective).any():
        return "bent warp" if primitive.bent.any() else "projective warp"
    return _KINDS.get(type(primitive), type(primitive).__name__.lower())


def described(slots: Sequence[Slot], number: int) -> str:
    """One pass: what it is, the operations in it, how many samples it concerns, and why it is a pass of its own."""
    primitive, reason = slots[number].primitive, _reason(slots, number)
    share = f"{int(primitive.active.sum())} of {len(primitive.active)} samples"
    why = f"  [own pass: {reason}]" if reason else ""
    return f"{primitive.verb:<6} {' + '.join(slots[number].paths)}  ({kind(primitive)}{_detail(primitive)}; {share}){why}"


def _reason(slots: Sequence[Slot], number: int) -> str:
    """Why a pass could not be part of the one before of its kind, if there is one."""
    primitive, _, behind, exact, had = slots[number]
    same = [n for n in range(number) if type(slots[n].primitive) is type(primitive)]
    if behind or not same:
        return "behind a barrier" if behind else ""
    if same[-1] == number - 1:
        return "other border, fill or interpolation" if isinstance(primitive, Warp) else f"two {kind(primitive)} passes do not compose"
    between = ", ".join(dict.fromkeys(path for n in range(same[-1] + 1, number) for path in slots[n].paths[: had[n]]))
    hint = "; exact=False lets it pass colour" if isinstance(primitive, Warp) and exact else ""
    verb = "stand between and do" if ", " in between else "stands between and does"
    return f"{between} {verb} not commute{hint}"


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
