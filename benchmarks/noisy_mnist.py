"""The lab against a plain PyTorch loop, on the same experiment in the same run: does noise on copies of MNIST digits help?

    python -m benchmarks.noisy_mnist [--seeds 10]
    python -m benchmarks.noisy_mnist --whole

Four arms: none, duplicate, noisy copies (uniform in [0, 0.5], not clipped), and none for as many steps as the noisy arm takes. 500 images,
50 epochs, learning rate 0.01. The loop trains one network after the other; the lab trains all of them side by side, and besides draws
learning curves and scores every class, which the loop does not.

With ``--whole`` the lab runs all of the claim ``noise-mnist`` in an empty store: seven sizes, four arms split by source and two as the
lecture splits them, ten seeds. The loop trains one seed of each, half of the sizes before the lab and half after it; its time is scaled by
the seeds. It has as many threads as torch gives it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import noisy_mnist_loop as loop
from benchmarks.pictures import data_folder
from vicinal.data import read
from vicinal.lab.arms import read_arms
from vicinal.lab.claims import read_claim
from vicinal.lab.conduct import conduct
from vicinal.lab.engine import Processes
from vicinal.lab.replicate import replicate
from vicinal.lab.sides import sides
from vicinal.lab.store import Store
from vicinal.lab.study import Study, cells
from vicinal.learn.mlp import MLP

NOISE = 'noisy:1=UniformNoise(low=0, high=0.5, overflow="keep")'
EPOCHS, SIZE, PART = 50, 500, 2


def folder() -> Path:
    """MNIST under VICINAL_DATA, or beside the checkout."""
    path = data_folder("mnist")
    if not path.exists():
        sys.exit(f"MNIST not found in {path.parent}: set VICINAL_DATA to the folder that holds mnist/ (four gzipped IDX files)")
    return path


def looped(path: Path, seeds: range) -> tuple[float, dict[str, np.ndarray]]:
    """Seconds, and test accuracies of the four arms."""
    parts = (*loop.read_part(path, "train"), *loop.read_part(path, "t10k"))
    start = time.perf_counter()
    found = loop.run(*parts, seeds, EPOCHS, SIZE, ("original", "duplicate", "noisy"))
    matched = loop.run(*parts, seeds, 2 * EPOCHS, SIZE, ("original",))
    scores = {name: np.array(result["test"]) for name, result in found.items()}
    return time.perf_counter() - start, scores | {"none, twice the steps": np.array(matched["original"]["test"])}


def compared(path: Path, seeds: range) -> tuple[float, dict[str, np.ndarray]]:
    """The same by the lab: its worker processes are started within the time."""
    data, arms = read(path), read_arms([NOISE])
    study = Study(data, tuple(arms), seeds=tuple(seeds), cells=cells(sizes=[SIZE], epochs=[EPOCHS]), trainer=MLP(lr=0.01))
    start = time.perf_counter()
    with Store.memory() as store:
        findings = conduct(study, store, Processes())
    spent = time.perf_counter() - start
    return spent, {name: side.measured("test.accuracy") for name, side in sides(findings, study.cells[0]).items()}


def one_seed(path: Path, size: int, epochs: int) -> float:
    """Seconds of the loop for one seed of the six networks that the claim has at a size; how dev is split changes no step."""
    parts = (*loop.read_part(path, "train"), *loop.read_part(path, "t10k"))
    start = time.perf_counter()
    for arms, times in ((("original", "duplicate", "noisy"), 1), (("original",), 2), (("original", "noisy"), 1)):
        loop.run(*parts, range(1), times * epochs, size, arms)
    spent = time.perf_counter() - start
    print(f"loop, N={size}: {spent:.1f} s for one seed of six networks", flush=True)
    return spent


def whole(path: Path) -> None:
    """All of the claim by the lab, and one seed of it by the loop."""
    claim = read_claim("noise-mnist")
    study = claim.studies["honest"]
    sizes, seeds, epochs = study["size"], study["seeds"], study["epochs"]
    one_seed(path, SIZE, 1)  # what is loaded once
    before = sum(one_seed(path, size, epochs) for size in sizes[::2])
    with tempfile.TemporaryDirectory() as folder:
        result = replicate(claim, path.parent, Path(folder), Processes())
    ours, networks = result["seconds"], 6 * len(sizes) * seeds
    print(f"lab: {ours:.1f} s for {networks} networks; rows: {result['counts']}, failed trials: {len(result['failed'])}", flush=True)
    theirs = seeds * (before + sum(one_seed(path, size, epochs) for size in sizes[1::2]))
    print(f"loop: {theirs:.0f} s for {networks} networks ({theirs / seeds:.1f} s for one seed, times {seeds})")
    print(f"the whole claim: the lab is {theirs / ours:.1f}x as fast (aim 8x) and takes {ours / 60:.1f} min (aim below 10)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--whole", action="store_true", help="the whole claim, in minutes")
    chosen = parser.parse_args()
    return whole(folder()) if chosen.whole else small(range(chosen.seeds))


def small(seeds: range) -> None:
    """One size, in turn with the loop."""
    compared(folder(), range(1))  # compiles, and loads what is loaded once
    ratios, others, mine = [], [], {}
    for start in range(0, len(seeds), PART):  # in turn, so that a machine that drifts slows both
        part = seeds[start : start + PART]
        ours, mine = compared(folder(), seeds)
        theirs, found = looped(folder(), part)
        others.append(found)
        ratios.append(theirs / len(part) / (ours / len(seeds)))
        print(f"round {len(others)}: loop {theirs / len(part):.2f} s a seed, lab {ours / len(seeds):.2f} s a seed, ratio {ratios[-1]:.1f}x")
    print(f"{'loop':<24} {'test %':>7}    {'lab':<24} {'test %':>7}")
    for (left, right), scores in zip(zip(others[0], mine, strict=True), mine.values(), strict=True):
        looped_mean = np.concatenate([found[left] for found in others]).mean()
        print(f"{left:<24} {100 * looped_mean:>7.1f}    {right:<24} {100 * scores.mean():>7.1f}")
    print(f"{4 * len(seeds)} networks: the lab is {np.median(ratios):.1f}x as fast (median of {len(ratios)} rounds; aim 8x)")


if __name__ == "__main__":
    main()
