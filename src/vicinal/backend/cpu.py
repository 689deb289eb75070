"""The fast backend: compiled loops for 8-bit and small images, pointwise chains and noise, OpenCV for other large warps.

Which of the two warps an image depends on its size and dtype alone, so a sample's bits never depend on its batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from vicinal.backend import effects, mixtures, patches, pixels, sampling
from vicinal.backend.chain import pointwise, tabulated
from vicinal.backend.filters import filtered
from vicinal.backend.noise_kernels import noisy
from vicinal.backend.philox import rounds
from vicinal.backend.reference import opaque, stacked
from vicinal.core import pages
from vicinal.core.backend import Dense
from vicinal.core.pages import Room, room
from vicinal.core.primitive import (
    Effect,
    Filter,
    Hide,
    Noise,
    Opaque,
    Patch,
    Pointwise,
    Primitive,
)
from vicinal.core.warp import Warp


@final
class Cpu:
    """Runs a plan over whole batches; an affine warp of 8-bit images takes the pointwise work behind it along."""

    name, rounds = "cpu", staticmethod(rounds)

    def run(self, primitives: Sequence[Primitive], data: Dense, room: Room = room) -> Dense:
        given, data = data, _contiguous(data)
        if isinstance(data, list) and not (primitives and isinstance(primitives[0], Warp)):
            data = stacked(data)
        left = list(reversed(primitives))
        while left:
            primitive = left.pop()
            if isinstance(primitive, Warp):
                data = _warped(primitive, left, data, given, room)
            elif isinstance(primitive, Pointwise):
                data = pointwise(primitive, data, _last(left, room))
            elif (alike := _ALIKE.get(type(primitive))) is not None:
                data = _alike(alike, primitive, data, _fresh(data, given))
            else:
                data = _RUN[type(primitive)](primitive, data)
        return _own(data, given)

    def blended(self, own: Dense, pool: Dense, other: NDArray[np.int64], weight: NDArray) -> Dense:
        return mixtures.blended(own, pool, other, weight)

    def pasted(self, own: Dense, pool: Dense, other: NDArray[np.int64], box: NDArray[np.int64], axis: int) -> Dense:
        return mixtures.pasted(own, pool, other, box, axis)

    def follow(self, moves: Sequence[Warp], data: Dense, fill: float) -> Dense:
        given, data = data, _contiguous(data)
        for move in moves:
            made = pixels.rearranged(move, data, fill)
            data = sampling.follow(move, data, fill) if made is None else made
        return _own(data, given)


def backend() -> Cpu:
    """The backend object, as ``vicinal.core.backend.load`` asks for it."""
    return Cpu()


def _last(left: list[Primitive], room: Room) -> Room:
    """What gives the array of a pass before those that are left."""
    return pages.room if left else room


def _contiguous(data: Dense) -> Dense:
    """The loops are compiled for contiguous arrays."""
    return [np.ascontiguousarray(sample) for sample in data] if isinstance(data, list) else np.ascontiguousarray(data)


def _own(made: Dense, given: Dense) -> Dense:
    """Samples that no pass has touched are still the caller's: those are copied."""
    if isinstance(made, np.ndarray) or _behind_one_another(made, given):
        return made
    return [sample.copy() if np.may_share_memory(sample, before) else sample for sample, before in zip(made, given, strict=True)]


def _behind_one_another(made: list[NDArray], given: Dense) -> bool:
    """Whether samples lie in one array that a pass has made: it alone need be asked whether it is the caller's."""
    whole = made[0].base
    alike = isinstance(whole, np.ndarray) and {id(sample.base) for sample in made} == {id(whole)}
    return alike and isinstance(given, np.ndarray) and not np.may_share_memory(whole, given)


def _warped(warp: Warp, left: list[Primitive], data: Dense, given: Dense, room: Room) -> Dense:
    """A warp, and the pointwise work behind it where one table of values says it: that is taken off the primitives that are left."""
    if (made := pixels.rearranged(warp, data, room=_last(left, room))) is not None:
        return made
    following = left[-1] if left else None
    if isinstance(following, Pointwise) and not following.mixes and (form := sampling.tabled(warp, data)) is not None:
        left.pop()
        return _warp_table(warp, following, np.asarray(data), form, _last(left, room))
    if _fresh(data, given) and sampling.in_place(warp, data):
        return _written(sampling.warp, warp, np.flatnonzero(warp.active & ~warp.still), np.asarray(data))
    return sampling.warp(warp, data)


def _warp_table(warp: Warp, chain: Pointwise, data: NDArray, form: sampling.Straight, room: Room) -> NDArray:
    tables, planar, size = tabulated(chain, np.uint8), chain.layout == "CHW", form.sizes[0]
    shape = (data.shape[3], *size) if planar else (*size, data.shape[3])
    out = room((len(data), *shape), tables.dtype)
    sampling.table_at(data, form.inverse, form.sizes, form.order, planar, out, warp.border, warp.fill, tables, form.upright, ~form.upright)
    return out


def _each(one: Callable[[Any, int, NDArray], NDArray]) -> Callable[[Any, Dense], Dense]:
    """From one sample to a batch: the active samples, one by one."""

    def run(primitive: Any, data: Dense) -> Dense:
        return stacked([one(primitive, row, sample) if primitive.active[row] else sample for row, sample in enumerate(data)])

    return run


def _fresh(data: Dense, given: Dense) -> bool:
    """True where a pass has made the array, so that the next one may write into it."""
    return isinstance(data, np.ndarray) and not (isinstance(given, np.ndarray) and np.may_share_memory(data, given))


def _alike(some: Callable[[Any, NDArray], NDArray], primitive: Any, data: Dense, fresh: bool) -> Dense:
    """By what takes equal samples, all active, those of any batch that are: all of one size together. A fresh array is written into."""
    rows = np.flatnonzero(primitive.active)
    if isinstance(data, np.ndarray):
        if len(rows) == len(data):
            return some(primitive, data)
        return _written(some, primitive, rows, data if fresh else data.copy())
    samples, shapes = list(data), {}
    for row in rows:
        shapes.setdefault(samples[row].shape, []).append(row)
    for alike in shapes.values():
        made = some(primitive.rows(np.array(alike)), np.stack([samples[row] for row in alike]))
        for row, sample in zip(alike, made, strict=True):
            samples[row] = sample
    return stacked(samples)


def _written(some: Callable[[Any, NDArray], Any], primitive: Any, rows: NDArray[np.int64], out: NDArray) -> NDArray:
    """Some rows of an array, changed where they lie."""
    if len(rows):
        out[rows] = some(primitive.rows(rows), out[rows])
    return out


_RUN: dict[type, Callable[[Any, Any], Dense]] = {
    Patch: patches.run,
    Hide: patches.hidden,
    Opaque: _each(opaque),
}
_ALIKE: dict[type, Callable[[Any, NDArray], NDArray]] = {Filter: filtered, Noise: noisy, Effect: effects.call}
