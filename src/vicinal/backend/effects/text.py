"""Writing, by FreeType through Pillow: what OpenCV draws depends on its version."""

from __future__ import annotations

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
MEASURED = 64  # the size at which a text is measured


def written(images: NDArray, *, text: NDArray, font: NDArray, size: NDArray, x: NDArray, y: NDArray, colour: NDArray,
            opacity: NDArray) -> NDArray:  # fmt: skip
    """A text on every image.

    Args:
        text, font: (b,) what is written, and the path of a font file or ""; size: (b,) pixels, less where the text would be too wide;
        x, y: (b,) shares of the free room; colour: (b, C) shares of the value range; opacity: (b,).
    """
    out, (height, width) = copied(images), images.shape[1:3]
    for row, image in enumerate(out):
        if size[row] > 0 and opacity[row] > 0:
            cover = line(str(text[row]), str(font[row]), max(round(size[row]), 1))
            if cover.shape[1] > width:
                cover = line(str(text[row]), str(font[row]), max(int(round(size[row]) * width / cover.shape[1]), 1))
            left, top = ((room - part) * share for room, part, share in ((width, cover.shape[1], x[row]), (height, cover.shape[0], y[row])))
            _put(image, cover, round(left), round(top), colour[row], float(opacity[row]))
    return out


def captioned(images: NDArray, *, text: NDArray, font: NDArray, band: NDArray, background: NDArray, colour: NDArray) -> NDArray:
    """Rows band (b, 2), from and to, painted in background (b, C), with a text in colour (b, C) as large as fits."""
    out, width = copied(images), images.shape[2]
    for row, (image, (start, stop)) in enumerate(zip(out, band.tolist(), strict=True)):
        if start < stop:
            image[start:stop] = quantise(background[row], str(image.dtype))
            cover = _fitted(str(text[row]), str(font[row]), width * WIDE, (stop - start) * HIGH)
            left, top = (width - cover.shape[1]) // 2, (start + stop - cover.shape[0]) // 2
            _put(image[start:stop], cover, left, top - start, colour[row], 1.0)
    return out


def _put(image: NDArray, cover: NDArray, left: int, top: int, colour: NDArray, opacity: float) -> None:
    scaled = (colour * RANGES[str(image.dtype)]).astype(np.float32)
    blend.tinted(image, cover, left, top, scaled, opacity, image.dtype.kind == "u")


def _fitted(text: str, font: str, width: float, height: float) -> NDArray[np.uint8]:
    high, wide = line(text, font, MEASURED).shape
    return line(text, font, max(int(MEASURED * min(width / wide, height / high)), 1))


@lru_cache(maxsize=256)
def line(text: str, font: str, size: int) -> NDArray[np.uint8]:
    """(h, w) how much of each pixel the letters cover, 255 for all of it; at least one pixel."""
    cover = _set(text, font, size) if text.isascii() and text.isalnum() else rendered(text, font, size)
    cover.flags.writeable = False
    return cover


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
    pen, places = 0.0, []
    for before, letter in zip(" " + text, text, strict=False):
        pen += _kerning(before, letter, font, size) if places else 0.0
        cover, left, top, advance = _letter(letter, font, size)
        places.append((cover, left + int(np.floor(pen + 0.5)), top))
        pen += advance
    left, top = min(left for _, left, _ in places), min(top for _, _, top in places)
    right = max(x + cover.shape[1] for cover, x, _ in places)
    bottom = max(y + cover.shape[0] for cover, _, y in places)
    made = np.zeros((max(bottom - top, 1), max(right - left, 1)), np.uint8)
    for cover, x, y in places:
        blend.covered(made, cover, x - left, y - top)
    return made


@lru_cache(maxsize=8192)
def _letter(letter: str, font: str, size: int) -> tuple[NDArray[np.uint8], int, int, float]:
    """Its (h, w) cover, where that begins, and how far it is to the next."""
    found = _font(font, size)
    mask, (left, top) = found.getmask2(letter, "L")
    return np.array(mask, np.uint8).reshape(mask.size[::-1]), left, top, found.getlength(letter)


@lru_cache(maxsize=65536)
def _kerning(before: str, letter: str, font: str, size: int) -> float:
    """By how much two letters stand apart more than the advances say."""
    apart = _letter(before, font, size)[3] + _letter(letter, font, size)[3]
    return float(_font(font, size).getlength(before + letter)) - apart


@lru_cache(maxsize=256)
def _font(path: str, size: int) -> Any:
    """A font of a size in pixels; letters are set one after the other, whatever layout library this machine has."""
    fonts = _pillow()[2]
    try:
        found = fonts.truetype(path, size) if path else fonts.load_default(size)
    except OSError as fault:
        raise DataError("font", "a TrueType or OpenType file", f"{path!r} ({fault})") from None
    return found.font_variant(layout_engine=fonts.Layout.BASIC)


def _pillow() -> tuple[Any, Any, Any]:
    """Its images, its drawing and its fonts."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ModuleNotFoundError:
        raise BackendError("writing text", "Pillow to be installed", "no such module", "pip install pillow") from None
    return Image, ImageDraw, ImageFont
