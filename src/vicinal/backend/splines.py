"""Smooth random fields in compiled loops, bit for bit what ``vicinal.core.spline`` and ``vicinal.core.bend`` say in NumPy."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from vicinal.backend.normals import normals
from vicinal.backend.philox import _philox
from vicinal.core.bend import SLACK, STEEPEST
from vicinal.core.spline import TAPS, taps

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_inlined = njit(nogil=True, cache=True, error_model="numpy", inline="always")
_NONE = np.uint64(0)


def nodes(key: NDArray, amplitude: NDArray, size: tuple[int, int], distance: float) -> NDArray[np.float64]:
    """``vicinal.core.spline.nodes``."""
    (down, rows), (right, columns) = (taps(side, distance) for side in size)
    made = np.empty((len(key), len(down), len(right), 2))
    _nodes(key, amplitude, down, rows, right, columns, (len(right) - 1) / size[1], (len(down) - 1) / size[0], made)
    return made


@_compiled
def _nodes(key, amplitude, down, rows, right, columns, to_x, to_y, made):
    """``to_x``, ``to_y``: nodes a pixel."""
    high, wide = down[-1] + TAPS, right[-1] + TAPS
    words, knots = np.empty((2 * high * wide + 3) // 4 * 4, np.uint32), np.empty(2 * high * wide)
    across, line, lines = np.empty((2 * high, len(right))), np.empty(2 * high), np.empty((2, 2, len(right)))
    for b in range(len(key)):
        _words(np.uint64(key[b, 0]), np.uint64(key[b, 1]), words)
        normals(words[: len(knots)], knots)
        _across(knots.reshape(2 * high, wide), right, columns, line, across)
        most = _downwards(across, down, rows, amplitude[b], to_x, to_y, lines, made[b])
        if most > STEEPEST:
            _scaled(made[b].reshape(-1), STEEPEST / most)


@_compiled
def _words(first, second, words):
    """Of the blocks 0, 1 ... under one key."""
    for block in range(len(words) // 4):
        made = _philox(np.uint64(block), _NONE, _NONE, _NONE, first, second)
        words[4 * block], words[4 * block + 1], words[4 * block + 2], words[4 * block + 3] = made


@_compiled
def _across(knots, right, columns, line, across):
    """From knots to nodes along every row of knots: all rows at once, which fills registers."""
    turned = knots.T.copy()
    for x in range(len(right)):
        _between(turned[right[x] :], columns[x], 1.0, line)
        for k in range(len(line)):
            across[k, x] = line[k]


@_compiled
def _downwards(across, down, rows, amplitude, to_x, to_y, lines, made):
    """Line by line of nodes: made, and held against the line above. How far the worst cell is from folding, if that is steep."""
    high, most = across.shape[0] // 2, STEEPEST
    for y in range(len(down)):
        above, below = lines[(y + 1) % 2], lines[y % 2]
        for axis in range(2):
            _between(across[axis * high + down[y] :], rows[y], amplitude, below[axis])
        for x in range(made.shape[1]):
            made[y, x, 0], made[y, x, 1] = below[0, x], below[1, x]
        if y > 0 and _suspects(above[0], above[1], below[0], below[1], to_x, to_y, STEEPEST - SLACK):
            for x in range(made.shape[1] - 1):
                most = max(most, _at_corners(made[y - 1], made[y], x, to_x, to_y))
    return most


@_inlined
def _between(lines, weights, scale, found):
    """The weighted sum of four lines."""
    one, two, three, four = lines[0], lines[1], lines[2], lines[3]
    p, q, r, s = weights[0], weights[1], weights[2], weights[3]
    for x in range(len(found)):
        found[x] = (one[x] * p + two[x] * q + three[x] * r + four[x] * s) * scale


@_inlined
def _scaled(flat, share):
    for i in range(len(flat)):
        flat[i] *= share


@_inlined
def _suspects(x_above, y_above, x_below, y_below, to_x, to_y, least):
    """Whether any cell between two lines of nodes may shrink by more than ``least``, as ``vicinal.core.bend`` finds them."""
    suspect = 0
    p, q, r, s = x_above[1:], y_above[1:], x_below[1:], y_below[1:]
    for x in range(len(p)):
        stretch_x = min(p[x] - x_above[x], r[x] - x_below[x]) * to_x + least
        stretch_y = min(y_below[x] - y_above[x], s[x] - q[x]) * to_y + least
        shear_x = max(abs(q[x] - y_above[x]), abs(s[x] - y_below[x])) * to_x
        shear_y = max(abs(x_below[x] - x_above[x]), abs(r[x] - p[x])) * to_y
        shear = shear_x + shear_y
        suspect |= (stretch_x <= 0) | (stretch_y <= 0) | (4 * stretch_x * stretch_y <= shear * shear)
    return suspect


@_inlined
def _at_corners(above, below, x, to_x, to_y):
    """How far the worst corner of a cell is from folding."""
    found = 0.0
    for along in (above, below):
        a, b = (along[x + 1, 0] - along[x, 0]) * to_x, (along[x + 1, 1] - along[x, 1]) * to_x
        for i in (x, x + 1):
            c, d = (below[i, 0] - above[i, 0]) * to_y, (below[i, 1] - above[i, 1]) * to_y
            mean, half, shear = (a + d) / 2, (a - d) / 2, (b + c) / 2
            found = max(found, np.sqrt(half * half + shear * shear) - mean)
    return found
