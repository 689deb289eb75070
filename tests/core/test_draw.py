"""Draws against published vectors and against the laws of chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import vicinal as v
from vicinal.core.backend import load
from vicinal.core.draw import Address, Draw, philox

KNOWN_ANSWERS = [  # Random123 1.14.0, tests/kat_vectors, philox4x32 10
    ([0] * 4, [0] * 2, [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]),
    ([0xFFFFFFFF] * 4, [0xFFFFFFFF] * 2, [0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD]),
    (
        [0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344],
        [0xA4093822, 0x299F31D0],
        [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1],
    ),
]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN_ANSWERS)
def test_philox_gives_the_known_answers(counter, key, words):
    assert philox(np.array(counter, np.uint64), np.array(key, np.uint64)).tolist() == words


def test_philox_is_the_same_over_a_batch():
    counters = np.array([counter for counter, _, _ in KNOWN_ANSWERS], np.uint64).T
    keys = np.array([key for _, key, _ in KNOWN_ANSWERS], np.uint64).T
    assert philox(counters, keys).T.tolist() == [words for _, _, words in KNOWN_ANSWERS]


SITES = st.lists(st.tuples(st.sampled_from(["a.x", "a.y", "b.x", "OneOf/Rotate.angle"]), st.integers(1, 9)), unique=True, max_size=6)


@settings(derandomize=True, max_examples=30, deadline=None)
@given(SITES, st.integers(0, 2**64 - 1), st.lists(st.integers(0, 2**48 - 1), max_size=5))
def test_prefetch_gives_the_numbers_of_single_draws(sites, seed, index):
    together = Draw(Address.of(seed, 3, index, 1, size=len(index)))
    if sites:
        together.prefetch(sites)
    for site, n in sites:
        path, name = site.split(".")
        single = Draw(Address.of(seed, 3, index, 1, size=len(index)), path).words(name, n)
        assert np.array_equal(together.child(path).words(name, n), single)
        assert single.shape == (len(index), n)


@settings(derandomize=True, max_examples=20, deadline=None)
@given(st.integers(0, 2**64 - 1), st.lists(st.integers(0, 2**48 - 1), max_size=5), st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_every_backend_draws_the_same_words(seed, index, counts):
    address = Address.of(seed, 3, index, 1, size=len(index))
    drawn = [Draw(address, rounds=load(name).rounds) for name in ("reference", "cpu")]
    for draw in drawn:
        draw.prefetch([(f"a{number}.x", count) for number, count in enumerate(counts)])
    assert all(np.array_equal(words, drawn[1].known[site][0]) for site, (words, _) in drawn[0].known.items())


def test_more_words_of_a_site_begin_with_fewer():
    address = Address.of(0, index=range(10))
    assert np.array_equal(Draw(address).words("a", 9)[:, :2], Draw(address).words("a", 2))


@pytest.mark.parametrize("part", ["seed", "epoch", "index", "view"])
def test_each_part_of_the_address_changes_all_numbers(part):
    base = {"seed": 1, "epoch": 2, "index": 3, "view": 4}
    here = Draw(Address.of(**base)).words("x", 64)
    there = Draw(Address.of(**base | {part: base[part] + 1})).words("x", 64)
    assert (here != there).all()


def test_largest_addresses_are_told_apart():
    index = [0, 1, 2**32 - 1, 2**32, 2**48 - 1]
    epochs, views = [0, 2**32 - 1], [0, 2**16 - 1]
    draws = [Draw(Address.of(seed, e, index, w)).words("x", 2) for seed in (0, 2**64 - 1) for e in epochs for w in views]
    assert len({tuple(row) for row in np.concatenate(draws).tolist()}) == 2 * 2 * 2 * len(index)


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"seed": -1}, r"address\.seed: expected an integer in \[0, 2\*\*64\), got -1"),
        ({"seed": 2**64}, r"address\.seed"),
        ({"seed": 1.0}, r"address\.seed: .* got 1\.0"),
        ({"seed": True}, r"address\.seed: .* got True"),
        ({"seed": 0, "epoch": 2**32}, r"address\.epoch: expected integers in \[0, 2\*\*32\), got 4294967296\.\.4294967296"),
        ({"seed": 0, "index": [0, 2**48]}, r"address\.index: expected integers in \[0, 2\*\*48\)"),
        ({"seed": 0, "view": -1}, r"address\.view: .* got -1\.\.-1"),
        ({"seed": 0, "index": 0.5}, r"address\.index: expected an integer or a 1-D sequence of integers, got float64"),
        ({"seed": 0, "index": [[1, 2]]}, r"address\.index: .* got int64 \(1, 2\)"),
        ({"seed": 0, "epoch": [1, 2, 3], "index": [1, 2]}, r"address: expected one number each.* epoch \(3,\), index \(2,\)"),
    ],
)
def test_addresses_outside_their_bounds_are_refused(parts, says):
    with pytest.raises(v.ParameterError, match=says):
        Address.of(**parts)


def test_an_address_is_written_shortly():
    assert str(Address.of(7, 3, range(64))) == "seed=7, epoch=3, index=0..63, view=0"
    assert str(Address.of(7, 3, [5, 2])) == "seed=7, epoch=3, index=[5, 2], view=0"


def test_units_are_uniform():
    draw = Draw(Address.of(0, index=range(20_000)))
    units = draw.units("x", 5)
    assert 0 < units.min() <= units.max() < 1
    assert min(stats.kstest(column, "uniform").pvalue for column in units.T) > 1e-3


def test_sites_epochs_views_and_neighbours_are_uncorrelated():
    n = 20_000
    columns = [Draw(Address.of(seed, epoch, np.arange(n), view)).unit(site)
               for seed in (0, 1) for epoch in (0, 1) for view in (0, 1) for site in ("A.p", "B.p")]  # fmt: skip
    columns += [np.roll(columns[0], 1), np.roll(columns[1], 1)]
    off_diagonal = np.corrcoef(columns)[np.triu_indices(len(columns), 1)]
    assert np.abs(off_diagonal).max() < 4.5 / np.sqrt(n)


def test_order_is_a_permutation_and_every_place_is_equally_likely():
    first = [int(Draw(Address.of(seed, index=range(6))).order("x")[0]) for seed in range(1200)]
    assert sorted(Draw(Address.of(0, index=range(6))).order("x")) == list(range(6))
    assert stats.chisquare(np.bincount(first, minlength=6)).pvalue > 1e-3


SIX = ["HorizontalFlip", "VerticalFlip", "Transpose", "Invert", "Brightness", "Contrast"]


def test_six_gates_take_all_64_combinations_equally_often():
    # Six children that share a seed take 2 of 64: a fault of a well-known library.
    steps = " | ".join(f"{name}({extra}p=0.5)" for name, extra in zip(SIX, ["", "", "", "", "by=0.1, ", "gain=1.1, "], strict=True))
    plan = v.parse(steps)(image=np.zeros((6400, 1, 1, 3), np.uint8), seed=5).plan
    code = sum(plan.params[name]["on"].astype(int) << bit for bit, name in enumerate(SIX))
    counts = np.bincount(code, minlength=64)
    assert counts.min() > 0
    assert stats.chisquare(counts).pvalue > 1e-3


def test_two_of_a_kind_and_nested_gates_are_independent():
    nested = v.Compose([v.Compose([v.Invert(p=0.5), v.Invert(p=0.5)], p=0.5)], p=0.5)
    params = nested(image=np.zeros((4000, 1, 1, 1), np.uint8), seed=0).plan.params
    rates = {path: values["on"].mean() for path, values in params.items()}
    expected = {"/": 1 / 2, "Compose": 1 / 4, "Compose/Invert": 1 / 8, "Compose/Invert#2": 1 / 8}
    assert rates == pytest.approx(expected, abs=0.03)
    both = (params["Compose/Invert"]["on"] & params["Compose/Invert#2"]["on"]).mean()
    assert both == pytest.approx(1 / 16, abs=0.02)


def test_another_operation_leaves_all_draws_as_they_are():
    alone, among = (
        v.parse("Rotate(angle=(-30, 30), p=0.5)"),
        v.parse("Invert(p=0.5) | Rotate(angle=(-30, 30), p=0.5) | Gamma(exponent=(1, 2))"),
    )
    images = np.zeros((50, 4, 4, 3), np.uint8)
    for name in ("angle", "on"):
        here, there = (policy(image=images, seed=3).plan.params["Rotate"][name] for policy in (alone, among))
        assert np.array_equal(here, there)
