"""Compiled loops for maps that no affine matrix says: where every output pixel comes from, and sampling there, row by row."""

from __future__ import annotations

import numpy as np

from vicinal.backend.bilinear import RING, block, marked, room, sampled, settle
from vicinal.backend.chain_steps import MAGIC
from vicinal.backend.kernels import _brought, _compiled, _edge, _inlined, _inner
from vicinal.backend.pixels import copied
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
def _worked_out(maps, x_step, size):
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
def _source_rows(maps, factor, first, known, width, xs, ys):
    """Continuous source coordinates of the centres of some rows of pixels, from row ``first`` on, at ``factor`` = (x, y) a pixel.

    maps: (after, nodes, frame, lens, before). after, before: (9,) inverse maps row by row, the one behind the bend and the one in front of
    it; nodes: (r, c, 2) displacements at the nodes of a grid over a canvas of ``frame`` = (height, width), a single one for none; lens:
    the four numbers of a ``Lens``, or nothing; known: what was ``_worked_out``; xs, ys: (n * w,).
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
def _of(maps, b):
    """The maps of one image of a batch."""
    after, nodes, frame, lens, before = maps
    return after[b], nodes[b], frame[b], lens[b], before[b]


@_compiled
def source_map(maps, b, factor, map_x, map_y):
    """Where the centres of all pixels of the b-th result come from, as pixel indices, at ``factor`` = (x, y) samples per pixel; (h, w)."""
    one = _of(maps, b)
    width = map_x.shape[1]
    xs, ys = np.empty(width), np.empty(width)
    known = _worked_out(one, 1 / factor[0], map_x.shape)
    for row in range(map_x.shape[0]):
        _source_rows(one, factor, row, known, width, xs, ys)
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

    maps: as above, with the batch as first axis; size: (h, w); fill in whole numbers; channels: a tuple of length C, so that the compiler
    knows C.
    """
    widest()
    height, width = src.shape[1:3]
    count = len(channels)
    most, xs, ys, marks, line = block(size[1], count)
    rows = max(1, most // size[1])
    flat, window = room(width, height, count), (0, 0, width, height)
    for b in range(out.shape[0]):
        settle(flat, src[b], window, border[b], np.uint8(fill[b]), count)
        one = _of(maps, b)
        known = _worked_out(one, 1.0, size)
        for y in range(0, size[0], rows):
            many = min(rows, size[0] - y) * size[1]
            _source_rows(one, (1.0, 1.0), y, known, size[1], xs[:many], ys[:many])
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
        one = _of(maps, b)
        known = _worked_out(one, 1.0, out.shape[1:3])
        for y in range(out.shape[1]):
            _source_rows(one, (1.0, 1.0), y, known, width, xs, ys)
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
