"""Every step of a pointwise chain as a compiled loop over a block of values, (C, n) float32 in [0, 1], in place.

Parameters lie in one array (p) from some place (at) on: to cut a part out of an array takes compiled code longer than a small image.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from vicinal.backend.vectors import widest

LINEAR, CLIPPED, POWER, SOLARIZE, POSTERIZE, CURVE, ROUND, MATRIX, HSV = range(9)

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_inlined = njit(nogil=True, cache=True, error_model="numpy", inline="always")

_ZERO, _ONE, _TWO, _THREE, _FOUR, _SIX = (np.float32(number) for number in (0, 1, 2, 3, 4, 6))
# Adding 1.5 * 2**23 rounds a float32 below 2**22 to the nearest whole number, ties to even, as NumPy does; its last
# bits are that number. Subtracting it again leaves the number.
MAGIC = np.float32(12582912.0)


def _bits(context: Any, x: Any) -> Any:
    """The bits of a float32 as an int32."""
    return types.int32(types.float32), lambda ctx, builder, signature, args: builder.bitcast(args[0], ctx.get_value_type(types.int32))


def _float(context: Any, x: Any) -> Any:
    """The float32 of 32 bits."""
    return types.float32(types.int32), lambda ctx, builder, signature, args: builder.bitcast(args[0], ctx.get_value_type(types.float32))


def _fused(context: Any, x: Any, y: Any, z: Any) -> Any:
    """x * y + z with one rounding: one instruction where plain arithmetic, which must not be contracted, takes two."""
    return types.float32(types.float32, types.float32, types.float32), lambda ctx, builder, signature, args: builder.fma(*args)


bits_of: Any = intrinsic(_bits)
fused: Any = intrinsic(_fused)
_of_bits: Any = intrinsic(_float)


@_inlined
def clipped(x):
    return min(max(x, _ZERO), _ONE)


@_compiled
def is_neutral(code, p, at, width, channels):
    """True where the step with the parameters p[at : at + width] changes nothing."""
    if code in (LINEAR, CLIPPED):
        half, other = width // 2, 0
        for c in range(half):
            other += p[at + c] != _ONE or p[at + half + c] != _ZERO
        return other == 0
    if code == POWER:
        return p[at] == _ONE
    if code == SOLARIZE:
        return p[at] > _ONE
    if code in (POSTERIZE, CURVE):
        return p[at] <= _ZERO
    if code == MATRIX:
        other = 0
        for c in range(channels):
            for d in range(channels + 1):
                other += p[at + c * (channels + 1) + d] != (_ONE if c == d else _ZERO)
        return other == 0
    return code == HSV and p[at] == _ZERO and p[at + 1] == _ZERO and p[at + 2] == _ZERO


@_compiled
def _linear(values, c, n, gain, bias, clip):
    widest()
    if clip:
        for i in range(n):
            values[c, i] = clipped(fused(values[c, i], gain, bias))
    else:
        for i in range(n):
            values[c, i] = fused(values[c, i], gain, bias)


@_compiled
def _power(values, c, n, exponent):
    """x ** exponent as 2 ** (exponent log2 x), both by the polynomials of Moshier's Cephes library (logf, exp2f)."""
    widest()
    for i in range(n):
        x = values[c, i]
        bits = bits_of(x)
        whole = (bits - np.int32(0x3F3504F3)) >> np.int32(23)  # x = m * 2**whole with m between sqrt(1/2) and sqrt(2)
        f = _of_bits(np.int32(bits - (whole << np.int32(23)))) - _ONE
        log = np.float32(7.0376836292e-2)
        log = fused(log, f, np.float32(-1.1514610310e-1))
        log = fused(log, f, np.float32(1.1676998740e-1))
        log = fused(log, f, np.float32(-1.2420140846e-1))
        log = fused(log, f, np.float32(1.4249322787e-1))
        log = fused(log, f, np.float32(-1.6668057665e-1))
        log = fused(log, f, np.float32(2.0000714765e-1))
        log = fused(log, f, np.float32(-2.4999993993e-1))
        log = fused(log, f, np.float32(3.3333331174e-1))
        square = f * f
        log = fused(fused(log, f, np.float32(-0.5)), square, f)
        y = exponent * fused(log, np.float32(1.44269504088896), np.float32(whole))
        y = y if y > np.float32(-126) else np.float32(-126)
        near = (y + MAGIC) - MAGIC
        f = y - near
        two = np.float32(1.535336188319500e-4)
        two = fused(two, f, np.float32(1.339887440266574e-3))
        two = fused(two, f, np.float32(9.618437357674640e-3))
        two = fused(two, f, np.float32(5.550332471162809e-2))
        two = fused(two, f, np.float32(2.402264791363012e-1))
        two = fused(two, f, np.float32(6.931472028550421e-1))
        power = fused(two, f, _ONE) * _of_bits(np.int32((np.int32(near) + np.int32(127)) << np.int32(23)))
        values[c, i] = power if x > np.float32(1e-37) else _ZERO


