"""Compiled loops for maps that no affine matrix says: where the pixels of a result come from, row by row."""

from __future__ import annotations

import numpy as np

from vicinal.backend.kernels import _compiled, _inlined
from vicinal.backend.vectors import widest
from vicinal.core.warp import FAR

_HORIZON = 1e-6  # as ``vicinal.core.affine.apply`` has it: what lies behind the horizon is very far away
_ENDLESS = 1e9  # steps


@_inlined
def _projected(m, x, y):
    w = max(m[6] * x + m[7] * y + m[8], _HORIZON)
    return (m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w


@_inlined
def _cells(nodes, frame, before):
    """What a grid and the map behind it make of a place (u, v): for every cell, and those beyond the edges, the factors of 1, u, v and u v
    in x and in y; (r + 1, c + 1, 8)."""
    last_x, last_y = nodes.shape[1] - 1, nodes.shape[0] - 1
    to_x, to_y = last_x / frame[1], last_y / frame[0]
    found = np.empty((last_y + 2, last_x + 2, 8))
    for j in range(-1, last_y + 1):
        above, below = max(j, 0), min(j + 1, last_y)
        for i in range(-1, last_x + 1):
            left, right = max(i, 0), min(i + 1, last_x)
            p, q, r, s = nodes[above, left], nodes[above, right], nodes[below, left], nodes[below, right]
            x0, x1, x2, x3 = _factors(p[0], q[0], r[0], s[0], i, j, to_x, to_y)
            y0, y1, y2, y3 = _factors(p[1], q[1], r[1], s[1], i, j, to_x, to_y)
            for axis in range(2):
                a, b, cell = before[3 * axis], before[3 * axis + 1], found[j + 1, i + 1, 4 * axis :]
                cell[0], cell[1] = a * x0 + b * y0 + before[3 * axis + 2], a * (1 + x1) + b * y1
                cell[2], cell[3] = a * x2 + b * (1 + y2), a * x3 + b * y3
    return found


@_inlined
def _factors(p, q, r, s, i, j, to_x, to_y):
    """Those of a displacement with values p, q, r, s at the corners of the cell (i, j)."""
    right, down, mixed = q - p, r - p, p - q - r + s
    return p - right * i - down * j + mixed * i * j, (right - mixed * j) * to_x, (down - mixed * i) * to_y, mixed * to_x * to_y


@_inlined
def _start(g, d, last):
    """The cell in which ``g`` (in cells) lies, -1 or ``last`` beyond the grid, and after how many steps of ``d`` the next one begins."""
    cell = int(min(max(np.floor(g), -1.0), float(last)))
    return cell, _until(cell, ((cell + 1 if d > 0 else cell) - g) / d if d != 0 else _ENDLESS, d, last)


@_inlined
def _until(cell, steps, d, last):
    return steps if (cell < last if d > 0 else cell >= 0) else _ENDLESS


@_compiled
def _bent_row(after, cells, frame, x_step, y, xs, ys, at, count):
    """Sources of ``count`` pixels of one output row, from place ``at`` on, through a grid between affine maps.

    From one line of the grid to the next the map is quadratic in the steps along the row.
    """
    last_x, last_y = cells.shape[1] - 2, cells.shape[0] - 2
    to_x, to_y = last_x / frame[1], last_y / frame[0]
    u, v = after[0] * 0.5 * x_step + after[1] * y + after[2], after[3] * 0.5 * x_step + after[4] * y + after[5]
    du, dv = after[0] * x_step, after[3] * x_step
    (i, across), (j, down) = _start(u * to_x, du * to_x, last_x), _start(v * to_y, dv * to_y, last_y)
    way_x, way_y, pace_x, pace_y = 1 if du > 0 else -1, 1 if dv > 0 else -1, 1 / max(abs(du * to_x), 1e-9), 1 / max(abs(dv * to_y), 1e-9)
    uv, cross, square = u * v, u * dv + v * du, du * dv
    x = 0
    while x < count:
        end = min(int(min(across, down, _ENDLESS)) + 1, count)
        if end > x:
            m = cells[j + 1, i + 1]
            a0, a1, a2 = m[0] + m[1] * u + m[2] * v + m[3] * uv, m[1] * du + m[2] * dv + m[3] * cross, m[3] * square
            b0, b1, b2 = m[4] + m[5] * u + m[6] * v + m[7] * uv, m[5] * du + m[6] * dv + m[7] * cross, m[7] * square
            for k in range(x, end):
                place = np.uintp(at) + np.uintp(k)
                xs[place] = a0 + k * (a1 + k * a2)
                ys[place] = b0 + k * (b1 + k * b2)
            x = end
        if across <= down:
            i += way_x
            across = _until(i, across + pace_x, du, last_x)
        else:
            j += way_y
            down = _until(j, down + pace_y, dv, last_y)


@_inlined
def _bilinear(p, q, r, s, fx, fy):
    """Bilinear interpolation."""
    return p + (q - p) * fx + (r - p) * fy + (p - q - r + s) * fx * fy


@_inlined
def _is_flat(after, before):
    return after[6] == 0 and after[7] == 0 and before[6] == 0 and before[7] == 0


@_inlined
def _keeps_columns(after, nodes, before):
    """Whether the lines of a grid lie along rows and columns of the result, and nothing is projective."""
    return nodes.shape[0] > 1 and after[1] == after[3] == 0 and _is_flat(after, before)


@_compiled
def worked_out(maps, x_step, size):
    """What the rows of a result of ``size`` have in common: lines of a grid, or its cells if those are fewer than pixels, or nothing."""
    after, nodes, frame, _, before = maps
    if _keeps_columns(after, nodes, before):
        return _stretched(after, nodes, frame, before, x_step, size[1])
    if nodes.shape[0] > 1 and _is_flat(after, before) and nodes.size <= size[0] * size[1]:
        return _cells(nodes, frame, before)
    return np.empty((0, 0, 0))


@_inlined
def _stretched(after, nodes, frame, before, x_step, count):
    """Every line of such a grid, (r, 2, count): by how much the source of each pixel of a row is shifted where the row lies on the line."""
    found = np.empty((nodes.shape[0], 2, count))
    last, to_x = nodes.shape[1] - 1, (nodes.shape[1] - 1) / frame[1]
    cells, shares = np.empty(count, np.int64), np.empty(count)
    for x in range(count):
        g = min(max((after[0] * (x + 0.5) * x_step + after[2]) * to_x, 0.0), float(last))
        cells[x] = min(int(g), last - 1)
        shares[x] = g - cells[x]
    for j in range(len(found)):
        for x in range(count):
            i, share = cells[x], shares[x]
            p, q, r, s = nodes[j, i, 0], nodes[j, i, 1], nodes[j, i + 1, 0], nodes[j, i + 1, 1]
            u, v = p + share * (r - p), q + share * (s - q)
            found[j, 0, x], found[j, 1, x] = before[0] * u + before[1] * v, before[3] * u + before[4] * v
    return found


@_inlined
def _between(lines, j, axis, share, start, step, places, at, count):
    """Places along a row from what the lines above and below it say."""
    for x in range(count):
        one, other = lines[j, axis, x], lines[j + 1, axis, x]
        places[np.uintp(at) + np.uintp(x)] = start + step * x + one + share * (other - one)


@_inlined
def _upright_row(after, lines, frame, before, x_step, y, xs, ys, at, count):
    """Sources of one output row through a grid whose lines lie along rows and columns."""
    last, v = len(lines) - 1, after[4] * y + after[5]
    g = min(max(v * (last / frame[0]), 0.0), float(last))
    j = min(int(g), last - 1)
    begin, step = after[0] * 0.5 * x_step + after[2], after[0] * x_step
    start_x, start_y = before[0] * begin + before[1] * v + before[2], before[3] * begin + before[4] * v + before[5]
    _between(lines, j, 0, g - j, start_x, before[0] * step, xs, at, count)
    _between(lines, j, 1, g - j, start_y, before[3] * step, ys, at, count)


@_inlined
def _four(m):
    """The numbers of an array as such: what is written elsewhere does not change them, and they stay in registers."""
    return m[0], m[1], m[2], m[3]


@_inlined
def _six(m):
    return m[0], m[1], m[2], m[3], m[4], m[5]


@_inlined
def _stretch(lens, u, v):
    """By what share of its distance from the axis of a lens the source of a place lies further off."""
    across, down = u - lens[0], v - lens[1]
    return lens[2] * min(across * across + down * down, lens[3] * lens[3])


@_inlined
def _lens_row(after, lens, before, x_step, y, xs, ys, at, count):
    """Sources of one output row through a lens between affine maps: a loop without branches, which is vectorised."""
    after, lens, before = _six(after), _four(lens), _six(before)
    for column in range(count):
        x = (column + 0.5) * x_step
        u, v = after[0] * x + after[1] * y + after[2], after[3] * x + after[4] * y + after[5]
        more = _stretch(lens, u, v)
        u, v = u + (u - lens[0]) * more, v + (v - lens[1]) * more
        place = np.uintp(at) + np.uintp(column)
        xs[place], ys[place] = before[0] * u + before[1] * v + before[2], before[3] * u + before[4] * v + before[5]


@_inlined
def _projected_row(after, nodes, frame, lens, before, x_step, y, xs, ys, at, count):
    """Sources of one output row where a map is projective, with or without a bend, point by point."""
    bent = nodes.shape[0] > 1
    last_x, last_y = nodes.shape[1] - 1, nodes.shape[0] - 1
    to_x, to_y = last_x / frame[1], last_y / frame[0]
    for column in range(count):
        u, v = _projected(after, (column + 0.5) * x_step, y)
        if bent:
            gx, gy = min(max(u * to_x, 0.0), float(last_x)), min(max(v * to_y, 0.0), float(last_y))
            i, j = min(int(gx), last_x - 1), min(int(gy), last_y - 1)
            fx, fy = gx - i, gy - j
            u += _bilinear(nodes[j, i, 0], nodes[j, i + 1, 0], nodes[j + 1, i, 0], nodes[j + 1, i + 1, 0], fx, fy)
            v += _bilinear(nodes[j, i, 1], nodes[j, i + 1, 1], nodes[j + 1, i, 1], nodes[j + 1, i + 1, 1], fx, fy)
        elif len(lens):
            more = _stretch(lens, u, v)
            u, v = u + (u - lens[0]) * more, v + (v - lens[1]) * more
        sx, sy = _projected(before, u, v)
        place = np.uintp(at) + np.uintp(column)
        xs[place], ys[place] = min(max(sx, -FAR), FAR), min(max(sy, -FAR), FAR)


@_inlined
def _plane_row(m, x_step, y, xs, ys, at, count):
    """Sources of one output row through one projective map and nothing else: a loop without branches, which is vectorised."""
    m = m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7], m[8]
    for column in range(count):
        x = (column + 0.5) * x_step
        w = max(m[6] * x + m[7] * y + m[8], _HORIZON)
        place = np.uintp(at) + np.uintp(column)
        xs[place] = min(max((m[0] * x + m[1] * y + m[2]) / w, -FAR), FAR)
        ys[place] = min(max((m[3] * x + m[4] * y + m[5]) / w, -FAR), FAR)


