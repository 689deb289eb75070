"""Image files of every kind that a loader meets."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How an upright image is laid into a file whose EXIF orientation turns it back."""


def smooth(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """(H, W, 3) waves of several lengths, all long enough to survive a reduction."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] + 0.5
    waves = [np.sin(2 * np.pi * (x * rng.uniform(0.3, 1.2) / width + y * rng.uniform(0.3, 1.2) / height + rng.random())) for _ in range(3)]
    return np.rint(127.5 + 100 * np.stack(waves, -1)).astype(np.uint8)


def dot(height: int, width: int, x: float, y: float, sigma: float) -> NDArray[np.uint8]:
    """(H, W, 3) a bright Gaussian dot on black."""
    rows, columns = np.mgrid[0:height, 0:width] + 0.5
    grey = 255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))
    return np.repeat(np.rint(grey).astype(np.uint8)[..., None], 3, 2)


def centroid(image: NDArray) -> tuple[float, float]:
    """x and y of the middle of what is bright."""
    weight = image.astype(float).sum(2)
    weight[weight < 0.02 * weight.max()] = 0
    rows, columns = np.mgrid[0 : weight.shape[0], 0 : weight.shape[1]] + 0.5
    return float((columns * weight).sum() / weight.sum()), float((rows * weight).sum() / weight.sum())


def jpeg(path: Path, upright: NDArray, orientation: int = 1, mode: str = "RGB", **options: Any) -> Path:
    """An image as JPEG, laid down as its EXIF orientation wants it."""
    picture = Image.fromarray(upright)
    picture = picture.transpose(TURNS[orientation]) if orientation in TURNS else picture
    exif = Image.Exif()
    exif[0x0112] = orientation
    extra = {"exif": exif} if orientation != 1 else {}
    picture.convert(mode).save(path, "JPEG", quality=95, **extra, **options)
    return path


def late_exif(path: Path, upright: NDArray, orientation: int) -> Path:
    """A PNG that tells its EXIF orientation behind the pixels, where only decoding finds it."""
    Image.fromarray(upright).transpose(TURNS[orientation]).save(path, "PNG")
    data, exif = path.read_bytes(), Image.Exif()
    exif[0x0112] = orientation
    body = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    path.write_bytes(data[:-12] + chunk + data[-12:])
    return path
