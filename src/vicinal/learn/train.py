"""The training loop: feeds in, checkpoints out, a predictor at the end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray

from vicinal.core.errors import DataError, ParameterError, VicinalError
from vicinal.learn.feed import Feed, GroupFeed, Together, checked_batch
from vicinal.learn.mlp import MLP, Layer, Layers, activations, initial_layers
from vicinal.learn.replicas import OneByOne, Replicas, Stacked

CHUNK_FLOATS = 1 << 24  # 64 MiB of activations at a time
WATCH_EVERY = 25  # steps between looks at the weights: a replica that diverged stays so


@final
@dataclass(frozen=True, eq=False)
class Predictor:
    """R trained networks, fixed: a snapshot that later training does not touch."""

    layers: Layers

    def __len__(self) -> int:
        return len(self.layers[0].weight)

    def take(self, rows: Sequence[int]) -> Predictor:
        """Some of the replicas, in the order given."""
        return Predictor(tuple(Layer(layer.weight[list(rows)], layer.bias[list(rows)]) for layer in self.layers))

    def logits(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """(R, N, classes) float32 for inputs (N, D), which all replicas see, or (R, N, D), to each its own."""
        return self._in_chunks(inputs, lambda logits: logits)

    def predict(self, inputs: NDArray[np.float32]) -> NDArray[np.int64]:
        """(R, N) int64: the class of the largest logit, for inputs as in `logits`."""
        return self._in_chunks(inputs, lambda logits: logits.argmax(2))

    def _in_chunks(self, inputs: NDArray[np.float32], then: Callable[[torch.Tensor], torch.Tensor]) -> NDArray:
        features = self.layers[0].weight.shape[2]
        if inputs.ndim not in (2, 3) or inputs.shape[-1] != features or inputs.shape[:-2] not in ((), (len(self),)):
            raise DataError("Predictor", f"inputs (N, {features}) or ({len(self)}, N, {features})", str(inputs.shape))
        whole = torch.from_numpy(np.require(inputs, np.float32, ["C", "W"])).expand(len(self), -1, -1)
        with torch.inference_mode():
            parts = [then(activations(self.layers, part)[-1]) for part in whole.split(self._chunk(), dim=1)]
            return torch.cat(parts, dim=1).numpy()

    def _chunk(self) -> int:
        units = len(self) * (self.layers[0].weight.shape[2] + sum(layer.weight.shape[1] for layer in self.layers))
        return max(1, CHUNK_FLOATS // units)


def train(
    model: MLP,
    feeds: Sequence[Feed] | GroupFeed,
    *,
    features: int,
    classes: int,
    steps: int,
    seeds: Sequence[int],
    checkpoints: Collection[int] = (),
    on_checkpoint: Callable[[int, Predictor], None] | None = None,
    progress: Callable[[int], None] | None = None,
    threads: int | None = None,
) -> Predictor:
    """Train one replica a seed, all side by side, each on its own batches.

    Args:
        feeds: batches of all replicas (`GroupFeed`), or one `Feed` a replica, in the order of the seeds.
        features, classes: D inputs, and labels 0..classes-1.
        steps: optimiser steps, the same for every replica.
        seeds: one a replica; a seed fixes the initial weights and nothing else. Equal seeds start equal.
        checkpoints: numbers of steps done, 0..steps, at which ``on_checkpoint`` gets a snapshot.
        progress: called with the number of steps done, after every step.
        threads: torch's threads during the call, put back afterwards; None leaves torch's own number.

    Raises:
        VicinalError: a replica's loss is no longer finite; the sentence names its seed.
        DataError: a batch of the wrong shape, or with labels or inputs that cannot be.

    Example:
        >>> from vicinal.learn.feed import ArrayFeed
        >>> corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
        >>> feed = ArrayFeed(corners, np.array([0, 1, 1, 0]), rows=np.tile(np.arange(4), (1, 2, 1)))
        >>> fitted = train(MLP(hidden=(16,), lr=0.5), feed, features=2, classes=2, steps=500, seeds=[0, 1], threads=1)
        >>> fitted.predict(corners).tolist()
        [[0, 1, 1, 0], [0, 1, 1, 0]]
    """
    _check(steps, seeds, checkpoints, threads)
    feed = Together(tuple(feeds)) if isinstance(feeds, Sequence) else feeds
    limits = {"replicas": len(seeds), "most": model.batch, "features": features, "classes": classes}
    with _threads(threads):
        kind = Stacked if model.stacked else OneByOne
        replicas = kind.of(model, initial_layers(model.widths(features, classes), seeds))

        def look(done: int) -> None:
            if done % WATCH_EVERY == 0 or done in checkpoints or done == steps:
                _refuse_divergence(replicas, model, feed, seeds, done)
            if done in checkpoints and on_checkpoint is not None:
                on_checkpoint(done, _snapshot(replicas))

        look(0)
        for step in range(steps):
            inputs, labels = checked_batch(feed, step, **limits)
            replicas.step(torch.from_numpy(inputs), torch.from_numpy(labels))
            look(step + 1)
            if progress is not None:
                progress(step + 1)
        return _snapshot(replicas)


def _check(steps: int, seeds: Sequence[int], checkpoints: Collection[int], threads: int | None) -> None:
    if steps < 0:
        raise ParameterError("train.steps", "0 or more", repr(steps), "steps=2000")
    if not len(seeds):
        raise ParameterError("train.seeds", "a seed for every replica", "none", "seeds=range(10)")
    outside = [mark for mark in checkpoints if not 0 <= mark <= steps]
    if outside:
        raise ParameterError("train.checkpoints", f"numbers of steps in 0..{steps}", f"{outside[0]}", f"at most {steps}")
    if threads is not None and threads < 1:
        raise ParameterError("train.threads", "1 or more, or None", repr(threads), "threads=2")


def _snapshot(replicas: Replicas) -> Predictor:
    return Predictor(tuple(layer.copy() for layer in replicas.layers()))


def _refuse_divergence(replicas: Replicas, model: MLP, feed: GroupFeed, seeds: Sequence[int], done: int) -> None:
    # A loss that is not finite makes the gradient of the last bias nan, and nan stays: a few numbers tell for all.
    lost = (~replicas.layers()[-1].bias.isfinite()).flatten(1).any(1).nonzero().flatten().tolist()
    if not lost:
        return
    for step in range(max(0, done - WATCH_EVERY), done):
        faulty = np.argwhere(~np.isfinite(feed.batch(step)[0]).all(2))
        if len(faulty):
            replica, item = faulty[0]
            raise DataError(f"feed, step {step}, seed {seeds[replica]}", "finite inputs", f"nan or infinity in item {item}")
    others = f" (and in {len(lost) - 1} more of {len(seeds)} replicas)" if len(lost) > 1 else ""
    raise VicinalError(
        f"training, seed {seeds[lost[0]]}",
        "a finite loss",
        f"nan or infinity by step {done}{others}",
        f"a smaller learning rate than {model.lr:g}, for example --lr {model.lr / 10:g}",
    )


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(before if count is None else count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
