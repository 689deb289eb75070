"""Laying something over a picture, in place; what hangs over the edge is cut."""

from __future__ import annotations

import numpy as np
from numba import njit

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_inlined = njit(nogil=True, cache=True, error_model="numpy", inline="always")


@_inlined
def mixed(value, colour, share, whole):
    """A value drawn to a colour by a share, both in units of the dtype; whole numbers are rounded."""
    made = np.float32(value) + share * (colour - np.float32(value))
    return np.floor(made + np.float32(0.5)) if whole else made


@_compiled
def tinted(image, cover, left, top, colour, opacity, whole):
    """One colour (C,), in units of the dtype, where cover (h, w) is 255; image (H, W, C)."""
    height, width, channels = image.shape
    unit = np.float32(opacity / 255)
    for y in range(max(0, -top), min(cover.shape[0], height - top)):
        for x in range(max(0, -left), min(cover.shape[1], width - left)):
            if cover[y, x] > 0:
                for c in range(channels):
                    image[top + y, left + x, c] = mixed(image[top + y, left + x, c], colour[c], np.float32(cover[y, x]) * unit, whole)


@_compiled
def covered(line, cover, left, top):
    """A letter (h, w) into a line of others that has room for it, both up to 255: it covers what they left free."""
    for y in range(cover.shape[0]):
        for x in range(cover.shape[1]):
            below, more = np.int32(line[top + y, left + x]), np.int32(cover[y, x])
            both = below * more + 128
            line[top + y, left + x] = below + more - ((both + (both >> 8)) >> 8)


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
