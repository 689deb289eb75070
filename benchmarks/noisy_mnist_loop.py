"""Noisy copies of MNIST digits, one network after the other in plain PyTorch: what the library's own comparison must beat.

The experiment: N images, 90 % of them for training; the arm "noisy" adds to the training part one copy of every image with
uniform noise in [0, 0.5] on every pixel, not clipped; an MLP 784-64-32-10, SGD with learning rate 0.01, batches of 32, 50
epochs; the accuracy on images that no arm has seen. The split comes before the copies, so that no copy of a training image is
scored. Training drops the last incomplete batch, as the experiment does, so "noisy" takes exactly twice the steps.

    python benchmarks/noisy_mnist_loop.py --data path/to/mnist --seeds 2
"""

from __future__ import annotations

import argparse
import gzip
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

ARMS = ("original", "noisy")
BATCH, LEARNING_RATE, TRAIN_SHARE, NOISE = 32, 0.01, 0.9, 0.5


def run(images, labels, test_images, test_labels, seeds, epochs, size=500, arms=ARMS) -> dict:
    """Train every arm with every seed, one after the other.

    Args:
        images, labels: (M, 784) float32 in [0, 1] and (M,) integers, from which every seed picks ``size`` items.
        test_images, test_labels: the same, never trained on.
        seeds: integers; a seed decides the items, the split, the noise, the initial weights and the order of the batches.
        arms: "original", "duplicate" (exact copies) or "noisy".

    Returns:
        For every arm {"test": [...], "dev": [...], "seconds": [...], "steps": n}, the lists with one entry a seed.
    """
    test = torch.as_tensor(test_images), torch.as_tensor(test_labels, dtype=torch.long)
    # The first optimiser makes torch load more of itself, which is no part of the loop's time.
    torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=LEARNING_RATE)
    results = {arm: {"test": [], "dev": [], "seconds": [], "steps": 0} for arm in arms}
    for seed in seeds:
        for arm in arms:
            start = time.perf_counter()
            train, dev = datasets(images, labels, size, arm, seed)
            torch.manual_seed(seed)
            network, curve, steps = fit(train, dev, epochs)
            results[arm]["test"].append(accuracy(network, *test))
            results[arm]["dev"].append(curve[-1] if curve else accuracy(network, *dev.tensors))
            results[arm]["seconds"].append(time.perf_counter() - start)
            results[arm]["steps"] = steps
    return results


def datasets(images, labels, size: int, arm: str, seed: int) -> tuple[TensorDataset, TensorDataset]:
    """The training and dev part of a seed; every arm has the same originals."""
    rng = np.random.default_rng(seed)
    picked = rng.permutation(len(images))[:size]
    x, y = torch.as_tensor(images[picked]), torch.as_tensor(labels[picked], dtype=torch.long)
    cut = round(size * TRAIN_SHARE)
    train_x, train_y = x[:cut], y[:cut]
    if arm != "original":
        noise = torch.from_numpy(rng.uniform(0, NOISE, train_x.shape).astype(np.float32))
        copies = train_x + noise if arm == "noisy" else train_x
        train_x, train_y = torch.cat([train_x, copies]), torch.cat([train_y, train_y])
    return TensorDataset(train_x, train_y), TensorDataset(x[cut:], y[cut:])


def fit(train: TensorDataset, dev: TensorDataset, epochs: int) -> tuple[nn.Module, list[float], int]:
    """A trained network, its dev accuracy after every epoch, and the number of optimiser steps."""
    network = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimiser = torch.optim.SGD(network.parameters(), lr=LEARNING_RATE)
    loss_of = nn.CrossEntropyLoss()
    loader = DataLoader(train, batch_size=BATCH, shuffle=True, drop_last=True, num_workers=0)
    curve, steps = [], 0
    for _ in range(epochs):
        network.train()
        for x, y in loader:
            optimiser.zero_grad()
            loss_of(network(x), y).backward()
            optimiser.step()
            steps += 1
        curve.append(accuracy(network, *dev.tensors))
    return network, curve, steps


def accuracy(network: nn.Module, x: Tensor, y: Tensor) -> float:
    """Share of right answers, in eval mode."""
    network.eval()
    with torch.no_grad():
        return (network(x).argmax(1) == y).float().mean().item()


def read_idx(path: Path) -> np.ndarray:
    """The array of a gzipped IDX file of unsigned bytes."""
    content = gzip.decompress(path.read_bytes())
    shape = np.frombuffer(content, ">i4", count=content[3], offset=4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def read_part(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (M, 784) float32 in [0, 1] and labels (M,) int64 of the part "train" or "t10k"."""
    images = read_idx(folder / f"{part}-images-idx3-ubyte.gz")
    return images.reshape(len(images), -1).astype(np.float32) / 255, read_idx(folder / f"{part}-labels-idx1-ubyte.gz").astype(np.int64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with the four gzipped IDX files of MNIST")
    parser.add_argument("--seeds", type=int, default=10, help="number of seeds")
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--size", type=int, default=500, help="images for training and dev together")
    parser.add_argument("--arms", nargs="+", choices=("original", "duplicate", "noisy"), default=ARMS)
    chosen = parser.parse_args()
    parts = (*read_part(chosen.data, "train"), *read_part(chosen.data, "t10k"))
    results = run(*parts, range(chosen.seeds), chosen.epochs, chosen.size, chosen.arms)
    print(f"{'arm':<10} {'steps':>6} {'dev %':>7} {'test %':>7} {'SD':>5} {'s a seed':>9}")
    for arm, found in results.items():
        dev, test = 100 * np.mean(found["dev"]), 100 * np.array(found["test"])
        spread, seconds = test.std(ddof=1) if len(test) > 1 else float("nan"), np.mean(found["seconds"])
        print(f"{arm:<10} {found['steps']:>6} {dev:>7.1f} {test.mean():>7.1f} {spread:>5.1f} {seconds:>9.2f}")


if __name__ == "__main__":
    main()
