"""Pictures that tell what they are made of: sample i is 1 in channel i and 0 elsewhere, so a mixture's mean colour is its label."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 24, 32


def colours(batch: int, height: int = HEIGHT, width: int = WIDTH) -> NDArray[np.float32]:
    """(B, H, W, B) one-hot pictures."""
    return np.ascontiguousarray(np.broadcast_to(np.eye(batch, dtype=np.float32)[:, None, None], (batch, height, width, batch)))


def mean_colour(images: Any) -> NDArray[np.float64]:
    """(B, C) the mean colour of every picture."""
    return np.array([np.asarray(image, np.float64).mean((0, 1)) for image in images])


def objects(batch: int, count: int, seed: int = 0, height: int = HEIGHT, width: int = WIDTH) -> dict[str, Any]:
    """Pictures with objects that do not overlap: rectangles in rows of their own, each with a number of its own from 1 in the mask.

    Targets image (B, H, W, 1), mask (B, H, W), boxes, label (one number an object) and keypoints (the middle of each, visible).
    """
    rng, high = np.random.default_rng(seed), height // count
    mask = np.zeros((batch, height, width), np.int32)
    boxes = np.zeros((batch, count, 4))
    numbers = 1 + np.arange(batch * count).reshape(batch, count)
    for row in range(batch):
        for one in range(count):
            x0, x1 = np.sort(rng.choice(width + 1, 2, replace=False))
            boxes[row, one] = x0, one * high, x1, (one + 1) * high - rng.integers(0, high // 2 + 1)
            mask[row, one * high : int(boxes[row, one, 3]), x0:x1] = numbers[row, one]
    middles = np.concatenate([(boxes[..., :2] + boxes[..., 2:]) / 2, np.ones((batch, count, 1))], -1)[:, :, None]
    image = (mask % 251).astype(np.uint8)[..., None]
    return {"image": image, "mask": mask, "boxes": boxes, "label": list(numbers), "keypoints": middles}


def extent(pixels: NDArray[np.bool_]) -> list[float]:
    """The box around some pixels."""
    rows, columns = np.flatnonzero(pixels.any(1)), np.flatnonzero(pixels.any(0))
    return [float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1)]
