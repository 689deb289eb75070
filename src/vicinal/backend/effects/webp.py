"""What lossy WebP does to pixels, and nothing else: a VP8 key frame (Bankoski et al., RFC 6386, 2011) as a reader shows it, without the file.

What is lost is lost in the levels to which frequencies are rounded; what is chosen, modes and levels, could be written as it is. Steps,
rounding and strength of the loop filter are those of libwebp's encoder for a quality, for one segment.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.effects import webp_macroblocks as of
from vicinal.backend.effects.compression import in_threes
from vicinal.backend.effects.webp_blocks import FIXED
from vicinal.backend.effects.webp_colours import BAND, MARGIN, given, grey_given, grey_taken, taken
from vicinal.backend.effects.webp_filter import filtered
from vicinal.backend.lanes import LANES

TOGETHER = 1 << 19  # pixels of images that are worked on together, so that their planes stay in the caches
CHROMA_DC = -2  # steps of the means of colours are those of an index that is so much higher

_compiled = njit(nogil=True, cache=True, error_model="numpy")

# RFC 6386, section 14.1: steps of means and of frequencies, by an index from 0 to 127.
_LOW = [*range(4, 11), *range(10, 18), *range(17, 21), 20, 21, 21, 22, 22, 23, 23, 24, 25, *range(25, 38), *range(37, 47), *range(46, 77),
        *range(76, 90), 91, 93, 95, 96, 98, 100, 101, 102, *range(104, 120, 2), *range(122, 142, 2), 143, 145, 148, 151, 154, 157]  # fmt: skip
_HIGH = [*range(4, 59), *range(60, 118, 2), *range(119, 176, 3), *range(177, 229, 4), 229, 234, 239, 245, *range(249, 289, 5)]
_ROUND = (96, 110), (96, 108), (110, 115)  # of a step in 256ths, what is added before the fraction is cut off
_MODE_BITS = (1, 3, 3, 3, 4, 4, 4, 4, 4, 4)


@lru_cache(maxsize=1)
def tables() -> tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int32]]:
    """For every quality 0 to 100: words (101, 19), six steps with what divides by them and what rounds, and the price of a bit; the prices
    of the ten modes of small blocks (101, 10); index and strength of the loop filter (101, 2)."""
    share = np.arange(101) / 100
    index = (127 * (1 - np.cbrt(np.where(share < 0.75, share * 2 / 3, 2 * share - 1)))).astype(np.int64)
    low, high = np.array(_LOW), np.array(_HIGH)
    luma, means = (low[index], high[index]), (2 * low[index], np.maximum(high[index] * 155 // 100, 8))
    steps = np.stack([*luma, *means, low[np.clip(index + CHROMA_DC, 0, 117)], high[index]], 1)
    by, half = (1 << FIXED) // steps, np.broadcast_to(np.array(_ROUND).reshape(6) << (FIXED - 8), steps.shape)
    words = np.stack([steps, by, half], 2).reshape(101, 18)
    mean = (luma[0] + 15 * luma[1] + 8) >> 4
    prices = np.array(_MODE_BITS) * mean[:, None] * 11 >> 7
    strength = np.minimum(high[index] >> 2, 63) * 300 // 256
    strength = np.where(strength < 2, 0, np.minimum(strength, 63))
    return (
        np.column_stack([words, mean * mean]).astype(np.int32),
        prices.astype(np.int16),
        np.column_stack([index, strength]).astype(np.int32),
    )


@_compiled
def _surrounded(plane):
    """What counts as seen above and to the left of a picture."""
    plane[0] = 127
    plane[1:, MARGIN - 1] = 129


@_compiled
def _fetched(plane, y, x, size, room, into, around, columns, lane):
    """A block of a plane, and in the room for it as it is made the pixels above and to its left."""
    for j in range(size):
        for i in range(size):
            room[into + size * j + i, lane] = plane[1 + y + j, MARGIN + x + i]
        room[around + columns * (1 + j), lane] = plane[1 + y + j, MARGIN + x - 1]
    for i in range(columns):
        room[around + i, lane] = plane[y, MARGIN + x - 1 + i]


@_compiled
def _brought_back(room, start, columns, lane, plane, y, x, size):
    for j in range(size):
        for i in range(size):
            plane[1 + y + j, MARGIN + x + i] = room[start + columns * j + i, lane]


@_compiled
def _entered(bright, colour, y, x, table, room, words, lane):
    """A macroblock into a lane."""
    _fetched(bright, 16 * y, 16 * x, 16, room, of.LUMA, of.SMALL, of.WIDE, lane)
    for c in range(len(colour)):
        _fetched(colour[c], 8 * y, 8 * x, 8, room, of.COLOUR + 64 * c, of.MADE + of.COARSE * of.COARSE * c, of.COARSE, lane)
    room[of.SEEN, lane], room[of.SEEN + 1, lane] = y > 0, x > 0
    for k in range(18):
        words[of.STEPS + k, lane] = table[0][k]
    words[of.PRICE, lane] = table[0][18]
    for k in range(10):
        room[of.PRICES + k, lane] = table[1][k]


@_compiled
def _left(room, words, lane, bright, colour, y, x, inside):
    """A macroblock out of a lane."""
    small = room[of.MODES, lane] == of.SMALL_MODE
    start, columns = (of.SMALL + of.WIDE + 1, of.WIDE) if small else (of.WHOLE, 16)
    _brought_back(room, start, columns, lane, bright, 16 * y, 16 * x, 16)
    if x == inside.shape[1] - 1:
        bright[16 * y + 16, 16 * x + MARGIN + 16 : 16 * x + MARGIN + 20] = bright[16 * y + 16, 16 * x + MARGIN + 15]
    for c in range(len(colour)):
        _brought_back(room, of.MADE + of.COARSE * (of.COARSE * c + 1) + 1, of.COARSE, lane, colour[c], 8 * y, 8 * x, 8)
    inside[y, x] = small or words[of.BITS + 1, lane] + words[of.BITS + 2, lane] > 0


@_compiled
def _told(room, lane, modes, levels):
    """What was chosen in a lane: modes (18,) and levels (25, 16), of luma, of two colours and of luma's means."""
    modes[:] = room[of.MODES : of.MODES + 18, lane]
    start = of.LEVELS if modes[0] == of.SMALL_MODE else of.LEVELS + 256
    for k in range(25):
        first = start + 16 * k if k < 16 else of.LEVELS + 16 * (33 + k - 16) if k < 24 else of.LEVELS + 512
        levels[k] = room[first : first + 16, lane]
    if modes[0] != of.SMALL_MODE:
        levels[:16, 0] = 0


