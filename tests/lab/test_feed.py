"""Batches: pure functions of the step, paired wherever two arms can share, and nothing held twice."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from vicinal import parse
from vicinal.core.draw import Address
from vicinal.core.errors import DataError
from vicinal.data.build import from_arrays
from vicinal.data.dataset import Dataset
from vicinal.lab import feed
from vicinal.lab.arms import Arm, read_arms
from vicinal.lab.feed import Held, Replica, apply, inputs, mislabelled, resampled

KEEP = 'UniformNoise(low=0, high=0.5, overflow="keep")'
ARMS = {
    "none": Arm("none"),
    "duplicate": Arm("duplicate", copies=2),
    "fly": Arm("fly", parse("Rotate(angle=(-30, 30)) | GaussianNoise(std=(0, 0.2))")),
    "copies": Arm("copies", parse("Rotate(angle=(-30, 30))"), 2),
    "keep": Arm("keep", parse(KEEP), 1),
    "keep, fly": Arm("keep", parse(KEEP)),
    "mixed": Arm("mixed", parse("MixUp(alpha=1)")),
    "mixed copies": Arm("mixed copies", parse("MixUp(alpha=1)"), 2),
    "instead": Arm("instead", parse("Rotate(angle=(-30, 30))"), 2, instead=True),
    "over": Arm("over", parse("Rotate(angle=(-30, 30))"), resample="over"),
    "under": Arm("under", resample="under"),
}
Make = Callable[..., Replica]


@pytest.fixture
def replica(digits: Dataset) -> Make:
    def make(arm: Arm | str, *, seed: int = 0, rows: Any = range(100, 145), size: int = 8) -> Replica:
        arm = arm if isinstance(arm, Arm) else ARMS[arm] if arm in ARMS else read_arms([arm])[0]
        return Replica.of(arm, seed, digits, np.asarray(rows), size)

    return make


def same(one: tuple[NDArray, NDArray], other: tuple[NDArray, NDArray]) -> bool:
    return all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("arm", ARMS)
def test_a_batch_is_a_function_of_its_step(replica: Make, arm: str) -> None:
    steps = list(range(40))
    straight = [replica(arm).batch(step) for step in steps]
    jumping = replica(arm)
    for step in np.random.default_rng(0).permutation(steps):
        assert same(jumping.batch(int(step)), straight[step])
    resumed = replica(arm)
    assert all(same(resumed.batch(step), straight[step]) for step in steps[23:])


@pytest.mark.parametrize("arm", ARMS)
@pytest.mark.parametrize(("ahead", "values"), [(1, 1 << 20), (24, 1 << 20), (1024, 64), (1024, 1)])
def test_chunks_change_nothing(replica: Make, monkeypatch: pytest.MonkeyPatch, arm: str, ahead: int, values: int) -> None:
    usual = [replica(arm).batch(step) for step in (0, 7, 19)]
    monkeypatch.setattr(feed, "AHEAD", ahead)
    monkeypatch.setattr(feed, "AHEAD_VALUES", values)
    assert all(same(replica(arm).batch(step), batch) for step, batch in zip((0, 7, 19), usual, strict=True))


def test_every_epoch_is_a_permutation_of_its_own(replica: Make) -> None:
    one = replica("copies")
    count = len(one.items)
    epoch, item = one.items_at(np.arange(3 * count))
    assert np.array_equal(epoch, np.repeat([0, 1, 2], count))
    orders = item.reshape(3, count)
    assert (np.sort(orders) == np.arange(count)).all()
    assert not (orders[0] == orders[1]).all()


def test_arms_of_one_size_see_the_same_items_in_the_same_order(replica: Make) -> None:
    twins = ("duplicate", ARMS["copies"]), ("none", ARMS["fly"]), ("none", ARMS["keep, fly"])
    for one, other in twins:
        position = np.arange(200)
        assert np.array_equal(replica(one).items_at(position), replica(other).items_at(position))
        assert all(np.array_equal(replica(one).batch(step)[1], replica(other).batch(step)[1]) for step in range(12))


def test_another_seed_has_another_order_and_other_draws(replica: Make) -> None:
    assert not same(replica("none", seed=0).batch(0), replica("none", seed=1).batch(0))
    assert not np.array_equal(replica("copies", seed=0).kept(np.array([50])), replica("copies", seed=1).kept(np.array([50])))


def test_arms_share_the_draws_of_the_operations_they_share(replica: Make) -> None:
    moved = "moved=Translate(x=(-2, 2), y=(-2, 2)) | {}"
    alone, inverted = replica("alone=Translate(x=(-2, 2), y=(-2, 2))").batch(3)[0], replica(moved.format("Invert()")).batch(3)[0]
    assert np.array_equal(np.rint(255 * inverted), 255 - np.rint(255 * alone))
    assert np.array_equal(replica(moved.format("Rotate(angle=(-90, 90), p=0)")).batch(3)[0], alone)


def test_on_the_fly_every_visit_is_new_and_a_copy_is_made_once(replica: Make) -> None:
    fly, fixed = replica("fly"), replica("copies")
    item = np.arange(45)
    assert not np.array_equal(fly.shown(item, 0)[0], fly.shown(item, 1)[0])
    assert np.array_equal(fixed.shown(item + 45, 0)[0], fixed.shown(item + 45, 1)[0])
    for step in range(60):
        fixed.batch(step)
    assert fixed.made == 2 * 45
    assert fixed.seconds > 0


def test_copies_are_what_the_policy_makes_at_their_address(replica: Make, digits: Dataset) -> None:
    fixed = replica("copies", seed=5)
    for copy in (1, 2):
        made = ARMS["copies"].policy(digits.images[100:145], seed=5, index=range(100, 145), view=copy)  # type: ignore[misc]
        assert np.array_equal(fixed.kept(np.arange(45) + 45 * copy), inputs(np.asarray(made)))
    assert np.array_equal(fixed.kept(np.arange(45)), inputs(digits.images[100:145]))


def test_draws_lie_at_source_ids_not_at_rows() -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8)).astype(np.uint8)
    data = from_arrays(images, [0, 1] * 3)
    turned = from_arrays(images[::-1], [1, 0] * 3, sources=np.arange(6)[::-1])
    arm = ARMS["fly"]
    one, other = (Replica.of(arm, 0, some, np.arange(6), 4).shown(np.arange(6))[0] for some in (data, turned))
    assert np.array_equal(one, other[::-1])


def test_a_part_keeps_its_copies(replica: Make) -> None:
    whole = replica("copies")
    rows = np.array([3, 50, 51, 100])
    part = whole.part(rows)
    assert np.array_equal(part.kept(np.arange(4)), whole.kept(rows))
    assert part.made == 3


def test_values_may_leave_the_range_where_that_is_wanted(replica: Make) -> None:
    kept, fly, clipped = replica("keep"), replica("keep, fly"), replica("clip:1=UniformNoise(low=0, high=0.5)")
    item = np.arange(90)
    assert kept.kept(item)[:45].max() <= 1.0 < kept.kept(item)[45:].max() <= 1.5
    assert fly.batch(0)[0].max() > 1.0 >= clipped.kept(item).max()


def test_fewer_items_than_a_batch_still_fill_it(replica: Make) -> None:
    few = replica("none", rows=[3, 4, 5], size=8)
    made, labels = few.batch(0)
    assert (made.shape, labels.shape) == ((8, 64), (8,))


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
def test_every_dtype_is_scaled_to_one(dtype: Any, top: int) -> None:
    scaled = inputs(np.array([[[[0], [top]]]], dtype))
    assert scaled.dtype == np.float32
    assert np.allclose(scaled, [[0, 1]], atol=1e-6)


@pytest.mark.parametrize(
    ("policy", "got"),
    [("CenterCrop(size=4)", "4x4x1"), ("OneOf([CenterCrop(size=4), Invert()])", "items of several sizes")],
)
def test_a_policy_may_not_change_the_size(digits: Dataset, policy: str, got: str) -> None:
    with pytest.raises(DataError) as caught:
        apply(Arm("crop", parse(policy)), digits.images[:16], Address.of(0, index=range(16)))
    assert (caught.value.where, caught.value.got) == ("arm crop", got)
    assert caught.value.write == "... | Resize(size=(8, 8))"
    repaired, _ = apply(Arm("crop", parse(f"{policy} | Resize(size=(8, 8))")), digits.images[:16], Address.of(0, index=range(16)))
    assert repaired.shape == (16, 8, 8, 1)


def test_originals_are_held_by_the_data_set_alone() -> None:
    data = from_arrays(np.zeros((4000, 32, 32), np.uint8), np.arange(4000) % 2)
    replicas = [Replica.of(ARMS[name], seed, data, np.arange(4000), 8) for name in ("none", "duplicate") for seed in range(5)]
    tracemalloc.start()
    for one in replicas:
        one.batch(0)
    held = tracemalloc.get_traced_memory()[0] / len(replicas)
    tracemalloc.stop()
    assert held < 1.2 * 4 * feed.AHEAD_VALUES < 4 * data.images.size / 3  # type: ignore[union-attr]


def skewed(digits: Dataset) -> NDArray[np.int64]:
    """Rows of which 30 are zeros, 12 ones and 5 twos."""
    return np.concatenate([np.flatnonzero(digits.labels == label)[:count] for label, count in ((0, 30), (1, 12), (2, 5))])


def test_originals_may_be_held_or_not(replica: Make, digits: Dataset) -> None:
    rows = np.arange(100, 145)
    held = Held.of(digits, np.arange(90, 150))
    for name in ("none", "copies", "mixed copies", "instead"):
        one = Replica.of(ARMS[name], 0, digits, rows, 8, held)
        assert all(same(one.batch(step), replica(name).batch(step)) for step in (0, 9))


def test_labels_of_an_arm_that_mixes_are_shares_that_fit_the_items(replica: Make, digits: Dataset) -> None:
    for name in ("mixed", "mixed copies"):
        made, labels = replica(name).whole()[:2]
        assert (labels.shape, labels.dtype) == ((len(made), 10), np.float32)
        assert np.allclose(labels.sum(1), 1)
        assert ((labels > 0).sum(1) <= 2).all()
        assert ((labels > 0).sum(1) == 2).any()
    originals = replica("mixed copies").whole()
    assert np.array_equal(originals.labels[:45].argmax(1), digits.labels[100:145])
    assert np.array_equal(originals.inputs[:45], inputs(digits.images[100:145]))
    assert (originals.labels[:45].max(1) == 1).all()


def test_partners_come_from_all_of_train_even_where_rows_lie_by_class(digits: Dataset) -> None:
    rows = np.argsort(digits.labels[:200], kind="stable")
    for arm, pick in ((ARMS["mixed"], slice(None)), (ARMS["mixed copies"], slice(200, None))):
        labels = Replica.of(arm, 0, digits, rows, 8).whole().labels[pick]
        assert (labels > 0).sum(1).mean() > 1.7  # of another class nine times in ten


def test_copies_may_stand_in_the_place_of_originals(replica: Make) -> None:
    instead, beside = replica("instead"), replica("copies")
    assert np.array_equal(instead.whole().inputs, beside.whole().inputs[45:])
    assert np.array_equal(instead.whole().labels, beside.whole().labels[45:])


def test_resampling_over_repeats_the_rarer_classes_with_draws_of_their_own(digits: Dataset, replica: Make) -> None:
    rows = skewed(digits)
    over, under = replica("over", rows=rows), replica("under", rows=rows)
    assert np.bincount(over.labels).tolist() == [30, 30, 30]
    assert np.bincount(under.labels).tolist() == [5, 5, 5]
    assert set(over.items) == set(rows) > set(under.items)
    assert sorted(over.items[over.copy == 0]) == sorted(rows)
    two = np.flatnonzero(over.items == rows[-1])  # six visits to one item in an epoch
    seen = over.shown(two)[0]
    assert len(two) == len(np.unique(seen, axis=0)) == 6


def test_resampling_depends_on_sources_not_on_the_order_of_rows(digits: Dataset) -> None:
    rows, shuffled = skewed(digits), np.random.default_rng(0).permutation(skewed(digits))
    for how in ("over", "under"):
        one, other = (resampled(digits.labels[some], how, 3, some, digits.sources[some]) for some in (rows, shuffled))
        assert sorted(zip(*map(np.ndarray.tolist, one), strict=True)) == sorted(zip(*map(np.ndarray.tolist, other), strict=True))


def test_label_noise_gives_a_share_of_items_another_class(digits: Dataset) -> None:
    noisy = mislabelled(digits, 0, 0.4)
    wrong = noisy != digits.labels
    assert wrong.mean() == pytest.approx(0.4, abs=0.04)
    assert not np.array_equal(wrong, mislabelled(digits, 1, 0.4) != digits.labels)
    assert np.bincount((noisy - digits.labels)[wrong] % 10, minlength=10)[1:].min() > 0.6 * wrong.sum() / 9
    more = mislabelled(digits, 0, 0.6) != digits.labels
    assert (wrong <= more).all()  # more noise is wrong wherever less is
    twins = digits.take(np.tile(np.arange(20), 2))
    assert np.array_equal(mislabelled(twins, 0, 0.5)[:20], mislabelled(twins, 0, 0.5)[20:])
