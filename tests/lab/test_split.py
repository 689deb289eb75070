"""Split first, by source: the invariants, the refusals and the leak in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vicinal.core.errors import DataError, LeakageError, ParameterError
from vicinal.data import Dataset, from_arrays, read
from vicinal.lab.split import Split, leak_share, refuse_leak, split, split_items


def dataset(labels, sources=None, official_test=False) -> Dataset:
    return from_arrays(np.zeros((len(labels), 1, 1), np.uint8), labels, sources=sources, official_test=official_test)


def sources_of(data: Dataset, parts: Split) -> tuple[set[int], set[int], set[int]]:
    train, dev, test = (set(data.sources[rows].tolist()) for rows in (parts.train, parts.dev, parts.test))
    return train, dev, test


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    """2 to 5 classes of 5 to 30 sources with wild ids, each with 1 to 3 items, in any order; a test declared or not."""
    sizes = draw(st.lists(st.integers(5, 30), min_size=2, max_size=5))
    total = sum(sizes)
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    ids = random.choice(10_000, total, replace=False) * 2**30
    classes = np.repeat(np.arange(len(sizes)), sizes)
    rows = random.permutation(np.repeat(np.arange(total), random.integers(1, 4, total)))
    declared = np.zeros(total, bool)
    if draw(st.booleans()):
        declared = np.concatenate([np.arange(size) < 2 for size in sizes])
    return dataset(classes[rows], ids[rows], declared[rows])


@given(datasets(), st.data())
@settings(max_examples=80, deadline=None)
def test_invariants(data: Dataset, choice: st.DataObject):
    seed = choice.draw(st.integers(0, 2**64 - 1))
    every = sources_of(data, split(data, size=None, seed=seed))
    assert set.union(*every) == set(data.sources.tolist())
    size = choice.draw(st.integers(2 * len(data.classes), len(every[0] | every[1])))
    share = choice.draw(st.sampled_from([0.05, 0.1, 0.3, 0.5]))
    parts = split(data, size=size, seed=seed, dev=share)
    train, dev, test = sources_of(data, parts)
    assert not train & dev
    assert not train & test
    assert not dev & test
    assert len(train) + len(dev) == size
    assert len(dev) == max(int(share * size + 0.5), 1)
    for rows, ids in zip((parts.train, parts.dev, parts.test), (train, dev, test), strict=True):
        assert rows.tolist() == np.flatnonzero(np.isin(data.sources, list(ids))).tolist()  # whole groups, ascending
    assert set(data.labels[parts.train].tolist()) == set(range(len(data.classes)))
    if len(dev) >= len(data.classes):
        assert set(data.labels[parts.dev].tolist()) == set(range(len(data.classes)))


@given(datasets(), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
@settings(max_examples=40, deadline=None)
def test_test_part_depends_on_neither_size_nor_seed(data: Dataset, one: int, other: int):
    expected = split(data, size=None, seed=one).test
    np.testing.assert_array_equal(split(data, size=2 * len(data.classes), seed=other, dev=0.4).test, expected)
    if data.official_test.any():
        np.testing.assert_array_equal(expected, np.flatnonzero(data.official_test))


@given(datasets(), st.integers(0, 2**64 - 1))
@settings(max_examples=40, deadline=None)
def test_sizes_are_nested(data: Dataset, seed: int):
    least, seen = 2 * len(data.classes), set()
    for size in range(least, least + 12):
        try:
            train, dev, _ = sources_of(data, split(data, size=size, seed=seed))
        except DataError:
            return
        assert seen < train | dev
        seen = train | dev


@given(datasets(), st.integers(0, 2**64 - 1))
@settings(max_examples=40, deadline=None)
def test_order_of_the_rows_does_not_matter(data: Dataset, seed: int):
    shuffled = data.take(np.random.default_rng(0).permutation(len(data)))
    size = 2 * len(data.classes)
    assert sources_of(data, split(data, size=size, seed=seed)) == sources_of(shuffled, split(shuffled, size=size, seed=seed))


def test_shares_are_proportional_in_every_part():
    labels = np.repeat(np.arange(3), [600, 300, 60])
    data = dataset(labels)
    parts = split(data, size=320, seed=5)
    assert np.bincount(labels[parts.test]).tolist() == [200, 100, 20]
    assert np.bincount(labels[parts.dev]).tolist() == [20, 10, 2]
    assert np.bincount(labels[parts.train]).tolist() == [180, 90, 18]


def test_places_are_shared_out_by_sainte_lague():
    labels = np.repeat([0, 1, 2, 0, 1, 2], [53, 24, 23, 1, 1, 1])
    parts = split(dataset(labels, official_test=np.arange(103) >= 100), size=10, seed=2)
    assert np.bincount(labels[np.concatenate([parts.train, parts.dev])]).tolist() == [6, 2, 2]


def test_large_dev_share_leaves_every_class_in_train():
    labels = np.repeat(np.arange(3), [40, 20, 4])
    parts = split(dataset(labels), size=None, seed=0, dev=0.99)
    assert np.bincount(labels[parts.train]).tolist() == [1, 1, 1]


def test_draws_belong_to_source_ids_so_the_absence_of_some_moves_no_other():
    ids = np.arange(100) * 37
    data = dataset(np.arange(100) % 2, ids)
    train, dev, test = sources_of(data, split(data, size=20, seed=4))
    unused = np.flatnonzero(~np.isin(ids, list(train | dev | test)))
    gone = [unused[unused % 2 == 0][0], unused[unused % 2 == 1][0]]
    fewer = data.take(np.setdiff1d(np.arange(100), gone))
    assert sources_of(fewer, split(fewer, size=20, seed=4)) == (train, dev, test)


def test_rare_class_is_in_train_and_dev_and_leaves_something_outside_the_test():
    labels = np.repeat(np.arange(2), [997, 3])
    parts = split(dataset(labels), size=20, seed=0, dev=0.2)
    assert [int((labels[rows] == 1).sum()) for rows in (parts.train, parts.dev, parts.test)] == [1, 1, 1]


def test_seeds_give_different_subsets_of_the_same_law():
    data = dataset(np.repeat(np.arange(2), 300))
    chosen = np.array([np.isin(np.arange(600), split(data, size=100, seed=seed).train) for seed in range(200)])
    pool = np.setdiff1d(np.arange(600), split(data, size=100, seed=0).test)
    rate = chosen[:, pool].mean(axis=0)
    assert len(np.unique(chosen, axis=0)) == 200
    assert rate.mean() == pytest.approx(90 / 400)
    spread = np.sqrt(0.225 * 0.775 / 200)
    assert np.abs(rate - 0.225).max() < 5 * spread


def test_smallest_data_that_can_be_split():
    data = dataset([0, 0, 0, 1, 1])
    parts = split(data, size=None, seed=0)
    assert [len(parts.train), len(parts.dev), len(parts.test)] == [3, 1, 1]
    assert set(data.labels[parts.train].tolist()) == {0, 1}


def refused(call, kind=DataError, **words: str) -> None:
    with pytest.raises(kind) as caught:
        call()
    for part, text in words.items():
        assert text in (getattr(caught.value, part) or ""), f"{part} of: {caught.value}"


def test_sizes_that_cannot_be():
    data = dataset(np.repeat(np.arange(3), 10))
    refused(
        lambda: split(data, size=5, seed=0), expected="at least 6 (2 for each class)", got="5", write="--size 6, or size: 6 in a study file"
    )
    refused(lambda: split(data, size=21, seed=0), expected="at most 20", got="21", write="--size 20, or size: 20 in a study file")
    tested = dataset([0, 1] * 4, official_test=[False] * 4 + [True] * 4).take(slice(4, None))
    refused(lambda: split(tested, size=None, seed=0), expected="at most 0 (what the test part leaves)", got="0")
    refused(lambda: split(data, size=2.5, seed=0), ParameterError, where="split.size", got="2.5")  # pyright: ignore
    refused(lambda: split(data, size=True, seed=0), ParameterError, where="split.size", got="True")


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, True, "half", float("nan")])
@pytest.mark.parametrize("name", ["dev", "test"])
def test_shares_that_cannot_be(name, share):
    data = dataset(np.repeat(np.arange(3), 10))
    refused(lambda: split(data, size=None, seed=0, **{name: share}), ParameterError, where=f"split.{name}", got=repr(share))


def test_data_from_which_no_test_can_be_taken():
    refused(lambda: split(dataset([0, 0, 1, 1]), size=None, seed=0), expected="at least 3 originals", got="4 originals in 2")


def test_copies_of_official_test_items_outside_are_refused_unless_allowed():
    data = dataset([0, 1] * 6, [0, 1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11], [False] * 8 + [True] * 4)
    words = {"where": "official test", "expected": "no held-out item", "got": "25.0% of the 4", "write": "--allow-leak"}
    refused(lambda: split(data, size=None, seed=0), LeakageError, **words)
    assert split(data, size=None, seed=0, allow_leak=True).test.tolist() == [8, 9, 10, 11]


def test_leak_meter():
    assert leak_share(np.array([1, 2, 2, 3]), np.array([2, 2, 9])) == 0.5
    assert leak_share(np.array([], int), np.array([1])) == 0
    assert refuse_leak(np.array([1, 2]), np.array([3])) == 0
    assert refuse_leak(np.array([1, 2]), np.array([2]), allow=True) == 0.5
    refused(lambda: refuse_leak(np.array([1, 2]), np.array([2]), where="dev"), LeakageError, where="dev", got="50.0% of the 2")


def test_items_split_after_copying_leak_as_the_closed_form_says_and_sources_do_not():
    n = 500
    sources = np.tile(np.arange(n), 2)
    halves = [split_items(sources, seed, dev=0.1) for seed in range(40)]
    assert all(len(train) == 900 and sorted([*train, *dev]) == list(range(2 * n)) for train, dev in halves)
    share = np.mean([leak_share(sources[dev], sources[train]) for train, dev in halves])
    assert share == pytest.approx(900 / (2 * n - 1), abs=0.02)
    data = dataset(np.tile(np.arange(n) % 10, 2), sources)
    for seed in range(5):
        parts = split(data, size=None, seed=seed)
        assert leak_share(data.sources[parts.dev], data.sources[parts.train]) == 0
        assert leak_share(data.sources[parts.test], np.concatenate([data.sources[parts.dev], data.sources[parts.train]])) == 0


def test_items_of_one_source_are_drawn_one_by_one():
    train, dev = split_items(np.zeros(10, int), seed=1, dev=0.3)
    assert (len(train), len(dev)) == (7, 3)
    assert [split_items(np.zeros(10, int), seed=seed)[1].tolist() for seed in range(8)].count(dev.tolist()) < 8


def test_real_mnist_keeps_its_official_test_and_ten_classes(shared_data):
    data = read(shared_data("mnist"))
    parts = split(data, size=500, seed=3)
    np.testing.assert_array_equal(parts.test, np.arange(20_000, 30_000))
    assert (len(parts.train), len(parts.dev)) == (450, 50)
    share = np.bincount(data.labels[~data.official_test]) / 20_000
    assert np.abs(np.bincount(data.labels[parts.train]) / 450 - share).max() < 0.005
    assert np.bincount(data.labels[parts.dev]).min() >= 4


def test_digits_test_part_is_a_third_and_fixed():
    data = read("digits")
    test = split(data, size=200, seed=0).test
    assert len(test) == 599
    np.testing.assert_array_equal(split(data, size=None, seed=9).test, test)
    assert np.bincount(data.labels[test]).tolist() == [round(count / 3) for count in np.bincount(data.labels)]
