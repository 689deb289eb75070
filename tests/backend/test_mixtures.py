"""What the fast backend does for mixers, against the reference: the same bits, for every dtype and layout, for lists and for arrays."""

from __future__ import annotations

import numpy as np
import pytest

from vicinal.core.backend import load

FAST, SPECIFICATION = load("cpu"), load("reference")


def values(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    return (np.random.default_rng(seed).random(shape) * (1 if dtype.startswith("float") else 60000)).astype(dtype)


def same(made: object, expected: object) -> None:
    for one, other in zip(made, expected, strict=True):  # type: ignore[call-overload]
        assert one.dtype == other.dtype
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32", "float64"])
@pytest.mark.parametrize("listed", [False, True])
def test_averages(dtype: str, listed: bool) -> None:
    own, pool = values((4, 5, 7, 3), dtype, 0), values((3, 5, 7, 3), dtype, 1)
    other, weight = np.array([2, 0, 0, 1]), np.array([0.0, 1.0, 0.5, 0.3])
    given = (list(own), list(pool)) if listed else (own, pool)
    made = FAST.blended(*given, other, weight)
    same(made, SPECIFICATION.blended(own, pool, other, weight))
    assert np.array_equal(made[0], pool[2])
    assert np.array_equal(made[1], own[1])


@pytest.mark.parametrize("dtype", ["uint8", "float16", "int64", "bool"])
@pytest.mark.parametrize(("shape", "axis"), [((6, 9, 3), 0), ((6, 9), 0), ((3, 6, 9), 1)])
def test_rectangles(dtype: str, shape: tuple[int, ...], axis: int) -> None:
    own, pool = values((3, *shape), dtype, 0), values((2, *shape), dtype, 1)
    before, box = own.copy(), np.array([[2, 1, 9, 4], [0, 0, 0, 0], [0, 0, 9, 6]])
    made = FAST.pasted(own, pool, np.array([1, 0, 0]), box, axis)
    same(made, SPECIFICATION.pasted(own, pool, np.array([1, 0, 0]), box, axis))
    assert np.array_equal(made[1], own[1])
    assert np.array_equal(made[2], pool[0])
    assert np.array_equal(own, before)
    assert not np.may_share_memory(made, own)
