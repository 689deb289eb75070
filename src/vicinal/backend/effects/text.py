"""Writing: a line over a picture, and a caption in a band."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vicinal.backend.effects import blend, fonts, letters
from vicinal.backend.streams import copied
from vicinal.core.batch import RANGES, name_of
from vicinal.core.steps import quantise

WIDE, HIGH = 0.92, 0.7  # the share of a band that a caption takes at most
MEASURED = 64  # the size at which a text is measured


def written(images: NDArray, *, text: NDArray, size: NDArray, x: NDArray, y: NDArray, colour: NDArray, opacity: NDArray,
            font: str) -> NDArray:  # fmt: skip
    """A text on every image.

    Args:
        text: (b,) what is written; size: (b,) pixels, less where the text would be too wide; x, y: (b,) shares of the free room;
        colour: (b, C) shares of the value range; opacity: (b,); font: the path of a font file or "".
    """
    out, width, (scaled, half), on = copied(images), images.shape[2], _in_units(colour, images.dtype), (size > 0) & (opacity > 0)
    high, lines = np.maximum(np.rint(size), 1).astype(np.int64), letters.numbered(text)
    others = np.flatnonzero(on & (lines[:, 0] == letters.NONE))
    lines[~on] = letters.NONE
    sheet, rows, boxes = _fitting(lines, high, width, font)
    letters.written(out, lines, rows, boxes, *sheet[1:], np.stack([x, y], 1), scaled, opacity, half)
    for row in others.tolist():
        cover = _at_most(str(text[row]), font, int(high[row]), width)
        left, top = round((width - cover.shape[1]) * x[row]), round((images.shape[1] - cover.shape[0]) * y[row])
        blend.tinted(out[row], cover, left, top, scaled[row], opacity[row], half)
    return out


def _fitting(lines: NDArray, high: NDArray, width: int, font: str) -> tuple[letters.Sheet, NDArray, NDArray]:
    """The letters of lines, in smaller sizes where a line would be too wide; the rows of the sizes, and the boxes of the lines."""
    sheet, rows = letters.of_font(font).drawn(lines, high)
    boxes = letters.boxes(lines, rows, sheet.letters, sheet.kerns)
    wide = boxes[:, 3]
    if (wide <= width).all():
        return sheet, rows, boxes
    smaller = np.maximum((high * width / np.maximum(wide, 1)).astype(np.int64), 1)
    sheet, rows = letters.of_font(font).drawn(lines, np.where(wide > width, smaller, high))
    return sheet, rows, letters.boxes(lines, rows, sheet.letters, sheet.kerns)


def _at_most(text: str, font: str, size: int, width: int) -> NDArray[np.uint8]:
    """A line, smaller if it would be too wide."""
    cover = line(text, font, size)
    return cover if cover.shape[1] <= width else line(text, font, max(int(size * width / cover.shape[1]), 1))


def captioned(images: NDArray, *, text: NDArray, band: NDArray, background: NDArray, colour: NDArray, font: str) -> NDArray:
    """Rows band (b, 2), from and to, painted in background (b, C), with a text in colour (b, C) as large as fits."""
    out, width, (scaled, half) = copied(images), images.shape[2], _in_units(colour, images.dtype)
    below = quantise(background, name_of(images.dtype))
    for row, (words, (start, stop)) in enumerate(zip(text.tolist(), band.tolist(), strict=True)):
        if start < stop:
            part = out[row, start:stop]
            part[:] = below[row]
            cover = _fitted(words, font, width * WIDE, (stop - start) * HIGH)
            left, top = (width - cover.shape[1]) // 2, (start + stop - cover.shape[0]) // 2
            blend.tinted(part, cover, left, top - start, scaled[row], 1.0, half)
    return out


def _in_units(colour: NDArray, dtype: np.dtype) -> tuple[NDArray[np.float32], np.float32]:
    """Shares of the range as values of a dtype, and what is added before whole numbers are cut off."""
    return (colour * RANGES[name_of(dtype)]).astype(np.float32), np.float32(0.5 if dtype.kind == "u" else 0)


def _fitted(text: str, font: str, width: float, height: float) -> NDArray[np.uint8]:
    high, wide = letters.of_font(font).box(text, MEASURED)[2:] if _simple(text) else line(text, font, MEASURED).shape
    return line(text, font, max(int(MEASURED * min(width / wide, height / high)), 1))


@lru_cache(maxsize=256)
def line(text: str, font: str, size: int) -> NDArray[np.uint8]:
    """(h, w) how much of each pixel the letters cover, 255 for all of it; at least one pixel."""
    cover = letters.of_font(font).line(text, size) if _simple(text) else rendered(text, font, size)
    cover.flags.writeable = False
    return cover


def _simple(text: str) -> bool:
    """Whether a line is its letters, one after the other."""
    return text.isascii() and text.isalnum()


def rendered(text: str, font: str, size: int) -> NDArray[np.uint8]:
    """A line as Pillow draws it."""
    images, drawing, _ = fonts.pillow()
    found, blank = fonts.of_size(font, size), images.new("L", (1, 1))
    left, top, right, bottom = (int(side) for side in drawing.Draw(blank).textbbox((0, 0), text, found))
    made = images.new("L", (max(right - left, 1), max(bottom - top, 1)))
    drawing.Draw(made).text((-left, -top), text, 255, found)
    return np.array(made)
