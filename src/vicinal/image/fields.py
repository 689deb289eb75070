"""Settings that several image transforms share, each said once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.core.batch import filled
from vicinal.core.declare import is_size
from vicinal.core.space import is_number
from vicinal.core.transform import option
from vicinal.core.warp import BORDERS, INTERPOLATIONS

Params = Mapping[str, NDArray]


def border_option() -> Any:
    """What lies outside the canvas."""
    return option("constant", choices=tuple(BORDERS), doc="what lies outside the canvas; reflect repeats the edge pixel")


def fill_option() -> Any:
    """The value of a constant border."""
    return option(0.0, expected="a share of the value range in [0, 1]", admits=lambda v: is_number(v) and 0 <= v <= 1,
                  doc="value of a constant border, as a share of the value range")  # fmt: skip


def interpolation_option() -> Any:
    """How values between pixels are found."""
    return option("linear", choices=tuple(INTERPOLATIONS), doc="how values between pixels are found")


def antialias_option(default: bool) -> Any:
    """Averaging over the footprint of an output pixel where the content shrinks."""
    return switch(default, "average over the footprint of a pixel that shrinks")


def switch(default: bool, doc: str) -> Any:
    """A setting that is on or off."""
    return option(default, expected="true or false", admits=lambda v: isinstance(v, bool), doc=doc)


def count_option(default: int, low: int, high: int, doc: str) -> Any:
    """A fixed whole number."""
    return option(default, expected=f"a whole number from {low} to {high}", doc=doc,
                  admits=lambda v: isinstance(v, int) and not isinstance(v, bool) and low <= v <= high)  # fmt: skip


def side_option() -> Any:
    """One side of a canvas."""
    return option(expected="a whole number of 1 or more", doc="pixels",
                  admits=lambda v: isinstance(v, int) and is_size(v))  # fmt: skip


def size_option() -> Any:
    """The new canvas."""
    return option(expected="a whole number of 1 or more, or (height, width)", admits=is_size, doc="pixels: one side, or (height, width)")


def sides(size: int | tuple[int, int], batch: int) -> NDArray[np.int64]:
    """(B, 2) canvases of one size."""
    return filled((batch, 2), size, np.int64)
