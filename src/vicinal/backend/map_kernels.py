"""Compiled loops for maps that no affine matrix says: where every output pixel comes from, and sampling there."""

from __future__ import annotations

import numpy as np

from vicinal.backend.kernels import _MAGIC, _brought, _compiled, _edge, _inlined, _inner

_HORIZON = 1e-6  # as ``vicinal.core.affine.apply`` has it: what lies behind the horizon is very far away


@_inlined
def _projected(m, x, y):
    w = max(m[6] * x + m[7] * y + m[8], _HORIZON)
    return (m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w


@_compiled
def source_map(after, nodes, frame, before, factor, map_x, map_y):
    """Continuous source coordinates of the centres of all output pixels.

    after, before: (9,) inverse maps row by row, the one behind the bend and the one in front of it; nodes (r, c, 2) displacements at the
    nodes of a grid over a canvas of ``frame`` = (height, width), empty for none; factor = (x, y) samples per pixel; maps (h, w).
    """
    bent = nodes.shape[0] > 1
    last_x, last_y = nodes.shape[1] - 1, nodes.shape[0] - 1
    step_x, step_y = last_x / frame[1], last_y / frame[0]
    flat = before[6] == 0 and before[7] == 0 and after[6] == 0 and after[7] == 0
    for row in range(map_x.shape[0]):
        y = (row + 0.5) / factor[1]
        for column in range(map_x.shape[1]):
            x = (column + 0.5) / factor[0]
            if flat:
                u, v = after[0] * x + after[1] * y + after[2], after[3] * x + after[4] * y + after[5]
            else:
                u, v = _projected(after, x, y)
            if bent:
                gx, gy = min(max(u * step_x, 0.0), float(last_x)), min(max(v * step_y, 0.0), float(last_y))
                i, j = min(int(gx), last_x - 1), min(int(gy), last_y - 1)
                fx, fy = gx - i, gy - j
                a, b, c, d = (1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy
                u += a * nodes[j, i, 0] + b * nodes[j, i + 1, 0] + c * nodes[j + 1, i, 0] + d * nodes[j + 1, i + 1, 0]
                v += a * nodes[j, i, 1] + b * nodes[j, i + 1, 1] + c * nodes[j + 1, i, 1] + d * nodes[j + 1, i + 1, 1]
            if flat:
                map_x[row, column] = before[0] * u + before[1] * v + before[2]
                map_y[row, column] = before[3] * u + before[4] * v + before[5]
            else:
                map_x[row, column], map_y[row, column] = _projected(before, u, v)


@_compiled
def linear_at(image, map_x, map_y, out, border, fill, whole):
    """Bilinear sampling of one image (H, W, C) at continuous coordinates (h, w), in float32; ``whole`` rounds."""
    height, width = image.shape[:2]
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            sx, sy = map_x[y, x] - 0.5, map_y[y, x] - 0.5
            left, top = int(np.floor(sx)), int(np.floor(sy))
            fx, fy = np.float32(sx - left), np.float32(sy - top)
            inside = 0 <= left < width - 1 and 0 <= top < height - 1
            for c in range(out.shape[2]):
                if inside:
                    value = _inner(image, top, left, c, fy, fx)
                else:
                    value = _edge(image, top, left, c, fy, fx, border, fill)
                out[y, x, c] = (value + _MAGIC) - _MAGIC if whole else value


@_compiled
def nearest_at(image, map_x, map_y, out, border, fill):
    """The pixel in which each place falls."""
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            column = _brought(int(np.floor(map_x[y, x])), image.shape[1], border)
            row = _brought(int(np.floor(map_y[y, x])), image.shape[0], border)
            for c in range(out.shape[2]):
                out[y, x, c] = fill if row < 0 or column < 0 else image[row, column, c]


@_compiled
def nearest_batch(src, after, nodes, frame, before, out, border, fill):
    """Images of one size by the nearest rule, each through a map of its own; the arguments above with the batch as first axis."""
    factor = np.ones(2)
    map_x, map_y = np.empty(out.shape[1:3]), np.empty(out.shape[1:3])
    for b in range(out.shape[0]):
        source_map(after[b], nodes[b], frame[b], before[b], factor, map_x, map_y)
        nearest_at(src[b], map_x, map_y, out[b], border[b], fill[b])
