"""Planted faults between parts are found, all of them, and clean data have none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import vicinal as v
from vicinal.core.policy import parse
from vicinal.data import from_arrays, from_series
from vicinal.data.dataset import Dataset
from vicinal.lab.preflight.at_test import random_operations
from vicinal.lab.preflight.leaks import leaks, thumbnails, usual
from vicinal.lab.preflight.parts import balance, preprocessing
from vicinal.lab.preflight.words import leak_findings
from vicinal.lab.split import split


def declared(digits: Dataset, more: np.ndarray, labels: np.ndarray, sources: np.ndarray | None = None) -> Dataset:
    """Digits with an official test part, whose last items are planted."""
    images = np.concatenate([digits.images, more])
    test = np.arange(len(images)) >= 1500
    ids = None if sources is None else np.concatenate([np.arange(len(digits)), sources])
    return from_arrays(images, np.concatenate([digits.labels, labels]), sources=ids, official_test=test)


def found_rows(data: Dataset) -> set[int]:
    """The test rows that are called copies."""
    told = leaks(data, split(data, size=None, seed=0, allow_leak=True))
    return set(told[0].pairs[:, 0].tolist())


def test_clean_digits_have_no_copies(digits: Dataset) -> None:
    clean = declared(digits, digits.images[:0], digits.labels[:0])
    told = leaks(clean, split(clean, size=None, seed=0))
    assert [(len(leak.pairs), leak.straddling, leak.searched) for leak in told] == [(0, 0.0, 1.0)] * 2
    assert [finding.weight for finding in leak_findings(clean, told)] == ["fine"]


@pytest.mark.parametrize("change", ["exact", "darker", "noisy", "contrast"])
def test_every_planted_copy_is_found_and_nothing_else(digits: Dataset, change: str) -> None:
    rows = np.arange(0, 200, 5)
    grey, rng = digits.images[rows].astype(float), np.random.default_rng(0)
    changed = {"exact": grey, "darker": 0.7 * grey, "noisy": grey + rng.normal(0, 4, grey.shape), "contrast": 20 + 0.8 * grey}[change]
    data = declared(digits, np.clip(np.rint(changed), 0, 255).astype(np.uint8), digits.labels[rows])
    assert found_rows(data) == set(range(len(digits), len(digits) + len(rows)))
    told = leaks(data, split(data, size=None, seed=0))
    assert told[0].exact == (len(rows) if change == "exact" else 0)
    assert sorted(told[0].pairs[:, 1].tolist()) == rows.tolist()


def test_many_copies_within_train_do_not_hide_those_in_test(digits: Dataset) -> None:
    small = thumbnails(digits.images)
    doubled = np.concatenate([small, small[:600]])
    assert usual(doubled, np.arange(len(doubled))) == pytest.approx(usual(small, np.arange(len(small))), rel=0.3)


@pytest.mark.parametrize("columns", [1, 2, 5])
def test_of_a_few_values_equal_ones_alone_are_copies(columns: int) -> None:
    values = np.random.default_rng(0).normal(size=(400, columns)) * 10.0 ** np.arange(columns)
    values[[310, 350]] = values[[4, 70]]
    data = from_series(values, np.arange(400.0), official_test=np.arange(400) >= 300)
    assert found_rows(data) == {310, 350}


def test_copies_with_another_label_are_told(digits: Dataset) -> None:
    data = declared(digits, digits.images[:3], (digits.labels[:3] + 1) % 10)
    told = [str(finding) for finding in leak_findings(data, leaks(data, split(data, size=None, seed=0)))]
    assert any("3 of these pairs have different labels" in sentence for sentence in told)
    assert any("3 test items have copies in train and dev: 3 to the byte" in sentence for sentence in told)


def test_groups_that_straddle_are_told_as_such(digits: Dataset) -> None:
    data = declared(digits, 255 - digits.images[:30], digits.labels[:30], sources=np.arange(30))
    told = leaks(data, split(data, size=None, seed=0, allow_leak=True))
    assert told[0].straddling == pytest.approx(30 / 327)
    assert not len(told[0].pairs)
    assert "9.2 % of the test items have a sibling" in str(next(leak_findings(data, told)))


def photographs(seed: int, count: int = 150) -> np.ndarray:
    """Warm noise with some structure, (count, 12, 12, 3) floats in [0, 1]."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal((0.6, 0.5, 0.3), 0.12, (count, 3, 3, 3)).repeat(4, 1).repeat(4, 2)
    return np.clip(coarse + rng.normal(0, 0.02, coarse.shape), 0, 1).astype(np.float32)


