"""What lets other samples in, ours and theirs: pictures with class labels, or with boxes where objects are pasted.

torchvision's MixUp and CutMix take a batch at a time, as ours do; its MixUp wants floats and is given them, so that no cast is counted.
Its AugMix moves as well, ours does not. Albumentations' Mosaic is handed its three other images. CopyPaste has no counterpart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

import vicinal as v
from benchmarks import pictures
from benchmarks.timing import Call

CLASSES = 10
Make = Callable[[ModuleType, NDArray], Call]


def ours(name: str, batch: NDArray) -> Call:
    """The whole batch in one call."""
    policy: v.Mixer | v.AugMix = {
        "AugMix": lambda: v.AugMix(),
        "CopyPaste": lambda: v.CopyPaste(share=0.5),
        "CutMix": lambda: v.CutMix(classes=CLASSES),
        "MixUp": lambda: v.MixUp(classes=CLASSES),
        "Mosaic": lambda: v.Mosaic(size=batch.shape[1]),
    }[name]()
    labelled = {"label": np.arange(len(batch)) % CLASSES} if name in ("CutMix", "MixUp") else {}
    more: dict[str, Any] = {"boxes": pictures.boxes(len(batch), 3, batch.shape[1])} if name == "CopyPaste" else labelled

    def call(number: int) -> int:
        policy(image=batch, **more, seed=0, epoch=number)
        return len(batch)

    return call


def _together(name: str, scale: bool) -> Make:
    """torchvision on a batch as one tensor, of bytes or of floats up to 1."""

    def make(T: ModuleType, batch: NDArray) -> Call:
        import torch

        images, labels = torch.from_numpy(np.ascontiguousarray(batch.transpose(0, 3, 1, 2))), torch.arange(len(batch)) % CLASSES
        images, mixer = images / 255 if scale else images, getattr(T, name)(num_classes=CLASSES)
        kept: list[Any] = [None]

        def call(number: int) -> int:
            kept[0] = mixer(images, labels)
            return len(batch)

        return call

    return make


def _augmix(T: ModuleType, batch: NDArray) -> Call:
    import torch

    operation, images = T.AugMix(), [torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))) for image in batch]
    return _one_by_one(lambda at: operation(images[at]), len(batch))


def _mosaic(A: ModuleType, batch: NDArray) -> Call:
    side = batch.shape[1]
    operation = A.Compose([A.Mosaic(target_size=(side, side), cell_shape=(side, side), center_range=(0.25, 0.75), p=1)])
    others = [[{"image": batch[(at + step) % len(batch)]} for step in (1, 2, 3)] for at in range(len(batch))]
    return _one_by_one(lambda at: operation(image=batch[at], mosaic_metadata=others[at]), len(batch))


def _one_by_one(apply: Callable[[int], Any], count: int) -> Call:
    kept: list[Any] = [None] * count

    def call(number: int) -> int:
        kept[number % count] = apply(number % count)
        return 1

    return call


THEIRS: Mapping[str, Mapping[str, Make]] = {
    "AugMix": {"torchvision": _augmix},
    "CopyPaste": {},
    "CutMix": {"torchvision": _together("CutMix", scale=False)},
    "MixUp": {"torchvision": _together("MixUp", scale=True)},
    "Mosaic": {"Albumentations": _mosaic},
}


def theirs(name: str, batch: NDArray, libraries: dict[str, ModuleType]) -> tuple[dict[str, Call], list[str]]:
    """A call for every library that has the mixer and does it, and what the others said."""
    found, failures = {}, []
    for library in THEIRS[name].keys() & libraries.keys():
        try:
            found[library] = THEIRS[name][library](libraries[library], batch)
            found[library](0)
        except Exception as fault:
            failures.append(f"{library} {name}: {type(fault).__name__}: {str(fault).partition(chr(10))[0][:150]}")
            found.pop(library, None)
    return found, failures
