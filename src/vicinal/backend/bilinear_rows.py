"""Linear sampling of 8-bit images under scale, shift and mirror: a row of the source is resampled across but once, and every row of the
result lies between two of those.

The bits are those of ``bilinear_lanes``: nothing is rounded before both rows are mixed.
"""

from __future__ import annotations

import numpy as np

from vicinal.backend.bilinear import RING, marked_axis
from vicinal.backend.bilinear_lanes import ONE
from vicinal.backend.kernels import _inlined
from vicinal.core.warp import CONSTANT

SPILL = 8  # bytes that a register reads beyond the last pixel


@_inlined
def _marks(places, size, border, pixels, weights):
    """Pixels and weights of those behind for places along an axis. Without a constant border all are on the canvas."""
    marked_axis(places, 0.0, -RING, size, size, border, pixels, weights)
    for k in range(len(places)):
        pixels[k] -= RING
        if border != CONSTANT and not 0 <= pixels[k] < size - 1:
            pixels[k], weights[k] = (0 if pixels[k] < 0 else size - 1), 0


@_inlined
def noted(inverse, size, border, count, places, starts, pairs, rows, down):
    """Where the columns of a result begin in a row of the source, and two weights of each; its rows, and weights of those below.

    Whether a row of it shows what lies beside the canvas.
    """
    start, apart = inverse[0] * 0.5 + inverse[2] - 0.5, False
    for x in range(len(starts)):
        places[x] = inverse[0] * x + start
    _marks(places[: len(starts)], size[1], border, starts, pairs)
    for x in range(len(starts)):
        apart |= not 0 <= starts[x] < size[1] - (pairs[x] > 0)
        starts[x], pairs[x] = starts[x] * count, (pairs[x] << 16) + ONE - pairs[x]
    for y in range(len(rows)):
        places[y] = inverse[4] * (y + 0.5) + inverse[5] - 0.5
    _marks(places[: len(rows)], size[0], border, rows, down)
    return apart


@_inlined
def around(width, fill, count):
    """A place for a row so wide, with the fill on either side."""
    room = np.empty((width + 2 * RING) * count + SPILL, np.uint8)
    for k in range(len(room)):
        room[k] = fill
    return room
