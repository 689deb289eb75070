"""Data as a comparison takes them: read, and brought to one size where that is wanted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vicinal.data import read
from vicinal.data.dataset import Dataset
from vicinal.image.crop import Resize


def load(source: str, format: str = "auto", skip_bad: bool = False, resize: int | None = None) -> Dataset:
    """Read data, and bring every image to a canvas of ``resize`` x ``resize`` if that is wanted."""
    data = read(source, format=format, skip_bad=skip_bad)
    return data if resize is None else resized(data, resize)


def resized(data: Dataset, side: int) -> Dataset:
    """Every image on a canvas of ``side`` x ``side``; the whole of it, so the aspect ratio may change.

    Example:
        >>> resized(read("digits").take(range(3)), 16).images.shape
        (3, 16, 16, 1)
    """
    return replace(data, images=np.asarray(Resize(size=side)(data.images, seed=0)))
