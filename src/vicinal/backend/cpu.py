"""The fast backend: compiled loops for small images, tables and noise, OpenCV for large warps and colour matrices.

Which of the two warps an image depends on its size alone, so a sample's bits never depend on its batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, final

import cv2
import numpy as np
from numpy.typing import NDArray

from vicinal.backend import effects, kernels, reference
from vicinal.backend.filters import filtered
from vicinal.backend.noise_kernels import noisy
from vicinal.backend.reference import both_axes, canvas, opaque, patch, square, stacked
from vicinal.core import affine
from vicinal.core.backend import Dense
from vicinal.core.batch import RANGES
from vicinal.core.primitive import (
    CONSTANT,
    NEAREST,
    NONE,
    REFLECT,
    REPLICATE,
    Effect,
    Filter,
    Noise,
    Opaque,
    Patch,
    Pointwise,
    Primitive,
    Warp,
)
from vicinal.core.steps import Round, mapped, quantise

SMALL = 64 * 64
_GRID = (np.arange(256) / 255.0).astype(np.float32)[None, :, None]
_SAME = np.arange(256, dtype=np.uint8)[None, :, None]
_BORDERS = {
    NONE: cv2.BORDER_REPLICATE,
    CONSTANT: cv2.BORDER_CONSTANT,
    REFLECT: cv2.BORDER_REFLECT,
    REPLICATE: cv2.BORDER_REPLICATE,
}


@final
class Cpu:
    """Runs a plan over whole batches; a warp of small 8-bit images takes the pointwise work behind it along."""

    name = "cpu"

    def run(self, primitives: Sequence[Primitive], data: Dense) -> Dense:
        data = _contiguous(data)
        position = 0
        while position < len(primitives):
            primitive = primitives[position]
            following = primitives[position + 1] if position + 1 < len(primitives) else None
            if isinstance(primitive, Warp) and isinstance(following, Pointwise) and not following.mixes and fusable(primitive, data):
                data = _warp_table(primitive, following, np.asarray(data))
                position += 2
                continue
            data = _RUN[type(primitive)](primitive, data)
            position += 1
        return data

    def follow(self, moves: Sequence[Warp], data: Dense, fill: float) -> Dense:
        data = _contiguous(data)
        for move in moves:
            value = np.full(len(data), fill)
            data = _resample(move, data, lambda m, rows, part, v=value: _nearest(m, rows, part, v[rows]))
        return data


def backend() -> Cpu:
    """The backend object, as ``vicinal.core.backend.load`` asks for it."""
    return Cpu()


def _contiguous(data: Dense) -> Dense:
    """The loops are compiled for contiguous arrays. Samples of a list are copied: those that no pass touches go out as they are."""
    return [np.array(sample, order="C") for sample in data] if isinstance(data, list) else np.ascontiguousarray(data)


def fusable(warp: Warp, data: Dense) -> bool:
    """Equal, small (in and out), 8-bit, linear and without antialiasing: then one pass does warp and table."""
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape[1] * data.shape[2] > SMALL:
        return False
    size = _one_size(warp, data)
    if size is None or size[0] * size[1] > SMALL:
        return False
    return not (warp.interpolation == NEAREST).any() and int(warp.supersampling().max()) == 1


def _one_size(warp: Warp, data: NDArray) -> tuple[int, int] | None:
    """The common canvas that comes out, if there is one."""
    size = np.where(warp.active[:, None], warp.size, np.array(data.shape[1:3])[-warp.size.shape[1] :])
    return canvas(size[0]) if (size == size[0]).all() else None


def inverses(matrix: NDArray) -> NDArray[np.float64]:
    """(B, 6) inverse maps row by row, as the loops take them."""
    return affine.invert(square(matrix))[:, :2].reshape(-1, 6)


def _warp_table(warp: Warp, chain: Pointwise, data: NDArray) -> NDArray:
    height, width = _one_size(warp, data) or (0, 0)
    tables = tabulated(chain, np.uint8)
    out, view = _allocated((len(data), height, width, data.shape[3]), tables.dtype, chain.layout)
    _sampled(data, inverses(warp.matrix), view, warp.border, warp.fill, tables)
    return out


def _sampled(data: NDArray, inverse: NDArray, out: NDArray, border: NDArray, fill: NDArray, tables: NDArray) -> None:
    kernels.warp_table(data, inverse, out, border, np.rint(fill * 255), tables, (0,) * data.shape[3])


def _allocated(shape: tuple[int, ...], dtype: Any, layout: str | None) -> tuple[NDArray, NDArray]:
    """A new array, channels first or last, and the view of it that has channels last."""
    if layout != "CHW":
        out = np.empty(shape, dtype)
        return out, out
    out = np.empty((shape[0], shape[3], shape[1], shape[2]), dtype)
    return out, out.transpose(0, 2, 3, 1)


def tabulated(chain: Pointwise, dtype: Any) -> NDArray:
    """(B, 256, K) the chain's result for every 8-bit value, K = 1 or the number of channels; in float32, which rounds as float64 does."""
    chain, to = _in(np.float32, chain), chain.dtype or str(np.dtype(dtype))
    at = next((n for n, step in enumerate(chain.steps) if isinstance(step, Round)), len(chain.steps))
    if at == len(chain.steps) or not _shared(chain.steps[at:]):
        return _finished(chain.evaluate(np.broadcast_to(_GRID, (len(chain.active), 256, 1))), to)
    # What follows the rounding is the same for all samples: one table of it, looked up by the rounded values.
    first, cast = replace(chain, steps=chain.steps[:at]), replace(chain, steps=chain.steps[at:])
    rounded = _finished(first.evaluate(np.broadcast_to(_GRID, (len(chain.active), 256, 1))), "uint8")
    table = _finished(cast.evaluate(_GRID), to)[0]
    if rounded.shape[2] == 1:
        return np.take(table, rounded[..., 0], axis=0)
    return np.stack([table[rounded[..., c], min(c, table.shape[1] - 1)] for c in range(rounded.shape[2])], axis=-1)