@_compiled
def _solarize(values, c, n, threshold):
    widest()
    for i in range(n):
        x = values[c, i]
        values[c, i] = _ONE - x if x >= threshold else x


@_compiled
def _posterize(values, c, n, step):
    widest()
    wide, inverse = step / np.float32(255), _ONE / step
    for i in range(n):
        # A hundredth of a level, so that 64 / 255 in float32 is still level 64.
        values[c, i] = np.floor(fused(values[c, i], np.float32(255), np.float32(0.01)) * inverse) * wide


@_compiled
def _curve(values, c, n, p, at, knots):
    """Straight between knots p[at : at + knots]."""
    widest()
    last, end = np.float32(knots - 1), np.int32(knots - 2)
    for i in range(n):
        place = clipped(values[c, i]) * last
        low = min(np.int32(place), end)
        start = p[np.uintp(at + low)]
        values[c, i] = fused(place - np.float32(low), p[np.uintp(at + low + 1)] - start, start)


@_compiled
def _round(values, c, n, scale, first, second):
    """To whole numbers of 1 / scale and back; the products give k / scale correctly rounded."""
    widest()
    for i in range(n):
        k = (clipped(values[c, i]) * scale + MAGIC) - MAGIC
        values[c, i] = fused(k, first, k * second)


@_compiled
def _matrix3(values, n, p, at):
    widest()
    red, green, blue = values[0], values[1], values[2]
    a, b, c, d, e, f = p[at], p[at + 1], p[at + 2], p[at + 3], p[at + 4], p[at + 5]
    g, h, i, j, k, m = p[at + 6], p[at + 7], p[at + 8], p[at + 9], p[at + 10], p[at + 11]
    for x in range(n):
        u, v, w = red[x], green[x], blue[x]
        red[x] = clipped(fused(a, u, fused(b, v, fused(c, w, d))))
        green[x] = clipped(fused(e, u, fused(f, v, fused(g, w, h))))
        blue[x] = clipped(fused(i, u, fused(j, v, fused(k, w, m))))


@_compiled
def _matrix(values, n, p, at, spare):
    widest()
    channels = values.shape[0]
    for c in range(channels):
        row, first = spare[c], at + c * (channels + 1)
        for x in range(n):
            row[x] = p[first + channels]
        for d in range(channels):
            weight, other = p[first + d], values[d]
            if weight != _ZERO:
                for x in range(n):
                    row[x] = fused(weight, other[x], row[x])
    for c in range(channels):
        for x in range(n):
            values[c, x] = clipped(spare[c, x])


@_inlined
def _place(r, g, b, high):
    """How far the hue lies from that of a main channel, and from red to that one in sixths of the circle, by choices instead of branches:
    ``chroma * base + part`` is chroma times the hue, without a division."""
    part, base = (b - r, _TWO) if g == high else (r - g, _FOUR)
    return (g - b, _ZERO) if r == high else (part, base)