def topics(train: np.ndarray | list, test: np.ndarray | list) -> list[str]:
    return [finding.topic for finding in preprocessing(train, test)]


def test_parts_made_alike_raise_nothing(digits: Dataset) -> None:
    assert topics(photographs(0), photographs(1)) == []
    assert topics(digits.images[:900], digits.images[900:]) == []


@pytest.mark.parametrize(
    ("fault", "topic", "words"),
    [
        (lambda x: x * 255, "range", "divided by 255"),
        (lambda x: x / 255, "range", "divided by 255"),
        (lambda x: (x * 255).astype(np.uint8), "dtype", "float32 in train and uint8 in test"),
        (lambda x: (x - 0.5) / 0.2, "range", "below 0 stand in test alone"),
        (lambda x: x.transpose(0, 3, 1, 2), "layout", "channels first"),
        (lambda x: x[..., ::-1], "channels", "RGB in one part and BGR in the other"),
        (lambda x: x * 0.6, "drift", "differs beyond chance"),
    ],
)
def test_every_planted_fault_of_preprocessing_is_found(fault: Callable[[np.ndarray], np.ndarray], topic: str, words: str) -> None:
    told = list(preprocessing(photographs(0), fault(photographs(1))))
    assert topic in [finding.topic for finding in told], told
    assert any(words in finding.sentence for finding in told), told


def test_a_negative_is_suspected() -> None:
    dark = photographs(0)[..., :1] * 0.55
    told = list(preprocessing(dark, 1 - photographs(1)[..., :1] * 0.55))
    assert any("negative of the other" in finding.sentence for finding in told), told


def test_lists_of_several_sizes_and_dtypes_are_looked_at() -> None:
    train = [image[:10] for image in photographs(0)]
    assert topics(train, [*photographs(1)]) == []
    assert "dtype" in topics(train, [(image * 255).astype(np.uint8) for image in photographs(1)])
    assert thumbnails([*train, *photographs(1)]).shape == (300, 256)


def test_unbalanced_and_lone_classes_are_told(digits: Dataset) -> None:
    rows = np.concatenate([np.flatnonzero(digits.labels != 3), np.flatnonzero(digits.labels == 3)[:9]])
    told = list(balance(digits, rows, np.arange(400)))
    assert "9 of 3" in told[0].sentence
    assert told[0].weight == "doubt"
    lone = list(balance(digits, np.flatnonzero(digits.labels != 3), np.arange(400)))
    assert any("Of 3 there are items in one of train and test alone" in finding.sentence for finding in lone)
    assert list(balance(digits, np.arange(900), np.arange(900, 1797))) == []


def test_other_shares_of_classes_in_test_are_told(digits: Dataset) -> None:
    skewed = np.flatnonzero((digits.labels < 5) | (np.arange(1797) % 4 == 0))
    told = list(balance(digits, np.arange(900), skewed))
    assert any("other shares" in finding.sentence for finding in told)


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        ("CenterCrop(size=6) | Normalize(mean=0.5, std=0.5)", []),
        ("Resize(size=8) | Rotate(angle=10)", []),
        ("CenterCrop(size=6) | HorizontalFlip(p=0.5)", ["HorizontalFlip"]),
        ("Rotate(angle=(-5, 5)) | GaussianNoise(std=0.1) | CenterCrop(size=6)", ["Rotate", "GaussianNoise"]),
        ("RandomCrop(size=6)", ["RandomCrop"]),
        ("Invert(p=0.001)", ["Invert"]),
    ],
)
def test_operations_that_draw_are_named(policy: str, names: list[str]) -> None:
    assert list(random_operations(parse(policy), image=np.zeros((8, 8, 1), np.uint8))) == names


def test_a_choice_of_operations_is_random() -> None:
    image = np.zeros((8, 8, 1), np.uint8)
    assert random_operations(v.OneOf([v.HorizontalFlip(), v.Invert()]), image=image)


def test_a_copy_of_a_dataset_row_is_its_sibling_not_its_leak(digits: Dataset) -> None:
    pair = digits.take(np.r_[0:300, 0:300])
    told = leaks(replace(pair, official_test=np.zeros(600, bool)), split(pair, size=None, seed=0))
    assert [len(leak.pairs) for leak in told] == [0, 0]
