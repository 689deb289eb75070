"""Resampling on the CPU: compiled loops for 8-bit and small images and for upright maps, OpenCV for other maps of large images.

Which of them an image takes depends on its size, its dtype and its map alone, so a sample's bits never depend on its batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import cv2
import numpy as np
from numpy.typing import NDArray

from vicinal.backend import affine_kernels, kernels, maps, opencv, pixels, reference
from vicinal.backend.bilinear_rows import by_rows
from vicinal.backend.maps import SMALL, in_whole_numbers
from vicinal.backend.reference import both_axes, canvas, square, stacked
from vicinal.backend.upright import upright
from vicinal.core.backend import Dense
from vicinal.core.batch import RANGES, every, filled, name_of
from vicinal.core.pages import room
from vicinal.core.warp import NEAREST, Warp

_AS_IT_COMES = np.empty((1, 0, 1), np.uint8)  # no table


@final
@dataclass(frozen=True, eq=False)
class Straight:
    """8-bit images of one size under affine maps that are linear between pixels, as the loops take them, sample by sample.

    Args:
        inverse: (B, 6) maps from the result row by row; sizes: (B, 2) what comes out; boxes: (B, 2) pixels that one of it is the mean of;
        upright: (B,) where rows stay rows and columns columns.
        alike: whether all come out in one size; moved: whether some are pixels put onto pixels elsewhere, which is faster by itself.
    """

    inverse: NDArray[np.float64]
    sizes: NDArray[np.int64]
    boxes: NDArray[np.float64]
    upright: NDArray[np.bool_]
    alike: bool
    moved: bool

    @cached_property
    def order(self) -> NDArray[np.int64]:
        """(B,) the samples as results lie, those of one size one after the other: what is noted of a map is noted once."""
        return np.arange(len(self.sizes)) if self.alike else _as_numbers(self.sizes).argsort(kind="stable")

    @cached_property
    def averaged(self) -> NDArray[np.bool_]:
        """(B,) which pixels are means over boxes."""
        return (self.boxes[:, 0] > 1) | (self.boxes[:, 1] > 1)


def straight(warp: Warp, data: Dense) -> Straight | None:
    """A warp as such; None for any other."""
    if not isinstance(data, np.ndarray) or not in_whole_numbers(data) or warp.matrix.shape[-1] != 3 or warp.bent.any():
        return None
    inverse, sizes, boxes = np.empty((len(data), 6)), np.empty((len(data), 2), np.int64), np.empty((len(data), 2))
    size, kept = np.array(warp.size), np.empty(len(data), bool)
    # Copies, since to the loops read-only arrays are another type.
    active, interpolation, antialias = warp.active.copy(), warp.interpolation.copy(), warp.antialias.copy()
    matrix = warp.matrix if warp.matrix.flags.writeable else warp.matrix.copy()
    fit, alike, moved = kernels.inverted(matrix, size, active, interpolation, antialias, data.shape[1:3], inverse, sizes, boxes, kept)
    return Straight(inverse, sizes, boxes, kept, alike, moved) if fit else None


def tabled(warp: Warp, data: Dense) -> Straight | None:
    """The same where one pass does warp and table: no averages, and one size comes out."""
    form = straight(warp, data)
    return form if form is not None and form.alike and not form.averaged.any() else None


def in_place(warp: Warp, data: Dense) -> bool:
    """Whether a batch keeps its canvas under a warp that leaves some samples as they are, so that only the others need be written."""
    if not isinstance(data, np.ndarray) or one_size(warp, data) != data.shape[1:3]:
        return False
    return not every(warp.active & ~warp.still)


def one_size(warp: Warp, data: NDArray) -> tuple[int, int] | None:
    """The common canvas that comes out, if there is one."""
    size = np.where(warp.active[:, None], warp.size, np.array(data.shape[1:3])[-warp.size.shape[1] :])
    return canvas(size[0]) if (size == size[0]).all() else None


def inverses(warp: Warp, rows: NDArray | slice = slice(None)) -> NDArray[np.float64]:
    """(n, 6) inverse maps row by row, as the loops take them."""
    return np.ascontiguousarray(square(warp.inverted[rows])[:, :2]).reshape(-1, 6)


def table_at(data: NDArray, inverse: NDArray, sizes: NDArray, order: NDArray, planar: bool, out: NDArray, border: NDArray, fill: NDArray,
             tables: NDArray, kept: NDArray[np.bool_], slanted: NDArray[np.bool_]) -> None:  # fmt: skip
    """8-bit images, and what a table makes of their values, one behind the other, in this order, into ``out``; ``planar``: channels first.

    kept, slanted: (B,) which have maps that keep rows rows, and which others; of the rest nothing but their places is left.
    """
    border, whole = border.copy(), np.rint(fill * 255)
    for chosen, kernel in ((kept, by_rows), (slanted, affine_kernels.affine)):
        if np.count_nonzero(chosen):
            kernel(data, inverse, sizes, order, chosen, planar, out.reshape(-1), border, whole, tables, (0,) * data.shape[3])


def _at_once(warp: Warp, data: NDArray, form: Straight) -> Dense:
    """8-bit images of one size: those that are averaged in one call, the others in another."""
    averaged, channels = form.averaged, data.shape[3]
    if form.alike:
        made: Any = room((len(data), *form.sizes[0].tolist(), channels), np.uint8)
        out = made.reshape(-1)
    else:
        out, made = _behind(form.sizes, form.order, channels)
    if not every(averaged):
        linear = form.upright & ~averaged
        table_at(data, form.inverse, form.sizes, form.order, False, out, warp.border, warp.fill, _AS_IT_COMES, linear, ~form.upright)
    if np.count_nonzero(averaged):
        fill = (warp.fill * 255).astype(np.float32)
        upright(data, form.inverse, form.sizes, form.order, averaged, out, warp.border.copy(), fill, form.boxes)
    return made


def _as_numbers(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """(B,) one number for height and width."""
    return sizes[:, 0] << 32 | sizes[:, 1]


def _behind(sizes: NDArray[np.int64], order: NDArray[np.int64], channels: int) -> tuple[NDArray[np.uint8], list[NDArray]]:
    """An array for images of sizes (B, 2), one behind the other in this order (B,), and its parts, as the samples come.

    Images of one size are parts of one array of four axes: NumPy makes those at a third of the price of an array each.
    """
    out, lying = room((int(sizes[:, 0] @ sizes[:, 1]) * channels,), np.uint8), _as_numbers(sizes)[order]
    ends = [*(np.flatnonzero(lying[1:] != lying[:-1]) + 1).tolist(), len(lying)]
    made, rows, given, start, first = [out] * len(order), order.tolist(), sizes.tolist(), 0, 0
    for end in ends:
        high, wide = given[rows[first]]
        stop = start + (end - first) * high * wide * channels
        for row, image in zip(rows[first:end], out[start:stop].reshape(-1, high, wide, channels), strict=True):
            made[row] = image
        start, first = stop, end
    return out, made


def _resample(warp: Warp, data: Dense, some: Callable[[Warp, NDArray, Dense], Dense]) -> Dense:
    """Copy the samples that stand still; hand the others to ``some``, together where in and out they have one size."""
    moving = np.flatnonzero(warp.active & ~warp.still)
    if isinstance(data, np.ndarray) and len(moving) == len(data) and one_size(warp, data) is not None:
        return some(warp, moving, data)
    samples = list(data)
    groups: dict[tuple, list[int]] = {}
    for row in moving:
        groups.setdefault((samples[row].shape, tuple(warp.size[row])), []).append(int(row))
    for rows in groups.values():
        for row, result in zip(rows, some(warp, np.array(rows), np.stack([samples[row] for row in rows])), strict=True):
            samples[row] = result
    return stacked(samples)


def warp(primitive: Warp, data: Dense) -> Dense:
    """A whole batch, equal or ragged."""
    if data[0].dtype == np.float64:  # series; the compiled loops and OpenCV would go through float32
        return reference.backend().run([primitive], data)
    form = straight(primitive, data)
    if form is not None and not form.moved:
        return _at_once(primitive, np.asarray(data), form)
    if isinstance(data, np.ndarray) and (made := maps.at_once(primitive, data)) is not None:
        return made
    if isinstance(data, list) or one_size(primitive, data) is None:
        return _ragged(primitive, list(data))
    return _resample(primitive, data, _any)


def _ragged(warp: Warp, data: list[NDArray]) -> Dense:
    """Samples of several sizes, in or out: linear ones one by one, without a copy of what is read; the others together where alike."""
    areas = np.array([(image.shape[0] > 1) * image.shape[0] * image.shape[1] for image in data])
    lone = (areas > 0) & warp.active & ~warp.still & ~maps.general(warp) & ~warp.exact & (warp.interpolation != NEAREST)
    rows = np.flatnonzero(lone)
    if not len(rows):
        return _resample(warp, data, _any)
    images = [data[row] for row in rows]
    if (made := _small_alike(warp.rows(rows), images)) is None:
        large = (data[0].dtype != np.uint8) & (np.maximum(areas, _sides(warp).prod(1))[rows] > SMALL)
        made = _one_by_one(warp, rows, images, large)
    if len(rows) == len(data):
        return made
    samples = list(data)
    for row, image in zip(rows, made, strict=True):
        samples[row] = image
    return _resample(warp.where(~lone), samples, _any)


def _sides(warp: Warp) -> NDArray[np.int64]:
    """(B, 2) height and width of what comes out; series have a height of 1."""
    return warp.size if warp.size.shape[1] == 2 else np.pad(warp.size, ((0, 0), (1, 0)), constant_values=1)


def _small_alike(warp: Warp, images: list[NDArray]) -> Dense | None:
    """Small 8-bit images of one size at once, where they can be, since every call costs as much as one of them; None for others."""
    first = images[0]
    if first.dtype != np.uint8 or first[..., 0].size > SMALL or any(image.shape != first.shape for image in images):
        return None
    data = np.stack(images)
    form = straight(warp, data)
    return None if form is None else _at_once(warp, data, form)


def _one_by_one(warp: Warp, rows: NDArray, images: list[NDArray], large: NDArray[np.bool_]) -> Dense:
    """Samples of any size by linear interpolation or averages, read where they lie; one array where they come out alike."""
    size, border, fill, inverse, times = warp.size[rows], warp.border[rows], warp.fill[rows], inverses(warp, rows), warp.supersampling[rows]
    alike, apart, by_axis = (size == size[0]).all(), _apart(warp, rows, large), _by_axis(warp, rows, images[0].dtype)
    out: Any = np.empty((len(rows), *size[0], images[0].shape[2]), images[0].dtype) if alike else [None] * len(rows)
    for n, image in enumerate(images):
        one = slice(n, n + 1)
        if apart[n]:
            made = out[one] if alike else np.empty((1, *size[n], image.shape[2]), image.dtype)
            by_axis(one, image[None], made)
        elif large[n] or times[n].max() > 1:
            made = _linear(warp, rows[one], image[None], both_axes(times[n]))
        else:
            made = _by_loop(inverse[one], canvas(size[n]), border[one], fill[one], image[None])
        if not (alike and apart[n]):
            out[n] = made[0]
    return out


def _by_axis(warp: Warp, rows: NDArray, dtype: Any) -> Callable[[Any, NDArray, NDArray], None]:
    """What resamples upright samples, some of ``rows`` at a time, from data to out."""
    inverse, border, scale = inverses(warp, rows), warp.border[rows], RANGES[name_of(dtype)]
    fill, box = (warp.fill[rows] * scale).astype(np.float32), warp.boxes[rows]
    sizes = _sides(warp)[rows]
    if box.shape[1] == 1:
        box = np.pad(box, ((0, 0), (0, 1)), constant_values=1.0)

    def run(some: Any, data: NDArray, out: NDArray) -> None:
        on = filled(len(data), True, bool)
        upright(data, inverse[some], sizes[some], np.arange(len(data)), on, out.reshape(-1), border[some], fill[some], box[some])

    return run


def _apart(warp: Warp, rows: NDArray, large: NDArray[np.bool_] | bool) -> NDArray[np.bool_]:
    """Which samples are resampled axis by axis: upright ones that are averaged, or large and not 8-bit. One pass does others."""
    return warp.upright[rows] & (large | (warp.boxes[rows] > 1).any(1))


def follow(move: Warp, data: Dense, fill: float) -> Dense:
    """A batch by the nearest rule, with a fill in the dtype's own units."""
    value = np.full(len(data), fill)
    return _resample(move, data, lambda some, rows, part: _nearest_any(some, rows, part, value[rows]))


