"""Batches from files and data sets: what they hold, that they repeat, and what happens when something is wrong."""

from __future__ import annotations

import gc
import threading
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from image_files import jpeg, smooth
from PIL import Image

import vicinal as v
from vicinal.backend import affine_kernels
from vicinal.core.errors import BackendError, DataError, ParameterError, PolicyError
from vicinal.data import Loader, from_arrays, from_series, from_texts

POLICY = v.parse("RandomResizedCrop(size=(20, 24)) | HorizontalFlip(p=0.5) | Brightness(by=(-0.2, 0.2)) | ToTensor()")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Eleven JPEG and PNG of several sizes."""
    found = []
    for number in range(11):
        upright = smooth(40 + 3 * number, 90 - 5 * number, number)
        if number % 3:
            found.append(jpeg(tmp_path / f"{number}.jpg", upright))
        else:
            Image.fromarray(upright).save(tmp_path / f"{number}.png")
            found.append(tmp_path / f"{number}.png")
    return found


def same(left: Sequence[Any], right: Sequence[Any]) -> bool:
    """Whether two lists of batches agree to the last bit."""
    pairs = list(zip(left, right, strict=True))
    return all(np.array_equal(a["index"], b["index"]) and np.array_equal(a["image"], b["image"]) for a, b in pairs)


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def test_a_batch_holds_images_labels_and_positions(files: list[Path]) -> None:
    loader = Loader(files, POLICY, batch_size=4, labels=np.arange(11) * 10)
    batches = list(loader)
    assert len(loader) == len(batches) == 3
    assert [batch["image"].shape for batch in batches] == [(4, 3, 20, 24), (4, 3, 20, 24), (3, 3, 20, 24)]
    assert {batch["image"].dtype for batch in batches} == {np.dtype("float32")}
    assert all((batch["label"] == 10 * batch["index"]).all() for batch in batches)
    assert sorted(np.concatenate([batch["index"] for batch in batches])) == list(range(11))
    assert list(batches[0]) == ["image", "label", "index"]
    assert len(Loader(files, POLICY, batch_size=4, drop_last=True)) == len(list(Loader(files, POLICY, batch_size=4, drop_last=True))) == 2


def test_a_sample_is_what_the_policy_makes_of_the_whole_file(files: list[Path]) -> None:
    policies = [POLICY, v.parse("Grayscale(p=0.5) | Resize(size=16)"), v.parse("HorizontalFlip(p=0.3)")]
    for policy in policies:
        for batch in Loader(files, policy, batch_size=4, seed=5, reduce=False).at(epoch=2):
            for image, index in zip(batch["image"], batch["index"], strict=True):
                assert np.array_equal(image, policy(pixels(files[index]), seed=5, epoch=2, index=int(index)))


def test_order_is_a_pure_function_of_seed_and_epoch(files: list[Path]) -> None:
    loader = Loader(files, POLICY, seed=1)
    orders = [loader.order(epoch).tolist() for epoch in range(4)]
    assert len({tuple(order) for order in orders}) == 4
    assert orders == [Loader(files, POLICY, seed=1, threads=1, batch_size=3).order(epoch).tolist() for epoch in range(4)]
    assert orders[0] != Loader(files, POLICY, seed=2).order(0).tolist()
    assert Loader(files, POLICY, shuffle=False).order(3).tolist() == list(range(11))
    assert all(sorted(order) == list(range(11)) for order in orders)


def test_every_pass_is_a_new_epoch_and_any_batch_can_be_resumed(files: list[Path]) -> None:
    loader = Loader(files, POLICY, batch_size=2)
    passes = [list(loader) for _ in range(3)]
    assert loader.epoch == 3
    for epoch, batches in enumerate(passes):
        assert same(batches, list(Loader(files, POLICY, batch_size=2).at(epoch)))
        assert same(batches[4:], list(loader.at(epoch, batch=4)))
    assert not same(passes[0], passes[1])
    assert loader.epoch == 3
    loader.epoch = 1
    assert same(passes[1], list(loader))
    assert list(loader.at(0, batch=6)) == []


@pytest.mark.parametrize("policy", [POLICY, v.parse("HorizontalFlip(p=0.5) | CenterCrop(size=30) | MixUp()")])
def test_threads_and_prefetch_change_no_bit(files: list[Path], policy: Any) -> None:
    one = list(Loader(files, policy, batch_size=5, labels=np.eye(11), threads=1, prefetch=1).at(0))
    for threads, prefetch in ((2, 2), (5, 4)):
        assert same(one, list(Loader(files, policy, batch_size=5, labels=np.eye(11), threads=threads, prefetch=prefetch).at(0)))


def test_the_size_of_a_batch_changes_no_sample(files: list[Path]) -> None:
    ways = [Loader(files, POLICY, batch_size=size, shuffle=False).at(7) for size in (1, 4, 11)]
    whole = [np.concatenate([batch["image"] for batch in way]) for way in ways]
    assert np.array_equal(whole[0], whole[1])
    assert np.array_equal(whole[0], whole[2])


def test_results_of_several_sizes_are_a_list(files: list[Path]) -> None:
    batches = list(Loader(files, v.HorizontalFlip(), batch_size=4, shuffle=False).at(0))
    assert all(isinstance(batch["image"], list) for batch in batches)
    assert [image.shape for image in batches[0]["image"]] == [pixels(path).shape for path in files[:4]]


def test_a_data_set_in_memory() -> None:
    images = np.random.default_rng(0).integers(0, 256, (30, 12, 14, 1), np.uint8)
    data, policy = from_arrays(images, np.arange(30) % 3), v.parse("Rotate(angle=(-30, 30)) | ToTensor()")
    for batch in Loader(data, policy, batch_size=8, seed=3).at(1):
        assert np.array_equal(batch["label"], data.labels[batch["index"]])
        assert np.array_equal(batch["image"], policy(images[batch["index"]], seed=3, epoch=1, index=batch["index"]))
    ragged = from_arrays([images[n][: 6 + n % 3] for n in range(30)], np.arange(30) % 3)
    assert next(Loader(ragged, v.Resize(size=9)).at(0))["image"].shape == (30, 9, 9, 1)
    assert next(Loader(ragged, v.parse("Resize(size=9) | CutMix(partner='dataset', classes=3)"), batch_size=7).at(0))["label"].shape == (
        7,
        3,
    )


def test_series_and_texts_in_memory() -> None:
    waves, texts = np.random.default_rng(0).normal(size=(20, 30, 2)), [f"item number {number}" for number in range(20)]
    series, words = from_series(waves, np.arange(20) % 2), from_texts(texts, np.arange(20) % 2)
    shift, thin = v.TimeShift(by=(-5, 5)), v.wrapped(lambda text, rng: text[: rng.integers(1, len(text))], name="cut")
    for kind, data, policy in (("series", series, shift), ("text", words, thin)):
        for batch in Loader(data, policy, batch_size=8, seed=3).at(1):
            made = policy(**{kind: data.images[batch["index"]]}, seed=3, epoch=1, index=batch["index"])[kind]
            assert np.array_equal(batch[kind], made)
            assert np.array_equal(batch["label"], data.labels[batch["index"]])


def test_further_targets_follow(files: list[Path]) -> None:
    boxes = [np.array([[5.0, 6.0, 25.0, 30.0]]) for _ in files]
    loader = Loader(files, v.parse("Resize(size=(20, 24)) | HorizontalFlip()"), targets=lambda index: {"boxes": [boxes[n] for n in index]})
    for batch in loader:
        for index, moved in zip(batch["index"], batch["boxes"], strict=True):
            height, width = pixels(files[index]).shape[:2]
            expected = [24 - 25 * 24 / width, 6 * 20 / height, 24 - 5 * 24 / width, 30 * 20 / height]
            np.testing.assert_allclose(moved[0], expected, rtol=1e-6)


def test_views_and_mixers(files: list[Path]) -> None:
    both = next(Loader(files, v.Views(POLICY, n=2), batch_size=4, seed=9).at(0))
    assert [view["image"].shape for view in both] == [(4, 3, 20, 24)] * 2
    assert not np.array_equal(both[0]["image"], both[1]["image"])
    alike = [jpeg(files[0].with_name(f"alike{n}.jpg"), smooth(32, 32, n)) for n in range(6)]
    for text in ("CutMix(classes=6)", "CutMix(classes=6, partner='dataset')"):
        batch = next(Loader(alike, v.parse(text), batch_size=6, labels=range(6)).at(0))
        assert batch["image"].shape == (6, 32, 32, 3)
        np.testing.assert_allclose(batch["label"].sum(1), 1, atol=1e-6)


def test_a_broken_file_is_raised_in_the_loop_or_skipped(files: list[Path], refused: Callable) -> None:
    whole = files[4].read_bytes()
    files[4].write_bytes(whole[: len(whole) // 2])
    files[7].write_text("no image")
    files[9] = files[9].with_name("9.jpeg")
    refused(lambda: list(Loader(files[:6], POLICY)), where=str(files[4]), expected="can be read", got="truncated")
    refused(lambda: list(Loader(files[8:], POLICY)), where="9.jpeg", expected="an image file", write="9.png")
    loader = Loader(files, POLICY, batch_size=3, broken="skip", shuffle=False, labels=range(11))
    batches = list(loader)
    assert [batch["index"].tolist() for batch in batches] == [[0, 1, 2], [3, 5], [6, 8], [10]]
    assert [batch["label"].tolist() for batch in batches] == [[0, 1, 2], [3, 5], [6, 8], [10]]
    assert [Path(line.split(" (")[0]).name for line in loader.skipped] == ["4.jpg", "7.jpg", "9.jpeg"]
    assert np.array_equal(batches[1]["image"][1], POLICY(pixels(files[5]), seed=0, epoch=0, index=5))
    assert list(Loader([files[7]], POLICY, broken="skip")) == []


def test_a_failing_pass_names_the_file_and_the_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: Any) -> None:
        raise RuntimeError("out of paint")

    path = jpeg(tmp_path / "a.jpg", smooth(90, 80))
    monkeypatch.setattr(affine_kernels, "affine", failing)
    with pytest.raises(BackendError, match=r"a\.jpg at seed=0, epoch=5, index=0.*RuntimeError: out of paint"):
        list(Loader([path], v.Rotate(angle=20)).at(5))


def alive() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("vicinal-loader")]


def test_stopping_early_leaves_no_thread(files: list[Path]) -> None:
    before = cv2.getNumThreads()
    for _ in Loader(files * 8, POLICY, batch_size=2):
        assert alive()
        break
    gc.collect()
    assert alive() == []
    batches = Loader(files, POLICY, batch_size=2).at(0)
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert alive() == []
    files[3].unlink()
    with pytest.raises(DataError):
        list(Loader(files, POLICY, batch_size=2))
    assert alive() == []
    assert cv2.getNumThreads() == before


def test_a_kept_batch_is_never_written_to(files: list[Path]) -> None:
    loader = Loader(files * 4, POLICY, batch_size=3)
    kept = [(batch, batch["image"].copy()) for batch in loader]
    views = [batch["image"][1:, 0] for batch in loader.at(0)]
    list(loader)
    assert all(np.array_equal(batch["image"], copy) for batch, copy in kept)
    assert all(np.array_equal(view, copy[1:, 0]) for view, (_, copy) in zip(views, kept, strict=True))


def test_memory_stays_flat(files: list[Path]) -> None:
    loader = Loader(files, POLICY, batch_size=2)

    def held(epochs: int) -> int:
        for _ in range(epochs):
            for _ in loader:
                pass
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = held(5)
        assert held(40) - before < 64 << 10  # less than 300 bytes a batch, where a batch holds 6 KiB of pixels alone
    finally:
        tracemalloc.stop()


def test_settings_that_make_no_sense(files: list[Path], refused: Callable) -> None:
    for setting in ({"batch_size": 0}, {"threads": 1.5}, {"prefetch": True}, {"broken": "ignore"}, {"seed": -1}):
        with pytest.raises(ParameterError, match=str(next(iter(setting)))):
            Loader(files, POLICY, **setting)
    for address in ((-1, 0), (0, -1), (2**32, 0)):
        with pytest.raises(ParameterError):
            Loader(files, POLICY).at(*address)
    with pytest.raises(PolicyError, match=r"Loader\.policy"):
        Loader(files, "HorizontalFlip()")  # type: ignore[arg-type]
    refused(lambda: Loader(files, POLICY, labels=[1, 2]), where="Loader.labels", expected="11 labels", got="2")
    refused(lambda: Loader(files, POLICY, labels=[[1], [2, 3]]), where="Loader.labels", write="targets=")
    refused(lambda: Loader("photos", POLICY), where="Loader.source", write="rglob")
    refused(lambda: Loader([], POLICY), where="Loader.source", got="none")
    refused(lambda: Loader(np.zeros((4, 8, 8)), POLICY), where="Loader.source", write="from_arrays")  # type: ignore[arg-type]
