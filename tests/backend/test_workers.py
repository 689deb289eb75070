"""The same bits for any number of workers, threads or processes, any order, any batch size, and after a resume."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

import vicinal as v

POLICY = v.parse(
    "HorizontalFlip(p=0.5) | Affine(angle=(-30, 30), scale=(0.8, 1.2)) | OneOf([GaussianNoise(std=0.1), Erase(), Gamma(exponent=(0.5, 2))])"
    " | Normalize() | ToTensor()"
)
IMAGES = np.random.default_rng(0).integers(0, 256, (64, 20, 24, 3), np.uint8)
EPOCHS = 2


def batches(size: int) -> list[tuple[int, list[int]]]:
    """(epoch, indices) of every batch, each epoch in an order of its own."""
    order = [np.random.default_rng(epoch).permutation(64) for epoch in range(EPOCHS)]
    return [(epoch, order[epoch][start : start + size].tolist()) for epoch in range(EPOCHS) for start in range(0, 64, size)]


def run(pool: Executor | None, work: list[tuple[int, list[int]]]) -> np.ndarray:
    """(epochs, 64, ...) results in the order of the data set; NaN for samples that were not asked for."""
    out = np.full((EPOCHS, 64, 3, 20, 24), np.nan, np.float32)
    if pool is None:
        made = [POLICY(IMAGES[index], seed=9, epoch=epoch, index=index) for epoch, index in work]
    else:
        jobs = [pool.submit(POLICY, IMAGES[index], seed=9, epoch=epoch, index=index) for epoch, index in work]
        made = [job.result() for job in jobs]
    for (epoch, index), result in zip(work, made, strict=True):
        out[epoch, index] = result
    return out


@pytest.fixture(scope="module")
def expected() -> np.ndarray:
    return np.stack([POLICY(IMAGES, seed=9, epoch=epoch) for epoch in range(EPOCHS)])


@pytest.mark.parametrize("size", [1, 7, 64])
@pytest.mark.parametrize("threads", [0, 1, 4])
def test_threads_and_batch_sizes_change_no_bit(expected, size, threads):
    if not threads:
        assert np.array_equal(run(None, batches(size)), expected)
        return
    with ThreadPoolExecutor(threads) as pool:
        assert np.array_equal(run(pool, batches(size)), expected)


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 4])
def test_processes_change_no_bit(expected, processes):
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        assert np.array_equal(run(pool, batches(7)), expected)


def test_a_resume_in_the_middle_of_an_epoch_gives_the_rest(expected):
    work = batches(7)
    first, rest = run(None, work[:4]), run(None, work[4:])
    assert np.array_equal(np.where(np.isnan(first), rest, first), expected)
    assert not (np.isfinite(first) & np.isfinite(rest)).any()


def test_epochs_differ(expected):
    assert all(not np.array_equal(one, other) for one, other in zip(*expected, strict=True))
