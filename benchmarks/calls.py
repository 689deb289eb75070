"""One transform as each library does it: ours on a batch, the others on an image at a time, in the form in which each wants images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import vicinal as v
from benchmarks import pictures
from benchmarks.counterparts import ALBUMENTATIONS, TORCHVISION
from benchmarks.plain import OPENCV, PILLOW
from benchmarks.timing import Call

Ready = tuple[Callable[[Any], Any], Sequence[Any]]
"""A function of one image, and the images that it takes."""


def ours(cls: type[v.Transform], batch: NDArray) -> Call:
    """The whole batch in one call."""
    transform, more = instance(cls, batch.shape[1]), annotations(cls, batch)

    def call(number: int) -> int:
        transform(image=batch, **more, seed=0, epoch=number)
        return len(batch)

    return call


def instance(cls: type[v.Transform], side: int) -> v.Transform:
    """The example of a class; a size in pixels is meant for a canvas of 32, and grows with the canvas."""
    fields = dict(cls.example)
    return cls(**fields | ({"size": fields["size"] * side // 32} if isinstance(fields.get("size"), int) else {}))


def annotations(cls: type[v.Transform], batch: NDArray) -> dict[str, NDArray]:
    """What a transform that looks at annotations needs of them."""
    count, side = batch.shape[:2]
    if not cls.looks:
        return {}
    return {"mask": pictures.masks(count, side)} if "Mask" in cls.__name__ else {"boxes": pictures.boxes(count, 3, side)}


def theirs(cls: type[v.Transform], batch: NDArray, libraries: dict[str, ModuleType]) -> tuple[dict[str, Call], list[str]]:
    """A call for every library that has the transform and does it, and what the others said."""
    found, failures = {}, []
    for library, make in _makers(cls, batch, libraries).items():
        try:
            apply, images = make()
            apply(images[0])
        except Exception as fault:
            failures.append(f"{library} {cls.__name__}: {type(fault).__name__}: {str(fault).partition(chr(10))[0][:150]}")
        else:
            found[library] = _one_by_one(apply, images)
    return found, failures


def _one_by_one(apply: Callable[[Any], Any], images: Sequence[Any]) -> Call:
    # The results of a batch are kept, as ours are: one that is dropped at once leaves its memory to the next, still in the cache.
    kept: list[Any] = [None] * len(images)

    def call(number: int) -> int:
        at = number % len(images)
        kept[at] = apply(images[at])
        return 1

    return call


def _makers(cls: type[v.Transform], batch: NDArray, libraries: dict[str, ModuleType]) -> dict[str, Callable[[], Ready]]:
    name, side = cls.__name__, batch.shape[1]
    makers: dict[str, Callable[[], Ready]] = {}
    if "Albumentations" in libraries and name in ALBUMENTATIONS:
        makers["Albumentations"] = lambda: _albumentations(cls, batch, libraries["Albumentations"])
    if "torchvision" in libraries and name in TORCHVISION:
        makers["torchvision"] = lambda: (TORCHVISION[name](libraries["torchvision"], side), _tensors(batch))
    if name in PILLOW:
        makers["Pillow"] = lambda: (PILLOW[name](side), [Image.fromarray(image) for image in batch])
    if name in OPENCV:
        makers["OpenCV"] = lambda: (OPENCV[name](side), list(batch))
    return makers


def _albumentations(cls: type[v.Transform], batch: NDArray, A: ModuleType) -> Ready:
    operation = ALBUMENTATIONS[cls.__name__](A, batch.shape[1])
    more, needed = _metadata(cls.__name__, batch.shape[1]), annotations(cls, batch)
    names = {"mask": "mask", "boxes": "bboxes"}
    items = [{"image": image} | more | {names[name]: of[row] for name, of in needed.items()} for row, image in enumerate(batch)]
    return lambda item: operation(**item), items


def _metadata(name: str, side: int) -> dict[str, Any]:
    """What some operations of Albumentations want to be told beside the image."""
    known: dict[str, Callable[[], dict[str, Any]]] = {
        "TextOverlay": lambda: {"textimage_metadata": {"text": "vicinal", "bbox": (0.1, 0.1, 0.9, 0.3)}},
        "ImageOverlay": lambda: {"overlay_metadata": {"image": pictures.crops(1, side // 3)[0], "bbox": (0.1, 0.1, 0.4, 0.4)}},
        "HistogramMatching": lambda: {"hm_metadata": list(pictures.crops(4, side))},
        "FourierDomainAdaptation": lambda: {"fda_metadata": list(pictures.crops(4, side))},
    }
    return known[name]() if name in known else {}


def _tensors(batch: NDArray) -> list[Any]:
    import torch

    return [torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))) for image in batch]
