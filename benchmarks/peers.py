"""The other libraries: how each is imported, seeded and run, so that none of them is crippled and none does more than the others."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import ModuleType
from typing import Any, final

import numpy as np


def albumentations() -> ModuleType:
    """Albumentations, without its look for a newer version; ImportError says why where there is none."""
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    try:
        import albumentations
    except ImportError as fault:
        raise ImportError(f"Albumentations cannot be imported ({fault}): pip install vicinal[bench]") from fault
    return albumentations


def torchvision() -> tuple[ModuleType, ModuleType]:
    """``torchvision.transforms`` and its ``v2``, also from a build whose compiled operators do not fit the installed torch.

    Such a build fails as it describes operators that are not there; nothing that transforms tensors needs them, so it is not let describe
    them. ImportError says why where there is none.
    """
    try:
        import torch.library as library
    except ImportError as fault:
        raise ImportError(f"torch cannot be imported: {fault}") from fault
    register = library.register_fake

    def register_but_theirs(name: Any, *args: Any, **kwargs: Any) -> Any:
        theirs = isinstance(name, str) and name.startswith("torchvision::")
        return (lambda function: function) if theirs else register(name, *args, **kwargs)

    library.register_fake = register_but_theirs
    try:
        from torchvision import transforms
        from torchvision.transforms import v2
    except Exception as fault:
        raise ImportError(f"torchvision cannot be imported: {fault}") from fault
    finally:
        library.register_fake = register
    return transforms, v2


def installed() -> tuple[dict[str, ModuleType], list[str]]:
    """The libraries that augment, by name (torchvision is its ``v2``), and for each that is missing a line that says why."""
    found: dict[str, ModuleType] = {}
    missing: list[str] = []
    for name, load in (("Albumentations", albumentations), ("torchvision", lambda: torchvision()[1])):
        try:
            found[name] = load()
        except ImportError as fault:
            missing.append(f"skipped: {fault}")
    return found, missing


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Every library may use so many threads of its own, and all of them their former number afterwards."""
    import cv2
    import torch
    from threadpoolctl import threadpool_limits

    before = cv2.getNumThreads(), torch.get_num_threads()
    with threadpool_limits(count):
        cv2.setNumThreads(count)
        torch.set_num_threads(count)
        try:
            yield
        finally:
            cv2.setNumThreads(before[0])
            torch.set_num_threads(before[1])


def independent(pipeline: Any, seed: int) -> Any:
    """An Albumentations pipeline in which every operation has a generator of its own.

    With ``Compose(seed=...)`` version 2.0.8 gives all of them the same stream, so that what happens to an image is all or nothing.
    """
    children = list(pipeline.transforms)
    for child, own in zip(children, np.random.SeedSequence(seed).spawn(len(children)), strict=True):
        child.set_random_state(np.random.default_rng(own), random.Random(int(own.generate_state(1)[0])))
    return pipeline


@final
class Loop:
    """One image at a time in a Python loop, as users of these libraries do.

    With more threads each has its part of the images and, since these pipelines have a state, a pipeline of its own, made by
    ``make(number)``. The results are not stacked to a batch.
    """

    def __init__(self, make: Callable[[int], Callable[[Any], Any]], threads: int):
        self._pipelines = [make(number) for number in range(threads)]
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def __call__(self, items: Sequence[Any]) -> list[Any]:
        if self._pool is None:
            return [self._pipelines[0](item) for item in items]
        count = len(self._pipelines)
        parts = self._pool.map(lambda number: [self._pipelines[number](item) for item in items[number::count]], range(count))
        return [result for part in parts for result in part]
