"""Looks borrowed from a reference: its histogram, or the amplitudes of its low frequencies.

A reference is the name of a law or an image file, alone or one of a folder. Files are read when they are first needed and what was made
of them is kept, by path and time of change.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vicinal.backend.effects.histogram import matched
from vicinal.backend.effects.veil import compiled, limits
from vicinal.core.errors import DataError
from vicinal.core.special import normal_quantile

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm")
LAWS = ("uniform", "gaussian")
NATURAL = "natural"
Target = tuple[NDArray[np.float64], NDArray[np.float64]]


File = tuple[str, int]


def chosen(reference: str, which: NDArray) -> list[File]:
    """For each of the (b,) ``which`` in [0, 1] a file of a folder, or the file itself; with its time of change.

    Raises:
        DataError: where there is no such file or folder, or no image in it.
    """
    place, wanted = Path(reference), "an image file, or a folder with images"
    files = sorted(path for path in place.iterdir() if path.suffix.lower() in SUFFIXES) if place.is_dir() else [place]
    if not files:
        raise DataError(reference, wanted, "a folder without any", f"a folder with {', '.join(SUFFIXES)} files")
    if not files[0].is_file():
        raise DataError(reference, wanted, "nothing there", "reference='path/to/image.png'")
    numbers = np.minimum((which * len(files)).astype(int), len(files) - 1)
    known = {number: (str(files[number]), files[number].stat().st_mtime_ns) for number in np.unique(numbers)}
    return [known[number] for number in numbers]


@lru_cache(maxsize=64)
def picture(path: str, changed: int) -> NDArray[np.uint8]:
    """(H, W, 3) RGB of a file; ``changed`` makes a changed file another one.

    Raises:
        DataError: where it cannot be decoded or Pillow is not installed.
    """
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise DataError(path, "Pillow to read it", "no such module", "pip install vicinal[lab]") from None
    try:
        with Image.open(path) as opened:
            return np.array(opened.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as fault:
        got = f"{type(fault).__name__}: {fault}"
        raise DataError(path, "an image that can be decoded", got, "a whole image file in its place") from None


def _planes(image: NDArray, channels: int) -> NDArray:
    """Colour for three channels, luma for each of any other number."""
    return image if channels == 3 else np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], channels, 2)


@lru_cache(maxsize=4096)
def _targets(path: str, changed: int, channels: int) -> list[Target]:
    """(quantiles, values) of every channel of a file."""
    return [_quantiles(plane) for plane in np.moveaxis(_planes(picture(path, changed), channels), 2, 0)]


def _quantiles(plane: NDArray[np.uint8]) -> Target:
    counts = np.bincount(plane.ravel(), minlength=256)
    values = np.flatnonzero(counts)
    return np.cumsum(counts[values]) / plane.size, values.astype(np.float64)


@lru_cache(maxsize=8)
def _law(name: str) -> Target:
    """(quantiles, values) of a law on [0, 1]: uniform, or normal with mean 1/2 and standard deviation 1/5."""
    if name == "uniform":
        return np.array([0.0, 1.0]), np.array([0.0, 255.0])
    quantiles = np.linspace(0, 1, 257)
    values = 0.5 + 0.2 * normal_quantile(np.clip(quantiles, 1e-4, 1 - 1e-4))
    return quantiles, 255 * np.clip(values, 0, 1)


def match(images: NDArray, *, reference: str, which: NDArray, amount: NDArray) -> NDArray:
    """Match histograms: which (b,) in [0, 1]; amount (b,)."""
    channels = images.shape[3]
    if reference in LAWS:
        return matched(images, [[_law(reference)] * channels] * len(images), amount)
    return matched(images, [_targets(*file, channels) for file in chosen(reference, which)], amount)


@lru_cache(maxsize=1024)
def _waves(size: int, highest: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """cos and -sin of one axis: (2 (h + 1), size) for frequencies 0 .. h, and (2, size, 2 h + 1) for -h .. h."""
    turn = 2 * np.pi * np.arange(size) / size
    up, both = np.arange(highest + 1)[:, None] * turn, turn[:, None] * np.arange(-highest, highest + 1)
    return np.concatenate([np.cos(up), -np.sin(up)]).astype(np.float32), np.stack([np.cos(both), -np.sin(both)]).astype(np.float32)


@compiled
def _product(left, right, out):
    """left (m, k) times right (k, n), four rows at a time. Not by BLAS, whose bits depend on its number of threads."""
    out[:] = 0
    whole = right.shape[0] // 4 * 4
    for k in range(0, whole, 4):
        one, two, three, four = right[k], right[k + 1], right[k + 2], right[k + 3]
        for m in range(left.shape[0]):
            a, b, c, d, row = left[m, k], left[m, k + 1], left[m, k + 2], left[m, k + 3], out[m]
            for n in range(row.shape[0]):
                row[n] += (a * one[n] + b * two[n]) + (c * three[n] + d * four[n])
    for k in range(whole, right.shape[0]):
        for m in range(left.shape[0]):
            a, row, one = left[m, k], out[m], right[k]
            for n in range(row.shape[0]):
                row[n] += a * one[n]


@compiled
def _found(flat, down, across, channels, found):
    """found (2, h + 1, C, 2 h + 1): real and imaginary Fourier coefficients of (H, W C), frequencies 0 .. h down and -h .. h across.

    Two small products, because only the lowest frequencies are wanted; the other half of the plane is their conjugate.
    """
    half, rows = down.shape[0] // 2, np.empty((down.shape[0], flat.shape[1]), np.float32)
    _product(down, flat, rows)
    found[:] = 0
    for u in range(half):
        for x in range(across.shape[1]):
            cos, sin = across[0, x], across[1, x]
            for c in range(channels):
                re, im = rows[u, x * channels + c], rows[half + u, x * channels + c]
                real, imaginary = found[0, u, c], found[1, u, c]
                for v in range(cos.shape[0]):
                    real[v] += re * cos[v] - im * sin[v]
                    imaginary[v] += re * sin[v] + im * cos[v]


@compiled
def _swapped(found, wanted, amount, least):
    """Coefficients turned, in place, into what must be added to give them the (h + 1, 2 h + 1, C) amplitudes, phases kept."""
    for u in range(found.shape[1]):
        twice = np.float32(1 if u == 0 else 2)  # the conjugate half
        for c in range(found.shape[2]):
            for v in range(found.shape[3]):
                re, im = found[0, u, c, v], found[1, u, c, v]
                size = np.sqrt(re * re + im * im)
                # Nothing has no phase; like NumPy's angle of 0, it counts as 0.
                cos, sin = (re / size, im / size) if size > least else (np.float32(1), np.float32(0))
                found[0, u, c, v] = (wanted[u, v, c] * cos - re) * amount * twice
                found[1, u, c, v] = (wanted[u, v, c] * sin - im) * amount * twice


@compiled
def _back(change, down, across, out):
    """(H, W C) of coefficients, without the division by the number of pixels."""
    half, channels = change.shape[1], change.shape[2]
    rows = np.empty((2 * half, across.shape[1] * channels), np.float32)
    for u in range(half):
        for c in range(channels):
            real, imaginary = change[0, u, c], change[1, u, c]
            for x in range(across.shape[1]):
                cos, sin, re, im = across[0, x], across[1, x], np.float32(0), np.float32(0)
                for v in range(real.shape[0]):
                    re += real[v] * cos[v] + imaginary[v] * sin[v]
                    im += imaginary[v] * cos[v] - real[v] * sin[v]
                rows[u, x * channels + c], rows[half + u, x * channels + c] = re, im
    _product(down.T.copy(), rows, out)


@compiled
def _adapted(image, wanted, down, across, amount, top, half, out):
    """One sample (H, W, C) with the amplitudes that are wanted, in units of the range."""
    height, width, channels = image.shape
    flat, target = image.reshape(height, -1).astype(np.float32), out.reshape(height, -1)
    found, added = np.empty((2, *wanted.shape[:1], channels, wanted.shape[1]), np.float32), np.empty(flat.shape, np.float32)
    _found(flat, down, across, channels, found)
    pixels = np.float32(height * width)
    _swapped(found, wanted * top, amount, np.float32(1e-6) * top * pixels)
    _back(found, down, across, added)
    share = np.float32(1) / pixels
    for y in range(height):
        row, by, made = flat[y], added[y], target[y]
        for i in range(row.shape[0]):
            made[i] = min(max(row[i] + by[i] * share, np.float32(0)), top) + half


@lru_cache(maxsize=256)
def _amplitudes(path: str, changed: int, size: tuple[int, int], channels: int, highest: int) -> NDArray[np.float32]:
    """(h + 1, 2 h + 1, C) of a file brought to a canvas, in shares of the value range."""
    resized = cv2.resize(picture(path, changed), size[::-1], interpolation=cv2.INTER_AREA)
    values = np.ascontiguousarray(_planes(resized, channels), np.float32).reshape(size[0], -1) / np.float32(255)
    found = np.empty((2, highest + 1, channels, 2 * highest + 1), np.float32)
    _found(values, _waves(size[0], highest)[0], _waves(size[1], highest)[1], channels, found)
    return np.ascontiguousarray(np.hypot(*found).transpose(0, 2, 1))


@lru_cache(maxsize=256)
def _natural(size: tuple[int, int], channels: int, highest: int) -> NDArray[np.float32]:
    """0.04 / f at f cycles a canvas, 0.45 for the mean: what natural images have on average (Field, 1987)."""
    down, across = np.mgrid[0 : highest + 1, -highest : highest + 1]
    frequency = np.hypot(down, across)
    share = np.where(frequency > 0, 0.04 / np.maximum(frequency, 1), 0.45)
    return np.repeat((share * size[0] * size[1])[..., None], channels, 2).astype(np.float32)


def fourier(images: NDArray, *, reference: str, which: NDArray, beta: NDArray, amount: NDArray) -> NDArray:
    """Swap low-frequency amplitudes for those of a reference, phases kept; which, beta and amount (b,)."""
    size, channels, out = images.shape[1:3], images.shape[3], np.empty_like(images)
    files = [] if reference == NATURAL else chosen(reference, which)
    for b, image in enumerate(images):
        highest = min(int(min(size) * beta[b]), (min(size) - 1) // 2)
        wanted = _amplitudes(*files[b], size, channels, highest) if files else _natural(size, channels, highest)
        down, across = _waves(size[0], highest)[0], _waves(size[1], highest)[1]
        _adapted(image, wanted, down, across, np.float32(amount[b]), *limits(images), out[b])
    return out
