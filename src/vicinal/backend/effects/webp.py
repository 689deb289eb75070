"""Lossy WebP by libwebp: encoded through Pillow, where OpenCV leaves no choice of effort, decoded through OpenCV, which takes less time."""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from vicinal.backend.effects.compression import in_threes
from vicinal.core.errors import BackendError


def recoded(images: NDArray, *, quality: NDArray, effort: int) -> NDArray:
    """Encode as lossy WebP and decode again; quality (b,) 1 to 100, effort 0 to 6.

    Raises:
        BackendError: where Pillow was built without libwebp.
    """
    if not features.check("webp"):
        raise BackendError("WebPCompression", "a Pillow with WebP", "one without it", "pip install --force-reinstall pillow")
    return in_threes(images, lambda part: np.stack([_through(image, int(q), effort) for image, q in zip(part, quality, strict=True)]))


def _through(image: NDArray[np.uint8], quality: int, effort: int) -> NDArray[np.uint8]:
    """One image (H, W, 3), or (H, W, 1) by way of three channels alike, which is how WebP stores grey."""
    stream = io.BytesIO()
    Image.fromarray(image if image.shape[2] == 3 else image[..., 0]).save(stream, "WEBP", quality=quality, method=effort)
    coded = np.frombuffer(stream.getbuffer(), np.uint8)
    return _colours(coded) if image.shape[2] == 3 else np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)[..., None]


def _colours(coded: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Red, green and blue; OpenCV before 4.11 cannot give them in this order at once."""
    at_once: Any = getattr(cv2, "IMREAD_COLOR_RGB", None)
    if at_once is not None:
        return np.asarray(cv2.imdecode(coded, at_once), np.uint8)
    return np.asarray(cv2.cvtColor(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB), np.uint8)
