"""Macroblocks of VP8 key frames, LANES of them at once: how each is predicted, what it differs by, and what a reader makes of that.

A luma block of 16 x 16 is predicted as a whole or in 4 x 4 blocks of which each follows those before it; both are made to the end, and the
one is kept whose squares of differences and bits, at the price that a bit has at its steps, are less.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from vicinal.backend.effects.webp_blocks import (
    means_given,
    means_taken,
    restored,
    stepped_plain,
    stepped_rest,
    stepped_small,
    transformed,
)  # fmt: skip
from vicinal.backend.effects.webp_lanes import STRIDE, brought, fetched, fetched_one
from vicinal.backend.effects.webp_predict import chosen, compared, mean_around, predicted, small_predicted
from vicinal.backend.lanes import LANES

_compiled = njit(nogil=True, cache=True, error_model="numpy")

# Where things lie in the room for them, in pixels of LANES numbers of 16 bits. Pictures come with the pixels above and to their left.
WIDE, COARSE = 21, 9  # columns of luma, with four to the upper right, and of a colour
LUMA = 0  # as it is given, 16 x 16
COLOUR = LUMA + 256  # two times 8 x 8
SMALL = COLOUR + 128  # luma made of small blocks, with its surroundings
WHOLE = SMALL + 17 * WIDE  # luma made as a whole
MADE = WHOLE + 256  # two colours as they are made
LEVELS = MADE + 2 * COARSE * COARSE  # of small blocks (16), of the whole (16), of colours (8) and of the whole's means (1)
BLOCKS = LEVELS + 16 * 41  # frequencies, of up to 17 blocks
MODES = BLOCKS + 16 * 17  # of luma, of 16 small blocks and of colours
SEEN = MODES + 18  # whether there is something above and to the left
MEAN = SEEN + 2
PRICES = MEAN + 1  # of small modes
ROOM = PRICES + 10

# The same for numbers of 32 bits, in LANES of them.
STEPS = 0  # of luma, of its means and of colours: two steps, with what divides by them and what rounds
COSTS = STEPS + 18  # of four modes
BITS = COSTS + 4  # of small blocks, of the whole and of colours
FAR = BITS + 3  # the same for differences
PRICE = FAR + 3  # of a bit, in 128ths
WORDS = PRICE + 1

SMALL_MODE = 4  # the luma mode that says that small blocks have their own
SMALL_BITS = 44  # that a file spends on the modes of small blocks, beyond those of a whole
_WORD = 4 * LANES


@_compiled
def _small(room, words):
    """Luma in small blocks."""
    table, bits, far = words + _WORD * STEPS, words + _WORD * BITS, words + _WORD * FAR
    block, step = room + STRIDE * BLOCKS, STRIDE * WIDE
    for k in range(16):
        y, x = k >> 2, k & 3
        corner = room + STRIDE * (SMALL + 4 * y * WIDE + 4 * x)
        beyond = corner + STRIDE * 5 if x < 3 else room + STRIDE * (SMALL + 17)
        given, into = room + STRIDE * (LUMA + 64 * y + 4 * x), corner + STRIDE * (WIDE + 1)
        small_predicted(corner, step, beyond, given, STRIDE * 16, room + STRIDE * PRICES, room + STRIDE * (MODES + 1 + k))
        transformed(given, STRIDE * 16, into, step, block)
        stepped_small(block, room + STRIDE * (LEVELS + 16 * k), table, bits)
        restored(block, into, step, given, STRIDE * 16, far)


@_compiled
def _whole(room, words):
    """Luma as a whole."""
    table, bits, far = words + _WORD * STEPS, words + _WORD * (BITS + 1), words + _WORD * (FAR + 1)
    corner, step, mean, mode = room + STRIDE * SMALL, STRIDE * WIDE, room + STRIDE * MEAN, room + STRIDE * MODES
    given, made, blocks, levels = room + STRIDE * LUMA, room + STRIDE * WHOLE, room + STRIDE * BLOCKS, room + STRIDE * (LEVELS + 256)
    mean_around(corner, step, 4, room + STRIDE * SEEN, mean)
    for y in range(16):
        for x in range(0, 16, 8):
            at = STRIDE * (16 * y + x)
            compared(corner, corner + STRIDE * (1 + x), corner + step * (1 + y), mean, given + at, words + _WORD * COSTS)
    chosen(words + _WORD * COSTS, mode)
    for y in range(16):
        for x in range(0, 16, 8):
            predicted(corner, corner + STRIDE * (1 + x), corner + step * (1 + y), mean, mode, made + STRIDE * (16 * y + x))
    for k in range(16):
        at = STRIDE * (64 * (k >> 2) + 4 * (k & 3))
        transformed(given + at, STRIDE * 16, made + at, STRIDE * 16, blocks + STRIDE * 16 * k)
    means = blocks + STRIDE * 256
    means_taken(blocks, means)
    stepped_plain(means, levels + STRIDE * 384, table + 6 * _WORD, bits)
    means_given(blocks, means)
    for k in range(16):
        at, block = STRIDE * (64 * (k >> 2) + 4 * (k & 3)), blocks + STRIDE * 16 * k
        stepped_rest(block, levels + STRIDE * 16 * k, table, bits)
        restored(block, made + at, STRIDE * 16, given + at, STRIDE * 16, far)


@_compiled
def _coloured(room, words):
    """Two colours, of one mode."""
    step, mode, block = STRIDE * COARSE, room + STRIDE * (MODES + 17), room + STRIDE * BLOCKS
    for c in range(2):
        corner, given, mean = room + STRIDE * (MADE + COARSE * COARSE * c), room + STRIDE * (COLOUR + 64 * c), room + STRIDE * (BLOCKS + c)
        mean_around(corner, step, 3, room + STRIDE * SEEN, mean)
        for y in range(8):
            compared(corner, corner + STRIDE, corner + step * (1 + y), mean, given + STRIDE * 8 * y, words + _WORD * COSTS)
    chosen(words + _WORD * COSTS, mode)
    for c in range(2):
        corner, mean = room + STRIDE * (MADE + COARSE * COARSE * c), room + STRIDE * (BLOCKS + c)
        for y in range(8):
            left = corner + step * (1 + y)
            predicted(corner, corner + STRIDE, left, mean, mode, left + STRIDE)
    for k in range(8):
        c, y, x = k >> 2, 4 * (k >> 1 & 1), 4 * (k & 1)
        given, into = room + STRIDE * (COLOUR + 64 * c + 8 * y + x), room + STRIDE * (MADE + COARSE * COARSE * c + COARSE * (1 + y) + 1 + x)
        transformed(given, STRIDE * 8, into, step, block)
        stepped_plain(block, room + STRIDE * (LEVELS + 16 * (32 + k)), words + _WORD * (STEPS + 12), words + _WORD * (BITS + 2))
        restored(block, into, step, given, STRIDE * 8, words + _WORD * (FAR + 2))


@_compiled
def _fetched(room, where, step, half):
    """Pictures from their places, with the pixels above and to their left; addresses, and bytes from row to row."""
    for x in range(0, 24, 8):
        fetched(where, x - 1 - step, room + STRIDE * (SMALL + x))
    for y in range(16):
        fetched_one(where, y * step - 1, room + STRIDE * (SMALL + WIDE * (1 + y)))
        for x in range(0, 16, 8):
            fetched(where, y * step + x, room + STRIDE * (LUMA + 16 * y + x))
    for c in range(2 if half else 0):
        there, corner = where + 8 * LANES * (1 + c), MADE + COARSE * COARSE * c
        for x in range(0, 16, 8):
            fetched(there, x - 1 - half, room + STRIDE * (corner + x))
        for y in range(8):
            fetched_one(there, y * half - 1, room + STRIDE * (corner + COARSE * (1 + y)))
            fetched(there, y * half, room + STRIDE * (COLOUR + 64 * c + 8 * y))


@_compiled
def _brought(room, where, step, half):
    """The way back."""
    for y in range(16):
        for x in range(0, 16, 8):
            whole, small = room + STRIDE * (WHOLE + 16 * y + x), room + STRIDE * (SMALL + WIDE * (1 + y) + 1 + x)
            brought(whole, small, room + STRIDE * MODES, SMALL_MODE, where, y * step + x)
    for c in range(2 if half else 0):
        for y in range(8):
            made = room + STRIDE * (MADE + COARSE * COARSE * c + COARSE * (1 + y) + 1)
            brought(made, made, room + STRIDE * MODES, SMALL_MODE, where + 8 * LANES * (1 + c), y * half)


@_compiled
def coded(where, step, half, room, words):
    """Macroblocks, in place, at addresses (3, LANES) of luma and of two colours, with the bytes from row to row, of which 0 says that there
    are no colours. In room (ROOM, LANES) and words (WORDS, LANES) is what else they need, and what was chosen is left there."""
    places, at, numbers = where.ctypes.data, room.ctypes.data, words.ctypes.data
    words[COSTS:PRICE] = 0
    _fetched(at, places, step, half)
    _small(at, numbers)
    _whole(at, numbers)
    for lane in range(LANES):
        less = np.int64(words[FAR, lane]) - words[FAR + 1, lane]
        bits = np.int64(words[BITS, lane]) + SMALL_BITS - words[BITS + 1, lane]
        if less + (bits * words[PRICE, lane] >> 7) < 0:
            room[MODES, lane] = SMALL_MODE
    if half:
        words[COSTS : COSTS + 4] = 0
        _coloured(at, numbers)
    _brought(at, places, step, half)
