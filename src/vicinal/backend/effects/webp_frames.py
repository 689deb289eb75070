"""The order in which the macroblocks of VP8 key frames are made: each waits for those to its left, above it and to the upper right.

So of an image those can be made together that lie two columns to the left of each other in each further row, and of different images all.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.effects import webp_macroblocks as of
from vicinal.backend.effects.webp_colours import MARGIN
from vicinal.backend.lanes import LANES

_compiled = njit(nogil=True, cache=True, error_model="numpy")


def workplace() -> tuple[NDArray[np.int16], NDArray[np.int32]]:
    """Room for LANES macroblocks; levels that nothing is written to are 0."""
    return np.zeros((of.ROOM, LANES), np.int16), np.zeros((of.WORDS, LANES), np.int32)


@_compiled
def surrounded(plane):
    """What counts as seen above and to the left of a picture."""
    for x in range(plane.shape[1]):
        plane[0, x] = 127
    for y in range(1, len(plane)):
        plane[y, MARGIN - 1] = 129


@_compiled
def _placed(lane, place, bright, colour, steps, prices, where, room, words):
    """What a lane needs to know of the macroblock at a place: image, row and column."""
    (b, y, x), step, half = place, bright.shape[2], colour.shape[3]
    where[0, lane] = bright.ctypes.data + (b * bright.shape[1] + 1 + 16 * y) * step + MARGIN + 16 * x
    for c in range(colour.shape[1]):
        where[1 + c, lane] = colour.ctypes.data + ((2 * b + c) * colour.shape[2] + 1 + 8 * y) * half + MARGIN + 8 * x
    room[of.SEEN, lane], room[of.SEEN + 1, lane] = y > 0, x > 0
    for k in range(18):
        words[of.STEPS + k, lane] = steps[b, k]
    words[of.PRICE, lane] = steps[b, 18]
    for k in range(10):
        room[of.PRICES + k, lane] = prices[b, k]


@_compiled
def _repeated(place, bright, columns):
    """Behind the last macroblock of a row, what the next row sees to the upper right of its own last one."""
    b, y, x = place
    if x == columns - 1:
        for k in range(4):
            bright[b, 16 * y + 16, 16 * x + MARGIN + 16 + k] = bright[b, 16 * y + 16, 16 * x + MARGIN + 15]


@_compiled
def _told(lane, place, room, modes, levels):
    """What was chosen in a lane."""
    b, y, x = place
    for k in range(18):
        modes[b, y, x, k] = room[of.MODES + k, lane]
    for k in range(400):
        small = k < 256 and modes[b, y, x, 0] == of.SMALL_MODE
        levels[b, y, x, k] = room[of.LEVELS + (k if small else 256 + k), lane]


@_compiled
def framed(bright, colour, inside, steps, prices, modes, levels, room, words):
    """Planes of images, in place, as they are before the loop filter, and in which macroblocks (b, rows, columns) edges within are to be
    smoothed; with the steps and prices of each, and room for what is chosen or none."""
    count, rows, columns = inside.shape
    filled, places, where = 0, np.empty((LANES, 3), np.int64), np.empty((3, LANES), np.int64)
    for turn in range(columns + 2 * (rows - 1)):
        top, low = max(0, (turn - columns + 2) // 2), min(rows, turn // 2 + 1)
        for k in range(count * (low - top)):
            y = top + k % (low - top)
            places[filled, 0], places[filled, 1], places[filled, 2] = k // (low - top), y, turn - 2 * y
            filled += 1
            if filled < LANES and k < count * (low - top) - 1:
                continue
            for lane in range(LANES):  # lanes that are left over do what the last one does
                _placed(lane, places[min(lane, filled - 1)], bright, colour, steps, prices, where, room, words)
            of.coded(where, bright.shape[2], colour.shape[3] if colour.shape[1] else 0, room, words)
            for lane in range(filled):
                b, y, x = places[lane]
                seen = words[of.BITS + 1, lane] + words[of.BITS + 2, lane] > 0
                inside[b, y, x] = seen or room[of.MODES, lane] == of.SMALL_MODE
                _repeated(places[lane], bright, columns)
                if len(modes):
                    _told(lane, places[lane], room, modes, levels)
            filled = 0
