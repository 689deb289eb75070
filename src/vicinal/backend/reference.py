"""The specification: one sample at a time, plain NumPy, float64. Slow on purpose; every other backend is held against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.backend import effects, noise
from vicinal.core import affine
from vicinal.core.backend import Dense
from vicinal.core.draw import rounds
from vicinal.core.pages import Room, room
from vicinal.core.primitive import Effect, Filter, Hide, Noise, Opaque, Patch, Pointwise, Primitive
from vicinal.core.steps import dequantise, quantise
from vicinal.core.warp import CONSTANT, FAR, NEAREST, REFLECT, Warp


@final
class Reference:
    """Runs a plan primitive by primitive, sample by sample."""

    name, rounds = "reference", staticmethod(rounds)

    def run(self, primitives: Sequence[Primitive], data: Dense, room: Room = room) -> Dense:
        samples = [np.array(sample) for sample in data]
        for primitive in primitives:
            one = _ONE[type(primitive)]
            samples = [one(primitive, row, s) if primitive.active[row] else s for row, s in enumerate(samples)]
        return stacked(samples)

    def follow(self, moves: Sequence[Warp], data: Dense, fill: float) -> Dense:
        samples = [np.array(sample) for sample in data]
        for move in moves:
            samples = [_nearest(move, row, s, fill) if move.active[row] else s for row, s in enumerate(samples)]
        return stacked(samples)

    def blended(self, own: Dense, pool: Dense, other: NDArray[np.int64], weight: NDArray) -> Dense:
        return stacked([_blended(sample, pool[other[row]], weight[row]) for row, sample in enumerate(own)])

    def pasted(self, own: Dense, pool: Dense, other: NDArray[np.int64], box: NDArray[np.int64], axis: int) -> Dense:
        return stacked([_pasted(sample, pool[other[row]], box[row], axis) for row, sample in enumerate(own)])


def backend() -> Reference:
    """The backend object, as ``vicinal.core.backend.load`` asks for it."""
    return Reference()


def stacked(samples: list[NDArray]) -> Dense:
    """One array where all samples have one shape."""
    return np.stack(samples) if len({sample.shape for sample in samples}) == 1 else samples


def square(matrix: NDArray) -> NDArray[np.float64]:
    """(B, 3, 3) maps of images; a map of series (B, 2, 2) acts on x and leaves y alone."""
    if matrix.shape[-1] == 3:
        return matrix
    full = affine.identity(len(matrix))
    full[:, 0, 0], full[:, 0, 2] = matrix[:, 0, 0], matrix[:, 0, 1]
    return full


def canvas(size: NDArray) -> tuple[int, int]:
    """Height and width of one (d,) size."""
    return (1, int(size[0])) if len(size) == 1 else (int(size[0]), int(size[1]))


def both_axes(factor: NDArray) -> tuple[int, int]:
    """Samples per pixel along x and y of one (d,) row of ``Warp.supersampling``."""
    return int(factor[0]), int(factor[1]) if len(factor) == 2 else 1


def _source(move: Warp, row: int, factor: tuple[int, int] = (1, 1)) -> tuple[NDArray, NDArray]:
    """Where the centres of the output pixels lie in the input, at ``factor`` (x, y) samples per pixel: x and y of (h fy, w fx)."""
    shape = canvas(move.size[row])
    x = (np.arange(shape[1] * factor[0]) + 0.5) / factor[0]
    y = ((np.arange(shape[0] * factor[1]) + 0.5) / factor[1])[:, None]
    if move.bent[row] or move.projective[row]:
        places = np.stack(np.broadcast_arrays(x, y), -1)
        found = move.backward(places.reshape(1, -1, 2), np.array([row])).reshape(places.shape)
        if move.projective[row]:
            found = found.clip(-FAR, FAR)
        return found[..., 0], found[..., 1]
    (a, b, c), (d, e, f) = affine.invert(square(move.matrix[row][None]))[0, :2]
    return a * x + b * y + c, d * x + e * y + f


def _warp(primitive: Warp, row: int, image: NDArray) -> NDArray:
    if primitive.still[row]:
        return image
    if (primitive.boxes[row] > 1).any():
        return _stored(_boxed(primitive, row, _values(image)), image)
    shape, factor = canvas(primitive.size[row]), both_axes(primitive.supersampling[row])
    x, y = _source(primitive, row, factor)
    values, border, fill = _values(image), int(primitive.border[row]), float(primitive.fill[row])
    if primitive.interpolation[row] == NEAREST:
        sampled = _at(values, np.floor(x), np.floor(y), border, fill)
    else:
        sampled = _linear(values, x - 0.5, y - 0.5, border, fill)
    sampled = sampled.reshape(shape[0], factor[1], shape[1], factor[0], -1).mean((1, 3))
    return _stored(sampled, image)


def _boxed(primitive: Warp, row: int, values: NDArray) -> NDArray[np.float64]:
    """Means over boxes: each axis of an upright map by itself."""
    inverse, box = affine.invert(square(primitive.matrix[row][None]))[0], primitive.boxes[row]
    border, fill = int(primitive.border[row]), float(primitive.fill[row])
    for axis, d in ((0, 1), (1, 0)) if len(box) == 2 else ((1, 0),):
        centre = inverse[d, d] * (np.arange(canvas(primitive.size[row])[axis]) + 0.5) + inverse[d, 2]
        low, high = centre - box[d] / 2, centre + box[d] / 2
        pixel = np.arange(np.floor(low.min()), np.ceil(high.max()))
        share = np.clip(np.minimum(high[:, None], pixel + 1) - np.maximum(low[:, None], pixel), 0, None) / box[d]
        along = np.moveaxis(values, axis, 0)
        shown = along[_inside(pixel, len(along), border)]
        if border == CONSTANT:
            shown[(pixel < 0) | (pixel >= len(along))] = fill
        values = np.moveaxis(np.tensordot(share, shown, 1), 0, axis)
    return values


def _values(image: NDArray) -> NDArray[np.float64]:
    return dequantise(image)


def _stored(values: NDArray, like: NDArray) -> NDArray:
    return quantise(values, str(like.dtype))


def _linear(values: NDArray, x: NDArray, y: NDArray, border: int, fill: float) -> NDArray[np.float64]:
    """Bilinear interpolation at pixel indices x, y; a neighbour with weight 0 is never looked at."""
    left, top = np.floor(x), np.floor(y)
    fx, fy = x - left, y - top
    total = np.zeros((*x.shape, values.shape[-1]))
    for dy, wy in ((0, 1 - fy), (1, fy)):
        for dx, wx in ((0, 1 - fx), (1, fx)):
            weight = (wx * wy)[..., None]
            total += np.where(weight > 0, weight * _at(values, left + dx, top + dy, border, fill), 0)
    return total


def _at(values: NDArray, x: NDArray, y: NDArray, border: int, fill: float) -> NDArray:
    """Values at whole pixel indices, with what the border says outside."""
    height, width = values.shape[:2]
    outside = (x < 0) | (y < 0) | (x >= width) | (y >= height)
    taken = values[_inside(y, height, border), _inside(x, width, border)]
    return taken if border != CONSTANT else np.where(outside[..., None], np.asarray(fill, values.dtype), taken)


def _inside(index: NDArray, size: int, border: int) -> NDArray[np.int64]:
    """Indices brought onto the canvas: mirrored at the edges (the edge pixel is repeated), or the nearest."""
    index = index.astype(np.int64)
    if border == REFLECT:
        index = np.mod(index, 2 * size)
        return np.minimum(index, 2 * size - 1 - index)
    return np.clip(index, 0, size - 1)


def _nearest(move: Warp, row: int, mask: NDArray, fill: float) -> NDArray:
    if move.still[row]:
        return mask
    x, y = _source(move, row)
    return _at(mask, np.floor(x), np.floor(y), int(move.border[row]), fill)


def _pointwise(primitive: Pointwise, row: int, image: NDArray) -> NDArray:
    chain = primitive.rows(np.array([row]))
    values = image if image.dtype.kind == "f" else dequantise(image)
    out = chain.evaluate(values.reshape(1, -1, values.shape[-1]).astype(np.float64)).reshape(image.shape)
    dtype = primitive.dtype or str(image.dtype)
    out = out.astype(dtype) if np.dtype(dtype).kind == "f" else quantise(out, dtype)
    return np.ascontiguousarray(out.transpose(2, 0, 1)) if primitive.layout == "CHW" else out


def _filter(primitive: Filter, row: int, image: NDArray) -> NDArray:
    values = dequantise(image)
    for kernels in primitive.kernels:
        values = _correlated(values, kernels[row])
    return _stored(np.clip(values, 0, 1), image)


def _correlated(values: NDArray, kernel: NDArray) -> NDArray[np.float64]:
    (high, wide), (height, width) = kernel.shape, values.shape[:2]
    padded = np.pad(values, ((high // 2,) * 2, (wide // 2,) * 2, (0, 0)), "reflect")
    total = np.zeros_like(values)
    for y, x in np.argwhere(kernel):
        total += kernel[y, x] * padded[y : y + height, x : x + width]
    return total


def _patch(primitive: Patch, row: int, image: NDArray) -> NDArray:
    """One sample with its rectangles filled."""
    out, made = image.copy(), _filling(primitive, row, image)
    for x0, y0, x1, y1 in primitive.box[row]:
        out[y0:y1, x0:x1] = made[y0:y1, x0:x1]
    return out


def _filling(primitive: Patch, row: int, image: NDArray) -> NDArray:
    """What the whole canvas would look like under one rectangle."""
    if primitive.key is None:
        return np.broadcast_to(quantise(primitive.fill[row], str(image.dtype)), image.shape)
    return noise.levels(primitive.key[row], image.size, str(image.dtype)).reshape(image.shape)


def hide(primitive: Hide, row: int, image: NDArray) -> NDArray:
    """One sample with its hidden objects filled."""
    out = image.copy()
    if primitive.region[row] is not None:
        out[primitive.region[row]] = quantise(np.asarray(primitive.fill[row]), str(image.dtype))
    return out


def effect(primitive: Effect, row: int, image: NDArray) -> NDArray:
    """What a named effect makes of one sample."""
    return effects.call(primitive.rows(slice(row, row + 1)), image[None])[0]


def opaque(primitive: Opaque, row: int, image: NDArray) -> NDArray:
    """What the function makes of one sample; it never gets to write to it."""
    made = primitive.function(effects.read_only(image), **{name: values[row] for name, values in primitive.arguments.items()})
    return made.copy() if np.may_share_memory(made, image) else made


def working(dtype: np.dtype) -> type[np.floating]:
    """The precision in which samples of a dtype are averaged."""
    return np.float32 if dtype in (np.uint8, np.float32) else np.float64


def _blended(own: NDArray, other: NDArray, weight: float) -> NDArray:
    kind = working(own.dtype)
    mine = kind(weight)
    total = own.astype(kind) * mine + other.astype(kind) * (1 - mine)
    return (np.rint(total) if own.dtype.kind == "u" else total).astype(own.dtype)


def _pasted(own: NDArray, other: NDArray, box: NDArray[np.int64], axis: int) -> NDArray:
    x0, y0, x1, y1 = box.tolist()
    part, out = (slice(None),) * axis + (slice(y0, y1), slice(x0, x1)), own.copy()
    out[part] = other[part]
    return out


_ONE: dict[type, Callable[[Any, int, NDArray], NDArray]] = {
    Warp: _warp,
    Pointwise: _pointwise,
    Filter: _filter,
    Noise: noise.noisy,
    Patch: _patch,
    Hide: hide,
    Opaque: opaque,
    Effect: effect,
}
