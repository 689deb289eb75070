"""The lab against a plain PyTorch loop, on the same experiment in the same run: does noise on copies of MNIST digits help?

    python -m benchmarks.noisy_mnist [--seeds 10]

Four arms: none, duplicate, noisy copies (uniform in [0, 0.5], not clipped), and none for as many steps as the noisy arm takes. 500 images,
50 epochs, learning rate 0.01. The loop trains one network after the other; the lab trains all of them side by side, and besides draws
learning curves and scores every class, which the loop does not.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks import noisy_mnist_loop as loop
from benchmarks.pictures import data_folder
from vicinal.data import read
from vicinal.lab.arms import read_arms
from vicinal.lab.conduct import conduct
from vicinal.lab.engine import Processes
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    seeds = range(parser.parse_args().seeds)
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
