"""The interpreter of pointwise chains: every step against the specification, and the same bits by every way through it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest

from vicinal.backend import cpu, reference
from vicinal.backend.chain_lookup import (
    byte_planes,
    look_up,
    look_up_floats,
    look_up_pixels,
    one_for_three,
    put_together,
    reorder,
    take_apart,
)
from vicinal.backend.streams import LARGE
from vicinal.core.primitive import Pointwise, everywhere
from vicinal.core.steps import Curve, Hsv, Linear, Matrix, Posterize, Power, Round, Solarize

SCALE = {"uint8": 255, "uint16": 65535, "float32": 1}
FAST, SLOW = cpu.backend(), reference.backend()
B = 3
RNG = np.random.default_rng(0)


def images(channels, dtype, size=(37, 41)):
    values = np.random.default_rng(channels).random((B, *size, channels))
    values[:, :2] = np.round(values[:, :2])  # black, white and pure colours too
    values[:, 2:3] = values[:, 2:3, :, :1]  # and greys
    return values.astype(dtype) if dtype == "float32" else np.rint(values * SCALE[dtype]).astype(dtype)


def column(*values):
    return np.array(values, float)[:, None]


def matrix(channels):
    return RNG.uniform(-0.5, 1, (B, channels, channels + 1))


def steps(channels):
    """One of each kind, per sample, some of them per channel, some shared."""
    knots = np.sort(RNG.random((B, 9)), 1)
    made = {
        "linear": Linear(column(0.53, 1.7, -1), column(0.1, -0.31, 1)),
        "linear of channels": Linear(column(0.9, 1, 1.1), RNG.uniform(-0.2, 0.2, (B, channels))),
        "shared": Linear(np.full((1, channels), 4.0), np.linspace(-2, -1.03, channels)[None], clip=False),
        "power": Power(column(0.4, 1, 2.7)),
        "solarize": Solarize(column(0.3, 128 / 255, 2)),
        "posterize": Posterize(column(0, 4, 64)),
        "curve": Curve(knots, column(1, 0, 1)),
        "curves": Curve(RNG.random((B, 256, channels)), column(1, 1, 0)),
        "round 8": Round("uint8"),
        "round 16": Round("uint16"),
        "matrix": Matrix(matrix(channels)),
    }
    hue = {
        "hue": Hsv(column(1.37, -0.41, 0), column(0, 0, 0), column(0, 0, 0)),
        "hsv": Hsv(column(-9, 0, 2), column(0.31, -0.2, 0), column(0.11, 0, -0.4)),
    }
    return made | (hue if channels == 3 else {})


NAMES = list(steps(3))


def both(chain, data):
    return (np.asarray(engine.run([chain], data)) for engine in (FAST, SLOW))


def far(fast, slow):
    """Difference in shares of the range; whole numbers may lie on either side of a tie that float32 does not see."""
    assert (fast.dtype, fast.shape) == (slow.dtype, slow.shape)
    apart = np.abs(fast.astype(float) - slow.astype(float)) / SCALE[str(slow.dtype)]
    if slow.dtype == np.uint8:
        assert (apart > 0).mean() < 3e-3
    return apart.max()


@pytest.mark.parametrize("dtype", SCALE)
@pytest.mark.parametrize(("name", "channels"), [(name, channels) for channels in (1, 2, 3, 5) for name in steps(channels)])
def test_every_step_is_its_specification(name, channels, dtype):
    step, data = steps(channels)[name], images(channels, dtype)
    if name == "posterize" and dtype != "uint8":
        data[np.abs(data / SCALE[dtype] * 255 % 4) < 0.05] = 0  # where float32 cannot see on which side of an edge a value lies
    fast, slow = both(Pointwise((step,), everywhere(B)), data)
    # A hue is a quotient of differences: in float32 it is as exact as the smallest chroma allows.
    assert far(fast, slow) <= {"uint8": 1.01 / 255, "uint16": 3e-5, "float32": 2e-5}[dtype]


@pytest.mark.parametrize("dtype", SCALE)
@pytest.mark.parametrize("pair", [*itertools.permutations(["linear of channels", "power", "curve", "matrix", "hsv"], 3)], ids="-".join)
def test_chains_are_their_specification(pair, dtype):
    chain = Pointwise(
        (*(steps(3)[name] for name in pair), Round(dtype), steps(3)["shared"]), everywhere(B), dtype="float32", layout="CHW", unit=False
    )
    fast, slow = both(chain, images(3, dtype))
    off = np.abs(fast - slow)
    assert fast.shape == (B, 3, 37, 41)
    assert np.quantile(off, 0.99) <= 1e-4
    assert off.max() <= 4.01 / 255


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("dtype", SCALE)
def test_channels_first_is_the_same_values_in_another_place(dtype, channels):
    data, step = images(channels, dtype), steps(channels)["linear of channels"]
    last, first = (FAST.run([Pointwise((step,), everywhere(B), layout=layout)], data) for layout in (None, "CHW"))
    assert first.dtype == dtype
    assert np.array_equal(first.transpose(0, 2, 3, 1), last)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("round")])
def test_bits_depend_neither_on_the_place_nor_on_a_table(name):
    """Small parts are computed, large images go through tables, and float images have the same values as 8-bit ones."""
    data, cast = images(3, "uint8", (70, 71)), {"dtype": "float32", "unit": False}
    for more, kind in (({}, "uint8"), (cast, "float32")):
        tail = (Round("uint8"), Linear(np.array([[2.0]]), np.array([[-0.3]]), clip=False)) if more else ()
        chain = Pointwise((steps(3)[name], *tail), everywhere(B), **more)
        whole = np.asarray(FAST.run([chain], data))
        parts = [np.asarray(FAST.run([chain], np.ascontiguousarray(data[:, row : row + 3]))) for row in range(0, 70, 3)]
        assert whole.dtype == kind
        assert np.array_equal(np.concatenate(parts, 1), whole)
        if more:
            assert np.array_equal(FAST.run([chain], (data / 255).astype(np.float32)), whole)


@pytest.mark.parametrize("dtype", SCALE)
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("shared", "round 8", "round 16")])
def test_what_is_off_keeps_its_bits(name, dtype):
    on = np.array([True, False, True])
    data, step = images(3, dtype), steps(3)[name]
    for chain in (Pointwise((step,), everywhere(B)), Pointwise((step, steps(3)["matrix"], steps(3)["power"]), everywhere(B))):
        made = np.asarray(FAST.run([chain.where(on)], data))
        assert np.array_equal(made[1], data[1])
        assert np.array_equal(made[on], np.asarray(FAST.run([chain], data))[on])
    for other in range(B):  # and so does a sample that its neighbours leave alone
        alone = Pointwise((step,), everywhere(B)).rows(np.array([other]))
        assert np.array_equal(FAST.run([alone], data[[other]])[0], FAST.run([Pointwise((step,), everywhere(B))], data)[other])


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_rounded_values_are_the_nearest_float32(dtype):
    scale = SCALE[dtype]
    data = np.arange(scale + 1, dtype=dtype).reshape(1, -1, 1, 1)
    out = FAST.run([Pointwise((), everywhere(1), dtype="float32", unit=False)], data)
    exact = (data.astype(float) / scale).astype(np.float32)
    assert np.array_equal(out, exact)
    assert np.array_equal(FAST.run([Pointwise((Round(dtype),), everywhere(1), dtype="float32")], exact + np.float32(0.3 / scale)), exact)


@pytest.mark.parametrize("exponent", [0.01, 0.3, 0.5, 0.999, 1.001, 2, 3.3, 25, 100])
def test_powers_are_exact_to_float32(exponent):
    x = np.concatenate([np.linspace(0, 1, 50001), np.geomspace(1e-30, 1, 5000)]).astype(np.float32).reshape(1, -1, 1, 1)
    made = FAST.run([Pointwise((Power(np.array([[float(exponent)]])),), everywhere(1))], x)
    assert np.abs(made - x.astype(float) ** exponent).max() <= 2.5e-7
    assert made[0, 0, 0, 0] == 0
    assert made[0, 50000, 0, 0] == 1


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 200, 1000])
def test_bytes_are_looked_up_at_any_length(length):
    rng = np.random.default_rng(length)
    entries, source = rng.integers(0, 256, 256, np.uint8), rng.integers(0, 256, length, np.uint8)
    into = np.zeros(length + 2, np.uint8)
    look_up(entries, source, into[1:-1])
    assert np.array_equal(into[1:-1], entries[source])
    assert into[0] == into[-1] == 0


@pytest.mark.parametrize("pixels", [0, 1, 20, 21, 22, 63, 64, 65, 500])
def test_pixels_are_looked_up_and_reordered_for_any_length_and_nothing_is_written_beside_them(pixels):
    rng = np.random.default_rng(pixels)
    entries, source = rng.integers(0, 256, (3, 256), np.uint8), rng.integers(0, 256, 3 * pixels, np.uint8)
    order = np.append(3 * np.arange(21)[:, None] + [2, 0, 0], 63).astype(np.uint8)
    for made, expected in (
        (lambda into: look_up_pixels(entries, source, into), entries[np.arange(3 * pixels) % 3, source]),
        (lambda into: reorder(order, source, into), source.reshape(-1, 3)[:, [2, 0, 0]].ravel()),
    ):
        into = np.zeros(3 * pixels + 2, np.uint8)
        made(into[1:-1])
        assert np.array_equal(into[1:-1], expected)
        assert into[0] == into[-1] == 0


@pytest.mark.parametrize("pixels", [0, 1, 63, 64, 65, 200])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_channels_are_taken_apart_and_put_together_and_nothing_is_written_beside_them(pixels, dtype):
    given = np.random.default_rng(pixels).integers(0, 256, 3 * pixels).astype(dtype)
    planes, into = np.zeros((3, pixels + 2), dtype), np.zeros(3 * pixels + 2, dtype)
    take_apart(given, pixels, planes)
    assert np.array_equal(planes[:, :pixels], given.reshape(-1, 3).T)
    assert not planes[:, pixels:].any()
    put_together(planes, pixels, into[1:-1])
    assert np.array_equal(into[1:-1], given)
    assert into[0] == into[-1] == 0
    if dtype == "uint8":
        one_for_three(planes[1], pixels, into[1:-1])
        assert np.array_equal(into[1:-1], given[1::3].repeat(3))
        assert into[0] == into[-1] == 0


@pytest.mark.parametrize("layout", ["HWC", "CHW"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_large_floats_are_those_of_small_batches(layout, channels):
    data = np.random.default_rng(channels).integers(0, 256, (9, 1108, 311, channels), np.uint8)
    step = Linear(np.full((9, 1), 4.0), np.full((9, 1), -1.5), clip=False)
    chain = Pointwise((step,), everywhere(9), dtype="float32", layout=layout, unit=False)
    large, small = (FAST.run([chain.rows(rows)], data[rows]) for rows in (np.arange(9), np.array([3])))
    assert large.nbytes > LARGE > small.nbytes
    assert np.array_equal(large[3:4], small)
    assert far(large, SLOW.run([chain], data)) < 2e-6


@pytest.mark.parametrize("length", [0, 5, 63, 64, 700])
def test_bytes_become_the_floats_of_a_table(length):
    rng = np.random.default_rng(length)
    entries, source = rng.normal(size=256).astype(np.float32), rng.integers(0, 256, length, np.uint8)
    into, planes = np.zeros(length + 2, np.float32), np.empty((4, 256), np.uint8)
    byte_planes(entries, planes)
    look_up_floats(entries, planes, source, into[1:-1])
    assert np.array_equal(into[1:-1], entries[source])
    assert into[0] == into[-1] == 0


@pytest.mark.parametrize("name", ["order", "grey", "any", "shift", "far"])
def test_one_matrix_gives_the_bits_that_it_gives_among_other_steps(name):
    rng = np.random.default_rng(0)
    matrix = {
        "order": np.eye(3, 4)[[1, 2, 0]],
        "grey": np.tile([0.299, 0.587, 0.114, 0.01], (3, 1)),
        "any": rng.normal(0, 0.7, (3, 4)),
        "shift": np.eye(3, 4)[[1, 2, 0]] + [0, 0, 0, 0.1],
        "far": rng.normal(0, 1e20, (3, 4)),
    }[name]
    step, data = Matrix(np.tile(matrix, (B, 1, 1))), images(3, "uint8", (61, 67))
    alone, among = (FAST.run([Pointwise(chain, everywhere(B))], data) for chain in ((step,), (step, Round("uint8"))))
    assert np.array_equal(alone, among)
    assert np.abs(np.asarray(alone, int) - SLOW.run([Pointwise((step,), everywhere(B))], data)).max() <= 1


def test_samples_of_several_sizes_are_those_of_equal_size():
    chain = Pointwise((steps(3)["power"], steps(3)["hsv"]), everywhere(B))
    data = [images(3, "uint8", size)[row] for row, size in enumerate([(5, 9), (31, 17), (1, 1)])]
    made = FAST.run([chain], data)
    assert isinstance(made, list)
    for row, sample in enumerate(data):
        assert np.array_equal(made[row], FAST.run([chain.rows(np.array([row]))], sample[None])[0])


@dataclass(frozen=True, eq=False)
class Halved:
    """A step of somebody else."""

    mixes: ClassVar[bool] = False

    def __call__(self, values: Any) -> Any:
        return values / 2

    def where(self, on: Any) -> Halved:
        return self


@pytest.mark.parametrize("dtype", SCALE)
def test_a_step_that_the_interpreter_does_not_know_still_runs(dtype):
    data = images(3, dtype)
    fast, slow = both(Pointwise((Halved(), steps(3)["matrix"]), everywhere(B)), data)
    assert far(fast, slow) <= 1e-6
