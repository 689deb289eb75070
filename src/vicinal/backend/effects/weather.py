"""What falls between the scene and the lens, lies on the ground or sticks to the glass: streaks, snow, drops and mud.

Everything that is scattered comes from a hash of a key and a number, so that the first n of many are the same for any n.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vicinal.backend.effects.veil import (
    blended,
    compiled,
    fractal,
    limits,
    places,
    sampled,
    spread,
    threshold,
    tiled,
    unit,
)

PER_STREAK = 8  # hashed numbers that a streak may use
BLOCK = 512  # pixels that are whitened together


@compiled
def _streak(clear, x, y, dx, dy, length, radius, opacity):
    """One streak around (x, y) along the unit vector (dx, dy): what it lets through is multiplied in.

    Across it the profile is (1 - t^2)^2 of the distance t in radii, beyond its ends too, so that a streak of no length is a round flake.
    """
    height, width = clear.shape
    half, one, zero = length * np.float32(0.5), np.float32(1), np.float32(0)
    high, wide, square = abs(dy) * half + radius, abs(dx) * half + radius, one / (radius * radius)
    for row in range(max(0, int(y - high)), min(height, int(y + high) + 1)):
        down = np.float32(row) + np.float32(0.5) - y
        first, last = x - wide, x + wide
        if abs(dy) > np.float32(0.1):
            middle, reach = x + down * dx / dy, radius / abs(dy)
            first, last = max(first, middle - reach), min(last, middle + reach)
        for column in range(max(0, int(first)), min(width, int(last) + 1)):
            right = np.float32(column) + np.float32(0.5) - x
            along = min(max(right * dx + down * dy, -half), half)
            t = one - ((right - along * dx) ** 2 + (down - along * dy) ** 2) * square
            if t > zero:
                clear[row, column] *= one - opacity * t * t


@compiled
def _fallen(clear, count, shape, key0, key1):
    """The first ``count`` streaks of a key; far ones are shorter, thinner and fainter."""
    length, angle, jitter, radius, opacity, flat = shape
    height, width = clear.shape
    for n in range(count):
        at = n * PER_STREAK
        near = np.float32(1) - flat * unit(at, key0, key1)
        turned = angle + jitter * (unit(at + 1, key0, key1) * np.float32(2) - np.float32(1))
        x = (unit(at + 2, key0, key1) * np.float32(1.2) - np.float32(0.1)) * np.float32(width)
        y = (unit(at + 3, key0, key1) * np.float32(1.2) - np.float32(0.1)) * np.float32(height)
        dx, dy = np.float32(-np.sin(turned)), np.float32(np.cos(turned))
        thick = max(radius * near, np.float32(0.75))
        fainter = opacity * min(np.float32(1), radius * near / thick)
        _streak(clear, x, y, dx, dy, length * near, thick, fainter * (np.float32(0.5) + np.float32(0.5) * near))


@compiled
def _lightness(source, channels, top, out):
    """The lightness of HLS of one flat row, (lowest + highest) / 2 of the channels, as a share of the range."""
    scale = np.float32(0.5) / top
    if channels == 3:
        for x in range(out.shape[0]):
            r, g, b = np.float32(source[3 * x]), np.float32(source[3 * x + 1]), np.float32(source[3 * x + 2])
            out[x] = (min(min(r, g), b) + max(max(r, g), b)) * scale
        return
    for x in range(out.shape[0]):
        pixel = source[x * channels : (x + 1) * channels]
        out[x] = (np.float32(pixel.min()) + np.float32(pixel.max())) * scale


@compiled
def _covered(lightness, level, factor, clear):
    """What snow on the ground lets through, multiplied into (W,) ``clear``.

    It is the share of white that lifts a lightness below ``level`` to lightness (1 + (factor - 1) (1 - lightness / level)^2). The square
    makes the lifted lightness rise with the lightness for factors up to 4: no dark pixel overtakes a brighter one.
    """
    one, small = np.float32(1), np.float32(1e-6)
    steep, more = one / max(level, small), factor - one
    for x in range(clear.shape[0]):
        missing = max(one - lightness[x] * steep, np.float32(0))
        lifted = lightness[x] * more * missing * missing
        clear[x] *= one - min(lifted / max(one - lightness[x], small), one)


@compiled
def _precipitation(images, out, key, count, shapes, ground, colour, top, half):
    batch, height, width, channels = images.shape
    pixels, block = height * width, min(height * width, BLOCK)
    source, target = images.reshape(batch, -1), out.reshape(batch, -1)
    clear, veil, wide = np.empty((height, width), np.float32), np.empty(block, np.float32), np.empty(block * channels, np.float32)
    flat, row = clear.reshape(-1), np.empty(0, np.float32)
    for b in range(batch):
        flat[:] = 1
        length, angle, jitter, radius, opacity, thin = shapes[b]
        _fallen(clear, count[b], (length, angle, jitter, radius, opacity, thin), key[b, 0], key[b, 1])
        if b == 0 or (colour[b] != colour[b - 1]).any():
            row = tiled(colour[b], block, top)
        for start in range(0, pixels, block):
            stop = min(start + block, pixels)
            seen, here = flat[start:stop], slice(start * channels, stop * channels)
            if ground[b, 1] > 1:
                _lightness(source[b, here], channels, top, veil[: stop - start])
                _covered(veil, ground[b, 0], ground[b, 1], seen)
            for x in range(stop - start):
                veil[x] = np.float32(1) - seen[x]
            spread(veil[: stop - start], channels, wide)
            blended(source[b, here], wide, row, np.float32(1), top, half, target[b, here])


def precipitation(images: NDArray, *, key: NDArray, count: NDArray, shape: NDArray, ground: NDArray, colour: NDArray) -> NDArray:
    """Rain or snow on (b, H, W, C) images: dark ground is whitened, and streaks of a colour fall before it.

    key (b, 2); count (b,) streaks; shape (b, 6): length px, angle and its jitter in radians from straight down, radius px, opacity, and by
    how much smaller the farthest are (0 to 1); ground (b, 2): lightness below which it is lifted, and the factor (1: not at all);
    colour (b, C).
    """
    out = np.empty_like(images)
    shape, ground, colour = (array.astype(np.float32) for array in (shape, ground, colour))
    _precipitation(images, out, key.astype(np.uint32), count, shape, ground, colour, *limits(images))
    return out


@compiled
def _splashed(images, out, key, settings, colour, top, half):
    batch, height, width, channels = images.shape
    source, target = images.reshape(batch, height, -1), out.reshape(batch, height, -1)
    alpha, relief, above = np.empty(width, np.float32), np.empty(width, np.float32), np.empty(width, np.float32)
    wide, drop, one, zero = np.empty(width * channels, np.float32), np.empty(width * channels, np.float32), np.float32(1), np.float32(0)
    for b in range(batch):
        cells, cover, soft, opacity, clearness, shine, roughness = settings[b]
        field, scale = fractal(height, width, np.int64(cells), roughness, key[b, 0], key[b, 1])
        (across, wx), (down, wy) = places(width, scale), places(height, scale)
        at, gain, line = threshold(field, cover), one / soft, np.empty(field.shape[1], np.float32)
        row, steep = (
            tiled(colour[b], width, top),
            shine * top * np.float32(0.5) / (soft * np.float32(cells) / np.float32(max(height, width))),
        )
        sampled(field, down[0], wy[0], across, wx, line, above)
        for y in range(height):
            sampled(field, down[y], wy[y], across, wx, line, alpha)
            for x in range(width):
                # Lit from the upper left: what rises to the right and downwards shines, what falls away is dark.
                relief[x] = (alpha[x] - above[x] + alpha[x] - alpha[max(x - 1, 0)]) * steep
            above[:] = alpha
            for x in range(width):
                thick = min(max((alpha[x] - at) * gain, zero), one)
                seen = clearness + (one - clearness) * min(abs(relief[x]) / top, one)
                alpha[x] = opacity * seen * thick * thick * (np.float32(3) - np.float32(2) * thick)
            spread(alpha, channels, wide)
            spread(relief, channels, drop)
            for i in range(drop.shape[0]):
                drop[i] = min(max(row[i] + drop[i], zero), top)
            blended(source[b, y], wide, drop, one, top, half, target[b, y])


def splash(images: NDArray, *, key: NDArray, settings: NDArray, colour: NDArray) -> NDArray:
    """Drops or mud on the glass: blurred noise above a threshold, shaded as a relief that is lit from the upper left.

    key (b, 2); settings (b, 7): cells along the longer side, share of the canvas that is covered, softness of the edge, opacity where the
    relief is steep, how much of it remains where it is flat, shine, roughness; colour (b, C).
    """
    out = np.empty_like(images)
    _splashed(images, out, key.astype(np.uint32), settings.astype(np.float32), colour.astype(np.float32), *limits(images))
    return out
