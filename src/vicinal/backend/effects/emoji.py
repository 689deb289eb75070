"""Symbols drawn from circles, ellipses and polygons at four times their size, and reduced."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE, FINER = 512, 4
YELLOW, DARK, RED, WHITE, GOLD = (255, 205, 60, 255), (90, 55, 10, 255), (225, 40, 55, 255), (255, 255, 255, 255), (255, 190, 30, 255)


def drawn(kind: str) -> NDArray[np.uint8]:
    """(512, 512, 4): red, green, blue, multiplied by alpha, and alpha."""
    canvas = np.zeros((SIDE * FINER, SIDE * FINER, 4), np.uint8)
    _KINDS[kind](canvas)
    return np.asarray(cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _pixels(*shares: float) -> tuple[int, ...]:
    return tuple(round(share * SIDE * FINER) for share in shares)


def _disc(canvas: NDArray, x: float, y: float, wide: float, high: float, colour: tuple) -> None:
    """A filled ellipse with its half axes, in shares of the side."""
    cv2.ellipse(canvas, _pixels(x, y), _pixels(wide, high), 0, 0, 360, colour, -1)


def _arc(canvas: NDArray, y: float, start: int, end: int, colour: tuple) -> None:
    """A mouth: an arc about (0.5, y), angles clockwise from the right."""
    cv2.ellipse(canvas, _pixels(0.5, y), _pixels(0.24, 0.2), 0, start, end, colour, *_pixels(0.045))


def _face(canvas: NDArray) -> None:
    _disc(canvas, 0.5, 0.5, 0.48, 0.48, DARK)
    _disc(canvas, 0.5, 0.5, 0.455, 0.455, YELLOW)
    for x in (0.33, 0.67):
        _disc(canvas, x, 0.38, 0.055, 0.085, DARK)


def _smile(canvas: NDArray) -> None:
    _face(canvas)
    _arc(canvas, 0.57, 15, 165, DARK)


def _frown(canvas: NDArray) -> None:
    _face(canvas)
    _arc(canvas, 0.82, 200, 340, DARK)


def _laugh(canvas: NDArray) -> None:
    _face(canvas)
    for wide, high, colour in ((0.28, 0.27, DARK), (0.24, 0.06, WHITE)):
        cv2.ellipse(canvas, _pixels(0.5, 0.56), _pixels(wide, high), 0, 0, 180, colour, -1)


def _heart(canvas: NDArray) -> None:
    t = np.linspace(0, 2 * np.pi, 400)
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    _polygon(canvas, 0.5 + x / 35, 0.48 - y / 35, RED)


def _star(canvas: NDArray) -> None:
    t = np.arange(10) * np.pi / 5
    reach = np.where(np.arange(10) % 2 == 0, 0.49, 0.22)
    _polygon(canvas, 0.5 + reach * np.sin(t), 0.53 - reach * np.cos(t), GOLD)


def _polygon(canvas: NDArray, x: NDArray, y: NDArray, colour: tuple) -> None:
    cv2.fillPoly(canvas, [np.rint(np.stack([x, y], 1) * SIDE * FINER).astype(np.int32)], colour)


_KINDS: dict[str, Callable[[NDArray], None]] = {"smile": _smile, "frown": _frown, "laugh": _laugh, "heart": _heart, "star": _star}
