"""What the sun does: a flare in the lens where it is in the picture, shadows where something stands before it.

Everything that is scattered comes from a hash of a key and a number, so that the first n of many are the same for any n.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vicinal.backend.effects.veil import blended, compiled, limits, spread, unit

PER_GHOST, PER_POLYGON, CORNERS = 4, 16, 6  # hashed numbers that one may use; corners of a polygon
TINTS = np.array([[1.0, 0.6, 0.3], [0.4, 0.9, 0.5], [0.4, 0.6, 1.0], [0.9, 0.5, 0.9], [1.0, 0.9, 0.5]], np.float32)


@compiled
def _ghosts(x, y, height, width, count, key0, key1):
    """(count, 5) discs on the line from the sun through the middle: x, y, radius, strength and the number of the tint."""
    longest, made = np.float32(max(height, width)), np.empty((count, 5), np.float32)
    middle_x, middle_y = np.float32(width) * np.float32(0.5), np.float32(height) * np.float32(0.5)
    for n in range(count):
        at, ghost = n * PER_GHOST, made[n]
        along = np.float32(0.35) + np.float32(1.65) * unit(at, key0, key1)
        ghost[0], ghost[1] = x + along * (middle_x - x), y + along * (middle_y - y)
        ghost[2] = max((np.float32(0.015) + np.float32(0.06) * unit(at + 1, key0, key1)) * longest, np.float32(0.75))
        ghost[3] = np.float32(0.2) + np.float32(0.35) * unit(at + 2, key0, key1)
        ghost[4] = np.float32(int(unit(at + 3, key0, key1) * np.float32(5)))
    return made


@compiled
def _ghost_row(ghost, tints, amount, down, channels, light):
    """A soft disc, brighter at its rim as an out-of-focus reflection is, laid over one flat row of light."""
    x, radius, one = ghost[0], ghost[2], np.float32(1)
    dy, soft = down - ghost[1], max(radius * np.float32(0.15), one)
    if abs(dy) > radius + soft:
        return
    width = light.shape[0] // channels
    for column in range(max(0, int(x - radius - soft)), min(width, int(x + radius + soft) + 1)):
        distance = np.sqrt((np.float32(column) + np.float32(0.5) - x) ** 2 + dy * dy)
        edge = min(max((radius - distance) / soft + np.float32(0.5), np.float32(0)), one)
        inner = min(distance / radius, one)
        strength = amount * ghost[3] * edge * (np.float32(0.45) + np.float32(0.55) * inner * inner)
        for c in range(channels):
            at, tint = column * channels + c, tints[int(ghost[4]), c]
            light[at] = one - (one - light[at]) * (one - strength * tint)


@compiled
def _glow_row(shape, amount, down, colour, light, glow, core):
    """The sun and its aureole on one flat row of light: (1 + d^2 / r^2)^-2, and a disc that is wholly white; room for two rows (W,)."""
    x, y, radius = shape
    channels, one, square = colour.shape[0], np.float32(1), np.float32(1) / (radius * radius)
    for column in range(glow.shape[0]):
        far = ((np.float32(np.int32(column)) + np.float32(0.5) - x) ** 2 + (down - y) ** 2) * square
        wide, narrow = one / (one + far), one / (one + far * far * np.float32(16))
        strength = min(np.float32(0.75) * wide * wide + np.float32(0.75) * narrow, one)
        glow[column], core[column] = amount * strength, narrow
    if channels == 3:
        red, green, blue = colour
        for column in range(glow.shape[0]):
            light[3 * column] = glow[column] * (red + (one - red) * core[column])
            light[3 * column + 1] = glow[column] * (green + (one - green) * core[column])
            light[3 * column + 2] = glow[column] * (blue + (one - blue) * core[column])
    else:
        for column in range(glow.shape[0]):
            for c in range(channels):
                light[column * channels + c] = glow[column] * (colour[c] + (one - colour[c]) * core[column])


@compiled
def _flared(images, out, key, settings, count, colour, tints, top, half):
    batch, height, width, channels = images.shape
    source, target = images.reshape(batch, height, -1), out.reshape(batch, height, -1)
    light, white = np.empty(width * channels, np.float32), np.full(width * channels, top, np.float32)
    glow, core = np.empty(width, np.float32), np.empty(width, np.float32)
    for b in range(batch):
        amount, x, y, radius = settings[b]
        sun = (x * np.float32(width), y * np.float32(height), radius * np.float32(max(height, width)))
        ghosts = _ghosts(sun[0], sun[1], height, width, count[b], key[b, 0], key[b, 1])
        for row in range(height):
            down = np.float32(row) + np.float32(0.5)
            _glow_row(sun, amount, down, colour[b], light, glow, core)
            for n in range(count[b]):
                _ghost_row(ghosts[n], tints, amount, down, channels, light)
            blended(source[b, row], light, white, np.float32(1), top, half, target[b, row])


def flare(images: NDArray, *, key: NDArray, amount: NDArray, x: NDArray, y: NDArray, radius: NDArray, rings: NDArray,
          colour: NDArray) -> NDArray:  # fmt: skip
    """A sun at (x, y), shares of the canvas, with an aureole of ``radius``, a share of the longer side, and reflections in the lens.

    key (b, 2); amount (b,); rings (b,) whole numbers; colour (b, C) of the aureole. Light is laid over by 1 - (1 - value) (1 - light).
    """
    channels = images.shape[3]
    tints = TINTS if channels == 3 else np.repeat(TINTS.mean(1, keepdims=True), channels, 1)
    settings, out = np.stack([amount, x, y, radius], 1).astype(np.float32), np.empty_like(images)
    _flared(images, out, key.astype(np.uint32), settings, rings.astype(np.int64), colour.astype(np.float32), tints, *limits(images))
    return out


@compiled
def _polygon(n, height, width, key0, key1):
    """Half planes (a, b, c) of one convex polygon, a x + b y + c <= 0 inside, in pixels: corners on a turned ellipse, one to a sector."""
    at, planes, corners = n * PER_POLYGON, np.empty((CORNERS, 3), np.float32), np.empty((CORNERS, 2), np.float32)
    x, y = unit(at, key0, key1) * np.float32(width), unit(at + 1, key0, key1) * np.float32(height)
    turn = unit(at + 2, key0, key1) * np.float32(2 * np.pi)
    wide = (np.float32(0.2) + np.float32(0.35) * unit(at + 3, key0, key1)) * np.float32(max(height, width))
    high = wide * (np.float32(0.3) + np.float32(0.6) * unit(at + 4, key0, key1))
    for k in range(CORNERS):
        angle = (np.float32(k) + np.float32(0.8) * unit(at + 5 + k, key0, key1)) * np.float32(2 * np.pi / CORNERS)
        u, v = wide * np.cos(angle), high * np.sin(angle)
        corners[k, 0], corners[k, 1] = x + u * np.cos(turn) - v * np.sin(turn), y + u * np.sin(turn) + v * np.cos(turn)
    for k in range(CORNERS):
        one, two = corners[k], corners[(k + 1) % CORNERS]
        a, b = two[1] - one[1], one[0] - two[0]
        norm = np.float32(1) / max(np.sqrt(a * a + b * b), np.float32(1e-6))
        planes[k, 0], planes[k, 1], planes[k, 2] = a * norm, b * norm, -(a * one[0] + b * one[1]) * norm
    return planes


@compiled
def _shade_row(planes, down, soft, distance, shade):
    """Darker of what is there and this polygon; distance to its edge decides, over ``soft`` pixels."""
    distance[:] = -1e9
    for k in range(planes.shape[0]):
        a, start = planes[k, 0], planes[k, 1] * down + planes[k, 2] + planes[k, 0] * np.float32(0.5)
        for x in range(distance.shape[0]):
            distance[x] = max(distance[x], start + a * np.float32(x))
    inverse = np.float32(1) / soft
    for x in range(distance.shape[0]):
        inside = min(max(np.float32(0.5) - distance[x] * inverse, np.float32(0)), np.float32(1))
        shade[x] = max(shade[x], inside)


@compiled
def _shadowed(images, out, key, settings, count, top, half):
    batch, height, width, channels = images.shape
    source, target = images.reshape(batch, height, -1), out.reshape(batch, height, -1)
    shade, distance = np.empty(width, np.float32), np.empty(width, np.float32)
    wide, black = np.empty(width * channels, np.float32), np.zeros(width * channels, np.float32)
    for b in range(batch):
        amount, soft = settings[b, 0], max(settings[b, 1] * np.float32(max(height, width)), np.float32(1))
        planes = np.empty((count[b], CORNERS, 3), np.float32)
        for n in range(count[b]):
            planes[n] = _polygon(n, height, width, key[b, 0], key[b, 1])
        for y in range(height):
            shade[:] = 0
            for n in range(count[b]):
                _shade_row(planes[n], np.float32(y) + np.float32(0.5), soft, distance, shade)
            shade *= amount
            spread(shade, channels, wide)
            blended(source[b, y], wide, black, np.float32(1), top, half, target[b, y])


def shadow(images: NDArray, *, key: NDArray, amount: NDArray, softness: NDArray, count: NDArray) -> NDArray:
    """Convex polygons in which values are multiplied by 1 - amount; where they overlap it is no darker.

    key (b, 2); amount (b,); softness (b,) width of the edge as a share of the longer side; count (b,) whole numbers.
    """
    settings, out = np.stack([amount, softness], 1).astype(np.float32), np.empty_like(images)
    _shadowed(images, out, key.astype(np.uint32), settings, count.astype(np.int64), *limits(images))
    return out