def _shared(steps: Sequence[Any]) -> bool:
    return all(len(array) == 1 for step in steps for array in vars(step).values() if isinstance(array, np.ndarray))


def _finished(values: NDArray, to: str) -> NDArray:
    return np.ascontiguousarray(values, np.float32) if to == "float32" else quantise(values, to)


def _resample(warp: Warp, data: Dense, some: Callable[[Warp, NDArray, Dense], Dense]) -> Dense:
    """Copy the samples that stand still; hand the others to ``some``, together where in and out they have one size."""
    moving = np.flatnonzero(warp.active & ~warp.still())
    if isinstance(data, np.ndarray) and len(moving) == len(data) and _one_size(warp, data) is not None:
        return some(warp, moving, data)
    samples = list(data)
    groups: dict[tuple, list[int]] = {}
    for row in moving:
        groups.setdefault((samples[row].shape, tuple(warp.size[row])), []).append(int(row))
    for rows in groups.values():
        for row, result in zip(rows, some(warp, np.array(rows), np.stack([samples[row] for row in rows])), strict=True):
            samples[row] = result
    return stacked(samples)


def _warp(warp: Warp, data: Dense) -> Dense:
    if data[0].dtype == np.float64:  # series; the compiled loops and OpenCV would go through float32
        return reference.backend().run([warp], data)
    return _resample(warp, data, _linear_or_nearest)


def _linear_or_nearest(warp: Warp, rows: NDArray, data: Dense) -> Dense:
    """Samples of one size: nearest ones, antialiased ones and plain ones, each by its own loop."""
    assert isinstance(data, np.ndarray)
    out = np.empty((len(data), *canvas(warp.size[rows[0]]), data.shape[3]), data.dtype)
    near, factor = warp.interpolation[rows] == NEAREST, warp.supersampling()[rows]
    if near.any():
        out[near] = _nearest(warp, rows[near], data[near], warp.fill[rows[near]] * RANGES[str(data.dtype)])
    for times in np.unique(factor[~near], axis=0):
        chosen = ~near & (factor == times).all(1)
        whole = chosen.all()
        result = _linear(warp, rows[chosen], data if whole else data[chosen], both_axes(times))
        if whole:
            return result
        out[chosen] = result
    return out


def _linear(warp: Warp, rows: NDArray, data: NDArray, times: tuple[int, int]) -> NDArray:
    """Linear sampling at ``times`` (x, y) samples per pixel, averaged."""
    height, width = canvas(warp.size[rows[0]])
    fine_size = (height * times[1], width * times[0])
    matrix = np.diag([*map(float, times), 1.0]) @ square(warp.matrix[rows]) if max(times) > 1 else square(warp.matrix[rows])
    large = data.shape[1] > 1 and max(data.shape[1] * data.shape[2], fine_size[0] * fine_size[1]) > SMALL
    sample = _by_opencv if large else _by_loop
    fine = sample(matrix, fine_size, warp.border[rows], warp.fill[rows], data)
    return fine if max(times) == 1 else np.stack([_mean(image, height, width) for image in fine])


def _mean(image: NDArray, height: int, width: int) -> NDArray:
    """The mean of blocks; OpenCV's area interpolation is exactly that for whole factors."""
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).reshape(height, width, -1)


def _by_loop(matrix: NDArray, size: tuple[int, int], border: NDArray, fill: NDArray, data: NDArray) -> NDArray:
    out = np.empty((len(data), *size, data.shape[3]), data.dtype)
    if data.dtype == np.uint8:
        _sampled(data, inverses(matrix), out, border, fill, _SAME)
        return out
    scale = RANGES[str(data.dtype)]
    kernels.warp(data, inverses(matrix), out, border, (fill * scale).astype(np.float32), data.dtype.kind == "u")
    return out


