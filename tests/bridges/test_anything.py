"""Any callable as a policy: decided by the address alone, whatever generators it draws from, and nothing of them is left changed."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

import vicinal as v
from foreign import albumentations
from vicinal.testing.case import pictures

IMAGES = pictures(6, 12, 10)


def rolled(image: np.ndarray) -> np.ndarray:
    """Draws from all three global generators."""
    by = random.randrange(9) + np.random.randint(9) + int(torch.randint(9, ()))  # noqa: NPY002
    return np.roll(image, by, axis=0)


def given(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.roll(image, rng.integers(1, 9), axis=1)


@pytest.fixture(params=["global", "given", "albumentations"])
def policy(request: pytest.FixtureRequest) -> v.Transform:
    if request.param == "albumentations":
        A = albumentations()
        return v.wrapped(A.Compose([A.HorizontalFlip(p=0.5), A.GaussNoise(p=1)]))
    return v.wrapped({"global": rolled, "given": given}[request.param])


def test_an_item_is_decided_by_its_address_alone(policy: v.Transform) -> None:
    whole = policy(IMAGES, seed=3, epoch=2)
    assert len({image.tobytes() for image in policy(np.repeat(IMAGES[:1], 40, 0), seed=3)}) > 1
    for rows in ([4], [5, 0, 2]):
        assert np.array_equal(policy(IMAGES[rows], seed=3, epoch=2, index=rows), whole[rows])
    with ThreadPoolExecutor(2) as pool:
        some = list(pool.map(lambda row: policy(IMAGES[row], seed=3, epoch=2, index=row), range(6)))
    assert np.array_equal(np.stack(some), whole)


def test_the_generators_are_put_back_even_after_a_fault() -> None:
    def state() -> tuple[object, ...]:
        numeric = np.random.get_state()  # noqa: NPY002
        return random.getstate(), tuple(map(str, numeric)), torch.get_rng_state().numpy().tobytes()

    def faulty(image: np.ndarray) -> np.ndarray:
        raise ZeroDivisionError("no")

    before = state()
    v.wrapped(rolled)(IMAGES, seed=0)
    with pytest.raises(v.TargetError, match=r"Wrapped\(faulty\): expected an operation that can run .*ZeroDivisionError: no"):
        v.wrapped(faulty, name="faulty")(IMAGES, seed=0)
    assert state() == before


def test_series_come_as_they_are() -> None:
    shapes: list[tuple[int, ...]] = []

    def later(series: np.ndarray) -> np.ndarray:
        shapes.append(series.shape)
        return np.roll(series, 1, axis=0)

    series = np.arange(24, dtype=np.float32).reshape(2, 6, 2)
    assert np.array_equal(v.wrapped(later, name="later")(series=series, seed=0)["series"], np.roll(series, 1, axis=1))
    assert shapes == [(6, 2)] * 2


def test_what_it_returns_is_held_to_the_form_of_the_item() -> None:
    with pytest.raises(v.TargetError, match=r"Wrapped\(half\): expected uint8 \(12, 10, 3\), as it came, got float64"):
        v.wrapped(lambda image: image / 2, name="half")(IMAGES, seed=0)


def test_annotations_cannot_follow() -> None:
    boxes = v.Boxes([[[1, 1, 4, 4]]])
    with pytest.raises(v.TargetError, match="annotations cannot follow it"):
        v.wrapped(rolled)(image=IMAGES[:1], boxes=boxes, seed=0)


def test_a_name_tells_callables_apart() -> None:
    assert str(v.wrapped(rolled)) == f"Wrapped(pipeline={__name__}:rolled)"
    assert v.wrapped(rolled).fingerprint == v.wrapped(rolled).fingerprint != v.wrapped(given).fingerprint
    with pytest.raises(v.PolicyError, match=r'a name for a callable that has none of its own, .*name="mine"'):
        v.wrapped(lambda image: image)
    with pytest.raises(v.PolicyError, match="a callable on one item, got int"):
        v.wrapped(3)  # type: ignore[arg-type]


def test_it_stands_among_other_transforms() -> None:
    both = v.Compose([v.wrapped(rolled), v.HorizontalFlip(p=1)])
    assert np.array_equal(both(IMAGES, seed=1), v.wrapped(rolled)(IMAGES, seed=1)[:, :, ::-1])
