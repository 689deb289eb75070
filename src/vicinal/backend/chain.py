"""Pointwise chains on the fast backend: their steps become numbers that one compiled interpreter reads."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, final

import numpy as np
from numpy.typing import NDArray

from vicinal.backend import chain_steps
from vicinal.backend.chain_kernels import run
from vicinal.backend.reference import stacked
from vicinal.core.backend import Dense
from vicinal.core.batch import RANGES, changed, name_of, noted
from vicinal.core.pages import Room, room
from vicinal.core.primitive import Pointwise
from vicinal.core.steps import Curve, Hsv, Linear, Matrix, Posterize, Power, Round, Solarize, Step, quantise


@final
class Encoded(NamedTuple):
    """A step as the interpreter reads it: its code, and (B or 1, w or 1) arrays with the number w of parameters that each stands for."""

    code: int
    arrays: tuple[NDArray, ...]
    widths: tuple[int, ...]
    knots: int = 0
    channels: int = 1  # how many of them it tells apart


@final
class Program(NamedTuple):
    """A chain as the interpreter reads it: (n,) codes of the steps, (n + 1,) ends of their parameters, (n,) knots of curves, and the
    (B, ends[n]) parameters of all samples; channels: how many of them it tells apart."""

    codes: NDArray[np.int64]
    ends: NDArray[np.int64]
    knots: NDArray[np.int64]
    params: NDArray[np.float32]
    channels: int


def _float32(*numbers: float) -> tuple[np.float32, ...]:
    return tuple(np.float32(number) for number in numbers)


# By dtype: its largest number, and the inverse of that in two parts. The products of a number with both sum to the rounded quotient.
_UNITS = MappingProxyType(
    {
        "uint8": _float32(255, 257 / 65536, 1 / 255 - 257 / 65536),
        "uint16": _float32(65535, 1 / 65536, 1 / 65535 - 1 / 65536),
        "float32": _float32(1, 1, 0),
    }
)
_WHOLE = MappingProxyType({"uint8": np.float32(255), "uint16": np.float32(65535), "float32": np.float32(0)})  # 0: not rounded


def pointwise(chain: Pointwise, data: Dense, room: Room = room) -> Dense:
    """A chain over a batch, equal samples together, in an array that ``room`` gives."""
    if isinstance(data, list):
        return stacked([_equal(chain.rows(np.array([row])), sample[None])[0] for row, sample in enumerate(data)])
    return _equal(chain, data, room)


def tabulated(chain: Pointwise, dtype: Any) -> NDArray:
    """(B, 256, K) the chain's result for every 8-bit value, K = 1 or the number of channels; the chain must not mix channels."""
    chain = changed(chain, dtype=chain.dtype or name_of(np.dtype(dtype)), layout=None)
    program = noted(chain, _program)
    grid = np.empty((len(chain.active), 1, 256, 1 if program is None else program.channels), np.uint8)
    grid[:] = np.arange(256, dtype=np.uint8)[:, None]
    return _equal(chain, grid)[:, 0]


def _equal(chain: Pointwise, data: NDArray, room: Room = room) -> NDArray:
    given, planar = name_of(data.dtype), chain.layout == "CHW" and data.shape[3] > 1
    to = chain.dtype or given
    program = None if given == "float64" else noted(chain, _program)
    if program is None:
        return _by_numpy(chain, data, to)
    batch, height, width, channels = data.shape
    shape = (batch, channels, height, width) if chain.layout == "CHW" else data.shape
    out = room(shape, data.dtype if to == given else np.dtype(to))
    # Where channels are alike, an image is one run of values.
    told_apart = channels if planar or program.channels > 1 else 1
    source, into = data.reshape(batch, -1).view(np.uint8), out.reshape(batch, -1).view(np.uint8)
    (codes, ends, knots, params, _), (scale, first, second) = program, _UNITS[given]
    run(source, into, told_apart, planar, codes, ends, knots, params, scale, first, second, _WHOLE[to])
    return out


def _by_numpy(chain: Pointwise, data: NDArray, to: str) -> NDArray:
    """In float64, for series, and for chains with a step that the interpreter does not know."""
    values = data.astype(np.float64) / RANGES[name_of(data.dtype)]
    moved = chain.evaluate(values.reshape(len(data), -1, data.shape[3])).reshape(data.shape)
    moved = moved.astype(to, copy=False) if np.dtype(to).kind == "f" else quantise(moved, to)
    return np.ascontiguousarray(moved.transpose(0, 3, 1, 2)) if chain.layout == "CHW" else moved


def _program(chain: Pointwise) -> Program | None:
    """A chain as numbers, or None where the interpreter does not know a step."""
    encoded: list[Encoded] = []
    for step in chain.steps:
        encode = _ENCODERS.get(type(step))
        if encode is None:
            return None
        if not (isinstance(step, Round) and step.dtype.startswith("float")):
            encoded.append(encode(step))
    codes, ends, knots, total = _form(tuple([(step.code, sum(step.widths), step.knots) for step in encoded]))
    params, at = np.empty((len(chain.active), total), np.float32), 0
    for step in encoded:
        for array, width in zip(step.arrays, step.widths, strict=True):
            params[:, at : at + width] = array
            at += width
    return Program(codes, ends, knots, params, max([step.channels for step in encoded], default=1))


@lru_cache(maxsize=256)
def _form(steps: tuple[tuple[int, int, int], ...]) -> tuple[NDArray, NDArray, NDArray, int]:
    """What a program says without its parameters: of codes, widths and knots; one call is often like the last."""
    codes, widths, knots = np.array(steps, np.int64).reshape(-1, 3).T.copy()
    return codes, np.concatenate([[0], widths.cumsum()]), knots, int(widths.sum())


def _linear(step: Linear) -> Encoded:
    width = max(step.gain.shape[1], step.bias.shape[1])
    return Encoded(chain_steps.CLIPPED if step.clip else chain_steps.LINEAR, (step.gain, step.bias), (width, width), channels=width)


def _curve(step: Curve) -> Encoded:
    knots = step.knots if step.knots.ndim == 2 else step.knots.transpose(0, 2, 1).reshape(len(step.knots), -1)
    count = step.knots.shape[1]
    return Encoded(chain_steps.CURVE, (step.bent, knots), (1, knots.shape[1]), count, knots.shape[1] // count)


def _matrix(step: Matrix) -> Encoded:
    rows = step.matrix.reshape(len(step.matrix), -1)
    return Encoded(chain_steps.MATRIX, (rows,), (rows.shape[1],), channels=step.matrix.shape[1])


def _hsv(step: Hsv) -> Encoded:
    return Encoded(chain_steps.HSV, (np.mod(step.turn, 6), step.saturation, step.value), (1, 1, 1), channels=3)


_ENCODERS: MappingProxyType[type[Step], Callable[[Any], Encoded]] = MappingProxyType(
    {
        Linear: _linear,
        Power: lambda step: Encoded(chain_steps.POWER, (step.exponent,), (1,)),
        Solarize: lambda step: Encoded(chain_steps.SOLARIZE, (step.threshold,), (1,)),
        Posterize: lambda step: Encoded(chain_steps.POSTERIZE, (step.step,), (1,)),
        Curve: _curve,
        Round: lambda step: Encoded(chain_steps.ROUND, (np.array([_UNITS[step.dtype]]),), (3,)),
        Matrix: _matrix,
        Hsv: _hsv,
    }
)