@_compiled
def _framed(bright, colour, quality, tables, inside, modes, levels, room, words):
    """Planes of some images, in place, as they are before the loop filter: macroblocks of any image that wait for none."""
    count, rows, columns = inside.shape
    filled, waiting = 0, np.empty((LANES, 3), np.int64)
    for step in range(columns + 2 * (rows - 1)):
        for y in range(max(0, (step - columns + 2) // 2), min(rows, step // 2 + 1)):
            for b in range(count):
                waiting[filled] = b, y, step - 2 * y
                _entered(bright[b], colour[b], y, step - 2 * y, (tables[0][quality[b]], tables[1][quality[b]]), room, words, filled)
                filled += 1
                last = b == count - 1 and y == min(rows, step // 2 + 1) - 1
                if filled == LANES or last:
                    of.coded(room, words, colour.shape[1] > 0)
                    for lane in range(filled):
                        b_, y_, x_ = waiting[lane]
                        _left(room, words, lane, bright[b_], colour[b_], y_, x_, inside[b_])
                        if len(modes):
                            _told(room, lane, modes[b_, y_, x_], levels[b_, y_, x_])
                    filled = 0


@_compiled
def _coded(images, out, quality, tables, modes, levels):
    batch, height, width, channels = images.shape
    rows, columns, colours = -(-height // 16), -(-width // 16), 2 if channels == 3 else 0
    count = min(batch, LANES, max(1, TOGETHER // (height * width)))
    bright = np.empty((count, 1 + 16 * rows, 16 * columns + 2 * MARGIN), np.uint8)
    colour = np.empty((count, colours, 1 + 8 * rows, 8 * columns + 2 * MARGIN), np.uint8)
    planes = np.empty((3, min(height * width, 2 * max(1, BAND // (2 * width)) * width) + 64), np.uint8)
    inside = np.empty((count, rows, columns), np.bool_)
    room, words = np.zeros((of.ROOM, LANES), np.int16), np.zeros((of.WORDS, LANES), np.int32)
    pixels, made = images.reshape(batch, -1), out.reshape(batch, -1)
    for first in range(0, batch, count):
        some = min(count, batch - first)
        for b in range(some):
            if channels == 3:
                taken(pixels[first + b], height, width, planes, bright[b], colour[b])
            else:
                grey_taken(pixels[first + b], height, width, bright[b])
            _surrounded(bright[b])
            for c in range(colours):
                _surrounded(colour[b, c])
        told = slice(first, first + some) if len(modes) else slice(0, 0)
        _framed(bright[:some], colour[:some], quality[first:], tables, inside[:some], modes[told], levels[told], room, words)
        for b in range(some):
            strength = tables[2][quality[first + b], 1]
            if strength > 0:
                filtered(bright[b], colour[b], inside[b], strength)
            if channels == 3:
                given(bright[b], colour[b], height, width, planes, made[first + b])
            else:
                grey_given(bright[b], height, width, made[first + b])


def coded(images: NDArray[np.uint8], quality: NDArray, told: bool = False) -> tuple[NDArray[np.uint8], NDArray, NDArray]:
    """(b, H, W, 1 or 3) images, grey or red, green and blue, as WebP of a quality (b,) 1 to 100 gives them back.

    And, if told, what a file would say: modes (b, rows, columns, 18) of luma, of its 16 small blocks and of colours, and levels (b, rows,
    columns, 25, 16) of 16 blocks of luma, of 4 of each colour and of the means of luma.
    """
    out, (_, height, width, _) = np.empty_like(images), images.shape
    blocks = (len(images) if told else 0, -(-height // 16), -(-width // 16))
    modes, levels = np.empty((*blocks, 18), np.int16), np.empty((*blocks, 25, 16), np.int16)
    _coded(np.ascontiguousarray(images), out, quality.astype(np.int64), tables(), modes, levels)
    return out, modes, levels


def recoded(images: NDArray, *, quality: NDArray) -> NDArray:
    """Encode as lossy WebP and decode again; quality (b,) 1 to 100."""
    return in_threes(images, lambda part: coded(part, quality)[0])
