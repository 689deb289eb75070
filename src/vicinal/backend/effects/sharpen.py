"""Sharpening that is no filter: small differences are left alone."""

from __future__ import annotations

from numpy.typing import NDArray

from vicinal.backend import filters


def unsharp(images: NDArray, *, rows: NDArray, amount: NDArray, threshold: NDArray) -> NDArray:
    """``x + amount * (x - blurred)`` where the difference reaches the threshold; rows (b, 1, K) are the blur along either axis."""
    return filters.unsharp(images, rows, amount, threshold)
