"""Fonts, by FreeType through Pillow: what OpenCV draws depends on its version."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vicinal.core.errors import BackendError, DataError

LARGE = 2048  # pixels: a size at which letters that may stand closer together do


def pillow() -> tuple[Any, Any, Any]:
    """Its images, its drawing and its fonts."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ModuleNotFoundError:
        raise BackendError("writing text", "Pillow to be installed", "no such module", "pip install pillow") from None
    return Image, ImageDraw, ImageFont


@lru_cache(maxsize=256)
def of_size(path: str, size: int) -> Any:
    """A font of a size in pixels; letters are set one after the other, whatever layout library this machine has."""
    fonts = pillow()[2]
    try:
        found = fonts.truetype(path, size) if path else fonts.load_default(size)
    except OSError as fault:
        raise DataError("font", "a TrueType or OpenType file", f"{path!r} ({fault})", "font=None for the font of Pillow") from None
    return found.font_variant(layout_engine=fonts.Layout.BASIC)


def letter(font: str, size: int, of: str) -> tuple[NDArray[np.uint8], int, int, int]:
    """The (h, w) cover of a letter, where that begins, and how far it is to the next in 64ths of a pixel."""
    found = of_size(font, size)
    mask, (left, top) = found.getmask2(of, "L")
    return np.frombuffer(bytes(mask), np.uint8).reshape(mask.size[::-1]), left, top, round(64 * found.getlength(of))


@lru_cache(maxsize=256)
def kerns(font: str, size: int, letters: str) -> NDArray[np.int32]:
    """(n, n) by how much, in 64ths of a pixel, the second of two letters stands further from the first than that says.

    It is in whole pixels, so nothing where it is nothing at a larger size.
    """
    found, many = of_size(font, size), len(letters)
    pairs = np.argwhere(kerns(font, LARGE, letters) if size < LARGE else np.ones((many, many)))
    alone, made = [found.getlength(letter) for letter in letters], np.zeros((many, many), np.int32)
    for one, other in pairs.tolist():
        made[one, other] = round(64 * (found.getlength(letters[one] + letters[other]) - alone[one] - alone[other]))
    return made
