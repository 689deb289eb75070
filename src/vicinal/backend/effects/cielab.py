"""CIELAB in 8 bits, as OpenCV has it, bit for bit: red, green and blue of sRGB to L in 255 levels and a and b about 128, and back.

Whole numbers: 11 bits for light, 15 for its cube roots, 14 on the way back, and 12 for the shares of primaries in X, Y and Z. Pixels lie
in planes of channels, of which a register holds LANES.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from vicinal.backend.chain_lookup import put_together, take_apart
from vicinal.backend.lanes import LANES, NUMBERS, Lanes, loaded, stored

_compiled = njit(nogil=True, cache=True, error_model="numpy")
_TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])  # sRGB, D65
_TO_RGB = np.array([[3.240479, -1.53715, -0.498535], [-0.969256, 1.875991, 0.041556], [0.055648, -0.204043, 1.057311]])
_WHITE = np.array([0.950456, 1, 1.088754])
_BASE = 1 << 14

Tables = tuple[NDArray[np.int32], ...]


@lru_cache(maxsize=1)
def forward() -> Tables:
    """Light of a byte (256,), cube roots of light (3072,), shares (3, 3) of red, green and blue in X, Y and Z."""
    value = np.arange(256) / 255
    light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)
    share = np.arange(3072, dtype=np.float32) / np.float32(255 * 8)
    line, root = share * np.float32(841 / 108) + np.float32(16 / 116), np.cbrt(share.astype(np.float64))
    near = root.astype(np.float32)
    cut = np.where(near > root, np.nextafter(near, np.float32(0)), near)  # OpenCV's float32 roots are cut off, not rounded
    roots = np.where(share < np.float32(216 / 24389), line, cut)
    return _whole(light * 255 * 8), _whole(roots * np.float32(1 << 15)), _whole(_TO_XYZ / _WHITE[:, None] * 4096)


@lru_cache(maxsize=1)
def backward() -> Tables:
    """Y of L (256,) and its root (256,), bytes of light (4096,), shares (3, 3) of X, Y and Z in red, green and blue."""
    lightness, light = np.arange(256) / 2.55, np.arange(4096) / 4096
    root = np.where(lightness <= 8, lightness * 841 / 108 * 27 / 24389 + 16 / 116, (lightness + 16) / 116)
    y = np.where(lightness <= 8, lightness * 27 / 24389, ((lightness + 16) / 116) ** 3)
    value = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return _whole(_BASE * y), _whole(_BASE * root), _whole(value * 255), _whole(_TO_RGB * _WHITE * 4096)


def _whole(values: NDArray) -> NDArray[np.int32]:
    return np.rint(values).astype(np.int32)


def _shared(one: Any, two: Any, three: Any, shares: NDArray[np.int32], bits: int) -> Any:
    """The sum of three numbers, each times its share, without its last bits, rounded."""
    x, y, z = (int(share) for share in shares)
    return (one * x + two * y + three * z + (1 << (bits - 1))) >> bits


def _cubed(root: Any) -> Any:
    """X or Z of its root: a cube, or a line below 6/29 of the root of white; cut off after every step."""
    return root.where_below(3391, (root * 108).over(841) - 290, ((root * root >> 14) * root) >> 14)


def _lab(pixel: Sequence[Any], light: Any, roots: Any) -> tuple[Any, ...]:
    """Of roots, L is 116 y - 16, in percent; a is 500 (x - y), b is 200 (y - z)."""
    r, g, b = (one.found(light) for one in pixel)
    x, y, z = (_shared(r, g, b, shares, 12).found(roots) for shares in forward()[2])
    half, middle, black = 1 << 14, (128 << 15) + (1 << 14), (16 * 255 * (1 << 15) + 50) // 100
    return (y * 296 + (half - black)) >> 15, ((x - y) * 500 + middle) >> 15, ((y - z) * 200 + middle) >> 15


def _rgb(pixel: Sequence[Any], light: Any, roots: Any, values: Any) -> tuple[Any, ...]:
    """The root of X is that of Y and a / 500, the root of Z that of Y less b / 200, both in units of 1 / _BASE and about 128."""
    lightness, a, b = pixel
    y, root = lightness.found(light), lightness.found(roots)
    x = _cubed(root + ((a * (5 * 53687) + 128) >> 13) - 128 * _BASE // 500)
    z = _cubed(root - ((b * 41943 + 16) >> 9) + (128 * _BASE // 200 - 1))
    made = (_shared(x, y, z, shares, 14) for shares in backward()[3])
    return tuple(one.where_below(0, 0, one.where_below(4096, one, 4095)).found(values) for one in made)


def _through(formula: Callable[..., tuple[Any, ...]]) -> Any:
    """An intrinsic: planes that lie ``stride`` bytes from one another, ``blocks`` times LANES pixels, in place; addresses of tables."""

    def generated(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        planes, stride, blocks, *tables = args
        octets, index = ir.VectorType(ir.IntType(8), LANES), ir.IntType(64)
        with cgutils.for_range(builder, blocks) as loop:
            at = builder.add(planes, builder.mul(loop.index, index(LANES)))
            places = [builder.add(at, builder.mul(stride, index(n))) for n in range(3)]
            pixel = [Lanes(builder, builder.zext(loaded(builder, place, octets), NUMBERS)) for place in places]
            for one, place in zip(formula(pixel, *tables), places, strict=True):
                stored(builder, builder.trunc(one.value, octets), place)
        return context.get_dummy_value()

    return generated


def _forward(context: Any, planes: Any, stride: Any, blocks: Any, light: Any, roots: Any) -> Any:
    return types.void(*[types.intp] * 5), _through(_lab)


def _backward(context: Any, planes: Any, stride: Any, blocks: Any, light: Any, roots: Any, values: Any) -> Any:
    return types.void(*[types.intp] * 6), _through(_rgb)


_to_lab: Any = intrinsic(_forward)
_to_rgb: Any = intrinsic(_backward)


@_compiled
def to_lab(pixels, planes, light, roots):
    """Bytes (3 n,) into planes (3, m) of them, m a multiple of LANES and n at least; tables are those of ``forward``."""
    take_apart(pixels, len(pixels) // 3, planes)
    _to_lab(planes.ctypes.data, planes.shape[1], planes.shape[1] // LANES, light.ctypes.data, roots.ctypes.data)


@_compiled
def to_rgb(planes, pixels, light, roots, values):
    """The way back, with the tables of ``backward``; planes are written over."""
    _to_rgb(planes.ctypes.data, planes.shape[1], planes.shape[1] // LANES, light.ctypes.data, roots.ctypes.data, values.ctypes.data)
    put_together(planes, len(pixels) // 3, pixels)