def _nearest_any(warp: Warp, rows: NDArray, data: Dense, fill: NDArray) -> Dense:
    general = maps.general(warp)[rows]
    if warp.exact[rows].all():
        return _permuted(warp, rows, data, fill)
    if not general.any():
        return _nearest(warp, rows, data, fill)
    out = np.empty((len(data), *canvas(warp.size[rows[0]]), data[0].shape[2]), data[0].dtype)
    if not general.all():
        out[~general] = _nearest(warp, rows[~general], np.asarray(data)[~general], fill[~general])
    out[general] = maps.nearest(warp, rows[general], np.asarray(data)[general], fill[general])
    return out


def _any(warp: Warp, rows: NDArray, data: Dense) -> Dense:
    """Samples of one size: those whose map is affine together, the others one by one."""
    general, whole = maps.general(warp)[rows], warp.exact[rows]
    if whole.all():
        return _permuted(warp, rows, data)
    if general.all():
        return maps.sampled(warp, rows, np.asarray(data))
    if not general.any() and not whole.any():
        return _linear_or_nearest(warp, rows, data)
    out = np.empty((len(data), *canvas(warp.size[rows[0]]), data[0].shape[2]), data[0].dtype)
    for chosen, by in ((whole, _permuted), (general, maps.sampled), (~general & ~whole, _linear_or_nearest)):
        if chosen.any():
            out[chosen] = by(warp, rows[chosen], np.asarray(data)[chosen])
    return out


