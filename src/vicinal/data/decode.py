"""Image files to upright RGB pixels: the size before anything is decoded, then the pixels, of JPEG also at 1/2, 1/4 or 1/8 of the scale."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import final

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
        data: the bytes of a JPEG of one or three components, which can be decoded at a smaller scale; None for everything else.
        orientation: EXIF orientation, 1 to 8.
        held: the pixels, where only decoding could tell the size.
    """

    path: Path
    size: tuple[int, int]
    data: bytes | None = None
    orientation: int = 1
    held: NDArray[np.uint8] | None = None

    @property
    def scalable(self) -> bool:
        """True where ``pixels`` takes 2, 4 and 8."""
        return self.data is not None

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
        found = self.held if self.held is not None else self._scaled(by) if self.data is not None else None
        found = _by_pillow(self.path) if found is None else found
        expected = self.reduced(by)[0]
        if found.shape[:2] != expected:
            got = f"{found.shape[1]}x{found.shape[0]}"
            raise DataError(str(self.path), f"{expected[1]}x{expected[0]} pixels, as the header says", got, _WRITE)
        return found

    def _scaled(self, by: int) -> NDArray[np.uint8] | None:
        """None where OpenCV gives up; Pillow then says why."""
        assert self.data is not None
        end = self.data.rfind(_END)
        if end < 0 or self.data.find(_START, end) >= 0:  # the last scan has no end: cut off, which OpenCV may take without a word
            return None
        flags = _FLAGS[by] | cv2.IMREAD_IGNORE_ORIENTATION
        data = np.frombuffer(self.data, np.uint8)
        if _RGB is not None:
            found = cv2.imdecode(data, flags & ~cv2.IMREAD_COLOR | _RGB)
        elif (found := cv2.imdecode(data, flags)) is not None:
            cv2.cvtColor(found, cv2.COLOR_BGR2RGB, found)
        return None if found is None else _upright(found, self.orientation)


def opened(path: Path) -> Encoded:
    """A file, read as far as is needed to tell its size; the rest of a JPEG too.

    The size is that of the upright image: EXIF orientation is always followed.

    Raises:
        DataError: nothing is there, or no image.
    """
    try:
        data = path.read_bytes()
        with Image.open(io.BytesIO(data)) as picture:
            height, width, form, mode = picture.height, picture.width, picture.format, picture.mode
            orientation = picture.getexif().get(ExifTags.Base.Orientation, 1) if form in _JPEG else 1
    except FileNotFoundError:
        raise _missing(path) from None
    except Exception as error:  # Pillow's plug-ins raise whatever a damaged file makes them run into
        raise _unreadable(path, error) from error
    if form in _JPEG:
        size = (width, height) if orientation in _TURNED else (height, width)
        return Encoded(path, size, data if mode in ("L", "RGB") else None, orientation if orientation in range(1, 9) else 1)
    if form == "PNG" and not any(hint in data for hint in _HINTS):
        return Encoded(path, (height, width))
    pixels = _by_pillow(path)
    return Encoded(path, (pixels.shape[0], pixels.shape[1]), held=pixels)


def measured(path: Path) -> tuple[int, int]:
    """(height, width) of the upright image in a file; of a JPEG no more than the header is read.

    Raises:
        DataError: nothing is there, or no image.
    """
    try:
        with Image.open(path) as picture:
            if picture.format in _JPEG:
                turned = picture.getexif().get(ExifTags.Base.Orientation, 1) in _TURNED
                return (picture.width, picture.height) if turned else (picture.height, picture.width)
    except FileNotFoundError:
        raise _missing(path) from None
    except Exception as error:  # Pillow's plug-ins raise whatever a damaged file makes them run into
        raise _unreadable(path, error) from error
    return opened(path).size


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
