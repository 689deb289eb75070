"""One image file to one array, upright; several arrays to one kind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

_GREY = ("1", "L", "LA", "La")


def decode(path: Path) -> NDArray | str:
    """(H, W, 1) or (H, W, 3) pixels, turned as EXIF says, or the reason why the file cannot be read.

    Grey of 16 bits is uint16, float TIFF float32, all else uint8 (Pillow reads colour of 16 bits as 8). What is transparent
    shows white.
    """
    try:
        with Image.open(path) as picture:
            return _pixels(ImageOps.exif_transpose(picture))
    except UnidentifiedImageError:
        return "not an image"
    except Exception as error:  # Pillow's plug-ins raise whatever a damaged file makes them run into
        return str(error).splitlines()[0] if str(error) else type(error).__name__


def _pixels(picture: Image.Image) -> NDArray:
    if picture.mode == "F":
        return np.asarray(picture, np.float32)[..., None]
    if picture.mode.startswith("I"):
        levels = np.asarray(picture)
        if levels.size and not 0 <= levels.min() <= levels.max() <= 65535:
            raise ValueError("grey levels outside 0..65535")
        return levels.astype(np.uint16)[..., None]
    target = "L" if picture.mode in _GREY else "RGB"
    if picture.mode[-1] in "aA" or "transparency" in picture.info:
        colours = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", colours.size, "white"), colours)
    pixels = np.asarray(picture.convert(target))
    return pixels[..., None] if target == "L" else pixels


def alike(images: Sequence[NDArray]) -> list[NDArray]:
    """The same images with one number of channels (grey repeated where others have colour) and one depth (8 bits times 257)."""
    channels = max((image.shape[-1] for image in images), default=1)
    deep = {image.dtype.name for image in images} == {"uint8", "uint16"}
    return [_widened(image, channels, deep) for image in images]


def _widened(image: NDArray, channels: int, deep: bool) -> NDArray:
    image = np.repeat(image, channels, axis=-1) if image.shape[-1] < channels else image
    return image.astype(np.uint16) * np.uint16(257) if deep and image.dtype == np.uint8 else image
