"""Writing, by FreeType through Pillow: what OpenCV draws depends on its version."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.backend.effects import blend
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
    out, (height, width) = images.copy(), images.shape[1:3]
    for row, image in enumerate(out):
        if size[row] > 0 and opacity[row] > 0:
            cover = _line(str(text[row]), str(font[row]), max(round(size[row]), 1))
            if cover.shape[1] > width:
                cover = _line(str(text[row]), str(font[row]), max(int(round(size[row]) * width / cover.shape[1]), 1))
            left, top = ((room - part) * share for room, part, share in ((width, cover.shape[1], x[row]), (height, cover.shape[0], y[row])))
            _put(image, cover, round(left), round(top), colour[row], float(opacity[row]))
    return out


def captioned(images: NDArray, *, text: NDArray, font: NDArray, band: NDArray, background: NDArray, colour: NDArray) -> NDArray:
    """Rows band (b, 2), from and to, painted in background (b, C), with a text in colour (b, C) as large as fits."""
    out, width = images.copy(), images.shape[2]
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
    high, wide = _line(text, font, MEASURED).shape
    return _line(text, font, max(int(MEASURED * min(width / wide, height / high)), 1))


@lru_cache(maxsize=256)
def _line(text: str, font: str, size: int) -> NDArray[np.uint8]:
    """(h, w) how much of each pixel the letters cover, 255 for all of it; at least one pixel."""
    images, drawing, _ = _pillow()
    letters, blank = _font(font, size), images.new("L", (1, 1))
    left, top, right, bottom = (int(side) for side in drawing.Draw(blank).textbbox((0, 0), text, letters))
    made = images.new("L", (max(right - left, 1), max(bottom - top, 1)))
    drawing.Draw(made).text((-left, -top), text, 255, letters)
    cover = np.array(made)
    cover.flags.writeable = False
    return cover


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
