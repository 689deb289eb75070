"""Copies of pixels in registers against NumPy, for sides that fill no register, one, and several."""

from __future__ import annotations

import numpy as np
import pytest

import vicinal as v


def most(image: np.ndarray) -> int:
    """What a fill of 1 becomes."""
    return 1 if image.dtype.kind == "f" else np.iinfo(image.dtype).max


WAYS = {
    "HorizontalFlip()": lambda image: image[:, ::-1],
    "Transpose()": lambda image: image.swapaxes(0, 1),
    "D4(element=5)": lambda image: np.rot90(image[:, ::-1]),
    "RandomRotate90(turns=1)": np.rot90,
    "RandomRotate90(turns=3)": lambda image: np.rot90(image, 3),
    "RandomRotate90(turns=2)": lambda image: np.rot90(image, 2),
    "Pad(by=(1, 2, 3, 4), fill=1)": lambda image: np.pad(image, ((2, 4), (1, 3), (0, 0)), constant_values=most(image)),
    "Pad(by=(2, 0, 1, 1), border='reflect') | HorizontalFlip()": lambda image: np.pad(image, ((0, 1), (2, 1), (0, 0)), "symmetric")[
        :, ::-1
    ],
    "Translate(x=-100, fill=1)": lambda image: np.full_like(image, most(image)),
}


@pytest.mark.parametrize("text", WAYS)
@pytest.mark.parametrize(("dtype", "channels"), [("uint8", 1), ("uint8", 3), ("uint16", 3), ("float32", 2), ("float32", 5)])
def test_copies_are_those_of_numpy(text: str, dtype: str, channels: int) -> None:
    rng, policy = np.random.default_rng(0), v.parse(text)
    for height, width in [(1, 1), (2, 5), (6, 6), (11, 7), (3, 70)]:
        images = (rng.random((2, height, width, channels)) * (1 if dtype == "float32" else 256)).astype(dtype)
        assert np.array_equal(policy(images, seed=0), [WAYS[text](image) for image in images])
