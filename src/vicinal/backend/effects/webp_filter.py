"""The loop filter of VP8 key frames (RFC 6386, section 15): edges of blocks are smoothed where what is seen there is no more than the steps
can have made. The normal filter, at one strength and a sharpness of 0.

Sixteen places along an edge are worked on at once: of luma, or eight of each colour.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from vicinal.backend.effects.webp_colours import MARGIN
from vicinal.backend.effects.webp_lanes import SHORT, eight_loaded, eight_stored, least, most, size_of, within
from vicinal.backend.lanes import Lanes, everywhere

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_WORD = ir.IntType(64)


def _signed(value: Any) -> Any:
    return within(value, -128, 127)


def smoothed(pixels: Sequence[Any], limit: Any, noise: Any, steep: Any, between: bool) -> list[Any]:
    """Eight pixels across an edge, of macroblocks or ``between`` blocks of one, as they are after it.

    Smoothed is what steps by no more than the limit at the edge and by no more than noise beside it; little is, where that is steep.
    """
    p3, p2, p1, p0, q0, q1, q2, q3 = pixels
    steps = [size_of(one - other) for one, other in ((p3, p2), (p2, p1), (q2, q1), (q3, q2), (p1, p0), (q1, q0))]
    outer = most(most(steps[0], steps[1]), most(steps[2], steps[3]))
    inner = most(steps[4], steps[5])
    jump, taps, nothing = (size_of(p0 - q0) << 2) + size_of(p1 - q1), _signed(p1 - q1), p0 - p0

    def where_seen(change: Any) -> Any:
        change = noise.where_below(most(outer, inner), nothing, change)
        return limit.where_below(jump, nothing, change)

    if between:
        change = where_seen(_signed((q0 - p0) * 3 + steep.where_below(inner, taps, nothing)))
        near, far = _eighths(change)
        half = steep.where_below(inner, nothing, (near + 1) >> 1)
        changes = [nothing, half, far, near, half, nothing]
    else:
        change = where_seen(_signed((q0 - p0) * 3 + taps))
        wide = steep.where_below(inner, nothing, change)
        near, far = _eighths(change - wide)
        three, two, one = ((wide * share + 63) >> 7 for share in (27, 18, 9))
        changes = [one, two, far + three, near + three, two, one]
    moved = [*changes[:3], *(change * -1 for change in changes[3:])]
    return [p3, *(within(pixel + by, 0, 255) for pixel, by in zip(pixels[1:7], moved, strict=True)), q3]


def _eighths(change: Any) -> tuple[Any, Any]:
    return least(change + 4, 127) >> 3, least(change + 3, 127) >> 3


def _edge(upright: bool, between: bool) -> Any:
    """Eight pixels across an edge, at 16 places along it: eight from each of two addresses, with ``step`` bytes from row to row."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        one, other, step = args[:3]

        def at(base: Any, y: int, x: int) -> Any:
            return builder.add(base, builder.add(builder.mul(step, _WORD(y)), _WORD(x)))

        if upright:
            places = [at(base, y, -4) for base in (one, other) for y in range(8)]
        else:
            places = [at(base, y, 0) for y in range(-4, 4) for base in (one, other)]
        limit, noise, steep = (Lanes(builder, everywhere(builder, builder.trunc(bound, ir.IntType(16)), SHORT)) for bound in args[3:])
        made = smoothed(eight_loaded(builder, places, upright), limit, noise, steep, between)
        eight_stored(builder, made, places, upright)
        return context.get_dummy_value()

    return types.void(*[types.intp] * 6), generated


def _upright(context: Any, one: Any, other: Any, step: Any, limit: Any, noise: Any, steep: Any) -> Any:
    return _edge(True, False)


def _upright_between(context: Any, one: Any, other: Any, step: Any, limit: Any, noise: Any, steep: Any) -> Any:
    return _edge(True, True)


def _level(context: Any, one: Any, other: Any, step: Any, limit: Any, noise: Any, steep: Any) -> Any:
    return _edge(False, False)


def _level_between(context: Any, one: Any, other: Any, step: Any, limit: Any, noise: Any, steep: Any) -> Any:
    return _edge(False, True)


_upright_edge: Any = intrinsic(_upright)
_upright_inside: Any = intrinsic(_upright_between)
_level_edge: Any = intrinsic(_level)
_level_inside: Any = intrinsic(_level_between)


@_compiled
def _macroblock(bright, step, blue, red, step_colour, coloured, above, left, inside, limit, noise, steep):
    """All edges of one: those to its left and above it where there is something, and those within; addresses of its pixels."""
    wide, narrow = 2 * (limit + 4) + 1, 2 * limit + 1
    if left:
        _upright_edge(bright, bright + 8 * step, step, wide, noise, steep)
        if coloured:
            _upright_edge(blue, red, step_colour, wide, noise, steep)
    if inside:
        for x in range(4, 16, 4):
            _upright_inside(bright + x, bright + x + 8 * step, step, narrow, noise, steep)
        if coloured:
            _upright_inside(blue + 4, red + 4, step_colour, narrow, noise, steep)
    if above:
        _level_edge(bright, bright + 8, step, wide, noise, steep)
        if coloured:
            _level_edge(blue, red, step_colour, wide, noise, steep)
    if inside:
        for y in range(4, 16, 4):
            _level_inside(bright + y * step, bright + y * step + 8, step, narrow, noise, steep)
        if coloured:
            _level_inside(blue + 4 * step_colour, red + 4 * step_colour, step_colour, narrow, noise, steep)


@_compiled
def filtered(bright, colour, inside, strength):
    """Planes of brightness and of two colours (2, h, w), or of none, with their margins, in place; ``inside`` (rows, columns) says of which
    macroblocks edges within are smoothed too. Strength 1 to 63."""
    step, half, steep = bright.shape[1], colour.shape[2], (1 if strength >= 15 else 0) + (1 if strength >= 40 else 0)
    full, blue, red = bright.ctypes.data, colour.ctypes.data, colour.ctypes.data + colour.shape[1] * half
    for y in range(inside.shape[0]):
        for x in range(inside.shape[1]):
            at, coarse = (1 + 16 * y) * step + MARGIN + 16 * x, (1 + 8 * y) * half + MARGIN + 8 * x
            places = full + at, step, blue + coarse, red + coarse, half, len(colour) > 0
            _macroblock(*places, y > 0, x > 0, inside[y, x], 3 * strength, strength, steep)
