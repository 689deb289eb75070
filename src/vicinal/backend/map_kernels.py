"""Compiled loops for maps that no affine matrix says: sampling at the places that ``map_sources`` finds; and tiles."""

from __future__ import annotations

import numpy as np

from vicinal.backend.bilinear import RING, block, marked, room, sampled, settle
from vicinal.backend.chain_steps import MAGIC
from vicinal.backend.kernels import _brought, _compiled, _edge, _inlined, _inner
from vicinal.backend.map_sources import of_one, source_rows, worked_out
from vicinal.backend.pixels import copied
from vicinal.backend.vectors import widest


@_compiled
def source_map(maps, b, factor, map_x, map_y):
    """Where the centres of all pixels of the b-th result come from, as pixel indices, at ``factor`` = (x, y) samples per pixel; (h, w)."""
    one = of_one(maps, b)
    width = map_x.shape[1]
    xs, ys = np.empty(width), np.empty(width)
    known = worked_out(one, 1 / factor[0], map_x.shape)
    for row in range(map_x.shape[0]):
        source_rows(one, factor, row, known, width, xs, ys)
        for x in range(width):
            map_x[row, x], map_y[row, x] = xs[x] - 0.5, ys[x] - 0.5


@_compiled
def linear_at(image, map_x, map_y, out, border, fill, whole):
    """Bilinear sampling of one image (H, W, C) at pixel indices (h, w), in float32; ``whole`` rounds."""
    height, width = image.shape[:2]
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            sx, sy = map_x[y, x], map_y[y, x]
            left, top = int(np.floor(sx)), int(np.floor(sy))
            fx, fy = np.float32(sx - left), np.float32(sy - top)
            inside = 0 <= left < width - 1 and 0 <= top < height - 1
            for c in range(out.shape[2]):
                if inside:
                    value = _inner(image, top, left, c, fy, fx)
                else:
                    value = _edge(image, top, left, c, fy, fx, border, fill)
                out[y, x, c] = (value + MAGIC) - MAGIC if whole else value


@_compiled
def linear_batch(src, maps, size, out, border, fill, channels):
    """Linear sampling of 8-bit images (B, H, W, C) of one size, each through a map of its own, to out (B, h * w * C).

    maps: as ``source_rows`` has them, with the batch as first axis; size: (h, w); fill in whole numbers; channels: a tuple of length C, so
    that the compiler knows C.
    """
    widest()
    height, width = src.shape[1:3]
    count = len(channels)
    most, xs, ys, marks, line = block(size[1], count)
    rows = max(1, most // size[1])
    flat, window = room(width, height, count), (0, 0, width, height)
    for b in range(out.shape[0]):
        settle(flat, src[b], window, border[b], np.uint8(fill[b]), count)
        one = of_one(maps, b)
        known = worked_out(one, 1.0, size)
        for y in range(0, size[0], rows):
            many = min(rows, size[0] - y) * size[1]
            source_rows(one, (1.0, 1.0), y, known, size[1], xs[:many], ys[:many])
            marked(xs[:many], ys[:many], 0.5, window, (height, width), border[b], marks)
            sampled(flat, marks, 0, many, (width + 2 * RING) * count, channels, line)
            copied(out[b], y * size[1] * count, line, 0, many * count)


@_compiled
def nearest_at(image, map_x, map_y, out, border, fill):
    """The pixel in which each place falls; one image, continuous coordinates (h, w)."""
    places = np.empty((2, out.shape[1]), np.int32)
    for y in range(out.shape[0]):
        _nearest_row(image, map_x[y], map_y[y], places[0], places[1], out[y], border, fill)


@_inlined
def _nearest_row(image, xs, ys, columns, rows, out, border, fill):
    height, width, channels = image.shape
    for x in range(len(xs)):
        columns[x], rows[x] = np.int32(np.floor(xs[x])), np.int32(np.floor(ys[x]))
    first, last = _inside(columns, rows, width, height)
    flat, target = image.reshape(-1), out.reshape(-1)
    for x in range(first, last):
        if channels == 1:
            target[x] = flat[np.uintp(rows[x]) * np.uintp(width) + np.uintp(columns[x])]
        else:
            for c in range(channels):
                out[x, c] = image[rows[x], columns[x], c]
    for part in ((0, first), (last, len(xs))):
        for x in range(part[0], part[1]):
            column, row = _brought(np.int64(columns[x]), width, border), _brought(np.int64(rows[x]), height, border)
            for c in range(channels):
                out[x, c] = fill if row < 0 or column < 0 else image[row, column, c]


@_inlined
def _inside(columns, rows, width, height):
    """From where to where all places of a row are on the canvas: what lies off it is most often at the ends."""
    first, last, beside = 0, len(columns), 0
    while first < last and _beside(columns[first], rows[first], width, height) < 0:
        first += 1
    while first < last and _beside(columns[last - 1], rows[last - 1], width, height) < 0:
        last -= 1
    for x in range(first, last):
        beside |= _beside(columns[x], rows[x], width, height)
    return first, (last if beside >= 0 else first)


@_inlined
def _beside(column, row, width, height):
    """Below 0, by its sign bit, where a place is off the canvas."""
    return column | row | (width - 1 - column) | (height - 1 - row)


@_compiled
def nearest_batch(src, maps, out, border, fill):
    """Images of one size by the nearest rule, each through a map of its own; the arguments above with the batch as first axis."""
    width = out.shape[2]
    xs, ys, places = np.empty(width), np.empty(width), np.empty((2, width), np.int32)
    for b in range(out.shape[0]):
        one = of_one(maps, b)
        known = worked_out(one, 1.0, out.shape[1:3])
        for y in range(out.shape[1]):
            source_rows(one, (1.0, 1.0), y, known, width, xs, ys)
            _nearest_row(src[b], xs, ys, places[0], places[1], out[b, y], border[b], fill[b])


@_compiled
def shuffled(image, rows, columns, order, out):
    """Tiles of one image (H, W, C) with edges ``rows`` and ``columns``: each takes what lies in the one that ``order`` says."""
    width, channels = image.shape[1:]
    flat, target = image.reshape(-1), out.reshape(-1)
    across = len(columns) - 1
    for tile in range(len(order)):
        y, x = tile // across, tile % across
        top, left = rows[order[tile] // across], columns[order[tile] % across]
        length = (columns[x + 1] - columns[x]) * channels
        for line in range(rows[y + 1] - rows[y]):
            copied(target, ((rows[y] + line) * width + columns[x]) * channels, flat, ((top + line) * width + left) * channels, length)