def _by_opencv(matrix: NDArray, size: tuple[int, int], border: NDArray, fill: NDArray, data: NDArray) -> NDArray:
    out = np.empty((len(data), *size, data.shape[3]), data.dtype)
    inverse = inverses(matrix).reshape(-1, 2, 3)
    # From continuous coordinates to pixel indices, on both sides.
    inverse[:, :, 2] += 0.5 * (inverse[:, :, 0] + inverse[:, :, 1]) - 0.5
    for row, image in enumerate(data):
        value = float(fill[row]) * RANGES[str(data.dtype)]
        _opencv_one(image, inverse[row], out[row], _BORDERS[int(border[row])], value)
    return out


def _opencv_one(image: NDArray, inverse: NDArray, out: NDArray, border: int, fill: float) -> None:
    height, width, channels = out.shape
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    if channels == 3 and image.dtype == np.uint8:
        # Four channels fill a vector register: the detour through RGBA nearly halves the time.
        four = cv2.warpAffine(cv2.cvtColor(image, cv2.COLOR_RGB2RGBA), inverse, (width, height), None, flags, border, (fill,) * 4)
        cv2.cvtColor(four, cv2.COLOR_RGBA2RGB, out)
        return
    # Four channels at most; and never two, for which OpenCV rounds coordinates to 1/32 of a pixel even where it needs not.
    rest = {0: [], 1: [1], 2: [1, 1], 3: [3]}[channels % 4]
    ends = np.cumsum([4] * (channels // 4) + rest)
    for start, end in zip([0, *ends[:-1]], ends, strict=True):
        part = np.ascontiguousarray(image[..., start:end])
        warped = cv2.warpAffine(part, inverse, (width, height), None, flags, border, (fill,) * 4)
        out[..., start:end] = warped.reshape(height, width, -1)


def _nearest(warp: Warp, rows: NDArray, data: Dense, fill: NDArray) -> NDArray:
    assert isinstance(data, np.ndarray)
    out = np.empty((len(data), *canvas(warp.size[rows[0]]), data.shape[3]), data.dtype)
    kernels.nearest(data, inverses(warp.matrix[rows]), out, warp.border[rows], fill.astype(data.dtype))
    return out


def _pointwise(chain: Pointwise, data: Dense) -> Dense:
    if isinstance(data, list):
        return stacked([_pointwise_equal(chain.rows(np.array([row])), sample[None])[0] for row, sample in enumerate(data)])
    return _pointwise_equal(chain, data)


def _pointwise_equal(chain: Pointwise, data: NDArray) -> NDArray:
    to = chain.dtype or str(data.dtype)
    if data.dtype == np.uint8 and not chain.mixes:
        tables = tabulated(chain, data.dtype)
        out, view = _allocated(data.shape, tables.dtype, chain.layout)
        kernels.table(data, tables, view)
        return out
    work = np.float64 if "64" in str(data.dtype) else np.float32
    values = data.astype(work) / work(RANGES[str(data.dtype)])
    moved = _in(work, chain).evaluate(values.reshape(len(data), -1, data.shape[3])).reshape(data.shape)
    moved = moved.astype(to, copy=False) if np.dtype(to).kind == "f" else quantise(moved, to)
    return np.ascontiguousarray(moved.transpose(0, 3, 1, 2)) if chain.layout == "CHW" else moved


def _in(work: Any, chain: Pointwise) -> Pointwise:
    """The chain with its arrays in the working precision, so that float images are not blown up to float64."""
    return replace(chain, steps=tuple(mapped(step, lambda array: array.astype(work)) for step in chain.steps))


def _each(one: Callable[[Any, int, NDArray], NDArray]) -> Callable[[Any, Dense], Dense]:
    """From one sample to a batch: the active samples, one by one."""

    def run(primitive: Any, data: Dense) -> Dense:
        return stacked([one(primitive, row, sample) if primitive.active[row] else sample for row, sample in enumerate(data)])

    return run


def _alike(some: Callable[[Any, NDArray], NDArray]) -> Callable[[Any, Dense], Dense]:
    """From equal samples, all active, to any batch: the active samples, those of one size together."""

    def run(primitive: Any, data: Dense) -> Dense:
        rows = np.flatnonzero(primitive.active)
        if isinstance(data, np.ndarray):
            if len(rows) == len(data):
                return some(primitive, data)
            out = data.copy()
            out[rows] = some(primitive.rows(rows), data[rows])
            return out
        samples, shapes = list(data), {}
        for row in rows:
            shapes.setdefault(samples[row].shape, []).append(row)
        for alike in shapes.values():
            made = some(primitive.rows(np.array(alike)), np.stack([samples[row] for row in alike]))
            for row, sample in zip(alike, made, strict=True):
                samples[row] = sample
        return stacked(samples)

    return run


_RUN: dict[type, Callable[[Any, Any], Dense]] = {
    Warp: _warp,
    Pointwise: _pointwise,
    Filter: _alike(filtered),
    Noise: _alike(noisy),
    Patch: _each(patch),
    Opaque: _each(opaque),
    Effect: _alike(effects.call),
}
