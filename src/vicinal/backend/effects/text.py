"""Writing, by FreeType through Pillow: what OpenCV draws depends on its version."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.backend.effects import blend
from vicinal.backend.streams import copied
from vicinal.core.batch import RANGES
from vicinal.core.errors import BackendError, DataError
from vicinal.core.steps import quantise

WIDE, HIGH = 0.92, 0.7  # the share of a band that a caption takes at most
MEASURED, LARGE = 64, 2048  # the sizes at which a text is measured, and at which letters are looked at that may stand closer together


def written(images: NDArray, *, text: NDArray, font: NDArray, size: NDArray, x: NDArray, y: NDArray, colour: NDArray,
            opacity: NDArray) -> NDArray:  # fmt: skip
    """A text on every image.

    Args:
        text, font: (b,) what is written, and the path of a font file or ""; size: (b,) pixels, less where the text would be too wide;
        x, y: (b,) shares of the free room; colour: (b, C) shares of the value range; opacity: (b,).
    """
    out, (height, width), scaled, whole = copied(images), images.shape[1:3], *_in_units(colour, images.dtype)
    settings = zip(*(column.tolist() for column in (text, font, size, x, y, opacity)), strict=True)
    for row, (words, face, high, across, down, share) in enumerate(settings):
        if high > 0 and share > 0:
            cover = line(words, face, max(round(high), 1))
            if cover.shape[1] > width:
                cover = line(words, face, max(int(round(high) * width / cover.shape[1]), 1))
            left, top = round((width - cover.shape[1]) * across), round((height - cover.shape[0]) * down)
            blend.tinted(out[row], cover, left, top, scaled[row], share, whole)
    return out


def captioned(images: NDArray, *, text: NDArray, font: NDArray, band: NDArray, background: NDArray, colour: NDArray) -> NDArray:
    """Rows band (b, 2), from and to, painted in background (b, C), with a text in colour (b, C) as large as fits."""
    out, width, scaled, whole = copied(images), images.shape[2], *_in_units(colour, images.dtype)
    below = quantise(background, str(images.dtype))
    for row, (words, face, (start, stop)) in enumerate(zip(text.tolist(), font.tolist(), band.tolist(), strict=True)):
        if start < stop:
            part = out[row, start:stop]
            part[:] = below[row]
            cover = _fitted(words, face, width * WIDE, (stop - start) * HIGH)
            left, top = (width - cover.shape[1]) // 2, (start + stop - cover.shape[0]) // 2
            blend.tinted(part, cover, left, top - start, scaled[row], 1.0, whole)
    return out


def _in_units(colour: NDArray, dtype: np.dtype) -> tuple[NDArray[np.float32], bool]:
    """Shares of the range as values of a dtype, and whether that has whole numbers."""
    return (colour * RANGES[str(dtype)]).astype(np.float32), dtype.kind == "u"


def _fitted(text: str, font: str, width: float, height: float) -> NDArray[np.uint8]:
    high, wide = _placed(text, font, MEASURED)[1] if _simple(text) else line(text, font, MEASURED).shape
    return line(text, font, max(int(MEASURED * min(width / wide, height / high)), 1))


@lru_cache(maxsize=256)
def line(text: str, font: str, size: int) -> NDArray[np.uint8]:
    """(h, w) how much of each pixel the letters cover, 255 for all of it; at least one pixel."""
    cover = _set(text, font, size) if _simple(text) else rendered(text, font, size)
    cover.flags.writeable = False
    return cover


def _simple(text: str) -> bool:
    """Whether a line is its letters, one after the other."""
    return text.isascii() and text.isalnum()


def rendered(text: str, font: str, size: int) -> NDArray[np.uint8]:
    """A line as Pillow draws it."""
    images, drawing, _ = _pillow()
    letters, blank = _font(font, size), images.new("L", (1, 1))
    left, top, right, bottom = (int(side) for side in drawing.Draw(blank).textbbox((0, 0), text, letters))
    made = images.new("L", (max(right - left, 1), max(bottom - top, 1)))
    drawing.Draw(made).text((-left, -top), text, 255, letters)
    return np.array(made)


def _set(text: str, font: str, size: int) -> NDArray[np.uint8]:
    """The same from single letters, which random lines have in common; a letter over another covers what that left free."""
    letters, shape = _placed(text, font, size)
    made = np.zeros(shape, np.uint8)
    for cover, left, top in letters:
        blend.covered(made, cover, left, top)
    return made


def _placed(text: str, font: str, size: int) -> tuple[list[tuple[NDArray[np.uint8], int, int]], tuple[int, int]]:
    """The letters of a line, each with its left and top, and the height and width of the line."""
    pen, before, places = 0.0, "", []
    for letter in text:
        pen += _kerning(before, letter, font, size) if before else 0.0
        cover, x, y, advance = _letter(letter, font, size)
        places.append((cover, x + math.floor(pen + 0.5), y))
        pen, before = pen + advance, letter
    left, top = min(x for _, x, _ in places), min(y for _, _, y in places)
    right, bottom = max(x + cover.shape[1] for cover, x, _ in places), max(y + cover.shape[0] for cover, _, y in places)
    return [(cover, x - left, y - top) for cover, x, y in places], (max(bottom - top, 1), max(right - left, 1))


@lru_cache(maxsize=8192)
def _letter(letter: str, font: str, size: int) -> tuple[NDArray[np.uint8], int, int, float]:
    """Its (h, w) cover, where that begins, and how far it is to the next."""
    found = _font(font, size)
    mask, (left, top) = found.getmask2(letter, "L")
    return np.array(mask, np.uint8).reshape(mask.size[::-1]), left, top, found.getlength(letter)


def _kerning(before: str, letter: str, font: str, size: int) -> float:
    """By how much two letters stand apart more than the advances say: in whole pixels, so nothing where nothing at a larger size."""
    return _apart(before, letter, font, size) if size > LARGE or _apart(before, letter, font, LARGE) else 0.0


@lru_cache(maxsize=65536)
def _apart(before: str, letter: str, font: str, size: int) -> float:
    found = _font(font, size)
    return float(found.getlength(before + letter) - found.getlength(before) - found.getlength(letter))


@lru_cache(maxsize=256)
def _font(path: str, size: int) -> Any:
    """A font of a size in pixels; letters are set one after the other, whatever layout library this machine has."""
    fonts = _pillow()[2]
    try:
        found = fonts.truetype(path, size) if path else fonts.load_default(size)
    except OSError as fault:
        raise DataError("font", "a TrueType or OpenType file", f"{path!r} ({fault})", "font=None for the font of Pillow") from None
    return found.font_variant(layout_engine=fonts.Layout.BASIC)


def _pillow() -> tuple[Any, Any, Any]:
    """Its images, its drawing and its fonts."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ModuleNotFoundError:
        raise BackendError("writing text", "Pillow to be installed", "no such module", "pip install pillow") from None
    return Image, ImageDraw, ImageFont
