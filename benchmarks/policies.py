"""A policy of six operations against Albumentations, on the same images, one thread, batch 64.

    python -m benchmarks.policies

Both run in one process, in turn. Ratios above 1: vicinal is faster. The microseconds are those of this machine on this day.
"""

from __future__ import annotations

import os

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NO_ALBUMENTATIONS_UPDATE"), "1"))

import statistics

import albumentations as A
import cv2
import numpy as np
from albumentations.pytorch import ToTensorV2

import vicinal as v
from benchmarks.timing import Pair, side_by_side

BATCH = 64
SHAPES = ((28, 28, 1), (32, 32, 3), (256, 256, 3))
AIMS = {(28, 28, 1): 15, (32, 32, 3): 10, (256, 256, 3): 3}


def ours(channels: int) -> v.Compose:
    """flip + affine + brightness + contrast + gamma + normalise + to-tensor."""
    affine = v.Affine(angle=(-15, 15), scale=(0.9, 1.1), x=(-0.1, 0.1), y=(-0.1, 0.1), unit="share")
    colour = [v.Brightness(by=(-0.2, 0.2)), v.Contrast(gain=(0.8, 1.2)), v.Gamma(exponent=(0.8, 1.2))]
    return v.Compose([v.HorizontalFlip(p=0.5), affine, *colour, v.Normalize(mean=(0.5,) * channels, std=(0.25,) * channels), v.ToTensor()])


def theirs(channels: int) -> A.Compose:
    """The same with Albumentations' names and its own ranges of the same width."""
    affine = A.Affine(rotate=(-15, 15), scale=(0.9, 1.1), translate_percent=(-0.1, 0.1), p=1)
    colour = [A.RandomBrightnessContrast(0.2, 0.2, p=1), A.RandomGamma((80, 120), p=1)]
    normalise = A.Normalize(mean=(0.5,) * channels, std=(0.25,) * channels)
    return A.Compose([A.HorizontalFlip(p=0.5), affine, *colour, normalise, ToTensorV2()], seed=0)


def images(shape: tuple[int, int, int]) -> np.ndarray:
    """Noise smoothed to look like pictures."""
    rng = np.random.default_rng(0)
    batch = rng.random((BATCH, *shape)).astype(np.float32)
    smooth = [cv2.GaussianBlur(image, (0, 0), 2).reshape(shape) for image in batch]
    return np.clip(np.rint(255 * np.stack(smooth)), 0, 255).astype(np.uint8)


def measured(shape: tuple[int, int, int]) -> Pair:
    """Seconds a batch."""
    batch, mine, other = images(shape), ours(shape[2]), theirs(shape[2])
    return side_by_side(lambda n: mine(batch, seed=0, epoch=n), lambda n: [other(image=image)["image"] for image in batch])


def main() -> None:
    cv2.setNumThreads(1)
    print(f"{'images':<12} {'vicinal':>10} {'Albumentations':>15} {'ratio':>7} {'rounds':>13} {'aim':>5}")
    for shape in SHAPES:
        pair = measured(shape)
        mine, other = (1e6 * statistics.median(times) / BATCH for times in (pair.ours, pair.theirs))
        low, high = pair.spread
        name = "x".join(map(str, shape))
        print(f"{name:<12} {mine:>7.1f} us {other:>12.1f} us {pair.ratio:>6.1f}x {low:>5.1f} to {high:<5.1f} {AIMS[shape]:>4}x")


if __name__ == "__main__":
    main()