def _permuted(warp: Warp, rows: NDArray | slice, data: Dense, fill: NDArray | None = None) -> NDArray:
    assert isinstance(data, np.ndarray)
    out = np.empty((len(data), *canvas(warp.size[rows][0]), data.shape[3]), data.dtype)
    places, border = warp.places[rows], warp.border[rows]
    fill = _stored(warp.fill[rows], data.dtype) if fill is None else fill.astype(data.dtype)
    pixels.permuted(data, places, out, border, fill, (0,) * data.shape[3])
    return out


def _stored(share: NDArray, dtype: Any) -> NDArray:
    """A fill as a share of the range, in the units of the dtype."""
    scaled = share * RANGES[name_of(dtype)]
    return (np.rint(scaled) if dtype.kind == "u" else scaled).astype(dtype)


def _linear_or_nearest(warp: Warp, rows: NDArray, data: Dense) -> Dense:
    """Samples of one size: nearest ones, those of which each axis goes by itself, and the others by their samples a pixel."""
    assert isinstance(data, np.ndarray)
    out = np.empty((len(data), *canvas(warp.size[rows[0]]), data.shape[3]), data.dtype)
    near = warp.interpolation[rows] == NEAREST
    if near.any():
        out[near] = _nearest(warp, rows[near], data[near], warp.fill[rows[near]] * RANGES[name_of(data.dtype)])
    large = data.dtype != np.uint8 and max(data.shape[1] * data.shape[2], int(warp.size[rows[0]].prod())) > SMALL
    apart = ~near & _apart(warp, rows, large)
    if apart.any():
        by_axis = _by_axis(warp, rows, data.dtype)
        if apart.all():
            by_axis(slice(None), data, out)
            return out
        made = np.empty((int(apart.sum()), *out.shape[1:]), out.dtype)
        by_axis(apart, data[apart], made)
        out[apart] = made
    left = ~near & ~apart
    if not left.any():
        return out
    factor = warp.supersampling[rows]
    alike = factor[left]
    for times in alike[:1] if (alike == alike[0]).all() else np.unique(alike, axis=0):
        chosen = left & (factor == times).all(1)
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
    inverse = inverses(warp, rows) / np.array([*times, 1, *times, 1])
    large = data.dtype != np.uint8 and data.shape[1] > 1 and max(data.shape[1] * data.shape[2], fine_size[0] * fine_size[1]) > SMALL
    sample = opencv.affine if large else _by_loop
    fine = sample(inverse, fine_size, warp.border[rows], warp.fill[rows], data)
    return fine if max(times) == 1 else np.stack([_mean(image, height, width) for image in fine])


