"""JPEG decoded at the scale that the plan needs: when, by how much, and that nothing but a little blur tells."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_files import TURNS, centroid, dot, jpeg, smooth

import vicinal as v
from vicinal.core.batch import Spec
from vicinal.core.draw import Address, Draw
from vicinal.core.pages import Pages
from vicinal.core.plan import plan
from vicinal.data import Loader
from vicinal.data.decode import Encoded, opened
from vicinal.data.reading import reductions


def scales(text: str, size: tuple[int, int], batch: int = 1) -> list[int]:
    """What the first pass of a policy allows."""
    made = plan(v.parse(text), Draw(Address.of(0, index=range(batch))), Spec.of([size] * batch))
    return reductions(made.primitives[0]).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Resize(size=(100, 100))", 4),
        ("Resize(size=(101, 100))", 2),  # the tighter side decides
        ("Resize(size=(400, 20))", 1),
        ("Resize(size=(10, 10))", 8),
        ("HorizontalFlip() | Resize(size=(200, 200)) | Normalize", 2),
        ("Rotate(angle=30) | Resize(size=(100, 100))", 4),
        ("Resize(size=(100, 100), antialias=False)", 1),
        ("Resize(size=(100, 100), interpolation=nearest)", 1),
        ("Resize(size=(100, 100)) | Perspective(p=1)", 1),
        ("Brightness(by=0.1) | Resize(size=(100, 100))", 1),
        ("CenterCrop(size=100)", 1),
    ],
)
def test_how_much_smaller_a_source_may_be(text: str, expected: int) -> None:
    assert scales(text, (400, 400)) == [expected]


def test_it_is_decided_sample_by_sample() -> None:
    found = scales("RandomResizedCrop(size=64)", (600, 800), 200)
    assert set(found) == {2, 4, 8}
    assert scales("RandomResizedCrop(size=64)", (600, 800), 1) == found[:1]
    assert set(scales("Resize(size=100, p=0.5)", (400, 400), 50)) == {1, 4}


@pytest.mark.parametrize("orientation", [1, *TURNS])
@pytest.mark.parametrize("size", [(45, 70), (23, 31)])
def test_a_dot_and_its_keypoint_meet(tmp_path: Path, orientation: int, size: tuple[int, int]) -> None:
    # 379 and 517 are no multiples of any scale.
    x, y, policy = 333.3, 120.7, v.Compose([v.Resize(size=size), v.HorizontalFlip()])
    path = jpeg(tmp_path / "a.jpg", dot(379, 517, x, y, 40), orientation)
    points: Any = lambda _: {"keypoints": [np.array([[x, y]])]}  # noqa: E731
    small, full = (next(Loader([path], policy, targets=points, reduce=reduce).at(0)) for reduce in (True, False))
    assert np.array_equal(small["keypoints"][0], full["keypoints"][0])  # annotations follow the plan of the full size
    assert not np.array_equal(small["image"], full["image"])
    assert np.abs(small["image"].astype(int) - full["image"]).max() <= 4
    assert centroid(small["image"][0]) == pytest.approx(tuple(small["keypoints"][0][0]), abs=0.1)


def test_photographs_agree_within_a_few_levels(shared_data: Callable[[str], Path]) -> None:
    files = sorted(shared_data("photos").glob("*.jpg"))
    policy = v.parse("RandomResizedCrop(size=96, scale=(0.3, 1)) | HorizontalFlip(p=0.5)")
    small, full = (next(Loader(files, policy, reduce=reduce, shuffle=False).at(0)) for reduce in (True, False))
    assert small.result.plan.params.keys() == full.result.plan.params.keys()
    for path, params in small.result.plan.params.items():
        assert all(np.array_equal(values, full.result.plan.params[path][name]) for name, values in params.items())
    apart = np.abs(small["image"].astype(float) - full["image"]).mean((1, 2, 3))
    assert 0 < apart.max() < 6


def test_where_nothing_shrinks_enough_no_bit_differs(tmp_path: Path) -> None:
    files = [jpeg(tmp_path / f"{n}.jpg", smooth(90, 110, n)) for n in range(4)]
    for text in ("Resize(size=(50, 60))", "Rotate(angle=20)", "Brightness(by=0.1) | Resize(size=8)"):
        left, right = (next(Loader(files, v.parse(text), reduce=reduce).at(0))["image"] for reduce in (True, False))
        assert np.array_equal(left, right)


def test_large_pictures_do_not_lie_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files, decode, made, most = [jpeg(tmp_path / "a.jpg", smooth(1200, 1800))] * 16, Encoded.pixels, [], [0]

    def counted(self: Encoded, by: int = 1) -> np.ndarray:
        found = decode(self, by)
        made.append(weakref.ref(found))
        most[0] = max(most[0], sum(ref() is not None for ref in made))
        return found

    policy = v.parse("Brightness(by=(-0.2, 0.2)) | RandomCrop(size=16)")
    with monkeypatch.context() as patched:
        patched.setattr(Encoded, "pixels", counted)
        batch = next(Loader(files, policy, batch_size=16, threads=1).at(0))
    assert len(made) == 16
    assert most[0] <= 4
    whole = opened(files[0]).pixels()
    assert all(np.array_equal(batch["image"][n], policy(whole, seed=0, epoch=0, index=int(batch["index"][n]))) for n in (0, 7, 15))


def test_the_reference_backend_decodes_the_same(tmp_path: Path) -> None:
    files = [jpeg(tmp_path / f"{n}.jpg", smooth(130, 150, n)) for n in range(3)]
    fast, slow = (next(Loader(files, v.parse("Resize(size=(30, 32))"), backend=name).at(0))["image"] for name in ("cpu", "reference"))
    assert np.abs(fast.astype(int) - slow).max() <= 8


def test_pages_are_used_again_once_nobody_holds_them() -> None:
    pages = Pages()
    first, second = pages.array((3, 4), "float32"), pages.array((3, 4), "float32")
    first[:], second[:] = 1, 2
    view, address = first[1:].T, first.ctypes.data
    del first
    assert pages.free == 0
    assert (view == 1).all()
    del view
    assert pages.free == 1
    assert pages.array((2, 2), "uint8").ctypes.data == address
    assert (second == 2).all()


def test_only_the_latest_free_pages_are_kept_where_that_is_asked() -> None:
    pages = Pages(most=2)
    held = [pages.array((2,), "uint8") for _ in range(3)]
    held.clear()
    assert pages.free == 2


def test_a_large_result_lies_where_one_lay_that_is_gone_and_never_where_one_is_held() -> None:
    images = np.full((12, 512, 512, 3), 7, np.uint8)
    normal = v.Normalize(mean=0.5, std=0.5)
    first, other = normal(images, seed=0), normal(images[:, ::-1], seed=0)
    address = first.ctypes.data
    assert not np.shares_memory(first, other)
    del first
    assert normal(images, seed=0).ctypes.data == address
