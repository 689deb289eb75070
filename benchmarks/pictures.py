"""What the benchmarks run on: the photographs of ``photos`` under VICINAL_DATA, and smoothed noise where they are absent."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray


def data_folder(name: str) -> Path:
    """Where a data set is to be: under VICINAL_DATA, or beside the checkout."""
    return Path(os.environ.get("VICINAL_DATA", Path(__file__).parents[2] / "shared" / "data")) / name


@lru_cache(maxsize=1)
def photographs() -> tuple[NDArray[np.uint8], ...]:
    """(H, W, 3) images in RGB as they are decoded, each of its own size."""
    files = sorted(path for path in data_folder("photos").glob("*") if path.suffix in (".jpg", ".png"))
    decoded = [cv2.imread(str(path), cv2.IMREAD_COLOR) for path in files]
    if not decoded:
        return tuple(_noise(number) for number in range(8))
    return tuple(np.ascontiguousarray(image[..., ::-1]) for image in decoded if image is not None)


def origin() -> str:
    """Where the pictures come from, in words."""
    real = data_folder("photos").is_dir()
    return f"{len(photographs())} photographs" if real else "smoothed noise (no photos/ under VICINAL_DATA)"


def _noise(number: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(number).random((375, 500, 3), np.float32)
    return np.clip(128 + 1500 * (cv2.GaussianBlur(noise, (0, 0), 4) - 0.5), 0, 255).astype(np.uint8)


def natives(count: int) -> list[NDArray[np.uint8]]:
    """Whole photographs, again from the first once all had their turn."""
    return [photographs()[number % len(photographs())] for number in range(count)]


def crops(count: int, side: int, channels: int = 3) -> NDArray[np.uint8]:
    """(count, side, side, channels): the largest square of each photograph, another part of it in every turn."""
    squares = [_square(image, number // len(photographs())) for number, image in enumerate(natives(count))]
    small = [cv2.resize(square, (side, side), interpolation=cv2.INTER_AREA) for square in squares]
    return np.stack(small if channels == 3 else [image.mean(-1, keepdims=True).astype(np.uint8) for image in small])


def _square(image: NDArray, turn: int) -> NDArray:
    height, width = image.shape[:2]
    side = max(min(height, width) - 13 * (turn % 8), 8)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


def boxes(count: int, each: int, side: int) -> NDArray[np.float32]:
    """(count, each, 4) corners x0, y0, x1, y1, whole pixels, each box an eighth to a third of the canvas wide and high."""
    rng = np.random.default_rng(0)
    size = rng.integers(side // 8, side // 3, (count, each, 2))
    start = rng.integers(0, side - size)
    return np.concatenate([start, start + size], -1).astype(np.float32)


def masks(count: int, side: int) -> NDArray[np.uint8]:
    """(count, side, side) of 8 classes in blobs."""
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 8, (count, 8, 8)).astype(np.uint8)
    return np.stack([cv2.resize(mask, (side, side), interpolation=cv2.INTER_NEAREST) for mask in coarse])