@_inlined
def _is_identity(m):
    return m[0] == m[4] == m[8] == 1 and m[1] == m[2] == m[3] == m[5] == m[6] == m[7] == 0


@_compiled
def source_rows(maps, factor, first, known, width, xs, ys):
    """Continuous source coordinates of the centres of some rows of pixels, from row ``first`` on, at ``factor`` = (x, y) a pixel.

    maps: (after, nodes, frame, lens, before). after, before: (9,) inverse maps row by row, the one behind the bend and the one in front of
    it; nodes: (r, c, 2) displacements at the nodes of a grid over a canvas of ``frame`` = (height, width), a single one for none; lens:
    the four numbers of a ``Lens``, or nothing; known: what was ``worked_out``; xs, ys: (n * w,).
    """
    widest()
    after, nodes, frame, lens, before = maps
    upright, flat = len(known) > 0 and _keeps_columns(after, nodes, before), _is_flat(after, before)
    for row in range(len(xs) // width):
        x_step, y, at = 1 / factor[0], (first + row + 0.5) / factor[1], row * width  # places, not views of rows: those are counted
        if upright:
            _upright_row(after, known, frame, before, x_step, y, xs, ys, at, width)
        elif len(known):
            _bent_row(after, known, frame, x_step, y, xs, ys, at, width)
        elif flat and len(lens):
            _lens_row(after, lens, before, x_step, y, xs, ys, at, width)
        elif nodes.shape[0] == 1 and not len(lens) and _is_identity(after):
            _plane_row(before, x_step, y, xs, ys, at, width)
        else:
            _projected_row(after, nodes, frame, lens, before, x_step, y, xs, ys, at, width)


@_inlined
def of_one(maps, b):
    """The maps of one image of a batch."""
    after, nodes, frame, lens, before = maps
    return after[b], nodes[b], frame[b], lens[b], before[b]
