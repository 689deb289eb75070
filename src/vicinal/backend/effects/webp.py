"""What lossy WebP does to pixels, and nothing else: a VP8 key frame (Bankoski et al., RFC 6386, 2011) as a reader shows it, but no file.

What is lost is lost in the levels to which frequencies are rounded; what is chosen, modes and levels, could be written as it is. Steps,
rounding and strength of the loop filter are those of libwebp's encoder for a quality, for one segment.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.effects.compression import in_threes
from vicinal.backend.effects.webp_blocks import FIXED
from vicinal.backend.effects.webp_colours import BAND, MARGIN, given, grey_given, grey_taken, taken
from vicinal.backend.effects.webp_filter import filtered
from vicinal.backend.effects.webp_frames import framed, surrounded, workplace

TOGETHER = 1 << 20  # pixels of images that are worked on together, so that their planes stay in the caches
CHROMA_DC = -2  # steps of the means of colours are those of an index that is so much higher

_compiled = njit(nogil=True, cache=True, error_model="numpy")

# RFC 6386, section 14.1: steps of means and of frequencies, by an index from 0 to 127.
_LOW = [*range(4, 11), *range(10, 18), *range(17, 21), 20, 21, 21, 22, 22, 23, 23, 24, 25, *range(25, 38), *range(37, 47),
        *range(46, 77), *range(76, 90), 91, 93, 95, 96, 98, 100, 101, 102, *range(104, 120, 2), *range(122, 142, 2),
        143, 145, 148, 151, 154, 157]  # fmt: skip
_HIGH = [*range(4, 59), *range(60, 118, 2), *range(119, 176, 3), *range(177, 229, 4), 229, 234, 239, 245, *range(249, 289, 5)]
_ROUND = (96, 110, 96, 108, 110, 115)  # of a step in 256ths, what is added before the fraction is cut off
_MODE_BITS = (1, 3, 3, 3, 4, 4, 4, 4, 4, 4)  # about; a bit is worth 11 in 128 of a step, in sums of differences


def indices() -> NDArray[np.int64]:
    """For every quality 0 to 100 where in the tables its steps are: libwebp's cube root, which has 0 for the best."""
    share = np.arange(101) / 100
    return (127 * (1 - np.cbrt(np.where(share < 0.75, share * 2 / 3, 2 * share - 1)))).astype(np.int64)


@lru_cache(maxsize=1)
def tables() -> tuple[NDArray[np.int32], NDArray[np.int16], NDArray[np.int64]]:
    """For every quality 0 to 100: words (101, 19), two steps of luma, of its means and of colours, each with what divides by it and what
    rounds, and the price of a bit; the prices of the ten modes of small blocks (101, 10); the strength of the loop filter (101,)."""
    index, low, high = indices(), np.array(_LOW), np.array(_HIGH)
    luma, means = (low[index], high[index]), (2 * low[index], np.maximum(high[index] * 155 // 100, 8))
    steps = np.stack([*luma, *means, low[np.clip(index + CHROMA_DC, 0, 117)], high[index]], 1)
    by, half = (1 << FIXED) // steps, np.broadcast_to(np.array(_ROUND) << (FIXED - 8), steps.shape)
    words = np.stack([steps, by, half], 2).reshape(101, 18)
    mean = (luma[0] + 15 * luma[1]) // 16
    # Of a default of 60 as what libwebp takes of it for a segment of middling complexity; less than 2 is none.
    strength = np.minimum(high[index] // 4, 63) * 5 * 60 // 384
    prices = np.array(_MODE_BITS) * mean[:, None] * 11 // 128
    return np.column_stack([words, mean**2]).astype(np.int32), prices.astype(np.int16), np.where(strength < 2, 0, strength)


@_compiled
def _taken(images, planes, bright, colour):
    """Images to planes."""
    batch, height, width, channels = images.shape
    pixels = images.reshape(batch, -1)
    for b in range(batch):
        if channels == 3:
            taken(pixels[b], height, width, planes, bright[b], colour[b])
            for c in range(2):
                surrounded(colour[b, c])
        else:
            grey_taken(pixels[b], height, width, bright[b])
        surrounded(bright[b])


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


def coded(images: NDArray[np.uint8], quality: NDArray, told: bool = False) -> tuple[NDArray[np.uint8], NDArray, NDArray]:
    """(b, H, W, 1 or 3) images, grey or red, green and blue, as WebP of a quality (b,) 1 to 100 gives them back.

    And, if told, what a file would say: modes (b, rows, columns, 18) of luma, of its 16 small blocks and of colours, and levels (b, rows,
    columns, 25, 16) of 16 blocks of luma, of 4 of each colour and of the means of luma.
    """
    batch, height, width, _ = images.shape
    count, blocks = max(1, min(batch, TOGETHER // (height * width))), (-(-height // 16), -(-width // 16))
    planes, (room, words), inside = _planes(count, *images.shape[1:]), workplace(), np.empty((count, *blocks), np.bool_)
    modes, levels = (np.zeros((batch if told else 0, *blocks, length), np.int16) for length in (18, 400))
    images, out = np.ascontiguousarray(images), np.empty_like(images, order="C")
    steps, prices, strength = (table[quality] for table in tables())
    for first in range(0, batch, count):
        some = slice(first, min(first + count, batch))
        bright, colour, within = (array[: some.stop - first] for array in (*planes[:2], inside))
        _taken(images[some], planes[2], bright, colour)
        framed(bright, colour, within, steps[some], prices[some], modes[some], levels[some], room, words)
        _given(bright, colour, within, strength[some], planes[2], out[some])
    return out, modes, levels.reshape(*levels.shape[:3], 25, 16)


def _planes(count: int, height: int, width: int, channels: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """Room for the brightness and for the colours of so many images, and for a band of red, green and blue of one."""
    rows, columns, band = -(-height // 16), -(-width // 16), min(height, 2 * max(1, BAND // (2 * width)))
    return (
        np.empty((count, 1 + 16 * rows, 16 * columns + 2 * MARGIN), np.uint8),
        np.empty((count, channels - 1, 1 + 8 * rows, 8 * columns + 2 * MARGIN), np.uint8),
        np.empty((3, band * width + 64), np.uint8),
    )


def recoded(images: NDArray, *, quality: NDArray) -> NDArray:
    """Encode as lossy WebP and decode again; quality (b,) 1 to 100."""
    return in_threes(images, lambda part: coded(part, quality)[0])
