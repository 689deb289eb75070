"""Laying something over a picture, in place; what hangs over the edge is cut."""

from __future__ import annotations

import numpy as np
from numba import njit

from vicinal.backend.effects.veil import spread, tiled

_compiled = njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def tinted(image, cover, left, top, colour, opacity, half):
    """One colour (C,), in units of the dtype, where cover (h, w) is 255; image (H, W, C). ``half`` is 0.5 for whole numbers."""
    (height, width, channels), (high, wide) = image.shape, cover.shape
    first, stop = max(0, -left), min(wide, width - left)
    if first >= stop:
        return
    flat, row, unit = image.reshape(-1), tiled(colour, stop - first, np.float32(1)), np.float32(opacity / 255)
    share = np.empty(cover.size * channels, np.uint8)
    spread(cover.reshape(-1), channels, share)
    for y in range(max(0, -top), min(high, height - top)):
        at, of = ((top + y) * width + left + first) * channels, (y * wide + first) * channels
        _drawn_to(flat, np.uintp(at), row, share, np.uintp(of), unit, half)


@_compiled
def _drawn_to(values, at, colour, share, of, unit, half):
    """``values[at:]`` drawn to a row of colours, by ``share[of:]`` of a unit."""
    if half > 0:
        for i in range(np.uintp(len(colour))):
            value = np.float32(values[at + i])
            # By way of int32 in half the time.
            values[at + i] = np.int32(value + np.float32(share[of + i]) * unit * (colour[i] - value) + half)
    else:
        for i in range(np.uintp(len(colour))):
            values[at + i] += np.float32(share[of + i]) * unit * (colour[i] - values[at + i])


@_compiled
def laid(image, picture, left, top, opacity, scale, whole):
    """A picture (h, w, 4): red, green, blue, already multiplied by alpha, and alpha, all up to 255; its luma unless C is 3."""
    height, width, channels = image.shape
    unit, share = np.float32(1 / 255), np.float32(opacity)
    half = np.float32(0.5) if whole else np.float32(0)
    for y in range(max(0, -top), min(picture.shape[0], height - top)):
        for x in range(max(0, -left), min(picture.shape[1], width - left)):
            pixel = picture[y, x]
            if pixel[3] == 0:
                continue
            kept = np.float32(1) - share * (np.float32(pixel[3]) * unit)
            luma = np.float32(0.299) * pixel[0] + np.float32(0.587) * pixel[1] + np.float32(0.114) * pixel[2]
            for c in range(channels):
                colour = np.float32(pixel[c]) if channels == 3 else luma
                made = min(kept * np.float32(image[top + y, left + x, c]) + share * scale * (colour * unit), scale)
                image[top + y, left + x, c] = np.floor(made + half) if whole else made
