"""What goes in and comes out: forms, dtypes, ranges, addresses, and what is said when something is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import vicinal as v
from vicinal.core import backend as backends
from vicinal.core.backend import load
from vicinal.core.primitive import Opaque, everywhere
from vicinal.core.threads import WORTH, Threads, Whole, _pool

RNG = np.random.default_rng(0)
MOVE = v.parse("HorizontalFlip(p=0.5) | Rotate(angle=(-30, 30)) | Brightness(by=(-0.2, 0.2))")


def some(*shape: int, dtype: str = "uint8") -> np.ndarray:
    values = RNG.random(shape)
    return values.astype(dtype) if dtype == "float32" else (values * np.iinfo(dtype).max).astype(dtype)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shape", [(8, 9), (8, 9, 1), (8, 9, 3), (8, 9, 7), (4, 8, 9, 1), (4, 8, 9, 3)])
def test_an_array_comes_back_in_its_form(shape, dtype):
    given = some(*shape, dtype=dtype)
    out = MOVE(given, seed=0)
    assert (out.shape, out.dtype) == (given.shape, given.dtype)


def test_a_sample_alone_is_a_batch_of_one():
    batch = some(5, 8, 9, 3)
    together = MOVE(batch, seed=1, epoch=2)
    assert all(np.array_equal(MOVE(image, seed=1, epoch=2, index=row), together[row]) for row, image in enumerate(batch))
    assert np.array_equal(MOVE(list(batch), seed=1, epoch=2), together)


@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_a_ragged_list_comes_back_as_a_list(channels):
    given = [some(8, 9, *channels), some(5, 5, *channels), some(1, 1, *channels)]
    out = MOVE(given, seed=0)
    assert isinstance(out, list)
    assert [one.shape for one in out] == [one.shape for one in given]


@pytest.mark.parametrize("shape", [(20,), (20, 3), (4, 20, 3)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_series_come_back_in_their_form(shape, dtype):
    given = RNG.normal(size=shape).astype(dtype)
    out = v.parse("Scaling(factor=(0.5, 2)) | TimeShift(by=(-3, 3)) | Jitter(std=0.1)")(given, seed=0)
    assert (out.shape, out.dtype) == (given.shape, given.dtype)


def test_channels_first_comes_from_totensor_even_for_grey_images():
    assert v.ToTensor()(some(8, 9), seed=0).shape == (1, 8, 9)
    assert [one.shape for one in v.ToTensor()([some(8, 9, 3), some(4, 5, 3)], seed=0)] == [(3, 8, 9), (3, 4, 5)]


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_a_batch_of_no_samples_has_the_announced_form(dtype):
    policy = v.parse("CenterCrop(size=4) | Normalize() | ToTensor()")
    empty = np.zeros((0, 8, 9, 3), dtype)
    assert (policy(empty, seed=0).shape, policy(empty, seed=0).dtype) == ((0, 3, 4, 4), np.float32)
    out = policy(image=empty, mask=np.zeros((0, 8, 9), np.int64), boxes=[], label=np.zeros(0), seed=0)
    assert [len(value) for value in out.values()] == [0] * 4
    assert (out["mask"].shape, len(out.address)) == ((0, 4, 4), 0)
    assert [view.shape for view in v.Views([v.Invert()])(empty, seed=0)] == [(0, 8, 9, 3)] * 2


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a.transpose(0, 2, 1, 3),
        lambda a: a[:, ::2, ::-1],
        lambda a: np.asfortranarray(a),
        lambda a: a[..., ::-1],
        lambda a: a[::2],
    ],
    ids=["transposed", "sliced", "fortran", "reversed channels", "every other"],
)
@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_views_of_other_arrays_are_fine(view, backend):
    given = view(some(6, 8, 10, 3))
    policy = v.parse("Rotate(angle=(-30, 30), p=0.5) | GaussianNoise(std=0.1) | Grayscale(p=0.5) | Gamma(exponent=2) | Erase(p=0.5)")
    same = np.ascontiguousarray(given)
    assert np.array_equal(policy(given, seed=0, backend=backend), policy(same, seed=0, backend=backend))


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize(
    "text", ["Rotate(angle=9, p=0.5)", "GaussianNoise(std=0.1, p=0.5)", "Erase(p=0.5)", "Invert(p=0.5)", "Compose([])"]
)
def test_results_share_no_memory_with_what_was_given(text, backend):
    given = [some(8, 9, 3), some(7, 7, 3), some(9, 8, 3), some(6, 6, 3)]
    masks = [image[..., 0] for image in given]
    for value in given:
        value.flags.writeable = False
    out = v.parse(text)(image=given, mask=masks, seed=0, backend=backend)
    results = [*out["image"], *out["mask"]]
    assert not any(np.shares_memory(a, b) for a in results for b in given)
    assert all(result.flags.writeable for result in results)


def test_a_call_without_a_seed_can_be_repeated_from_its_address():
    images = some(4, 8, 9, 3)
    out = v.GaussianNoise(std=0.2)(images)
    address = out.address
    assert np.array_equal(v.GaussianNoise(std=0.2)(images, seed=address.seed, index=address.index), out)
    assert not np.array_equal(v.GaussianNoise(std=0.2)(images), out)
    assert (out + 1).address is None
    assert type(out.max()) is np.uint8
    named = v.GaussianNoise(std=0.2)(image=images)
    again = v.GaussianNoise(std=0.2)(image=images[2], seed=named.address.seed, index=2)
    assert np.array_equal(again["image"], named["image"][2])


def test_each_result_of_several_sizes_has_an_address_of_its_own():
    images = some(3, 9, 9, 3)
    sizes = v.RandomScale(factor=(0.5, 1.5))(images, seed=3, index=[4, 8, 6])
    for image, made, index in zip(images, sizes, [4, 8, 6], strict=True):
        assert made.address.index.tolist() == [index]
        assert np.array_equal(v.RandomScale(factor=(0.5, 1.5))(image, seed=made.address.seed, index=made.address.index), made)
        assert made[:2].address is None


def test_views_are_the_views_of_the_address():
    policy, images = v.Views([v.GaussianNoise(std=0.2)], n=3), some(4, 8, 9, 3)
    views = policy(images, seed=1)
    assert [view.address.view.tolist() for view in views] == [[0] * 4, [1] * 4, [2] * 4]
    for number, view in enumerate(views):
        assert np.array_equal(v.Compose(policy.of)(images, seed=1, view=number), view)
    assert [one.address.view[0] for one in policy(image=images, seed=1, view=2)] == [6, 7, 8]


def test_a_result_is_a_mapping_in_the_order_given():
    out = v.Invert()(image=some(4, 4, 3), label=3, mask=np.zeros((4, 4)), seed=7)
    assert isinstance(out, Mapping)
    assert list(out) == ["image", "label", "mask"]
    assert repr(out) == "Result(image, label, mask; seed=7, epoch=0, index=0, view=0)"


def broken(image: np.ndarray, at: float) -> np.ndarray:
    if at > 0.9:
        raise ValueError("no such luck")
    if at < 0.1:
        image[:] = 0
    return image


@dataclass(frozen=True, kw_only=True, repr=False)
class Fragile(v.Transform):
    verb = "opaque"
    at: Any = v.parameter((0.0, 1.0))  # noqa: RUF009

    def lower(self, params, spec):
        return [Opaque(broken, everywhere(len(spec)), {"at": params["at"]})]


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_an_exception_within_a_pass_is_raised_with_the_address(backend):
    with pytest.raises(
        v.BackendError, match=r"^Fragile at seed=3, epoch=5, index=0\.\.63, view=0: .* got ValueError: no such luck$"
    ) as caught:
        Fragile()(some(64, 4, 4, 1), seed=3, epoch=5, backend=backend)
    assert isinstance(caught.value.__cause__, ValueError)


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_an_opaque_function_cannot_touch_the_callers_memory(backend):
    given = [some(4, 4, 1), some(5, 5, 1)]
    before = [image.copy() for image in given]
    with pytest.raises(v.BackendError, match="read-only"):
        Fragile(at=0.05)(given, seed=0, backend=backend)
    assert all(np.array_equal(one, other) for one, other in zip(given, before, strict=True))
    for one, other in zip(Fragile(at=0.5)(given, seed=0, backend=backend), given, strict=True):
        assert np.array_equal(one, other)
        assert not np.shares_memory(one, other)
        assert one.flags.writeable


FLOAT = np.full((4, 5, 3), 0.5, np.float32)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (FLOAT * 400, r"^image: expected float values in \[0, 1\], got values from 200 to 200; write images\.astype"),
        (FLOAT - 1, r"^image: .* got values from -0\.5 to -0\.5; write np\.clip\(images, 0, 1\)$"),
        (FLOAT * np.float32(np.nan), r"^image: .* got NaN; write np\.nan_to_num\(images\)$"),
        ([FLOAT, FLOAT[:2] * 3], r"^image\[1\]: .* got values from 1\.5 to 1\.5"),
        (FLOAT.astype(np.float64), r"^image\[0\]: expected dtype uint8, uint16, float32, got float64; write image\.astype\(np\.float32\)$"),
        (FLOAT > 1, r"^image\[0\]: expected dtype .* got bool"),
        ([some(4, 5, 3), FLOAT[:2]], r"^image\[1\]: expected dtype uint8, as the first, got float32"
         r"; write \(image\[1\] \* 255\.0\)\.astype\(np\.uint8\)$"),
        ([some(4, 5, 3), some(4, 5, 1)], r"^image\[1\]: expected 3 channels, as the first, got 1"
         r"; write \[one\[\.\.\., :1\] for one in image\]$"),
        ([some(4, 5, 3), some(4, 5)], r"^image: expected arrays of shape \(H, W, C\) or \(H, W\), got ranks \[2, 3\]"),
        (some(2, 2, 4, 5, 3), r"^image: expected NumPy arrays|^image: expected arrays of shape"),
        (some(5), r"^image: expected arrays of shape \(H, W, C\) or \(H, W\), got ranks \[1\]"),
        (some(0, 5, 3), r"^image: expected at least one pixel, got a canvas of \[0, 5\]; write if image\.size: policy\(image=image\)$"),
        ([], r"^image: expected NumPy arrays"),
        ("photo.png", r"^image: expected NumPy arrays: .* got 'list'|got 'str'"),
        ([[1, 2], [3, 4]], r"^image: expected NumPy arrays: .*; write np\.asarray\(image\)$"),
    ],
)  # fmt: skip
def test_images_that_are_none_get_a_sentence(given, says):
    with pytest.raises(v.VicinalError, match=says):
        v.Invert()(given, seed=0)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ({"index": [1, 2, 3]}, r"^address: expected one number each, or 4 numbers \(one a sample\), got epoch \(1,\), index \(3,\)"),
        ({"epoch": [1, 2, 3, 4, 5]}, r"^address: .* got epoch \(5,\)"),
        ({"index": "a"}, r"^address\.index: expected an integer or a 1-D sequence"),
        ({"seed": "a"}, r"^address\.seed: expected an integer in \[0, 2\*\*64\), got 'a'; write seed=0$"),
    ],
)
def test_addresses_that_do_not_fit_get_a_sentence(address, says):
    with pytest.raises(v.ParameterError, match=says):
        v.Invert()(some(4, 4, 5, 3), **{"seed": 0} | address)
    with pytest.raises(v.TargetError, match=r"^index: expected 1 numbers, one a sample, got 2"):
        v.Invert()(some(4, 5, 3), seed=0, index=[1, 2])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: v.Invert()(seed=0), r"^call: expected one array, or targets by name, got 0 arrays and 0 names; write"),
        (lambda: v.Invert()(some(4, 4), some(4, 4), seed=0), r"^call: .* got 2 arrays"),
        (lambda: v.Invert()(some(4, 4), label=3, seed=0), r"^call: .* got 1 arrays and 1 names"),
        (lambda: v.Invert()(label=3, seed=0), r"^call: expected exactly one of image, series, volume and text, got neither"
         r"; write policy\(image=images\)$"),
        (lambda: v.Jitter(std=1)(image=some(4, 4), seed=0), r"^Jitter: expected a target of kind series, got image; write"),
        (lambda: v.parse("Normalize() | Brightness(by=0.1)")(some(4, 4, 3), seed=0), r"^Brightness: .* got Brightness behind"),
        (lambda: v.parse("ToTensor() | Rotate(angle=1)")(some(4, 4, 3), seed=0), r"^Rotate: expected ToTensor behind"),
        (lambda: v.GaussianNoise(std=1, overflow="keep")(some(4, 4), seed=0), r"^GaussianNoise\.overflow: expected float images"),
        (lambda: v.Grayscale()(some(4, 4, 5), seed=0), r"^Grayscale: expected images of 1 or 3 channels, got 5"
         r"; write image\[\.\.\., :3\]$"),
        (lambda: v.Normalize()(some(4, 4), seed=0), r"^Normalize\.mean: expected one number, or 1: one per channel, got 3; write"),
        (lambda: v.Invert()(some(4, 4), seed=0, backend="gpu"), r"^backend: expected one of 'auto', 'cpu', 'reference', got 'gpu'"),
    ],
)  # fmt: skip
def test_calls_that_make_no_sense_get_a_sentence(call, says):
    with pytest.raises(v.VicinalError, match=says):
        call()


def test_without_the_fast_libraries_auto_is_the_reference_and_cpu_says_what_to_install(monkeypatch):
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: None)
    backends.load.cache_clear()
    try:
        assert backends.load("auto").name == "reference"
        with pytest.raises(
            v.BackendError, match=r"^backend 'cpu': expected cv2, numba to be installed, got no such module; write pip install"
        ):
            backends.load("cpu")
    finally:
        backends.load.cache_clear()


@pytest.mark.parametrize("text", ["Rotate(angle=(-9, 9)) | Gamma(exponent=(0.5, 2)) | ToTensor()", "Transpose(p=0.5) | Invert()"])
@pytest.mark.parametrize("ragged", [False, True])
def test_batches_that_are_shared_out_among_threads_have_the_bits_of_one_thread(text, ragged):
    data = np.random.default_rng(0).integers(0, 256, (16, 220, 230, 3), np.uint8)
    data = [image[: 200 + number] for number, image in enumerate(data)] if ragged else data
    assert sum(image.nbytes for image in data) > WORTH
    one, three = (v.parse(text)(data, seed=1, threads=threads) for threads in (1, 3))
    assert type(one) is type(three)
    assert all(np.array_equal(a, b) for a, b in zip(one, three, strict=True))


def test_a_call_within_a_thread_does_not_wait_for_it():
    data = np.random.default_rng(0).integers(0, 256, (12, 220, 230, 3), np.uint8)
    nested = _pool(1, os.getpid()).submit(lambda: Threads(load("cpu"), 1).run(v.Invert()(image=data, seed=0).plan.primitives, data))
    assert np.array_equal(nested.result(60), 255 - data)


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize(
    "text",
    ["Gamma(exponent=(0.5, 2)) | ToTensor()", "Affine(angle=(-9, 9)) | Brightness(by=0.1) | ToTensor()", "HorizontalFlip() | Invert()",
     "Invert() | GaussianNoise(std=0.1)", "GaussianBlur(sigma=1)", "Rotate(angle=(-9, 9), p=0.5)", "Invert() | Transpose()"],
)  # fmt: skip
def test_a_backend_that_asks_for_room_asks_once_and_returns_it(backend, text):
    data, given = np.random.default_rng(0).integers(0, 256, (4, 24, 20, 3), np.uint8), []
    made = v.parse(text)(image=data, seed=1, backend=backend)

    def room(shape, dtype):
        given.append(np.full(shape, 77, dtype))
        return given[-1]

    again = load(backend).run(made.plan.primitives, data, room)
    assert len(given) <= 1
    assert all(again is array for array in given)
    assert isinstance(again, np.ndarray)
    assert all(np.array_equal(a, b) for a, b in zip(made["image"], again, strict=True))


def test_colours_after_a_warp_are_written_where_the_whole_batch_lies():
    given, data = [], np.zeros((4, 24, 20, 3), np.uint8)

    def room(shape, dtype):
        given.append(np.empty(shape, dtype))
        return given[-1]

    for text in [
        "Invert() | ToTensor()",
        "Affine(angle=5) | Gamma(exponent=2) | ToTensor()",
        "HorizontalFlip()",
        "Affine(angle=5) | Hue(shift=9)",
    ]:
        load("cpu").run(v.parse(text)(image=data, seed=1).plan.primitives, data, room)
    assert len(given) == 4


def test_parts_of_a_whole_in_their_places_are_not_copied_and_others_are():
    whole = Whole(5, np.empty)
    placed = whole.part(slice(0, 2))((2, 3), np.float32)
    placed[...] = 1
    whole.take(slice(0, 2), placed)
    whole.take(slice(2, 5), np.full((3, 3), 2, np.float32))
    assert isinstance(whole.data(), np.ndarray)
    assert np.may_share_memory(whole.data(), placed)
    assert np.array_equal(whole.data(), np.repeat([[1], [2]], [2, 3], 0) * np.ones(3, np.float32))


def test_parts_of_two_forms_come_out_as_a_list():
    whole = Whole(3, np.empty)
    whole.take(slice(0, 2), np.ones((2, 3), np.float32))
    other = whole.part(slice(2, 3))((1, 4), np.float32)
    other[...] = 2
    whole.take(slice(2, 3), other)
    assert [sample.tolist() for sample in whole.data()] == [[1, 1, 1], [1, 1, 1], [2, 2, 2, 2]]