@_inlined
def _around(place, chroma):
    """A place between -1 and 11 times chroma, brought round the circle to [0, 6) times chroma."""
    place = place - _SIX * chroma if place >= _SIX * chroma else place
    return place + _SIX * chroma if place < _ZERO else place


@_inlined
def _far(place, chroma, middle):
    """How far a channel lies below the highest one, where it is that one within a sixth of ``middle``."""
    return min(max(abs(fused(-middle, chroma, place)) - chroma, _ZERO), chroma)


@_inlined
def _near(place, chroma):
    """The same for red, which is the highest one around both ends of the circle."""
    return min(max(fused(_TWO, chroma, -abs(fused(-_THREE, chroma, place))), _ZERO), chroma)


@_compiled
def _turn(values, n, turn):
    """The hue alone: neither value nor chroma change, so no saturation is needed."""
    widest()
    red, green, blue = values[0], values[1], values[2]
    for x in range(n):
        r, g, b = red[x], green[x], blue[x]
        high = max(r, max(g, b))
        chroma = high - min(r, min(g, b))
        part, base = _place(r, g, b, high)
        place = _around(fused(base + turn, chroma, part), chroma)
        red[x] = high - _near(place, chroma)
        green[x] = high - _far(place, chroma, _TWO)
        blue[x] = high - _far(place, chroma, _FOUR)


@_compiled
def _hsv(values, n, turn, saturation, value):
    widest()
    red, green, blue = values[0], values[1], values[2]
    for x in range(n):
        r, g, b = red[x], green[x], blue[x]
        high = max(r, max(g, b))
        given = high - min(r, min(g, b))
        part, base = _place(r, g, b, high)
        share = clipped(given / (high if high > _ZERO else _ONE) + (saturation if given > _ZERO else _ZERO))
        high = clipped(high + value)
        chroma = high * share
        part = part * (chroma / (given if given > _ZERO else _ONE))
        place = _around(fused(base + turn, chroma, part), chroma)
        red[x] = high - _near(place, chroma)
        green[x] = high - _far(place, chroma, _TWO)
        blue[x] = high - _far(place, chroma, _FOUR)


@_inlined
def apply(code, values, n, p, at, width, knots, spare):
    """One step on the first n values of every channel.

    p[at : at + width]: its parameters (gain then bias; exponent; threshold; step; bent then knots; scale and the two parts of its inverse;
    matrix row by row; turn, saturation, value); knots: how many a curve has; spare: another block, for matrices.
    """
    widest()
    channels = values.shape[0]
    if code == MATRIX:
        if channels == 3:
            _matrix3(values, n, p, at)
        else:
            _matrix(values, n, p, at, spare)
    elif code == HSV:
        if p[at + 1] == _ZERO and p[at + 2] == _ZERO:
            _turn(values, n, p[at])
        else:
            _hsv(values, n, p[at], p[at + 1], p[at + 2])
    else:
        for c in range(channels):
            _apply_alone(code, values, np.uintp(c), n, p, at, width, knots)


@_inlined
def _apply_alone(code, values, c, n, p, at, width, knots):
    """A step that does not mix channels, on channel c."""
    widest()
    if code in (LINEAR, CLIPPED):
        half = width // 2
        own = at + c if half > 1 else at
        _linear(values, c, n, p[own], p[own + half], code == CLIPPED)
    elif code == POWER:
        _power(values, c, n, p[at])
    elif code == SOLARIZE:
        _solarize(values, c, n, p[at])
    elif code == POSTERIZE:
        _posterize(values, c, n, p[at])
    elif code == CURVE:
        _curve(values, c, n, p, at + 1 + (c * knots if width > 1 + knots else 0), knots)
    else:
        _round(values, c, n, p[at], p[at + 1], p[at + 2])
