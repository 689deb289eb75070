"""Image files to upright RGB pixels: the size before anything is decoded, then the pixels, of JPEG also at 1/2, 1/4 or 1/8 of the scale."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO, final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from vicinal.core.errors import DataError, nearest_path
from vicinal.data.formats.picture import decode

_FLAGS = MappingProxyType(
    {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}
)
_RGB = getattr(cv2, "IMREAD_COLOR_RGB", None)  # OpenCV 4.10 and older read BGR alone
_TURNED = (5, 6, 7, 8)
_MIRRORED = MappingProxyType({2: (1, 0), 3: (1, 1), 4: (0, 1), 6: (1, 0), 7: (1, 1), 8: (0, 1)})
_ROTATED = MappingProxyType({3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE})
_HINTS = (b"eXIf", b"Raw profile type exif", b"XML:com.adobe.xmp")
_JPEG = ("JPEG", "MPO")
_START, _END = b"\xff\xda", b"\xff\xd9"
_WRITE = "a whole image file in its place, or broken='skip' in the Loader"


@final
@dataclass(frozen=True, eq=False)
class Encoded:
    """An image file of which the size is known.

    Args:
        path: the file; size: (height, width) of the upright image.
        scalable: whether it is a JPEG of one or three components, which ``pixels`` decodes at 1/2, 1/4 and 1/8 of its scale too.
        orientation: EXIF orientation, 1 to 8.
        held: the pixels, where only decoding could tell the size.
    """

    path: Path
    size: tuple[int, int]
    scalable: bool = False
    orientation: int = 1
    held: NDArray[np.uint8] | None = None

    def reduced(self, by: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """(height, width) at 1/``by`` of the scale, rounded up; and how many source pixels its left and its top edge lie outside.

        A reduced pixel covers ``by`` source pixels, counted from the corner at which the file begins, so the last one may reach over the
        edge. In an upright image that the file holds mirrored, the last one is the first.
        """
        small = (-(-self.size[0] // by), -(-self.size[1] // by))
        over = (small[1] * by - self.size[1], small[0] * by - self.size[0])
        mirrored = _MIRRORED.get(self.orientation, (0, 0))
        return small, (over[0] * mirrored[0], over[1] * mirrored[1])

    def pixels(self, by: int = 1) -> NDArray[np.uint8]:
        """(H, W, 3) upright RGB pixels, at 1/``by`` of the scale.

        Raises:
            DataError: for a file that cannot be decoded.
        """
        found = self.held if self.held is not None else self._scaled(by) if self.scalable else None
        found = _by_pillow(self.path) if found is None else found
        expected = self.reduced(by)[0]
        if found.shape[:2] != expected:
            got = f"{found.shape[1]}x{found.shape[0]}"
            raise DataError(str(self.path), f"{expected[1]}x{expected[0]} pixels, as the header says", got, _WRITE)
        return found

    def _scaled(self, by: int) -> NDArray[np.uint8] | None:
        """None where the file is gone or OpenCV gives up; Pillow then says why."""
        try:
            data = self.path.read_bytes()
        except OSError:
            return None
        end = data.rfind(_END)
        if end < 0 or data.find(_START, end) >= 0:  # the last scan has no end: cut off, which OpenCV may take without a word
            return None
        flags, encoded = _FLAGS[by] | cv2.IMREAD_IGNORE_ORIENTATION, np.frombuffer(data, np.uint8)
        if _RGB is not None:
            found = cv2.imdecode(encoded, flags & ~cv2.IMREAD_COLOR | _RGB)
        elif (found := cv2.imdecode(encoded, flags)) is not None:
            cv2.cvtColor(found, cv2.COLOR_BGR2RGB, found)
        return None if found is None else _upright(found, self.orientation)


def opened(path: Path, ahead: bool = False) -> Encoded:
    """A file, read as far as is needed to tell the size of the upright image: EXIF orientation is always followed.

    Args:
        path: the file; ahead: whether the system is asked to have all of it at hand, since it will be decoded soon.

    Raises:
        DataError: nothing is there, or no image.
    """
    try:
        with path.open("rb") as file, Image.open(file) as picture:
            if ahead and hasattr(os, "posix_fadvise"):  # into the system's cache: bytes held here would be those of whole batches
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)
            form, mode, size = picture.format, picture.mode, (picture.height, picture.width)
            if form in _JPEG:
                orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
                upright = (size[1], size[0]) if orientation in _TURNED else size
                return Encoded(path, upright, mode in ("L", "RGB"), orientation if orientation in range(1, 9) else 1)
            if form == "PNG" and not _hinted(file):
                return Encoded(path, size)
    except FileNotFoundError:
        raise _missing(path) from None
    except Exception as error:  # Pillow's plug-ins raise whatever a damaged file makes them run into
        raise _unreadable(path, error) from error
    pixels = _by_pillow(path)
    return Encoded(path, (pixels.shape[0], pixels.shape[1]), held=pixels)


def _hinted(file: BinaryIO) -> bool:
    """Whether anything may tell that the pixels of a PNG are not upright."""
    file.seek(0)
    data = file.read()
    return any(hint in data for hint in _HINTS)


def _upright(image: NDArray, orientation: int) -> NDArray:
    """Pixels as they lie in a file, turned as EXIF says."""
    if orientation in _ROTATED:
        return cv2.rotate(image, _ROTATED[orientation])
    if orientation in (2, 4):
        return cv2.flip(image, int(orientation == 2))
    if orientation in (5, 7):
        turned = cv2.transpose(image)
        return cv2.flip(turned, -1) if orientation == 7 else turned
    return image


def _by_pillow(path: Path) -> NDArray[np.uint8]:
    found = decode(path)
    if isinstance(found, str):
        raise DataError(str(path), "an image that can be read", found, _WRITE)
    if found.dtype.kind == "f":
        raise DataError(str(path), "an image of 8 or 16 bits", "one of floats", "from_arrays(images, labels) for images in memory")
    if found.dtype == np.uint16:
        found = ((found.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.repeat(found, 3, axis=2) if found.shape[2] == 1 else found


def _missing(path: Path) -> DataError:
    folder = path.parent
    where = f"no file of that name in {folder}" if folder.is_dir() else f"no folder {folder}"
    return DataError(str(path), "an image file", where, nearest_path(path) or "broken='skip' in the Loader to go on without it")


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = "not an image" if isinstance(error, UnidentifiedImageError) else getattr(error, "strerror", None) or str(error)
    return DataError(str(path), "an image that can be read", reason or type(error).__name__, _WRITE)
