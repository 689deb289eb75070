"""Laying something over a picture, in place; what hangs over the edge is cut."""

from __future__ import annotations

import numpy as np
from numba import njit

_compiled = njit(nogil=True, cache=True, error_model="numpy")


@_compiled
def tinted(image, cover, left, top, colour, opacity, half):
    """One colour (C,), in units of the dtype, where cover (h, w) is 255; image (H, W, C), contiguous. ``half`` is 0.5 for whole numbers."""
    height, width, channels = image.shape
    first, stop = max(0, -left), min(cover.shape[1], width - left)
    many, unit, flat = max(stop - first, 0) * channels, np.float32(opacity / 255), image.reshape(-1)
    row, share = np.empty(many, np.float32), np.empty(many, np.uint8)
    for i in range(many):
        row[i] = colour[i % channels]
    for y in range(max(0, -top), min(cover.shape[0], height - top)):
        _repeated(cover[y, first:stop], channels, share)
        at = ((top + y) * width + left + first) * channels
        _drawn_to(flat[at : at + many], row, share, unit, half)


@_compiled
def _repeated(values, channels, out):
    """Each value once for every channel."""
    if channels == 3:
        for x in range(len(values)):
            out[3 * x], out[3 * x + 1], out[3 * x + 2] = values[x], values[x], values[x]
    else:
        for x in range(len(values)):
            for c in range(channels):
                out[x * channels + c] = values[x]


@_compiled
def _drawn_to(values, colour, share, unit, half):
    for i in range(len(values)):
        value = np.float32(values[i])
        values[i] = value + np.float32(share[i]) * unit * (colour[i] - value) + half


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
