"""Rectangles that several transforms share: where they lie, and what fills them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import Spec
from vicinal.core.errors import TargetError
from vicinal.core.primitive import Patch, everywhere
from vicinal.core.space import is_number
from vicinal.core.transform import option
from vicinal.image.fields import Params

NOISE = "noise"


def is_share(value: Any) -> bool:
    """A number in [0, 1]."""
    return is_number(value) and 0 <= value <= 1


def is_colour(value: Any) -> bool:
    """A share of the value range, or one per channel."""
    return is_share(value) or (isinstance(value, tuple) and len(value) > 0 and all(map(is_share, value)))


def content_option(default: Any = 0.0) -> Any:
    """What erased values become."""
    return option(default, expected="shares of the value range in [0, 1]: one, or one per channel; or 'noise'",
                  admits=lambda value: value == NOISE or is_colour(value),
                  doc="what erased values become: shares of the value range, one or one per channel, or 'noise' (uniform)")  # fmt: skip


def per_channel(value: Any, spec: Spec, where: str) -> NDArray[np.float64]:
    """(B, 1) or (B, C) shares of the value range."""
    numbers = np.atleast_1d(np.asarray(value, float))
    if len(numbers) not in (1, spec.channels):
        raise TargetError(where, f"one number, or {spec.channels}: one per channel", f"{len(numbers)}", f"{where.split('.')[-1]}=0.5")
    return np.tile(numbers, (len(spec), 1))


def content(fill: Any, params: Params, spec: Spec, where: str) -> tuple[NDArray, NDArray | None]:
    """Levels (B, 1 or C) and no key; or, for noise, the (B, 2) key."""
    if fill == NOISE:
        return np.zeros((len(spec), 1)), params["key"]
    return per_channel(fill, spec, f"{where}.fill"), None


def patch(box: NDArray, fill: Any, params: Params, spec: Spec, where: str) -> Patch:
    """Boxes (B, n, 4) filled as the option says."""
    level, key = content(fill, params, spec, where)
    return Patch(box, level, everywhere(len(spec)), key)


def placed(width: NDArray, height: NDArray, x: NDArray, y: NDArray, spec: Spec) -> NDArray[np.int64]:
    """(B, ..., 4) boxes of whole pixels, no larger than the canvas, placed in the free room by x and y: every place equally likely."""
    (wide, high) = (side.reshape(-1, *[1] * (width.ndim - 1)) for side in (spec.width, spec.height))
    box = np.empty((*width.shape, 4), np.int64)
    box[..., 0] = left = np.minimum(np.floor((wide - width + 1) * x), wide - width)
    box[..., 1] = top = np.minimum(np.floor((high - height + 1) * y), high - height)
    box[..., 2], box[..., 3] = left + width, top + height
    return box


def rectangle(area: NDArray, params: Params, spec: Spec) -> NDArray[np.int64]:
    """(B, 4) boxes with shares of the canvas as area, and the parameters ratio, x and y; the ratio gives way where it would not fit."""
    pixels = area * spec.width * spec.height
    width = np.minimum(np.rint(np.sqrt(pixels * params["ratio"])), spec.width)
    height = np.minimum(np.rint(pixels / np.maximum(width, 1)), spec.height) * (width > 0)
    return placed(width, height, params["x"], params["y"], spec)
