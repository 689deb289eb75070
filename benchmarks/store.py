"""What the store costs: seconds in it per trial, against those that the trials take.

    python -m benchmarks.store [--trials 100] [--seconds 1]

A study of so many trials is claimed, finished and read as ``vicinal compare`` does it, with outcomes of the size that a study of MNIST has;
the trials themselves are not run, but are taken to last so long, one after the other. The aim: less than 1 % of the study.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from vicinal.lab.arms import Arm
from vicinal.lab.group import MARKS, names
from vicinal.lab.store import Store
from vicinal.lab.trial import Cell, Outcome, Rules, Trial
from vicinal.learn.mlp import MLP

TEST, CLASSES = 10_000, 10
ARMS = 10
JOBS = (1, 5)  # trials that are claimed and finished together: a convolutional network's, and a stack of small ones


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--trials", type=int, default=100)
    options.add_argument("--seconds", type=float, default=1.0, help="that a trial takes")
    given = options.parse_args()
    for together in JOBS:
        with tempfile.TemporaryDirectory() as folder:
            spent = _study(Path(folder) / "trials.db", given.trials, together)
        whole = sum(spent.values())
        parts = ", ".join(f"{name} {1000 * seconds / given.trials:.2f}" for name, seconds in spent.items())
        share = f"{whole / (given.trials * given.seconds):.2%} of trials of {given.seconds:g} s"
        print(f"jobs of {together}: {1000 * whole / given.trials:.2f} ms a trial ({parts}), {share}")


def _study(path: Path, count: int, together: int) -> dict[str, float]:
    """Seconds of every part."""
    rng = np.random.default_rng(0)
    trials = [Trial("data", Arm(f"arm {n % ARMS}", copies=n % ARMS), n // ARMS, Cell(), 2000, Rules(), MLP()) for n in range(count)]
    found = {trial.key: _outcome(rng) for trial in trials}
    spent: dict[str, float] = {}
    with _timed(spent, "open"):
        store = Store.open(path)
    with store:
        with _timed(spent, "want"):
            store.want("benchmark", trials)
        keys = list(found)
        for start in range(0, count, together):
            some = keys[start : start + together]
            with _timed(spent, "claim"):
                store.claim(some)
            with _timed(spent, "finish"):
                store.finish({key: found[key] for key in some})
        with _timed(spent, "read"):
            assert len(store.outcomes(keys)) == count
    return spent


def _outcome(rng: np.random.Generator) -> Outcome:
    values = {f"{part}.{name}": float(rng.random()) for part in ("train", "dev", "test") for name in names(regression=False)}
    curve = {part: rng.random(MARKS).tolist() for part in ("steps", "train", "dev")}
    return Outcome(values, rng.random(CLASSES), curve, rng.integers(0, CLASSES, TEST).astype(np.uint8))


@contextmanager
def _timed(spent: dict[str, float], part: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    spent[part] = spent.get(part, 0.0) + time.perf_counter() - start


if __name__ == "__main__":
    main()