def _mean(image: NDArray, height: int, width: int) -> NDArray:
    """The mean of blocks; OpenCV's area interpolation is exactly that for whole factors."""
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).reshape(height, width, -1)


def _by_loop(inverse: NDArray, size: tuple[int, int], border: NDArray, fill: NDArray, data: NDArray) -> NDArray:
    out = np.empty((len(data), *size, data.shape[3]), data.dtype)
    if in_whole_numbers(data):
        kept, sizes = (inverse[:, 1] == 0) & (inverse[:, 3] == 0), filled((len(data), 2), size, np.int64)
        table_at(data, inverse, sizes, np.arange(len(data)), False, out, border, fill, _AS_IT_COMES, kept, ~kept)
        return out
    scale = RANGES[name_of(data.dtype)]
    kernels.warp(data, inverse, out, border, (fill * scale).astype(np.float32), data.dtype.kind == "u")
    return out


def _nearest(warp: Warp, rows: NDArray, data: Dense, fill: NDArray) -> NDArray:
    assert isinstance(data, np.ndarray)
    out = np.empty((len(data), *canvas(warp.size[rows[0]]), data.shape[3]), data.dtype)
    kernels.nearest(maps.as_bits(data), inverses(warp, rows), maps.as_bits(out), warp.border[rows], maps.as_bits(fill.astype(data.dtype)))
    return out
