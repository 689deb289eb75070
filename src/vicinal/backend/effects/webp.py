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
    strength = np.minimum(high[index] >> 2, 63) * 300 // 384
    strength = np.where(strength < 2, 0, np.minimum(strength, 63))
    return (
        np.column_stack([words, mean * mean]).astype(np.int32),
        prices.astype(np.int16),
        np.column_stack([index, strength]).astype(np.int32),
    )


@_compiled
def _surrounded(plane):
    """What counts as seen above and to the left of a picture."""
    for x in range(plane.shape[1]):
        plane[0, x] = 127
    for y in range(1, len(plane)):
        plane[y, MARGIN - 1] = 129


@_compiled
def _taken(images, planes, bright, colour):
    """Images to planes."""
    batch, height, width, channels = images.shape
    pixels = images.reshape(batch, -1)
    for b in range(batch):
        if channels == 3:
            taken(pixels[b], height, width, planes, bright[b], colour[b])
            for c in range(2):
                _surrounded(colour[b, c])
        else:
            grey_taken(pixels[b], height, width, bright[b])
        _surrounded(bright[b])


@_compiled
def _given(bright, colour, inside, strength, planes, out):
    """Planes, smoothed, to images."""
    batch, height, width, channels = out.shape
    pixels = out.reshape(batch, -1)
    for b in range(batch):
        if strength[b] > 0:
            filtered(bright[b], colour[b], inside[b], strength[b])
        if channels == 3:
            given(bright[b], colour[b], height, width, planes, pixels[b])
        else:
            grey_given(bright[b], height, width, pixels[b])


@_compiled
def _placed(bright, colour, b, y, x, lane, where, room, steps, prices, words):
    """What a lane needs to know of a macroblock."""
    step, half = bright.shape[2], colour.shape[3]
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
def _noted(lane, room, words, bright, b, y, x, inside, modes, levels):
    """What was chosen in a lane, as far as it is asked for."""
    small = room[of.MODES, lane] == of.SMALL_MODE
    inside[b, y, x] = small or words[of.BITS + 1, lane] + words[of.BITS + 2, lane] > 0
    if x == inside.shape[2] - 1:
        for k in range(4):  # what is above and to the right of the next row's last one
            bright[b, 16 * y + 16, 16 * x + MARGIN + 16 + k] = bright[b, 16 * y + 16, 16 * x + MARGIN + 15]
    if len(modes):
        for k in range(18):
            modes[b, y, x, k] = room[of.MODES + k, lane]
        for k in range(25 * 16):
            at = k if k < 256 and small else 256 + k if k < 256 else 272 + k if k < 384 else 128 + k
            levels[b, y, x, k] = 0 if k < 256 and k % 16 == 0 and not small else room[of.LEVELS + at, lane]


@_compiled
def _framed(bright, colour, steps, prices, inside, modes, levels, room, words):
    """Planes of some images, in place, as they are before the loop filter: macroblocks of any image, of which none waits for another."""
    count, rows, columns = inside.shape
    filled, waiting, where = 0, np.empty((LANES, 3), np.int64), np.empty((3, LANES), np.int64)
    for turn in range(columns + 2 * (rows - 1)):
        top, low = max(0, (turn - columns + 2) // 2), min(rows, turn // 2 + 1)
        for k in range(count * (low - top)):
            waiting[filled, 0], waiting[filled, 1] = k // (low - top), top + k % (low - top)
            waiting[filled, 2] = turn - 2 * waiting[filled, 1]
            filled += 1
            if filled < LANES and k < count * (low - top) - 1:
                continue
            for lane in range(LANES):
                b, y, x = waiting[min(lane, filled - 1)]
                _placed(bright, colour, b, y, x, lane, where, room, steps, prices, words)
            of.coded(where, bright.shape[2], colour.shape[3] if colour.shape[1] else 0, room, words)
            for lane in range(filled):
                b, y, x = waiting[lane]
                _noted(lane, room, words, bright, b, y, x, inside, modes, levels)
            filled = 0


def coded(images: NDArray[np.uint8], quality: NDArray, told: bool = False) -> tuple[NDArray[np.uint8], NDArray, NDArray]:
    """(b, H, W, 1 or 3) images, grey or red, green and blue, as WebP of a quality (b,) 1 to 100 gives them back.

    And, if told, what a file would say: modes (b, rows, columns, 18) of luma, of its 16 small blocks and of colours, and levels (b, rows,
    columns, 25, 16) of 16 blocks of luma, of 4 of each colour and of the means of luma.
    """
    batch, height, width, channels = images.shape
    rows, columns, count = -(-height // 16), -(-width // 16), min(batch, max(1, TOGETHER // (height * width)))
    bright = np.empty((count, 1 + 16 * rows, 16 * columns + 2 * MARGIN), np.uint8)
    colour = np.empty((count, channels - 1, 1 + 8 * rows, 8 * columns + 2 * MARGIN), np.uint8)
    planes = np.empty((3, min(height, 2 * max(1, BAND // (2 * width))) * width + 64), np.uint8)
    room, words = np.zeros((of.ROOM, LANES), np.int16), np.zeros((of.WORDS, LANES), np.int32)
    inside = np.empty((count, rows, columns), np.bool_)
    images, out, blocks = np.ascontiguousarray(images), np.empty_like(images, order="C"), (batch if told else 0, rows, columns)
    modes, levels = np.zeros((*blocks, 18), np.int16), np.zeros((*blocks, 400), np.int16)
    steps, prices, setting = (table[quality] for table in tables())
    for first in range(0, batch, count):
        some = slice(first, min(first + count, batch))
        parts = tuple(array[: some.stop - first] for array in (bright, colour))
        _taken(images[some], planes, *parts)
        _framed(*parts, steps[some], prices[some], inside[: some.stop - first], modes[some], levels[some], room, words)
        _given(*parts, inside, np.ascontiguousarray(setting[some, 1]), planes, out[some])
    return out, modes, levels.reshape(*blocks, 25, 16)


def recoded(images: NDArray, *, quality: NDArray) -> NDArray:
    """Encode as lossy WebP and decode again; quality (b,) 1 to 100."""
    return in_threes(images, lambda part: coded(part, quality)[0])
